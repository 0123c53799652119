//! What an actor is told of what changed elsewhere in the session.
//!
//! The shell and every actor hold a copy of the names and the variables, and the shell's is
//! the one that counts. The log says what was touched, not how: what is sent is always the
//! present state, so that copies agree however often and in whatever order it was touched.

use std::collections::HashSet;

use super::engine::Engine;
use crate::actor::Report;
use crate::data::{Family, Outcome};
use crate::lang::Env;
use crate::session::{Change, Names, files};

/// What was touched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Touched {
    Name(Family, String),
    Current(Family),
    Variable(String),
}

impl Touched {
    pub fn of(change: &Change) -> Touched {
        match change {
            Change::Name(family, name, _) => Touched::Name(*family, name.clone()),
            Change::Current(family, _) => Touched::Current(*family),
        }
    }
}

/// Everything that was touched and that not every actor knows of, in order.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<(Option<String>, Touched)>);

impl Log {
    /// Notes that something was touched; `by` is the actor whose own copy holds it already.
    pub fn touch(&mut self, by: Option<&str>, touched: Touched) {
        self.0.push((by.map(String::from), touched));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What an actor that knows the log up to `from` has to be told. Left out is only what
    /// nobody but itself has touched since: behind somebody else's change its own copy may
    /// hold either.
    pub fn since(&self, from: usize, actor: &str) -> Vec<&Touched> {
        let entries = || self.0.iter().skip(from);
        let foreign: HashSet<&Touched> = entries()
            .filter(|(by, _)| by.as_deref() != Some(actor))
            .map(|(_, touched)| touched)
            .collect();
        let mut told = HashSet::new();
        entries()
            .map(|(_, touched)| touched)
            .filter(|touched| foreign.contains(touched) && told.insert(*touched))
            .collect()
    }
}

/// Changes of names and of variables, as they travel.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Whether it is everything, and what the actor knew is to be forgotten.
    pub afresh: bool,
    pub changes: Vec<Change>,
    pub bindings: Vec<(String, Outcome)>,
}

/// Of how many objects it is remembered who removed them.
const REMEMBERED: usize = 64;

impl News {
    /// The present state of what was touched.
    fn of<'t>(
        touched: impl IntoIterator<Item = &'t Touched>,
        names: &Names,
        variables: &Env,
    ) -> News {
        let mut news = News::default();
        let mut currents = Vec::new();
        for touched in touched {
            match touched {
                Touched::Name(family, name) => {
                    let binding = names.get(*family, name).cloned();
                    let change = Change::Name(*family, name.clone(), binding);
                    news.changes.push(change);
                }
                Touched::Current(family) => {
                    let current = names.current(*family).map(|(name, _)| name.to_string());
                    currents.push(Change::Current(*family, current));
                }
                Touched::Variable(name) => {
                    if let Some(value) = variables.get(name) {
                        news.bindings.push((name.clone(), value.clone()));
                    }
                }
            }
        }
        // A current object is named by a name that must be known by then.
        news.changes.extend(currents);
        news
    }

    /// Everything as it stands, for an actor that knows nothing, or not what it knows.
    fn everything(names: &Names, variables: &Env) -> News {
        let bindings = variables.iter().map(|(n, o)| (n.to_string(), o.clone()));
        News {
            afresh: true,
            changes: names.everything(),
            bindings: bindings.collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.bindings.is_empty()
    }
}

impl Engine {
    /// What an actor does not know yet; from its next order on it does.
    pub(super) fn news(&mut self, place: usize) -> News {
        let end = self.log.len();
        let slot = &mut self.slots[place];
        let news = match slot.cursor.replace(end) {
            None => News::everything(&self.names, &self.env),
            Some(known) if known == end => News::default(),
            Some(known) => {
                let touched = self.log.since(known, &slot.actor.name);
                News::of(touched, &self.names, &self.env)
            }
        };
        if !news.is_empty() {
            slot.informed = slot.actor.next_number();
        }
        self.trim_log();
        news
    }

