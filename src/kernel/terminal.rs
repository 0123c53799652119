//! The terminal on standard input and output: termios(3), tty_ioctl(4).
#![allow(unsafe_code)]

use std::io::{IsTerminal, Stdin, stdin, stdout};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};

use super::poll::{PollFd, PollFlags, poll};
use super::{Errno, Result};

/// The size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowSize {
    /// How wide.
    pub columns: u16,
    /// How high.
    pub rows: u16,
}

/// isatty(3).
pub fn is_terminal(fd: &impl AsFd) -> bool {
    fd.as_fd().is_terminal()
}

/// `TIOCGWINSZ` on standard output. `ENOTTY` when it is no terminal; a terminal that does not know its
/// size says 0.
pub fn window_size() -> Result<WindowSize> {
    window_size_of(&stdout())
}

/// `TIOCGWINSZ` on any descriptor.
pub fn window_size_of(fd: &impl AsFd) -> Result<WindowSize> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: fills `size`, which lives through the call.
    Errno::result(unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) })?;
    Ok(WindowSize {
        columns: size.ws_col,
        rows: size.ws_row,
    })
}

/// The settings of the terminal on standard input, to be put back.
#[derive(Debug, Clone)]
pub struct Saved(Termios);

impl Saved {
    /// tcgetattr(3). `ENOTTY` when standard input is no terminal.
    pub fn save() -> Result<Saved> {
        tcgetattr(stdin()).map(Saved)
    }

    /// tcsetattr(3): puts the settings back; what has been typed and not read stays.
    pub fn restore(&self) -> Result<()> {
        tcsetattr(stdin(), SetArg::TCSANOW, &self.0)
    }
}

/// The bytes of one key come together; behind a lone Escape nothing comes.
const REST_OF_KEY: Duration = Duration::from_millis(25);

/// Keys come one by one and are not echoed, until this is dropped. Output is processed as before.
#[derive(Debug)]
pub struct RawInput {
    stdin: Stdin,
    before: Saved,
}

impl RawInput {
    /// Sets the terminal on standard input so; without `signals`, Ctrl-C, Ctrl-\ and Ctrl-Z are bytes
    /// like others. `ENOTTY` when it is no terminal.
    pub fn new(signals: bool) -> Result<RawInput> {
        let before = Saved::save()?;
        let mut raw = before.0.clone();
        raw.local_flags
            .remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN);
        raw.local_flags.set(LocalFlags::ISIG, signals);
        raw.input_flags.remove(InputFlags::ICRNL | InputFlags::IXON);
        raw.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        raw.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(stdin(), SetArg::TCSANOW, &raw)?;
        Ok(RawInput {
            stdin: stdin(),
            before,
        })
    }

    /// The next byte typed, waiting at most for `timeout` (`None`: for ever); `None` when none came.
    /// `EINTR` after a signal, `EIO` when the terminal is gone.
    pub fn read_byte(&self, timeout: Option<Duration>) -> Result<Option<u8>> {
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, timeout)? == 0 {
            return Ok(None);
        }
        let mut byte = [0];
        // Not through std's buffer, which would take more than this byte from who reads next.
        match nix::unistd::read(self, &mut byte)? {
            0 => Err(Errno::EIO),
            _ => Ok(Some(byte[0])),
        }
    }

    /// Takes one key, of which the first byte has come, whole, and gives that byte: an arrow sends three,
    /// an accented letter two. What is typed behind it stays.
    pub fn take_key(&self) -> Result<Option<u8>> {
        let Some(first) = self.read_byte(None)? else {
            return Ok(None);
        };
        let next = || self.read_byte(Some(REST_OF_KEY));
        let more = match first {
            0x1b => match next()? {
                Some(b'[') => {
                    while next()?.is_some_and(|b| !(0x40..=0x7e).contains(&b)) {}
                    0
                }
                Some(b'O') => 1,
                _ => 0,
            },
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => 0,
        };
        for _ in 0..more {
            next()?;
        }
        Ok(Some(first))
    }
}

impl AsFd for RawInput {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stdin.as_fd()
    }
}

impl Drop for RawInput {
    fn drop(&mut self) {
        // A terminal that is gone needs no settings.
        let _ = self.before.restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::process::Stream;
    use crate::kernel::witness::{Second, role_spec};

    #[test]
    fn raw_input_is_raw_until_it_is_dropped() {
        let size = nix::pty::Winsize {
            ws_row: 33,
            ws_col: 111,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = nix::pty::openpty(&size, None).unwrap();
        assert!(is_terminal(&pty.slave));
        assert_eq!(
            window_size_of(&pty.slave),
            Ok(WindowSize {
                columns: 111,
                rows: 33
            })
        );
        let local = || tcgetattr(&pty.master).unwrap().local_flags;
        let cooked = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        assert!(local().contains(cooked));

        let mut spec = role_spec(&["keys"]);
        spec.stdin = Stream::Fd(pty.slave.as_fd());
        spec.session = true;
        let mut reader = Second::start(spec);
        assert_eq!(reader.said(), "raw");
        assert!(!local().intersects(cooked));
        nix::unistd::write(&pty.master, b"\x03").unwrap();
        assert_eq!(reader.said(), "Ok(Some(3))");
        assert!(local().contains(cooked));
    }

    #[test]
    fn a_pipe_is_no_terminal() {
        let (read, _write) = crate::kernel::witness::pipe();
        assert!(!is_terminal(&read));
        assert_eq!(window_size_of(&read), Err(Errno::ENOTTY));
    }
}
