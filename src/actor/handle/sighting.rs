//! What an actor is seen doing.

use std::io;

use super::Actor;
use crate::inspect::syscall::SyscallState;
use crate::inspect::wait::{Wait, decode, observe};

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
}

/// Whether /proc could not be read because there is no such process any more.
fn is_of_no_process(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(libc::ESRCH)
}
