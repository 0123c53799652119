//! One look at the host: its processes, the objects they hold, and what their threads wait for.
//!
//! Every table and command that shows processes beside objects is a view of it. Its parts are read
//! when they are first asked for, once, of the same processes: a view costs what it shows.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;

use super::descriptors::{self, Ask, Descriptor, FileId, What};
use super::files::{self, FileUsers};
use super::locks;
use super::maps::{self, Mapping};
use super::namespaces::Inside;
use super::parallel::in_parts;
use super::process;
use super::thing::{Thing, is_mqueue, is_posix};
use super::wait::{self, Waiter, Waiters};

/// The processes of a moment, and what was read of them.
#[derive(Debug, Default)]
pub struct Snapshot {
    pids: OnceCell<Vec<i32>>,
    hidden: OnceCell<usize>,
    waiters: OnceCell<Waiters>,
    /// The places of the waiters by what they wait at.
    waiting: OnceCell<HashMap<Thing, Vec<usize>>>,
    open: OnceCell<Open>,
    mapped: OnceCell<Mapped>,
    commands: RefCell<HashMap<i32, Option<String>>>,
    /// By the device and the inode of what is locked.
    lockers: RefCell<HashMap<(u64, u64), Vec<i32>>>,
    /// Where it looks from inside another process's namespaces.
    inside: Option<Inside>,
    insiders: RefCell<HashMap<i32, bool>>,
}

/// The descriptors that are open on objects.
#[derive(Debug, Default)]
pub struct Open {
    /// By object, and process by process.
    by_thing: HashMap<Thing, Vec<Descriptor>>,
    /// The objects, in the order of the processes that have them open.
    order: Vec<Thing>,
    /// How many processes could not be looked into.
    pub unreadable: usize,
}

/// The objects that are mapped.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Process by process.
    pub found: Vec<Mapping>,
    /// How many processes could not be looked into.
    pub unreadable: usize,
}

impl Snapshot {
    /// One that is of interest for those inside.
    pub fn of_inside(inside: Inside) -> Snapshot {
        Snapshot {
            inside: Some(inside),
            ..Snapshot::default()
        }
    }

    /// Where it looks from, where that is inside another process's namespaces.
    pub fn inside(&self) -> Option<&Inside> {
        self.inside.as_ref()
    }

    /// Whether a process is one of those of interest: everybody is, unless it looks from inside.
    pub fn is_inside(&self, pid: i32) -> bool {
        let Some(inside) = &self.inside else {
            return true;
        };
        let mut known = self.insiders.borrow_mut();
        *known.entry(pid).or_insert_with(|| inside.has(pid))
    }

    fn pids(&self) -> &[i32] {
        self.pids.get_or_init(|| process::pids().collect())
    }

    /// How many processes there are at least that /proc does not even show.
    fn hidden(&self) -> usize {
        *self
            .hidden
            .get_or_init(|| usize::from(process::are_hidden()))
    }

    /// The command of a process, [`process::command`]: many objects may show the same one.
    pub fn command(&self, pid: i32) -> Option<String> {
        let mut known = self.commands.borrow_mut();
        let command = known.entry(pid).or_insert_with(|| process::command(pid));
        command.clone()
    }

    /// The threads that wait in IPC.
    pub fn waiters(&self) -> &Waiters {
        self.waiters.get_or_init(|| {
            let parts = in_parts(self.pids(), |pids| wait::waiters(pids.iter().copied()));
            let mut all = Waiters::default();
            for mut part in parts {
                all.found.append(&mut part.found);
                all.unreadable += part.unreadable;
            }
            all.unreadable += self.hidden();
            all
        })
    }

