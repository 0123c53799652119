//! Pipes and FIFOs through their descriptors: pipe2(2), read(2), write(2), fcntl(2).
//!
//! Calls that wait give `EINTR` as it is, so that a signal cancels them. Whether a call waits is said
//! with the call: descriptors passed between processes share one open file description, and an
//! `O_NONBLOCK` that stays on it would change what all of them do.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::{Errno, Result, fds};

/// pipe2(2): a pipe's read end and write end, close-on-exec. `EMFILE`, `ENFILE`.
pub fn create() -> Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC)
}

/// The inode by which the kernel names what is behind a descriptor: `pipe:[6517]`.
pub fn inode(fd: &impl AsFd) -> Result<u64> {
    nix::sys::stat::fstat(fd).map(|stat| stat.st_ino)
}

/// preadv2(2) with `RWF_NOWAIT` where it shall not wait: at most as many bytes as the buffer holds; 0
/// at the end, which comes when no process has the write end open. `EAGAIN`, `EINTR`, `EBADF` for a
/// write end.
pub fn read(fd: &impl AsFd, buffer: &mut [u8], nowait: bool) -> Result<usize> {
    let part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: fills at most the length of the buffer, which is borrowed through the call.
    let call = |flags| unsafe { libc::preadv2(fd.as_fd().as_raw_fd(), &part, 1, -1, flags) };
    waiting(fd, nowait, call)
}

/// pwritev2(2) with `RWF_NOWAIT` where it shall not wait: gives how many bytes were taken, which are
/// less than all only without waiting or after a signal. Up to `PIPE_BUF` (4096) bytes go at once or
/// not at all. `EPIPE`, and `SIGPIPE` unless that is ignored, when no process has the read end open;
/// `EAGAIN`, `EINTR`, `EBADF` for a read end.
pub fn write(fd: &impl AsFd, data: &[u8], nowait: bool) -> Result<usize> {
    let part = libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    // SAFETY: reads the data, which is borrowed through the call.
    let call = |flags| unsafe { libc::pwritev2(fd.as_fd().as_raw_fd(), &part, 1, -1, flags) };
    waiting(fd, nowait, call)
}

/// Makes a call that waits or not. The kernel knows `RWF_NOWAIT` for pipes and not for FIFOs, whose
/// descriptions are of those who opened them: there `O_NONBLOCK` is set for the length of the call.
fn waiting(fd: &impl AsFd, nowait: bool, call: impl Fn(i32) -> isize) -> Result<usize> {
    let done = |got| Errno::result(got).map(isize::unsigned_abs);
    if !nowait {
        return done(call(0));
    }
    match done(call(libc::RWF_NOWAIT)) {
        Err(Errno::EOPNOTSUPP) => {
            fds::set_nonblocking(fd, true)?;
            let got = done(call(0));
            fds::set_nonblocking(fd, false)?;
            got
        }
        got => got,
    }
}

/// `F_GETPIPE_SZ`: how many bytes it holds at most. `EBADF` for what is no pipe.
pub fn capacity(fd: &impl AsFd) -> Result<usize> {
    fcntl(fd, FcntlArg::F_GETPIPE_SZ).map(|n| n.unsigned_abs() as usize)
}

/// `F_SETPIPE_SZ`: changes that, rounded up to a power of two of pages; gives what it has become.
/// `EPERM` above `fs.pipe-max-size` without privilege, `EBUSY` below what is in it, `EINVAL` beyond
/// 2 GiB.
pub fn set_capacity(fd: &impl AsFd, bytes: usize) -> Result<usize> {
    let bytes = i32::try_from(bytes).map_err(|_| Errno::EINVAL)?;
    fcntl(fd, FcntlArg::F_SETPIPE_SZ(bytes)).map(|n| n.unsigned_abs() as usize)
}

/// `FIONREAD`: how many bytes are in it.
pub fn unread(fd: &impl AsFd) -> Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: writes one int, which lives through the call.
    Errno::result(unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::FIONREAD, &mut bytes) })?;
    Ok(bytes.unsigned_abs() as usize)
}

/// tee(2) with `SPLICE_F_NONBLOCK` into a pipe of our own: a copy of what is in it, which stays there.
/// `EBADF` for a write end; those of [`create`].
pub fn peek(fd: &impl AsFd) -> Result<Vec<u8>> {
    let (copy, into) = create()?;
    let room = capacity(fd)?;
    // More than `fs.pipe-max-size` cannot be had without privilege: then the front of it is shown.
    let _ = set_capacity(&into, room);
    let (from, to) = (fd.as_fd().as_raw_fd(), into.as_raw_fd());
    // SAFETY: takes integers.
    let got = unsafe { libc::tee(from, to, room, libc::SPLICE_F_NONBLOCK) };
    let length = match Errno::result(got) {
        Ok(length) => length.unsigned_abs(),
        Err(Errno::EAGAIN) => 0,
        Err(errno) => return Err(errno),
    };
    drop(into);
    let mut bytes = vec![0; length];
    let mut at = 0;
    while at < length {
        match read(&copy, &mut bytes[at..], false)? {
            0 => break,
            n => at += n,
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_seen_and_stay_and_waiting_is_the_callers_choice() {
        let (read_end, write_end) = create().unwrap();
        assert_eq!(inode(&read_end), inode(&write_end));
        let mut buffer = [0; 8];
        assert_eq!(read(&read_end, &mut buffer, true), Err(Errno::EAGAIN));
        assert_eq!(write(&write_end, b"hello\0\xff", false), Ok(7));
        assert_eq!(peek(&read_end).unwrap(), b"hello\0\xff");
        assert_eq!(peek(&read_end).unwrap(), b"hello\0\xff");
        assert_eq!(unread(&read_end), Ok(7));
        assert_eq!(read(&read_end, &mut buffer, false), Ok(7));
        assert_eq!(&buffer[..7], b"hello\0\xff");
        assert_eq!(peek(&read_end).unwrap(), b"");
        let full = vec![7; capacity(&write_end).unwrap()];
        assert_eq!(write(&write_end, &full, true), Ok(full.len()));
        assert_eq!(write(&write_end, &full, true), Err(Errno::EAGAIN));
        assert_eq!(set_capacity(&write_end, 4096), Err(Errno::EBUSY));
        assert_eq!(peek(&read_end).unwrap(), full);
        drop(read_end);
        assert_eq!(write(&write_end, b"x", false), Err(Errno::EPIPE));
        assert_eq!(set_capacity(&write_end, usize::MAX), Err(Errno::EINVAL));
    }
}
