//! What must hold of a command's arguments once all of them are read.

use super::super::diagnostic::{Mistake, Parsed};
use super::super::lexer::{Lexeme, Token};
use super::super::number;
use super::super::program::{Arg, Span, Term};
use super::super::signature::{Family, Kind, Need, Param, Rule};
use super::super::suggest::did_you_mean;
use super::Binder;
use super::blame::named;

impl Binder<'_> {
    /// Every argument that is needed is there.
    pub(super) fn complete(&self, end: Span) -> Parsed<()> {
        let absent = self.params().iter().enumerate().find(|(place, p)| {
            let needed = match p.need {
                Need::Required | Need::Repeated => true,
                Need::Unless(switch) => !self.gives(switch),
                Need::Optional | Need::Any => false,
            };
            needed && !self.has(*place)
        });
        let Some((_, param)) = absent else {
            return Ok(());
        };
        let at = end.end as usize;
        Err(Mistake::new(
            Span::new(at, at),
            format!("`{}` needs {}", self.signature.name, named(param)),
        )
        .label(format!("expected {}", param.kind.describe()))
        .help(format!("usage: {}", self.signature.usage())))
    }

    /// Whether the argument of this name is there.
    pub(super) fn gives(&self, name: &str) -> bool {
        let place = self.params().iter().position(|p| p.name == name);
        place.is_some_and(|place| self.has(place))
    }

    /// An argument does not exclude one that stands before it.
    pub(super) fn apart(&self, param: &Param, span: Span) -> Parsed<()> {
        for rule in self.signature.rules {
            let Rule::Apart(names) = rule else { continue };
            let other = |name: &&&str| **name != param.name && self.gives(name);
            if names.contains(&param.name)
                && let Some(other) = names.iter().find(other)
            {
                let (one, two) = (self.signature.written(other), param.written());
                let message = format!("`{one}` and `{two}` are not given together");
                return Err(Mistake::new(span, message).label("leave one of them out"));
            }
        }
        Ok(())
    }

    /// What is given only with others has one of them.
    pub(super) fn together(&self, end: Span) -> Parsed<()> {
        for rule in self.signature.rules {
            let Rule::With(name, others) = rule else {
                continue;
            };
            let given = others.iter().filter(|other| self.gives(other)).count();
            if !self.gives(name) || given == 1 {
                continue;
            }
            let name = self.signature.written(name);
            let names: Vec<_> = others.iter().map(|o| self.signature.written(o)).collect();
            let names = names.join(", ");
            let (message, label) = match (others.len(), given) {
                (1, _) => (
                    format!("`{name}` stands only with {names}"),
                    format!("expected {names}"),
                ),
                (_, 0) => (
                    format!("`{name}` is given with one of {names}"),
                    format!("expected one of {names}"),
                ),
                _ => (
                    format!("`{name}` is given with only one of {names}"),
                    "leave the others out".into(),
                ),
            };
            let at = end.end as usize;
            return Err(Mistake::new(Span::new(at, at), message).label(label));
        }
        Ok(())
    }

    /// Columns are those of some table.
    pub(super) fn columns(&self, tokens: &[Token]) -> Parsed<()> {
        for (place, arg) in &self.args {
            let (Kind::Columns(family), Arg::Term(Term::Bytes(names))) =
                (self.params()[usize::from(*place)].kind, arg)
            else {
                continue;
            };
            let families = Family::ALL
                .into_iter()
                .filter(|f| family.is_none_or(|one| one == *f));
            let known: Vec<&str> = families
                .flat_map(|f| self.catalog.fields(f))
                .copied()
                .collect();
            let names = String::from_utf8_lossy(names);
            let names = names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            for name in names {
                if known.is_empty() || known.contains(&name.to_lowercase().as_str()) {
                    continue;
                }
                let text = |t: &Token| t.span.of(self.text).to_string();
                let at = tokens.iter().find_map(|t| Some((t, text(t).find(name)?)));
                let span = at.map_or(Span::default(), |(token, at)| {
                    let at = token.span.start as usize + at;
                    Span::new(at, at + name.len())
                });
                let label = match family {
                    Some(family) => format!("`help {}` says what each is", family.noun()),
                    None => "`help fields` lists them".into(),
                };
                return Err(Mistake::new(span, format!("there is no column `{name}`"))
                    .label(label)
                    .maybe_help(did_you_mean(name, known.iter().copied())));
            }
        }
        Ok(())
    }

    /// A plain number is written only where its place says how wide it is.
    pub(super) fn typed(&self, tokens: &[Token]) -> Parsed<()> {
        let wants = |kind: Kind| self.params().iter().any(|p| p.kind == kind);
        let plain = self.args.iter().find_map(|(place, arg)| match arg {
            Arg::Term(Term::Int(n)) if self.params()[usize::from(*place)].kind == Kind::Value => {
                Some(n)
            }
            _ => None,
        });
        let Some(n) = plain.filter(|_| wants(Kind::Place)) else {
            return Ok(());
        };
        let typed = |(_, arg): &(u8, Arg)| matches!(arg, Arg::Place(p) if p.ty.is_some());
        if self.args.iter().any(typed) {
            return Ok(());
        }
        // The value is the last word that is a number.
        let is_plain =
            |t: &&Token| matches!(t.lexeme, Lexeme::Bare(w) if number::integer(w) == Some(*n));
        let span = tokens
            .iter()
            .rfind(is_plain)
            .map_or(Span::default(), |t| t.span);
        let offset = self.args.iter().find_map(|(_, arg)| match arg {
            Arg::Place(place) => match place.offset {
                Term::Int(offset) => Some(offset),
                _ => None,
            },
            _ => None,
        });
        Err(Mistake::new(span, "this number has no width")
            .label(format!(
                "expected data such as u32:{n}, or \"{n}\" for its digits"
            ))
            .help(format!(
                "or name the type in the place: u32@{} {n}",
                offset.unwrap_or(0)
            )))
    }
}
