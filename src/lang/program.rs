//! A program: what the parser makes and the engine runs.
//!
//! What travels to an actor ([`Work`] and all it holds) can be serialised.

mod condition;
mod source;
mod value;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::signature::Family;

pub use condition::{Claim, CompareOp, Condition, Expect, Expected, Require, Requirement, Subject};
pub use source::{Source, Span};
pub use value::{Arith, ArithOp, IntType, Piece, Term, VarRef};

/// A program that has been checked.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it was read from.
    pub source: Arc<Source>,
    /// What it says.
    pub statements: Vec<Statement>,
    /// Whether `$WORK` is read in it, or in a file that it sources: the session's directory
    /// is made only then.
    pub uses_work: bool,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// From its first to its last character.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// The kinds of statement. A program is mostly steps: what is rare is behind a pointer, so
/// that a step takes no more room than it needs.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// A command, in an actor or in the shell.
    Step(Step),
    /// `b: ... [=> outcome]`: the pending step must end.
    Resume(Box<Resume>),
    /// `expect …`.
    Expect(Box<Expect>),
    /// `require …`.
    Require(Box<Require>),
    /// `defer STATEMENT`: run at the end, whatever happens.
    Defer(Box<Statement>),
    /// `timeout step DUR`.
    TimeoutStep(Duration),
    /// `repeat N { … }` whose body has steps of several actors or of the shell.
    Repeat {
        /// How often.
        count: Term,
        /// What.
        body: Vec<Statement>,
    },
    /// `source FILE`, read when the program was.
    Source(Program),
    /// `!command`.
    Host(Box<Host>),
    /// `let NAME = msgq.jobs.qnum`.
    Look {
        /// The name.
        name: String,
        /// What is looked at.
        subject: Box<Subject>,
    },
    /// `let NAME = VALUE`.
    Let {
        /// The name.
        name: String,
        /// The value.
        value: Term,
    },
}

/// A command with everything that is said of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The actor it names; `None` for `me`, or for what runs in the shell.
    pub actor: Option<String>,
    /// `b@500ms:`.
    pub deadline: Option<Duration>,
    /// `...` or `&`.
    pub marker: Marker,
    /// What is done.
    pub work: Work,
    /// Whether it runs in the shell.
    pub in_shell: bool,
    /// The step without its marker and outcome.
    pub text: Span,
    /// The outcome, as written.
    pub claim_text: Option<Span>,
}

impl Step {
    /// The outcome that is claimed, as it is written there and as it is read.
    pub fn claimed<'a>(&'a self, source: &'a Source) -> Option<(&'a str, &'a Claim)> {
        let written = self.claim_text?.of(&source.text);
        Some((written, self.work.claim.as_deref()?))
    }

    /// Whether its actor does more than one thing.
    pub fn is_loop(&self) -> bool {
        matches!(self.work.action, Action::Repeat { .. })
    }
}

/// What is said of a step's course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Nothing: it must end.
    None,
    /// `...`: it must be seen blocked.
    Blocks,
    /// `&`: started, nothing claimed.
    Background,
}

/// `b: ... => ok`.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Whose pending step.
    pub actor: String,
    /// `b@500ms: ...`.
    pub deadline: Option<Duration>,
    /// What it must end with.
    pub claim: Option<Claim>,
    /// The statement without its outcome.
    pub text: Span,
    /// The outcome, as written.
    pub claim_text: Option<Span>,
}

/// `!command [&] [=> exit=N]`.
#[derive(Clone, Debug)]
pub struct Host {
    /// What `sh -c` gets, with `${name.field}` put in.
    pub command: Vec<Piece>,
    /// `let NAME =`: its standard output, without the last newline.
    pub bind: Option<String>,
    /// `&`.
    pub background: bool,
    /// What it must end with; `ok` where nothing is said.
    pub claim: Option<Claim>,
    /// The statement without its outcome.
    pub text: Span,
    /// The outcome, as written.
    pub claim_text: Option<Span>,
}

/// What an actor does for one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// What is done.
    pub action: Action,
    /// `let NAME =`.
    pub bind: Option<String>,
    /// `=> …`.
    pub claim: Option<Box<Claim>>,
    /// Where it is written, so that a failing step of a loop can be named.
    pub span: Span,
}

/// What is done: mostly a command, so the rest is behind pointers here too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// A command.
    Call(Call),
    /// `let NAME = VALUE` in a loop.
    Value(Box<Term>),
    /// A loop, run whole in its actor.
    Repeat {
        /// How often.
        count: Box<Term>,
        /// What.
        body: Vec<Work>,
    },
}

/// A command with its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its place in the catalog.
    pub command: u16,
    /// The arguments that were given, each with the place of its parameter.
    pub args: Vec<(u8, Arg)>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arg {
    /// An object.
    Ref(Box<Reference>),
    /// A number, a size, a mode, a duration, data.
    Term(Term),
    /// Where in a segment.
    Place(Box<Place>),
    /// A word, a name, a path that is not computed.
    Word(String),
    /// One operation of a `semop`.
    SemOp(SemOpTerm),
    /// A command to run: `watch ipcs`.
    Command(Box<Call>, Box<str>),
    /// A descriptor that the actor holds: an object, and which end of it.
    Fd(Box<Reference>, Option<End>),
    /// It is there.
    Switch,
}

/// An end of a pipe or a FIFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// For reading: `.r`.
    Read,
    /// For writing: `.w`.
    Write,
}

/// An object, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The family, where the reference says it: `msgq.jobs`.
    pub family: Option<Family>,
    /// Which object.
    pub target: Target,
    /// `[i]`: one semaphore of a set.
    pub index: Option<Term>,
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// The current object of the family.
    Current,
    /// A name of this session.
    Name(String),
    /// `id:N`.
    Id(Term),
    /// `key:N`.
    Key(Term),
    /// `key:PATH,N`: ftok(3).
    Ftok(String, u8),
    /// A path, the name of a POSIX object, or `@NAME` for an abstract socket.
    Path(Term),
    /// `pipe:[N]`, `socket:[N]`: what has no path.
    Inode(u64),
    /// `pid:N/fd:M`: what is behind another process's descriptor.
    Fd(Term, Term),
}

/// `@OFF` or `TYPE@OFF`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The integer type, where one is named.
    pub ty: Option<IntType>,
    /// The offset in bytes.
    pub offset: Term,
}

/// `INDEX:DELTA[u][n]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SemOpTerm {
    /// Which semaphore of the set.
    pub index: u16,
    /// What is added; 0 waits for zero.
    pub delta: i16,
    /// SEM_UNDO.
    pub undo: bool,
    /// IPC_NOWAIT.
    pub nowait: bool,
}
