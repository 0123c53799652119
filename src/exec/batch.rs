//! Plain steps: consecutive ones of one actor travel together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::{Engine, Flow, ME, Mode, Ran};
use super::show::{Shown, as_line};
use super::slot::End;
use super::waiting::{Patience, Stall, Turn};
use crate::actor::Sighting;
use crate::data::{Failure, FailureKind, Sink, StepResult};
use crate::inspect::wait::Wait;
use crate::lang::{Action, Marker, Source, Statement, StatementKind, Step, Work};

/// At the prompt, how long a step that blocks is waited for before it is left pending: an
/// answer from another process that comes at once should look like an answer.
const GRACE: Duration = Duration::from_millis(200);

/// Whether a statement is a plain step for an actor, and which.
fn plain_actor(statement: &Statement) -> Option<&str> {
    match &statement.kind {
        StatementKind::Step(step) if !step.in_shell && step.marker == Marker::None => {
            Some(step.actor.as_deref().unwrap_or(ME))
        }
        _ => None,
    }
}

fn step_of(statement: &Statement) -> Option<&Step> {
    match &statement.kind {
        StatementKind::Step(step) => Some(step),
        _ => None,
    }
}

impl Engine {
    /// How many of the next statements travel together: plain steps of one actor.
    pub(super) fn batch(&self, statements: &[Statement]) -> usize {
        let Some(actor) = statements.first().and_then(plain_actor) else {
            return 0;
        };
        // At the prompt each step may be the one that stays pending; a deadline of its own
        // is measured from the step's beginning.
        let alone = |s: &Statement| step_of(s).is_some_and(|s| s.deadline.is_some());
        if self.options.mode == Mode::Prompt || alone(&statements[0]) {
            return 1;
        }
        let mut moved = false;
        statements
            .iter()
            .take_while(|s| plain_actor(s) == Some(actor) && !alone(s))
            .take_while(|s| step_of(s).is_none_or(|s| self.is_foreseen(&s.work, &mut moved)))
            .count()
    }

    /// Runs plain steps of one actor; how many. One after which the actor is dead, as it claimed, is
    /// the last.
    pub(super) fn run_batch(
        &mut self,
        source: &Arc<Source>,
        statements: &[Statement],
        sink: &mut dyn Sink,
    ) -> Result<usize, Flow> {
        let name = plain_actor(&statements[0]).unwrap_or(ME).to_string();
        let steps: Vec<&Step> = statements.iter().filter_map(step_of).collect();
        let (place, mut sent) = self.begin(&name, source, statements[0].span, &steps, sink)?;
        let first = self.slots[place].actor.next_number() - sent as u64;
        let begun = Instant::now();
        let mut done = 0;
        let (mut patience, mut stall) = (Patience::new(), Stall::default());
        // The step that was seen standing still while the ends of those before it had yet to be shown.
        let mut ahead = None;
        while done < steps.len() {
            sent += self
                .send_ahead(place, &steps[sent..], sent - done)
                .map_err(|e| self.fail_at(source, steps[done].text, e, sink))?;
            let turn = match self.turn(place, &mut patience) {
                Ok(turn) => turn,
                Err(flow) => return Err(self.ended_at(flow, source, steps[done].text, sink)),
            };
            let sighting = match turn {
                Turn::Ended(end) => {
                    let died = matches!(end, End::Died(_));
                    let after = stall.blocked().filter(|_| ahead.is_none());
                    let shown = self.show_end(place, source, steps[done], end, after, sink);
                    if shown.is_err() {
                        self.forget_sent(place);
                    }
                    shown?;
                    done += 1;
                    if died {
                        return Ok(done);
                    }
                    match ahead {
                        Some(number) if number > first + done as u64 => {}
                        Some(_) => ahead = None,
                        // The next one has ended, too: nobody looks at a clock for it.
                        None if stall.is_unseen() && self.slots[place].actor.has_report() => {}
                        None => (patience, stall) = (Patience::new(), Stall::default()),
                    }
                    continue;
                }
                Turn::Heard => continue,
                Turn::Seen(sighting) => sighting,
            };
            // It takes its time: what came before it is shown meanwhile.
            sink.flush()?;
            let step = steps[done];
            if self.interrupted {
                // Only at the prompt, where each step goes alone.
                if let Some(end) = self.cancel_step(place)? {
                    self.show_end(place, source, step, end, stall.blocked(), sink)?;
                }
                return Ok(done + 1);
            }
            if let Some(deadline) = step.deadline
                && begun.elapsed() >= deadline
            {
                let failure = self.overdue(place, deadline);
                return Err(self.give_up(place, source, step, failure, sink));
            }
            // What it did before it blocked has been taken in; this one is the next.
            let stalled = stall.seen(&sighting);
            if let Sighting::Blocked { step: number, .. } = sighting
                && number != first + done as u64
            {
                ahead = Some(number);
                continue;
            }
            let Some(stalled) = stalled else {
                continue;
            };
            if self.options.mode == Mode::Prompt {
                // Who gives it a deadline waits for it.
                let waited = step.deadline.is_none() && begun.elapsed() >= GRACE;
                if waited && !ends_by_itself(&sighting) {
                    self.leave_pending(place, source, step, &sighting, false, sink)?;
                    return Ok(1);
                }
                continue;
            }
            if let Some(cycle) = self.deadlock_with(place) {
                let failure = Failure::new(FailureKind::Deadlock, cycle);
                return Err(self.give_up(place, source, step, failure, sink));
            }
            // Of a step's time only that counts in which it stands still: a loop may run for
            // as long as it has to do, and block as often as somebody wakes it. Who wants it
            // to end all the same gives it a deadline of its own.
            let limit = step.deadline.unwrap_or(self.options.step_timeout);
            if stalled >= limit {
                let failure = self.overdue(place, limit);
                return Err(self.give_up(place, source, step, failure, sink));
            }
        }
        Ok(done)
    }

