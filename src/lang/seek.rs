//! Finding a word of a statement again, for the caret of a mistake.
//!
//! Terms do not carry their places: only a mistake needs them, and then the few bytes of
//! one statement are read once more.

use super::lexer::tokens;
use super::program::{Span, VarRef};

/// A statement, or a part of one, in its text.
pub(super) struct Seek<'a> {
    pub text: &'a str,
    pub span: Span,
}

impl Seek<'_> {
    /// Where the variable is read: `$name`, `${name…}`, or `name` in `$((…))`.
    pub fn variable(&self, var: &VarRef) -> Span {
        let written = self.span.of(self.text);
        let exact = match &var.field {
            Some(field) => format!("{}.{field}", var.name),
            None => var.name.clone(),
        };
        let width = var.name.len();
        tokens(written)
            .iter()
            .filter(|t| !t.span.of(written).starts_with('\''))
            .find_map(|t| read_in(t.span.of(written), &exact, width).map(|s| (t.span.start, s)))
            .or_else(|| read_in(written, &exact, width).map(|s| (0, s)))
            .map_or(self.span, |(at, span)| self.moved(span, at as usize))
    }

    /// Where the name stands as a word.
    pub fn word(&self, name: &str) -> Span {
        let written = self.span.of(self.text);
        places(written, name).next().map_or(self.span, |at| {
            self.moved(Span::new(at, at + name.len()), 0)
        })
    }

    /// Whether the name stands there as a word.
    pub fn names(&self, name: &str) -> bool {
        places(self.span.of(self.text), name).next().is_some()
    }

    fn moved(&self, span: Span, by: usize) -> Span {
        let by = self.span.start + by as u32;
        Span {
            start: span.start + by,
            end: span.end + by,
        }
    }
}

fn is_part(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Where the name stands whole.
fn places<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let bytes = text.as_bytes();
    text.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = at.checked_sub(1).map(|i| bytes[i]);
            let after = bytes.get(at + name.len());
            !before.is_some_and(is_part) && !after.is_some_and(|b| is_part(*b))
        })
}

/// Where `$name` or `${name}` stands; unbraced, its first `width` bytes count.
fn read_in(text: &str, name: &str, width: usize) -> Option<Span> {
    // Inside quotes, and in what the system's shell gets, only `${name}` is a variable.
    let quoted = text.starts_with('"') || text.starts_with('!') || text.starts_with("file\"");
    let signed = places(text, name).find_map(|at| {
        let head = &text[..at];
        let (start, braced) = if head.ends_with("${") {
            (at - 2, true)
        } else if head.ends_with('$') && !quoted {
            (at - 1, false)
        } else {
            return None;
        };
        if text[..start].ends_with('\\') {
            return None;
        }
        let end = match braced {
            true => at + name.len() + text[at + name.len()..].find('}').map_or(0, |i| i + 1),
            false => at + width,
        };
        Some(Span::new(start, end))
    });
    signed.or_else(|| {
        let open = text.find("$((")?;
        let close = text[open..].rfind("))")? + open;
        let inside = |at: &usize| (open..close).contains(at);
        let at = places(text, name).find(inside)?;
        Some(Span::new(at, at + width))
    })
}
