//! `$((…))`: the operators of C, on integers.

use super::number;
use super::program::{Arith, ArithOp};
use super::quoted::{braced_variable, variable};

/// An expression of more operators, signs and parentheses than this is refused: it is
/// read, evaluated and dropped by recursion.
pub(super) const MOST: usize = 300;

/// The operators with how tightly they bind. No sign is the beginning of a later one.
pub(super) const OPERATORS: [(&str, ArithOp, u8); 18] = [
    ("||", ArithOp::Either, 1),
    ("&&", ArithOp::Both, 2),
    ("|", ArithOp::Or, 3),
    ("^", ArithOp::Xor, 4),
    ("&", ArithOp::And, 5),
    ("==", ArithOp::Eq, 6),
    ("!=", ArithOp::Ne, 6),
    ("<<", ArithOp::Shl, 8),
    (">>", ArithOp::Shr, 8),
    ("<=", ArithOp::Le, 7),
    (">=", ArithOp::Ge, 7),
    ("<", ArithOp::Lt, 7),
    (">", ArithOp::Gt, 7),
    ("+", ArithOp::Add, 9),
    ("-", ArithOp::Sub, 9),
    ("*", ArithOp::Mul, 10),
    ("/", ArithOp::Div, 10),
    ("%", ArithOp::Rem, 10),
];

/// `IF ? THEN : ELSE`, which binds least of all.
pub(super) const CHOICE: [&str; 2] = ["?", ":"];

/// The signs before an operand.
pub(super) const UNARY: [&str; 4] = ["-", "+", "~", "!"];

/// Where an expression makes no sense, and why.
#[derive(Debug, PartialEq)]
pub(super) struct Nonsense {
    /// Its place in the text.
    pub at: usize,
    pub why: Why,
}

/// Why an expression makes no sense.
#[derive(Debug, PartialEq)]
pub(super) enum Why {
    /// Something else must stand here.
    Unexpected,
    /// A number such as `010`: octal in C, and decimal everywhere else in the language.
    LeadingZero,
    /// There is more of it than is read.
    TooLong,
}

/// Reads the inside of `$((…))`.
pub(super) fn arithmetic(text: &str) -> Result<Arith, Nonsense> {
    let mut reader = Reader {
        text,
        rest: text,
        parts: 0,
    };
    let arith = reader.expression(0)?;
    reader.skip_blanks();
    match reader.rest {
        "" => Ok(arith),
        _ => Err(reader.nonsense(Why::Unexpected)),
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    parts: usize,
}

impl Reader<'_> {
    fn nonsense(&self, why: Why) -> Nonsense {
        Nonsense {
            at: self.text.len() - self.rest.len(),
            why,
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes the sign, where it stands here.
    fn sign(&mut self, sign: &str) -> Result<bool, Nonsense> {
        let Some(rest) = self.rest.strip_prefix(sign) else {
            return Ok(false);
        };
        if self.parts >= MOST {
            return Err(self.nonsense(Why::TooLong));
        }
        self.parts += 1;
        self.rest = rest;
        Ok(true)
    }

    /// Takes a sign that must stand here.
    fn close(&mut self, sign: &str) -> Result<(), Nonsense> {
        self.skip_blanks();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.nonsense(Why::Unexpected)),
        }
    }

    /// Operands between operators that bind as tightly as `least` or more.
    fn expression(&mut self, least: u8) -> Result<Arith, Nonsense> {
        let mut left = self.operand()?;
        loop {
            self.skip_blanks();
            let found = OPERATORS.iter().find(|(s, ..)| self.rest.starts_with(s));
            let Some((sign, op, binding)) = found.filter(|(.., b)| *b >= least) else {
                break;
            };
            self.sign(sign)?;
            let right = self.expression(binding + 1)?;
            left = Arith::Binary(Box::new(left), *op, Box::new(right));
        }
        let [then, or] = CHOICE;
        if least > 0 || !self.sign(then)? {
            return Ok(left);
        }
        let yes = self.expression(0)?;
        self.close(or)?;
        let no = self.expression(0)?;
        Ok(Arith::Choice(Box::new([left, yes, no])))
    }

    fn operand(&mut self) -> Result<Arith, Nonsense> {
        self.skip_blanks();
        for sign in UNARY {
            if self.sign(sign)? {
                let operand = Box::new(self.operand()?);
                return Ok(match sign {
                    "-" => Arith::Neg(operand),
                    "~" => Arith::Flip(operand),
                    "!" => Arith::Not(operand),
                    _ => *operand,
                });
            }
        }
        if self.sign("(")? {
            let inner = self.expression(0)?;
            self.close(")")?;
            return Ok(inner);
        }
        if let Some((n, width)) = number::digits(self.rest) {
            if matches!(self.rest.as_bytes(), [b'0', b'0'..=b'9' | b'_', ..]) {
                return Err(self.nonsense(Why::LeadingZero));
            }
            self.rest = &self.rest[width..];
            return Ok(Arith::Int(n));
        }
        let found = match self.rest.strip_prefix('$') {
            Some(name) if name.starts_with('{') => braced_variable(self.rest),
            Some(name) => variable(name),
            None => variable(self.rest),
        };
        let (rest, var) = found.map_err(|_| self.nonsense(Why::Unexpected))?;
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
            ("~5", -6),
            ("!0 + !7", 1),
            ("1 || 0 && 0", 1),
            ("1 < 2 == 2 > 1", 1),
            ("3 != 3 | 4 >= 4", 1),
            ("2 <= 1 << 1", 1),
            ("0 ? 1 : 0 ? 2 : 3", 3),
            ("1 ? 0 ? 4 : 5 : 6", 5),
            ("(1 ? 2 : 3) * 10 + 0", 20),
            // What is not needed is not computed.
            ("0 && 1 / 0", 0),
            ("2 || 1 / 0", 1),
            ("1 ? 7 : 1 / 0", 7),
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
        assert_eq!(wrong("1 + ${v"), (4, Why::Unexpected));
    }

    fn wrong(text: &str) -> (usize, Why) {
        let nonsense = arithmetic(text).unwrap_err();
        (nonsense.at, nonsense.why)
    }

    #[test]
    fn what_makes_no_sense_is_pointed_at() {
        for (text, at) in [
            ("1 +", 3),
            ("1 2", 2),
            ("(1", 2),
            ("", 0),
            ("1 + * 2", 4),
            ("1 ? 2", 5),
            ("1 : 2", 2),
            ("1 = 2", 2),
        ] {
            assert_eq!(wrong(text), (at, Why::Unexpected), "{text}");
        }
        // Octal in C, and nowhere else here.
        for (text, at) in [("010", 0), ("1 + 00", 4), ("0_1", 0)] {
            assert_eq!(wrong(text), (at, Why::LeadingZero), "{text}");
        }
        // What is read may be run, sent to an actor and dropped on a small stack.
        for text in [
            format!("1{}", "+1".repeat(MOST)),
            format!("{}1{}", "(".repeat(MOST), ")".repeat(MOST)),
            format!("{}1", "-".repeat(MOST)),
            format!("{}2", "1?1:".repeat(MOST)),
        ] {
            let arith = arithmetic(&text).unwrap();
            assert!(crate::lang::eval::Env::default().arith(&arith).is_ok());
            let sent = postcard::to_stdvec(&arith).unwrap();
            assert_eq!(postcard::from_bytes(&sent), Ok(arith));
        }
        for sign in ["(", "-", "~", "!", "1+", "1?", "1?1:", "1&&"] {
            assert_eq!(wrong(&sign.repeat(100_000)).1, Why::TooLong, "{sign}");
        }
    }
}
