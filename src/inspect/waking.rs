//! Who could wake a thread that waits, as far as the kernel tells.

use super::decode::{SemBuf, Wait};
use super::descriptors::Descriptor;
use super::process::{Certainty, last_operator};
use super::snapshot::Snapshot;
use super::thing::Thing;
use super::unix::{self, SocketFile, State, UnixSocket};
use super::wait::Waiter;
use super::{locks, namespaces};
use crate::kernel::socket::{Address, Kind};
use crate::kernel::{msg, namespace, procfd, sem};

/// The processes that could wake somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wakers {
    /// Each once.
    pub pids: Vec<i32>,
    /// Whether they are all.
    pub sure: Sure,
}

/// What is known of those who could wake somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// They have what it takes, and nobody else has.
    Exact,
    /// They have what it takes; somebody else may who may not be looked into.
    Seen,
    /// Somebody must have what it takes, and nobody who has it can be seen: a process that may not be
    /// looked into, or a socket that it is on its way through (`SCM_RIGHTS`).
    Unseen,
    /// It operated last on what is waited for, and may hold it.
    LastOperator,
    /// Whoever may open the object; these used it last, or have it open.
    Anyone,
}

impl Wakers {
    fn new(sure: Sure, pids: impl IntoIterator<Item = i32>) -> Wakers {
        let mut pids: Vec<i32> = pids.into_iter().collect();
        pids.sort_unstable();
        pids.dedup();
        Wakers { pids, sure }
    }

    /// The holders of what it takes: the kernel lets nobody wait for what nobody can do.
    fn holders(snapshot: &Snapshot, pids: impl IntoIterator<Item = i32>) -> Wakers {
        let mut wakers = Wakers::new(Sure::Exact, pids);
        if wakers.pids.is_empty() {
            wakers.sure = Sure::Unseen;
        } else if snapshot.hides() {
            wakers.sure = Sure::Seen;
        }
        wakers
    }

    fn anyone() -> Wakers {
        Wakers::new(Sure::Anyone, [])
    }
}

/// Who could wake a thread.
pub fn wakers(snapshot: &Snapshot, waiter: &Waiter) -> Wakers {
    let Some(thing) = waiter.thing else {
        return match &waiter.wait {
            Wait::FileLock { .. } => Wakers::holders(snapshot, locks::holders(snapshot, waiter)),
            _ => Wakers::anyone(),
        };
    };
    let open = |what: fn(&Descriptor) -> bool| {
        let ends = snapshot.open().on(thing).iter();
        ends.filter(move |d| what(d)).map(|d| d.pid)
    };
    match (thing, &*waiter.at_one_end()) {
        (Thing::Pipe(_), Wait::Read { .. }) => Wakers::holders(snapshot, open(writes)),
        (Thing::Pipe(_), Wait::Write { .. }) => Wakers::holders(snapshot, open(reads)),
        // It may be opened by its path.
        (Thing::Fifo(_), Wait::Read { .. }) => Wakers::new(Sure::Anyone, open(writes)),
        (Thing::Fifo(_), Wait::Write { .. }) => Wakers::new(Sure::Anyone, open(reads)),
        (Thing::Queue(_), Wait::MqReceive { .. }) => Wakers::new(Sure::Anyone, open(writes)),
        (Thing::Queue(_), Wait::MqSend { .. }) => Wakers::new(Sure::Anyone, open(reads)),
        // Between two objects: either may be what it waits for.
        (_, Wait::Splice { .. }) => Wakers::anyone(),
        (Thing::Socket(ino), wait) => at_socket(snapshot, ino, waiter.tid, wait),
        (Thing::Sem(id), Wait::SemOp { ops, .. }) => semaphore(id, ops, waiter.pid),
        (Thing::Msgq(id), wait) => queue(id, matches!(wait, Wait::MsgSend { .. })),
        (Thing::Memory(_) | Thing::Shm(_), Wait::Futex { .. }) => {
            let mapped = snapshot.mapped().of(thing).map(|m| m.pid);
            let others = mapped.filter(|pid| *pid != waiter.pid);
            Wakers::new(Sure::Anyone, others)
        }
        _ => Wakers::anyone(),
    }
}

fn reads(descriptor: &Descriptor) -> bool {
    descriptor.access.is_none_or(|access| access.reads())
}

