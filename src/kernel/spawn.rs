//! Starting a program in a clean child: fork(2) and execve(2), with nothing inherited by accident.
#![allow(unsafe_code)]

use std::ffi::{OsString, c_int};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::errno_of;
use super::process::{Child, kill, pidfd_open};
use super::{Errno, Result};

/// Where a standard stream of a new process leads.
#[derive(Debug, Clone, Copy, Default)]
pub enum Stream<'fd> {
    /// The parent's own.
    #[default]
    Inherit,
    /// `/dev/null`.
    Null,
    /// A copy of this descriptor.
    Fd(BorrowedFd<'fd>),
}

impl Stream<'_> {
    fn to_stdio(self) -> io::Result<Stdio> {
        Ok(match self {
            Stream::Inherit => Stdio::inherit(),
            Stream::Null => Stdio::null(),
            Stream::Fd(fd) => fd.try_clone_to_owned()?.into(),
        })
    }
}

/// What [`spawn`] starts, and how. Every child begins with no signal blocked, all dispositions at
/// their default, and no descriptor but its standard streams and those in `inherit`.
#[derive(Debug, Clone, Default)]
pub struct SpawnSpec<'fd> {
    /// The program; a name without a slash is looked for in `PATH`.
    pub program: PathBuf,
    /// `argv[0]`, if it shall differ from `program`.
    pub argv0: Option<OsString>,
    /// The arguments after `argv[0]`.
    pub args: Vec<OsString>,
    /// Variables added to the environment, which is otherwise the parent's.
    pub env: Vec<(OsString, OsString)>,
    /// Descriptors the child gets, each under the number it shall have there.
    pub inherit: Vec<(BorrowedFd<'fd>, RawFd)>,
    /// It leads a process group of its own (setpgid(2)).
    pub process_group: bool,
    /// It leads a session of its own (setsid(2)), and with it a process group.
    pub session: bool,
    /// The terminal on its standard input becomes its controlling one (`TIOCSCTTY`): keys such as
    /// Ctrl-C send signals. With `session`.
    pub controlling_terminal: bool,
    /// The signal it gets when the **thread** that called [`spawn`] ends (`PR_SET_PDEATHSIG`). So call
    /// it from a thread that lives as long as the child shall.
    pub death_signal: Option<i32>,
    /// Where it writes its pid before it executes the program, in memory that others share: whoever
    /// ends meanwhile, they know of it.
    pub announce: Option<&'fd AtomicU64>,
    /// Its standard input.
    pub stdin: Stream<'fd>,
    /// Its standard output.
    pub stdout: Stream<'fd>,
    /// Its standard error.
    pub stderr: Stream<'fd>,
}

/// Starts a program and returns once it has been executed: execve(2)'s errors are given here.
/// `ESRCH` when the parent ended meanwhile, or ignores SIGCHLD and so cannot have children to wait for.
pub fn spawn(spec: &SpawnSpec) -> Result<Child> {
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .envs(spec.env.iter().map(|(name, value)| (name, value)));
    if let Some(argv0) = &spec.argv0 {
        command.arg0(argv0);
    }
    command.stdin(spec.stdin.to_stdio().map_err(errno_of)?);
    command.stdout(spec.stdout.to_stdio().map_err(errno_of)?);
    command.stderr(spec.stderr.to_stdio().map_err(errno_of)?);

    let reserved = reserve(&spec.inherit)?;
    let mut birth = Birth::new(spec);
    // SAFETY: `Birth::clean` makes only async-signal-safe calls and allocates nothing.
    unsafe { command.pre_exec(move || birth.clean().map_err(io::Error::from)) };
    let started = command.spawn().map_err(errno_of);
    drop(reserved);

    let pid = started?.id().cast_signed();
    match pidfd_open(pid) {
        Ok(pidfd) => Ok(Child::new(pid, pidfd)),
        Err(errno) => {
            // It is ours and not yet waited for, so the pid is still its own.
            let _ = kill(pid, libc::SIGKILL);
            // SAFETY: waitpid(2) without a place for the status.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            Err(errno)
        }
    }
}

/// Occupies the target numbers that are free in this process while a child is made, so that the pipe
/// over which std reports a failed exec does not get one of them and is then overwritten in the child.
/// A thread that closes a descriptor meanwhile frees one, and a failed exec may go unseen: few have any.
fn reserve(inherit: &[(BorrowedFd, RawFd)]) -> Result<Vec<OwnedFd>> {
    let mut held = Vec::new();
    for (source, target) in inherit {
        let copy = duplicate_above(source.as_fd().as_raw_fd(), *target)?;
        // SAFETY: just made, and owned by nobody else.
        held.push(unsafe { OwnedFd::from_raw_fd(copy) });
    }
    Ok(held)
}

