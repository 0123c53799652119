//! What on the host is the cause of a refusal: who could have put there what a call lacked, who fills
//! the limit.

use std::collections::HashMap;

use super::Sight;
use crate::data::{Family, Lack, Object};
use crate::inspect::thing::Thing;
use crate::inspect::{abandoned, posix, sysv, unix};
use crate::kernel::fds::Access;
use crate::kernel::{msg, sem};

/// The cause, for a sentence behind what the refusal means. `None` where nothing more is known.
pub fn cause(sight: &Sight, lack: &Lack) -> Option<String> {
    match lack {
        Lack::Data(Family::Msgq, Object::Id(id)) => {
            let queue = msg::stat_any_id(*id).ok()?;
            Some(match sight.operator(queue.lspid, queue.stime) {
                Some(who) => format!("last sent to by {who}"),
                None if queue.stime != 0 => "last sent to from another pid namespace".into(),
                None => "nobody has ever sent to it".into(),
            })
        }
        Lack::Room(Family::Msgq, Object::Id(id)) => {
            let queue = msg::stat_any_id(*id).ok()?;
            Some(match sight.operator(queue.lrpid, queue.rtime) {
                Some(who) => format!("last received from by {who}"),
                None if queue.rtime != 0 => "last received from in another pid namespace".into(),
                None => "nobody has ever received from it".into(),
            })
        }
        Lack::Value(Object::Id(id), num) => {
            let set = sem::stat_any_id(*id).ok()?;
            let pid = sem::pid(*id, i32::from(*num)).ok()?;
            let who = sight.operator(pid, set.otime.max(set.ctime))?;
            Some(format!("last operated on by {who}"))
        }
        Lack::Value(object, _) => {
            let thing = Thing::of(Family::Sem, object)?;
            let mapped = sight.snapshot.mapped().of(thing).map(|m| m.pid);
            let who = people(sight, mapped)?;
            Some(format!("mapped by {who}"))
        }
        Lack::Data(Family::Sock, object) | Lack::Room(Family::Sock, object) => {
            let peer = unix::one(object.inode()?).ok()??.peer?;
            let open = sight.snapshot.open();
            let holders = open.on(Thing::Socket(peer)).iter().map(|d| d.pid);
            let who = people(sight, holders)?;
            Some(format!("its other side is {who}"))
        }
        Lack::Data(family, object) => {
            let who = people(sight, ends(sight, *family, object, Access::writes))?;
            Some(format!("open for writing in {who}"))
        }
        Lack::Room(family, object) => {
            let who = people(sight, ends(sight, *family, object, Access::reads))?;
            Some(format!("open for reading in {who}"))
        }
        Lack::Place {
            family: Family::Msgq,
            posix: true,
        } => full_of_queues(sight),
        Lack::Place { family, .. } => full(sight, *family),
        // Only who removed it knows.
        Lack::Removed(..) => None,
    }
}

/// Who has an object open in this way, as far as may be seen.
fn ends(sight: &Sight, family: Family, object: &Object, how: fn(Access) -> bool) -> Vec<i32> {
    let Some(thing) = Thing::of(family, object) else {
        return Vec::new();
    };
    let open = sight.snapshot.open().on(thing).iter();
    let so = open.filter(|d| d.access.is_none_or(how));
    so.map(|d| d.pid).collect()
}

/// How many processes are named.
const NAMED: usize = 3;

/// `b (pid 7) and cat (pid 9)`; `None` for nobody.
fn people(sight: &Sight, pids: impl IntoIterator<Item = i32>) -> Option<String> {
    let mut pids: Vec<i32> = pids.into_iter().collect();
    pids.sort_unstable();
    pids.dedup();
    let named: Vec<String> = pids.iter().take(NAMED).map(|pid| sight.who(*pid)).collect();
    Some(match (named.as_slice(), pids.len().saturating_sub(NAMED)) {
        ([], _) => return None,
        ([one], _) => one.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (named, more) => format!("{} and {more} more", named.join(", ")),
    })
}

/// Whose the objects of a family are, and how many of them nobody uses.
fn full(sight: &Sight, family: Family) -> Option<String> {
    let gone = |pid: i32, when: i64| sight.is_gone(pid, when);
    let mut uids: HashMap<u32, usize> = HashMap::new();
    let mut count = |uid| *uids.entry(uid).or_default() += 1;
    let mut orphans = 0;
    match family {
        Family::Msgq => sysv::queues().iter().for_each(|q| {
            count(q.perm.uid);
            orphans += usize::from(abandoned::queue(q, &gone));
        }),
        Family::Shm => sysv::segments().iter().for_each(|s| {
            count(s.perm.uid);
            orphans += usize::from(abandoned::segment(s, &gone).is_some());
        }),
        Family::Sem => sysv::sets().iter().for_each(|s| {
            count(s.perm.uid);
            orphans += usize::from(abandoned::set(s, &gone).is_some());
        }),
        _ => return None,
    }
    let owner = owner_of_most(sight, uids)?;
    Some(match orphans {
        0 => owner,
        n => format!("{owner}, {n} are orphaned: see `doctor`"),
    })
}

fn owner_of_most(sight: &Sight, uids: HashMap<u32, usize>) -> Option<String> {
    let total: usize = uids.values().sum();
    let (uid, most) = uids.into_iter().max_by_key(|(_, n)| *n)?;
    Some(format!("{most} of {total} are {}'s", sight.user(uid)))
}

fn full_of_queues(sight: &Sight) -> Option<String> {
    let queues = posix::queues().ok()?;
    let mut uids: HashMap<u32, usize> = HashMap::new();
    queues
        .iter()
        .for_each(|q| *uids.entry(q.node.uid).or_default() += 1);
    let open = sight.snapshot.open();
    let unopened = |q: &&posix::Queue| open.on(Thing::Queue((&q.node).into())).is_empty();
    let owner = owner_of_most(sight, uids)?;
    Some(match queues.iter().filter(unopened).count() {
        0 => owner,
        n => format!("{owner}, nobody that may be looked into has {n} of them open"),
    })
}
