//! NDJSON: one object a row, an outcome, an event or a mistake. Numbers are numbers, times
//! are seconds since the epoch, sizes are bytes. Never made from text that is shown.

use std::io::{self, Write};

use crate::data::{Caught, Event, Sink, Stand, Table};
use crate::lang::Diagnostic;
use object::Object;

mod object;
#[cfg(test)]
mod tests;

/// Writes events as NDJSON.
#[derive(Debug)]
pub struct Json<W: Write> {
    out: W,
    /// The line being made; its room is used again.
    line: String,
}

impl<W: Write> Json<W> {
    /// Into this.
    pub fn new(out: W) -> Json<W> {
        Json {
            out,
            line: String::new(),
        }
    }

    /// A mistake in a program's text.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mistake(&mut self, d: &Diagnostic) -> io::Result<()> {
        self.object("mistake", |object| {
            object.text("file", &d.source.name);
            object.int("line", i128::from(d.source.line(d.span.start)));
            object.int("start", i128::from(d.span.start));
            object.int("end", i128::from(d.span.end));
            object.text("message", &d.message);
            object.text("expected", &d.label);
            if let Some(help) = &d.help {
                object.text("help", help);
            }
        })
    }

    /// What keeps everything from being run, outside any text; with the file, and the line
    /// in it, that it is about.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn error(
        &mut self,
        place: (Option<&str>, Option<usize>),
        message: &str,
        help: Option<&str>,
    ) -> io::Result<()> {
        self.object("error", |object| {
            if let Some(file) = place.0 {
                object.text("file", file);
            }
            if let Some(line) = place.1 {
                object.int("line", line as i128);
            }
            object.text("message", message);
            if let Some(help) = help {
                object.text("help", help);
            }
        })
    }

    /// The rows of a table, then what could not be seen.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        for row in table.rows() {
            self.object(table.kind, |object| {
                for (column, cell) in table.columns.iter().zip(row) {
                    object.cell(column.name, cell);
                }
                let cells = table.columns.iter().map(|c| c.name).zip(row);
                object.unknown(cells);
            })?;
        }
        let unknown = table.unknown_of(0..table.columns.len());
        for line in unknown.iter().chain(&table.footer) {
            self.object("note", |object| {
                object.text("about", table.kind);
                object.text("text", line);
            })?;
        }
        Ok(())
    }

    /// One object on one line, written at once.
    fn object(&mut self, kind: &str, fill: impl FnOnce(&mut Object)) -> io::Result<()> {
        self.line.clear();
        self.line.push('{');
        let mut object = Object::new(&mut self.line);
        object.text("kind", kind);
        fill(&mut object);
        self.line.push_str("}\n");
        self.out.write_all(self.line.as_bytes())
    }

    fn one_text(&mut self, kind: &str, text: &str) -> io::Result<()> {
        self.object(kind, |object| object.text("text", text))
    }

    fn caught(&mut self, caught: &Caught) -> io::Result<()> {
        self.object("caught", |object| {
            object.text("actor", &caught.actor);
            object.text("signal", &caught.signal);
            object.int("pid", i128::from(caught.pid));
            object.int("uid", i128::from(caught.uid));
            if let Some(sender) = &caught.sender {
                object.text("sender", sender);
            }
            if let Some(value) = caught.value {
                object.int("value", i128::from(value));
            }
        })
    }

    fn stand(&mut self, stand: &Stand) -> io::Result<()> {
        self.object("stand", |object| {
            object.text("actor", &stand.actor);
            object.int("pid", i128::from(stand.pid));
            object.text("state", &stand.state);
            object.text_or_null("call", stand.call.as_deref());
            object.text_or_null("about", stand.about.as_deref());
        })
    }
}

impl<W: Write> Sink for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Step {
                actor,
                source,
                claimed,
                file,
                line,
                result,
                after,
                passed,
            } => self.object("step", |object| {
                if let Some(actor) = actor {
                    object.text("actor", actor);
                }
                object.place(source, file, *line);
                if let Some(claimed) = claimed {
                    object.text("claimed", &claimed.text);
                    object.fields("variables", &claimed.variables);
                }
                match result {
                    Ok(outcome) => object.outcome(outcome),
                    Err(failure) => object.failure(failure),
                }
                if let Some(after) = after {
                    object.elapsed("after", *after);
                }
                object.raw("passed", if *passed { "true" } else { "false" });
            }),
            Event::Blocked {
                actor,
                source,
                file,
                line,
                claimed,
                claim,
                why,
            } => self.object("blocked", |object| {
                object.text("actor", actor);
                object.place(source, file, *line);
                object.raw("claimed", if *claimed { "true" } else { "false" });
                if let Some(claim) = claim {
                    object.text("claim", claim);
                }
                object.text("why", why);
            }),
            Event::Started {
                actor,
                source,
                file,
                line,
                claim,
            } => self.object("started", |object| {
                object.text("actor", actor);
                object.place(source, file, *line);
                if let Some(claim) = claim {
                    object.text("claim", claim);
                }
            }),
            Event::Caught(caught) => self.caught(caught),
            Event::Note(text) => self.one_text("note", text),
            Event::Warning(text) => self.one_text("warning", text),
            Event::Text(text) => self.one_text("text", text),
            Event::Table(table) => self.table(table),
            Event::Stands(stands) => stands.iter().try_for_each(|s| self.stand(s)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
