//! An actor as the shell sees it.

mod sighting;

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

pub use sighting::Sighting;

use super::child::{
    ALIVE_FD, ARGUMENT, CAUGHT_FD, COUNTS_FD, HOLDS_FD, LEDGER_FD, OUTBOX_FD, SOCKET_FD,
};
use super::outbox::Outbox;
use super::reports::Reports;
use super::wire::{self, Order, Report};
use crate::inspect::wait::Observation;
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::kernel::process::{self, Child, Ended, SpawnSpec, Stream};
use crate::kernel::shared::SharedMemory;
use crate::kernel::signal::trap::{self, Caught};
use crate::kernel::{Errno, fds, pipe, signal, socket};
use crate::session::{Holds, Ledger};

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// How long an answer is waited for before anything else is looked at. The kernel rounds it
/// up to a tick.
const SOON: Duration = Duration::from_micros(300);

/// How long the end of a process that was killed is waited for.
const WAY_OUT: Duration = Duration::from_secs(2);

/// An actor.
#[derive(Debug)]
pub struct Actor {
    /// Its name.
    pub name: String,
    pid: i32,
    /// What leads to its process, until that is buried: a session may have had thousands.
    line: Option<Line>,
    /// Bytes of reports that are not yet whole.
    arrived: Vec<u8>,
    reports: Reports,
    /// Whether its stream has ended, as it does when its process does.
    gone: bool,
    last_seen: Option<(Option<u64>, Observation)>,
}

/// What leads to an actor's process.
#[derive(Debug)]
struct Line {
    child: Child,
    socket: UnixStream,
    outbox: Outbox,
    /// How often it has caught which signal.
    counts: SharedMemory,
    /// Where it tells of each.
    caught: OwnedFd,
    /// What it holds of semaphores.
    holds: Holds,
    chunk: Box<[u8]>,
}

impl Line {
    /// An idle actor reads at once; one that was stopped from outside does not.
    fn wait_writable(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut fds, Some(Duration::from_secs(10))) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

impl Actor {
    /// Starts its process.
    ///
    /// # Errors
    /// Those of memfd_create(2), socketpair(2), fork(2) and execve(2).
    pub fn start(name: &str, ledger: &Ledger, alive: BorrowedFd) -> io::Result<Actor> {
        let (ours, theirs) = socket::pair()?;
        let outbox = Outbox::create()?;
        let counts = SharedMemory::create("ipcsh-signals", trap::COUNT_WORDS * 8)?;
        let holds = Holds::create()?;
        let (caught, tells) = pipe::create()?;
        fds::set_nonblocking(&tells, true)?;
        fds::set_nonblocking(&caught, true)?;
        let child = process::spawn(&SpawnSpec {
            program: PathBuf::from("/proc/self/exe"),
            argv0: Some("ipcsh".into()),
            args: vec![ARGUMENT.into(), name.into()],
            inherit: vec![
                (theirs.as_fd(), SOCKET_FD),
                (outbox.fd(), OUTBOX_FD),
                (ledger.fd(), LEDGER_FD),
                (alive, ALIVE_FD),
                (counts.fd(), COUNTS_FD),
                (tells.as_fd(), CAUGHT_FD),
                (holds.fd(), HOLDS_FD),
            ],
            process_group: true,
            death_signal: Some(libc::SIGKILL),
            stdin: Stream::Null,
            ..SpawnSpec::default()
        })?;
        let socket = UnixStream::from(ours);
        socket.set_read_timeout(Some(SOON))?;
        Ok(Actor {
            name: name.to_string(),
            pid: child.pid(),
            line: Some(Line {
                child,
                socket,
                outbox,
                counts,
                caught,
                holds,
                chunk: vec![0; CHUNK].into_boxed_slice(),
            }),
            arrived: Vec::new(),
            reports: Reports::default(),
            gone: false,
            last_seen: None,
        })
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// What becomes readable when it has something to say, is gone, or has caught a signal.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let line = self.line.iter();
        line.flat_map(|line| [line.socket.as_fd(), line.caught.as_fd()])
    }

    /// The signals that it has caught since this was last asked.
    pub fn caught(&self) -> Vec<Caught> {
        let line = self.line.as_ref();
        line.and_then(|line| trap::caught(&line.caught).ok())
            .unwrap_or_default()
    }

    /// How often it has caught a signal.
    pub fn count(&self, signo: i32) -> u64 {
        let counts = self.line.as_ref().map(|line| line.counts.words());
        counts
            .and_then(|words| trap::Counts::new(words).ok())
            .map_or(0, |counts| counts.of(signo))
    }

    /// What it holds of semaphores; `None` where it is gone, and gives nothing back.
    pub fn holds(&self) -> Option<&Holds> {
        self.line.as_ref().map(|line| &line.holds)
    }

    /// The number of the step that it is at.
    fn running(&self) -> Option<u64> {
        self.line.as_ref()?.outbox.running()
    }

    fn signal(&self, signo: i32) {
        if let Some(line) = &self.line {
            let _ = line.child.kill(signo);
        }
    }

