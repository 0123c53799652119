//! What the prompt shows of an event.

use super::transcript::stand_lines;
use super::wrap::{width_of, wrap, wrap_behind, wrapped};
use super::written::{glanced, push_remarks, says_more, too_much};
use super::{Style, printable, write_table};
use crate::data::{Event, Failure, Outcome, StepResult, Took, push_outcome};

/// The lines for an event, without a newline at the end; empty where there is nothing to
/// show.
pub fn lines(event: &Event, style: Style, width: Option<u16>) -> String {
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
            let quiet = |o: &Outcome| actor.is_none() && o.remarks().is_empty() && !says_more(o);
            let mut lines = Vec::new();
            if let Ok(outcome) = result {
                let text = outcome
                    .text()
                    .into_iter()
                    .map(|t| printable(t).into_owned());
                lines.extend(text);
                lines.extend(outcome.notes().iter().map(|n| printable(n).into_owned()));
            }
            if !matches!(result, Ok(outcome) if quiet(outcome)) {
                // A step that was typed stands above already; one that resumes does not.
                let mut line = match after {
                    Some(_) if source.ends_with("...") => format!("{} ", printable(source)),
                    _ => String::new(),
                };
                line.push_str(&end(result, *passed, style));
                if let Some(after) = after {
                    let after = format!("after {}", Took(*after));
                    line.push_str("   ");
                    line.push_str(&style.aside(&after));
                }
                lines.push(line);
            }
            if let (Err(failure), false) = (result, passed) {
                lines.push(why(failure, style, width));
            }
            if let (Some(claimed), false) = (claimed, passed) {
                lines.push(format!(
                    "{} {}",
                    style.bad("failed, claimed:"),
                    printable(&claimed.to_string())
                ));
            }
            lines.join("\n")
        }
        Event::Blocked { source, why, .. } => {
            blocked(&printable(source), &printable(why), style, width)
        }
        Event::Started { source, .. } => format!("{} &", printable(source)),
        Event::Caught(caught) => caught.to_string(),
        Event::Note(text) => {
            let room = width.map_or(usize::MAX, usize::from);
            wrapped(&printable(text), room).trim_end().to_string()
        }
        Event::Warning(text) => format!("{} {}", style.bad("warning:"), printable(text)),
        Event::Text(text) => printable(text).trim_end_matches('\n').to_string(),
        Event::Table(table) => {
            let mut out = Vec::new();
            // Writing into memory cannot fail.
            let _ = write_table(&mut out, table, style, width, &|_, _| false);
            String::from_utf8_lossy(&out).trim_end().to_string()
        }
        Event::Stands(stands) => stand_lines(stands).join("\n"),
    }
}

/// `=> type=1 "hi"   # lspid 12`, `=> EAGAIN`.
fn end(result: &StepResult, passed: bool, style: Style) -> String {
    match result {
        Ok(outcome) => {
            let (outcome, rest) = glanced(outcome);
            let outcome = &*outcome;
            let (mut shown, mut remarks) = (String::from("=> "), String::from("# "));
            match too_much(outcome) {
                Some(bytes) => shown = format!("# {bytes}"),
                None => push_outcome(&mut shown, outcome),
            }
            push_remarks(&mut remarks, outcome);
            let shown = match passed {
                true => style.good(&shown),
                false => style.bad(&shown),
            };
            if let Some(rest) = &rest {
                let gap = if outcome.remarks().is_empty() {
                    ""
                } else {
                    ", "
                };
                remarks.push_str(&format!("{gap}{rest}"));
            }
            match outcome.remarks().is_empty() && rest.is_none() {
                true => shown,
                false => format!("{shown}   {}", style.aside(&remarks)),
            }
        }
        Err(failure) => {
            let sign = format!("=> {}", failure.symbol());
            match passed {
                true => style.good(&sign),
                false => style.bad(&sign),
            }
        }
    }
}

/// `b: sem p lock ...   blocked: lock is 0`. The step stays as it was typed; why it is blocked goes on
/// below, where it has no room behind it.
fn blocked(step: &str, why: &str, style: Style, width: Option<u16>) -> String {
    const SIGN: &str = "blocked:";
    const GAP: &str = "   ";
    let room = width.map_or(usize::MAX, usize::from);
    let last = step.lines().next_back().unwrap_or_default();
    let begun = width_of(last) + " ...".len() + GAP.len();
    let (gap, begun) = match begun + SIGN.len() <= room {
        true => (GAP.to_string(), begun),
        false => (format!("\n{:MARGIN$}", ""), MARGIN),
    };
    let mut shown = String::new();
    wrap_behind(begun, &mut shown, &format!("{SIGN} {why}"), (room, MARGIN));
    format!("{step} ...{gap}{}", style.waiting(&shown))
}

