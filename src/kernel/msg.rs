//! System V message queues: msgget(2), msgctl(2), msgsnd(2), msgrcv(2).
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::zeroed;

use super::sysv::{self, Perm, PermSet};
use super::{Errno, Result};

/// `MSG_STAT` without the read permission; libc lacks it.
const MSG_STAT_ANY: c_int = 13;

/// The largest text a queue can hold: `kernel.msgmax` is a C `int`.
const LARGEST: usize = c_int::MAX as usize;

/// How much is allocated before a message has asked for more. Small in the tests, since a stock
/// `msgmax` of 8 KiB would never outgrow it.
const FIRST_BUFFER: usize = if cfg!(test) { 1024 } else { 64 * 1024 };

/// The state of a queue, `struct msqid_ds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsgStat {
    /// The queue.
    pub id: i32,
    /// Its key, owner and permissions.
    pub perm: Perm,
    /// Messages in it.
    pub qnum: u64,
    /// Bytes of text in it.
    pub cbytes: u64,
    /// Bytes of text it may hold; also the most messages it may hold.
    pub qbytes: u64,
    /// Process of the last msgsnd(2); 0 if none.
    pub lspid: i32,
    /// Process of the last msgrcv(2); 0 if none.
    pub lrpid: i32,
    /// Time of the last msgsnd(2), seconds since the epoch; 0 if none.
    pub stime: i64,
    /// Time of the last msgrcv(2), seconds since the epoch; 0 if none.
    pub rtime: i64,
    /// Time of creation or of the last `IPC_SET`, seconds since the epoch.
    pub ctime: i64,
}

/// What all queues of the IPC namespace use together (`MSG_INFO`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsgInfo {
    /// The highest index in use, for a sweep with [`stat_any`]; 0 also when there is no queue.
    pub highest_index: i32,
    /// Queues.
    pub queues: u64,
    /// Messages in all of them.
    pub messages: u64,
    /// Bytes of text in all of them.
    pub bytes: u64,
}

/// The limits of the IPC namespace (`IPC_INFO`), also in `/proc/sys/kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsgLimits {
    /// The longest message, bytes.
    pub msgmax: u64,
    /// `qbytes` of a new queue.
    pub msgmnb: u64,
    /// The most queues.
    pub msgmni: u64,
}

/// msgget(2): the id of the queue with this key. `ENOENT` without `create` when there is none,
/// `EEXIST` with `create` and `exclusive` when there is one, `EACCES`, `ENOSPC` at `msgmni`.
pub fn get(key: i32, mode: u32, create: bool, exclusive: bool) -> Result<i32> {
    // SAFETY: takes and gives integers.
    Errno::result(unsafe { libc::msgget(key, sysv::get_flags(mode, create, exclusive)) })
}

/// msgctl(2) with a command that fills a `struct msqid_ds`; also gives its result.
fn read_ds(id_or_index: i32, command: c_int) -> Result<(c_int, libc::msqid_ds)> {
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut ds: libc::msqid_ds = unsafe { zeroed() };
    // SAFETY: `ds` lives through the call and is what these commands fill.
    let result = Errno::result(unsafe { libc::msgctl(id_or_index, command, &mut ds) })?;
    Ok((result, ds))
}

/// msgctl(2) with a command that fills a `struct msginfo`; also gives its result.
fn read_info(command: c_int) -> Result<(c_int, libc::msginfo)> {
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut info: libc::msginfo = unsafe { zeroed() };
    // SAFETY: these commands fill a `struct msginfo` through this pointer, which lives long enough.
    let result = unsafe { libc::msgctl(0, command, (&raw mut info).cast()) };
    Ok((Errno::result(result)?, info))
}

fn from_kernel(id: i32, ds: &libc::msqid_ds) -> MsgStat {
    MsgStat {
        id,
        perm: Perm::from_kernel(&ds.msg_perm),
        qnum: ds.msg_qnum,
        cbytes: ds.__msg_cbytes,
        qbytes: ds.msg_qbytes,
        lspid: ds.msg_lspid,
        lrpid: ds.msg_lrpid,
        stime: ds.msg_stime,
        rtime: ds.msg_rtime,
        ctime: ds.msg_ctime,
    }
}

