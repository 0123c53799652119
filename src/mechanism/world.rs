//! What a verb works on when it runs in an actor.

use std::collections::HashMap;

use super::Args;
use super::resolve::{resolve, system_v};
use crate::data::{Failure, Family, Object};
use crate::kernel::{msg, posix, process, shm};
use crate::lang::{Reference, Target};
use crate::session::{Files, Holds, Ledger, Names, Side, files};

/// An actor's names, its ledger, and what its process holds.
#[derive(Debug)]
pub struct World {
    /// The names of the session.
    pub names: Names,
    /// Where what is created is written down.
    pub ledger: Ledger,
    /// The buffer for messages.
    pub mailbox: msg::Mailbox,
    /// The segments that this process has attached, by id.
    pub attachments: HashMap<i32, shm::Attachment>,
    /// The POSIX segments that this process has mapped, by name.
    pub mappings: HashMap<Box<str>, posix::shm::Mapping>,
    /// The descriptors through which this process holds pipes, FIFOs, sockets, queues.
    pub files: Files,
    /// What this actor holds of which semaphore.
    pub holds: Holds,
    /// The next key that is tried for a new object.
    pub(super) next_key: u32,
    /// The user on whose behalf objects are created.
    pub(super) uid: u32,
}

/// An object of a family that has two flavours.
#[derive(Debug)]
pub enum Flavour {
    /// By its id.
    SystemV(i32),
    /// By its name.
    Posix(Box<str>),
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(ledger: Ledger, holds: Holds) -> World {
        World {
            names: Names::default(),
            ledger,
            mailbox: msg::Mailbox::new(8192),
            attachments: HashMap::new(),
            mappings: HashMap::new(),
            files: Files::default(),
            holds,
            next_key: super::create::first_key(),
            uid: process::geteuid(),
        }
    }

    /// The object that an argument names, or the family's current one.
    ///
    /// # Errors
    /// There is no such name, no current object, no object with that key.
    pub fn find(&self, family: Family, args: &Args, param: &str) -> Result<Object, Failure> {
        resolve(&self.names, family, args.reference(param), args.env)
    }

    /// The same, by its flavour.
    ///
    /// # Errors
    /// Those of [`World::find`].
    #[inline(always)]
    pub fn flavour(&self, family: Family, args: &Args, param: &str) -> Result<Flavour, Failure> {
        let reference = args.reference(param);
        // Most steps name none, and in a loop looking further would cost as much as the rest.
        if let (None, Some((_, current))) = (reference, self.names.current(family))
            && let Some(id) = current.object.id()
        {
            return Ok(Flavour::SystemV(id));
        }
        match resolve(&self.names, family, reference, args.env)? {
            Object::Posix(name) => Ok(Flavour::Posix(name)),
            object => system_v(family, &object).map(Flavour::SystemV),
        }
    }

    /// The id of the System V object that an argument names, or the family's current one.
    ///
    /// # Errors
    /// Those of [`World::find`]; it is a POSIX object.
    pub fn find_id(&self, family: Family, args: &Args, param: &str) -> Result<i32, Failure> {
        system_v(family, &self.find(family, args, param)?)
    }

    /// The object that an argument names and that is used through a descriptor; where it
    /// names none, the one that this process used last this way, and then the session's.
    ///
    /// # Errors
    /// Those of [`World::find`].
    pub fn find_held(
        &self,
        family: Family,
        args: &Args,
        param: &str,
        side: Side,
    ) -> Result<Object, Failure> {
        let reference = args.reference(param);
        let current = reference.is_none_or(|r| r.target == Target::Current);
        match files::newest(self.files.held(), family, side).filter(|_| current) {
            Some(held) => Ok(held.object.clone()),
            None => resolve(&self.names, family, reference, args.env),
        }
    }

    /// How an object is called in the text of a call: its name, or `id:7`.
    pub fn label(&self, family: Family, reference: Option<&Reference>, object: &Object) -> String {
        super::resolve::label(&self.names, family, reference, object)
    }
}
