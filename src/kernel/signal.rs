//! Signals to this process: blocking, receiving, ignoring, cancelling (signal(7), signalfd(2)).
#![allow(unsafe_code)]

pub(super) mod info;
mod pending;
mod send;
mod set;
mod table;
pub mod trap;

use std::ffi::c_int;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Errno, Result};

pub use info::SignalInfo;
pub use pending::{blocked, pending, wait};
pub use send::pidfd_sigqueue;
pub use set::SignalSet;
pub use table::{
    DefaultAction, Signal, signal_name, signal_named, signal_number, signals, spellings,
};

/// The signal that interrupts a blocked step: SIGRTMAX, which programs hardly use.
pub const CANCEL_SIGNAL: i32 = 64;

/// The set of these signals. `EINVAL` for a number that is none.
fn set_of(signals: &[i32]) -> Result<libc::sigset_t> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset fills the set, sigaddset changes it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signo in signals {
            Errno::result(libc::sigaddset(set.as_mut_ptr(), signo))?;
        }
        Ok(set.assume_init())
    }
}

/// pthread_sigmask(3).
fn mask(how: c_int, signals: &[i32]) -> Result<()> {
    let set = set_of(signals)?;
    // SAFETY: reads the set; the old one is not asked for.
    match unsafe { libc::pthread_sigmask(how, &set, std::ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno)),
    }
}

/// pthread_sigmask(3): holds these signals back in this thread, and in threads it starts later.
pub fn block(signals: &[i32]) -> Result<()> {
    mask(libc::SIG_BLOCK, signals)
}

/// pthread_sigmask(3): lets these signals through in this thread again.
pub fn unblock(signals: &[i32]) -> Result<()> {
    mask(libc::SIG_UNBLOCK, signals)
}

/// Signals read from a descriptor instead of interrupting (signalfd(2)). They stay blocked when it is
/// dropped.
#[derive(Debug)]
pub struct SignalFd(OwnedFd);

impl SignalFd {
    /// Blocks these signals in this thread and reads them from now on. Call it before other threads
    /// start: a signal to the process is delivered to any thread that does not block it.
    pub fn new(signals: &[i32]) -> Result<SignalFd> {
        let set = set_of(signals)?;
        block(signals)?;
        // SAFETY: reads the set.
        let fd = Errno::result(unsafe {
            libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        })?;
        // SAFETY: just made, and owned by nobody else.
        Ok(SignalFd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next signal, if one is pending. Never waits; poll for that.
    pub fn read(&self) -> Result<Option<SignalInfo>> {
        // SAFETY: plain integers; all zeroes is a value of it.
        let mut info: libc::signalfd_siginfo = unsafe { zeroed() };
        let size = size_of_val(&info);
        // SAFETY: fills at most `size` bytes of it, and it lives through the call.
        let got = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut info).cast(), size) };
        match Errno::result(got) {
            Ok(got) if got.unsigned_abs() == size => Ok(Some(SignalInfo {
                signo: info.ssi_signo.cast_signed(),
                code: info.ssi_code,
                pid: info.ssi_pid.cast_signed(),
                uid: info.ssi_uid,
                value: info.ssi_int,
            })),
            Ok(_) => Err(Errno::EIO),
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// sigaction(2) with an empty mask and no flags: so without `SA_RESTART`.
fn act(signo: i32, handler: libc::sighandler_t) -> Result<()> {
    // SAFETY: plain data; all zeroes is a value of it.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = handler;
    // SAFETY: `action` is read; its handler is SIG_DFL, SIG_IGN or `note_cancel`, which only stores to
    // an atomic.
    Errno::result(unsafe { libc::sigaction(signo, &action, std::ptr::null_mut()) }).map(drop)
}

/// `SIG_IGN`: this process does not notice the signal any more; nor does what it executes.
pub fn ignore(signo: i32) -> Result<()> {
    act(signo, libc::SIG_IGN)
}

/// Whether this process does not notice a signal: whoever started it may have asked for that, as
/// nohup(1) does. `EINVAL` for no signal.
pub fn is_ignored(signo: i32) -> Result<bool> {
    // SAFETY: plain data; all zeroes is a value of it.
    let mut action: libc::sigaction = unsafe { zeroed() };
    // SAFETY: nothing is changed, and `action` has room for what there is.
    Errno::result(unsafe { libc::sigaction(signo, std::ptr::null(), &mut action) })?;
    Ok(action.sa_sigaction == libc::SIG_IGN)
}

/// `SIG_DFL`: the signal does again what it does by itself.
pub fn default(signo: i32) -> Result<()> {
    act(signo, libc::SIG_DFL)
}

/// A signal that does what it does by itself in this process and this thread, for as long as this lives;
/// then it is treated as it was before.
pub(super) struct DefaultFor {
    signo: c_int,
    action: libc::sigaction,
    mask: libc::sigset_t,
}

impl DefaultFor {
    /// `EINVAL` for no signal.
    pub fn new(signo: i32) -> Result<DefaultFor> {
        // SAFETY: plain data; all zeroes is a value of either.
        let (mut action, mut mask) = unsafe { (zeroed(), zeroed()) };
        // SAFETY: nothing is changed, and `action` has room for what there is.
        Errno::result(unsafe { libc::sigaction(signo, std::ptr::null(), &mut action) })?;
        default(signo)?;
        let set = set_of(&[signo])?;
        // SAFETY: reads the set, and `mask` has room for what there was.
        match unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, &mut mask) } {
            0 => Ok(DefaultFor {
                signo,
                action,
                mask,
            }),
            errno => Err(Errno::from_raw(errno)),
        }
    }
}

impl Drop for DefaultFor {
    fn drop(&mut self) {
        // SAFETY: gives back what sigaction(2) and pthread_sigmask(3) gave.
        unsafe {
            libc::sigaction(self.signo, &self.action, std::ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, std::ptr::null_mut());
        }
    }
}

/// Ends this process by a signal, so that its parent sees that signal: restores the default, unblocks
/// it and raises it in this thread. Returns only for a signal whose default is not to end the process.
pub fn raise_default(signo: i32) -> Result<()> {
    default(signo)?;
    // SAFETY: takes an integer.
    Errno::result(unsafe { libc::raise(signo) })?;
    unblock(&[signo])
}

static CANCELLED: AtomicBool = AtomicBool::new(false);

extern "C" fn note_cancel(_: c_int) {
    CANCELLED.store(true, Ordering::SeqCst);
}

/// Makes a signal interrupt the system call it finds (`EINTR`, no `SA_RESTART`) and be remembered for
/// [`cancelled`]. One that comes just before the call does not interrupt it: who cancels sends again
/// until the call has returned.
pub fn install_cancel_handler(signo: i32) -> Result<()> {
    act(
        signo,
        note_cancel as extern "C" fn(c_int) as libc::sighandler_t,
    )
}

/// Whether a cancel signal has come since [`clear_cancelled`].
pub fn cancelled() -> bool {
    CANCELLED.load(Ordering::SeqCst)
}

/// Forgets the cancel signals that have come.
pub fn clear_cancelled() {
    CANCELLED.store(false, Ordering::SeqCst);
}

#[cfg(test)]
pub(super) mod roles;
#[cfg(test)]
mod tests;