/// `IPC_STAT`: the state of a queue. `EACCES` without read permission, `EIDRM` or `EINVAL` when it is
/// gone.
pub fn stat(id: i32) -> Result<MsgStat> {
    read_ds(id, libc::IPC_STAT).map(|(_, ds)| from_kernel(id, &ds))
}

/// `MSG_STAT_ANY`: the state of the queue at an index of the kernel's table, with or without read
/// permission. `EINVAL` for an index not in use.
pub fn stat_any(index: i32) -> Result<MsgStat> {
    read_ds(index, MSG_STAT_ANY).map(|(id, ds)| from_kernel(id, &ds))
}

/// The state of a queue by its id, also without read permission.
pub fn stat_any_id(id: i32) -> Result<MsgStat> {
    any_ds(id).map(|ds| from_kernel(id, &ds))
}

fn any_ds(id: i32) -> Result<libc::msqid_ds> {
    sysv::any_ds(id, MSG_STAT_ANY, read_ds)
}

/// `MSG_INFO`: the highest index, and what all queues use together.
pub fn info() -> Result<MsgInfo> {
    let (highest_index, info) = read_info(libc::MSG_INFO)?;
    Ok(MsgInfo {
        highest_index,
        queues: sysv::count(info.msgpool),
        messages: sysv::count(info.msgmap),
        bytes: sysv::count(info.msgtql),
    })
}

/// `IPC_INFO`: the limits.
pub fn limits() -> Result<MsgLimits> {
    let (_, info) = read_info(libc::IPC_INFO)?;
    Ok(MsgLimits {
        msgmax: sysv::count(info.msgmax),
        msgmnb: sysv::count(info.msgmnb),
        msgmni: sysv::count(info.msgmni),
    })
}

/// `IPC_SET`: changes owner, permissions and `qbytes`. `EPERM` for who is neither owner nor creator,
/// and for `qbytes` above `msgmnb` without `CAP_SYS_RESOURCE`.
pub fn set(id: i32, perm: &PermSet, qbytes: Option<u64>) -> Result<()> {
    let mut ds = any_ds(id)?;
    perm.apply(&mut ds.msg_perm);
    ds.msg_qbytes = qbytes.unwrap_or(ds.msg_qbytes);
    // SAFETY: `ds` lives through the call, which reads it.
    Errno::result(unsafe { libc::msgctl(id, libc::IPC_SET, &mut ds) }).map(drop)
}

