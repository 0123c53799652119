//! The ledger: what this session created and has not removed.
//!
//! It lies in memory that the shell, its actors and the janitor share. What is about to
//! be created is written *before* the creating call, so a process may be killed between
//! any two instructions and the janitor still finds what it must remove. A record is
//! eight words, each written by itself; its first word is written last and says how much
//! of the rest may be believed.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::data::Family;
use crate::kernel::shared::SharedMemory;
use crate::kernel::sysv::Perm;
use crate::kernel::{Errno, Result, msg, sem, shm};

/// The place of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry(u32);

/// How far an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The record is free.
    Free = 0,
    /// Somebody is writing it; no creating call has been made.
    Claimed = 1,
    /// The creating call is about to be made with this key.
    Intended = 2,
    /// The object exists under this id.
    Live = 3,
    /// The object exists and is to stay.
    Kept = 4,
}

/// What a sweep did with one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Removed {
    /// Its family; `None` for a directory.
    pub family: Option<Family>,
    /// The object's id.
    pub id: i32,
    /// Why it could not be removed.
    pub error: Option<Errno>,
}

const RECORDS: usize = 1 << 16;
const RECORD_WORDS: usize = 8;
const HEADER_WORDS: usize = 8;
/// A directory's path, for `$WORK`: its length and up to 4088 bytes.
const PATH_WORDS: usize = 512;
const WORDS: usize = HEADER_WORDS + RECORDS * RECORD_WORDS + PATH_WORDS;

/// Where the search for a free record begins.
const HINT: usize = 0;
/// One past the last record ever used.
const HIGH: usize = 1;
/// Whether everything is to stay.
const KEEP_ALL: usize = 2;
/// The path of `$WORK`, behind all records: its length, then its bytes.
const PATH: usize = HEADER_WORDS + RECORDS * RECORD_WORDS;

/// The words of a record. The first holds its state, its family and, from `Live` on, the
/// object's id: so that one exchange of it changes the record of that very object.
const STATE: usize = 0;
const KEY: usize = 1;
const SINCE: usize = 2;
const UID: usize = 3;

/// The shared memory in which the records stand.
#[derive(Debug)]
pub struct Ledger {
    memory: SharedMemory,
}

impl Ledger {
    /// A ledger with nothing in it.
    ///
    /// # Errors
    /// Those of memfd_create(2), ftruncate(2) and mmap(2).
    pub fn create() -> Result<Ledger> {
        let memory = SharedMemory::create("ipcsh-ledger", WORDS * 8)?;
        Ok(Ledger { memory })
    }

    /// The ledger behind a descriptor that was inherited.
    ///
    /// # Errors
    /// EINVAL where the memory is not that of a ledger; those of mmap(2).
    pub fn open(fd: OwnedFd) -> Result<Ledger> {
        let memory = SharedMemory::from_fd(fd)?;
        if memory.words().len() < WORDS {
            return Err(Errno::EINVAL);
        }
        Ok(Ledger { memory })
    }

