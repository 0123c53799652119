//! Steps that are left pending, and resumed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::{Engine, Flow, ME, Mode, Ran};
use super::shell_steps::Interrupted;
use super::show::{Shown, as_line};
use super::slot::{End, Pending, Slot, State};
use super::waiting::{Patience, Stall, Turn};
use crate::actor::Sighting;
use crate::data::{Event, Failure, FailureKind, Sink, StepResult, Took};
use crate::lang::{Marker, Resume, Source, Step};

impl Engine {
    /// A step with `...` or `&`.
    pub(super) fn marked_step(
        &mut self,
        source: &Arc<Source>,
        step: &Step,
        sink: &mut dyn Sink,
    ) -> Ran {
        let name = step.actor.as_deref().unwrap_or(ME);
        let (place, _) = self.begin(name, source, step.text, &[step], sink)?;
        if step.marker == Marker::Background {
            let text = step.text.of(&source.text).to_string();
            let claim = step.claimed(source).map(|(written, _)| written.to_string());
            // How it ends is saved when it does.
            self.record(format!("{text} &"));
            sink.event(&Event::Started {
                actor: name.to_string(),
                source: text,
                file: source.name.clone(),
                line: source.line(step.text.start),
                claim,
            })?;
            self.set_pending(place, source, step, false);
            return Ok(());
        }
        let begun = Instant::now();
        let (mut patience, mut stall) = (Patience::new(), Stall::default());
        loop {
            let sighting = match self.turn(place, &mut patience)? {
                Turn::Ended(end) => {
                    let (result, _) = self.result_of(end, &step.work, source);
                    let outcome = result.as_ref().ok();
                    let notes = outcome.iter().flat_map(|outcome| outcome.notes());
                    notes
                        .cloned()
                        .try_for_each(|note| sink.event(&Event::Note(note)))?;
                    // It was done all the same.
                    self.record(as_line(step.text.of(&source.text), &result));
                    return Err(self.fail_at(source, step.text, not_blocked(result), sink));
                }
                Turn::Heard => continue,
                Turn::Seen(sighting) => sighting,
            };
            sink.flush()?;
            if let Sighting::Blocked { .. } = sighting {
                return self.leave_pending(place, source, step, &sighting, true, sink);
            }
            let (name, pid) = {
                let actor = &self.slots[place].actor;
                (&actor.name, actor.pid())
            };
            if let Sighting::Unreadable { why, .. } = sighting {
                let failure = Failure::environment(unreadable(name, pid, why));
                return Err(self.give_up(place, source, step, failure, sink));
            }
            // What runs may yet block; only its own deadline says by when.
            let stalled = stall.seen(&sighting).unwrap_or_default();
            let limit = step.deadline.unwrap_or(self.options.step_timeout);
            let late = step.deadline.is_some_and(|limit| begun.elapsed() >= limit);
            if late || stalled >= limit || self.interrupted {
                let mut failure = match &sighting {
                    Sighting::Stopped { .. } => self.overdue(place, limit),
                    _ => Failure::new(
                        FailureKind::Deadline,
                        format!("it neither ended nor blocked within {}", Took(limit)),
                    ),
                };
                if self.interrupted {
                    failure = Failure::refused("interrupted");
                }
                return Err(self.give_up(place, source, step, failure, sink));
            }
        }
    }

    /// At the prompt, a step with `&` that was the last and is seen blocked before the next one is saved
    /// with `...`: when that is run, the next one waits for it as it did for who typed it.
    pub(super) fn note_blocked(&mut self) {
        let Some(last) = self.journal.last_mut() else {
            return;
        };
        let started = last.strip_suffix(" &").and_then(|text| {
            let is_it = |p: &Pending| p.step.text.of(&p.source.text) == text;
            let mut slots = self.slots.iter_mut();
            Some((text, slots.find(|s| s.unended().is_some_and(is_it))?))
        });
        let Some((text, slot)) = started else {
            return;
        };
        // What stands still is seen twice.
        slot.actor.look();
        if let Sighting::Blocked { .. } = slot.actor.look() {
            *last = format!("{text} ...");
        }
    }

