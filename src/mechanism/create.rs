//! Creating a System V object so that it cannot be lost.
//!
//! Its key is chosen first, written into the ledger, and used to create exclusively: if
//! this process is killed at any instant, the janitor knows what to look for.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::{Args, World};
use crate::data::{Cell, Failure, Family, Lack, Object, Outcome};
use crate::kernel::{Errno, sysv};
use crate::lang::{Env, Reference, Target};
use crate::session::{Binding, lookup, now, perm_of};

/// The upper half of every key we choose: `ip`, so that ours can be told from others'.
const OUR_KEYS: u32 = 0x6970_0000;

/// Whether a key is one of those that we choose, and not meant for others.
pub fn is_own_key(key: i32) -> bool {
    key == sysv::IPC_PRIVATE || key.cast_unsigned() & 0xffff_0000 == OUR_KEYS
}

/// Where the search for a free key begins: random, so that sessions do not collide.
pub(super) fn first_key() -> u32 {
    // The standard library's hasher is seeded by the kernel for each process.
    RandomState::new().build_hasher().finish() as u32
}

/// An object that has just been created.
#[derive(Clone, Debug)]
pub struct Created {
    /// The name it was given.
    pub name: String,
    /// The kernel's identifier.
    pub id: i32,
    /// Its key.
    pub key: i32,
}

impl Created {
    /// `ok   # id 32768, key 0x6970c31f`, and a note where the name was not asked for.
    pub fn outcome(&self, family: Family, wanted: Option<&Reference>) -> Outcome {
        let outcome = Outcome::ok()
            .remark("id", self.id)
            .remark("key", Cell::Key(self.key));
        match wanted.map(|r| &r.target) {
            Some(Target::Name(_)) => outcome,
            _ => outcome.note(self.note(family)),
        }
    }

    /// What is said where the user did not ask for it: `created message queue q1 (id 7)`.
    pub fn note(&self, family: Family) -> String {
        format!("created {} {} (id {})", family.object(), self.name, self.id)
    }
}

/// What the call that creates is given.
pub(super) struct Maker<'a> {
    pub family: Family,
    /// `msgget`
    pub call: &'static str,
    /// What it is given between the key and the flags: `, 4096 B`.
    pub given: &'a str,
    /// Creates exclusively under this key.
    pub make: &'a dyn Fn(i32) -> Result<i32, Errno>,
}

impl World {
    /// Creates an object and makes it the current one of its family.
    pub(super) fn create(
        &mut self,
        args: &Args,
        wanted: Option<&Reference>,
        private: bool,
        maker: &Maker,
    ) -> Result<Created, Failure> {
        let family = maker.family;
        let (name, chosen) = match wanted.map(|r| &r.target) {
            Some(Target::Name(name)) => (Some(name.clone()), None),
            Some(target) => (None, key(args.env, target)?),
            None => (None, None),
        };
        if let Some(name) = &name
            && let Some(binding) = self.names.get(family, name)
        {
            let object = binding.object.clone();
            if object.id().is_some_and(|id| perm_of(family, id).is_ok()) {
                return Err(Failure::errno(
                    "EEXIST",
                    format!("`{name}` already names a {} ({object})", family.object()),
                )
                .help(format!(
                    "Remove it with `{} rm {name}`, or choose another name",
                    family.noun()
                )));
            }
            self.names.forget(family, &object);
        }
        let name = name.unwrap_or_else(|| self.names.unique(family, &self.ledger));
        let (id, key, entry) = match chosen {
            Some(key) => {
                // A key of the user's choice may well be taken: look before the ledger
                // speaks of it, so that nobody else's object can ever be taken for ours.
                if key != sysv::IPC_PRIVATE && lookup(family, key) != Err(Errno::ENOENT) {
                    return Err(args.failure(Errno::EEXIST, call_text(maker, key)));
                }
                self.create_at(args, key, maker)?
            }
            None if private => self.create_at(args, sysv::IPC_PRIVATE, maker)?,
            None => self.create_anywhere(args, maker)?,
        };
        let binding = Binding {
            object: id.into(),
            key,
            entry: Some(entry),
        };
        self.names.bind(family, &name, binding);
        Ok(Created { name, id, key })
    }

