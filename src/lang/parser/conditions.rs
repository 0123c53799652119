//! What `expect` and `require` state.

use super::super::claim::expected;
use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{self, Lexeme, is_name};
use super::super::program::{
    CompareOp, Condition, Expect, Expected, Reference, Require, Requirement, Span, StatementKind,
    Subject, Target, Term,
};
use super::super::signature::{Family, Kind};
use super::super::suggest::did_you_mean;
use super::super::term;
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

/// A part of a dotted path, and where it stands.
type Part = (String, Span);

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

    /// The dotted path: adjacent tokens, since a part of it may be quoted.
    pub(super) fn subject(&mut self, keyword: Span) -> Parsed<Subject> {
        if self.cursor.peek()?.is_none() {
            let word = keyword.of(self.cursor.text());
            let at = self.cursor.end();
            return Err(Mistake::new(
                Span::new(at, at),
                format!("`{word}` needs what must hold"),
            )
            .label("expected such as msgq.jobs.qnum == 3, actor.b.state == blocked, deadlock a b")
            .help("`help fields` lists what can be looked at"));
        }
        let mut token = self.cursor.take("what is looked at")?;
        let at = token.span.start as usize;
        if let Some(word) = token.bare()
            && let Some(value) = term::computed(word, at)
        {
            return value.map(Subject::Term);
        }
        let mut span = token.span;
        let mut parts: Vec<Part> = Vec::new();
        loop {
            match &token.lexeme {
                Lexeme::Bare(word) => path_parts(word, token.span, &mut parts)?,
                Lexeme::Data(Term::Bytes(bytes)) if !parts.is_empty() => {
                    let quoted = String::from_utf8_lossy(bytes).into_owned();
                    match parts.last_mut() {
                        Some(part) if part.0.is_empty() => *part = (quoted, token.span),
                        _ => return Err(no_dot(token.span)),
                    }
                }
                _ => {
                    return Err(Mistake::new(token.span, "this cannot be looked at")
                        .label("expected KIND.NAME.FIELD, such as msgq.jobs.qnum, or $variable"));
                }
            }
            span = span.to(token.span);
            match self.cursor.peek()? {
                Some(next) if next.span.start == token.span.end => {
                    token = self.cursor.take("a field")?;
                }
                _ => break,
            }
        }
        self.subject_of(&parts, span, keyword)
    }

    fn subject_of(&self, parts: &[Part], span: Span, keyword: Span) -> Parsed<Subject> {
        let (kind, kind_span) = &parts[0];
        let family = Family::from_noun(kind);
        if family.is_none() && kind != "actor" && kind != "limits" {
            let nouns = Family::ALL.iter().map(|f| f.noun());
            let known: Vec<&str> = nouns.chain(["actor", "limits"]).collect();
            let help = match self.catalog.is_noun(kind) {
                true => Some(
                    "`expect` looks at state; a command's own outcome stands after `=>`".into(),
                ),
                false => self
                    .whole_path(parts)
                    .or_else(|| did_you_mean(kind, known.iter().copied())),
            };
            return Err(
                Mistake::new(*kind_span, format!("`{kind}` cannot be looked at"))
                    .label(format!("expected {} or $variable", known.join(", ")))
                    .maybe_help(help),
            );
        }
        let [_, .., (field, field_span)] = parts else {
            let word = keyword.of(self.cursor.text());
            return Err(Mistake::new(span, "the field is missing")
                .label(format!("expected {kind}.NAME.FIELD"))
                .help(format!("usage: {word} {kind}.NAME.FIELD == VALUE")));
        };
        if let (Some([_, (name, at), (signals, _), (signal, signal_at)]), "actor", "signals") = (
            parts.first_chunk::<4>(),
            kind.as_str(),
            parts.get(2).map_or("", |p| &p.0),
        ) && parts.len() == 4
        {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-');
            if signal.is_empty() || !signal.bytes().all(plain) {
                return Err(Mistake::new(*signal_at, "this names no signal")
                    .label("expected a signal such as USR1"));
            }
            self.catalog.signal(signal, *signal_at)?;
            return match is_name(name) {
                true => Ok(Subject::Actor(name.clone(), format!("{signals}.{signal}"))),
                false => Err(Mistake::new(*at, format!("`{name}` cannot name an actor"))
                    .label("expected a name that starts with a letter or `_`")),
            };
        }
        let is_place = family == Some(Family::Shm) && field.contains('@');
        if !is_place {
            self.field(kind, family, field, *field_span)?;
        }
        let name = match parts {
            [_, (name, span), _] => Some((name.as_str(), *span)),
            [_, _] => None,
            _ => {
                return Err(Mistake::new(span, "this path has too many parts")
                    .label(format!("expected {kind}.NAME.FIELD"))
                    .help("a name with a dot in it is quoted: msgq.\"key:/a.b,1\".qnum"));
            }
        };
        match (family, name) {
            (None, None) => Err(Mistake::new(span, "the name is missing")
                .label(format!("expected {kind}.NAME.{field}"))),
            (None, Some((name, at))) if kind == "actor" => match is_name(name) {
                true => Ok(Subject::Actor(name.to_string(), field.clone())),
                false => Err(Mistake::new(at, format!("`{name}` cannot name an actor"))
                    .label("expected a name that starts with a letter or `_`")),
            },
            (None, Some((name, at))) if !self.catalog.words.limits.contains(&name) => {
                let limits = self.catalog.words.limits.iter().copied();
                Err(Mistake::new(at, format!("unknown limit `{name}`"))
                    .label("`limits` lists them")
                    .maybe_help(did_you_mean(name, limits)))
            }
            (None, Some((name, _))) => Ok(Subject::Limit(name.to_string(), field.clone())),
            (Some(family), name) => {
                let reference = object(family, name)?;
                match is_place {
                    false => Ok(Subject::Object(family, reference, field.clone())),
                    true => match term::place(field, field_span.start as usize) {
                        Some(place) => Ok(Subject::Memory(reference, place?)),
                        None => Err(Mistake::new(*field_span, "this is not a place")
                            .label("expected a place such as u32@8")),
                    },
                }
            }
        }
    }

    /// `jobs.qnum` for `msgq.jobs.qnum`, `b.state` for `actor.b.state`.
    fn whole_path(&self, parts: &[Part]) -> Option<String> {
        let [(name, _), (field, _)] = parts else {
            return None;
        };
        let families = Family::ALL.into_iter();
        let mut has = families.filter(|f| self.catalog.fields(*f).contains(&field.as_str()));
        let kind = match self.catalog.words.actor_fields.contains(&field.as_str()) {
            true => "actor",
            false => has.next()?.noun(),
        };
        Some(format!("did you mean `{kind}.{name}.{field}`?"))
    }

    /// The field is one that such a thing has.
    fn field(&self, kind: &str, family: Option<Family>, field: &str, at: Span) -> Parsed<()> {
        let known: &[&str] = match family {
            Some(family) => self.catalog.fields(family),
            None if kind == "actor" => &self.catalog.words.actor_fields,
            None => &["value"],
        };
        if known.contains(&field) {
            return Ok(());
        }
        let message = match field {
            "" => "the field is missing behind the dot".to_string(),
            _ => format!("`{kind}` has no field `{field}`"),
        };
        Err(Mistake::new(at, message)
            .label(format!("expected {}", known.join(", ")))
            .maybe_help(did_you_mean(field, known.iter().copied())))
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

/// What goes on with a quoted part is `.FIELD` or `[N]`.
fn no_dot(span: Span) -> Mistake {
    Mistake::new(span, "a dot is missing before this")
        .label("expected KIND.\"NAME\".FIELD, such as fifo.\"/tmp/a.b\".readers")
}

/// Cuts a word of the path at its dots; `${…}` and `$((…))` are whole.
fn path_parts(word: &str, span: Span, parts: &mut Vec<Part>) -> Parsed<()> {
    let start = span.start as usize;
    let bytes = word.as_bytes();
    let mut cuts = vec![];
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        at += match b {
            // The lexer has seen that each is closed.
            b'$' => lexer::dollar(&word[at..]).unwrap_or(1),
            b'.' => {
                cuts.push(at);
                1
            }
            b'=' | b'<' | b'>' | b'!' | b'~' => {
                let sign = bytes[at..].iter().take_while(|b| b"=<>!~".contains(b));
                let sign = &word[at..at + sign.count()];
                let span = Span::new(start + at, start + at + sign.len());
                let message = format!("`{sign}` is a word of its own");
                return Err(Mistake::new(span, message).label("write blanks around it"));
            }
            _ => 1,
        };
    }
    cuts.push(word.len());
    let mut from = 0;
    for cut in cuts {
        let part = &word[from..cut];
        let here = Span::new(start + from, start + cut);
        match parts.last_mut() {
            // `."quoted".field`, `."quoted"[2].field`: this goes on with the quoted part.
            Some(last) if from == 0 && (part.is_empty() || part.starts_with('[')) => {
                last.0.push_str(part);
            }
            Some(_) if from == 0 => return Err(no_dot(here)),
            _ => parts.push((part.to_string(), here)),
        }
        from = cut + 1;
    }
    Ok(())
}

/// The object that a path names; the current one where it names none.
fn object(family: Family, name: Option<(&str, Span)>) -> Parsed<Reference> {
    let Some((name, at)) = name else {
        return Ok(Reference {
            family: Some(family),
            target: Target::Current,
            index: None,
        });
    };
    let Some(reference) = term::reference(name, at.start as usize) else {
        return Err(Mistake::new(at, format!("`{name}` cannot name an object"))
            .label("expected NAME, id:N or key:K"));
    };
    let reference = reference?;
    if let Err(why) = term::suits(&reference.target, family) {
        let message = format!("`{name}` cannot be a {}: {why}", family.object());
        return Err(
            Mistake::new(at, message).label(format!("expected {}", Kind::Ref(family).describe()))
        );
    }
    if reference.index.is_some() && family != Family::Sem {
        return Err(
            Mistake::new(at, format!("a {} has no members", family.object()))
                .label("only a semaphore set is indexed, such as set[2]"),
        );
    }
    Ok(Reference {
        family: Some(family),
        ..reference
    })
}
