//! Running the program under test, from outside.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The program: `IPCSH_BIN`, or the one that cargo has just built.
pub fn program() -> PathBuf {
    std::env::var_os("IPCSH_BIN").map_or_else(|| env!("CARGO_BIN_EXE_ipcsh").into(), PathBuf::from)
}

/// The directory of the project.
pub fn root() -> PathBuf {
    std::env::var_os("IPCSH_ROOT").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

/// The program with these arguments, for a minute at most.
pub fn command(args: &[&str]) -> Command {
    // timeout(1) is coreutils: a run that hangs must not hang the tests.
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60"]).arg(program()).args(args);
    command
}

/// Runs it with these arguments and this standard input.
pub fn run(args: &[&str], input: &[u8]) -> Ran {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.into()
}

/// Runs a script from standard input.
pub fn script(text: &str) -> Ran {
    run(&["-"], text.as_bytes())
}

/// Runs a script that must pass.
#[track_caller]
pub fn passes(text: &str) -> Ran {
    passed(text, script(text))
}

/// Runs a script that must pass, with a program of Python's at `$PY`, which knows `work`. `None` where
/// there is no Python, which is said.
#[track_caller]
pub fn with_python(program: &str, text: &str) -> Option<Ran> {
    if !has("python3") {
        return None;
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let head = "import os, socket, struct, sys\nwork = os.environ['WORK']\n";
    file.write_all(format!("{head}{program}").as_bytes())
        .unwrap();
    let define = format!("PY={}", file.path().display());
    Some(passed(text, run(&["-D", &define, "-"], text.as_bytes())))
}

#[track_caller]
fn passed(text: &str, ran: Ran) -> Ran {
    assert_eq!(
        ran.code,
        Some(0),
        "{text}\n--\n{}\n--\n{}",
        ran.out,
        ran.err
    );
    ran
}

/// Whether a program is there; a test without it says that it is skipped.
pub fn has(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: there is no {program}");
    }
    found
}

/// How long anything may take that is waited for.
const BOUND: Duration = Duration::from_secs(60);

/// Waits until something holds, which must not take for ever.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < BOUND, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A script that runs while it is looked at.
pub struct Running {
    pub shell: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts a script from standard input.
    pub fn start(text: &str) -> Running {
        let mut shell = Command::new(program())
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = shell.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        let out = BufReader::new(shell.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Running { shell, lines }
    }

    /// The next line of its output; `None` where there is none any more.
    #[track_caller]
    pub fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("no line of output comes"),
        }
    }

    /// Sends it a signal and gives how it ended, and what it wrote to standard error.
    pub fn end(&mut self, signo: i32) -> (std::process::ExitStatus, String) {
        ipcsh::kernel::process::kill(self.shell.id() as i32, signo).unwrap();
        let mut status = None;
        until("the end of the shell", || {
            status = self.shell.try_wait().unwrap();
            status.is_some()
        });
        let mut said = String::new();
        let mut errors = self.shell.stderr.take().unwrap();
        errors.read_to_string(&mut said).unwrap();
        (status.unwrap(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
