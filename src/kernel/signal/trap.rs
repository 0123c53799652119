//! What this process does with a signal: nothing, the default, or count it and note it (sigaction(2)).
//!
//! What is caught is counted in memory that another process may read, and noted as a record in a pipe.
//! The handler makes only async-signal-safe calls (signal-safety(7)): it adds to atomics and writes to a
//! descriptor that does not block.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::super::{Errno, Result, pipe};
use super::{CANCEL_SIGNAL, SignalInfo, pending};

/// What a process does with a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// `SIG_DFL`: what the signal does by itself.
    Default,
    /// `SIG_IGN`: nothing.
    Ignore,
    /// A handler runs.
    Catch {
        /// `SA_RESTART`: a system call that it interrupts goes on afterwards, as far as signal(7) lets
        /// it, instead of failing with `EINTR`.
        restart: bool,
    },
}

/// Whose a signal is that a user can neither trap nor block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reserved {
    /// The shell's: [`CANCEL_SIGNAL`] interrupts a blocked step.
    Shell,
    /// The C library's: 32 and 33 serve its threads.
    CLibrary,
}

/// Whose a signal is, where it is reserved.
pub fn reserved(signo: i32) -> Option<Reserved> {
    match signo {
        CANCEL_SIGNAL => Some(Reserved::Shell),
        _ if signo >= 32 && signo < libc::SIGRTMIN() => Some(Reserved::CLibrary),
        _ => None,
    }
}

/// Why a disposition was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrapError {
    /// The signal is not the user's.
    #[error("the signal is reserved")]
    Reserved(Reserved),
    /// The kernel said so.
    #[error(transparent)]
    Kernel(#[from] Errno),
}

/// How many words [`Counts`] needs.
pub const COUNT_WORDS: usize = 66;
/// The place of all deliveries; each signal's own is at its number.
const TOTAL: usize = 0;
/// The place of the records that found no room.
const LOST: usize = 65;

/// The counts of what was caught, in memory that processes share.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'m>(&'m [AtomicU64]);

impl<'m> Counts<'m> {
    /// The first [`COUNT_WORDS`] of these words, which shall be 0 at first. `EINVAL` when they are fewer.
    pub fn new(words: &'m [AtomicU64]) -> Result<Counts<'m>> {
        let words = words.get(..COUNT_WORDS).ok_or(Errno::EINVAL)?;
        Ok(Counts(words))
    }

    /// How often the handler has run for a signal; 0 for a number that is none.
    pub fn of(self, signo: i32) -> u64 {
        match usize::try_from(signo) {
            Ok(place @ 1..LOST) => self.0[place].load(Ordering::Acquire),
            _ => 0,
        }
    }

    /// How often it has run.
    pub fn total(self) -> u64 {
        self.0[TOTAL].load(Ordering::Acquire)
    }

    /// How many records found the pipe full, and so are counted only.
    pub fn lost(self) -> u64 {
        self.0[LOST].load(Ordering::Acquire)
    }

    /// Counts one more, and gives how many that makes.
    fn add(self, place: usize) -> u64 {
        self.0[place].fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// A signal that was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caught {
    /// The signal, and who sent it.
    pub info: SignalInfo,
    /// The how manieth it was, from 1: where one is missing, its record was lost. In a process with
    /// several threads two may stand in the pipe in the other order.
    pub sequence: u64,
}

impl Caught {
    /// Bytes of a record; as `PIPE_BUF` is larger, a pipe takes it whole or not at all.
    pub const SIZE: usize = 32;

    fn to_bytes(self) -> [u8; Caught::SIZE] {
        let info = self.info;
        let mut bytes = [0; Caught::SIZE];
        bytes[..8].copy_from_slice(&self.sequence.to_ne_bytes());
        bytes[8..12].copy_from_slice(&info.signo.to_ne_bytes());
        bytes[12..16].copy_from_slice(&info.code.to_ne_bytes());
        bytes[16..20].copy_from_slice(&info.pid.to_ne_bytes());
        bytes[20..24].copy_from_slice(&info.uid.to_ne_bytes());
        bytes[24..28].copy_from_slice(&info.value.to_ne_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; Caught::SIZE]) -> Caught {
        let word = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let mut sequence = [0; 8];
        sequence.copy_from_slice(&bytes[..8]);
        Caught {
            sequence: u64::from_ne_bytes(sequence),
            info: SignalInfo {
                signo: i32::from_ne_bytes(word(8)),
                code: i32::from_ne_bytes(word(12)),
                pid: i32::from_ne_bytes(word(16)),
                uid: u32::from_ne_bytes(word(20)),
                value: i32::from_ne_bytes(word(24)),
            },
        }
    }
}

/// What has come through the pipe of [`install_sink`]. Never waits: poll for that, where POLLHUP says
/// that the other process is gone.
pub fn caught(pipe: &impl AsFd) -> Result<Vec<Caught>> {
    let mut caught = Vec::new();
    loop {
        let bytes = match pipe::try_read(pipe, 128 * Caught::SIZE) {
            Ok(bytes) if !bytes.is_empty() => bytes,
            Ok(_) | Err(Errno::EAGAIN) => return Ok(caught),
            Err(errno) => return Err(errno),
        };
        let (records, _) = bytes.as_chunks();
        caught.extend(records.iter().map(Caught::from_bytes));
    }
}

/// Where the handler counts and notes.
#[derive(Debug)]
struct Sink {
    counts: Counts<'static>,
    pipe: OwnedFd,
    /// Nobody reads any more.
    broken: AtomicBool,
    /// Not a child between fork(2) and execve(2), which has the handlers too.
    pid: u32,
}

static SINK: OnceLock<Sink> = OnceLock::new();

/// Says where what is caught shall go: counts to these words, records to the writing end of this pipe,
/// which becomes non-blocking. To be called once, before [`set`] catches anything; a leaked
/// [`SharedMemory`](super::super::shared::SharedMemory) has such words. `EINVAL` for fewer than
/// [`COUNT_WORDS`] or a descriptor that is no pipe, `EBUSY` the second time.
pub fn install_sink(counts: &'static [AtomicU64], pipe: OwnedFd) -> Result<()> {
    let counts = Counts::new(counts)?;
    pipe::identity(&pipe)?;
    let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    let sink = Sink {
        counts,
        pipe,
        broken: AtomicBool::new(false),
        pid: std::process::id(),
    };
    SINK.set(sink).map_err(|_| Errno::EBUSY)
}

/// The handler. It runs with every signal blocked, so never inside itself.
extern "C" fn note(signo: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: with `SA_SIGINFO` the kernel hands over one that lives as long as the handler runs.
    let info = SignalInfo::from_kernel(unsafe { &*info });
    if is_fault(signo, info.code) {
        // To go back would be to fault again, for ever. Its default ends the process, as it must.
        let _ = super::default(signo);
    }
    if let Some(sink) = SINK.get()
        && sink.pid == std::process::id()
    {
        sink.take(info);
    }
    Errno::set_raw(errno);
}

/// Whether the process itself made an instruction that failed, and will make it again.
fn is_fault(signo: c_int, code: c_int) -> bool {
    let by_instruction = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];
    code > 0 && by_instruction.contains(&signo)
}

impl Sink {
    /// Async-signal-safe.
    fn take(&self, info: SignalInfo) {
        let sequence = self.counts.add(TOTAL);
        if !self.post(&Caught { info, sequence }.to_bytes()) {
            self.counts.add(LOST);
        }
        // Last: who sees it counted finds it noted.
        if let Ok(place @ 1..LOST) = usize::try_from(info.signo) {
            self.counts.add(place);
        }
    }

