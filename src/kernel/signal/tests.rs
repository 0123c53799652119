//! The witnesses: a second process that is signalled, `/proc/PID/status`, and `kill -l`.

use super::*;
use crate::kernel::process::{Ended, SpawnSpec};
use crate::kernel::sem;
use crate::kernel::sysv::IPC_PRIVATE;
use crate::kernel::witness::{Guard, Second, raise, sh, until, until_in_call};
use crate::kernel::witness::{getuid, is_alive, sigqueue, tgkill};

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
    let mut reader = Second::role(&[
        "blocking",
        &signo.to_string(),
        "signalfd",
        &signo.to_string(),
    ]);
    assert_eq!(reader.said(), "ready");
    sigqueue(reader.child.pid(), signo, -42).unwrap();
    assert_eq!(
        reader.said(),
        format!("{signo} {} {} -42", std::process::id(), getuid())
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
        (signo, std::process::id() as i32, getuid())
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
        "RTMIN++1",
    ] {
        assert_eq!(signal_number(wrong), None, "{wrong}");
    }
}

#[test]
fn a_person_writes_names_and_numbers() {
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    for (word, signo) in [
        ("USR1", libc::SIGUSR1),
        ("SIGUSR1", libc::SIGUSR1),
        ("10", 10),
        ("64", 64),
        ("RTMIN+1", first + 1),
        ("SIGRTMIN+1", first + 1),
        ("RTMAX-2", last - 2),
        ("CLD", libc::SIGCHLD),
    ] {
        assert_eq!(signal_named(word), Some(signo), "{word}");
    }
    for word in [
        "0", "32", "33", "65", "300", "-1", "+1", "", "1x", "usr1", "RTMIN-1",
    ] {
        assert_eq!(signal_named(word), None, "{word}");
    }
}

#[test]
fn the_table_has_every_signal_once() {
    let numbers: Vec<i32> = signals().map(|signal| signal.number).collect();
    let expected: Vec<i32> = (1..=31)
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
        .collect();
    assert_eq!(numbers, expected);
    for signal in signals() {
        assert_eq!(signal_named(&signal.name), Some(signal.number));
        assert!(!signal.meaning.is_empty() && !signal.meaning.ends_with('.'));
    }
}

#[test]
fn every_signal_does_by_itself_what_the_table_says() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().display();
    // Cores can be told only where they are files in the working directory.
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let allowed = Second::start(sh("ulimit -c unlimited")).child.wait();
    let cores = !pattern.starts_with(['/', '|']) && allowed == Ok(Ended::Exited(0));
    for signal in signals() {
        let sleeps = Second::start(SpawnSpec {
            // In an orphaned group the keyboard's signals would not stop it.
            process_group: true,
            ..sh(&format!("cd {here}; ulimit -c unlimited; exec sleep 1000"))
        });
        let pid = sleeps.child.pid();
        let until_state = |state: &str| {
            until(state, || {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
                stat.contains(&format!(") {state} "))
            });
        };
        until_in_call(pid, libc::SYS_clock_nanosleep);
        sleeps.child.kill(signal.number).unwrap();
        match signal.action {
            DefaultAction::Term | DefaultAction::Core => {
                until("ended", || !is_alive(pid));
                assert_eq!(sleeps.child.wait(), Ok(Ended::Signaled(signal.number)));
                let files = std::fs::read_dir(dir.path()).unwrap().flatten();
                let dumped = files.map(|core| std::fs::remove_file(core.path()).unwrap());
                let dumps = signal.action == DefaultAction::Core;
                assert!(dumped.count() == usize::from(dumps) || !cores, "{signal:?}");
            }
            DefaultAction::Stop => until_state("T"),
            DefaultAction::Ign => until_state("S"),
            DefaultAction::Cont => {
                sleeps.child.kill(libc::SIGSTOP).unwrap();
                until_state("T");
                sleeps.child.kill(signal.number).unwrap();
                until_state("S");
            }
        }
    }
}
