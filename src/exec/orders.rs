//! Giving steps to an actor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::engine::{Engine, Flow};
use super::news::News;
use super::shell_steps::Interrupted;
use super::slot::{End, State};
use crate::actor::Order;
use crate::data::{Failure, Sink};
use crate::lang::{Source, Span, Step, Work};
use crate::session::{FileChange, Held, files};

/// How many steps one order holds at most: enough that the wake-up costs nothing.
const ORDER: usize = 512;

/// How many steps may be on their way: the next order is there before the actor has done
/// the last.
const AHEAD: usize = 2 * ORDER;

/// How much text one order holds at most, unless a single step is larger: two orders fit
/// into the socket, so that sending one never waits for an actor that is at work.
const ORDER_BYTES: usize = 32 << 10;

/// The length of the steps' text, which is about that of their order.
fn bytes(steps: &[&Step]) -> usize {
    let length = |s: &&Step| (s.work.span.end - s.work.span.start) as usize;
    steps.iter().map(length).sum()
}

/// The steps that the next order holds.
fn one_order<'s, 'a>(steps: &'s [&'a Step]) -> &'s [&'a Step] {
    let mut size = 0;
    let fits = steps.iter().take(ORDER).take_while(|s| {
        size += bytes(&[s]);
        size <= ORDER_BYTES
    });
    &steps[..fits.count().max(1)]
}

impl Engine {
    /// Gives the first of some steps to an actor that is live and idle, and started where it
    /// is not; how many steps it was given.
    pub(super) fn begin(
        &mut self,
        name: &str,
        source: &Arc<Source>,
        span: Span,
        steps: &[&Step],
        sink: &mut dyn Sink,
    ) -> Result<(usize, usize), Flow> {
        let next = one_order(steps);
        let mut place = self.idle_actor(name, source, span, sink)?;
        let mut ordered = self.order(place, next, false);
        if is_gone(&ordered) {
            // It died before this step, and nobody has noticed.
            self.slots[place].actor.receive();
            self.notices(sink)?;
            place = self.idle_actor(name, source, span, sink)?;
            ordered = self.order(place, next, false);
        }
        match ordered {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(self.fail_at(source, span, self.unordered(place, &e), sink))
            }
            // An actor that is gone tells so by the end of its stream.
            _ => Ok((place, next.len())),
        }
    }

    /// Gives as many of the steps that are not sent yet as should be on their way; how many.
    pub(super) fn send_ahead(
        &mut self,
        place: usize,
        unsent: &[&Step],
        on_their_way: usize,
    ) -> Result<usize, Failure> {
        let mut sent = 0;
        while sent < unsent.len() && on_their_way + sent <= AHEAD - ORDER {
            let next = one_order(&unsent[sent..]);
            // What the socket might not hold at once waits until the actor is idle.
            if on_their_way + sent > 0 && bytes(next) > ORDER_BYTES {
                break;
            }
            let ordered = self.order(place, next, true);
            if let Err(e) = ordered
                && e.kind() != io::ErrorKind::BrokenPipe
            {
                return Err(self.unordered(place, &e));
            }
            sent += next.len();
        }
        Ok(sent)
    }

    /// Why an actor takes no order.
    fn unordered(&self, place: usize, e: &io::Error) -> Failure {
        let name = &self.slots[place].actor.name;
        Failure::environment(format!("`{name}` does not take its order: {e}"))
    }

    /// The live, idle actor that a step is for.
    fn idle_actor(
        &mut self,
        name: &str,
        source: &Arc<Source>,
        span: Span,
        sink: &mut dyn Sink,
    ) -> Result<usize, Flow> {
        // A death that has been taken in is told before the next step.
        if std::mem::take(&mut self.heard) {
            self.notices(sink)?;
        }
        self.free_actor(name, sink).map_err(|e| match e {
            Interrupted::Flow(flow) => flow,
            Interrupted::Failed(failure) => self.fail_at(source, span, failure, sink),
        })
    }

    /// The live actor of this name, once it has ended what it was left with; it is started where there
    /// is none.
    pub(super) fn free_actor(
        &mut self,
        name: &str,
        sink: &mut dyn Sink,
    ) -> Result<usize, Interrupted> {
        loop {
            let place = self.ensure_actor(name, sink)?;
            self.note_end(place);
            if self.slots[place].unended().is_some() {
                let failure = Failure::refused(format!("`{name}` still has a pending step"));
                let help =
                    format!("Wait for it (`wait {name}`), `cancel {name}`, or use another actor");
                return Err(failure.help(help).into());
            }
            self.judge_ended(place, sink)?;
            self.slots[place].told = None;
            // Of a program that ended in the midst of its steps: theirs is no end of this one.
            while self.cancel_step(place)?.is_some() {}
            if !self.slots[place].actor.is_gone() {
                return Ok(place);
            }
        }
    }

    /// Sends steps, with what changed since the actor's last order.
    fn order(&mut self, place: usize, steps: &[&Step], continues: bool) -> io::Result<()> {
        let granted = self.grants(place, steps);
        let (files, descriptors): (Vec<_>, Vec<_>) = granted.into_iter().unzip();
        let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let works = steps.iter().map(|s| &s.work).collect();
        self.send(place, continues, files, &borrowed, works)
    }

    /// Sends descriptors to an actor that is idle, and nothing to do.
    pub(super) fn hand(
        &mut self,
        place: usize,
        files: Vec<Held>,
        descriptors: &[BorrowedFd],
    ) -> io::Result<()> {
        self.send(place, false, files, descriptors, Vec::new())
    }

    fn send(
        &mut self,
        place: usize,
        continues: bool,
        files: Vec<Held>,
        descriptors: &[BorrowedFd],
        steps: Vec<&Work>,
    ) -> io::Result<()> {
        let News {
            afresh,
            changes,
            bindings,
        } = self.news(place);
        let slot = &mut self.slots[place];
        for held in &files {
            files::note(&mut slot.files, FileChange::Held(held.clone()));
        }
        let order = Order {
            first: slot.actor.next_number(),
            continues,
            afresh,
            changes,
            bindings,
            files,
            steps,
        };
        slot.actor.send(&order, descriptors)
    }

    /// Notes how a pending step has ended, where it has.
    pub(super) fn note_end(&mut self, place: usize) {
        if self.slots[place].unended().is_none() {
            return;
        }
        let slot = &mut self.slots[place];
        let State::Pending(pending) = std::mem::replace(&mut slot.state, State::Free) else {
            return;
        };
        let end: Option<End> = self.next_end(place);
        self.slots[place].state = match end {
            Some(end) => State::Ended(pending, end),
            None => State::Pending(pending),
        };
    }
}

fn is_gone(ordered: &io::Result<()>) -> bool {
    matches!(ordered, Err(e) if e.kind() == io::ErrorKind::BrokenPipe)
}
