//! Who holds which end of a pipe or FIFO, and what is in it: proc_pid_fd(5), proc_pid_fdinfo(5).
//!
//! A FIFO's path is never opened, as that would be an end like any other. To see what is inside, a
//! descriptor of a process that holds it is copied (pidfd_getfd(2)); while there is a copy, it can keep
//! others from seeing the end, so it is closed at once.

use std::fs;
use std::io::ErrorKind::PermissionDenied;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::process::{command, pids, read_file, thread_stat};
use crate::kernel::fifo::{self, Access};
use crate::kernel::pipe::{self, Peeked, PipeId};
use crate::kernel::process::{pidfd_getfd, pidfd_open};

/// A descriptor of a pipe or FIFO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose.
    pub pid: i32,
    /// The command of that process, [`command`]: any bytes.
    pub comm: Option<String>,
    /// The descriptor.
    pub fd: i32,
    /// Which ends it is of; `None` for one that only names the file (`O_PATH`).
    pub access: Option<Access>,
}

impl Holder {
    /// Whether it can be read from.
    pub fn reads(&self) -> bool {
        matches!(self.access, Some(Access::Read | Access::ReadWrite))
    }

    /// Whether it can be written to.
    pub fn writes(&self) -> bool {
        matches!(self.access, Some(Access::Write | Access::ReadWrite))
    }
}

/// What one pass over the host has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// The descriptors, in the kernel's order of processes.
    pub found: Vec<Holder>,
    /// How many processes could not be looked into, for want of privilege: any of them may hold it too.
    pub unreadable: usize,
}

/// What is in a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Bytes in it.
    pub bytes: usize,
    /// Bytes it can hold, [`pipe::capacity`].
    pub capacity: usize,
}

/// Every descriptor of a pipe or FIFO in the processes that can be seen. Who waits to open a FIFO holds
/// nothing yet.
pub fn holders(id: PipeId) -> Holders {
    let mut holders = Holders::default();
    for pid in pids() {
        if !collect(pid, id, &mut holders.found) {
            holders.unreadable += 1;
        }
    }
    holders
}

/// Adds the descriptors of one process; false when they may not be looked at.
fn collect(pid: i32, id: PipeId, found: &mut Vec<Holder>) -> bool {
    let before = found.len();
    let entries = match fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(entries) => entries,
        // A process that is gone holds nothing, nor does a thread of the kernel's own.
        Err(error) => return error.kind() != PermissionDenied || holds_nothing(pid),
    };
    for entry in entries.map_while(Result::ok) {
        let number = entry.file_name();
        let Some(fd) = number.to_str().and_then(|fd| fd.parse().ok()) else {
            continue;
        };
        if identity(pid, fd, &entry.path(), id) == Some(id) {
            found.push(Holder {
                pid,
                comm: None,
                fd,
                access: access(pid, fd),
            });
        }
    }
    if before < found.len() {
        let comm = command(pid);
        found[before..]
            .iter_mut()
            .for_each(|each| each.comm.clone_from(&comm));
    }
    true
}

/// Whether it has no descriptors, whoever may look at them.
fn holds_nothing(pid: i32) -> bool {
    thread_stat(pid, pid).map_or(true, |stat| stat.is_kernel_thread() || stat.is_dead())
}

/// The pipe or FIFO that a descriptor is of, where it may be the `wanted` one.
///
/// Only what has the wanted inode is asked for more: to ask a file about itself can wait for a server.
fn identity(pid: i32, fd: i32, link: &Path, wanted: PipeId) -> Option<PipeId> {
    let target = fs::read_link(link).ok()?;
    let target = target.to_str().unwrap_or("/");
    match target.strip_prefix("pipe:[") {
        Some(rest) if rest.strip_suffix(']')?.parse() != Ok(wanted.ino) => return None,
        Some(_) => {}
        None if !target.starts_with('/') => return None,
        // Older kernels do not say.
        None if fdinfo(pid, fd, "ino:", 10).is_some_and(|ino| ino != wanted.ino) => return None,
        None => {}
    }
    let file = fs::metadata(link).ok()?;
    file.file_type().is_fifo().then(|| PipeId {
        dev: file.dev(),
        ino: file.ino(),
    })
}

/// How a descriptor was opened.
fn access(pid: i32, fd: i32) -> Option<Access> {
    let flags = fdinfo(pid, fd, "flags:", 8)?;
    let flags = i32::try_from(flags).ok()?;
    if flags & libc::O_PATH != 0 {
        return None;
    }
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY => Some(Access::Read),
        libc::O_WRONLY => Some(Access::Write),
        libc::O_RDWR => Some(Access::ReadWrite),
        _ => None,
    }
}

/// A number in proc_pid_fdinfo(5).
fn fdinfo(pid: i32, fd: i32, key: &str, radix: u32) -> Option<u64> {
    let bytes = read_file(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    let text = str::from_utf8(&bytes).ok()?;
    let number = text.lines().find_map(|line| line.strip_prefix(key))?;
    u64::from_str_radix(number.trim(), radix).ok()
}

/// How much is in a pipe that these hold; `None` where none of them lets it be seen.
pub fn contents(id: PipeId, holders: &[Holder]) -> Option<Contents> {
    first_copy(
        id,
        holders,
        |_| true,
        |copy| {
            Some(Contents {
                bytes: pipe::available(copy).ok()?,
                capacity: pipe::capacity(copy).ok()?,
            })
        },
    )
}

/// What is in a pipe that these hold, without taking it; `None` where no reading end lets it be seen.
pub fn peek(id: PipeId, holders: &[Holder]) -> Option<Peeked> {
    first_copy(id, holders, Holder::reads, |copy| pipe::peek(copy).ok())
}

/// What `look` makes of the first copy of a fitting descriptor that can be had. The copy is closed then.
fn first_copy<T>(
    id: PipeId,
    holders: &[Holder],
    fits: impl Fn(&Holder) -> bool,
    look: impl Fn(&OwnedFd) -> Option<T>,
) -> Option<T> {
    let mut fitting = holders
        .iter()
        .filter(|holder| holder.access.is_some() && fits(holder));
    fitting.find_map(|holder| look(&copy_of(id, holder)?))
}

/// A descriptor of the same pipe. Its number may mean something else by now: then none.
fn copy_of(id: PipeId, holder: &Holder) -> Option<OwnedFd> {
    let copy = match pidfd_open(holder.pid).and_then(|pid| pidfd_getfd(&pid, holder.fd)) {
        Ok(copy) => copy,
        Err(_) => reopened(id, holder)?,
    };
    (pipe::identity(&copy) == Ok(id)).then_some(copy)
}

/// For an anonymous pipe, its link in `/proc`, which may be opened where a descriptor may not be copied.
/// The same access as is held already, so that nobody finds an end that there was not.
fn reopened(id: PipeId, holder: &Holder) -> Option<OwnedFd> {
    let link = format!("/proc/{}/fd/{}", holder.pid, holder.fd);
    if !fs::read_link(&link).ok()?.to_str()?.starts_with("pipe:[") {
        return None;
    }
    fifo::open_same(Path::new(&link), id, holder.access?).ok()
}

#[cfg(test)]
mod tests;