    /// Under a key of our choice: one that is free.
    fn create_anywhere(
        &mut self,
        args: &Args,
        maker: &Maker,
    ) -> Result<(i32, i32, crate::session::Entry), Failure> {
        for _ in 0..=u16::MAX {
            let key = OUR_KEYS | (self.next_key & 0xffff);
            self.next_key = self.next_key.wrapping_add(1);
            match self.create_at(args, key as i32, maker) {
                Err(failure) if failure.errno.as_deref() == Some("EEXIST") => {}
                result => return result,
            }
        }
        Err(Failure::environment(format!(
            "all 65536 keys that ipcsh uses (0x{OUR_KEYS:08x} and up) are taken"
        ))
        .help(format!("`{} ls` shows by whom", maker.family.noun())))
    }

    fn create_at(
        &mut self,
        args: &Args,
        key: i32,
        maker: &Maker,
    ) -> Result<(i32, i32, crate::session::Entry), Failure> {
        let entry = self
            .ledger
            .intend(maker.family, key, now(), self.uid)
            .ok_or_else(|| {
                Failure::environment("the session's ledger is full (65536 objects)")
                    .help("Remove some of them first")
            })?;
        match (maker.make)(key) {
            Ok(id) => {
                self.ledger.settle(entry, maker.family, id);
                Ok((id, key, entry))
            }
            Err(errno) => {
                self.ledger.forget(entry);
                let failure = args.failure(errno, call_text(maker, key));
                let family = maker.family;
                Err(match errno {
                    Errno::ENOSPC => failure.lacks(Lack::Place {
                        family,
                        posix: false,
                    }),
                    _ => failure,
                })
            }
        }
    }

    /// Notes that an object was removed by a call of ours.
    pub(super) fn removed(&mut self, family: Family, object: &Object) {
        let entries: Vec<_> = self
            .names
            .all(family)
            .into_iter()
            .filter(|(_, binding)| binding.object == *object)
            .filter_map(|(_, binding)| binding.entry)
            .collect();
        // Two names may share a record.
        for entry in entries {
            self.ledger.removed(entry, family, object);
        }
        self.names.forget(family, object);
    }
}

fn call_text(maker: &Maker, key: i32) -> String {
    let key = match key {
        sysv::IPC_PRIVATE => "IPC_PRIVATE".to_string(),
        key => format!("0x{key:08x}"),
    };
    format!("{}({key}{}, IPC_CREAT|IPC_EXCL)", maker.call, maker.given)
}

/// The key that is written, where one is.
///
/// # Errors
/// It is out of range, or cannot be made of the file.
pub fn key(env: &Env, target: &Target) -> Result<Option<i32>, Failure> {
    match target {
        Target::Key(term) => key_of(env.int(term)?).map(Some),
        Target::Ftok(path, project) => ftok(path, *project).map(Some),
        _ => Ok(None),
    }
}

/// An integer as a key: any 32 bits, signed or not.
pub(super) fn key_of(n: i128) -> Result<i32, Failure> {
    i32::try_from(n)
        .or_else(|_| u32::try_from(n).map(|n| n as i32))
        .map_err(|_| {
            Failure::refused(format!(
                "the key {n} is out of range: it is from 0 to 0xffffffff"
            ))
        })
}

/// The key of a path and a project number.
pub(super) fn ftok(path: &str, project: u8) -> Result<i32, Failure> {
    sysv::ftok(path.as_ref(), project).map_err(|errno| {
        Failure::errno(
            super::args::errno_symbol(errno),
            format!(
                "the key is made from the file, and it cannot be read: {}",
                errno.desc()
            ),
        )
        .call(format!("ftok({path}, {project})"))
    })
}
