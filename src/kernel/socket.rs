//! Sockets: socket(2), bind(2), listen(2), accept4(2), connect(2), socketpair(2), shutdown(2). Unix
//! sockets of every kind, and TCP.
//!
//! Calls that wait give `EINTR` as it is, so that a signal cancels them. Whether a call waits is said
//! with the call: descriptors passed between processes share one open file description, and an
//! `O_NONBLOCK` that stays on it would change what all of them do.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::poll::{PollFd, PollFlags, poll};
use super::{Errno, Result, fds};

mod address;
mod message;
mod options;
#[cfg(test)]
mod tests;

use address::Raw;

pub use address::{Address, Domain, PATH_MAX};
pub use message::{Peeked, Received, SCM_MAX_FD, Send, peek, receive, receive_stream, send};
pub use options::{
    Credentials, domain, input_queue, is_listening, kind, local_address, output_queue,
    peer_address, peer_credentials, send_buffer, set_reuse_address,
};

/// What a socket carries: socket(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `SOCK_STREAM`: bytes in order, without bounds.
    Stream,
    /// `SOCK_DGRAM`: messages from anyone; a Unix socket's are neither lost nor reordered.
    Dgram,
    /// `SOCK_SEQPACKET`: messages in order over a connection.
    Seqpacket,
}

impl Kind {
    fn raw(self) -> c_int {
        match self {
            Kind::Stream => libc::SOCK_STREAM,
            Kind::Dgram => libc::SOCK_DGRAM,
            Kind::Seqpacket => libc::SOCK_SEQPACKET,
        }
    }

    /// The kind of this number, `SOCK_…`.
    pub fn from_raw(raw: i32) -> Option<Kind> {
        match raw {
            libc::SOCK_STREAM => Some(Kind::Stream),
            libc::SOCK_DGRAM => Some(Kind::Dgram),
            libc::SOCK_SEQPACKET => Some(Kind::Seqpacket),
            _ => None,
        }
    }
}

impl Domain {
    fn raw(self) -> c_int {
        match self {
            Domain::Unix => libc::AF_UNIX,
            Domain::Inet => libc::AF_INET,
            Domain::Inet6 => libc::AF_INET6,
        }
    }
}

/// A descriptor that a call has just given, or its errno.
///
/// # Safety
/// `fd` is what a call has just given for a new descriptor, or -1.
unsafe fn made(fd: c_int) -> Result<OwnedFd> {
    let fd = Errno::result(fd)?;
    // SAFETY: just made, and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// socket(2): a new socket, close-on-exec. `EMFILE`, `ENFILE`, `EAFNOSUPPORT`, `EPROTONOSUPPORT` or
/// `ESOCKTNOSUPPORT` for a kind that the domain lacks.
pub fn socket(domain: Domain, kind: Kind) -> Result<OwnedFd> {
    let kind = kind.raw() | libc::SOCK_CLOEXEC;
    // SAFETY: takes integers and gives a new descriptor.
    unsafe { made(libc::socket(domain.raw(), kind, 0)) }
}

/// socketpair(2): two connected Unix stream sockets, close-on-exec. `EMFILE`, `ENFILE`.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    pair_of(Kind::Stream)
}

/// socketpair(2): two connected Unix sockets, close-on-exec. `EMFILE`, `ENFILE`.
pub fn pair_of(kind: Kind) -> Result<(OwnedFd, OwnedFd)> {
    let mut pair = [-1; 2];
    let kind = kind.raw() | libc::SOCK_CLOEXEC;
    // SAFETY: fills the two integers.
    Errno::result(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) })?;
    // SAFETY: two descriptors just made, and owned by nobody else.
    unsafe { Ok((made(pair[0])?, made(pair[1])?)) }
}

