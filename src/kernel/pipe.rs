//! Pipes (pipe(7)): making, measuring, reading, writing, and looking without taking.
//!
//! What is said of a pipe here holds for an open FIFO too ([`super::fifo`]).
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::stat::{SFlag, fstat};

use super::poll::{PollFd, PollFlags, poll};
use super::{Errno, Result, fifo};

/// What tells a pipe or FIFO from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipeId {
    /// The device of its file system; all anonymous pipes share one.
    pub dev: u64,
    /// Its inode there: the number in `pipe:[…]` of `/proc/PID/fd`.
    pub ino: u64,
}

impl PipeId {
    /// `None` for what is no pipe.
    pub(super) fn of(stat: &libc::stat) -> Option<PipeId> {
        let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
        (kind == SFlag::S_IFIFO).then_some(PipeId {
            dev: stat.st_dev,
            ino: stat.st_ino,
        })
    }
}

/// pipe2(2): a pipe, its reading end first; both close-on-exec. `EMFILE`, `ENFILE`.
pub fn create() -> Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC)
}

/// fstat(2): which pipe or FIFO a descriptor is of. `EINVAL` for one of something else.
pub fn identity(fd: &impl AsFd) -> Result<PipeId> {
    PipeId::of(&fstat(fd.as_fd())?).ok_or(Errno::EINVAL)
}

/// fcntl(2) with an integer, which gives a size.
fn control(fd: &impl AsFd, command: c_int, argument: c_int) -> Result<usize> {
    // SAFETY: these commands take and give integers.
    let size = Errno::result(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), command, argument) })?;
    Ok(size.unsigned_abs() as usize)
}

/// `F_GETPIPE_SZ`: how many bytes it can hold, in whole pages. A page that was not filled by one write
/// may not be used by the next, so it can be full with less. `EBADF` for what is no pipe.
pub fn capacity(fd: &impl AsFd) -> Result<usize> {
    control(fd, libc::F_GETPIPE_SZ, 0)
}

/// `F_SETPIPE_SZ`: makes it hold at least this many bytes, and gives what it now holds: the kernel takes
/// the next power of two pages. `EPERM` above `/proc/sys/fs/pipe-max-size` without
/// `CAP_SYS_RESOURCE`, `EBUSY` when more is in it than would fit, `EINVAL`, `EBADF` for what is no pipe.
pub fn set_capacity(fd: &impl AsFd, bytes: usize) -> Result<usize> {
    let bytes = c_int::try_from(bytes).map_err(|_| Errno::EINVAL)?;
    control(fd, libc::F_SETPIPE_SZ, bytes)
}

/// `FIONREAD`: how many bytes are in it, asked at either end. `ENOTTY`, `EINVAL` for what cannot be
/// asked.
pub fn available(fd: &impl AsFd) -> Result<usize> {
    let mut bytes: c_int = 0;
    // SAFETY: fills `bytes`, which lives through the call.
    Errno::result(unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::FIONREAD, &mut bytes) })?;
    Ok(bytes.unsigned_abs() as usize)
}

/// Whether anybody has it open for reading, asked at a writing end: poll(2), `POLLERR`. Also who cannot
/// be seen counts, and an end that is on its way through a socket (`SCM_RIGHTS`).
pub fn has_readers(fd: &impl AsFd) -> Result<bool> {
    Ok(!polled(fd)?.contains(PollFlags::POLLERR))
}

/// The same of writing, asked at a reading end: poll(2), `POLLHUP`. Of a FIFO (`named`), an end that was
/// opened when it had no writer is not told so until one has come: `None` where nothing else tells.
pub fn has_writers(fd: &impl AsFd, named: bool) -> Result<Option<bool>> {
    if polled(fd)?.contains(PollFlags::POLLHUP) {
        return Ok(Some(false));
    }
    if !named {
        return Ok(Some(true));
    }
    // Where it is empty, a read would find the end of the stream, or wait for a writer.
    let seen = match available(fd)? {
        0 => peek(fd)?,
        _ => return Ok(None),
    };
    Ok(seen.data.is_empty().then_some(!seen.ended))
}

/// What poll(2) tells of a descriptor that it was not asked for.
fn polled(fd: &impl AsFd) -> Result<PollFlags> {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::empty())];
    poll(&mut fds, Some(Duration::ZERO))?;
    Ok(fds[0].revents().unwrap_or(PollFlags::empty()))
}

/// A buffer that `fill` fills, given a place for at most `max` bytes and that length; more than a pipe
/// holds is never read at once.
fn filled(
    fd: &impl AsFd,
    max: usize,
    fill: impl FnOnce(*mut libc::c_void, usize) -> isize,
) -> Result<Vec<u8>> {
    // Of another descriptor than a pipe's, what a pipe holds at first.
    let max = max.min(capacity(fd).unwrap_or(64 << 10));
    let mut data: Vec<u8> = Vec::new();
    data.try_reserve_exact(max).map_err(|_| Errno::ENOMEM)?;
    let got = Errno::result(fill(data.as_mut_ptr().cast(), max))?;
    // SAFETY: room for `max` bytes was made, and the kernel filled that many of them.
    unsafe { data.set_len(got.unsigned_abs().min(max)) };
    data.shrink_to_fit();
    Ok(data)
}

