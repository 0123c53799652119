//! Who else uses an object: what `rm` at the prompt asks about.

use super::Sight;
use crate::data::{Family, Object};
use crate::inspect::attached::attached;
use crate::inspect::pipes;
use crate::inspect::process::{self, Certainty, last_operator};
use crate::inspect::wait::Wait;
use crate::kernel::{msg, sem, shm};

/// A set may hold tens of thousands of semaphores: so many are asked for their last
/// operators.
const SEMAPHORES: u64 = 256;

/// The processes that use an object and are none of this session's, in words: those that
/// wait on it, have it attached, or operated on it last and still run.
pub fn users(sight: &Sight, family: Family, object: &Object) -> Vec<String> {
    let own = std::process::id().cast_signed();
    let ours = |pid: i32| pid == own || sight.actors.contains_key(&pid);
    let mut found: Vec<(i32, &str)> = Vec::new();
    let mut unknown = 0;
    if let Some(id) = object.id() {
        let here = sight.ipc_namespace();
        for waiter in &sight.waiters().found {
            if waiter.ipc_namespace == here && waited_on(&waiter.wait) == Some((family, id)) {
                found.push((waiter.pid, "waits on it"));
            }
        }
        if let (Family::Shm, Ok(segment)) = (family, shm::stat_any_id(id)) {
            let holders = attached(id);
            let known: u64 = holders.iter().map(|(_, times)| times).sum();
            unknown = segment.nattch.saturating_sub(known);
            found.extend(holders.iter().map(|(pid, _)| (*pid, "has it attached")));
        }
        for (pid, when) in operators(family, id) {
            let alive = |pid| {
                last_operator(pid, when)
                    .is_some_and(|o| matches!(o.certainty, Certainty::Alive | Certainty::Hidden))
            };
            if !found.iter().any(|(p, _)| *p == pid) && !ours(pid) && alive(pid) {
                found.push((pid, "operated on it last"));
            }
        }
    }
    if let Some(pipe) = object.path().and_then(|path| pipes::fifo(path).ok()) {
        found.extend(pipe.ends.iter().map(|end| (end.pid, "has it open")));
    }
    if family == Family::Sock {
        let users = super::sock::users(object).into_iter();
        found.extend(users.map(|pid| (pid, "has it open")));
    }
    let mut words = Vec::new();
    let mut named = Vec::new();
    for (pid, what) in found {
        if !ours(pid) && !named.contains(&pid) {
            named.push(pid);
            words.push(match process::command(pid) {
                Some(comm) => format!("{comm} (pid {pid}) {what}"),
                None => format!("pid {pid} {what}"),
            });
        }
    }
    if unknown > 0 {
        words.push(match unknown {
            1 => "a process that cannot be looked into has it attached".to_string(),
            n => format!("it is attached {n} times by processes that cannot be looked into"),
        });
    }
    words
}

fn waited_on(wait: &Wait) -> Option<(Family, i32)> {
    match wait {
        Wait::MsgSend { id, .. } | Wait::MsgReceive { id, .. } => Some((Family::Msgq, *id)),
        Wait::SemOp { id, .. } => Some((Family::Sem, *id)),
        _ => None,
    }
}

/// The processes that the kernel remembers for an object's last operations, and when.
fn operators(family: Family, id: i32) -> Vec<(i32, i64)> {
    match family {
        Family::Msgq => msg::stat_any_id(id).map_or_else(
            |_| Vec::new(),
            |q| vec![(q.lspid, q.stime), (q.lrpid, q.rtime)],
        ),
        Family::Shm => shm::stat_any_id(id)
            .map_or_else(|_| Vec::new(), |s| vec![(s.lpid, s.atime.max(s.dtime))]),
        Family::Sem => sem::stat_any_id(id).map_or_else(
            |_| Vec::new(),
            |s| {
                let all = 0..s.nsems.min(SEMAPHORES) as i32;
                all.filter_map(|num| Some((sem::pid(id, num).ok()?, s.otime.max(s.ctime))))
                    .collect()
            },
        ),
        Family::Pipe | Family::Fifo | Family::Sock => Vec::new(),
    }
}
