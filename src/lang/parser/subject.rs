//! What is looked at: `KIND.REF.FIELD`.

use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{self, Lexeme, is_name};
use super::super::program::{Reference, Span, Subject, Target, Term};
use super::super::signature::{Family, Kind};
use super::super::suggest::did_you_mean;
use super::super::term;
use super::Parser;

/// A kind of thing that can be looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    Object(Family),
    Actor,
    Limit,
}

impl Looked {
    fn all() -> impl Iterator<Item = Looked> {
        let objects = Family::ALL.into_iter().map(Looked::Object);
        objects.chain([Looked::Actor, Looked::Limit])
    }

    fn word(self) -> &'static str {
        match self {
            Looked::Object(family) => family.noun(),
            Looked::Actor => "actor",
            Looked::Limit => "limits",
        }
    }

    fn of(word: &str) -> Option<Looked> {
        Looked::all().find(|kind| kind.word() == word)
    }
}

/// Whether a word begins a path such as `msgq.jobs.qnum`.
pub(super) fn is_looked_at(word: &str) -> bool {
    let kind = word.split_once('.').map(|(kind, _)| kind);
    kind.is_some_and(|kind| Looked::of(kind).is_some())
}

/// A part of a dotted path, and where it stands.
type Part = (String, Span);

impl Parser<'_> {
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
        let (word, at) = &parts[0];
        let Some(kind) = Looked::of(word) else {
            return Err(self.not_looked_at(word, *at, parts));
        };
        let [_, .., (field, field_span)] = parts else {
            let keyword = keyword.of(self.cursor.text());
            return Err(Mistake::new(span, "the field is missing")
                .label(format!("expected {word}.NAME.FIELD"))
                .help(format!("usage: {keyword} {word}.NAME.FIELD == VALUE")));
        };
        if let (Looked::Actor, [_, (name, at), (signals, _), (signal, signal_at)]) = (kind, parts)
            && signals == "signals"
        {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-');
            if signal.is_empty() || !signal.bytes().all(plain) {
                return Err(Mistake::new(*signal_at, "this names no signal")
                    .label("expected a signal such as USR1"));
            }
            self.catalog.signal(signal, *signal_at)?;
            return match is_name(name) {
                true => Ok(Subject::Actor(name.clone(), format!("{signals}.{signal}"))),
                false => Err(not_an_actor(name, *at)),
            };
        }
        let is_place = kind == Looked::Object(Family::Shm) && field.contains('@');
        if !is_place {
            self.field(kind, field, *field_span)?;
        }
        let name = match parts {
            [_, (name, span), _] => Some((name.as_str(), *span)),
            [_, _] => None,
            _ => {
                return Err(Mistake::new(span, "this path has too many parts")
                    .label(format!("expected {word}.NAME.FIELD"))
                    .help("a name with a dot in it is quoted: msgq.\"key:/a.b,1\".qnum"));
            }
        };
        match (kind, name) {
            (Looked::Object(family), name) => {
                let reference = object(family, name)?;
                match is_place {
                    false => Ok(Subject::Object(family, reference, field.clone())),
                    true => match term::place(field, field_span.start as usize) {
                        Some(place) => {
                            let place = place?;
                            let at = field_span.start as usize;
                            let ty = place.ty.ok_or_else(|| {
                                let message = "the type of the integer is missing before this";
                                Mistake::new(Span::new(at, at + 1), message)
                                    .label(format!("expected such as u32{field}"))
                            })?;
                            Ok(Subject::Memory(reference, ty, place.offset))
                        }
                        None => Err(Mistake::new(*field_span, "this is not a place")
                            .label("expected a place such as u32@8")),
                    },
                }
            }
            (_, None) => Err(Mistake::new(span, "the name is missing")
                .label(format!("expected {word}.NAME.{field}"))),
            (Looked::Actor, Some((name, at))) => match is_name(name) {
                true => Ok(Subject::Actor(name.to_string(), field.clone())),
                false => Err(not_an_actor(name, at)),
            },
            (Looked::Limit, Some((name, at))) if !self.catalog.words.limits.contains(&name) => {
                let limits = self.catalog.words.limits.iter().copied();
                Err(Mistake::new(at, format!("unknown limit `{name}`"))
                    .label("`limits` lists them")
                    .maybe_help(did_you_mean(name, limits)))
            }
            (Looked::Limit, Some((name, _))) => Ok(Subject::Limit(name.to_string(), field.clone())),
        }
    }

    fn not_looked_at(&self, word: &str, at: Span, parts: &[Part]) -> Mistake {
        let known: Vec<&str> = Looked::all().map(Looked::word).collect();
        let help = match self.catalog.is_noun(word) {
            true => {
                Some("`expect` looks at state; a command's own outcome stands after `=>`".into())
            }
            false => self
                .whole_path(parts)
                .or_else(|| did_you_mean(word, known.iter().copied())),
        };
        Mistake::new(at, format!("`{word}` cannot be looked at"))
            .label(format!("expected {} or $variable", known.join(", ")))
            .maybe_help(help)
    }

    /// `jobs.qnum` for `msgq.jobs.qnum`, `b.state` for `actor.b.state`.
    fn whole_path(&self, parts: &[Part]) -> Option<String> {
        let [(name, _), (field, _)] = parts else {
            return None;
        };
        let objects = Family::ALL.into_iter().map(Looked::Object);
        let mut kinds = std::iter::once(Looked::Actor).chain(objects);
        let kind = kinds.find(|kind| self.fields(*kind).contains(&field.as_str()))?;
        let kind = kind.word();
        Some(format!("did you mean `{kind}.{name}.{field}`?"))
    }

    fn fields(&self, kind: Looked) -> &[&str] {
        match kind {
            Looked::Object(family) => self.catalog.fields(family),
            Looked::Actor => &self.catalog.words.actor_fields,
            Looked::Limit => &["value"],
        }
    }

    /// The field is one that such a thing has.
    fn field(&self, kind: Looked, field: &str, at: Span) -> Parsed<()> {
        let known = self.fields(kind);
        if known.contains(&field) {
            return Ok(());
        }
        let message = match field {
            "" => "the field is missing behind the dot".to_string(),
            _ => format!("`{}` has no field `{field}`", kind.word()),
        };
        Err(Mistake::new(at, message)
            .label(format!("expected {}", known.join(", ")))
            .maybe_help(did_you_mean(field, known.iter().copied())))
    }
}

fn not_an_actor(name: &str, at: Span) -> Mistake {
    Mistake::new(at, format!("`{name}` cannot name an actor"))
        .label("expected a name that starts with a letter or `_`")
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
    term::exists(&reference, at)?;
    Ok(Reference {
        family: Some(family),
        ..reference
    })
}
