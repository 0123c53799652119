//! Sending to a process that is surely the one that is meant (pidfd_send_signal(2)).
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd};

use super::super::process::{pidfd_open, pidfd_send_signal};
use super::super::sysv::errno_of;
use super::super::{Errno, Result};
use super::info;

/// pidfd_send_signal(2) with what sigqueue(3) sends: an integer, seen with the code `SI_QUEUE`.
/// `ESRCH`, `EPERM`, `EINVAL`, and `EAGAIN` when too many signals are queued for its user.
pub fn pidfd_sigqueue(pidfd: &impl AsFd, signo: i32, value: i32) -> Result<()> {
    let fd = pidfd.as_fd().as_raw_fd();
    let info = info::queued(signo, value);
    // SAFETY: reads `info`, which lives through the call.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, fd, signo, &raw const info, 0)
    })
    .map(drop)
}

/// Signals a process only if it is a child of `parent` and has not ended; with a `value` as
/// sigqueue(3), without as kill(2), and 0 only asks. A process that got the pid of one that is gone is
/// never hit: the descriptor is opened first and means one process for ever, and what `/proc` then says
/// of the pid is about that one, or about a later one, when sending fails.
///
/// `ESRCH` when there is no such child; `EPERM`, `EINVAL`, `EAGAIN` as [`pidfd_sigqueue`].
pub fn send_to_child_of(parent: i32, pid: i32, signo: i32, value: Option<i32>) -> Result<()> {
    let pidfd = pidfd_open(pid)?;
    // ENOENT when it is gone, ESRCH when it goes while it is read.
    let stat = std::fs::read(format!("/proc/{pid}/stat"))
        .map_err(errno_of)
        .map_err(|errno| {
            if errno == Errno::ENOENT {
                Errno::ESRCH
            } else {
                errno
            }
        })?;
    if !is_live_child(&stat, parent) {
        return Err(Errno::ESRCH);
    }
    match value {
        Some(value) => pidfd_sigqueue(&pidfd, signo, value),
        None => pidfd_send_signal(&pidfd, signo),
    }
}

/// Whether a line of proc_pid_stat(5) is that of a child of `parent` that has not ended. Its state and
/// its parent stand behind the last parenthesis, since the name before may hold any bytes.
fn is_live_child(stat: &[u8], parent: i32) -> bool {
    let Some(close) = stat.iter().rposition(|&b| b == b')') else {
        return false;
    };
    let mut fields = stat[close + 1..]
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty());
    let state = fields.next();
    let ppid = fields
        .next()
        .and_then(|ppid| str::from_utf8(ppid).ok()?.parse().ok());
    ppid == Some(parent) && !matches!(state, None | Some(b"Z" | b"X" | b"x"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::process::{Ended, kill};
    use crate::kernel::signal::roles::taker;
    use crate::kernel::witness::{Second, sh, until};
    use crate::kernel::witness::{getuid, is_alive};

    fn me() -> i32 {
        std::process::id().cast_signed()
    }

    #[test]
    fn a_value_arrives_with_its_sender() {
        let signo = libc::SIGRTMIN() + 4;
        let Some(mut taker) = taker(signo) else {
            return;
        };
        let pid = taker.child.pid();
        for value in [-42, i32::MAX] {
            let code = libc::SI_QUEUE;
            let seen = format!("{signo} {code} {} {} {value}", me(), getuid());
            pidfd_sigqueue(&taker.child, signo, value).unwrap();
            assert_eq!(taker.said(), seen);
            send_to_child_of(me(), pid, signo, Some(value)).unwrap();
            assert_eq!(taker.said(), seen);
        }
        send_to_child_of(me(), pid, signo, None).unwrap();
        let seen = format!("{signo} {} {} {} 0", libc::SI_USER, me(), getuid());
        assert_eq!(taker.said(), seen);
        assert_eq!(pidfd_sigqueue(&taker.child, 65, 0), Err(Errno::EINVAL));
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

    #[test]
    fn state_and_parent_stand_behind_the_last_parenthesis() {
        for (stat, is) in [
            (&b"7 (sleep) S 42 7"[..], true),
            (b"7 (sleep) T 42 7", true),
            (b"7 (a) S 42 (b) S 1 7", false),
            (b"7 (a\n) S 1 7) S 42 7", true),
            (b"7 (sleep) Z 42 7", false),
            (b"7 (sleep) X 42 7", false),
            (b"7 (sleep) S 421 7", false),
            (b"7 (sleep) S -42 7", false),
            (b"7 (sleep) S", false),
            (b"7 (sleep)", false),
            (b"7", false),
            (b"", false),
        ] {
            assert_eq!(is_live_child(stat, 42), is, "{}", stat.escape_ascii());
        }
    }
}
