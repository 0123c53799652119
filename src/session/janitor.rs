//! The janitor: a small process that outlives the shell by the length of the clean-up.
//!
//! It holds the ledger and the reading end of a pipe. The shell and every actor hold the
//! writing end, and nobody else does, so end of file means that all of them are gone,
//! however they went, and that nothing more will be created.
//!
//! It is no child of the shell, nor of its process group or session: who kills the shell
//! with all its children, or its group, does not kill the janitor.

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use super::ledger::{Ledger, Left};
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::kernel::process::{self, Ended, SpawnSpec};
use crate::kernel::{Errno, Result, inherit, pipe, signal};

/// The hidden argument that makes this program a janitor.
pub const ARGUMENT: &str = "--janitor";

/// What stands behind it once the janitor has left the shell's family.
const DETACHED: &str = "detached";

/// What the kernel shows as its command. It does not contain `ipcsh`, so that
/// `pkill ipcsh` leaves it to do its work.
pub const NAME: &str = "ipc-janitor";

/// Where the janitor finds what it inherits.
const LEDGER_FD: i32 = 3;
const PIPE_FD: i32 = 4;

/// The end of the pipe that keeps the janitor waiting.
#[derive(Debug)]
pub struct Janitor {
    /// Held by the shell, inherited by every actor, closed on exec otherwise.
    alive: OwnedFd,
}

impl Janitor {
    /// Starts it, and returns when it can no longer be killed with the shell's children.
    ///
    /// # Errors
    /// Those of pipe2(2), fork(2) and execve(2).
    pub fn start(ledger: &Ledger) -> Result<Janitor> {
        let (reader, alive) = pipe::create()?;
        detach(ledger, reader.as_fd())?;
        Ok(Janitor { alive })
    }

    /// Starts another one where this was killed. It waits at the same pipe, of which the
    /// actors hold the writing end already: it goes to work when they are gone too.
    ///
    /// # Errors
    /// Those of open(2), fork(2) and execve(2).
    pub fn replace(&self, ledger: &Ledger) -> std::io::Result<()> {
        // A pipe that nobody reads can be opened for reading again, by its writing end.
        let path = format!("/proc/self/fd/{}", self.alive.as_raw_fd());
        let reader = std::fs::File::open(path)?;
        Ok(detach(ledger, reader.as_fd())?)
    }

    /// The descriptor that each actor inherits and never uses. It is in error, for poll(2),
    /// once the janitor is gone.
    pub fn alive(&self) -> BorrowedFd<'_> {
        self.alive.as_fd()
    }

    /// Whether it still runs: a pipe that nobody reads is in error.
    pub fn is_running(&self) -> bool {
        let mut fds = [PollFd::new(self.alive.as_fd(), PollFlags::empty())];
        matches!(poll(&mut fds, Some(Duration::ZERO)), Ok(0))
    }
}

/// A child that starts the janitor and ends, so that init inherits it.
fn detach(ledger: &Ledger, reader: BorrowedFd) -> Result<()> {
    match spawn(ledger.fd(), reader, &[ARGUMENT])?.wait()? {
        Ended::Exited(0) => Ok(()),
        _ => Err(Errno::ECHILD),
    }
}

fn spawn(ledger: BorrowedFd, pipe: BorrowedFd, args: &[&str]) -> Result<process::Child> {
    process::spawn(&SpawnSpec {
        program: PathBuf::from("/proc/self/exe"),
        argv0: Some(NAME.into()),
        args: args.iter().map(Into::into).collect(),
        inherit: vec![(ledger, LEDGER_FD), (pipe, PIPE_FD)],
        session: true,
        ..SpawnSpec::default()
    })
}

/// What the janitor's process does, from start to end; `args` are those behind
/// [`ARGUMENT`], and `end_jobs` ends the processes that the session left.
///
/// # Errors
/// The inherited descriptors are not what they should be: it was started by hand.
pub fn run(
    mut args: impl Iterator<Item = OsString>,
    end_jobs: impl FnOnce(Vec<Left>),
) -> Result<()> {
    process::set_name(NAME)?;
    let ledger = inherit::inherited(LEDGER_FD)?;
    let pipe = inherit::inherited(PIPE_FD)?;
    if args.next().is_none_or(|a| a != DETACHED) {
        spawn(ledger.as_fd(), pipe.as_fd(), &[ARGUMENT, DETACHED])?;
        return Ok(());
    }
    for signo in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        signal::ignore(signo)?;
    }
    let ledger = Ledger::open(ledger)?;
    // Nobody writes: this ends at the end of the pipe, and goes on after an interruption.
    let _ = std::fs::File::from(pipe).read_exact(&mut [0; 1]);
    // First, since they may use what is removed then.
    end_jobs(ledger.jobs().collect());
    ledger.sweep();
    Ok(())
}
