//! System V shared memory: shmget(2), shmctl(2), shmat(2), shmdt(2).
#![allow(unsafe_code)]

use std::ffi::{c_int, c_ulong};
use std::mem::zeroed;
use std::ptr::NonNull;
use std::sync::atomic::{Ordering, fence};

use super::sysv::{self, Perm, PermSet};
use super::{Errno, Result, bytes};

/// Commands and flags that libc lacks.
const SHM_INFO: c_int = 14;
const SHM_STAT_ANY: c_int = 15;

/// In `perm.mode`: removed, and destroyed at the last detach.
pub const SHM_DEST: u32 = 0o1000;
/// In `perm.mode`: locked in memory with `SHM_LOCK`.
pub const SHM_LOCKED: u32 = 0o2000;

/// The state of a segment, `struct shmid_ds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShmStat {
    /// The segment.
    pub id: i32,
    /// Its key, owner and permissions; `mode` may carry [`SHM_DEST`] and [`SHM_LOCKED`].
    pub perm: Perm,
    /// Its size in bytes, as asked for and not rounded to pages.
    pub segsz: u64,
    /// How many times it is attached.
    pub nattch: u64,
    /// The process that made it.
    pub cpid: i32,
    /// The process of the last shmat(2) or shmdt(2); 0 if none.
    pub lpid: i32,
    /// Time of the last shmat(2), seconds since the epoch; 0 if none.
    pub atime: i64,
    /// Time of the last shmdt(2), seconds since the epoch; 0 if none.
    pub dtime: i64,
    /// Time of creation or of the last `IPC_SET`, seconds since the epoch.
    pub ctime: i64,
}

/// What all segments of the IPC namespace use together (`SHM_INFO`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShmInfo {
    /// The highest index in use, for a sweep with [`stat_any`]; 0 also when there is no segment.
    pub highest_index: i32,
    /// Segments.
    pub used_ids: u64,
    /// Pages of all segments.
    pub shm_tot: u64,
    /// Those that are in memory.
    pub shm_rss: u64,
    /// Those that are swapped out.
    pub shm_swp: u64,
}

/// The limits of the IPC namespace (`IPC_INFO`), also in `/proc/sys/kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShmLimits {
    /// The largest segment, bytes.
    pub shmmax: u64,
    /// The smallest segment, bytes.
    pub shmmin: u64,
    /// The most segments.
    pub shmmni: u64,
    /// The most segments a process may attach; Linux does not enforce it.
    pub shmseg: u64,
    /// The most pages of all segments together.
    pub shmall: u64,
}

/// The kernel's `struct shm_info`.
#[repr(C)]
struct KernelShmInfo {
    used_ids: c_int,
    shm_tot: c_ulong,
    shm_rss: c_ulong,
    shm_swp: c_ulong,
    swap_attempts: c_ulong,
    swap_successes: c_ulong,
}

/// The kernel's `struct shminfo`.
#[repr(C)]
struct KernelShmLimits {
    shmmax: c_ulong,
    shmmin: c_ulong,
    shmmni: c_ulong,
    shmseg: c_ulong,
    shmall: c_ulong,
    unused: [c_ulong; 4],
}

/// shmget(2): the id of the segment with this key, `size` bytes when it is made. `ENOENT` without
/// `create` when there is none, `EEXIST` with `create` and `exclusive` when there is one, `EINVAL` for
/// a size outside `shmmin`..`shmmax` or above that of an existing one, `EACCES`, `ENOMEM`, `ENOSPC` at
/// `shmmni` or `shmall`.
pub fn get(key: i32, size: usize, mode: u32, create: bool, exclusive: bool) -> Result<i32> {
    // SAFETY: takes and gives integers.
    Errno::result(unsafe { libc::shmget(key, size, sysv::get_flags(mode, create, exclusive)) })
}

/// shmctl(2) with a command that fills a `T` through its pointer; also gives its result.
///
/// # Safety
/// `T` must be what the command fills, of plain integers.
unsafe fn control<T>(id_or_index: i32, command: c_int) -> Result<(c_int, T)> {
    // SAFETY: plain integers, says the caller.
    let mut filled: T = unsafe { zeroed() };
    // SAFETY: what the command fills, says the caller, and it lives through the call.
    let result = unsafe { libc::shmctl(id_or_index, command, (&raw mut filled).cast()) };
    Ok((Errno::result(result)?, filled))
}

fn read_ds(id_or_index: i32, command: c_int) -> Result<(c_int, libc::shmid_ds)> {
    // SAFETY: called with IPC_STAT and SHM_STAT_ANY only, which fill a `struct shmid_ds`.
    unsafe { control(id_or_index, command) }
}

