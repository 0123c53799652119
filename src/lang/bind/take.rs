//! What a parameter makes of a token.

use super::super::diagnostic::{Mistake, Parsed, short};
use super::super::lexer::{Lexeme, Token, is_name};
use super::super::number;
use super::super::program::{Arg, End, IntType, Place, Reference, Span, Target, Term};
use super::super::signature::{Family, Kind, Param};
use super::super::term;

/// `None` where the parameter takes no such thing, and a later one may. `quotes`: a string is the
/// path of an object.
pub(super) fn take(param: &Param, quotes: bool, token: &mut Token) -> Option<Parsed<Arg>> {
    let at = token.span.start as usize;
    let term = |t: Parsed<Term>| t.map(Arg::Term);
    let word = token.bare();
    match param.kind {
        _ if quotes && matches!(token.lexeme, Lexeme::Data(_)) => {
            Some(Ok(boxed(path(data(token)?.ok()?))))
        }
        Kind::Ref(family) => Some(existing(
            whole_object(word?, token.span, family)?,
            token.span,
        )),
        Kind::Semaphore => Some(existing(
            reference(word?, token.span, Family::Sem)?,
            token.span,
        )),
        Kind::NewName(family) => Some(new_name(word?, token.span, family)?.map(boxed)),
        Kind::NewRef(family) => Some(new_reference(word?, token.span, family)?.map(boxed)),
        Kind::AnyRef => Some(existing(any_reference(word?, token.span)?, token.span)),
        Kind::Int(..) | Kind::Size | Kind::Pid => {
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
        Kind::Key => {
            let found = term::key(word?, at).map(whole);
            Some(existing(found, token.span))
        }
        Kind::Duration => match term::computed(word?, at) {
            Some(Ok(Term::Int(n))) if number::seconds(n).is_none() => None,
            Some(found) => Some(term(found)),
            None => number::duration(word?).map(|d| Ok(Arg::Term(Term::Duration(d)))),
        },
        Kind::Mode => match term::computed(word?, at) {
            // Octal is what is written, not what is computed.
            Some(Ok(Term::Int(n))) if !param.kind.range().is_some_and(|r| r.contains(&n)) => None,
            Some(found) => Some(term(found)),
            None => number::mode(word?).map(|m| Ok(Arg::Term(Term::Int(m)))),
        },
        Kind::Data => data(token).map(term),
        Kind::Value => data(token).or_else(|| term::integer(word?, at)).map(term),
        Kind::Place => term::place(word?, at).map(|p| p.map(|p| Arg::Place(Box::new(p)))),
        Kind::Offset => Some(term::place(word?, at)?.and_then(|place| offset(place, token.span))),
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
        Kind::Path
        | Kind::Owner
        | Kind::Process { .. }
        | Kind::Word
        | Kind::Topic
        | Kind::Columns(_)
        | Kind::Order => match &mut token.lexeme {
            Lexeme::Data(data) => Some(Ok(Arg::Term(moved(data)))),
            Lexeme::Bare(word) if is_word(param.kind) && is_redirection(word) => {
                Some(Err(redirected(word, token.span)))
            }
            Lexeme::Bare(word) if is_no_process(word, param.kind) => {
                Some(Err(out_of_range(word, param.kind, token.span)))
            }
            Lexeme::Bare(word) => Some(term::template(word, at).map(Arg::Term)),
            _ => None,
        },
        Kind::Signal => {
            let word = word?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-');
            let is_one = word.bytes().all(plain) && !word.starts_with(['+', '-']);
            (is_one && !word.is_empty()).then(|| Ok(Arg::Word(word.to_string())))
        }
        Kind::Address => match &mut token.lexeme {
            Lexeme::Data(data) => Some(Ok(Arg::Term(moved(data)))),
            Lexeme::Bare(word) => term::address(word, at).map(term),
            _ => None,
        },
        Kind::Fd => held(word?, token.span),
        Kind::Command | Kind::Pipeline | Kind::Switch => None,
    }
}

/// What takes any word at all.
fn is_word(kind: Kind) -> bool {
    matches!(kind, Kind::Word | Kind::Topic | Kind::Process { .. })
}

/// A number that no process has.
fn is_no_process(word: &str, kind: Kind) -> bool {
    let Kind::Process { group } = kind else {
        return false;
    };
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && !word.parse::<i32>().is_ok_and(|pid| group || pid > 0)
}

/// A place that names no type: whole integers mean nothing to the command.
fn offset(place: Place, span: Span) -> Parsed<Arg> {
    match place.ty {
        None => Ok(Arg::Place(Box::new(place))),
        Some(ty) => Err(
            Mistake::new(span, format!("bytes are shown here, not a {}", ty.name()))
                .label(format!("expected {}", Kind::Offset.describe())),
        ),
    }
}

/// A sign of the system's shell, which nobody means to be shown: `echo hi > f`.
fn is_redirection(word: &str) -> bool {
    matches!(word, "|" | "||" | "&&" | "<" | "<<" | "2>&1") || word.starts_with('>')
}

fn redirected(word: &str, span: Span) -> Mistake {
    Mistake::new(
        span,
        format!("`{word}` is the system's shell's, and means nothing here"),
    )
    .label(format!("as a word it is quoted: \"{word}\""))
    .help("the system's shell runs what stands behind a `!`: !echo hi > f")
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

/// `shm."/sp ace"`: an object of a family whose name is quoted, as it has signs that no word has. It
/// is two tokens with nothing between.
pub(super) fn quoted_reference(param: &Param, tokens: &mut [Token]) -> Option<Parsed<Arg>> {
    let [first, second, ..] = tokens else {
        return None;
    };
    let noun = first.bare()?.strip_suffix('.')?;
    let family = Family::from_noun(noun)?;
    let expected = match param.kind {
        Kind::Ref(expected) | Kind::NewRef(expected) => expected,
        Kind::Semaphore => Family::Sem,
        Kind::AnyRef => family,
        _ => return None,
    };
    if first.span.end != second.span.start || !matches!(second.lexeme, Lexeme::Data(_)) {
        return None;
    }
    let whole = first.span.to(second.span);
    let target = Target::Path(data(second)?.ok()?);
    let suits = match family == expected {
        true => term::suits(&target, family),
        false => Err("it is said to be another"),
    };
    Some(match suits {
        Ok(()) => Ok(boxed(Reference {
            family: Some(family),
            target,
            index: None,
        })),
        Err(why) => Err(Mistake::new(
            whole,
            format!("this cannot be a {}: {why}", expected.object()),
        )
        .label(format!("expected {}", Kind::Ref(expected).describe()))),
    })
}

fn path(path: Term) -> Reference {
    whole(Target::Path(path))
}

/// An object of a family that is not said.
fn whole(target: Target) -> Reference {
    Reference {
        family: None,
        target,
        index: None,
    }
}

/// An object that exists. A word that cannot be one may be the next parameter's.
fn reference(word: &str, span: Span, family: Family) -> Option<Parsed<Reference>> {
    // A place such as `u32@$((a / b))` has a slash, and is no path.
    let typed = |ty: &str| ty.is_empty() || IntType::from_name(ty).is_some();
    if family.is_system_v() && word.split_once('@').is_some_and(|(ty, _)| typed(ty)) {
        return None;
    }
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
        _ => term::suits(&found.target, family)
            .map(|()| found)
            .map_err(|why| {
                Mistake::new(
                    span,
                    format!("`{}` cannot be a {}: {why}", cut(word), family.object()),
                )
                .label(format!("expected {}", Kind::Ref(family).describe()))
            }),
    })
}

