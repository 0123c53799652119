//! Who has to do with an object: has it attached or open, waits at it, or operated on it last.

use super::Sight;
use crate::data::{Family, Object};
use crate::inspect::descriptors::Access;
use crate::inspect::process::Certainty;
use crate::inspect::thing::Thing;
use crate::inspect::wait::{Wait, Waiter};
use crate::kernel::{msg, sem, shm};

/// A set may hold tens of thousands of semaphores: so many are asked for their last
/// operators.
const SEMAPHORES: u64 = 256;

/// What a process has to do with an object.
#[derive(Clone, Debug)]
pub struct Use {
    /// The process, or the one that had this pid.
    pub pid: i32,
    /// What it does with it.
    pub how: How,
}

/// How an object is used.
#[derive(Clone, Debug)]
pub enum How {
    /// It is mapped there.
    Attached {
        /// Whether it may be written.
        writable: bool,
    },
    /// A descriptor is open on it.
    Open {
        /// The descriptor.
        fd: i32,
        /// What it is open for.
        access: Option<Access>,
    },
    /// A thread is blocked at it.
    Waiting(Box<Waiter>),
    /// It made the object, which remembers its pid.
    Created {
        /// When at the latest, in seconds since the epoch.
        when: i64,
    },
    /// It is the last to have done something, and the object remembers its pid.
    Operated {
        /// What it did: `sent last`.
        what: String,
        /// When at the latest, in seconds since the epoch.
        when: i64,
    },
}

/// Who uses an object, as far as it can be seen.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Who, and how: all that is attached, then what is open, who waits, and who operated last.
    pub found: Vec<Use>,
    /// How often a segment is attached by processes that could not be looked into.
    pub unseen: u64,
}

/// Everything that has to do with an object; of a set with `index`, with that semaphore.
pub fn uses(sight: &Sight, family: Family, object: &Object, index: Option<u32>) -> Uses {
    let mut uses = Uses::default();
    let mut add = |pid, how| uses.found.push(Use { pid, how });
    if let Some(thing) = Thing::of(family, object) {
        if matches!(thing, Thing::Shm(_) | Thing::Memory(_)) {
            for mapping in sight.snapshot.mapped().of(thing) {
                let writable = mapping.writable;
                add(mapping.pid, How::Attached { writable });
            }
        }
        if !matches!(thing, Thing::Msgq(_) | Thing::Shm(_) | Thing::Sem(_)) {
            for d in sight.snapshot.open().on(thing) {
                let (fd, access) = (d.fd, d.access);
                add(d.pid, How::Open { fd, access });
            }
        }
        for waiter in sight.snapshot.waiting_at(thing) {
            if index.is_none_or(|index| concerns(&waiter.wait, index)) {
                add(waiter.pid, How::Waiting(Box::new(waiter.clone())));
            }
        }
    }
    for (pid, how) in remembered(family, object, index) {
        if pid != 0 {
            add(pid, how);
        }
    }
    if let (Family::Shm, Some(Ok(segment))) = (family, object.id().map(shm::stat_any_id)) {
        let attached = |u: &&Use| matches!(u.how, How::Attached { .. });
        let seen = uses.found.iter().filter(attached).count();
        uses.unseen = segment.nattch.saturating_sub(seen as u64);
    }
    uses
}

/// Whether a wait is for one semaphore of a set, among others.
fn concerns(wait: &Wait, index: u32) -> bool {
    match wait {
        // Nothing is known of the operations where they could not be read.
        Wait::SemOp { ops, .. } => ops.is_empty() || ops.iter().any(|o| u32::from(o.num) == index),
        _ => true,
    }
}

/// The processes that an object remembers.
fn remembered(family: Family, object: &Object, index: Option<u32>) -> Vec<(i32, How)> {
    let Some(id) = object.id() else {
        return Vec::new();
    };
    let operated = |what: &str, when| How::Operated {
        what: what.to_string(),
        when,
    };
    match family {
        Family::Msgq => msg::stat_any_id(id).map_or_else(
            |_| Vec::new(),
            |q| {
                vec![
                    (q.lspid, operated("sent last", q.stime)),
                    (q.lrpid, operated("received last", q.rtime)),
                ]
            },
        ),
        Family::Shm => shm::stat_any_id(id).map_or_else(
            |_| Vec::new(),
            |s| {
                let when = s.atime.max(s.dtime);
                vec![
                    (s.cpid, How::Created { when: s.ctime }),
                    (s.lpid, operated("attached or detached last", when)),
                ]
            },
        ),
        Family::Sem => semaphore_operators(id, index),
        Family::Pipe | Family::Fifo | Family::Sock => Vec::new(),
    }
}

/// Each process once, with the semaphores that remember it.
fn semaphore_operators(id: i32, index: Option<u32>) -> Vec<(i32, How)> {
    let Ok(set) = sem::stat_any_id(id) else {
        return Vec::new();
    };
    // SETVAL and SETALL make one the last operator too, and leave the otime alone.
    let when = set.otime.max(set.ctime);
    let mut found: Vec<(i32, Vec<String>)> = Vec::new();
    for num in 0..set.nsems.min(SEMAPHORES) as i32 {
        if index.is_some_and(|index| i64::from(index) != i64::from(num)) {
            continue;
        }
        let Ok(pid @ 1..) = sem::pid(id, num) else {
            continue;
        };
        match found.iter_mut().find(|(known, _)| *known == pid) {
            Some((_, nums)) => nums.push(num.to_string()),
            None => found.push((pid, vec![num.to_string()])),
        }
    }
    let operated = |(pid, nums): (i32, Vec<String>)| {
        let what = match set.nsems {
            1 => "operated last".to_string(),
            _ => format!("operated [{}] last", nums.join(",")),
        };
        (pid, How::Operated { what, when })
    };
    found.into_iter().map(operated).collect()
}

/// The processes that use an object and are none of this session's, in words: those that
/// wait on it, have it attached or open, or operated on it last and still run.
pub fn users(sight: &Sight, family: Family, object: &Object) -> Vec<String> {
    let own = sight.shell;
    let uses = uses(sight, family, object, None);
    let mut words = Vec::new();
    let mut named = vec![own];
    for Use { pid, how } in uses.found {
        let what = match how {
            How::Attached { .. } => "has it attached",
            How::Open { .. } => "has it open",
            How::Waiting(_) => "waits on it",
            How::Created { .. } => continue,
            How::Operated { when, .. } => match sight.last_operator(pid, when) {
                Some(o) if matches!(o.certainty, Certainty::Alive | Certainty::Hidden) => {
                    "operated on it last"
                }
                _ => continue,
            },
        };
        if !named.contains(&pid) && !sight.actors.contains_key(&pid) {
            named.push(pid);
            words.push(format!("{} {what}", sight.who(pid)));
        }
    }
    match uses.unseen {
        0 => {}
        1 => words.push("a process that cannot be looked into has it attached".into()),
        n => words.push(format!(
            "it is attached {n} times by processes that cannot be looked into"
        )),
    }
    words
}
