//! The prompt asks first: before `rm` removes what somebody else uses, and before `kill` hits
//! who is not of this session.

use super::engine::Engine;
use crate::data::{Failure, Family};
use crate::lang::{Action, Arg, Asks, Call, Statement, StatementKind, Step, Work};
use crate::mechanism::{Args, signal, users};

/// Asks a question; `false` where the answer is not yes.
pub type Ask = fn(&mut Engine, &str) -> bool;

impl Engine {
    /// Asks about a step before it runs; nobody, in a script. What is to run in its place,
    /// where the answer is a part of it.
    ///
    /// # Errors
    /// The answer was no.
    pub(super) fn confirm(
        &mut self,
        statement: &Statement,
        step: &Step,
    ) -> Result<Option<Statement>, Failure> {
        let Some(ask) = self.ask else {
            return Ok(None);
        };
        self.confirm_removals(&step.work, ask)?;
        let mut step = step.clone();
        let mut asked = Vec::new();
        self.force(&mut step.work, &mut asked);
        if asked.is_empty() {
            return Ok(None);
        }
        let question = format!("{}\nsend the signal all the same?", asked.join("\n"));
        if !ask(self, &question) {
            return Err(Failure::refused("not sent"));
        }
        Ok(Some(Statement {
            kind: StatementKind::Step(step),
            ..statement.clone()
        }))
    }

    /// Gives `--force` to each `kill` that would be refused without it; why it would.
    fn force(&self, work: &mut Work, asked: &mut Vec<String>) {
        match &mut work.action {
            Action::Call(call) => {
                let signature = self.commands.catalog.signature(call.command);
                if signature.asks != Asks::Signal {
                    return;
                }
                let args = Args {
                    signature,
                    given: &call.args,
                    env: &self.env,
                    seen: true,
                };
                // What is wrong with them is the step's own to say.
                let shell = std::process::id().cast_signed();
                let dangers = signal::dangers(&args, shell).unwrap_or_default();
                let force = signature.params.iter().position(|p| p.name == "force");
                if !dangers.is_empty()
                    && let Some(Ok(place)) = force.map(u8::try_from)
                {
                    asked.extend(dangers);
                    call.args.push((place, Arg::Switch));
                }
            }
            Action::Repeat { body, .. } => body.iter_mut().for_each(|w| self.force(w, asked)),
            Action::Value(_) => {}
        }
    }

    fn confirm_removals(&mut self, work: &Work, ask: Ask) -> Result<(), Failure> {
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
            if self.names.created(family, &object).is_some() {
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
            if let (Asks::Removal, Some(family)) = (signature.asks, signature.family) {
                found.push((family, call));
            }
        }
        Action::Repeat { body, .. } => body.iter().for_each(|w| removals(engine, w, found)),
        Action::Value(_) => {}
    }
}
