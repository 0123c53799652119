//! What stands after `=>`: reading it, and holding an outcome against it.

use super::catalog::Catalog;
use super::diagnostic::{Mistake, Parsed};
use super::eval::{Env, EvalError};
use super::lexer::{Lexeme, Token, is_name};
use super::number;
use super::program::{Claim, Expected, Span, Term};
use super::seek::Seek;
use super::signature::Signature;
use super::suggest::did_you_mean;
use super::term;
use crate::data::{Cell, Field, StepResult};

const WHAT: &str = "expected ok, eof, an errno such as EAGAIN, a value, or fields such as type=2";

/// The outcomes that are words, errnos apart.
pub(super) const OUTCOMES: [&str; 4] = ["ok", "eof", "error", "died"];

/// Reads the tokens after `=>`.
pub(super) fn parse(tokens: &[Token], arrow: Span, catalog: &Catalog) -> Parsed<Claim> {
    let [first, rest @ ..] = tokens else {
        let span = Span::new(arrow.end as usize, arrow.end as usize);
        return Err(Mistake::new(span, "the outcome is missing after `=>`").label(WHAT));
    };
    if let Some(word) = first.bare()
        && let Some(claim) = whole(word, first.span, catalog)
    {
        let claim = claim?;
        return match rest.first() {
            None => Ok(claim),
            Some(next) => Err(Mistake::new(
                next.span,
                format!("nothing can follow the outcome `{word}`"),
            )
            .label("expected the end of the statement")),
        };
    }
    let mut fields = Vec::new();
    let mut value: Option<Expected> = None;
    let mut rest = tokens;
    while let [token, after @ ..] = rest {
        if value.is_some() {
            return Err(
                Mistake::new(token.span, "nothing can follow the value of an outcome")
                    .label("fields stand before the value: type=2 \"hi\""),
            );
        }
        rest = after;
        match token.bare().and_then(|w| w.split_once('=')) {
            Some((name, "")) if is_name(name) => {
                let end = token.span.end;
                let Some((next, after)) = rest.split_first().filter(|(t, _)| t.span.start == end)
                else {
                    let at = Span::new(end as usize, end as usize);
                    return Err(
                        Mistake::new(at, format!("the value of `{name}` is missing")).label(
                            format!("expected a value, such as {name}=2, with no blank before it"),
                        ),
                    );
                };
                fields.push((name.to_string(), expected(next)?));
                rest = after;
            }
            Some((name, written)) if is_name(name) => {
                let at = token.span.start as usize + name.len() + 1;
                let span = Span::new(at, at + written.len());
                let lexeme = Lexeme::Bare(written);
                fields.push((name.to_string(), expected(&Token { span, lexeme })?));
            }
            _ => match expected(token)? {
                Expected::Word(word) => return Err(stranger(&word, token.span, catalog)),
                found => value = Some(found),
            },
        }
    }
    Ok(Claim::Yields { fields, value })
}

/// The outcomes of one word.
fn whole(word: &str, span: Span, catalog: &Catalog) -> Option<Parsed<Claim>> {
    match word {
        "ok" => Some(Ok(Claim::Ok)),
        "eof" => Some(Ok(Claim::Eof)),
        "died" | "error" => Some(Ok(Claim::Errno(word.to_string()))),
        _ if is_errno(word) => Some(errno(word, span, catalog)),
        _ => None,
    }
}

/// A word that is no outcome.
fn stranger(word: &str, span: Span, catalog: &Catalog) -> Mistake {
    let help = match word {
        "..." => Some("a step that must block is written `STEP ...`".into()),
        "blocked" | "blocks" => {
            Some("a step that must block is written with `...`, without `=>`".into())
        }
        "fail" | "failed" | "failure" => {
            Some("`error` is any failure without an errno; better name the errno".into())
        }
        _ => did_you_mean(
            word,
            OUTCOMES
                .into_iter()
                .chain(catalog.words.errnos.iter().copied()),
        )
        .or_else(|| Some(format!("data is written in quotes: \"{word}\""))),
    };
    Mistake::new(span, format!("`{word}` is not an outcome"))
        .label(WHAT)
        .maybe_help(help)
}

