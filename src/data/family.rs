//! The families of IPC objects.

use serde::{Deserialize, Serialize};

/// The families of objects. Each has one current object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// Message queues.
    Msgq,
    /// Shared memory segments.
    Shm,
    /// Semaphore sets.
    Sem,
    /// Anonymous pipes.
    Pipe,
    /// FIFOs, which are pipes with a path.
    Fifo,
    /// Sockets: of the Unix domain, and TCP.
    Sock,
}

impl Family {
    /// Every family, in the order in which `help` and `ipcs -A` list them.
    pub const ALL: [Family; 6] = [
        Family::Msgq,
        Family::Shm,
        Family::Sem,
        Family::Pipe,
        Family::Fifo,
        Family::Sock,
    ];

    /// Those that System V has, in the order in which `ipcs` lists them.
    pub const SYSTEM_V: [Family; 3] = [Family::Msgq, Family::Shm, Family::Sem];

    /// The noun of its commands.
    pub fn noun(self) -> &'static str {
        match self {
            Family::Msgq => "msgq",
            Family::Shm => "shm",
            Family::Sem => "sem",
            Family::Pipe => "pipe",
            Family::Fifo => "fifo",
            Family::Sock => "sock",
        }
    }

    /// What one of its objects is called in a sentence.
    pub fn object(self) -> &'static str {
        match self {
            Family::Msgq => "message queue",
            Family::Shm => "shared memory segment",
            Family::Sem => "semaphore set",
            Family::Pipe => "pipe",
            Family::Fifo => "FIFO",
            Family::Sock => "socket",
        }
    }

    /// How one of its objects is written.
    pub fn forms(self) -> &'static str {
        match self {
            Family::Msgq | Family::Shm | Family::Sem => "NAME, id:N, key:K or /NAME",
            Family::Pipe => "NAME, pipe:[N] or pid:N/fd:M",
            Family::Fifo => "PATH or pid:N/fd:M",
            Family::Sock => "NAME, PATH, @NAME, socket:[N] or pid:N/fd:M",
        }
    }

    /// Whether its objects are used through a descriptor that a process holds, so that
    /// the current one is each process's own.
    pub fn is_held(self) -> bool {
        matches!(self, Family::Pipe | Family::Fifo | Family::Sock)
    }

    /// Whether System V has objects of it, with ids and keys.
    pub fn is_system_v(self) -> bool {
        Family::SYSTEM_V.contains(&self)
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
