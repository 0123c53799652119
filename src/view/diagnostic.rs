//! Mistakes and failures with their place in the text.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::transcript::stand_lines;
use super::{Style, escape, printable};
use crate::data::{Claimed, Failure, Stand};
use crate::lang::{Diagnostic, Span};

#[cfg(test)]
mod tests;

/// How much of a long line is shown on either side of the place, and of a long text.
const AROUND: usize = 60;
const LONGEST: usize = 400;

/// A mistake in a program's text: the line, a caret under the exact word, what could have
/// stood there, and the closest known word.
pub fn mistake(d: &Diagnostic, style: Style) -> String {
    let text = &d.source.text;
    let place = Place::of(text, d.span);
    let line = d.source.line(place.at) as usize;
    let (message, label, name) = (shown(&d.message), shown(&d.label), shown(&d.source.name));
    let caret = AnnotationKind::Primary.span(place.start..place.end);
    let snippet = Snippet::source(&place.line)
        .line_start(line)
        .path(&*name)
        .annotation(match label.is_empty() {
            true => caret,
            false => caret.label(&*label),
        });
    let mut group = Level::ERROR.primary_title(&*message).element(snippet);
    let help = d.help.as_deref().map(shown);
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(&**help));
    }
    let renderer = match style.is_coloured() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    // The line has been cut to size already.
    let text = renderer.term_width(2 * LONGEST).render(&[group]);
    // The column is the text's own, not that of the part that is shown.
    let of_part = place.line[..place.start].chars().count() + 1;
    match of_part == place.column {
        true => text,
        false => text.replacen(
            &format!("{name}:{line}:{of_part}"),
            &format!("{name}:{line}:{}", place.column),
            1,
        ),
    }
}

/// A text as it can be shown: nothing in it that a terminal obeys, and no book.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => printable(text),
        Some((end, _)) => format!("{}…", printable(&text[..end])).into(),
    }
}

/// The same on one line.
fn line(text: &str) -> String {
    shown(text).replace(['\n', '\t'], " ")
}

/// A line of the source as it can be shown: nothing in it that a terminal obeys, and not
/// longer than a screen.
struct Place {
    line: String,
    /// What the caret stands under, in `line`.
    start: usize,
    end: usize,
    /// The byte of the source that is pointed at.
    at: u32,
    /// Its column in the source, from 1.
    column: usize,
}

impl Place {
    fn of(text: &str, span: Span) -> Place {
        let floor = |at: usize| {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (mut start, end) = (floor(span.start as usize), floor(span.end as usize));
        if text[start..].trim().is_empty() {
            // At the end of the text: behind the last thing that stands there.
            start = start.min(text.trim_end().len());
        }
        let begin = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let finish = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let finish = begin.max(start.max(begin + text[begin..finish].trim_end().len()));
        let end = end.clamp(start, finish);
        let from = floor(begin.max(start.saturating_sub(AROUND)));
        let to = floor(finish.min(end.min(start + 2 * AROUND) + AROUND));
        let part = |part: &str| escape::one_line(part).into_owned();
        let under = part(&text[start..end.min(to)]);
        let cut = |yes: bool| if yes { "…" } else { "" };
        let before = format!("{}{}", cut(from > begin), part(&text[from..start]));
        let after = part(&text[end.min(to)..to]);
        let line = format!("{before}{under}{after}{}", cut(to < finish));
        Place {
            start: before.len(),
            end: before.len() + under.len(),
            line,
            at: start as u32,
            column: text[begin..start].chars().count() + 1,
        }
    }
}

/// A step that failed: its place, what happened, one way out, and where every actor
/// stands.
pub fn failure(
    place: Option<(&str, u32)>,
    step: &str,
    claimed: Option<&Claimed>,
    found: &str,
    failure: Option<&Failure>,
    stands: &[Stand],
    style: Style,
) -> String {
    let failed = style.bad("failed");
    let step = first_line(step);
    let mut text = match place {
        Some((file, line)) => format!("{failed}: {}:{line}: {step}", printable(file)),
        None => format!("{failed}: {step}"),
    };
    if let Some(claimed) = claimed {
        text.push_str(&format!(
            "\n  claimed  {}\n  found    {}",
            line(&claimed.to_string()),
            line(found)
        ));
    }
    if let Some(failure) = failure {
        let mut without_help = failure.clone();
        without_help.help = None;
        text.push_str(&format!("\n  {}", printable(&without_help.to_string())));
        if let Some(help) = &failure.help {
            text.push_str(&format!(
                "\n  {} {}",
                style.strong("help:"),
                printable(help)
            ));
        }
    }
    for line in stand_lines(stands) {
        text.push_str(&format!("\n{}", printable(&line)));
    }
    text
}

/// The first line of a step, which may be a block.
fn first_line(step: &str) -> String {
    match step.split_once('\n') {
        Some((first, _)) => format!("{} …", shown(first.trim_end())),
        None => shown(step).into_owned(),
    }
}
