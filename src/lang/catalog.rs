//! What the parser may know of the world: the commands, the fields, the errnos.

use std::sync::LazyLock;

use super::diagnostic::{Mistake, Parsed};
use super::program::Span;
use super::signature::{Family, Signature};
use super::suggest::{closest, did_you_mean};

/// The commands and words that a program may use.
#[derive(Debug)]
pub struct Catalog {
    /// Every command; a [`super::Call`] names one by its place here.
    pub commands: Vec<&'static Signature>,
    /// What a claim or an expectation may name. Most programs name none of it, so it is
    /// made when it is first asked for.
    pub words: LazyLock<Words>,
    /// The first command of each [`bucket`], and after each command the next of its bucket.
    first: [Option<u16>; BUCKETS],
    next: Vec<Option<u16>>,
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
    /// Words of other programs.
    pub foreign: Foreign,
    /// The signals, in every spelling: names without `SIG`, and numbers.
    pub signals: Vec<String>,
    /// What `help` knows.
    pub help: Option<Helps>,
}

/// Whether there is help on a topic; the error says what to ask for instead.
pub type Helps = fn(&Catalog, &str) -> Result<(), String>;

/// Words of other programs and languages: who types them is told what is meant here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foreign {
    /// A command, with or without its first argument, and what is said then.
    pub commands: &'static [(&'static str, &'static str)],
    /// A verb of ours, and what others call it.
    pub verbs: &'static [(&'static str, &'static [&'static str])],
}

const BUCKETS: usize = 256;

/// Where a command of this name is kept, the blank left out. Every line of a program looks one
/// up: this is cheaper than a hash that withstands an enemy, and nobody but us names commands.
fn bucket(name: impl Iterator<Item = u8>) -> usize {
    let hash = name.fold(0usize, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
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
        let mut first = [None; BUCKETS];
        let mut next = Vec::with_capacity(commands.len());
        for (place, signature) in (0u16..).zip(&commands) {
            let bucket = bucket(signature.name.bytes().filter(|b| *b != b' '));
            next.push(first[bucket].replace(place));
        }
        Catalog {
            commands,
            words: LazyLock::new(words),
            first,
            next,
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

    /// The command of these words; the verb is empty where the noun stands alone.
    fn find(&self, noun: &str, verb: &str) -> Option<u16> {
        let mut at = self.first[bucket(noun.bytes().chain(verb.bytes()))];
        while let Some(place) = at {
            let known = self.signature(place).name;
            let blank = if verb.is_empty() { "" } else { " " };
            if known
                .strip_prefix(noun)
                .and_then(|rest| rest.strip_prefix(blank))
                == Some(verb)
            {
                break;
            }
            at = self.next[usize::from(place)];
        }
        at
    }

    /// The commands of a noun.
    fn of(&self, noun: &str) -> impl Iterator<Item = &'static Signature> {
        self.commands
            .iter()
            .copied()
            .filter(move |s| s.noun() == noun)
    }

    /// The verbs of a noun; none where there is no such noun or it has none.
    pub fn verbs(&self, noun: &str) -> impl Iterator<Item = &'static str> {
        self.of(noun).filter_map(|s| s.verb())
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
        self.of(word).next().is_some()
    }

    pub(super) fn lookup(&self, noun: &str, verb: Option<&str>) -> Lookup {
        if let Some(place) = verb.and_then(|verb| self.find(noun, verb)) {
            return Lookup::Found(place, 2);
        }
        // A noun alone lists its family.
        let alone = match verb {
            None => self.find(noun, "ls").or(self.find(noun, "")),
            Some(_) => self.find(noun, ""),
        };
        match alone {
            Some(place) => Lookup::Found(place, 1),
            None if self.is_noun(noun) => Lookup::NoVerb,
            None => Lookup::NoNoun,
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

    /// What is said to who types a command of another program.
    pub(super) fn foreign(&self, noun: &str, second: Option<&str>) -> Option<&'static str> {
        let both = second.map(|second| format!("{noun} {second}"));
        let find = |words: &str| {
            self.words
                .foreign
                .commands
                .iter()
                .find(|(w, _)| *w == words)
        };
        let found = both.and_then(|both| find(&both)).or_else(|| find(noun));
        found.map(|(_, says)| *says)
    }

    /// The command of ours that another program calls so.
    pub(super) fn foreign_verb(&self, noun: &str, verb: &str) -> Option<&'static Signature> {
        let mut alike = self.words.foreign.verbs.iter();
        alike.find_map(|(ours, theirs)| {
            let known = self.find(noun, ours)?;
            theirs.contains(&verb).then(|| self.signature(known))
        })
    }

    /// A word that must be a signal is one.
    pub(super) fn signal(&self, word: &str, span: Span) -> Parsed<()> {
        let signals = &self.words.signals;
        let is_one = |word: &str| signals.iter().any(|s| s == word);
        let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
        let name = word.strip_prefix("SIG").filter(|name| !is_number(name));
        if is_one(name.unwrap_or(word)) {
            return Ok(());
        }
        let upper = word.to_ascii_uppercase();
        let meant = upper.strip_prefix("SIG").unwrap_or(&upper);
        let names = signals.iter().map(String::as_str).filter(|s| !is_number(s));
        Err(Mistake::new(span, format!("there is no signal `{word}`"))
            .label("expected a signal such as USR1, SIGUSR1, 10 or RTMIN+1")
            .help("`sig ls` lists them")
            .maybe_help(did_you_mean(meant, names)))
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
