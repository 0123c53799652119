//! The descriptors of a process, as links: `/proc/PID/fd` of proc_pid_fd(5), by getdents64(2) and
//! readlinkat(2) with nothing allocated for a descriptor. Thousands are looked at in a sweep.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_long};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};

use super::fds::Access;
use super::{Errno, Result};

/// How many bytes of a link are read; the kernel gives at most a page.
const LINK: usize = 4096;

/// Where the name begins in a `struct linux_dirent64`, and its length stands.
const NAME: usize = std::mem::offset_of!(libc::dirent64, d_name);
const LENGTH: usize = std::mem::offset_of!(libc::dirent64, d_reclen);

/// What a descriptor's file is, by statx(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The device, as `st_dev`.
    pub dev: u64,
    /// The inode.
    pub ino: u64,
    /// Type and permissions, as `st_mode`.
    pub mode: u32,
}

impl FileId {
    /// Whether it is a FIFO with a name, or a pipe.
    pub fn is_fifo(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFIFO
    }

    /// Whether it is an ordinary file.
    pub fn is_regular(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFREG
    }
}

/// A sweep over the descriptors of processes, with the buffers that it uses again.
#[derive(Debug)]
pub struct Sweep {
    entries: Vec<u64>,
    link: Vec<u8>,
}

/// One descriptor in a [`Sweep`].
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub fd: i32,
    /// What its link says: `pipe:[6517]`, a path…
    pub link: &'a [u8],
    dir: &'a OwnedFd,
    name: &'a CStr,
}

impl Entry<'_> {
    /// What it is open for: the link's own permissions say so, which is a fourth of the cost of its
    /// `fdinfo`. `ENOENT` when it has been closed.
    pub fn access(&self) -> Result<Access> {
        let mode = statx(self.dir.as_raw_fd(), self.name, libc::AT_SYMLINK_NOFOLLOW)?.mode;
        Ok(
            match (mode & libc::S_IRUSR != 0, mode & libc::S_IWUSR != 0) {
                (true, true) => Access::ReadWrite,
                (true, false) => Access::Read,
                (false, true) => Access::Write,
                (false, false) => Access::Neither,
            },
        )
    }

    /// The file it is open on. `AT_STATX_DONT_SYNC`: a network file system that hangs does not hang
    /// this. `ENOENT` when it has been closed, `EACCES`.
    pub fn file(&self) -> Result<FileId> {
        statx(self.dir.as_raw_fd(), self.name, libc::AT_STATX_DONT_SYNC)
    }
}

/// The file that a descriptor of a process is open on: [`Entry::file`] of one alone.
pub fn file(pid: i32, fd: i32) -> Result<FileId> {
    let path = CString::new(format!("/proc/{pid}/fd/{fd}")).map_err(|_| Errno::EINVAL)?;
    statx(libc::AT_FDCWD, &path, libc::AT_STATX_DONT_SYNC)
}

/// The file that a path means to a process, or to one of its threads: an absolute one from its root,
/// openat2(2) with `RESOLVE_IN_ROOT`, another from its working directory. `ENOENT`, `EACCES`.
pub fn file_at(pid: i32, path: &Path) -> Result<FileId> {
    let open = |dir: BorrowedFd, path: &Path, resolve| {
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(resolve);
        openat2(dir, path, how)
    };
    let from = if path.is_absolute() { "root" } else { "cwd" };
    let start = Path::new("/proc").join(pid.to_string()).join(from);
    let start = open(AT_FDCWD, &start, ResolveFlag::empty())?;
    let found = match path.is_absolute() {
        true => open(start.as_fd(), path, ResolveFlag::RESOLVE_IN_ROOT),
        false => open(start.as_fd(), path, ResolveFlag::empty()),
    }?;
    statx(
        found.as_raw_fd(),
        c"",
        libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC,
    )
}

