//! Characters to tokens, with nom.
//!
//! Tokens are taken one at a time, as the parser asks for them: `!command` takes the rest
//! of its line as it stands, which only the parser knows.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map_opt, recognize, value};
use nom::error::{ErrorKind, ParseError};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::diagnostic::{Mistake, Parsed};
use super::pattern::{Pattern, PatternKind};
use super::program::{Piece, Span, Term, VarRef};

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Token<'a> {
    /// Where.
    pub span: Span,
    /// What.
    pub lexeme: Lexeme<'a>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Lexeme<'a> {
    /// A bare word: a name, a number, a reference, an operator.
    Bare(&'a str),
    /// `"…"`, `'…'`, `x"…"`, `file"…"`.
    Data(Term),
    /// `re"…"`, `glob"…"`.
    Pattern(Pattern),
    /// `=>`
    Arrow,
    /// `...`
    Ellipsis,
    /// `&`
    Ampersand,
    /// `{`
    Open,
    /// `}`
    Close,
    /// A newline or `;`.
    End,
}

impl<'a> Token<'a> {
    /// The bare word, where it is one.
    pub fn bare(&self) -> Option<&'a str> {
        match self.lexeme {
            Lexeme::Bare(word) => Some(word),
            _ => None,
        }
    }
}

/// Whether a word may name an object, an actor or a variable: it starts with a letter or
/// `_`, so that a number is never a name.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// What nom reports: where it stopped and why. `message` is empty where nothing was
/// recognised yet, so that another alternative may be tried.
#[derive(Debug)]
pub(super) struct Stop<'a> {
    rest: &'a str,
    message: &'static str,
}

impl<'a> ParseError<&'a str> for Stop<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Stop { rest, message: "" }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

pub(super) type Lexed<'a, T> = IResult<&'a str, T, Stop<'a>>;

fn stop<'a, T>(rest: &'a str, message: &'static str) -> Lexed<'a, T> {
    Err(nom::Err::Failure(Stop { rest, message }))
}

/// All tokens of a text, as far as they can be read: for highlighting and completion.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer::new(text);
    let mut all = Vec::new();
    while let Ok(Some(token)) = lexer.next() {
        all.push(token);
    }
    all
}

/// A place in a text.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Passes over blanks, comments and continued lines; says where the next token begins.
    pub fn skip_blanks(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let after = blanks(rest);
        self.at = self.text.len() - after.len();
        self.at
    }

    /// Takes the rest of the line as it stands, for `!command`.
    pub fn take_line(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let line = rest.split('\n').next().unwrap_or(rest);
        self.at += line.len();
        line
    }

    /// The next token; `None` at the end of the text.
    pub fn next(&mut self) -> Parsed<Option<Token<'a>>> {
        let start = self.skip_blanks();
        let rest = &self.text[start..];
        let Some(first) = rest.as_bytes().first() else {
            return Ok(None);
        };
        let found = match first {
            b'\n' | b';' => Ok((&rest[1..], Lexeme::End)),
            b'{' => Ok((&rest[1..], Lexeme::Open)),
            b'}' => Ok((&rest[1..], Lexeme::Close)),
            b'"' => double_quoted(rest).map(|(r, pieces)| (r, Lexeme::Data(template(pieces)))),
            b'\'' => single_quoted(rest),
            0 => stop(rest, "a NUL byte"),
            _ => word(rest),
        };
        match found {
            Ok((after, lexeme)) => {
                self.at = self.text.len() - after.len();
                let span = Span::new(start, self.at);
                Ok(Some(Token { span, lexeme }))
            }
            Err(e) => Err(self.mistake(e, start)),
        }
    }

    fn mistake(&self, e: nom::Err<Stop<'a>>, start: usize) -> Mistake {
        let (rest, message) = match e {
            nom::Err::Error(s) | nom::Err::Failure(s) => (s.rest, s.message),
            nom::Err::Incomplete(_) => ("", ""),
        };
        let at = self.text.len() - rest.len();
        let width = rest.chars().next().map_or(0, char::len_utf8);
        match message {
            "" => Mistake::new(
                Span::new(at, at + width),
                "this character does not belong here",
            ),
            // What is left open is shown where it was opened.
            message if rest.is_empty() => Mistake::new(Span::new(start, start + 1), message)
                .label("opened here")
                .incomplete(),
            message => Mistake::new(Span::new(at, at + width), message),
        }
    }
}