/// read(2): takes at most `max` bytes, and waits while there are none. None at all is the end: nobody
/// has it open for writing. `EINTR` is given as it is, `EAGAIN` if the open file is non-blocking.
pub fn read(fd: &impl AsFd, max: usize) -> Result<Vec<u8>> {
    let raw = fd.as_fd().as_raw_fd();
    filled(fd, max, |buffer, size| {
        // SAFETY: fills at most `size` bytes, for which there is room.
        unsafe { libc::read(raw, buffer, size) }
    })
}

/// [`read`] that never waits: `EAGAIN` when there are no bytes. The open file stays as it is, so that
/// whoever shares it still waits.
///
/// preadv2(2) with `RWF_NOWAIT`; as the kernel knows that for pipes only, and not for FIFOs
/// (`EOPNOTSUPP`, Linux 6.18), a FIFO is opened a second time for the moment, by its descriptor.
pub fn try_read(fd: &impl AsFd, max: usize) -> Result<Vec<u8>> {
    let raw = fd.as_fd().as_raw_fd();
    let read_now = filled(fd, max, |buffer, size| {
        let place = libc::iovec {
            iov_base: buffer,
            iov_len: size,
        };
        // SAFETY: fills at most `size` bytes, for which there is room; -1 is no offset.
        unsafe { libc::preadv2(raw, &place, 1, -1, libc::RWF_NOWAIT) }
    });
    match read_now {
        Err(Errno::EOPNOTSUPP) => read(&reopened(fd, fifo::Access::Read)?, max),
        other => other,
    }
}

/// write(2): puts bytes in, waiting for room, and gives how many: fewer only when a signal came or the
/// last reader went. Up to `PIPE_BUF` (4096) bytes go in together or not at all.
///
/// When nobody has it open for reading: SIGPIPE, whatever that does in this process, and `EPIPE` where
/// it lives on. `EINTR` is given as it is, `EAGAIN` if the open file is non-blocking.
pub fn write(fd: &impl AsFd, data: &[u8]) -> Result<usize> {
    let raw = fd.as_fd().as_raw_fd();
    // SAFETY: reads `data`.
    let put = Errno::result(unsafe { libc::write(raw, data.as_ptr().cast(), data.len()) })?;
    Ok(put.unsigned_abs())
}

/// [`write`] that never waits: `EAGAIN` when there is no room, for all of it up to `PIPE_BUF` bytes, for
/// any of it above; then it may give fewer. It leaves the open file as it is, as [`try_read`].
pub fn try_write(fd: &impl AsFd, data: &[u8]) -> Result<usize> {
    let raw = fd.as_fd().as_raw_fd();
    let piece = libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    // SAFETY: reads `data`, in spite of the pointer's type; -1 is no offset.
    let put = unsafe { libc::pwritev2(raw, &piece, 1, -1, libc::RWF_NOWAIT) };
    match Errno::result(put) {
        Ok(put) => Ok(put.unsigned_abs()),
        Err(Errno::EOPNOTSUPP) => match reopened(fd, fifo::Access::Write) {
            Ok(fifo) => write(&fifo, data),
            // Nobody reads: then it does not wait either, and is told as ever.
            Err(Errno::ENXIO) => write(fd, data),
            Err(errno) => Err(errno),
        },
        Err(errno) => Err(errno),
    }
}

/// The same FIFO, opened non-blocking.
fn reopened(fd: &impl AsFd, access: fifo::Access) -> Result<OwnedFd> {
    fifo::open_descriptor(fd, access, true)
}

/// What [`peek`] saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The bytes, the next to be read first.
    pub data: Vec<u8>,
    /// How long each packet is, where it holds several: one that was opened with `O_DIRECT` keeps
    /// apart what was written apart (pipe(2)).
    pub packets: Vec<usize>,
    /// Whether these were all. Not, where the kernel did not allow a copy as large as the pipe
    /// (`pipe-user-pages-soft`, pipe(7)).
    pub whole: bool,
    /// Whether it is empty and nobody has its writing end: a read would give the end of the stream.
    pub ended: bool,
}

/// tee(2) with `SPLICE_F_NONBLOCK`: what is in a pipe, by its reading end. Nothing is taken, nobody
/// woken, and it never waits. `EBADF` for a writing end, `EINVAL` for what is no pipe, `EMFILE`.
pub fn peek(fd: &impl AsFd) -> Result<Peeked> {
    let raw = fd.as_fd().as_raw_fd();
    identity(fd)?;
    let (from, to) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    // The copy has the same pages in the same number of places.
    let room = capacity(fd)?;
    let fits = capacity(&to)? >= room || set_capacity(&to, room).is_ok_and(|size| size >= room);
    // SAFETY: takes and gives integers.
    let copied = unsafe {
        let most = c_int::MAX as usize;
        libc::tee(raw, to.as_raw_fd(), most, libc::SPLICE_F_NONBLOCK)
    };
    let (copied, ended) = match Errno::result(copied) {
        // Empty, with a writer.
        Err(Errno::EAGAIN) => (0, false),
        other => {
            let copied = other?.unsigned_abs();
            (copied, copied == 0)
        }
    };
    // The copy keeps the packets apart too: a read gives one, or all that is no packet.
    let mut data = Vec::with_capacity(copied);
    let mut packets = Vec::new();
    while data.len() < copied {
        let more = read(&from, copied - data.len())?;
        if more.is_empty() {
            break;
        }
        packets.push(more.len());
        data.extend(more);
    }
    if packets.len() == 1 {
        packets.clear();
    }
    let whole = data.len() == copied && (fits || available(fd)? <= copied);
    Ok(Peeked {
        data,
        packets,
        whole,
        ended,
    })
}

#[cfg(test)]
mod tests;
