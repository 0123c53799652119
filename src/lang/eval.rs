//! Variables, and what terms come to.

use std::borrow::Cow;
use std::collections::HashMap;

use super::diagnostic::short;
use super::file::read_regular;
use super::program::{Arith, ArithOp, IntType, Piece, Term, VarRef};
use crate::data::{Cell, Outcome};

/// The variables: each holds the outcome of the step that bound it.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: HashMap<String, Outcome>,
}

/// Why a term comes to nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum EvalError {
    #[error("`${0}` is not bound")]
    Unbound(String),
    #[error("`${name}` has no field `{field}`; it has {}", if has.is_empty() { "none" } else { has })]
    NoField {
        name: String,
        field: String,
        has: String,
    },
    #[error(
        "`${name}` is bound to `{outcome}`, which has no value of its own{}",
        if has.is_empty() { String::new() } else { format!("; its fields are {has}") }
    )]
    NoValue {
        name: String,
        outcome: String,
        has: String,
    },
    #[error("{what} is not an integer")]
    NotInt { what: String },
    #[error("the result of the arithmetic does not fit 64 bits")]
    Overflow,
    #[error("a shift is by 0 to 63 bits, and not by {0}")]
    Shift(i128),
    #[error("division by zero")]
    DivisionByZero,
    #[error("{value} does not fit {ty}, which holds {min} to {max}")]
    OutOfRange {
        value: i128,
        ty: &'static str,
        min: i128,
        max: i128,
    },
    #[error("a loop runs from 0 to {max} times, and not {0}", max = u64::MAX)]
    Times(i128),
    #[error("a value is {} MiB at most, and this would be larger", LARGEST >> 20)]
    TooLarge,
    #[error("{path}: {error}")]
    File { path: String, error: String },
}

/// The most bytes of a value: what one step reads at most, and a loop that doubles a text ends at.
pub const LARGEST: usize = 256 << 20;

/// How much of a value an error shows.
const LONGEST: usize = 200;

impl Env {
    /// Binds a name.
    pub fn bind(&mut self, name: &str, outcome: Outcome) {
        self.variables.insert(name.to_string(), outcome);
    }

    /// What a name is bound to.
    pub fn get(&self, name: &str) -> Option<&Outcome> {
        self.variables.get(name)
    }