/// bind(2): gives a socket its address. A path makes a socket file that nothing removes with the
/// socket; `Unnamed` makes the kernel choose an abstract name, port 0 a port. `EADDRINUSE` where the
/// name is taken, also by a file that nobody listens on any more; `EINVAL` for a socket that has one
/// already; `EACCES`, `ENOENT`, `ENOTDIR`, `EROFS` of the path; `ENAMETOOLONG` above [`PATH_MAX`].
pub fn bind(socket: &impl AsFd, address: &Address) -> Result<()> {
    let raw = Raw::new(address)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `raw` lives through the call and is as long as it says.
    Errno::result(unsafe { libc::bind(fd, raw.as_ptr(), raw.len()) }).map(drop)
}

/// listen(2): lets others connect. Up to `backlog` connections wait to be accepted, on a Unix socket
/// one more, and never more than `net.core.somaxconn`. Again changes the backlog. `EINVAL` before
/// bind(2) or on a connected Unix socket, `EOPNOTSUPP` for a datagram socket.
pub fn listen(socket: &impl AsFd, backlog: i32) -> Result<()> {
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::listen(socket.as_fd().as_raw_fd(), backlog) }).map(drop)
}

/// accept4(2): takes the first waiting connection, close-on-exec, and the address of the other side;
/// waits for one unless `nowait`. `EAGAIN`, `EINTR`, `EINVAL` for a socket that does not listen or
/// was shut down (with `nowait` a Unix one gives `EAGAIN`), `EOPNOTSUPP` for a datagram socket,
/// `EMFILE`, `ENFILE`.
///
/// accept4(2) itself has no flag against waiting. With `nowait` poll(2) is asked first, and where
/// nothing waits that is all. Otherwise `O_NONBLOCK` is set for as long as accept4(2) takes, lest it
/// waits for a connection that another process has snatched.
pub fn accept(listener: &impl AsFd, nowait: bool) -> Result<(OwnedFd, Address)> {
    if !nowait {
        return accept_here(listener);
    }
    let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    // What does not listen is readable or hung up for poll(2): accept4(2) says what is wrong with it.
    let listens = options::is_listening(listener)?;
    if listens && poll(&mut fds, Some(Duration::ZERO))? == 0 {
        return Err(Errno::EAGAIN);
    }
    without_waiting(listener.as_fd(), || accept_here(listener))
}

fn accept_here(listener: &impl AsFd) -> Result<(OwnedFd, Address)> {
    let mut raw = Raw::room();
    let mut len = raw.len();
    let fd = listener.as_fd().as_raw_fd();
    // SAFETY: `raw` has room for `len` bytes, and the call gives a new descriptor.
    let socket = unsafe {
        made(libc::accept4(
            fd,
            raw.as_mut_ptr(),
            &mut len,
            libc::SOCK_CLOEXEC,
        ))?
    };
    Ok((socket, raw.address(len)))
}

/// connect(2): connects a socket, or says where a datagram socket sends to; waits while the backlog
/// of the listener is full unless `nowait`. `Unnamed` ends a datagram socket's connection.
///
/// `ECONNREFUSED` when nobody listens there, `ENOENT` without such a path, `EACCES` without write
/// permission for the socket file, `EPROTOTYPE` for another kind of socket, `EISCONN`, `EINTR`.
/// With `nowait`: `EAGAIN` on a full Unix backlog; `EINPROGRESS` for TCP, whose connection goes on by
/// itself: the socket polls writable once `SO_ERROR` can tell how it went. After `EINTR` TCP goes
/// on too.
///
/// connect(2) has no flag against waiting: with `nowait` the socket has `O_NONBLOCK` for as long as
/// the call takes.
pub fn connect(socket: &impl AsFd, address: &Address, nowait: bool) -> Result<()> {
    let mut raw = Raw::new(address)?;
    if *address == Address::Unnamed {
        raw.disconnect();
    }
    let fd = socket.as_fd().as_raw_fd();
    let call = || {
        // SAFETY: `raw` lives through the call and is as long as it says.
        Errno::result(unsafe { libc::connect(fd, raw.as_ptr(), raw.len()) }).map(drop)
    };
    if nowait {
        without_waiting(socket.as_fd(), call)
    } else {
        call()
    }
}

