//! A mistake in the text: where, what, and what could have stood there.

use std::sync::Arc;

use super::program::{Source, Span};

/// A mistake in the text.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The text it stands in.
    pub source: Arc<Source>,
    /// Under which the caret goes.
    pub span: Span,
    /// What is wrong: ``unknown command `msgqq` ``.
    pub message: String,
    /// Under the caret: what could have stood there.
    pub label: String,
    /// The closest known word, or the way out.
    pub help: Option<String>,
    /// Whether the text only ends too early: at the prompt, another line is read.
    pub incomplete: bool,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.source.line(self.span.start);
        write!(f, "{}:{line}: {}", self.source.name, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// A mistake before it is known in which text: what the parser's parts return. It is one
/// pointer, so that what they return where there is none is small too.
#[derive(Clone, Debug)]
pub(super) struct Mistake(Box<Parts>);

#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub span: Span,
    pub message: String,
    pub label: String,
    pub help: Option<String>,
    pub incomplete: bool,
}

pub(super) type Parsed<T> = Result<T, Mistake>;

impl Mistake {
    pub fn new(span: Span, message: impl Into<String>) -> Mistake {
        Mistake(Box::new(Parts {
            span,
            message: short(message.into(), 200),
            label: String::new(),
            help: None,
            incomplete: false,
        }))
    }

    pub fn label(mut self, label: impl Into<String>) -> Mistake {
        self.0.label = short(label.into(), 800);
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Mistake {
        self.0.help = Some(short(help.into(), 800));
        self
    }

    pub fn maybe_help(mut self, help: Option<String>) -> Mistake {
        if let Some(help) = help {
            self = self.help(help);
        }
        self
    }

    pub fn at(mut self, span: Span) -> Mistake {
        self.0.span = span;
        self
    }

    pub fn incomplete(mut self) -> Mistake {
        self.0.incomplete = true;
        self
    }

    pub fn in_source(self, source: &Arc<Source>) -> Diagnostic {
        let parts = *self.0;
        Diagnostic {
            source: Arc::clone(source),
            span: parts.span,
            message: parts.message,
            label: parts.label,
            help: parts.help,
            incomplete: parts.incomplete,
        }
    }
}

impl std::ops::Deref for Mistake {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// ``  `x` is not an offset ``, or that an offset is missing where there is no word.
pub(super) fn is_not(word: &str, what: &str) -> String {
    match word {
        "" => format!("{what} is missing"),
        word => format!("`{word}` is not {what}"),
    }
}

/// A word of a megabyte is a mistake, and the mistake is not a megabyte.
pub fn short(mut message: String, most: usize) -> String {
    if message.len() > most {
        let end = (0..=most).rev().find(|i| message.is_char_boundary(*i));
        message.truncate(end.unwrap_or(0));
        message.push('…');
    }
    message
}
