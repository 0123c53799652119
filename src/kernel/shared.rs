//! Memory shared with child processes: memfd_create(2), mmap(2).
#![allow(unsafe_code)]

use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::fstat;
use nix::unistd::ftruncate;

use super::{Errno, Result, bytes};

/// A mapped memfd. It cannot shrink (`F_SEAL_SHRINK`), so its bytes are there as long as the map.
#[derive(Debug)]
pub struct SharedMemory {
    fd: OwnedFd,
    addr: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and every access to it is atomic.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Makes one of `len` bytes, all 0; `name` is seen in `/proc/PID/maps`. The descriptor is
    /// close-on-exec: hand it to a child with `SpawnSpec::inherit`. `EINVAL` for no bytes, a NUL in the
    /// name or one above 249 bytes, `ENOMEM`, `EMFILE`.
    pub fn create(name: &str, len: usize) -> Result<SharedMemory> {
        let size = i64::try_from(len).map_err(|_| Errno::EINVAL)?;
        let fd = memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, size)?;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK))?;
        SharedMemory::from_fd(fd)
    }

    /// Maps one made by [`create`](Self::create) in another process. `EINVAL` for a descriptor that is no
    /// memfd or an empty one, `EPERM` for one that could shrink.
    pub fn from_fd(fd: OwnedFd) -> Result<SharedMemory> {
        let seals = SealFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GET_SEALS)?);
        if !seals.contains(SealFlag::F_SEAL_SHRINK) {
            return Err(Errno::EPERM);
        }
        let len = usize::try_from(fstat(&fd)?.st_size).map_err(|_| Errno::EINVAL)?;
        let length = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: with no address given, the kernel maps it where nothing is.
        let addr = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &fd, 0) }?;
        Ok(SharedMemory {
            fd,
            addr: addr.cast(),
            len,
        })
    }

    /// The memfd, for handing on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Its size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: an empty one cannot be made.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory as atomic words; bytes behind the last whole word are left out.
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: page-aligned, mapped for as long as `self` and unable to shrink, and only ever accessed
        // by atomics, here and in the other processes.
        unsafe { std::slice::from_raw_parts(self.addr.as_ptr().cast(), self.len / 8) }
    }

    /// The place `offset` with `len` bytes behind it; `EFAULT` past the end.
    fn place(&self, offset: usize, len: usize) -> Result<*mut u8> {
        match offset.checked_add(len) {
            Some(end) if end <= self.len => Ok(self.addr.as_ptr().wrapping_add(offset)),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Copies bytes in, after all that this thread wrote before (a release fence). `EFAULT` past the end.
    pub fn copy_in(&self, offset: usize, data: &[u8]) -> Result<()> {
        let to = self.place(offset, data.len())?;
        fence(Ordering::Release);
        // SAFETY: inside the mapping, which lives as long as `self`.
        unsafe { bytes::copy_in(to, data) };
        Ok(())
    }

    /// Copies bytes out, before all that this thread reads later (an acquire fence). `EFAULT` past the
    /// end.
    pub fn copy_out(&self, offset: usize, len: usize) -> Result<Vec<u8>> {
        let from = self.place(offset, len)?;
        let mut data = vec![0; len];
        // SAFETY: inside the mapping, which lives as long as `self`.
        unsafe { bytes::copy_out(from, &mut data) };
        fence(Ordering::Acquire);
        Ok(data)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: mapped with this length, and nothing that refers into it outlives `self`. It cannot
        // fail for a mapping that is there.
        let _ = unsafe { munmap(self.addr.cast(), self.len) };
    }
}

#[cfg(test)]
mod tests;
