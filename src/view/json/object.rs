//! One object of JSON, as it is written.

use std::time::Duration;

use crate::data::{Cell, Failure, Field, Outcome, push_int, push_u64};
use crate::view::escape::obeyed;
use crate::view::written::push_hex;

/// An object that is being written.
pub(super) struct Object<'l> {
    line: &'l mut String,
    first: bool,
}

impl<'l> Object<'l> {
    /// On this line.
    pub fn new(line: &'l mut String) -> Object<'l> {
        Object { line, first: true }
    }

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

    pub fn text(&mut self, name: &str, text: &str) {
        self.key(name, "");
        push_string(self.line, text);
    }

    pub fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    pub fn int(&mut self, name: &str, n: i128) {
        self.key(name, "");
        push_int(self.line, n);
    }

    pub fn elapsed(&mut self, name: &str, d: Duration) {
        self.key(name, "");
        push_seconds(self.line, d);
    }

    pub fn raw(&mut self, name: &str, text: &str) {
        self.key(name, "");
        self.line.push_str(text);
    }

    pub fn place(&mut self, source: &str, file: &str, line: u32) {
        self.text("step", source);
        self.text("file", file);
        self.int("line", i128::from(line));
    }

    /// Data that is not UTF-8 says so by its key: `data_hex`.
    pub fn cell(&mut self, name: &str, cell: &Cell) {
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
    pub fn unknown<'c>(&mut self, cells: impl Iterator<Item = (&'c str, &'c Cell)>) {
        let unknown = cells.filter(|(_, cell)| **cell == Cell::Unknown);
        let unknown: Vec<&str> = unknown.map(|(name, _)| name).collect();
        if !unknown.is_empty() {
            self.key("unknown", "");
            push_list(self.line, &unknown, |line, name| push_string(line, name));
        }
    }

    pub fn fields(&mut self, name: &str, fields: &[Field]) {
        if fields.is_empty() {
            return;
        }
        self.key(name, "");
        self.line.push('{');
        let mut inner = Object::new(self.line);
        for field in fields {
            inner.cell(&field.name, &field.value);
        }
        self.line.push('}');
    }

    pub fn outcome(&mut self, outcome: &Outcome) {
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

    pub fn failure(&mut self, failure: &Failure) {
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
