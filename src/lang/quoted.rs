//! Strings with their escapes and prefixes, and the variables in them.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n};
use nom::character::complete::{char, one_of};
use nom::combinator::{map_opt, recognize, value};
use nom::sequence::{delimited, preceded};

use super::lexer::Lexeme;
use super::pattern::{Pattern, PatternKind};
use super::program::{Piece, Term, VarRef};
use super::stop::{Lexed, Stop, stop};

/// What may stand before a string.
pub(super) const PREFIXES: [&str; 4] = ["x", "file", "re", "glob"];

const NEVER_CLOSED: &str = "this string is never closed";

/// A string that is open at the end of the text: it may go on in another line.
fn open(i: &str) -> nom::Err<Stop<'_>> {
    let quote = &i[..i.chars().next().map_or(0, char::len_utf8)];
    Stop::new(i, NEVER_CLOSED)
        .label(format!("opened here; expected another {quote}"))
        .open()
        .failure()
}

/// `x"…"`, `file"…"`, `re"…"`, `glob"…"`: the prefix is that wide.
pub(super) fn prefixed(start: &str, width: usize) -> Lexed<'_, Lexeme<'_>> {
    let (prefix, i) = start.split_at(width);
    match prefix {
        "x" => {
            let (rest, text) = raw_body(i)?;
            match hex_bytes(text) {
                Ok(bytes) => Ok((rest, Lexeme::Data(Term::Bytes(bytes)))),
                Err(at) => stop(
                    &i[1 + at..],
                    "these are not pairs of hex digits",
                    "expected bytes such as x\"00 ff 0a\"",
                ),
            }
        }
        "file" => {
            let (rest, pieces) = if i.starts_with('"') {
                double_quoted(i)?
            } else {
                let (rest, text) = raw(i)?;
                (rest, vec![Piece::Bytes(text.as_bytes().to_vec())])
            };
            Ok((rest, Lexeme::Data(Term::File(pieces))))
        }
        "re" | "glob" => {
            let kind = if prefix == "re" {
                PatternKind::Regex
            } else {
                PatternKind::Glob
            };
            let (rest, text) = raw_body(i)?;
            let quote = &i[..1];
            match Pattern::new(kind, &text.replace(&format!("\\{quote}"), quote)) {
                Ok(pattern) => Ok((rest, Lexeme::Pattern(pattern))),
                Err(why) => Err(
                    Stop::new(start, format!("this pattern is not valid: {why}"))
                        .width(start.len() - rest.len())
                        .failure(),
                ),
            }
        }
        _ => Err(
            Stop::new(start, "a string follows this word with no blank between")
                .width(width)
                .label("write a blank, or one of the prefixes x, file, re and glob")
                .failure(),
        ),
    }
}

/// The text between quotes, without its escapes read; `\"` does not end it.
fn raw_body(i: &str) -> Lexed<'_, &str> {
    let quote = i.as_bytes()[0];
    let mut escaped = false;
    for (at, b) in i.bytes().enumerate().skip(1) {
        if escaped {
            escaped = false;
        } else if b == b'\\' {
            escaped = true;
        } else if b == quote {
            return Ok((&i[at + 1..], &i[1..at]));
        }
    }
    Err(open(i))
}

/// `00 ff 0a`; the error is the offset of what is no pair of digits.
fn hex_bytes(text: &str) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high: Option<(u8, usize)> = None;
    for (at, c) in text.char_indices() {
        match (c.to_digit(16), high) {
            (Some(d), None) => high = Some((d as u8, at)),
            (Some(d), Some((h, _))) => {
                bytes.push(h << 4 | d as u8);
                high = None;
            }
            (None, None) if c.is_ascii_whitespace() => {}
            (None, Some((_, lone))) if c.is_ascii_whitespace() => return Err(lone),
            _ => return Err(at),
        }
    }
    high.map_or(Ok(bytes), |(_, at)| Err(at))
}

/// `'raw'`: everything up to the next quote.
pub(super) fn single_quoted(i: &str) -> Lexed<'_, Lexeme<'_>> {
    raw(i).map(|(rest, text)| (rest, Lexeme::Data(Term::Bytes(text.as_bytes().to_vec()))))
}

fn raw(i: &str) -> Lexed<'_, &str> {
    match i[1..].split_once('\'') {
        Some((text, rest)) => Ok((rest, text)),
        None => Err(open(i)),
    }
}

/// `"…"` with escapes and `${name.field}`.
pub(super) fn double_quoted(i: &str) -> Lexed<'_, Vec<Piece>> {
    let mut rest = &i[1..];
    let mut pieces = Vec::new();
    let mut bytes = Vec::new();
    loop {
        let plain = rest
            .bytes()
            .position(|b| matches!(b, b'"' | b'\\' | b'$'))
            .ok_or_else(|| open(i))?;
        let (text, after) = rest.split_at(plain);
        bytes.extend_from_slice(text.as_bytes());
        rest = match after.as_bytes()[0] {
            b'"' => {
                if !bytes.is_empty() {
                    pieces.push(Piece::Bytes(bytes));
                }
                return Ok((&after[1..], pieces));
            }
            b'\\' if after.len() == 1 => return Err(open(i)),
            b'\\' => escape(after, &mut bytes)?,
            _ if after == "${" => return Err(open(i)),
            _ if after.starts_with("${") => {
                let (r, var) = braced_variable(after)?;
                if !bytes.is_empty() {
                    pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
                }
                pieces.push(Piece::Var(var));
                r
            }
            _ => {
                bytes.push(b'$');
                &after[1..]
            }
        };
    }
}

