//! What a session has: names, what it created, and who cleans up after it.

pub mod files;
pub mod holds;
pub mod janitor;
pub mod ledger;
mod names;

pub use files::{FileChange, Files, Held, Side};
pub use holds::Holds;
pub use ledger::{Entry, Ledger, Left, Removed, State, lookup, now, perm_of, remove};
pub use names::{Binding, Change, Names};
