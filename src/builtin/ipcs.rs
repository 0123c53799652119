//! `ipcs`, with the familiar flags, and `limits`.

use super::look;
use crate::data::{Cell, Column, Failure, Family, Identity, Reply, Role, Table};
use crate::exec::Builtin;
use crate::inspect::limits::{self, Limit};
use crate::kernel::{msg, sem, shm};
use crate::lang::{Example, Kind, Param, Rule, Signature};
use crate::mechanism::{self, Args, Listing, NS, ObjectKind, Sight};

const fn flag(letter: char, name: &'static str, help: &'static str) -> Param {
    Param::short(letter, name, Kind::Switch, help)
}

pub(super) static IPCS: Builtin = Builtin {
    signature: Signature {
        name: "ipcs",
        summary: "list the System V objects of the host, ours and everybody's",
        looks: true,
        params: &[
            flag('q', "queues", "message queues only"),
            flag('m', "shmems", "shared memory segments only"),
            flag('s', "semaphores", "semaphore sets only"),
            flag('a', "all", "all three; so it is where none is chosen"),
            flag(
                'A',
                "every",
                "every mechanism: POSIX objects, pipes, FIFOs and sockets too",
            ),
            flag('t', "time", "when each was last used and changed"),
            flag('p', "pid", "the processes that created or used each last"),
            flag('c', "creator", "creators and owners"),
            flag('l', "limits", "the limits instead of the objects"),
            flag('u', "summary", "how much is used instead of the objects"),
            Param::short(
                'i',
                "id",
                Kind::Int(0, i32::MAX as i64),
                "everything about one object",
            ),
            Param::short(
                'o',
                "output",
                Kind::Columns(None),
                "these columns, with commas between; `help fields` lists them",
            ),
            NS,
        ],
        rules: &[
            Rule::Apart(&[
                "time", "pid", "creator", "limits", "summary", "id", "output",
            ]),
            Rule::Apart(&["every", "id"]),
            Rule::Apart(&["every", "summary"]),
            Rule::Apart(&["all", "id"]),
            Rule::With("id", &["queues", "shmems", "semaphores"]),
        ],
        calls: &["msgctl(2)", "shmctl(2)", "semctl(2)"],
        errnos: &[("EINVAL", "there is no object with this id")],
        notes: "Beside the familiar columns: the commands of the last operators, and who waits, as the \
                kernel shows it: R receivers and S senders of a queue, P and Z of a semaphore, and how many.\n\
                -A lists pipes and FIFOs too: how much is in one is asked of a copy of somebody's descriptor \
                (pidfd_getfd), closed at once; for that moment there is one more reader or writer.",
        examples: &[Example {
            script: "ipcs\nmsgq create jobs\nipcs -q\nipcs -q -t\nipcs -q -o name,qnum,waits\nipcs -l\nipcs -A",
            shows: "tables",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| ipcs(sight, args)),
};

fn ipcs(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let chosen = [
        (Family::Msgq, args.flag("queues")),
        (Family::Shm, args.flag("shmems")),
        (Family::Sem, args.flag("semaphores")),
    ];
    let none = chosen.iter().all(|(_, c)| !c);
    let families: Vec<Family> = chosen
        .iter()
        .filter(|(_, c)| *c || none || args.flag("all"))
        .map(|(family, _)| *family)
        .collect();
    if let Some(id) = args.int::<i32>("id")? {
        let tables = families.into_iter().map(|family| {
            let info = mechanism::system_v(family)?.info;
            info(sight, &id.into())
        });
        return Ok(Reply {
            tables: tables.collect::<Result<Vec<_>, _>>()?.concat(),
            ..Reply::default()
        });
    }
    let every = args.flag("every");
    if args.flag("limits") {
        let all = every && none;
        let wanted = |limit: &Limit| all || families.iter().any(|f| f.noun() == limit.family);
        return Ok(limits_table(wanted).into());
    }
    if args.flag("summary") {
        return Ok(summary(&families).into());
    }
    let wanted = mechanism::columns(args, "output")?;
    let families = match every && none {
        true => Family::ALL.to_vec(),
        false => families,
    };
    let kinds = families.into_iter().flat_map(mechanism::kinds);
    let kinds = kinds.filter(|kind| every || kind.is_system_v());
    let mut tables: Vec<Table> = with_columns(kinds.collect(), &wanted, none || args.flag("all"))
        .into_iter()
        .map(|kind| {
            let columns = match wanted.as_slice() {
                [] if kind.is_system_v() => preset(kind, args),
                wanted => wanted.to_vec(),
            };
            (kind.list)(sight, &Listing { columns })
        })
        .collect::<Result<_, _>>()?;
    sight.sign(&mut tables);
    Ok(Reply {
        tables,
        ..Reply::default()
    })
}

/// Where no family is chosen, `-o` chooses: those that have all of its columns. Where none
/// has, the first one tells what is wrong.
fn with_columns(
    mut kinds: Vec<&'static ObjectKind>,
    columns: &[String],
    every: bool,
) -> Vec<&'static ObjectKind> {
    if every && kinds.iter().any(|kind| kind.has(columns)) {
        kinds.retain(|kind| kind.has(columns));
    }
    kinds
}

/// The columns of `-t`, `-p` and `-c`; none for the usual ones.
fn preset(kind: &ObjectKind, args: &Args) -> Vec<String> {
    let role = match (args.flag("time"), args.flag("pid"), args.flag("creator")) {
        (true, ..) => Role::Time,
        (_, true, _) => Role::Operator,
        (.., true) => return PEOPLE.map(String::from).into(),
        _ => return Vec::new(),
    };
    let names = ["name", "id", "owner"].into_iter();
    let fields = (kind.fields)().into_iter();
    let chosen = fields.filter(|c| c.traits.role == role).map(|c| c.name);
    names.chain(chosen).map(String::from).collect()
}

/// Who may do what with it.
const PEOPLE: [&str; 9] = [
    "name", "id", "perms", "creator", "cuid", "cgid", "owner", "uid", "gid",
];

static NAME: Column = Column::new("name", "the kernel's name for it").identity(Identity::Strong);
static FAMILY: Column = Column::new("family", "what it limits").identity(Identity::Strong);
static VALUE: Column = Column::new("value", "how much there is, or may be");
static USED: Column = Column::new("used", "how much is used now");
static UNIT: Column = Column::new("unit", "of what");
static MEANING: Column = Column::new("meaning", "what it says");

pub(super) static LIMITS: Builtin = Builtin {
    signature: Signature {
        name: "limits",
        summary: "show the kernel's limits, and how much of each is used",
        looks: true,
        params: &[NS],
        notes: "`expect limits.msgmax.value >= 8192` tests one; `require` skips a script that needs more.",
        examples: &[Example {
            script: "limits\nexpect limits.msgmax.value > 0",
            shows: "a table, and one of them",
        }],
        ..Signature::NEW
    },
    run: |_, _, _| Ok(limits_table(|_| true).into()),
};

fn limits_table(wanted: impl Fn(&Limit) -> bool) -> Table {
    let columns = vec![&NAME, &FAMILY, &VALUE, &USED, &UNIT, &MEANING];
    let mut table = Table::new("limit", "Limits", columns);
    for limit in limits::limits().iter().filter(|l| wanted(l)) {
        table.push([
            Cell::text(limit.name),
            Cell::text(limit.family),
            limit.value.map_or(Cell::Unknown, Cell::from),
            used(limit.name).map_or(Cell::Nothing, Cell::from),
            Cell::text(limit.unit),
            Cell::text(limit.help),
        ]);
    }
    table
}

/// How much of a limit is used, where that is one call away.
pub(super) fn used(limit: &str) -> Option<u64> {
    match limit {
        "msgmni" => msg::info().ok().map(|i| i.queues),
        "shmmni" => shm::info().ok().map(|i| i.used_ids),
        "shmall" => shm::info().ok().map(|i| i.shm_tot),
        "semmni" => sem::info().ok().map(|i| i.sets),
        "semmns" => sem::info().ok().map(|i| i.semaphores),
        _ => None,
    }
}

fn summary(families: &[Family]) -> Table {
    let columns = vec![&FAMILY, &NAME, &VALUE, &UNIT, &MEANING];
    let mut table = Table::new("summary", "Usage", columns);
    let mut add = |family: Family, name, value: Option<u64>, unit, meaning| {
        if families.contains(&family) {
            table.push([
                Cell::text(family.noun()),
                Cell::text(name),
                value.map_or(Cell::Unknown, Cell::from),
                Cell::text(unit),
                Cell::text(meaning),
            ]);
        }
    };
    let (queues, segments, sets) = (msg::info().ok(), shm::info().ok(), sem::info().ok());
    add(
        Family::Msgq,
        "queues",
        queues.map(|i| i.queues),
        "queues",
        "in use",
    );
    add(
        Family::Msgq,
        "messages",
        queues.map(|i| i.messages),
        "messages",
        "in all queues",
    );
    add(
        Family::Msgq,
        "bytes",
        queues.map(|i| i.bytes),
        "bytes",
        "in all queues",
    );
    add(
        Family::Shm,
        "used_ids",
        segments.map(|i| i.used_ids),
        "segments",
        "in use",
    );
    add(
        Family::Shm,
        "shm_tot",
        segments.map(|i| i.shm_tot),
        "pages",
        "of all segments",
    );
    add(
        Family::Shm,
        "shm_rss",
        segments.map(|i| i.shm_rss),
        "pages",
        "in memory",
    );
    add(
        Family::Shm,
        "shm_swp",
        segments.map(|i| i.shm_swp),
        "pages",
        "swapped out",
    );
    add(Family::Sem, "sets", sets.map(|i| i.sets), "sets", "in use");
    add(
        Family::Sem,
        "semaphores",
        sets.map(|i| i.semaphores),
        "semaphores",
        "in all sets",
    );
    table
}

#[cfg(test)]
mod tests;
