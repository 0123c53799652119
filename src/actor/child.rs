//! An actor's process, from start to end.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::outbox::Outbox;
use super::wire::{self, Order, Report};
use crate::kernel::{Errno, inherit, process, signal, socket as sockets};
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
    /// Takes over what changed elsewhere in the session, and the descriptors that came
    /// with the order.
    fn prepare(&mut self, order: &mut Order, descriptors: Vec<OwnedFd>);
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
    let mut socket = UnixStream::from(inherit::inherited(SOCKET_FD)?);
    let outbox = Outbox::open(inherit::inherited(OUTBOX_FD)?)?;
    let ledger = Ledger::open(inherit::inherited(LEDGER_FD)?)?;
    let _alive = inherit::inherited(ALIVE_FD)?;
    let mut runner = runner(ledger);
    let mut frame = Vec::new();
    let mut broken = false;
    while let Some((mut order, descriptors)) = receive(&mut socket, &mut frame)? {
        if order.continues && broken {
            continue;
        }
        broken = false;
        signal::clear_cancelled();
        runner.prepare(&mut order, descriptors);
        for place in 0..order.steps.len() {
            outbox.set_running(Some(order.first + place as u64));
            let report = runner.step(&order, place);
            post(&mut socket, &outbox, &report, &mut frame)?;
            if !report.passed {
                broken = true;
                break;
            }
        }
        outbox.set_running(None);
        flush(&mut socket, &outbox)?;
    }
    Ok(())
}

/// The next order and the descriptors that came with it; `None` when the shell is gone.
fn receive(
    socket: &mut UnixStream,
    frame: &mut Vec<u8>,
) -> io::Result<Option<(Order, Vec<OwnedFd>)>> {
    frame.clear();
    frame.resize(4, 0);
    // Descriptors come with the first byte.
    let (got, descriptors) = loop {
        match sockets::receive_with(socket.as_fd(), frame) {
            Ok((0, _)) => return Ok(None),
            Ok(received) => break received,
            // A cancelling signal that comes between two steps is none of its business.
            Err(Errno::EINTR) => {}
            Err(Errno::ECONNRESET) => return Ok(None),
            Err(e) => return Err(e.into()),
        }
    };
    if !read_all(socket, &mut frame[got..])? {
        return Ok(None);
    }
    let length = wire::frame_length(frame).unwrap_or(4);
    // `take` grows the buffer as bytes arrive, whatever the length claims.
    let mut rest = socket.take(length as u64 - 4);
    while rest.limit() > 0 {
        match rest.read_to_end(frame) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let order = wire::message(frame).map_err(io::Error::other)?;
    Ok(Some((order, descriptors)))
}

/// Fills the buffer; `false` at the end of the stream.
fn read_all(socket: &mut UnixStream, buffer: &mut [u8]) -> io::Result<bool> {
    match socket.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) if e.kind() == io::ErrorKind::ConnectionReset => Ok(false),
        Err(e) => Err(e),
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
