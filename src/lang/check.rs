//! What can be known of a program's course from its text alone: which variables are
//! bound, which actors exist, which of them are busy.

use std::cell::Cell;
use std::collections::HashSet;

use super::catalog::Catalog;
use super::diagnostic::{Mistake, Parsed};
use super::program::{
    Arg, Call, Claim, Condition, Expected, Marker, Piece, Reference, Span, Subject, Target, Term,
    VarRef,
};
pub(super) use super::seek::Seek;
use super::signature::{Kind, Need, Param, Signature};
use super::suggest::{closest, did_you_mean};
use super::term::variables;

/// What is known when a program begins: nothing for a script, the session's state at the
/// prompt.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The variables that are bound.
    pub variables: HashSet<String>,
    /// Those that only a `let` would bind whose step must fail.
    pub unbindable: HashSet<String>,
    /// The actors that exist.
    pub actors: HashSet<String>,
    /// Those of them that the program's own text starts, in order.
    pub started: Vec<String>,
    /// Those of them with a pending step.
    pub pending: HashSet<String>,
    /// Those of them whose pending step has ended, which may still be asked how.
    pub ended: HashSet<String>,
    /// Whether `spawn` has been said, so that other names are slips.
    pub spawned: bool,
    /// Whether somebody types.
    pub prompt: bool,
    /// The actor whose pending step Ctrl-C ends.
    pub foreground: Option<String>,
    /// Whether `$WORK` has been read, and nothing has bound it.
    pub uses_work: Cell<bool>,
}

/// The variable that is a directory of the session's own, made where it is read.
const WORK: &str = "WORK";

/// The default actor.
pub(super) const ME: &str = "me";

impl Known {
    /// A variable is bound; says whether it was not before.
    pub(super) fn bind(&mut self, name: &str) -> bool {
        !self.variables.contains(name) && self.variables.insert(name.to_string())
    }

    /// The step of a `let` must fail, and so it binds nothing.
    pub(super) fn binds_nothing(&mut self, name: &str) {
        if !self.variables.contains(name) {
            self.unbindable.insert(name.to_string());
        }
    }

    /// An actor is given a step: it exists from here on.
    pub(super) fn actor(&mut self, name: &str, span: Span) -> Parsed<()> {
        if self.spawned {
            return self.known_actor(name, span);
        }
        if name != ME {
            self.starts(name);
        }
        Ok(())
    }

    fn starts(&mut self, name: &str) {
        if !self.actors.contains(name) {
            self.actors.insert(name.to_string());
            self.started.push(name.to_string());
        }
    }

    /// An actor is looked at or steered: it must exist.
    fn known_actor(&self, name: &str, span: Span) -> Parsed<()> {
        if name == ME || self.actors.contains(name) {
            return Ok(());
        }
        let known = self.actors.iter().map(String::as_str).chain([ME]);
        let (label, help) = if self.spawned {
            (
                "after `spawn`, only actors that were spawned are known",
                "spawn",
            )
        } else {
            ("no text before this names it", "start it first: spawn")
        };
        Err(Mistake::new(span, format!("there is no actor `{name}`"))
            .label(label)
            .help(match help {
                "spawn" => format!("add it where the others are: spawn {name}"),
                help => format!("{help} {name}"),
            })
            .maybe_help(did_you_mean(name, known)))
    }

    /// A step is given to an actor; `None` is the default one.
    pub(super) fn step(&mut self, actor: Option<&str>, marker: Marker, span: Span) -> Parsed<()> {
        let actor = actor.unwrap_or(ME);
        if !self.pending.is_empty() && self.pending.contains(actor) {
            let steps = match actor {
                ME => "steps without an actor run in `me`".into(),
                _ => format!("`{actor}` cannot take another step yet"),
            };
            return Err(
                Mistake::new(span, format!("`{actor}` still has a pending step"))
                    .label(steps)
                    .help(self.ways_on(actor)),
            );
        }
        // How the one before it ended can no longer be said.
        if !self.ended.is_empty() {
            self.ended.remove(actor);
        }
        if marker != Marker::None {
            self.pending.insert(actor.to_string());
        }
        Ok(())
    }

    /// What can be done where an actor's step is pending.
    fn ways_on(&self, actor: &str) -> String {
        let others = self.actors.iter().filter(|a| !self.pending.contains(*a));
        let free = others.min().map(String::as_str);
        let new = ["b", "c"].into_iter().find(|n| !self.actors.contains(*n));
        let other = free.or(new.filter(|_| !self.spawned));
        let other = other.map_or_else(
            || "use another actor".into(),
            |other| format!("use another actor (`{other}: STEP`)"),
        );
        match self.prompt {
            true if self.foreground.as_deref() == Some(actor) => {
                format!("`cancel {actor}` or Ctrl-C ends it; or {other}")
            }
            true => format!("`cancel {actor}` ends it; or {other}"),
            false => {
                format!("first say how the pending step ends (`{actor}: ... => ok`), or {other}")
            }
        }
    }

    /// A pending step is said to end.
    pub(super) fn resume(&mut self, actor: &str, span: Span) -> Parsed<()> {
        if self.pending.remove(actor) || self.ended.remove(actor) {
            return Ok(());
        }
        Err(Mistake::new(span, format!("`{actor}` has no pending step"))
            .label("nothing can resume here")
            .help(format!(
                "a step that must block is written with `...` behind it: {actor}: sem p lock ..."
            )))
    }

