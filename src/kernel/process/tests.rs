//! The witnesses: `/proc/PID/status` and `/proc/PID/fd` as a child sees its own, and how it ends.
#![allow(unsafe_code)]

use std::os::fd::RawFd;

use super::*;
use crate::kernel::memory::read_process;
use crate::kernel::witness::{DEADLINE, Second, pipe, role_spec, sh, until};
use crate::kernel::{poll, signal};

/// A child's field in `/proc/PID/status`.
fn status_field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect("no such field").trim()
}

/// Waits until the process behind a descriptor has ended.
fn until_ended(pidfd: BorrowedFd) {
    let mut fds = [poll::PollFd::new(pidfd, poll::PollFlags::POLLIN)];
    assert_eq!(poll::poll(&mut fds, Some(DEADLINE)), Ok(1));
}

#[test]
fn a_child_begins_with_clean_signals() {
    signal::block(&[libc::SIGUSR1, libc::SIGRTMIN() + 4]).unwrap();
    signal::ignore(libc::SIGRTMIN() + 5).unwrap();
    let cat = SpawnSpec {
        program: "cat".into(),
        args: vec!["/proc/self/status".into()],
        ..SpawnSpec::default()
    };
    let status = Second::start(cat).all();
    for field in ["SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"] {
        assert_eq!(status_field(&status, field), "0000000000000000", "{field}");
    }
    let ours = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_ne!(
        status_field(&ours, "SigBlk"),
        "0000000000000000",
        "the parent's stay"
    );
}

#[test]
fn exit_statuses_and_signals_are_told_real_time_ones_too() {
    let exits = Second::start(sh("exit 7"));
    assert_eq!(exits.child.wait(), Ok(Ended::Exited(7)));
    assert_eq!(exits.child.wait(), Ok(Ended::Exited(7)), "again");
    assert_eq!(exits.child.kill(0), Err(Errno::ESRCH), "reaped");

    for signo in [libc::SIGKILL, libc::SIGRTMIN(), libc::SIGRTMAX()] {
        let sleeps = Second::start(sh("exec sleep 1000"));
        assert_eq!(sleeps.child.try_wait(), Ok(None));
        kill(sleeps.child.pid(), signo).unwrap();
        until_ended(sleeps.child.pidfd());
        assert_eq!(sleeps.child.try_wait(), Ok(Some(Ended::Signaled(signo))));
    }
}

#[test]
fn a_program_that_cannot_start_gives_its_errno() {
    // By itself: another test that closes a descriptor frees a number while this one starts its child.
    let mut alone = Second::role(&["cannot-start"]);
    assert_eq!(alone.said(), "Err(ENOENT)");
    let spec = SpawnSpec {
        program: "/etc/passwd".into(),
        ..SpawnSpec::default()
    };
    assert_eq!(spawn(&spec).map(drop), Err(Errno::EACCES));
    let spec = SpawnSpec {
        program: "a\0b".into(),
        ..SpawnSpec::default()
    };
    assert_eq!(spawn(&spec).map(drop), Err(Errno::EINVAL));
}

#[test]
fn argv0_and_environment_arrive() {
    let spec = SpawnSpec {
        argv0: Some("other".into()),
        env: vec![("IPCSH_ADDED".into(), "here".into())],
        ..sh("echo $0 $IPCSH_ADDED ${PATH:+path}")
    };
    assert_eq!(Second::start(spec).all(), "other here path\n");
}

#[test]
fn only_the_named_descriptors_arrive_under_their_numbers() {
    let ((read_a, a), (read_b, b)) = (pipe(), pipe());
    let (number_a, number_b): (RawFd, RawFd) = (a.as_raw_fd(), b.as_raw_fd());
    // Not close-on-exec, and not to be inherited.
    let stray = nix::fcntl::fcntl(&read_a, nix::fcntl::FcntlArg::F_DUPFD(200)).unwrap();
    // SAFETY: just made, and owned by nobody else.
    let _stray = unsafe { OwnedFd::from_raw_fd(stray) };

    let swapped = format!(
        "echo a >/proc/self/fd/{number_b}; echo b >/proc/self/fd/{number_a}; ls /proc/self/fd"
    );
    let spec = SpawnSpec {
        inherit: vec![(a.as_fd(), number_b), (b.as_fd(), number_a)],
        ..sh(&swapped)
    };
    let listed = Second::start(spec).all();
    drop((a, b));
    let read_all = |fd: OwnedFd| std::io::read_to_string(std::fs::File::from(fd)).unwrap();
    assert_eq!(
        (read_all(read_a), read_all(read_b)),
        ("a\n".into(), "b\n".into())
    );

    let mut numbers: Vec<RawFd> = listed.lines().map(|line| line.parse().unwrap()).collect();
    numbers.retain(|fd| ![0, 1, 2, number_a, number_b].contains(fd));
    assert!(!numbers.contains(&stray));
    assert!(
        numbers.len() <= 1,
        "ls has its directory open, and nothing else: {numbers:?}"
    );
}

