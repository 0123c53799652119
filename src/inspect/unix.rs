//! Every Unix socket of our network namespace: `UNIX_DIAG` of sock_diag(7). Needs no privilege.
//!
//! Sockets of other network namespaces are not told, though their socket files can be reached. One
//! that comes or goes meanwhile may be told or not.

use crate::kernel::netlink::{SockDiag, attributes};
use crate::kernel::socket::{Address, Kind};
use crate::kernel::{Errno, Result};

/// A Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Its inode, as in the link of a descriptor, `socket:[INO]`.
    pub ino: u64,
    /// What it carries.
    pub kind: Kind,
    /// Whether it listens or is connected.
    pub state: State,
    /// Its name; an accepted one has that of its listener.
    pub address: Address,
    /// The socket file that it is bound to, which may have been renamed or removed since; of an
    /// accepted one that of its listener.
    pub file: Option<SocketFile>,
    /// The inode of the socket it is connected to. `None` also for one that nobody has accepted yet.
    pub peer: Option<u64>,
    /// Of a listener the inodes of the sockets that connected and are not accepted, in their order;
    /// 0 for one that is gone again.
    pub pending: Vec<u64>,
    /// Of a listener the connections not accepted; else the bytes to be received, of a datagram socket
    /// those of the first datagram.
    pub rqueue: u32,
    /// Of a listener its backlog; else the bytes sent and not received, with what the kernel needs
    /// for them.
    pub wqueue: u32,
    /// Its owner; `None` before Linux 5.3.
    pub uid: Option<u32>,
    /// Receiving is shut down, by either side.
    pub shutdown_read: bool,
    /// Sending is shut down, by either side.
    pub shutdown_write: bool,
}

/// The state of a Unix socket, which borrows TCP's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// `TCP_LISTEN`.
    Listen,
    /// `TCP_ESTABLISHED`; also a datagram socket that is connected.
    Established,
    /// `TCP_CLOSE`: neither.
    Unconnected,
    /// Another one, by its number.
    Other(u8),
}

/// A socket file as the kernel remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketFile {
    /// Its device, as `st_dev`. Not so for btrfs and overlays, which show another to stat(2).
    pub dev: u64,
    /// The low 32 bits of its inode: the kernel tells no more.
    pub ino: u32,
}

/// `UDIAG_SHOW_…` of linux/unix_diag.h: NAME, VFS, PEER, ICONS, RQLEN and UID.
const SHOW: u32 = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x40;

/// `UNIX_DIAG_…` of the same.
mod attribute {
    pub const NAME: u16 = 0;
    pub const VFS: u16 = 1;
    pub const PEER: u16 = 2;
    pub const ICONS: u16 = 3;
    pub const RQLEN: u16 = 4;
    pub const SHUTDOWN: u16 = 6;
    pub const UID: u16 = 7;
}

/// The length of a `struct unix_diag_msg`.
const MESSAGE: usize = 16;

/// A `struct unix_diag_req`, for one socket or, without, for all.
fn request(ino: u32) -> Vec<u8> {
    let every = u32::MAX;
    // Family, protocol and padding; states; inode; what to show; the cookie, which is not known.
    let words = [
        u32::from_ne_bytes([libc::AF_UNIX as u8, 0, 0, 0]),
        every,
        ino,
        SHOW,
        u32::MAX,
        u32::MAX,
    ];
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Every Unix socket of our network namespace, in the kernel's order.
pub fn all() -> Result<Vec<UnixSocket>> {
    let mut found = Vec::new();
    SockDiag::new()?.dump(&request(0), |message| found.extend(parse(message)))?;
    Ok(found)
}

/// The Unix socket of this inode; `None` where our network namespace has none.
pub fn one(ino: u64) -> Result<Option<UnixSocket>> {
    let Ok(narrow @ 1..) = u32::try_from(ino) else {
        return Ok(None);
    };
    let mut found = None;
    let told = SockDiag::new()?.one(&request(narrow), |message| found = parse(message));
    match told {
        Ok(()) | Err(Errno::ENOENT) => Ok(found),
        Err(errno) => Err(errno),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

fn parse(message: &[u8]) -> Option<UnixSocket> {
    // Family, type, state and padding; inode; cookie.
    let mut socket = UnixSocket {
        ino: word(message, 4)?.into(),
        kind: Kind::from_raw((*message.get(1)?).into())?,
        state: match *message.get(2)? {
            10 => State::Listen,
            1 => State::Established,
            7 => State::Unconnected,
            other => State::Other(other),
        },
        address: Address::Unnamed,
        file: None,
        peer: None,
        pending: Vec::new(),
        rqueue: 0,
        wqueue: 0,
        uid: None,
        shutdown_read: false,
        shutdown_write: false,
    };
    for (kind, value) in attributes(message.get(MESSAGE..)?) {
        match kind {
            attribute::NAME => socket.address = Address::from_name(value),
            attribute::VFS => {
                socket.file = Some(SocketFile {
                    ino: word(value, 0)?,
                    dev: device(word(value, 4)?),
                });
            }
            attribute::PEER => socket.peer = Some(word(value, 0)?.into()).filter(|&ino| ino != 0),
            attribute::ICONS => {
                let words = value.as_chunks::<4>().0.iter();
                socket.pending = words.map(|ino| u32::from_ne_bytes(*ino).into()).collect();
            }
            attribute::RQLEN => (socket.rqueue, socket.wqueue) = (word(value, 0)?, word(value, 4)?),
            attribute::SHUTDOWN => {
                let bits = *value.first()?;
                (socket.shutdown_read, socket.shutdown_write) = (bits & 1 != 0, bits & 2 != 0);
            }
            attribute::UID => socket.uid = word(value, 0),
            _ => {}
        }
    }
    Some(socket)
}

/// The kernel's own `dev_t`, twelve bits and twenty, as the C library has it.
fn device(kernel: u32) -> u64 {
    libc::makedev(kernel >> 20, kernel & 0xf_ffff)
}

#[cfg(test)]
mod tests;
