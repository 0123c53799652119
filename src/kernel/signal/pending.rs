//! Signals that are held back, and taking them (sigpending(2), sigtimedwait(2)).
//!
//! The kernel's own calls: the C library's hide the two signals it keeps for itself, and turn the code
//! `SI_TKILL` into `SI_USER`.
#![allow(unsafe_code)]

use std::mem::zeroed;
use std::ptr;
use std::time::Duration;

use super::super::{Errno, Result};
use super::{SignalInfo, SignalSet};

/// Bytes of the kernel's set.
const SIZE: usize = size_of::<u64>();

/// rt_sigprocmask(2): what this thread holds back.
pub fn blocked() -> Result<SignalSet> {
    let mut bits = 0u64;
    let no_change = ptr::null::<u64>();
    // SAFETY: changes nothing, and fills `SIZE` bytes of `bits`, which lives through the call.
    Errno::result(unsafe {
        let how = libc::SIG_BLOCK;
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            how,
            no_change,
            &raw mut bits,
            SIZE,
        )
    })?;
    Ok(SignalSet::from_bits(bits))
}

/// rt_sigpending(2): what has come and is held back, for this thread or for the whole process.
pub fn pending() -> Result<SignalSet> {
    let mut bits = 0u64;
    // SAFETY: fills `SIZE` bytes of `bits`, which lives through the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut bits, SIZE) })?;
    Ok(SignalSet::from_bits(bits))
}

/// rt_sigtimedwait(2): takes a pending signal of the set, the lowest first, and waits for one at most
/// `timeout` (`None`: for ever; zero: not at all). Block them first: a signal that is not blocked does
/// what it does as soon as it comes, unless it comes during the wait.
///
/// `EAGAIN` when none came in time; `EINTR` after the handler of another signal, not tried again.
pub fn wait(set: SignalSet, timeout: Option<Duration>) -> Result<SignalInfo> {
    let bits = set.bits();
    let limit = timeout.map(|limit| libc::timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    // SAFETY: reads `bits` and `limit` and fills `info`, which all live through the call.
    Errno::result(unsafe {
        let bits = &raw const bits;
        libc::syscall(libc::SYS_rt_sigtimedwait, bits, &raw mut info, limit, SIZE)
    })?;
    Ok(SignalInfo::from_kernel(&info))
}

/// Takes a signal that this thread has just caused itself. Async-signal-safe.
pub(in crate::kernel) fn discard(signo: i32) {
    let bits = SignalSet::of(&[signo]).unwrap_or_default().bits();
    // SAFETY: all zeroes is a `struct timespec`: not to wait.
    let at_once: libc::timespec = unsafe { zeroed() };
    let no_info = ptr::null_mut::<libc::siginfo_t>();
    // SAFETY: reads `bits` and `at_once`, which live through the call. `EAGAIN` when there is none.
    unsafe {
        let (bits, at_once) = (&raw const bits, &raw const at_once);
        libc::syscall(libc::SYS_rt_sigtimedwait, bits, no_info, at_once, SIZE);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::kernel::signal::{CANCEL_SIGNAL, block, unblock};
    use crate::kernel::witness::{Second, raise, until_in_call};
    use crate::kernel::witness::{getuid, sigqueue, tgkill};

    /// A set of this thread, as `/proc` has it.
    fn of_proc(name: &str) -> SignalSet {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let digits = line.unwrap().trim_start_matches(':').trim();
        SignalSet::from_bits(u64::from_str_radix(digits, 16).unwrap())
    }

    #[test]
    fn what_is_blocked_and_pending_is_what_proc_says() {
        let signals = [libc::SIGRTMIN() + 7, libc::SIGRTMIN() + 8];
        let both = SignalSet::of(&signals).unwrap();
        let before = blocked().unwrap();
        assert_eq!(before, of_proc("SigBlk"));
        block(&signals).unwrap();
        assert_eq!(blocked(), Ok(before.union(both)));
        assert_eq!(blocked(), Ok(of_proc("SigBlk")));
        assert_eq!(pending(), Ok(SignalSet::EMPTY));
        let at_once = Some(Duration::ZERO);
        assert_eq!(wait(both, at_once), Err(Errno::EAGAIN));
        for signo in [signals[1], signals[0], signals[1]] {
            raise(signo);
        }
        assert_eq!(pending(), Ok(both));
        assert_eq!(of_proc("SigPnd"), both);
        // The lowest first, and each as often as it was sent.
        for signo in [signals[0], signals[1], signals[1]] {
            let info = wait(both, at_once).unwrap();
            assert_eq!((info.signo, info.code), (signo, libc::SI_TKILL));
            let me = std::process::id().cast_signed();
            assert_eq!((info.pid, info.uid, info.value), (me, getuid(), 0));
        }
        assert_eq!(pending(), Ok(SignalSet::EMPTY));
        unblock(&signals).unwrap();
        assert_eq!(blocked(), Ok(before));
    }

    #[test]
    fn a_wait_ends_in_time() {
        let set = SignalSet::of(&[libc::SIGRTMIN() + 9]).unwrap();
        let start = Instant::now();
        assert_eq!(
            wait(set, Some(Duration::from_millis(20))),
            Err(Errno::EAGAIN)
        );
        assert!(start.elapsed() >= Duration::from_millis(20));
        let mut waits = Second::role(&["sigwait", "10", "30"]);
        assert_eq!(waits.said(), "ready");
        assert_eq!(waits.said(), "Err(EAGAIN)");
    }

    #[test]
    fn a_wait_gives_the_signal_or_is_interrupted() {
        let signo = libc::SIGRTMIN() + 5;
        let word = signo.to_string();
        let part = ["blocking", &word, "sigwait", &word, "ever"];
        let mut waits = Second::role(&part);
        assert_eq!(waits.said(), "ready");
        until_in_call(waits.child.pid(), libc::SYS_rt_sigtimedwait);
        sigqueue(waits.child.pid(), signo, -7).unwrap();
        let info = SignalInfo {
            signo,
            code: libc::SI_QUEUE,
            pid: std::process::id().cast_signed(),
            uid: getuid(),
            value: -7,
        };
        assert_eq!(waits.said(), format!("Ok({info:?})"));

        let mut waits = Second::role(&part);
        assert_eq!(waits.said(), "ready");
        let pid = waits.child.pid();
        let tid = until_in_call(pid, libc::SYS_rt_sigtimedwait);
        tgkill(pid, tid, CANCEL_SIGNAL).unwrap();
        assert_eq!(waits.said(), "Err(EINTR)");
    }
}
