//! The families of IPC objects.

use serde::{Deserialize, Serialize};

/// The families of objects. Each has one current object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Family {
    /// Message queues.
    Msgq,
    /// Shared memory segments.
    Shm,
    /// Semaphore sets.
    Sem,
}

impl Family {
    /// Every family, in the order in which `ipcs` lists them.
    pub const ALL: [Family; 3] = [Family::Msgq, Family::Shm, Family::Sem];

    /// The noun of its commands.
    pub fn noun(self) -> &'static str {
        match self {
            Family::Msgq => "msgq",
            Family::Shm => "shm",
            Family::Sem => "sem",
        }
    }

    /// What one of its objects is called in a sentence.
    pub fn object(self) -> &'static str {
        match self {
            Family::Msgq => "message queue",
            Family::Shm => "shared memory segment",
            Family::Sem => "semaphore set",
        }
    }

    /// Its place in [`Family::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The family whose noun this is.
    pub fn from_noun(noun: &str) -> Option<Family> {
        Family::ALL.into_iter().find(|f| f.noun() == noun)
    }
}
