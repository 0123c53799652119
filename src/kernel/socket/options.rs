//! What a socket says of itself: getsockopt(2), socket(7), unix(7), getsockname(2), getpeername(2),
//! and the queues of ioctl(2).
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use libc::{sockaddr, socklen_t};

use super::address::{Address, Domain, Raw};
use super::{Errno, Kind, Result};

/// A value that all bytes are a value of.
trait Plain: Copy {}
impl Plain for c_int {}
impl Plain for libc::ucred {}

/// getsockopt(2) of the level `SOL_SOCKET`.
fn get<T: Plain>(socket: &impl AsFd, option: c_int) -> Result<T> {
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut value: T = unsafe { zeroed() };
    let mut len = size_of::<T>() as socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    let to = (&raw mut value).cast();
    // SAFETY: fills at most `len` bytes of `value`.
    Errno::result(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, to, &mut len) })?;
    Ok(value)
}

/// setsockopt(2) of the level `SOL_SOCKET`.
fn set(socket: &impl AsFd, option: c_int, value: c_int) -> Result<()> {
    let len = size_of::<c_int>() as socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    let from = (&raw const value).cast();
    // SAFETY: reads `len` bytes of `value`.
    Errno::result(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, from, len) }).map(drop)
}

/// `SO_TYPE`: its kind; `None` for a raw socket and the like. `ENOTSOCK`.
pub fn kind(socket: &impl AsFd) -> Result<Option<Kind>> {
    get(socket, libc::SO_TYPE).map(Kind::from_raw)
}

/// `SO_DOMAIN`: its domain; `None` for netlink and the like. `ENOTSOCK`.
pub fn domain(socket: &impl AsFd) -> Result<Option<Domain>> {
    Ok(match get(socket, libc::SO_DOMAIN)? {
        libc::AF_UNIX => Some(Domain::Unix),
        libc::AF_INET => Some(Domain::Inet),
        libc::AF_INET6 => Some(Domain::Inet6),
        _ => None,
    })
}

/// `SO_ACCEPTCONN`: whether it listens. `ENOTSOCK`.
pub fn is_listening(socket: &impl AsFd) -> Result<bool> {
    get::<c_int>(socket, libc::SO_ACCEPTCONN).map(|listens| listens != 0)
}

/// `SO_SNDBUF`: how many bytes may be sent and not yet received, the kernel's own for them included.
/// `ENOTSOCK`.
pub fn send_buffer(socket: &impl AsFd) -> Result<i32> {
    get(socket, libc::SO_SNDBUF)
}

/// Sets `SO_REUSEADDR`: bind(2) may take a TCP port whose last connections only linger. `ENOTSOCK`.
pub fn set_reuse_address(socket: &impl AsFd, reuse: bool) -> Result<()> {
    set(socket, libc::SO_REUSEADDR, reuse.into())
}

/// Sets `SO_TIMESTAMP`: what is received from now on comes with its time, as control data. `ENOTSOCK`.
pub(super) fn set_timestamps(socket: &impl AsFd) -> Result<()> {
    set(socket, libc::SO_TIMESTAMP, 1)
}

/// `SO_PEEK_OFF`: where the next peek begins, in bytes; -1 for at the front. `EOPNOTSUPP`.
pub(super) fn peek_offset(socket: &impl AsFd) -> Result<i32> {
    get(socket, libc::SO_PEEK_OFF)
}

/// Sets `SO_PEEK_OFF`. `EOPNOTSUPP`.
pub(super) fn set_peek_offset(socket: &impl AsFd, offset: i32) -> Result<()> {
    set(socket, libc::SO_PEEK_OFF, offset)
}

/// Who is on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The process; 0 for one that our pid namespace does not have.
    pub pid: i32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// `SO_PEERCRED`: who called connect(2), listen(2) or socketpair(2) on the other side, as it was then;
/// a listener has its own. `None` for a socket that was never connected. `ENOTSOCK`.
pub fn peer_credentials(socket: &impl AsFd) -> Result<Option<Credentials>> {
    let peer: libc::ucred = get(socket, libc::SO_PEERCRED)?;
    Ok((peer.uid != u32::MAX).then_some(Credentials {
        pid: peer.pid,
        uid: peer.uid,
        gid: peer.gid,
    }))
}

type Name = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;

fn name(socket: RawFd, call: Name) -> Result<Address> {
    let mut raw = Raw::room();
    let mut len = raw.len();
    // SAFETY: getsockname(2) and getpeername(2) fill at most `len` bytes of `raw`.
    Errno::result(unsafe { call(socket, raw.as_mut_ptr(), &mut len) })?;
    Ok(raw.address(len))
}

/// getsockname(2): its own address. `ENOTSOCK`.
pub fn local_address(socket: &impl AsFd) -> Result<Address> {
    name(socket.as_fd().as_raw_fd(), libc::getsockname)
}

/// getpeername(2): the address of the other side; `Unnamed` for one that is not bound. `ENOTCONN`,
/// `ENOTSOCK`.
pub fn peer_address(socket: &impl AsFd) -> Result<Address> {
    name(socket.as_fd().as_raw_fd(), libc::getpeername)
}

fn queue(socket: &impl AsFd, request: libc::Ioctl) -> Result<u64> {
    let mut bytes: c_int = 0;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: these requests fill one C int.
    Errno::result(unsafe { libc::ioctl(fd, request, &raw mut bytes) })?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// `SIOCINQ` of unix(7) and tcp(7): bytes that wait to be received; of a datagram socket those of the
/// first datagram alone. `EINVAL` for a listener, `ENOTTY` for what is no socket.
pub fn input_queue(socket: &impl AsFd) -> Result<u64> {
    queue(socket, libc::FIONREAD)
}

/// `SIOCOUTQ` of unix(7) and tcp(7): bytes sent and not yet received, or for TCP not yet
/// acknowledged; for a Unix socket with what the kernel needs for them. `EINVAL` for a TCP listener.
pub fn output_queue(socket: &impl AsFd) -> Result<u64> {
    queue(socket, libc::TIOCOUTQ)
}
