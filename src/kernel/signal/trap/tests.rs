//! The witnesses: `/proc/PID/status` of the process that traps, and a shell and Python that signal it.

use super::*;
use crate::kernel::process::{Ended, kill};
use crate::kernel::signal::roles::Trapper;
use crate::kernel::signal::signal_name;
use crate::kernel::witness::{Second, python, sh, until, until_in_call};
use crate::kernel::witness::{getuid, sigqueue, tgkill};

const USR1: i32 = libc::SIGUSR1;

/// Whether the signal is in a set of `/proc/PID/status`.
fn is_in(pid: i32, set: &str, signo: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(set));
    let bits = u64::from_str_radix(line.unwrap().trim_start_matches(':').trim(), 16).unwrap();
    bits >> (signo - 1) & 1 == 1
}

/// The total is counted first of all, a signal's own count last.
fn until_counted(trapper: &Trapper, total: u64) {
    let each = || (1..=64).map(|signo| trapper.counts().of(signo));
    until("counted", || each().sum::<u64>() == total);
    assert_eq!(trapper.counts().total(), total);
}

#[test]
fn a_signal_of_a_shell_is_counted_and_noted_with_its_sender() {
    let mut trapper = Trapper::start(&["trap", &USR1.to_string(), "catch"]);
    assert_eq!(trapper.second.said(), "Default");
    let pid = trapper.pid();
    assert!(is_in(pid, "SigCgt", USR1));
    let mut sender = Second::start(sh(&format!("echo :$$; kill -USR1 {pid}; sleep 100")));
    let sender_pid: i32 = sender.said().parse().unwrap();
    until_counted(&trapper, 1);
    assert_eq!(trapper.counts().of(USR1), 1);
    assert_eq!(trapper.counts().lost(), 0);
    let mut caught = Vec::new();
    until("noted", || {
        caught.extend(trapper.caught());
        !caught.is_empty()
    });
    let info = SignalInfo {
        signo: USR1,
        code: libc::SI_USER,
        pid: sender_pid,
        uid: getuid(),
        value: 0,
    };
    assert_eq!(caught, [Caught { info, sequence: 1 }]);
    assert_eq!(trapper.caught(), []);
}

