//! `-c`: the result alone, as it is; everything else goes to standard error.

use std::io::{self, Write};

use super::{Style, printable, write_table};
use crate::data::{Event, Outcome, Sink};

/// Writes results to one place and what stands beside them to another.
#[derive(Debug)]
pub struct OneShot<W: Write, E: Write> {
    out: W,
    aside: E,
    style: Style,
    width: Option<u16>,
}

impl<W: Write, E: Write> OneShot<W, E> {
    /// Results into `out`, the rest into `aside`; tables as wide as the terminal.
    pub fn new(out: W, aside: E, style: Style, width: Option<u16>) -> OneShot<W, E> {
        OneShot {
            out,
            aside,
            style,
            width,
        }
    }

    fn outcome(&mut self, outcome: &Outcome) -> io::Result<()> {
        for note in &outcome.notes {
            writeln!(self.aside, "{}", printable(note))?;
        }
        if outcome.eof || outcome.value.is_some() || !outcome.fields.is_empty() {
            return writeln!(self.out, "{outcome}");
        }
        match outcome.remarks_text() {
            remarks if remarks.is_empty() => Ok(()),
            remarks => writeln!(self.out, "{remarks}"),
        }
    }
}

impl<W: Write, E: Write> Sink for OneShot<W, E> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Step {
                result: Ok(outcome),
                ..
            } => self.outcome(outcome),
            // A failure that was not claimed is shown with its place.
            Event::Step {
                result: Err(failure),
                passed,
                ..
            } => match passed {
                true => writeln!(self.out, "{}", failure.symbol()),
                false => Ok(()),
            },
            Event::Blocked { source, why, .. } => {
                writeln!(self.aside, "{source} ...   blocked: {}", printable(why))
            }
            Event::Started { .. } | Event::Stands(_) => Ok(()),
            Event::Note(text) => writeln!(self.aside, "{}", printable(text)),
            Event::Warning(text) => writeln!(self.aside, "ipcsh: {}", printable(text)),
            Event::Text(text) => {
                let text = printable(text);
                let newline = if text.ends_with('\n') { "" } else { "\n" };
                write!(self.out, "{text}{newline}")
            }
            Event::Table(table) => {
                write_table(&mut self.out, table, self.style, self.width, &|_, _| false)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.aside.flush()
    }
}
