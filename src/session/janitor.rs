//! The janitor: a small process that outlives the shell by the length of the clean-up.
//!
//! It holds the ledger and the reading end of a pipe. The shell and every actor hold the
//! writing end, and nobody else does, so end of file means that all of them are gone,
//! however they went, and that nothing more will be created.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use super::ledger::Ledger;
use crate::kernel::process::{self, Child, SpawnSpec};
use crate::kernel::{Result, inherit, signal};

/// The hidden argument that makes this program a janitor.
pub const ARGUMENT: &str = "--janitor";

/// What the kernel shows as its command. It does not contain `ipcsh`, so that
/// `pkill ipcsh` leaves it to do its work.
const NAME: &str = "ipc-janitor";

/// Where the janitor finds what it inherits.
const LEDGER_FD: i32 = 3;
const PIPE_FD: i32 = 4;

/// The janitor, and the end of the pipe that keeps it waiting.
#[derive(Debug)]
pub struct Janitor {
    child: Child,
    /// Held by the shell, inherited by every actor, closed on exec otherwise.
    alive: OwnedFd,
}

impl Janitor {
    /// Starts it.
    ///
    /// # Errors
    /// Those of pipe2(2), fork(2) and execve(2).
    pub fn start(ledger: &Ledger) -> Result<Janitor> {
        let (reader, alive) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let child = process::spawn(&SpawnSpec {
            program: PathBuf::from("/proc/self/exe"),
            argv0: Some(NAME.into()),
            args: vec![ARGUMENT.into()],
            inherit: vec![(ledger.fd(), LEDGER_FD), (reader.as_fd(), PIPE_FD)],
            session: true,
            ..SpawnSpec::default()
        })?;
        Ok(Janitor { child, alive })
    }

    /// The descriptor that each actor inherits and never uses.
    pub fn alive(&self) -> BorrowedFd<'_> {
        self.alive.as_fd()
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets it go when there is nothing left to clean up.
    pub fn dismiss(self) {
        drop(self.alive);
        let _ = self.child.wait();
    }
}

/// What the janitor's process does, from start to end.
///
/// # Errors
/// The inherited descriptors are not what they should be: it was started by hand.
pub fn run() -> Result<()> {
    process::set_name(NAME)?;
    for signo in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        signal::ignore(signo)?;
    }
    let ledger = Ledger::open(inherit::inherited(LEDGER_FD)?)?;
    let mut pipe = std::fs::File::from(inherit::inherited(PIPE_FD)?);
    // Nobody writes; every error but an interruption, which `read` retries, is the end.
    let _ = pipe.read(&mut [0; 1]);
    ledger.sweep();
    Ok(())
}