    /// Every variable.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.variables.iter().map(|(n, o)| (n.as_str(), o))
    }

    /// The value of `$name` or `$name.field`.
    pub fn lookup(&self, var: &VarRef) -> Result<&Cell, EvalError> {
        let outcome = self
            .variables
            .get(&var.name)
            .ok_or_else(|| EvalError::Unbound(var.name.clone()))?;
        let has = || {
            let fields = outcome.fields.iter().chain(outcome.remarks());
            fields.map(|f| &*f.name).collect::<Vec<_>>().join(", ")
        };
        match &var.field {
            Some(field) => outcome.get(field).ok_or_else(|| EvalError::NoField {
                name: var.name.clone(),
                field: field.clone(),
                has: has(),
            }),
            None => outcome.value.as_ref().ok_or_else(|| EvalError::NoValue {
                name: var.name.clone(),
                outcome: short(outcome.to_string(), LONGEST),
                has: has(),
            }),
        }
    }

    /// A term's value.
    pub fn value(&self, term: &Term) -> Result<Cell, EvalError> {
        Ok(match term {
            Term::Int(n) => Cell::Int(*n),
            Term::Duration(d) => Cell::Elapsed(*d),
            Term::Var(var) => self.lookup(var)?.clone(),
            Term::Arith(arith) => Cell::Int(self.arith(arith)?),
            data => Cell::Data(self.bytes(data)?.into_owned()),
        })
    }

    /// A term's value as an integer.
    #[inline(always)]
    pub fn int(&self, term: &Term) -> Result<i128, EvalError> {
        match term {
            Term::Int(n) => Ok(*n),
            term => self.computed_int(term),
        }
    }

    fn computed_int(&self, term: &Term) -> Result<i128, EvalError> {
        if let Term::Arith(arith) = term {
            return self.arith(arith);
        }
        let value = self.value(term)?;
        value.as_number().ok_or_else(|| EvalError::NotInt {
            what: short(value.to_string(), LONGEST),
        })
    }

    /// How often a loop runs.
    pub fn times(&self, count: &Term) -> Result<u64, EvalError> {
        let n = self.int(count)?;
        u64::try_from(n).map_err(|_| EvalError::Times(n))
    }

    /// A term's value as bytes: an integer is its decimal digits.
    #[inline(always)]
    pub fn bytes<'a>(&self, term: &'a Term) -> Result<Cow<'a, [u8]>, EvalError> {
        match term {
            Term::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            term => self.computed_bytes(term).map(Cow::Owned),
        }
    }

    fn computed_bytes(&self, term: &Term) -> Result<Vec<u8>, EvalError> {
        Ok(match term {
            Term::Template(pieces) => self.template(pieces)?,
            Term::File(path) => {
                let path = String::from_utf8_lossy(&self.template(path)?).into_owned();
                read_regular(path.as_ref()).map_err(|e| EvalError::File {
                    path,
                    error: e.to_string(),
                })?
            }
            Term::Number(ty, term) => ty.encode(self.int(term)?)?,
            term => match self.value(term)? {
                Cell::Data(bytes) | Cell::Name(bytes) => bytes,
                other => other.to_string().into_bytes(),
            },
        })
    }

    /// A template's bytes.
    ///
    /// # Errors
    /// A variable is not bound; there are more than [`LARGEST`].
    pub fn template(&self, pieces: &[Piece]) -> Result<Vec<u8>, EvalError> {
        let mut out = Vec::new();
        let mut put = |bytes: &[u8]| {
            // Before there is room for them.
            if bytes.len() > LARGEST - out.len() {
                return Err(EvalError::TooLarge);
            }
            out.extend_from_slice(bytes);
            Ok(())
        };
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => put(bytes)?,
                Piece::Var(var) => match self.lookup(var)? {
                    Cell::Data(bytes) | Cell::Name(bytes) => put(bytes)?,
                    other => put(other.to_string().as_bytes())?,
                },
            }
        }
        Ok(out)
    }

    /// The result of arithmetic, within what a `u64` or an `i64` holds.
    pub fn arith(&self, arith: &Arith) -> Result<i128, EvalError> {
        let n = match arith {
            Arith::Int(n) => *n,
            Arith::Var(var) => {
                let value = self.lookup(var)?;
                value.as_number().ok_or_else(|| EvalError::NotInt {
                    what: format!(
                        "`${}`, which is {},",
                        var.name,
                        short(value.to_string(), LONGEST)
                    ),
                })?
            }
            Arith::Neg(x) => -self.arith(x)?,
            Arith::Flip(x) => !self.arith(x)?,
            Arith::Not(x) => (self.arith(x)? == 0).into(),
            Arith::Choice(parts) => {
                let [which, yes, no] = &**parts;
                self.arith(if self.arith(which)? != 0 { yes } else { no })?
            }
            Arith::Binary(x, op, y) => {
                let x = self.arith(x)?;
                // As in C, the right side is computed only where it decides.
                let y = match op {
                    ArithOp::Both if x == 0 => 0,
                    ArithOp::Either if x != 0 => 0,
                    _ => self.arith(y)?,
                };
                apply(*op, x, y)?
            }
        };
        let fits = i128::from(i64::MIN)..=i128::from(u64::MAX);
        fits.contains(&n).then_some(n).ok_or(EvalError::Overflow)
    }
}

fn apply(op: ArithOp, x: i128, y: i128) -> Result<i128, EvalError> {
    let shift = || match u32::try_from(y) {
        Ok(bits @ 0..64) => Ok(bits),
        _ => Err(EvalError::Shift(y)),
    };
    let result = match op {
        ArithOp::Add => x.checked_add(y),
        ArithOp::Sub => x.checked_sub(y),
        ArithOp::Mul => x.checked_mul(y),
        ArithOp::Div | ArithOp::Rem if y == 0 => return Err(EvalError::DivisionByZero),
        ArithOp::Div => x.checked_div(y),
        ArithOp::Rem => x.checked_rem(y),
        ArithOp::Shl => x.checked_shl(shift()?),
        ArithOp::Shr => x.checked_shr(shift()?),
        ArithOp::And => Some(x & y),
        ArithOp::Or => Some(x | y),
        ArithOp::Xor => Some(x ^ y),
        ArithOp::Eq => Some((x == y).into()),
        ArithOp::Ne => Some((x != y).into()),
        ArithOp::Lt => Some((x < y).into()),
        ArithOp::Le => Some((x <= y).into()),
        ArithOp::Gt => Some((x > y).into()),
        ArithOp::Ge => Some((x >= y).into()),
        ArithOp::Both => Some((x != 0 && y != 0).into()),
        ArithOp::Either => Some((x != 0 || y != 0).into()),
    };
    result.ok_or(EvalError::Overflow)
}

impl IntType {
    /// Every type.
    pub const ALL: [IntType; 8] = [
        IntType::U8,
        IntType::U16,
        IntType::U32,
        IntType::U64,
        IntType::I8,
        IntType::I16,
        IntType::I32,
        IntType::I64,
    ];

