//! Tokens to terms: what one word means where a value of some kind is taken.

use std::ops::RangeInclusive;

use super::arith::{MOST, Nonsense, Why, arithmetic};
use super::diagnostic::{Mistake, Parsed, is_not};
use super::eval::Env;
use super::lexer::{Lexeme, Token, is_name};
use super::number;
use super::program::{IntType, Piece, Place, Reference, SemOpTerm, Span, Target, Term, VarRef};
use super::quoted::{braced_variable, variable};
use super::signature::Family;

/// `$name`, `$name.field`, `${name}` or `$((…))`; `None` where the word is none of them.
pub(super) fn computed(word: &str, at: usize) -> Option<Parsed<Term>> {
    if let Some(body) = word.strip_prefix("$((") {
        let Some(body) = body.strip_suffix("))") else {
            let span = Span::new(at, at + word.len());
            return Some(Err(Mistake::new(span, "nothing can follow `))` in a word")
                .label("expected a blank after `))`")));
        };
        let term = match arithmetic(body) {
            Ok(arith) => Term::Arith(Box::new(arith)),
            Err(nonsense) => return Some(Err(no_arithmetic(body, at + 3, &nonsense))),
        };
        return Some(constant(term, Span::new(at + 3, at + 3 + body.len())));
    }
    let rest = word.strip_prefix('$')?;
    let found = if rest.starts_with('{') {
        braced_variable(word)
    } else {
        variable(rest)
    };
    Some(match found {
        Ok(("", var)) => Ok(Term::Var(Box::new(var))),
        _ => {
            let span = Span::new(at, at + word.len());
            Err(Mistake::new(span, format!("`{word}` names no variable"))
                .label("a variable is written $name or $name.field"))
        }
    })
}

/// Arithmetic that reads no variable comes to the same whenever it is done.
fn constant(term: Term, span: Span) -> Parsed<Term> {
    let mut read = Vec::new();
    variables(&term, &mut read);
    if !read.is_empty() {
        return Ok(term);
    }
    let n = Env::default().int(&term);
    n.map(Term::Int).map_err(|e| {
        Mistake::new(span, e.to_string()).label("expected what comes to an integer of 64 bits")
    })
}

/// What is wrong inside `$((…))`, whose text begins at `start`.
fn no_arithmetic(body: &str, start: usize, nonsense: &Nonsense) -> Mistake {
    let rest = &body[nonsense.at..];
    let digits = rest
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b'_');
    let (width, message, label) = match nonsense.why {
        Why::Unexpected => (
            rest.chars().next().map_or(1, char::len_utf8),
            "this arithmetic makes no sense",
            "expected a number, a variable, or an operator of C",
        ),
        Why::LeadingZero => (
            digits.count(),
            "a number cannot begin with 0 here: in C it would be octal",
            "octal is written 0o17; leave out the 0 for decimal",
        ),
        Why::TooLong => (
            1,
            "this arithmetic is too long",
            "bind a part of it with `let`",
        ),
    };
    let from = start + nonsense.at;
    let mistake = Mistake::new(Span::new(from, from + width), message).label(label);
    match nonsense.why {
        Why::TooLong => mistake.help(format!(
            "it may have {MOST} operators, signs and parentheses"
        )),
        _ => mistake,
    }
}

/// An integer, a size, or what is computed; `None` where the word is none of them.
pub(super) fn integer(word: &str, at: usize) -> Option<Parsed<Term>> {
    computed(word, at).or_else(|| number::integer(word).map(|n| Ok(Term::Int(n))))
}

/// Data: a string, or `u32:5`.
pub(super) fn data(token: &Token) -> Option<Parsed<Term>> {
    match &token.lexeme {
        Lexeme::Data(term) => Some(Ok(term.clone())),
        Lexeme::Bare(word) => {
            let at = token.span.start as usize;
            if let Some((ty, number)) = word.split_once(':')
                && let Some(ty) = IntType::from_name(ty)
            {
                let from = at + ty.name().len() + 1;
                return Some(typed(ty, number, from));
            }
            computed(word, at)
        }
        _ => None,
    }
}

fn typed(ty: IntType, number: &str, at: usize) -> Parsed<Term> {
    let span = Span::new(at, at + number.len());
    match integer(number, at) {
        Some(Ok(Term::Int(n))) => match ty.encode(n) {
            Ok(bytes) => Ok(Term::Bytes(bytes)),
            Err(e) => Err(Mistake::new(span, e.to_string()).label("expected an integer that fits")),
        },
        Some(Ok(term)) => Ok(Term::Number(ty, Box::new(term))),
        Some(Err(e)) => Err(e),
        None => Err(Mistake::new(span, is_not(number, "an integer"))
            .label(format!("expected an integer for {}", ty.name()))),
    }
}

