//! What a parameter makes of a token.

use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Token, is_name};
use super::super::number;
use super::super::program::{Arg, Piece, Span, Target, Term};
use super::super::quoted::{braced_variable, variable};
use super::super::signature::{Family, Kind, Param};
use super::super::term;

/// `None` where the parameter takes no such thing, and a later one may.
pub(super) fn take(param: &Param, token: &mut Token) -> Option<Parsed<Arg>> {
    let at = token.span.start as usize;
    let term = |t: Parsed<Term>| t.map(Arg::Term);
    let word = token.bare();
    match param.kind {
        Kind::Ref(family) => Some(reference(word?, token.span, family)?.map(boxed)),
        Kind::NewRef(family) => Some(new_reference(word?, token.span, family)?.map(boxed)),
        Kind::AnyRef => term::reference(word?, at).map(|r| r.map(boxed)),
        Kind::Int(..) | Kind::Size => {
            let word = word?;
            if number::is_huge(word) {
                return Some(Err(out_of_range(word, param.kind, token.span)));
            }
            Some(term::integer(word, at)?.and_then(|found| match found {
                Term::Int(n) if !param.kind.range().is_some_and(|r| r.contains(&n)) => {
                    Err(out_of_range(word, param.kind, token.span))
                }
                found => Ok(Arg::Term(found)),
            }))
        }
        Kind::Duration => match term::computed(word?, at) {
            Some(found) => Some(term(found)),
            None => number::duration(word?).map(|d| Ok(Arg::Term(Term::Duration(d)))),
        },
        Kind::Mode => match term::computed(word?, at) {
            Some(found) => Some(term(found)),
            None => number::mode(word?).map(|m| Ok(Arg::Term(Term::Int(m)))),
        },
        Kind::Data => data(token).map(term),
        Kind::Value => data(token).or_else(|| term::integer(word?, at)).map(term),
        Kind::Place => term::place(word?, at).map(|p| p.map(Arg::Place)),
        Kind::SemOp => term::sem_op(word?, at).map(|op| op.map(Arg::SemOp)),
        Kind::Choice(words) => {
            let word = word?;
            words
                .contains(&word)
                .then(|| Ok(Arg::Word(word.to_string())))
        }
        Kind::Actor { .. } => {
            let word = word?;
            is_name(word).then(|| Ok(Arg::Word(word.to_string())))
        }
        Kind::Path | Kind::Owner | Kind::Word => match &mut token.lexeme {
            Lexeme::Data(data) => Some(Ok(Arg::Term(moved(data)))),
            Lexeme::Bare(word) => Some(words_term(word, token.span).map(Arg::Term)),
            _ => None,
        },
        Kind::Command | Kind::Switch => None,
    }
}

/// An integer that the parameter does not take; what it takes is said.
fn out_of_range(word: &str, kind: Kind, span: Span) -> Mistake {
    let (min, max) = kind.range().unwrap_or(0..=0).into_inner();
    let what = match kind {
        Kind::Size => "a size in bytes",
        _ => "an integer",
    };
    let message = match kind {
        Kind::Size if word.starts_with('-') => "a size cannot be negative".into(),
        _ => format!("{word} is out of range"),
    };
    Mistake::new(span, message).label(format!("expected {what} from {min} to {max}"))
}

/// Data. A string is moved out of its token: nothing asks for it a second time.
fn data(token: &mut Token) -> Option<Parsed<Term>> {
    match &mut token.lexeme {
        Lexeme::Data(data) => Some(Ok(moved(data))),
        _ => term::data(token),
    }
}

fn moved(data: &mut Term) -> Term {
    std::mem::replace(data, Term::Int(0))
}

/// An object that exists. A word that cannot be one may be the next parameter's.
fn reference(word: &str, span: Span, family: Family) -> Option<Parsed<super::super::Reference>> {
    let found = match term::reference(word, span.start as usize)? {
        Ok(found) => found,
        Err(e) => return Some(Err(e)),
    };
    Some(match found.family {
        Some(other) if other != family => Err(Mistake::new(
            span,
            format!("`{word}` names a {}", other.object()),
        )
        .label(format!("expected a {}", family.object()))),
        _ if found.index.is_some() && family != Family::Sem => Err(Mistake::new(
            span,
            format!("a {} has no members", family.object()),
        )
        .label("only a semaphore set is indexed, such as set[2]")),
        _ => Ok(found),
    })
}

/// The name or key that a new object gets.
fn new_reference(
    word: &str,
    span: Span,
    family: Family,
) -> Option<Parsed<super::super::Reference>> {
    Some(reference(word, span, family)?.and_then(|found| {
        let expected = "expected a name, or a key such as key:0x1234";
        if matches!(found.target, Target::Id(_)) {
            return Err(
                Mistake::new(span, "the kernel chooses the ids of new objects").label(expected),
            );
        }
        if found.index.is_some() {
            return Err(Mistake::new(span, "a new object is named as a whole").label(expected));
        }
        Ok(found)
    }))
}

/// A bare word in which `$name` is put in: `$WORK/fifo`.
fn words_term(word: &str, span: Span) -> Parsed<Term> {
    if let Some(term) = term::computed(word, span.start as usize)
        && (term.is_ok() || word.starts_with("$(("))
    {
        return term;
    }
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        pieces.push(Piece::Bytes(rest.as_bytes()[..at].to_vec()));
        let from = &rest[at..];
        let found = if from.starts_with("${") {
            braced_variable(from)
        } else {
            variable(&from[1..])
        };
        let Ok((after, var)) = found else {
            return Err(
                Mistake::new(span, format!("`{word}` holds a `$` that names no variable"))
                    .label("a variable is written $name; a plain $ stands in quotes"),
            );
        };
        pieces.push(Piece::Var(var));
        rest = after;
    }
    if pieces.is_empty() {
        return Ok(Term::Bytes(word.as_bytes().to_vec()));
    }
    pieces.push(Piece::Bytes(rest.as_bytes().to_vec()));
    Ok(Term::Template(pieces))
}

/// A reference is the largest argument: its size should not be every argument's.
fn boxed(reference: crate::lang::Reference) -> Arg {
    Arg::Ref(Box::new(reference))
}
