//! What the parser may know of the world: the commands, the fields, the errnos.

use std::sync::LazyLock;

use super::signature::{Family, Signature};
use super::suggest::closest;

/// The commands and words that a program may use.
#[derive(Debug)]
pub struct Catalog {
    /// Every command; a [`super::Call`] names one by its place here.
    pub commands: Vec<&'static Signature>,
    /// What a claim or an expectation may name. Most programs name none of it, so it is
    /// made when it is first asked for.
    pub words: LazyLock<Words>,
    /// The nouns with their verbs, by [`bucket`].
    index: Vec<Vec<Noun>>,
}

/// What a claim or an expectation may name.
#[derive(Debug, Default)]
pub struct Words {
    /// The fields that `expect FAMILY.REF.FIELD` may name.
    pub fields: Vec<(Family, Vec<&'static str>)>,
    /// The fields of `expect actor.NAME.FIELD`.
    pub actor_fields: Vec<&'static str>,
    /// The names of the kernel's limits, for `expect limits.NAME.value`.
    pub limits: Vec<&'static str>,
    /// The symbols of the errnos.
    pub errnos: Vec<&'static str>,
}

/// A noun, and its verbs (an empty one where it stands alone) with their places.
#[derive(Debug)]
struct Noun {
    name: &'static str,
    verbs: Vec<(&'static str, u16)>,
}

const BUCKETS: usize = 128;

/// Where a noun is kept. Every line of a program looks one up: this is cheaper than a
/// hash that withstands an enemy, and nobody but us names commands.
fn bucket(noun: &str) -> usize {
    let hash = noun
        .bytes()
        .fold(0usize, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
    hash % BUCKETS
}

/// The words that begin a statement and are no commands of the table: they have
/// signatures for `help`, and the parser knows their form.
pub(super) const KEYWORDS: [&str; 7] = [
    "let", "expect", "require", "defer", "timeout", "repeat", "source",
];

/// What a command's words lead to.
pub(super) enum Lookup {
    /// The command at this place, and how many words name it.
    Found(u16, usize),
    /// The noun is known, and this verb is not.
    NoVerb,
    /// The noun is not known.
    NoNoun,
}

impl Catalog {
    /// Indexes the commands by their words.
    pub fn new(commands: Vec<&'static Signature>, words: fn() -> Words) -> Catalog {
        let mut index: Vec<Vec<Noun>> = (0..BUCKETS).map(|_| Vec::new()).collect();
        for (place, signature) in (0u16..).zip(&commands) {
            let (name, verb) = (signature.noun(), signature.verb().unwrap_or(""));
            let nouns = &mut index[bucket(name)];
            match nouns.iter_mut().find(|n| n.name == name) {
                Some(noun) => noun.verbs.push((verb, place)),
                None => nouns.push(Noun {
                    name,
                    verbs: vec![(verb, place)],
                }),
            }
        }
        Catalog {
            commands,
            words: LazyLock::new(words),
            index,
        }
    }

    /// The signature of a call.
    pub fn signature(&self, command: u16) -> &'static Signature {
        self.commands[usize::from(command)]
    }

    /// The place of the command of this name.
    pub fn place(&self, name: &str) -> Option<u16> {
        let place = self.commands.iter().position(|s| s.name == name)?;
        u16::try_from(place).ok()
    }

    /// The verbs of a noun with their places.
    fn of(&self, noun: &str) -> &[(&'static str, u16)] {
        let nouns = &self.index[bucket(noun)];
        let found = nouns.iter().find(|n| n.name == noun);
        found.map_or(&[], |n| &n.verbs)
    }

    /// The verbs of a noun; empty where there is no such noun or it has none.
    pub fn verbs(&self, noun: &str) -> impl Iterator<Item = &'static str> {
        let verbs = self.of(noun).iter().map(|(verb, _)| *verb);
        verbs.filter(|v| !v.is_empty())
    }

    /// The first words of all commands, each once, in order.
    pub fn nouns(&self) -> impl Iterator<Item = &'static str> {
        let mut seen = std::collections::HashSet::new();
        self.commands
            .iter()
            .map(|s| s.noun())
            .filter(move |n| seen.insert(*n))
    }

    /// Whether a word can begin a command.
    pub fn is_noun(&self, word: &str) -> bool {
        !self.of(word).is_empty()
    }

    pub(super) fn lookup(&self, noun: &str, verb: Option<&str>) -> Lookup {
        let verbs = self.of(noun);
        if verbs.is_empty() {
            return Lookup::NoNoun;
        }
        let find = |v: &str| verbs.iter().find(|(verb, _)| *verb == v).map(|c| c.1);
        if let Some(place) = verb.and_then(find) {
            return Lookup::Found(place, 2);
        }
        if let Some(place) = find("") {
            return Lookup::Found(place, 1);
        }
        match (verb, find("ls")) {
            (None, Some(place)) => Lookup::Found(place, 1),
            _ => Lookup::NoVerb,
        }
    }

    /// The commands that a word alone may mean: `send` is a verb of some noun, `msqg` is
    /// nearly one, `sned` is nearly a verb.
    pub(super) fn suggest(&self, word: &str) -> Option<String> {
        let with_verb = |word: &str| -> Vec<String> {
            let commands = self.commands.iter().filter(|s| s.verb() == Some(word));
            commands.map(|s| format!("`{}`", s.name)).collect()
        };
        let mut meant = with_verb(word);
        if meant.is_empty() {
            let verbs = self.commands.iter().filter_map(|s| s.verb());
            let known = self.nouns().chain(KEYWORDS);
            let word = closest(word, known.chain(verbs))?;
            meant = match self.is_noun(word) || KEYWORDS.contains(&word) {
                true => vec![format!("`{word}`")],
                false => with_verb(word),
            };
        }
        let last = meant.pop()?;
        Some(match meant.is_empty() {
            true => format!("did you mean {last}?"),
            false => format!("did you mean {} or {last}?", meant.join(", ")),
        })
    }

    /// The fields of a family's objects.
    pub fn fields(&self, family: Family) -> &[&'static str] {
        self.words
            .fields
            .iter()
            .find(|(f, _)| *f == family)
            .map_or(&[], |(_, fields)| fields)
    }
}