    fn set_pending(&mut self, place: usize, source: &Arc<Source>, step: &Step, claimed: bool) {
        self.slots[place].state = State::Pending(Pending {
            source: Arc::clone(source),
            step: step.clone(),
            since: Instant::now(),
            claimed,
            foreground: step.marker == Marker::None,
        });
    }

    /// A step is seen standing still and stays so.
    pub(super) fn leave_pending(
        &mut self,
        place: usize,
        source: &Arc<Source>,
        step: &Step,
        sighting: &Sighting,
        claimed: bool,
        sink: &mut dyn Sink,
    ) -> Ran {
        let mut text = step.text.of(&source.text).to_string();
        if step.actor.is_none() && !claimed {
            text = format!("{ME}: {text}");
        }
        let claim = step.claimed(source).map(|(written, _)| written.to_string());
        let Sighting::Blocked { wait, .. } = sighting else {
            // Nobody has seen it blocked, and nothing of the kind is said.
            self.record(format!("{text} &"));
            let stand = self.stand(place);
            sink.event(&Event::Note(stand.about.unwrap_or(stand.state)))?;
            self.set_pending(place, source, step, claimed);
            return Ok(());
        };
        self.record(format!("{text} ..."));
        let why = self
            .condition(place, wait)
            .unwrap_or_else(|| self.wait_text(place, wait));
        sink.event(&Event::Blocked {
            actor: self.slots[place].actor.name.clone(),
            source: text,
            file: source.name.clone(),
            line: source.line(step.text.start),
            claimed,
            claim,
            why,
        })?;
        self.set_pending(place, source, step, claimed);
        Ok(())
    }

    /// `b: ... => outcome`.
    pub(super) fn resume(
        &mut self,
        source: &Arc<Source>,
        resume: &Resume,
        sink: &mut dyn Sink,
    ) -> Ran {
        let written = resume.claim_text.map(|span| span.of(&source.text));
        let shown = Shown {
            claimed: written.zip(resume.claim.as_ref()),
            ..Shown::new(source, resume.text)
        };
        let Some(place) = self.pending_place(&resume.actor) else {
            let named = |s: &Slot| s.actor.name == resume.actor && s.told.is_some();
            if let Some(place) = self.slots.iter().position(named)
                && let Some((pending, result)) = self.slots[place].told.take()
            {
                let passed = result.is_ok();
                return self.show_pending_end(place, shown, &pending, result, passed, sink);
            }
            let failure = Failure::refused(format!("`{}` has no pending step", resume.actor));
            return Err(self.fail(shown, failure, sink));
        };
        sink.flush()?;
        let (pending, end, after) = match self.await_pending(place, resume.deadline) {
            Ok(ended) => ended,
            Err(Interrupted::Flow(flow)) => return Err(flow),
            Err(Interrupted::Failed(failure)) => return Err(self.fail(shown, failure, sink)),
        };
        let result = self.pending_result(end, &pending);
        self.record(as_line(shown.text(), &result));
        let (shown, passed) = (Shown { after, ..shown }, result.is_ok());
        self.show_pending_end(place, shown, &pending, result, passed, sink)
    }

    /// The place of an actor with a pending step. It may be dead by now.
    pub(super) fn pending_place(&self, name: &str) -> Option<usize> {
        let named = |s: &Slot| s.actor.name == name && s.pending().is_some();
        self.slots.iter().position(named)
    }

    /// Waits until a pending step has ended, and takes its end. Without a deadline only the
    /// time counts in which it stands still; with one, all of it. Says how long it took, where that is
    /// known: of a step that ended in the background nobody saw when.
    pub(super) fn await_pending(
        &mut self,
        place: usize,
        deadline: Option<Duration>,
    ) -> Result<(Pending, End, Option<Duration>), Interrupted> {
        let begun = Instant::now();
        let mut seen = false;
        let (mut patience, mut stall) = (Patience::new(), Stall::default());
        loop {
            self.note_end(place);
            if let Some((pending, end)) = self.slots[place].take_ended() {
                let known = seen || pending.claimed;
                let after = known.then(|| pending.since.elapsed());
                return Ok((pending, end, after));
            }
            seen = true;
            if self.wait(patience.next())? {
                continue;
            }
            if self.interrupted {
                return Err(Interrupted::Failed(Failure::refused("interrupted")));
            }
            if let Some(cycle) = self.deadlock_with(place) {
                return Err(Failure::new(FailureKind::Deadlock, cycle).into());
            }
            let sighting = self.slots[place].actor.look();
            let stalled = stall.seen(&sighting).unwrap_or_default();
            let (spent, limit) = match deadline {
                Some(deadline) => (begun.elapsed(), deadline),
                None => (stalled, self.options.step_timeout),
            };
            if spent >= limit {
                return Err(self.overdue(place, limit).into());
            }
        }
    }

