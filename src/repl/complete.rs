//! What could be typed next: completions with descriptions. Pure: a line and what is known
//! in, candidates out.

mod arguments;
mod subjects;
#[cfg(test)]
pub(super) mod tests;

use super::statement::Statement;
use crate::data::{Column, Family, Object, Outcome};
use crate::lang::{Catalog, Lexeme, Signature, wanted};
use crate::view::help::Topic;
use subjects::{deadlocked, operators, requirements, subjects, values};

/// What completion may know of the session and the host.
pub(super) trait Knowledge {
    fn catalog(&self) -> &Catalog;
    /// The names of a family's objects, with their ids.
    fn names(&self, family: Family) -> Vec<(String, Object)>;
    /// The objects of the host: id and key.
    fn host(&self, family: Family) -> Vec<(i32, i32)>;
    /// The actors.
    fn actors(&self) -> Vec<Actor>;
    /// The variables.
    fn variables(&self) -> Vec<(String, Outcome)>;
    /// The fields that `expect` may name.
    fn fields(&self, kind: &str) -> Vec<&'static Column>;
    /// What the words that are no commands mean.
    fn keywords(&self) -> &[&'static Signature];
    /// What `help` has to say besides.
    fn topics(&self) -> &[Topic];
    /// What an errno means.
    fn errno(&self, symbol: &str) -> String;
    /// What a limit of the kernel bounds.
    fn limit(&self, name: &str) -> String;
    /// The files whose path begins so; a directory ends with `/`.
    fn paths(&self, partial: &str) -> Vec<String>;
    /// The signals: number and name.
    fn signals(&self) -> Vec<(i32, String)>;
}

/// An actor that runs.
pub(super) struct Actor {
    pub name: String,
    pub pid: i32,
    /// Whether its step is pending.
    pub pending: bool,
}

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub word: String,
    pub description: String,
}

impl Candidate {
    fn new(word: impl Into<String>, description: impl Into<String>) -> Candidate {
        Candidate {
            word: word.into(),
            description: description.into(),
        }
    }

    /// Whether it is only the beginning of a word.
    pub fn is_open(&self) -> bool {
        match self.word.as_str() {
            "id:" | "key:" => true,
            // Signs end as they may: `==`, `...`.
            word if !word.starts_with(|c: char| c.is_alphanumeric() || c == '/') => false,
            word => word.ends_with(['=', '.', '@', '/']),
        }
    }
}

/// A host may have tens of thousands of objects. rustyline counts what it lists in 16 bits
/// and panics beyond; nobody reads so many.
const MOST: usize = 2000;

/// Where the word under the cursor begins, and what it may become.
pub(super) fn candidates(line: &str, pos: usize, know: &dyn Knowledge) -> (usize, Vec<Candidate>) {
    let Some(statement) = line.get(..pos).and_then(Statement::before) else {
        return (pos, Vec::new());
    };
    let start = pos - statement.partial.len();
    let mut found = all(&statement, know);
    found.retain(|c| c.word.starts_with(statement.partial));
    // One word of two meanings is offered once, with the first.
    let mut seen = std::collections::HashSet::new();
    found.retain(|c| seen.insert(c.word.clone()));
    found.truncate(MOST);
    (start, found)
}

fn all(statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let words = &statement.words;
    if statement.has(&Lexeme::Arrow) {
        let is_first = words.last().is_some_and(|t| t.lexeme == Lexeme::Arrow);
        return if is_first {
            outcomes(statement, know)
        } else {
            Vec::new()
        };
    }
    if statement.has(&Lexeme::Ellipsis) || statement.has(&Lexeme::Ampersand) {
        return vec![claim()];
    }
    if let Some(name) = statement.partial.strip_prefix('$') {
        return variables(name, know);
    }
    match (statement.first(), words.len()) {
        (None, _) => commands(statement, know),
        (Some("expect"), n) => match n {
            1 => subjects(statement.partial, know),
            _ if words[1].bare() == Some("deadlock") => deadlocked(&statement.words[2..], know),
            2 => operators(),
            3 => values(words[1].bare().unwrap_or("")),
            _ => vec![Candidate::new("within", "within DUR: before that is over")],
        },
        (Some("require"), n) => requirements(n, statement, know),
        (Some("timeout"), 1) => vec![Candidate::new("step", "how long a step may stay blocked")],
        (Some("source"), 1) => arguments::paths(statement.partial, know),
        (Some("let"), 2) => vec![Candidate::new("=", "stands alone")],
        (Some("let" | "timeout" | "source" | "repeat"), _) => Vec::new(),
        (Some("help"), _) => help_topics(statement, know),
        (Some(noun), _) => arguments::of(noun, statement, know),
    }
}

