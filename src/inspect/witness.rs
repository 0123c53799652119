//! Real processes for the tests, killed when they are dropped.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::wait::{Observation, observe};

/// A child process that does not outlive the test.
pub struct Witness(pub Child);

impl Witness {
    /// Starts a program with a pipe on its standard input and another on its output.
    pub fn start(program: &str, args: &[&str]) -> Option<Witness> {
        let child = Command::new(program)
            .args(args)
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
        until("blocked", || {
            let first = observe(self.pid(), self.pid()).ok()?;
            let second = observe(self.pid(), self.pid()).ok()?;
            first.blocked(&second)?;
            Some(second)
        })
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
