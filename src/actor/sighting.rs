//! What is seen of an actor.

use std::io;

use crate::inspect::wait::Wait;

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
