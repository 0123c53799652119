//! NDJSON: one object a row, an outcome, an event or a mistake. Numbers are numbers, times
//! are seconds since the epoch, sizes are bytes.

use std::io::{self, Write};

use crate::data::{Cell, Event, Failure, Field, Outcome, Sink, Stand, StepResult, Table};
use crate::lang::Diagnostic;

/// Writes events as NDJSON.
#[derive(Debug)]
pub struct Json<W: Write> {
    out: W,
}

impl<W: Write> Json<W> {
    /// Into this.
    pub fn new(out: W) -> Json<W> {
        Json { out }
    }

    /// A mistake in a program's text.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mistake(&mut self, d: &Diagnostic) -> io::Result<()> {
        let mut object = Object::new(&mut self.out, "mistake")?;
        object.text("file", &d.source.name)?;
        object.int("line", i128::from(d.source.line(d.span.start)))?;
        object.int("start", i128::from(d.span.start))?;
        object.int("end", i128::from(d.span.end))?;
        object.text("message", &d.message)?;
        object.text("expected", &d.label)?;
        if let Some(help) = &d.help {
            object.text("help", help)?;
        }
        object.end()
    }
}

impl<W: Write> Sink for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let out = &mut self.out;
        match event {
            Event::Table(table) => return write_table(out, table),
            Event::Stands(stands) => {
                return stands.iter().try_for_each(|s| write_stand(out, s));
            }
            _ => {}
        }
        let line =
            |object: &mut Object<W>, actor: &str, source: &str, (file, line): (&str, u32)| {
                object.text("actor", actor)?;
                object.text("step", source)?;
                object.text("file", file)?;
                object.int("line", i128::from(line))
            };
        match event {
            Event::Step {
                actor,
                source,
                file,
                line,
                result,
                after,
                passed,
                ..
            } => {
                let mut object = Object::new(out, "step")?;
                if let Some(actor) = actor {
                    object.text("actor", actor)?;
                }
                object.text("step", source)?;
                object.text("file", file)?;
                object.int("line", i128::from(*line))?;
                write_result(&mut object, result)?;
                if let Some(after) = after {
                    object.cell("after", &Cell::Elapsed(*after))?;
                }
                object.raw("passed", if *passed { "true" } else { "false" })?;
                object.end()
            }
            Event::Blocked {
                actor,
                source,
                file,
                line: number,
                why,
                ..
            } => {
                let mut object = Object::new(out, "blocked")?;
                line(&mut object, actor, source, (file, *number))?;
                object.text("why", why)?;
                object.end()
            }
            Event::Started {
                actor,
                source,
                file,
                line: number,
            } => {
                let mut object = Object::new(out, "started")?;
                line(&mut object, actor, source, (file, *number))?;
                object.end()
            }
            Event::Note(text) => one_text(out, "note", text),
            Event::Warning(text) => one_text(out, "warning", text),
            Event::Text(text) => one_text(out, "text", text),
            Event::Table(_) | Event::Stands(_) => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn one_text<W: Write>(out: &mut W, kind: &str, text: &str) -> io::Result<()> {
    let mut object = Object::new(out, kind)?;
    object.text("text", text)?;
    object.end()
}

fn write_table<W: Write>(out: &mut W, table: &Table) -> io::Result<()> {
    for row in table.rows() {
        let mut object = Object::new(out, table.kind)?;
        for (column, cell) in table.columns.iter().zip(row) {
            object.cell(column.name, cell)?;
        }
        object.end()?;
    }
    table
        .footer
        .iter()
        .try_for_each(|line| one_text(out, "note", line))
}

fn write_stand<W: Write>(out: &mut W, stand: &Stand) -> io::Result<()> {
    let mut object = Object::new(out, "stand")?;
    object.text("actor", &stand.actor)?;
    object.int("pid", i128::from(stand.pid))?;
    object.text("state", &stand.state)?;
    for (name, value) in [("call", &stand.call), ("about", &stand.about)] {
        match value {
            Some(text) => object.text(name, text)?,
            None => object.raw(name, "null")?,
        }
    }
    object.end()
}

fn write_result<W: Write>(object: &mut Object<W>, result: &StepResult) -> io::Result<()> {
    match result {
        Ok(outcome) => write_outcome(object, outcome),
        Err(failure) => write_failure(object, failure),
    }
}

fn write_outcome<W: Write>(object: &mut Object<W>, outcome: &Outcome) -> io::Result<()> {
    object.text("outcome", if outcome.eof { "eof" } else { "ok" })?;
    for (name, fields) in [("fields", &outcome.fields), ("remarks", &outcome.remarks)] {
        if !fields.is_empty() {
            object.fields(name, fields)?;
        }
    }
    match &outcome.value {
        Some(data @ Cell::Data(_)) => object.cell("data", data)?,
        Some(value) => object.cell("value", value)?,
        None => {}
    }
    if !outcome.notes.is_empty() {
        let notes = outcome.notes.iter().map(|n| Cell::text(n.as_str()));
        object.cell("notes", &Cell::List(notes.collect()))?;
    }
    Ok(())
}

fn write_failure<W: Write>(object: &mut Object<W>, failure: &Failure) -> io::Result<()> {
    object.text("outcome", failure.symbol())?;
    if let Some(call) = &failure.call {
        object.text("call", call)?;
    }
    object.text("meaning", &failure.meaning)?;
    match &failure.help {
        Some(help) => object.text("help", help),
        None => Ok(()),
    }
}

/// One object on one line.
struct Object<'w, W: Write> {
    out: &'w mut W,
    first: bool,
}

