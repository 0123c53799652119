//! What a blocked system call waits for: its number and arguments, in words.
//!
//! Numbers are those of the architecture this program is built for. What an argument
//! points to is read from the process's memory, where that may be read.

mod memory;

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use libc::c_int;

use super::syscall::Syscall;
use crate::kernel::socket::Address;
use memory::{behind_own_link, read_address, read_number, read_ops, read_path, read_receiver};

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// semop(2), semtimedop(2): one name, as the kernel shows either as the second.
    SemOp {
        /// The set's id.
        id: i32,
        /// The operations, to be done all at once; empty where they could not be read.
        ops: Vec<SemBuf>,
        /// Whether the kernel ends it after a while.
        timeout: bool,
    },
    /// msgsnd(2): the queue is full.
    MsgSend {
        /// The queue's id.
        id: i32,
        /// The length of the message's text, in bytes.
        size: u64,
        /// The message's type, where it could be read.
        mtype: Option<i64>,
    },
    /// msgrcv(2): no message matches.
    MsgReceive {
        /// The queue's id.
        id: i32,
        /// What is asked for: 0 any, N that type, -N the lowest up to N.
        mtype: i64,
        /// The room for the message's text, in bytes.
        size: u64,
        /// `MSG_NOERROR`, `MSG_EXCEPT`.
        flags: c_int,
    },
    /// nanosleep(2), clock_nanosleep(2).
    Sleep,
    /// read(2) and its kin.
    Read {
        /// The descriptor.
        fd: i32,
    },
    /// write(2) and its kin.
    Write {
        /// The descriptor.
        fd: i32,
    },
    /// splice(2), tee(2), sendfile(2): on either side.
    Splice {
        /// The descriptor that is read.
        from: i32,
        /// The descriptor that is written.
        to: i32,
    },
    /// open(2), openat(2), openat2(2): a FIFO, mostly, whose other side is not open.
    Open {
        /// The path as the process wrote it, where it could be read; see [`opened`].
        path: Option<PathBuf>,
        /// The directory that a relative path starts from: a descriptor or `AT_FDCWD`.
        dirfd: i32,
    },
    /// accept(2), accept4(2): nobody connects.
    Accept {
        /// The listening descriptor.
        fd: i32,
    },
    /// connect(2): the backlog is full.
    Connect {
        /// The descriptor.
        fd: i32,
        /// Where to, where it could be read.
        to: Option<Address>,
    },
    /// recv(2), recvfrom(2), recvmsg(2), recvmmsg(2).
    Receive {
        /// The descriptor.
        fd: i32,
    },
    /// send(2), sendto(2), sendmsg(2), sendmmsg(2).
    Send {
        /// The descriptor.
        fd: i32,
        /// Where to, where the call says it and it could be read.
        to: Option<Address>,
    },
    /// mq_send(3), mq_timedsend(2): the queue is full.
    MqSend {
        /// The queue's descriptor.
        fd: i32,
    },
    /// mq_receive(3), mq_timedreceive(2): the queue is empty.
    MqReceive {
        /// The queue's descriptor.
        fd: i32,
    },
    /// futex(2): a mutex, a condition variable, a POSIX semaphore, a thread to join.
    Futex {
        /// The address in the process: its mapping says whether it is shared memory.
        addr: u64,
        /// `FUTEX_PRIVATE_FLAG`: known to be of this process alone, so not IPC.
        private: bool,
        /// Whether the kernel ends it after a while.
        timeout: bool,
    },
    /// sigtimedwait(2), sigsuspend(2), pause(2).
    SigWait,
    /// poll(2), select(2), epoll_wait(2) and their kin.
    Poll,
    /// wait4(2), waitid(2).
    Child,
    /// flock(2), and fcntl(2) of a record: another has locked the file.
    FileLock {
        /// The descriptor.
        fd: i32,
    },
    /// restart_syscall(2): goes on with a call that had a timeout and was stopped.
    Restart,
    /// Any other call, and any call of a process of another word size, whose numbers
    /// mean something else.
    Other {
        /// The number, in the process's own architecture.
        nr: i64,
    },
}

