//! What a session has: names, what it created, and who cleans up after it.

mod holds;
pub mod janitor;
mod ledger;
mod names;

pub use holds::{Hold, Holds};
pub use ledger::{Entry, Ledger, Removed, State, perm_of, remove};
pub use names::{Binding, Change, Names};
