//! Every System V object of the IPC namespace: msgctl(2), shmctl(2), semctl(2),
//! sysvipc(5).
//!
//! Objects come and go while they are listed: one that vanishes is left out, one that
//! comes may be.

use std::fs::File;
use std::io::{self, Read};

use crate::kernel::{Result, msg, sem, shm};

/// Every message queue, in the kernel's order.
pub fn queues() -> Vec<msg::MsgStat> {
    match msg::info() {
        Ok(info) => Family {
            count: info.queues,
            highest: info.highest_index,
            by_index: msg::stat_any,
            by_id: msg::stat_any_id,
            file: "/proc/sysvipc/msg",
        }
        .all(),
        Err(_) => Vec::new(),
    }
}

/// Every shared memory segment, in the kernel's order.
pub fn segments() -> Vec<shm::ShmStat> {
    match shm::info() {
        Ok(info) => Family {
            count: info.used_ids,
            highest: info.highest_index,
            by_index: shm::stat_any,
            by_id: shm::stat_any_id,
            file: "/proc/sysvipc/shm",
        }
        .all(),
        Err(_) => Vec::new(),
    }
}

/// Every semaphore set, in the kernel's order.
pub fn sets() -> Vec<sem::SemStat> {
    match sem::info() {
        Ok(info) => Family {
            count: info.sets,
            highest: info.highest_index,
            by_index: sem::stat_any,
            by_id: sem::stat_any_id,
            file: "/proc/sysvipc/sem",
        }
        .all(),
        Err(_) => Vec::new(),
    }
}

/// How the objects of one family are found.
struct Family<S> {
    /// How many there are.
    count: u64,
    /// The highest index in use.
    highest: i32,
    by_index: fn(i32) -> Result<S>,
    by_id: fn(i32) -> Result<S>,
    /// The table of sysvipc(5).
    file: &'static str,
}

/// Up to so many indices for each object, asking for each costs less than the table: the
/// kernel writes it line by line, and a page at a time.
const DENSE: u64 = 4;

impl<S> Family<S> {
    fn all(&self) -> Vec<S> {
        if self.count == 0 {
            return Vec::new();
        }
        let indices = u64::from(self.highest.unsigned_abs()) + 1;
        if indices <= self.count.saturating_mul(DENSE) {
            let found = self.sweep();
            // A kernel before 4.17 has no `…_STAT_ANY`: it refuses every index.
            if !found.is_empty() {
                return found;
            }
        }
        match ids(self.file) {
            Ok(ids) => ids
                .into_iter()
                .filter_map(|id| (self.by_id)(id).ok())
                .collect(),
            // A /proc of processes alone (`subset=pid`), or none.
            Err(_) => self.sweep(),
        }
    }

    fn sweep(&self) -> Vec<S> {
        (0..=self.highest)
            .filter_map(|index| (self.by_index)(index).ok())
            .collect()
    }
}

/// The ids in a table of sysvipc(5): the second column, under a line of headings.
fn ids(file: &str) -> io::Result<Vec<i32>> {
    let mut bytes = Vec::with_capacity(64 * 1024);
    File::open(file)?.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(parse_ids(&String::from_utf8_lossy(&bytes)))
}

fn parse_ids(table: &str) -> Vec<i32> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernel::witness::{Guard, proc_row};

    fn msgq() -> Guard {
        Guard::new(msg::get(0, 0o600, true, true), msg::remove)
    }

    /// `file` and the sweep name the same objects; `present` are among them.
    #[track_caller]
    fn agree<S>(family: &Family<S>, id: fn(&S) -> i32, present: &[i32]) {
        let swept: BTreeSet<i32> = family.sweep().iter().map(id).collect();
        let listed = ids(family.file).unwrap();
        for wanted in present {
            assert!(swept.contains(wanted), "{wanted} in {swept:?}");
            assert!(listed.contains(wanted), "{wanted} in {listed:?}");
        }
    }

    /// As where /proc has processes alone (`subset=pid`).
    #[test]
    fn without_a_table_each_index_is_asked() {
        let queue = msgq();
        let sparse = Family {
            count: 1,
            highest: msg::info().unwrap().highest_index,
            by_index: msg::stat_any,
            by_id: msg::stat_any_id,
            file: "/nonexistent",
        };
        assert!(sparse.all().iter().any(|s| s.id == queue.id));
    }

    #[test]
    fn queues_are_those_of_proc() {
        let guards: Vec<Guard> = (0..8).map(|_| msgq()).collect();
        let present: Vec<i32> = guards.iter().map(|g| g.id).collect();
        let found = queues();
        for id in &present {
            let stat = found.iter().find(|s| s.id == *id).unwrap();
            let row = proc_row("msg", *id).unwrap();
            assert_eq!(i64::try_from(stat.qnum), Ok(row["qnum"]));
            assert_eq!(stat.ctime, row["ctime"]);
        }
        let info = msg::info().unwrap();
        let family = Family {
            count: info.queues,
            highest: info.highest_index,
            by_index: msg::stat_any,
            by_id: msg::stat_any_id,
            file: "/proc/sysvipc/msg",
        };
        agree(&family, |s| s.id, &present);
    }

    #[test]
    fn segments_and_sets_are_those_of_proc() {
        let segment = Guard::new(shm::get(0, 4096, 0o600, true, true), shm::remove);
        let set = Guard::new(sem::get(0, 3, 0o600, true, true), sem::remove);
        let stat = segments().into_iter().find(|s| s.id == segment.id).unwrap();
        let row = proc_row("shm", segment.id).unwrap();
        assert_eq!(i64::try_from(stat.segsz), Ok(row["size"]));
        let stat = sets().into_iter().find(|s| s.id == set.id).unwrap();
        let row = proc_row("sem", set.id).unwrap();
        assert_eq!(i64::try_from(stat.nsems), Ok(row["nsems"]));
        assert!(ids("/proc/sysvipc/shm").unwrap().contains(&segment.id));
        assert!(ids("/proc/sysvipc/sem").unwrap().contains(&set.id));
    }

    #[test]
    fn a_sparse_table_is_read_from_proc() {
        let guards: Vec<Guard> = (0..4).map(|_| msgq()).collect();
        let family = Family {
            count: 1,
            highest: 1000,
            by_index: |_| -> Result<msg::MsgStat> { unreachable!() },
            by_id: msg::stat_any_id,
            file: "/proc/sysvipc/msg",
        };
        let found: Vec<i32> = family.all().iter().map(|s| s.id).collect();
        for guard in &guards {
            assert!(found.contains(&guard.id), "{found:?}");
        }
    }

    #[test]
    fn an_empty_family_asks_nothing_more() {
        let family = Family::<()> {
            count: 0,
            highest: 0,
            by_index: |_| unreachable!(),
            by_id: |_| unreachable!(),
            file: "/nonexistent",
        };
        assert!(family.all().is_empty());
        assert!(ids("/nonexistent").is_err());
        assert_eq!(
            parse_ids("key msqid\n 0 7 600\n\n 1 x\n -1 -3"),
            vec![7, -3]
        );
    }
}
