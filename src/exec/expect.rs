//! `expect` and `require`: what must hold of the kernel's objects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::{Engine, Flow, Ran};
use super::shell_steps::Interrupted;
use super::show::Shown;
use super::waiting::Patience;
use crate::actor::Sighting;
use crate::data::{Cell, Failure, FailureKind, Family, Object, Outcome, Sink, Took};
use crate::inspect::limits;
use crate::kernel::process;
use crate::kernel::signal::signal_named;
use crate::lang::{
    CompareOp, Condition, Expect, Expected, IntType, Require, Requirement, Source, Span, Subject,
};
use crate::mechanism::{self, Sight};

impl Engine {
    pub(super) fn expect(
        &mut self,
        source: &Arc<Source>,
        span: Span,
        expect: &Expect,
        sink: &mut dyn Sink,
    ) -> Ran {
        sink.flush()?;
        let begun = Instant::now();
        self.settle()?;
        let mut patience = Patience::new();
        loop {
            let failure = match self.holds(&expect.condition) {
                Ok(None) => break,
                Ok(Some(found)) => {
                    let how = match expect.within {
                        Some(_) if self.interrupted => {
                            format!("was interrupted after {}", Took(begun.elapsed()))
                        }
                        Some(limit) => format!("does not hold within {}", Cell::Elapsed(limit)),
                        None => "does not hold".into(),
                    };
                    Failure::new(FailureKind::Mismatch, format!("it {how}: {found}"))
                }
                Err(failure) => unjudged(failure),
            };
            let left = expect.within.map_or(Duration::ZERO, |limit| {
                limit.saturating_sub(begun.elapsed())
            });
            if left.is_zero() || self.interrupted {
                return Err(self.fail_at(source, span, failure, sink));
            }
            self.wait(patience.next().min(left))?;
        }
        // What was counted has been told by then.
        self.wait(Duration::ZERO)?;
        self.tell_caught(sink)?;
        self.quiet_step(source, span, sink)
    }

    /// What was just started with `&` is seen to block, or ends, before a state is judged:
    /// else the judgement would depend on who is faster. A step that goes on running is
    /// waited for no longer than this, and not again.
    fn settle(&mut self) -> Ran {
        const JUST: Duration = Duration::from_millis(100);
        self.settle_within(JUST, Duration::ZERO)
    }

    /// Waits until no pending step runs any more: each has ended, or is seen to stand still. One that
    /// is older than `fresh` is waited for no longer than for `limit`.
    pub(super) fn settle_within(&mut self, fresh: Duration, limit: Duration) -> Ran {
        let begun = Instant::now();
        let mut patience = Patience::new();
        // Who is gone by now is heard of.
        self.wait(Duration::ZERO)?;
        loop {
            let mut running = 0;
            for place in 0..self.slots.len() {
                self.note_end(place);
                let slot = &mut self.slots[place];
                let is_fresh = slot.unended().is_some_and(|p| p.since.elapsed() < fresh);
                let counts = is_fresh || slot.unended().is_some() && begun.elapsed() < limit;
                running += usize::from(counts && slot.actor.look() == Sighting::Running);
            }
            if running == 0 || self.interrupted {
                return Ok(());
            }
            self.wait(patience.next())?;
        }
    }

    /// `let NAME = KIND.REF.FIELD`.
    pub(super) fn look(
        &mut self,
        source: &Arc<Source>,
        span: Span,
        name: &str,
        subject: &Subject,
        sink: &mut dyn Sink,
    ) -> Ran {
        sink.flush()?;
        self.settle()?;
        let found = match self.subject(subject) {
            Ok(Cell::Unknown) => Err(Failure::environment(mechanism::unknown())),
            Ok(found) => Ok(found),
            Err(failure) => Err(unjudged(failure)),
        };
        let found = found.map_err(|failure| self.fail_at(source, span, failure, sink))?;
        self.bind(name, Outcome::value(found));
        self.quiet_step(source, span, sink)
    }

    /// `None` where the condition holds; what was found where it does not.
    fn holds(&mut self, condition: &Condition) -> Result<Option<String>, Failure> {
        match condition {
            Condition::Deadlock(actors) => Ok(self.deadlocked(actors).err()),
            Condition::Compare {
                subject,
                op,
                expected,
            } => {
                let found = self.subject(subject)?;
                if self.compare(&found, *op, expected)? {
                    return Ok(None);
                }
                Ok(Some(format!("it is {found}")))
            }
        }
    }