fn statx(dir: RawFd, name: &CStr, flags: i32) -> Result<FileId> {
    let wanted = libc::STATX_TYPE | libc::STATX_MODE | libc::STATX_INO;
    // SAFETY: plain integers; all zeroes is a value of it.
    let mut stat: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: reads a C string and fills `stat`.
    Errno::result(unsafe { libc::statx(dir, name.as_ptr(), flags, wanted, &mut stat) })?;
    Ok(FileId {
        dev: libc::makedev(stat.stx_dev_major, stat.stx_dev_minor),
        ino: stat.stx_ino,
        mode: stat.stx_mode.into(),
    })
}

impl Default for Sweep {
    fn default() -> Sweep {
        Sweep::new()
    }
}

impl Sweep {
    /// One with its buffers.
    pub fn new() -> Sweep {
        Sweep {
            entries: vec![0; 32 * 1024 / 8],
            link: vec![0; LINK],
        }
    }

    /// Hands every descriptor of a process to `each`: of its first thread, whose table the others share
    /// unless clone(2) was told otherwise. What is closed meanwhile is left out. `ENOENT` or `ESRCH`
    /// when the process is gone, `EACCES` where it may not be looked at (ptrace access).
    pub fn process(&mut self, pid: i32, mut each: impl FnMut(&Entry)) -> Result<()> {
        let path = CString::new(format!("/proc/{pid}/fd")).map_err(|_| Errno::EINVAL)?;
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        // SAFETY: reads a C string.
        let fd = Errno::result(unsafe { libc::open(path.as_ptr(), flags) })?;
        // SAFETY: just made, and owned by nobody else.
        let dir = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut seen = false;
        loop {
            let got = read_entries(&dir, &mut self.entries)?;
            if got.is_empty() {
                return Ok(());
            }
            let mut rest = got;
            while let Some(length) = rest.get(LENGTH..LENGTH + 2) {
                let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
                let Some(entry) = rest.get(NAME..length) else {
                    break;
                };
                rest = &rest[length..];
                let Ok(name) = CStr::from_bytes_until_nul(entry) else {
                    continue;
                };
                let Some(fd) = number(name.to_bytes()) else {
                    continue;
                };
                match read_link(&dir, name, &mut self.link) {
                    Ok(link) => {
                        seen = true;
                        each(&Entry {
                            fd,
                            link,
                            dir: &dir,
                            name,
                        });
                    }
                    // The directory could be opened, and yet its links may not be read.
                    Err(Errno::EACCES | Errno::EPERM) if !seen => return Err(Errno::EACCES),
                    Err(_) => {}
                }
            }
        }
    }
}

fn number(name: &[u8]) -> Option<RawFd> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// getdents64(2): the next entries, none at the end.
fn read_entries<'a>(dir: &OwnedFd, entries: &'a mut [u64]) -> Result<&'a [u8]> {
    let room = size_of_val(entries);
    let to = entries.as_mut_ptr();
    // SAFETY: fills at most `room` bytes of the buffer, which is aligned for the entries.
    let got =
        Errno::result(unsafe { libc::syscall(libc::SYS_getdents64, dir.as_raw_fd(), to, room) })?;
    let got = usize::try_from(got as c_long).unwrap_or(0).min(room);
    // SAFETY: initialised integers, of which so many bytes are borrowed with them.
    Ok(unsafe { std::slice::from_raw_parts(entries.as_ptr().cast::<u8>(), got) })
}

fn read_link<'a>(dir: &OwnedFd, name: &CStr, link: &'a mut [u8]) -> Result<&'a [u8]> {
    let (to, room) = (link.as_mut_ptr().cast(), link.len());
    // SAFETY: reads a C string and fills at most `room` bytes.
    let got = Errno::result(unsafe { libc::readlinkat(dir.as_raw_fd(), name.as_ptr(), to, room) })?;
    Ok(link.get(..got.unsigned_abs()).unwrap_or_default())
}
