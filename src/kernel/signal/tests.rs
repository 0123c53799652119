//! The witnesses: a second process that is signalled, `/proc/PID/status`, and `kill -l`.

use super::*;
use crate::kernel::process::{Ended, geteuid, sigqueue, tgkill};
use crate::kernel::sem;
use crate::kernel::sysv::IPC_PRIVATE;
use crate::kernel::witness::{Guard, Second, raise, sh, until_in_call};

#[test]
fn the_cancel_signal_is_the_last_one() {
    assert_eq!(CANCEL_SIGNAL, libc::SIGRTMAX());
}

#[test]
fn a_cancel_interrupts_the_blocked_call_and_is_remembered() {
    let set = Guard::new(sem::get(IPC_PRIVATE, 1, 0o600, true, true), sem::remove);
    let mut blocked = Second::role(&["cancel", &set.id.to_string()]);
    assert_eq!(blocked.said(), "false");
    let pid = blocked.child.pid();
    let tid = until_in_call(pid, libc::SYS_semtimedop);
    tgkill(pid, tid, CANCEL_SIGNAL).unwrap();
    assert_eq!(blocked.said(), "true");
    assert_eq!(blocked.child.wait(), Ok(Ended::Exited(0)));
}

#[test]
fn raise_default_ends_a_process_by_that_signal() {
    for signo in [libc::SIGTERM, libc::SIGINT, libc::SIGRTMIN()] {
        let raises = Second::role(&["raise", &signo.to_string()]);
        assert_eq!(raises.child.wait(), Ok(Ended::Signaled(signo)));
    }
}

#[test]
fn a_queued_signal_is_read_with_its_sender_and_value() {
    let signo = libc::SIGRTMIN() + 3;
    let mut reader = Second::role(&["signalfd", &signo.to_string()]);
    assert_eq!(reader.said(), "ready");
    sigqueue(reader.child.pid(), signo, -42).unwrap();
    assert_eq!(
        reader.said(),
        format!("{signo} {} {} -42", std::process::id(), geteuid())
    );
}

#[test]
fn a_blocked_signal_of_this_thread_is_read_and_gone() {
    let signo = libc::SIGRTMIN() + 6;
    let fd = SignalFd::new(&[signo]).unwrap();
    assert_eq!(fd.read(), Ok(None));
    raise(signo);
    let info = fd.read().unwrap().unwrap();
    assert_eq!(
        (info.signo, info.pid, info.uid),
        (signo, std::process::id() as i32, geteuid())
    );
    assert_eq!(fd.read(), Ok(None));
    unblock(&[signo]).unwrap();
    assert_eq!(SignalFd::new(&[0]).map(drop), Err(Errno::EINVAL));
    assert_eq!(ignore(libc::SIGKILL), Err(Errno::EINVAL));
}

#[test]
fn names_are_those_of_the_shell_s_kill() {
    let listed = Second::start(sh("for n in $(seq 1 31); do kill -l $n; done")).all();
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(listed.len(), 31);
    for (signo, listed) in (1..).zip(listed) {
        let name = signal_name(signo).unwrap();
        // Shells differ in POLL and IO, and some have no name for one.
        let number = listed.parse().ok().or(signal_number(listed));
        assert_eq!(number, Some(signo), "{listed}");
        assert_eq!(signal_number(&format!("SIG{name}")), Some(signo));
    }
}

#[test]
fn every_signal_has_a_name_that_finds_it() {
    let named: Vec<i32> = (-1..=70)
        .filter(|signo| signal_name(*signo).is_some())
        .collect();
    let expected: Vec<i32> = (1..=31)
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
        .collect();
    assert_eq!(named, expected);
    for signo in named {
        assert_eq!(signal_number(&signal_name(signo).unwrap()), Some(signo));
    }
    assert_eq!(signal_name(libc::SIGRTMIN() + 1).unwrap(), "RTMIN+1");
    for wrong in [
        "", "SIG", "kill", "RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMINX",
    ] {
        assert_eq!(signal_number(wrong), None, "{wrong}");
    }
}
