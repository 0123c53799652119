//! The words of a step with what stands behind them: `words [... | &] [=> outcome]`.

use super::super::claim;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Token};
use super::super::program::{Claim, Marker, Span};
use super::Parser;

/// How the words of a command end.
pub(super) struct Words<'a> {
    pub tokens: Vec<Token<'a>>,
    pub marker: Marker,
    /// Where the marker stands.
    pub marker_span: Span,
    pub claim: Option<Claim>,
    pub claim_text: Option<Span>,
    /// The end of the words, without marker and claim.
    pub end: usize,
}

impl<'a> Parser<'a> {
    /// Reads them. The tokens lie in the parser's buffer: hand them back with `reuse`.
    pub(super) fn words(&mut self) -> Parsed<Words<'a>> {
        let mut words = Words {
            tokens: std::mem::take(&mut self.buffer),
            marker: Marker::None,
            marker_span: Span::default(),
            claim: None,
            claim_text: None,
            end: self.cursor.end(),
        };
        while let Some(token) = self.cursor.next()? {
            match token.lexeme {
                Lexeme::Ellipsis | Lexeme::Ampersand if words.marker == Marker::None => {
                    words.marker_span = token.span;
                    words.marker = match token.lexeme {
                        Lexeme::Ellipsis => Marker::Blocks,
                        _ => Marker::Background,
                    };
                }
                Lexeme::Arrow => {
                    let (claim, span) = self.claim(token.span)?;
                    words.claim = Some(claim);
                    words.claim_text = Some(span);
                    break;
                }
                _ if words.marker != Marker::None => {
                    let sign = words.marker_span.of(self.cursor.text());
                    return Err(Mistake::new(
                        token.span,
                        format!("nothing but an outcome can follow `{sign}`"),
                    )
                    .label("expected `=>` or the end of the step"));
                }
                Lexeme::Open => {
                    return Err(Mistake::new(token.span, "no block can stand here")
                        .label("a block follows `repeat N`")
                        .help("data that holds a brace is written in quotes"));
                }
                Lexeme::Bare(word) => {
                    apart(word, token.span)?;
                    words.end = self.cursor.end();
                    words.tokens.push(token);
                }
                _ => {
                    words.end = self.cursor.end();
                    words.tokens.push(token);
                }
            }
        }
        Ok(words)
    }

    /// Takes the tokens back, so that the next command needs no room of its own.
    pub(super) fn reuse(&mut self, mut tokens: Vec<Token<'a>>) {
        tokens.clear();
        self.buffer = tokens;
    }

    /// What stands after `=>`, up to the end of the statement.
    pub(super) fn claim(&mut self, arrow: Span) -> Parsed<(Claim, Span)> {
        let start = self.cursor.start();
        let mut tokens = Vec::new();
        while let Some(token) = self.cursor.next()? {
            tokens.push(token);
        }
        let claim = claim::parse(&tokens, arrow, self.catalog)?;
        Ok((claim, Span::new(start, self.cursor.end())))
    }
}

/// The signs of a step are words of their own: `lock...`, `lock&` and `lock=>ok` are slips.
fn apart(word: &str, span: Span) -> Parsed<()> {
    let slip = |from: usize, sign: &str| {
        let from = span.start as usize + from;
        let mistake = Mistake::new(
            Span::new(from, from + sign.len()),
            format!("`{sign}` is a word of its own"),
        );
        Err(mistake.label("write blanks around it"))
    };
    if word == "&&" {
        let mistake = Mistake::new(span, "`&&` is the system's shell's, and means nothing here");
        return Err(mistake.label("expected the end of the step").help(
            "steps stand behind `;` or on lines of their own: the first that fails ends all",
        ));
    }
    let last = word.as_bytes().last();
    if last == Some(&b'.') && word.ends_with("...") {
        return slip(word.len() - 3, "...");
    }
    if last == Some(&b'&') {
        return slip(word.len() - 1, "&");
    }
    let arrow = word.as_bytes().windows(2).position(|w| w == b"=>");
    if let Some(at) = arrow.filter(|_| !word.starts_with("$((")) {
        return slip(at, "=>");
    }
    Ok(())
}
