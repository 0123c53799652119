//! POSIX named semaphores: sem_open(3), sem_wait(3), sem_post(3), sem_getvalue(3), sem_unlink(3).
//!
//! One is a file with a `sem_t` in it, which every process that opens it maps.

#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::ptr::NonNull;

use libc::{c_int, sem_t};
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::linkat;

use super::{DIRECTORY, NAME_MAX, Patience, c_name, deadline, exactly, regular};
use crate::kernel::{Errno, Result, errno_of};

/// What stands before a semaphore's name in its directory.
pub const PREFIX: &str = "sem.";

/// The largest value (`SEM_VALUE_MAX`).
pub const VALUE_MAX: u32 = i32::MAX as u32;

/// The file of a semaphore.
pub fn path(name: &str) -> PathBuf {
    let name = name.strip_prefix('/').unwrap_or(name);
    PathBuf::from(format!("{DIRECTORY}/{PREFIX}{name}"))
}

/// Makes a semaphore of this value, under a name that is free. `EEXIST`, `ENAMETOOLONG`, `EINVAL` for a
/// value above [`VALUE_MAX`], `EACCES`.
///
/// sem_open(3) writes it under a name of its own first; a process that is killed then leaves that
/// behind. This one has no name until it is whole.
pub fn create(name: &str, value: u32, mode: u32) -> Result<()> {
    if name.len() - 1 + PREFIX.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(mode)
        .custom_flags(libc::O_TMPFILE)
        .open(DIRECTORY)
        .map_err(errno_of)?;
    file.write_all(&first(value)?).map_err(errno_of)?;
    let file = OwnedFd::from(file);
    exactly(&file, mode)?;
    let made = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(
        AT_FDCWD,
        made.as_str(),
        AT_FDCWD,
        &path(name),
        AtFlags::AT_SYMLINK_FOLLOW,
    )
}

/// The bytes of a semaphore that nobody has used.
fn first(value: u32) -> Result<Vec<u8>> {
    let mut semaphore = MaybeUninit::<sem_t>::zeroed();
    // SAFETY: `sem_init` writes one `sem_t` there; shared between processes it refers to nothing else.
    Errno::result(unsafe { libc::sem_init(semaphore.as_mut_ptr(), 1, value) })?;
    // SAFETY: every byte was set to zero first, and it lives as long as this expression.
    let bytes =
        unsafe { std::slice::from_raw_parts(semaphore.as_ptr().cast::<u8>(), size_of::<sem_t>()) };
    Ok(bytes.to_vec())
}

/// Whether these bytes could be a semaphore's: the C library ends a process that uses another one. Its
/// value stands first, and behind it and the number of those that wait, whether processes share it.
fn is_one(bytes: &[u8]) -> bool {
    let shared = 2 * size_of::<u32>()..3 * size_of::<u32>();
    let value = bytes.first_chunk().map(|value| u32::from_ne_bytes(*value));
    value.is_some_and(|value| value <= VALUE_MAX)
        && first(0).is_ok_and(|first| first.get(shared.clone()) == bytes.get(shared))
}

/// sem_unlink(3): takes the name away; the semaphore lives until nobody has it open. `ENOENT`, `EACCES`
/// or `EPERM` for somebody else's.
pub fn unlink(name: &str) -> Result<()> {
    let name = c_name(name)?;
    // SAFETY: the name ends with a NUL.
    Errno::result(unsafe { libc::sem_unlink(name.as_ptr()) }).map(drop)
}

/// A semaphore that is open; dropping it closes it.
#[derive(Debug)]
pub struct Semaphore(NonNull<sem_t>);

// SAFETY: the calls that use it may be made by any thread.
unsafe impl Send for Semaphore {}

/// sem_open(3): opens a semaphore that exists. `ENOENT`, `EACCES`, `EINVAL` for a file of its name
/// that is none.
pub fn open(name: &str) -> Result<Semaphore> {
    // glibc maps whatever has the name: what lies behind the end of a shorter file is SIGBUS.
    let file = regular(&path(name), true)?;
    let mut bytes = [0; size_of::<sem_t>()];
    let read = file.read_exact_at(&mut bytes, 0);
    if read.is_err() || !is_one(&bytes) {
        return Err(Errno::EINVAL);
    }
    let name = c_name(name)?;
    // SAFETY: the name ends with a NUL; without O_CREAT it takes no more arguments.
    let semaphore = unsafe { libc::sem_open(name.as_ptr(), 0) };
    if semaphore == libc::SEM_FAILED {
        return Err(Errno::last());
    }
    NonNull::new(semaphore).map(Semaphore).ok_or(Errno::EINVAL)
}

impl Semaphore {
    /// sem_wait(3), sem_trywait(3), sem_timedwait(3): lowers it by 1, waiting until it can. `EAGAIN`,
    /// `ETIMEDOUT`, `EINTR`.
    pub fn wait(&self, patience: Patience) -> Result<()> {
        let semaphore = self.0.as_ptr();
        let done = match patience {
            // SAFETY: open as long as `self` lives.
            Patience::Forever => unsafe { libc::sem_wait(semaphore) },
            // SAFETY: as above.
            Patience::Never => unsafe { libc::sem_trywait(semaphore) },
            Patience::For(while_) => {
                let until = deadline(while_)?;
                // SAFETY: as above; the time lives through the call.
                unsafe { libc::sem_timedwait(semaphore, &until) }
            }
        };
        Errno::result(done).map(drop)
    }

    /// sem_post(3): raises it by 1, waking one who waits. `EOVERFLOW` at [`VALUE_MAX`].
    pub fn post(&self) -> Result<()> {
        // SAFETY: open as long as `self` lives.
        Errno::result(unsafe { libc::sem_post(self.0.as_ptr()) }).map(drop)
    }

    /// sem_getvalue(3): its value; 0 where somebody waits.
    pub fn value(&self) -> Result<u32> {
        let mut value: c_int = 0;
        // SAFETY: open as long as `self` lives; the value lives through the call.
        Errno::result(unsafe { libc::sem_getvalue(self.0.as_ptr(), &mut value) })?;
        Ok(value.max(0).unsigned_abs())
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        // SAFETY: opened by `open`, closed once.
        unsafe { libc::sem_close(self.0.as_ptr()) };
    }
}

/// What the file of a semaphore tells, without opening the semaphore: reading it is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Its value.
    pub value: u32,
    /// How many wait, as far as they have said so: who is killed then never says that it waits no
    /// more.
    pub waiters: u32,
}

/// What stands in the file of a semaphore, as glibc for 64-bit processors writes it: the value is the
/// low half of the first 64 bits, and the high half counts who waits. `None` for a file that is too
/// short, and with another C library, which writes it in another way.
pub fn contents(file: &File) -> Option<Contents> {
    use std::os::unix::fs::FileExt;
    if !cfg!(target_env = "gnu") {
        return None;
    }
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let word = u64::from_ne_bytes(bytes);
    Some(Contents {
        value: word as u32,
        waiters: (word >> 32) as u32,
    })
}