    /// The threads that wait at an object. Tables of thousands of objects ask for each.
    pub fn waiting_at(&self, thing: Thing) -> impl Iterator<Item = &Waiter> {
        let all = &self.waiters().found;
        let waiting = self.waiting.get_or_init(|| {
            let mut waiting: HashMap<Thing, Vec<usize>> = HashMap::new();
            for (place, waiter) in all.iter().enumerate() {
                if let Some(thing) = waiter.thing {
                    waiting.entry(thing).or_default().push(place);
                }
            }
            waiting
        });
        let places = waiting.get(&thing).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| all.get(*place))
    }

    /// The descriptors that are open on pipes, FIFOs, sockets and POSIX objects.
    pub fn open(&self) -> &Open {
        self.open.get_or_init(|| {
            let mut open = Open::scan(self.pids());
            open.unreadable += self.hidden();
            open
        })
    }

    /// The segments, System V's of our own IPC namespace, and files in `/dev/shm` that are mapped.
    pub fn mapped(&self) -> &Mapped {
        self.mapped.get_or_init(|| {
            let mut mapped = Mapped::scan(self.pids());
            mapped.unreadable += self.hidden();
            mapped
        })
    }

    /// Who has a file open through a description that has locked it.
    pub(super) fn lockers(&self, file: FileId) -> Vec<i32> {
        let mut known = self.lockers.borrow_mut();
        let found = known.entry((file.dev, file.ino));
        found
            .or_insert_with(|| locks::lockers(self.pids(), file))
            .clone()
    }

    /// Who has a file that is no object, which one of them knows by this path.
    pub fn users_of(&self, file: FileId, path: &Path) -> FileUsers {
        let mut users = files::users(self.pids(), file, path);
        users.unreadable += self.hidden();
        users
    }

    /// How many processes could not be looked into for something that was asked so far: any of
    /// them may have what was looked for. Those that /proc hides count for one: nobody knows how many
    /// they are.
    pub fn unreadable(&self) -> usize {
        let waiters = self.waiters.get().map(|w| w.unreadable);
        let open = self.open.get().map(|o| o.unreadable);
        let mapped = self.mapped.get().map(|m| m.unreadable);
        [waiters, open, mapped]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(0)
    }

    /// Whether somebody who may not be looked into may have what was looked for. To who may look into
    /// all, those seem so that are about to end.
    pub fn hides(&self) -> bool {
        self.unreadable() > 0 && !process::may_look_into_all()
    }
}

/// Whether a descriptor is worth asking what it is open for: what [`Thing::behind`] may say yes to.
fn may_be_object(what: &What) -> bool {
    match what {
        What::Pipe { .. } | What::Socket { .. } => true,
        What::File {
            path,
            file: Some(file),
        } => file.is_fifo() || file.is_regular() && is_posix(path),
        What::File { .. } | What::Other(_) => false,
    }
}

impl Open {
    fn scan(pids: &[i32]) -> Open {
        let ask = Ask {
            access: true,
            files: true,
        };
        let scans = in_parts(pids, |pids| {
            descriptors::scan(pids.iter().copied(), ask, may_be_object)
        });
        let mut open = Open {
            unreadable: scans.iter().map(|scan| scan.unreadable).sum(),
            ..Open::default()
        };
        let mut mqueues: HashMap<u64, bool> = HashMap::new();
        for descriptor in scans.into_iter().flat_map(|scan| scan.descriptors) {
            let (pid, fd) = (descriptor.pid, descriptor.fd);
            // One that is closed by now says nothing of its device.
            let ask = |dev| match mqueues.get(&dev).copied().or_else(|| is_mqueue(pid, fd)) {
                Some(told) => *mqueues.entry(dev).or_insert(told),
                None => false,
            };
            if let Some(thing) = Thing::behind(&descriptor.what, ask) {
                let known = open.by_thing.entry(thing).or_default();
                if known.is_empty() {
                    open.order.push(thing);
                }
                known.push(descriptor);
            }
        }
        open
    }

    /// The descriptors that are open on an object.
    pub fn on(&self, thing: Thing) -> &[Descriptor] {
        self.by_thing.get(&thing).map_or(&[], Vec::as_slice)
    }

    /// Every object that is open somewhere, with the descriptors.
    pub fn all(&self) -> impl Iterator<Item = (Thing, &[Descriptor])> {
        self.order.iter().map(|thing| (*thing, self.on(*thing)))
    }
}

impl Mapped {
    fn scan(pids: &[i32]) -> Mapped {
        let here = process::ipc_namespace(std::process::id().cast_signed());
        let part = |pids: &[i32]| {
            let mut mapped = Mapped::default();
            for &pid in pids {
                let Some(mut found) = maps::of(pid) else {
                    mapped.unreadable += 1;
                    continue;
                };
                let is_system_v = |m: &Mapping| matches!(m.thing, Thing::Shm(_));
                if found.iter().any(is_system_v) && process::ipc_namespace(pid) != here {
                    found.retain(|m| !is_system_v(m));
                }
                mapped.found.append(&mut found);
            }
            mapped
        };
        let mut all = Mapped::default();
        for mut part in in_parts(pids, part) {
            all.found.append(&mut part.found);
            all.unreadable += part.unreadable;
        }
        all
    }

    /// Where an object is mapped.
    pub fn of(&self, thing: Thing) -> impl Iterator<Item = &Mapping> {
        self.found.iter().filter(move |m| m.thing == thing)
    }
}

#[cfg(test)]
mod tests;
