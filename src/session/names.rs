//! The names of a session's objects, and each family's current one.
//!
//! The shell and every actor hold a copy. Changes travel as the present state of the
//! names that were touched, so that applying them twice, or late, does no harm.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::ledger::{Entry, Ledger};
use crate::data::{Family, Object};

/// The object behind a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    /// What the kernel knows it by.
    pub object: Object,
    /// Its System V key; 0 (IPC_PRIVATE) where it has none.
    pub key: i32,
    /// Where the ledger holds it; `None` for an object this session did not create.
    pub entry: Option<Entry>,
}

/// What is to be told to another copy of the names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A name and what it now means; `None`: nothing any more.
    Name(Family, String, Option<Binding>),
    /// The family's current object.
    Current(Family, Option<String>),
}

/// The names of one family.
#[derive(Debug, Default)]
struct FamilyNames {
    /// In the order of the alphabet, so that of two names of an object every process takes the same.
    bindings: BTreeMap<String, Binding>,
    /// The current object with its name, so that finding it costs nothing in a loop.
    current: Option<(String, Binding)>,
    /// The names that changed since the last report.
    touched: HashSet<String>,
    current_touched: bool,
}

/// Every name of a session.
#[derive(Debug, Default)]
pub struct Names {
    families: [FamilyNames; Family::ALL.len()],
    /// Whether any family has something to tell: it is asked after every step.
    changed: bool,
}

impl Names {
    /// What a name means.
    pub fn get(&self, family: Family, name: &str) -> Option<&Binding> {
        self.families[family.index()].bindings.get(name)
    }

    /// The current object of a family.
    pub fn current(&self, family: Family) -> Option<(&str, &Binding)> {
        let (name, binding) = self.families[family.index()].current.as_ref()?;
        Some((name, binding))
    }

    /// Every name of a family with its object, in the order of the alphabet.
    pub fn all(&self, family: Family) -> Vec<(&str, &Binding)> {
        let bindings = &self.families[family.index()].bindings;
        bindings.iter().map(|(n, b)| (n.as_str(), b)).collect()
    }

    /// What is known of an object that this session has created.
    pub fn created(&self, family: Family, object: &Object) -> Option<&Binding> {
        let mut bindings = self.families[family.index()].bindings.values();
        bindings.find(|b| b.object == *object && b.entry.is_some())
    }

    /// The name of an object, where it has one.
    pub fn name_of(&self, family: Family, object: &Object) -> Option<&str> {
        let bindings = &self.families[family.index()].bindings;
        let mut found = bindings.iter().filter(|(_, b)| b.object == *object);
        found.next().map(|(name, _)| name.as_str())
    }

    /// A name that is free: `q1`, `shm1`, `sem1`; by the numbers of the whole session, since others
    /// choose theirs at the same time.
    pub fn unique(&self, family: Family, ledger: &Ledger) -> String {
        let name = |n| format!("{}{n}", prefix(family));
        let mut names = std::iter::repeat_with(|| name(ledger.number(family)));
        let free = names.find(|name| self.get(family, name).is_none());
        free.unwrap_or_default()
    }

    /// Gives a name to an object and makes it the current one.
    pub fn bind(&mut self, family: Family, name: &str, binding: Binding) {
        self.changed = true;
        let names = &mut self.families[family.index()];
        names.bindings.insert(name.to_string(), binding.clone());
        names.touched.insert(name.to_string());
        names.current = Some((name.to_string(), binding));
        names.current_touched = true;
    }

    /// Makes a name's object the current one of its family; `false` where there is none.
    pub fn make_current(&mut self, family: Family, name: &str) -> bool {
        let names = &mut self.families[family.index()];
        let Some(binding) = names.bindings.get(name) else {
            return false;
        };
        names.current = Some((name.to_string(), binding.clone()));
        names.current_touched = true;
        self.changed = true;
        true
    }

    /// Forgets every name of an object that is gone.
    pub fn forget(&mut self, family: Family, object: &Object) {
        self.changed = true;
        let names = &mut self.families[family.index()];
        let touched = &mut names.touched;
        names.bindings.retain(|name, binding| {
            let stays = binding.object != *object;
            if !stays {
                touched.insert(name.clone());
            }
            stays
        });
        if names
            .current
            .as_ref()
            .is_some_and(|(_, b)| b.object == *object)
        {
            names.current = None;
            names.current_touched = true;
        }
    }

