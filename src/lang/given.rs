//! What a command can tell of its arguments before any of them is computed.

use super::diagnostic::Mistake;
use super::program::{Arg, Reference, Span, Target, Term};
use super::signature::Signature;

/// The arguments of a call as the text has them.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub(super) signature: &'static Signature,
    pub(super) args: &'a [(u8, Arg)],
}

impl<'a> Given<'a> {
    /// Every value of a parameter, each with its place among all that are given.
    pub fn all(self, name: &str) -> impl Iterator<Item = (usize, &'a Arg)> {
        let place = self.signature.params.iter().position(|p| p.name == name);
        debug_assert!(place.is_some(), "{} has no {name}", self.signature.name);
        let all = self.args.iter().enumerate();
        all.filter(move |(_, (p, _))| Some(usize::from(*p)) == place)
            .map(|(at, (_, arg))| (at, arg))
    }

    /// Where a parameter is given.
    pub fn at(self, name: &str) -> Option<usize> {
        self.all(name).next().map(|(at, _)| at)
    }

    /// The first of some parameters that is given, and where.
    pub fn first<'n>(self, names: &[&'n str]) -> Option<(&'n str, usize)> {
        names
            .iter()
            .find_map(|name| self.at(name).map(|at| (*name, at)))
    }

    /// The object that a parameter names.
    pub fn reference(self, name: &str) -> Option<&'a Reference> {
        self.all(name).find_map(|(_, arg)| match arg {
            Arg::Ref(reference) => Some(&**reference),
            _ => None,
        })
    }

    /// The word that a parameter is.
    pub fn word(self, name: &str) -> Option<&'a str> {
        self.all(name).find_map(|(_, arg)| match arg {
            Arg::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// The term that a parameter is, and where.
    pub fn term(self, name: &str) -> Option<(usize, &'a Term)> {
        self.all(name).find_map(|(at, arg)| match arg {
            Arg::Term(term) => Some((at, term)),
            _ => None,
        })
    }

    /// Whether a parameter names a POSIX object: of a family that has both flavours, nothing else has a
    /// path.
    pub fn is_posix(self, name: &str) -> bool {
        let target = self.reference(name).map(|r| &r.target);
        matches!(target, Some(Target::Path(_)))
    }

    /// Whether a parameter names an object of System V by what only they have. A plain name may be of
    /// either flavour.
    pub fn is_system_v(self, name: &str) -> bool {
        let target = self.reference(name).map(|r| &r.target);
        matches!(
            target,
            Some(Target::Id(_) | Target::Key(_) | Target::Ftok(..))
        )
    }
}

/// Why a command cannot do with its arguments, whatever the host is like when it runs.
#[derive(Clone, Debug)]
pub struct Refusal {
    at: usize,
    message: String,
    label: String,
    help: Option<String>,
}

impl Refusal {
    /// The argument `at` this place is at fault; the label says what could have stood there.
    pub fn new(at: usize, message: impl Into<String>, label: impl Into<String>) -> Refusal {
        Refusal {
            at,
            message: message.into(),
            label: label.into(),
            help: None,
        }
    }

    /// Adds a way out.
    pub fn help(mut self, help: impl Into<String>) -> Refusal {
        self.help = Some(help.into());
        self
    }

    /// As a mistake, by the places of all arguments.
    pub(super) fn mistake(self, spans: &[Span]) -> Mistake {
        let span = spans.get(self.at).copied().unwrap_or_default();
        Mistake::new(span, self.message)
            .label(self.label)
            .maybe_help(self.help)
    }
}
