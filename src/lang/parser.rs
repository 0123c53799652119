//! Tokens to statements.
//!
//! One pass: each statement is read, bound to its command and checked against what the
//! text before it makes known, so the first mistake in the text is the one reported.

mod conditions;
mod host;

use std::sync::Arc;

use super::bind;
use super::catalog::Catalog;
use super::check::{Known, ME, Seek};
use super::claim;
use super::diagnostic::{Diagnostic, Mistake, Parsed};
use super::lexer::{Lexeme, Lexer, Token, is_name};
use super::number;
use super::program::{
    Action, Claim, Expect, Expected, Marker, Program, Require, Resume, Source, Span, Statement,
    StatementKind, Step, Work,
};
use super::signature::{Kind, Runs};
use super::term;

/// Reads the text of a file that `source` names, as seen from the text that names it.
pub type Loader<'a> = &'a dyn Fn(&str, &Source) -> Result<Source, String>;

/// Blocks nested deeper than this are refused: the parser and the engine recurse.
const MAX_DEPTH: usize = 64;

/// Reads and checks a whole program.
///
/// # Errors
/// The first mistake, with its place.
pub fn parse(
    source: Arc<Source>,
    catalog: &Catalog,
    known: &mut Known,
    loader: Loader,
) -> Result<Program, Box<Diagnostic>> {
    program(source, catalog, known, loader, 0)
}

fn program(
    source: Arc<Source>,
    catalog: &Catalog,
    known: &mut Known,
    loader: Loader,
    depth: usize,
) -> Result<Program, Box<Diagnostic>> {
    let mut parser = Parser {
        lexer: Lexer::new(&source.text),
        source: &source,
        catalog,
        known,
        loader,
        depth,
        included: None,
    };
    let parsed = parser.statements(false);
    if let Some(diagnostic) = parser.included {
        return Err(diagnostic);
    }
    match parsed {
        Ok(statements) => Ok(Program {
            source: Arc::clone(&source),
            statements,
        }),
        Err(mistake) => Err(Box::new(mistake.in_source(&source))),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    source: &'a Arc<Source>,
    catalog: &'a Catalog,
    known: &'a mut Known,
    loader: Loader<'a>,
    depth: usize,
    /// A mistake in a sourced file: it is shown in that file's text.
    included: Option<Box<Diagnostic>>,
}

/// How the words of a command end.
struct Words<'a> {
    tokens: Vec<Token<'a>>,
    marker: Marker,
    claim: Option<(Claim, Span)>,
    /// The end of the words, without marker and claim.
    end: u32,
}

/// What stands before a command.
#[derive(Default)]
struct Prefix {
    actor: Option<String>,
    deadline: Option<std::time::Duration>,
    bind: Option<String>,
    /// Where the statement begins.
    start: Span,
}

