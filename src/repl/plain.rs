//! The prompt of a terminal that cannot move its cursor: lines in, lines out, no escapes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use super::helper::locked;
use super::prompt;
use super::reading::Reading;
use super::screen::{Screen, Show};
use super::session::Session;
use super::{Setup, greet};
use crate::exec::{Engine, Flow};
use crate::kernel::Errno;
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::script::{Exit, output_exit};
use crate::view::Style;

/// What came while a line was waited for.
enum Came {
    /// A line, with its newline; or the last one, without.
    Line(Vec<u8>),
    /// The end of the input.
    End,
    /// Ctrl-C.
    Interrupt,
    /// Something was printed: the prompt has to be shown again.
    Notice,
    /// The session ends.
    Exit(Exit),
}

/// Lines from standard input, and what happens meanwhile. One thread does both here: the
/// terminal holds a line back until it is whole.
struct Lines {
    /// Not std's, whose buffer poll(2) cannot see into.
    input: File,
    read: Vec<u8>,
}

impl Lines {
    fn next(&mut self, session: &mut Session) -> Came {
        loop {
            if let Some(end) = self.read.iter().position(|b| *b == b'\n') {
                return Came::Line(self.read.drain(..=end).collect());
            }
            let mut engine = locked(&session.engine);
            let watched = engine.descriptors();
            let mut fds = vec![PollFd::new(self.input.as_fd(), PollFlags::POLLIN)];
            fds.extend(watched.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)));
            if let Err(e) = poll(&mut fds, None) {
                match e {
                    Errno::EINTR => continue,
                    _ => return Came::Exit(Exit::Environment),
                }
            }
            let typed = fds[0].any().unwrap_or(false);
            let happened = fds[1..].iter().any(|fd| fd.any().unwrap_or(false));
            drop(fds);
            if happened {
                let mut screen = Screen::new(Vec::new(), session.screen.show);
                let ran = engine.pump(&mut screen);
                if let Err(Flow::Signal(signo)) = ran {
                    let _ = session.screen.out.write_all(b"\n");
                    return Came::Exit(Exit::Signal(signo));
                }
                if engine.take_interrupt() {
                    self.read.clear();
                    return Came::Interrupt;
                }
                if !screen.out.is_empty() {
                    let out = &mut session.screen.out;
                    let written = out
                        .write_all(b"\n")
                        .and_then(|()| out.write_all(&screen.out));
                    return match written {
                        Ok(()) => Came::Notice,
                        Err(e) => Came::Exit(output_exit(&e)),
                    };
                }
            }
            if typed {
                let mut bytes = [0; 4096];
                match self.input.read(&mut bytes) {
                    Ok(0) if self.read.is_empty() => return Came::End,
                    Ok(0) => return Came::Line(std::mem::take(&mut self.read)),
                    Ok(n) => self.read.extend_from_slice(&bytes[..n]),
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Came::End,
                }
            }
        }
    }
}

/// Runs the prompt until the user leaves, or a signal ends it.
///
/// # Errors
/// Standard input cannot be read.
pub fn plain(engine: Engine, setup: Setup) -> io::Result<Exit> {
    let show = Show {
        style: Style::PLAIN,
        json: setup.json,
    };
    let mut session = Session::new(engine, show);
    let mut lines = Lines {
        input: File::from(io::stdin().as_fd().try_clone_to_owned()?),
        read: Vec::new(),
    };
    greet(&mut session, false);
    let begun = match setup.init {
        true => session.init(),
        false => None,
    };
    let exit = match begun {
        Some(exit) => exit,
        None => converse(&mut session, &mut lines),
    };
    session.end();
    Ok(exit)
}

fn converse(session: &mut Session, lines: &mut Lines) -> Exit {
    let mut text = String::new();
    let mut reading = Reading::default();
    locked(&session.engine).ask = Some(super::confirm::ask);
    loop {
        let shown = match text.is_empty() {
            true => {
                let (actors, blocked) = locked(&session.engine).counts();
                prompt::text(actors, blocked)
            }
            false => "... ".to_string(),
        };
        let out = &mut session.screen.out;
        if let Err(e) = out.write_all(shown.as_bytes()).and_then(|()| out.flush()) {
            return output_exit(&e);
        }
        let exit = match lines.next(session) {
            Came::Exit(exit) => return exit,
            Came::End => {
                let _ = session.screen.out.write_all(b"\n");
                return Exit::Passed;
            }
            Came::Notice => continue,
            Came::Interrupt => {
                let _ = session.screen.out.write_all(b"\n");
                match std::mem::take(&mut text).is_empty() {
                    true => session.interrupted(),
                    false => None,
                }
            }
            Came::Line(line) => match String::from_utf8(line) {
                Ok(line) => {
                    text.push_str(&line);
                    // Asked without its newline, as it is of a line that is edited.
                    let asked = text.strip_suffix('\n').unwrap_or(&text);
                    let more = reading.goes_on(asked, &locked(&session.engine));
                    match more {
                        true => None,
                        false => session.run(&std::mem::take(&mut text)),
                    }
                }
                Err(_) => {
                    text.clear();
                    let said = session.screen.say("this line is not valid UTF-8");
                    said.err().map(|e| output_exit(&e))
                }
            },
        };
        if let Some(exit) = exit {
            return exit;
        }
    }
}
