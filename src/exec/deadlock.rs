//! Cycles of waits among a session's actors.
//!
//! The kernel does not know who holds a semaphore. The actors count what they took and gave back; one
//! that this session has created, that nobody else is seen to use, and that is only ever given back by
//! who took it, is a lock, and who has taken it is who could give it back. Who waits for bytes in a pipe
//! or a connected socket, or for room, can be woken by who has its other end; the kernel shows who those
//! are. An actor is stuck if
//! everyone who could wake it is stuck. One that waits for something else, in a loop that does more than
//! take, may yet give what others wait for, and while there is one, nobody is.

mod proof;
mod words;

use super::engine::{Engine, Ran};
use crate::actor::Sighting;
use crate::data::{Event, Family, Object, Sink};
use crate::inspect::snapshot::Snapshot;
use crate::inspect::wait::Wait;
use crate::inspect::waking::lacking;
use crate::inspect::{posix, unix};
use crate::kernel::socket::Kind;
use crate::lang::{Action, Work};
use crate::session::{Side, files, holds};

/// What a blocked actor waits for that another could give.
enum Want {
    /// A semaphore, which is a lock.
    Lock {
        id: i32,
        num: u16,
        /// That of a POSIX one.
        name: Option<Box<str>>,
    },
    /// What comes from the other end of a pipe, a FIFO or a connected socket.
    End {
        family: Family,
        object: Object,
        /// What has that end: the pipe itself, or the socket on the other side.
        other: Object,
        end: Side,
        what: &'static str,
    },
}

/// One blocked actor, what it waits for, and who could wake it.
struct Stuck {
    actor: usize,
    /// Where it stands still, see [`Sighting`].
    at: u64,
    want: Want,
    holders: Vec<usize>,
}

impl Engine {
    /// The cycle that an actor waits in, in words; `None` where somebody may still wake
    /// it: an actor that runs, or a `!command &`, of which nothing is known.
    pub(super) fn deadlock_with(&mut self, place: usize) -> Option<String> {
        let stuck = self.stuck();
        let found = stuck.iter().any(|s| s.actor == place);
        found.then(|| self.cycle_text(place, &stuck).0)
    }

    /// At the prompt: tells of a cycle of waits among pending steps, once.
    pub(super) fn tell_deadlock(&mut self, sink: &mut dyn Sink) -> Ran {
        let pending = self.slots.iter().enumerate();
        let pending = pending.filter_map(|(place, s)| Some((s.unended()?.since, place)));
        // The step that was left last has closed it.
        let Some((_, last)) = pending.max() else {
            return Ok(());
        };
        let stuck = self.stuck();
        let cycle: Vec<_> = stuck
            .iter()
            .map(|s| &self.slots[s.actor].actor)
            .map(|actor| (actor.pid(), actor.next_number()))
            .collect();
        // One look that finds an actor running says nothing new.
        if cycle.is_empty() || cycle == self.told_cycle {
            return Ok(());
        }
        let closing = stuck.iter().find(|s| s.actor == last);
        let from = closing.unwrap_or(&stuck[0]).actor;
        let (text, one) = self.cycle_text(from, &stuck);
        let name = &self.slots[one].actor.name;
        sink.event(&Event::Note(format!("{text}; `cancel {name}` breaks it")))?;
        self.told_cycle = cycle;
        Ok(())
    }

    /// Whether these actors are stuck, and wait for each other.
    pub(super) fn deadlocked(&mut self, names: &[String]) -> Result<(), String> {
        if !self.jobs.is_empty() {
            return Err("a command still runs in the background, and may wake anybody".into());
        }
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
        if !self.jobs.is_empty() {
            return Vec::new();
        }
        let mut stuck = Vec::new();
        // Those that give something once they go on.
        let mut givers = Vec::new();
        for place in 0..self.slots.len() {
            if !self.slots[place].actor.is_busy() {
                continue;
            }
            let mut sighting = self.slots[place].actor.look();
            if sighting == Sighting::Running {
                sighting = self.slots[place].actor.look();
            }
            // It runs, and may give anything back.
            let Sighting::Blocked { wait, at, .. } = sighting else {
                return Vec::new();
            };
            if self.gives_later(place, &wait) {
                givers.push(place);
            }
            stuck.extend(self.stuck_at(place, &wait, at));
        }
        only_each_other(&mut stuck);
        // A pass over the host's processes is made only where the session sees a cycle.
        let snapshot = Snapshot::default();
        stuck.retain(|s| self.is_confirmed(s, &snapshot));
        // They were looked at one after the other: one may have gone on meanwhile.
        stuck.retain(|s| {
            let sighting = self.slots[s.actor].actor.look();
            sighting.standstill() == Some(s.at)
        });
        only_each_other(&mut stuck);
        let is_stuck = |place: &usize| stuck.iter().any(|s| s.actor == *place);
        match givers.iter().all(is_stuck) {
            true => stuck,
            false => Vec::new(),
        }
    }

