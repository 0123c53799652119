//! `$((…))`: the operators of C, on integers.

use super::number;
use super::program::{Arith, ArithOp};
use super::quoted::{braced_variable, variable};

/// An expression of more operators, signs and parentheses than this is refused: it is
/// read, evaluated and dropped by recursion.
const MOST: usize = 100;

/// The operators with how tightly they bind. No sign is the beginning of a later one.
pub(super) const OPERATORS: [(&str, ArithOp, u8); 10] = [
    ("|", ArithOp::Or, 0),
    ("^", ArithOp::Xor, 1),
    ("&", ArithOp::And, 2),
    ("<<", ArithOp::Shl, 3),
    (">>", ArithOp::Shr, 3),
    ("+", ArithOp::Add, 4),
    ("-", ArithOp::Sub, 4),
    ("*", ArithOp::Mul, 5),
    ("/", ArithOp::Div, 5),
    ("%", ArithOp::Rem, 5),
];

/// Reads the inside of `$((…))`. The error is the offset at which it makes no sense.
pub(super) fn arithmetic(text: &str) -> Result<Arith, usize> {
    let mut reader = Reader {
        text,
        rest: text,
        parts: 0,
    };
    let arith = reader.expression(0)?;
    reader.skip_blanks();
    match reader.rest {
        "" => Ok(arith),
        _ => Err(reader.at()),
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    parts: usize,
}

impl Reader<'_> {
    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes the sign, where it stands here.
    fn sign(&mut self, sign: &str) -> Result<bool, usize> {
        let Some(rest) = self.rest.strip_prefix(sign) else {
            return Ok(false);
        };
        if self.parts >= MOST {
            return Err(self.at());
        }
        self.parts += 1;
        self.rest = rest;
        Ok(true)
    }

    /// Operands between operators that bind as tightly as `least` or more.
    fn expression(&mut self, least: u8) -> Result<Arith, usize> {
        let mut left = self.operand()?;
        loop {
            self.skip_blanks();
            let found = OPERATORS.iter().find(|(s, ..)| self.rest.starts_with(s));
            let Some((sign, op, binding)) = found.filter(|(.., b)| *b >= least) else {
                return Ok(left);
            };
            self.sign(sign)?;
            let right = self.expression(binding + 1)?;
            left = Arith::Binary(Box::new(left), *op, Box::new(right));
        }
    }

    fn operand(&mut self) -> Result<Arith, usize> {
        self.skip_blanks();
        if self.sign("-")? {
            return Ok(Arith::Neg(Box::new(self.operand()?)));
        }
        if self.sign("+")? {
            return self.operand();
        }
        if self.sign("(")? {
            let inner = self.expression(0)?;
            self.skip_blanks();
            return match self.rest.strip_prefix(')') {
                Some(rest) => {
                    self.rest = rest;
                    Ok(inner)
                }
                None => Err(self.at()),
            };
        }
        if let Some((n, width)) = number::digits(self.rest) {
            self.rest = &self.rest[width..];
            return Ok(Arith::Int(n));
        }
        let found = match self.rest.strip_prefix('$') {
            Some(name) if name.starts_with('{') => braced_variable(self.rest),
            Some(name) => variable(name),
            None => variable(self.rest),
        };
        let (rest, var) = found.map_err(|_| self.at())?;
        self.rest = rest;
        Ok(Arith::Var(var))
    }
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
            (" - 3 + +4 ", 1),
        ] {
            let arith = arithmetic(text).unwrap();
            assert_eq!(env.arith(&arith).unwrap(), n, "{text}");
        }
    }

    #[test]
    fn a_variable_needs_no_sign() {
        let written: Vec<_> = ["v + 1", "$v+1", "${v} + 1"].map(arithmetic).into();
        assert!(written.iter().all(|a| *a == written[0] && a.is_ok()));
        assert!(arithmetic("$m.type * 2").is_ok());
        assert_eq!(arithmetic("1 + ${v"), Err(4));
    }

    #[test]
    fn what_makes_no_sense_is_pointed_at() {
        for (text, at) in [("1 +", 3), ("1 2", 2), ("(1", 2), ("", 0), ("1 + * 2", 4)] {
            assert_eq!(arithmetic(text), Err(at), "{text}");
        }
        assert!(arithmetic(&"(".repeat(100_000)).is_err());
        assert!(arithmetic(&"-".repeat(100_000)).is_err());
        assert!(arithmetic(&"1+".repeat(100_000)).is_err());
    }
}
