//! `rm` at the prompt asks first where somebody else uses what it would remove.

use super::engine::Engine;
use crate::data::{Failure, Family};
use crate::lang::{Action, Arg, Call, Work};
use crate::mechanism::users;

/// Asks a question; `false` where the answer is not yes.
pub type Ask = fn(&mut Engine, &str) -> bool;

impl Engine {
    /// Whom a step asks about before it runs; nobody, in a script.
    ///
    /// # Errors
    /// The answer was no.
    pub(super) fn confirm(&mut self, work: &Work) -> Result<(), Failure> {
        let Some(ask) = self.ask else {
            return Ok(());
        };
        let mut calls = Vec::new();
        removals(self, work, &mut calls);
        let mut asked = Vec::new();
        for (family, call) in calls {
            for (label, users) in self.used_by_others(family, call) {
                asked.push(format!(
                    "this session did not create {} {label}: {}",
                    family.object(),
                    users.join(", ")
                ));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let what = if asked.len() == 1 { "it" } else { "them" };
        let question = format!("{}\nremove {what} all the same?", asked.join("\n"));
        match ask(self, &question) {
            true => Ok(()),
            false => Err(Failure::refused("not removed")),
        }
    }

    /// The objects that a call removes, that this session did not create, and that others
    /// use; with who they are.
    fn used_by_others(&self, family: Family, call: &Call) -> Vec<(String, Vec<String>)> {
        let actors = self.actors_by_pid();
        let sight = self.sight(&actors);
        let mut references: Vec<_> = call
            .args
            .iter()
            .filter_map(|(_, arg)| match arg {
                Arg::Ref(reference) => Some(Some(&**reference)),
                _ => None,
            })
            .collect();
        if references.is_empty() {
            references.push(None);
        }
        let mut found = Vec::new();
        for reference in references {
            // What cannot be found is the step's own to say.
            let Ok(object) = sight.find(family, reference) else {
                continue;
            };
            let names = self.names.all(family);
            let created = |b: &crate::session::Binding| b.object == object && b.entry.is_some();
            if names.iter().any(|(_, b)| created(b)) {
                continue;
            }
            let users = users(&sight, family, &object);
            if !users.is_empty() {
                found.push((sight.label(family, &object), users));
            }
        }
        found
    }
}

/// The `rm`s of a step, those in its loop too.
fn removals<'w>(engine: &Engine, work: &'w Work, found: &mut Vec<(Family, &'w Call)>) {
    match &work.action {
        Action::Call(call) => {
            let signature = engine.commands.catalog.signature(call.command);
            if let (Some("rm"), Some(family)) = (signature.verb(), signature.family()) {
                found.push((family, call));
            }
        }
        Action::Repeat { body, .. } => body.iter().for_each(|w| removals(engine, w, found)),
        Action::Value(_) => {}
    }
}
