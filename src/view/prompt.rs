//! What the prompt shows of an event.

use super::transcript::stand_lines;
use super::{Style, printable, write_table};
use crate::data::{Cell, Event};

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
            // A step that was typed stands above already; one that resumes does not.
            let mut text = match after {
                Some(_) if source.ends_with("...") => format!("{source} "),
                _ => String::new(),
            };
            match result {
                Ok(outcome) => {
                    let shown = outcome.to_string();
                    if shown == "ok" && actor.is_none() && outcome.remarks.is_empty() {
                        return outcome.notes.join("\n");
                    }
                    text.push_str(&style.good(&format!("=> {shown}")));
                    let remarks = outcome.remarks_text();
                    if !remarks.is_empty() {
                        text.push_str("   ");
                        text.push_str(&style.aside(&format!("# {remarks}")));
                    }
                }
                Err(failure) => {
                    let sign = format!("=> {}", failure.symbol());
                    text.push_str(&match passed {
                        true => style.good(&sign),
                        false => style.bad(&sign),
                    });
                }
            }
            if let Some(after) = after {
                text.push_str("   ");
                text.push_str(&style.aside(&format!("after {}", Cell::Elapsed(*after))));
            }
            match result {
                Ok(outcome) => {
                    for note in &outcome.notes {
                        text = format!("{}\n{text}", printable(note));
                    }
                }
                Err(failure) if !passed => {
                    text.push_str(&format!("\n{}", printable(&failure.to_string())));
                }
                Err(_) => {}
            }
            if let (Some(claimed), false) = (claimed, *passed) {
                text.push_str(&format!("\n{} {claimed}", style.bad("claimed:")));
            }
            text
        }
        Event::Blocked { source, why, .. } => {
            let blocked = style.waiting(&format!("blocked: {}", printable(why)));
            format!("{source} ...   {blocked}")
        }
        Event::Started { source, .. } => format!("{source} &"),
        Event::Note(text) => printable(text).into_owned(),
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