impl<'w, W: Write> Object<'w, W> {
    fn new(out: &'w mut W, kind: &str) -> io::Result<Object<'w, W>> {
        out.write_all(b"{")?;
        let mut object = Object { out, first: true };
        object.text("kind", kind)?;
        Ok(object)
    }

    fn key(&mut self, name: &str, suffix: &str) -> io::Result<()> {
        if !std::mem::replace(&mut self.first, false) {
            self.out.write_all(b",")?;
        }
        // Names are ours: letters and signs that need no escape.
        self.out.write_all(b"\"")?;
        self.out.write_all(name.as_bytes())?;
        self.out.write_all(suffix.as_bytes())?;
        self.out.write_all(b"\":")
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.key(name, "")?;
        string(self.out, text)
    }

    fn int(&mut self, name: &str, n: i128) -> io::Result<()> {
        self.key(name, "")?;
        write!(self.out, "{n}")
    }

    fn raw(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.key(name, "")?;
        self.out.write_all(text.as_bytes())
    }

    fn cell(&mut self, name: &str, cell: &Cell) -> io::Result<()> {
        match cell {
            Cell::Data(bytes) if std::str::from_utf8(bytes).is_err() => self.key(name, "_hex")?,
            _ => self.key(name, "")?,
        }
        value(self.out, cell)
    }

    fn fields(&mut self, name: &str, fields: &[Field]) -> io::Result<()> {
        self.key(name, "")?;
        self.out.write_all(b"{")?;
        let mut inner = Object {
            out: self.out,
            first: true,
        };
        for field in fields {
            inner.cell(&field.name, &field.value)?;
        }
        self.out.write_all(b"}")
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"}\n")
    }
}

fn value<W: Write>(out: &mut W, cell: &Cell) -> io::Result<()> {
    match cell {
        Cell::Int(n) => match i64::try_from(*n) {
            Ok(n) => write!(out, "{n}"),
            Err(_) => write!(out, "{n}"),
        },
        Cell::Size(n) => write!(out, "{n}"),
        Cell::Key(k) => write!(out, "{}", *k as u32),
        Cell::Mode(m) => write!(out, "\"{m:04o}\""),
        Cell::Time(0) | Cell::Unknown | Cell::Nothing => out.write_all(b"null"),
        Cell::Time(t) => write!(out, "{t}"),
        Cell::Elapsed(d) => write!(out, "{}", d.as_secs_f64()),
        Cell::Text(text) => string(out, text),
        Cell::Data(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => string(out, text),
            Err(_) => {
                out.write_all(b"\"")?;
                bytes.iter().try_for_each(|b| write!(out, "{b:02x}"))?;
                out.write_all(b"\"")
            }
        },
        Cell::List(cells) => {
            out.write_all(b"[")?;
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    out.write_all(b",")?;
                }
                value(out, cell)?;
            }
            out.write_all(b"]")
        }
    }
}

fn string<W: Write>(out: &mut W, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Column;
    use serde_json::{Value, json};

    static COLUMNS: [Column; 5] = [
        Column {
            name: "id",
            help: "",
        },
        Column {
            name: "key",
            help: "",
        },
        Column {
            name: "perms",
            help: "",
        },
        Column {
            name: "stime",
            help: "",
        },
        Column {
            name: "data",
            help: "",
        },
    ];

    fn written(event: &Event) -> Vec<Value> {
        let mut out = Vec::new();
        Json::new(&mut out).event(event).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    #[test]
    fn rows_are_typed() {
        let mut table = Table::new("msgq", "", COLUMNS.iter().collect());
        table.push([
            Cell::from(4),
            Cell::Key(-1),
            Cell::Mode(0o600),
            Cell::Time(0),
            Cell::Data(b"\xff".to_vec()),
        ]);
        assert_eq!(
            written(&Event::Table(table)),
            [
                json!({"kind": "msgq", "id": 4, "key": 4294967295u32, "perms": "0600",
                    "stime": null, "data_hex": "ff"})
            ]
        );
    }

    #[test]
    fn a_step_says_how_it_ended() {
        let outcome = Outcome::value(Cell::Data(b"h\x1bi".to_vec())).field("type", 2);
        let step = Event::Step {
            actor: Some("me".into()),
            source: "msgq recv".into(),
            claimed: None,
            file: "a.ipc".into(),
            line: 3,
            result: Ok(outcome),
            after: None,
            passed: true,
        };
        assert_eq!(
            written(&step),
            [
                json!({"kind": "step", "actor": "me", "step": "msgq recv", "file": "a.ipc", "line": 3,
                    "outcome": "ok", "fields": {"type": 2}, "data": "h\u{1b}i", "passed": true})
            ]
        );
    }
}
