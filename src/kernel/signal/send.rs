//! Sending to a process that is surely the one that is meant (pidfd_send_signal(2)).
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::process::pidfd_send_signal;
    use crate::kernel::signal::roles::taker;
    use crate::kernel::witness::getuid;

    fn me() -> i32 {
        std::process::id().cast_signed()
    }

    #[test]
    fn a_value_arrives_with_its_sender() {
        let signo = libc::SIGRTMIN() + 4;
        let Some(mut taker) = taker(signo) else {
            return;
        };
        for value in [-42, i32::MAX] {
            let code = libc::SI_QUEUE;
            let seen = format!("{signo} {code} {} {} {value}", me(), getuid());
            pidfd_sigqueue(&taker.child, signo, value).unwrap();
            assert_eq!(taker.said(), seen);
        }
        pidfd_send_signal(&taker.child, signo).unwrap();
        let seen = format!("{signo} {} {} {} 0", libc::SI_USER, me(), getuid());
        assert_eq!(taker.said(), seen);
        assert_eq!(pidfd_sigqueue(&taker.child, 65, 0), Err(Errno::EINVAL));
    }
}
