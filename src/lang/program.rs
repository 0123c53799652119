//! A program: what the parser makes and the engine runs.
//!
//! What travels to an actor ([`Work`] and all it holds) can be serialised.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::signature::Family;

/// A range of bytes in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The text under it; empty where the span is not of this text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }

    /// From the start of this to the end of the other.
    pub fn to(self, end: Span) -> Span {
        Span {
            start: self.start,
            end: end.end,
        }
    }
}

/// A piece of source: a file, a `-c` argument, what was typed at the prompt.
#[derive(Debug)]
pub struct Source {
    /// How it is called in messages: a path, `-c`, `<stdin>`.
    pub name: Arc<str>,
    /// Its text.
    pub text: String,
    /// Where each line begins.
    lines: Vec<u32>,
    /// The line that was asked for last: the next is mostly the same or the one behind it.
    last: AtomicU32,
}

impl Source {
    /// Names a text.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Source {
        let text = text.into();
        let newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let mut lines = Vec::with_capacity(text.len() / 16 + 1);
        lines.push(0);
        lines.extend(newlines.map(|(i, _)| i as u32 + 1));
        Source {
            name: name.into(),
            text,
            lines,
            last: AtomicU32::new(0),
        }
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The line, from 1, that a byte stands on.
    pub fn line(&self, offset: u32) -> u32 {
        let last = self.last.load(Ordering::Relaxed) as usize;
        let is_at = |at: &usize| {
            let begins = |at: usize| self.lines.get(at).is_some_and(|start| *start <= offset);
            begins(*at) && !begins(at + 1)
        };
        let at = [last, last + 1].into_iter().find(is_at).unwrap_or_else(|| {
            let behind = self.lines.partition_point(|start| *start <= offset);
            behind.saturating_sub(1)
        });
        self.last.store(at as u32, Ordering::Relaxed);
        at as u32 + 1
    }
}

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
    /// The outcome that is claimed, and where it stands.
    pub fn claimed(&self) -> Option<(Span, &Claim)> {
        self.claim_text.zip(self.work.claim.as_deref())
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

/// The fixed-width integers, in the machine's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum IntType {
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
}

/// A value that may have to be computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Term {
    /// An integer, a size, a mode.
    Int(i128),
    /// A duration.
    Duration(Duration),
    /// Bytes.
    Bytes(Vec<u8>),
    /// `"… ${name} …"`.
    Template(Vec<Piece>),
    /// A file's bytes, read when the step runs.
    File(Vec<Piece>),
    /// `u32:…`.
    Number(IntType, Box<Term>),
    /// `$name`, `$name.field`.
    Var(Box<VarRef>),
    /// `$((…))`.
    Arith(Box<Arith>),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Piece {
    /// As it is.
    Bytes(Vec<u8>),
    /// `${name.field}`.
    Var(VarRef),
}

/// `name` or `name.field`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VarRef {
    /// The variable or actor.
    pub name: String,
    /// The field.
    pub field: Option<String>,
}

impl fmt::Display for VarRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "${}.{field}", self.name),
            None => write!(f, "${}", self.name),
        }
    }
}

/// `$((…))`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arith {
    /// A number.
    Int(i128),
    /// A variable, with or without its `$`.
    Var(VarRef),
    /// `-x`.
    Neg(Box<Arith>),
    /// `~x`.
    Flip(Box<Arith>),
    /// `!x`.
    Not(Box<Arith>),
    /// `x ? y : z`.
    Choice(Box<[Arith; 3]>),
    /// `x OP y`.
    Binary(Box<Arith>, ArithOp, Box<Arith>),
}

/// The operators of arithmetic, as in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Shl,
    Shr,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `&&`.
    Both,
    /// `||`.
    Either,
}

/// What stands after `=>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Claim {
    /// `ok`: any success.
    Ok,
    /// `eof`.
    Eof,
    /// An errno's symbol.
    Errno(String),
    /// `type=2 "hi"`, `42`, `re"…"`.
    Yields {
        /// The fields that are written.
        fields: Vec<(String, Expected)>,
        /// The bare value.
        value: Option<Expected>,
    },
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expected {
    /// A value.
    Term(Term),
    /// A word, such as the state `blocked`.
    Word(String),
    /// A pattern.
    Pattern(Pattern),
}

/// `expect …`.
#[derive(Clone, Debug)]
pub struct Expect {
    /// What must hold.
    pub condition: Condition,
    /// `within DUR`.
    pub within: Option<Duration>,
}

/// What an expectation or a requirement states.
#[allow(clippy::large_enum_variant)] // Few are ever made, and none is moved much.
#[derive(Clone, Debug)]
pub enum Condition {
    /// `KIND.REF.FIELD OP VALUE`.
    Compare {
        /// What is looked at.
        subject: Subject,
        /// How it is compared.
        op: CompareOp,
        /// With what.
        expected: Expected,
    },
    /// `deadlock a b`.
    Deadlock(Vec<String>),
}

/// What an expectation looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// `msgq.jobs.qnum`.
    Object(Family, Reference, String),
    /// `shm.cnt.u32@8`.
    Memory(Reference, Place),
    /// `actor.b.state`.
    Actor(String, String),
    /// `limits.msgmax.value`.
    Limit(String, String),
    /// `$v`, `$((…))`.
    Term(Term),
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Matches,
}

/// `require …`: where it does not hold, the script is skipped.
#[derive(Clone, Debug)]
pub struct Require {
    /// What must hold.
    pub what: Requirement,
    /// The requirement, as written.
    pub text: Span,
}

/// What a script may need.
#[allow(clippy::large_enum_variant)] // Few are ever made, and none is moved much.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// `root`.
    Root,
    /// `program NAME`.
    Program(String),
    /// `!command`: it must exit with 0.
    Host(Vec<Piece>),
    /// `limits.msgmax.value >= 65536`.
    Condition(Condition),
}
