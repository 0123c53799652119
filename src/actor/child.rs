//! An actor's process, from start to end.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use super::outbox::Outbox;
use super::wire::{self, Order, Report};
use crate::kernel::{inherit, process, signal};
use crate::session::Ledger;

/// The hidden argument that makes this program an actor; its name follows.
pub const ARGUMENT: &str = "--actor";

/// Where the actor finds what it inherits.
pub(super) const SOCKET_FD: i32 = 3;
pub(super) const OUTBOX_FD: i32 = 4;
pub(super) const LEDGER_FD: i32 = 5;
/// Held and never used: its end tells the janitor that this process is gone.
pub(super) const ALIVE_FD: i32 = 6;

/// What runs the steps.
pub trait Runner {
    /// Takes over what changed elsewhere in the session.
    fn prepare(&mut self, order: &mut Order);
    /// Does one step of the order.
    fn step(&mut self, order: &Order, place: usize) -> Report;
}

/// Serves the shell until it is gone. `runner` makes what runs the steps from the
/// session's ledger.
///
/// # Errors
/// The inherited descriptors are not what they should be: it was started by hand.
pub fn serve<R: Runner>(name: &str, runner: impl FnOnce(Ledger) -> R) -> io::Result<()> {
    process::set_name(name)?;
    signal::install_cancel_handler(signal::CANCEL_SIGNAL)?;
    let mut inbox = Inbox::new(UnixStream::from(inherit::inherited(SOCKET_FD)?));
    let outbox = Outbox::open(inherit::inherited(OUTBOX_FD)?)?;
    let ledger = Ledger::open(inherit::inherited(LEDGER_FD)?)?;
    let _alive = inherit::inherited(ALIVE_FD)?;
    let mut runner = runner(ledger);
    let mut frame = Vec::new();
    let mut broken = false;
    while let Some(mut order) = inbox.next()? {
        if order.continues && broken {
            continue;
        }
        broken = false;
        signal::clear_cancelled();
        runner.prepare(&mut order);
        for place in 0..order.steps.len() {
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
    chunk: Box<[u8]>,
}

impl Inbox {
    fn new(socket: UnixStream) -> Inbox {
        Inbox {
            socket,
            arrived: Vec::new(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
        }
    }

    /// The next order; `None` when the shell is gone. A cancelling signal that comes
    /// between two steps is none of its business.
    fn next(&mut self) -> io::Result<Option<Order>> {
        loop {
            if let Some(order) = wire::first(&mut self.arrived).map_err(io::Error::other)? {
                return Ok(Some(order));
            }
            match self.socket.read(&mut self.chunk) {
                Ok(0) => return Ok(None),
                Ok(n) => self.arrived.extend_from_slice(&self.chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(e) => return Err(e),
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
