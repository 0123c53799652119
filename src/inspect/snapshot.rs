//! One look at the host: its processes, the objects they hold, and what their threads wait for.
//!
//! Every table and command that shows processes beside objects is a view of it. Its parts are read
//! when they are first asked for, once, of the same processes: a view costs what it shows.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::descriptors::{self, Ask, Descriptor, What};
use super::maps::{self, Mapping};
use super::process;
use super::thing::{Thing, is_mqueue};
use super::wait::{self, Waiter, Waiters};

/// The processes of a moment, and what was read of them.
#[derive(Debug, Default)]
pub struct Snapshot {
    pids: OnceCell<Vec<i32>>,
    waiters: OnceCell<Waiters>,
    open: OnceCell<Open>,
    mapped: OnceCell<Mapped>,
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
    fn pids(&self) -> &[i32] {
        self.pids.get_or_init(|| process::pids().collect())
    }

    /// The threads that wait in IPC.
    pub fn waiters(&self) -> &Waiters {
        self.waiters
            .get_or_init(|| wait::waiters(self.pids().iter().copied()))
    }

    /// The threads that wait at an object.
    pub fn waiting_at(&self, thing: Thing) -> impl Iterator<Item = &Waiter> {
        let all = self.waiters().found.iter();
        all.filter(move |waiter| waiter.thing == Some(thing))
    }

    /// The descriptors that are open on pipes, FIFOs, sockets and POSIX objects.
    pub fn open(&self) -> &Open {
        self.open.get_or_init(|| Open::scan(self.pids()))
    }

    /// The segments, System V's of our own IPC namespace, and files in `/dev/shm` that are mapped.
    pub fn mapped(&self) -> &Mapped {
        self.mapped.get_or_init(|| Mapped::scan(self.pids()))
    }

    /// How many processes could not be looked into for something that was asked so far: any of
    /// them may have what was looked for.
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
}

impl Open {
    fn scan(pids: &[i32]) -> Open {
        let ask = Ask {
            access: true,
            files: true,
        };
        let is_object = |what: &What| match what {
            What::File { file, .. } => file.is_some_and(|f| f.is_fifo() || f.is_regular()),
            what => !matches!(what, What::Other(_)),
        };
        let scan = descriptors::scan(pids.iter().copied(), ask, is_object);
        let mut open = Open {
            unreadable: scan.unreadable,
            ..Open::default()
        };
        let mut mqueues: HashMap<u64, bool> = HashMap::new();
        for descriptor in scan.descriptors {
            let (pid, fd) = (descriptor.pid, descriptor.fd);
            let ask = |dev| *mqueues.entry(dev).or_insert_with(|| is_mqueue(pid, fd));
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
    }

    /// Where an object is mapped.
    pub fn of(&self, thing: Thing) -> impl Iterator<Item = &Mapping> {
        self.found.iter().filter(move |m| m.thing == thing)
    }
}

#[cfg(test)]
mod tests;
