//! Text to program. Knows no kernel and no terminal.
//!
//! [`parse`] reads a whole program and checks it against the [`Catalog`] of commands, so
//! that a mistake on the last line is found before the first step runs.

mod arith;
mod bind;
mod catalog;
mod check;
mod claim;
mod cursor;
mod diagnostic;
mod eval;
mod file;
mod given;
mod lexer;
mod number;
mod parser;
mod pattern;
mod program;
mod quoted;
mod seek;
mod signature;
mod stop;
mod suggest;
mod term;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use bind::{Wanted, wanted};
pub use catalog::{Catalog, Foreign, Words};
pub use check::Known;
pub use diagnostic::{Diagnostic, short};
pub use eval::{Env, EvalError, LARGEST};
pub use file::{must_be_regular, read_limited, read_regular};
pub use given::{Given, Refusal};
pub use lexer::{Lexeme, Token, is_name, is_variable, tokens};
pub use number::{constant, duration, seconds};
pub use parser::{Loader, parse};
pub use pattern::{Pattern, PatternKind};
pub use program::*;
pub use signature::{Asks, Example, Family, Form, Kind, Need, Param, Rule, Runs, Signature};
pub use suggest::closest;
pub use vocabulary::vocabulary;
