//! Actors: real child processes that make the calls.
//!
//! An actor is this program executed again, never a fork that goes on. It has its own
//! process group, a clean signal state, and a death signal tied to the shell. It takes
//! [`Order`]s over a socket and answers with [`Report`]s; what runs a step is handed in.

mod child;
mod handle;
mod outbox;
mod reports;
mod wire;

pub use child::{ARGUMENT, Runner, serve};
pub use handle::{Actor, Sighting};
pub use wire::{Effects, Order, Report};
