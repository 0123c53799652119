//! Reports that have not been sent yet.
//!
//! A wake-up of the shell costs more than a step, so reports are gathered and sent
//! together. They are gathered in memory that the shell shares: when the kernel shows the
//! actor blocked, the shell reads from there what the actor can no longer send.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use crate::kernel::Result;
use crate::kernel::shared::SharedMemory;

/// The number of the step that runs, plus one; 0 between orders.
const RUNNING: usize = 0;
/// How many bytes of reports are gathered.
const LENGTH: usize = 1;
/// How often it was emptied.
const EMPTIED: usize = 2;
/// Where they begin.
const BYTES: usize = 64;
/// How many there may be.
const ROOM: usize = 64 << 10;

/// The memory that an actor and the shell share.
#[derive(Debug)]
pub(super) struct Outbox {
    memory: SharedMemory,
}

impl Outbox {
    pub fn create() -> Result<Outbox> {
        let memory = SharedMemory::create("ipcsh-outbox", BYTES + ROOM)?;
        Ok(Outbox { memory })
    }

    pub fn open(fd: OwnedFd) -> Result<Outbox> {
        let memory = SharedMemory::from_fd(fd)?;
        if memory.len() < BYTES + ROOM {
            return Err(crate::kernel::Errno::EINVAL);
        }
        Ok(Outbox { memory })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// The number of the step that runs; `None` between orders.
    pub fn running(&self) -> Option<u64> {
        self.memory.words()[RUNNING]
            .load(Ordering::Acquire)
            .checked_sub(1)
    }

    pub fn set_running(&self, step: Option<u64>) {
        let word = step.map_or(0, |s| s + 1);
        self.memory.words()[RUNNING].store(word, Ordering::Release);
    }

    /// Adds a frame; `false` where there is no room for it.
    pub fn push(&self, frame: &[u8]) -> Result<bool> {
        let length = self.len();
        if length + frame.len() > ROOM {
            return Ok(false);
        }
        self.memory.copy_in(BYTES + length, frame)?;
        let length = (length + frame.len()) as u64;
        self.memory.words()[LENGTH].store(length, Ordering::Release);
        Ok(true)
    }

    fn len(&self) -> usize {
        let length = self.memory.words()[LENGTH].load(Ordering::Acquire) as usize;
        length.min(ROOM)
    }

    /// What is gathered.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        self.memory.copy_out(BYTES, self.len())
    }

    /// What is gathered, seen from the other side: nothing where it was emptied meanwhile,
    /// for what was in it is on its way.
    pub fn look(&self) -> Result<Vec<u8>> {
        let emptied = || self.memory.words()[EMPTIED].load(Ordering::Acquire);
        let before = emptied();
        let bytes = self.bytes()?;
        Ok(if emptied() == before {
            bytes
        } else {
            Vec::new()
        })
    }

    /// Forgets what was gathered. It is counted only then: whoever sees the new count no longer sees
    /// the old length, and so never what is written over it.
    pub fn clear(&self) {
        self.memory.words()[LENGTH].store(0, Ordering::Release);
        self.memory.words()[EMPTIED].fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn what_is_seen_from_the_other_side_is_of_one_filling() {
        let outbox = Outbox::create().unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for filling in 0..200_000u32 {
                    for _ in 0..4 {
                        outbox.push(&[filling as u8; 32]).unwrap();
                    }
                    outbox.clear();
                }
                over.store(true, Ordering::Release);
            });
            while !over.load(Ordering::Acquire) {
                let seen = outbox.look().unwrap();
                assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
            }
        });
    }
}