/// `@OFF` or `TYPE@OFF`.
pub(super) fn place(word: &str, at: usize) -> Option<Parsed<Place>> {
    let (ty, offset) = word.split_once('@')?;
    let ty = match ty {
        "" => None,
        name => match IntType::from_name(name) {
            Some(ty) => Some(ty),
            None => {
                let span = Span::new(at, at + name.len());
                return Some(Err(Mistake::new(
                    span,
                    format!("`{name}` is not a type of integer"),
                )
                .label("expected u8, u16, u32, u64, i8, i16, i32 or i64")));
            }
        },
    };
    let from = at + word.len() - offset.len();
    Some(match integer(offset, from) {
        Some(Ok(Term::Int(n))) if n < 0 => Err(Mistake::new(
            Span::new(from, from + offset.len()),
            "an offset is not negative",
        )
        .label("expected a number of bytes, such as @16 or @1K")),
        Some(Ok(Term::Int(n))) if n > u64::MAX.into() => Err(too_far(offset, from)),
        None if number::is_huge(offset) => Err(too_far(offset, from)),
        Some(Ok(offset)) => Ok(Place { ty, offset }),
        Some(Err(e)) => Err(e),
        None => Err(Mistake::new(
            Span::new(from, from + offset.len()),
            is_not(offset, "an offset"),
        )
        .label("expected a number of bytes, such as @16 or @1K")),
    })
}

fn too_far(offset: &str, at: usize) -> Mistake {
    let span = Span::new(at, at + offset.len());
    Mistake::new(span, format!("the offset {offset} is out of range"))
        .label(format!("expected an offset from 0 to {}", u64::MAX))
}

/// `NAME`, `NAME[i]`, `id:N`, `key:K`, `key:PATH,N`, each with `FAMILY.` before it.
/// `None` where the word cannot be a reference at all.
pub(super) fn reference(word: &str, at: usize) -> Option<Parsed<Reference>> {
    let (family, rest) = match word.split_once('.') {
        Some((noun, rest)) if Family::from_noun(noun).is_some() => (Family::from_noun(noun), rest),
        _ => (None, word),
    };
    let from = at + word.len() - rest.len();
    if let Some(target) = elsewhere(rest, from) {
        let said = match rest.split_once(":[") {
            Some(("pipe", _)) => Some(Family::Pipe),
            Some(("socket", _)) => Some(Family::Sock),
            _ => None,
        };
        return Some(target.map(|target| Reference {
            family: family.or(said),
            target,
            index: None,
        }));
    }
    let (rest, index) =
        match rest.strip_suffix(']').and_then(|r| r.split_once('[')) {
            Some((name, index)) => {
                let at = from + name.len() + 1;
                match integer(index, at) {
                    Some(Ok(Term::Int(n))) if !(0..=u16::MAX.into()).contains(&n) => {
                        let span = Span::new(at, at + index.len());
                        let message = format!("{index} is no number of a semaphore");
                        return Some(Err(Mistake::new(span, message)
                            .label("expected an integer from 0 to 65535")));
                    }
                    Some(Ok(term)) => (name, Some(term)),
                    Some(Err(e)) => return Some(Err(e)),
                    None => {
                        let span = Span::new(at, at + index.len());
                        let message = is_not(index, "the number of a semaphore");
                        return Some(Err(Mistake::new(span, message)
                            .label("expected an integer, such as set[0]")));
                    }
                }
            }
            None => (rest, None),
        };
    let target = match target(rest, from)? {
        Ok(target) => target,
        Err(e) => return Some(Err(e)),
    };
    Some(Ok(Reference {
        family,
        target,
        index,
    }))
}

/// `pipe:[N]`, `socket:[N]`, `pid:N/fd:M`: what has no name here and no path.
fn elsewhere(word: &str, at: usize) -> Option<Parsed<Target>> {
    let wrong = |label: &str| {
        let span = Span::new(at, at + word.len());
        Mistake::new(span, format!("`{word}` names nothing")).label(label)
    };
    if let Some((noun @ ("pipe" | "socket"), inode)) = word.split_once(":[") {
        let inode = inode.strip_suffix(']').and_then(|n| n.parse().ok());
        return Some(
            inode
                .map(Target::Inode)
                .ok_or_else(|| wrong(&format!("expected an inode, such as {noun}:[6517]"))),
        );
    }
    let rest = word.strip_prefix("pid:")?;
    let Some((pid, fd)) = rest.split_once("/fd:") else {
        return Some(Err(wrong("expected pid:N/fd:M, such as pid:812/fd:7")));
    };
    let fd_at = at + word.len() - fd.len();
    match (integer(pid, at + 4), integer(fd, fd_at)) {
        (Some(Ok(pid)), Some(Ok(fd))) => Some(Ok(Target::Fd(pid, fd))),
        (Some(Err(e)), _) | (_, Some(Err(e))) => Some(Err(e)),
        _ => Some(Err(wrong("expected pid:N/fd:M, such as pid:812/fd:7"))),
    }
}

