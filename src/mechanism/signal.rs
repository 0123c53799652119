//! Signals: signal(7).

mod send;
mod table;

pub use send::dangers;
pub use table::help;

use super::{Args, Mechanism, Run, Verb, World};
use crate::data::{Cell, Failure, Outcome, StepResult};
use crate::kernel::signal::trap::{self, Disposition, Reserved, TrapError};
use crate::kernel::signal::{self, SignalSet, signal_name, signal_named};
use crate::lang::{Arg, Example, Given, Kind, Param, Refusal, Rule, Runs, Signature};

const SIGNALS: Param = Param::repeated("signal", Kind::Signal, "USR1, SIGUSR1, 10, RTMIN+1 …");

/// The number of a signal that was named.
pub(super) fn number(word: &str) -> Result<i32, Failure> {
    signal_named(word).ok_or_else(|| {
        let failure = Failure::refused(unknown(word));
        failure.help(WHICH)
    })
}

fn unknown(word: &str) -> String {
    format!("there is no signal `{word}`")
}

const WHICH: &str = "`sig ls` lists them";

/// `SIGUSR1`.
fn name(signo: i32) -> String {
    signal_name(signo).map_or_else(|| signo.to_string(), |name| format!("SIG{name}"))
}

/// The signals that were given.
fn given(args: &Args, param: &str) -> Result<Vec<i32>, Failure> {
    let words = args.all(param).filter_map(|arg| match arg {
        Arg::Word(word) => Some(word.as_str()),
        _ => None,
    });
    words.map(number).collect()
}

/// Why a signal cannot be had.
fn reserved(signo: i32, by: Reserved) -> String {
    let whose = match by {
        Reserved::Shell => "the shell's own: it interrupts blocked steps",
        Reserved::CLibrary => "the C library's own",
    };
    format!("{} is {whose}", name(signo))
}

/// A signal that is not the user's to catch or to mask. They are never computed.
fn not_ours(given: Given) -> Option<Refusal> {
    signals(given).find_map(|(at, signo)| {
        let why = reserved(signo, trap::reserved(signo)?);
        Some(Refusal::new(at, why, "expected another signal"))
    })
}

/// And one that nobody can hold back.
fn unblockable(given: Given) -> Option<Refusal> {
    let never = [libc::SIGKILL, libc::SIGSTOP];
    let found = signals(given).find(|(_, signo)| never.contains(signo));
    not_ours(given).or_else(|| {
        let (at, signo) = found?;
        let why = format!("{} cannot be blocked", name(signo));
        let refusal = Refusal::new(at, why, "expected another signal");
        Some(refusal.help("no process can hold back KILL or STOP, or wait for them"))
    })
}

fn signals(given: Given<'_>) -> impl Iterator<Item = (usize, i32)> {
    given.all("signal").filter_map(|(at, arg)| match arg {
        Arg::Word(word) => Some((at, signal_named(word)?)),
        _ => None,
    })
}

static TRAP: Verb = Verb {
    signature: Signature {
        name: "trap",
        summary: "say what this actor does with a signal: catch it, ignore it, or the default",
        params: &[
            SIGNALS,
            Param::flag(
                "restart",
                "a call that it interrupts goes on, where signal(7) lets it (SA_RESTART)",
            ),
            Param::flag("ignore", "do nothing (SIG_IGN)"),
            Param::flag("default", "what the signal does by itself (SIG_DFL)"),
        ],
        rules: &[Rule::Apart(&["ignore", "default"])],
        refuses: Some(not_ours),
        runs: Runs::Actor,
        calls: &["sigaction(2)"],
        errnos: &[("EINVAL", "KILL and STOP can be neither caught nor ignored")],
        notes: "What is caught is told at once, with its sender, and counted: \
                `expect actor.b.signals.USR1 == 2`. A blocked step that it interrupts fails with EINTR, \
                or goes on with --restart: but msgrcv, msgsnd, semop and sigtimedwait are never \
                restarted, as signal(7) says.",
        examples: &[
            Example {
                script: "b: trap USR1\nkill -USR1 b\nexpect actor.b.signals.USR1 == 1 within 5s",
                shows: "a signal that is caught and counted",
            },
            Example {
                script: "pipe a | b\nb: trap USR1\nb: trap USR2 --restart\nb: pipe read ...\n\
                         kill -USR2 b\nexpect actor.b.signals.USR2 == 1 within 5s\n\
                         expect actor.b.state == blocked within 5s\nkill -USR1 b\nb: ... => EINTR",
                shows: "a read that goes on, and one that does not",
            },
        ],
        ..Signature::NEW
    },
    run: Run::Actor(|_, args| {
        let to = match (args.flag("ignore"), args.flag("default")) {
            (true, _) => Disposition::Ignore,
            (_, true) => Disposition::Default,
            _ => Disposition::Catch {
                restart: args.flag("restart"),
            },
        };
        for signo in given(args, "signal")? {
            trap::set(signo, to).map_err(|e| match e {
                TrapError::Reserved(by) => Failure::refused(reserved(signo, by)),
                TrapError::Kernel(errno) => {
                    args.failure(errno, format!("sigaction({})", name(signo)))
                }
            })?;
        }
        Ok(Outcome::ok())
    }),
};