    /// Shows how a plain step ended; an end that is not the claimed one ends the program.
    fn show_end(
        &mut self,
        place: usize,
        source: &Arc<Source>,
        step: &Step,
        end: End,
        after: Option<Duration>,
        sink: &mut dyn Sink,
    ) -> Ran {
        let (result, passed) = self.result_of(end, &step.work, source);
        match (self.options.mode, self.interrupted) {
            (Mode::Prompt, true) => self.record_cancelled(source, step),
            (Mode::Prompt, false) => self.record(as_line(step.text.of(&source.text), &result)),
            // Of a long script nobody wants the lines.
            (Mode::Script | Mode::OneShot, _) => {}
        }
        let shown = Shown {
            actor: Some(self.slots[place].actor.name.clone()),
            claimed: step.claimed(source),
            after,
            ..Shown::new(source, step.text)
        };
        self.show(shown, result, passed, sink)
    }

    /// The result of a step, and whether the script goes on. A failure inside a loop
    /// names its step.
    pub(super) fn result_of(&self, end: End, work: &Work, source: &Source) -> (StepResult, bool) {
        match end {
            End::Report(report) => {
                let (mut result, passed, at) = (report.result, report.passed, report.at);
                if let Err(failure) = &mut result
                    && at != work.span
                    && matches!(work.action, Action::Repeat { .. })
                {
                    failure.meaning = format!(
                        "line {}, `{}`: {}",
                        source.line(at.start),
                        at.of(&source.text),
                        failure.meaning
                    );
                }
                (result, passed)
            }
            End::Died(how) => {
                let result = Err(End::death(how));
                match work.claim.as_ref().map(|c| c.accepts(&result, &self.env)) {
                    Some(Ok(accepted)) => (result, accepted),
                    Some(Err(e)) => (Err(e.into()), false),
                    None => (result, false),
                }
            }
        }
    }

    /// Ends a step that will not end, and the program with it.
    pub(super) fn give_up(
        &mut self,
        place: usize,
        source: &Arc<Source>,
        step: &Step,
        failure: Failure,
        sink: &mut dyn Sink,
    ) -> Flow {
        let flow = self.fail_at(source, step.text, failure, sink);
        if self.options.mode == Mode::Prompt {
            self.record_cancelled(source, step);
            return match self.cancel_step(place) {
                Ok(Some(End::Died(how))) => match sink.event(&crate::data::Event::Note(how)) {
                    Ok(()) => flow,
                    Err(e) => Flow::Output(e),
                },
                Ok(_) => flow,
                Err(flow) => flow,
            };
        }
        // The script ends here, and so do the steps that were sent ahead.
        self.slots[place].kill();
        flow
    }
}

/// Whether the kernel ends the wait after a while of its own.
fn ends_by_itself(sighting: &Sighting) -> bool {
    let Sighting::Blocked { wait, .. } = sighting else {
        return false;
    };
    matches!(wait, Wait::Sleep | Wait::SemOp { timeout: true, .. })
}
