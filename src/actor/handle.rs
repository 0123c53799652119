//! An actor as the shell sees it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags};
use serde::Serialize;

use super::child::{ALIVE_FD, ARGUMENT, LEDGER_FD, OUTBOX_FD, SOCKET_FD};
use super::outbox::Outbox;
use super::wire::{self, Order, Report};
use crate::inspect::wait::{Observation, Wait, decode, observe};
use crate::kernel::process::{self, Child, Ended, SpawnSpec, Stream};
use crate::kernel::{Errno, poll, signal, socket};
use crate::session::Ledger;

/// An actor.
#[derive(Debug)]
pub struct Actor {
    /// Its name.
    pub name: String,
    child: Child,
    socket: UnixStream,
    outbox: Outbox,
    /// Bytes of reports that are not yet whole.
    arrived: Vec<u8>,
    /// Whole reports, in order. They are large, and handed on.
    reports: VecDeque<Box<Report>>,
    /// The number that the next report will have.
    next: u64,
    /// The number that the next step will get.
    sent: u64,
    /// Whether its last order ended early, so that it drops what continues it.
    broken: bool,
    ended: bool,
    last_seen: Option<(Option<u64>, Observation)>,
}

/// What was seen of an actor.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// It waits for an order.
    Idle,
    /// It runs, or has not been seen twice at the same place.
    Running,
    /// The kernel shows it blocked, twice at the same place.
    Blocked {
        /// The number of its step.
        step: u64,
        /// What it waits for.
        wait: Wait,
    },
    /// The kernel does not let us look.
    Unreadable(io::ErrorKind),
    /// Its process is gone.
    Dead,
}

