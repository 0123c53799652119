//! Actors are started when they are first named.

use std::io;

use super::engine::{Engine, ME};
use super::slot::{End, Slot, State};
use crate::actor::Actor;
use crate::data::{Event, Failure, Outcome, Sink};
use crate::inspect::process::is_mounted;

/// Why a process of this program's was not started.
pub(super) fn not_started(what: &str, e: &io::Error) -> Failure {
    let failure = Failure::environment(format!("{what} cannot be started: {e}"));
    match is_mounted() {
        true => failure,
        false => failure.help("/proc is not mounted: processes are started and seen through it"),
    }
}

impl Engine {
    /// The place of a live actor.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.slots
            .iter()
            .position(|s| s.actor.name == name && !s.actor.is_gone())
    }

    /// The place of an actor, which is started where it does not live.
    pub(super) fn ensure_actor(
        &mut self,
        name: &str,
        sink: &mut dyn Sink,
    ) -> Result<usize, Failure> {
        if let Some(slot) = self.slot(name) {
            return Ok(slot);
        }
        let dead = self.place_of_dead(name, sink)?;
        self.ensure_janitor()?;
        let (Some(ledger), Some(janitor)) = (&self.ledger, &self.janitor) else {
            return Err(Failure::environment("the janitor is gone"));
        };
        let actor = Actor::start(name, ledger, janitor.alive())
            .map_err(|e| not_started(&format!("the actor `{name}`"), &e))?;
        let pid = actor.pid();
        let slot = Slot::new(actor);
        // One that died under this name makes room, so that the others keep their places.
        let place = dead.unwrap_or(self.slots.len());
        match dead {
            Some(place) => self.slots[place] = slot,
            None => self.slots.push(slot),
        }
        if self.env.get(name).is_none_or(is_actor) {
            self.bind(name, Outcome::ok().remark("pid", pid));
        }
        // The first `me` goes without saying.
        if name != ME || dead.is_some() {
            sink.event(&Event::Note(format!("started {name} (pid {pid})")))
                .map_err(|e| Failure::environment(e.to_string()))?;
        }
        Ok(place)
    }

    /// The place of an actor that is dead, and of whose last step nothing is left to be said.
    fn place_of_dead(&mut self, name: &str, sink: &mut dyn Sink) -> Result<Option<usize>, Failure> {
        let named = |s: &Slot| s.actor.name == name;
        let Some(place) = self.slots.iter().position(named) else {
            return Ok(None);
        };
        self.note_end(place);
        let slot = &mut self.slots[place];
        let death = match &slot.state {
            State::Ended(pending, _) if pending.claimed || pending.claim().is_some() => {
                let failure =
                    Failure::refused(format!("`{name}` died in a step that was left pending"));
                return Err(failure.help(format!("Say how it ended: `{name}: ... => died`")));
            }
            State::Ended(_, End::Died(how)) => Some(how.clone()),
            // Nobody may have noticed yet.
            _ => match slot.death() {
                Some(End::Died(how)) => Some(how),
                _ => None,
            },
        };
        if let Some(how) = death {
            sink.event(&Event::Note(how))
                .map_err(|e| Failure::environment(e.to_string()))?;
        }
        Ok(Some(place))
    }
}

/// Whether a variable only names an actor, so that a new actor may take it over.
fn is_actor(outcome: &Outcome) -> bool {
    outcome.value.is_none() && outcome.fields.is_empty() && outcome.get("pid").is_some()
}
