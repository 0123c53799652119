use std::io::{Read, Write};

use nix::unistd::{Pid, gettid};

use super::*;
use crate::inspect::witness::{Witness, ordinary_user, skip, until};

fn found(waiters: &Waiters, pid: i32) -> Option<&Waiter> {
    waiters.found.iter().find(|waiter| waiter.pid == pid)
}

#[test]
fn a_sleeper_is_the_same_twice() {
    let Some(child) = Witness::start("sleep", &["100"]) else {
        return skip("no sleep");
    };
    let first = child.blocked();
    assert!(first.is_stalled());
    assert_eq!(observe(child.pid(), child.pid()).ok(), Some(first.clone()));
    assert_eq!(
        first.call().map(|call| decode(child.pid(), call)),
        Some(Wait::Sleep)
    );
}

#[test]
fn a_busy_process_is_never_blocked() {
    let Some(child) = Witness::start("sh", &["-c", "while :; do :; done"]) else {
        return skip("no sh");
    };
    let pid = child.pid();
    until("it runs", || {
        (thread_stat(pid, pid).ok()?.utime > 1).then_some(())
    });
    for _ in 0..500 {
        let (Ok(first), Ok(second)) = (observe(pid, pid), observe(pid, pid)) else {
            panic!("it is gone");
        };
        assert_eq!(first.blocked(&second), None);
    }
}

#[test]
fn a_stopped_process_is_not_blocked() {
    let Some(child) = Witness::start("sleep", &["100"]) else {
        return skip("no sleep");
    };
    let pid = child.pid();
    child.blocked();
    let signal = |signal| nix::sys::signal::kill(Pid::from_raw(pid), signal);
    assert_eq!(signal(nix::sys::signal::SIGSTOP), Ok(()));
    let stopped = until("stopped", || {
        observe(pid, pid).ok().filter(|seen| seen.state == 'T')
    });
    assert!(!stopped.is_stalled());
    assert_eq!(signal(nix::sys::signal::SIGCONT), Ok(()));
    let call = child.blocked();
    // It goes on with what is left of its sleep.
    assert_eq!(
        call.call().map(|call| decode(pid, call)),
        Some(Wait::Restart)
    );
}

#[test]
fn what_has_run_in_between_is_another_observation() {
    let Some(mut child) = Witness::start("cat", &[]) else {
        return skip("no cat");
    };
    let first = child.blocked();
    child.say(b"hi\n");
    assert_eq!(child.line().as_deref(), Some("hi"));
    let second = child.blocked();
    let wait = |seen: &Observation| seen.call().map(|call| decode(child.pid(), call));
    assert_eq!(wait(&first), Some(Wait::Read { fd: 0 }));
    assert_eq!(wait(&first), wait(&second));
    assert!(first.switches < second.switches);
    assert_eq!(first.blocked(&second), None);
}

#[test]
fn a_thread_of_ours_is_seen_blocked() {
    let Ok((mut reader, mut writer)) = std::io::pipe() else {
        panic!("no pipe");
    };
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = send.send(gettid().as_raw());
        let _ = reader.read(&mut [0]);
    });
    let (pid, tid) = (Pid::this().as_raw(), receive.recv().unwrap_or(0));
    let waiter = until("the thread reads", || {
        let of_ours = waiters([pid]).found.into_iter();
        of_ours
            .filter(|waiter| waiter.tid == tid)
            .find(|waiter| matches!(waiter.wait, Wait::Read { .. }))
    });
    assert_eq!(waiter.pid, pid);
    assert!(writer.write_all(b"x").is_ok());
    assert!(thread.join().is_ok());
    assert!(observe(pid, tid).is_err() || waiters([pid]).found.iter().all(|w| w.tid != tid));
}

#[test]
fn one_pass_finds_who_waits_in_ipc() {
    let (Some(reader), Some(sleeper)) = (
        Witness::start("cat", &[]),
        Witness::start("sleep", &["100"]),
    ) else {
        return skip("no cat or sleep");
    };
    reader.blocked();
    sleeper.blocked();
    let seen = waiters(process::pids());
    let waiter = found(&seen, reader.pid());
    assert_eq!(waiter.map(|w| w.comm.as_str()), Some("cat"));
    assert!(waiter.is_some_and(|w| w.wait.is_ipc() && matches!(w.thing, Some(Thing::Pipe(_)))));
    assert_eq!(found(&seen, sleeper.pid()), None);
    drop(reader);
    // Whatever vanishes is left out.
    assert!(waiters([i32::MAX]).found.is_empty());
}

#[test]
fn what_cannot_be_read_is_counted() {
    if !ordinary_user() {
        return skip("root may see all");
    }
    assert!(waiters(process::pids()).unreadable > 0);
    assert_eq!(waiters([1]).unreadable, 1);
    // A thread of the kernel's own makes no calls, so there is nothing to miss.
    if process::command(2).as_deref() == Some("kthreadd") {
        assert_eq!(waiters([2]).unreadable, 0);
    }
}
