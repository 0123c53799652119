//! `!command`: the rest of the line belongs to the system's shell.

use super::super::claim;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexer, host_pieces};
use super::super::program::{Claim, Host, Piece, Span, StatementKind};
use super::{Parser, Prefix, Seek};

impl Parser<'_> {
    pub(super) fn host(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        self.no_actor(prefix, "!")?;
        let start = self.lexer.skip_blanks();
        let line = self.lexer.take_line();
        let (command, claim) = self.split_claim(line);
        let (command, background) = match command.trim_end().strip_suffix('&') {
            Some(rest) if rest.ends_with([' ', '\t']) => (rest, true),
            _ => (command, false),
        };
        let body = command[1..].trim();
        if body.is_empty() {
            return Err(
                Mistake::new(Span::new(start, start + 1), "a command stands after `!`")
                    .label("such as !ipcs -q"),
            );
        }
        let text = Span::new(
            prefix.start.start as usize,
            start + command.trim_end().len(),
        );
        let pieces = host_pieces(body);
        let seek = Seek {
            text: self.lexer.text(),
            span: text,
        };
        self.known.pieces(&pieces, &seek)?;
        let bind = prefix.bind.take();
        if let Some(name) = &bind {
            self.known.bind(name);
        }
        let claim_text = claim.as_ref().map(|(_, written)| {
            let end = start + line.trim_end().len();
            Span::new(end - written.len(), end)
        });
        Ok(StatementKind::Host(Host {
            command: pieces,
            bind,
            background,
            claim: claim.map(|(claim, _)| claim),
            text,
            claim_text,
        }))
    }

    /// `!`, the requirement: it holds where the command exits with 0.
    pub(super) fn host_requirement(&mut self) -> Vec<Piece> {
        let line = self.lexer.take_line();
        host_pieces(line[1..].trim())
    }

    /// Splits off a last `=> ok` or `=> exit=N`. An arrow that is followed by anything
    /// else belongs to the command.
    fn split_claim<'t>(&self, line: &'t str) -> (&'t str, Option<(Claim, &'t str)>) {
        let whole = (line, None);
        let Some(at) = line.rfind(" => ") else {
            return whole;
        };
        let written = line[at + 4..].trim();
        let mut lexer = Lexer::new(written);
        let mut tokens = Vec::new();
        while let Ok(Some(token)) = lexer.next() {
            tokens.push(token);
        }
        let is_ours = |claim: &Claim| match claim {
            Claim::Ok => true,
            Claim::Yields { fields, .. } => {
                !fields.is_empty() && fields.iter().all(|(f, _)| f == "exit" || f == "signal")
            }
            _ => false,
        };
        match claim::parse(&tokens, Span::default(), self.catalog) {
            Ok(claim) if is_ours(&claim) => (&line[..at], Some((claim, written))),
            _ => whole,
        }
    }
}