fn from_kernel(id: i32, ds: &libc::shmid_ds) -> ShmStat {
    ShmStat {
        id,
        perm: Perm::from_kernel(&ds.shm_perm),
        segsz: ds.shm_segsz as u64,
        nattch: ds.shm_nattch,
        cpid: ds.shm_cpid,
        lpid: ds.shm_lpid,
        atime: ds.shm_atime,
        dtime: ds.shm_dtime,
        ctime: ds.shm_ctime,
    }
}

/// `IPC_STAT`: the state of a segment. `EACCES` without read permission, `EIDRM` or `EINVAL` when it
/// is gone.
pub fn stat(id: i32) -> Result<ShmStat> {
    read_ds(id, libc::IPC_STAT).map(|(_, ds)| from_kernel(id, &ds))
}

/// `SHM_STAT_ANY`: the state of the segment at an index of the kernel's table, with or without read
/// permission. `EINVAL` for an index not in use.
pub fn stat_any(index: i32) -> Result<ShmStat> {
    read_ds(index, SHM_STAT_ANY).map(|(id, ds)| from_kernel(id, &ds))
}

/// The state of a segment by its id, also without read permission.
pub fn stat_any_id(id: i32) -> Result<ShmStat> {
    any_ds(id).map(|ds| from_kernel(id, &ds))
}

fn any_ds(id: i32) -> Result<libc::shmid_ds> {
    sysv::any_ds(id, SHM_STAT_ANY, read_ds)
}

/// `SHM_INFO`: the highest index, and what all segments use together.
pub fn info() -> Result<ShmInfo> {
    // SAFETY: SHM_INFO fills a `struct shm_info`.
    let (highest_index, info): (_, KernelShmInfo) = unsafe { control(0, SHM_INFO) }?;
    Ok(ShmInfo {
        highest_index,
        used_ids: sysv::count(info.used_ids),
        shm_tot: info.shm_tot,
        shm_rss: info.shm_rss,
        shm_swp: info.shm_swp,
    })
}

/// `IPC_INFO`: the limits.
pub fn limits() -> Result<ShmLimits> {
    // SAFETY: IPC_INFO fills a `struct shminfo`.
    let (_, info): (_, KernelShmLimits) = unsafe { control(0, libc::IPC_INFO) }?;
    Ok(ShmLimits {
        shmmax: info.shmmax,
        shmmin: info.shmmin,
        shmmni: info.shmmni,
        shmseg: info.shmseg,
        shmall: info.shmall,
    })
}

/// `IPC_SET`: changes owner and permissions. `EPERM` for who is neither owner nor creator.
pub fn set(id: i32, perm: &PermSet) -> Result<()> {
    let mut ds = any_ds(id)?;
    perm.apply(&mut ds.shm_perm);
    // SAFETY: `ds` lives through the call, which reads it.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_SET, &mut ds) }).map(drop)
}

/// shmctl(2) with a command that takes no pointer.
fn command(id: i32, command: c_int) -> Result<()> {
    // SAFETY: the commands used here take no pointer.
    Errno::result(unsafe { libc::shmctl(id, command, std::ptr::null_mut()) }).map(drop)
}

/// `SHM_LOCK`: keeps the segment's pages in memory once they are touched. `EPERM`, `ENOMEM` at
/// `RLIMIT_MEMLOCK`.
pub fn lock(id: i32) -> Result<()> {
    command(id, libc::SHM_LOCK)
}

/// `SHM_UNLOCK`: lets the segment be swapped out again.
pub fn unlock(id: i32) -> Result<()> {
    command(id, libc::SHM_UNLOCK)
}

/// `IPC_RMID`: removes the segment, at once or, if it is attached, at the last detach; until then its
/// mode carries [`SHM_DEST`] and its key is 0.
pub fn remove(id: i32) -> Result<()> {
    command(id, libc::IPC_RMID)
}

/// A segment mapped into this process; dropping it detaches.
///
/// Its bytes are changed by other processes at any time, so they are copied in and out and never
/// referred to.
#[derive(Debug)]
pub struct Attachment {
    id: i32,
    addr: NonNull<u8>,
    len: usize,
    read_only: bool,
}

// SAFETY: the mapping belongs to the process, not to a thread, and every access to it is atomic.
unsafe impl Send for Attachment {}
// SAFETY: as above.
unsafe impl Sync for Attachment {}

