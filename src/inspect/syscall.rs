//! The system call a thread is in: proc_pid_syscall(5).

use std::io;

use super::process::read_record;

/// What the kernel tells of a thread's system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyscallState {
    /// It runs or is ready to run: the kernel does not say what. (A thread that asks about
    /// itself finds itself in `read`, in state `R`.)
    Running,
    /// It is blocked in this call.
    Blocked(Syscall),
    /// It is blocked outside any call: in a page fault, or it is a thread of the kernel's
    /// own, or dying.
    None,
    /// We may not know: another user's process, or one that ptrace(2) may not access.
    Unreadable(io::ErrorKind),
}

/// A system call with its arguments, as the registers had them on entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// Its number, in the architecture of the *calling* process.
    pub nr: i64,
    /// The six argument registers, also those that the call does not use.
    pub args: [u64; 6],
    /// The stack pointer.
    pub sp: u64,
    /// The instruction pointer.
    pub pc: u64,
}

/// The call that a thread is in. An error means that the thread is gone or /proc cannot
/// be read at all; what may not be known is [`SyscallState::Unreadable`].
pub fn syscall(pid: i32, tid: i32) -> io::Result<SyscallState> {
    match read_record(format!("/proc/{pid}/task/{tid}/syscall")) {
        Ok(bytes) => parse(&bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "malformed syscall")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Ok(SyscallState::Unreadable(error.kind()))
        }
        // A kernel without CONFIG_HAVE_ARCH_TRACEHOOK has no such file.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                && std::fs::exists(format!("/proc/{pid}/task/{tid}"))? =>
        {
            Ok(SyscallState::Unreadable(io::ErrorKind::Unsupported))
        }
        Err(error) => Err(error),
    }
}

/// `running`, `-1 SP PC`, or `NR ARG×6 SP PC`.
fn parse(bytes: &[u8]) -> Option<SyscallState> {
    let text = std::str::from_utf8(bytes).ok()?.trim_ascii();
    if text == "running" {
        return Some(SyscallState::Running);
    }
    let mut words = text.split_ascii_whitespace();
    let nr: i64 = words.next()?.parse().ok()?;
    let mut numbers = [0; 8];
    let mut count = 0;
    for word in words {
        *numbers.get_mut(count)? = u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?;
        count += 1;
    }
    match (nr, count) {
        (..0, 2) => Some(SyscallState::None),
        (0.., 8) => {
            let [a, b, c, d, e, f, sp, pc] = numbers;
            // Kernel threads show call 0, which is `read`, with nothing but zeros.
            if pc == 0 {
                return Some(SyscallState::None);
            }
            let args = [a, b, c, d, e, f];
            Some(SyscallState::Blocked(Syscall { nr, args, sp, pc }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::witness::{ordinary_user, skip};

    const BLOCKED: &str = "220 0x0 0x561472a23f20 0x1 0x0 0x1 0x0 0x7fff08a7b648 0x7fcd0fb875da\n";

    #[test]
    fn the_three_forms() {
        assert_eq!(parse(b"running\n"), Some(SyscallState::Running));
        assert_eq!(
            parse(b"-1 0x7fff08a7b648 0x7fcd0fb875da\n"),
            Some(SyscallState::None)
        );
        assert_eq!(
            parse(BLOCKED.as_bytes()),
            Some(SyscallState::Blocked(Syscall {
                nr: 220,
                args: [0, 0x5614_72a2_3f20, 1, 0, 1, 0],
                sp: 0x7fff_08a7_b648,
                pc: 0x7fcd_0fb8_75da,
            }))
        );
        // As a kernel thread shows itself.
        assert_eq!(
            parse(b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"),
            Some(SyscallState::None)
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "\n",
            "walking",
            "-1",
            "7",
            "0x7 0x0 0x0",
            "7 0x0 0x0",
            "7 0 0 0 0 0 0 0 0",
            "1 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x1 0x2",
            "-1 0x0 0x0 0x0",
            "1 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x11112222333344445",
            "99999999999999999999 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x1",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"\xff\xfe"), None);
    }

    #[test]
    fn no_input_makes_it_panic() {
        for template in [BLOCKED, "running", "-1 0x7fff08a7b648 0x7fcd0fb875da"] {
            for at in 0..template.len() {
                parse(&template.as_bytes()[..at]);
                for byte in [0, b' ', b'-', b'x', b'9', b'f', 0xff] {
                    let mut bytes = template.as_bytes().to_vec();
                    bytes[at] = byte;
                    parse(&bytes);
                    bytes.insert(at, byte);
                    parse(&bytes);
                }
            }
        }
    }

    /// Who asks about itself finds itself in the `read` that asks.
    #[test]
    fn who_asks_is_in_read() {
        let me = nix::unistd::Pid::this().as_raw();
        let tid = nix::unistd::gettid().as_raw();
        match syscall(me, tid) {
            Ok(SyscallState::Blocked(call)) => assert_eq!(call.nr, libc::SYS_read),
            other => panic!("{other:?}"),
        }
        let seen = crate::inspect::wait::observe(me, tid);
        assert!(seen.is_ok_and(|seen| seen.state == 'R' && !seen.is_stalled()));
    }

    /// Threads of the kernel's own, which root may look at.
    #[test]
    fn kernel_threads_are_in_no_call() {
        match (syscall(2, 2), crate::inspect::process::command(2)) {
            (Ok(state), Some(comm)) if comm == "kthreadd" => assert!(matches!(
                state,
                SyscallState::None | SyscallState::Unreadable(_)
            )),
            _ => skip("kthreadd is not in this pid namespace"),
        }
    }

    #[test]
    fn what_is_gone_is_an_error() {
        assert!(syscall(i32::MAX, i32::MAX).is_err());
    }

    #[test]
    fn what_may_not_be_seen_is_said() {
        if !ordinary_user() {
            return skip("root may see init");
        }
        assert_eq!(
            syscall(1, 1).ok(),
            Some(SyscallState::Unreadable(io::ErrorKind::PermissionDenied))
        );
    }
}
