//! What would wake somebody, in words.

use crate::inspect::wait::{SemBuf, Wait, Waiter};
use crate::inspect::waking::lacking;

/// The operation of a semop(2) that blocks it, or the first.
pub(super) fn blocking(id: i32, ops: &[SemBuf]) -> Option<SemBuf> {
    lacking(id, ops)
        .map(|(op, _)| op)
        .or_else(|| ops.first().copied())
}

/// What would end a wait, where that is IPC.
pub(super) fn wakes(waiter: &Waiter) -> Option<String> {
    let fixed = match &*waiter.at_one_end() {
        // A terminal, an event, a timer: it has no other side.
        wait if waiter.thing.is_none() && wait.descriptor().is_some() => return None,
        // Of another IPC namespace: there the id is another set's.
        Wait::SemOp { .. } if waiter.thing.is_none() => "semop",
        Wait::SemOp { id, ops, .. } => return Some(semaphore(*id, ops)),
        Wait::MsgReceive { mtype, flags, .. } => return Some(message(*mtype, *flags)),
        Wait::MsgSend { size, .. } => return Some(format!("msgrcv that makes room for {size} B")),
        Wait::Read { .. } => "write, or the last close of the other side",
        Wait::Write { .. } => "read, or the last close of the other side",
        Wait::Splice { .. } => "write or read at its other end",
        Wait::Open { .. } => "open of the other side",
        Wait::Accept { .. } => "connect",
        Wait::Connect { .. } => "accept",
        Wait::Receive { .. } => "send, or shutdown or close of the other side",
        Wait::Send { .. } => "recv, or shutdown or close of the other side",
        Wait::MqSend { .. } => "mq_receive",
        Wait::MqReceive { .. } => "mq_send",
        Wait::Futex { private: true, .. } => "a thread of its own process",
        Wait::Futex { .. } => "sem_post, or another futex wake",
        Wait::SigWait => "a signal",
        Wait::FileLock { .. } => "unlock, or the last close of it",
        Wait::Sleep | Wait::Poll | Wait::Child | Wait::Restart | Wait::Other { .. } => return None,
    };
    Some(fixed.into())
}

fn semaphore(id: i32, ops: &[SemBuf]) -> String {
    match lacking(id, ops) {
        Some((op, 0)) => format!("semop that lets [{}] come to 0", op.num),
        Some((op, n)) => format!("semop +{n} on [{}]", op.num),
        None => "semop".into(),
    }
}

fn message(mtype: i64, flags: i32) -> String {
    match mtype {
        0 => "msgsnd".into(),
        n if flags & libc::MSG_EXCEPT != 0 => format!("msgsnd of a type other than {n}"),
        n @ 1.. => format!("msgsnd of type {n}"),
        n => format!("msgsnd of a type up to {}", n.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::syscall::SyscallState;
    use crate::inspect::thing::Thing;
    use crate::inspect::wait::Observation;
    use crate::kernel::sem;
    use crate::kernel::sysv::IPC_PRIVATE;

    #[test]
    fn a_set_of_another_namespace_is_not_taken_for_ours_of_the_same_id() {
        let id = sem::get(IPC_PRIVATE, 1, 0o600, true, false).unwrap();
        let takes = SemBuf {
            num: 0,
            op: -3,
            undo: false,
            nowait: false,
        };
        let mut waiter = Waiter {
            pid: 7,
            tid: 7,
            comm: "taker".into(),
            wait: Wait::SemOp {
                id,
                ops: vec![takes],
                timeout: false,
            },
            thing: Some(Thing::Sem(id)),
            path: None,
            seen: Observation {
                state: 'S',
                syscall: SyscallState::Running,
                switches: 1,
            },
        };
        let here = wakes(&waiter);
        waiter.thing = None;
        let elsewhere = wakes(&waiter);
        sem::remove(id).unwrap();
        assert_eq!(here.as_deref(), Some("semop +3 on [0]"));
        assert_eq!(elsewhere.as_deref(), Some("semop"));
    }
}