    /// What a command that steers actors does to one of them.
    pub(super) fn steer(&mut self, name: &str, new: bool, actor: &str, span: Span) -> Parsed<()> {
        if new {
            self.spawned = true;
            self.starts(actor);
            return Ok(());
        }
        self.known_actor(actor, span)?;
        self.ends(name, actor);
        Ok(())
    }

    /// `wait`, `stop` and `cancel` leave an actor with no pending step; how a cancelled one
    /// ended may still be said.
    pub(super) fn ends(&mut self, name: &str, actor: &str) {
        if matches!(name, "wait" | "stop" | "cancel")
            && self.pending.remove(actor)
            && name == "cancel"
        {
            self.ended.insert(actor.to_string());
        }
    }

    /// Every variable that a command reads is bound, and every actor that it names exists.
    pub(super) fn call(&self, call: &Call, catalog: &Catalog, seek: &Seek) -> Parsed<()> {
        let signature = catalog.signature(call.command);
        for (place, arg) in &call.args {
            match arg {
                Arg::Term(Term::Bytes(word)) => {
                    let param = &signature.params[usize::from(*place)];
                    self.process(param, word, signature, call, seek)?;
                }
                Arg::Term(term) => self.term(term, seek)?,
                Arg::Place(place) => self.term(&place.offset, seek)?,
                Arg::Ref(reference) | Arg::Fd(reference, _) => self.reference(reference, seek)?,
                Arg::Command(call, _) => self.call(call, catalog, seek)?,
                Arg::Word(_) | Arg::SemOp(_) | Arg::Switch => {}
            }
        }
        Ok(())
    }

    /// What is no number of a process is an actor's name; behind a switch that lets the words be left
    /// out, they are something else.
    fn process(
        &self,
        param: &Param,
        word: &[u8],
        signature: &Signature,
        call: &Call,
        seek: &Seek,
    ) -> Parsed<()> {
        let Kind::Process { .. } = param.kind else {
            return Ok(());
        };
        let name = String::from_utf8_lossy(word);
        let switched = |(place, _): &(u8, Arg)| match param.need {
            Need::Unless(switch) => signature.params[usize::from(*place)].name == switch,
            _ => false,
        };
        if name.parse::<i32>().is_ok()
            || name == ME
            || self.actors.contains(&*name)
            || call.args.iter().any(switched)
        {
            return Ok(());
        }
        let known = self.actors.iter().map(String::as_str).chain([ME]);
        let message = format!("`{name}` is neither an actor nor a pid");
        Err(Mistake::new(seek.word(&name), message)
            .label("no text before this names such an actor")
            .help("`actors` lists the actors; a process of the host is named by its pid")
            .maybe_help(did_you_mean(&name, known)))
    }

    fn reference(&self, reference: &Reference, seek: &Seek) -> Parsed<()> {
        match &reference.target {
            Target::Id(term) | Target::Key(term) | Target::Path(term) => self.term(term, seek)?,
            Target::Fd(pid, fd) => {
                self.term(pid, seek)?;
                self.term(fd, seek)?;
            }
            Target::Current | Target::Name(_) | Target::Ftok(..) | Target::Inode(_) => {}
        }
        match &reference.index {
            Some(index) => self.term(index, seek),
            None => Ok(()),
        }
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

    /// A command of the system gets every variable in its environment: it may read what its
    /// text names.
    pub(super) fn host(&self, pieces: &[Piece], seek: &Seek) -> Parsed<()> {
        if !self.variables.contains(WORK) && seek.names(WORK) {
            self.uses_work.set(true);
        }
        self.pieces(pieces, seek)
    }

    fn var(&self, var: &VarRef, seek: &Seek) -> Parsed<()> {
        let is_actor = var.field.is_some() && (self.actors.contains(&var.name) || var.name == ME);
        if self.variables.contains(&var.name) || is_actor {
            return Ok(());
        }
        if var.name == WORK {
            self.uses_work.set(true);
            return Ok(());
        }
        let known = self.variables.iter().map(String::as_str);
        Err(Mistake::new(
            seek.variable(var),
            format!("the variable `${}` is not bound", var.name),
        )
        .label(match self.unbindable.contains(&var.name) {
            true => "its `let` claims a failure, which binds nothing",
            false => "no `let` before this binds it",
        })
        .maybe_help(closest(&var.name, known).map(|c| format!("did you mean `${c}`?"))))
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

    pub(super) fn condition(&self, condition: &Condition, seek: &Seek) -> Parsed<()> {
        match condition {
            Condition::Deadlock(actors) => {
                let known = |actor: &String| self.known_actor(actor, seek.word(actor));
                actors.iter().try_for_each(known)
            }
            Condition::Compare {
                subject, expected, ..
            } => {
                self.subject(subject, seek)?;
                self.expected(expected, seek)
            }
        }
    }

    pub(super) fn subject(&self, subject: &Subject, seek: &Seek) -> Parsed<()> {
        match subject {
            Subject::Actor(actor, _) => self.known_actor(actor, seek.word(actor)),
            Subject::Term(term) => self.term(term, seek),
            Subject::Memory(reference, _, offset) => {
                self.reference(reference, seek)?;
                self.term(offset, seek)
            }
            Subject::Object(_, reference, _) => self.reference(reference, seek),
            Subject::Limit(..) => Ok(()),
        }
    }
}