/// Passes over spaces, `\` before a newline, and a comment.
fn blanks(mut rest: &str) -> &str {
    loop {
        let before = rest.len();
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if let Some(after) = rest
            .strip_prefix("\\\n")
            .or_else(|| rest.strip_prefix("\\\r\n"))
        {
            rest = after;
        }
        if rest.starts_with('#') {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        }
        if rest.len() == before {
            return rest;
        }
    }
}

/// A bare word, or what its prefix makes of the string that follows it.
fn word(i: &str) -> Lexed<'_, Lexeme<'_>> {
    let (rest, word) = recognize(bare).parse(i)?;
    if rest.starts_with(['"', '\'']) {
        // `data="hi"`, `type=re"2|3"`, `msgq."key:/a.b,1".qnum`: the word ends at its sign.
        if let Some(sign) = word.rfind(['=', '.']) {
            return Ok((&i[sign + 1..], Lexeme::Bare(&i[..=sign])));
        }
        return prefixed(i, word, rest);
    }
    let lexeme = match word {
        "=>" => Lexeme::Arrow,
        "..." => Lexeme::Ellipsis,
        "&" => Lexeme::Ampersand,
        word => Lexeme::Bare(word),
    };
    Ok((rest, lexeme))
}

/// The characters of a bare word. `$((…))` and `${…}` belong to it with what they hold.
fn bare(i: &str) -> Lexed<'_, ()> {
    let mut rest = i;
    loop {
        let (after, _) = take_while(is_bare).parse(rest)?;
        rest = match after {
            r if r.starts_with('$') => dollar(r)?.0,
            r => {
                return if r.len() == i.len() {
                    Err(nom::Err::Error(Stop {
                        rest: r,
                        message: "",
                    }))
                } else {
                    Ok((r, ()))
                };
            }
        };
    }
}

fn is_bare(c: char) -> bool {
    !matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | ';' | '{' | '}' | '"' | '\'' | '$' | '\0'
    )
}

/// `$((…))`, `${…}`, or the `$` of `$name`.
fn dollar(i: &str) -> Lexed<'_, ()> {
    if let Some(body) = i.strip_prefix("$((") {
        let mut depth = 2usize;
        for (at, b) in body.bytes().enumerate() {
            match b {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\n' => break,
                _ => {}
            }
            if depth == 0 {
                return Ok((&body[at + 1..], ()));
            }
        }
        return stop("", "this `$((` is never closed");
    }
    if let Some(body) = i.strip_prefix("${") {
        return match body.split_once('}') {
            Some((name, after)) if !name.contains(char::is_whitespace) => Ok((after, ())),
            _ => stop("", "this `${` is never closed"),
        };
    }
    Ok((&i[1..], ()))
}

/// `x"…"`, `file"…"`, `re"…"`, `glob"…"`.
fn prefixed<'a>(start: &'a str, prefix: &str, i: &'a str) -> Lexed<'a, Lexeme<'a>> {
    match prefix {
        "x" => {
            let (rest, text) = raw_body(i)?;
            match hex_bytes(text) {
                Ok(bytes) => Ok((rest, Lexeme::Data(Term::Bytes(bytes)))),
                Err(at) => stop(&i[1 + at..], "not a pair of hex digits"),
            }
        }
        "file" => {
            let (rest, pieces) = if i.starts_with('"') {
                double_quoted(i)?
            } else {
                let (rest, text) = raw_body(i)?;
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
                Err(_) => stop(i, "this pattern does not compile"),
            }
        }
        _ => stop(
            start,
            "a string follows a word with nothing between; the prefixes are x, file, re and glob",
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
    stop("", "this string is never closed")
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
            _ => return Err(at),
        }
    }
    high.map_or(Ok(bytes), |(_, at)| Err(at))
}

/// `'raw'`: everything up to the next quote.
fn single_quoted(i: &str) -> Lexed<'_, Lexeme<'_>> {
    match i[1..].split_once('\'') {
        Some((raw, rest)) => Ok((rest, Lexeme::Data(Term::Bytes(raw.as_bytes().to_vec())))),
        None => stop("", "this string is never closed"),
    }
}

