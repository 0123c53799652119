//! What a signal carries: `siginfo_t` (sigaction(2)).
#![allow(unsafe_code)]

use std::ptr;

/// A signal that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalInfo {
    /// Which.
    pub signo: i32,
    /// How it was sent: `SI_USER`, `SI_QUEUE`, `SI_TKILL`, `CLD_EXITED`, ….
    pub code: i32,
    /// The sender, or for SIGCHLD the child; 0 if it is outside this pid namespace, or the kernel.
    pub pid: i32,
    /// The sender's real user.
    pub uid: u32,
    /// The integer that sigqueue(3) sent along.
    pub value: i32,
}

impl SignalInfo {
    /// What the kernel has filled in. Async-signal-safe.
    pub(super) fn from_kernel(info: &libc::siginfo_t) -> SignalInfo {
        let (signo, code) = (info.si_signo, info.si_code);
        // Which members of the union there are, as `siginfo_layout` in the kernel's signal.c has it.
        let (sender, value) = match code {
            libc::SI_TIMER => (false, true),
            libc::SI_SIGIO => (false, false),
            _ if code < 0 => (true, true),
            libc::SI_USER | libc::SI_KERNEL => (true, false),
            _ => (signo == libc::SIGCHLD, false),
        };
        let (mut pid, mut uid, mut number) = (0, 0, 0);
        if sender {
            // SAFETY: plain integers in memory of ours, and for this code the kernel has filled them.
            (pid, uid) = unsafe { (info.si_pid(), info.si_uid()) };
        }
        if value {
            // SAFETY: as above.
            number = integer_of(unsafe { info.si_value() });
        }
        SignalInfo {
            signo,
            code,
            pid,
            uid,
            value: number,
        }
    }
}

/// The union sigval(3type) with this integer; what else is in it is 0.
pub(crate) fn sigval(value: i32) -> libc::sigval {
    let mut bytes = [0; size_of::<usize>()];
    bytes[..4].copy_from_slice(&value.to_ne_bytes());
    libc::sigval {
        sival_ptr: ptr::without_provenance_mut(usize::from_ne_bytes(bytes)),
    }
}

/// `sival_int`: the first bytes of the union.
fn integer_of(value: libc::sigval) -> i32 {
    let bytes = value.sival_ptr.addr().to_ne_bytes();
    i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The `siginfo_t` that sigqueue(3) would send from this process.
pub(super) fn queued(signo: i32, value: i32) -> libc::siginfo_t {
    /// Where the union begins: behind three integers, 8-aligned.
    const UNION: usize = 16;
    #[repr(C)]
    struct Queued {
        pid: libc::pid_t,
        uid: libc::uid_t,
        value: libc::sigval,
    }
    const { assert!(UNION + size_of::<Queued>() <= size_of::<libc::siginfo_t>()) };
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    info.si_signo = signo;
    info.si_code = libc::SI_QUEUE;
    let sent = Queued {
        pid: std::process::id().cast_signed(),
        uid: nix::unistd::getuid().as_raw(),
        value: sigval(value),
    };
    // SAFETY: inside `info`, as asserted, and 8-aligned as `info` is.
    unsafe {
        ptr::from_mut(&mut info)
            .byte_add(UNION)
            .cast::<Queued>()
            .write(sent)
    };
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_queued_is_what_the_c_library_reads() {
        for value in [0, 1, -1, i32::MIN, i32::MAX] {
            let info = queued(34, value);
            // SAFETY: filled in by `queued`.
            let (pid, uid) = unsafe { (info.si_pid(), info.si_uid()) };
            assert_eq!(pid, std::process::id().cast_signed());
            assert_eq!(uid, nix::unistd::getuid().as_raw());
            let seen = SignalInfo::from_kernel(&info);
            assert_eq!((seen.signo, seen.code), (34, libc::SI_QUEUE));
            assert_eq!((seen.pid, seen.uid, seen.value), (pid, uid, value));
        }
    }

    #[test]
    fn a_fault_has_no_sender() {
        let mut info = queued(libc::SIGSEGV, 7);
        info.si_code = 1;
        let seen = SignalInfo::from_kernel(&info);
        assert_eq!((seen.pid, seen.uid, seen.value), (0, 0, 0));
    }
}
