//! Threads that wait for each other.
//!
//! A thread is stuck if all who could wake it are stuck. Who could is exact for pipes and connected
//! sockets; for a semaphore it is its last operator, who may hold it: so a cycle is suspected, no more.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::decode::Wait;
use super::process;
use super::snapshot::Snapshot;
use super::thing::Thing;
use super::wait::Waiter;
use super::waking::{Sure, Wakers, wakers};
use crate::kernel::sem;

/// Threads that wait for each other, each followed by one that could wake it.
#[derive(Clone, Debug)]
pub struct Cycle<'a>(pub Vec<Member<'a>>);

/// A thread of a cycle.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// What it waits for.
    pub waiter: &'a Waiter,
    /// Who could wake it: all of them stuck.
    pub wakers: Wakers,
}

impl Cycle<'_> {
    /// Whether none of its semaphores was operated on in these last seconds. Where one was, the cycle
    /// may be one of a moment, that a process nobody suspects ends: look again at
    /// [`Cycle::is_still`] after a while.
    pub fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs().cast_signed());
        let quiet = |m: &Member| match m.waiter.thing {
            Some(Thing::Sem(id)) => sem::stat_any_id(id).is_ok_and(|set| set.otime + 2 < now),
            _ => true,
        };
        self.0.iter().all(quiet)
    }

    /// Whether none of its threads has run since it was seen.
    pub fn is_still(&self) -> bool {
        self.0.iter().all(|m| m.waiter.is_still())
    }
}

/// The cycles of threads that wait for each other. Where not all may be seen, those of semaphores.
pub fn cycles(snapshot: &Snapshot) -> Vec<Cycle<'_>> {
    let all = snapshot.waiters().found.iter();
    let mut stuck: Vec<Member> = all
        .filter(|waiter| waiter.thing.is_some() && !ends_by_itself(&waiter.wait))
        .map(|waiter| Member {
            wakers: wakers(snapshot, waiter),
            waiter,
        })
        .filter(|m| matches!(m.wakers.sure, Sure::Exact | Sure::LastOperator))
        .collect();
    only_each_other(&mut stuck);
    // Before anything is said, everything is looked at again.
    stuck.retain(|m| m.waiter.is_still());
    only_each_other(&mut stuck);
    in_order(stuck)
}

fn ends_by_itself(wait: &Wait) -> bool {
    matches!(wait, Wait::SemOp { timeout: true, .. })
}

/// Keeps the largest set of threads whose wakers are processes with no thread outside of it.
fn only_each_other(stuck: &mut Vec<Member>) {
    let mut threads: HashMap<i32, usize> = HashMap::new();
    let mut count = |pid: i32| {
        *threads
            .entry(pid)
            .or_insert_with(|| process::threads(pid).map_or(usize::MAX, Iterator::count))
    };
    loop {
        let mut stuck_of: HashMap<i32, usize> = HashMap::new();
        for member in stuck.iter() {
            *stuck_of.entry(member.waiter.pid).or_default() += 1;
        }
        let before = stuck.len();
        stuck.retain(|m| {
            let mut wakers = m.wakers.pids.iter();
            wakers.all(|pid| stuck_of.get(pid).is_some_and(|n| *n == count(*pid)))
        });
        if stuck.len() == before {
            return;
        }
    }
}

/// From each thread to one that could wake it, until one comes again: the cycles, each once. Those
/// that only wait for somebody in one are left out.
fn in_order(stuck: Vec<Member>) -> Vec<Cycle> {
    let next = |place: usize| -> Option<usize> {
        let waker = stuck[place].wakers.pids.first()?;
        stuck.iter().position(|m| m.waiter.pid == *waker)
    };
    let mut seen = vec![false; stuck.len()];
    let mut found = Vec::new();
    for start in 0..stuck.len() {
        let mut path = Vec::new();
        let mut place = Some(start);
        while let Some(at) = place.filter(|at| !seen[*at]) {
            seen[at] = true;
            path.push(at);
            place = next(at);
        }
        if let Some(begin) = place.and_then(|at| path.iter().position(|p| *p == at)) {
            let members = path[begin..].iter().map(|at| stuck[*at].clone());
            found.push(Cycle(members.collect()));
        }
    }
    found
}
