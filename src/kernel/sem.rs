//! System V semaphore sets: semget(2), semctl(2), semop(2), semtimedop(2).
#![allow(unsafe_code)]

use std::ffi::{c_int, c_ushort};
use std::mem::zeroed;
use std::time::Duration;

use super::sysv::{self, Perm, PermSet};
use super::{Errno, Result};

pub use libc::sembuf;

/// The state of a set, `struct semid_ds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemStat {
    /// The set.
    pub id: i32,
    /// Its key, owner and permissions.
    pub perm: Perm,
    /// Semaphores in it.
    pub nsems: u64,
    /// Time of the last semop(2), seconds since the epoch; 0 if none.
    pub otime: i64,
    /// Time of creation, of the last `IPC_SET`, `SETVAL` or `SETALL`, seconds since the epoch.
    pub ctime: i64,
}

/// What all sets of the IPC namespace use together (`SEM_INFO`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemInfo {
    /// The highest index in use, for a sweep with [`stat_any`]; 0 also when there is no set.
    pub highest_index: i32,
    /// Sets (`semusz`).
    pub sets: u64,
    /// Semaphores in all of them (`semaem`).
    pub semaphores: u64,
}

/// The limits of the IPC namespace (`IPC_INFO`), also in `/proc/sys/kernel/sem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemLimits {
    /// The most sets.
    pub semmni: u64,
    /// The most semaphores in a set.
    pub semmsl: u64,
    /// The most semaphores in all sets together.
    pub semmns: u64,
    /// The most operations in one semop(2).
    pub semopm: u64,
    /// The highest value of a semaphore.
    pub semvmx: u64,
}

/// The last argument of semctl(2), which the caller has to define.
#[repr(C)]
union Semun {
    val: c_int,
    buf: *mut libc::semid_ds,
    array: *mut c_ushort,
    info: *mut libc::seminfo,
}

/// semget(2): the id of the set with this key, `nsems` semaphores when it is made, all 0. `ENOENT`
/// without `create` when there is none, `EEXIST` with `create` and `exclusive` when there is one,
/// `EINVAL` for `nsems` below 0, 0 for a new one, above `semmsl`, or above that of an existing one,
/// `EACCES`, `ENOSPC` at `semmni` or `semmns`.
pub fn get(key: i32, nsems: i32, mode: u32, create: bool, exclusive: bool) -> Result<i32> {
    // SAFETY: takes and gives integers.
    Errno::result(unsafe { libc::semget(key, nsems, sysv::get_flags(mode, create, exclusive)) })
}

/// semctl(2) with a command that fills a `struct semid_ds`; also gives its result.
fn read_ds(id_or_index: i32, command: c_int) -> Result<(c_int, libc::semid_ds)> {
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut ds: libc::semid_ds = unsafe { zeroed() };
    // SAFETY: `ds` lives through the call and is what these commands fill.
    let result = unsafe { libc::semctl(id_or_index, 0, command, Semun { buf: &mut ds }) };
    Ok((Errno::result(result)?, ds))
}

/// semctl(2) with a command that fills a `struct seminfo`; also gives its result.
fn read_info(command: c_int) -> Result<(c_int, libc::seminfo)> {
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut info: libc::seminfo = unsafe { zeroed() };
    // SAFETY: `info` lives through the call and is what these commands fill.
    let result = unsafe { libc::semctl(0, 0, command, Semun { info: &mut info }) };
    Ok((Errno::result(result)?, info))
}

fn from_kernel(id: i32, ds: &libc::semid_ds) -> SemStat {
    SemStat {
        id,
        perm: Perm::from_kernel(&ds.sem_perm),
        nsems: ds.sem_nsems,
        otime: ds.sem_otime,
        ctime: ds.sem_ctime,
    }
}

/// `IPC_STAT`: the state of a set. `EACCES` without read permission, `EIDRM` or `EINVAL` when it is
/// gone.
pub fn stat(id: i32) -> Result<SemStat> {
    read_ds(id, libc::IPC_STAT).map(|(_, ds)| from_kernel(id, &ds))
}

/// `SEM_STAT_ANY`: the state of the set at an index of the kernel's table, with or without read
/// permission. `EINVAL` for an index not in use.
pub fn stat_any(index: i32) -> Result<SemStat> {
    read_ds(index, libc::SEM_STAT_ANY).map(|(id, ds)| from_kernel(id, &ds))
}

/// The state of a set by its id, also without read permission.
pub fn stat_any_id(id: i32) -> Result<SemStat> {
    any_ds(id).map(|ds| from_kernel(id, &ds))
}

fn any_ds(id: i32) -> Result<libc::semid_ds> {
    sysv::any_ds(id, libc::SEM_STAT_ANY, read_ds)
}

/// `SEM_INFO`: the highest index, and what all sets use together.
pub fn info() -> Result<SemInfo> {
    let (highest_index, info) = read_info(libc::SEM_INFO)?;
    Ok(SemInfo {
        highest_index,
        sets: sysv::count(info.semusz),
        semaphores: sysv::count(info.semaem),
    })
}

/// `IPC_INFO`: the limits.
pub fn limits() -> Result<SemLimits> {
    let (_, info) = read_info(libc::IPC_INFO)?;
    Ok(SemLimits {
        semmni: sysv::count(info.semmni),
        semmsl: sysv::count(info.semmsl),
        semmns: sysv::count(info.semmns),
        semopm: sysv::count(info.semopm),
        semvmx: sysv::count(info.semvmx),
    })
}