/// `"…"` with escapes and `${name.field}`.
fn double_quoted(i: &str) -> Lexed<'_, Vec<Piece>> {
    let mut rest = &i[1..];
    let mut pieces = Vec::new();
    let mut bytes = Vec::new();
    loop {
        let (after, plain) = take_while(|c| !matches!(c, '"' | '\\' | '$')).parse(rest)?;
        bytes.extend_from_slice(plain.as_bytes());
        rest = match after.as_bytes().first() {
            None => return stop("", "this string is never closed"),
            Some(b'"') => {
                if !bytes.is_empty() {
                    pieces.push(Piece::Bytes(bytes));
                }
                return Ok((&after[1..], pieces));
            }
            Some(b'\\') => escape(after, &mut bytes)?,
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
    let simple = alt((
        value('\n', char('n')),
        value('\t', char('t')),
        value('\r', char('r')),
        value('\0', char('0')),
        value('\x1b', char('e')),
        value('\x07', char('a')),
        one_of("\\\"'$"),
    ));
    fn hex(s: &str) -> Option<u8> {
        u8::from_str_radix(s, 16).ok()
    }
    let byte = map_opt(
        preceded(
            char('x'),
            take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit()),
        ),
        hex,
    );
    let unicode = map_opt(
        delimited(
            tag("u{"),
            take_while_m_n(1, 6, |c: char| c.is_ascii_hexdigit()),
            char('}'),
        ),
        |s: &str| u32::from_str_radix(s, 16).ok().and_then(char::from_u32),
    );
    let mut text = alt((simple, unicode));
    let mut byte = byte;
    let as_text: Lexed<'a, char> = text.parse(body);
    if let Ok((rest, c)) = as_text {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(rest);
    }
    let as_byte: Lexed<'a, u8> = byte.parse(body);
    if let Ok((rest, b)) = as_byte {
        out.push(b);
        return Ok(rest);
    }
    let (rest, message) = if body.is_empty() {
        ("", "this string is never closed")
    } else {
        (i, UNKNOWN_ESCAPE)
    };
    Err(nom::Err::Failure(Stop { rest, message }))
}

const UNKNOWN_ESCAPE: &str =
    "unknown escape; there are \\n \\t \\r \\0 \\e \\a \\\\ \\\" \\' \\$ \\xHH and \\u{…}";

/// `${name}` or `${name.field}`.
pub(super) fn braced_variable(i: &str) -> Lexed<'_, VarRef> {
    let found: Lexed<'_, VarRef> = delimited(tag("${"), variable, char('}')).parse(i);
    match found {
        Ok(found) => Ok(found),
        Err(_) if !i.contains('}') => stop("", "this `${` is never closed"),
        Err(_) => stop(i, "a variable is written ${name} or ${name.field}"),
    }
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

/// Pieces as a term: constant bytes where there is no variable.
fn template(mut pieces: Vec<Piece>) -> Term {
    match pieces.as_slice() {
        [] => Term::Bytes(Vec::new()),
        [Piece::Bytes(_)] => match pieces.pop() {
            Some(Piece::Bytes(bytes)) => Term::Bytes(bytes),
            _ => Term::Bytes(Vec::new()),
        },
        _ => Term::Template(pieces),
    }
}

/// The text of a `!command`: everything as it stands, but `${name.field}` put in.
/// `${name}` is left to the shell, which gets the variables in its environment.
pub(super) fn host_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("${").map(|at| from + at) {
        let found = braced_variable(&text[at..]);
        let Ok((rest, var @ VarRef { field: Some(_), .. })) = found else {
            pieces.push(Piece::Bytes(text.as_bytes()[from..at + 2].to_vec()));
            from = at + 2;
            continue;
        };
        pieces.push(Piece::Bytes(text.as_bytes()[from..at].to_vec()));
        pieces.push(Piece::Var(var));
        from = text.len() - rest.len();
    }
    pieces.push(Piece::Bytes(text.as_bytes()[from..].to_vec()));
    pieces
}

/// An unsigned number: `42`, `0x1f`, `0o17`. The digits may hold `_`.
pub(super) fn digits(i: &str) -> Lexed<'_, i128> {
    fn radix<'a>(i: &'a str, base: u32) -> Lexed<'a, i128> {
        map_opt(
            take_while1(move |c: char| c.is_digit(base) || c == '_'),
            move |s: &str| i128::from_str_radix(&s.replace('_', ""), base).ok(),
        )
        .parse(i)
    }
    if let Some(hex) = i.strip_prefix("0x") {
        return radix(hex, 16);
    }
    if let Some(octal) = i.strip_prefix("0o") {
        return radix(octal, 8);
    }
    radix(i, 10)
}
