//! The witnesses: `/proc/sysvipc/sem`, `/proc/sys/kernel/sem`, and a second process that waits.

use std::time::Instant;

use super::*;
use crate::kernel::process::{self, Ended};
use crate::kernel::sysv::{IPC_PRIVATE, PermSet};
use crate::kernel::witness::{Guard, Second, proc_row, proc_rows, sysctl, until, until_in_call};

fn semaphores(nsems: i32, mode: u32) -> Guard {
    Guard::new(get(IPC_PRIVATE, nsems, mode, true, true), remove)
}

fn op(num: u16, op: i16) -> sembuf {
    SemOp {
        num,
        op,
        nowait: true,
        undo: false,
    }
    .into()
}

#[track_caller]
fn agrees_with_proc(stat: &SemStat) {
    let row = proc_row("sem", stat.id).expect("not in /proc/sysvipc/sem");
    assert_eq!(row["key"], i64::from(stat.perm.key));
    assert_eq!(row["perms"], i64::from(stat.perm.mode));
    assert_eq!(row["uid"], i64::from(stat.perm.uid));
    assert_eq!(row["gid"], i64::from(stat.perm.gid));
    assert_eq!(row["cuid"], i64::from(stat.perm.cuid));
    assert_eq!(row["cgid"], i64::from(stat.perm.cgid));
    assert_eq!(row["nsems"], stat.nsems as i64);
    assert_eq!(row["otime"], stat.otime);
    assert_eq!(row["ctime"], stat.ctime);
}

#[test]
fn a_set_is_as_proc_shows_it() {
    let s = semaphores(3, 0o640);
    let new = stat(s.id).unwrap();
    agrees_with_proc(&new);
    assert_eq!((new.nsems, new.perm.mode, new.otime), (3, 0o640, 0));
    operate(s.id, &[op(1, 2)], None).unwrap();
    let used = stat(s.id).unwrap();
    agrees_with_proc(&used);
    assert_ne!(used.otime, 0);
    remove(s.id).unwrap();
    assert_eq!(proc_row("sem", s.id), None);
}

#[test]
fn values_are_set_and_read_one_by_one_and_all_at_once() {
    let s = semaphores(3, 0o600);
    set_value(s.id, 1, 7).unwrap();
    assert_eq!(values(s.id, 3), Ok(vec![0, 7, 0]));
    set_values(s.id, &[1, 2, 32767]).unwrap();
    assert_eq!(
        [0, 1, 2].map(|num| value(s.id, num)),
        [Ok(1), Ok(2), Ok(32767)]
    );
    assert_eq!(pid(s.id, 0), Ok(std::process::id() as i32));

    assert_eq!(
        values(s.id, 2),
        Err(Errno::EINVAL),
        "GETALL would write past the end"
    );
    assert_eq!(
        set_values(s.id, &[1, 2]),
        Err(Errno::EINVAL),
        "SETALL would read past the end"
    );
    assert_eq!(set_value(s.id, 0, -1), Err(Errno::ERANGE));
    assert_eq!(value(s.id, 3), Err(Errno::EINVAL));
    // SETALL needs no read permission.
    set(
        s.id,
        &PermSet {
            mode: Some(0o200),
            ..PermSet::default()
        },
    )
    .unwrap();
    set_values(s.id, &[4, 5, 6]).unwrap();
    let readable = process::geteuid() == 0;
    assert_eq!(
        values(s.id, 3),
        if readable {
            Ok(vec![4, 5, 6])
        } else {
            Err(Errno::EACCES)
        }
    );
}

#[test]
fn operations_happen_all_or_none() {
    let s = semaphores(2, 0o600);
    assert_eq!(
        operate(s.id, &[op(0, 3), op(1, -1)], None),
        Err(Errno::EAGAIN)
    );
    assert_eq!(values(s.id, 2), Ok(vec![0, 0]));
    operate(s.id, &[op(0, 0), op(0, 3), op(1, 1), op(1, -1)], None).unwrap();
    assert_eq!(values(s.id, 2), Ok(vec![3, 0]));
    assert_eq!(operate(s.id, &[op(2, 1)], None), Err(Errno::EFBIG));
    assert_eq!(operate(s.id, &[op(0, 32767)], None), Err(Errno::ERANGE));
    assert_eq!(operate(s.id, &[], None), Err(Errno::EINVAL));
}