    /// Its descriptor, for a child to inherit.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.memory.words()[at]
    }

    fn field(&self, entry: Entry, word: usize) -> &AtomicU64 {
        self.word(HEADER_WORDS + entry.0 as usize * RECORD_WORDS + word)
    }

    /// How far a record is, its family, and the id that it speaks of.
    fn state(&self, entry: Entry) -> (State, Option<Family>, i32) {
        let word = self.field(entry, STATE).load(Ordering::Acquire);
        let state = match word & 0xff {
            1 => State::Claimed,
            2 => State::Intended,
            3 => State::Live,
            4 => State::Kept,
            _ => State::Free,
        };
        let family = Family::ALL.get((word >> 8) as usize & 0xff).copied();
        (state, family, (word >> 32) as u32 as i32)
    }

    fn set_state(&self, entry: Entry, word: u64) {
        self.field(entry, STATE).store(word, Ordering::Release);
    }

    /// Changes the record of one object; `false` where it speaks of another by now.
    fn exchange(&self, entry: Entry, from: u64, to: u64) -> bool {
        self.field(entry, STATE)
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Records that an object is about to be created, under this key, at this time
    /// (seconds since the epoch) and by this user. `None` where the ledger is full.
    pub fn intend(&self, family: Family, key: i32, now: i64, uid: u32) -> Option<Entry> {
        let entry = self.claim()?;
        self.field(entry, KEY)
            .store(key as u32 as u64, Ordering::Relaxed);
        self.field(entry, SINCE)
            .store(now as u64, Ordering::Relaxed);
        self.field(entry, UID)
            .store(u64::from(uid), Ordering::Relaxed);
        self.set_state(entry, state_word(State::Intended, family, 0));
        Some(entry)
    }

    /// Records that the object now exists under this id.
    pub fn settle(&self, entry: Entry, family: Family, id: i32) {
        self.set_state(entry, state_word(State::Live, family, id));
    }

    /// Records that there is nothing to remove, in the hands of who claimed it: the object
    /// was not created.
    pub fn forget(&self, entry: Entry) {
        self.set_state(entry, State::Free as u64);
        self.word(HINT).store(u64::from(entry.0), Ordering::Relaxed);
    }

    /// Records that an object is gone. Several may say so, and late: a record that was
    /// given to another object meanwhile is left alone.
    pub fn removed(&self, entry: Entry, family: Family, id: i32) {
        let gone = [State::Live, State::Kept]
            .into_iter()
            .any(|state| self.exchange(entry, state_word(state, family, id), State::Free as u64));
        if gone {
            self.word(HINT).store(u64::from(entry.0), Ordering::Relaxed);
        }
    }

    /// Records that an object is to stay; `false` where the record does not speak of it any
    /// more.
    pub fn keep(&self, entry: Entry, family: Family, id: i32) -> bool {
        let kept = state_word(State::Kept, family, id);
        self.exchange(entry, state_word(State::Live, family, id), kept)
            || self.state(entry) == (State::Kept, Some(family), id)
    }

    /// Records that every object is to stay. `$WORK` is removed all the same.
    pub fn keep_all(&self) {
        self.word(KEEP_ALL).store(1, Ordering::Release);
    }

    /// Takes a free record.
    fn claim(&self) -> Option<Entry> {
        let start = self.word(HINT).load(Ordering::Relaxed) as usize;
        for i in 0..RECORDS {
            let entry = Entry(((start + i) % RECORDS) as u32);
            let claimed = self.field(entry, STATE).compare_exchange(
                State::Free as u64,
                State::Claimed as u64,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if claimed.is_ok() {
                let next = u64::from(entry.0) + 1;
                self.word(HINT).store(next, Ordering::Relaxed);
                self.word(HIGH).fetch_max(next, Ordering::Release);
                return Some(entry);
            }
        }
        None
    }

    /// Records the directory that is about to be made, so that it is removed at the end.
    ///
    /// # Errors
    /// ENAMETOOLONG.
    pub fn intend_directory(&self, path: &Path) -> Result<()> {
        use std::os::unix::ffi::OsStrExt;
        let bytes = path.as_os_str().as_bytes();
        if bytes.len() > (PATH_WORDS - 1) * 8 {
            return Err(Errno::ENAMETOOLONG);
        }
        self.memory.copy_in((PATH + 1) * 8, bytes)?;
        self.word(PATH).store(bytes.len() as u64, Ordering::Release);
        Ok(())
    }

    fn directory(&self) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        let length = self.word(PATH).load(Ordering::Acquire) as usize;
        if length == 0 {
            return None;
        }
        let bytes = self.memory.copy_out((PATH + 1) * 8, length).ok()?;
        Some(std::ffi::OsString::from_vec(bytes).into())
    }

    /// Removes everything that is left. Every process of the session but the caller must
    /// be gone, so that nothing more is created.
    pub fn sweep(&self) -> Vec<Removed> {
        let mut removed = Vec::new();
        let keep_all = self.word(KEEP_ALL).load(Ordering::Acquire) != 0;
        let high = self.word(HIGH).load(Ordering::Acquire) as usize;
        for i in 0..high.min(RECORDS) {
            let entry = Entry(i as u32);
            let (state, Some(family), id) = self.state(entry) else {
                continue;
            };
            if keep_all || !matches!(state, State::Intended | State::Live) {
                continue;
            }
            if let Some(id) = self.find(entry, state, family, id) {
                let error = remove(family, id).err();
                // Somebody else was quicker.
                let gone = matches!(error, Some(Errno::EINVAL | Errno::EIDRM));
                if !gone {
                    removed.push(Removed {
                        family: Some(family),
                        id,
                        error,
                    });
                }
            }
            self.forget(entry);
        }
        self.sweep_directory();
        removed
    }

    fn sweep_directory(&self) {
        if let Some(path) = self.directory() {
            // It was made with mode 0700 under a name of our own.
            let _ = std::fs::remove_dir_all(path);
            self.word(PATH).store(0, Ordering::Release);
        }
    }

    /// The id of the object that the record speaks of, if it is still there and is ours:
    /// an id may have been given to a new object, a key been taken by somebody else.
    fn find(&self, entry: Entry, state: State, family: Family, id: i32) -> Option<i32> {
        let key = self.field(entry, KEY).load(Ordering::Relaxed) as u32 as i32;
        let id = match state {
            State::Live => id,
            _ if key == 0 => return None,
            _ => lookup(family, key).ok()?,
        };
        let (perm, ctime) = perm_and_ctime(family, id).ok()?;
        let since = self.field(entry, SINCE).load(Ordering::Relaxed) as i64;
        let uid = self.field(entry, UID).load(Ordering::Relaxed) as u32;
        // The kernel's clock of ctime may lag behind ours by a tick.
        let ours = perm.key == key && perm.cuid == uid && ctime >= since - 1;
        ours.then_some(id)
    }

    /// How many records there are that a sweep would act on.
    pub fn to_sweep(&self) -> usize {
        let high = self.word(HIGH).load(Ordering::Acquire) as usize;
        (0..high.min(RECORDS))
            .filter(|i| {
                let (state, ..) = self.state(Entry(*i as u32));
                matches!(state, State::Intended | State::Live)
            })
            .count()
    }
}

