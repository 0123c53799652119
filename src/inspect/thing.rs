//! What the kernel tells one object from another by, whatever leads to it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::decode::{Wait, opened};
use super::descriptors::{self, What};
use super::maps;
use super::posix::{self, Node};
use crate::data::{Family, Object};
use crate::kernel::Result;
use crate::kernel::posix::mq;
use crate::kernel::procfd::FileId;

/// An IPC object. System V ids are those of our own IPC namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A System V message queue, by its id.
    Msgq(i32),
    /// A System V shared memory segment, by its id.
    Shm(i32),
    /// A System V semaphore set, by its id.
    Sem(i32),
    /// A pipe without a name, by its inode.
    Pipe(u64),
    /// A socket, by its inode.
    Socket(u64),
    /// A FIFO.
    Fifo(Inode),
    /// A POSIX message queue.
    Queue(Inode),
    /// A file in `/dev/shm`: a POSIX segment or a named semaphore.
    Memory(Inode),
}

/// A file, whatever its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inode {
    /// Its device, as `st_dev`.
    pub dev: u64,
    /// Its number there.
    pub ino: u64,
}

impl From<FileId> for Inode {
    fn from(file: FileId) -> Inode {
        Inode {
            dev: file.dev,
            ino: file.ino,
        }
    }
}

impl From<&Node> for Inode {
    fn from(node: &Node) -> Inode {
        Inode {
            dev: node.dev,
            ino: node.ino,
        }
    }
}

/// The path of a FIFO, without what the kernel writes behind one that is no more.
fn fifo_path(path: &Path, fifo: Inode) -> Cow<'_, Path> {
    let bytes = path.as_os_str().as_bytes();
    match bytes.strip_suffix(DELETED) {
        // It may really be called so.
        Some(had)
            if path.metadata().map(|m| (m.dev(), m.ino())).ok() != Some((fifo.dev, fifo.ino)) =>
        {
            Cow::Owned(PathBuf::from(OsStr::from_bytes(had)))
        }
        _ => Cow::Borrowed(path),
    }
}

/// Where glibc and musl keep POSIX segments, and named semaphores as `sem.NAME`: shm_overview(7).
const SHM: &[u8] = b"/dev/shm/";
/// What the kernel writes behind a path that is no more.
pub(super) const DELETED: &[u8] = b" (deleted)";

impl Thing {
    /// What a descriptor is open on, where it is an object; of a file, [`What::File::file`] must be
    /// known. `is_mqueue` says whether a device is that of a file system of queues.
    pub fn behind(what: &What, is_mqueue: impl FnOnce(u64) -> bool) -> Option<Thing> {
        match what {
            What::Pipe { ino } => Some(Thing::Pipe(*ino)),
            What::Socket { ino } => Some(Thing::Socket(*ino)),
            What::File {
                path,
                file: Some(file),
            } => match file.mode & libc::S_IFMT {
                libc::S_IFIFO => Some(Thing::Fifo((*file).into())),
                libc::S_IFREG if in_shm(path) => Some(Thing::Memory((*file).into())),
                libc::S_IFREG if is_mqueue(file.dev) => Some(Thing::Queue((*file).into())),
                _ => None,
            },
            What::File { .. } | What::Other(_) => None,
        }
    }

    /// The object as the language knows it; `path` is what one who has it open sees of a file.
    pub fn object(&self, path: Option<&Path>) -> Option<(Family, Object)> {
        let named = |file: &[u8], prefix: &[u8]| -> Option<Object> {
            let name = std::str::from_utf8(file.strip_prefix(prefix)?).ok()?;
            Some(Object::Posix(format!("/{name}").into()))
        };
        Some(match *self {
            Thing::Msgq(id) => (Family::Msgq, Object::Id(id)),
            Thing::Shm(id) => (Family::Shm, Object::Id(id)),
            Thing::Sem(id) => (Family::Sem, Object::Id(id)),
            Thing::Pipe(ino) => (Family::Pipe, Object::Inode(ino)),
            Thing::Socket(ino) => (Family::Sock, Object::Inode(ino)),
            Thing::Fifo(inode) => (Family::Fifo, Object::from(&*fifo_path(path?, inode))),
            Thing::Queue(_) => {
                let file = path?.as_os_str().as_bytes();
                let file = file.strip_suffix(DELETED).unwrap_or(file);
                let name = named(file, b"/dev/mqueue/").or_else(|| named(file, b"/"));
                (Family::Msgq, name?)
            }
            Thing::Memory(inode) => {
                let file = path?.as_os_str().as_bytes();
                // Its maker may have mapped it under a name that is no more.
                let renamed = file.ends_with(DELETED).then(|| path_of(inode)).flatten();
                let file = renamed.as_ref().map_or(file, |p| p.as_os_str().as_bytes());
                match named(file, b"/dev/shm/sem.") {
                    Some(semaphore) => (Family::Sem, semaphore),
                    None => (Family::Shm, named(file, SHM)?),
                }
            }
        })
    }

