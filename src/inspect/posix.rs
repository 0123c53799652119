//! POSIX queues, segments and semaphores of the host, as the files that they are.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{maps, thing};
use crate::data::{Family, Object};
use crate::kernel::fds::Access;
use crate::kernel::posix::{DIRECTORY, again, mq, regular, sem, shm};
use crate::kernel::{Errno, Result, errno_of};

/// What all three have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name, with the slash; the calls take it where it is UTF-8.
    pub name: Box<str>,
    /// The same as it is, whatever bytes it has.
    pub file_name: Box<[u8]>,
    /// The file that it is.
    pub dev: u64,
    /// As above.
    pub ino: u64,
    /// Its permissions.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its size in bytes.
    pub size: u64,
    /// When its bytes were last changed by a call, in seconds since the epoch; of a queue, when a
    /// message was last sent or received. What is written through memory does not count.
    pub mtime: i64,
    /// When it was made, or its owner, permissions or size were changed; of a queue, also when its
    /// file was last read (`mqueue_read_file` in `ipc/mqueue.c`), as each look here does.
    pub ctime: i64,
}

impl Node {
    fn new(name: &str, meta: &Metadata) -> Node {
        Node::of_bytes(name.as_bytes(), meta)
    }

    fn of_bytes(name: &[u8], meta: &Metadata) -> Node {
        Node {
            name: String::from_utf8_lossy(name).into(),
            file_name: name.into(),
            dev: meta.dev(),
            ino: meta.ino(),
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            size: meta.size(),
            mtime: meta.mtime(),
            ctime: meta.ctime(),
        }
    }
}

/// A message queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name and owner.
    pub node: Node,
    /// Its shape and what is in it; `None` where it may not be opened.
    pub attributes: Option<mq::Attributes>,
    /// The bytes of its messages; `None` where it may not be read.
    pub qsize: Option<u64>,
    /// Who is told of a message, and by which signal; `None` also where it may not be read.
    pub notify: Option<(i32, i32)>,
}

/// A segment of shared memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its name, owner and size.
    pub node: Node,
}

/// A semaphore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semaphore {
    /// Its name and owner.
    pub node: Node,
    /// Its value and who waits; `None` where it may not be read.
    pub contents: Option<sem::Contents>,
}

/// Every queue of this IPC namespace. `EPERM` where none is mounted and this process may not mount
/// them.
pub fn queues() -> Result<Vec<Queue>> {
    let directory = directory()?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    let mut found = Vec::new();
    for entry in path.read_dir().map_err(errno_of)?.flatten() {
        let Ok(meta) = entry.metadata() else {
            continue;
        };
        let file = entry.file_name();
        let node = Node::of_bytes(&[b"/", file.as_bytes()].concat(), &meta);
        found.push(looked_into(node, File::open(entry.path()).ok()));
    }
    found.sort_by(|a, b| a.node.name.cmp(&b.node.name));
    Ok(found)
}

/// A directory with the queues: mounted by ourselves, or by somebody.
fn directory() -> Result<OwnedFd> {
    mq::detached().or_else(|denied| {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mounted = mounts.lines().find_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            after.starts_with("mqueue ").then_some(())?;
            before.split(' ').nth(4)
        });
        let directory = mounted.and_then(|path| File::open(path).ok());
        directory.map(OwnedFd::from).ok_or(denied)
    })
}

/// What an open queue tells; little of one that cannot be read.
fn looked_into(node: Node, file: Option<File>) -> Queue {
    let attributes = file.as_ref().and_then(|file| mq::attributes(file).ok());
    let mut text = String::new();
    let read = file.and_then(|mut file| file.read_to_string(&mut text).ok());
    let number = |key: &str| -> Option<i64> {
        let words = text.split_whitespace();
        let value = words.into_iter().find_map(|w| w.strip_prefix(key))?;
        value.parse().ok()
    };
    Queue {
        node,
        attributes,
        qsize: read.and_then(|_| number("QSIZE:")?.try_into().ok()),
        notify: match (number("NOTIFY_PID:"), number("SIGNO:")) {
            (Some(pid @ 1..), Some(signo)) => Some((pid as i32, signo as i32)),
            _ => None,
        },
    }
}

