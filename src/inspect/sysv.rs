//! Every System V object of this IPC namespace, whether or not its mode lets us read it.
//!
//! The kernel keeps the objects of a family in a table. Asking for each place of it
//! (`*_STAT_ANY`) is twice as fast as `/proc/sysvipc` where the table is dense, and far
//! slower where a few objects are left at high places: the family's `*_INFO` gives count
//! and highest place, and the density chooses.

use std::fs::File;
use std::io::Read;

use crate::kernel::{Result, msg, sem, shm};

/// Every message queue, in the kernel's order.
pub fn queues() -> Vec<msg::MsgStat> {
    match msg::info() {
        Ok(info) => objects(
            info.highest_index,
            info.queues,
            "msg",
            msg::stat_any,
            msg::stat_any_id,
        ),
        Err(_) => Vec::new(),
    }
}

/// Every shared memory segment, in the kernel's order.
pub fn segments() -> Vec<shm::ShmStat> {
    match shm::info() {
        Ok(info) => objects(
            info.highest_index,
            info.used_ids,
            "shm",
            shm::stat_any,
            shm::stat_any_id,
        ),
        Err(_) => Vec::new(),
    }
}

/// Every semaphore set, in the kernel's order.
pub fn sets() -> Vec<sem::SemStat> {
    match sem::info() {
        Ok(info) => objects(
            info.highest_index,
            info.sets,
            "sem",
            sem::stat_any,
            sem::stat_any_id,
        ),
        Err(_) => Vec::new(),
    }
}

/// Where fewer than one place in so many is used, `/proc` is the faster way.
const SPARSE: u64 = 8;

fn objects<S>(
    highest: i32,
    count: u64,
    kind: &str,
    at_index: fn(i32) -> Result<S>,
    by_id: fn(i32) -> Result<S>,
) -> Vec<S> {
    if count == 0 {
        return Vec::new();
    }
    let places = u64::try_from(highest).unwrap_or(0) + 1;
    if places / SPARSE <= count {
        // A place may be empty, or become so while we look.
        return (0..=highest).filter_map(|i| at_index(i).ok()).collect();
    }
    ids(kind)
        .into_iter()
        .filter_map(|id| by_id(id).ok())
        .collect()
}

/// The ids in `/proc/sysvipc/KIND`: the second word of each line but the first.
fn ids(kind: &str) -> Vec<i32> {
    let mut text = Vec::new();
    let Ok(mut file) = File::open(format!("/proc/sysvipc/{kind}")) else {
        return Vec::new();
    };
    // The kernel walks its table from the start for each read: few and large ones.
    let mut chunk = vec![0; 64 << 10];
    while let Ok(n) = file.read(&mut chunk) {
        if n == 0 {
            break;
        }
        text.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8_lossy(&text)
        .lines()
        .skip(1)
        .filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::witness::Guard;

    #[test]
    fn both_ways_see_the_same_objects() {
        let made: Vec<Guard> = (0..20)
            .map(|_| Guard::new(msg::get(0, 0o600, true, true), msg::remove))
            .collect();
        let info = msg::info().unwrap();
        let all = |count| -> Vec<i32> {
            let found = objects(
                info.highest_index,
                count,
                "msg",
                msg::stat_any,
                msg::stat_any_id,
            );
            found.into_iter().map(|s| s.id).collect()
        };
        let (dense, sparse) = (all(u64::MAX), all(1));
        for guard in &made {
            assert!(dense.contains(&guard.id), "sweep: {}", guard.id);
            assert!(sparse.contains(&guard.id) || places(info.highest_index) < SPARSE);
        }
        assert!(ids("msg").contains(&made[0].id));
    }

    fn places(highest: i32) -> u64 {
        highest as u64 + 1
    }

    #[test]
    fn an_object_that_may_not_be_read_is_seen() {
        let set = Guard::new(sem::get(0, 3, 0, true, true), sem::remove);
        let segment = Guard::new(shm::get(0, 10, 0, true, true), shm::remove);
        let seen = sets().into_iter().find(|s| s.id == set.id).unwrap();
        assert_eq!(seen.nsems, 3);
        let seen = segments().into_iter().find(|s| s.id == segment.id).unwrap();
        assert_eq!(seen.segsz, 10);
    }
}
