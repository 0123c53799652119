//! POSIX message queues: mq_open(3), mq_send(3), mq_receive(3), mq_notify(3), mq_unlink(3).
//!
//! On Linux a queue's descriptor is a file descriptor.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use libc::{c_int, mqd_t};
use nix::sys::statfs::{FsType, statfs};

use super::{Patience, c_name, deadline, exactly};
use crate::kernel::fds::Access;
use crate::kernel::{Errno, Result};

/// What mq_getattr(3) tells of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The most messages it holds.
    pub maxmsg: i64,
    /// The most bytes of a message.
    pub msgsize: i64,
    /// The messages in it.
    pub curmsgs: i64,
}

/// The priorities are below this.
pub const PRIORITIES: u32 = 32768;

fn descriptor(result: mqd_t) -> Result<OwnedFd> {
    let fd = Errno::result(result)?;
    // SAFETY: it was just opened, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn flags_of(access: Access) -> c_int {
    let access = match access {
        Access::Read => libc::O_RDONLY,
        Access::Write => libc::O_WRONLY,
        Access::ReadWrite | Access::Neither => libc::O_RDWR,
    };
    access | libc::O_CLOEXEC
}

/// mq_open(3) with `O_CREAT | O_EXCL`: makes a queue, with the host's defaults where no shape is
/// given, and opens it for both. `EEXIST`; `EACCES` or `EINVAL` for a name with another slash;
/// `EINVAL` for a shape beyond the host's limits; `ENOSPC` at `queues_max`, `EMFILE` at
/// `RLIMIT_MSGQUEUE`, `ENAMETOOLONG`, `ENOMEM`.
pub fn create(name: &str, mode: u32, shape: Option<Attributes>) -> Result<OwnedFd> {
    let name = c_name(name)?;
    let flags = flags_of(Access::ReadWrite) | libc::O_CREAT | libc::O_EXCL;
    // SAFETY: `struct mq_attr` is plain integers.
    let mut attr: libc::mq_attr = unsafe { std::mem::zeroed() };
    let shape = shape.map(|shape| {
        attr.mq_maxmsg = shape.maxmsg;
        attr.mq_msgsize = shape.msgsize;
        &raw const attr
    });
    let shape = shape.unwrap_or(std::ptr::null());
    // SAFETY: the name ends with a NUL, and the attributes are null or live through the call.
    let fd = descriptor(unsafe { libc::mq_open(name.as_ptr(), flags, mode, shape) })?;
    match exactly(&fd, mode) {
        Ok(()) => Ok(fd),
        Err(errno) => {
            // SAFETY: as above.
            unsafe { libc::mq_unlink(name.as_ptr()) };
            Err(errno)
        }
    }
}

/// mq_open(3): opens a queue that exists. `ENOENT`, `EACCES`, `EINVAL`, `ENAMETOOLONG`.
pub fn open(name: &str, access: Access) -> Result<OwnedFd> {
    let name = c_name(name)?;
    // SAFETY: the name ends with a NUL.
    descriptor(unsafe { libc::mq_open(name.as_ptr(), flags_of(access)) })
}

/// mq_unlink(3): takes the name away; the queue lives until nobody has it open. `ENOENT`,
/// `EACCES` or `EPERM` for somebody else's.
pub fn unlink(name: &str) -> Result<()> {
    let name = c_name(name)?;
    // SAFETY: the name ends with a NUL.
    Errno::result(unsafe { libc::mq_unlink(name.as_ptr()) }).map(drop)
}

/// mq_getattr(3). `EBADF` for what is no queue.
pub fn attributes(queue: &impl AsFd) -> Result<Attributes> {
    // SAFETY: `struct mq_attr` is plain integers.
    let mut attr: libc::mq_attr = unsafe { std::mem::zeroed() };
    // SAFETY: it lives through the call, which fills it.
    Errno::result(unsafe { libc::mq_getattr(queue.as_fd().as_raw_fd(), &mut attr) })?;
    Ok(Attributes {
        maxmsg: attr.mq_maxmsg,
        msgsize: attr.mq_msgsize,
        curmsgs: attr.mq_curmsgs,
    })
}

/// Runs a call with `O_NONBLOCK` as it asks for: the open file description is this process's own.
fn patiently<T>(
    queue: &impl AsFd,
    patience: Patience,
    call: impl FnOnce(*const libc::timespec) -> Result<T>,
) -> Result<T> {
    match patience {
        Patience::Forever => call(std::ptr::null()),
        Patience::For(while_) => {
            let until = deadline(while_)?;
            call(&raw const until)
        }
        Patience::Never => {
            crate::kernel::fds::set_nonblocking(queue, true)?;
            let result = call(std::ptr::null());
            crate::kernel::fds::set_nonblocking(queue, false)?;
            result
        }
    }
}

