//! What `expect` and `require` state.

use std::time::Duration;

use super::super::check::Seek;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Token, is_name};
use super::super::number;
use super::super::program::{
    CompareOp, Condition, Expected, Requirement, Span, Subject, Target, Term,
};
use super::super::signature::Family;
use super::super::suggest::did_you_mean;
use super::super::term;
use super::{Parser, expected};

const OPS: [(&str, CompareOp); 7] = [
    ("==", CompareOp::Eq),
    ("!=", CompareOp::Ne),
    ("<", CompareOp::Lt),
    ("<=", CompareOp::Le),
    (">", CompareOp::Gt),
    (">=", CompareOp::Ge),
    ("~", CompareOp::Matches),
];

impl Parser<'_> {
    /// `KIND.REF.FIELD OP VALUE [within DUR]` or `deadlock a b`.
    pub(super) fn condition(
        &mut self,
        keyword: Span,
        may_wait: bool,
    ) -> Parsed<(Condition, Option<Duration>)> {
        let start = self.lexer.skip_blanks();
        let first = self.peek()?;
        let condition = match first.as_ref().and_then(Token::bare) {
            Some("deadlock") => self.deadlock()?,
            _ => self.comparison(keyword)?,
        };
        let within = match self.peek()? {
            Some(token) if may_wait && token.bare() == Some("within") => {
                self.lexer.next()?;
                let value = self.take("a duration")?;
                match value.bare().and_then(number::duration) {
                    Some(d) => Some(d),
                    None => {
                        return Err(Mistake::new(value.span, "this is no duration")
                            .label("expected a duration such as 500ms or 1s"));
                    }
                }
            }
            _ => None,
        };
        let end = self.lexer_end(start);
        let seek = Seek {
            text: self.lexer.text(),
            span: Span::new(start, end),
        };
        self.known.condition(&condition, &seek)?;
        Ok((condition, within))
    }

    fn deadlock(&mut self) -> Parsed<Condition> {
        self.lexer.next()?;
        let mut actors = Vec::new();
        while let Some(token) = self.peek()? {
            match token.bare() {
                Some("within") if !actors.is_empty() => break,
                Some(name) if is_name(name) => actors.push(name.to_string()),
                _ => {
                    return Err(Mistake::new(token.span, "this is no actor")
                        .label("expected the actors that wait for each other"));
                }
            }
            self.lexer.next()?;
        }
        if actors.is_empty() {
            return Err(self.ends_early("an actor's name"));
        }
        Ok(Condition::Deadlock(actors))
    }

    fn comparison(&mut self, keyword: Span) -> Parsed<Condition> {
        let subject = self.subject(keyword)?;
        let sign = self.take("a comparison")?;
        let op = sign
            .bare()
            .and_then(|w| OPS.iter().find(|(s, _)| *s == w))
            .map(|(_, op)| *op);
        let Some(op) = op else {
            let mistake = Mistake::new(sign.span, "this is no comparison")
                .label("expected ==, !=, <, <=, >, >= or ~");
            return Err(match sign.bare() {
                Some("=") => mistake.help("did you mean `==`?"),
                _ => mistake,
            });
        };
        let value = self.take("a value")?;
        let expected = expected(&value)?;
        let is_pattern = matches!(expected, Expected::Pattern(_));
        if is_pattern != (op == CompareOp::Matches) {
            return Err(
                Mistake::new(value.span, "`~` compares with a pattern, the others do not")
                    .label("a pattern is written re\"…\" or glob\"…\""),
            );
        }
        Ok(Condition::Compare {
            subject,
            op,
            expected,
        })
    }

    /// The dotted path: adjacent tokens, since a part of it may be quoted.
    fn subject(&mut self, keyword: Span) -> Parsed<Subject> {
        let first = self.take("what is expected, such as msgq.jobs.qnum")?;
        let at = first.span.start as usize;
        if let Some(word) = first.bare()
            && let Some(value) = term::computed(word, at)
        {
            return value.map(Subject::Term);
        }
        let mut span = first.span;
        let mut parts: Vec<(String, Span)> = Vec::new();
        let mut token = first;
        loop {
            match &token.lexeme {
                Lexeme::Bare(word) => self.path_parts(word, token.span, &mut parts),
                Lexeme::Data(Term::Bytes(bytes)) => {
                    let quoted = String::from_utf8_lossy(bytes).into_owned();
                    match parts.last_mut() {
                        Some((part, _)) if part.is_empty() => *part = quoted,
                        _ => parts.push((quoted, token.span)),
                    }
                }
                _ => break,
            }
            span = span.to(token.span);
            match self.peek()? {
                Some(next) if next.span.start == token.span.end => {
                    self.lexer.next()?;
                    token = next;
                }
                _ => break,
            }
        }
        self.subject_of(&parts, span, keyword)
    }

    fn path_parts(&self, word: &str, span: Span, parts: &mut Vec<(String, Span)>) {
        let mut at = span.start as usize;
        for (i, part) in word.split('.').enumerate() {
            let here = Span::new(at, at + part.len());
            at += part.len() + 1;
            // `."quoted".field`: the first, empty part continues the quoted one.
            if !(i == 0 && part.is_empty() && !parts.is_empty()) {
                parts.push((part.to_string(), here));
            }
        }
    }

    fn subject_of(&self, parts: &[(String, Span)], span: Span, keyword: Span) -> Parsed<Subject> {
        let kind = &parts[0].0;
        let kinds = Family::ALL
            .iter()
            .map(|f| f.noun())
            .chain(["actor", "limits"]);
        let family = Family::from_noun(kind);
        if family.is_none() && kind != "actor" && kind != "limits" {
            let known: Vec<&str> = kinds.collect();
            return Err(
                Mistake::new(parts[0].1, format!("`{kind}` cannot be looked at"))
                    .label(format!("expected {} or $variable", known.join(", ")))
                    .maybe_help(did_you_mean(kind, known))
                    .maybe_help(None),
            );
        }
        let (field, field_span) = match parts {
            [_, .., (field, span)] => (field.as_str(), *span),
            _ => {
                let word = keyword.of(self.lexer.text());
                return Err(Mistake::new(span, "a field is missing")
                    .label(format!("such as `{word} {kind}.NAME.FIELD == VALUE`")));
            }
        };
        let known: Vec<&str> = match family {
            Some(family) => self.catalog.fields(family).to_vec(),
            None if kind == "actor" => self.catalog.actor_fields.clone(),
            None => vec!["value"],
        };
        let is_place = family == Some(Family::Shm) && field.contains('@');
        if !is_place && !known.contains(&field) {
            return Err(
                Mistake::new(field_span, format!("`{kind}` has no field `{field}`"))
                    .label(format!("expected {}", known.join(", ")))
                    .maybe_help(did_you_mean(field, known.iter().copied())),
            );
        }
        let name = match parts {
            [_, (name, span), _] => Some((name.as_str(), *span)),
            [_, _] => None,
            _ => {
                return Err(Mistake::new(span, "too many parts")
                    .label(format!("expected {kind}.NAME.FIELD"))
                    .help("a name with a dot in it is quoted: msgq.\"key:/a.b,1\".qnum"));
            }
        };
        let Some(family) = family else {
            let Some((name, name_span)) = name else {
                return Err(Mistake::new(span, "a name is missing")
                    .label(format!("expected {kind}.NAME.{field}")));
            };
            if kind == "actor" {
                return Ok(Subject::Actor(name.to_string(), field.to_string()));
            }
            if !self.catalog.limits.contains(&name) {
                let limits = self.catalog.limits.iter().copied();
                return Err(Mistake::new(name_span, format!("unknown limit `{name}`"))
                    .label("`limits` lists them")
                    .maybe_help(did_you_mean(name, limits)));
            }
            return Ok(Subject::Limit(name.to_string(), field.to_string()));
        };
        let reference = match name {
            None => super::super::program::Reference {
                family: Some(family),
                target: Target::Current,
                index: None,
            },
            Some((name, at)) => match term::reference(name, at.start as usize) {
                Some(reference) => reference?,
                None => {
                    return Err(Mistake::new(at, format!("`{name}` names no object"))
                        .label("expected NAME, id:N or key:K"));
                }
            },
        };
        if is_place {
            return match term::place(field, field_span.start as usize) {
                Some(place) => Ok(Subject::Memory(reference, place?)),
                None => Err(Mistake::new(field_span, "this is no place")),
            };
        }
        Ok(Subject::Object(family, reference, field.to_string()))
    }

    /// `root`, `program NAME`, `!command`, or a condition.
    pub(super) fn requirement(&mut self, keyword: Span) -> Parsed<Requirement> {
        if self.at_host() {
            return Ok(Requirement::Host(self.host_requirement()));
        }
        match self.peek()?.as_ref().and_then(Token::bare) {
            Some("root") => {
                self.lexer.next()?;
                Ok(Requirement::Root)
            }
            Some("program") => {
                self.lexer.next()?;
                let token = self.take("a program's name")?;
                match token.bare() {
                    Some(name) => Ok(Requirement::Program(name.to_string())),
                    None => Err(Mistake::new(token.span, "this is no program's name")),
                }
            }
            Some(word) if !word.contains(['.', '$']) => {
                let token = self.take("a requirement")?;
                Err(Mistake::new(token.span, "this cannot be required").label(
                    "expected root, program NAME, !command, or a condition such as limits.msgmax.value >= 8192",
                ).maybe_help(did_you_mean(word, ["root", "program"])))
            }
            _ => {
                let (condition, _) = self.condition(keyword, false)?;
                Ok(Requirement::Condition(condition))
            }
        }
    }
}