/// Sets `O_NONBLOCK` for the time of one call, where it is not set anyway. It belongs to the open file
/// description: who shares it and begins a call meanwhile does not wait either. A call that waits
/// already goes on waiting.
fn without_waiting<T>(socket: BorrowedFd, call: impl FnOnce() -> Result<T>) -> Result<T> {
    if fds::is_nonblocking(&socket)? {
        return call();
    }
    fds::set_nonblocking(&socket, true)?;
    let result = call();
    // Fails only for what is no open descriptor, and it was one just now.
    fds::set_nonblocking(&socket, false)?;
    result
}

/// Whether any socket is bound to a socket file, in whatever network namespace, without disturbing
/// it: connect(2) of a datagram socket. A stream or seqpacket listener never notices
/// (`EPROTOTYPE`, its backlog untouched); nor does a datagram socket, since connecting to one sends
/// nothing. The time of access of a datagram socket's file may change.
///
/// `false` also for a file that is not a socket. `EACCES` without write permission for the file,
/// `ENOENT`, `ENOTDIR`, `ENAMETOOLONG`.
pub fn is_bound(path: &std::path::Path) -> Result<bool> {
    let probe = socket(Domain::Unix, Kind::Dgram)?;
    match connect(&probe, &Address::Path(path.into()), false) {
        // EPERM: a datagram socket that is itself connected elsewhere.
        Ok(()) | Err(Errno::EPROTOTYPE | Errno::EPERM) => Ok(true),
        Err(Errno::ECONNREFUSED) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// unlink(2): removes a socket file. `EINVAL` where it is none; `ENOENT`, `EACCES`, `EPERM`.
pub fn remove(path: &std::path::Path) -> Result<()> {
    use nix::sys::stat::{SFlag, lstat};
    let mode = SFlag::from_bits_truncate(lstat(path)?.st_mode);
    if mode & SFlag::S_IFMT != SFlag::S_IFSOCK {
        return Err(Errno::EINVAL);
    }
    nix::unistd::unlink(path)
}

/// openat2(2), unlinkat(2): removes a socket file, where it is still the one of this device and inode
/// and no symbolic link is on the way to it: who owns a directory there leads nobody astray. `ESTALE`
/// where it is another file by now, `ELOOP` where there is a link; `ENOENT`, `EACCES`, `EPERM`,
/// `ENOSYS` before Linux 5.6.
pub fn remove_this(path: &std::path::Path, dev: u64, ino: u64) -> Result<()> {
    use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
    use nix::sys::stat::{SFlag, fstatat};
    use nix::unistd::{UnlinkatFlags, unlinkat};
    let (parent, name) = path.parent().zip(path.file_name()).ok_or(Errno::EINVAL)?;
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    let parent = openat2(nix::fcntl::AT_FDCWD, parent, how)?;
    let stat = fstatat(&parent, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
    if (stat.st_dev, stat.st_ino) != (dev, ino) || kind != SFlag::S_IFSOCK {
        return Err(Errno::ESTALE);
    }
    unlinkat(&parent, name, UnlinkatFlags::NoRemoveDir)
}

/// Which directions shutdown(2) ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// `SHUT_RD`: receiving; a Unix peer's sending gives `EPIPE`.
    Read,
    /// `SHUT_WR`: sending; the peer reads to the end and then gets the end.
    Write,
    /// `SHUT_RDWR`: both. A listener refuses from then on, and accept(2) on it gives `EINVAL`.
    Both,
}

/// shutdown(2): ends a connection's directions, for all who share the socket. `ENOTCONN` of
/// TCP; a Unix socket without a connection is shut down all the same.
pub fn shutdown(socket: &impl AsFd, how: Shutdown) -> Result<()> {
    let how = match how {
        Shutdown::Read => libc::SHUT_RD,
        Shutdown::Write => libc::SHUT_WR,
        Shutdown::Both => libc::SHUT_RDWR,
    };
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), how) }).map(drop)
}