#[test]
fn groups_and_sessions_are_its_own_when_asked_for() {
    // Of /proc/PID/stat behind the name: state, ppid, pgrp, session.
    let stat = |spec: SpawnSpec| {
        let second = Second::start(spec);
        let pid = second.child.pid();
        let text = second.all();
        let (_, rest) = text.rsplit_once(") ").unwrap();
        let fields: Vec<i32> = rest
            .split(' ')
            .skip(1)
            .take(3)
            .map(|n| n.parse().unwrap())
            .collect();
        assert_eq!(fields[0], std::process::id() as i32);
        (fields[1] == pid, fields[2] == pid)
    };
    let cat = || sh("exec cat /proc/self/stat");
    assert_eq!(stat(cat()), (false, false));
    assert_eq!(
        stat(SpawnSpec {
            process_group: true,
            ..cat()
        }),
        (true, false)
    );
    assert_eq!(
        stat(SpawnSpec {
            session: true,
            ..cat()
        }),
        (true, true)
    );
}

#[test]
fn the_death_signal_comes_when_the_parent_is_killed() {
    let mut parent = Second::start(role_spec(&["parent"]));
    let grandchild = pidfd_open(parent.said().parse().unwrap()).unwrap();
    parent.child.kill(libc::SIGKILL).unwrap();
    assert_eq!(parent.child.wait(), Ok(Ended::Signaled(libc::SIGKILL)));
    until_ended(grandchild.as_fd());
}

#[test]
fn a_name_is_what_proc_calls_the_thread() {
    assert_eq!(
        Second::start(role_spec(&["name", "ipcsh:worker"])).said(),
        "ipcsh:worker"
    );
    assert_eq!(
        Second::start(role_spec(&["name", "longer_than_a_name_may_be"])).said(),
        "longer_than_a_n"
    );
    assert_eq!(set_name("a\0b"), Err(Errno::EINVAL));
}

#[test]
fn users_are_those_of_proc() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ids: Vec<u32> = status_field(&status, "Uid")
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(geteuid(), ids[1]);
}

#[test]
fn another_process_s_memory_and_descriptors_can_be_read() {
    let (read, write) = pipe();
    let spec = SpawnSpec {
        inherit: vec![(write.as_fd(), 9)],
        ..sh("exec sleep 1000")
    };
    let other = Second::start(spec);
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", other.child.pid())).unwrap();
    let start = u64::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap();
    assert_eq!(
        read_process(other.child.pid(), start, 4).as_deref(),
        Ok(b"\x7fELF".as_slice())
    );
    assert_eq!(read_process(other.child.pid(), 8, 4), Err(Errno::EFAULT));
    assert_eq!(
        read_process(other.child.pid(), start, usize::MAX),
        Err(Errno::ENOMEM)
    );

    drop(write);
    let copy = pidfd_getfd(&other.child, 9).unwrap();
    nix::unistd::write(&copy, b"!").unwrap();
    let mut byte = [0];
    assert_eq!((nix::unistd::read(&read, &mut byte), byte), (Ok(1), *b"!"));
    assert_eq!(pidfd_getfd(&other.child, 77).map(drop), Err(Errno::EBADF));
}

#[test]
fn nobody_is_behind_a_pid_that_is_none() {
    let gone = Second::start(sh("exit 0"));
    gone.child.wait().unwrap();
    until("the pid is free", || {
        kill(gone.child.pid(), 0) == Err(Errno::ESRCH)
    });
    assert_eq!(kill(i32::MAX, 0), Err(Errno::ESRCH));
    assert_eq!(pidfd_open(i32::MAX).map(drop), Err(Errno::ESRCH));
}

#[test]
fn who_is_stopped_is_told_by_which_signal_and_again() {
    // Of a group that nobody in its session looks after SIGTSTP stops nobody: ours may be such.
    let sleeps = Second::start(SpawnSpec {
        process_group: true,
        ..sh("exec sleep 1000")
    });
    assert_eq!(sleeps.child.stopped_by(), Ok(None));
    for signo in [libc::SIGSTOP, libc::SIGTSTP] {
        sleeps.child.kill(signo).unwrap();
        until("it is stopped", || {
            sleeps.child.stopped_by() == Ok(Some(signo))
        });
        assert_eq!(sleeps.child.stopped_by(), Ok(Some(signo)));
        assert_eq!(sleeps.child.try_wait(), Ok(None), "not ended");
        sleeps.child.kill(libc::SIGCONT).unwrap();
        until("it goes on", || sleeps.child.stopped_by() == Ok(None));
    }
}
