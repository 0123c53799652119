//! An actor's place in a session: its process, and what became of the step it was left with.

use std::sync::Arc;
use std::time::Instant;

use crate::actor::{Actor, Report};
use crate::data::{Cell, Failure, FailureKind, StepResult};
use crate::kernel::process::Ended;
use crate::kernel::signal::signal_name;
use crate::kernel::signal::trap::Caught;
use crate::lang::{Claim, Source, Step};
use crate::session::Held;

/// An actor and what the session knows of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub actor: Actor,
    pub state: State,
    /// How its pending step ended that the prompt was told of: until its next step that may still be
    /// asked.
    pub told: Option<(Pending, StepResult)>,
    /// The signals that it has caught and nobody was told of.
    pub caught: Vec<Caught>,
    /// The descriptors that it holds, the newest last.
    pub files: Vec<Held>,
    /// How much of the log it knows; `None`: nothing yet.
    pub cursor: Option<usize>,
    /// The first step that knows the last news it was sent.
    pub informed: u64,
}

/// Whether an actor is free for the next step.
#[derive(Debug)]
pub(super) enum State {
    /// No step of it is left pending.
    Free,
    /// A step is left pending.
    Pending(Pending),
    /// Its pending step has ended, and nobody has asked how.
    Ended(Pending, End),
    /// Its process is gone, and that has been told.
    Gone,
}

/// A step that is left pending.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub source: Arc<Source>,
    /// What it claims holds, whatever else is said when it ends.
    pub step: Step,
    pub since: Instant,
    /// Whether the script says `...`, so that it must also say how it ends.
    pub claimed: bool,
    /// Whether the prompt waited for it before it came back.
    pub foreground: bool,
}

/// How a step of an actor ended.
#[derive(Debug)]
pub(super) enum End {
    Report(Box<Report>),
    /// Its process is gone; how, in words.
    Died(String),
}

impl Pending {
    /// The outcome that its step claims.
    pub fn claim(&self) -> Option<(&str, &Claim)> {
        self.step.claimed(&self.source)
    }

    /// However it ends now, nothing is claimed of it.
    pub fn unclaim(&mut self) {
        self.claimed = false;
        self.step.claim_text = None;
        self.step.work.claim = None;
    }
}

impl Slot {
    pub fn new(actor: Actor) -> Slot {
        Slot {
            actor,
            state: State::Free,
            told: None,
            caught: Vec::new(),
            files: Vec::new(),
            cursor: None,
            informed: 0,
        }
    }

    /// Its pending step, also one that has ended and nobody has asked how.
    pub fn pending(&self) -> Option<&Pending> {
        match &self.state {
            State::Pending(pending) | State::Ended(pending, _) => Some(pending),
            State::Free | State::Gone => None,
        }
    }

    /// Its pending step, while it has not ended.
    pub fn unended(&self) -> Option<&Pending> {
        match &self.state {
            State::Pending(pending) => Some(pending),
            _ => None,
        }
    }

    /// Its pending step is asked for, and there is none any more.
    pub fn take_ended(&mut self) -> Option<(Pending, End)> {
        match std::mem::replace(&mut self.state, State::Free) {
            State::Ended(pending, end) => {
                if matches!(end, End::Died(_)) {
                    self.state = State::Gone;
                }
                Some((pending, end))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Its death, which is told once.
    pub fn death(&mut self) -> Option<End> {
        if !self.actor.is_gone() || matches!(self.state, State::Gone) {
            return None;
        }
        let how = self.kill();
        Some(End::Died(died(&self.actor.name, self.actor.pid(), how)))
    }

    /// Ends its process; nothing more will be told of it.
    pub fn kill(&mut self) -> Option<Ended> {
        self.state = State::Gone;
        self.caught.extend(self.actor.caught());
        self.actor.kill()
    }
}

impl End {
    /// Of what kind of failure a death is.
    pub fn death(text: String) -> Failure {
        Failure::new(FailureKind::Died, text)
    }
}

/// `b (pid 12) was killed by SIGKILL`.
fn died(name: &str, pid: i32, how: Option<Ended>) -> String {
    let how = match how {
        Some(Ended::Signaled(signo)) => format!("was killed by {}", signal_text(signo)),
        Some(Ended::Exited(status)) => format!("ended with status {status}"),
        None => "is gone".into(),
    };
    format!("{name} (pid {pid}) {how}")
}

/// `KILL`, or the number of one that has no name.
pub(super) fn signal_cell(signo: i32) -> Cell {
    match signal_name(signo) {
        Some(name) => Cell::text(name),
        None => Cell::Int(signo.into()),
    }
}

/// `SIGKILL`, or `signal 33` where it has no name.
pub(super) fn signal_text(signo: i32) -> String {
    match signal_name(signo) {
        Some(name) => format!("SIG{name}"),
        None => format!("signal {signo}"),
    }
}
