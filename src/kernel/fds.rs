//! Descriptors: their flags, and their way from process to process. fcntl(2), unix(7).
//!
//! To take a copy of another process's descriptor: [`super::process::pidfd_getfd`].

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::stat::fstat;

use super::socket;
use super::{Errno, Result};

/// What a descriptor is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// `O_RDONLY`.
    Read,
    /// `O_WRONLY`.
    Write,
    /// `O_RDWR`.
    ReadWrite,
    /// Neither: `O_PATH`, or the 3 that open(2) tells of drivers.
    Neither,
}

impl Access {
    /// Whether it may read.
    pub fn reads(self) -> bool {
        matches!(self, Access::Read | Access::ReadWrite)
    }

    /// Whether it may write.
    pub fn writes(self) -> bool {
        matches!(self, Access::Write | Access::ReadWrite)
    }

    /// That of the flags of open(2).
    pub fn of_flags(flags: i32) -> Access {
        if flags & libc::O_PATH != 0 {
            return Access::Neither;
        }
        match flags & libc::O_ACCMODE {
            libc::O_RDONLY => Access::Read,
            libc::O_WRONLY => Access::Write,
            libc::O_RDWR => Access::ReadWrite,
            _ => Access::Neither,
        }
    }
}

/// fstat(2): the inode of the open file, by which a pipe or a socket is known. `EBADF`.
pub fn inode(fd: &impl AsFd) -> Result<u64> {
    Ok(fstat(fd.as_fd())?.st_ino)
}

/// `F_GETFL`: the flags of the open file description, `O_…`. `EBADF`.
pub fn status_flags(fd: &impl AsFd) -> Result<i32> {
    fcntl(fd, FcntlArg::F_GETFL)
}

/// What a descriptor is open for (`F_GETFL`). `EBADF`.
pub fn access(fd: &impl AsFd) -> Result<Access> {
    status_flags(fd).map(Access::of_flags)
}

/// Whether `O_NONBLOCK` is set (`F_GETFL`). `EBADF`.
pub fn is_nonblocking(fd: &impl AsFd) -> Result<bool> {
    Ok(status_flags(fd)? & libc::O_NONBLOCK != 0)
}

/// Sets or clears `O_NONBLOCK` (`F_SETFL`): for all who share the open file description, other
/// processes too. `EBADF`.
pub fn set_nonblocking(fd: &impl AsFd, nonblocking: bool) -> Result<()> {
    let mut flags = OFlag::from_bits_retain(status_flags(fd)?);
    flags.set(OFlag::O_NONBLOCK, nonblocking);
    fcntl(fd, FcntlArg::F_SETFL(flags)).map(drop)
}

/// memfd_create(2): a file in memory, close-on-exec, that every write goes to the end of, also where
/// some program opens it again (`> /dev/stderr`). `EINVAL` for a NUL in the name or one above 249
/// bytes, `ENOMEM`, `EMFILE`.
pub fn memory(name: &str) -> Result<OwnedFd> {
    let fd = memfd_create(name, MFdFlags::MFD_CLOEXEC)?;
    fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(fd)
}

/// The devices of the file systems that memfd_create(2) makes its files in, which System V's segments
/// have too: that of ordinary pages, and one for each size of large pages. Errors of [`memory`].
pub fn memory_devices() -> Result<Vec<u64>> {
    let device =
        |how| Ok(fstat(&memfd_create("ipcsh-device", how | MFdFlags::MFD_CLOEXEC)?)?.st_dev);
    let mut devices = vec![device(MFdFlags::empty())?];
    let sizes = std::fs::read_dir("/sys/kernel/mm/hugepages");
    for size in sizes.into_iter().flatten().flatten() {
        // `hugepages-2048kB`; the flags of memfd_create(2) hold the logarithm of the bytes.
        let name = size.file_name();
        let kib = name
            .to_str()
            .and_then(|n| n.strip_prefix("hugepages-")?.strip_suffix("kB"));
        let Some(Ok(kib @ 1..)) = kib.map(str::parse::<u32>) else {
            continue;
        };
        let how = (kib.ilog2() + 10) << libc::MFD_HUGE_SHIFT;
        devices.extend(device(
            MFdFlags::MFD_HUGETLB | MFdFlags::from_bits_retain(how),
        ));
    }
    Ok(devices)
}

/// recv(2): what is there of a stream, without waiting; 0 at its end. `EAGAIN` where nothing is there,
/// `EINTR`, `ECONNRESET`.
pub fn take(socket: &impl AsFd, into: &mut [u8]) -> Result<usize> {
    recv(socket.as_fd().as_raw_fd(), into, MsgFlags::MSG_DONTWAIT)
}

/// Receives what is there of a stream into a vector, at most `max` bytes, and puts the descriptors
/// that come with them, close-on-exec, to the others; gives how many bytes, 0 at the end. Goes on after
/// `EINTR`. The bytes that a descriptor came with are never joined with others that one came with:
/// the descriptors are in the order of the bytes.
///
/// `EAGAIN` with `O_NONBLOCK`, `EMFILE` when descriptors were lost for want of room for them.
pub fn receive(
    socket: &impl AsFd,
    max: usize,
    data: &mut Vec<u8>,
    descriptors: &mut Vec<OwnedFd>,
) -> Result<usize> {
    let got = loop {
        match socket::receive_stream(socket, max) {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    data.extend_from_slice(&got.data);
    descriptors.extend(got.descriptors);
    if got.control_truncated {
        return Err(Errno::EMFILE);
    }
    Ok(got.data.len())
}

#[cfg(test)]
mod tests;
