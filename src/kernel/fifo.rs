//! FIFOs, pipes with a name in the file system (fifo(7)): making, opening, removing.
//!
//! Once open they are pipes: [`super::pipe`].

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{AtFlags, OFlag, open as open_path, openat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, fstat, fstatat, mknodat};
use nix::unistd::{UnlinkatFlags, unlinkat};

pub use super::fds::Access;
use super::pipe::PipeId;
use super::{Errno, Result};

fn flags_of(access: Access) -> OFlag {
    match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_WRONLY,
        Access::ReadWrite | Access::Neither => OFlag::O_RDWR,
    }
}

/// The directory of a path, opened so that the name stays in it, and the name.
fn parent(path: &Path) -> Result<(OwnedFd, &Path)> {
    let name = Path::new(path.file_name().ok_or(Errno::ENOENT)?);
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    Ok((open_path(dir, flags, Mode::empty())?, name))
}

/// mkfifo(3), and the permissions exactly these, whatever umask(2) is. `EEXIST` when the name is taken,
/// by whatever it is; `EINVAL` for more than permission bits; `EACCES`, `ENOENT`, `ENOTDIR`, `EROFS`,
/// `ENAMETOOLONG`, `ENOSPC`.
pub fn create(path: &Path, mode: u32) -> Result<PipeId> {
    let mode = Mode::from_bits(mode & 0o7777)
        .filter(|_| mode <= 0o7777)
        .ok_or(Errno::EINVAL)?;
    let (dir, name) = parent(path)?;
    mknodat(&dir, name, SFlag::S_IFIFO, mode, 0)?;
    let stat = fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    // Else somebody has put something else in its place.
    let id = PipeId::of(&stat).ok_or(Errno::EEXIST)?;
    if stat.st_mode & 0o7777 != mode.bits()
        && let Err(errno) = permit(&dir, name, id, mode)
    {
        let _ = unlink_same(&dir, name, id);
        return Err(errno);
    }
    Ok(id)
}

/// Gives the FIFO that was just made, and no other file, what umask took away.
fn permit(dir: &OwnedFd, name: &Path, id: PipeId, mode: Mode) -> Result<()> {
    let file = openat(dir, name, PATH_ONLY | OFlag::O_NOFOLLOW, Mode::empty())?;
    if PipeId::of(&fstat(&file)?) != Some(id) {
        return Err(Errno::EEXIST);
    }
    fchmodat(
        nix::fcntl::AT_FDCWD,
        &link_to(&file),
        mode,
        FchmodatFlags::FollowSymlink,
    )
}

/// Names a file, and does nothing else with it: opens no device and wakes nobody.
const PATH_ONLY: OFlag = OFlag::O_PATH.union(OFlag::O_CLOEXEC);

/// The path that means the file behind a descriptor.
fn link_to(fd: &impl AsFd) -> std::path::PathBuf {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()).into()
}

/// open(2): opens a FIFO. Without `nonblock` a reading end waits for a writer and a writing end for a
/// reader, if there is none: `EINTR` is given as it is. With `nonblock` a reading end is open at once,
/// and a writing end gives `ENXIO` without a reader; reads and writes wait all the same. `EINVAL` for
/// what is no FIFO, which is looked at first: a device or a socket is not touched. `ENOENT`,
/// `EACCES`.
pub fn open(path: &Path, access: Access, nonblock: bool) -> Result<OwnedFd> {
    let looked_at = super::pipe::identity(&open_path(path, PATH_ONLY, Mode::empty())?)?;
    let mut flags = flags_of(access) | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    flags.set(OFlag::O_NONBLOCK, nonblock);
    // By its path, which is then what a blocked call is seen to wait for.
    let fd = open_path(path, flags, Mode::empty())?;
    if super::pipe::identity(&fd)? != looked_at {
        return Err(Errno::EINVAL);
    }
    if nonblock {
        super::fds::set_nonblocking(&fd, false)?;
    }
    Ok(fd)
}

/// [`open`]s the FIFO that a descriptor is of once more, by that descriptor; an anonymous pipe too.
pub fn open_descriptor(fd: &impl AsFd, access: Access, nonblock: bool) -> Result<OwnedFd> {
    super::pipe::identity(fd)?;
    let mut flags = flags_of(access) | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    flags.set(OFlag::O_NONBLOCK, nonblock);
    open_path(&link_to(fd), flags, Mode::empty())
}

/// lstat(2): which FIFO stands at a path. `EINVAL` for what is none, a symbolic link to one too.
pub fn identity(path: &Path) -> Result<PipeId> {
    let (dir, name) = parent(path)?;
    identity_in(&dir, name)
}

fn identity_in(dir: &OwnedFd, name: &Path) -> Result<PipeId> {
    let stat = fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    PipeId::of(&stat).ok_or(Errno::EINVAL)
}

/// unlink(2): removes a FIFO's name, if it is still that of this FIFO, and tells whether it was. Who has
/// it open keeps it. The kernel cannot compare and remove in one, so a file that takes its place in
/// between is lost. `ENOENT`, `EACCES`, `EPERM` in another's sticky directory.
pub fn remove(path: &Path, id: PipeId) -> Result<bool> {
    let (dir, name) = parent(path)?;
    unlink_same(&dir, name, id)
}

fn unlink_same(dir: &OwnedFd, name: &Path, id: PipeId) -> Result<bool> {
    match identity_in(dir, name) {
        Ok(found) if found == id => {}
        Ok(_) | Err(Errno::EINVAL) => return Ok(false),
        Err(errno) => return Err(errno),
    }
    unlinkat(dir, name, UnlinkatFlags::NoRemoveDir)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
