//! The ledger: what this session created and has not removed.
//!
//! It lies in memory that the shell, its actors and the janitor share. What is about to
//! be created is written *before* the creating call, so a process may be killed between
//! any two instructions and the janitor still finds what it must remove. A record is
//! eight words, each written by itself; its first word is written last and says how much
//! of the rest may be believed.

mod file;
mod job;
mod sysv;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

pub use file::FileKind;
pub use job::Left;
pub use sysv::{lookup, perm_of, remove};

use crate::data::{Family, Object};
use crate::kernel::shared::SharedMemory;
use crate::kernel::{Errno, Result};

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
    /// It is no object: processes that are to end with the session.
    Job = 5,
}

/// What a record speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A System V object, found by its key and then by its id.
    SystemV(Family),
    /// What has a name in a file system.
    File(FileKind),
}

impl Kind {
    /// What one of them is called in a sentence.
    pub fn object(self) -> &'static str {
        match self {
            Kind::SystemV(family) => family.object(),
            Kind::File(kind) => kind.object(),
        }
    }

    /// Its number in a record: System V families first, from 0.
    fn code(self) -> u64 {
        match self {
            Kind::SystemV(family) => family.index() as u64,
            Kind::File(kind) => FIRST_FILE + kind as u64,
        }
    }

    fn from_code(code: u64) -> Option<Kind> {
        match code.checked_sub(FIRST_FILE) {
            Some(file) => FileKind::ALL.get(file as usize).copied().map(Kind::File),
            None => Family::SYSTEM_V
                .get(code as usize)
                .copied()
                .map(Kind::SystemV),
        }
    }
}

/// The first number of a kind that is no System V family.
const FIRST_FILE: u64 = 0x10;

/// What a sweep did with one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Removed {
    /// What it was.
    pub kind: Kind,
    /// What the kernel knew it by.
    pub object: Object,
    /// Why it could not be removed.
    pub error: Option<Errno>,
}

const RECORDS: usize = 1 << 16;
const RECORD_WORDS: usize = 8;
const HEADER_WORDS: usize = 16;
/// Paths stand in an arena behind the records: each has a word for its length and up to
/// 4088 bytes. Pages that nobody wrote cost nothing.
const PATHS: usize = 1 << 12;
const PATH_WORDS: usize = 512;
const ARENA: usize = HEADER_WORDS + RECORDS * RECORD_WORDS;
const WORDS: usize = ARENA + PATHS * PATH_WORDS;

/// Where the search for a free record begins.
const HINT: usize = 0;
/// One past the last record ever used.
const HIGH: usize = 1;
/// Whether everything is to stay.
const KEEP_ALL: usize = 2;

/// The last number that was given to a name, one word for each family.
const NUMBERS: usize = 8;

