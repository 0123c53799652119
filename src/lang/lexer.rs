//! Characters to tokens.
//!
//! Tokens are taken one at a time, as the parser asks for them: `!command` takes the rest
//! of its line as it stands, which only the parser knows. Words are cut by their bytes,
//! since all that ends one is ASCII; what stands inside quotes is read with nom.

mod word;

use super::diagnostic::{Mistake, Parsed};
use super::pattern::Pattern;
use super::program::{Span, Term};
use super::quoted::{single_quoted, string};
use super::stop::Stop;
use word::{PLAIN, word};

pub(super) use word::dollar;

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
    /// `!command`: the rest of the line, which belongs to the system's shell. Only [`tokens`] has it.
    Host(&'a str),
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
    let mut bytes = word.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether a word may name a variable: a name without `-`, which would be a sum.
pub fn is_variable(word: &str) -> bool {
    is_name(word) && !word.contains('-')
}

/// All tokens of a text, as far as they can be read: for highlighting and completion.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer::new(text);
    let mut all = Vec::new();
    let mut begin = 0;
    loop {
        let token = match lexer.at_host() && takes_line(&all[begin..]) {
            true => lexer.host(),
            false => match lexer.next() {
                Ok(Some(token)) => token,
                _ => return all,
            },
        };
        let ends = matches!(token.lexeme, Lexeme::End | Lexeme::Open | Lexeme::Close);
        all.push(token);
        if ends {
            begin = all.len();
        }
    }
}

/// Whether a `!` behind these words of a statement begins a command of the system.
fn takes_line(words: &[Token]) -> bool {
    // The longest: `b: defer let v =`.
    if words.len() > 5 {
        return false;
    }
    let Some(words) = words.iter().map(Token::bare).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let words = match words.as_slice() {
        [actor, rest @ ..] if actor.ends_with(':') => rest,
        words => words,
    };
    let words = words.strip_prefix(&["defer"]).unwrap_or(words);
    matches!(words, [] | ["require"] | ["let", _, "="])
}

/// A place in a text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Lexer<'a> {
        // Some editors begin a file with a byte order mark.
        let at = text.len() - text.trim_start_matches('\u{feff}').len();
        Lexer { text, at }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Goes back to a place where a token began.
    pub fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// Passes over blanks, comments and continued lines; says where the next token begins.
    pub fn skip_blanks(&mut self) -> usize {
        self.at = after_blanks(self.text.as_bytes(), self.at);
        self.at
    }

    /// Whether a `!` stands next.
    pub fn at_host(&mut self) -> bool {
        let at = self.skip_blanks();
        self.text.as_bytes().get(at) == Some(&b'!')
    }

    /// Takes the rest of the line as it stands, for `!command`: without blanks at its end, and with
    /// the next line where a `\` continues it.
    pub fn take_line(&mut self) -> Parsed<&'a str> {
        let rest = &self.text[self.at..];
        let mut width = 0;
        for line in rest.split_inclusive('\n') {
            width += line.len();
            if !line.ends_with('\n') && goes_on(line) {
                self.at = self.text.len();
                return Err(self.mistake(unfinished(&line[line.len() - 1..])));
            }
            if !goes_on(line.trim_end_matches(['\r', '\n'])) {
                width -= usize::from(line.ends_with('\n'));
                break;
            }
        }
        self.at += width;
        let mut line = rest[..width].trim_end();
        // Nothing but blanks has followed.
        while goes_on(line) && rest[line.len()..width].contains('\n') {
            line = line[..line.len() - 1].trim_end();
        }
        Ok(line)
    }

    /// The same as a token, as far as it goes.
    fn host(&mut self) -> Token<'a> {
        let start = self.skip_blanks();
        let line = self.take_line();
        let line = line.unwrap_or(&self.text[start..]);
        Token {
            span: Span::new(start, start + line.len()),
            lexeme: Lexeme::Host(line),
        }
    }

    /// The next token; `None` at the end of the text.
    pub fn next(&mut self) -> Parsed<Option<Token<'a>>> {
        let start = self.skip_blanks();
        let bytes = self.text.as_bytes();
        let Some(first) = bytes.get(start) else {
            return Ok(None);
        };
        if let Some(token) = self.plain(start) {
            return Ok(Some(token));
        }
        let rest = &self.text[start..];
        let found = match first {
            b'{' => Ok((&rest[1..], Lexeme::Open)),
            b'}' => Ok((&rest[1..], Lexeme::Close)),
            // It joins the stages of a pipeline, and is a word of its own.
            b'|' => Ok((&rest[1..], Lexeme::Bare(&rest[..1]))),
            b'"' => string(rest).map(|(r, term)| (r, Lexeme::Data(term))),
            b'\'' => single_quoted(rest),
            _ => word(rest),
        };
        match found {
            Ok((after, lexeme)) => {
                self.at = self.text.len() - after.len();
                let span = Span::new(start, self.at);
                Ok(Some(Token { span, lexeme }))
            }
            Err(nom::Err::Error(stop) | nom::Err::Failure(stop)) => Err(self.mistake(stop)),
            Err(nom::Err::Incomplete(_)) => Ok(None),
        }
    }

    /// The end of a statement, or a word with nothing special in it: nearly every token.
    fn plain(&mut self, start: usize) -> Option<Token<'a>> {
        let bytes = self.text.as_bytes();
        let is_plain = |b: &&u8| PLAIN[usize::from(**b)];
        let lexeme = match bytes[start] {
            b'\n' | b';' => {
                self.at = start + 1;
                Lexeme::End
            }
            b'=' | b'.' | b'&' | b'|' => return None,
            _ => {
                let width = bytes[start..].iter().take_while(is_plain).count();
                let end = start + width;
                let is_whole = matches!(
                    bytes.get(end),
                    None | Some(b' ' | b'\n' | b'\r' | b'\t' | b';')
                );
                if width == 0 || !is_whole {
                    return None;
                }
                self.at = end;
                Lexeme::Bare(self.text.get(start..end)?)
            }
        };
        let span = Span::new(start, self.at);
        Some(Token { span, lexeme })
    }

    fn mistake(&self, stop: Stop<'a>) -> Mistake {
        let at = self.text.len() - stop.rest.len();
        let width = match stop.width {
            0 => stop.rest.chars().next().map_or(0, char::len_utf8),
            width => width,
        };
        let mistake = Mistake::new(Span::new(at, at + width), stop.message).label(stop.label);
        if stop.open {
            mistake.incomplete()
        } else {
            mistake
        }
    }
}

/// Where the next token begins: behind blanks, `\` before a newline, and a comment.
fn after_blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        match text.get(at) {
            Some(b' ' | b'\t' | b'\r') => at += 1,
            Some(b'\\') => match continued(&text[at..]) {
                0 => return at,
                width => at += width,
            },
            Some(b'#') => {
                let rest = &text[at..];
                at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                return at;
            }
            _ => return at,
        }
    }
}

/// The width of a `\` with the newline behind it; 0 where there is none.
fn continued(text: &[u8]) -> usize {
    match text {
        [b'\\', b'\n', ..] => 2,
        [b'\\', b'\r', b'\n', ..] => 3,
        _ => 0,
    }
}

/// Whether a line ends with a `\` that is not one of two.
fn goes_on(line: &str) -> bool {
    let width = line.len() - line.trim_end_matches('\\').len();
    width % 2 == 1
}

/// At a `\` with nothing behind it.
fn unfinished(i: &str) -> Stop<'_> {
    Stop::new(i, "the text ends where this line continues")
        .width(1)
        .label("expected another line")
        .open()
}
