//! Descriptors that a program was started with.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use super::Result;

/// Takes over a descriptor that [`super::process::spawn`] gave to this program, and closes it on
/// exec from here on. To be called once for a number. `EBADF` where there is no such descriptor.
pub fn inherited(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: the parent put it there for this program, and nobody else takes it over.
    let owned = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    fcntl(owned, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    // SAFETY: fcntl has just found it open, and nobody else takes it over.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