    /// Empties the log once every living actor knows it. One that has yet to be told
    /// everything needs none of it.
    fn trim_log(&mut self) {
        let end = self.log.len();
        let behind = self.slots.iter().filter(|s| !s.actor.is_gone());
        if end > 0 && behind.filter_map(|s| s.cursor).all(|cursor| cursor == end) {
            self.log.clear();
            for slot in &mut self.slots {
                slot.cursor = slot.cursor.map(|_| 0);
            }
        }
    }

    /// Takes over what a step changed, for the shell and every other actor.
    pub(super) fn learn(&mut self, place: usize, report: &Report) {
        let Some(effects) = &report.effects else {
            return;
        };
        let slot = &mut self.slots[place];
        for change in &effects.files {
            files::note(&mut slot.files, change.clone());
        }
        // News that were on their way when it made this change are applied behind it there,
        // and before it here: then it must be told of its own change too.
        let knows = report.number >= slot.informed;
        let by = knows.then_some(slot.actor.name.as_str());
        for change in &effects.changes {
            if let Change::Name(family, name, None) = change
                && let Some(binding) = self.names.get(*family, name)
            {
                let object = binding.object.clone();
                let removed = (*family, object, slot.actor.name.clone());
                self.removers.push_front(removed);
                self.removers.truncate(REMEMBERED);
            }
            self.names.apply(change);
            self.log.touch(by, Touched::of(change));
        }
        for (name, outcome) in &effects.bindings {
            std::sync::Arc::make_mut(&mut self.env).bind(name, outcome.clone());
            self.log.touch(by, Touched::Variable(name.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Touched {
        Touched::Variable(name.into())
    }

    #[test]
    fn an_actors_own_change_is_left_out_only_where_it_is_the_only_one() {
        let mut log = Log::default();
        log.touch(Some("a"), variable("own"));
        log.touch(Some("b"), variable("both"));
        log.touch(Some("a"), variable("both"));
        log.touch(None, variable("shell"));
        log.touch(None, variable("shell"));
        assert_eq!(log.since(0, "a"), [&variable("both"), &variable("shell")]);
        assert_eq!(
            log.since(0, "b"),
            [&variable("own"), &variable("both"), &variable("shell")]
        );
        // Its own change came last: what it knows already is not told again.
        assert_eq!(log.since(2, "a"), [&variable("shell")]);
        assert!(log.since(log.len(), "c").is_empty());
    }

    #[test]
    fn copies_agree_after_changes_of_both_sides() {
        let binding = |id| crate::session::Binding {
            object: crate::data::Object::Id(id),
            key: 0,
            entry: None,
        };
        let (mut shell, mut a) = (Names::default(), Names::default());
        let mut log = Log::default();
        let mut report = |by: &str, changes: Vec<Change>, shell: &mut Names| {
            for change in changes {
                shell.apply(&change);
                log.touch(Some(by), Touched::of(&change));
            }
        };
        // b creates t, then a creates another t and something else.
        let mut b = Names::default();
        b.bind(Family::Sem, "t", binding(1));
        report("b", b.take_changes(), &mut shell);
        a.bind(Family::Sem, "t", binding(2));
        a.bind(Family::Sem, "u", binding(3));
        report("a", a.take_changes(), &mut shell);
        for (copy, name) in [(&mut a, "a"), (&mut b, "b")] {
            let news = News::of(log.since(0, name), &shell, &Env::default());
            news.changes.iter().for_each(|change| copy.apply(change));
            assert_eq!(copy.all(Family::Sem), shell.all(Family::Sem), "{name}");
            assert_eq!(copy.current(Family::Sem), shell.current(Family::Sem));
        }
        assert_eq!(shell.get(Family::Sem, "t"), Some(&binding(2)));
    }
}
