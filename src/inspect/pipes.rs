//! Pipes and FIFOs of the host: who has which end, and what is in them.
//!
//! Nothing is opened by its path: that would make us a reader or writer that others see. What
//! is inside is asked of a copy of somebody's descriptor (pidfd_getfd(2)), which is closed at
//! once: as long as it is there, it hides the end of the stream from the other side.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::descriptors::{self, Access, Descriptor, FileId, What};
use super::snapshot::Open;
use super::thing::{DELETED, Thing};
use crate::kernel::pipe::{self, Peeked};
use crate::kernel::{Errno, Result, errno_of};

/// A pipe, or a FIFO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipe {
    /// Its inode.
    pub ino: u64,
    /// A FIFO's path, as who has it open sees it, and which file it is.
    pub file: Option<(PathBuf, FileId)>,
    /// How many names a FIFO has: 0 once it is removed, and then its path is the one that it had.
    pub nlink: Option<u64>,
    /// The descriptors that are open on it, as far as they can be seen.
    pub ends: Vec<Descriptor>,
    /// Whether anybody has it open for reading, seen or not. The kernel is asked by an end for writing,
    /// and only where no end for reading is seen; `None` where it is not asked or does not tell.
    pub is_read: Option<bool>,
    /// The same of writing.
    pub is_written: Option<bool>,
    /// Bytes in it; `None` where nobody has it open whose descriptors we may copy.
    pub bytes: Option<usize>,
    /// Bytes that it may hold; `None` as above.
    pub capacity: Option<usize>,
}

/// Every pipe that a process we may look into has open.
pub fn pipes(open: &Open) -> Vec<Pipe> {
    let all = open.all();
    all.filter_map(|(thing, ends)| match thing {
        Thing::Pipe(ino) => Some(Pipe::new(ino, None, ends)),
        _ => None,
    })
    .collect()
}

/// Every FIFO that a process we may look into has open.
pub fn fifos(open: &Open) -> Vec<Pipe> {
    let all = open.all();
    all.filter_map(|(thing, ends)| match (thing, ends.first()?) {
        (
            Thing::Fifo(_),
            Descriptor {
                pid,
                fd,
                what:
                    What::File {
                        path,
                        file: Some(file),
                    },
                ..
            },
        ) => {
            let nlink = std::fs::metadata(format!("/proc/{pid}/fd/{fd}"));
            let nlink = nlink.ok().map(|meta| meta.nlink());
            let path = match nlink {
                Some(0) => without_mark(path),
                _ => path.clone(),
            };
            let pipe = Pipe::new(file.ino, Some((path, *file)), ends);
            Some(Pipe { nlink, ..pipe })
        }
        _ => None,
    })
    .collect()
}

/// The path that a file had: the kernel writes `(deleted)` behind one that is no more.
fn without_mark(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(DELETED).unwrap_or(bytes);
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// The pipe of this inode; without ends where no process we may look into has it open.
pub fn pipe(open: &Open, ino: u64) -> Pipe {
    Pipe::new(ino, None, open.on(Thing::Pipe(ino)))
}

/// The FIFO at this path, or the one that was there and that somebody still has open. `ENOENT`,
/// `EACCES` of the path; `EINVAL` where it is no FIFO.
pub fn fifo(open: &Open, path: &Path) -> Result<Pipe> {
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(e) => {
            let errno = errno_of(e);
            let is_it = |pipe: &Pipe| {
                let at = pipe.file.as_ref().is_some_and(|(at, _)| at == path);
                at && pipe.nlink == Some(0)
            };
            return match errno {
                Errno::ENOENT => fifos(open).into_iter().find(is_it).ok_or(errno),
                errno => Err(errno),
            };
        }
    };
    let file = FileId {
        dev: meta.dev(),
        ino: meta.ino(),
        mode: meta.mode(),
    };
    if !file.is_fifo() {
        return Err(Errno::EINVAL);
    }
    let ends = open.on(Thing::Fifo(file.into()));
    let pipe = Pipe::new(file.ino, Some((path.into(), file)), ends);
    Ok(Pipe {
        nlink: Some(meta.nlink()),
        ..pipe
    })
}

impl Pipe {
    fn new(ino: u64, file: Option<(PathBuf, FileId)>, ends: &[Descriptor]) -> Pipe {
        let mut pipe = Pipe {
            ino,
            file,
            nlink: None,
            ends: ends.to_vec(),
            is_read: None,
            is_written: None,
            bytes: None,
            capacity: None,
        };
        if let Some(end) = pipe.copy(|_| true) {
            pipe.bytes = pipe::available(&end).ok();
            pipe.capacity = pipe::capacity(&end).ok();
            let is_seen = (
                pipe.readers().next().is_some(),
                pipe.writers().next().is_some(),
            );
            match is_seen {
                (false, true) => pipe.is_read = pipe::has_readers(&end).ok(),
                (true, false) => {
                    let named = pipe.file.is_some();
                    pipe.is_written = pipe::has_writers(&end, named).ok().flatten();
                }
                _ => {}
            }
        }
        pipe
    }