    /// How it is written: `u32`.
    pub fn name(self) -> &'static str {
        match self {
            IntType::U8 => "u8",
            IntType::U16 => "u16",
            IntType::U32 => "u32",
            IntType::U64 => "u64",
            IntType::I8 => "i8",
            IntType::I16 => "i16",
            IntType::I32 => "i32",
            IntType::I64 => "i64",
        }
    }

    /// The type that is written so.
    pub fn from_name(name: &str) -> Option<IntType> {
        IntType::ALL.into_iter().find(|t| t.name() == name)
    }

    /// Its width in bytes.
    pub fn width(self) -> usize {
        match self {
            IntType::U8 | IntType::I8 => 1,
            IntType::U16 | IntType::I16 => 2,
            IntType::U32 | IntType::I32 => 4,
            IntType::U64 | IntType::I64 => 8,
        }
    }

    fn signed(self) -> bool {
        matches!(
            self,
            IntType::I8 | IntType::I16 | IntType::I32 | IntType::I64
        )
    }

    fn bounds(self) -> (i128, i128) {
        let bits = self.width() as u32 * 8;
        if self.signed() {
            (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
        } else {
            (0, (1i128 << bits) - 1)
        }
    }

    /// The bytes of an integer, in the machine's order.
    pub fn encode(self, n: i128) -> Result<Vec<u8>, EvalError> {
        let word = self.word(n)?;
        Ok(match self.width() {
            1 => (word as u8).to_ne_bytes().to_vec(),
            2 => (word as u16).to_ne_bytes().to_vec(),
            4 => (word as u32).to_ne_bytes().to_vec(),
            _ => word.to_ne_bytes().to_vec(),
        })
    }

    /// An integer as the low bytes of a word: the reverse of [`decode`](IntType::decode).
    pub fn word(self, n: i128) -> Result<u64, EvalError> {
        let (min, max) = self.bounds();
        if (min..=max).contains(&n) {
            return Ok(n as u64);
        }
        Err(EvalError::OutOfRange {
            value: n,
            ty: self.name(),
            min,
            max,
        })
    }

    /// The integer that the low bytes of a word are.
    pub fn decode(self, word: u64) -> i128 {
        match self {
            IntType::U8 => i128::from(word as u8),
            IntType::U16 => i128::from(word as u16),
            IntType::U32 => i128::from(word as u32),
            IntType::U64 => i128::from(word),
            IntType::I8 => i128::from(word as i8),
            IntType::I16 => i128::from(word as i16),
            IntType::I32 => i128::from(word as i32),
            IntType::I64 => i128::from(word as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_width_and_sign() {
        assert_eq!(IntType::I16.encode(-2).unwrap(), (-2i16).to_ne_bytes());
        assert_eq!(IntType::I16.decode((-2i16) as u16 as u64), -2);
        assert_eq!(IntType::U64.decode(u64::MAX), i128::from(u64::MAX));
        assert!(IntType::U8.encode(256).is_err() && IntType::U8.encode(-1).is_err());
    }

    #[test]
    fn a_variable_is_the_outcome_that_bound_it() {
        let mut env = Env::default();
        let message = Outcome::value(Cell::Data(b"hi".to_vec())).field("type", 2);
        env.bind("m", message);
        let var = |name: &str, field: Option<&str>| VarRef {
            name: name.into(),
            field: field.map(String::from),
        };
        assert_eq!(env.lookup(&var("m", Some("type"))), Ok(&Cell::Int(2)));
        let text = [
            Piece::Bytes(b"<".to_vec()),
            Piece::Var(var("m", None)),
            Piece::Var(var("m", Some("type"))),
        ];
        assert_eq!(env.template(&text).unwrap(), b"<hi2");
        assert_eq!(
            env.lookup(&var("m", Some("typo"))).unwrap_err().to_string(),
            "`$m` has no field `typo`; it has type"
        );
        assert_eq!(
            env.lookup(&var("n", None)).unwrap_err().to_string(),
            "`$n` is not bound"
        );
    }

    #[test]
    fn arithmetic_never_wraps() {
        let env = Env::default();
        let max = Box::new(Arith::Int(u64::MAX.into()));
        let sum = Arith::Binary(max, ArithOp::Add, Box::new(Arith::Int(1)));
        assert_eq!(env.arith(&sum), Err(EvalError::Overflow));
        let zero = Arith::Binary(
            Box::new(Arith::Int(1)),
            ArithOp::Rem,
            Box::new(Arith::Int(0)),
        );
        assert_eq!(env.arith(&zero), Err(EvalError::DivisionByZero));
    }
}