/// fcntl(2) `F_DUPFD_CLOEXEC`: a copy numbered `least` or above. Async-signal-safe.
fn duplicate_above(fd: RawFd, least: RawFd) -> Result<RawFd> {
    // SAFETY: takes and gives integers.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, least) })
}

/// What is done in the child between fork(2) and execve(2).
struct Birth {
    /// Source and target numbers.
    inherit: Vec<(RawFd, RawFd)>,
    /// Above all targets.
    clear_of_targets: RawFd,
    process_group: bool,
    session: bool,
    controlling_terminal: bool,
    death_signal: Option<c_int>,
    announce: Option<Word>,
    parent: libc::pid_t,
    last_signal: c_int,
}

/// A word of the parent's, which lives until the child has begun.
struct Word(*const AtomicU64);

// SAFETY: an atomic may be used from any thread.
unsafe impl Send for Word {}
// SAFETY: the same.
unsafe impl Sync for Word {}

impl Birth {
    fn new(spec: &SpawnSpec) -> Birth {
        let highest = spec
            .inherit
            .iter()
            .map(|(_, target)| *target)
            .max()
            .unwrap_or(0);
        Birth {
            inherit: spec
                .inherit
                .iter()
                .map(|(source, target)| (source.as_raw_fd(), *target))
                .collect(),
            clear_of_targets: highest.max(2).saturating_add(1),
            process_group: spec.process_group,
            session: spec.session,
            controlling_terminal: spec.controlling_terminal,
            death_signal: spec.death_signal,
            announce: spec.announce.map(|word| Word(word)),
            parent: std::process::id().cast_signed(),
            last_signal: libc::SIGRTMAX(),
        }
    }

    /// Only async-signal-safe calls (signal-safety(7)) and no allocation: another thread of the parent
    /// may have held the allocator's lock when it was forked.
    fn clean(&mut self) -> Result<()> {
        if self.session {
            // SAFETY: takes nothing.
            Errno::result(unsafe { libc::setsid() })?;
        } else if self.process_group {
            // SAFETY: takes integers.
            Errno::result(unsafe { libc::setpgid(0, 0) })?;
        }
        if self.controlling_terminal {
            // The standard streams are in their places by now.
            // SAFETY: takes integers; 0 steals it from no other session.
            Errno::result(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
        }
        self.announce();
        self.tie_to_parent()?;
        self.place_descriptors()?;
        self.clean_signals();
        Ok(())
    }

    fn announce(&self) {
        if let Some(Word(word)) = self.announce {
            let pid = std::process::id();
            // SAFETY: `spec` borrows it until `spawn` returns, which waits for the execve.
            unsafe { &*word }.store(u64::from(pid), Ordering::Release);
        }
    }

    fn tie_to_parent(&self) -> Result<()> {
        if let Some(signal) = self.death_signal {
            super::process::set_death_signal(signal)?;
            // SAFETY: takes nothing.
            if unsafe { libc::getppid() } != self.parent {
                return Err(Errno::ESRCH);
            }
        }
        Ok(())
    }

    /// Gives each inherited descriptor its number, and everything else from 3 on close-on-exec.
    fn place_descriptors(&mut self) -> Result<()> {
        for (source, _) in &mut self.inherit {
            // First all out of the way: a target may be another's source.
            *source = duplicate_above(*source, self.clear_of_targets)?;
        }
        super::cloexec::close_on_exec_all()?;
        for (source, target) in &self.inherit {
            // SAFETY: takes and gives integers. The copy it makes is not close-on-exec.
            Errno::result(unsafe { libc::dup2(*source, *target) })?;
        }
        Ok(())
    }

    fn clean_signals(&self) {
        // The kernel's own call, since the C library refuses the two signals it keeps for itself, and
        // they can be inherited ignored. All zeroes is SIG_DFL without flags, mask or restorer.
        let default = [0u64; 4];
        for signal in 1..=self.last_signal {
            // Refused for SIGKILL and SIGSTOP, which cannot be changed.
            // SAFETY: reads a `struct sigaction` of the kernel's, at most 32 bytes with a mask of 8, and
            // sets no handler.
            unsafe {
                libc::syscall(
                    libc::SYS_rt_sigaction,
                    signal,
                    &raw const default,
                    0usize,
                    8usize,
                );
            }
        }
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset fills the set, sigprocmask reads it; this is the child's only thread.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        }
    }
}
