//! Where each actor stands: what it does, what it is blocked on, and who could wake it.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use super::engine::Engine;
use super::pending::unreadable;
use super::slot::signal_text;
use super::waiting::Patience;
use crate::actor::Sighting;
use crate::data::{Failure, FailureKind, Family, Object, Stand, Took};
use crate::inspect::descriptors::{self, What};
use crate::inspect::posix;
use crate::inspect::snapshot::Snapshot;
use crate::inspect::thing::{self, Thing};
use crate::inspect::wait::{Kind, Name, Wait};
use crate::inspect::waking::lacking;
use crate::kernel::{procfd, sem};
use crate::mechanism::{self, Sight};

impl Engine {
    /// Where one actor stands.
    pub(super) fn stand(&mut self, place: usize) -> Stand {
        let sighting = self.sight_actor(place);
        let slot = &self.slots[place];
        let mut stand = Stand {
            actor: slot.actor.name.clone(),
            pid: slot.actor.pid(),
            state: String::new(),
            call: None,
            about: None,
        };
        match sighting {
            Sighting::Idle => stand.state = "idle".into(),
            Sighting::Running => stand.state = "running".into(),
            Sighting::Dead => stand.state = "dead".into(),
            Sighting::Stopped { by, .. } => {
                stand.state = "stopped".into();
                let by = by.map_or("by a tracer".into(), signal_text);
                stand.about = Some(format!(
                    "{} is stopped ({by}); !kill -CONT {} lets it go on",
                    stand.actor, stand.pid
                ));
            }
            Sighting::Unreadable { why, .. } => {
                stand.state = "?".into();
                stand.about = Some(unreadable(&stand.actor, stand.pid, why));
            }
            Sighting::Blocked { wait, .. } => {
                stand.state = "blocked".into();
                stand.call = Some(self.wait_text(place, &wait));
                stand.about = self.condition(place, &wait);
            }
        }
        stand
    }