/// mq_timedsend(3): a message behind those of its priority. `EAGAIN` or `ETIMEDOUT` where the queue
/// is full, `EMSGSIZE` beyond `msgsize`, `EINVAL` for a priority from [`PRIORITIES`] on, `EBADF` where
/// it is not open for writing, `EINTR`.
pub fn send(queue: &impl AsFd, data: &[u8], priority: u32, patience: Patience) -> Result<()> {
    let fd = queue.as_fd().as_raw_fd();
    patiently(queue, patience, |until| {
        // SAFETY: the data live through the call, and so does the time, which may be null.
        let sent =
            unsafe { libc::mq_timedsend(fd, data.as_ptr().cast(), data.len(), priority, until) };
        Errno::result(sent).map(drop)
    })
}

/// mq_timedreceive(3): the oldest of the messages with the highest priority, and that priority.
/// `EMSGSIZE` where `room` is less than the queue's `msgsize`, whatever the message's length;
/// `EAGAIN` or `ETIMEDOUT` where it is empty, `EBADF` where it is not open for reading, `EINTR`.
pub fn receive(queue: &impl AsFd, room: usize, patience: Patience) -> Result<(Vec<u8>, u32)> {
    let mut data = Vec::new();
    data.try_reserve_exact(room).map_err(|_| Errno::ENOMEM)?;
    let fd = queue.as_fd().as_raw_fd();
    let mut priority = 0;
    let length = patiently(queue, patience, |until| {
        let buffer = data.spare_capacity_mut();
        // SAFETY: the buffer, the priority and the time, which may be null, live through the call,
        // which writes no more than `room`.
        Errno::result(unsafe {
            libc::mq_timedreceive(fd, buffer.as_mut_ptr().cast(), room, &mut priority, until)
        })
    })?;
    // SAFETY: the kernel has written so many of the bytes that were reserved.
    unsafe { data.set_len(length.unsigned_abs()) };
    Ok((data, priority))
}

/// mq_notify(3): this signal is sent to this process when a message comes into the empty queue and
/// nobody waits for it; once, and `None` takes that back. `EBUSY` where another process is told.
pub fn notify(queue: &impl AsFd, signo: Option<c_int>) -> Result<()> {
    let fd = queue.as_fd().as_raw_fd();
    // SAFETY: `struct sigevent` is plain data, of which the fields that matter are set below.
    let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
    let event = signo.map(|signo| {
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = signo;
        event.sigev_value = libc::sigval {
            sival_ptr: std::ptr::without_provenance_mut(fd as usize),
        };
        &raw const event
    });
    // SAFETY: the event is null or lives through the call.
    Errno::result(unsafe { libc::mq_notify(fd, event.unwrap_or(std::ptr::null())) }).map(drop)
}

/// A limit of the host's, by its name in `/proc/sys/fs/mqueue`: `msg_default`, `msgsize_max`.
pub fn limit(name: &str) -> Option<i64> {
    let text = std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}")).ok()?;
    text.trim().parse().ok()
}

/// `MQUEUE_MAGIC` of the kernel's `ipc/mqueue.c`, which no header has.
const MQUEUE_MAGIC: FsType = FsType(0x1980_0202);

/// statfs(2): whether a file is on a file system of message queues. `ENOENT`, `EACCES`.
pub fn is_queue(path: &Path) -> Result<bool> {
    Ok(statfs(path)?.filesystem_type() == MQUEUE_MAGIC)
}

/// fsopen(2), fsconfig(2), fsmount(2): a directory with the queues of this IPC namespace, mounted
/// nowhere, so that nobody else sees it. `EPERM` without `CAP_SYS_ADMIN`, `ENOSYS` before Linux 5.2.
pub fn detached() -> Result<OwnedFd> {
    // FSOPEN_CLOEXEC, FSCONFIG_CMD_CREATE and FSMOUNT_CLOEXEC of <linux/mount.h>.
    const CLOEXEC: c_int = 1;
    const CREATE: c_int = 6;
    let opened = |result: libc::c_long| {
        let fd = Errno::result(result)?;
        // SAFETY: it was just opened, and nobody else has it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
    };
    // SAFETY: the name ends with a NUL.
    let context = opened(unsafe { libc::syscall(libc::SYS_fsopen, c"mqueue".as_ptr(), CLOEXEC) })?;
    let fd = context.as_raw_fd();
    let none = std::ptr::null::<u8>();
    // SAFETY: this command takes neither key nor value.
    Errno::result(unsafe { libc::syscall(libc::SYS_fsconfig, fd, CREATE, none, none, 0) })?;
    // SAFETY: takes and gives integers.
    opened(unsafe { libc::syscall(libc::SYS_fsmount, fd, CLOEXEC, 0) })
}
