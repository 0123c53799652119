//! The program on a real pseudo-terminal, and the screen that a person would see.
//!
//! rustyline's redraw is not atomic: a test waits for the screen to show what it expects,
//! and never for a time.
#![allow(dead_code)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ipcsh::kernel::poll::{PollFd, PollFlags, poll};
use ipcsh::kernel::process::{self, Child, Ended, SpawnSpec, Stream};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};
use tempfile::TempDir;

use crate::harness::program;

/// How long a screen is waited for: far beyond what a loaded machine takes.
const BOUND: Duration = Duration::from_secs(60);

pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const CTRL_G: &str = "\x07";
pub const CTRL_R: &str = "\x12";
pub const CTRL_U: &str = "\x15";
pub const UP: &str = "\x1b[A";

/// A terminal with the program in it.
pub struct Terminal {
    master: File,
    /// Kept, so that the terminal outlives the program.
    slave: OwnedFd,
    screen: vt100::Parser,
    /// Everything that was written.
    pub raw: Vec<u8>,
    child: Child,
    before: Termios,
    /// Its home, where its history is.
    pub home: TempDir,
}

impl Terminal {
    /// Starts the program with a home of its own, and waits for its prompt.
    pub fn start(args: &[&str]) -> Terminal {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Terminal::start_in(home, args, &[]);
        terminal.until_prompt();
        terminal
    }

    /// Starts the program with this home and these variables.
    pub fn start_in(home: TempDir, args: &[&str], env: &[(&str, &str)]) -> Terminal {
        Terminal::start_into(home, args, env, None)
    }

    /// The same, with standard output somewhere else.
    pub fn start_into(
        home: TempDir,
        args: &[&str],
        env: &[(&str, &str)],
        out: Option<File>,
    ) -> Terminal {
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).unwrap();
        let path = |name: &str| home.path().join(name).into_os_string();
        let mut variables = vec![
            ("HOME".into(), home.path().as_os_str().to_owned()),
            ("XDG_STATE_HOME".into(), path("state")),
            ("XDG_CONFIG_HOME".into(), path("config")),
            ("TERM".into(), "xterm-256color".into()),
            ("NO_COLOR".into(), "".into()),
        ];
        variables.extend(env.iter().map(|(n, v)| (n.into(), v.into())));
        // Before the program can change them.
        let before = tcgetattr(&pty.slave).unwrap();
        let terminal = Stream::Fd(pty.slave.as_fd());
        let child = process::spawn(&SpawnSpec {
            program: program(),
            args: args.iter().map(Into::into).collect(),
            env: variables,
            session: true,
            controlling_terminal: true,
            stdin: terminal,
            stdout: out.as_ref().map_or(terminal, |out| Stream::Fd(out.as_fd())),
            stderr: terminal,
            ..SpawnSpec::default()
        })
        .unwrap();
        Terminal {
            before,
            master: File::from(pty.master),
            slave: pty.slave,
            screen: vt100::Parser::new(size.ws_row, size.ws_col, 0),
            raw: Vec::new(),
            child,
            home,
        }
    }

    /// The program's process.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Types.
    pub fn type_(&mut self, keys: impl AsRef<[u8]>) {
        self.master.write_all(keys.as_ref()).unwrap();
    }

    /// Types a line.
    pub fn line(&mut self, text: &str) {
        self.type_(format!("{text}\r"));
    }

    /// What the screen shows.
    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// The lines of the screen that are not empty.
    pub fn lines(&self) -> Vec<String> {
        let text = self.screen().contents();
        let lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
        lines.map(String::from).collect()
    }

    /// The last line that is not empty.
    pub fn last(&self) -> String {
        self.lines().pop().unwrap_or_default()
    }

    /// Takes in what is written, until the screen is as is expected.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&Terminal) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(
                begun.elapsed() < BOUND && self.take(Duration::from_millis(100)),
                "never seen: {what}\n--\n{}\n--",
                self.screen().contents()
            );
        }
    }

    /// Waits for what happens once nobody writes here any more.
    #[track_caller]
    pub fn until_gone(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < BOUND, "never seen: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for this text.
    #[track_caller]
    pub fn until_text(&mut self, text: &str) {
        self.until(text, |t| t.screen().contents().contains(text));
    }

    /// Waits for a prompt with nothing behind it.
    #[track_caller]
    pub fn until_prompt(&mut self) {
        self.until("a prompt", |t| {
            t.last().starts_with("ipcsh") && t.last().ends_with('>')
        });
    }

    /// Runs a line and waits for what it shows and for the next prompt.
    #[track_caller]
    pub fn run(&mut self, text: &str, shows: &str) {
        self.line(text);
        self.until(shows, |t| {
            let lines = t.lines();
            let at = lines
                .iter()
                .rposition(|l| l.starts_with("ipcsh") && l.ends_with(text));
            at.is_some_and(|at| {
                lines[at + 1..].iter().any(|l| l.contains(shows))
                    && t.last().starts_with("ipcsh")
                    && t.last().ends_with('>')
            })
        });
    }

    /// Takes in what is written within a while; `false` once nobody can write any more.
    fn take(&mut self, timeout: Duration) -> bool {
        let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, Some(timeout)).unwrap_or(0) == 0 {
            return true;
        }
        let mut bytes = [0; 4096];
        match self.master.read(&mut bytes) {
            Ok(n) if n > 0 => {
                self.screen.process(&bytes[..n]);
                self.raw.extend_from_slice(&bytes[..n]);
                true
            }
            _ => false,
        }
    }

    /// Waits for the program's end, and takes in all that it wrote.
    #[track_caller]
    pub fn ended(&mut self) -> Ended {
        let begun = Instant::now();
        loop {
            self.take(Duration::from_millis(20));
            if let Some(ended) = self.child.try_wait().unwrap() {
                let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
                while poll(&mut fds, Some(Duration::ZERO)) == Ok(1) && self.reads() {
                    fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
                }
                return ended;
            }
            let screen = self.screen().contents();
            assert!(begun.elapsed() < BOUND, "it does not end\n--\n{screen}\n--");
        }
    }

    fn reads(&mut self) -> bool {
        self.take(Duration::ZERO)
    }

    /// Whether the terminal's settings are those it had at first, and pasted text is not
    /// marked any more.
    pub fn is_restored(&self) -> bool {
        let on = |marks: &[u8]| self.raw.windows(marks.len()).rposition(|w| w == marks);
        tcgetattr(&self.slave).unwrap() == self.before && on(b"\x1b[?2004l") >= on(b"\x1b[?2004h")
    }

    /// Makes the terminal narrower or wider.
    pub fn resize(&mut self, columns: u16) {
        self.resize_to(40, columns);
    }

    /// Gives the terminal another size.
    pub fn resize_to(&mut self, rows: u16, columns: u16) {
        let path = format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&self.slave)
        );
        let path = std::fs::read_link(path).unwrap();
        let status = Command::new("stty")
            .arg("-F")
            .arg(path)
            .args(["rows", &rows.to_string(), "cols", &columns.to_string()])
            .status();
        assert!(status.unwrap().success());
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// The id in the last remark on the screen.
    pub fn last_id(&self) -> String {
        let text = self.screen().contents();
        let digits = text.rsplit("# id ").next().unwrap_or("");
        digits.chars().take_while(char::is_ascii_digit).collect()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill(libc::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Whether a System V queue of this id is there, by the kernel's own list.
pub fn queue_exists(id: &str) -> bool {
    let list = std::fs::read_to_string(Path::new("/proc/sysvipc/msg")).unwrap();
    list.lines()
        .any(|l| l.split_whitespace().nth(1) == Some(id))
}
