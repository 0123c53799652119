//! What an actor is seen doing.

use std::io;
use std::time::{Duration, Instant};

use super::{Actor, WAY_OUT};
use crate::inspect::process::signals::signals;
use crate::inspect::process::thread_stat;
use crate::inspect::syscall::SyscallState;
use crate::inspect::wait::{Wait, decode, observe};

/// How long it is waited for, before it is asked again whether it ends at all.
const SLICE: Duration = Duration::from_millis(1);

/// What was seen of an actor. All that stands still is said only of what is seen twice, with
/// no switch of context in between; `at` counts them, so that equal numbers mean that it has
/// not run.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// It waits for an order.
    Idle,
    /// It runs, or has not been seen twice at the same place.
    Running,
    /// The kernel shows it blocked.
    Blocked {
        /// The number of its step.
        step: u64,
        /// What it waits for.
        wait: Wait,
        /// Where it stands still.
        at: u64,
    },
    /// It was stopped, from outside.
    Stopped {
        /// By this signal; `None` where a tracer did.
        by: Option<i32>,
        /// Where it stands still.
        at: u64,
    },
    /// It sleeps in a step, and the kernel does not let us read in which call.
    Unreadable {
        /// Why.
        why: io::ErrorKind,
        /// Where it stands still.
        at: u64,
    },
    /// Its process is gone.
    Dead,
}

impl Sighting {
    /// Where it stands still, if it does.
    pub fn standstill(&self) -> Option<u64> {
        match self {
            Sighting::Blocked { at, .. }
            | Sighting::Stopped { at, .. }
            | Sighting::Unreadable { at, .. } => Some(*at),
            _ => None,
        }
    }
}

impl Actor {
    /// Looks at it once more. What stands still is said only of what is seen twice.
    pub fn look(&mut self) -> Sighting {
        if self.gone {
            return Sighting::Dead;
        }
        if !self.is_busy() {
            return match self.stopped_by() {
                None => Sighting::Idle,
                by => Sighting::Stopped { by, at: 0 },
            };
        }
        let pid = self.pid();
        let before = self.running();
        let seen = match observe(pid, pid) {
            Ok(seen) => seen,
            Err(e) if is_of_no_process(&e) => return Sighting::Dead,
            Err(e) => {
                return Sighting::Unreadable {
                    why: e.kind(),
                    at: 0,
                };
            }
        };
        let step = self.running();
        let earlier = self.last_seen.replace((step, seen.clone()));
        if before != step || earlier != Some((step, seen.clone())) {
            return Sighting::Running;
        }
        self.receive_unsent();
        let at = seen.switches;
        match (seen.state, &seen.syscall, step) {
            ('T' | 't', _, _) => Sighting::Stopped {
                by: self.stopped_by(),
                at,
            },
            ('S' | 'D', SyscallState::Unreadable(why), Some(_)) => {
                Sighting::Unreadable { why: *why, at }
            }
            (_, _, Some(step)) if let Some(call) = seen.call() => {
                let wait = decode(pid, call);
                Sighting::Blocked { step, wait, at }
            }
            _ => Sighting::Running,
        }
    }

    /// The signal that has stopped it.
    fn stopped_by(&self) -> Option<i32> {
        let child = self.line.as_ref().map(|line| &line.child)?;
        child.stopped_by().ok().flatten()
    }

    /// Waits until its process has ended, where something has come that ends it: its stream tells it by
    /// then. Nothing is waited for where nothing has come.
    pub fn await_end(&self) {
        let Some(line) = &self.line else {
            return;
        };
        let begun = Instant::now();
        while self.may_be_ending()
            && begun.elapsed() < WAY_OUT
            && line.child.wait_within(SLICE) == Ok(None)
        {}
    }

    /// Whether it ends, or may: whatever ends it wakes it, so that what sleeps lives on.
    fn may_be_ending(&self) -> bool {
        let pid = self.pid();
        let killed = || signals(pid, pid).is_ok_and(|s| s.pending().contains(libc::SIGKILL));
        match thread_stat(pid, pid) {
            Ok(stat) if stat.is_ending() => true,
            Ok(stat) if matches!(stat.state, 'S' | 'T' | 't') => false,
            // One that is at work runs anyway. A signal that ends a process sends SIGKILL to its threads.
            Ok(_) => !self.is_busy() || killed(),
            Err(_) => true,
        }
    }
}

/// Whether /proc could not be read because there is no such process any more.
fn is_of_no_process(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(libc::ESRCH)
}
