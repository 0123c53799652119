//! Inside an actor: doing the work of a step.

use std::os::fd::OwnedFd;

use crate::actor::{Effects, Order, Report, Runner};
use crate::data::{Failure, FailureKind, Outcome, StepResult};
use crate::kernel::signal;
use crate::lang::{Action, Call, Env, Span, Term, Work};
use crate::mechanism::{Args, Run, Verb, World};
use crate::session::{Holds, Ledger, Names};

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
    /// Whether the descriptors that an order brought had no room here.
    lost: bool,
}

/// How one piece of work ended.
struct Done {
    result: StepResult,
    passed: bool,
    at: Span,
}

impl Done {
    /// It has not passed until it is held against what was claimed.
    fn new(result: StepResult, at: Span) -> Done {
        Done {
            result,
            passed: false,
            at,
        }
    }

    /// Nothing was to be done.
    fn taken() -> Done {
        Done {
            passed: true,
            ..Done::new(Ok(Outcome::ok()), Span::default())
        }
    }
}

impl Interpreter {
    /// An actor that has done nothing.
    pub fn new(verbs: Verbs, ledger: Ledger, holds: Holds) -> Interpreter {
        Interpreter {
            verbs,
            world: World::new(ledger, holds),
            env: Env::default(),
            bound: Vec::new(),
            lost: false,
        }
    }

    fn work(&mut self, work: &Work) -> Done {
        let mut done = match &work.action {
            Action::Call(call) => Done::new(self.call(call, true), work.span),
            Action::Value(term) => {
                let value = self.env.value(term).map(Outcome::value);
                Done::new(value.map_err(Failure::from), work.span)
            }
            Action::Repeat { count, body } => match self.repeat(count, body, work.span) {
                Ok(()) => Done::new(Ok(Outcome::ok()), work.span),
                Err(done) => {
                    let result = done.result.and_then(|outcome| Err(mismatch(&outcome)));
                    Done::new(result, done.at)
                }
            },
        };
        self.judge(work, &mut done);
        done
    }

    /// Holds what came of it against what is claimed. It is large, and stays where it is.
    fn judge(&mut self, work: &Work, done: &mut Done) {
        match self.claimed(work, &done.result) {
            Ok(passed) => done.passed = passed,
            Err(failure) => done.result = Err(failure),
        }
    }

    /// Whether a result is what was claimed; it is bound.
    fn claimed(&mut self, work: &Work, result: &StepResult) -> Result<bool, Failure> {
        let passed = match &work.claim {
            None => result.is_ok(),
            Some(claim) => claim.accepts(result, &self.env)?,
        };
        if let (Some(name), Ok(outcome)) = (&work.bind, result) {
            self.env.bind(name, outcome.clone());
            match self.bound.iter_mut().find(|(n, _)| n == name) {
                Some((_, bound)) => bound.clone_from(outcome),
                None => self.bound.push((name.clone(), outcome.clone())),
            }
        }
        Ok(passed)
    }

    fn call(&mut self, call: &Call, seen: bool) -> StepResult {
        match self.verbs.get(usize::from(call.command)) {
            Some(Some(Verb {
                signature,
                run: Run::Actor(run) | Run::Through(_, run),
            })) => {
                let args = Args {
                    signature,
                    given: &call.args,
                    env: &self.env,
                    seen,
                };
                let result = run(&mut self.world, &args);
                if let Ok(outcome) = &result {
                    signature.check(outcome);
                }
                result
            }
            _ => Err(Failure::refused("this command does not run in an actor")),
        }
    }

    /// A loop; the error is how the step that ended it early ended.
    fn repeat(&mut self, count: &Term, body: &[Work], at: Span) -> Result<(), Box<Done>> {
        let count = self.env.times(count);
        let count = count.map_err(|e| Box::new(Done::new(Err(e.into()), at)))?;
        for _ in 0..count {
            for work in body {
                // Moving what a step yields would cost as much as the step: most are not
                // asked for it.
                if let (Action::Call(call), None, None) = (&work.action, &work.claim, &work.bind) {
                    if let Err(failure) = self.call(call, false) {
                        return Err(Box::new(Done::new(Err(failure), work.span)));
                    }
                    continue;
                }
                let done = self.work(work);
                if !done.passed {
                    return Err(Box::new(done));
                }
            }
            if signal::cancelled() {
                let at = body.first().map_or(Span::default(), |w| w.span);
                return Err(Box::new(Done::new(Err(cancelled()), at)));
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

/// What a step works on did not come with it.
fn no_room() -> Failure {
    let meaning = "this actor has no room for the descriptors that the step needs (RLIMIT_NOFILE)";
    Failure::errno("EMFILE", meaning).call("recvmsg(SCM_RIGHTS)")
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
        if order.afresh {
            self.world.names = Names::default();
            self.env = Env::default();
        }
        for change in &order.changes {
            self.world.names.apply(change);
        }
        for (name, outcome) in order.bindings.drain(..) {
            self.env.bind(&name, outcome);
        }
        self.lost = descriptors.len() < order.files.len();
        if self.lost {
            self.world.files.lost();
            return;
        }
        for (held, fd) in order.files.drain(..).zip(descriptors) {
            self.world
                .files
                .insert(held.family, held.object, held.side, fd);
        }
    }

    fn step(&mut self, order: &Order, place: usize) -> Report {
        let lost = std::mem::take(&mut self.lost);
        let Done { result, passed, at } = match order.steps.get(place) {
            Some(work) if lost => {
                let mut done = Done::new(Err(no_room()), work.span);
                self.judge(work, &mut done);
                done
            }
            Some(work) => self.work(work),
            None if lost => Done::new(Err(no_room()), Span::default()),
            None => Done::taken(),
        };
        Report {
            number: order.first + place as u64,
            result,
            passed,
            at,
            effects: Effects {
                changes: self.world.names.take_changes(),
                bindings: std::mem::take(&mut self.bound),
                files: self.world.files.take_changes(),
            }
            .noted(),
        }
    }
}
