//! What the arguments of a call point to, in the memory of its process.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use libc::c_int;

use super::SemBuf;
use crate::inspect::syscall::Syscall;
use crate::kernel::memory::read_process;
use crate::kernel::socket::Address;

/// Bytes of a `struct sembuf`: three 16-bit numbers.
const SEMBUF: usize = 6;
/// More operations than this are not read: the kernel's own default for `semopm` is 500.
const MOST_OPS: u64 = 4096;

pub(super) fn read_ops(pid: i32, addr: u64, count: u64) -> Vec<SemBuf> {
    if count > MOST_OPS {
        return Vec::new();
    }
    let len = count as usize * SEMBUF;
    match read_process(pid, addr, len) {
        Ok(bytes) if bytes.len() == len => parse_ops(&bytes),
        _ => Vec::new(),
    }
}

pub(super) fn parse_ops(bytes: &[u8]) -> Vec<SemBuf> {
    let half = |b: &[u8], at: usize| u16::from_ne_bytes([b[at], b[at + 1]]);
    let op = |b: &[u8]| {
        let flags = c_int::from(half(b, 4));
        SemBuf {
            num: half(b, 0),
            op: half(b, 2) as i16,
            undo: flags & libc::SEM_UNDO != 0,
            nowait: flags & libc::IPC_NOWAIT != 0,
        }
    };
    bytes.chunks_exact(SEMBUF).map(op).collect()
}

/// The `long` that a message starts with.
pub(super) fn read_number(pid: i32, addr: u64) -> Option<i64> {
    let bytes = read_process(pid, addr, 8).ok()?;
    Some(i64::from_ne_bytes(bytes.try_into().ok()?))
}

/// The `sockaddr` of a connect(2).
pub(super) fn read_address(pid: i32, addr: u64, len: u64) -> Option<Address> {
    // No address of any family is as long.
    let len = usize::try_from(len).ok().filter(|len| *len <= 128)?;
    let bytes = read_process(pid, addr, len).ok()?;
    (bytes.len() == len).then(|| Address::from_sockaddr(&bytes))
}

/// Where a message is sent to, where the call itself says it: sendto(2), and `msg_name` of a
/// `struct msghdr` of sendmsg(2), which the first of a sendmmsg(2) begins with.
pub(super) fn read_receiver(pid: i32, call: &Syscall) -> Option<Address> {
    let (addr, len) = match call.nr {
        libc::SYS_sendto => (call.args[4], call.args[5]),
        _ => {
            let header = read_process(pid, call.args[1], 12).ok()?;
            let (name, len) = header.split_at_checked(8)?;
            let len = u32::from_ne_bytes(len.try_into().ok()?);
            (u64::from_ne_bytes(name.try_into().ok()?), len.into())
        }
    };
    (addr != 0).then(|| read_address(pid, addr, len))?
}

/// A string up to its NUL, page by page: what lies behind it may not be mapped.
pub(super) fn read_path(pid: i32, addr: u64) -> Option<PathBuf> {
    const PAGE: u64 = 4096;
    let mut bytes = Vec::new();
    let mut at = addr;
    while bytes.len() < libc::PATH_MAX as usize {
        let len = PAGE - at % PAGE;
        let page = read_process(pid, at, len as usize).ok()?;
        if let Some(end) = page.iter().position(|&b| b == 0) {
            bytes.extend_from_slice(&page[..end]);
            return Some(OsString::from_vec(bytes).into());
        }
        if page.len() as u64 != len {
            return None;
        }
        bytes.extend(page);
        at = at.checked_add(len)?;
    }
    None
}

/// What `/proc/self/fd/N` means to the process: a file that it looked at before it opens it.
pub(super) fn behind_own_link(pid: i32, path: PathBuf) -> PathBuf {
    let fd = path.strip_prefix("/proc/self/fd").ok();
    let link = fd.and_then(|fd| fs::read_link(Path::new(&format!("/proc/{pid}/fd")).join(fd)).ok());
    // A link to what has no path, such as a pipe, stays.
    link.filter(|file| file.is_absolute()).unwrap_or(path)
}
