//! `doctor`: what is wrong with the objects of this host, and what mends it.

mod clean;
mod full;
mod mend;
mod orphans;
mod stuck;

use super::look;
use crate::data::{Cell, Column, Failure, Outcome, Reply, Table, counted, rough};
use crate::exec::Builtin;
use crate::lang::{Example, Kind, Param, Rule, Signature};
use crate::mechanism::{NS, Sight};
use mend::Mend;
use orphans::Orphan;

pub(super) static DOCTOR: Builtin = Builtin {
    signature: Signature {
        name: "doctor",
        yields: &["findings", "removed"],
        summary: "find what is wrong with the objects of this host, and say what mends it",
        params: &[
            Param::flag(
                "clean",
                "remove what nobody uses any more: orphaned objects, stale socket files",
            ),
            Param::flag("dry-run", "with --clean: only say what would be removed"),
            Param::option(
                "older",
                Kind::Duration,
                "with --clean: only what nobody has used for as long",
            ),
            Param::option("user", Kind::Owner, "with --clean: only this user's"),
            Param::option(
                "key",
                Kind::Key,
                "with --clean: only the System V objects of this key; 0 is that of all that have none",
            ),
            NS,
        ],
        looks: true,
        rules: &[
            Rule::With("dry-run", &["clean"]),
            Rule::With("older", &["clean"]),
            Rule::With("user", &["clean"]),
            Rule::With("key", &["clean"]),
            Rule::Acts("clean"),
        ],
        calls: &[
            "msgctl(2)",
            "mq_overview(7)",
            "shmctl(2)",
            "semctl(2)",
            "proc(5)",
            "sock_diag(7)",
        ],
        notes: "It fails (exit code 1) where it finds something. How sure it is stands with each: \
                `exact` is what the kernel shows; `likely`, that who made or used an object last is gone, \
                though another may still come; `suspected`, what only looks so, such as a semaphore that \
                a process which is gone may have held. POSIX objects do not remember who made or used \
                them: none is called an orphan. A full queue, of either kind, is looked at twice, and \
                is a finding where nobody has received meanwhile.\n\
                What this session created is none of its findings. With --clean each object is looked at \
                once more before it is removed: one that is attached, waited at or used by then stays. \
                So does a queue with messages, which may be meant for a reader that comes later: only \
                older=DUR or its key= removes it.\n\
                With --ns it examines, and cleans, what is in the namespaces of that process.",
        examples: &[Example {
            script: "doctor --clean --dry-run older=7d",
            shows: "what nobody has used for a week",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        look(engine, |sight| match args.flag("clean") {
            true => clean::clean(sight, args),
            false => examine(sight),
        })
    },
};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sure {
    /// The kernel shows it.
    Exact,
    /// Who used it is gone; another may come.
    Likely,
    /// It only looks so.
    Suspected,
}

impl Sure {
    fn word(self) -> &'static str {
        match self {
            Sure::Exact => "exact",
            Sure::Likely => "likely",
            Sure::Suspected => "suspected",
        }
    }
}

/// Something that is wrong.
struct Finding {
    what: &'static str,
    /// Which object, as it can be typed.
    object: String,
    evidence: String,
    sure: Sure,
    mend: Mend,
}

static WHAT: Column = Column::new("what", "what is wrong");
static OBJECT: Column = Column::new("object", "with which object");
static EVIDENCE: Column = Column::new("evidence", "what was seen");
static SURE: Column = Column::new(
    "sure",
    "exact; likely: who used it is gone; suspected: it only looks so",
);
static MEND: Column = Column::new("mend", "what mends it");

fn examine(sight: &Sight) -> Result<Reply, Failure> {
    let mut unseen = Vec::new();
    let orphans = orphans::orphans(sight, &mut unseen).into_iter();
    let mut findings: Vec<Finding> = orphans.map(finding).collect();
    findings.extend(stuck::findings(sight, &mut unseen));
    let columns = vec![&WHAT, &OBJECT, &EVIDENCE, &SURE, &MEND];
    let mut table = Table::new("finding", "Findings", columns);
    table.empty = "nothing is wrong that can be seen";
    for f in &findings {
        table.push([
            Cell::text(f.what),
            Cell::text(f.object.as_str()),
            Cell::text(f.evidence.as_str()),
            Cell::text(f.sure.word()),
            Cell::Text(f.mend.written(sight.snapshot.inside())),
        ]);
    }
    table.footer.extend(unseen);
    table.footer.extend(sight.hidden());
    Ok(Reply {
        outcome: Outcome::ok().field("findings", findings.len() as i64),
        tables: vec![table],
        failing: match findings.len() {
            0 => None,
            n => Some(counted(n, "finding")),
        },
        ..Reply::default()
    })
}

fn finding(orphan: Orphan) -> Finding {
    Finding {
        mend: orphan.mend(),
        what: orphan.what,
        object: orphan.label,
        evidence: orphan.evidence,
        sure: orphan.sure,
    }
}

/// `3 h`, for a sentence.
fn ago(when: i64) -> String {
    let seconds = crate::session::now().saturating_sub(when).max(0);
    let (n, unit) = rough(seconds.unsigned_abs());
    format!("{n} {unit}")
}
