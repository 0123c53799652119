//! Sending signals: `kill`, in its familiar spellings.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use super::{WHICH, name, number, shell, table, unknown};
use crate::data::{Cell, Failure, Outcome, StepResult};
use crate::inspect::process::signals::signals as signals_of;
use crate::inspect::process::thread_stat;
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::kernel::signal::{
    DefaultAction, Signal, pidfd_sigqueue, signal_name, signal_named, signals,
};
use crate::kernel::{Errno, process};
use crate::lang::{
    Arg, Asks, Example, Given, Kind, Need, Param, Refusal, Rule, Runs, Signature, Term, closest,
};
use crate::mechanism::{Args, Run, Verb, World};

pub(super) static KILL: Verb = Verb {
    signature: Signature {
        name: "kill",
        summary: "send a signal to actors, or to any process",
        params: &[
            Param::dash(
                "signal",
                Kind::Signal,
                "-USR1, -SIGUSR1, -10; -0 sends none and only asks; TERM where it is left out",
            ),
            Param::short('s', "named", Kind::Signal, "which, as a word of its own"),
            Param::short(
                'l',
                "list",
                Kind::Switch,
                "say what the signals are; with a name its number, with a number its name",
            ),
            Param {
                need: Need::Unless("list"),
                ..Param::any(
                    "target",
                    Kind::Process { group: true },
                    "actors by name, processes by pid; behind a signal, -PID is a group",
                )
            },
            Param::option(
                "value",
                Kind::Int(i32::MIN as i64, i32::MAX as i64),
                "an integer that goes with it (sigqueue)",
            ),
            Param::flag("force", "send it to a process that is not of this session"),
        ],
        rules: &[Rule::Apart(&["signal", "named"])],
        refuses: Some(no_signal),
        runs: Runs::Actor,
        asks: Asks::Signal,
        calls: &["pidfd_send_signal(2)", "kill(2)"],
        errnos: &[
            (
                "EAGAIN",
                "as many signals are queued for that user as may be (RLIMIT_SIGPENDING)",
            ),
            ("EINVAL", "a value cannot be sent to a group"),
            ("EPERM", "it is not a process of yours"),
            ("ESRCH", "there is no such process"),
        ],
        notes: "A process is hit through a descriptor of it (pidfd), and without --force after it was \
                seen to be a child of this shell: never a stranger that got its number. A process that \
                is not of this session needs --force, and so do 1, 0 and -1; the prompt asks. A group \
                is hit by kill(2). `kill -0 b` tells whether b is there and may be hit.",
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
            Example {
                script: "spawn b\nkill -0 b\nkill -KILL b\nexpect actor.b.state == dead within 5s\n\
                         kill -0 b => ESRCH",
                shows: "whether somebody is there",
            },
        ],
        ..Signature::NEW
    },
    run: Run::Actor(kill),
};

/// `-l` takes one signal, that there is.
fn no_signal(given: Given) -> Option<Refusal> {
    given.at("list")?;
    let (at, term) = given.term("target")?;
    if let Some((at, _)) = given.all("target").nth(1) {
        let message = "`-l` says what one signal is";
        return Some(Refusal::new(at, message, "leave it out"));
    }
    let Term::Bytes(word) = term else {
        return None;
    };
    let word = String::from_utf8_lossy(word);
    let label = "expected a signal, by its name or its number";
    match signal_named(&word) {
        Some(_) => None,
        None => Some(Refusal::new(at, unknown(&word), label).help(WHICH)),
    }
}

fn kill(_: &mut World, args: &Args) -> StepResult {
    if args.flag("list") {
        return list(args);
    }
    let signo = signal(args)?;
    let value: Option<i32> = args.int("value")?;
    // All are found before any is hit.
    let targets = targets(args)?;
    if let Some(danger) = dangers(args, shell())?.into_iter().next() {
        return Err(Failure::refused(danger).help("Say --force where you mean it"));
    }
    let any = args.flag("force") || signo == 0;
    for Target { pid, actor } in targets {
        let ends = actor && is_fatal(pid, signo);
        let process = ends.then(|| process::pidfd_open(pid).ok()).flatten();
        let sent = match (pid, value) {
            (..=0, Some(_)) => Err(Errno::EINVAL),
            (..=0, None) => process::kill(pid, signo),
            // What was no danger is hit only as that.
            _ if actor || !any => send_to_child_of(shell(), pid, signo, value),
            _ => process::pidfd_open(pid).and_then(|process| send(&process, signo, value)),
        };
        sent.map_err(|errno| {
            let call = match pid {
                ..=0 => "kill",
                _ => "pidfd_send_signal",
            };
            let signal = match signo {
                0 => "0".into(),
                signo => name(signo),
            };
            let mut failure = args.failure(errno, format!("{call}({pid}, {signal})"));
            if pid > 0 && matches!(errno, Errno::EINVAL | Errno::ENOENT) {
                failure.meaning = format!("{pid} is the number of a thread, not of a process");
            }
            failure
        })?;
        if let Some(process) = process {
            await_end(&process, pid, signo);
        }
    }
    Ok(Outcome::ok())
}

