//! What the ledger holds of things that have a name in a file system.

use std::fs::{File, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use super::{
    ARENA, BORN, DEVICE, Entry, INODE, KEY, Kind, Ledger, PATH_WORDS, PATHS, Removed, SINCE, State,
    UID, state_word, tag,
};
use crate::data::Object;
use crate::kernel::fds::Access;
use crate::kernel::posix::mq;
use crate::kernel::{Errno, Result, errno_of};

/// The kinds of things with a name in a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A directory of our own with all that is in it: `$WORK`. It never stays.
    Directory,
    /// A FIFO.
    Fifo,
    /// A Unix socket's file.
    Socket,
    /// A POSIX message queue, whose path is its name.
    Queue,
    /// A POSIX segment's file.
    Segment,
    /// A POSIX semaphore's file.
    Semaphore,
}

impl FileKind {
    pub(super) const ALL: [FileKind; 6] = [
        FileKind::Directory,
        FileKind::Fifo,
        FileKind::Socket,
        FileKind::Queue,
        FileKind::Segment,
        FileKind::Semaphore,
    ];

    /// What one of them is called in a sentence.
    pub fn object(self) -> &'static str {
        match self {
            FileKind::Directory => "directory",
            FileKind::Fifo => "FIFO",
            FileKind::Socket => "socket file",
            FileKind::Queue => "POSIX message queue",
            FileKind::Segment => "POSIX shared memory segment",
            FileKind::Semaphore => "POSIX semaphore",
        }
    }

    /// Whether this is the type of a file.
    fn is(self, meta: &Metadata) -> bool {
        let kind = meta.file_type();
        match self {
            FileKind::Directory => kind.is_dir(),
            FileKind::Fifo => kind.is_fifo(),
            FileKind::Socket => kind.is_socket(),
            FileKind::Queue | FileKind::Segment | FileKind::Semaphore => kind.is_file(),
        }
    }

    /// What is known of the file at a path. A queue need not be mounted anywhere.
    fn look(self, path: &Path) -> Result<Metadata> {
        let meta = if self == FileKind::Queue {
            let name = path.to_str().ok_or(Errno::EINVAL)?;
            let queue = match mq::open(name, Access::Read) {
                Err(Errno::EACCES) => mq::open(name, Access::Write),
                opened => opened,
            };
            File::from(queue?).metadata()
        } else {
            path.symlink_metadata()
        };
        meta.map_err(errno_of)
    }

    fn remove(self, path: &Path) -> Result<()> {
        let removed = match (self, path.to_str()) {
            (FileKind::Queue, Some(name)) => return mq::unlink(name),
            (FileKind::Directory, _) => std::fs::remove_dir_all(path),
            _ => std::fs::remove_file(path),
        };
        removed.map_err(errno_of)
    }
}