    fn compare(&self, found: &Cell, op: CompareOp, expected: &Expected) -> Result<bool, Failure> {
        if *found == Cell::Unknown {
            return Err(Failure::environment(mechanism::unknown()));
        }
        match op {
            CompareOp::Eq | CompareOp::Matches => self.accepts(found, expected),
            CompareOp::Ne => Ok(!self.accepts(found, expected)?),
            _ => {
                let Expected::Term(term) = expected else {
                    return Err(Failure::refused("only numbers can be ordered"));
                };
                let (wanted, found) = match (self.env.value(term)?, found) {
                    (Cell::Elapsed(a), Cell::Elapsed(b)) => {
                        (a.as_nanos() as i128, b.as_nanos() as i128)
                    }
                    (wanted, Cell::Nothing) => (wanted.as_int().unwrap_or_default(), 0),
                    (wanted, found) => match (wanted.as_number(), found.as_number()) {
                        (Some(a), Some(b)) => (a, b),
                        _ => return Err(Failure::refused("only numbers can be ordered")),
                    },
                };
                Ok(match op {
                    CompareOp::Lt => found < wanted,
                    CompareOp::Le => found <= wanted,
                    CompareOp::Gt => found > wanted,
                    _ => found >= wanted,
                })
            }
        }
    }

    /// Beside a number, text that is one is that number.
    fn accepts(&self, found: &Cell, expected: &Expected) -> Result<bool, Failure> {
        if let Expected::Term(term) = expected
            && let Cell::Int(wanted) = self.env.value(term)?
            && let Some(number) = found.as_number()
            && found.as_int().is_none()
        {
            return Ok(number == wanted);
        }
        Ok(expected.accepts(found, &self.env)?)
    }

    fn subject(&mut self, subject: &Subject) -> Result<Cell, Failure> {
        match subject {
            Subject::Term(term) => Ok(self.env.value(term)?),
            Subject::Actor(name, field) => Ok(self.actor_field(name, field)),
            Subject::Limit(name, _) => match limits::limit(name).and_then(|l| l.value) {
                Some(value) => Ok(Cell::from(value)),
                None => Err(Failure::environment(format!(
                    "the limit {name} cannot be read"
                ))),
            },
            Subject::Object(family, reference, field) => {
                let actors = self.actors_by_pid();
                let sight = self.sight(&actors);
                let object = sight.find(*family, Some(reference))?;
                let index = match &reference.index {
                    Some(term) => Some(mechanism::semaphore_number(self.env.int(term)?)?),
                    None => None,
                };
                (mechanism::kind_of(*family, &object)?.look)(&sight, &object, index, field)
            }
            Subject::Memory(reference, ty, offset) => {
                let actors = self.actors_by_pid();
                let sight = self.sight(&actors);
                let object = sight.find(Family::Shm, Some(reference))?;
                memory(&sight, &object, *ty, self.env.int(offset)?)
            }
        }
    }

    /// A field of an actor.
    fn actor_field(&mut self, name: &str, field: &str) -> Cell {
        let Some(place) = self.slot(name) else {
            return match field {
                "state" => Cell::text("dead"),
                _ => Cell::Nothing,
            };
        };
        if let Some(signal) = field.strip_prefix("signals.") {
            let signo = signal_named(signal).unwrap_or_default();
            return Cell::from(self.slots[place].actor.count(signo));
        }
        let stand = self.stand(place);
        match field {
            "state" => Cell::Text(stand.state),
            "pid" => Cell::from(stand.pid),
            "call" => stand.call.map_or(Cell::Nothing, Cell::Text),
            "about" => stand.about.map_or(Cell::Nothing, Cell::Text),
            _ => Cell::Nothing,
        }
    }

    pub(super) fn require(
        &mut self,
        source: &Arc<Source>,
        require: &Require,
        sink: &mut dyn Sink,
    ) -> Ran {
        let text = format!("require {}", require.text.of(&source.text));
        let shown = Shown {
            words: Some(text.clone()),
            ..Shown::new(source, require.text)
        };
        let met = match &require.what {
            Requirement::Root => Ok(process::geteuid() == 0),
            Requirement::Program(name) => Ok(super::host::is_program(name)),
            Requirement::Host(command) => {
                sink.flush()?;
                self.host_succeeds(command)
            }
            Requirement::Condition(condition) => {
                self.settle()?;
                match self.holds(condition) {
                    Ok(failed) => Ok(failed.is_none()),
                    Err(e) => Err(e.into()),
                }
            }
        };
        match met {
            Ok(true) => {
                self.record(text);
                self.show(shown, Ok(Outcome::ok()), true, sink)
            }
            Ok(false) => {
                let what = require.text.of(&source.text);
                Err(Flow::Skipped(format!("it requires {what}")))
            }
            Err(Interrupted::Flow(flow)) => Err(flow),
            Err(Interrupted::Failed(e)) => Err(self.fail(shown, e, sink)),
        }
    }
}

/// What cannot be looked at does not hold; it is no outcome of a step.
fn unjudged(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Environment => failure,
        _ => Failure {
            kind: FailureKind::Mismatch,
            ..failure
        },
    }
}

/// An integer in a segment. One that nobody has attached is attached for a moment, which changes its
/// `lpid` and `atime`.
fn memory(sight: &Sight, object: &Object, ty: IntType, offset: i128) -> Result<Cell, Failure> {
    let offset = usize::try_from(offset)
        .map_err(|_| Failure::refused(format!("the offset {offset} is out of range")))?;
    let word = mechanism::word_at(sight, object, offset, ty.width())?;
    Ok(Cell::Int(ty.decode(word)))
}
