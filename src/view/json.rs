//! NDJSON: one object a row, an outcome, an event or a mistake. Numbers are numbers, times
//! are seconds since the epoch, sizes are bytes. Never made from text that is shown.

use std::io::{self, Write};
use std::time::Duration;

use super::escape::obeyed;
use super::written::push_hex;
use crate::data::{
    Caught, Cell, Event, Failure, Field, Outcome, Sink, Stand, Table, push_int, push_u64,
};
use crate::lang::Diagnostic;

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
        let mut object = Object {
            line: &mut self.line,
            first: true,
        };
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

/// An object that is being written.
struct Object<'l> {
    line: &'l mut String,
    first: bool,
}

impl Object<'_> {
    fn key(&mut self, name: &str, suffix: &str) {
        if !std::mem::replace(&mut self.first, false) {
            self.line.push(',');
        }
        // Names are ours: letters and signs that need no escape.
        self.line.push('"');
        self.line.push_str(name);
        self.line.push_str(suffix);
        self.line.push_str("\":");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.key(name, "");
        push_string(self.line, text);
    }

    fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    fn int(&mut self, name: &str, n: i128) {
        self.key(name, "");
        push_int(self.line, n);
    }

    fn elapsed(&mut self, name: &str, d: Duration) {
        self.key(name, "");
        push_seconds(self.line, d);
    }

    fn raw(&mut self, name: &str, text: &str) {
        self.key(name, "");
        self.line.push_str(text);
    }

    fn place(&mut self, source: &str, file: &str, line: u32) {
        self.text("step", source);
        self.text("file", file);
        self.int("line", i128::from(line));
    }

    /// Data that is not UTF-8 says so by its key: `data_hex`.
    fn cell(&mut self, name: &str, cell: &Cell) {
        match cell {
            Cell::Data(bytes) | Cell::Name(bytes) => match str::from_utf8(bytes) {
                Ok(text) => self.text(name, text),
                Err(_) => {
                    self.key(name, "_hex");
                    push_hex_string(self.line, bytes);
                }
            },
            cell => {
                self.key(name, "");
                push_cell(self.line, cell);
            }
        }
    }

    /// Which of them exist and may not be seen: their values are `null`, as of what there is none.
    fn unknown<'c>(&mut self, cells: impl Iterator<Item = (&'c str, &'c Cell)>) {
        let unknown = cells.filter(|(_, cell)| **cell == Cell::Unknown);
        let unknown: Vec<&str> = unknown.map(|(name, _)| name).collect();
        if !unknown.is_empty() {
            self.key("unknown", "");
            push_list(self.line, &unknown, |line, name| push_string(line, name));
        }
    }

    fn fields(&mut self, name: &str, fields: &[Field]) {
        if fields.is_empty() {
            return;
        }
        self.key(name, "");
        self.line.push('{');
        let mut inner = Object {
            line: &mut *self.line,
            first: true,
        };
        for field in fields {
            inner.cell(&field.name, &field.value);
        }
        self.line.push('}');
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.text("outcome", if outcome.eof { "eof" } else { "ok" });
        self.fields("fields", &outcome.fields);
        self.fields("remarks", outcome.remarks());
        match &outcome.value {
            Some(data @ Cell::Data(_)) => self.cell("data", data),
            Some(value) => self.cell("value", value),
            None => {}
        }
        if let Some(text) = outcome.text() {
            self.text("text", text);
        }
        if outcome.notes().is_empty() {
            return;
        }
        self.key("notes", "");
        push_list(self.line, outcome.notes(), |line, note| {
            push_string(line, note)
        });
    }

    fn failure(&mut self, failure: &Failure) {
        self.text("outcome", failure.symbol());
        if let Some(call) = &failure.call {
            self.text("call", call);
        }
        self.text("meaning", &failure.meaning);
        if let Some(help) = &failure.help {
            self.text("help", help);
        }
    }
}

fn push_list<T>(line: &mut String, all: &[T], push: impl Fn(&mut String, &T)) {
    line.push('[');
    for (i, one) in all.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        push(line, one);
    }
    line.push(']');
}

fn push_cell(line: &mut String, cell: &Cell) {
    match cell {
        Cell::Int(n) => push_int(line, *n),
        Cell::Size(n) => push_u64(line, *n),
        Cell::Key(k) => push_u64(line, u64::from(*k as u32)),
        Cell::Mode(m) => {
            use std::fmt::Write;
            let _ = write!(line, "\"{m:04o}\"");
        }
        Cell::Time(0) | Cell::Unknown | Cell::Nothing => line.push_str("null"),
        Cell::Time(t) => push_int(line, i128::from(*t)),
        Cell::Elapsed(d) => push_seconds(line, *d),
        Cell::Text(text) => push_string(line, text),
        // In a list there is no key that could say it.
        Cell::Data(bytes) | Cell::Name(bytes) => match str::from_utf8(bytes) {
            Ok(text) => push_string(line, text),
            Err(_) => {
                line.push_str("{\"data_hex\":");
                push_hex_string(line, bytes);
                line.push('}');
            }
        },
        Cell::List(cells) => push_list(line, cells, push_cell),
    }
}

/// Seconds, to the nanosecond.
fn push_seconds(line: &mut String, d: Duration) {
    push_u64(line, d.as_secs());
    line.push('.');
    let start = line.len();
    push_u64(line, 1_000_000_000 + u64::from(d.subsec_nanos()));
    line.remove(start);
    let end = line.trim_end_matches('0').len();
    line.truncate(end.max(start + 1));
}

fn push_hex_string(line: &mut String, bytes: &[u8]) {
    line.push('"');
    push_hex(line, bytes);
    line.push('"');
}

/// A string. What a terminal would obey is escaped too, as JSON allows: a person may look.
fn push_string(line: &mut String, text: &str) {
    line.push('"');
    let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        line.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => line.push_str("\\\""),
                '\\' => line.push_str("\\\\"),
                '\n' => line.push_str("\\n"),
                '\r' => line.push_str("\\r"),
                '\t' => line.push_str("\\t"),
                // All of them stand below U+10000: one unit of four digits.
                c if obeyed(c) => {
                    line.push_str("\\u");
                    push_hex(line, &(u32::from(c) as u16).to_be_bytes());
                }
                c => line.push(c),
            }
        }
    }
    line.push('"');
}