    /// Everything, for a copy that knows nothing yet.
    pub fn everything(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for family in Family::ALL {
            for (name, binding) in self.all(family) {
                changes.push(Change::Name(family, name.into(), Some(binding.clone())));
            }
            let current = self.current(family).map(|(name, _)| name.to_string());
            changes.push(Change::Current(family, current));
        }
        changes
    }

    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        if !std::mem::take(&mut self.changed) {
            return changes;
        }
        for family in Family::ALL {
            let names = &mut self.families[family.index()];
            for name in names.touched.drain() {
                let binding = names.bindings.get(&name).cloned();
                changes.push(Change::Name(family, name, binding));
            }
            if std::mem::take(&mut names.current_touched) {
                let current = names.current.as_ref().map(|(name, _)| name.clone());
                changes.push(Change::Current(family, current));
            }
        }
        changes
    }

    /// Takes over what another copy reports.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Name(family, name, Some(binding)) => {
                let names = &mut self.families[family.index()];
                names.bindings.insert(name.clone(), binding.clone());
            }
            Change::Name(family, name, None) => {
                self.families[family.index()].bindings.remove(name);
            }
            Change::Current(family, current) => {
                let names = &mut self.families[family.index()];
                names.current = current.as_ref().and_then(|name| {
                    let binding = names.bindings.get(name)?;
                    Some((name.clone(), binding.clone()))
                });
            }
        }
    }
}

/// What stands before the number of a name that is made up.
fn prefix(family: Family) -> &'static str {
    match family {
        Family::Msgq => "q",
        Family::Shm => "shm",
        Family::Sem => "sem",
        Family::Pipe => "p",
        Family::Fifo => "fifo",
        Family::Sock => "s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(id: i32) -> Binding {
        Binding {
            object: id.into(),
            key: 0,
            entry: None,
        }
    }

    #[test]
    fn creating_makes_current_and_removing_leaves_none() {
        let mut names = Names::default();
        names.bind(Family::Msgq, "jobs", binding(1));
        names.bind(Family::Msgq, "more", binding(2));
        assert_eq!(names.current(Family::Msgq).map(|(n, _)| n), Some("more"));
        names.forget(Family::Msgq, &2.into());
        assert!(names.current(Family::Msgq).is_none());
        assert!(names.get(Family::Msgq, "more").is_none());
        assert_eq!(names.name_of(Family::Msgq, &1.into()), Some("jobs"));
        assert!(names.current(Family::Sem).is_none());
    }

    #[test]
    fn two_who_make_up_names_make_up_two_and_of_two_names_the_first_counts() {
        let ledger = Ledger::create().unwrap();
        let (one, other) = (Names::default(), Names::default());
        let made = [one, other].map(|names| names.unique(Family::Msgq, &ledger));
        assert_eq!(made, ["q1", "q2"]);
        for order in [["b", "a", "c"], ["c", "b", "a"]] {
            let mut names = Names::default();
            for name in order {
                names.bind(Family::Sem, name, binding(1));
            }
            assert_eq!(names.name_of(Family::Sem, &1.into()), Some("a"));
        }
    }

    #[test]
    fn a_copy_follows() {
        let (mut here, mut there) = (Names::default(), Names::default());
        for i in 0..1000 {
            here.bind(Family::Sem, "x", binding(i));
            here.forget(Family::Sem, &i.into());
        }
        here.bind(Family::Sem, "lock", binding(7));
        let changes = here.take_changes();
        assert_eq!(changes.len(), 3, "{changes:?}");
        changes.iter().for_each(|c| there.apply(c));
        assert_eq!(there.current(Family::Sem), Some(("lock", &binding(7))));
        assert!(there.get(Family::Sem, "x").is_none());
        assert!(here.take_changes().is_empty());
        let mut new = Names::default();
        here.everything().iter().for_each(|c| new.apply(c));
        assert_eq!(new.current(Family::Sem), Some(("lock", &binding(7))));
        assert_eq!(new.all(Family::Sem), here.all(Family::Sem));
    }
}