    /// Shows how a pending step ended and holds it against what is claimed now, and against what the
    /// step itself claims. Where nothing is, it has `passed`.
    fn show_pending_end<'a>(
        &mut self,
        place: usize,
        mut shown: Shown<'a>,
        pending: &'a Pending,
        result: StepResult,
        mut passed: bool,
        sink: &mut dyn Sink,
    ) -> Ran {
        let claims: Vec<_> = shown.claimed.into_iter().chain(pending.claim()).collect();
        shown.claimed = claims.first().copied();
        for claimed in claims {
            passed = match claimed.1.accepts(&result, &self.env) {
                Ok(accepted) => accepted,
                Err(e) => return Err(self.fail(shown, e.into(), sink)),
            };
            if !passed {
                shown.claimed = Some(claimed);
                break;
            }
        }
        shown.actor = Some(self.slots[place].actor.name.clone());
        self.show(shown, result, passed, sink)
    }

    /// A pending step has ended and nobody will ask how: what it claims is held against it. Where it
    /// claims nothing, any end is right.
    pub(super) fn judge_ended(&mut self, place: usize, sink: &mut dyn Sink) -> Ran {
        self.show_ended(place, false, sink)
    }

    /// At the prompt: a pending step has ended by itself.
    pub(super) fn show_resumed(&mut self, place: usize, sink: &mut dyn Sink) -> Ran {
        match self.show_ended(place, true, sink) {
            Err(Flow::Failed | Flow::Environment) => Ok(()),
            other => other,
        }
    }

    /// How a pending step ended, as its claims are held against it.
    fn pending_result(&self, end: End, pending: &Pending) -> StepResult {
        self.result_of(end, &pending.step.work, &pending.source).0
    }

    fn show_ended(&mut self, place: usize, must_pass: bool, sink: &mut dyn Sink) -> Ran {
        let Some((pending, end)) = self.slots[place].take_ended() else {
            return Ok(());
        };
        let shown = Shown {
            words: Some(format!("{}: ...", self.slots[place].actor.name)),
            after: Some(pending.since.elapsed()),
            ..Shown::new(&pending.source, pending.step.text)
        };
        let result = self.pending_result(end, &pending);
        self.record(as_line(shown.text(), &result));
        // What it claims in a loop is claimed.
        let unclaimed = |failure: &Failure| failure.kind != FailureKind::Mismatch;
        let passed = match &result {
            Ok(_) => true,
            Err(failure) => !must_pass && unclaimed(failure),
        };
        // Only the prompt may still be asked.
        let told = (self.options.mode == Mode::Prompt).then(|| result.clone());
        let ran = self.show_pending_end(place, shown, &pending, result, passed, sink);
        self.slots[place].told = told.map(|result| (pending, result));
        ran
    }
}

/// `...` was claimed, and the step ended.
fn not_blocked(result: StepResult) -> Failure {
    let how = match result {
        Ok(outcome) => format!("`{outcome}`"),
        // Neither did it end: it is gone.
        Err(failure) if failure.kind == FailureKind::Died => return failure,
        Err(failure) => format!("{failure}"),
    };
    Failure::new(
        FailureKind::Mismatch,
        format!("it did not block: it ended with {how}"),
    )
}

/// Why nothing can be said of an actor that sleeps.
pub(super) fn unreadable(name: &str, pid: i32, why: std::io::ErrorKind) -> String {
    format!("whether {name} is blocked cannot be seen: /proc/{pid}/syscall: {why}")
}