    /// The number that the next step will get.
    pub fn next_number(&self) -> u64 {
        self.reports.next_number()
    }

    /// Whether it has steps that have not ended.
    pub fn is_busy(&self) -> bool {
        self.reports.is_awaited()
    }

    /// Whether its process is gone.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Gives it an order, and the descriptors that the order speaks of.
    ///
    /// # Errors
    /// `BrokenPipe`: it is gone, and does none of the order. `TimedOut`: it was stopped from
    /// outside, and takes no more.
    pub fn send<S: Serialize>(
        &mut self,
        order: &Order<S>,
        descriptors: &[BorrowedFd],
    ) -> io::Result<()> {
        if order.continues && self.reports.is_broken() {
            return Ok(());
        }
        let mut frame = Vec::new();
        wire::frame(order, &mut frame).map_err(io::Error::other)?;
        if let Err(e) = self.write(&frame, descriptors) {
            // Part of an order may have been taken, and what follows would be read as its rest.
            self.gone |= e.kind() != io::ErrorKind::BrokenPipe;
            return Err(e);
        }
        self.reports.given(order.first + order.answers() as u64);
        self.last_seen = None;
        Ok(())
    }

    /// Writes all of it; the descriptors go with the first byte.
    fn write(&self, frame: &[u8], descriptors: &[BorrowedFd]) -> io::Result<()> {
        let line = self.line.as_ref().ok_or(Errno::EPIPE)?;
        let (mut rest, mut descriptors) = (frame, descriptors);
        while !rest.is_empty() {
            let how = socket::Send {
                nowait: true,
                descriptors,
                ..socket::Send::default()
            };
            match socket::send(&line.socket, rest, &how) {
                Ok(n) => (rest, descriptors) = (&rest[n..], &[]),
                Err(Errno::EAGAIN) => line.wait_writable()?,
                Err(Errno::EINTR) => {}
                Err(Errno::ECONNRESET) => return Err(Errno::EPIPE.into()),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Takes what it has sent, without waiting. A stream that ends means that it is gone.
    pub fn receive(&mut self) {
        while let Some(line) = &mut self.line {
            match fds::take(&line.socket, &mut line.chunk) {
                Err(Errno::EINTR) => {}
                got => {
                    // Less than there is room for was all there was.
                    if !self.took(got.map_err(io::Error::from)) {
                        break;
                    }
                }
            }
        }
        self.take_arrived();
    }

    /// Takes what it sends within a moment, and sleeps until then: the answer of a step that
    /// does not block costs one call.
    pub fn receive_soon(&mut self) {
        let Some(line) = &mut self.line else {
            return;
        };
        let got = line.socket.read(&mut line.chunk);
        if self.took(got) {
            self.receive();
        } else {
            self.take_arrived();
        }
    }

    /// Notes what one read gave; `true` where there may be more.
    fn took(&mut self, got: io::Result<usize>) -> bool {
        match got {
            Ok(0) => self.gone = true,
            Ok(n) => {
                let chunk = self.line.as_ref().map_or(&[][..], |line| &line.chunk);
                self.arrived.extend_from_slice(&chunk[..n]);
                return n == chunk.len();
            }
            Err(e) => {
                let later = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
                self.gone |= !later.contains(&e.kind());
            }
        }
        false
    }

    fn take_arrived(&mut self) {
        let mut arrived = std::mem::take(&mut self.arrived);
        self.take_reports(&mut arrived);
        self.arrived = arrived;
        if self.gone {
            // What it had gathered before it was killed was done.
            self.take_unsent();
        }
    }

    fn take_reports(&mut self, bytes: &mut Vec<u8>) {
        if self.reports.take(bytes).is_err() {
            self.gone = true;
            self.signal(libc::SIGKILL);
        }
    }

    /// Takes what it has done and has not sent yet, behind what it did send. Whether it goes on meanwhile
    /// does not matter: a report is only ever added.
    pub fn receive_unsent(&mut self) {
        self.receive();
        self.take_unsent();
    }

    fn take_unsent(&mut self) {
        let look = self.line.as_ref().map(|line| line.outbox.look());
        if let Some(Ok(mut bytes)) = look {
            self.take_reports(&mut bytes);
        }
    }

    /// Whether a report has arrived.
    pub fn has_report(&self) -> bool {
        self.reports.is_told()
    }

    /// The next report that has arrived.
    pub fn next_report(&mut self) -> Option<Box<Report>> {
        self.reports.pop()
    }

    /// Interrupts its step: a blocked call fails with EINTR, a loop ends.
    pub fn interrupt(&self) {
        // Before its first step it has no handler, and the signal would kill it.
        if self.running().is_none() {
            return;
        }
        self.signal(signal::CANCEL_SIGNAL);
    }

    /// Kills its process and waits until it is gone; how it ended. `None` where the kernel does not
    /// tell soon: a tracer keeps it, or it is in a call that nothing ends.
    pub fn kill(&mut self) -> Option<Ended> {
        self.signal(libc::SIGKILL);
        self.gone = true;
        let child = self.line.take()?.child;
        child.wait_within(WAY_OUT).ok().flatten()
    }
}
