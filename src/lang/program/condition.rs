//! What must hold: claims on outcomes, expectations, requirements.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{IntType, Piece, Reference, Span, Term};
use crate::lang::pattern::Pattern;
use crate::lang::signature::Family;

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
    Memory(Reference, IntType, Term),
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
