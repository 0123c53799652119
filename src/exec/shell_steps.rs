//! Commands that run in the shell.

use std::sync::Arc;

use super::engine::{Engine, Flow, Ran};
use crate::data::{Event, Failure, FailureKind, Outcome, Reply, Sink, StepResult};
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
            Ok(reply) => (Ok(reply.outcome), reply.tables, reply.text),
            Err(Interrupted::Flow(flow)) => return Err(flow),
            Err(Interrupted::Failed(failure)) => (Err(failure), Vec::new(), None),
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
        let environment = matches!(&result, Err(f) if f.kind == FailureKind::Environment);
        let written = step.text.of(&source.text).to_string();
        self.record(line_of(&written, &result));
        sink.event(&Event::Step {
            actor: None,
            source: written,
            claimed: step.claim_text.map(|c| c.of(&source.text).to_string()),
            file: source.name.clone(),
            line: source.line(step.text.start),
            result,
            after: None,
            passed,
        })?;
        for table in tables {
            sink.event(&Event::Table(table))?;
        }
        if let Some(text) = text {
            sink.event(&Event::Text(text))?;
        }
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
            if matches!(builtin.signature.name, "quit" | "exit") {
                return Err(Interrupted::Flow(Flow::Quit));
            }
            return (builtin.run)(self, &args, sink).map_err(Interrupted::Failed);
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
            let actors = self.actors_by_pid();
            let sight = self.sight(&actors);
            return run(&sight, &args).map_err(Interrupted::Failed);
        }
        Err(Interrupted::Failed(Failure::refused(
            "this command does not run in the shell",
        )))
    }
}

/// Why a command of the shell gave no reply.
#[derive(Debug)]
pub enum Interrupted {
    /// It failed.
    Failed(Failure),
    /// The session ends.
    Flow(Flow),
}

/// What `save` writes: what only looks has no outcome.
fn line_of(text: &str, result: &StepResult) -> String {
    match result {
        Ok(outcome) if *outcome == Outcome::ok() => text.to_string(),
        Ok(outcome) => format!("{text} => {outcome}"),
        Err(failure) => format!("{text} => {}", failure.symbol()),
    }
}
