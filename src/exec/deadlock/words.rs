//! A cycle of waits in words.

use super::{Stuck, Want};
use crate::data::Family;
use crate::exec::engine::Engine;
use crate::kernel::sem;
use crate::session::Side;

impl Engine {
    /// `deadlock: a waits for right, which b holds; b waits for left, which a holds`, and an actor of the
    /// cycle. Who only waits for one of them stands before it.
    pub(super) fn cycle_text(&self, from: usize, stuck: &[Stuck]) -> (String, usize) {
        let mut parts = Vec::new();
        let mut seen = Vec::new();
        let mut place = from;
        while let Some(s) = stuck.iter().find(|s| s.actor == place) {
            if seen.contains(&place) {
                break;
            }
            seen.push(place);
            parts.push(self.want_text(s));
            place = s
                .holders
                .iter()
                .copied()
                .find(|h| !seen.contains(h))
                .unwrap_or(s.holders[0]);
        }
        // Where the last one leads back to.
        let first = seen.iter().position(|s| *s == place).unwrap_or(0);
        if let Some(part) = parts.get_mut(first) {
            part.insert_str(0, "deadlock: ");
        }
        (parts.join("; "), seen.get(first).copied().unwrap_or(from))
    }

    /// `a waits for right, which b holds`.
    fn want_text(&self, stuck: &Stuck) -> String {
        let actor = |place: usize| self.slots[place].actor.name.as_str();
        let name = actor(stuck.actor);
        let holders: Vec<&str> = stuck.holders.iter().map(|h| actor(*h)).collect();
        match &stuck.want {
            Want::Lock {
                id,
                num,
                name: posix,
            } => {
                let set = match self.names.name_of(Family::Sem, &(*id).into()) {
                    Some(name) => name.to_string(),
                    None => format!("id:{id}"),
                };
                let single = sem::stat_any_id(*id).is_ok_and(|s| s.nsems == 1);
                let lock = match posix {
                    Some(name) => name.to_string(),
                    None if single => set,
                    None => format!("{set}[{num}]"),
                };
                let holders = match holders.as_slice() {
                    [one] if *one == name => "which it holds itself".to_string(),
                    [one] => format!("which {one} holds"),
                    many => format!("which {} hold", many.join(" and ")),
                };
                format!("{name} waits for {lock}, {holders}")
            }
            Want::End {
                family,
                object,
                end,
                what,
                ..
            } => {
                let stream = match self.names.name_of(*family, object) {
                    Some(name) => name.to_string(),
                    None => object.to_string(),
                };
                let end = match end {
                    Side::Write => "write end",
                    Side::Read => "read end",
                    Side::Both => "other side",
                };
                let holders = match holders.as_slice() {
                    [one] if *one == name => "only it has itself".to_string(),
                    [one] => format!("only {one} has"),
                    many => format!("only {} have", many.join(" and ")),
                };
                format!("{name} waits for {what} in {stream}, whose {end} {holders}")
            }
        }
    }
}
