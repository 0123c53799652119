//! `$((…))`: the operators of C, on integers.

use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, multispace0};
use nom::combinator::value;
use nom::error::ErrorKind;
use nom::sequence::{delimited, preceded};
use nom::{Err, Parser};

use super::lexer::{Lexed, braced_variable, digits, variable};
use super::program::{Arith, ArithOp};

/// Parentheses and signs nested deeper than this are refused: the parser and the
/// evaluation recurse.
const MAX_DEPTH: usize = 100;

/// The operators by how tightly they bind, loosest first.
const LEVELS: [&[(&str, ArithOp)]; 6] = [
    &[("|", ArithOp::Or)],
    &[("^", ArithOp::Xor)],
    &[("&", ArithOp::And)],
    &[("<<", ArithOp::Shl), (">>", ArithOp::Shr)],
    &[("+", ArithOp::Add), ("-", ArithOp::Sub)],
    &[
        ("*", ArithOp::Mul),
        ("/", ArithOp::Div),
        ("%", ArithOp::Rem),
    ],
];

/// Reads the inside of `$((…))`. The error is the offset at which it makes no sense.
pub(super) fn arithmetic(text: &str) -> Result<Arith, usize> {
    match level(text, 0, 0) {
        Ok((rest, arith)) => match rest.trim_start() {
            "" => Ok(arith),
            rest => Err(text.len() - rest.len()),
        },
        Err(Err::Error(_) | Err::Failure(_) | Err::Incomplete(_)) => {
            // Everything is a number, a name or an operator: the first thing that cannot
            // follow is found by reading as far as possible.
            Err(text.len() - furthest(text).len())
        }
    }
}

fn furthest(text: &str) -> &str {
    let mut rest = text;
    while let Ok((after, _)) = level(rest, LEVELS.len(), 0) {
        rest = after.trim_start();
        match LEVELS
            .iter()
            .flat_map(|l| l.iter())
            .find(|(sign, _)| rest.starts_with(sign))
        {
            Some((sign, _)) => rest = rest[sign.len()..].trim_start(),
            None => break,
        }
    }
    rest
}

fn level(i: &str, binding: usize, depth: usize) -> Lexed<'_, Arith> {
    let Some(operators) = LEVELS.get(binding) else {
        return unary(i, depth);
    };
    let (mut rest, mut left) = level(i, binding + 1, depth)?;
    let mut length = 0;
    loop {
        let after_blanks = rest.trim_start();
        let Some((sign, op)) = operators.iter().find(|(s, _)| after_blanks.starts_with(s)) else {
            return Ok((rest, left));
        };
        length += 1;
        if length > MAX_DEPTH {
            return too_deep(after_blanks);
        }
        let (after, right) = level(&after_blanks[sign.len()..], binding + 1, depth)?;
        left = Arith::Binary(Box::new(left), *op, Box::new(right));
        rest = after;
    }
}

fn unary(i: &str, depth: usize) -> Lexed<'_, Arith> {
    if depth > MAX_DEPTH {
        return too_deep(i);
    }
    preceded(
        multispace0,
        alt((
            preceded(char('-'), |i| unary(i, depth + 1)).map(|x| Arith::Neg(Box::new(x))),
            preceded(char('+'), |i| unary(i, depth + 1)),
            delimited(
                char('('),
                |i| level(i, 0, depth + 1),
                preceded(multispace0, char(')')),
            ),
            digits.map(Arith::Int),
            braced_variable.map(Arith::Var),
            preceded(alt((value((), tag("$")), value((), tag("")))), variable).map(Arith::Var),
        )),
    )
    .parse(i)
}

fn too_deep<'a>(i: &'a str) -> Lexed<'a, Arith> {
    Err(Err::Failure(nom::error::ParseError::from_error_kind(
        i,
        ErrorKind::TooLarge,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_that_of_c() {
        use crate::lang::eval::Env;
        let env = Env::default();
        for (text, n) in [
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("10 - 3 - 2", 5),
            ("1 << 4 | 1", 17),
            ("-(-3) % 2", 1),
            ("0x10", 16),
            ("7 & 3 ^ 1", 2),
        ] {
            let arith = arithmetic(text).unwrap();
            assert_eq!(env.arith(&arith).unwrap(), n, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_pointed_at() {
        for (text, at) in [("1 +", 3), ("1 2", 2), ("(1", 0), ("", 0), ("1 + * 2", 4)] {
            assert_eq!(arithmetic(text), Err(at), "{text}");
        }
        assert!(arithmetic(&"(".repeat(100_000)).is_err());
        assert!(arithmetic(&"-".repeat(100_000)).is_err());
        assert!(arithmetic(&"1+".repeat(100_000)).is_err());
    }
}
