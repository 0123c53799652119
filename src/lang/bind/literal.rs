//! What must hold of arguments that are written out, once all of them are read: columns that there
//! are, a topic of `help`, a number that fits its place.

use super::super::diagnostic::{Mistake, Parsed};
use super::super::program::{Arg, Call, Place, Span, Term};
use super::super::signature::{Family, Kind, Rule, Signature};
use super::super::suggest::did_you_mean;
use super::Binder;

/// Whether some of a command's arguments are looked at here, or by the command.
pub(super) fn is_judged(signature: &Signature) -> bool {
    let looked_at = |kind: Kind| {
        matches!(
            kind,
            Kind::Value | Kind::Columns(_) | Kind::Order | Kind::Topic
        )
    };
    signature.refuses.is_some() || signature.params.iter().any(|p| looked_at(p.kind))
}

impl Binder<'_> {
    /// All of it.
    pub(super) fn literals(&self) -> Parsed<()> {
        self.columns()?;
        self.order()?;
        self.topic()?;
        self.typed()
    }

    /// The arguments of one kind, each with the place where it stands.
    fn of(&self, fits: impl Fn(Kind) -> bool) -> impl Iterator<Item = (Kind, &Arg, Span)> {
        let args = self.args.iter().zip(&self.spans);
        let args = args.map(|((place, arg), span)| {
            let param = &self.params()[usize::from(*place)];
            (param.kind, arg, *span)
        });
        args.filter(move |(kind, ..)| fits(*kind))
    }

    /// Columns are those of some table.
    fn columns(&self) -> Parsed<()> {
        for (kind, arg, span) in self.of(|kind| matches!(kind, Kind::Columns(_))) {
            let (Kind::Columns(family), Arg::Term(Term::Bytes(names))) = (kind, arg) else {
                continue;
            };
            let known = self.fields(family);
            let names = String::from_utf8_lossy(names);
            for name in listed(&names) {
                if !known.is_empty() && !known.contains(&name.to_lowercase().as_str()) {
                    return Err(self.no_column(name, span, family, &known));
                }
            }
        }
        Ok(())
    }

    /// The columns of a family's tables, or of all.
    fn fields(&self, family: Option<Family>) -> Vec<&'static str> {
        let families = Family::ALL
            .into_iter()
            .filter(|f| family.is_none_or(|one| one == *f));
        families
            .flat_map(|f| self.catalog.fields(f))
            .copied()
            .collect()
    }

    fn no_column(&self, name: &str, span: Span, family: Option<Family>, known: &[&str]) -> Mistake {
        let at = span.of(self.text).find(name);
        let span = at.map_or(span, |at| {
            let at = span.start as usize + at;
            Span::new(at, at + name.len())
        });
        let label = match family {
            Some(family) => format!("`help {}` says what each is", family.noun()),
            None => "`help fields` lists them".into(),
        };
        Mistake::new(span, format!("there is no column `{name}`"))
            .label(label)
            .maybe_help(did_you_mean(name, known.iter().copied()))
    }

    /// What rows are sorted by is a column of the command's table, where its `-o` could choose it.
    fn order(&self) -> Parsed<()> {
        let calls = self.of(|kind| kind == Kind::Command);
        let mut calls = calls.filter_map(|(_, arg, _)| match arg {
            Arg::Command(call, _) => Some(&**call),
            _ => None,
        });
        let Some(call) = calls.next() else {
            return Ok(());
        };
        for (_, arg, span) in self.of(|kind| kind == Kind::Order) {
            let Arg::Term(Term::Bytes(name)) = arg else {
                continue;
            };
            let Some((family, chosen)) = self.shown(call) else {
                continue;
            };
            let chosen = chosen.map(|names| String::from_utf8_lossy(names).to_lowercase());
            let known = match &chosen {
                Some(names) => listed(names).collect(),
                None => self.fields(family),
            };
            let name = String::from_utf8_lossy(name);
            let name = name.strip_prefix('-').unwrap_or(&name);
            let column = name.to_lowercase();
            // What is told of several looks: how much more of a column a second, and how long.
            let column = column.strip_suffix("/s").unwrap_or(&column);
            if known.is_empty() || column == "seen" || known.contains(&column) {
                continue;
            }
            let mistake = self.no_column(name, span, family, &known);
            return Err(match &chosen {
                Some(names) => mistake.label(format!("expected one of {names}")),
                None => mistake,
            });
        }
        Ok(())
    }

    /// Whose columns a command shows, and which are chosen. `None` where its other arguments lead to
    /// another table, or its table has no such choice.
    fn shown<'c>(&self, call: &'c Call) -> Option<(Option<Family>, Option<&'c [u8]>)> {
        let signature = self.catalog.signature(call.command);
        let mut params = signature.params.iter().enumerate();
        let (place, family, name) = params.find_map(|(place, p)| match p.kind {
            Kind::Columns(family) => Some((place, family, p.name)),
            _ => None,
        })?;
        let name_of = |place: &u8| signature.params[usize::from(*place)].name;
        let elsewhere = |given: &str| {
            signature.rules.iter().any(|rule| match rule {
                Rule::Apart(names) => {
                    given != name && names.contains(&name) && names.contains(&given)
                }
                _ => false,
            })
        };
        if call.args.iter().any(|(p, _)| elsewhere(name_of(p))) {
            return None;
        }
        let chosen = call.args.iter().find(|(p, _)| usize::from(*p) == place);
        match chosen.map(|(_, arg)| arg) {
            None => Some((family, None)),
            Some(Arg::Term(Term::Bytes(names))) => Some((family, Some(names))),
            Some(_) => None,
        }
    }

    /// What is asked of `help` is something that it knows.
    fn topic(&self) -> Parsed<()> {
        let mut words = Vec::new();
        let mut whole: Option<Span> = None;
        for (_, arg, span) in self.of(|kind| kind == Kind::Topic) {
            // What a variable holds is known later.
            let Arg::Term(Term::Bytes(word)) = arg else {
                return Ok(());
            };
            words.push(String::from_utf8_lossy(word));
            whole = Some(whole.map_or(span, |whole| whole.to(span)));
        }
        let (Some(span), Some(known)) = (whole, self.catalog.words.help) else {
            return Ok(());
        };
        match known(self.catalog, &words.join(" ")) {
            Err(way) => Err(Mistake::new(span, "there is no help on this")
                .label(format!("expected {}", Kind::Topic.describe()))
                .help(way)),
            Ok(()) => Ok(()),
        }
    }

    /// A plain number is written only where its place says how wide it is, and there nothing else is.
    fn typed(&self) -> Parsed<()> {
        let mut values = self.of(|kind| kind == Kind::Value);
        let Some((_, Arg::Term(value), span)) = values.next() else {
            return Ok(());
        };
        if !self.params().iter().any(|p| p.kind == Kind::Place) {
            return Ok(());
        }
        let place: Option<&Place> = self.args.iter().find_map(|(_, arg)| match arg {
            Arg::Place(place) => Some(&**place),
            _ => None,
        });
        match (place.and_then(|p| p.ty), value) {
            (Some(ty), Term::Int(n)) => match ty.word(*n) {
                Ok(_) => Ok(()),
                Err(e) => {
                    Err(Mistake::new(span, e.to_string()).label("expected an integer that fits"))
                }
            },
            (Some(ty), Term::Bytes(_) | Term::Template(_) | Term::File(_) | Term::Number(..)) => {
                Err(Mistake::new(span, format!("data is no {}", ty.name()))
                    .label("expected an integer, as the place has a type")
                    .help("data is written at a place without one, such as @8"))
            }
            (None, Term::Int(n)) => {
                let offset = match place.map(|p| &p.offset) {
                    Some(Term::Int(offset)) => *offset,
                    _ => 0,
                };
                Err(Mistake::new(span, "this number has no width")
                    .label(format!(
                        "expected data such as u32:{n}, or \"{n}\" for its digits"
                    ))
                    .help(format!("or name the type in the place: u32@{offset} {n}")))
            }
            _ => Ok(()),
        }
    }
}

/// The names of columns with commas between.
fn listed(names: &str) -> impl Iterator<Item = &str> {
    let names = names.split(',').map(str::trim);
    names.filter(|name| !name.is_empty())
}
