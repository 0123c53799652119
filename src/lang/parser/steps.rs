//! Steps: a command, the end of a pending one, a value that is bound.

use super::super::bind;
use super::super::check::Known;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Token, is_name, is_variable};
use super::super::number;
use super::super::program::{
    Action, Arg, Claim, Marker, Resume, Span, StatementKind, Step, Term, Work,
};
use super::super::signature::{Kind, Runs, Signature};
use super::super::term;
use super::subject::is_looked_at;
use super::{Parser, Prefix};

impl Parser<'_> {
    /// A command of the table.
    pub(super) fn step(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        if let Some(token) = self.cursor.peek()?
            && let Lexeme::Data(_) | Lexeme::Pattern(_) | Lexeme::Open = token.lexeme
        {
            return Err(match token.lexeme {
                Lexeme::Open => Mistake::new(token.span, "a block cannot stand alone")
                    .label("expected a command")
                    .help("a block follows `repeat N`"),
                _ => Mistake::new(token.span, "a step cannot begin with data")
                    .label("expected a command"),
            });
        }
        // Where no command is, this is the `=>` or the marker that stands in its place.
        let first = self.cursor.peek()?.cloned();
        // Where the command is none, what is wrong behind it matters less.
        let mut words = self.words().map_err(|mistake| {
            let unknown = first.as_ref().and_then(|t| bind::unknown(t, self.catalog));
            unknown.filter(|_| !mistake.incomplete).unwrap_or(mistake)
        })?;
        let first = first.map_or(prefix.start, |t| t.span);
        let text = Span::new(prefix.start.start as usize, words.end);
        let call = bind::call(&mut words.tokens, first, self.catalog, self.cursor.text())?;
        let signature = self.catalog.signature(call.command);
        let in_shell = signature.runs == Runs::Shell;
        let seek = self.seek(text);
        self.known.call(&call, self.catalog, &seek)?;
        if signature.typed && !self.known.prompt {
            let message = format!("`{}` is for the prompt", signature.name);
            return Err(Mistake::new(first, message)
                .label("nobody types here")
                .help("what a script prints is a script that passes: ipcsh a.ipc > b.ipc"));
        }
        if in_shell {
            self.no_actor(prefix, signature.name)?;
            if words.marker != Marker::None {
                return Err(Mistake::new(
                    words.marker_span,
                    format!("`{}` runs in the shell and never blocks", signature.name),
                )
                .label("leave this out"));
            }
            steer(self.known, signature, &call.args, &words.tokens)?;
        } else {
            let at = match &prefix.actor {
                Some(_) => prefix.actor_span,
                None => words.tokens[0].span,
            };
            let actor = prefix.actor.as_deref().or(self.loop_actor.as_deref());
            self.known.step(actor, words.marker, at)?;
        }
        let span = prefix.start.to(words.claim_text.unwrap_or(text));
        if let (Some(claim), Some(at)) = (&words.claim, words.claim_text) {
            let seek = self.seek(at);
            self.known.claim(claim, &seek)?;
            claim.suits(signature, &seek)?;
        }
        match (&prefix.bind, &words.claim) {
            (Some(name), Some(Claim::Errno(_))) => self.known.binds_nothing(name),
            (Some(name), _) => self.bind(name),
            (None, _) => {}
        }
        self.reuse(words.tokens);
        Ok(StatementKind::Step(Step {
            actor: prefix.actor.take(),
            deadline: prefix.deadline,
            marker: words.marker,
            work: Work {
                action: Action::Call(call),
                bind: prefix.bind.take(),
                claim: words.claim.map(Box::new),
                span,
            },
            in_shell,
            text,
            claim_text: words.claim_text,
        }))
    }

    /// `b: ... [=> outcome]`.
    pub(super) fn resume(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        self.cursor.pass();
        let actor = self.actor_of(prefix).to_string();
        let text = Span::new(prefix.start.start as usize, self.cursor.end());
        self.known.resume(&actor, text)?;
        let (mut claim, mut claim_text) = (None, None);
        if let Some(token) = self.cursor.next()? {
            if token.lexeme != Lexeme::Arrow {
                return Err(
                    Mistake::new(token.span, "nothing but an outcome can follow `...`")
                        .label("expected `=>` or the end of the statement"),
                );
            }
            let (found, span) = self.claim(token.span)?;
            let seek = self.seek(span);
            self.known.claim(&found, &seek)?;
            (claim, claim_text) = (Some(found), Some(span));
        }
        Ok(StatementKind::Resume(Box::new(Resume {
            actor,
            deadline: prefix.deadline,
            claim,
            text,
            claim_text,
        })))
    }

    /// `let NAME = …`.
    pub(super) fn binding(&mut self, prefix: &mut Prefix) -> Parsed<StatementKind> {
        self.cursor.pass();
        let name = self.cursor.take("the name of a variable")?;
        let word = variable_name(&name)?;
        self.equals_sign()?;
        if self.cursor.at_host() {
            prefix.bind = Some(word.to_string());
            return self.host(prefix);
        }
        let Some(first) = self.cursor.peek()? else {
            return Err(self.cursor.missing("a command or a value"));
        };
        let span = first.span;
        if let Some(keyword) = first.bare()
            && is_statement(keyword)
        {
            return Err(
                Mistake::new(span, format!("`{keyword}` gives no value to bind"))
                    .label("expected a command or a value"),
            );
        }
        if first.bare().is_some_and(is_looked_at) {
            return self.look(prefix, word.to_string());
        }
        let Some(value) = value_of(first) else {
            // A word alone that is no command is most likely meant as data.
            let plain = first.bare().filter(|w| !self.catalog.is_noun(w));
            prefix.bind = Some(word.to_string());
            return self.step(prefix).map_err(|e| match plain {
                Some(word) if e.span == span && is_name(word) => {
                    e.help(format!("data is written in quotes: \"{word}\""))
                }
                _ => e,
            });
        };
        let value = value?;
        self.cursor.pass();
        self.no_actor(prefix, "let")?;
        let seek = self.seek(span);
        self.known.term(&value, &seek)?;
        self.bind(word);
        Ok(StatementKind::Let {
            name: word.to_string(),
            value,
        })
    }

    /// `let NAME = KIND.REF.FIELD`.
    fn look(&mut self, prefix: &Prefix, name: String) -> Parsed<StatementKind> {
        self.no_actor(prefix, "let")?;
        let start = self.cursor.start();
        let subject = self.subject(Span::new(start, start))?;
        let seek = self.seek(Span::new(start, self.cursor.end()));
        self.known.subject(&subject, &seek)?;
        self.bind(&name);
        Ok(StatementKind::Look {
            name,
            subject: Box::new(subject),
        })
    }

    fn equals_sign(&mut self) -> Parsed<()> {
        let sign = self.cursor.take("`=`")?;
        match sign.bare() {
            Some("=") => Ok(()),
            Some(word) if word.starts_with('=') && !word.starts_with("==") => {
                Err(spaced(sign.span.start as usize))
            }
            _ => Err(Mistake::new(sign.span, "`=` is missing before this")
                .label("expected `=`: let NAME = VALUE")),
        }
    }
}

