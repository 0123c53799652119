//! A script's transcript: each step with its outcome, everything else as a comment, so
//! that it is itself a script that passes.

use std::io::{self, Write};
use std::time::Duration;

use super::{Style, printable, write_table};
use crate::data::{Cell, Event, Outcome, Sink, Stand, StepResult};

/// Writes a transcript.
#[derive(Debug)]
pub struct Transcript<W: Write> {
    out: W,
    style: Style,
}

impl<W: Write> Transcript<W> {
    /// Into this.
    pub fn new(out: W, style: Style) -> Transcript<W> {
        Transcript { out, style }
    }

    fn comment(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            let line = format!("# {}", printable(line));
            writeln!(self.out, "{}", self.style.aside(line.trim_end()))?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        (actor, source, claimed): (&Option<String>, &str, &Option<String>),
        result: &StepResult,
        after: Option<Duration>,
        passed: bool,
    ) -> io::Result<()> {
        self.out.write_all(source.as_bytes())?;
        let mut aside = match (result, claimed) {
            // The commonest line: nothing to compute.
            (Ok(outcome), None) => {
                if actor.is_some() || has_outcome(outcome) {
                    write!(self.out, " => {outcome}")?;
                }
                outcome.remarks_text()
            }
            (Ok(outcome), Some(claimed)) => {
                write!(self.out, " => {claimed}")?;
                let actual = outcome.to_string();
                let remarks = outcome.remarks_text();
                match (
                    actual == *claimed || (actual == "ok" && passed),
                    remarks.as_str(),
                ) {
                    (true, _) => remarks,
                    (false, "") => actual,
                    (false, remarks) => format!("{actual}; {remarks}"),
                }
            }
            (Err(failure), Some(claimed)) => {
                write!(self.out, " => {claimed}")?;
                failure.to_string()
            }
            (Err(failure), None) => format!("failed: {failure}"),
        };
        if let Some(after) = after {
            let gap = if aside.is_empty() { "" } else { "; " };
            aside = format!("{aside}{gap}after {}", Cell::Elapsed(after));
        }
        if !aside.is_empty() {
            let aside = format!("# {}", one_line(&aside));
            write!(self.out, "   {}", self.style.aside(&aside))?;
        }
        self.out.write_all(b"\n")?;
        if let Ok(outcome) = result {
            for note in &outcome.notes {
                self.comment(note)?;
            }
        }
        Ok(())
    }

    fn stands(&mut self, stands: &[Stand]) -> io::Result<()> {
        for line in stand_lines(stands) {
            self.comment(&line)?;
        }
        Ok(())
    }
}

/// Where each actor stands, in columns.
pub(super) fn stand_lines(stands: &[Stand]) -> Vec<String> {
    let name = stands.iter().map(|s| s.actor.len()).max().unwrap_or(0);
    stands
        .iter()
        .map(|s| {
            let call = s.call.as_deref().unwrap_or("");
            let about = s.about.as_deref().unwrap_or("");
            let line = format!(
                "  {:name$}  pid {:<7} {:8} {call:24} {about}",
                s.actor, s.pid, s.state
            );
            line.trim_end().to_string()
        })
        .collect()
}

/// What only looks ends with `ok`, which says nothing.
fn has_outcome(outcome: &Outcome) -> bool {
    outcome.eof || outcome.value.is_some() || !outcome.fields.is_empty()
}

fn one_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

impl<W: Write> Sink for Transcript<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Step {
                actor,
                source,
                claimed,
                result,
                after,
                passed,
                ..
            } => self.step((actor, source, claimed), result, *after, *passed),
            Event::Blocked { source, why, .. } => {
                let why = format!("# blocked: {}", one_line(why));
                writeln!(self.out, "{source} ...   {}", self.style.waiting(&why))
            }
            Event::Started { source, .. } => writeln!(self.out, "{source} &"),
            Event::Note(text) | Event::Text(text) => self.comment(text),
            Event::Warning(text) => self.comment(&format!("warning: {text}")),
            Event::Table(table) => {
                let mut shown = Vec::new();
                write_table(&mut shown, table, Style::PLAIN, None, &|_, _| false)?;
                self.comment(&String::from_utf8_lossy(&shown))
            }
            Event::Stands(stands) => self.stands(stands),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Failure, FailureKind};

    fn shown(claimed: Option<&str>, result: StepResult, passed: bool) -> String {
        let mut out = Vec::new();
        let event = Event::Step {
            actor: Some("me".into()),
            source: "msgq recv".into(),
            claimed: claimed.map(String::from),
            file: "a.ipc".into(),
            line: 1,
            result,
            after: None,
            passed,
        };
        Transcript::new(&mut out, Style::PLAIN)
            .event(&event)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_outcome_is_written_as_it_may_be_claimed() {
        let message = Outcome::value(Cell::Data(b"hi".to_vec())).field("type", 1);
        assert_eq!(
            shown(None, Ok(message.clone()), true),
            "msgq recv => type=1 \"hi\"\n"
        );
        assert_eq!(
            shown(Some("re\"h.\""), Ok(message), true),
            "msgq recv => re\"h.\"   # type=1 \"hi\"\n"
        );
        let created = Outcome::ok().remark("id", 7);
        assert_eq!(shown(None, Ok(created), true), "msgq recv => ok   # id 7\n");
    }

    #[test]
    fn a_failure_is_written_behind_its_step() {
        let failure = Failure {
            errno: Some("ENOMSG".into()),
            ..Failure::new(FailureKind::Errno, "the queue\nis empty")
        };
        assert_eq!(
            shown(Some("ENOMSG"), Err(failure.clone()), true),
            "msgq recv => ENOMSG   # ENOMSG: the queue is empty\n"
        );
        assert_eq!(
            shown(None, Err(failure), false),
            "msgq recv   # failed: ENOMSG: the queue is empty\n"
        );
    }
}