static BLOCK: Verb = Verb {
    signature: Signature {
        name: "sig block",
        summary: "hold signals back in this actor: they stay pending",
        params: &[SIGNALS],
        refuses: Some(unblockable),
        runs: Runs::Actor,
        calls: &["sigprocmask(2)"],
        notes: "KILL and STOP cannot be blocked. The kernel would take no notice: it is refused here.",
        examples: &[Example {
            script: "b: sig block USR1 RTMIN+1\nkill -USR1 b\nkill -USR1 b\nkill -RTMIN+1 b value=1\n\
                     kill -RTMIN+1 b value=2\nb: sig wait USR1 => signal=USR1\n\
                     b: sig wait USR1 timeout=10ms => EAGAIN\nb: sig wait RTMIN+1 => value=1\n\
                     b: sig wait RTMIN+1 => value=2",
            shows: "standard signals coalesce, real-time ones queue in order",
        }],
        ..Signature::NEW
    },
    run: Run::Actor(|_, args| {
        let signals = given(args, "signal")?;
        signal::block(&signals).map_err(|e| args.failure(e, "sigprocmask(SIG_BLOCK)".into()))?;
        Ok(Outcome::ok())
    }),
};

static UNBLOCK: Verb = Verb {
    signature: Signature {
        name: "sig unblock",
        summary: "let signals through to this actor again; what is pending comes at once",
        params: &[SIGNALS],
        refuses: Some(not_ours),
        runs: Runs::Actor,
        calls: &["sigprocmask(2)"],
        examples: &[Example {
            script: "b: trap USR1\nb: sig block USR1\nkill -USR1 b\nkill -USR1 b\nb: sig unblock USR1\n\
                     expect actor.b.signals.USR1 == 1 within 5s",
            shows: "two that were sent, one that comes",
        }],
        ..Signature::NEW
    },
    run: Run::Actor(|_, args| {
        let signals = given(args, "signal")?;
        signal::unblock(&signals)
            .map_err(|e| args.failure(e, "sigprocmask(SIG_UNBLOCK)".into()))?;
        Ok(Outcome::ok())
    }),
};

static WAIT: Verb = Verb {
    signature: Signature {
        name: "sig wait",
        summary: "wait until one of these signals is pending, and take it",
        yields: &["signal", "value", "pid", "uid"],
        params: &[
            SIGNALS,
            Param::option(
                "timeout",
                Kind::Duration,
                "fail with EAGAIN after this long",
            ),
        ],
        refuses: Some(unblockable),
        runs: Runs::Actor,
        takes: true,
        blocks: Some("until one of the signals comes"),
        calls: &["sigtimedwait(2)"],
        errnos: &[
            ("EAGAIN", "none came in that time"),
            ("EINTR", "another signal, which is caught, came"),
        ],
        notes: "The signals must be blocked, or they do what they do otherwise: `sig wait` blocks them \
                itself, and they stay so.",
        examples: &[Example {
            script: "b: sig wait USR1 ...\nkill -USR1 b\nb: ... => signal=USR1",
            shows: "a process that waits for a signal",
        }],
        ..Signature::NEW
    },
    run: Run::Actor(wait),
};

fn wait(_: &mut World, args: &Args) -> StepResult {
    let signals = given(args, "signal")?;
    let timeout = args.duration("timeout")?;
    let call = || "sigtimedwait()".to_string();
    signal::block(&signals).map_err(|e| args.failure(e, call()))?;
    let set = SignalSet::of(&signals).map_err(|e| args.failure(e, call()))?;
    let info = signal::wait(set, timeout).map_err(|errno| args.failure(errno, call()))?;
    let word = signal_name(info.signo).map_or_else(|| info.signo.to_string(), |n| n.to_string());
    let outcome = Outcome::ok().field("signal", Cell::Text(word));
    let outcome = match info.code {
        libc::SI_QUEUE => outcome.field("value", info.value),
        _ => outcome,
    };
    Ok(outcome.remark("pid", info.pid).remark("uid", info.uid))
}

static PENDING: Verb = Verb {
    signature: Signature {
        name: "sig pending",
        yields: &["signals"],
        summary: "list the signals that are pending for this actor",
        params: &[],
        runs: Runs::Actor,
        calls: &["sigpending(2)"],
        examples: &[Example {
            script: "b: sig block USR1\nkill -USR1 b\nb: sig pending => signals=USR1",
            shows: "one that is held back",
        }],
        ..Signature::NEW
    },
    run: Run::Actor(|_, args| {
        let set = signal::pending().map_err(|e| args.failure(e, "sigpending()".into()))?;
        let names: Vec<Cell> = set
            .iter()
            .filter_map(|s| signal_name(s).map(|n| Cell::Text(n.into_owned())))
            .collect();
        Ok(match names.is_empty() {
            true => Outcome::ok().showing("no signal is pending"),
            false => Outcome::ok().field("signals", Cell::List(names)),
        })
    }),
};

/// Everything about signals.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[
        &send::KILL,
        &TRAP,
        &BLOCK,
        &UNBLOCK,
        &WAIT,
        &PENDING,
        &table::INFO,
        &table::LS,
    ],
    kinds: &[],
};

/// Whose child this actor is: the shell, and so every other actor's parent too.
fn shell() -> i32 {
    std::os::unix::process::parent_id().cast_signed()
}
