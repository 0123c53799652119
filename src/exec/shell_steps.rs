//! Commands that run in the shell.

use std::sync::Arc;

use super::engine::{Engine, Flow, Ran};
use super::show::{Shown, Verdict, as_comment, as_line};
use super::steer::interrupted;
use crate::data::{Event, Failure, FailureKind, Outcome, Reply, Sink};
use crate::lang::{Action, Call, Source, Step};
use crate::mechanism::{Args, Run};

impl Engine {
    pub(super) fn shell_step(
        &mut self,
        source: &Arc<Source>,
        step: &Step,
        sink: &mut dyn Sink,
    ) -> Ran {
        let Action::Call(call) = &step.work.action else {
            return Ok(());
        };
        let (result, tables, text) = match self.shell_call(call, sink) {
            // What it has found is shown all the same.
            Ok(Reply {
                failing: Some(why),
                tables,
                text,
                ..
            }) if step.work.claim.is_none() => {
                let failure = Failure::new(FailureKind::Mismatch, why);
                (Err(failure), tables, text)
            }
            Ok(reply) => (Ok(reply.outcome), reply.tables, reply.text),
            Err(Interrupted::Flow(flow)) => return Err(flow),
            Err(Interrupted::Failed(failure)) => {
                // It may have failed because the session is to end.
                self.check_signals()?;
                (Err(failure), Vec::new(), None)
            }
        };
        let passed = match &step.work.claim {
            None => result.is_ok(),
            Some(claim) => match claim.accepts(&result, &self.env) {
                Ok(accepted) => accepted,
                Err(e) => return Err(self.fail_at(source, step.text, e.into(), sink)),
            },
        };
        if let (Some(name), Ok(outcome)) = (&step.work.bind, &result) {
            self.bind(name, outcome.clone());
        }
        let written = step.text.of(&source.text);
        // What only looks has no outcome in a saved session, and what is for who types has no place.
        if !self.commands.catalog.signature(call.command).typed {
            self.record(match &result {
                Ok(outcome) if *outcome == Outcome::ok() => written.to_string(),
                // What is found on this host is not to be found on another.
                Err(failure) if failure.kind == FailureKind::Mismatch => as_comment(written),
                result => as_line(written, result),
            });
        }
        let verdict = Verdict::of(&result, passed);
        let shown = Shown {
            claimed: step.claimed(source),
            ..Shown::new(source, step.text)
        };
        sink.event(&shown.event(result, passed, &self.env))?;
        for table in tables {
            sink.event(&Event::Table(table))?;
        }
        if let Some(text) = text {
            sink.event(&Event::Text(text))?;
        }
        self.follow(verdict, sink)
    }

    /// Runs a command that looks, or that steers the session.
    pub fn shell_call(&mut self, call: &Call, sink: &mut dyn Sink) -> Result<Reply, Interrupted> {
        let commands = self.commands;
        let place = usize::from(call.command);
        let env = Arc::clone(&self.env);
        if let Some(Some(builtin)) = commands.builtins.get(place) {
            let args = Args {
                signature: &builtin.signature,
                given: &call.args,
                env: &env,
                seen: true,
            };
            if builtin.signature.lasts {
                sink.flush().map_err(Flow::from)?;
            }
            let reply = match self.elsewhere_wanted(&args)? {
                Some(pid) => self.look_inside(pid, call)?,
                None => (builtin.run)(self, &args, sink)?,
            };
            builtin.signature.check(&reply.outcome);
            return Ok(reply);
        }
        if let Some(Some(verb)) = commands.verbs.get(place)
            && let Run::Shell(run) = verb.run
        {
            let args = Args {
                signature: &verb.signature,
                given: &call.args,
                env: &env,
                seen: true,
            };
            let reply = match self.elsewhere_wanted(&args)? {
                Some(pid) => self.look_inside(pid, call)?,
                None => {
                    let actors = self.actors_by_pid();
                    run(&self.sight(&actors), &args)?
                }
            };
            verb.signature.check(&reply.outcome);
            return Ok(reply);
        }
        Err(Interrupted::Failed(Failure::refused(
            "this command does not run in the shell",
        )))
    }
}

/// Why what was run or waited for has come to nothing.
#[derive(Debug)]
pub enum Interrupted {
    /// It failed.
    Failed(Failure),
    /// The session ends.
    Flow(Flow),
}

impl Interrupted {
    /// As a command of the shell tells it.
    pub(super) fn failure(self) -> Failure {
        match self {
            Interrupted::Failed(failure) => failure,
            Interrupted::Flow(flow) => interrupted(&flow),
        }
    }
}

impl From<Flow> for Interrupted {
    fn from(flow: Flow) -> Interrupted {
        Interrupted::Flow(flow)
    }
}

impl From<Failure> for Interrupted {
    fn from(failure: Failure) -> Interrupted {
        Interrupted::Failed(failure)
    }
}
