//! The mechanisms, one file each: its commands' signatures, its columns, and the
//! functions that run them.
//!
//! A verb that makes the calls of its mechanism runs in an actor, on a [`World`]. A verb
//! that only looks runs in the shell, on a [`Sight`].

mod args;
mod common;
mod common_verbs;
mod create;
mod fields;
pub mod msgq;
pub mod sem;
pub mod shm;
mod sight;
#[cfg(test)]
mod testing;
mod users;
mod world;

use crate::data::{Cell, Column, Failure, Family, Reply, StepResult, Table};
use crate::lang::Signature;

pub use args::{Args, errno_symbol};
pub use common_verbs::columns;
pub use create::Created;
pub use sight::{Listing, Sight};
pub use users::users;
pub use world::World;

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
    /// In the shell: it looks.
    Shell(fn(&Sight, &Args) -> Result<Reply, Failure>),
}

/// A mechanism.
#[derive(Debug)]
pub struct Mechanism {
    /// Its family.
    pub family: Family,
    /// Its commands.
    pub verbs: &'static [&'static Verb],
    /// Every field of its objects: the columns of its tables, the keys of its JSON and
    /// what `expect` may name.
    pub fields: fn() -> Vec<&'static Column>,
    /// One field of one object; the number is that of a semaphore of a set.
    pub look: fn(&Sight, i32, Option<u32>, &str) -> Result<Cell, Failure>,
    /// Every object of the host.
    pub list: fn(&Sight, &Listing) -> Result<Table, Failure>,
    /// Everything about one object.
    pub info: fn(&Sight, i32) -> Result<Vec<Table>, Failure>,
    /// The condition of an object that somebody waits on, and its last operator:
    /// `lock is 0, last operated by a (pid 4240)`.
    pub condition: fn(&Sight, i32, Option<u32>) -> String,
}

/// Every mechanism, in the order in which `ipcs` lists them.
pub static ALL: [&Mechanism; 3] = [&msgq::MECHANISM, &shm::MECHANISM, &sem::MECHANISM];

/// The mechanism of a family.
pub fn of(family: Family) -> &'static Mechanism {
    ALL[family.index()]
}