impl Actor {
    /// Starts its process.
    ///
    /// # Errors
    /// Those of memfd_create(2), socketpair(2), fork(2) and execve(2).
    pub fn start(name: &str, ledger: &Ledger, alive: BorrowedFd) -> io::Result<Actor> {
        let (ours, theirs) = socket::pair()?;
        let outbox = Outbox::create()?;
        let child = process::spawn(&SpawnSpec {
            program: PathBuf::from("/proc/self/exe"),
            argv0: Some("ipcsh".into()),
            args: vec![ARGUMENT.into(), name.into()],
            inherit: vec![
                (theirs.as_fd(), SOCKET_FD),
                (outbox.fd(), OUTBOX_FD),
                (ledger.fd(), LEDGER_FD),
                (alive, ALIVE_FD),
            ],
            process_group: true,
            death_signal: Some(libc::SIGKILL),
            stdin: Stream::Null,
            ..SpawnSpec::default()
        })?;
        let socket = UnixStream::from(ours);
        socket.set_nonblocking(true)?;
        Ok(Actor {
            name: name.to_string(),
            child,
            socket,
            outbox,
            arrived: Vec::new(),
            reports: VecDeque::new(),
            next: 0,
            sent: 0,
            broken: false,
            ended: false,
            last_seen: None,
        })
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// What becomes readable when it has something to say, or is gone.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The number that the next step will get.
    pub fn next_number(&self) -> u64 {
        self.sent
    }

    /// Whether it has steps that have not ended.
    pub fn is_busy(&self) -> bool {
        self.next < self.sent
    }

    /// Whether its process is gone.
    pub fn is_dead(&self) -> bool {
        self.ended
    }

    /// Gives it an order, and the descriptors that the order speaks of.
    ///
    /// # Errors
    /// It is gone.
    pub fn send<S: Serialize>(
        &mut self,
        order: &Order<S>,
        descriptors: &[BorrowedFd],
    ) -> io::Result<()> {
        if order.continues && self.broken {
            return Ok(());
        }
        self.broken = false;
        let mut frame = Vec::new();
        wire::frame(order, &mut frame).map_err(io::Error::other)?;
        self.sent = order.first + order.steps.len() as u64;
        self.last_seen = None;
        let (mut rest, mut descriptors) = (frame.as_slice(), descriptors);
        while !rest.is_empty() {
            match socket::send_with(self.socket.as_fd(), rest, descriptors) {
                // The descriptors go with the first byte.
                Ok(n) => (rest, descriptors) = (&rest[n..], &[]),
                Err(Errno::EAGAIN) => self.wait_writable()?,
                Err(Errno::EINTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// An idle actor reads at once; one that was stopped from outside does not.
    fn wait_writable(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)];
        match poll::poll(&mut fds, Some(Duration::from_secs(10))) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes what it has sent, without waiting. A stream that ends means that it is gone.
    pub fn receive(&mut self) {
        let mut chunk = [0; 64 << 10];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => break self.ended = true,
                Ok(n) => self.arrived.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break self.ended = true,
            }
        }
        let mut arrived = std::mem::take(&mut self.arrived);
        self.take_reports(&mut arrived);
        self.arrived = arrived;
        if self.ended {
            // What it had gathered before it was killed was done.
            self.take_unsent();
        }
    }

    fn take_reports(&mut self, bytes: &mut Vec<u8>) {
        match wire::drain::<Box<Report>>(bytes) {
            Ok(reports) => {
                for report in reports {
                    // One that was read from the outbox before it was sent comes again; one
                    // that is ahead was gathered while others were on their way.
                    if report.number == self.next {
                        self.next = report.number + 1;
                        if !report.passed {
                            // The order ends there; what follows is never run.
                            self.sent = self.next;
                            self.broken = true;
                        }
                        self.reports.push_back(report);
                    }
                }
            }
            // Not a report of this program: its process is not to be trusted.
            Err(_) => {
                self.ended = true;
                let _ = self.child.kill(libc::SIGKILL);
            }
        }
    }

    fn take_unsent(&mut self) {
        if let Ok(mut bytes) = self.outbox.look() {
            self.take_reports(&mut bytes);
        }
    }

    /// The next report that has arrived.
    pub fn next_report(&mut self) -> Option<Box<Report>> {
        self.reports.pop_front()
    }

    /// Looks at it once more. Blocked is said only of what is seen twice, in one sleep.
    pub fn look(&mut self) -> Sighting {
        if self.ended {
            return Sighting::Dead;
        }
        if !self.is_busy() {
            return Sighting::Idle;
        }
        let pid = self.pid();
        let before = self.outbox.running();
        let Ok(seen) = observe(pid, pid) else {
            return Sighting::Dead;
        };
        if let crate::inspect::syscall::SyscallState::Unreadable(kind) = seen.syscall {
            return Sighting::Unreadable(kind);
        }
        let step = self.outbox.running();
        let earlier = self.last_seen.replace((step, seen.clone()));
        let (Some((earlier_step, earlier)), Some(number)) = (earlier, step) else {
            return Sighting::Running;
        };
        if before != step || earlier_step != step {
            return Sighting::Running;
        }
        let Some(call) = earlier.blocked(&seen) else {
            return Sighting::Running;
        };
        let wait = decode(pid, call);
        // What it did before and could not send, behind what it did send. Whether it still
        // sleeps there does not matter: a report is only ever added.
        self.receive();
        self.take_unsent();
        Sighting::Blocked { step: number, wait }
    }

    /// Interrupts its step: a blocked call fails with EINTR, a loop ends.
    pub fn interrupt(&self) {
        // Before its first step it has no handler, and the signal would kill it.
        if self.outbox.running().is_none() {
            return;
        }
        let _ = self.child.kill(signal::CANCEL_SIGNAL);
    }

    /// Ends its process and waits until it is gone.
    pub fn stop(&mut self) -> Option<Ended> {
        let _ = self.child.kill(libc::SIGKILL);
        self.ended = true;
        self.child.wait().ok()
    }

    /// How its process ended, once it is gone.
    pub fn ended(&self) -> Option<Ended> {
        self.child.wait().ok().filter(|_| self.ended)
    }
}