/// When a file was made, in nanoseconds since the epoch; 0 where its file system does not tell.
fn born(meta: &Metadata) -> u64 {
    let born = meta.created().ok();
    let since = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// Set in the word of a path's length while its place is taken.
const TAKEN: u64 = 1 << 63;

impl Ledger {
    /// Records that an object of this kind is about to be made as a file, under an absolute path
    /// where none is yet, at this time (seconds since the epoch) and by this user.
    ///
    /// # Errors
    /// ENAMETOOLONG; ENOSPC where the ledger is full.
    pub fn intend_file(
        &self,
        kind: FileKind,
        object: &Object,
        path: &Path,
        now: i64,
        uid: u32,
    ) -> Result<Entry> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.len() > (PATH_WORDS - 1) * 8 {
            return Err(Errno::ENAMETOOLONG);
        }
        let place = self.claim_path().ok_or(Errno::ENOSPC)?;
        let word = ARENA + place * PATH_WORDS;
        let written = self.memory.copy_in((word + 1) * 8, bytes);
        let entry = written.and_then(|()| self.claim().ok_or(Errno::ENOSPC));
        let entry = match entry {
            Ok(entry) => entry,
            Err(errno) => {
                self.word(word).store(0, Ordering::Release);
                return Err(errno);
            }
        };
        self.word(word)
            .store(TAKEN | bytes.len() as u64, Ordering::Release);
        self.set(entry, KEY, place as u64);
        self.set(entry, INODE, 0);
        self.set(entry, DEVICE, 0);
        self.set(entry, SINCE, now as u64);
        self.set(entry, UID, u64::from(uid));
        let word = state_word(State::Intended, Kind::File(kind), tag(object));
        self.set_state(entry, word);
        Ok(entry)
    }

    /// Records that the file now exists, as this inode of this device.
    pub fn settle_file(&self, entry: Entry, kind: FileKind, device: u64, inode: u64) {
        self.set(entry, INODE, inode);
        self.set(entry, DEVICE, device);
        let looked = self.path(entry).and_then(|path| kind.look(&path).ok());
        let same = looked.filter(|meta| (meta.dev(), meta.ino()) == (device, inode));
        self.set(entry, BORN, same.as_ref().map_or(0, born));
        let (_, _, tag) = self.state(entry);
        self.set_state(entry, state_word(State::Live, Kind::File(kind), tag));
    }

    fn claim_path(&self) -> Option<usize> {
        (0..PATHS).find(|place| {
            let length = self.word(ARENA + place * PATH_WORDS);
            length
                .compare_exchange(0, TAKEN, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        })
    }

    pub(super) fn release_path(&self, entry: Entry) {
        let place = self.get(entry, KEY) as usize;
        if place < PATHS {
            self.word(ARENA + place * PATH_WORDS)
                .store(0, Ordering::Release);
        }
    }

    /// The path that a record speaks of.
    pub fn path(&self, entry: Entry) -> Option<PathBuf> {
        let place = self.get(entry, KEY) as usize;
        let word = (place < PATHS).then_some(ARENA + place * PATH_WORDS)?;
        let length = (self.word(word).load(Ordering::Acquire) & !TAKEN) as usize;
        let bytes = self.memory.copy_out((word + 1) * 8, length).ok()?;
        (!bytes.is_empty()).then(|| std::ffi::OsString::from_vec(bytes).into())
    }

    fn is_ours(&self, entry: Entry, state: State, kind: FileKind, meta: &Metadata) -> bool {
        let of_our_user = meta.uid() == self.get(entry, UID) as u32;
        let made_here = match state {
            // An inode's number may be given anew; its owner may be another by now.
            State::Live => {
                let number = (self.get(entry, DEVICE), self.get(entry, INODE));
                let same = match self.get(entry, BORN) {
                    0 => of_our_user || kind == FileKind::Queue,
                    known => born(meta) == known,
                };
                same && (meta.dev(), meta.ino()) == number
            }
            // The file system's clock may lag behind ours by a tick.
            _ => of_our_user && meta.ctime() >= self.get(entry, SINCE) as i64 - 1,
        };
        made_here && kind.is(meta)
    }

    /// Removes the file that a record speaks of, if it is still there and is ours.
    pub(super) fn sweep_file(&self, entry: Entry, state: State, kind: FileKind) -> Option<Removed> {
        let path = self.path(entry)?;
        let ours = match kind.look(&path) {
            Ok(meta) => self.is_ours(entry, state, kind, &meta),
            // A queue whose mode keeps even its owner out can still be unlinked, by its owner only. The
            // name was free before the record was made.
            Err(Errno::EACCES) => kind == FileKind::Queue,
            Err(_) => false,
        };
        if !ours {
            return None;
        }
        let error = kind.remove(&path).err();
        // Somebody else was quicker.
        (error != Some(Errno::ENOENT)).then(|| Removed {
            kind: Kind::File(kind),
            object: Object::from(path.as_path()),
            error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::process::geteuid;
    use crate::session::now;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    fn object(path: &Path) -> Object {
        Object::from(path)
    }

    fn fifo(path: &Path) -> (u64, u64) {
        mkfifo(path, Mode::S_IRWXU).unwrap();
        let meta = path.symlink_metadata().unwrap();
        (meta.dev(), meta.ino())
    }

    /// Makes FIFOs at a path until one has the number of the one before.
    fn with_its_number(path: &Path) -> Option<(u64, u64)> {
        let first = fifo(path);
        (0..100).find_map(|_| {
            std::fs::remove_file(path).unwrap();
            // The clock of a file system goes by ticks.
            std::thread::sleep(std::time::Duration::from_millis(20));
            (fifo(path) == first).then_some(first)
        })
    }

    #[test]
    fn what_has_the_number_of_ours_is_not_ours() {
        let ledger = Ledger::create().unwrap();
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("f");
        let entry = ledger
            .intend_file(FileKind::Fifo, &object(&path), &path, now(), geteuid())
            .unwrap();
        let (device, inode) = fifo(&path);
        ledger.settle_file(entry, FileKind::Fifo, device, inode);
        let known = born(&path.symlink_metadata().unwrap());
        std::fs::remove_file(&path).unwrap();
        match with_its_number(&path) {
            Some(number) if number == (device, inode) && known != 0 => {
                assert_eq!(ledger.sweep(), []);
                assert!(path.exists());
            }
            _ => eprintln!("skipped: no number is given anew here, or no birth is told"),
        }
    }

    #[test]
    fn what_was_given_away_is_still_ours() {
        if geteuid() != 0 {
            eprintln!("skipped: only root gives files away");
            return;
        }
        let ledger = Ledger::create().unwrap();
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("f");
        let entry = ledger
            .intend_file(FileKind::Fifo, &object(&path), &path, now(), 0)
            .unwrap();
        let (device, inode) = fifo(&path);
        ledger.settle_file(entry, FileKind::Fifo, device, inode);
        std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
        ledger.sweep();
        assert!(!path.exists());
    }

    #[test]
    fn what_was_made_is_removed_and_what_took_its_place_is_not() {
        let ledger = Ledger::create().unwrap();
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let intend = |name: &str| {
            let path = at(name);
            ledger
                .intend_file(FileKind::Fifo, &object(&path), &path, now(), geteuid())
                .unwrap()
        };
        // Made, and settled.
        let entry = intend("live");
        let (device, inode) = fifo(&at("live"));
        ledger.settle_file(entry, FileKind::Fifo, device, inode);
        // Killed between the making and the settling.
        intend("intended");
        fifo(&at("intended"));
        // Killed in the middle of the settling.
        let entry = intend("settling");
        let (device, inode) = fifo(&at("settling"));
        ledger.settle_file(entry, FileKind::Fifo, device, inode);
        let (_, _, tag) = ledger.state(entry);
        let before = state_word(State::Intended, Kind::File(FileKind::Fifo), tag);
        ledger.set_state(entry, before);
        // Killed before the making.
        intend("never");
        // Removed by somebody, who made another.
        let entry = intend("replaced");
        let (device, inode) = fifo(&at("replaced"));
        ledger.settle_file(entry, FileKind::Fifo, device, inode + 1);
        // A file of another kind.
        intend("file");
        std::fs::write(at("file"), "theirs").unwrap();
        // Exempted.
        let entry = intend("kept");
        let (device, inode) = fifo(&at("kept"));
        ledger.settle_file(entry, FileKind::Fifo, device, inode);
        assert!(ledger.keep(entry, crate::data::Family::Fifo, &object(&at("kept"))));

        let removed: Vec<_> = ledger
            .sweep()
            .into_iter()
            .map(|r| (r.object, r.error))
            .collect();
        let gone = |name: &str| (Object::from(at(name).as_path()), None);
        assert_eq!(removed, [gone("live"), gone("intended"), gone("settling")]);
        let left = |name: &str| at(name).symlink_metadata().is_ok();
        assert!(!left("live") && !left("intended"));
        assert!(left("replaced") && left("file") && left("kept"));
    }

    #[test]
    fn a_queue_that_lets_nobody_in_is_removed() {
        let ledger = Ledger::create().unwrap();
        let name = format!("/ipcsh-shut-{}", std::process::id());
        let posix = Object::Posix(name.as_str().into());
        // Also where its maker was killed before it could say that it was made.
        for settled in [true, false] {
            let entry = ledger
                .intend_file(FileKind::Queue, &posix, Path::new(&name), now(), geteuid())
                .unwrap();
            let queue = File::from(mq::create(&name, 0, None).unwrap());
            let meta = queue.metadata().unwrap();
            if settled {
                ledger.settle_file(entry, FileKind::Queue, meta.dev(), meta.ino());
            }
            let removed: Vec<_> = ledger.sweep().into_iter().map(|r| r.error).collect();
            assert_eq!(removed, [None]);
            assert_eq!(mq::open(&name, Access::Read).unwrap_err(), Errno::ENOENT);
        }
    }

    #[test]
    fn the_places_of_paths_are_used_again() {
        let ledger = Ledger::create().unwrap();
        for _ in 0..3 * PATHS {
            let path = Path::new("/nowhere/at/all");
            let entry = ledger
                .intend_file(FileKind::Fifo, &object(path), path, now(), geteuid())
                .unwrap();
            ledger.forget(entry);
        }
        assert_eq!(ledger.to_sweep(), 0);
        let long = "/x".repeat(4000);
        let failed = ledger.intend_file(
            FileKind::Fifo,
            &object(Path::new(&long)),
            Path::new(&long),
            now(),
            geteuid(),
        );
        assert_eq!(failed.unwrap_err(), Errno::ENAMETOOLONG);
    }
}