    /// Its family; `path` is what one who has it open sees of a file.
    fn family(&self, path: Option<&Path>) -> Family {
        match self {
            Thing::Msgq(_) | Thing::Queue(_) => Family::Msgq,
            Thing::Shm(_) => Family::Shm,
            Thing::Sem(_) => Family::Sem,
            Thing::Pipe(_) => Family::Pipe,
            Thing::Socket(_) => Family::Sock,
            Thing::Fifo(_) => Family::Fifo,
            Thing::Memory(_) => {
                let bytes = path.map_or(&[][..], |path| path.as_os_str().as_bytes());
                match bytes.starts_with(b"/dev/shm/sem.") {
                    true => Family::Sem,
                    false => Family::Shm,
                }
            }
        }
    }

    /// Whether its name has gone to another: this one was removed, and lives on for who has it open.
    pub fn is_replaced(&self, family: Family, object: &Object) -> bool {
        let named = || Thing::of(family, object);
        matches!(object, Object::Posix(_)) && named().is_some_and(|now| now != *self)
    }

    /// What an object of a family is; `None` where a path leads nowhere, or to something else.
    pub fn of(family: Family, object: &Object) -> Option<Thing> {
        match (family, object) {
            (Family::Msgq, Object::Id(id)) => Some(Thing::Msgq(*id)),
            (Family::Shm, Object::Id(id)) => Some(Thing::Shm(*id)),
            (Family::Sem, Object::Id(id)) => Some(Thing::Sem(*id)),
            (Family::Pipe, Object::Inode(ino)) => Some(Thing::Pipe(*ino)),
            (Family::Sock, Object::Inode(ino)) => Some(Thing::Socket(*ino)),
            (Family::Fifo, Object::Path(_)) => fifo(object.path()?),
            (Family::Msgq, _) => Some(Thing::Queue((&posix::queue(object).ok()?.node).into())),
            (Family::Sem, _) => {
                let node = posix::semaphore(object).ok()?.node;
                Some(Thing::Memory((&node).into()))
            }
            (_, Object::Posix(_) | Object::Path(_)) => {
                let node = posix::segment(object).ok()?.node;
                Some(Thing::Memory((&node).into()))
            }
            _ => None,
        }
    }
}

/// Where a file stands in `/dev/shm`.
fn path_of(file: Inode) -> Option<PathBuf> {
    let mut entries = Path::new("/dev/shm").read_dir().ok()?.flatten();
    let found = entries.find(|entry| entry.metadata().is_ok_and(|m| inode(&m) == file));
    found.map(|entry| entry.path())
}

/// Whether a path is one of those of POSIX shared memory.
pub(super) fn in_shm(path: &Path) -> bool {
    path.as_os_str().as_bytes().starts_with(SHM)
}

/// Whether a file may be a POSIX object by its path. The kernel shows that of a queue from the root
/// of its own file system: as its name, or below where that is mounted.
pub(super) fn is_posix(path: &Path) -> bool {
    let mut components = path.components().skip(1);
    let (_, second) = (components.next(), components.next());
    in_shm(path) || second.is_none() || path.starts_with("/dev/mqueue")
}

fn inode(meta: &std::fs::Metadata) -> Inode {
    Inode {
        dev: meta.dev(),
        ino: meta.ino(),
    }
}

fn fifo(path: &Path) -> Option<Thing> {
    let meta = std::fs::metadata(path).ok()?;
    let is_fifo = meta.mode() & libc::S_IFMT == libc::S_IFIFO;
    is_fifo.then(|| Thing::Fifo(inode(&meta)))
}

/// What a thread of `pid` waits at, and the path by which its process knows it. `here` says whether
/// System V ids mean the same to it as to us.
pub fn waited_at(
    pid: i32,
    wait: &Wait,
    here: impl Fn() -> bool,
) -> Option<(Thing, Option<PathBuf>)> {
    let bare = |thing| Some((thing, None));
    match wait {
        Wait::SemOp { id, .. } if here() => bare(Thing::Sem(*id)),
        Wait::MsgSend { id, .. } | Wait::MsgReceive { id, .. } if here() => bare(Thing::Msgq(*id)),
        // One side is a file, mostly.
        Wait::Splice { from, to } => behind(pid, *from).or_else(|| behind(pid, *to)),
        Wait::Open { .. } => {
            let path = opened(pid, wait)?;
            let seen = path.strip_prefix("/").ok()?;
            let thing = fifo(&Path::new(&format!("/proc/{pid}/root")).join(seen))?;
            Some((thing, Some(path)))
        }
        Wait::Futex {
            addr,
            private: false,
            ..
        } => {
            let mapping = maps::at(pid, *addr)?;
            Some((mapping.thing, mapping.path))
        }
        wait => behind(pid, wait.descriptor()?),
    }
}

