//! What stands after `=>`: reading it, and holding an outcome against it.

use super::catalog::Catalog;
use super::diagnostic::{Mistake, Parsed};
use super::eval::{Env, EvalError};
use super::lexer::{Lexeme, Token, is_name};
use super::number;
use super::program::{Claim, Expected, Span};
use super::suggest::did_you_mean;
use super::term;
use crate::data::{Cell, StepResult};

const WHAT: &str = "expected ok, eof, an errno such as EAGAIN, a value, or fields such as type=2";

/// Reads the tokens after `=>`.
pub(super) fn parse(tokens: &[Token], arrow: Span, catalog: &Catalog) -> Parsed<Claim> {
    let [first, rest @ ..] = tokens else {
        let span = Span::new(arrow.end as usize, arrow.end as usize + 1);
        return Err(Mistake::new(span, "an outcome stands after `=>`").label(WHAT));
    };
    if let (Some(word), true) = (first.bare(), rest.is_empty()) {
        match word {
            "ok" => return Ok(Claim::Ok),
            "eof" => return Ok(Claim::Eof),
            "died" | "error" => return Ok(Claim::Errno(word.to_string())),
            _ if is_errno(word) => return errno(word, first.span, catalog),
            _ => {}
        }
    }
    let mut fields = Vec::new();
    let mut value = None;
    let mut i = 0;
    while i < tokens.len() {
        let token = &tokens[i];
        if value.is_some() {
            return Err(
                Mistake::new(token.span, "nothing can follow an outcome's value")
                    .label("fields stand before the value: type=2 \"hi\""),
            );
        }
        match token.bare().and_then(|w| w.split_once('=')) {
            Some((name, written)) if is_name(name) => {
                let (expected, used) = if written.is_empty() {
                    let next = tokens.get(i + 1).ok_or_else(|| {
                        Mistake::new(token.span, "a value stands after `=`").label(WHAT)
                    })?;
                    (expected(next)?, 2)
                } else {
                    let at = token.span.start as usize + name.len() + 1;
                    let span = Span::new(at, at + written.len());
                    let lexeme = Lexeme::Bare(written);
                    (expected(&Token { span, lexeme })?, 1)
                };
                fields.push((name.to_string(), expected));
                i += used;
            }
            _ => {
                value = Some(expected(token)?);
                if matches!(value, Some(Expected::Word(_))) {
                    return Err(Mistake::new(token.span, "this is no outcome")
                        .label(WHAT)
                        .maybe_help(token.bare().and_then(|w| did_you_mean(w, ["ok", "eof"]))));
                }
                i += 1;
            }
        }
    }
    Ok(Claim::Yields { fields, value })
}

fn is_errno(word: &str) -> bool {
    word.len() > 2
        && word.starts_with('E')
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn errno(word: &str, span: Span, catalog: &Catalog) -> Parsed<Claim> {
    if catalog.errnos.contains(&word) {
        return Ok(Claim::Errno(word.to_string()));
    }
    Err(Mistake::new(span, format!("unknown errno `{word}`"))
        .label("expected an errno's symbol")
        .maybe_help(did_you_mean(word, catalog.errnos.iter().copied())))
}

/// One value, word or pattern to compare with.
pub(super) fn expected(token: &Token) -> Parsed<Expected> {
    if let Lexeme::Pattern(pattern) = &token.lexeme {
        return Ok(Expected::Pattern(pattern.clone()));
    }
    if let Some(data) = term::data(token) {
        return data.map(Expected::Term);
    }
    let Some(word) = token.bare() else {
        return Err(Mistake::new(token.span, "a value stands here").label(WHAT));
    };
    let at = token.span.start as usize;
    if let Some(term) = term::integer(word, at) {
        return term.map(Expected::Term);
    }
    if let Some(duration) = number::duration(word) {
        return Ok(Expected::Term(super::program::Term::Duration(duration)));
    }
    Ok(Expected::Word(word.to_string()))
}

impl Claim {
    /// Whether a step's end is the one that is claimed.
    ///
    /// # Errors
    /// A term of the claim comes to nothing.
    pub fn accepts(&self, result: &StepResult, env: &Env) -> Result<bool, EvalError> {
        Ok(match (self, result) {
            (Claim::Ok, result) => result.is_ok(),
            (Claim::Eof, Ok(outcome)) => outcome.eof,
            (Claim::Errno(symbol), Err(failure)) => failure.symbol() == symbol,
            (Claim::Yields { fields, value }, Ok(outcome)) => {
                for (name, expected) in fields {
                    let found = outcome.get(name);
                    if !matches!(found, Some(cell) if expected.accepts(cell, env)?) {
                        return Ok(false);
                    }
                }
                match (value, &outcome.value) {
                    (None, _) => true,
                    (Some(expected), Some(cell)) => expected.accepts(cell, env)?,
                    (Some(_), None) => false,
                }
            }
            _ => false,
        })
    }
}

impl Expected {
    /// Whether a cell equals it, or matches it.
    ///
    /// # Errors
    /// The term comes to nothing.
    pub fn accepts(&self, cell: &Cell, env: &Env) -> Result<bool, EvalError> {
        Ok(match (self, cell) {
            (Expected::Pattern(pattern), Cell::Data(bytes)) => pattern.matches(bytes),
            (Expected::Pattern(pattern), cell) => pattern.matches(cell.to_string().as_bytes()),
            (Expected::Word(word), cell) => cell.to_string() == *word,
            (Expected::Term(super::program::Term::Bytes(bytes)), Cell::Data(found)) => {
                bytes == found
            }
            (Expected::Term(term), cell) => {
                let wanted = env.value(term)?;
                match (&wanted, cell) {
                    (Cell::Data(bytes), Cell::Text(text)) => bytes == text.as_bytes(),
                    // A mode is written in octal: `perms == 0600`.
                    (Cell::Int(n), Cell::Mode(mode)) => {
                        let mode = i128::from(*mode);
                        *n == mode || number::mode(&n.to_string()) == Some(mode)
                    }
                    (wanted, cell) => match (wanted.as_int(), cell.as_int()) {
                        (Some(a), Some(b)) => a == b,
                        _ => wanted == cell,
                    },
                }
            }
        })
    }
}
