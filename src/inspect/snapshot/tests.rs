use std::os::fd::AsRawFd;

use super::*;
use crate::inspect::witness::{Witness, skip};
use crate::kernel::shm;
use crate::kernel::sysv::IPC_PRIVATE;
use crate::kernel::witness::Guard;

/// Ours alone is looked at: what another test forks at the moment has all that we have.
fn me() -> i32 {
    std::process::id().cast_signed()
}

#[test]
fn a_segment_is_attached_where_it_is_mapped() {
    let guard = Guard::new(shm::get(IPC_PRIVATE, 4096, 0o600, true, true), shm::remove);
    let thing = Thing::Shm(guard.id);
    let found = || -> Vec<bool> {
        let snapshot = Snapshot::default();
        let ours = snapshot.mapped().of(thing).filter(|m| m.pid == me());
        ours.map(|m| m.writable).collect()
    };
    assert!(found().is_empty());
    let first = shm::attach(guard.id, false).unwrap();
    assert_eq!(found(), [true]);
    let second = shm::attach(guard.id, true).unwrap();
    let mut both = found();
    both.sort_unstable();
    assert_eq!(both, [false, true]);
    drop((first, second));
    assert!(found().is_empty());
}

#[test]
fn what_is_open_is_found_by_what_it_is() {
    let (reader, writer) = std::io::pipe().unwrap();
    let ino = crate::kernel::fds::inode(&reader).unwrap();
    let snapshot = Snapshot::default();
    let ends = snapshot.open().on(Thing::Pipe(ino));
    let fds = ends.iter().filter(|d| d.pid == me()).map(|d| d.fd);
    let fds: Vec<i32> = fds.collect();
    let mut ours = [reader.as_raw_fd(), writer.as_raw_fd()];
    ours.sort_unstable();
    assert_eq!(fds, ours);
    assert!(snapshot.open().all().any(|(t, _)| t == Thing::Pipe(ino)));
    assert!(snapshot.open().on(Thing::Pipe(0)).is_empty());
}

#[test]
fn who_waits_is_found_by_what_it_waits_at() {
    let Some(reader) = Witness::start("cat", &[]) else {
        return skip("no cat");
    };
    reader.blocked();
    let ino = crate::kernel::fds::inode(reader.0.stdin.as_ref().unwrap()).unwrap();
    let snapshot = Snapshot::default();
    let waiting: Vec<&Waiter> = snapshot.waiting_at(Thing::Pipe(ino)).collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].pid, reader.pid());
    assert!(waiting[0].is_still());
    drop(reader);
}

/// What each part costs, on the host as it is.
#[test]
#[ignore = "it measures, and claims nothing"]
fn parts_are_timed() {
    let median = |part: &dyn Fn() -> usize| {
        let mut times: Vec<_> = (0..15)
            .map(|_| {
                let begun = std::time::Instant::now();
                part();
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    let pids = process::pids().count();
    let fresh = Snapshot::default;
    eprintln!("{pids} processes: {:?}", median(&|| fresh().pids().len()));
    let n = fresh().waiters().found.len();
    eprintln!(
        "{n} waiters: {:?}",
        median(&|| fresh().waiters().found.len())
    );
    eprintln!("open: {:?}", median(&|| fresh().open().unreadable));
    eprintln!("mapped: {:?}", median(&|| fresh().mapped().unreadable));
}