#[test]
fn a_timeout_ends_the_wait_and_not_before() {
    let s = semaphores(1, 0o600);
    let wait = SemOp {
        op: -1,
        ..SemOp::default()
    };
    let start = Instant::now();
    assert_eq!(
        operate(s.id, &[wait.into()], Some(Duration::from_millis(20))),
        Err(Errno::EAGAIN)
    );
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!(
        operate(s.id, &[wait.into()], Some(Duration::ZERO)),
        Err(Errno::EAGAIN)
    );
    set_value(s.id, 0, 1).unwrap();
    assert_eq!(operate(s.id, &[wait.into()], Some(Duration::MAX)), Ok(()));
}

#[test]
fn a_second_process_that_waits_is_counted_and_woken() {
    let s = semaphores(1, 0o600);
    let mut waiter = Second::role(&["sem", &s.id.to_string(), "-2", "-"]);
    until_in_call(waiter.child.pid(), libc::SYS_semtimedop);
    assert_eq!((ncnt(s.id, 0), zcnt(s.id, 0)), (Ok(1), Ok(0)));
    operate(s.id, &[op(0, 2)], None).unwrap();
    assert_eq!(waiter.said(), "Ok(())");
    assert_eq!(
        (ncnt(s.id, 0), pid(s.id, 0)),
        (Ok(0), Ok(waiter.child.pid()))
    );

    operate(s.id, &[op(0, 1)], None).unwrap();
    let mut waiter = Second::role(&["sem", &s.id.to_string(), "0", "-"]);
    until_in_call(waiter.child.pid(), libc::SYS_semtimedop);
    assert_eq!((ncnt(s.id, 0), zcnt(s.id, 0)), (Ok(0), Ok(1)));
    remove(s.id).unwrap();
    assert_eq!(waiter.said(), "Err(EIDRM)");
    assert_eq!(waiter.child.wait(), Ok(Ended::Exited(0)));
}

#[test]
fn undo_takes_back_when_the_process_ends() {
    let s = semaphores(1, 0o600);
    for (undo, left) in [("-", 1), ("undo", 1)] {
        let mut other = Second::role(&["sem", &s.id.to_string(), "1", undo]);
        assert_eq!(other.said(), "Ok(())");
        assert_eq!(other.child.wait(), Ok(Ended::Exited(0)));
        assert_eq!(value(s.id, 0), Ok(left));
    }
}

#[test]
fn the_same_set_is_found_by_key_by_index_and_without_permission() {
    let key = 0x6d00_0000 | std::process::id() as i32;
    let s = Guard::new(get(key, 2, 0o600, true, true), remove);
    assert_eq!(proc_row("sem", s.id).unwrap()["key"], i64::from(key));
    assert_eq!(get(key, 0, 0, false, false), Ok(s.id));
    assert_eq!(get(key, 3, 0, false, false), Err(Errno::EINVAL));

    set(
        s.id,
        &PermSet {
            mode: Some(0),
            ..PermSet::default()
        },
    )
    .unwrap();
    let highest = info().unwrap().highest_index;
    let found = (0..=highest)
        .filter_map(|index| stat_any(index).ok())
        .find(|stat| stat.id == s.id);
    let found = found.expect("not found by index");
    agrees_with_proc(&found);
    assert_eq!(stat_any_id(s.id), Ok(found));
    assert_eq!(
        stat(s.id),
        if process::geteuid() == 0 {
            Ok(found)
        } else {
            Err(Errno::EACCES)
        }
    );
}

#[test]
fn limits_are_those_of_proc() {
    let limits = limits().unwrap();
    let ours = [limits.semmsl, limits.semmns, limits.semopm, limits.semmni];
    assert_eq!(ours, *sysctl("sem"));
    assert_eq!(limits.semvmx, 32767);
}

#[test]
fn info_counts_what_proc_lists() {
    let _s = semaphores(5, 0o600);
    // Others make and remove sets meanwhile.
    until("info agrees with /proc", || {
        let rows = proc_rows("sem");
        let semaphores: u64 = rows.iter().map(|row| row["nsems"] as u64).sum();
        let info = info().unwrap();
        (info.sets, info.semaphores) == (rows.len() as u64, semaphores)
    });
}