    /// What a wait at it is a wait at.
    pub fn thing(&self) -> Thing {
        match self.file {
            Some((_, file)) => Thing::Fifo(file.into()),
            None => Thing::Pipe(self.ino),
        }
    }

    /// The ends that are open for reading.
    pub fn readers(&self) -> impl Iterator<Item = &Descriptor> {
        self.open_for(Access::reads)
    }

    /// The ends that are open for writing.
    pub fn writers(&self) -> impl Iterator<Item = &Descriptor> {
        self.open_for(Access::writes)
    }

    fn open_for(&self, what: impl Fn(Access) -> bool) -> impl Iterator<Item = &Descriptor> {
        let open = move |d: &&Descriptor| d.access.is_some_and(&what);
        self.ends.iter().filter(open)
    }

    /// A copy of the first end that is open so and that we may copy.
    fn copy(&self, wanted: impl Fn(Access) -> bool) -> Option<OwnedFd> {
        self.open_for(wanted)
            .find_map(|d| descriptors::copy(d, self.ino).ok())
    }

    /// A copy of what is in it, which stays there. `EACCES` where no read end can be copied.
    pub fn peek(&self) -> Result<Peeked> {
        let end = self.copy(Access::reads).ok_or(Errno::EACCES)?;
        pipe::peek(&end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::snapshot::Snapshot;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    /// What is open now.
    fn now<T>(ask: impl FnOnce(&Open) -> T) -> T {
        ask(Snapshot::default().open())
    }

    #[test]
    fn the_pipes_of_a_python_are_seen_and_stay_as_they_are() {
        let script = "import os,sys\n\
            r,w=os.pipe()\n\
            os.write(w,b'one\\0two\\xff')\n\
            print(os.fstat(r).st_ino,r,w,flush=True)\n\
            sys.stdin.readline()\n\
            print(os.read(r,100).hex(),flush=True)";
        let child = Command::new("python3")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no python3");
            return;
        };
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers: Vec<u64> = said
            .next()
            .unwrap()
            .unwrap()
            .split(' ')
            .map(|n| n.parse().unwrap())
            .collect();
        let seen = now(|open| pipe(open, numbers[0]));
        let pid = child.id() as i32;
        let fds = |ends: &mut dyn Iterator<Item = &Descriptor>| -> Vec<(i32, u64)> {
            ends.map(|d| (d.pid, d.fd as u64)).collect()
        };
        assert_eq!(fds(&mut seen.readers()), [(pid, numbers[1])]);
        assert_eq!(fds(&mut seen.writers()), [(pid, numbers[2])]);
        assert_eq!((seen.bytes, seen.capacity), (Some(8), Some(65536)));
        assert_eq!(seen.peek().unwrap().data, b"one\0two\xff");
        assert_eq!(seen.peek().unwrap().data, b"one\0two\xff");
        assert!(
            now(pipes)
                .iter()
                .any(|p| p.ino == numbers[0] && p.bytes == Some(8))
        );
        writeln!(child.stdin.take().unwrap()).unwrap();
        assert_eq!(said.next().unwrap().unwrap(), "6f6e650074776fff");
        child.wait().unwrap();
    }

    #[test]
    fn a_fifo_is_found_by_its_path_and_never_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let seen = now(|open| fifo(open, &path)).unwrap();
        assert_eq!((seen.ends.len(), seen.bytes), (0, None));
        let open = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        (&open).write_all(b"abc").unwrap();
        let seen = now(|open| fifo(open, &path)).unwrap();
        // What another test forks at the moment has it too.
        let ours = seen
            .ends
            .iter()
            .filter(|end| end.pid == std::process::id().cast_signed());
        assert_eq!((ours.count(), seen.bytes), (1, Some(3)));
        assert_eq!(seen.peek().unwrap().data, b"abc");
        let listed = now(fifos);
        assert!(
            listed
                .iter()
                .any(|p| p.file.as_ref().is_some_and(|(at, _)| *at == path))
        );
        assert_eq!(now(|open| fifo(open, dir.path())), Err(Errno::EINVAL));
        let none = dir.path().join("none");
        assert_eq!(now(|open| fifo(open, &none)), Err(Errno::ENOENT));
    }
}