/// Whether a process is ended by a signal, as it treats it now.
fn is_fatal(pid: i32, signo: i32) -> bool {
    let ends = |s: &Signal| matches!(s.action, DefaultAction::Term | DefaultAction::Core);
    let by_default = signals().any(|s| s.number == signo && ends(&s));
    // One that is stopped takes nothing else before it goes on.
    let takes = signo == libc::SIGKILL || thread_stat(pid, pid).is_ok_and(|s| s.state != 'T');
    by_default
        && takes
        && signals_of(pid, pid).is_ok_and(|seen| {
            let kept_off = [seen.blocked, seen.ignored, seen.caught];
            kept_off.iter().all(|set| !set.contains(signo))
        })
}

/// How long the end of a process is waited for, and how long before it is asked again whether it ends.
const WAY_OUT: Duration = Duration::from_secs(2);
const SLICE: Duration = Duration::from_millis(1);

/// Waits until a process has ended: whoever is given a step next under its name is a new one, and not
/// one that is about to go. It may not end at all: sigwait(3) takes what ends it otherwise.
fn await_end(process: &OwnedFd, pid: i32, signo: i32) {
    let begun = Instant::now();
    while is_hit(pid, signo) && begun.elapsed() < WAY_OUT {
        let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, Some(SLICE)) != Ok(0) {
            break;
        }
    }
}

/// Whether a signal that ends a process has yet to do so. One that does sends SIGKILL to its threads.
fn is_hit(pid: i32, signo: i32) -> bool {
    let pending = signals_of(pid, pid).is_ok_and(|seen| {
        let pending = seen.pending();
        pending.contains(signo) || pending.contains(libc::SIGKILL)
    });
    pending || thread_stat(pid, pid).is_ok_and(|stat| stat.is_ending())
}

/// The signal that is sent; 0 only asks.
fn signal(args: &Args) -> Result<i32, Failure> {
    match args.word("signal").or(args.word("named")) {
        Some("0") => Ok(0),
        Some(word) => number(word),
        None => Ok(libc::SIGTERM),
    }
}

/// `kill -l`: what they are, or the number of one, or the name of a number.
fn list(args: &Args) -> StepResult {
    let Some(word) = args.text("target")? else {
        let lines: Vec<String> = signals().map(|signal| table::line(&signal)).collect();
        return Ok(Outcome::ok().showing(lines.join("\n")));
    };
    let signo = number(&word)?;
    Ok(match (word.parse::<i32>(), signal_name(signo)) {
        (Ok(_), Some(name)) => Outcome::value(Cell::Data(name.into_owned().into_bytes())),
        _ => Outcome::value(signo),
    })
}

/// Who is to be hit.
struct Target {
    pid: i32,
    /// Whether an actor was named, rather than a number.
    actor: bool,
}

fn targets(args: &Args) -> Result<Vec<Target>, Failure> {
    args.all("target").map(|arg| target(args, arg)).collect()
}

fn target(args: &Args, arg: &Arg) -> Result<Target, Failure> {
    let Arg::Term(term) = arg else {
        return Err(Failure::refused("this is no process"));
    };
    let text = String::from_utf8_lossy(&args.env.bytes(term)?).into_owned();
    let pid = args.env.get(&text).and_then(|actor| actor.get("pid"));
    let actor = pid.is_some();
    let pid = match pid.and_then(Cell::as_int) {
        Some(pid) => i32::try_from(pid).ok(),
        None => text.parse().ok(),
    };
    pid.map(|pid| Target { pid, actor }).ok_or_else(|| {
        let known = args.env.iter().filter(|(_, v)| v.get("pid").is_some());
        let help = match closest(&text, known.map(|(name, _)| name)) {
            Some(name) => format!("Did you mean `{name}`?"),
            None => "`actors` lists the actors".to_string(),
        };
        Failure::refused(format!("`{text}` is neither an actor nor a pid")).help(help)
    })
}

