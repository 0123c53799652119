//! Real processes for the tests, killed when they are dropped.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::wait::{Observation, observe};

/// A child process that does not outlive the test.
pub struct Witness(pub Child);

impl Witness {
    /// Starts a program with a pipe on its standard input and another on its output.
    pub fn start(program: &str, args: &[&str]) -> Option<Witness> {
        Witness::start_in(Path::new("/"), program, args)
    }

    /// Starts it in a directory.
    pub fn start_in(dir: &Path, program: &str, args: &[&str]) -> Option<Witness> {
        let child = Command::new(program)
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        child.ok().map(Witness)
    }

    pub fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    /// Its observation, once two in a row are stalled and equal.
    pub fn blocked(&self) -> Observation {
        blocked(self.pid(), self.pid())
    }

    /// Writes to its standard input.
    pub fn say(&mut self, bytes: &[u8]) {
        let input = self.0.stdin.as_mut();
        assert!(input.is_some_and(|input| input.write_all(bytes).is_ok()));
    }

    /// The next line of its standard output, read byte by byte so that none is lost.
    pub fn line(&mut self) -> Option<String> {
        let output = self.0.stdout.as_mut()?;
        let (mut line, mut byte) = (Vec::new(), [0]);
        while output.read(&mut byte).is_ok_and(|got| got == 1) && byte != *b"\n" {
            line.push(byte[0]);
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        (!line.is_empty()).then_some(line)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A System V object that is removed with the test: `ipcrm -s ID`.
pub struct Ipcrm {
    pub flag: &'static str,
    pub id: i32,
}

impl Drop for Ipcrm {
    fn drop(&mut self) {
        let _ = run("ipcrm", &[self.flag, &self.id.to_string()]);
    }
}

/// What a program prints, where it succeeds.
pub fn run(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// The observation of a thread, once two in a row are stalled and equal.
pub fn blocked(pid: i32, tid: i32) -> Observation {
    until("blocked", || blocked_now(pid, tid))
}

/// Its observation, where two in a row are stalled and equal.
pub fn blocked_now(pid: i32, tid: i32) -> Option<Observation> {
    let first = observe(pid, tid).ok()?;
    let second = observe(pid, tid).ok()?;
    first.blocked(&second)?;
    Some(second)
}

/// Asks until there is an answer; fails the test when there is none for a long time.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within 10 s: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether we lack root's privilege.
pub fn ordinary_user() -> bool {
    !nix::unistd::geteuid().is_root()
}

/// Says why a test was not run.
pub fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