    /// Whether an actor that is blocked so does more behind this call, or gives something in it.
    fn gives_later(&self, place: usize, wait: &Wait) -> bool {
        let gives = matches!(wait, Wait::SemOp { ops, .. } if ops.iter().any(|op| op.op > 0));
        let pending = self.slots[place].pending();
        gives || pending.is_some_and(|p| p.step.is_loop() && self.may_give(&p.step.work))
    }

    /// Whether anything in a loop may wake somebody.
    fn may_give(&self, work: &Work) -> bool {
        match &work.action {
            Action::Call(call) => !self.commands.catalog.signature(call.command).takes,
            Action::Value(_) => false,
            Action::Repeat { body, .. } => body.iter().any(|work| self.may_give(work)),
        }
    }

    /// What another could give to an actor that is blocked so, and who could.
    fn stuck_at(&self, actor: usize, wait: &Wait, at: u64) -> Option<Stuck> {
        let want = self.want(actor, wait)?;
        let holders = match &want {
            Want::Lock { id, num, .. } => self.holders_of_lock(*id, *num)?,
            Want::End {
                family, other, end, ..
            } => self.holders_of_end(*family, other, *end),
        };
        Some(Stuck {
            actor,
            at,
            want,
            holders,
        })
    }

    /// What another actor could give to one that is blocked so.
    fn want(&self, place: usize, wait: &Wait) -> Option<Want> {
        let (fd, end) = match wait {
            Wait::SemOp {
                id,
                ops,
                timeout: false,
            } => {
                let (op, _) = lacking(*id, ops).filter(|(op, _)| op.op < 0)?;
                return Some(Want::Lock {
                    id: *id,
                    num: op.num,
                    name: None,
                });
            }
            Wait::Futex { timeout: false, .. } => {
                let object = self.semaphore(place, wait)?;
                let id = holds::posix(posix::semaphore(&object).ok()?.node.ino);
                let Object::Posix(name) = object else {
                    return None;
                };
                return Some(Want::Lock {
                    id,
                    num: 0,
                    name: Some(name),
                });
            }
            Wait::Read { fd } | Wait::Receive { fd } => (fd, Side::Write),
            Wait::Write { fd } | Wait::Send { fd, .. } => (fd, Side::Read),
            _ => return None,
        };
        let (family, object) = self.behind(place, *fd)?;
        let (other, end) = match family {
            Family::Sock => (other_side(&object)?, Side::Both),
            _ => (object.clone(), end),
        };
        Some(Want::End {
            family,
            object,
            other,
            end,
            what: match wait {
                Wait::Read { .. } | Wait::Receive { .. } => "bytes",
                _ => "room",
            },
        })
    }

    /// The actors that have an end open, as far as they have told.
    fn holders_of_end(&self, family: Family, object: &Object, end: Side) -> Vec<usize> {
        let has = |place: &usize| files::of(&self.slots[*place].files, family, object, end);
        let places = 0..self.slots.len();
        places.filter(|place| has(place).is_some()).collect()
    }
}

/// The socket that a Unix socket is connected to, where nobody else can send to it.
fn other_side(socket: &Object) -> Option<Object> {
    let socket = unix::one(socket.inode()?).ok()??;
    let connected = matches!(socket.kind, Kind::Stream | Kind::Seqpacket);
    socket.peer.filter(|_| connected).map(Object::Inode)
}

/// Keeps the largest set of actors of which each waits, and only for others of it.
fn only_each_other(stuck: &mut Vec<Stuck>) {
    loop {
        let members: Vec<usize> = stuck.iter().map(|s| s.actor).collect();
        let before = stuck.len();
        stuck.retain(|s| !s.holders.is_empty() && s.holders.iter().all(|h| members.contains(h)));
        if stuck.len() == before {
            return;
        }
    }
}