fn is_errno(word: &str) -> bool {
    word.len() > 2
        && word.starts_with('E')
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn errno(word: &str, span: Span, catalog: &Catalog) -> Parsed<Claim> {
    if catalog.words.errnos.contains(&word) {
        return Ok(Claim::Errno(word.to_string()));
    }
    Err(Mistake::new(span, format!("unknown errno `{word}`"))
        .label("expected an errno such as EAGAIN or ENOMSG")
        .maybe_help(did_you_mean(
            word,
            catalog.words.errnos.iter().copied().chain(["eof"]),
        )))
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
        return Err(Mistake::new(token.span, "a value is expected here").label(WHAT));
    };
    let at = token.span.start as usize;
    if let Some(term) = term::integer(word, at) {
        return term.map(Expected::Term);
    }
    if let Some(duration) = number::duration(word) {
        return Ok(Expected::Term(Term::Duration(duration)));
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
            // Any failure, however it came about.
            (Claim::Errno(symbol), Err(_)) if symbol == "error" => true,
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

    /// Whether the outcome of the command can have all of the fields.
    pub(super) fn suits(&self, signature: &Signature, seek: &Seek) -> Parsed<()> {
        let Claim::Yields { fields, .. } = self else {
            return Ok(());
        };
        let Some((name, _)) = fields.iter().find(|(name, _)| !signature.may_yield(name)) else {
            return Ok(());
        };
        let message = format!("`{}` yields no field `{name}`", signature.name);
        Err(Mistake::new(seek.word(name), message)
            .label(match signature.yields {
                [] => "its outcome has no fields".into(),
                yields => format!("expected {}", yields.join(", ")),
            })
            .maybe_help(did_you_mean(name, signature.yields.iter().copied())))
    }

    /// What its variables are, for who reads that it does not hold.
    pub fn variables(&self, env: &Env) -> Vec<Field> {
        let Claim::Yields { fields, value } = self else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for expected in fields.iter().map(|(_, v)| v).chain(value) {
            if let Expected::Term(term) = expected {
                term::variables(term, &mut found);
            }
        }
        let mut values: Vec<Field> = Vec::new();
        for var in found {
            let name = var.to_string().split_off("$".len());
            if let Ok(cell) = env.lookup(var)
                && !values.iter().any(|v| v.name == name)
            {
                values.push(Field {
                    name: name.into(),
                    value: cell.clone(),
                });
            }
        }
        values
    }
}

impl Expected {
    /// Whether a cell equals it, or matches it.
    ///
    /// # Errors
    /// The term comes to nothing.
    pub fn accepts(&self, cell: &Cell, env: &Env) -> Result<bool, EvalError> {
        Ok(match (self, cell) {
            (Expected::Pattern(pattern), Cell::Data(bytes) | Cell::Name(bytes)) => {
                pattern.matches(bytes)
            }
            (Expected::Pattern(pattern), cell) => pattern.matches(cell.to_string().as_bytes()),
            (Expected::Word(word), cell) => cell.to_string() == *word,
            (Expected::Term(Term::Bytes(bytes)), Cell::Data(found) | Cell::Name(found)) => {
                bytes == found
            }
            (Expected::Term(term), cell) => {
                let wanted = env.value(term)?;
                match (&wanted, cell) {
                    (Cell::Data(bytes), Cell::Name(name)) => bytes == name,
                    // In quotes stands what is shown of it.
                    (Cell::Data(bytes), cell) if !matches!(cell, Cell::Data(_)) => {
                        *bytes == cell.to_string().into_bytes()
                    }
                    // Of what there is none, the kernel's number is 0.
                    (Cell::Int(0), Cell::Nothing) => true,
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