/// What a descriptor of a process is open on, where it is an object, and its path there.
pub(super) fn behind(pid: i32, fd: i32) -> Option<(Thing, Option<PathBuf>)> {
    let what = descriptors::file_behind(pid, fd).ok()?;
    let thing = Thing::behind(&what, |_| is_mqueue(pid, fd) == Some(true))?;
    match what {
        What::File { path, .. } => Some((thing, Some(path))),
        _ => Some((thing, None)),
    }
}

/// What a descriptor of a process is open on, and the object that it is, where it is one. One whose
/// name leads elsewhere or nowhere, as it was removed, replaced or is one of another mount namespace,
/// is known by the descriptor: `/proc/PID/fd/N`. `ESRCH`, `EBADF`, `EACCES`.
pub fn open_at(pid: i32, fd: i32) -> Result<(What, Option<(Family, Object)>)> {
    let what = descriptors::file_behind(pid, fd)?;
    let Some(thing) = Thing::behind(&what, |_| is_mqueue(pid, fd) == Some(true)) else {
        return Ok((what, None));
    };
    let path = match &what {
        What::File { path, .. } => Some(path.as_path()),
        _ => None,
    };
    let named = thing.object(path);
    let leads = |(family, object): &(Family, Object)| Thing::of(*family, object) == Some(thing);
    let object = named.filter(leads).unwrap_or_else(|| {
        let link = PathBuf::from(format!("/proc/{pid}/fd/{fd}"));
        (thing.family(path), Object::from(link.as_path()))
    });
    Ok((what, Some(object)))
}

/// Whether a descriptor is open on a POSIX message queue; `None` where it, or its process, is gone.
pub(super) fn is_mqueue(pid: i32, fd: i32) -> Option<bool> {
    mq::is_queue(format!("/proc/{pid}/fd/{fd}").as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INODE: Inode = Inode { dev: 1, ino: 2 };

    #[test]
    fn a_thing_is_named_as_the_language_names_it() {
        let posix = |name: &str| Object::Posix(name.into());
        for (thing, path, expected) in [
            (Thing::Msgq(3), None, Some((Family::Msgq, Object::Id(3)))),
            (
                Thing::Socket(3),
                None,
                Some((Family::Sock, Object::Inode(3))),
            ),
            (
                Thing::Queue(INODE),
                Some("/jobs"),
                Some((Family::Msgq, posix("/jobs"))),
            ),
            (
                Thing::Queue(INODE),
                Some("/dev/mqueue/jobs (deleted)"),
                Some((Family::Msgq, posix("/jobs"))),
            ),
            (
                Thing::Memory(INODE),
                Some("/dev/shm/sem.lock"),
                Some((Family::Sem, posix("/lock"))),
            ),
            (
                Thing::Memory(INODE),
                Some("/dev/shm/area"),
                Some((Family::Shm, posix("/area"))),
            ),
            (Thing::Memory(INODE), None, None),
            (Thing::Fifo(INODE), None, None),
        ] {
            assert_eq!(thing.object(path.map(Path::new)), expected, "{thing:?}");
        }
    }

    #[test]
    fn a_file_is_an_object_by_its_kind_and_place() {
        let behind = |path: &str, mode| {
            let file = FileId {
                dev: 1,
                ino: 2,
                mode,
            };
            let what = What::File {
                path: path.into(),
                file: Some(file),
            };
            Thing::behind(&what, |dev| dev == 1 && path == "/jobs")
        };
        assert_eq!(behind("/tmp/f", libc::S_IFIFO), Some(Thing::Fifo(INODE)));
        assert_eq!(
            behind("/dev/shm/a", libc::S_IFREG),
            Some(Thing::Memory(INODE))
        );
        assert_eq!(behind("/jobs", libc::S_IFREG), Some(Thing::Queue(INODE)));
        assert_eq!(behind("/etc/passwd", libc::S_IFREG), None);
        assert_eq!(behind("/dev/shm", libc::S_IFDIR), None);
    }

    #[test]
    fn a_descriptor_that_is_gone_says_nothing_of_its_device() {
        let pid = std::process::id().cast_signed();
        let file = std::fs::File::open("/proc/self/stat").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        assert_eq!(is_mqueue(pid, fd), Some(false));
        assert_eq!(is_mqueue(pid, i32::MAX), None);
    }
}