impl Wait {
    /// Whether it is a wait for another process, as far as the call alone tells: a
    /// descriptor may yet be a terminal, and a futex in memory that nobody shares.
    pub fn is_ipc(&self) -> bool {
        match self {
            Wait::Futex { private, .. } => !private,
            Wait::Sleep
            | Wait::Poll
            | Wait::Child
            | Wait::FileLock { .. }
            | Wait::Restart
            | Wait::Other { .. } => false,
            _ => true,
        }
    }

    /// The one descriptor that it waits at, where it is one.
    pub fn descriptor(&self) -> Option<i32> {
        match self {
            Wait::Read { fd }
            | Wait::Write { fd }
            | Wait::Accept { fd }
            | Wait::Connect { fd, .. }
            | Wait::Receive { fd }
            | Wait::Send { fd, .. }
            | Wait::MqSend { fd }
            | Wait::MqReceive { fd } => Some(*fd),
            _ => None,
        }
    }

    /// Whether [`decode`] could give a wait that [`Wait::is_ipc`]: touches no process.
    pub fn may_be_ipc(call: &Syscall) -> bool {
        by_number(call).is_ipc()
    }
}

/// One operation of a semop(2), `struct sembuf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemBuf {
    /// The semaphore's index in its set.
    pub num: u16,
    /// Added to the value; 0 waits for zero.
    pub op: i16,
    /// `SEM_UNDO`: taken back when the process ends.
    pub undo: bool,
    /// `IPC_NOWAIT`.
    pub nowait: bool,
}

/// What a blocked call of the process `pid` waits for.
pub fn decode(pid: i32, call: &Syscall) -> Wait {
    if !same_word_size(pid, call) {
        return Wait::Other { nr: call.nr };
    }
    match by_number(call) {
        Wait::SemOp { id, timeout, .. } => Wait::SemOp {
            id,
            ops: read_ops(pid, call.args[1], call.args[2]),
            timeout,
        },
        Wait::MsgSend { id, size, .. } => Wait::MsgSend {
            id,
            size,
            mtype: read_number(pid, call.args[1]),
        },
        Wait::Connect { fd, .. } => Wait::Connect {
            fd,
            to: read_address(pid, call.args[1], call.args[2]),
        },
        Wait::Send { fd, .. } => Wait::Send {
            fd,
            to: read_receiver(pid, call),
        },
        Wait::Open { dirfd, .. } => Wait::Open {
            path: read_path(pid, path_address(call)).map(|path| behind_own_link(pid, path)),
            dirfd,
        },
        wait => wait,
    }
}