/// The first word of a record.
fn state_word(state: State, family: Family, id: i32) -> u64 {
    state as u64 | (family.index() as u64) << 8 | u64::from(id as u32) << 32
}

/// Removes an object.
///
/// # Errors
/// Those of msgctl(2), shmctl(2), semctl(2) with `IPC_RMID`.
pub fn remove(family: Family, id: i32) -> Result<()> {
    match family {
        Family::Msgq => msg::remove(id),
        Family::Shm => shm::remove(id),
        Family::Sem => sem::remove(id),
    }
}

/// The id of the object that has this key.
fn lookup(family: Family, key: i32) -> Result<i32> {
    match family {
        Family::Msgq => msg::get(key, 0, false, false),
        Family::Shm => shm::get(key, 0, 0, false, false),
        Family::Sem => sem::get(key, 0, 0, false, false),
    }
}

/// The key, the owner and the permissions of an object.
///
/// # Errors
/// EINVAL where there is none with this id.
pub fn perm_of(family: Family, id: i32) -> Result<Perm> {
    perm_and_ctime(family, id).map(|(perm, _)| perm)
}

fn perm_and_ctime(family: Family, id: i32) -> Result<(Perm, i64)> {
    match family {
        Family::Msgq => msg::stat_any_id(id).map(|s| (s.perm, s.ctime)),
        Family::Shm => shm::stat_any_id(id).map(|s| (s.perm, s.ctime)),
        Family::Sem => sem::stat_any_id(id).map(|s| (s.perm, s.ctime)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger with the record of one object, which never exists.
    fn with_record(id: i32) -> (Ledger, Entry) {
        let ledger = Ledger::create().unwrap();
        let entry = ledger.intend(Family::Sem, 0, 0, 0).unwrap();
        ledger.settle(entry, Family::Sem, id);
        (ledger, entry)
    }

    #[test]
    fn what_is_removed_twice_is_forgotten_once() {
        let (ledger, entry) = with_record(7);
        ledger.removed(entry, Family::Sem, 7);
        assert_eq!(ledger.to_sweep(), 0);
        // The record is somebody else's by now.
        assert_eq!(ledger.intend(Family::Sem, 0, 0, 0), Some(entry));
        ledger.removed(entry, Family::Sem, 7);
        assert_eq!(ledger.to_sweep(), 1, "only intended");
        ledger.settle(entry, Family::Sem, 8);
        ledger.removed(entry, Family::Sem, 7);
        ledger.removed(entry, Family::Msgq, 8);
        assert_eq!(ledger.to_sweep(), 1, "another object");
        ledger.removed(entry, Family::Sem, 8);
        assert_eq!(ledger.to_sweep(), 0);
    }

    #[test]
    fn only_the_object_that_is_meant_is_kept() {
        let (ledger, entry) = with_record(7);
        assert!(!ledger.keep(entry, Family::Sem, 8));
        assert_eq!(ledger.to_sweep(), 1);
        assert!(ledger.keep(entry, Family::Sem, 7) && ledger.keep(entry, Family::Sem, 7));
        assert_eq!(ledger.to_sweep(), 0);
        // What is kept may be removed all the same, and its record is free again.
        ledger.removed(entry, Family::Sem, 7);
        assert!(!ledger.keep(entry, Family::Sem, 7));
        assert_eq!(ledger.intend(Family::Sem, 0, 0, 0), Some(entry));
    }

    /// Ids are positive, but the record's other fields must not hang on that.
    #[test]
    fn a_record_holds_any_id() {
        for id in [0, 1, i32::MAX, -1] {
            let (ledger, entry) = with_record(id);
            assert_eq!(ledger.state(entry), (State::Live, Some(Family::Sem), id));
        }
    }
}
