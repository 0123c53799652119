//! POSIX message queues, shared memory and named semaphores: mq_overview(7), shm_overview(7),
//! sem_overview(7).
//!
//! All are files: a segment is `/dev/shm/NAME`, a semaphore `/dev/shm/sem.NAME`, both on a tmpfs;
//! a queue is a file of the mqueue file system, which need not be mounted.

pub mod mq;
pub mod sem;
pub mod shm;

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::stat::{Mode, fchmod, fstat};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

use super::{Errno, Result, errno_of};

/// Where segments and semaphores stand (shm_overview(7)); the C libraries look nowhere else.
pub const DIRECTORY: &str = "/dev/shm";

/// The most bytes of a name behind its slash: `NAME_MAX`.
pub const NAME_MAX: usize = 255;

/// How long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until it is done.
    Forever,
    /// Not at all: `EAGAIN`.
    Never,
    /// For this long: `ETIMEDOUT`.
    For(Duration),
}

/// A name as the calls take it. `EINVAL` for one with a NUL in it.
fn c_name(name: &str) -> Result<CString> {
    CString::new(name).map_err(|_| Errno::EINVAL)
}

/// The time that is so far away, by the clock that these calls go by (`CLOCK_REALTIME`).
fn deadline(after: Duration) -> Result<libc::timespec> {
    let now = clock_gettime(ClockId::CLOCK_REALTIME)?;
    let seconds = after.as_secs().try_into().unwrap_or(i64::MAX);
    let nanoseconds = now.tv_nsec() + i64::from(after.subsec_nanos());
    let seconds = now
        .tv_sec()
        .saturating_add(seconds)
        .saturating_add(nanoseconds / 1_000_000_000);
    Ok(*TimeSpec::new(seconds, nanoseconds % 1_000_000_000).as_ref())
}

/// Gives a file that was just made the permissions that were asked for, whatever umask(2) took
/// away.
fn exactly(fd: &OwnedFd, mode: u32) -> Result<()> {
    match fstat(fd)?.st_mode & 0o7777 == mode {
        true => Ok(()),
        false => fchmod(fd, Mode::from_bits(mode).ok_or(Errno::EINVAL)?),
    }
}

/// Opens a file of [`DIRECTORY`]. Everybody may put a FIFO there, or a link to one, whose opening
/// would wait: this never does. `EINVAL` for what is no regular file, `ELOOP` for a link.
pub fn regular(path: &Path, write: bool) -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(write)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(errno_of)?;
    is_regular(&file).map(|()| file)
}

/// Opens a file once more for reading, by a path that leads to it though it has no name any more:
/// `/proc/PID/fd/N`. Never waits. `EACCES`, `EINVAL` for what is no regular file.
pub fn again(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(errno_of)?;
    is_regular(&file).map(|()| file)
}

fn is_regular(file: &impl AsFd) -> Result<()> {
    match fstat(file)?.st_mode & libc::S_IFMT {
        libc::S_IFREG => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

#[cfg(test)]
mod tests;
