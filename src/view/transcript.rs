//! A script's transcript: each step with its outcome, everything else as a comment, so
//! that it is itself a script that passes.

use std::io::{self, Write};

use super::written::{push_remarks, says_more, too_much};
use super::{Style, escape, write_table};
use crate::data::{
    Claimed, Event, Failure, FailureKind, Outcome, Sink, Stand, StepResult, Took, push_outcome,
    quote,
};
use crate::lang::{self, Lexeme, Term, Token};

#[cfg(test)]
mod tests;

/// Writes a transcript.
#[derive(Debug)]
pub struct Transcript<W: Write> {
    out: W,
    style: Style,
    /// The line being made, and the comment behind it; their room is used again.
    line: String,
    aside: String,
}

impl<W: Write> Transcript<W> {
    /// Into this.
    pub fn new(out: W, style: Style) -> Transcript<W> {
        Transcript {
            out,
            style,
            line: String::new(),
            aside: String::new(),
        }
    }

    /// Text as comment lines.
    fn comment(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            let line = escape::one_line(line);
            match line.trim_end() {
                "" => writeln!(self.out, "{}", self.style.aside("#"))?,
                line => writeln!(self.out, "{}", self.style.aside(&format!("# {line}")))?,
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        in_actor: bool,
        source: &str,
        claimed: Option<&Claimed>,
        result: &StepResult,
        passed: bool,
    ) {
        let takes_line = takes_line(source);
        match (result, claimed) {
            (Ok(outcome), None) if let Some(bytes) = too_much(outcome) => {
                self.aside.push_str(&bytes);
            }
            (Ok(outcome), None) => {
                if !takes_line && (in_actor || says_more(outcome)) {
                    self.line.push_str(" => ");
                    push_outcome(&mut self.line, outcome);
                } else if takes_line && says_more(outcome) {
                    push_outcome(&mut self.aside, outcome);
                }
            }
            (Ok(outcome), Some(claimed)) => {
                self.claim(&claimed.text);
                self.differing(outcome, &claimed.text, passed);
            }
            (Err(failure), claimed) => {
                match claimed {
                    Some(claimed) => self.claim(&claimed.text),
                    // So the transcript tells what was seen, and passes where it is seen again.
                    None if !takes_line && (passed || can_be_claimed(failure)) => {
                        self.line.push_str(" => ");
                        self.line.push_str(failure.symbol());
                    }
                    None => {}
                }
                if !passed {
                    self.aside.push_str("failed: ");
                }
                let text = failure.to_string();
                self.aside.push_str(&escape::one_line(&text));
            }
        }
    }

    fn claim(&mut self, claimed: &str) {
        self.line.push_str(" => ");
        push_source(&mut self.line, claimed);
    }

    /// The outcome behind a claim that is written differently, such as a pattern.
    fn differing(&mut self, outcome: &Outcome, claimed: &str, passed: bool) {
        match too_much(outcome) {
            Some(_) if passed => return,
            Some(bytes) => self.aside.push_str(&bytes),
            None => push_outcome(&mut self.aside, outcome),
        }
        let same = self.aside == claimed || (passed && self.aside == "ok");
        if same {
            self.aside.clear();
        }
        if !passed {
            self.aside.insert_str(0, "failed: it ended with ");
        }
    }

    /// Writes the line with the comment behind it.
    fn end_line(&mut self, source: &str, label: fn(Style, &str) -> String) -> io::Result<()> {
        let own_line = takes_line(source);
        if !self.aside.is_empty() && !own_line {
            self.line.push_str("   ");
            match self.style.is_coloured() {
                true => {
                    let aside = label(self.style, &format!("# {}", self.aside));
                    self.line.push_str(&aside);
                }
                false => {
                    self.line.push_str("# ");
                    self.line.push_str(&self.aside);
                }
            }
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())?;
        if !self.aside.is_empty() && own_line {
            let aside = std::mem::take(&mut self.aside);
            self.comment(&aside)?;
        }
        Ok(())
    }

    fn begin(&mut self, source: &str) {
        self.line.clear();
        self.aside.clear();
        push_source(&mut self.line, source);
    }

    /// Another part of the comment behind the line.
    fn gap(&mut self) {
        if !self.aside.is_empty() {
            self.aside.push_str("; ");
        }
    }
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
            } => {
                self.begin(source);
                self.step(actor.is_some(), source, claimed.as_ref(), result, *passed);
                if let Some(values) = claimed.as_ref().map(Claimed::values)
                    && !values.is_empty()
                {
                    self.gap();
                    self.aside.push_str(&escape::one_line(&values));
                }
                if let Ok(outcome) = result
                    && !outcome.remarks().is_empty()
                {
                    self.gap();
                    push_remarks(&mut self.aside, outcome);
                }
                if let Some(after) = after {
                    self.gap();
                    self.aside.push_str(&format!("after {}", Took(*after)));
                }
                let label = if *passed { Style::aside } else { Style::bad };
                self.end_line(source, label)?;
                let Ok(outcome) = result else {
                    return Ok(());
                };
                let notes = outcome.notes().iter().map(String::as_str);
                let mut lines = outcome.text().into_iter().chain(notes);
                lines.try_for_each(|line| self.comment(line))
            }
            Event::Blocked {
                source, claim, why, ..
            } => {
                self.begin(source);
                self.line.push_str(" ...");
                claim.iter().for_each(|claim| self.claim(claim));
                self.aside.push_str("blocked: ");
                self.aside.push_str(&escape::one_line(why));
                self.end_line(source, Style::waiting)
            }
            Event::Started { source, claim, .. } => {
                self.begin(source);
                self.line.push_str(" &");
                claim.iter().for_each(|claim| self.claim(claim));
                self.end_line(source, Style::aside)
            }
            Event::Caught(caught) => self.comment(&caught.to_string()),
            Event::Note(text) | Event::Text(text) => self.comment(text),
            Event::Warning(text) => self.comment(&format!("warning: {text}")),
            Event::Table(table) => {
                let mut shown = Vec::new();
                write_table(&mut shown, table, Style::PLAIN, None, &|_, _| false)?;
                self.comment(&String::from_utf8_lossy(&shown))
            }
            Event::Stands(stands) => {
                let lines = stand_lines(stands);
                lines.iter().try_for_each(|line| self.comment(line))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Where each actor stands, in columns; nothing in them that a terminal obeys.
pub(super) fn stand_lines(stands: &[Stand]) -> Vec<String> {
    let widest = |of: fn(&Stand) -> usize| stands.iter().map(of).max().unwrap_or(0);
    let name = widest(|s| s.actor.len());
    let state = widest(|s| s.state.len());
    let call = widest(|s| s.call.as_deref().map_or(0, |c| c.chars().count())).min(32);
    stands
        .iter()
        .map(|s| {
            let shown = escape::one_line(s.call.as_deref().unwrap_or(""));
            let about = escape::one_line(s.about.as_deref().unwrap_or(""));
            let line = format!(
                "  {:name$}  pid {:<7}  {:state$}  {shown:call$}  {about}",
                s.actor, s.pid, s.state
            );
            line.trim_end().to_string()
        })
        .collect()
}

/// Whether a step that ends so again passes with `=> SYMBOL`: what the kernel or the
/// session refuses, and not what only went wrong this time.
fn can_be_claimed(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Errno | FailureKind::Refused)
}

/// Whether the end of the line belongs to the system's shell: then no outcome and no
/// comment can follow on it.
fn takes_line(source: &str) -> bool {
    // The commonest step of all has no `!` in it.
    if !source.contains('!') {
        return false;
    }
    let last = lang::tokens(source).pop();
    last.is_some_and(|token| matches!(token.lexeme, Lexeme::Host(_)))
}

/// Appends a piece of a script. It is left as it is but for what a terminal would obey, which is
/// written as it may stand between double quotes: the data stays the same.
fn push_source(line: &mut String, source: &str) {
    if escape::is_plain(source) {
        return line.push_str(source);
    }
    let mut at = 0;
    for Token { lexeme, span } in lang::tokens(source) {
        let (Lexeme::Data(data), text) = (lexeme, span.of(source)) else {
            continue;
        };
        if escape::is_plain(text) {
            continue;
        }
        push_words(line, &source[at..span.start as usize]);
        match data {
            Term::Bytes(bytes) => line.push_str(&quote(&bytes)),
            _ => escape::push(line, text),
        }
        at = span.end as usize;
    }
    push_words(line, &source[at..]);
}

/// Appends what stands between data, where a carriage return is a blank.
fn push_words(line: &mut String, words: &str) {
    escape::push(line, &words.replace("\r\n", "\n").replace('\r', " "));
}
