//! What commands of the shell may do to actors.

use std::time::{Duration, Instant};

use super::engine::{End, Engine, Flow, Mode};
use super::steps::Waited;
use super::waiting::died_text;
use crate::data::{Failure, FailureKind, Sink, Stand};

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
        let pending = self.slots.iter().filter(|s| s.pending.is_some());
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
            let pending = s
                .pending
                .as_ref()
                .filter(|p| p.foreground && s.ended.is_none())?;
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
    pub fn wait_for(&mut self, name: &str) -> Result<(), Failure> {
        let place = self.living(name)?;
        if self.slots[place].pending.is_none() {
            return Ok(());
        }
        let limit = match self.options.mode {
            // Ctrl-C ends it.
            Mode::Prompt => Duration::MAX,
            _ => self.options.step_timeout,
        };
        let (end, _) = self.await_pending(place, limit).map_err(|e| match e {
            Waited::Failed(failure) => failure,
            Waited::Flow(flow) => interrupted(&flow),
        })?;
        self.slots[place].pending = None;
        match end {
            End::Report(report) => report.result.map(|_| ()),
            End::Died(how) => {
                let slot = &self.slots[place];
                let text = died_text(&slot.actor.name, slot.actor.pid(), how);
                Err(Failure::new(FailureKind::Died, text))
            }
        }
    }

    /// Interrupts an actor's pending step. How it ended can still be asked for.
    ///
    /// # Errors
    /// It has no pending step.
    pub fn cancel(&mut self, name: &str) -> Result<(), Failure> {
        let place = self.living(name)?;
        match &mut self.slots[place].pending {
            None => return Err(Failure::refused(format!("`{name}` has no pending step"))),
            Some(pending) => pending.claimed = false,
        }
        if self.slots[place].ended.is_none() {
            let end = self.cancel_step(place).map_err(|flow| interrupted(&flow))?;
            self.slots[place].ended = end;
        }
        Ok(())
    }

    /// Ends an actor's process.
    ///
    /// # Errors
    /// It does not run.
    pub fn stop(&mut self, name: &str) -> Result<(), Failure> {
        let place = self.living(name)?;
        let slot = &mut self.slots[place];
        slot.actor.stop();
        slot.mourned = true;
        slot.pending = None;
        slot.ended = None;
        Ok(())
    }

    /// Waits for a while, taking in what happens meanwhile.
    ///
    /// # Errors
    /// Ctrl-C, or a signal that ends the session.
    pub fn sleep(&mut self, duration: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let left = duration.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            // It may have come before this began.
            if self.interrupted {
                return Err(Failure::refused("interrupted"));
            }
            self.wait(left).map_err(|flow| interrupted(&flow))?;
        }
    }
}

/// A signal came while a command of the shell waited; it is raised again at the end of
/// the session.
pub(super) fn interrupted(flow: &Flow) -> Failure {
    match flow {
        Flow::Signal(_) => Failure::refused("interrupted"),
        flow => Failure::environment(format!("{flow:?}")),
    }
}