/// `IPC_SET`: changes owner and permissions. `EPERM` for who is neither owner nor creator.
pub fn set(id: i32, perm: &PermSet) -> Result<()> {
    let mut ds = any_ds(id)?;
    perm.apply(&mut ds.sem_perm);
    // SAFETY: `ds` lives through the call, which reads it.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_SET, Semun { buf: &mut ds }) }).map(drop)
}

/// semctl(2) with a command whose argument is an integer or nothing.
fn command(id: i32, num: i32, command: c_int, val: i32) -> Result<i32> {
    // SAFETY: the commands used here take no pointer.
    Errno::result(unsafe { libc::semctl(id, num, command, Semun { val }) })
}

/// `IPC_RMID`: removes the set and wakes who waits on it with `EIDRM`.
pub fn remove(id: i32) -> Result<()> {
    command(id, 0, libc::IPC_RMID, 0).map(drop)
}

/// `GETVAL`: the value of a semaphore. `EINVAL` for a number outside the set, `EACCES`.
pub fn value(id: i32, num: i32) -> Result<i32> {
    command(id, num, libc::GETVAL, 0)
}

/// `SETVAL`: sets a semaphore, clears its undo entries in all processes and wakes who can go on.
/// `ERANGE` below 0 or above `semvmx`, `EACCES`.
pub fn set_value(id: i32, num: i32, value: i32) -> Result<()> {
    command(id, num, libc::SETVAL, value).map(drop)
}

/// `GETPID`: the process that last operated on a semaphore (semop(2), `SETVAL`, `SETALL`, an undo at
/// exit); 0 if none, or if it is outside this pid namespace.
pub fn pid(id: i32, num: i32) -> Result<i32> {
    command(id, num, libc::GETPID, 0)
}

/// `GETNCNT`: how many wait for a semaphore to rise.
pub fn ncnt(id: i32, num: i32) -> Result<i32> {
    command(id, num, libc::GETNCNT, 0)
}

/// `GETZCNT`: how many wait for a semaphore to be zero.
pub fn zcnt(id: i32, num: i32) -> Result<i32> {
    command(id, num, libc::GETZCNT, 0)
}

/// `EINVAL` unless the set has exactly `nsems` semaphores: `GETALL` and `SETALL` carry no length.
fn check_nsems(id: i32, nsems: usize) -> Result<()> {
    let has = any_ds(id)?.sem_nsems;
    if usize::try_from(has) == Ok(nsems) {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

/// `GETALL`: the values of all semaphores, read at one instant. `nsems` must be the size of the set,
/// else `EINVAL`. `EACCES`.
pub fn values(id: i32, nsems: usize) -> Result<Vec<u16>> {
    check_nsems(id, nsems)?;
    let mut values = vec![0; nsems];
    // SAFETY: GETALL fills as many values as the set has. That number never changes for an id, and
    // was checked by the call before this one; for the id to have come back as another set in
    // between, all others of the kernel's table would have had to be given out first.
    Errno::result(unsafe {
        libc::semctl(
            id,
            0,
            libc::GETALL,
            Semun {
                array: values.as_mut_ptr(),
            },
        )
    })?;
    Ok(values)
}

/// `SETALL`: sets all semaphores at once, clears their undo entries in all processes and wakes who can
/// go on. `EINVAL` when the set has another number of semaphores, `ERANGE` above `semvmx`, `EACCES`.
pub fn set_values(id: i32, values: &[u16]) -> Result<()> {
    check_nsems(id, values.len())?;
    // SAFETY: SETALL reads as many values as the set has, and writes none; as in `values`.
    Errno::result(unsafe {
        libc::semctl(
            id,
            0,
            libc::SETALL,
            Semun {
                array: values.as_ptr().cast_mut(),
            },
        )
    })
    .map(drop)
}

/// One operation on one semaphore of a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SemOp {
    /// Which semaphore.
    pub num: u16,
    /// Above 0 adds, below 0 takes or waits until it can, 0 waits for zero.
    pub op: i16,
    /// `IPC_NOWAIT`: `EAGAIN` instead of waiting.
    pub nowait: bool,
    /// `SEM_UNDO`: taken back when the process ends.
    pub undo: bool,
}

impl From<SemOp> for sembuf {
    fn from(op: SemOp) -> sembuf {
        let nowait = if op.nowait { libc::IPC_NOWAIT } else { 0 };
        let undo = if op.undo { libc::SEM_UNDO } else { 0 };
        // Both flags fit in 13 bits.
        sembuf {
            sem_num: op.num,
            sem_op: op.op,
            sem_flg: (nowait | undo) as i16,
        }
    }
}

/// semop(2), or semtimedop(2) with a timeout: performs all operations at once or waits until it can.
/// `EAGAIN` when it would wait and may not or has waited for the timeout, `EFBIG` for a semaphore outside
/// the set, `ERANGE` above `semvmx`, `E2BIG` above `semopm` operations, `EINVAL` for none, `EIDRM` when
/// the set is removed, `EINTR`, `EACCES`. It is never restarted after a signal. The kernel shows both
/// as `semtimedop`.
#[inline]
pub fn operate(id: i32, ops: &[sembuf], timeout: Option<Duration>) -> Result<()> {
    let timeout = timeout.map(|duration| libc::timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    });
    let timeout: *const libc::timespec = timeout.as_ref().map_or(std::ptr::null(), |spec| spec);
    // SAFETY: the call reads `ops.len()` operations and one timespec, or none for a null pointer; both
    // outlive it.
    let result =
        unsafe { libc::syscall(libc::SYS_semtimedop, id, ops.as_ptr(), ops.len(), timeout) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests;
