//! Steps in actors: in batches, left pending, resumed.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::{End, Engine, Flow, ME, Mode, Pending, Ran, Update};
use super::waiting::{Patience, died_text};
use crate::actor::{Order, Report, Sighting};
use crate::data::{Event, Failure, FailureKind, Family, Outcome, Sink, StepResult};
use crate::inspect::wait::Wait;
use crate::lang::{Action, Marker, Resume, Source, Span, Statement, StatementKind, Step, Work};
use crate::session::Change;

/// How many steps one order holds at most: enough that the wake-up costs nothing.
const ORDER: usize = 512;

/// How many steps may be on their way: the next order is there before the actor has done
/// the last.
const AHEAD: usize = 2 * ORDER;

/// At the prompt, how long a step that blocks is waited for before it is left pending: an
/// answer from another process that comes at once should look like an answer.
const GRACE: Duration = Duration::from_millis(200);

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
        statements
            .iter()
            .take_while(|s| plain_actor(s) == Some(actor) && !alone(s))
            .count()
    }

    /// Runs plain steps of one actor.
    pub(super) fn run_batch(
        &mut self,
        source: &Arc<Source>,
        statements: &[Statement],
        sink: &mut dyn Sink,
    ) -> Ran {
        let name = plain_actor(&statements[0]).unwrap_or(ME).to_string();
        let place = self.actor_for_step(&name, source, statements[0].span, sink)?;
        let steps: Vec<&Step> = statements.iter().filter_map(step_of).collect();
        let first = self.slots[place].actor.next_number();
        let (mut sent, mut done) = (0, 0);
        let mut patience = Patience::new();
        let started = Instant::now();
        let mut blocked: Option<(u64, Instant)> = None;
        while done < steps.len() {
            while sent < steps.len() && sent - done <= AHEAD - ORDER {
                let next = one_order(&steps[sent..]);
                // What the socket might not hold at once waits until the actor is idle.
                if sent > done && bytes(next) > ORDER_BYTES {
                    break;
                }
                if let Err(e) = self.order(place, next, sent > 0) {
                    // An actor that is gone tells so by the end of its stream.
                    if e.kind() != std::io::ErrorKind::BrokenPipe {
                        let failure = Failure::environment(e.to_string());
                        return Err(self.fail_at(source, steps[done].text, failure, sink));
                    }
                }
                sent += next.len();
            }
            if let Some(end) = self.next_end(place) {
                let after = blocked.take().map(|(_, since)| since.elapsed());
                self.show_end(place, source, steps[done], end, after, sink)?;
                done += 1;
                patience = Patience::new();
                continue;
            }
            if self.wait(patience.next())? {
                continue;
            }
            if self.interrupted {
                self.slots[place].actor.interrupt();
                continue;
            }
            let step = steps[done];
            if let Some(deadline) = step.deadline
                && started.elapsed() >= deadline
            {
                let failure = self.overdue(place, deadline);
                return Err(self.give_up(place, source, step, failure, sink));
            }
            let Sighting::Blocked { step: number, wait } = self.slots[place].actor.look() else {
                blocked = None;
                continue;
            };
            // What it did before it blocked has been taken in; this one is the next.
            if number != first + done as u64 {
                continue;
            }
            let since = match blocked {
                Some((n, since)) if n == number => since,
                _ => {
                    sink.flush()?;
                    blocked = Some((number, Instant::now()));
                    Instant::now()
                }
            };
            if self.options.mode == Mode::Prompt {
                if started.elapsed() >= GRACE && !wait_ends_by_itself(&wait) {
                    return self.leave_pending(place, source, step, &wait, false, sink);
                }
                continue;
            }
            if let Some(cycle) = self.deadlock_with(place) {
                let failure = Failure::new(FailureKind::Deadlock, cycle);
                return Err(self.give_up(place, source, step, failure, sink));
            }
            let limit = step.deadline.unwrap_or(self.options.step_timeout);
            if since.elapsed() >= limit {
                let failure = self.overdue(place, limit);
                return Err(self.give_up(place, source, step, failure, sink));
            }
        }
        Ok(())
    }

    /// The live, idle actor that a step is for.
    fn actor_for_step(
        &mut self,
        name: &str,
        source: &Arc<Source>,
        span: Span,
        sink: &mut dyn Sink,
    ) -> Result<usize, Flow> {
        // A death that nobody has noticed yet is noticed before the next step.
        self.wait(Duration::ZERO)?;
        self.notices(sink)?;
        let place = self
            .ensure_actor(name, sink)
            .map_err(|e| self.fail_at(source, span, e, sink))?;
        let slot = &self.slots[place];
        if slot.pending.is_some() && slot.ended.is_none() && slot.actor.is_busy() {
            let failure = Failure::refused(format!("`{name}` still has a pending step")).help(
                format!("Wait for it (`wait {name}`), `cancel {name}`, or use another actor"),
            );
            return Err(self.fail_at(source, span, failure, sink));
        }
        self.slots[place].pending = None;
        self.slots[place].ended = None;
        Ok(place)
    }

    /// Sends steps, with what changed since the actor's last order.
    fn order(&mut self, place: usize, steps: &[&Step], continues: bool) -> std::io::Result<()> {
        let (changes, bindings) = self.news(place);
        let granted = self.grants(place, steps);
        let (files, descriptors): (Vec<_>, Vec<_>) = granted.into_iter().unzip();
        let slot = &mut self.slots[place];
        let first = slot.actor.next_number();
        let order = Order {
            first,
            continues,
            changes,
            bindings,
            files,
            steps: steps.iter().map(|s| &s.work).collect(),
        };
        let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        slot.actor.send(&order, &borrowed)
    }

    /// What an actor does not know yet.
    fn news(&mut self, place: usize) -> (Vec<Change>, Vec<(String, Outcome)>) {
        let (mut changes, mut bindings) = (Vec::new(), Vec::new());
        let slot = &self.slots[place];
        if slot.cursor > self.log.len() {
            // A new actor: everything as it stands.
            for family in Family::ALL {
                for (name, binding) in self.names.all(family) {
                    let binding = Some(binding.clone());
                    changes.push(Change::Name(family, name.to_string(), binding));
                }
                let current = self.names.current(family).map(|(n, _)| n.to_string());
                changes.push(Change::Current(family, current));
            }
            let variables = self.env.iter();
            bindings.extend(variables.map(|(n, o)| (n.to_string(), o.clone())));
        } else {
            for (origin, update) in &self.log[slot.cursor..] {
                if origin.as_ref() == Some(&slot.actor.name) {
                    continue;
                }
                match update {
                    Update::Name(change) => changes.push(change.clone()),
                    Update::Variable(name, value) => bindings.push((name.clone(), value.clone())),
                }
            }
        }
        self.slots[place].cursor = self.log.len();
        if self.slots.iter().all(|s| s.cursor == self.log.len()) {
            self.log.clear();
            self.slots.iter_mut().for_each(|s| s.cursor = 0);
        }
        (changes, bindings)
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
        let (result, passed) = self.result_of(place, end, &step.work, source);
        let environment = is_environment(&result);
        let text = step.text.of(&source.text);
        let claimed = step.claim_text.map(|c| c.of(&source.text).to_string());
        if self.options.mode == Mode::Prompt {
            let line = outcome_line(text, &result);
            self.record(line);
        }
        sink.event(&Event::Step {
            actor: Some(self.slots[place].actor.name.clone()),
            source: text.to_string(),
            claimed,
            file: source.name.clone(),
            line: source.line(step.text.start),
            result,
            after,
            passed,
        })?;
        if passed {
            return Ok(());
        }
        self.show_stands(sink)?;
        Err(if environment {
            Flow::Environment
        } else {
            Flow::Failed
        })
    }

    /// The result of a step, and whether the script goes on. A failure inside a loop
    /// names its step.
    fn result_of(
        &self,
        place: usize,
        end: End,
        work: &Work,
        source: &Source,
    ) -> (StepResult, bool) {
        match end {
            End::Report(report) => {
                let Report {
                    mut result,
                    passed,
                    at,
                    ..
                } = *report;
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
                let slot = &self.slots[place];
                let text = died_text(&slot.actor.name, slot.actor.pid(), how);
                let failure = Failure::new(FailureKind::Died, text);
                let result = Err(failure);
                let passed = match &work.claim {
                    Some(claim) => claim.accepts(&result, &self.env).unwrap_or(false),
                    None => false,
                };
                (result, passed)
            }
        }
    }

    /// Why a step is given up: it stayed blocked.
    fn overdue(&mut self, place: usize, limit: Duration) -> Failure {
        let stand = self.stand(place);
        let meaning = match (&stand.call, &stand.about) {
            (Some(call), Some(about)) => format!("{call}: {about}"),
            (Some(call), None) => call.clone(),
            _ => format!("`{}` is {}", stand.actor, stand.state),
        };
        let limit = crate::data::Cell::Elapsed(limit);
        Failure::new(
            FailureKind::Deadline,
            format!("still {} after {limit}: {meaning}", stand.state),
        )
    }

    /// Ends a step that will not end, and the program with it.
    fn give_up(
        &mut self,
        place: usize,
        source: &Arc<Source>,
        step: &Step,
        failure: Failure,
        sink: &mut dyn Sink,
    ) -> Flow {
        let flow = self.fail_at(source, step.text, failure, sink);
        if self.options.mode == Mode::Prompt {
            return self.cancel_step(place).err().unwrap_or(flow);
        }
        // The script ends here, and so do the steps that were sent ahead.
        self.slots[place].actor.stop();
        self.slots[place].mourned = true;
        flow
    }

    /// Interrupts an actor's step until it has ended; says how.
    pub(super) fn cancel_step(&mut self, place: usize) -> Result<Option<End>, Flow> {
        let mut patience = Patience::new();
        let begun = Instant::now();
        loop {
            if let Some(end) = self.next_end(place) {
                return Ok(Some(end));
            }
            if !self.slots[place].actor.is_busy() {
                return Ok(None);
            }
            // A signal that comes just before the call does not interrupt it: again.
            self.slots[place].actor.interrupt();
            if begun.elapsed() > Duration::from_secs(2) {
                // Stopped from outside, or asleep where no signal reaches it.
                self.slots[place].actor.stop();
                return Ok(self.next_end(place));
            }
            self.wait(patience.next())?;
        }
    }

    /// A step with `...` or `&`.
    pub(super) fn marked_step(
        &mut self,
        source: &Arc<Source>,
        step: &Step,
        sink: &mut dyn Sink,
    ) -> Ran {
        let name = step.actor.clone().unwrap_or_else(|| ME.to_string());
        let place = self.actor_for_step(&name, source, step.text, sink)?;
        self.order(place, &[step], false).map_err(|e| {
            self.fail_at(source, step.text, Failure::environment(e.to_string()), sink)
        })?;
        if step.marker == Marker::Background {
            let text = step.text.of(&source.text).to_string();
            self.record(format!("{text} &"));
            sink.event(&Event::Started {
                actor: name,
                source: text,
                file: source.name.clone(),
                line: source.line(step.text.start),
            })?;
            self.set_pending(place, source, step, false);
            return Ok(());
        }
        let mut patience = Patience::new();
        let begun = Instant::now();
        let limit = step.deadline.unwrap_or(self.options.step_timeout);
        loop {
            if let Some(end) = self.next_end(place) {
                let (result, _) = self.result_of(place, end, &step.work, source);
                let failure = not_blocked(&result);
                return Err(self.fail_at(source, step.text, failure, sink));
            }
            if self.wait(patience.next())? {
                continue;
            }
            match self.slots[place].actor.look() {
                Sighting::Blocked { wait, .. } => {
                    return self.leave_pending(place, source, step, &wait, true, sink);
                }
                Sighting::Unreadable(kind) => {
                    let failure = Failure::environment(format!(
                        "whether it blocks cannot be seen: /proc/{}/syscall: {kind}",
                        self.slots[place].actor.pid()
                    ));
                    return Err(self.give_up(place, source, step, failure, sink));
                }
                _ if begun.elapsed() >= limit || self.interrupted => {
                    let failure = Failure::new(
                        FailureKind::Deadline,
                        format!(
                            "it neither ended nor blocked within {}",
                            crate::data::Cell::Elapsed(limit)
                        ),
                    );
                    return Err(self.give_up(place, source, step, failure, sink));
                }
                _ => {}
            }
        }
    }

    fn set_pending(&mut self, place: usize, source: &Arc<Source>, step: &Step, claimed: bool) {
        self.slots[place].ended = None;
        self.slots[place].pending = Some(Pending {
            source: Arc::clone(source),
            text: step.text,
            since: Instant::now(),
            claimed,
            foreground: step.marker == Marker::None,
        });
    }

    /// A step is seen blocked and stays so.
    fn leave_pending(
        &mut self,
        place: usize,
        source: &Arc<Source>,
        step: &Step,
        wait: &Wait,
        claimed: bool,
        sink: &mut dyn Sink,
    ) -> Ran {
        let mut text = step.text.of(&source.text).to_string();
        if step.actor.is_none() && !claimed {
            text = format!("{ME}: {text}");
        }
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
        let pending = self
            .slots
            .iter()
            .position(|s| s.actor.name == resume.actor && s.pending.is_some());
        let Some(place) = pending else {
            let failure = Failure::refused(format!("`{}` has no pending step", resume.actor));
            return Err(self.fail_at(source, resume.text, failure, sink));
        };
        let limit = resume.deadline.unwrap_or(self.options.step_timeout);
        let (end, after) = match self.await_pending(place, limit) {
            Ok(ended) => ended,
            Err(Waited::Flow(flow)) => return Err(flow),
            Err(Waited::Failed(failure)) => {
                return Err(self.fail_at(source, resume.text, failure, sink));
            }
        };
        let claims = (resume.claim.as_ref(), resume.claim_text);
        self.show_pending_end(place, source, resume.text, claims, end, after, sink)
    }

    /// Waits until a pending step has ended.
    pub(super) fn await_pending(
        &mut self,
        place: usize,
        limit: Duration,
    ) -> Result<(End, Duration), Waited> {
        let begun = Instant::now();
        let mut patience = Patience::new();
        loop {
            let slot = &mut self.slots[place];
            let since = slot.pending.as_ref().map_or(begun, |p| p.since);
            if let Some(end) = slot.ended.take() {
                return Ok((end, since.elapsed()));
            }
            if let Some(end) = self.next_end(place) {
                return Ok((end, since.elapsed()));
            }
            if self.wait(patience.next()).map_err(Waited::Flow)? {
                continue;
            }
            if self.interrupted {
                return Err(Waited::Failed(Failure::refused("interrupted")));
            }
            if let Some(cycle) = self.deadlock_with(place) {
                return Err(Waited::Failed(Failure::new(FailureKind::Deadlock, cycle)));
            }
            if begun.elapsed() >= limit {
                return Err(Waited::Failed(self.overdue(place, limit)));
            }
        }
    }

    /// Shows how a pending step ended and holds it against what is claimed now.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn show_pending_end(
        &mut self,
        place: usize,
        source: &Arc<Source>,
        text: Span,
        (claim, claim_text): (Option<&crate::lang::Claim>, Option<Span>),
        end: End,
        after: Duration,
        sink: &mut dyn Sink,
    ) -> Ran {
        let (result, mut passed) = match end {
            End::Report(report) => (report.result, report.passed),
            End::Died(how) => {
                let slot = &self.slots[place];
                let text = died_text(&slot.actor.name, slot.actor.pid(), how);
                (Err(Failure::new(FailureKind::Died, text)), false)
            }
        };
        self.slots[place].pending = None;
        if let Some(claim) = claim {
            passed = match claim.accepts(&result, &self.env) {
                Ok(accepted) => accepted,
                Err(e) => return Err(self.fail_at(source, text, e.into(), sink)),
            };
        }
        let written = text.of(&source.text);
        self.record(outcome_line(written, &result));
        sink.event(&Event::Step {
            actor: Some(self.slots[place].actor.name.clone()),
            source: written.to_string(),
            claimed: claim_text.map(|c| c.of(&source.text).to_string()),
            file: source.name.clone(),
            line: source.line(text.start),
            result,
            after: Some(after),
            passed,
        })?;
        if passed {
            return Ok(());
        }
        self.show_stands(sink)?;
        Err(Flow::Failed)
    }

    /// At the prompt: a pending step has ended by itself.
    pub(super) fn show_resumed(&mut self, place: usize, sink: &mut dyn Sink) -> Ran {
        let Some(end) = self.slots[place].ended.take() else {
            return Ok(());
        };
        let since = self.slots[place].pending.as_ref().map(|p| p.since);
        let after = since.map_or(Duration::ZERO, |s| s.elapsed());
        let text = format!("{}: ...", self.slots[place].actor.name);
        let span = Span::new(0, text.len());
        let source = Arc::new(Source::new("", text));
        match self.show_pending_end(place, &source, span, (None, None), end, after, sink) {
            Err(Flow::Failed) => Ok(()),
            other => other,
        }
    }
}

/// Why waiting for a pending step ended without its end.
#[derive(Debug)]
pub(super) enum Waited {
    Failed(Failure),
    Flow(Flow),
}

/// A step as a line of a script that passes.
fn outcome_line(text: &str, result: &StepResult) -> String {
    match result {
        Ok(outcome) => format!("{text} => {outcome}"),
        Err(failure) => format!("{text} => {}", failure.symbol()),
    }
}

fn is_environment(result: &StepResult) -> bool {
    matches!(result, Err(f) if f.kind == FailureKind::Environment)
}

/// `...` was claimed, and the step returned at once.
fn not_blocked(result: &StepResult) -> Failure {
    let how = match result {
        Ok(outcome) => format!("`{outcome}`"),
        Err(failure) => format!("{failure}"),
    };
    Failure::new(
        FailureKind::Mismatch,
        format!("it did not block: it ended with {how}"),
    )
}

/// Whether the kernel ends the wait after a while of its own.
fn wait_ends_by_itself(wait: &Wait) -> bool {
    matches!(wait, Wait::Sleep | Wait::SemOp { timeout: true, .. })
}
