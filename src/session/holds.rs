//! How many units of which semaphore each actor has taken and not given back.
//!
//! The kernel does not know who holds a semaphore; for the operations of this session's
//! own actors, they themselves can count.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// Stands for the id of a POSIX semaphore, which has none: made from the inode of its file, and
/// below 0, where System V's are not.
pub fn posix(ino: u64) -> i32 {
    -1 - (ino & 0x7fff_ffff) as i32
}

/// What one actor holds of one semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The set; see [`posix`].
    pub id: i32,
    /// The semaphore in it.
    pub num: u16,
    /// How much more was taken than given back. Negative: it gives what it never took, so
    /// the semaphore is no lock.
    pub taken: i64,
}

/// What this actor holds.
#[derive(Debug, Default)]
pub struct Holds {
    taken: HashMap<(i32, u16), i64>,
    touched: HashSet<(i32, u16)>,
}

impl Holds {
    /// Counts an operation that succeeded.
    pub fn operated(&mut self, id: i32, num: u16, op: i16) {
        if op != 0 {
            *self.taken.entry((id, num)).or_default() -= i64::from(op);
            self.touched.insert((id, num));
        }
    }

    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Hold> {
        let taken = &self.taken;
        self.touched
            .drain()
            .map(|(id, num)| Hold {
                id,
                num,
                taken: taken.get(&(id, num)).copied().unwrap_or(0),
            })
            .collect()
    }
}
