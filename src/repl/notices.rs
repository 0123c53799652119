//! What happens while a line is being typed: a thread that watches the actors, and one
//! that prints above the line.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustyline::ExternalPrinter;

use super::helper::locked;
use super::screen::{Screen, Show};
use crate::exec::{Engine, Flow};
use crate::kernel::poll::{PollFd, PollFlags, poll};

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

/// Notices that are still to be printed.
///
/// rustyline's printer writes where the cursor happens to stand unless a line is being
/// read. So the board is open only from the prompt's first paint until the line is accepted;
/// what comes before or after is printed by the main thread, which owns the terminal then.
#[derive(Debug, Default)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    notices: VecDeque<String>,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds whole lines.
    pub fn post(&self, lines: String) {
        self.state().notices.push_back(lines);
        self.changed.notify_all();
    }

    /// A line is being read: notices are printed above it.
    pub fn open(&self) {
        self.state().open = true;
        self.changed.notify_all();
    }

    /// No line is being read any more.
    pub fn close(&self) {
        self.state().open = false;
    }

    /// Closes, and takes what nobody has printed.
    pub fn take(&self) -> Vec<String> {
        let mut state = self.state();
        state.open = false;
        state.notices.drain(..).collect()
    }

    #[cfg(test)]
    pub fn is_open(&self) -> bool {
        self.state().open
    }

    /// The next notice that may be printed now.
    fn next(&self) -> String {
        let mut state = self.state();
        loop {
            if state.open
                && let Some(notice) = state.notices.pop_front()
            {
                return notice;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Watches until the session ends; gives the signal that ends it, where one does.
pub(super) fn watch(
    engine: &Mutex<Engine>,
    mut bell: UnixStream,
    board: &Board,
    blocked: &Arc<AtomicUsize>,
    show: Show,
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
            // Out of memory or of descriptors: not as fast as we can, then.
            std::thread::sleep(Duration::from_millis(50));
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
        let mut screen = Screen::new(Vec::new(), show);
        let ran = engine.pump(&mut screen);
        // Before the notice: printing it repaints the prompt.
        blocked.store(engine.counts().1, Ordering::Relaxed);
        if !screen.out.is_empty() {
            // Under the engine's lock, so that the main thread finds it before it goes on.
            board.post(String::from_utf8_lossy(&screen.out).into_owned());
        }
        if let Err(Flow::Signal(signo)) = ran {
            return Some(signo);
        }
    }
}

/// Prints above the line that is being typed. rustyline holds one message and blocks while
/// a completion list or a search is shown, so this is a thread of its own that nobody
/// waits for.
pub(super) fn print(mut printer: impl ExternalPrinter, board: &Board) {
    loop {
        let _ = printer.print(board.next());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_waits_for_the_board_to_open_and_is_given_once() {
        let board = Arc::new(Board::default());
        board.post("a".into());
        board.post("b".into());
        let reader = {
            let board = Arc::clone(&board);
            std::thread::spawn(move || board.next())
        };
        assert!(!reader.is_finished());
        board.open();
        assert_eq!(reader.join().unwrap(), "a");
        assert_eq!(board.take(), ["b"]);
        assert!(board.take().is_empty() && !board.is_open());
    }
}