fn writes(descriptor: &Descriptor) -> bool {
    descriptor.access.is_none_or(|access| access.writes())
}

/// The operation of a semop(2) that is not allowed now, and how much it lacks; 0 where it waits for
/// zero. `None` where none is, or the values may not be read.
pub fn lacking(id: i32, ops: &[SemBuf]) -> Option<(SemBuf, i32)> {
    ops.iter().find_map(|op| {
        let value = sem::value(id, i32::from(op.num)).ok()?;
        let needed = -i32::from(op.op);
        match op.op {
            0 => (value != 0).then_some((*op, 0)),
            ..0 => (value < needed).then_some((*op, needed - value)),
            _ => None,
        }
    })
}

/// A value too low was last lowered by whom the semaphore remembers: had it been raised last, the
/// waiter would not wait. Where that is the waiter itself, it is no lock that another holds.
fn semaphore(id: i32, ops: &[SemBuf], waiter: i32) -> Wakers {
    let last = || {
        let (op, 1..) = lacking(id, ops)? else {
            return None;
        };
        let pid = sem::pid(id, i32::from(op.num))
            .ok()
            .filter(|pid| *pid != waiter)?;
        let set = sem::stat_any_id(id).ok()?;
        still_there(pid, set.otime.max(set.ctime))
    };
    match last() {
        Some(pid) => Wakers::new(Sure::LastOperator, [pid]),
        None => Wakers::anyone(),
    }
}

fn queue(id: i32, sending: bool) -> Wakers {
    let last = msg::stat_any_id(id).ok().and_then(|q| match sending {
        true => still_there(q.lrpid, q.rtime),
        false => still_there(q.lspid, q.stime),
    });
    Wakers::new(Sure::Anyone, last)
}

/// The pid that an object remembers, where the process is still the same.
fn still_there(pid: i32, when: i64) -> Option<i32> {
    let operator = last_operator(pid, when)?;
    matches!(operator.certainty, Certainty::Alive | Certainty::Hidden).then_some(pid)
}

/// The other side of a connected socket; of a full backlog, who listens; of a full queue of messages,
/// whose it is.
fn at_socket(snapshot: &Snapshot, ino: u64, tid: i32, wait: &Wait) -> Wakers {
    let holders = |ino: u64| {
        let ends = snapshot.open().on(Thing::Socket(ino)).iter();
        ends.map(|d| d.pid)
    };
    if let Wait::Connect { to: Some(to), .. } | Wait::Send { to: Some(to), .. } = wait {
        return match receiver(tid, wait, to) {
            Some(socket) => Wakers::holders(snapshot, holders(socket.ino)),
            None => Wakers::anyone(),
        };
    }
    let Ok(Some(socket)) = unix::one(ino) else {
        return Wakers::anyone();
    };
    match socket.peer {
        // Datagrams may come from others than the peer.
        Some(peer) if socket.kind != Kind::Dgram => Wakers::holders(snapshot, holders(peer)),
        Some(peer) => Wakers::new(Sure::Anyone, holders(peer)),
        None => Wakers::anyone(),
    }
}

/// The socket at the address that a thread gave to connect(2) or sendto(2): a path is as that thread
/// sees it, and an abstract name of its network namespace. `None` also where that may not be known.
pub fn receiver(tid: i32, wait: &Wait, to: &Address) -> Option<UnixSocket> {
    let file = match to {
        Address::Path(path) => {
            let file = procfd::file_at(tid, path).ok()?;
            Some(SocketFile {
                dev: file.dev,
                // As many bits as the kernel tells.
                ino: file.ino as u32,
            })
        }
        _ => {
            let net = |pid: i32| namespaces::id(pid, namespace::Kind::Net).ok();
            let ours = net(std::process::id().cast_signed());
            (ours.is_some() && net(tid) == ours).then_some(())?;
            None
        }
    };
    let is_there = |s: &UnixSocket| match file {
        Some(file) => s.file == Some(file),
        None => s.address == *to,
    };
    let takes = |s: &UnixSocket| match wait {
        Wait::Connect { .. } => s.state == State::Listen,
        _ => s.kind == Kind::Dgram,
    };
    let mut all = unix::all().ok()?.into_iter();
    all.find(|s| takes(s) && is_there(s))
}