/// An object of the family that is said, or of any.
fn any_reference(word: &str, span: Span) -> Option<Parsed<Reference>> {
    let found = term::reference(word, span.start as usize)?;
    match &found {
        Ok(Reference {
            family: Some(family),
            ..
        }) => reference(word, span, *family),
        _ => Some(found),
    }
}

/// A descriptor that the actor holds: `p.w`, `s1`, `/tmp/f`.
fn held(word: &str, span: Span) -> Option<Parsed<Arg>> {
    // `pipe.r` is the pipe of the name r.
    let end = word
        .rsplit_once('.')
        .filter(|(rest, _)| !rest.contains('/') && Family::from_noun(rest).is_none());
    let (rest, end) = match end {
        Some((rest, "r")) => (rest, Some(End::Read)),
        Some((rest, "w")) => (rest, Some(End::Write)),
        _ => (word, None),
    };
    let found = match term::reference(rest, span.start as usize)? {
        Ok(found) => found,
        Err(e) => return Some(Err(e)),
    };
    let kept = found.family.is_none_or(Family::is_held)
        && found.index.is_none()
        && !matches!(
            found.target,
            Target::Id(_) | Target::Key(_) | Target::Ftok(..)
        );
    Some(match kept {
        true => Ok(Arg::Fd(Box::new(found), end)),
        false => Err(
            Mistake::new(span, format!("`{word}` is not used through a descriptor"))
                .label(format!("expected {}", Kind::Fd.describe())),
        ),
    })
}

/// An object that no part of is meant.
fn whole_object(word: &str, span: Span, family: Family) -> Option<Parsed<Reference>> {
    Some(reference(word, span, family)?.and_then(|found| {
        match found.index {
            None => Ok(found),
            Some(_) => Err(
                Mistake::new(span, "a semaphore set is meant as a whole here")
                    .label("expected it without the number of a semaphore"),
            ),
        }
    }))
}

/// The name or key that a new object gets.
fn new_reference(word: &str, span: Span, family: Family) -> Option<Parsed<Reference>> {
    Some(reference(word, span, family)?.and_then(|found| {
        let expected = "expected a name, or a key such as key:0x1234";
        if matches!(found.target, Target::Id(_)) {
            return Err(
                Mistake::new(span, "the kernel chooses the ids of new objects").label(expected),
            );
        }
        if matches!(found.target, Target::Inode(_) | Target::Fd(..)) {
            return Err(Mistake::new(span, "this names what exists").label(expected));
        }
        if found.index.is_some() {
            return Err(Mistake::new(span, "a new object is named as a whole").label(expected));
        }
        Ok(found)
    }))
}

/// The name that an object gets in this session, which no key and no path is.
fn new_name(word: &str, span: Span, family: Family) -> Option<Parsed<Reference>> {
    Some(new_reference(word, span, family)?.and_then(|found| {
        match found.target {
            Target::Name(_) => Ok(found),
            _ => Err(
                Mistake::new(span, format!("`{word}` is no name of this session"))
                    .label("expected a plain name, such as mine"),
            ),
        }
    }))
}

/// An object that some object can be.
fn existing(found: Parsed<Reference>, span: Span) -> Parsed<Arg> {
    let found = found?;
    term::exists(&found, span)?;
    Ok(boxed(found))
}

/// A word before what is said of it, of which there is to be room for.
fn cut(word: &str) -> String {
    short(word.into(), 80)
}

/// A reference is the largest argument: its size should not be every argument's.
fn boxed(reference: Reference) -> Arg {
    Arg::Ref(Box::new(reference))
}
