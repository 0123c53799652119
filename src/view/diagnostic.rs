//! Mistakes and failures with their place in the text.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::transcript::stand_lines;
use super::{Style, printable};
use crate::data::{Failure, Stand};
use crate::lang::{Diagnostic, Span};

/// How much of a long line is shown on either side of the place.
const AROUND: usize = 60;

/// A mistake in a program's text: the line, a caret under the exact word, what could have
/// stood there, and the closest known word.
pub fn mistake(d: &Diagnostic, style: Style) -> String {
    let line = d.source.line(d.span.start);
    let place = Place::of(&d.source.text, d.span);
    let snippet = Snippet::source(&place.line)
        .line_start(line as usize)
        .path(&*d.source.name)
        .annotation(
            AnnotationKind::Primary
                .span(place.start..place.end)
                .label(&*d.label),
        );
    let message = printable(&d.message);
    let mut group = Level::ERROR.primary_title(&*message).element(snippet);
    let help = d.help.as_deref().map(printable);
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(&**help));
    }
    let renderer = match style.is_coloured() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    renderer.render(&[group]).to_string()
}

/// A line of the source as it can be shown: nothing in it that a terminal obeys, and not
/// longer than a screen.
struct Place {
    line: String,
    start: usize,
    end: usize,
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
        let (start, end) = (floor(span.start as usize), floor(span.end as usize));
        let begin = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let finish = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let end = end.clamp(start, finish);
        let from = floor(begin.max(start.saturating_sub(AROUND)));
        let to = floor(finish.min(end.min(start + 2 * AROUND) + AROUND));
        let shown = |part: &str| printable(part).replace('\t', " ");
        let before = shown(&text[from..start]);
        let under = shown(&text[start..end.min(to)]);
        let after = shown(&text[end.min(to)..to]);
        let cut = |yes: bool| if yes { "…" } else { "" };
        let before = format!("{}{before}", cut(from > begin));
        let line = format!("{before}{under}{after}{}", cut(to < finish));
        let start = before.len();
        Place {
            end: start + under.len(),
            start,
            line,
        }
    }
}

/// A step that failed: its place, what happened, one way out, and where every actor
/// stands.
pub fn failure(
    place: Option<(&str, u32)>,
    step: &str,
    claimed: Option<&str>,
    found: &str,
    failure: Option<&Failure>,
    stands: &[Stand],
    style: Style,
) -> String {
    let mut text = match place {
        Some((file, line)) => format!(
            "{}: {file}:{line}: {}",
            style.bad("failed"),
            printable(step)
        ),
        None => format!("{}: {}", style.bad("failed"), printable(step)),
    };
    if let Some(claimed) = claimed {
        text.push_str(&format!(
            "\n  claimed  {}\n  found    {}",
            printable(claimed),
            printable(found)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Source;
    use std::sync::Arc;

    fn shown(text: &str, start: usize, end: usize) -> String {
        let d = Diagnostic {
            source: Arc::new(Source::new("a.ipc", text)),
            span: Span::new(start, end),
            message: "unknown command `msgqq`".into(),
            label: "expected a command".into(),
            help: Some("did you mean `msgq`?".into()),
            incomplete: false,
        };
        mistake(&d, Style::PLAIN)
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        let text = shown("let a = 1\nmsgqq send 1 \"x\"\n", 10, 15);
        assert!(text.contains("--> a.ipc:2:1"), "{text}");
        assert!(text.contains("^^^^^ expected a command"), "{text}");
        assert!(text.contains("help: did you mean `msgq`?"), "{text}");
    }

    #[test]
    fn any_place_in_any_text_can_be_shown() {
        let long = "é".repeat(500_000);
        for text in ["", "\n", "a\x1b[31m\0b", "\u{202e}x", long.as_str(), "a\tb"] {
            for (start, end) in [(0, 0), (0, 1), (1, 3), (5, 6), (999_999, 1_000_001)] {
                let text = shown(text, start, end);
                assert!(!text.contains(['\x1b', '\0', '\u{202e}']));
                assert!(text.len() < 2000);
            }
        }
    }
}