/// How long a POSIX name may be, without its slash.
const POSIX_NAME: usize = 255;

/// Whether an object of a family can be named so; the error says why not.
pub(super) fn suits(target: &Target, family: Family) -> Result<(), &'static str> {
    match target {
        Target::Id(_) | Target::Key(_) | Target::Ftok(..) if !family.is_system_v() => {
            Err("only System V objects have an id and a key")
        }
        Target::Path(_) if family == Family::Pipe => Err("it has no path"),
        Target::Path(Term::Bytes(name)) if family.is_system_v() => match name.split_first() {
            // A semaphore's file has more in front.
            Some((b'/', b"." | b"..")) if family != Family::Sem => Err("it means a directory"),
            Some((b'/', rest)) if rest.len() > POSIX_NAME => {
                Err("a POSIX name has up to 255 bytes behind its slash")
            }
            Some((b'/', rest)) if !rest.is_empty() && !rest.contains(&b'/') => Ok(()),
            _ => Err("a POSIX name is one slash and what follows it"),
        },
        Target::Path(Term::Bytes(name)) if family == Family::Fifo && name.starts_with(b"@") => {
            Err("only sockets have abstract names")
        }
        Target::Path(Term::Bytes(name))
            if family == Family::Fifo && name.starts_with(TCP.as_bytes()) =>
        {
            Err("only sockets have TCP addresses")
        }
        Target::Inode(_) | Target::Fd(..) if family.is_system_v() => {
            Err("it is not used through a descriptor")
        }
        Target::Inode(_) if family == Family::Fifo => Err("it has a path"),
        _ => Ok(()),
    }
}

/// An integer that is written lies in the range.
fn within(
    term: Term,
    range: &RangeInclusive<i128>,
    what: &str,
    word: &str,
    at: usize,
) -> Parsed<Term> {
    match term {
        Term::Int(n) if !range.contains(&n) => {
            let span = Span::new(at, at + word.len());
            Err(Mistake::new(span, format!("{word} is out of range"))
                .label(format!("expected {what}")))
        }
        term => Ok(term),
    }
}

/// An object that exists is not found by the key that is none, and one of POSIX is no set.
pub(super) fn exists(found: &Reference, span: Span) -> Parsed<()> {
    if found.target == Target::Key(Term::Int(0)) {
        let message = "the key 0 is IPC_PRIVATE, which finds no object";
        return Err(Mistake::new(span, message)
            .label("expected another key, or the object's id, such as id:32768"));
    }
    match (&found.target, &found.index) {
        (Target::Path(_), Some(Term::Int(1..))) => {
            let message = "a POSIX semaphore has no members: POSIX has no sets";
            Err(Mistake::new(span, message).label("expected it without the number in brackets"))
        }
        _ => Ok(()),
    }
}

/// A key of System V: a number, or `PATH,N`.
pub(super) fn key(word: &str, at: usize) -> Parsed<Target> {
    if let Some(term) = integer(word, at) {
        let keys = i32::MIN.into()..=u32::MAX.into();
        return within(term?, &keys, "a key from 0 to 0xffffffff", word, at).map(Target::Key);
    }
    let wrong = |from: usize, what: &str, label: &str| {
        let span = Span::new(at + from, at + word.len());
        Mistake::new(span, is_not(&word[from..], what)).label(label)
    };
    let Some((path, project)) = word.rsplit_once(',') else {
        return Err(wrong(
            0,
            "a key",
            "expected a key such as 0x1234 or /path,1",
        ));
    };
    match number::integer(project).filter(|p| (1..=255).contains(p)) {
        Some(project) => Ok(Target::Ftok(path.to_string(), project as u8)),
        None => Err(wrong(
            path.len() + 1,
            "a project number",
            "expected an integer from 1 to 255, for ftok(3)",
        )),
    }
}

