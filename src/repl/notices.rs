//! What happens while a line is being typed: a thread that watches the actors, and one
//! that prints above the line.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use rustyline::ExternalPrinter;

use super::helper::locked;
use crate::data::{Event, Sink};
use crate::exec::{Engine, Flow};
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::view::{Style, lines};

/// Tells the watcher that the actors have changed.
#[derive(Debug)]
pub(super) struct Bell(UnixStream);

impl Bell {
    pub fn pair() -> io::Result<(Bell, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        Ok((Bell(ours), theirs))
    }

    pub fn ring(&mut self) {
        // A full buffer is bell enough.
        let _ = self.0.write(&[1]);
    }
}

/// Events as lines for the printer.
struct Lines<'a> {
    to: &'a Sender<String>,
    style: Style,
}

impl Sink for Lines<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let text = lines(event, self.style, None);
        if !text.is_empty() {
            let _ = self.to.send(text + "\n");
        }
        Ok(())
    }
}

/// Watches until the session ends; gives the signal that ends it, where one does.
pub(super) fn watch(
    engine: &Mutex<Engine>,
    mut bell: UnixStream,
    to: &Sender<String>,
    blocked: &Arc<AtomicUsize>,
    style: Style,
) -> Option<i32> {
    loop {
        // Copies, so that the engine is free while we wait.
        let watched: Vec<OwnedFd> = {
            let engine = locked(engine);
            let fds = engine.descriptors();
            fds.iter()
                .filter_map(|fd| fd.try_clone_to_owned().ok())
                .collect()
        };
        let mut fds: Vec<PollFd> = watched
            .iter()
            .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN))
            .collect();
        fds.push(PollFd::new(bell.as_fd(), PollFlags::POLLIN));
        if poll(&mut fds, None).is_err() {
            continue;
        }
        drop(fds);
        match bell.read(&mut [0; 64]) {
            Ok(0) => return None,
            Ok(_) => continue,
            Err(_) => {}
        }
        // Held by the main thread while a program runs.
        let mut engine = locked(engine);
        let ran = engine.pump(&mut Lines { to, style });
        blocked.store(engine.counts().1, Ordering::Relaxed);
        if let Err(Flow::Signal(signo)) = ran {
            return Some(signo);
        }
    }
}

/// Prints above the line that is being typed. rustyline holds one message and blocks
/// while a completion list is shown, so this is a thread of its own, with a queue.
pub(super) fn print(mut printer: impl ExternalPrinter, lines: &Receiver<String>) {
    while let Ok(text) = lines.recv() {
        let _ = printer.print(text);
    }
}