fn claim() -> Candidate {
    Candidate::new("=>", "what the outcome must be")
}

fn commands(statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    if statement.bound && statement.partial.contains('.') {
        return subjects(statement.partial, know);
    }
    let mut found = Vec::new();
    if !statement.prefixed {
        for actor in know.actors() {
            let state = if actor.pending {
                ", its step is pending"
            } else {
                ""
            };
            found.push(Candidate::new(
                format!("{}:", actor.name),
                format!("the actor, pid {}{state}", actor.pid),
            ));
        }
    }
    if let Some(name) = statement.actor {
        let waits = |a: &Actor| a.name == name && a.pending;
        if know.actors().iter().any(waits) {
            found.push(Candidate::new("...", "its pending step must resume"));
        }
    }
    found.extend(nouns(know.catalog()));
    for keyword in know.keywords() {
        found.push(Candidate::new(keyword.name, keyword.summary));
    }
    found
}

fn nouns(catalog: &Catalog) -> impl Iterator<Item = Candidate> {
    catalog.nouns().map(|noun| {
        let verbs: Vec<&str> = catalog.verbs(noun).collect();
        let description = match verbs.is_empty() {
            true => catalog
                .place(noun)
                .map_or("", |p| catalog.signature(p).summary)
                .to_string(),
            false => verbs.join(", "),
        };
        Candidate::new(noun, description)
    })
}

/// `ok` and the errnos that the command gives, with what they mean there; any other once
/// it is begun.
fn outcomes(statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let mut found = vec![
        Candidate::new("ok", "any success"),
        Candidate::new("eof", "the other side has closed"),
    ];
    let signs = [Lexeme::Arrow, Lexeme::Ellipsis, Lexeme::Ampersand];
    let words = &statement.words;
    let end = words.iter().position(|t| signs.contains(&t.lexeme));
    if let Some(wanted) = wanted(&words[..end.unwrap_or(0)], know.catalog()) {
        let errnos = wanted.signature.errnos.iter();
        found.extend(errnos.map(|(errno, means)| Candidate::new(*errno, *means)));
    }
    if statement.partial.starts_with('E') {
        found.extend(errnos(know));
    }
    found
}

fn errnos(know: &dyn Knowledge) -> impl Iterator<Item = Candidate> {
    let errnos = know.catalog().words.errnos.iter();
    errnos.map(|e| Candidate::new(*e, know.errno(e)))
}

fn variables(partial: &str, know: &dyn Knowledge) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (name, outcome) in know.variables() {
        // What only has remarks, such as an actor its pid, is more than `ok`.
        let plain = outcome.value.is_none() && outcome.fields.is_empty() && !outcome.eof;
        let remarks = outcome
            .remarks()
            .iter()
            .map(|r| format!("{} {}", r.name, r.value));
        let described = match plain && !outcome.remarks().is_empty() {
            true => remarks.collect::<Vec<_>>().join(", "),
            false => outcome.to_string(),
        };
        found.push(Candidate::new(format!("${name}"), described));
        if partial.split('.').next() == Some(&name) {
            for field in outcome.fields.iter().chain(outcome.remarks()) {
                let word = format!("${name}.{}", field.name);
                found.push(Candidate::new(word, field.value.to_string()));
            }
        }
    }
    found
}

fn help_topics(statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let catalog = know.catalog();
    if let Some(noun) = statement.words.get(1).and_then(|t| t.bare()) {
        return match statement.words.len() {
            2 => arguments::verbs(noun, catalog),
            _ => Vec::new(),
        };
    }
    let mut found: Vec<Candidate> = nouns(catalog).collect();
    let keywords = know.keywords().iter();
    found.extend(keywords.map(|k| Candidate::new(k.name, k.summary)));
    let topics = know.topics().iter();
    found.extend(topics.map(|t| Candidate::new(t.name, t.summary)));
    // Only once one is asked for: there are more of them than of everything else.
    if statement.partial.starts_with('E') {
        found.extend(errnos(know));
    }
    found
}
