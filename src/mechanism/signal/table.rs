//! Seeing signals: which there are, and what a process does with them.

use crate::data::{Cell, Column, Failure, Reply, Table};
use crate::inspect::process::signals::signals as signals_of;
use crate::kernel::signal::{DefaultAction, SignalSet, signal_name, signals};
use crate::lang::{Example, Kind, Param, Signature};
use crate::mechanism::{Args, Run, Sight, Verb};

static NUMBER: Column = Column {
    name: "number",
    help: "its number on this machine",
};
static NAME: Column = Column {
    name: "name",
    help: "its name",
};
static ACTION: Column = Column {
    name: "action",
    help: "what it does by itself: term, core, stop, cont or ign",
};
static MEANING: Column = Column {
    name: "meaning",
    help: "what it is for",
};

pub(super) static LS: Verb = Verb {
    signature: Signature {
        name: "sig ls",
        summary: "list the signals: number, default action and meaning",
        looks: true,
        params: &[Param::any("signal", Kind::Signal, "only these")],
        calls: &["signal(7)"],
        examples: &[Example {
            script: "sig ls USR1 KILL\nsig ls",
            shows: "some, and all",
        }],
        ..Signature::NEW
    },
    run: Run::Shell(|_, args| {
        let wanted = super::given(args, "signal")?;
        let mut table = Table::new("sig", "Signals", vec![&NUMBER, &NAME, &ACTION, &MEANING]);
        for signal in signals().filter(|s| wanted.is_empty() || wanted.contains(&s.number)) {
            table.push([
                signal.number.into(),
                Cell::Text(format!("SIG{}", signal.name)),
                Cell::text(action(signal.action)),
                Cell::text(signal.meaning),
            ]);
        }
        Ok(table.into())
    }),
};

fn action(action: DefaultAction) -> &'static str {
    match action {
        DefaultAction::Term => "term",
        DefaultAction::Core => "core",
        DefaultAction::Stop => "stop",
        DefaultAction::Cont => "cont",
        DefaultAction::Ign => "ign",
    }
}

static FIELD: Column = Column {
    name: "field",
    help: "what the kernel tells",
};
static VALUE: Column = Column {
    name: "value",
    help: "the signals",
};

pub(super) static INFO: Verb = Verb {
    signature: Signature {
        name: "sig info",
        summary: "show which signals a process has pending, blocks, ignores and catches",
        looks: true,
        params: &[Param::required(
            "process",
            Kind::Word,
            "an actor by name, a process by pid",
        )],
        calls: &["proc_pid_status(5)"],
        examples: &[Example {
            script: "b: trap USR1\nb: sig block USR2\nsig info b",
            shows: "what an actor does with signals",
        }],
        ..Signature::NEW
    },
    run: Run::Shell(info),
};

fn info(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let word = args.text("process")?.unwrap_or_default();
    let pid = sight.process(&word)?;
    let seen = signals_of(pid, pid)
        .map_err(|e| Failure::environment(format!("/proc/{pid}/status: {e}")))?;
    let mut table = Table::new("sig.info", "Signals of a process", vec![&FIELD, &VALUE]);
    let queued = format!("{} of {}", seen.queued, seen.queue_limit);
    table.push([Cell::text("queued"), Cell::Text(queued)]);
    for (field, set) in [
        ("pending", seen.pending()),
        ("blocked", seen.blocked),
        ("ignored", seen.ignored),
        ("caught", seen.caught),
    ] {
        table.push([Cell::text(field), names(set)]);
    }
    Ok(table.into())
}

fn names(set: SignalSet) -> Cell {
    let names: Vec<Cell> = set
        .iter()
        .map(|s| Cell::Text(signal_name(s).map_or_else(|| s.to_string(), |n| n.into_owned())))
        .collect();
    match names.is_empty() {
        true => Cell::Nothing,
        false => Cell::List(names),
    }
}
