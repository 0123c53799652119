//! System V objects that nobody uses any more, by what they remember.
//!
//! They remember pids, not processes: `gone` says whether the process of a pid at a time is no more. A
//! pid of 0 is nobody where there is no time beside it, and else a process outside of our pid namespace,
//! which is never said to be gone.

use std::collections::BTreeSet;

use super::process::sees_all_pids;
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
    let used = s.atime.max(s.dtime);
    (s.nattch == 0 && gone(s.cpid, s.ctime)).then(|| Segment {
        last_alive: used != 0 && !gone(s.lpid, used),
    })
}

/// Somebody has sent to it, and who sent and who received last are gone.
pub fn queue(q: &MsgStat, gone: Gone) -> bool {
    let received = || q.rtime == 0 || gone(q.lrpid, q.rtime);
    gone(q.lspid, q.stime) && received()
}

/// An abandoned set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Who operated last on any of its semaphores.
    pub pids: BTreeSet<i32>,
    /// Whether somebody outside of our pid namespace may have operated on it.
    pub used_outside: bool,
}

/// Somebody has operated on it, and everybody who did so last is gone.
pub fn set(s: &SemStat, gone: Gone) -> Option<Set> {
    let used = s.otime.max(s.ctime);
    let mut pids = BTreeSet::new();
    let mut untold = false;
    for num in 0..i32::try_from(s.nsems).ok()? {
        match sem::pid(s.id, num).ok()? {
            0 => untold = true,
            pid if pids.contains(&pid) || gone(pid, used) => drop(pids.insert(pid)),
            _ => return None,
        }
    }
    (!pids.is_empty()).then(|| Set {
        pids,
        used_outside: untold && !sees_all_pids(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sysv::Perm;

    const PERM: Perm = Perm {
        key: 1,
        uid: 0,
        gid: 0,
        cuid: 0,
        cgid: 0,
        mode: 0o600,
        seq: 0,
    };

    /// Of pid 0 nobody knows.
    fn gone(pid: i32, _: i64) -> bool {
        pid != 0
    }

    #[test]
    fn a_queue_that_is_read_from_another_pid_namespace_is_in_use() {
        let sent = MsgStat {
            id: 0,
            perm: PERM,
            qnum: 0,
            cbytes: 0,
            qbytes: 16384,
            lspid: 7,
            lrpid: 0,
            stime: 1000,
            rtime: 0,
            ctime: 1000,
        };
        assert!(queue(&sent, &gone), "nobody has ever received");
        let read = MsgStat {
            rtime: 1001,
            ..sent
        };
        assert!(!queue(&read, &gone));
        let from_outside = MsgStat { lspid: 0, ..sent };
        assert!(!queue(&from_outside, &gone));
    }

    #[test]
    fn who_attached_a_segment_from_another_pid_namespace_may_be_there() {
        let made = ShmStat {
            id: 0,
            perm: PERM,
            segsz: 1,
            nattch: 0,
            cpid: 7,
            lpid: 0,
            atime: 0,
            dtime: 0,
            ctime: 1000,
        };
        let last_alive = |s: ShmStat| segment(&s, &gone).map(|s| s.last_alive);
        assert_eq!(last_alive(made), Some(false), "nobody has attached it");
        let attached = ShmStat {
            atime: 1001,
            dtime: 1002,
            ..made
        };
        assert_eq!(last_alive(attached), Some(true));
        assert_eq!(last_alive(ShmStat { cpid: 0, ..made }), None);
    }
}
