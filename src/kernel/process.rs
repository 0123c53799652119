//! Processes: starting, naming, signalling and waiting for them (pidfd_open(2), waitid(2), prctl(2)).
#![allow(unsafe_code)]

use std::ffi::{CString, c_int};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::poll::{PollFd, PollFlags, poll};
use super::{Errno, Result};

pub use super::spawn::{SpawnSpec, Stream, spawn};

/// clock_gettime(2): when the host was booted, in seconds since the epoch, by the clock as it is now
/// set. Of a time namespace, its own boot: time_namespaces(7).
pub fn boot_time() -> Result<f64> {
    let boot = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME)?);
    let now = Duration::from(clock_gettime(ClockId::CLOCK_REALTIME)?);
    Ok(now.as_secs_f64() - boot.as_secs_f64())
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ended {
    /// By itself, with this exit status.
    Exited(i32),
    /// Killed by the signal of this number, real-time ones included.
    Signaled(i32),
}

/// A child process. Dropping it neither ends nor reaps it.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    pidfd: OwnedFd,
    ended: OnceLock<Ended>,
}

impl Child {
    pub(super) fn new(pid: i32, pidfd: OwnedFd) -> Child {
        Child {
            pid,
            pidfd,
            ended: OnceLock::new(),
        }
    }

    /// Its process id, which is its own until it has been waited for.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A descriptor for it that polls readable once it has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// waitid(2): waits for its end and reaps it. Goes on after `EINTR`. Gives the same again when
    /// called again; `ECHILD` if something else reaped it.
    pub fn wait(&self) -> Result<Ended> {
        loop {
            match self.wait_with(0) {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// waitid(2) with `WNOHANG`: how it ended, if it has; then it is reaped.
    pub fn try_wait(&self) -> Result<Option<Ended>> {
        self.wait_with(libc::WNOHANG)
    }

    /// Waits for its end so long at most, or until a signal is caught, and reaps it. While somebody
    /// traces it (ptrace(2)), its end may be theirs to see first, for as long as they like.
    pub fn wait_within(&self, timeout: Duration) -> Result<Option<Ended>> {
        let mut fds = [PollFd::new(self.pidfd(), PollFlags::POLLIN)];
        match poll(&mut fds, Some(timeout)) {
            Ok(_) | Err(Errno::EINTR) => self.try_wait(),
            Err(e) => Err(e),
        }
    }

    fn wait_with(&self, flags: c_int) -> Result<Option<Ended>> {
        if let Some(ended) = self.ended.get() {
            return Ok(Some(*ended));
        }
        // SAFETY: plain data; all zeroes is a value of it, which stays when there is nothing to tell.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let fd = self.pidfd.as_raw_fd().cast_unsigned();
        // SAFETY: `info` lives through the call, which fills it.
        Errno::result(unsafe {
            libc::waitid(libc::P_PIDFD, fd, &mut info, libc::WEXITED | flags)
        })?;
        if info.si_signo == 0 {
            return Ok(None);
        }
        // SAFETY: waitid filled it for SIGCHLD, which carries a status.
        let status = unsafe { info.si_status() };
        let ended = match info.si_code {
            libc::CLD_EXITED => Ended::Exited(status),
            _ => Ended::Signaled(status),
        };
        Ok(Some(*self.ended.get_or_init(|| ended)))
    }

    /// waitid(2) with `WSTOPPED|WNOWAIT`: the signal that has stopped it, if one has; it stays told.
    pub fn stopped_by(&self) -> Result<Option<i32>> {
        // SAFETY: plain data; all zeroes is a value of it, which stays when there is nothing to tell.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let fd = self.pidfd.as_raw_fd().cast_unsigned();
        let flags = libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: `info` lives through the call, which fills it.
        Errno::result(unsafe { libc::waitid(libc::P_PIDFD, fd, &mut info, flags) })?;
        if info.si_signo == 0 {
            return Ok(None);
        }
        // SAFETY: waitid filled it for SIGCHLD, which carries a status.
        Ok(Some(unsafe { info.si_status() }))
    }

    /// pidfd_send_signal(2): signals this very process, never one that got its pid later. `ESRCH` once
    /// it has been reaped.
    pub fn kill(&self, signo: i32) -> Result<()> {
        pidfd_send_signal(&self.pidfd, signo)
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd()
    }
}

/// pidfd_open(2): a descriptor for a process, close-on-exec. `ESRCH` when there is none.
pub fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    // SAFETY: takes and gives integers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: just made, and owned by nobody else; descriptors fit in a C int.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// pidfd_send_signal(2): signals the process behind a descriptor; 0 only asks. `ESRCH`, `EPERM`,
/// `EINVAL`.
pub fn pidfd_send_signal(pidfd: &impl AsFd, signo: i32) -> Result<()> {
    let fd = pidfd.as_fd().as_raw_fd();
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: takes integers, and no siginfo.
    Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signo, no_info, 0) })
        .map(drop)
}

/// pidfd_getfd(2): a copy of another process's descriptor, close-on-exec. Needs ptrace access:
/// `EPERM`; `EBADF` when it has no such descriptor, `ESRCH`.
pub fn pidfd_getfd(pidfd: &impl AsFd, fd: i32) -> Result<OwnedFd> {
    let pidfd = pidfd.as_fd().as_raw_fd();
    // SAFETY: takes and gives integers.
    let copy = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, fd, 0) })?;
    // SAFETY: just made, and owned by nobody else; descriptors fit in a C int.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as c_int) })
}

/// kill(2): signals a process, or a group for a `pid` below 0; 0 only asks. `ESRCH`, `EPERM`, `EINVAL`.
pub fn kill(pid: i32, signo: i32) -> Result<()> {
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::kill(pid, signo) }).map(drop)
}

/// getpgid(2): the group that a process belongs to, as the pid of its leader. `ESRCH`.
pub fn process_group(pid: i32) -> Result<i32> {
    // SAFETY: takes and gives integers.
    Errno::result(unsafe { libc::getpgid(pid) })
}

/// `PR_SET_NAME`: the thread's name, as `comm` in `/proc`; cut to 15 bytes. `EINVAL` for a NUL in it.
pub fn set_name(name: &str) -> Result<()> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    nix::sys::prctl::set_name(&name)
}

/// `PR_SET_PDEATHSIG`: the signal this process gets when the thread that started it ends; 0 for none.
/// Async-signal-safe.
pub fn set_death_signal(signo: i32) -> Result<()> {
    let signo = libc::c_ulong::try_from(signo).map_err(|_| Errno::EINVAL)?;
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signo) }).map(drop)
}

/// geteuid(2): the effective user.
pub fn geteuid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

#[cfg(test)]
mod tests;
