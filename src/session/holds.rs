//! How many units of which semaphore each actor has taken and not given back.
//!
//! The kernel does not know who holds a semaphore; for the operations of this session's own actors,
//! they themselves can count. They do it in memory that the shell reads: a loop that has blocked
//! tells nothing else.

use std::collections::HashMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kernel::shared::SharedMemory;
use crate::kernel::{Errno, Result};

/// Stands for the id of a POSIX semaphore, which has none: made from the inode of its file, and
/// below 0, where System V's are not.
pub fn posix(ino: u64) -> i32 {
    -1 - (ino & 0x7fff_ffff) as i32
}

/// Stands for all semaphores of a set, where it is counted what they were made with; no set has so many.
const ALL: u16 = u16::MAX;

/// How many semaphores one actor's memory has room for.
const ROOM: u64 = 511;
/// What stands before them: how many were used.
const HEAD: usize = 1;
const WORDS: usize = HEAD + 2 * ROOM as usize;

/// What one actor holds.
#[derive(Debug)]
pub struct Holds {
    memory: SharedMemory,
    /// Where what is counted.
    places: HashMap<u64, usize>,
}

/// A set, see [`posix`], and the semaphore in it.
fn key(id: i32, num: u16) -> u64 {
    u64::from(id.cast_unsigned()) << 16 | u64::from(num)
}

impl Holds {
    /// That of an actor that has done nothing. The errors are those of memfd_create(2) and mmap(2).
    pub fn create() -> Result<Holds> {
        let memory = SharedMemory::create("ipcsh-holds", WORDS * size_of::<u64>())?;
        Ok(Holds::of(memory))
    }

    /// The same memory in the other process. `EINVAL` for one of another size.
    pub fn open(fd: OwnedFd) -> Result<Holds> {
        let memory = SharedMemory::from_fd(fd)?;
        match memory.words().len() {
            WORDS => Ok(Holds::of(memory)),
            _ => Err(Errno::EINVAL),
        }
    }

    fn of(memory: SharedMemory) -> Holds {
        Holds {
            memory,
            places: HashMap::new(),
        }
    }

    /// For handing on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    fn used(&self) -> &AtomicU64 {
        &self.memory.words()[0]
    }

    /// The semaphore that is counted at a place, and how much of it was taken.
    fn at(&self, place: usize) -> (&AtomicU64, &AtomicU64) {
        let words = &self.memory.words()[HEAD + 2 * place..];
        (&words[0], &words[1])
    }

    /// Counts an operation that succeeded.
    pub fn operated(&mut self, id: i32, num: u16, op: i16) {
        if op != 0 {
            self.count(id, num, |taken| taken - i64::from(op));
        }
    }

    /// A set was made, and each of its semaphores has this value.
    pub fn made(&mut self, id: i32, value: i32) {
        self.count(id, ALL, |_| i64::from(value) + 1);
    }

    /// Values of a set were set: what it was made with says nothing any more.
    pub fn set(&mut self, id: i32) {
        self.count(id, ALL, |_| -1);
    }

    fn count(&mut self, id: i32, num: u16, change: impl FnOnce(i64) -> i64) {
        let key = key(id, num);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let used = self.used().load(Ordering::Relaxed);
                if used >= ROOM {
                    // From here on it is not known what it holds.
                    self.used().store(ROOM + 1, Ordering::Release);
                    return;
                }
                self.at(used as usize).0.store(key, Ordering::Relaxed);
                self.used().store(used + 1, Ordering::Release);
                self.places.insert(key, used as usize);
                used as usize
            }
        };
        let (_, count) = self.at(place);
        let now = change(count.load(Ordering::Relaxed).cast_signed());
        count.store(now.cast_unsigned(), Ordering::Release);
    }

    /// How much more was taken of a semaphore than given back. Negative: its actor gives what it never
    /// took, so the semaphore is no lock. `None`: the actor has used too many for that to be known.
    pub fn taken(&self, id: i32, num: u16) -> Option<i64> {
        let used = self.used().load(Ordering::Acquire);
        if used > ROOM {
            return None;
        }
        let key = key(id, num);
        let mut counted = (0..used as usize).map(|place| self.at(place));
        let found = counted.find(|(of, _)| of.load(Ordering::Relaxed) == key);
        Some(found.map_or(0, |(_, taken)| taken.load(Ordering::Acquire).cast_signed()))
    }
}

/// What the semaphores of a set were made with, where one of these has made it and nobody has set them
/// since.
pub fn first_value<'h>(id: i32, all: impl Iterator<Item = &'h Holds>) -> Option<i64> {
    let mut told: Vec<i64> = all.filter_map(|holds| holds.taken(id, ALL)).collect();
    told.sort_unstable();
    match (told.first()?, told.last()?) {
        (0.., made @ 1..) => Some(made - 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_set_was_made_with_is_known_until_it_is_set() {
        let (mut a, mut b) = (Holds::create().unwrap(), Holds::create().unwrap());
        assert_eq!(first_value(7, [&a, &b].into_iter()), None);
        b.made(7, 0);
        assert_eq!(first_value(7, [&a, &b].into_iter()), Some(0));
        assert_eq!(first_value(8, [&a, &b].into_iter()), None);
        a.set(7);
        assert_eq!(first_value(7, [&a, &b].into_iter()), None);
    }

    #[test]
    fn what_is_held_is_seen_from_the_other_side() {
        let mut actor = Holds::create().unwrap();
        let shell = Holds::open(actor.fd().try_clone_to_owned().unwrap()).unwrap();
        assert_eq!(shell.taken(7, 1), Some(0));
        for (id, num, op) in [(7, 1, -2), (7, 1, 1), (7, 2, 3), (-5, 0, -1), (7, 1, 0)] {
            actor.operated(id, num, op);
        }
        assert_eq!(shell.taken(7, 1), Some(1));
        assert_eq!(shell.taken(7, 2), Some(-3));
        assert_eq!(shell.taken(-5, 0), Some(1));
        assert_eq!(shell.taken(5, 0), Some(0));
    }

    #[test]
    fn of_too_many_semaphores_nothing_is_known() {
        let mut actor = Holds::create().unwrap();
        for num in 0..ROOM as u16 {
            actor.operated(1, num, -1);
        }
        assert_eq!(actor.taken(1, 510), Some(1));
        assert_eq!(actor.taken(1, 511), Some(0));
        actor.operated(1, 511, -1);
        assert_eq!(actor.taken(1, 0), None);
        // What has its place is counted on.
        actor.operated(1, 0, 1);
        assert_eq!(actor.taken(1, 0), None);
    }
}
