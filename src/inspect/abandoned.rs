//! System V objects that nobody uses any more, by what they remember.
//!
//! They remember pids, not processes: `gone` says whether the process of a pid at a time is no more.

use crate::kernel::msg::MsgStat;
use crate::kernel::sem::{self, SemStat};
use crate::kernel::shm::ShmStat;

/// Whether a process that an object remembers is no more.
pub type Gone<'a> = &'a dyn Fn(i32, i64) -> bool;

/// An abandoned segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Whether the process that had it attached last is still there.
    pub last_alive: bool,
}

/// Nobody has it attached, and who made it is gone.
pub fn segment(s: &ShmStat, gone: Gone) -> Option<Segment> {
    (s.nattch == 0 && gone(s.cpid, s.ctime)).then(|| Segment {
        last_alive: s.lpid != 0 && !gone(s.lpid, s.atime.max(s.dtime)),
    })
}

/// Somebody has sent to it, and who sent and who received last are gone.
pub fn queue(q: &MsgStat, gone: Gone) -> bool {
    let sender = q.lspid != 0 && gone(q.lspid, q.stime);
    sender && (q.lrpid == 0 || gone(q.lrpid, q.rtime))
}

/// How many semaphores of a set are asked for their last operators.
const ASKED: u64 = 64;

/// Somebody has operated on it, and everybody who did so last is gone: their pids.
pub fn set(s: &SemStat, gone: Gone) -> Option<Vec<i32>> {
    let used = s.otime.max(s.ctime);
    let mut pids: Vec<i32> = (0..s.nsems.min(ASKED) as i32)
        .filter_map(|num| sem::pid(s.id, num).ok())
        .filter(|pid| *pid != 0)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    (!pids.is_empty() && pids.iter().all(|pid| gone(*pid, used))).then_some(pids)
}