/// Why this should not be sent by a slip of the finger: what it would hit is not of the
/// session of this shell. Nothing where it says `--force`, or hits nobody.
///
/// # Errors
/// A target is none, or no process has its number.
pub fn dangers(args: &Args, shell: i32) -> Result<Vec<String>, Failure> {
    if args.flag("list") || args.flag("force") || signal(args)? == 0 {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for Target { pid, actor } in targets(args)? {
        let parent = match pid {
            ..=0 => None,
            pid => thread_stat(pid, pid).ok().map(|stat| stat.ppid),
        };
        found.push(match (pid, parent) {
            _ if actor => continue,
            (0, _) => "0 is every process of the actor's group".to_string(),
            (-1, _) => "-1 is every process that you may signal".to_string(),
            (..0, _) => format!("{pid} is a whole process group"),
            (1, _) => "pid 1 is the first process: all others hang on it".to_string(),
            (_, Some(parent)) if parent == shell => continue,
            (_, Some(_)) => format!("process {pid} is not of this session"),
            (_, None) => {
                let call = format!("pidfd_open({pid})");
                return Err(args.failure(Errno::ESRCH, call));
            }
        });
    }
    Ok(found)
}

/// Signals a process only if it is a child of `parent` and has not ended. A process that got the pid of
/// one that is gone is never hit: the descriptor is opened first and means one process for ever, and what
/// `/proc` then says of the pid is about that one, or about a later one, when sending fails.
fn send_to_child_of(parent: i32, pid: i32, signo: i32, value: Option<i32>) -> Result<(), Errno> {
    let process = process::pidfd_open(pid)?;
    match thread_stat(pid, pid) {
        Ok(stat) if stat.ppid == parent && !stat.is_dead() => send(&process, signo, value),
        _ => Err(Errno::ESRCH),
    }
}

fn send(process: &OwnedFd, signo: i32, value: Option<i32>) -> Result<(), Errno> {
    match value {
        None => process::pidfd_send_signal(process, signo),
        Some(value) => pidfd_sigqueue(process, signo, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::process::{Ended, kill};
    use crate::kernel::witness::{Second, is_alive, sh, until};

    fn me() -> i32 {
        std::process::id().cast_signed()
    }

    #[test]
    fn only_a_live_child_is_hit() {
        let sleeps = Second::start(sh("exec sleep 1000"));
        let pid = sleeps.child.pid();
        for value in [None, Some(1)] {
            // Of another parent, and the child of a child.
            assert_eq!(
                send_to_child_of(1, pid, libc::SIGKILL, value),
                Err(Errno::ESRCH)
            );
            assert_eq!(
                send_to_child_of(pid, me(), libc::SIGKILL, value),
                Err(Errno::ESRCH)
            );
            assert_eq!(
                send_to_child_of(me(), i32::MAX, libc::SIGKILL, value),
                Err(Errno::ESRCH)
            );
            assert_eq!(
                send_to_child_of(me(), -pid, libc::SIGKILL, value),
                Err(Errno::EINVAL)
            );
        }
        let mut parent = Second::start(sh("sleep 60 & echo :$!; wait"));
        let grandchild: i32 = parent.said().parse().unwrap();
        assert_eq!(
            send_to_child_of(me(), grandchild, libc::SIGKILL, None),
            Err(Errno::ESRCH)
        );
        assert!(is_alive(grandchild));
        assert_eq!(
            send_to_child_of(parent.child.pid(), grandchild, libc::SIGKILL, None),
            Ok(())
        );
        until("ended", || !is_alive(grandchild));

        assert_eq!(send_to_child_of(me(), pid, 0, None), Ok(()));
        assert_eq!(send_to_child_of(me(), pid, libc::SIGTERM, None), Ok(()));
        // A zombie takes a signal of kill(2), and cannot do anything with it.
        until("ended", || !is_alive(pid));
        assert_eq!(kill(pid, libc::SIGTERM), Ok(()));
        assert_eq!(
            send_to_child_of(me(), pid, libc::SIGTERM, None),
            Err(Errno::ESRCH)
        );
        assert_eq!(sleeps.child.wait(), Ok(Ended::Signaled(libc::SIGTERM)));
        assert_eq!(
            send_to_child_of(me(), pid, libc::SIGTERM, None),
            Err(Errno::ESRCH)
        );
    }
}
