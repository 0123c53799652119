//! The mechanisms, one file each: its commands' signatures, its columns, and the
//! functions that run them.
//!
//! A verb that makes the calls of its mechanism runs in an actor, on a [`World`]. A verb
//! that only looks runs in the shell, on a [`Sight`].

mod any;
mod args;
mod cause;
mod common;
mod common_verbs;
mod create;
mod fields;
pub mod fifo;
pub mod msgq;
pub mod pipe;
mod place;
mod posix;
mod resolve;
pub mod sem;
pub mod shm;
mod sight;
pub mod signal;
pub mod sock;
mod stream;
mod telling;
#[cfg(test)]
mod testing;
mod users;
mod world;

use crate::data::{Cell, Column, Failure, Family, Object, Reply, StepResult, Table};
use crate::inspect::thing::Thing;
use crate::lang::{Kind, Param, Signature};
use crate::session::Side;

pub use args::{Args, all_errnos, errno_of, errno_symbol, errno_text};
pub use cause::cause;
pub use common::{number_of, semaphore_number};
pub use common_verbs::columns;
pub use create::{Created, is_own_key, key};
pub use fields::unknown;
pub use place::Place;
pub use resolve::{label, resolve};
pub use shm::{one_integer, word_at};
pub use sight::{Listing, Sight};
pub use telling::{barred, unseen};
pub use users::{How, Use, Uses, users, uses};
pub use world::{Flavour, World};

/// What every command has that looks at the host.
pub const NS: Param = Param::valued(
    "ns",
    Kind::Pid,
    "look from inside the IPC, mount and network namespace of this process; `help ns`",
);

/// A command of a mechanism.
#[derive(Debug)]
pub struct Verb {
    /// What it looks like.
    pub signature: Signature,
    /// What it does.
    pub run: Run,
}

/// What a command of a mechanism does.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// In an actor: it makes the calls.
    Actor(fn(&mut World, &Args) -> StepResult),
    /// In an actor, through a descriptor that is used this way. Where the actor has none of
    /// the object, it is given a copy of another actor's.
    Through(Side, fn(&mut World, &Args) -> StepResult),
    /// In the shell: it looks.
    Shell(fn(&Sight, &Args) -> Result<Reply, Failure>),
}

/// A mechanism.
#[derive(Debug)]
pub struct Mechanism {
    /// Its commands.
    pub verbs: &'static [&'static Verb],
    /// The kinds of its objects: one for each flavour, System V's first. Signals have none.
    pub kinds: &'static [&'static ObjectKind],
}

/// One flavour of a family's objects, and how they are seen.
#[derive(Debug)]
pub struct ObjectKind {
    /// Its family.
    pub family: Family,
    /// Whether they are POSIX objects, which have names with a slash.
    pub posix: bool,
    /// Every field of its objects: the columns of its tables, the keys of its JSON and
    /// what `expect` may name.
    pub fields: fn() -> Vec<&'static Column>,
    /// The times that the kernel keeps of an object's use, by its fields, and what was done with it
    /// where one changes.
    pub times: &'static [(&'static str, &'static str)],
    /// One field of one object; the number is that of a semaphore of a set.
    pub look: fn(&Sight, &Object, Option<u32>, &str) -> Result<Cell, Failure>,
    /// Every object of the host.
    pub list: fn(&Sight, &Listing) -> Result<Table, Failure>,
    /// Everything about one object.
    pub info: fn(&Sight, &Object) -> Result<Vec<Table>, Failure>,
    /// What is in an object; nothing of it changes.
    pub peek: fn(&Sight, &Object, &Args) -> Result<Reply, Failure>,
    /// The condition of an object that somebody waits on, and its last operator:
    /// `lock is 0, last operated by a (pid 4240)`.
    pub condition: fn(&Sight, &Object, Option<u32>) -> String,
}

impl ObjectKind {
    /// Whether they are System V's.
    pub fn is_system_v(&self) -> bool {
        self.family.is_system_v() && !self.posix
    }

    /// Whether they have all of these columns.
    pub fn has(&self, columns: &[String]) -> bool {
        let fields = (self.fields)();
        columns.iter().all(|c| fields.iter().any(|f| f.name == c))
    }
}

/// Every mechanism, in the order in which `ipcs` lists them.
pub static ALL: [&Mechanism; 7] = [
    &msgq::MECHANISM,
    &shm::MECHANISM,
    &sem::MECHANISM,
    &pipe::MECHANISM,
    &fifo::MECHANISM,
    &sock::MECHANISM,
    &signal::MECHANISM,
];

/// The kinds of objects that a family has, the usual one first.
pub fn kinds(family: Family) -> impl Iterator<Item = &'static ObjectKind> {
    let kinds = ALL.iter().flat_map(|m| m.kinds.iter().copied());
    kinds.filter(move |kind| kind.family == family)
}

/// A family's System V objects.
///
/// # Errors
/// System V has none.
pub fn system_v(family: Family) -> Result<&'static ObjectKind, Failure> {
    kinds(family)
        .find(|kind| kind.is_system_v())
        .ok_or_else(|| Failure::refused(format!("System V has no {}", family.object())))
}

/// The kinds of a family that have all of these columns. Where none has, the first one
/// tells what is wrong.
pub fn with_columns(family: Family, columns: &[String]) -> Vec<&'static ObjectKind> {
    let all: Vec<_> = kinds(family).collect();
    let mut found = all.clone();
    found.retain(|kind| kind.has(columns));
    match found.is_empty() {
        true => all.into_iter().take(1).collect(),
        false => found,
    }
}

/// The kind of an object.
///
/// # Errors
/// There is none: a POSIX name for what has no POSIX flavour.
pub fn kind_of(family: Family, object: &Object) -> Result<&'static ObjectKind, Failure> {
    // A POSIX object without a name is known by a descriptor that is open on it.
    let unnamed = family.is_system_v() && object.path().is_some();
    let posix = unnamed || matches!(object, Object::Posix(_));
    kinds(family)
        .find(|kind| kind.posix == posix)
        .ok_or_else(|| Failure::refused(format!("`{object}` cannot be a {}", family.object())))
}

/// The condition of an object that is waited at, in words; `thing` is what it is, where that is known.
pub fn condition(
    sight: &Sight,
    family: Family,
    object: &Object,
    index: Option<u32>,
    thing: Option<Thing>,
) -> Option<String> {
    if thing.is_some_and(|thing| thing.is_replaced(family, object)) {
        return Some(posix::removed(posix::name_of(object)));
    }
    let kind = kind_of(family, object).ok()?;
    Some((kind.condition)(sight, object, index))
}

/// What `expect FAMILY.REF.FIELD` may name.
pub fn all_fields() -> Vec<(Family, Vec<&'static str>)> {
    let of = |family| fields(family).iter().map(|c| c.name).collect();
    Family::ALL.map(|family| (family, of(family))).into()
}

/// The fields of a family's objects, of any flavour, each once.
pub fn fields(family: Family) -> Vec<&'static Column> {
    let mut fields: Vec<&'static Column> = Vec::new();
    for field in kinds(family).flat_map(|kind| (kind.fields)()) {
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field);
        }
    }
    fields
}