impl<'a> Parser<'a> {
    /// Statements up to the end of the text, or up to the `}` of their block.
    fn statements(&mut self, in_block: bool) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            let mut ahead = self.lexer.clone();
            match ahead.next()? {
                None if in_block => {
                    let end = self.lexer.text().len();
                    return Err(
                        Mistake::new(Span::new(end, end), "the block is never closed")
                            .label("expected `}`")
                            .incomplete(),
                    );
                }
                None => return Ok(statements),
                Some(token) if token.lexeme == Lexeme::End => self.lexer = ahead,
                Some(token) if token.lexeme == Lexeme::Close => {
                    if !in_block {
                        return Err(Mistake::new(token.span, "this `}` closes no block"));
                    }
                    self.lexer = ahead;
                    return Ok(statements);
                }
                Some(_) => statements.push(self.statement()?),
            }
        }
    }

    /// The next token without taking it; `None` where the statement ends.
    fn peek(&self) -> Parsed<Option<Token<'a>>> {
        let token = self.lexer.clone().next()?;
        Ok(token.filter(|t| !matches!(t.lexeme, Lexeme::End | Lexeme::Close)))
    }

    fn take(&mut self, what: &str) -> Parsed<Token<'a>> {
        match self.peek()? {
            Some(_) => match self.lexer.next()? {
                Some(token) => Ok(token),
                None => Err(self.ends_early(what)),
            },
            None => Err(self.ends_early(what)),
        }
    }

    fn ends_early(&mut self, what: &str) -> Mistake {
        let at = self.lexer.skip_blanks();
        Mistake::new(Span::new(at, at + 1), format!("{what} is missing"))
            .label(format!("expected {what}"))
    }

    fn at_host(&mut self) -> bool {
        let at = self.lexer.skip_blanks();
        self.lexer.text()[at..].starts_with('!')
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.lexer.skip_blanks();
        let mut prefix = Prefix {
            start: Span::new(start, start),
            ..Prefix::default()
        };
        if let Some(first) = self.peek()?
            && let Some(word) = first.bare()
            && let Some(name) = word.strip_suffix(':')
        {
            self.lexer.next()?;
            self.actor_prefix(name, first.span, &mut prefix)?;
        }
        let kind = self.after_actor(&mut prefix)?;
        let end = match self.peek()? {
            None => self.lexer_end(start),
            Some(token) => {
                return Err(Mistake::new(token.span, "nothing can follow here")
                    .label("expected the end of the statement: a newline or `;`"));
            }
        };
        Ok(Statement {
            span: Span::new(start, end),
            kind,
        })
    }

    /// The end of what has been read, without the blanks behind it.
    fn lexer_end(&mut self, start: usize) -> usize {
        let at = self.lexer.skip_blanks();
        let text = &self.lexer.text()[start..at];
        let mut end = start + text.len();
        // A comment behind the statement is not part of it.
        if let Some(last) = self.last_token_end(start, at) {
            end = last;
        }
        end
    }

    fn last_token_end(&self, start: usize, at: usize) -> Option<usize> {
        let text = self.lexer.text()[start..at].trim_end();
        (!text.contains('#')).then(|| start + text.len())
    }

    fn actor_prefix(&mut self, word: &str, span: Span, prefix: &mut Prefix) -> Parsed<()> {
        let (name, deadline) = match word.split_once('@') {
            Some((name, deadline)) => match number::duration(deadline) {
                Some(d) => (name, Some(d)),
                None => {
                    let at = span.start as usize + name.len() + 1;
                    return Err(Mistake::new(
                        Span::new(at, at + deadline.len().max(1)),
                        "no duration",
                    )
                    .label("a deadline such as 500ms or 2s stands after `@`"));
                }
            },
            None => (word, None),
        };
        let name_span = Span::new(span.start as usize, span.start as usize + name.len());
        if !is_name(name) {
            return Err(
                Mistake::new(name_span, format!("`{name}` cannot name an actor"))
                    .label("a name starts with a letter or `_`"),
            );
        }
        self.known.actor(name, name_span)?;
        prefix.actor = Some(name.to_string());
        prefix.deadline = deadline;
        Ok(())
    }

    fn after_actor(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        if self.at_host() {
            return self.host(prefix);
        }
        let Some(first) = self.peek()? else {
            return Err(self.ends_early("a step"));
        };
        if first.lexeme == Lexeme::Ellipsis {
            return self.resume(prefix);
        }
        match first.bare() {
            Some("let") => self.binding(prefix),
            Some("repeat") => self.repeat(prefix),
            Some("expect") => self.expect(prefix, first.span),
            Some("require") => self.require(prefix, first.span),
            Some("defer") => self.defer(prefix, first.span),
            Some("timeout") => self.timeout(prefix, first.span),
            Some("source") => self.source(prefix, first.span),
            _ => self.step(prefix),
        }
    }

    fn no_actor(&self, prefix: &Prefix, word: &str) -> Parsed<()> {
        match prefix.actor {
            None => Ok(()),
            Some(_) => Err(Mistake::new(
                prefix
                    .start
                    .to(Span::new(0, prefix.start.start as usize + 1)),
                format!("`{word}` runs in the shell, not in an actor"),
            )
            .label("leave the actor away")),
        }
    }

    /// `let NAME = …`.
    fn binding(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        self.lexer.next()?;
        let name = self.take("a variable's name")?;
        let word = match name.bare() {
            Some(word) if is_name(word) && !word.contains('-') => word,
            Some(word) if word.contains('=') => {
                return Err(Mistake::new(name.span, "`=` stands alone")
                    .label("write it with spaces: let v = 5"));
            }
            _ => {
                return Err(Mistake::new(name.span, "this cannot name a variable")
                    .label("expected a name of letters, digits and `_`"));
            }
        };
        let sign = self.take("`=`")?;
        if sign.bare() != Some("=") {
            return Err(Mistake::new(sign.span, "`=` is missing").label("expected `=`"));
        }
        prefix.bind = Some(word.to_string());
        if self.at_host() {
            return self.host(prefix);
        }
        let Some(first) = self.peek()? else {
            return Err(self.ends_early("a command or a value"));
        };
        let value = match first.bare() {
            Some(word) => {
                term::data(&first).or_else(|| term::integer(word, first.span.start as usize))
            }
            None => term::data(&first),
        };
        let Some(value) = value else {
            return match first.bare() {
                Some("repeat" | "let" | "expect" | "require" | "defer" | "timeout" | "source") => {
                    Err(Mistake::new(first.span, "this yields no value")
                        .label("expected a command or a value"))
                }
                _ => self.step(prefix),
            };
        };
        self.lexer.next()?;
        let value = value?;
        self.no_actor(prefix, "let")?;
        let seek = Seek {
            text: self.lexer.text(),
            span: first.span,
        };
        self.known.term(&value, &seek)?;
        self.known.bind(word);
        Ok(StatementKind::Let {
            name: word.to_string(),
            value,
        })
    }

    /// The words of a command with what stands behind them.
    fn words(&mut self) -> Parsed<Words<'a>> {
        let mut tokens: Vec<Token> = Vec::with_capacity(6);
        let mut marker = Marker::None;
        let mut end = self.lexer.skip_blanks() as u32;
        while let Some(token) = self.peek()? {
            self.lexer.next()?;
            match token.lexeme {
                Lexeme::Ellipsis | Lexeme::Ampersand if marker == Marker::None => {
                    marker = match token.lexeme {
                        Lexeme::Ellipsis => Marker::Blocks,
                        _ => Marker::Background,
                    };
                }
                Lexeme::Arrow => {
                    let claim = self.claim(token.span)?;
                    return Ok(Words {
                        tokens,
                        marker,
                        claim: Some(claim),
                        end,
                    });
                }
                _ if marker != Marker::None => {
                    return Err(Mistake::new(token.span, "nothing can follow `...` or `&`")
                        .label("expected the end of the step, or `=>`"));
                }
                Lexeme::Open => {
                    return Err(Mistake::new(token.span, "no block can stand here")
                        .label("a block follows `repeat N`"));
                }
                _ => {
                    if let Some(word) = token.bare()
                        && word.len() > 3
                        && word.ends_with("...")
                    {
                        return Err(Mistake::new(token.span, "`...` stands alone")
                            .label("write a space before `...`"));
                    }
                    end = token.span.end;
                    tokens.push(token);
                }
            }
        }
        Ok(Words {
            tokens,
            marker,
            claim: None,
            end,
        })
    }

    fn claim(&mut self, arrow: Span) -> Parsed<(Claim, Span)> {
        let mut tokens = Vec::new();
        while let Some(token) = self.peek()? {
            self.lexer.next()?;
            tokens.push(token);
        }
        let claim = claim::parse(&tokens, arrow, self.catalog)?;
        let span = tokens[0].span.to(tokens[tokens.len() - 1].span);
        Ok((claim, span))
    }

    /// A command of the table.
    fn step(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        let words = self.words()?;
        let text = prefix.start.to(Span {
            start: 0,
            end: words.end,
        });
        let call = bind::call(&words.tokens, self.catalog, self.lexer.text())?;
        let signature = self.catalog.signature(call.command);
        let first = words.tokens[0].span;
        let in_shell = signature.runs == Runs::Shell;
        if in_shell {
            if prefix.actor.is_some() {
                self.no_actor(prefix, signature.name)?;
            }
            if words.marker != Marker::None {
                return Err(Mistake::new(
                    first,
                    format!("`{}` runs in the shell and never blocks", signature.name),
                )
                .label("leave `...` or `&` away"));
            }
            if let Some(Kind::Actor { .. }) = signature.params.first().map(|p| p.kind) {
                let span = words.tokens.last().map_or(first, |t| t.span);
                self.known.steer(signature.name, &call.args, span)?;
            }
        } else {
            let actor = prefix.actor.as_deref().unwrap_or(ME);
            let at = match prefix.actor {
                Some(_) => Span::new(
                    prefix.start.start as usize,
                    prefix.start.start as usize + actor.len(),
                ),
                None => first,
            };
            self.known.step(actor, words.marker, at)?;
        }
        let (claim, claim_text) = words.claim.unzip();
        let work = Work {
            action: Action::Call(call),
            bind: prefix.bind.take(),
            claim,
            span: prefix.start.to(claim_text.unwrap_or(text)),
        };
        self.known.work(&work, self.lexer.text())?;
        Ok(StatementKind::Step(Step {
            actor: prefix.actor.take(),
            deadline: prefix.deadline,
            marker: words.marker,
            work,
            in_shell,
            text,
            claim_text,
        }))
    }

    /// `b: ... [=> outcome]`.
    fn resume(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        let dots = self.take("`...`")?;
        let actor = prefix.actor.take().unwrap_or_else(|| ME.to_string());
        let text = prefix.start.to(dots.span);
        self.known.resume(&actor, text)?;
        let claim = match self.peek()? {
            Some(token) if token.lexeme == Lexeme::Arrow => {
                self.lexer.next()?;
                Some(self.claim(token.span)?)
            }
            _ => None,
        };
        let (claim, claim_text) = claim.unzip();
        if let Some(claim) = &claim {
            let seek = Seek {
                text: self.lexer.text(),
                span: claim_text.unwrap_or(text),
            };
            self.known.claim(claim, &seek)?;
        }
        Ok(StatementKind::Resume(Resume {
            actor,
            deadline: prefix.deadline,
            claim,
            text,
            claim_text,
        }))
    }

    /// `repeat N { … }`.
    fn repeat(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        let keyword = self.take("`repeat`")?;
        let token = self.take("how often")?;
        let at = token.span.start as usize;
        let count = match token.bare().and_then(|w| term::integer(w, at)) {
            Some(count) => count?,
            None => {
                return Err(Mistake::new(token.span, "this is no number")
                    .label("expected how often: repeat 10 { … }"));
            }
        };
        let seek = Seek {
            text: self.lexer.text(),
            span: token.span,
        };
        self.known.term(&count, &seek)?;
        let open = self.take("`{`")?;
        if open.lexeme != Lexeme::Open {
            return Err(Mistake::new(open.span, "a block stands here").label("expected `{`"));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Mistake::new(
                open.span,
                format!("blocks are nested more than {MAX_DEPTH} deep"),
            ));
        }
        let body = self.statements(true)?;
        self.depth -= 1;
        let end = self.lexer.skip_blanks();
        let text = Span::new(prefix.start.start as usize, end);
        let text = Span::new(
            text.start as usize,
            text.start as usize + text.of(self.lexer.text()).trim_end().len(),
        );
        match inside_actor(&body) {
            Ok(body) => {
                let actor = prefix.actor.as_deref().unwrap_or(ME);
                self.known.step(actor, Marker::None, keyword.span)?;
                let tail = self.words()?;
                if let Some(extra) = tail.tokens.first() {
                    return Err(Mistake::new(extra.span, "nothing can follow the block")
                        .label("expected `...`, `&`, `=>` or the end of the statement"));
                }
                self.known.step(actor, tail.marker, keyword.span)?;
                let (claim, claim_text) = tail.claim.unzip();
                Ok(StatementKind::Step(Step {
                    actor: prefix.actor.take(),
                    deadline: prefix.deadline,
                    marker: tail.marker,
                    work: Work {
                        action: Action::Repeat { count, body },
                        bind: None,
                        claim,
                        span: text,
                    },
                    in_shell: false,
                    text,
                    claim_text,
                }))
            }
            Err(statement) if prefix.actor.is_some() => Err(Mistake::new(
                statement,
                "a loop of one actor runs whole inside it",
            )
            .label("this runs elsewhere")
            .help("leave away the actor before `repeat`")),
            Err(_) => Ok(StatementKind::Repeat { count, body }),
        }
    }

    fn expect(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "expect")?;
        self.lexer.next()?;
        let (condition, within) = self.condition(keyword, true)?;
        Ok(StatementKind::Expect(Expect { condition, within }))
    }

    fn require(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "require")?;
        self.lexer.next()?;
        let start = self.lexer.skip_blanks();
        let what = self.requirement(keyword)?;
        let end = self.lexer_end(start);
        Ok(StatementKind::Require(Require {
            what,
            text: Span::new(start, end),
        }))
    }

    fn defer(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "defer")?;
        self.lexer.next()?;
        let known = self.known.clone();
        // What is deferred runs when every pending step has ended.
        self.known.pending.clear();
        let statement = self.statement()?;
        *self.known = known;
        match statement.kind {
            StatementKind::Defer(_) | StatementKind::Require(_) | StatementKind::Source(_) => {
                Err(Mistake::new(keyword, "this cannot be deferred"))
            }
            _ => Ok(StatementKind::Defer(Box::new(statement))),
        }
    }

    fn timeout(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "timeout")?;
        self.lexer.next()?;
        let what = self.take("`step`")?;
        if what.bare() != Some("step") {
            return Err(
                Mistake::new(what.span, "`timeout` sets the deadline of steps")
                    .label("expected `step`: timeout step 5s"),
            );
        }
        let value = self.take("a duration")?;
        match value.bare().and_then(number::duration) {
            Some(duration) => Ok(StatementKind::TimeoutStep(duration)),
            None => Err(Mistake::new(value.span, "this is no duration")
                .label("expected a duration such as 500ms or 5s")
                .help(format!("usage: {} step 5s", keyword.of(self.lexer.text())))),
        }
    }

    fn source(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "source")?;
        self.lexer.next()?;
        let token = self.take("a file's path")?;
        let path = match &token.lexeme {
            Lexeme::Bare(word) => word.to_string(),
            Lexeme::Data(super::program::Term::Bytes(bytes)) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            _ => {
                return Err(Mistake::new(
                    token.span,
                    "the file must be known before the program runs",
                )
                .label("expected a plain path"));
            }
        };
        if self.depth >= MAX_DEPTH {
            return Err(Mistake::new(keyword, "files source each other too deeply")
                .help("does a file source itself?"));
        }
        let source = (self.loader)(&path, self.source)
            .map_err(|e| Mistake::new(token.span, format!("cannot read `{path}`: {e}")))?;
        let included = program(
            Arc::new(source),
            self.catalog,
            self.known,
            self.loader,
            self.depth + 4,
        );
        match included {
            Ok(program) => Ok(StatementKind::Source(program)),
            Err(diagnostic) => {
                self.included = Some(diagnostic);
                Err(Mistake::new(token.span, "a mistake in this file"))
            }
        }
    }
}

/// The body of a loop as work for one actor; the error is the first statement that is
/// run elsewhere.
fn inside_actor(body: &[Statement]) -> Result<Vec<Work>, Span> {
    body.iter()
        .map(|statement| match &statement.kind {
            StatementKind::Step(step)
                if !step.in_shell && step.actor.is_none() && step.marker == Marker::None =>
            {
                Ok(step.work.clone())
            }
            StatementKind::Let { name, value } => Ok(Work {
                action: Action::Value(value.clone()),
                bind: Some(name.clone()),
                claim: None,
                span: statement.span,
            }),
            _ => Err(statement.span),
        })
        .collect()
}

/// Reads one value of an expectation.
fn expected(token: &Token) -> Parsed<Expected> {
    claim::expected(token)
}
