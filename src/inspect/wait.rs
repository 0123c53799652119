//! Which threads are blocked, and in what.
//!
//! The rule of the house: "blocked" is claimed when two observations of a thread are
//! equal and stalled. Equal counts of context switches say that it has not run between
//! them. Never a sleep, never `wchan`, never a guess.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use super::process::{self, ThreadStat, switches, thread_stat};
use super::syscall::{Syscall, SyscallState, syscall};
use super::thing::{Thing, behind, waited_at};

pub use super::decode::{SemBuf, Wait, decode, opened};
pub use super::words::{Kind, Name, address, address_bytes};

/// What was seen of a thread at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Its state, [`ThreadStat::state`].
    pub state: char,
    /// The call it is in.
    pub syscall: SyscallState,
    /// How often it has run, [`switches`].
    pub switches: u64,
}

impl Observation {
    /// Whether it sleeps, interruptibly, in a system call. A stopped thread (`T`) does
    /// not: it waits for SIGCONT, whatever call it was in. Nor does `D`, which ends by
    /// itself.
    pub fn is_stalled(&self) -> bool {
        self.call().is_some()
    }

    /// The call that it is stalled in.
    pub fn call(&self) -> Option<&Syscall> {
        match &self.syscall {
            SyscallState::Blocked(call) if self.state == 'S' => Some(call),
            _ => None,
        }
    }

    /// The call that a thread is blocked in, by the rule of the house: `self` and a
    /// `later` observation of it are equal and stalled.
    pub fn blocked(&self, later: &Observation) -> Option<&Syscall> {
        self.call().filter(|_| self == later)
    }
}

/// Looks at a thread. An error means that it is gone.
pub fn observe(pid: i32, tid: i32) -> io::Result<Observation> {
    let syscall = syscall(pid, tid)?;
    Ok(look(pid, tid, syscall)?.0)
}

/// Looks at a thread that is in a call, and at its name. It is in it if it has not run until it is
/// looked at again: the call of that time stands between the two counts.
fn look(pid: i32, tid: i32, syscall: SyscallState) -> io::Result<(Observation, String)> {
    let switches = switches(pid, tid)?;
    let stat = thread_stat(pid, tid)?;
    let seen = Observation {
        state: stat.state,
        syscall,
        switches,
    };
    Ok((seen, stat.comm))
}

/// A thread that is blocked in IPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its process.
    pub pid: i32,
    /// The thread.
    pub tid: i32,
    /// The thread's name, which is its process's unless it has chosen one: any bytes.
    pub comm: String,
    /// What it waits for.
    pub wait: Wait,
    /// The object that it waits at, where it is one and may be known: not one of another IPC
    /// namespace, whose ids mean something else there.
    pub thing: Option<Thing>,
    /// A path of the object, as the process sees it.
    pub path: Option<PathBuf>,
    /// What was seen of it, twice.
    pub seen: Observation,
}

/// What one pass over the host has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiters {
    /// The threads blocked in IPC, in the kernel's order of processes.
    pub found: Vec<Waiter>,
    /// How many processes could not be looked into, for want of privilege: any of them may
    /// wait too. Threads of the kernel's own are not among them.
    pub unreadable: usize,
}

impl Waiters {
    /// So many threads are seen to wait at something. `None` where that is none, and a process may not
    /// be looked into: it may wait there.
    pub fn known(&self, seen: usize) -> Option<usize> {
        Some(seen).filter(|seen| *seen > 0 || self.unreadable == 0)
    }
}

/// A thread in an IPC call, seen once.
struct Candidate {
    pid: i32,
    tid: i32,
    seen: Observation,
    comm: String,
}

/// The threads of these processes that are blocked in IPC ([`Wait::is_ipc`]). All are looked at
/// once, and those that stall there a second time after the pass.
pub fn waiters(pids: impl IntoIterator<Item = i32>) -> Waiters {
    let mut unreadable = 0;
    let mut candidates = Vec::new();
    for pid in pids {
        if !collect(pid, &mut candidates) {
            unreadable += 1;
        }
    }
    let here = process::ipc_namespace(std::process::id().cast_signed());
    let found = candidates.into_iter().filter_map(|c| confirm(c, here));
    Waiters {
        found: found.collect(),
        unreadable,
    }
}

