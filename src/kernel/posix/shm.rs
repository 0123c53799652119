//! POSIX shared memory: shm_open(3), shm_unlink(3), ftruncate(2), mmap(2).

#![allow(unsafe_code)]

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use libc::c_void;
use nix::fcntl::OFlag;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap, shm_open, shm_unlink};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::ftruncate;

use super::{DIRECTORY, again, exactly, is_regular};
use crate::kernel::{Errno, Result, errno_of};

/// The file of a segment.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("{DIRECTORY}{name}"))
}

/// A segment that is open.
#[derive(Debug)]
pub struct Segment {
    file: File,
    read_only: bool,
}

/// shm_open(3) with `O_CREAT | O_EXCL`, and ftruncate(2): makes a segment of this size, filled with 0.
/// `EEXIST`, `EINVAL` for a name with another slash, `ENAMETOOLONG`, `EFBIG`. Nothing stays of one
/// that cannot have this size.
pub fn create(name: &str, size: u64, mode: u32) -> Result<Segment> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL;
    let mode = Mode::from_bits(mode).ok_or(Errno::EINVAL)?;
    let fd = shm_open(name, flags, mode)?;
    let sized = exactly(&fd, mode.bits()).and_then(|()| truncate(&fd, size));
    if let Err(errno) = sized {
        let _ = shm_unlink(name);
        return Err(errno);
    }
    Ok(Segment {
        file: fd.into(),
        read_only: false,
    })
}

/// shm_open(3): opens a segment that exists, and never waits as at a FIFO of this name. `ENOENT`,
/// `EACCES`, `EINVAL` for a name with another slash or of what is no segment.
pub fn open(name: &str, read_only: bool) -> Result<Segment> {
    let flags = match read_only {
        true => OFlag::O_RDONLY,
        false => OFlag::O_RDWR,
    };
    let fd: OwnedFd = shm_open(name, flags | OFlag::O_NONBLOCK, Mode::empty())?;
    is_regular(&fd)?;
    Ok(Segment {
        file: fd.into(),
        read_only,
    })
}

/// Opens a segment for reading that has no name any more: `/proc/PID/fd/N`. Errors of [`again`].
pub fn open_again(path: &Path) -> Result<Segment> {
    Ok(Segment {
        file: again(path)?,
        read_only: true,
    })
}

/// shm_unlink(3): takes the name away; the memory lives until nobody has it open or mapped.
/// `ENOENT`, `EACCES` or `EPERM` for somebody else's.
pub fn unlink(name: &str) -> Result<()> {
    shm_unlink(name)
}

fn truncate(fd: &impl AsFd, size: u64) -> Result<()> {
    ftruncate(fd, i64::try_from(size).map_err(|_| Errno::EINVAL)?)
}

fn errno(e: std::io::Error) -> Errno {
    match e.kind() {
        // Short of what was asked for: the file ends there.
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::WriteZero => Errno::EFAULT,
        _ => errno_of(e),
    }
}

impl Segment {
    /// fstat(2): its size in bytes now; any process may change it.
    pub fn size(&self) -> Result<usize> {
        Ok(fstat(&self.file)?.st_size.unsigned_abs() as usize)
    }

    /// Whether it was opened for reading only.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// ftruncate(2): makes it larger, with zeros, or smaller. `EINVAL` for a size that no file may
    /// have, or where it was opened for reading only.
    pub fn resize(&self, size: u64) -> Result<()> {
        truncate(&self.file, size)
    }

    fn check(&self, offset: usize, length: usize) -> Result<()> {
        let size = self.size()?;
        let end = offset.checked_add(length);
        end.filter(|end| *end <= size)
            .map(drop)
            .ok_or(Errno::EFAULT)
    }

    /// pread(2): copies bytes out, without the SIGBUS that touching what another process has cut off
    /// would be. `EFAULT` past the end.
    pub fn read(&self, offset: usize, data: &mut [u8]) -> Result<()> {
        self.check(offset, data.len())?;
        self.file.read_exact_at(data, offset as u64).map_err(errno)
    }

    /// pwrite(2): copies bytes in; never makes it larger. `EFAULT` past the end, `EACCES` where it was
    /// opened for reading only, `ENOSPC` where the host has no memory for them.
    pub fn write(&self, offset: usize, data: &[u8]) -> Result<()> {
        self.check(offset, data.len())?;
        if self.read_only {
            return Err(Errno::EACCES);
        }
        self.file.write_all_at(data, offset as u64).map_err(errno)
    }

    /// mmap(2) with `MAP_SHARED`, as it is now. `EINVAL` where it has no bytes, `ENOMEM`.
    pub fn map(self) -> Result<Mapping> {
        let len = NonZeroUsize::new(self.size()?).ok_or(Errno::EINVAL)?;
        let access = match self.read_only {
            true => ProtFlags::PROT_READ,
            false => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        };
        // SAFETY: with no address given, the kernel maps it where nothing is.
        let addr = unsafe { mmap(None, len, access, MapFlags::MAP_SHARED, &self.file, 0) }?;
        Ok(Mapping {
            segment: self,
            addr,
            len: len.get(),
        })
    }
}

/// A segment mapped into this process; dropping it unmaps. Its bytes are never referred to: what is
/// read and written goes through [`Segment`], which is the same memory.
#[derive(Debug)]
pub struct Mapping {
    segment: Segment,
    addr: NonNull<c_void>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and is not accessed.
unsafe impl Send for Mapping {}

impl Mapping {
    /// What is mapped.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Where it is mapped in this process.
    pub fn addr(&self) -> usize {
        self.addr.as_ptr().addr()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, unmapped once, and nothing refers to it.
        let _ = unsafe { munmap(self.addr, self.len) };
    }
}