/// The words of a record. The first holds its state, its kind and, from `Live` on, a tag
/// of the object: so that one exchange of it changes the record of that very object.
const STATE: usize = 0;
/// The key of a System V object; the place of a file's path in the arena; whether a job
/// leads a process group.
const KEY: usize = 1;
/// The inode of a file.
const INODE: usize = 2;
/// When it was about to be created, in seconds since the epoch.
const SINCE: usize = 3;
/// On whose behalf.
const UID: usize = 4;
/// The device of a file.
const DEVICE: usize = 5;
/// When a file was made, in nanoseconds since the epoch; 0 where that is not known.
const BORN: usize = 6;

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

    /// How far a record is, what it speaks of, and its tag.
    fn state(&self, entry: Entry) -> (State, Option<Kind>, u32) {
        let word = self.field(entry, STATE).load(Ordering::Acquire);
        let state = match word & 0xff {
            1 => State::Claimed,
            2 => State::Intended,
            3 => State::Live,
            4 => State::Kept,
            5 => State::Job,
            _ => State::Free,
        };
        (
            state,
            Kind::from_code((word >> 8) & 0xff),
            (word >> 32) as u32,
        )
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

    /// The record's first word, where it speaks of this object and is in this state.
    fn word_of(&self, entry: Entry, state: State, family: Family, object: &Object) -> Option<u64> {
        let word = self.field(entry, STATE).load(Ordering::Acquire);
        let (_, kind, _) = self.state(entry);
        let same = match (kind?, object.id()) {
            (Kind::SystemV(of), Some(_)) => of == family,
            (Kind::File(_), None) => true,
            _ => false,
        };
        (same && word == state_word(state, kind?, tag(object))).then_some(word)
    }

    fn set(&self, entry: Entry, word: usize, value: u64) {
        self.field(entry, word).store(value, Ordering::Relaxed);
    }

    fn get(&self, entry: Entry, word: usize) -> u64 {
        self.field(entry, word).load(Ordering::Relaxed)
    }

    /// Records that there is nothing to remove, in the hands of who claimed it: the object
    /// was not created.
    pub fn forget(&self, entry: Entry) {
        if let (State::Intended | State::Live | State::Kept, Some(Kind::File(_)), _) =
            self.state(entry)
        {
            // Whoever sweeps now does not read the path that goes.
            self.set_state(entry, State::Claimed as u64);
            self.release_path(entry);
        }
        self.set_state(entry, State::Free as u64);
        self.word(HINT).store(u64::from(entry.0), Ordering::Relaxed);
    }

    /// Records that an object is gone. Several may say so, and late: a record that was
    /// given to another object meanwhile is left alone.
    pub fn removed(&self, entry: Entry, family: Family, object: &Object) {
        for state in [State::Live, State::Kept] {
            if let Some(word) = self.word_of(entry, state, family, object)
                && self.exchange(entry, word, State::Claimed as u64)
            {
                if object.id().is_none() {
                    self.release_path(entry);
                }
                self.set_state(entry, State::Free as u64);
                self.word(HINT).store(u64::from(entry.0), Ordering::Relaxed);
                return;
            }
        }
    }

    /// Records that an object is to stay; `false` where the record does not speak of it any
    /// more.
    pub fn keep(&self, entry: Entry, family: Family, object: &Object) -> bool {
        let live = self.word_of(entry, State::Live, family, object);
        let kept = |word: u64| word & !0xff | State::Kept as u64;
        live.is_some_and(|word| self.exchange(entry, word, kept(word)))
            || self.word_of(entry, State::Kept, family, object).is_some()
    }

    /// Records that every object is to stay. `$WORK` is removed all the same.
    pub fn keep_all(&self) {
        self.word(KEEP_ALL).store(1, Ordering::Release);
    }

    /// The next number for a name that is made up. No other process of the session gets it,
    /// though it may not yet know what others have named.
    pub fn number(&self, family: Family) -> u64 {
        const { assert!(NUMBERS + Family::ALL.len() <= HEADER_WORDS) };
        let word = self.word(NUMBERS + family.index());
        word.fetch_add(1, Ordering::Relaxed) + 1
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

    /// Removes everything that is left. Every process of the session but the caller must
    /// be gone, so that nothing more is created.
    pub fn sweep(&self) -> Vec<Removed> {
        let mut removed = Vec::new();
        let keep_all = self.word(KEEP_ALL).load(Ordering::Acquire) != 0;
        let high = self.word(HIGH).load(Ordering::Acquire) as usize;
        for i in 0..high.min(RECORDS) {
            let entry = Entry(i as u32);
            let (state, Some(kind), tag) = self.state(entry) else {
                continue;
            };
            let stays = keep_all && kind != Kind::File(FileKind::Directory);
            if stays || !matches!(state, State::Intended | State::Live) {
                continue;
            }
            removed.extend(match kind {
                Kind::SystemV(family) => self.sweep_object(entry, state, family, tag as i32),
                Kind::File(kind) => self.sweep_file(entry, state, kind),
            });
            self.forget(entry);
        }
        removed
    }

    /// How many records there are that a sweep would act on.
    #[cfg(test)]
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
fn state_word(state: State, kind: Kind, tag: u32) -> u64 {
    state as u64 | kind.code() << 8 | u64::from(tag) << 32
}

/// What tells the record of one object from that of another that has its place later: an
/// id, or a hash of a name.
fn tag(object: &Object) -> u32 {
    let fnv = |bytes: &[u8]| {
        let mix = |hash: u32, b: &u8| (hash ^ u32::from(*b)).wrapping_mul(0x0100_0193);
        bytes.iter().fold(0x811c_9dc5, mix)
    };
    match object {
        Object::Id(id) => id.cast_unsigned(),
        Object::Posix(name) => fnv(name.as_bytes()),
        Object::Path(path) => fnv(path),
        Object::Inode(ino) => *ino as u32,
    }
}

/// Seconds since the epoch: when something is about to be created.
pub fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() as i64)
}

#[cfg(test)]
mod tests;
