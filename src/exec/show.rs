//! Showing how statements ended.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Flow, Mode, Ran};
use super::slot::signal_text;
use crate::data::{Claimed, Event, Failure, FailureKind, Outcome, Sink, Stand, StepResult};
use crate::lang::{Claim, Env, Source, Span, Step};

/// A statement that has ended, but for how.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub source: &'a Source,
    pub span: Span,
    /// What is shown instead of the words that stand there.
    pub words: Option<String>,
    /// The actor it ran in.
    pub actor: Option<String>,
    /// The outcome that is claimed, as written and as read.
    pub claimed: Option<(&'a str, &'a Claim)>,
    /// How long it was blocked.
    pub after: Option<Duration>,
}

impl<'a> Shown<'a> {
    /// The statement at a place; it ran in the shell, and claims nothing.
    pub fn new(source: &'a Source, span: Span) -> Shown<'a> {
        Shown {
            source,
            span,
            words: None,
            actor: None,
            claimed: None,
            after: None,
        }
    }

    /// Its words.
    pub fn text(&self) -> &str {
        match &self.words {
            Some(words) => words,
            None => self.span.of(&self.source.text),
        }
    }

    /// Its end. A claim that does not hold is shown with the values of its variables.
    pub fn event(self, result: StepResult, passed: bool, env: &Env) -> Event {
        let claimed = self.claimed.map(|(written, claim)| Claimed {
            text: written.to_string(),
            variables: match passed {
                true => Vec::new(),
                false => claim.variables(env),
            },
        });
        Event::Step {
            source: self.text().to_string(),
            actor: self.actor,
            claimed,
            file: self.source.name.clone(),
            line: self.source.line(self.span.start),
            result,
            after: self.after,
            passed,
        }
    }
}

/// What the end of a statement means for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    Environment,
}

impl Verdict {
    pub fn of(result: &StepResult, passed: bool) -> Verdict {
        match result {
            _ if passed => Verdict::Passed,
            Err(f) if f.kind == FailureKind::Environment => Verdict::Environment,
            _ => Verdict::Failed,
        }
    }
}

/// A step as a line of a script that passes.
pub(super) fn as_line(text: &str, result: &StepResult) -> String {
    match result {
        // Nobody claims so much.
        Ok(outcome) if outcome.is_long() => text.to_string(),
        Ok(outcome) => format!("{text} => {outcome}"),
        Err(failure) => format!("{text} => {}", failure.symbol()),
    }
}

/// A statement of one line or several that is not to be run.
pub(super) fn as_comment(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("# {line}")).collect();
    lines.join("\n")
}

impl Engine {
    /// Shows how a statement ended; an end that does not pass ends the program.
    pub(super) fn show(
        &mut self,
        shown: Shown,
        mut result: StepResult,
        passed: bool,
        sink: &mut dyn Sink,
    ) -> Ran {
        let verdict = Verdict::of(&result, passed);
        if let (false, Err(failure)) = (passed, &mut result) {
            self.explain(failure);
        }
        sink.event(&shown.event(result, passed, &self.env))?;
        self.follow(verdict, sink)
    }

    /// What follows from the end of a statement, once it is shown.
    pub(super) fn follow(&mut self, verdict: Verdict, sink: &mut dyn Sink) -> Ran {
        if verdict == Verdict::Passed {
            return Ok(());
        }
        self.show_stands(sink)?;
        Err(match verdict {
            Verdict::Environment => Flow::Environment,
            _ => Flow::Failed,
        })
    }

    /// A statement that has no outcome to show.
    pub(super) fn quiet_step(
        &mut self,
        source: &Arc<Source>,
        span: Span,
        sink: &mut dyn Sink,
    ) -> Ran {
        self.record(span.of(&source.text).to_string());
        self.show(Shown::new(source, span), Ok(Outcome::ok()), true, sink)
    }

    /// A statement whose steps are shown where they run: in a transcript it is a comment,
    /// or they would run twice when that is run.
    pub(super) fn elsewhere(
        &mut self,
        source: &Arc<Source>,
        span: Span,
        sink: &mut dyn Sink,
    ) -> Ran {
        let text = span.of(&source.text).to_string();
        if self.options.mode == Mode::Script {
            sink.event(&Event::Note(text))?;
        }
        Ok(())
    }

    /// Shows a statement as failed.
    pub(super) fn fail_at(
        &mut self,
        source: &Arc<Source>,
        span: Span,
        failure: Failure,
        sink: &mut dyn Sink,
    ) -> Flow {
        self.fail(Shown::new(source, span), failure, sink)
    }

    /// Shows a failure as the end of a statement.
    pub(super) fn fail(&mut self, shown: Shown, failure: Failure, sink: &mut dyn Sink) -> Flow {
        let shown = self.show(shown, Err(failure), false, sink);
        shown.err().unwrap_or(Flow::Failed)
    }

    /// Where a script stood when a signal ended it: the innermost statement tells it.
    pub(super) fn ended_at(
        &mut self,
        flow: Flow,
        source: &Arc<Source>,
        span: Span,
        sink: &mut dyn Sink,
    ) -> Flow {
        if let Flow::Signal(signo) = flow
            && self.options.mode != Mode::Prompt
            && !std::mem::replace(&mut self.told_ending, true)
        {
            let text = format!("{} ended the script here", signal_text(signo));
            // It ends by the signal, whatever can be shown.
            self.fail_at(source, span, Failure::environment(text), sink);
        }
        flow
    }

    /// A failure that belongs to no statement.
    pub(super) fn fail_nowhere(&self, failure: &Failure, sink: &mut dyn Sink) -> Flow {
        match sink.event(&Event::Warning(failure.to_string())) {
            Ok(()) => Flow::Environment,
            Err(e) => Flow::Output(e),
        }
    }

    /// Adds a line to what `save` writes.
    pub(super) fn record(&mut self, line: String) {
        if self.options.mode == Mode::Prompt {
            // What Ctrl-C ended would not end so again.
            self.journal.push(match self.interrupted {
                true => as_comment(&line),
                false => line,
            });
        }
    }

    /// Adds a step that somebody at the prompt ended, and that would not end so again: it is not done at
    /// all, but its actor is there.
    pub(super) fn record_cancelled(&mut self, source: &Source, step: &Step) {
        let text = step.text.of(&source.text);
        let line = match (&step.actor, text.split_once(':')) {
            (Some(name), Some((_, text))) => format!("{name}: repeat 0 {{{text} }}"),
            _ => format!("repeat 0 {{ {text} }}"),
        };
        self.journal.push(line);
    }

    /// Where every actor stands, for a failure.
    pub(super) fn show_stands(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        if self.options.mode == Mode::Prompt || self.slots.is_empty() {
            return Ok(());
        }
        let stands: Vec<Stand> = (0..self.slots.len()).map(|slot| self.stand(slot)).collect();
        sink.event(&Event::Stands(stands))
    }
}
