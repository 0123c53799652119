//! What can be known of a program's course from its text alone: which variables are
//! bound, which actors exist, which of them are busy.

use std::collections::HashSet;

use super::diagnostic::{Mistake, Parsed};
use super::program::{
    Action, Arg, Call, Claim, Condition, Expected, Marker, Piece, Span, Subject, Target, Term,
    VarRef, Work,
};
use super::suggest::did_you_mean;
use super::term::variables;

/// What is known when a program begins: nothing for a script, the session's state at the
/// prompt.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The variables that are bound.
    pub variables: HashSet<String>,
    /// The actors that exist.
    pub actors: HashSet<String>,
    /// Those of them with a pending step.
    pub pending: HashSet<String>,
    /// Whether `spawn` has been said, so that other names are slips.
    pub spawned: bool,
}

/// The default actor.
pub(super) const ME: &str = "me";

impl Known {
    pub(super) fn bind(&mut self, name: &str) {
        if !self.variables.contains(name) {
            self.variables.insert(name.to_string());
        }
    }

    /// An actor is named: it exists from here on.
    pub(super) fn actor(&mut self, name: &str, span: Span) -> Parsed<()> {
        if name == ME || self.actors.contains(name) {
            return Ok(());
        }
        if self.spawned {
            let known = self.actors.iter().map(String::as_str).chain([ME]);
            return Err(Mistake::new(span, format!("there is no actor `{name}`"))
                .label("`spawn` was used, so every actor must be spawned")
                .maybe_help(did_you_mean(name, known))
                .maybe_help(None));
        }
        self.actors.insert(name.to_string());
        Ok(())
    }

    /// A step is given to an actor.
    pub(super) fn step(&mut self, actor: &str, marker: Marker, span: Span) -> Parsed<()> {
        if self.pending.contains(actor) {
            return Err(
                Mistake::new(span, format!("`{actor}` still has a pending step"))
                    .label("by this text it is busy here")
                    .help(format!(
                        "say how the pending step ends first (`{actor}: ... => ok`), or `cancel {actor}`, or use another actor"
                    )),
            );
        }
        if marker != Marker::None {
            self.pending.insert(actor.to_string());
        }
        Ok(())
    }

    /// A pending step is said to end.
    pub(super) fn resume(&mut self, actor: &str, span: Span) -> Parsed<()> {
        if self.pending.remove(actor) {
            return Ok(());
        }
        Err(Mistake::new(span, format!("`{actor}` has no pending step"))
            .label("nothing of it can resume here")
            .help(format!(
                "a step is left pending by `...`: {actor}: sem p lock ..."
            )))
    }

    /// What a command that steers actors does to them.
    pub(super) fn steer(&mut self, name: &str, args: &[(u8, Arg)], span: Span) -> Parsed<()> {
        let actors = args.iter().filter_map(|(_, arg)| match arg {
            Arg::Word(actor) => Some(actor),
            _ => None,
        });
        for actor in actors {
            match name {
                "spawn" => {
                    self.spawned = true;
                    self.actors.insert(actor.clone());
                }
                "wait" | "stop" => {
                    self.actor(actor, span)?;
                    self.pending.remove(actor);
                }
                _ => self.actor(actor, span)?,
            }
        }
        Ok(())
    }

    /// Every variable that the work reads is bound; what it binds is known afterwards.
    pub(super) fn work(&mut self, work: &Work, text: &str) -> Parsed<()> {
        let seek = Seek {
            text,
            span: work.span,
        };
        match &work.action {
            Action::Call(call) => self.call(call, &seek)?,
            Action::Value(term) => self.term(term, &seek)?,
            Action::Repeat { count, body } => {
                self.term(count, &seek)?;
                for work in body {
                    self.work(work, text)?;
                }
            }
        }
        if let Some(claim) = &work.claim {
            self.claim(claim, &seek)?;
        }
        if let Some(name) = &work.bind {
            self.bind(name);
        }
        Ok(())
    }

