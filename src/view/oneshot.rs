//! `-c`: the result alone, as it is; what happens beside it goes to standard error.
//!
//! A result is what a command gives: its outcome, its rows, its text; of one that only
//! succeeds, what it tells of itself, such as the id that `create` made.

use std::borrow::Cow;
use std::io::{self, Write};

use super::written::{glanced, result};
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

    /// A line beside the results, behind those that come before it: both may go to one
    /// place.
    fn aside(&mut self, line: &str) -> io::Result<()> {
        self.out.flush()?;
        writeln!(self.aside, "{line}")
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let text = printable(text);
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        write!(self.out, "{text}{newline}")
    }

    fn outcome(&mut self, outcome: &Outcome) -> io::Result<()> {
        // Without a terminal it is a program that reads, and is to have all.
        let (outcome, rest) = match self.width {
            Some(_) => glanced(outcome),
            None => (Cow::Borrowed(outcome), None),
        };
        let outcome = &*outcome;
        for note in outcome.notes() {
            self.aside(&printable(note))?;
        }
        let result = result(outcome);
        if !result.is_empty() {
            self.text(&result)?;
        }
        match rest {
            Some(rest) => self.aside(&rest),
            None => Ok(()),
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
                let (source, why) = (printable(source), printable(why));
                self.aside(&format!("{source} ...   blocked: {why}"))
            }
            Event::Started { .. } | Event::Stands(_) => Ok(()),
            Event::Caught(caught) => self.aside(&caught.to_string()),
            Event::Note(text) => self.aside(&printable(text)),
            Event::Warning(text) => self.aside(&format!("ipcsh: {}", printable(text))),
            Event::Text(text) => self.text(text),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Cell, Failure, FailureKind, StepResult};

    fn shown(event: &Event) -> (String, String) {
        shown_in(None, event)
    }

    fn shown_in(width: Option<u16>, event: &Event) -> (String, String) {
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        OneShot::new(&mut out, &mut aside, Style::PLAIN, width)
            .event(event)
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(out), text(aside))
    }

    fn step(result: StepResult, passed: bool) -> (String, String) {
        shown(&happened(result, passed))
    }

    fn happened(result: StepResult, passed: bool) -> Event {
        Event::Step {
            actor: Some("me".into()),
            source: "msgq recv".into(),
            claimed: None,
            file: "-c".into(),
            line: 1,
            result,
            after: None,
            passed,
        }
    }

    #[test]
    fn nothing_that_a_terminal_obeys_gets_there() {
        let (out, aside) = shown(&Event::Blocked {
            actor: "b".into(),
            source: "b: msgq send 1 '\u{1b}[2J'".into(),
            file: "a.ipc".into(),
            line: 1,
            claimed: true,
            claim: None,
            why: "it is full".into(),
        });
        assert_eq!(out, "");
        assert!(
            aside.contains("blocked") && !aside.contains('\u{1b}'),
            "{aside}"
        );
    }

    #[test]
    fn a_person_is_shown_a_beginning_and_a_program_all() {
        let much = Outcome::value(Cell::Data(vec![b'x'; 5000])).glance(true);
        let event = happened(Ok(much), true);
        let (out, aside) = shown_in(Some(80), &event);
        assert_eq!(out.matches('x').count(), 4096);
        assert!(aside.starts_with("904 more bytes: --all"), "{aside}");
        let (out, aside) = shown(&event);
        assert_eq!((out.matches('x').count(), &*aside), (5000, ""));
    }

    #[test]
    fn the_result_stands_alone() {
        let message = Outcome::value(Cell::Data(b"h\x1b".to_vec())).field("type", 1);
        for (outcome, out, aside) in [
            (Outcome::ok(), "", ""),
            (Outcome::value(42), "42\n", ""),
            (message, "type=1 \"h\\x1b\"\n", ""),
            (
                Outcome::ok().remark("id", 7).note("created"),
                "id 7\n",
                "created\n",
            ),
        ] {
            assert_eq!(step(Ok(outcome), true), (out.into(), aside.into()));
        }
        let failure = Failure::new(FailureKind::Refused, "there is no queue");
        assert_eq!(step(Err(failure.clone()), false).0, "");
        assert_eq!(step(Err(failure), true).0, "error\n");
        let text = shown(&Event::Text("a\x1b\nb".into()));
        assert_eq!(text, ("a\\x1b\nb\n".into(), String::new()));
        assert_eq!(shown(&Event::Warning("gone".into())).1, "ipcsh: gone\n");
    }
}
