//! What `expect` and `require` state.

use super::super::claim::expected;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, is_name};
use super::super::program::{
    CompareOp, Condition, Expect, Expected, Require, Requirement, Span, StatementKind, Subject,
    Term,
};
use super::super::suggest::did_you_mean;
use super::control::duration;
use super::{Parser, Prefix};

pub(in super::super) const COMPARISONS: [(&str, CompareOp); 7] = [
    ("==", CompareOp::Eq),
    ("!=", CompareOp::Ne),
    ("<", CompareOp::Lt),
    ("<=", CompareOp::Le),
    (">", CompareOp::Gt),
    (">=", CompareOp::Ge),
    ("~", CompareOp::Matches),
];

impl Parser<'_> {
    /// `expect CONDITION [within DUR]`.
    pub(super) fn expect(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "expect")?;
        self.cursor.pass();
        let condition = self.condition(keyword)?;
        let mut within = None;
        if self.cursor.peek_bare()? == Some("within") {
            self.cursor.pass();
            let value = self.cursor.take("a duration")?;
            within = Some(duration(&value)?);
        }
        Ok(StatementKind::Expect(Box::new(Expect {
            condition,
            within,
        })))
    }

    /// `require REQUIREMENT`.
    pub(super) fn require(&mut self, prefix: &Prefix, keyword: Span) -> Parsed<StatementKind> {
        self.no_actor(prefix, "require")?;
        self.cursor.pass();
        let start = self.cursor.start();
        let what = self.requirement(keyword)?;
        Ok(StatementKind::Require(Box::new(Require {
            what,
            text: Span::new(start, self.cursor.end()),
        })))
    }

    /// `KIND.REF.FIELD OP VALUE` or `deadlock a b`.
    fn condition(&mut self, keyword: Span) -> Parsed<Condition> {
        let start = self.cursor.start();
        let condition = match self.cursor.peek_bare()? {
            Some("deadlock") => self.deadlock()?,
            _ => self.comparison(keyword)?,
        };
        let seek = self.seek(Span::new(start, self.cursor.end()));
        self.known.condition(&condition, &seek)?;
        Ok(condition)
    }

    fn deadlock(&mut self) -> Parsed<Condition> {
        self.cursor.pass();
        let mut actors = Vec::new();
        while let Some(token) = self.cursor.peek()? {
            match token.bare() {
                Some("within") if !actors.is_empty() => break,
                Some(name) if is_name(name) => actors.push(name.to_string()),
                _ => {
                    return Err(Mistake::new(token.span, "this is not an actor")
                        .label("expected the actors that wait for each other"));
                }
            }
            self.cursor.pass();
        }
        if actors.is_empty() {
            return Err(self
                .cursor
                .missing("an actor")
                .help("usage: expect deadlock a b"));
        }
        Ok(Condition::Deadlock(actors))
    }

    fn comparison(&mut self, keyword: Span) -> Parsed<Condition> {
        const SIGNS: &str = "expected ==, !=, <, <=, >, >= or ~";
        let subject = self.subject(keyword)?;
        let Some(sign) = self.cursor.next()? else {
            return Err(self.cursor.missing("a comparison").label(SIGNS));
        };
        let op = sign
            .bare()
            .and_then(|w| COMPARISONS.iter().find(|(s, _)| *s == w))
            .map(|(_, op)| *op);
        let Some(op) = op else {
            let mistake = Mistake::new(sign.span, "this is not a comparison").label(SIGNS);
            return Err(match sign.bare() {
                Some("=") => mistake.help("did you mean `==`?"),
                Some("=~") => mistake.help("did you mean `~`?"),
                _ => mistake,
            });
        };
        let value = self.cursor.take("a value")?;
        let expected = expected(&value)?;
        comparable(&subject, op, &expected, value.span)?;
        let is_pattern = matches!(expected, Expected::Pattern(_));
        if is_pattern && op != CompareOp::Matches {
            return Err(Mistake::new(sign.span, "a pattern is compared with `~`")
                .label("expected `~` before a pattern"));
        }
        if !is_pattern && op == CompareOp::Matches {
            return Err(Mistake::new(value.span, "`~` compares with a pattern")
                .label("expected re\"…\" or glob\"…\""));
        }
        Ok(Condition::Compare {
            subject,
            op,
            expected,
        })
    }

    /// `root`, `program NAME`, `!command`, or a condition.
    fn requirement(&mut self, keyword: Span) -> Parsed<Requirement> {
        const WHAT: &str = "expected root, program NAME, !command, or a condition such as limits.msgmax.value >= 8192";
        if self.cursor.at_host() {
            return self.host_requirement();
        }
        let Some(token) = self.cursor.peek()? else {
            return Err(self.cursor.missing("what is required").label(WHAT));
        };
        let span = token.span;
        match token.bare() {
            Some("root") => {
                self.cursor.pass();
                Ok(Requirement::Root)
            }
            Some("program") => {
                self.cursor.pass();
                let token = self.cursor.take("the name of a program")?;
                match &token.lexeme {
                    Lexeme::Bare(name) => Ok(Requirement::Program(name.to_string())),
                    _ => Err(Mistake::new(token.span, "this cannot name a program")
                        .label("expected a name such as python3, without quotes")),
                }
            }
            Some(word) if !word.contains(['.', '$']) && word != "deadlock" => {
                Err(Mistake::new(span, format!("`{word}` cannot be required"))
                    .label(WHAT)
                    .maybe_help(did_you_mean(word, ["root", "program"])))
            }
            _ => self.condition(keyword).map(Requirement::Condition),
        }
    }
}

/// The value is one that the subject may be compared with so.
fn comparable(subject: &Subject, op: CompareOp, expected: &Expected, at: Span) -> Parsed<()> {
    let ordered = matches!(
        op,
        CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge
    );
    let is_text = match expected {
        Expected::Term(term) => matches!(
            term,
            Term::Bytes(_) | Term::Template(_) | Term::File(_) | Term::Number(..)
        ),
        Expected::Word(_) => true,
        Expected::Pattern(_) => false,
    };
    if ordered && is_text {
        return Err(Mistake::new(at, "only numbers can be ordered")
            .label("expected a number or a duration")
            .help("text is compared with ==, != and ~"));
    }
    match (subject, expected) {
        (Subject::Memory(_, ty, _), Expected::Term(Term::Int(n))) => match ty.word(*n) {
            Ok(_) => Ok(()),
            Err(e) => Err(Mistake::new(at, e.to_string()).label("expected an integer that fits")),
        },
        _ => Ok(()),
    }
}
