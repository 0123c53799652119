//! Failures of a script, on standard error, beside its transcript on standard output.

use std::io::{self, Write};

use crate::data::{Claimed, Event, Failure, Sink, Stand, StepResult};
use crate::view::{Style, failure};

/// A failing step, until it is known where every actor stands.
#[derive(Debug)]
struct Failed {
    place: (String, u32),
    step: String,
    claimed: Option<Claimed>,
    result: StepResult,
}

/// Hands every event on, and reports each step that did not pass.
#[derive(Debug)]
pub struct Report<S: Sink, E: Write> {
    inner: S,
    errors: E,
    style: Style,
    /// Whether both are seen on one screen.
    together: bool,
    failed: Option<Failed>,
}

impl<S: Sink, E: Write> Report<S, E> {
    /// Events go to `inner`, reports to `errors`. Where those are seen `together`, it is told once where
    /// every actor stands.
    pub fn new(inner: S, errors: E, style: Style, together: bool) -> Report<S, E> {
        Report {
            inner,
            errors,
            style,
            together,
            failed: None,
        }
    }

    fn report(&mut self, stands: &[Stand]) -> io::Result<()> {
        let Some(failed) = self.failed.take() else {
            return Ok(());
        };
        // What was printed before comes first, where both go to one place.
        self.inner.flush()?;
        let (found, why): (String, Option<&Failure>) = match &failed.result {
            Ok(outcome) => (outcome.to_string(), None),
            Err(failure) => (failure.symbol().to_string(), Some(failure)),
        };
        let (file, line) = &failed.place;
        let text = failure(
            Some((file, *line)),
            &failed.step,
            failed.claimed.as_ref(),
            &found,
            why,
            stands,
            self.style,
        );
        writeln!(self.errors, "{text}")
    }
}

impl<S: Sink, E: Write> Sink for Report<S, E> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let stands = match event {
            Event::Stands(stands) => stands.as_slice(),
            _ => &[],
        };
        self.report(stands)?;
        if self.together && !stands.is_empty() {
            return Ok(());
        }
        self.inner.event(event)?;
        if let Event::Step {
            source,
            claimed,
            file,
            line,
            result,
            passed: false,
            ..
        } = event
        {
            self.failed = Some(Failed {
                place: (file.to_string(), *line),
                step: source.clone(),
                claimed: claimed.clone(),
                result: result.clone(),
            });
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.report(&[])?;
        self.inner.flush()?;
        self.errors.flush()
    }
}
