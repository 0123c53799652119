//! `!command`: the rest of the line belongs to the system's shell.

use super::super::claim;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Lexer, Token};
use super::super::program::{Claim, Host, Piece, Requirement, Span, StatementKind};
use super::super::quoted::host_pieces;
use super::{Parser, Prefix};

impl Parser<'_> {
    pub(super) fn host(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        self.no_actor(prefix, "!")?;
        let start = self.cursor.start();
        let line = self.cursor.take_line()?;
        let (command, claim) = self.split_claim(line, start)?;
        let (command, background) = match command.strip_suffix('&') {
            Some(rest) if rest.ends_with([' ', '\t']) => (rest.trim_end(), true),
            _ => (command, false),
        };
        let text = Span::new(prefix.start.start as usize, start + command.len());
        let command = self.host_command(command, start)?;
        if let (Some((_, span)), true) = (&claim, background) {
            return Err(
                Mistake::new(*span, "a command in the background has no outcome yet")
                    .label("leave out this, or the `&`"),
            );
        }
        if let (Some(name), true) = (&prefix.bind, background) {
            return Err(Mistake::new(
                prefix.start.to(text),
                format!("a command in the background has no output yet for `{name}`"),
            )
            .label("leave out the `let`, or the `&`"));
        }
        let (claim, claim_text) = claim.unzip();
        if let (Some(claim), Some(at)) = (&claim, claim_text) {
            let seek = self.seek(at);
            self.known.claim(claim, &seek)?;
        }
        let bind = prefix.bind.take();
        if let Some(name) = &bind {
            self.bind(name);
        }
        Ok(StatementKind::Host(Box::new(Host {
            command,
            bind,
            background,
            claim,
            text,
            claim_text,
        })))
    }

    /// `!command`, the requirement: it holds where the command exits with 0.
    pub(super) fn host_requirement(&mut self) -> Parsed<Requirement> {
        let start = self.cursor.start();
        let line = self.cursor.take_line()?;
        self.host_command(line, start).map(Requirement::Host)
    }

    /// What stands behind the `!`.
    fn host_command(&self, written: &str, start: usize) -> Parsed<Vec<Piece>> {
        let body = written[1..].trim();
        if body.is_empty() {
            return Err(Mistake::new(
                Span::new(start, start + 1),
                "the command is missing behind `!`",
            )
            .label("expected a command of the system, such as !ipcs -q"));
        }
        let end = start + written.len();
        let closes = body.bytes().filter(|b| *b == b'}').count();
        let opens = body.bytes().filter(|b| *b == b'{').count();
        if !self.opened.is_empty() && body.ends_with('}') && closes > opens {
            return Err(Mistake::new(
                Span::new(end - 1, end),
                "this `}` belongs to the command, since `!` takes the rest of its line",
            )
            .label("write `}` on a line of its own"));
        }
        // The shell knows no carriage return before a newline.
        let body = body.replace("\\\r\n", "\\\n");
        let pieces = host_pieces(&body);
        let seek = self.seek(Span::new(start, end));
        self.known.host(&pieces, &seek)?;
        Ok(pieces)
    }

    /// Splits off a last `=> ok` or `=> exit=N`. An arrow that is followed by what cannot
    /// be an outcome belongs to the command.
    fn split_claim<'t>(
        &self,
        line: &'t str,
        start: usize,
    ) -> Parsed<(&'t str, Option<(Claim, Span)>)> {
        let blank = |b: Option<&u8>| b.is_none_or(|b| matches!(b, b' ' | b'\t'));
        let bytes = line.as_bytes();
        let Some(at) = line.rfind("=>") else {
            return Ok((line, None));
        };
        if !blank(bytes.get(at - 1)) || !blank(bytes.get(at + 2)) {
            return Ok((line, None));
        }
        let from = at + 2 + (line[at + 2..].len() - line[at + 2..].trim_start().len());
        let Some(tokens) = whole(&line[from..], start + from) else {
            return Ok((line, None));
        };
        let span = Span::new(start + from, start + line.len());
        let arrow = Span::new(start + at, start + at + 2);
        let ours = |token: &Token| match &token.lexeme {
            Lexeme::Bare(word) => {
                let name = word.split('=').next().unwrap_or(word);
                *word == "ok" || (word.contains('=') && matches!(name, "exit" | "signal"))
            }
            _ => false,
        };
        let like_ours = |token: &Token| match &token.lexeme {
            Lexeme::Bare(word) => {
                let upper = word.bytes().all(|b| b.is_ascii_uppercase());
                matches!(*word, "eof" | "error" | "died" | "fail")
                    || (upper && word.starts_with('E'))
            }
            _ => false,
        };
        if tokens.first().is_some_and(ours) {
            let claim = claim::parse(&tokens, arrow, self.catalog)?;
            return Ok((line[..at].trim_end(), Some((claim, span))));
        }
        if tokens.is_empty() || (tokens.len() == 1 && like_ours(&tokens[0])) {
            return Err(Mistake::new(
                match tokens.first() {
                    Some(_) => span,
                    None => arrow,
                },
                "a command of the system cannot end so",
            )
            .label("expected `=> ok`, `=> exit=N` or `=> signal=NAME`"));
        }
        Ok((line, None))
    }
}

/// All tokens of a text, moved to where it stands; `None` where it is not made of tokens.
fn whole(text: &str, start: usize) -> Option<Vec<Token<'_>>> {
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    loop {
        match lexer.next() {
            Ok(Some(Token { span, lexeme })) => {
                let span = Span::new(start + span.start as usize, start + span.end as usize);
                tokens.push(Token { span, lexeme });
            }
            Ok(None) => return Some(tokens),
            Err(_) => return None,
        }
    }
}
