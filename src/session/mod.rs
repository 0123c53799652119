//! What a session has: names, what it created, and who cleans up after it.

pub mod janitor;
mod ledger;
mod names;

pub use ledger::{Entry, Ledger, Removed, State};
pub use names::{Binding, Change, Names};
