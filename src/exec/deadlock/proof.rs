//! Whether a semaphore is a lock and who has taken it; whether nobody but the actors can wake one.

use super::{Stuck, Want};
use crate::data::{Family, Object};
use crate::exec::engine::Engine;
use crate::inspect::descriptors::{Access, Descriptor};
use crate::inspect::posix;
use crate::inspect::snapshot::Snapshot;
use crate::inspect::thing::Thing;
use crate::kernel::sem;
use crate::mechanism;
use crate::session::{Side, holds};

impl Engine {
    /// Whether nobody else can wake it, by the kernel's word where the actors' is not enough.
    pub(super) fn is_confirmed(&self, stuck: &Stuck, snapshot: &Snapshot) -> bool {
        let (family, other, end) = match &stuck.want {
            Want::Lock { id, num, name } => {
                return match name {
                    Some(name) => self.is_ours_alone(name, snapshot),
                    None => self.is_our_lock(*id, *num),
                };
            }
            Want::End {
                family, other, end, ..
            } => (family, other, end),
        };
        let Some(thing) = Thing::of(*family, other) else {
            return false;
        };
        let open = snapshot.open();
        let has_end = |d: &&Descriptor| match end {
            Side::Write => d.access.is_none_or(Access::writes),
            Side::Read => d.access.is_none_or(Access::reads),
            Side::Both => true,
        };
        // A FIFO's path is there for everybody; what has none is this session's alone.
        let hidden = open.unreadable > 0 && other.inode().is_none();
        let known: Vec<i32> = stuck
            .holders
            .iter()
            .map(|h| self.slots[*h].actor.pid())
            .collect();
        let mut holders = open.on(thing).iter().filter(has_end);
        !hidden && holders.all(|d| known.contains(&d.pid))
    }

    /// Whether this session has made a semaphore, and nobody else is seen to use it. One with a key that
    /// somebody chose is meant for others too, who may come at any time.
    fn is_our_lock(&self, id: i32, num: u16) -> bool {
        let set = self.names.created(Family::Sem, &Object::Id(id));
        let operator = || sem::pid(id, i32::from(num)).ok().filter(|pid| *pid > 0);
        set.is_some_and(|set| mechanism::is_own_key(set.key))
            && operator().is_none_or(|pid| self.is_actor(pid))
            && self.is_whole(id, num, sem::value(id, i32::from(num)).ok())
    }

    /// Whether what a semaphore was made with is what it has now and what the actors hold. If not, somebody
    /// else has given or taken.
    fn is_whole(&self, id: i32, num: u16, value: Option<i32>) -> bool {
        let all = || self.slots.iter().filter_map(|s| s.actor.holds());
        let taken: Option<i64> = all().map(|holds| holds.taken(id, num)).sum();
        match (holds::first_value(id, all()), value) {
            (Some(first), Some(now)) => taken.is_none_or(|taken| i64::from(now) + taken == first),
            _ => true,
        }
    }

    /// The same of a POSIX semaphore, which everybody who uses it has mapped.
    fn is_ours_alone(&self, name: &str, snapshot: &Snapshot) -> bool {
        let object = Object::Posix(name.into());
        let created = self.names.created(Family::Sem, &object).is_some();
        created
            && self.is_whole_posix(&object)
            && Thing::of(Family::Sem, &object)
                .is_some_and(|thing| snapshot.mapped().of(thing).all(|m| self.is_actor(m.pid)))
    }

    /// Whether this is the process of an actor, or was.
    fn is_actor(&self, pid: i32) -> bool {
        self.slots.iter().any(|s| s.actor.pid() == pid)
    }

    fn is_whole_posix(&self, object: &Object) -> bool {
        let Ok(row) = posix::semaphore(object) else {
            return false;
        };
        let value = row.contents.and_then(|c| i32::try_from(c.value).ok());
        self.is_whole(holds::posix(row.node.ino), 0, value)
    }

    /// Who has taken a semaphore; `None` where nobody has, or where it is no lock: somebody
    /// gave back what he never took, or may have.
    pub(super) fn holders_of_lock(&self, id: i32, num: u16) -> Option<Vec<usize>> {
        let mut holders = Vec::new();
        for (place, slot) in self.slots.iter().enumerate() {
            match slot
                .actor
                .holds()
                .map_or(Some(0), |holds| holds.taken(id, num))?
            {
                n if n < 0 => return None,
                0 => {}
                _ => holders.push(place),
            }
        }
        (!holders.is_empty()).then_some(holders)
    }
}