/// shmat(2) at an address of the kernel's choice. Needs read permission, and write permission unless
/// `read_only`: `EACCES`; `EIDRM` or `EINVAL` when it is gone, `ENOMEM`. A child that fork(2) makes is
/// not attached (`MADV_DONTFORK`), so that nobody sees it counted until it executes its program.
pub fn attach(id: i32, read_only: bool) -> Result<Attachment> {
    let flags = if read_only { libc::SHM_RDONLY } else { 0 };
    // SAFETY: with no address given, the kernel maps it where nothing is.
    let addr = unsafe { libc::shmat(id, std::ptr::null(), flags) };
    if addr.addr() == usize::MAX {
        return Err(Errno::last());
    }
    let addr = NonNull::new(addr.cast::<u8>()).ok_or(Errno::EFAULT)?;
    let mut attachment = Attachment {
        id,
        addr,
        len: 0,
        read_only,
    };
    // Asked while it is attached: the id cannot go to another segment now.
    attachment.len = read_ds(id, libc::IPC_STAT)?.1.shm_segsz;
    // It cannot be done to a part of a large page: then a child counts until it executes its program.
    // SAFETY: all of our own mapping, and no byte of it changes.
    let _ = unsafe { libc::madvise(addr.as_ptr().cast(), attachment.len, libc::MADV_DONTFORK) };
    Ok(attachment)
}

impl Attachment {
    /// The segment.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Where it is mapped in this process.
    pub fn addr(&self) -> usize {
        self.addr.as_ptr().addr()
    }

    /// Its size in bytes (`segsz`).
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes; the kernel makes no such segment.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it was attached with `SHM_RDONLY`.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// The place `offset` with `len` bytes behind it; `EFAULT` past the end.
    fn place(&self, offset: usize, len: usize) -> Result<*mut u8> {
        match offset.checked_add(len) {
            Some(end) if end <= self.len => Ok(self.addr.as_ptr().wrapping_add(offset)),
            _ => Err(Errno::EFAULT),
        }
    }

    /// As [`place`](Self::place), for writing; `EACCES` on a read-only attachment.
    fn writable(&self, offset: usize, len: usize) -> Result<*mut u8> {
        let place = self.place(offset, len)?;
        if self.read_only {
            Err(Errno::EACCES)
        } else {
            Ok(place)
        }
    }

    /// Copies bytes out; 1, 2, 4 or 8 of them at a multiple of their number are one access and never
    /// torn. `EFAULT` past the end.
    pub fn read(&self, offset: usize, data: &mut [u8]) -> Result<()> {
        let from = self.place(offset, data.len())?;
        // SAFETY: inside the mapping, which lives as long as `self`, and `place` checked the length.
        unsafe { bytes::copy_out(from, data) };
        fence(Ordering::Acquire);
        Ok(())
    }

    /// Copies bytes in; 1, 2, 4 or 8 of them at a multiple of their number are one access and never
    /// torn. `EFAULT` past the end, `EACCES` when read-only.
    pub fn write(&self, offset: usize, data: &[u8]) -> Result<()> {
        let to = self.writable(offset, data.len())?;
        fence(Ordering::Release);
        // SAFETY: inside the mapping, which is writable and lives as long as `self`, and `writable`
        // checked the length.
        unsafe { bytes::copy_in(to, data) };
        Ok(())
    }

    /// One native-endian integer of 1, 2, 4 or 8 bytes, in a single access. `EFAULT` past the end,
    /// `EINVAL` for another width or an offset that is no multiple of it.
    pub fn load(&self, offset: usize, width: usize) -> Result<u64> {
        let from = self.place(offset, width)?;
        // SAFETY: as in `read`.
        let value = unsafe { bytes::load(from, width) }.ok_or(Errno::EINVAL)?;
        fence(Ordering::Acquire);
        Ok(value)
    }

    /// Stores the low bytes of `value` as one native-endian integer, in a single access. `EFAULT` past
    /// the end, `EACCES` when read-only, `EINVAL` for a width other than 1, 2, 4, 8 or an offset that
    /// is no multiple of it.
    pub fn store(&self, offset: usize, width: usize, value: u64) -> Result<()> {
        let to = self.writable(offset, width)?;
        fence(Ordering::Release);
        // SAFETY: as in `write`.
        unsafe { bytes::store(to, width, value) }.ok_or(Errno::EINVAL)
    }

    /// shmdt(2), with its result.
    pub fn detach(self) -> Result<()> {
        let attachment = std::mem::ManuallyDrop::new(self);
        // SAFETY: mapped by shmat, unmapped once: `Drop` does not run, and nothing refers into it.
        Errno::result(unsafe { libc::shmdt(attachment.addr.as_ptr().cast()) }).map(drop)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        // SAFETY: mapped by shmat, and nothing refers into it. It fails only for an address that is
        // not attached, which leaves nothing to do.
        unsafe { libc::shmdt(self.addr.as_ptr().cast()) };
    }
}

#[cfg(test)]
mod tests;
