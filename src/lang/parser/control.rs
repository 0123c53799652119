//! Statements about statements: `repeat`, `defer`, `timeout`, `source`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Token};
use super::super::number;
use super::super::program::{
    Action, Arg, Marker, Span, Statement, StatementKind, Step, Term, Work,
};
use super::super::term;
use super::{FILE_DEPTH, MAX_DEPTH, Parser, Prefix, program};

impl Parser<'_> {
    /// `repeat N { … }`.
    pub(super) fn repeat(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        let keyword = self.cursor.start();
        self.cursor.pass();
        let keyword = Span::new(keyword, self.cursor.end());
        let count = self.count()?;
        if prefix.actor.is_some() {
            self.known
                .step(prefix.actor.as_deref(), Marker::None, prefix.actor_span)?;
        }
        let body = self.block(prefix.actor.clone())?;
        let text = Span::new(prefix.start.start as usize, self.cursor.end());
        let owner = prefix.actor.as_deref().or(self.loop_actor.as_deref());
        if let Some(elsewhere) = runs_elsewhere(&body, owner) {
            if let Some(actor) = &prefix.actor {
                return Err(Mistake::new(
                    elsewhere,
                    format!(
                        "this cannot run inside the actor `{actor}`, and its loop runs whole there"
                    ),
                )
                .label("only plain steps and `let` can stand in this loop")
                .help(format!(
                    "leave out `{actor}:` before `repeat`, and write it before each step"
                )));
            }
            if !matches!(count, Term::Int(0 | 1)) {
                self.once_more(&body)?;
            }
            return Ok(StatementKind::Repeat { count, body });
        }
        let body = body.into_iter().filter_map(work_of).collect();
        let tail = self.words()?;
        if let Some(extra) = tail.tokens.first() {
            return Err(Mistake::new(
                extra.span,
                "nothing can follow the block but its course and outcome",
            )
            .label("expected `...`, `&`, `=>` or the end of the statement"));
        }
        let at = match &prefix.actor {
            Some(_) => prefix.actor_span,
            None => keyword,
        };
        let owner = prefix.actor.as_deref().or(self.loop_actor.as_deref());
        self.known.step(owner, tail.marker, at)?;
        if let (Some(claim), Some(at)) = (&tail.claim, tail.claim_text) {
            let seek = self.seek(at);
            self.known.claim(claim, &seek)?;
        }
        self.reuse(tail.tokens);
        Ok(StatementKind::Step(Step {
            actor: prefix.actor.take(),
            deadline: prefix.deadline,
            marker: tail.marker,
            work: Work {
                action: Action::Repeat {
                    count: Box::new(count),
                    body,
                },
                bind: None,
                claim: tail.claim.map(Box::new),
                span: prefix.start.to(tail.claim_text.unwrap_or(text)),
            },
            in_shell: false,
            text,
            claim_text: tail.claim_text,
        }))
    }

    /// How often.
    fn count(&mut self) -> Parsed<Term> {
        const USAGE: &str = "usage: repeat 10 { STATEMENTS }";
        let Some(token) = self.cursor.next()? else {
            return Err(self.cursor.missing("how often").help(USAGE));
        };
        let at = token.span.start as usize;
        match token.bare().and_then(|w| term::integer(w, at)) {
            Some(Ok(Term::Int(n))) if n < 0 => Err(Mistake::new(
                token.span,
                "a loop cannot run fewer than 0 times",
            )
            .label("expected how often")),
            Some(Ok(Term::Int(n))) if n > u64::MAX.into() => {
                Err(Mistake::new(token.span, "no loop is run so often")
                    .label(format!("expected {} at most", u64::MAX)))
            }
            Some(count) => {
                let count = count?;
                let seek = self.seek(token.span);
                self.known.term(&count, &seek)?;
                Ok(count)
            }
            None => Err(Mistake::new(token.span, "this is not a number")
                .label("expected how often, such as 10")
                .help(USAGE)),
        }
    }

    /// `{ … }`; the steps without an actor are of `actor`, where one is named.
    fn block(&mut self, actor: Option<String>) -> Parsed<Vec<Statement>> {
        let open = match self.cursor.next()? {
            Some(token) if token.lexeme == Lexeme::Open => token.span,
            Some(token) => {
                return Err(Mistake::new(token.span, "the block is missing before this")
                    .label("expected `{`")
                    .help("what is repeated stands in braces: repeat 3 { msgq recv }"));
            }
            None => {
                return Err(self
                    .cursor
                    .missing("`{`")
                    .help("what is repeated stands in braces: repeat 3 { msgq recv }"));
            }
        };
        if self.depth >= MAX_DEPTH {
            return Err(Mistake::new(
                open,
                format!("blocks are nested more than {MAX_DEPTH} deep"),
            )
            .label("one too many is opened here"));
        }
        self.depth += 1;
        self.opened.push(open);
        let outer = self.loop_actor.clone();
        if actor.is_some() {
            self.loop_actor = actor;
        }
        let body = self.statements(0)?;
        self.loop_actor = outer;
        self.opened.pop();
        self.depth -= 1;
        Ok(body)
    }

    /// A loop comes to its first statement again: an actor that it left pending is busy.
    fn once_more(&mut self, body: &[Statement]) -> Parsed<()> {
        for statement in body {
            match &statement.kind {
                StatementKind::Step(step) if step.in_shell => {
                    let Action::Call(call) = &step.work.action else {
                        continue;
                    };
                    let name = self.catalog.signature(call.command).name;
                    for (_, arg) in &call.args {
                        if let Arg::Word(actor) = arg {
                            self.known.ends(name, actor);
                        }
                    }
                }
                StatementKind::Step(step) => {
                    let actor = step.actor.as_deref();
                    let again = self.known.step(actor, step.marker, step.text);
                    again.map_err(|e| e.label("the loop comes here again"))?;
                }
                StatementKind::Resume(resume) => {
                    let again = self.known.resume(&resume.actor, resume.text);
                    again.map_err(|e| e.label("the loop comes here again"))?;
                }
                StatementKind::Repeat { body, .. } => self.once_more(body)?,
                // Its places are in another text.
                StatementKind::Source(program) => {
                    let again = self.once_more(&program.statements);
                    again.map_err(|e| e.at(statement.span))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `defer STATEMENT`.
    pub(super) fn defer(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "defer")?;
        self.cursor.pass();
        if !self.cursor.at_host()
            && let Some(token) = self.cursor.peek()?
            && let Some(word @ ("defer" | "require" | "source" | "timeout")) = token.bare()
        {
            return Err(
                Mistake::new(token.span, format!("`{word}` cannot be deferred"))
                    .label("expected a step, a check or a loop to run at the end"),
            );
        }
        if !self.cursor.at_host() && self.cursor.peek()?.is_none() {
            let usage = format!("usage: {} msgq rm jobs", keyword.of(self.cursor.text()));
            return Err(self.cursor.missing("what is deferred").help(usage));
        }
        // What is deferred runs at the end, when no step is pending any more, and what it
        // binds, starts and leaves pending is not known to what is written below it.
        let pending = std::mem::take(&mut self.known.pending);
        let started = self.known.started.len();
        let spawned = self.known.spawned;
        let before = self.fresh.len();
        let statement = self.statement();
        self.known.pending = pending;
        for name in self.known.started.drain(started..) {
            self.known.actors.remove(&name);
        }
        self.known.spawned = spawned;
        for name in self.fresh.drain(before..) {
            self.known.variables.remove(&name);
        }
        Ok(StatementKind::Defer(Box::new(statement?)))
    }

    /// `timeout step DUR`.
    pub(super) fn timeout(&mut self, prefix: &Prefix) -> Parsed<StatementKind> {
        const USAGE: &str = "usage: timeout step 5s";
        self.no_actor(prefix, "timeout")?;
        self.cursor.pass();
        let what = self.cursor.take("`step`").map_err(|e| e.help(USAGE))?;
        if what.bare() != Some("step") {
            return Err(
                Mistake::new(what.span, "`timeout` sets the deadline of the steps")
                    .label("expected `step`")
                    .help(USAGE),
            );
        }
        let value = self.cursor.take("a duration").map_err(|e| e.help(USAGE))?;
        duration(&value).map(StatementKind::TimeoutStep)
    }

    /// `source FILE`.
    pub(super) fn source(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "source")?;
        self.cursor.pass();
        let token = self.cursor.take("the path of a file")?;
        let path = match &token.lexeme {
            Lexeme::Bare(word) if !word.contains('$') => PathBuf::from(word),
            Lexeme::Data(Term::Bytes(bytes)) => OsStr::from_bytes(bytes).into(),
            _ => {
                return Err(Mistake::new(
                    token.span,
                    "the file is read before the program runs, so its path cannot be computed",
                )
                .label("expected a plain path"));
            }
        };
        if self.depth + FILE_DEPTH > MAX_DEPTH {
            return Err(Mistake::new(keyword, "files source each other too deeply")
                .label("this is one too many")
                .help("does a file source itself?"));
        }
        let source = (self.loader)(&path, self.source).map_err(|e| {
            Mistake::new(token.span, format!("cannot read `{}`: {e}", path.display()))
                .label("expected a file that can be read")
        })?;
        let depth = self.depth + FILE_DEPTH;
        let included = program(
            Arc::new(source),
            self.catalog,
            self.known,
            self.loader,
            depth,
        );
        match included {
            Ok(program) => Ok(StatementKind::Source(program)),
            Err(mut diagnostic) => {
                // What is left open in a file cannot be closed by typing on.
                diagnostic.incomplete = false;
                self.included = Some(diagnostic);
                Err(Mistake::new(token.span, "there is a mistake in this file"))
            }
        }
    }
}

/// A duration that is known before the program runs.
pub(super) fn duration(token: &Token) -> Parsed<std::time::Duration> {
    token.bare().and_then(number::duration).ok_or_else(|| {
        Mistake::new(token.span, "this is not a duration")
            .label("expected a duration such as 500ms, 5s or 1m")
    })
}

/// The first statement of a loop's body that cannot run inside its actor.
fn runs_elsewhere(body: &[Statement], owner: Option<&str>) -> Option<Span> {
    let fits = |statement: &Statement| match &statement.kind {
        StatementKind::Step(step) => {
            let own = step.actor.is_none() || step.actor.as_deref() == owner;
            own && !step.in_shell && step.marker == Marker::None && step.deadline.is_none()
        }
        StatementKind::Let { .. } => true,
        _ => false,
    };
    body.iter().find(|s| !fits(s)).map(|s| s.span)
}

/// What an actor does for a statement that runs inside it.
fn work_of(statement: Statement) -> Option<Work> {
    match statement.kind {
        StatementKind::Step(step) => Some(step.work),
        StatementKind::Let { name, value } => Some(Work {
            action: Action::Value(Box::new(value)),
            bind: Some(name),
            claim: None,
            span: statement.span,
        }),
        _ => None,
    }
}