/// `IPC_RMID`: removes the queue and wakes who waits on it with `EIDRM`.
pub fn remove(id: i32) -> Result<()> {
    // SAFETY: the command takes no pointer.
    Errno::result(unsafe { libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

/// How [`Mailbox::receive`] receives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receive {
    /// `IPC_NOWAIT`: `ENOMSG` instead of waiting.
    pub nowait: bool,
    /// `MSG_NOERROR`: cut a longer text to the asked size instead of failing with `E2BIG`.
    pub noerror: bool,
    /// `MSG_EXCEPT`: the first message whose type is *not* this one.
    pub except: bool,
    /// `MSG_COPY`: copy the message at the position given as the type and leave it there. Needs
    /// `nowait`; `ENOSYS` on kernels without checkpoint support.
    pub copy: bool,
}

/// A received message; its text stands in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type, always above 0.
    pub mtype: i64,
    /// Its text.
    pub data: &'a [u8],
}

/// A buffer for messages that is used again and again: the type, then the text.
#[derive(Debug)]
pub struct Mailbox {
    /// The type in the first word, the text behind it.
    words: Vec<u64>,
}

impl Mailbox {
    /// A mailbox for texts of this many bytes; it grows when a longer one comes.
    pub fn new(capacity: usize) -> Mailbox {
        Mailbox {
            words: vec![0; 1 + capacity.min(LARGEST).div_ceil(8)],
        }
    }

    /// How many bytes of text it holds without growing.
    pub fn capacity(&self) -> usize {
        (self.words.len() - 1) * 8
    }

    /// Makes room for a text of `len` bytes; what was in it may be lost. `ENOMEM`.
    fn reserve(&mut self, len: usize) -> Result<()> {
        if len > self.capacity() {
            let mut words = Vec::new();
            words
                .try_reserve_exact(1 + len.div_ceil(8))
                .map_err(|_| Errno::ENOMEM)?;
            words.resize(1 + len.div_ceil(8), 0);
            self.words = words;
        }
        Ok(())
    }

    /// msgsnd(2): puts a message at the end of a queue, waiting for room unless `nowait`. `EAGAIN`
    /// when the queue is full, `EINVAL` for a type below 1 or a text above `msgmax`, `EACCES`,
    /// `EIDRM` when the queue is removed, `EINTR`. The text may be empty.
    #[inline]
    pub fn send(&mut self, id: i32, mtype: i64, data: &[u8], nowait: bool) -> Result<()> {
        if data.len() > LARGEST {
            return Err(Errno::EINVAL);
        }
        self.reserve(data.len())?;
        self.words[0] = mtype.cast_unsigned();
        let flags = if nowait { libc::IPC_NOWAIT } else { 0 };
        // SAFETY: `reserve` made room for the text behind the first word; the buffer is exclusively
        // ours, 8-aligned, and outlives the call, which reads the type and `data.len()` bytes.
        let result = unsafe {
            let text = self.words.as_mut_ptr().add(1).cast::<u8>();
            text.copy_from_nonoverlapping(data.as_ptr(), data.len());
            libc::msgsnd(id, self.words.as_ptr().cast(), data.len(), flags)
        };
        Errno::result(result).map(drop)
    }

    /// msgrcv(2): takes a message out of a queue, waiting for one unless `nowait`. `mtype` 0 is the
    /// first message, above 0 the first of that type, below 0 the lowest type up to its magnitude.
    /// `max` bytes of text at most: `E2BIG` for a longer one without `noerror`, and it stays in the
    /// queue. `ENOMSG`, `EACCES`, `EIDRM` when the queue is removed, `EINTR`, `EINVAL` for a `max`
    /// above `isize::MAX`.
    ///
    /// For a large `max` the buffer starts small and grows when the kernel says a message is longer,
    /// so the size that the waiting call shows in `/proc/PID/syscall` can be below `max`.
    #[inline]
    pub fn receive(
        &mut self,
        id: i32,
        max: usize,
        mtype: i64,
        how: Receive,
    ) -> Result<Message<'_>> {
        if max > isize::MAX as usize {
            return Err(Errno::EINVAL);
        }
        let max = max.min(LARGEST);
        self.reserve(max.min(FIRST_BUFFER))?;
        loop {
            let size = max.min(self.capacity());
            let flags = flag(how.nowait, libc::IPC_NOWAIT)
                // Nothing is cut before the buffer is as large as was asked for.
                | flag(how.noerror && size == max, libc::MSG_NOERROR)
                | flag(how.except, libc::MSG_EXCEPT)
                | flag(how.copy, libc::MSG_COPY);
            // SAFETY: the buffer holds the type and `size` bytes of text, is exclusively ours and
            // outlives the call.
            let got =
                unsafe { libc::msgrcv(id, self.words.as_mut_ptr().cast(), size, mtype, flags) };
            match Errno::result(got) {
                // Not negative, and at most `size`.
                Ok(len) => return Ok(self.message(len.unsigned_abs())),
                Err(Errno::E2BIG) if size < max => self.reserve(max.min(self.capacity() * 4))?,
                Err(errno) => return Err(errno),
            }
        }
    }

    /// The message in the buffer, with a text of `len` bytes.
    #[inline]
    fn message(&self, len: usize) -> Message<'_> {
        let len = len.min(self.capacity());
        // SAFETY: `len` initialised bytes follow the first word, and stay untouched while the
        // mailbox is borrowed.
        let data =
            unsafe { std::slice::from_raw_parts(self.words.as_ptr().add(1).cast::<u8>(), len) };
        Message {
            mtype: self.words[0].cast_signed(),
            data,
        }
    }
}

#[inline]
fn flag(set: bool, bit: c_int) -> c_int {
    if set { bit } else { 0 }
}

#[cfg(test)]
mod tests;