/// Adds the threads of `pid` that stall in IPC; false when they may not be looked at.
fn collect(pid: i32, candidates: &mut Vec<Candidate>) -> bool {
    let threads = match process::threads(pid) {
        Ok(threads) => threads,
        // Hidden by `hidepid`, or gone.
        Err(e) => return e.kind() != io::ErrorKind::PermissionDenied,
    };
    for tid in threads {
        match syscall(pid, tid) {
            Ok(SyscallState::Blocked(call)) if Wait::may_be_ipc(&call) => {
                let Ok((seen, comm)) = look(pid, tid, SyscallState::Blocked(call)) else {
                    continue;
                };
                if seen.is_stalled() {
                    candidates.push(Candidate {
                        pid,
                        tid,
                        seen,
                        comm,
                    });
                }
            }
            Ok(SyscallState::Unreadable(_)) => match thread_stat(pid, tid) {
                Ok(stat) if stat.is_dead() => {}
                // Access is the same for all threads: the others need not be asked.
                stat => return !makes_calls(stat),
            },
            Ok(_) | Err(_) => {}
        }
    }
    true
}

/// Whether there is a thread that can be in a system call.
fn makes_calls(stat: io::Result<ThreadStat>) -> bool {
    stat.is_ok_and(|stat| !stat.is_kernel_thread() && !stat.is_dead())
}

/// `here` is our own IPC namespace.
fn confirm(candidate: Candidate, here: Option<u64>) -> Option<Waiter> {
    let wait = decode(candidate.tid, candidate.seen.call()?);
    match wait.is_ipc() {
        true => waiter(candidate, wait, here),
        false => None,
    }
}

fn waiter(candidate: Candidate, wait: Wait, here: Option<u64>) -> Option<Waiter> {
    let Candidate {
        pid,
        tid,
        seen,
        comm,
    } = candidate;
    // By the thread: the first of a process may have ended.
    let is_here = || here.is_some() && process::ipc_namespace(tid) == here;
    let (thing, path) = match waited_at(tid, &wait, is_here) {
        Some((thing, path)) => (Some(thing), path),
        None => (None, None),
    };
    let waiter = Waiter {
        pid,
        tid,
        comm,
        wait,
        thing,
        path,
        seen,
    };
    // Last, so that all of this was so while it was blocked.
    waiter.is_still().then_some(waiter)
}

/// What a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is blocked in a call, IPC or not.
    Blocked(Box<Waiter>),
    /// It is not, as far as it can be seen; its state, [`ThreadStat::state`].
    State(char),
    /// It may not be known.
    Hidden,
}

/// What each thread of a process does; empty where there is no such process.
pub fn threads_of(pid: i32) -> Vec<(i32, Doing)> {
    let here = process::ipc_namespace(std::process::id().cast_signed());
    let threads = process::threads(pid).into_iter().flatten();
    threads
        .filter_map(|tid| Some((tid, doing(pid, tid, here)?)))
        .collect()
}

/// `None` where the thread is gone.
fn doing(pid: i32, tid: i32, here: Option<u64>) -> Option<Doing> {
    let (seen, comm) = look(pid, tid, syscall(pid, tid).ok()?).ok()?;
    let has_ended = matches!(seen.state, 'Z' | 'X');
    if matches!(seen.syscall, SyscallState::Unreadable(_)) && !has_ended {
        return Some(Doing::Hidden);
    }
    let state = Doing::State(seen.state);
    let Some(wait) = seen.call().map(|call| decode(tid, call)) else {
        return Some(state);
    };
    let candidate = Candidate {
        pid,
        tid,
        seen,
        comm,
    };
    let blocked = waiter(candidate, wait, here);
    Some(blocked.map_or(state, |waiter| Doing::Blocked(waiter.into())))
}

impl Waiter {
    /// Whether it has not run since it was seen: then it is in the same sleep, in the same call.
    pub fn is_still(&self) -> bool {
        let (pid, tid) = (self.pid, self.tid);
        let same_call = syscall(pid, tid).is_ok_and(|call| call == self.seen.syscall);
        same_call && switches(pid, tid).is_ok_and(|times| times == self.seen.switches)
    }

    /// Its wait; one in splice(2) or its kin that has an object on one side alone is one to read there, or
    /// to write.
    pub fn at_one_end(&self) -> Cow<'_, Wait> {
        let Wait::Splice { from, to } = self.wait else {
            return Cow::Borrowed(&self.wait);
        };
        let is_object = |fd| behind(self.tid, fd).is_some();
        match (is_object(from), is_object(to)) {
            (true, false) => Cow::Owned(Wait::Read { fd: from }),
            (false, true) => Cow::Owned(Wait::Write { fd: to }),
            _ => Cow::Borrowed(&self.wait),
        }
    }
}

#[cfg(test)]
mod tests;
