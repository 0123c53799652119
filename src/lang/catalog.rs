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
    /// The commands by their words: those of one [`bucket`] together, and in it those of one
    /// noun.
    index: Vec<Entry>,
    /// Where each bucket begins in the index.
    starts: [u16; BUCKETS + 1],
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
}

/// Words of other programs and languages: who types them is told what is meant here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foreign {
    /// A command, with or without its first argument, and what is said then.
    pub commands: &'static [(&'static str, &'static str)],
    /// A verb of ours, and what others call it.
    pub verbs: &'static [(&'static str, &'static [&'static str])],
}

/// A noun with a verb (an empty one where it stands alone), and their place in the table.
#[derive(Debug)]
struct Entry {
    noun: &'static str,
    verb: &'static str,
    place: u16,
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
        let entry = |(place, signature): (u16, &&'static Signature)| {
            let (noun, verb) = signature
                .name
                .split_once(' ')
                .unwrap_or((signature.name, ""));
            Entry { noun, verb, place }
        };
        let mut index: Vec<Entry> = (0u16..).zip(&commands).map(entry).collect();
        index.sort_by_cached_key(|e| (bucket(e.noun), e.noun));
        let mut starts = [0; BUCKETS + 1];
        for entry in &index {
            starts[bucket(entry.noun) + 1] += 1;
        }
        for bucket in 0..BUCKETS {
            starts[bucket + 1] += starts[bucket];
        }
        Catalog {
            commands,
            words: LazyLock::new(words),
            index,
            starts,
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

    /// The commands of a noun.
    fn of(&self, noun: &str) -> &[Entry] {
        let bucket = bucket(noun);
        let (start, end) = (self.starts[bucket], self.starts[bucket + 1]);
        let mut found = &self.index[start.into()..end.into()];
        // Hardly ever is more than one noun in a bucket.
        while let Some((first, rest)) = found.split_first()
            && first.noun != noun
        {
            found = rest;
        }
        while let Some((last, rest)) = found.split_last()
            && last.noun != noun
        {
            found = rest;
        }
        found
    }

    /// The verbs of a noun; empty where there is no such noun or it has none.
    pub fn verbs(&self, noun: &str) -> impl Iterator<Item = &'static str> {
        let verbs = self.of(noun).iter().map(|e| e.verb);
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
        let find = |v: &str| verbs.iter().find(|e| e.verb == v).map(|e| e.place);
        if let Some(place) = verb.and_then(find) {
            return Lookup::Found(place, 2);
        }
        // A noun alone lists its family.
        let alone = match verb {
            None => find("ls").or(find("")),
            Some(_) => find(""),
        };
        alone.map_or(Lookup::NoVerb, |place| Lookup::Found(place, 1))
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
            let known = self.of(noun).iter().find(|e| e.verb == *ours)?;
            theirs.contains(&verb).then(|| self.signature(known.place))
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
