//! What must hold of a command's arguments once all of them are read.

use super::super::diagnostic::{Mistake, Parsed};
use super::super::program::Span;
use super::super::signature::{Need, Param, Rule};
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

    /// One is there of those of which one must be.
    pub(super) fn some(&self, end: Span) -> Parsed<()> {
        for rule in self.signature.rules {
            let Rule::Some(names) = rule else { continue };
            if names.iter().any(|name| self.gives(name)) {
                continue;
            }
            let names: Vec<_> = names.iter().map(|n| self.signature.written(n)).collect();
            let at = end.end as usize;
            let message = format!("`{}` needs something to do", self.signature.name);
            return Err(Mistake::new(Span::new(at, at), message)
                .label(format!("expected one of {}", names.join(", ")))
                .help(format!("usage: {}", self.signature.usage())));
        }
        Ok(())
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
}