    /// Why a step is given up: it has not ended.
    pub(super) fn overdue(&mut self, place: usize, limit: Duration) -> Failure {
        let stand = self.stand(place);
        let meaning = match (stand.call, stand.about) {
            (Some(call), Some(about)) => format!("{call}: {about}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => format!("`{}` is {}", stand.actor, stand.state),
        };
        let state = match stand.state.as_str() {
            "?" => "asleep",
            state => state,
        };
        Failure::new(
            FailureKind::Deadline,
            format!("still {state} after {}: {meaning}", Took(limit)),
        )
    }

    /// What an actor does: blocked is only said of what is seen twice.
    pub(super) fn sight_actor(&mut self, place: usize) -> Sighting {
        let mut sighting = self.slots[place].actor.look();
        let mut patience = Patience::new();
        for _ in 0..4 {
            if sighting != Sighting::Running {
                break;
            }
            // A pending end makes the answer, whatever else is pending.
            if self.wait(patience.next()).is_err() {
                break;
            }
            sighting = self.slots[place].actor.look();
        }
        sighting
    }

    /// What is behind a descriptor of an actor: what it told of, or else what the kernel says.
    pub(super) fn behind(&self, place: usize, fd: i32) -> Option<(Family, Object)> {
        let slot = &self.slots[place];
        if let Some(held) = slot.files.iter().find(|h| h.fd == fd) {
            return Some((held.family, held.object.clone()));
        }
        match descriptors::behind(slot.actor.pid(), fd).ok()? {
            What::Pipe { ino } => Some((Family::Pipe, Object::Inode(ino))),
            What::Socket { ino } => Some((Family::Sock, Object::Inode(ino))),
            What::File { path, .. } => match posix::queue_behind(slot.actor.pid(), fd) {
                Some(name) => Some((Family::Msgq, Object::Posix(name))),
                None => {
                    let file = procfd::file(slot.actor.pid(), fd).ok()?;
                    Thing::Fifo(file.into()).object(Some(&path))
                }
            },
            What::Other(_) => None,
        }
    }

    /// The POSIX semaphore that an actor waits for.
    pub(super) fn semaphore(&self, place: usize, wait: &Wait) -> Option<Object> {
        let Wait::Futex {
            addr,
            private: false,
            ..
        } = wait
        else {
            return None;
        };
        posix::semaphore_at(self.slots[place].actor.pid(), *addr).map(Object::Posix)
    }

    /// A wait in words, with this session's names: `semop lock -1`, `read p`.
    pub(super) fn wait_text(&self, place: usize, wait: &Wait) -> String {
        if let Some(semaphore) = self.semaphore(place, wait) {
            return format!("sem_wait {semaphore}");
        }
        wait.text(|kind, number| {
            let (family, object) = match kind {
                Kind::Msgq => (Family::Msgq, Object::Id(number)),
                Kind::Sem => (Family::Sem, Object::Id(number)),
                Kind::Fd => self.behind(place, number)?,
            };
            let nsems = match kind {
                Kind::Sem => sem::stat_any_id(number).ok().map(|s| s.nsems),
                _ => None,
            };
            let text = match (self.names.name_of(family, &object), kind) {
                (Some(name), _) => name.to_string(),
                (None, Kind::Fd) => mechanism::label(&self.names, family, None, &object),
                (None, _) => return None,
            };
            Some(Name { text, nsems })
        })
    }

    /// The condition of the object that is waited on.
    pub(super) fn condition(&self, place: usize, wait: &Wait) -> Option<String> {
        let (family, object, num) = match self.semaphore(place, wait) {
            Some(object) => (Family::Sem, object, None),
            None => waited_on(wait, |fd| self.behind(place, fd))?,
        };
        let actors = self.actors_by_pid();
        let mut sight = self.sight(&actors);
        sight.blocked = Some((self.slots[place].actor.pid(), wait));
        // A name may be another's by now; an id is nobody else's.
        let named = matches!(object, Object::Posix(_));
        let found = named.then(|| thing::waited_at(self.slots[place].actor.pid(), wait, || true));
        let thing = found.flatten().map(|(thing, _)| thing);
        mechanism::condition(&sight, family, &object, num, thing)
    }

    /// A fresh look at the host, with the session's names and the actors' descriptors.
    pub fn sight<'a>(&'a self, actors: &'a HashMap<i32, String>) -> Sight<'a> {
        let mut sight = Sight::new(&self.names, &self.env, actors);
        sight.signals = self.signals.as_ref().map(|signals| signals.as_fd());
        for slot in self.slots.iter().filter(|s| !s.actor.is_gone()) {
            let pid = slot.actor.pid();
            let held = slot.files.iter().cloned();
            sight.held.extend(held.map(|held| (pid, held)));
        }
        if let Some(visit) = &self.visit {
            sight.shell = visit.shell;
            sight.snapshot = Rc::new(Snapshot::of_inside(visit.inside.clone()));
        }
        sight
    }
}

/// The object that a thread waits on; `behind` says what its descriptors are.
fn waited_on(
    wait: &Wait,
    behind: impl Fn(i32) -> Option<(Family, Object)>,
) -> Option<(Family, Object, Option<u32>)> {
    match wait {
        Wait::MsgSend { id, .. } | Wait::MsgReceive { id, .. } => {
            Some((Family::Msgq, Object::Id(*id), None))
        }
        Wait::SemOp { id, ops, .. } => {
            let lacking = lacking(*id, ops).map(|(op, _)| op);
            let num = lacking.or_else(|| ops.first().copied());
            Some((
                Family::Sem,
                Object::Id(*id),
                num.map(|op| u32::from(op.num)),
            ))
        }
        Wait::Open {
            path: Some(path), ..
        } => Some((Family::Fifo, Object::from(path.as_path()), None)),
        wait => {
            let (family, object) = behind(wait.descriptor()?)?;
            Some((family, object, None))
        }
    }
}