/// A constant or computed value that stands alone after `=`.
fn value_of(token: &Token) -> Option<Parsed<Term>> {
    term::data(token).or_else(|| {
        let word = token.bare()?;
        let at = token.span.start as usize;
        term::computed(word, at).or_else(|| number::constant(word).map(Ok))
    })
}

/// The words that begin a statement without a value.
fn is_statement(word: &str) -> bool {
    super::super::catalog::KEYWORDS.contains(&word)
}

fn variable_name<'a>(token: &Token<'a>) -> Parsed<&'a str> {
    let start = token.span.start as usize;
    match token.bare() {
        Some(word) if is_variable(word) => Ok(word),
        Some(word) if word.contains('=') && !word.starts_with('=') => {
            Err(spaced(start + word.find('=').unwrap_or(0)))
        }
        Some(word) if word.starts_with('$') => Err(Mistake::new(
            token.span,
            "a variable is bound by its name alone",
        )
        .label("leave out the `$`")),
        _ => Err(Mistake::new(token.span, "this cannot name a variable")
            .label("expected a name of letters, digits and `_`")),
    }
}

fn spaced(at: usize) -> Mistake {
    Mistake::new(Span::new(at, at + 1), "`=` is a word of its own")
        .label("write blanks around it: let v = 5")
}

/// What a command that steers actors does to them.
fn steer(
    known: &mut Known,
    signature: &Signature,
    args: &[(u8, Arg)],
    tokens: &[Token],
) -> Parsed<()> {
    let Some(kind) = signature.params.first().map(|p| p.kind) else {
        return Ok(());
    };
    if !matches!(kind, Kind::Actor { .. } | Kind::Pipeline) {
        return Ok(());
    }
    // The words of an actor's kind stand in the order of their arguments.
    let mut rest = tokens;
    for (place, arg) in args {
        let Arg::Word(actor) = arg else {
            continue;
        };
        if *place != 0 {
            continue;
        }
        let at = rest.iter().position(|t| t.bare() == Some(actor));
        let span = at.map_or(tokens[0].span, |at| rest[at].span);
        rest = &rest[at.map_or(0, |at| at + 1)..];
        match kind {
            Kind::Actor { new: true } if rest.iter().any(|t| t.bare() == Some(actor)) => {
                return Err(Mistake::new(span, format!("`{actor}` is named twice"))
                    .label("an actor is started once"));
            }
            Kind::Actor { new } => known.steer(signature.name, new, actor, span)?,
            // It is given an end of a pipe: it must be there to take it.
            _ => {
                known.actor(actor, span)?;
                known.step(Some(actor), Marker::None, span)?;
            }
        }
    }
    Ok(())
}
