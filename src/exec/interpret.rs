//! Inside an actor: doing the work of a step.

use std::os::fd::OwnedFd;

use crate::actor::{Order, Report, Runner};
use crate::data::{Failure, FailureKind, Outcome, StepResult};
use crate::kernel::signal;
use crate::lang::{Action, Call, Env, Span, Work};
use crate::mechanism::{Args, Run, Verb, World};
use crate::session::Ledger;

/// The commands that run in an actor, by their place in the catalog.
pub type Verbs = Vec<Option<&'static Verb>>;

/// What runs an actor's steps.
#[derive(Debug)]
pub struct Interpreter {
    verbs: Verbs,
    world: World,
    env: Env,
    /// Variables bound since the last report.
    bound: Vec<(String, Outcome)>,
}

/// How one piece of work ended.
struct Done {
    result: StepResult,
    passed: bool,
    at: Span,
}

impl Interpreter {
    /// An actor that has done nothing.
    pub fn new(verbs: Verbs, ledger: Ledger) -> Interpreter {
        Interpreter {
            verbs,
            world: World::new(ledger),
            env: Env::default(),
            bound: Vec::new(),
        }
    }

    fn work(&mut self, work: &Work) -> Done {
        let mut at = work.span;
        let result = match &work.action {
            Action::Call(call) => self.call(call),
            Action::Value(term) => self
                .env
                .value(term)
                .map(Outcome::value)
                .map_err(Failure::from),
            Action::Repeat { count, body } => match self.repeat(count, body) {
                Ok(()) => Ok(Outcome::ok()),
                Err(done) => {
                    at = done.at;
                    done.result.and_then(|outcome| Err(mismatch(&outcome)))
                }
            },
        };
        self.claimed(work, result, at)
    }

    /// Holds a result against what was claimed, and binds it.
    fn claimed(&mut self, work: &Work, result: StepResult, at: Span) -> Done {
        let passed = match &work.claim {
            None => result.is_ok(),
            Some(claim) => match claim.accepts(&result, &self.env) {
                Ok(accepted) => accepted,
                Err(e) => {
                    return Done {
                        result: Err(e.into()),
                        passed: false,
                        at,
                    };
                }
            },
        };
        if let (Some(name), Ok(outcome)) = (&work.bind, &result) {
            self.env.bind(name, outcome.clone());
            match self.bound.iter_mut().find(|(n, _)| n == name) {
                Some((_, bound)) => bound.clone_from(outcome),
                None => self.bound.push((name.clone(), outcome.clone())),
            }
        }
        Done { result, passed, at }
    }

    fn call(&mut self, call: &Call) -> StepResult {
        match self.verbs.get(usize::from(call.command)) {
            Some(Some(Verb {
                signature,
                run: Run::Actor(run) | Run::Through(_, run),
            })) => {
                let args = Args {
                    signature,
                    given: &call.args,
                    env: &self.env,
                };
                run(&mut self.world, &args)
            }
            _ => Err(Failure::refused("this command does not run in an actor")),
        }
    }

    /// A loop; the error is how the step that ended it early ended.
    fn repeat(&mut self, count: &crate::lang::Term, body: &[Work]) -> Result<(), Box<Done>> {
        let count = self.env.int(count).map_err(|e| {
            Box::new(Done {
                result: Err(e.into()),
                passed: false,
                at: Span::default(),
            })
        })?;
        for _ in 0..count {
            for work in body {
                let done = self.work(work);
                if !done.passed {
                    return Err(Box::new(done));
                }
            }
            if signal::cancelled() {
                return Err(Box::new(Done {
                    result: Err(cancelled()),
                    passed: false,
                    at: body.first().map_or(Span::default(), |w| w.span),
                }));
            }
        }
        Ok(())
    }
}

fn cancelled() -> Failure {
    Failure {
        errno: Some("EINTR".into()),
        ..Failure::new(FailureKind::Errno, "it was cancelled")
    }
}

/// A step of a loop ended well, and not as it claimed.
fn mismatch(outcome: &Outcome) -> Failure {
    Failure::new(
        FailureKind::Mismatch,
        format!("this step of the loop ended with `{outcome}`"),
    )
}

impl Runner for Interpreter {
    fn prepare(&mut self, order: &mut Order, descriptors: Vec<OwnedFd>) {
        for change in &order.changes {
            self.world.names.apply(change);
        }
        for (name, outcome) in order.bindings.drain(..) {
            self.env.bind(&name, outcome);
        }
        for (held, fd) in order.files.drain(..).zip(descriptors) {
            self.world
                .files
                .insert(held.family, held.object, held.side, fd);
        }
    }

    fn step(&mut self, order: &Order, place: usize) -> Report {
        let Done { result, passed, at } = self.work(&order.steps[place]);
        Report {
            number: order.first + place as u64,
            result,
            passed,
            at,
            changes: self.world.names.take_changes(),
            bindings: std::mem::take(&mut self.bound),
            holds: self.world.holds.take_changes(),
            files: self.world.files.take_changes(),
        }
    }
}
