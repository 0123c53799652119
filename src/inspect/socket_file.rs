//! Socket files: whether anybody is behind them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::unix::{self, SocketFile, State, UnixSocket};
use crate::kernel::socket::{self, Kind};
use crate::kernel::{Errno, Result, errno_of};

/// Who is behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// There is a file, and it is not a socket file.
    NotASocket,
    /// The socket of this inode is bound to it: it listens, or is about to, or takes datagrams.
    Socket(u64),
    /// A socket is bound to it, and which one is not to be seen from here: it is in another network
    /// namespace, the file system shows stat(2) another device than its own (btrfs, overlays), or it
    /// is itself connected and so looks like one that a listener has accepted.
    Unseen,
    /// No socket is bound to it: connect(2) gives `ECONNREFUSED` for ever.
    Nobody,
    /// No socket of our network namespace is bound to it, and without write permission for the file
    /// nothing is known of others.
    NobodyHere,
}

impl Behind {
    /// Whether it is a socket file that nobody will ever answer on.
    pub fn is_stale(self) -> bool {
        self == Behind::Nobody
    }
}

/// Says who is behind a path, without disturbing a server: no connection of a stream or seqpacket
/// socket is made, and nothing is sent. `ENOENT`, `EACCES` and others of the path.
///
/// First the sockets of our network namespace are asked for the file's device and inode
/// (`UDIAG_SHOW_VFS`); where none has it, [`socket::is_bound`], which knows all namespaces. A file that
/// bind(2) is just making is `Nobody` for a moment: before one is removed, ask twice.
pub fn behind(path: &Path) -> Result<Behind> {
    behind_of(path, &unix::all()?)
}

/// As [`behind`], with the sockets of [`unix::all`]: for many paths.
pub fn behind_of(path: &Path, sockets: &[UnixSocket]) -> Result<Behind> {
    let file = fs::metadata(path).map_err(errno_of)?;
    if !file.file_type().is_socket() {
        return Ok(Behind::NotASocket);
    }
    let wanted = SocketFile {
        dev: file.dev(),
        // As many bits as the kernel tells.
        ino: file.ino() as u32,
    };
    // What a listener accepted has the listener's name and file, and may live longer than it.
    let may_be_accepted = |s: &UnixSocket| s.kind != Kind::Dgram && s.state == State::Established;
    let mut bound = sockets.iter().filter(|s| s.file == Some(wanted));
    if let Some(bound) = bound.find(|s| !may_be_accepted(s)) {
        return Ok(Behind::Socket(bound.ino));
    }
    match socket::is_bound(path) {
        Ok(true) => Ok(Behind::Unseen),
        Ok(false) => Ok(Behind::Nobody),
        Err(Errno::EACCES) => Ok(Behind::NobodyHere),
        Err(errno) => Err(errno),
    }
}

/// Whether a path is the file that a socket is bound to. The device is no witness, where the file system
/// shows another one ([`SocketFile::dev`]): as long as the socket is there, no other file of the same
/// file system has its inode.
pub fn is_of(path: &Path, socket: &UnixSocket) -> bool {
    let there = fs::symlink_metadata(path);
    there.is_ok_and(|there| {
        let is_it = |file: SocketFile| file.ino == there.ino() as u32;
        there.file_type().is_socket() && socket.file.is_some_and(is_it)
    })
}

#[cfg(test)]
mod tests;
