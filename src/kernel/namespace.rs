//! Namespaces: namespaces(7), setns(2), unshare(2), and what mounts a tree again elsewhere.
#![allow(unsafe_code)]

use std::ffi::{CString, c_int};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{chroot, fchdir};

use super::{Errno, Result};

/// The kinds of namespace that tell one IPC object from another, and the one that gives power over
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// System V objects and POSIX message queues: ipc_namespaces(7).
    Ipc,
    /// Paths: FIFOs, socket files, `/dev/shm`: mount_namespaces(7).
    Mnt,
    /// Sockets, abstract names among them: network_namespaces(7).
    Net,
    /// Users and capabilities: user_namespaces(7).
    User,
}

impl Kind {
    /// The kernel's word for it, which names its file in `/proc/PID/ns`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ipc => "ipc",
            Kind::Mnt => "mnt",
            Kind::Net => "net",
            Kind::User => "user",
        }
    }

    fn flag(self) -> CloneFlags {
        match self {
            Kind::Ipc => CloneFlags::CLONE_NEWIPC,
            Kind::Mnt => CloneFlags::CLONE_NEWNS,
            Kind::Net => CloneFlags::CLONE_NEWNET,
            Kind::User => CloneFlags::CLONE_NEWUSER,
        }
    }
}

/// setns(2) with a pidfd: moves this thread into these namespaces of a process, all or none. `EPERM`
/// without `CAP_SYS_ADMIN` in the user namespaces that own them; `EINVAL` for a mount or user
/// namespace where this process has other threads, and before Linux 5.8; `ESRCH`.
pub fn join(pidfd: &impl AsFd, kinds: &[Kind]) -> Result<()> {
    let flags = kinds.iter().map(|kind| kind.flag());
    setns(pidfd, flags.fold(CloneFlags::empty(), |all, one| all | one))
}

/// unshare(2) and mount(2): a mount namespace of this process's own, a copy of the present one, from
/// which no mount spreads and into which none comes. `EPERM`.
pub fn own_mounts() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    let none = std::ptr::null();
    // SAFETY: the path ends with a NUL; changing how mounts spread takes nothing else.
    Errno::result(unsafe {
        libc::mount(
            none,
            c"/".as_ptr(),
            none,
            flags,
            std::ptr::null::<libc::c_void>(),
        )
    })
    .map(drop)
}

/// open_tree(2) with `OPEN_TREE_CLONE`: what is mounted at a path and below, mounted once more and
/// nowhere. `EPERM` without `CAP_SYS_ADMIN`, `ENOSYS` before Linux 5.2.
pub fn tree_at(path: &str) -> Result<OwnedFd> {
    /// `OPEN_TREE_CLONE` and `OPEN_TREE_CLOEXEC` of linux/mount.h, `AT_RECURSIVE` of linux/fcntl.h.
    const FLAGS: c_int = 1 | libc::O_CLOEXEC | 0x8000;
    let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the path ends with a NUL.
    let fd = Errno::result(unsafe {
        libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), FLAGS)
    })?;
    // SAFETY: just made, and owned by nobody else; descriptors fit in a C int.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// move_mount(2): mounts a tree of [`tree_at`] at a path. `ENOENT`, `EPERM`, `EINVAL`.
pub fn mount_tree(tree: &impl AsFd, path: &str) -> Result<()> {
    /// `MOVE_MOUNT_F_EMPTY_PATH` of linux/mount.h.
    const FLAGS: c_int = 4;
    let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
    let fd = tree.as_fd().as_raw_fd();
    // SAFETY: both paths end with a NUL.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            fd,
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            FLAGS,
        )
    })
    .map(drop)
}

/// fchdir(2): makes a directory the working one. `EACCES`, `ENOTDIR`.
pub fn stand_in(directory: &impl AsFd) -> Result<()> {
    fchdir(directory)
}

/// chroot(2): the working directory becomes the root. `EPERM` without `CAP_SYS_CHROOT`.
pub fn root_here() -> Result<()> {
    chroot(".")
}
