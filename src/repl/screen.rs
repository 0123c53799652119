//! What the prompt writes: lines for a person, or NDJSON.

use std::io::{self, Write};

use crate::data::{Event, Sink};
use crate::kernel::terminal;
use crate::lang::Diagnostic;
use crate::view::{Json, Style, lines, mistake};

/// How events are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Show {
    pub style: Style,
    pub json: bool,
}

/// Events, written as they come.
pub(super) struct Screen<W: Write> {
    pub out: W,
    pub show: Show,
}

impl<W: Write> Screen<W> {
    pub fn new(out: W, show: Show) -> Screen<W> {
        Screen { out, show }
    }

    /// A mistake in what was typed.
    pub fn mistake(&mut self, d: &Diagnostic) -> io::Result<()> {
        match self.show.json {
            true => Json::new(&mut self.out).mistake(d),
            false => writeln!(self.out, "{}", mistake(d, self.show.style)),
        }
    }

    /// A line for people.
    pub fn say(&mut self, text: impl Into<String>) -> io::Result<()> {
        self.event(&Event::Note(text.into()))
    }
}

impl<W: Write> Sink for Screen<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if self.show.json {
            return Json::new(&mut self.out).event(event);
        }
        let width = terminal::window_size().ok().map(|s| s.columns);
        let text = lines(event, self.show.style, width);
        match text.is_empty() {
            true => Ok(()),
            false => writeln!(self.out, "{text}"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Only what fails, with its place: what a first program shows.
pub(super) struct Failures<'a, W: Write>(pub &'a mut Screen<W>);

impl<W: Write> Sink for Failures<'_, W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Step {
                passed: false,
                source,
                file,
                line,
                ..
            } => {
                if !self.0.show.json {
                    self.0.say(format!("{file}:{line}: {source}"))?;
                }
                self.0.event(event)
            }
            Event::Warning(_) => self.0.event(event),
            _ => Ok(()),
        }
    }
}