    /// Whether the record is in the pipe.
    fn post(&self, record: &[u8; Caught::SIZE]) -> bool {
        if self.broken.load(Ordering::Relaxed) {
            return false;
        }
        let fd = self.pipe.as_raw_fd();
        // SAFETY: reads the record, which lives through the call.
        let written = unsafe { libc::write(fd, record.as_ptr().cast(), record.len()) };
        if written < 0 && Errno::last() == Errno::EPIPE {
            self.broken.store(true, Ordering::Relaxed);
            // It is of our own making, and blocked while the handler runs.
            pending::discard(libc::SIGPIPE);
        }
        usize::try_from(written) == Ok(record.len())
    }
}

/// sigaction(2) with the handler, and every signal blocked while it runs.
fn catch(signo: i32, restart: bool) -> Result<()> {
    // SAFETY: plain data; all zeroes is a value of it.
    let mut action: libc::sigaction = unsafe { zeroed() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = note;
    action.sa_sigaction = handler as libc::sighandler_t;
    // On the stack that std has prepared for a thread's own overflow, where there is one.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    if restart {
        action.sa_flags |= libc::SA_RESTART;
    }
    // SAFETY: sigfillset fills the mask; `action` is read, and its handler is async-signal-safe.
    Errno::result(unsafe {
        libc::sigfillset(&mut action.sa_mask);
        libc::sigaction(signo, &action, std::ptr::null_mut())
    })
    .map(drop)
}

/// sigaction(2): what this process does with a signal now. The two of the C library give `EINVAL`, as
/// does a number that is none.
pub fn get(signo: i32) -> Result<Disposition> {
    // SAFETY: plain data; all zeroes is a value of it.
    let mut action: libc::sigaction = unsafe { zeroed() };
    // SAFETY: sets nothing, and fills `action`, which lives through the call.
    Errno::result(unsafe { libc::sigaction(signo, std::ptr::null(), &mut action) })?;
    Ok(match action.sa_sigaction {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignore,
        _ => Disposition::Catch {
            restart: action.sa_flags & libc::SA_RESTART != 0,
        },
    })
}

/// sigaction(2): says what this process shall do with a signal from now on, and gives what it did. To
/// ignore a signal, or to give it a default that is to ignore it, also drops it where it is pending.
///
/// `EINVAL` for KILL, STOP and a number that is none; `ENXIO` for catching without [`install_sink`].
///
/// # Errors
/// [`TrapError::Reserved`] for the shell's own signal and the C library's.
pub fn set(signo: i32, to: Disposition) -> std::result::Result<Disposition, TrapError> {
    if let Some(owner) = reserved(signo) {
        return Err(TrapError::Reserved(owner));
    }
    let before = get(signo)?;
    match to {
        Disposition::Default => super::default(signo)?,
        Disposition::Ignore => super::ignore(signo)?,
        Disposition::Catch { .. } if SINK.get().is_none() => return Err(Errno::ENXIO.into()),
        Disposition::Catch { restart } => catch(signo, restart)?,
    }
    Ok(before)
}

#[cfg(test)]
mod tests;
