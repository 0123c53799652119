//! Tokens to statements.
//!
//! One pass: each statement is read, bound to its command and checked against what the
//! text before it makes known, so the first mistake in the text is the one reported.

mod conditions;
mod control;
mod host;
mod steps;
mod subject;
mod words;

use std::path::Path;
use std::sync::Arc;

use super::catalog::Catalog;
use super::check::{Known, ME, Seek};
use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, Mistake, Parsed, is_not};
use super::lexer::{Lexeme, Token, is_name};
use super::number;
use super::program::{Program, Source, Span, Statement, StatementKind};

pub(super) use conditions::COMPARISONS;

/// The words that mean something inside a statement.
pub(super) const WORDS: [&str; 10] = [
    "within", "deadlock", "actor", "limits", "value", "root", "program", "step", "exit", "signal",
];

/// Reads the text of a file that `source` names, as seen from the text that names it.
pub type Loader<'a> = &'a dyn Fn(&Path, &Source) -> Result<Source, String>;

/// Blocks nested deeper than this are refused: the parser and the engine recurse.
const MAX_DEPTH: usize = 64;

/// How many levels of blocks a sourced file counts for.
const FILE_DEPTH: usize = 4;

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
        cursor: Cursor::new(&source.text),
        source: &source,
        catalog,
        known,
        loader,
        depth,
        opened: Vec::new(),
        loop_actor: None,
        fresh: Vec::new(),
        buffer: Vec::new(),
        included: None,
    };
    let parsed = parser.statements(source.lines().min(1 << 18));
    if let Some(diagnostic) = parser.included {
        return Err(diagnostic);
    }
    match parsed {
        Ok(statements) => Ok(Program {
            source: Arc::clone(&source),
            statements,
            uses_work: known.uses_work.get(),
        }),
        Err(mistake) => Err(Box::new(mistake.in_source(&source))),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    source: &'a Arc<Source>,
    catalog: &'a Catalog,
    known: &'a mut Known,
    loader: Loader<'a>,
    depth: usize,
    /// The `{` of the blocks of this text that are open.
    opened: Vec<Span>,
    /// Inside `b: repeat N { … }`: whose steps the ones without an actor are.
    loop_actor: Option<String>,
    /// The variables that were first bound here, in order.
    fresh: Vec<String>,
    /// Room for the words of a command, used again and again.
    buffer: Vec<Token<'a>>,
    /// A mistake in a sourced file: it is shown in that file's text.
    included: Option<Box<Diagnostic>>,
}

/// What stands before a command.
#[derive(Default)]
struct Prefix {
    actor: Option<String>,
    /// Where the actor's name stands.
    actor_span: Span,
    deadline: Option<std::time::Duration>,
    bind: Option<String>,
    /// Where the statement begins.
    start: Span,
}

impl<'a> Parser<'a> {
    /// Statements up to the end of the text, or up to the `}` of their block.
    fn statements(&mut self, room: usize) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::with_capacity(room);
        loop {
            // What follows `!` need not be made of tokens.
            if self.cursor.at_host() {
                statements.push(self.statement()?);
                continue;
            }
            match self.cursor.any()?.map(|t| (&t.lexeme, t.span)) {
                None => match self.opened.last() {
                    None => return Ok(statements),
                    Some(open) => {
                        return Err(Mistake::new(*open, "this block is never closed")
                            .label("opened here; expected `}`")
                            .incomplete());
                    }
                },
                Some((Lexeme::End, _)) => self.cursor.pass(),
                Some((Lexeme::Close, span)) => {
                    if self.opened.is_empty() {
                        return Err(Mistake::new(span, "this `}` closes no block")
                            .label("no `{` is open here"));
                    }
                    self.cursor.pass();
                    return Ok(statements);
                }
                Some(_) => statements.push(self.statement()?),
            }
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.cursor.start();
        let mut prefix = Prefix {
            start: Span::new(start, start),
            ..Prefix::default()
        };
        if !self.cursor.at_host()
            && let Some(word) = self.cursor.peek_bare()?
            && let Some(name) = word.strip_suffix(':')
        {
            self.cursor.pass();
            self.actor_prefix(name, start, &mut prefix)?;
        }
        let kind = self.after_actor(&mut prefix)?;
        if let Some(token) = self.cursor.peek()? {
            return Err(
                Mistake::new(token.span, "the statement ends before this").label(
                    match token.lexeme {
                        Lexeme::Arrow => "no outcome can be claimed of this statement",
                        _ => "expected a newline or `;`",
                    },
                ),
            );
        }
        Ok(Statement {
            span: Span::new(start, self.cursor.end()),
            kind,
        })
    }

