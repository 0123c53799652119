//! Cycles of waits among a session's actors.
//!
//! The kernel does not know who holds a semaphore. The actors count what they took and
//! gave back; a semaphore that is only ever given back by who took it is a lock, and who
//! has taken it is who could give it back. An actor that waits for a lock is stuck if
//! everyone who could give it back is stuck.

use std::collections::HashMap;

use super::engine::Engine;
use crate::actor::Sighting;
use crate::inspect::wait::{SemBuf, Wait};
use crate::kernel::sem;

/// One blocked actor, what it waits for, and who could wake it.
struct Stuck {
    actor: usize,
    lock: (i32, u16),
    holders: Vec<usize>,
}

impl Engine {
    /// The cycle that an actor waits in, in words; `None` where somebody may still wake
    /// it: an actor that runs, or a `!command &`, of which nothing is known.
    pub(super) fn deadlock_with(&mut self, place: usize) -> Option<String> {
        if !self.jobs.is_empty() {
            return None;
        }
        let stuck = self.stuck();
        let found = stuck.iter().any(|s| s.actor == place);
        found.then(|| self.cycle_text(place, &stuck))
    }

    /// Whether these actors are stuck, and wait for each other.
    pub(super) fn deadlocked(&mut self, names: &[String]) -> Result<(), String> {
        let stuck = self.stuck();
        for name in names {
            let place = self.slot(name);
            if !stuck.iter().any(|s| Some(s.actor) == place) {
                return Err(format!("`{name}` is not in a cycle of waits"));
            }
        }
        Ok(())
    }

    /// The largest set of actors of which each waits only for others of it.
    fn stuck(&mut self) -> Vec<Stuck> {
        let mut waits = HashMap::new();
        for place in 0..self.slots.len() {
            if !self.slots[place].actor.is_busy() {
                continue;
            }
            let mut sighting = self.slots[place].actor.look();
            if sighting == Sighting::Running {
                sighting = self.slots[place].actor.look();
            }
            match sighting {
                Sighting::Blocked {
                    wait:
                        Wait::SemOp {
                            id,
                            ops,
                            timeout: false,
                        },
                    ..
                } => {
                    // Of several operations, the one that the value does not allow.
                    let short = |op: &&SemBuf| {
                        let value = sem::value(id, i32::from(op.num));
                        op.op < 0 && value.is_ok_and(|v| v < -i32::from(op.op))
                    };
                    if let Some(op) = ops.iter().find(short) {
                        waits.insert(place, (id, op.num));
                    }
                }
                Sighting::Blocked { .. } => {}
                // It runs, and may give anything back.
                _ => return Vec::new(),
            }
        }
        let mut stuck: Vec<Stuck> = waits
            .into_iter()
            .filter_map(|(actor, lock)| {
                let holders = self.holders(lock)?;
                Some(Stuck {
                    actor,
                    lock,
                    holders,
                })
            })
            .collect();
        loop {
            let members: Vec<usize> = stuck.iter().map(|s| s.actor).collect();
            let before = stuck.len();
            stuck.retain(|s| s.holders.iter().all(|h| members.contains(h)));
            if stuck.len() == before {
                stuck.sort_by_key(|s| s.actor);
                return stuck;
            }
        }
    }

    /// Who has taken a semaphore; `None` where nobody has, or where it is no lock: somebody
    /// gave back what he never took.
    fn holders(&self, lock: (i32, u16)) -> Option<Vec<usize>> {
        let mut holders = Vec::new();
        for (place, slot) in self.slots.iter().enumerate() {
            match slot.holds.get(&lock).copied().unwrap_or(0) {
                n if n < 0 => return None,
                0 => {}
                _ => holders.push(place),
            }
        }
        (!holders.is_empty()).then_some(holders)
    }

    /// `deadlock: a waits for right, which b holds; b waits for left, which a holds`.
    fn cycle_text(&self, from: usize, stuck: &[Stuck]) -> String {
        let mut parts = Vec::new();
        let mut seen = Vec::new();
        let mut place = from;
        while let Some(s) = stuck.iter().find(|s| s.actor == place) {
            if seen.contains(&place) {
                break;
            }
            seen.push(place);
            let name = &self.slots[place].actor.name;
            let (id, num) = s.lock;
            let set = match self.names.name_of(crate::data::Family::Sem, &id.into()) {
                Some(name) => name.to_string(),
                None => format!("id:{id}"),
            };
            let single = sem::stat_any_id(id).is_ok_and(|s| s.nsems == 1);
            let lock = if single { set } else { format!("{set}[{num}]") };
            let holders: Vec<&str> = s
                .holders
                .iter()
                .map(|h| self.slots[*h].actor.name.as_str())
                .collect();
            let holders = match holders.as_slice() {
                [one] if one == name => "which it holds itself".to_string(),
                [one] => format!("which {one} holds"),
                many => format!("which {} hold", many.join(" and ")),
            };
            parts.push(format!("{name} waits for {lock}, {holders}"));
            place = s
                .holders
                .iter()
                .copied()
                .find(|h| !seen.contains(h))
                .unwrap_or(s.holders[0]);
        }
        format!("deadlock: {}", parts.join("; "))
    }
}
