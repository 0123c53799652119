//! The parser's place among the tokens: one token is read ahead, and none is read twice.

use super::diagnostic::{Mistake, Parsed};
use super::lexer::{Lexeme, Lexer, Token};
use super::program::Span;

/// A place among the tokens of a text.
pub(super) struct Cursor<'a> {
    lexer: Lexer<'a>,
    ahead: Option<Token<'a>>,
    /// The end of the last token taken.
    end: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor {
            lexer: Lexer::new(text),
            ahead: None,
            end: 0,
        }
    }

    pub fn text(&self) -> &'a str {
        self.lexer.text()
    }

    /// Where the last token that was taken ends.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Where the next token begins.
    pub fn start(&mut self) -> usize {
        match &self.ahead {
            Some(token) => token.span.start as usize,
            None => self.lexer.skip_blanks(),
        }
    }

    /// The next token, whatever it is; `None` at the end of the text.
    pub fn any(&mut self) -> Parsed<Option<&Token<'a>>> {
        if self.ahead.is_none() {
            self.ahead = self.lexer.next()?;
        }
        Ok(self.ahead.as_ref())
    }

    /// The next token of the statement; `None` where the statement ends.
    pub fn peek(&mut self) -> Parsed<Option<&Token<'a>>> {
        let token = self.any()?;
        Ok(token.filter(|t| !matches!(t.lexeme, Lexeme::End | Lexeme::Close)))
    }

    /// The next token of the statement, where it is a bare word.
    pub fn peek_bare(&mut self) -> Parsed<Option<&'a str>> {
        Ok(self.peek()?.and_then(Token::bare))
    }

    /// Takes the token that was seen.
    pub fn pass(&mut self) {
        self.shift();
    }

    /// Takes the next token of the statement, where there is one.
    pub fn next(&mut self) -> Parsed<Option<Token<'a>>> {
        Ok(match self.peek()? {
            Some(_) => self.shift(),
            None => None,
        })
    }

    /// Takes the next token of the statement; `what` is missing where there is none.
    pub fn take(&mut self, what: &str) -> Parsed<Token<'a>> {
        match self.next()? {
            Some(token) => Ok(token),
            None => Err(self.missing(what)),
        }
    }

    fn shift(&mut self) -> Option<Token<'a>> {
        let token = self.ahead.take();
        if let Some(token) = &token {
            self.end = token.span.end as usize;
        }
        token
    }

    /// The statement ends before `what`.
    pub fn missing(&self, what: &str) -> Mistake {
        Mistake::new(Span::new(self.end, self.end), format!("{what} is missing"))
            .label(format!("expected {what}"))
    }

    /// Whether the rest of the line belongs to the system's shell.
    pub fn at_host(&mut self) -> bool {
        let at = self.start();
        self.text().as_bytes().get(at) == Some(&b'!')
    }

    /// Takes the rest of the line as it stands, for `!command`.
    pub fn take_line(&mut self) -> Parsed<&'a str> {
        let at = self.start();
        self.ahead = None;
        self.lexer.rewind(at);
        let line = self.lexer.take_line()?;
        self.end = at + line.len();
        Ok(line)
    }
}