    fn actor_prefix(&mut self, word: &str, start: usize, prefix: &mut Prefix) -> Parsed<()> {
        let (name, deadline) = match word.split_once('@') {
            Some((name, deadline)) => match number::duration(deadline) {
                Some(d) => (name, Some(d)),
                None => {
                    let at = start + name.len() + 1;
                    return Err(Mistake::new(
                        Span::new(at, at + deadline.len()),
                        is_not(deadline, "a duration"),
                    )
                    .label("expected a deadline such as b@500ms: or b@2s:"));
                }
            },
            None => (word, None),
        };
        let span = Span::new(start, start + name.len());
        if !is_name(name) {
            let message = match name {
                "" => "the name of the actor is missing".to_string(),
                name => format!("`{name}` cannot name an actor"),
            };
            return Err(
                Mistake::new(Span::new(start, start + name.len().max(1)), message)
                    .label("expected a name that starts with a letter or `_`"),
            );
        }
        if let Some(outer) = &self.loop_actor
            && outer != name
        {
            return Err(Mistake::new(
                span,
                format!("this loop runs whole inside the actor `{outer}`"),
            )
            .label("this step is another actor's")
            .help(format!(
                "leave out `{outer}:` before `repeat`, and write it before each step"
            )));
        }
        self.known.actor(name, span)?;
        prefix.actor = Some(name.to_string());
        prefix.actor_span = span;
        prefix.deadline = deadline;
        Ok(())
    }

    fn after_actor(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        if self.cursor.at_host() {
            return self.host(prefix);
        }
        let Some(first) = self.cursor.peek()? else {
            return Err(self.cursor.missing("a step"));
        };
        if first.lexeme == Lexeme::Ellipsis {
            return self.resume(prefix);
        }
        let span = first.span;
        match first.bare() {
            Some("let") => self.binding(prefix),
            Some("repeat") => self.repeat(prefix),
            Some("expect") => self.expect(prefix, span),
            Some("require") => self.require(prefix, span),
            Some("defer") => self.defer(prefix, span),
            Some("timeout") => self.timeout(prefix),
            Some("source") => self.source(prefix, span),
            _ => self.step(prefix),
        }
    }

    /// The actor whose step this is.
    fn actor_of<'p>(&'p self, prefix: &'p Prefix) -> &'p str {
        prefix
            .actor
            .as_deref()
            .or(self.loop_actor.as_deref())
            .unwrap_or(ME)
    }

    fn no_actor(&self, prefix: &Prefix, word: &str) -> Parsed<()> {
        match &prefix.actor {
            None => Ok(()),
            Some(name) => Err(Mistake::new(
                prefix.actor_span,
                format!("`{word}` runs in the shell, not in an actor"),
            )
            .label(format!("leave out `{name}:`"))),
        }
    }

    /// A variable is bound from here on.
    fn bind(&mut self, name: &str) {
        if self.known.bind(name) {
            self.fresh.push(name.to_string());
        }
    }

    /// What the words under a span are checked against.
    fn seek(&self, span: Span) -> Seek<'a> {
        Seek {
            text: self.cursor.text(),
            span,
        }
    }
}
