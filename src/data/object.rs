//! What the kernel knows an object by.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One object of a family, by what identifies it on the host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Object {
    /// A System V object's identifier.
    Id(i32),
    /// A POSIX object's name, with its slash: `/jobs`.
    Posix(Box<str>),
    /// The absolute path of a FIFO. Any bytes.
    Path(Box<[u8]>),
    /// An inode of the kernel's own, which stands in no directory: a pipe, a socket.
    Inode(u64),
}

impl Object {
    /// The System V identifier.
    pub fn id(&self) -> Option<i32> {
        match self {
            Object::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// The path.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Object::Path(bytes) => Some(Path::new(OsStr::from_bytes(bytes))),
            _ => None,
        }
    }

    /// The inode.
    pub fn inode(&self) -> Option<u64> {
        match self {
            Object::Inode(ino) => Some(*ino),
            _ => None,
        }
    }
}

impl From<i32> for Object {
    fn from(id: i32) -> Object {
        Object::Id(id)
    }
}

impl From<&Path> for Object {
    fn from(path: &Path) -> Object {
        Object::Path(path.as_os_str().as_bytes().into())
    }
}

/// How it is written where it has no name in the session: `id:7`, `/jobs`, `/tmp/f`,
/// `[6517]`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Id(id) => write!(f, "id:{id}"),
            Object::Posix(name) => f.write_str(&super::word(name.as_bytes())),
            Object::Path(bytes) => f.write_str(&super::word(bytes)),
            Object::Inode(ino) => write!(f, "[{ino}]"),
        }
    }
}