/// What a queue is now. `ENOENT`, `EACCES`.
pub fn queue(object: &Object) -> Result<Queue> {
    if let Some(path) = object.path() {
        let node = Node::new(&object.to_string(), &behind(path)?);
        return Ok(looked_into(node, again(path).ok()));
    }
    let name = name_of(object)?;
    let fd = match mq::open(name, Access::Read) {
        Err(Errno::EACCES) => mq::open(name, Access::Write),
        opened => opened,
    }?;
    let file = File::from(fd);
    let meta = file.metadata().map_err(errno_of)?;
    Ok(looked_into(Node::new(name, &meta), Some(file)))
}

/// The name of a POSIX object. `EINVAL` where it is none.
fn name_of(object: &Object) -> Result<&str> {
    match object {
        Object::Posix(name) => Ok(name),
        _ => Err(Errno::EINVAL),
    }
}

/// What is known of a file that has no name here and that somebody has open: `/proc/PID/fd/N`.
fn behind(path: &Path) -> Result<Metadata> {
    path.metadata().map_err(errno_of)
}

/// The regular files where segments and semaphores stand, with the names that they have there.
fn files() -> Result<Vec<(Vec<u8>, PathBuf, Metadata)>> {
    let mut found = Vec::new();
    let listed = Path::new(DIRECTORY).read_dir().map_err(errno_of)?;
    for entry in listed.flatten() {
        let Ok(meta) = entry.metadata() else {
            continue;
        };
        if meta.is_file() {
            let name = entry.file_name().into_vec();
            found.push((name, entry.path(), meta));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Every segment. Those of the C library's temporary files are none.
pub fn segments() -> Result<Vec<Segment>> {
    let is_segment = |name: &[u8]| !name.starts_with(sem::PREFIX.as_bytes());
    let files = files()?.into_iter().filter(|(name, ..)| is_segment(name));
    Ok(files
        .map(|(name, _, meta)| Segment {
            node: Node::of_bytes(&[b"/", name.as_slice()].concat(), &meta),
        })
        .collect())
}

/// What is known of a file where segments and semaphores stand. `EINVAL` for a directory, a FIFO or
/// a link, which are neither.
fn file(path: &Path) -> Result<Metadata> {
    let meta = path.symlink_metadata().map_err(errno_of)?;
    match meta.is_file() {
        true => Ok(meta),
        false => Err(Errno::EINVAL),
    }
}

/// What a segment is now. `ENOENT`, `EINVAL`.
pub fn segment(object: &Object) -> Result<Segment> {
    if let Some(path) = object.path() {
        let node = Node::new(&object.to_string(), &behind(path)?);
        return Ok(Segment { node });
    }
    let name = name_of(object)?;
    let meta = file(&shm::path(name))?;
    Ok(Segment {
        node: Node::new(name, &meta),
    })
}

/// Every semaphore.
pub fn semaphores() -> Result<Vec<Semaphore>> {
    let named = |(name, path, meta): (Vec<u8>, PathBuf, Metadata)| {
        let name = [b"/", name.strip_prefix(sem::PREFIX.as_bytes())?].concat();
        let file = regular(&path, false);
        Some(with_contents(Node::of_bytes(&name, &meta), file))
    };
    Ok(files()?.into_iter().filter_map(named).collect())
}

/// What a semaphore is now. `ENOENT`, `EINVAL`.
pub fn semaphore(object: &Object) -> Result<Semaphore> {
    if let Some(path) = object.path() {
        let node = Node::new(&object.to_string(), &behind(path)?);
        return Ok(with_contents(node, again(path)));
    }
    let name = name_of(object)?;
    let path = sem::path(name);
    let meta = file(&path)?;
    Ok(with_contents(Node::new(name, &meta), regular(&path, false)))
}

fn with_contents(node: Node, file: Result<File>) -> Semaphore {
    Semaphore {
        node,
        contents: file.ok().and_then(|file| sem::contents(&file)),
    }
}

/// The semaphore whose memory stands at an address of a process: what a futex(2) in it waits for.
/// A semaphore's creator may have mapped it under another name: its file says which it is.
pub fn semaphore_at(pid: i32, addr: u64) -> Option<Box<str>> {
    let mapping = maps::at(pid, addr)?;
    match mapping.thing.object(mapping.path.as_deref())? {
        (Family::Sem, Object::Posix(name)) => Some(name),
        _ => None,
    }
}

/// The name of the queue that a descriptor of a process is of, where it is of one.
pub fn queue_behind(pid: i32, fd: i32) -> Option<Box<str>> {
    let (thing, path) = thing::behind(pid, fd)?;
    match thing.object(path.as_deref())? {
        (Family::Msgq, Object::Posix(name)) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::snapshot::Snapshot;
    use crate::inspect::thing::Thing;
    use crate::kernel::posix::Patience;

    #[test]
    fn queues_are_seen_with_what_is_in_them() {
        let name = format!("/ipcsh-seen-{}", std::process::id());
        let queue_of = mq::create(&name, 0o640, None).unwrap();
        mq::send(&queue_of, b"12345", 3, Patience::Never).unwrap();
        mq::notify(&queue_of, Some(libc::SIGURG)).unwrap();
        let seen = queue(&Object::Posix(name.as_str().into())).unwrap();
        let listed = queues();
        mq::unlink(&name).unwrap();
        assert_eq!(seen.node.mode, 0o640);
        assert_eq!(seen.attributes.unwrap().curmsgs, 1);
        assert_eq!(seen.qsize, Some(5));
        match listed {
            Ok(listed) => {
                let listed = listed.iter().find(|q| *q.node.name == *name).unwrap();
                assert_eq!(listed.attributes, seen.attributes);
                let snapshot = Snapshot::default();
                let open = snapshot.open().on(Thing::Queue((&listed.node).into()));
                // What another test forks at the moment has it too.
                let ours = open
                    .iter()
                    .filter(|d| d.pid == std::process::id().cast_signed());
                let fds: Vec<i32> = ours.map(|d| d.fd).collect();
                assert_eq!(fds, [queue_of.as_raw_fd()]);
            }
            Err(errno) => assert_eq!(errno, Errno::EPERM),
        }
    }

    #[test]
    fn segments_and_semaphores_are_told_apart() {
        let name = format!("/ipcsh-told-{}", std::process::id());
        let _segment = shm::create(&name, 7, 0o600).unwrap();
        sem::create(&name, 4, 0o600).unwrap();
        let open = sem::open(&name).unwrap();
        let object = Object::Posix(name.as_str().into());
        let (seg, one) = (segment(&object), semaphore(&object));
        let segments = segments().unwrap();
        let semaphores = semaphores().unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps
            .lines()
            .find(|l| l.contains(&format!("sem.{}", &name[1..])));
        let at = line.and_then(|l| u64::from_str_radix(l.split('-').next()?, 16).ok());
        let found = semaphore_at(std::process::id().cast_signed(), at.unwrap());
        drop(open);
        shm::unlink(&name).unwrap();
        sem::unlink(&name).unwrap();
        assert_eq!(seg.as_ref().unwrap().node.size, 7);
        assert!(segments.contains(&seg.unwrap()));
        let one = one.unwrap();
        assert_eq!(one.contents.map(|c| c.value), Some(4));
        assert!(semaphores.contains(&one));
        assert_eq!(found.as_deref(), Some(&*name));
    }
}
