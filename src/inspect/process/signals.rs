//! What a process does with signals, and which have come: proc_pid_status(5). Readable by all.

use std::io;

use super::{malformed, read_file};
use crate::kernel::signal::SignalSet;

/// The signals of one thread and of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// How many signals are queued for the real user of the process, in all his processes.
    pub queued: u64,
    /// The most there may be (`RLIMIT_SIGPENDING`).
    pub queue_limit: u64,
    /// Pending for the thread (`SigPnd`).
    pub thread_pending: SignalSet,
    /// Pending for the process as a whole (`ShdPnd`).
    pub shared_pending: SignalSet,
    /// Held back by the thread (`SigBlk`).
    pub blocked: SignalSet,
    /// Ignored by the process (`SigIgn`).
    pub ignored: SignalSet,
    /// Caught by a handler of the process (`SigCgt`).
    pub caught: SignalSet,
}

impl Signals {
    /// Pending for the thread or for the process.
    pub fn pending(&self) -> SignalSet {
        self.thread_pending.union(self.shared_pending)
    }
}

/// The signals of one thread; for a process, of its main thread (`tid` is `pid`).
pub fn signals(pid: i32, tid: i32) -> io::Result<Signals> {
    let status = read_file(format!("/proc/{pid}/task/{tid}/status"))?;
    parse(&status).ok_or_else(|| malformed("status"))
}

fn parse(status: &[u8]) -> Option<Signals> {
    let (queued, limit) = line(status, b"SigQ:")?.split_once('/')?;
    let set = |key| {
        let bits = u64::from_str_radix(line(status, key)?, 16).ok()?;
        Some(SignalSet::from_bits(bits))
    };
    Some(Signals {
        queued: queued.parse().ok()?,
        queue_limit: limit.parse().ok()?,
        thread_pending: set(b"SigPnd:")?,
        shared_pending: set(b"ShdPnd:")?,
        blocked: set(b"SigBlk:")?,
        ignored: set(b"SigIgn:")?,
        caught: set(b"SigCgt:")?,
    })
}

/// What stands behind a key at the start of a line, without blanks around it.
fn line<'a>(status: &'a [u8], key: &[u8]) -> Option<&'a str> {
    let mut lines = status.split(|&b| b == b'\n');
    let found = lines.find_map(|line| line.strip_prefix(key))?;
    Some(str::from_utf8(found).ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::witness::{Witness, skip, until};
    use crate::kernel::process::kill;
    use crate::kernel::witness::{sigqueue, tgkill};

    const STATUS: &str = "Name:\tSigQ:\\n\nSigQ:\t3/7682\nSigPnd:\t0000000000000001\n\
                          ShdPnd:\t8000000000000000\nSigBlk:\t0000000000000200\n\
                          SigIgn:\t0000000000001000\nSigCgt:\t0000000180000000\n";

    fn set(signals: &[i32]) -> SignalSet {
        SignalSet::of(signals).unwrap_or_default()
    }

    #[test]
    fn each_line_is_read() {
        let signals = parse(STATUS.as_bytes());
        let expected = Signals {
            queued: 3,
            queue_limit: 7682,
            thread_pending: set(&[1]),
            shared_pending: set(&[64]),
            blocked: set(&[10]),
            ignored: set(&[13]),
            caught: set(&[32, 33]),
        };
        assert_eq!(signals, Some(expected));
        assert_eq!(expected.pending(), set(&[1, 64]));
    }

    #[test]
    fn no_status_makes_it_panic() {
        for at in 0..STATUS.len() {
            parse(&STATUS.as_bytes()[..at]);
            for byte in [0, b'\n', b'/', b'-', b'g', 0xff] {
                let mut bytes = STATUS.as_bytes().to_vec();
                bytes[at] = byte;
                parse(&bytes);
            }
        }
        for key in ["SigQ", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"] {
            let without = STATUS.replace(&format!("\n{key}:"), "\nX:");
            assert_eq!(parse(without.as_bytes()), None);
        }
    }

    #[test]
    fn python_s_signals_are_seen() {
        let script = "import signal, sys\n\
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1, signal.SIGRTMIN + 2])\n\
            for s in (signal.SIGTERM, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)\n\
            for s in (signal.SIGUSR2, signal.SIGRTMAX): signal.signal(s, print)\n\
            signal.signal(signal.SIGINT, signal.SIG_DFL)\n\
            print('ready', flush=True)\n\
            sys.stdin.read()";
        let Some(mut child) = Witness::start("python3", &["-c", script]) else {
            return skip("no python3");
        };
        assert_eq!(child.line().as_deref(), Some("ready"));
        let pid = child.pid();
        let (usr1, queued) = (libc::SIGUSR1, libc::SIGRTMIN() + 2);
        let before = signals(pid, pid).ok();
        let Some(before) = before else {
            panic!("gone");
        };
        assert_eq!(before.blocked, set(&[usr1, queued]));
        assert_eq!(before.pending(), SignalSet::EMPTY);
        // More may have been inherited.
        for signo in 1..=64 {
            // Python itself ignores PIPE and XFSZ.
            let python = [libc::SIGPIPE, libc::SIGXFSZ].contains(&signo);
            let chosen = [libc::SIGTERM, libc::SIGHUP].contains(&signo);
            let other = [usr1, libc::SIGUSR2, libc::SIGINT, libc::SIGCHLD].contains(&signo);
            assert!(
                before.ignored.contains(signo) || !(python || chosen),
                "{signo}"
            );
            assert!(!(before.ignored.contains(signo) && other), "{signo}");
        }
        assert_eq!(before.caught, set(&[libc::SIGUSR2, libc::SIGRTMAX()]));
        assert!(before.queue_limit > 0);

        // To the process, to its thread, and ignored.
        assert_eq!(kill(pid, usr1), Ok(()));
        assert_eq!(kill(pid, libc::SIGTERM), Ok(()));
        assert_eq!(sigqueue(pid, queued, 1), Ok(()));
        assert_eq!(sigqueue(pid, queued, 2), Ok(()));
        assert_eq!(tgkill(pid, pid, queued), Ok(()));
        let after = signals(pid, pid).ok();
        let Some(after) = after else {
            panic!("gone");
        };
        assert_eq!(after.shared_pending, set(&[usr1, queued]));
        assert_eq!(after.thread_pending, set(&[queued]));
        assert_eq!(after.pending(), set(&[usr1, queued]));
        // Of this user, so others' come and go.
        let mine = until("queued", || {
            signals(pid, pid).ok().filter(|s| s.queued >= 4)
        });
        assert_eq!(mine.blocked, before.blocked);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(signals(i32::MAX, i32::MAX).is_err());
        let me = nix::unistd::Pid::this().as_raw();
        assert!(signals(me, me).is_ok());
    }
}
