//! What `expect` and `require` may look at.

use std::fmt::Display;

use super::{Candidate, Knowledge};
use crate::data::Family;
use crate::lang::Token;
use crate::repl::statement::Statement;

/// The dotted path: its parts one after the other.
pub(super) fn subjects(partial: &str, know: &dyn Knowledge) -> Vec<Candidate> {
    let parts: Vec<&str> = partial.split('.').collect();
    match parts.as_slice() {
        ["limits", _, ..] => limits(know),
        [kind, name, _] => fields(kind, &format!("{kind}.{name}."), know),
        [kind, _] => {
            let mut found = match Family::from_noun(kind) {
                Some(family) => named(kind, know.names(family), family.object()),
                None => {
                    let actors = know.actors().into_iter();
                    named(kind, actors.map(|a| (a.name, a.pid)), "actor, pid")
                }
            };
            // Of the current object the field alone will do.
            if Family::from_noun(kind).is_some() {
                found.extend(fields(kind, &format!("{kind}."), know));
            }
            found
        }
        _ => {
            let families = Family::ALL.map(|f| (f.noun(), f.object()));
            let kinds = families
                .into_iter()
                .chain([("actor", "actor"), ("limits", "limit")]);
            let mut found: Vec<Candidate> = kinds
                .map(|(kind, what)| {
                    let article = if what.starts_with('a') { "an" } else { "a" };
                    Candidate::new(format!("{kind}."), format!("{article} {what}'s fields"))
                })
                .collect();
            found.push(Candidate::new(
                "deadlock",
                "actors that wait for each other: deadlock a b",
            ));
            found
        }
    }
}

fn named<T: Display>(
    kind: &str,
    named: impl IntoIterator<Item = (String, T)>,
    what: &str,
) -> Vec<Candidate> {
    named
        .into_iter()
        .map(|(name, id)| Candidate::new(format!("{kind}.{name}."), format!("{what} {id}")))
        .collect()
}

fn fields(kind: &str, before: &str, know: &dyn Knowledge) -> Vec<Candidate> {
    let fields = know.fields(kind).into_iter();
    fields
        .map(|c| Candidate::new(format!("{before}{}", c.name), c.help))
        .collect()
}

fn limits(know: &dyn Knowledge) -> Vec<Candidate> {
    let limits = know.catalog().words.limits.iter();
    limits
        .map(|name| Candidate::new(format!("limits.{name}.value"), know.limit(name)))
        .collect()
}

/// Behind `expect deadlock`: actors that are not named yet, and how long it may take.
pub(super) fn deadlocked(named: &[Token], know: &dyn Knowledge) -> Vec<Candidate> {
    let is_named = |word: &str| named.iter().any(|token| token.bare() == Some(word));
    if is_named("within") {
        return Vec::new();
    }
    let actors = know.actors().into_iter().filter(|a| !is_named(&a.name));
    let mut found: Vec<Candidate> = actors
        .map(|a| Candidate::new(a.name, format!("actor, pid {}", a.pid)))
        .collect();
    if !named.is_empty() {
        found.push(Candidate::new("within", "within DUR: before that is over"));
    }
    found
}

/// The comparisons.
pub(super) fn operators() -> Vec<Candidate> {
    [
        ("==", "equal"),
        ("!=", "different"),
        ("<", "less"),
        ("<=", "at most"),
        (">", "more"),
        (">=", "at least"),
        ("~", "matches a pattern: re\"…\" or glob\"…\""),
    ]
    .map(|(sign, means)| Candidate::new(sign, means))
    .to_vec()
}

/// What a subject is compared with, where there are but a few values.
pub(super) fn values(subject: &str) -> Vec<Candidate> {
    if !(subject.starts_with("actor.") && subject.ends_with(".state")) {
        return Vec::new();
    }
    [
        ("blocked", "in a system call that waits"),
        ("idle", "without a step"),
        ("running", "at work"),
        ("stopped", "by a signal, until it gets CONT"),
        ("dead", "its process is gone"),
    ]
    .map(|(state, means)| Candidate::new(state, means))
    .to_vec()
}

/// `require …`, by how many words are complete.
pub(super) fn requirements(
    words: usize,
    statement: &Statement,
    know: &dyn Knowledge,
) -> Vec<Candidate> {
    match words {
        1 => {
            let mut found = vec![
                Candidate::new("root", "all privileges"),
                Candidate::new("program", "program NAME: it is found in PATH"),
            ];
            found.extend(subjects(statement.partial, know));
            found
        }
        2 if !matches!(statement.words[1].bare(), Some("root" | "program")) => operators(),
        _ => Vec::new(),
    }
}