    fn call(&self, call: &Call, seek: &Seek) -> Parsed<()> {
        for (_, arg) in &call.args {
            match arg {
                Arg::Term(term) => self.term(term, seek)?,
                Arg::Place(place) => self.term(&place.offset, seek)?,
                Arg::Ref(reference) => {
                    if let Target::Id(term) | Target::Key(term) = &reference.target {
                        self.term(term, seek)?;
                    }
                    if let Some(index) = &reference.index {
                        self.term(index, seek)?;
                    }
                }
                Arg::Command(call, _) => self.call(call, seek)?,
                Arg::Word(_) | Arg::SemOp(_) | Arg::Switch => {}
            }
        }
        Ok(())
    }

    pub(super) fn term(&self, term: &Term, seek: &Seek) -> Parsed<()> {
        if matches!(term, Term::Int(_) | Term::Bytes(_) | Term::Duration(_)) {
            return Ok(());
        }
        let mut found = Vec::new();
        variables(term, &mut found);
        found.into_iter().try_for_each(|var| self.var(var, seek))
    }

    pub(super) fn pieces(&self, pieces: &[Piece], seek: &Seek) -> Parsed<()> {
        pieces.iter().try_for_each(|piece| match piece {
            Piece::Var(var) => self.var(var, seek),
            Piece::Bytes(_) => Ok(()),
        })
    }

    fn var(&self, var: &VarRef, seek: &Seek) -> Parsed<()> {
        let is_actor = var.field.is_some() && (self.actors.contains(&var.name) || var.name == ME);
        if self.variables.contains(&var.name) || is_actor || var.name == "WORK" {
            return Ok(());
        }
        let known = self.variables.iter().map(String::as_str);
        Err(Mistake::new(
            seek.find(&var.name),
            format!("`${}` is not bound", var.name),
        )
        .label("no `let` before this binds it")
        .maybe_help(did_you_mean(&var.name, known)))
    }

    pub(super) fn claim(&self, claim: &Claim, seek: &Seek) -> Parsed<()> {
        let Claim::Yields { fields, value } = claim else {
            return Ok(());
        };
        let values = fields.iter().map(|(_, v)| v).chain(value);
        for expected in values {
            self.expected(expected, seek)?;
        }
        Ok(())
    }

    fn expected(&self, expected: &Expected, seek: &Seek) -> Parsed<()> {
        match expected {
            Expected::Term(term) => self.term(term, seek),
            Expected::Word(_) | Expected::Pattern(_) => Ok(()),
        }
    }

    pub(super) fn condition(&mut self, condition: &Condition, seek: &Seek) -> Parsed<()> {
        match condition {
            Condition::Deadlock(actors) => {
                for actor in actors {
                    self.actor(actor, seek.find(actor))?;
                }
                Ok(())
            }
            Condition::Compare {
                subject, expected, ..
            } => {
                match subject {
                    Subject::Actor(actor, _) => self.actor(actor, seek.find(actor))?,
                    Subject::Term(term) => self.term(term, seek)?,
                    Subject::Memory(_, place) => self.term(&place.offset, seek)?,
                    Subject::Object(..) | Subject::Limit(..) => {}
                }
                self.expected(expected, seek)
            }
        }
    }
}

/// A statement in its text, to find a word of it.
pub(super) struct Seek<'a> {
    pub text: &'a str,
    pub span: Span,
}

impl Seek<'_> {
    /// Where the name stands in the statement.
    fn find(&self, name: &str) -> Span {
        let statement = self.span.of(self.text);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for (at, _) in statement.match_indices(name) {
            let before = statement[..at].chars().next_back();
            let after = statement[at + name.len()..].chars().next();
            if !before.is_some_and(is_part) && !after.is_some_and(is_part) {
                let sign = match statement[..at].chars().next_back() {
                    Some('$') => 1,
                    _ => 0,
                };
                let start = self.span.start as usize + at;
                return Span::new(start - sign, start + name.len());
            }
        }
        self.span
    }
}