/// How far what has no room goes in below where it began.
const MARGIN: usize = 4;

/// What a failure means here, and the way out on a line of its own.
fn why(failure: &Failure, style: Style, width: Option<u16>) -> String {
    const HELP: &str = "help:";
    let room = width.map_or(usize::MAX, usize::from);
    let mut bare = failure.clone();
    let help = bare.help.take();
    let mut shown = String::new();
    for line in printable(&bare.to_string()).lines() {
        wrap(&mut shown, line, (room, MARGIN));
        shown.push('\n');
    }
    if let Some(help) = help {
        let mut text = String::new();
        wrap(
            &mut text,
            &format!("{HELP} {}", printable(&help)),
            (room, MARGIN),
        );
        shown.push_str(&text.replacen(HELP, &style.strong(HELP), 1));
    }
    shown.trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FailureKind;
    use std::time::Duration;

    fn step(source: &str, result: StepResult, after: Option<Duration>) -> String {
        let event = Event::Step {
            actor: (source != "ipcs").then(|| "me".into()),
            source: source.into(),
            claimed: None,
            file: "<stdin>".into(),
            line: 1,
            passed: result.is_ok(),
            result,
            after,
        };
        lines(&event, Style::PLAIN, None)
    }

    #[test]
    fn why_a_step_is_blocked_is_broken_between_words() {
        let shown = |source: &str, width| {
            let event = Event::Blocked {
                actor: "b".into(),
                source: source.into(),
                file: "<prompt>".into(),
                line: 1,
                claimed: true,
                claim: None,
                why: "lock is 0, last operated by a".into(),
            };
            lines(&event, Style::PLAIN, width)
        };
        let whole = "b: sem p lock ...   blocked: lock is 0, last operated by a";
        assert_eq!(shown("b: sem p lock", None), whole);
        let note = Event::Note("deadlock: a waits for itself".into());
        assert_eq!(
            lines(&note, Style::PLAIN, Some(20)),
            "deadlock: a waits\n    for itself"
        );
        assert_eq!(shown("b: sem p lock", Some(58)), whole);
        assert_eq!(
            shown("b: sem p lock", Some(57)),
            "b: sem p lock ...   blocked: lock is 0, last operated by\n    a"
        );
        assert_eq!(
            shown("b: sem p lock", Some(28)),
            "b: sem p lock ...   blocked:\n    lock is 0, last operated\n    by a"
        );
        assert_eq!(
            shown("b: sem p lock", Some(27)),
            "b: sem p lock ...\n    blocked: lock is 0,\n    last operated by a"
        );
        assert_eq!(
            shown("repeat 2 {\nsem p lock }", Some(40)),
            "repeat 2 {\nsem p lock } ...   blocked: lock is 0,\n    last operated by a"
        );
    }

    #[test]
    fn a_step_is_shown_by_how_it_ended() {
        let created = Outcome::ok().remark("id", 7).note("created queue q1\x1b");
        assert_eq!(
            step("msgq create", Ok(created), None),
            "created queue q1\\x1b\n=> ok   # id 7"
        );
        assert_eq!(step("ipcs", Ok(Outcome::ok()), None), "");
        assert_eq!(
            step("b: ...", Ok(Outcome::ok()), Some(Duration::from_secs(3))),
            "b: ... => ok   after 3.0 s"
        );
        let failure = Failure {
            errno: Some("EAGAIN".into()),
            call: Some("msgsnd(jobs)".into()),
            ..Failure::new(FailureKind::Errno, "the queue is full")
        };
        let helped = failure.help("Receive a message");
        assert_eq!(
            step("msgq send", Err(helped.clone()), None),
            "=> EAGAIN\nmsgsnd(jobs) = EAGAIN: the queue is full\nhelp: Receive a message"
        );
        assert_eq!(
            why(&helped, Style::PLAIN, Some(30)),
            "msgsnd(jobs) = EAGAIN: the\n    queue is full\nhelp: Receive a message"
        );
    }
}
