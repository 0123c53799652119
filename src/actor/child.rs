//! An actor's process, from start to end.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::outbox::Outbox;
use super::wire::{self, Order, Report};
use crate::kernel::shared::SharedMemory;
use crate::kernel::signal::trap;
use crate::kernel::{Errno, fds, inherit, process, signal};
use crate::session::files::WIRING;
use crate::session::{Holds, Ledger};

/// The hidden argument that makes this program an actor; its name follows.
pub const ARGUMENT: &str = "--actor";

/// Where the actor finds what it inherits.
pub(super) const SOCKET_FD: i32 = 3;
pub(super) const OUTBOX_FD: i32 = 4;
pub(super) const LEDGER_FD: i32 = 5;
/// Where it counts the signals that it catches: memory that the shell reads.
pub(super) const COUNTS_FD: i32 = 7;
/// Where it tells of each.
pub(super) const CAUGHT_FD: i32 = 8;
/// Where it counts what it holds of semaphores: memory that the shell reads.
pub(super) const HOLDS_FD: i32 = 9;
/// Held and never used: its end tells the janitor that this process is gone.
pub(super) const ALIVE_FD: i32 = 6;

const _: () = assert!(
    *WIRING.start() == SOCKET_FD && *WIRING.end() == HOLDS_FD,
    "the session's wiring"
);

/// What runs the steps.
pub trait Runner {
    /// Takes over what changed elsewhere in the session, and the descriptors that came
    /// with the order: fewer than it speaks of, where this process has no room for them.
    fn prepare(&mut self, order: &mut Order, descriptors: Vec<OwnedFd>);
    /// Does one step of the order; where it has none, takes what it brought.
    fn step(&mut self, order: &Order, place: usize) -> Report;
}

/// Serves the shell until it is gone. `runner` makes what runs the steps from the
/// session's ledger and from where it counts what it holds.
///
/// # Errors
/// The inherited descriptors are not what they should be: it was started by hand.
pub fn serve<R: Runner>(name: &str, runner: impl FnOnce(Ledger, Holds) -> R) -> io::Result<()> {
    process::set_name(name)?;
    signal::install_cancel_handler(signal::CANCEL_SIGNAL)?;
    // Where Rust's runtime was there first (`entry`), it catches them, and so survives them once.
    for signo in [libc::SIGSEGV, libc::SIGBUS] {
        signal::default(signo)?;
    }
    let mut inbox = Inbox::new(UnixStream::from(inherit::inherited(SOCKET_FD)?));
    let outbox = Outbox::open(inherit::inherited(OUTBOX_FD)?)?;
    let ledger = Ledger::open(inherit::inherited(LEDGER_FD)?)?;
    let _alive = inherit::inherited(ALIVE_FD)?;
    // For as long as the process lives: a handler may run at any time.
    let counts = SharedMemory::from_fd(inherit::inherited(COUNTS_FD)?)?;
    let counts: &'static SharedMemory = Box::leak(Box::new(counts));
    trap::install_sink(counts.words(), inherit::inherited(CAUGHT_FD)?)?;
    let holds = Holds::open(inherit::inherited(HOLDS_FD)?)?;
    let mut runner = runner(ledger, holds);
    let mut frame = Vec::new();
    let mut broken = false;
    while let Some((mut order, descriptors)) = inbox.next()? {
        if order.continues && broken {
            continue;
        }
        broken = false;
        signal::clear_cancelled();
        runner.prepare(&mut order, descriptors);
        for place in 0..order.answers() {
            outbox.set_running(Some(order.first + place as u64));
            let report = runner.step(&order, place);
            post(&mut inbox.socket, &outbox, &report, &mut frame)?;
            if !report.passed {
                broken = true;
                break;
            }
        }
        outbox.set_running(None);
        flush(&mut inbox.socket, &outbox)?;
    }
    Ok(())
}

/// How much is read at once: a single step comes in one read.
const CHUNK: usize = 16 << 10;

/// The orders that come from the shell.
struct Inbox {
    socket: UnixStream,
    /// Bytes of orders that are not yet done.
    arrived: Vec<u8>,
    /// Those that came with each order that speaks of descriptors.
    descriptors: VecDeque<Vec<OwnedFd>>,
}

impl Inbox {
    fn new(socket: UnixStream) -> Inbox {
        Inbox {
            socket,
            arrived: Vec::new(),
            descriptors: VecDeque::new(),
        }
    }

    /// The next order with its descriptors; `None` when the shell is gone. A cancelling
    /// signal that comes between two steps is none of its business.
    fn next(&mut self) -> io::Result<Option<(Order, Vec<OwnedFd>)>> {
        loop {
            let order: Option<Order> = wire::first(&mut self.arrived).map_err(io::Error::other)?;
            if let Some(order) = order {
                let descriptors = match order.files.is_empty() {
                    true => Vec::new(),
                    false => self.descriptors.pop_front().unwrap_or_default(),
                };
                return Ok(Some((order, descriptors)));
            }
            let mut came = Vec::new();
            match fds::receive(&self.socket, CHUNK, &mut self.arrived, &mut came) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(None),
                Ok(_) if came.is_empty() => {}
                // Where there is no room for all of them, the order still came.
                Ok(_) | Err(Errno::EMFILE) => self.descriptors.push_back(came),
                Err(e) => return Err(e.into()),
            }
        }
    }
}

fn post(
    socket: &mut UnixStream,
    outbox: &Outbox,
    report: &Report,
    frame: &mut Vec<u8>,
) -> io::Result<()> {
    frame.clear();
    wire::frame(report, frame).map_err(io::Error::other)?;
    if outbox.push(frame)? {
        return Ok(());
    }
    flush(socket, outbox)?;
    match outbox.push(frame)? {
        true => Ok(()),
        // Larger than the whole outbox.
        false => socket.write_all(frame),
    }
}

fn flush(socket: &mut UnixStream, outbox: &Outbox) -> io::Result<()> {
    socket.write_all(&outbox.bytes()?)?;
    outbox.clear();
    Ok(())
}
