//! What the parser may know of the world: the commands, the fields, the errnos.

use std::collections::HashMap;

use super::signature::{Family, Signature};
use super::suggest::did_you_mean;

/// The commands and words that a program may use.
#[derive(Debug)]
pub struct Catalog {
    /// Every command; a [`super::Call`] names one by its place here.
    pub commands: Vec<&'static Signature>,
    /// The fields that `expect FAMILY.REF.FIELD` may name.
    pub fields: Vec<(Family, Vec<&'static str>)>,
    /// The fields of `expect actor.NAME.FIELD`.
    pub actor_fields: Vec<&'static str>,
    /// The names of the kernel's limits, for `expect limits.NAME.value`.
    pub limits: Vec<&'static str>,
    /// The symbols of the errnos.
    pub errnos: Vec<&'static str>,
    nouns: HashMap<&'static str, Vec<(&'static str, u16)>>,
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
    pub fn new(commands: Vec<&'static Signature>) -> Catalog {
        let mut nouns: HashMap<_, Vec<_>> = HashMap::new();
        for (place, signature) in commands.iter().enumerate() {
            let verb = signature.verb().unwrap_or("");
            nouns
                .entry(signature.noun())
                .or_default()
                .push((verb, place as u16));
        }
        Catalog {
            commands,
            fields: Vec::new(),
            actor_fields: Vec::new(),
            limits: Vec::new(),
            errnos: Vec::new(),
            nouns,
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

    /// The verbs of a noun; empty where there is no such noun or it has none.
    pub fn verbs(&self, noun: &str) -> impl Iterator<Item = &'static str> {
        let verbs = self.nouns.get(noun).map_or(&[][..], Vec::as_slice);
        verbs
            .iter()
            .map(|(verb, _)| *verb)
            .filter(|v| !v.is_empty())
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
        self.nouns.contains_key(word)
    }

    pub(super) fn lookup(&self, noun: &str, verb: Option<&str>) -> Lookup {
        let Some(verbs) = self.nouns.get(noun) else {
            return Lookup::NoNoun;
        };
        let find = |v: &str| verbs.iter().find(|(verb, _)| *verb == v).map(|(_, p)| *p);
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

    pub(super) fn suggest_noun(&self, word: &str) -> Option<String> {
        // A verb alone is the commonest slip of a newcomer: `send 1 "hi"`.
        let nouns = self.nouns().chain(KEYWORDS);
        did_you_mean(word, nouns).or_else(|| {
            let with_verb: Vec<&str> = self
                .commands
                .iter()
                .filter(|s| s.verb() == Some(word))
                .map(|s| s.name)
                .collect();
            (!with_verb.is_empty()).then(|| format!("did you mean `{}`?", with_verb.join("` or `")))
        })
    }

    /// The fields of a family's objects.
    pub fn fields(&self, family: Family) -> &[&'static str] {
        self.fields
            .iter()
            .find(|(f, _)| *f == family)
            .map_or(&[], |(_, fields)| fields)
    }
}