/// One escape; returns what follows it.
fn escape<'a>(i: &'a str, out: &mut Vec<u8>) -> Result<&'a str, nom::Err<Stop<'a>>> {
    let body = &i[1..];
    let mut text = alt((
        value('\n', char('n')),
        value('\t', char('t')),
        value('\r', char('r')),
        value('\0', char('0')),
        value('\x1b', char('e')),
        value('\x07', char('a')),
        one_of("\\\"'$"),
        map_opt(
            delimited(tag("u{"), hex_digits(1, 6), char('}')),
            |s: &str| u32::from_str_radix(s, 16).ok().and_then(char::from_u32),
        ),
    ));
    let as_text: Lexed<'a, char> = text.parse(body);
    if let Ok((rest, c)) = as_text {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(rest);
    }
    let as_byte: Lexed<'a, u8> = map_opt(preceded(char('x'), hex_digits(2, 2)), |s: &str| {
        u8::from_str_radix(s, 16).ok()
    })
    .parse(body);
    if let Ok((rest, b)) = as_byte {
        out.push(b);
        return Ok(rest);
    }
    let width = 1 + body.chars().next().map_or(0, char::len_utf8);
    Err(Stop::new(i, "unknown escape")
        .width(width)
        .label("expected \\n \\t \\r \\0 \\e \\a \\\\ \\\" \\' \\$ \\xHH or \\u{HEX}")
        .failure())
}

fn hex_digits<'a>(
    least: usize,
    most: usize,
) -> impl Parser<&'a str, Output = &'a str, Error = Stop<'a>> {
    take_while_m_n(least, most, |c: char| c.is_ascii_hexdigit())
}

/// `${name}` or `${name.field}`.
pub(super) fn braced_variable(i: &str) -> Lexed<'_, VarRef> {
    let found: Lexed<'_, VarRef> = delimited(tag("${"), variable, char('}')).parse(i);
    found.map_err(|_| {
        let name = i
            .bytes()
            .skip(2)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            .count();
        let closed = usize::from(i.as_bytes().get(2 + name) == Some(&b'}'));
        Stop::new(i, "this names no variable")
            .width((2 + name + closed).min(i.len()))
            .label("a variable is written ${name} or ${name.field}; a plain `${` is written \\${")
            .failure()
    })
}

/// `name` or `name.field`.
pub(super) fn variable(i: &str) -> Lexed<'_, VarRef> {
    fn ident(i: &str) -> Lexed<'_, &str> {
        recognize((
            take_while_m_n(1, 1, |c: char| c.is_ascii_alphabetic() || c == '_'),
            take_while(|c: char| c.is_ascii_alphanumeric() || c == '_'),
        ))
        .parse(i)
    }
    let (rest, name) = ident(i)?;
    let field: Lexed<'_, &str> = preceded(char('.'), ident).parse(rest);
    let (rest, field) = match field {
        Ok((rest, field)) => (rest, Some(field.to_string())),
        Err(_) => (rest, None),
    };
    let name = name.to_string();
    Ok((rest, VarRef { name, field }))
}

/// `"…"` as a term.
pub(super) fn string(i: &str) -> Lexed<'_, Term> {
    let special = |b| matches!(b, b'"' | b'\\' | b'$');
    if let Some(end) = i.bytes().skip(1).position(special)
        && i.as_bytes()[1 + end] == b'"'
    {
        let bytes = i.as_bytes()[1..1 + end].to_vec();
        return Ok((&i[end + 2..], Term::Bytes(bytes)));
    }
    double_quoted(i).map(|(rest, pieces)| (rest, template(pieces)))
}

/// Pieces as a term: constant bytes where there is no variable.
fn template(mut pieces: Vec<Piece>) -> Term {
    match pieces.as_mut_slice() {
        [] => Term::Bytes(Vec::new()),
        [Piece::Bytes(bytes)] => Term::Bytes(std::mem::take(bytes)),
        _ => Term::Template(pieces),
    }
}

/// The text of a `!command`: everything as it stands, but `${name.field}` put in.
/// `${name}` is left to the shell, which gets the variables in its environment.
pub(super) fn host_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    // What is not yet in a piece begins here, and the search goes on there.
    let (mut from, mut search) = (0, 0);
    while let Some(at) = text[search..].find("${").map(|at| search + at) {
        match braced_variable(&text[at..]) {
            Ok((rest, var @ VarRef { field: Some(_), .. })) => {
                if at > from {
                    pieces.push(Piece::Bytes(text.as_bytes()[from..at].to_vec()));
                }
                pieces.push(Piece::Var(var));
                from = text.len() - rest.len();
                search = from;
            }
            _ => search = at + 2,
        }
    }
    if from < text.len() || pieces.is_empty() {
        pieces.push(Piece::Bytes(text.as_bytes()[from..].to_vec()));
    }
    pieces
}