/// What number and arguments alone say.
fn by_number(call: &Syscall) -> Wait {
    let args = &call.args;
    // Of a 64-bit register the kernel looks at the low half of an `int`.
    let int = |n: usize| args[n] as u32 as i32;
    let (id, fd) = (int(0), int(0));
    match call.nr {
        libc::SYS_semop => sem_op(id, false),
        libc::SYS_semtimedop => sem_op(id, args[3] != 0),
        libc::SYS_msgsnd => Wait::MsgSend {
            id,
            size: args[2],
            mtype: None,
        },
        libc::SYS_msgrcv => Wait::MsgReceive {
            id,
            mtype: args[3] as i64,
            size: args[2],
            flags: int(4),
        },
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Wait::Sleep,
        libc::SYS_read
        | libc::SYS_readv
        | libc::SYS_pread64
        | libc::SYS_preadv
        | libc::SYS_preadv2 => Wait::Read { fd },
        libc::SYS_write
        | libc::SYS_writev
        | libc::SYS_pwrite64
        | libc::SYS_pwritev
        | libc::SYS_pwritev2
        | libc::SYS_vmsplice => Wait::Write { fd },
        libc::SYS_splice => Wait::Splice {
            from: fd,
            to: int(2),
        },
        libc::SYS_tee => Wait::Splice {
            from: fd,
            to: int(1),
        },
        libc::SYS_sendfile => Wait::Splice {
            from: int(1),
            to: fd,
        },
        libc::SYS_openat | libc::SYS_openat2 => Wait::Open {
            path: None,
            dirfd: int(0),
        },
        libc::SYS_accept | libc::SYS_accept4 => Wait::Accept { fd },
        libc::SYS_connect => Wait::Connect { fd, to: None },
        libc::SYS_recvfrom | libc::SYS_recvmsg | libc::SYS_recvmmsg => Wait::Receive { fd },
        libc::SYS_sendto | libc::SYS_sendmsg | libc::SYS_sendmmsg => Wait::Send { fd, to: None },
        libc::SYS_mq_timedsend => Wait::MqSend { fd },
        libc::SYS_mq_timedreceive => Wait::MqReceive { fd },
        libc::SYS_futex => Wait::Futex {
            addr: args[0],
            private: int(1) & libc::FUTEX_PRIVATE_FLAG != 0,
            timeout: args[3] != 0,
        },
        libc::SYS_rt_sigtimedwait | libc::SYS_rt_sigsuspend => Wait::SigWait,
        libc::SYS_ppoll | libc::SYS_pselect6 | libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => {
            Wait::Poll
        }
        libc::SYS_wait4 | libc::SYS_waitid => Wait::Child,
        libc::SYS_flock => Wait::FileLock { fd },
        libc::SYS_fcntl if matches!(int(1), libc::F_SETLKW | libc::F_OFD_SETLKW) => {
            Wait::FileLock { fd }
        }
        libc::SYS_restart_syscall => Wait::Restart,
        nr => elder(nr).unwrap_or(Wait::Other { nr }),
    }
}

fn sem_op(id: i32, timeout: bool) -> Wait {
    Wait::SemOp {
        id,
        ops: Vec::new(),
        timeout,
    }
}

/// The calls that younger architectures have left out.
#[cfg(target_arch = "x86_64")]
fn elder(nr: i64) -> Option<Wait> {
    match nr {
        libc::SYS_open | libc::SYS_creat => Some(Wait::Open {
            path: None,
            dirfd: libc::AT_FDCWD,
        }),
        libc::SYS_poll | libc::SYS_select | libc::SYS_epoll_wait => Some(Wait::Poll),
        libc::SYS_pause => Some(Wait::SigWait),
        _ => None,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn elder(_: i64) -> Option<Wait> {
    None
}

/// `open` and `creat` have the path first, `openat` and `openat2` second.
fn path_address(call: &Syscall) -> u64 {
    match call.nr {
        libc::SYS_openat | libc::SYS_openat2 => call.args[1],
        _ => call.args[0],
    }
}

/// Whether the numbers of the process are ours. A pointer beyond 4 GiB shows it; only
/// where both are below it is the program's file asked (the class byte of its ELF header).
/// Where that may not be read, the numbers are not trusted.
fn same_word_size(pid: i32, call: &Syscall) -> bool {
    const OURS: u8 = if cfg!(target_pointer_width = "64") {
        2
    } else {
        1
    };
    if call.sp.max(call.pc) > u64::from(u32::MAX) {
        return OURS == 2;
    }
    let mut ident = [0; 5];
    let read =
        File::open(format!("/proc/{pid}/exe")).and_then(|mut exe| exe.read_exact(&mut ident));
    read.is_ok() && ident == [0x7f, b'E', b'L', b'F', OURS]
}

/// The path that the process `pid` waits to open, from the root, where `wait` is
/// [`Wait::Open`] and its starting directory may be known. `.` and `..` stay as they are.
pub fn opened(pid: i32, wait: &Wait) -> Option<PathBuf> {
    let Wait::Open { path, dirfd } = wait else {
        return None;
    };
    let path = path.as_deref()?;
    if path.is_absolute() {
        return Some(path.to_path_buf());
    }
    let start = match *dirfd {
        libc::AT_FDCWD => fs::read_link(format!("/proc/{pid}/cwd")),
        dirfd => fs::read_link(format!("/proc/{pid}/fd/{dirfd}")),
    };
    Some(start.ok()?.join(path))
}

#[cfg(test)]
mod tests;
