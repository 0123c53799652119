//! Sending signals: `kill`, in its familiar spellings.

use super::{name, number, shell};
use crate::data::{Cell, Failure, Outcome, StepResult};
use crate::kernel::signal::{pidfd_sigqueue, send_to_child_of, signal_name, signals};
use crate::kernel::{Errno, process};
use crate::lang::{Example, Kind, Param, Runs, Signature};
use crate::mechanism::{Args, Run, Verb, World};

pub(super) static KILL: Verb = Verb {
    signature: Signature {
        name: "kill",
        summary: "send a signal to actors, or to any process",
        params: &[
            Param::dash(
                "signal",
                Kind::Signal,
                "which: -USR1, -SIGUSR1, -10; TERM where it is left out",
            ),
            Param::short('s', "named", Kind::Signal, "which, as a word of its own"),
            Param::short(
                'l',
                "list",
                Kind::Switch,
                "list the signals; with a name its number, with a number its name",
            ),
            Param::any("target", Kind::Word, "actors by name, processes by pid"),
            Param::option(
                "value",
                Kind::Int(i32::MIN as i64, i32::MAX as i64),
                "an integer that goes with it (sigqueue)",
            ),
            Param::flag("force", "send it to a process that is not of this session"),
        ],
        runs: Runs::Actor,
        calls: &["pidfd_send_signal(2)"],
        errnos: &[
            (
                "EAGAIN",
                "as many signals are queued for that user as may be (RLIMIT_SIGPENDING)",
            ),
            ("EPERM", "it is not a process of yours"),
            ("ESRCH", "there is no such process"),
        ],
        notes: "An actor is hit through a descriptor of its process (pidfd), after it was seen to be a \
                child of this shell: never a stranger that got its number. A process that is not of \
                this session needs --force, and so do 1, 0 and -1. `sig ls` says what each signal means.",
        examples: &[
            Example {
                script: "b: trap USR1\nkill -USR1 b\nkill -s SIGUSR1 b\nkill -10 b\n\
                         expect actor.b.signals.USR1 >= 1 within 5s",
                shows: "one signal, spelled in three ways",
            },
            Example {
                script: "b: sig block RTMIN+1\nkill -RTMIN+1 b value=42\n\
                         b: sig wait RTMIN+1 => signal=RTMIN+1 value=42",
                shows: "a real-time signal with a value",
            },
            Example {
                script: "kill -l\nkill -l USR1 => 10\nkill -l 15 => \"TERM\"",
                shows: "the names and the numbers",
            },
        ],
        ..Signature::NEW
    },
    run: Run::Actor(kill),
};

fn kill(_: &mut World, args: &Args) -> StepResult {
    if args.flag("list") {
        return list(args);
    }
    if args.get("target").is_none() {
        return Err(Failure::refused("nobody is named").help("Such as kill -USR1 b, kill 812"));
    }
    let word = args.word("signal").or_else(|| args.word("named"));
    let signo = match word {
        Some(word) => number(word)?,
        None => libc::SIGTERM,
    };
    let value: Option<i32> = args.int("value")?;
    // All are found before any is hit.
    let targets = args
        .all("target")
        .map(|arg| target(args, arg))
        .collect::<Result<Vec<_>, _>>()?;
    for (pid, actor) in targets {
        let call = || format!("pidfd_send_signal({pid}, {})", name(signo));
        let sent = match actor {
            Some(_) => send_to_child_of(shell(), pid, signo, value),
            None => send(pid, signo, value),
        };
        sent.map_err(|errno| args.failure(errno, call()))?;
    }
    Ok(Outcome::ok())
}

/// `kill -l`: all names, or the number of one, or the name of a number.
fn list(args: &Args) -> StepResult {
    let Some(word) = args.text("target")? else {
        let names: Vec<String> = signals()
            .map(|s| format!("{} {}", s.number, s.name))
            .collect();
        return Ok(Outcome {
            text: Some(names.join(", ")),
            ..Outcome::ok()
        });
    };
    let signo = number(&word)?;
    Ok(match (word.parse::<i32>(), signal_name(signo)) {
        (Ok(_), Some(name)) => Outcome::value(Cell::Data(name.into_owned().into_bytes())),
        _ => Outcome::value(signo),
    })
}

/// A process, and the actor's name where it is one.
fn target(args: &Args, arg: &crate::lang::Arg) -> Result<(i32, Option<String>), Failure> {
    let crate::lang::Arg::Term(term) = arg else {
        return Err(Failure::refused("this is no process"));
    };
    let text = String::from_utf8_lossy(&args.env.bytes(term)?).into_owned();
    let pid = args.env.get(&text).and_then(|actor| actor.get("pid"));
    if let Some(pid) = pid.and_then(|pid| pid.as_int()) {
        let pid = i32::try_from(pid).map_err(|_| Failure::refused(format!("{pid} is no pid")))?;
        return Ok((pid, Some(text)));
    }
    let Ok(pid) = text.parse::<i32>() else {
        return Err(
            Failure::refused(format!("`{text}` is neither an actor nor a pid"))
                .help("`actors` lists the actors"),
        );
    };
    let ours = pid > 1 && parent_of(pid) == Some(shell());
    if !ours && !args.flag("force") {
        let what = match pid {
            1 => "pid 1 is the first process: all others hang on it".to_string(),
            0 => "0 is every process of the group".to_string(),
            -1 => "-1 is every process that you may signal".to_string(),
            _ if pid < 0 => format!("{pid} is a whole process group"),
            _ => format!("process {pid} is not of this session"),
        };
        return Err(Failure::refused(what).help("Say --force where you mean it"));
    }
    Ok((pid, None))
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = crate::inspect::process::thread_stat(pid, pid).ok()?;
    Some(stat.ppid)
}

fn send(pid: i32, signo: i32, value: Option<i32>) -> Result<(), Errno> {
    match value {
        None => process::kill(pid, signo),
        Some(_) if pid <= 0 => Err(Errno::EINVAL),
        Some(value) => pidfd_sigqueue(&process::pidfd_open(pid)?, signo, value),
    }
}
