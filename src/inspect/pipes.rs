//! Pipes and FIFOs of the host: who has which end, and what is in them.
//!
//! Nothing is opened by its path: that would make us a reader or writer that others see. What
//! is inside is asked of a copy of somebody's descriptor (pidfd_getfd(2)), which is closed at
//! once: as long as it is there, it hides the end of the stream from the other side.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::descriptors::{self, Access, Ask, Descriptor, FileId, Scan, What};
use crate::data::Object;
use crate::kernel::{Errno, Result, pipe};

/// A pipe, or a FIFO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipe {
    /// Its inode.
    pub ino: u64,
    /// A FIFO's path, as who has it open sees it, and which file it is.
    pub file: Option<(PathBuf, FileId)>,
    /// The descriptors that are open on it, as far as they can be seen.
    pub ends: Vec<Descriptor>,
    /// Bytes in it; `None` where nobody has it open whose descriptors we may copy.
    pub bytes: Option<usize>,
    /// Bytes that it may hold; `None` as above.
    pub capacity: Option<usize>,
}

/// What a pass has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipes {
    /// In the order of the processes that have them open.
    pub found: Vec<Pipe>,
    /// How many processes could not be looked into.
    pub unreadable: usize,
}

const ASK: Ask = Ask {
    access: true,
    files: true,
};

/// Every pipe that a process we may look into has open.
pub fn pipes() -> Pipes {
    gathered(descriptors::scan(ASK, |what| {
        matches!(what, What::Pipe { .. })
    }))
}

/// Every FIFO that a process we may look into has open.
pub fn fifos() -> Pipes {
    gathered(descriptors::scan(ASK, is_fifo))
}

/// The pipe of this inode; without ends where no process we may look into has it open.
pub fn pipe(ino: u64) -> Pipe {
    let scan = descriptors::scan(ASK, |what| *what == What::Pipe { ino });
    let mut found = gathered(scan).found;
    found.pop().unwrap_or_else(|| Pipe::unopened(ino, None))
}

/// The FIFO at this path. `ENOENT`, `EACCES` of the path; `EINVAL` where it is no FIFO.
pub fn fifo(path: &Path) -> Result<Pipe> {
    let file = file_id(path)?;
    let mut found = gathered(descriptors::openers(file.dev, file.ino)).found;
    let pipe = found.pop();
    Ok(pipe.unwrap_or_else(|| Pipe::unopened(file.ino, Some((path.into(), file)))))
}

/// The processes that have the write end of a pipe or a FIFO open, or else its read end; and how
/// many processes could not be looked into. `ENOENT`, `EACCES` of a path; `EINVAL` where it is
/// neither.
pub fn holders(object: &Object, writing: bool) -> Result<(Vec<i32>, usize)> {
    let scan = match (object.inode(), object.path()) {
        (Some(ino), _) => descriptors::scan(ASK, |what| *what == What::Pipe { ino }),
        (None, Some(path)) => {
            let file = file_id(path)?;
            descriptors::openers(file.dev, file.ino)
        }
        (None, None) => return Err(Errno::EINVAL),
    };
    let has = |d: &&Descriptor| {
        d.access.is_some_and(|a| match writing {
            true => a.writes(),
            false => a.reads(),
        })
    };
    let pids = scan.descriptors.iter().filter(has).map(|d| d.pid);
    Ok((pids.collect(), scan.unreadable))
}

/// Which file a FIFO's path leads to, without opening it.
fn file_id(path: &Path) -> Result<FileId> {
    use std::os::unix::fs::MetadataExt;
    let meta = path
        .metadata()
        .map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(0)))?;
    let file = FileId {
        dev: meta.dev(),
        ino: meta.ino(),
        mode: meta.mode(),
    };
    if file.is_fifo() {
        Ok(file)
    } else {
        Err(Errno::EINVAL)
    }
}

fn is_fifo(what: &What) -> bool {
    matches!(what, What::File { file: Some(file), .. } if file.is_fifo())
}

fn gathered(scan: Scan) -> Pipes {
    let mut found: Vec<Pipe> = Vec::new();
    let mut places: HashMap<(u64, u64), usize> = HashMap::new();
    for descriptor in scan.descriptors {
        let (device, ino, file) = match &descriptor.what {
            What::Pipe { ino } => (0, *ino, None),
            What::File {
                path,
                file: Some(file),
            } => (file.dev, file.ino, Some((path.clone(), *file))),
            _ => continue,
        };
        let place = *places.entry((device, ino)).or_insert_with(|| {
            found.push(Pipe::unopened(ino, file));
            found.len() - 1
        });
        found[place].ends.push(descriptor);
    }
    for pipe in &mut found {
        pipe.look_inside();
    }
    Pipes {
        found,
        unreadable: scan.unreadable,
    }
}

impl Pipe {
    fn unopened(ino: u64, file: Option<(PathBuf, FileId)>) -> Pipe {
        Pipe {
            ino,
            file,
            ends: Vec::new(),
            bytes: None,
            capacity: None,
        }
    }

    fn look_inside(&mut self) {
        if let Some(end) = self.copy(|_| true) {
            self.bytes = pipe::available(&end).ok();
            self.capacity = pipe::capacity(&end).ok();
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
    pub fn peek(&self) -> Result<Vec<u8>> {
        let end = self.copy(Access::reads).ok_or(Errno::EACCES)?;
        pipe::peek(&end).map(|peeked| peeked.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

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
        let seen = pipe(numbers[0]);
        let pid = child.id() as i32;
        let fds = |ends: &mut dyn Iterator<Item = &Descriptor>| -> Vec<(i32, u64)> {
            ends.map(|d| (d.pid, d.fd as u64)).collect()
        };
        assert_eq!(fds(&mut seen.readers()), [(pid, numbers[1])]);
        assert_eq!(fds(&mut seen.writers()), [(pid, numbers[2])]);
        assert_eq!((seen.bytes, seen.capacity), (Some(8), Some(65536)));
        assert_eq!(seen.peek().unwrap(), b"one\0two\xff");
        assert_eq!(seen.peek().unwrap(), b"one\0two\xff");
        assert!(
            pipes()
                .found
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
        let seen = fifo(&path).unwrap();
        assert_eq!((seen.ends.len(), seen.bytes), (0, None));
        let open = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        (&open).write_all(b"abc").unwrap();
        let seen = fifo(&path).unwrap();
        assert_eq!((seen.ends.len(), seen.bytes), (1, Some(3)));
        assert_eq!(seen.peek().unwrap(), b"abc");
        let listed = fifos().found;
        assert!(
            listed
                .iter()
                .any(|p| p.file.as_ref().is_some_and(|(at, _)| *at == path))
        );
        assert_eq!(fifo(dir.path()), Err(Errno::EINVAL));
        assert_eq!(fifo(&dir.path().join("none")), Err(Errno::ENOENT));
    }
}
