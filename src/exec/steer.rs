//! What commands of the shell may do to actors.

use std::time::{Duration, Instant};

use super::engine::{Engine, Flow, Mode};
use super::shell_steps::Interrupted;
use super::slot::{End, State, signal_text};
use super::waiting::Patience;
use crate::actor::Sighting;
use crate::data::{Failure, FailureKind, Sink, Stand, Took};

/// How long an interrupted step may go on before its actor is ended: Ctrl-C is always a way
/// out.
const WAY_OUT: Duration = Duration::from_secs(2);

impl Engine {
    /// The process of a live actor.
    pub fn pid_of(&self, name: &str) -> Option<i32> {
        self.slot(name).map(|place| self.slots[place].actor.pid())
    }

    /// Starts an actor.
    ///
    /// # Errors
    /// Its process cannot be started.
    pub fn start(&mut self, name: &str, sink: &mut dyn Sink) -> Result<(), Failure> {
        self.ensure_actor(name, sink).map(|_| ())
    }

    /// Where every actor stands.
    pub fn stands(&mut self) -> Vec<Stand> {
        (0..self.slots.len())
            .map(|place| self.stand(place))
            .collect()
    }

    /// The actors whose steps are pending.
    pub fn pending_actors(&self) -> Vec<String> {
        let pending = self.slots.iter().filter(|s| s.pending().is_some());
        pending.map(|s| s.actor.name.clone()).collect()
    }

    /// The signal that ends the session, once it has come.
    pub fn ending(&self) -> Option<i32> {
        self.ending
    }

    /// Whether Ctrl-C came since the program began.
    pub fn is_interrupted(&mut self) -> bool {
        // A signal that ends the session interrupts too; it is raised at its end.
        self.check_signals().is_err() || self.interrupted
    }

    /// Whether Ctrl-C came since this was last asked.
    pub fn take_interrupt(&mut self) -> bool {
        std::mem::take(&mut self.interrupted)
    }

    /// The actor whose step was left pending last without `...` or `&`: what Ctrl-C at the
    /// prompt cancels.
    pub fn foreground(&self) -> Option<String> {
        let pending = self.slots.iter().filter_map(|s| {
            let pending = s.unended().filter(|p| p.foreground)?;
            Some((pending.since, &s.actor.name))
        });
        pending.max().map(|(_, name)| name.clone())
    }

    fn living(&self, name: &str) -> Result<usize, Failure> {
        self.slot(name)
            .ok_or_else(|| Failure::refused(format!("`{name}` does not run")))
    }

    /// Waits until an actor's pending step has ended well.
    ///
    /// # Errors
    /// It failed, its actor died, or it stays blocked.
    pub fn wait_for(&mut self, name: &str) -> Result<(), Interrupted> {
        let Some(place) = self.pending_place(name) else {
            self.living(name)?;
            return Ok(());
        };
        // At the prompt, Ctrl-C ends it.
        let deadline = (self.options.mode == Mode::Prompt).then_some(Duration::MAX);
        let (pending, end, _) = self.await_pending(place, deadline)?;
        match self.result_of(end, &pending.step.work, &pending.source) {
            (_, true) => Ok(()),
            (Err(failure), _) => Err(failure.into()),
            (Ok(outcome), _) => {
                let text = format!("its step ended with `{outcome}`");
                Err(Failure::new(FailureKind::Mismatch, text).into())
            }
        }
    }

    /// Interrupts an actor's pending step. How it ended can still be asked for.
    ///
    /// # Errors
    /// It has no pending step, or is stopped.
    pub fn cancel(&mut self, name: &str) -> Result<(), Interrupted> {
        let place = self.living(name)?;
        self.note_end(place);
        if self.slots[place].unended().is_some()
            && let Sighting::Stopped {
                by: Some(signo), ..
            } = self.sight_actor(place)
        {
            let (by, pid) = (signal_text(signo), self.slots[place].actor.pid());
            let text = format!("{name} is stopped ({by}) and takes nothing before it goes on");
            let help =
                format!("Let it go on with `!kill -CONT {pid}`, or end it with `stop {name}`");
            return Err(Failure::refused(text).help(help).into());
        }
        match std::mem::replace(&mut self.slots[place].state, State::Free) {
            State::Pending(mut pending) => {
                pending.unclaim();
                let cancelled = self.cancel_step(place);
                self.slots[place].state = match cancelled {
                    Ok(Some(end)) => State::Ended(pending, end),
                    Ok(None) => State::Free,
                    Err(flow) => {
                        self.slots[place].state = State::Pending(pending);
                        return Err(flow.into());
                    }
                };
                Ok(())
            }
            // It had ended by then, and what it claims of that holds.
            State::Ended(pending, end) => {
                self.slots[place].state = State::Ended(pending, end);
                Ok(())
            }
            state => {
                self.slots[place].state = state;
                Err(Failure::refused(format!("`{name}` has no pending step")).into())
            }
        }
    }

    /// Interrupts an actor's step until it has ended; how. One that does not end, because it
    /// is stopped or asleep where no signal reaches it, is ended with its process.
    pub(super) fn cancel_step(&mut self, place: usize) -> Result<Option<End>, Flow> {
        let mut patience = Patience::new();
        let begun = Instant::now();
        loop {
            if let Some(end) = self.next_end(place) {
                return Ok(Some(end));
            }
            let slot = &mut self.slots[place];
            // What one that is gone was given will never end.
            if !slot.actor.is_busy() || slot.actor.is_gone() {
                return Ok(None);
            }
            // A signal that comes just before the call does not interrupt it: again.
            slot.actor.interrupt();
            if begun.elapsed() > WAY_OUT {
                slot.kill();
                let (name, pid) = (&slot.actor.name, slot.actor.pid());
                return Ok(Some(End::Died(format!(
                    "{name} (pid {pid}) did not end its step within {} of being interrupted, \
                     and was killed",
                    Took(WAY_OUT)
                ))));
            }
            self.wait(patience.next())?;
        }
    }

    /// Ends an actor's process.
    ///
    /// # Errors
    /// It does not run; a step of it had ended otherwise than it claims.
    pub fn stop(&mut self, name: &str, sink: &mut dyn Sink) -> Result<(), Failure> {
        let place = self.living(name)?;
        self.note_end(place);
        self.judge_ended(place, sink)
            .map_err(|flow| interrupted(&flow))?;
        self.slots[place].kill();
        Ok(())
    }

    /// Waits for a while, taking in what happens meanwhile.
    ///
    /// # Errors
    /// Ctrl-C, or a signal that ends the session.
    pub fn sleep(&mut self, duration: Duration) -> Result<(), Interrupted> {
        let begun = Instant::now();
        loop {
            let left = duration.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            // It may have come before this began.
            if self.interrupted {
                return Err(Failure::refused("interrupted").into());
            }
            self.wait(left)?;
        }
    }
}

/// A signal came while a command of the shell waited; it is raised again at the end of
/// the session.
pub(super) fn interrupted(flow: &Flow) -> Failure {
    match flow {
        Flow::Signal(_) => Failure::refused("interrupted"),
        Flow::Failed => Failure::refused("what ended meanwhile had failed"),
        flow => Failure::environment(format!("{flow:?}")),
    }
}