fn target(word: &str, at: usize) -> Option<Parsed<Target>> {
    if let Some(id) = word.strip_prefix("id:") {
        return Some(
            integer(id, at + 3)
                .unwrap_or_else(|| {
                    let span = Span::new(at + 3, at + word.len());
                    Err(Mistake::new(span, is_not(id, "an id"))
                        .label("expected a number, such as id:32768"))
                })
                // What is negative, the kernel refuses.
                .and_then(|term| {
                    let ids = i32::MIN.into()..=i32::MAX.into();
                    within(term, &ids, "an id from 0 to 2147483647", id, at + 3)
                })
                .map(Target::Id),
        );
    }
    if let Some(written) = word.strip_prefix("key:") {
        return Some(key(written, at + 4));
    }
    if word.contains('/') || word.starts_with('@') || word.starts_with(TCP) {
        return Some(template(word, at).map(Target::Path));
    }
    is_name(word).then(|| Ok(Target::Name(word.to_string())))
}

/// Where a socket is: a path with a slash in it, `@NAME`, `tcp:HOST:PORT`, or what is computed.
/// `None` where the word is none of them.
pub(super) fn address(word: &str, at: usize) -> Option<Parsed<Term>> {
    if let Some(place) = word.strip_prefix(TCP) {
        let port = |port: &str| port.contains('$') || port.parse::<u16>().is_ok();
        let whole = place.rsplit_once(':');
        if !place.starts_with('$') && !whole.is_some_and(|(host, p)| !host.is_empty() && port(p)) {
            let span = Span::new(at + TCP.len(), at + word.len());
            let mistake = Mistake::new(span, is_not(place, "a host and a port"));
            return Some(Err(
                mistake.label("expected HOST:PORT, such as tcp:127.0.0.1:6379")
            ));
        }
        return Some(template(word, at));
    }
    let is_address =
        word.contains('/') || word.contains('$') || word.len() > 1 && word.starts_with('@');
    is_address.then(|| template(word, at))
}

/// What stands before the host and the port of a TCP socket.
pub(super) const TCP: &str = "tcp:";

/// A bare word in which `$name` is put in: `$WORK/fifo`.
pub(super) fn template(word: &str, at: usize) -> Parsed<Term> {
    let span = Span::new(at, at + word.len());
    if let Some(term) = computed(word, at)
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

/// `INDEX:DELTA[u][n]`.
pub(super) fn sem_op(word: &str, at: usize) -> Option<Parsed<SemOpTerm>> {
    let (index, delta) = word.split_once(':')?;
    let number = delta.trim_end_matches(['u', 'n']);
    let flags = &delta[number.len()..];
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(index) || !all_digits(digits) || !matches!(flags, "" | "u" | "n" | "un" | "nu") {
        return None;
    }
    let misfit = |from: usize, part: &str, what: &str, range: &str| {
        let span = Span::new(at + from, at + from + part.len());
        Err(Mistake::new(span, format!("{part} is out of range"))
            .label(format!("expected {what} from {range}")))
    };
    let Ok(number_of) = index.parse() else {
        return Some(misfit(0, index, "the number of a semaphore", "0 to 65535"));
    };
    let Ok(change) = number.strip_prefix('+').unwrap_or(number).parse() else {
        let from = index.len() + 1;
        return Some(misfit(from, number, "an operation", "-32768 to 32767"));
    };
    Some(Ok(SemOpTerm {
        index: number_of,
        delta: change,
        undo: flags.contains('u'),
        nowait: flags.contains('n'),
    }))
}

/// The variables that a term reads.
pub(super) fn variables<'a>(term: &'a Term, found: &mut Vec<&'a VarRef>) {
    use super::program::Arith;
    fn arith<'a>(a: &'a Arith, found: &mut Vec<&'a VarRef>) {
        match a {
            Arith::Int(_) => {}
            Arith::Var(var) => found.push(var),
            Arith::Neg(x) | Arith::Flip(x) | Arith::Not(x) => arith(x, found),
            Arith::Choice(parts) => parts.iter().for_each(|x| arith(x, found)),
            Arith::Binary(x, _, y) => {
                arith(x, found);
                arith(y, found);
            }
        }
    }
    match term {
        Term::Int(_) | Term::Duration(_) | Term::Bytes(_) => {}
        Term::Template(pieces) | Term::File(pieces) => {
            found.extend(pieces.iter().filter_map(|p| match p {
                Piece::Var(var) => Some(var),
                Piece::Bytes(_) => None,
            }));
        }
        Term::Number(_, term) => variables(term, found),
        Term::Var(var) => found.push(var),
        Term::Arith(a) => arith(a, found),
    }
}
