//! Seeing signals: which there are, and what a process does with them.

use crate::data::{Cell, Column, Failure, Identity, Reply, Table};
use crate::inspect::process::signals::signals as signals_of;
use crate::kernel::Errno;
use crate::kernel::signal::{
    DefaultAction, Signal, SignalSet, signal_name, signal_number, signals,
};
use crate::lang::{Example, Kind, Param, Signature};
use crate::mechanism::{Args, Run, Sight, Verb};

static NUMBER: Column = Column::new("number", "its number on this machine");
static NAME: Column = Column::new("name", "its name").identity(Identity::Strong);
static ACTION: Column = Column::new(
    "action",
    "what it does by itself: term, core, stop, cont or ign",
);
static MEANING: Column = Column::new("meaning", "what it is for");

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

/// `10 USR1  term  for the program's own use`, in columns.
pub(super) fn line(signal: &Signal) -> String {
    let Signal {
        number,
        name,
        action: by_itself,
        meaning,
    } = signal;
    format!("{number:2} {name:<9}  {:4}  {meaning}", action(*by_itself))
}

/// What `help` says of a signal: `USR1`, `SIGUSR1`; numbers are no topics.
pub fn help(topic: &str) -> Option<String> {
    let upper = topic.to_ascii_uppercase();
    let number = signal_number(topic).or_else(|| signal_number(&upper))?;
    let signal = signals().find(|s| s.number == number)?;
    let name = &signal.name;
    let does = match signal.action {
        DefaultAction::Term => "ends the process",
        DefaultAction::Core => "ends the process with a dump of its memory (core)",
        DefaultAction::Stop => "stops the process until it is sent CONT",
        DefaultAction::Cont => "lets a stopped process go on",
        DefaultAction::Ign => "does nothing",
    };
    let mut text = format!(
        "SIG{name} is signal {number}: {}\n    by itself it {does}\n",
        signal.meaning
    );
    text.push_str(&match number {
        libc::SIGKILL | libc::SIGSTOP => format!("    `kill -{name} b` sends it\n"),
        _ => format!(
            "    `kill -{name} b` sends it, `trap {name}` catches it, \
             `sig wait {name}` waits for it\n"
        ),
    });
    Some(text)
}

fn action(action: DefaultAction) -> &'static str {
    match action {
        DefaultAction::Term => "term",
        DefaultAction::Core => "core",
        DefaultAction::Stop => "stop",
        DefaultAction::Cont => "cont",
        DefaultAction::Ign => "ign",
    }
}

static FIELD: Column = Column::new("field", "what the kernel tells").identity(Identity::Strong);
static VALUE: Column = Column::new("value", "the signals");

pub(super) static INFO: Verb = Verb {
    signature: Signature {
        name: "sig info",
        summary: "show which signals a process has pending, blocks, ignores and catches",
        looks: true,
        params: &[Param::required(
            "process",
            Kind::Process { group: false },
            "an actor by name, a process by pid",
        )],
        calls: &["proc_pid_status(5)"],
        errnos: &[("ESRCH", "there is no such process")],
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
    let file = format!("/proc/{pid}/status");
    let seen = signals_of(pid, pid).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => args.failure(Errno::ESRCH, format!("open({file})")),
        // It went while it was read.
        _ if e.raw_os_error() == Some(libc::ESRCH) => {
            args.failure(Errno::ESRCH, format!("read({file})"))
        }
        _ => Failure::environment(format!("{file}: {e}")),
    })?;
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
