//! Values that may have to be computed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