#[test]
fn a_value_queued_by_python_arrives() {
    let signo = libc::SIGRTMIN() + 2;
    let mut trapper = Trapper::start(&["trap", &signo.to_string(), "restart"]);
    assert_eq!(trapper.second.said(), "Default");
    let pid = trapper.pid();
    let script = format!(
        "import ctypes, os\nfor value in (-5, 7, 7):\n ctypes.CDLL(None).sigqueue({pid}, {signo}, \
         ctypes.c_void_p(value & 0xffffffff))\nprint(':%d' % os.getpid())"
    );
    let Some(mut sender) = python(&script) else {
        return;
    };
    let sender_pid: i32 = sender.said().parse().unwrap();
    until_counted(&trapper, 3);
    let mut caught = Vec::new();
    until("noted", || {
        caught.extend(trapper.caught());
        caught.len() == 3
    });
    assert!(caught.iter().all(|each| each.info.code == libc::SI_QUEUE));
    // The test's harness has a second thread, so that they may have overtaken one another.
    let sorted = |of: fn(&Caught) -> i64| {
        let mut all: Vec<i64> = caught.iter().map(of).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(sorted(|each| each.info.value.into()), [-5, 7, 7]);
    assert_eq!(sorted(|each| each.sequence.cast_signed()), [1, 2, 3]);
    assert!(caught.iter().all(|each| each.info.pid == sender_pid));
    assert_eq!(trapper.counts().of(signo), 3);
}

#[test]
fn a_call_goes_on_or_not_as_was_asked() {
    let mut fails = Trapper::start(&["trap", &USR1.to_string(), "catch"]);
    let mut goes_on = Trapper::start(&["trap", &USR1.to_string(), "restart"]);
    for trapper in [&mut fails, &mut goes_on] {
        trapper.second.said();
        let tid = until_in_call(trapper.pid(), libc::SYS_read);
        tgkill(trapper.pid(), tid, USR1).unwrap();
        until_counted(trapper, 1);
    }
    assert_eq!(fails.second.said(), "Err(EINTR)");
    // Back in the call it was interrupted in, it has said nothing.
    until_in_call(goes_on.pid(), libc::SYS_read);
    goes_on.second.child.kill(libc::SIGKILL).unwrap();
    assert_eq!(goes_on.second.all().trim(), "");
}

#[test]
fn an_ignored_signal_does_nothing_and_a_default_ends() {
    let term = libc::SIGTERM.to_string();
    let mut ignores = Trapper::start(&["trap", &term, "ignore"]);
    assert_eq!(ignores.second.said(), "Default");
    assert!(is_in(ignores.pid(), "SigIgn", libc::SIGTERM));
    kill(ignores.pid(), libc::SIGTERM).unwrap();
    assert_eq!(ignores.second.child.try_wait(), Ok(None));
    assert_eq!(ignores.counts().total(), 0);
    // Rust's runtime has it ignored.
    let mut ends = Trapper::start(&["trap", &libc::SIGPIPE.to_string(), "default"]);
    assert_eq!(ends.second.said(), "Ignore");
    assert!(!is_in(ends.pid(), "SigIgn", libc::SIGPIPE));
    assert!(!is_in(ends.pid(), "SigCgt", libc::SIGPIPE));
    kill(ends.pid(), libc::SIGPIPE).unwrap();
    assert_eq!(ends.second.child.wait(), Ok(Ended::Signaled(libc::SIGPIPE)));
}

#[test]
fn a_full_pipe_loses_records_but_no_counts_and_errno_stays() {
    let mut trapper = Trapper::start(&["errno", &USR1.to_string()]);
    assert_eq!(trapper.second.said(), "done");
    assert_eq!(trapper.second.child.wait(), Ok(Ended::Exited(0)));
    assert_eq!(trapper.counts().of(USR1), 200);
    assert_eq!(trapper.counts().lost(), 200 - 128);
    let caught = trapper.caught();
    let sequence: Vec<u64> = caught.iter().map(|each| each.sequence).collect();
    assert_eq!(sequence, (1..=128).collect::<Vec<_>>());
}

#[test]
fn who_has_no_reader_lives_on_and_counts() {
    for signo in [USR1, libc::SIGPIPE] {
        let mut trapper = Trapper::start(&["trap", &signo.to_string(), "restart"]);
        trapper.second.said();
        drop(trapper.records.take());
        let mut sent = 0;
        // A program that another test is just starting may still hold the reading end for a moment.
        until("lost", || {
            sent += 1;
            kill(trapper.pid(), signo).unwrap();
            until_counted(&trapper, sent);
            trapper.counts().lost() >= 3
        });
        assert_eq!(trapper.counts().of(signo), sent);
        until_in_call(trapper.pid(), libc::SYS_read);
        assert!(!is_in(trapper.pid(), "SigPnd", libc::SIGPIPE));
        assert_eq!(trapper.second.child.try_wait(), Ok(None));
    }
}

#[test]
fn a_fault_still_ends_the_process() {
    let mut faults = Trapper::start(&["fault"]);
    assert_eq!(faults.second.said(), "lives");
    assert_eq!(
        faults.second.child.wait(),
        Ok(Ended::Signaled(libc::SIGSEGV))
    );
    // One was sent, one was real.
    assert_eq!(faults.counts().of(libc::SIGSEGV), 2);
}

#[test]
fn many_signals_from_two_senders_are_all_counted() {
    let signo = libc::SIGRTMIN() + 1;
    let mut trapper = Trapper::start(&["trap", &signo.to_string(), "restart"]);
    trapper.second.said();
    let pid = trapper.pid();
    let send = move || (0..500).for_each(|value| sigqueue(pid, signo, value).unwrap());
    let other = std::thread::spawn(send);
    send();
    other.join().unwrap();
    until_counted(&trapper, 1000);
    assert_eq!(trapper.counts().of(signo), 1000);
    let mut noted = 0;
    until("noted or lost", || {
        noted += trapper.caught().len() as u64;
        noted + trapper.counts().lost() == 1000
    });
}

#[test]
fn what_is_not_the_user_s_is_refused_by_name() {
    let catch = Disposition::Catch { restart: true };
    for to in [Disposition::Default, Disposition::Ignore, catch] {
        let shell = TrapError::Reserved(Reserved::Shell);
        assert_eq!(set(libc::SIGRTMAX(), to), Err(shell));
        for signo in [32, 33] {
            assert_eq!(signal_name(signo), None);
            let library = TrapError::Reserved(Reserved::CLibrary);
            assert_eq!(set(signo, to), Err(library));
        }
        for signo in [-1, 0, 65, i32::MIN] {
            assert_eq!(set(signo, to), Err(TrapError::Kernel(Errno::EINVAL)));
        }
    }
    for signo in [libc::SIGKILL, libc::SIGSTOP] {
        for to in [Disposition::Ignore, Disposition::Default] {
            assert_eq!(set(signo, to), Err(TrapError::Kernel(Errno::EINVAL)));
        }
        assert_eq!(get(signo), Ok(Disposition::Default));
    }
    // Without a sink nothing can be caught.
    assert_eq!(set(USR1, catch), Err(TrapError::Kernel(Errno::ENXIO)));
    assert_eq!(get(33), Err(Errno::EINVAL));
}

#[test]
fn records_are_read_as_they_were_written() {
    let info = SignalInfo {
        signo: 64,
        code: -6,
        pid: i32::MAX,
        uid: u32::MAX,
        value: i32::MIN,
    };
    let caught = Caught {
        info,
        sequence: u64::MAX - 1,
    };
    assert_eq!(Caught::from_bytes(&caught.to_bytes()), caught);
    let few: [AtomicU64; 65] = [const { AtomicU64::new(0) }; 65];
    assert_eq!(Counts::new(&few).map(drop), Err(Errno::EINVAL));
}
