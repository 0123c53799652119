//! What name services know, which nsswitch.conf(5) lists, asked by getent(1).
//!
//! The C library would load them into this process, and into a root's too, as shared objects that run
//! there: a program that is linked statically cannot have that.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};

use super::process::{SpawnSpec, Stream, spawn};
use super::{Result, pipe};

/// The lines of a database that match a key; none where nobody knows it. It waits as long as name
/// servers take. `ENOENT` where there is no getent(1), `EINTR` when a signal was caught meanwhile.
pub fn lines(database: &str, key: &str) -> Result<Vec<String>> {
    if key.is_empty() || key.starts_with('-') || key.contains('\0') {
        return Ok(Vec::new());
    }
    let (ours, theirs) = pipe::create()?;
    let child = spawn(&SpawnSpec {
        program: "getent".into(),
        args: [database, key].map(OsString::from).into(),
        death_signal: Some(libc::SIGKILL),
        stdin: Stream::Null,
        stdout: Stream::Fd(theirs.as_fd()),
        stderr: Stream::Null,
        ..SpawnSpec::default()
    })?;
    drop(theirs);
    let told = read_all(&ours);
    if told.is_err() {
        // It may have ended meanwhile.
        let _ = child.kill(libc::SIGKILL);
    }
    // A process that ignores SIGCHLD has nobody to wait for.
    let _ = child.wait();
    let told = told?;
    Ok(String::from_utf8_lossy(&told)
        .lines()
        .map(String::from)
        .collect())
}

fn read_all(end: &OwnedFd) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let piece = pipe::read(end, 4096)?;
        if piece.is_empty() {
            return Ok(all);
        }
        all.extend(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_getent_says_is_given_line_by_line() {
        let root = lines("passwd", "root").unwrap();
        assert_eq!(root.len(), 1, "{root:?}");
        assert!(
            root[0].starts_with("root:") && root[0].contains(":0:0:"),
            "{root:?}"
        );
        for unknown in ["no such user", "", "--help", "a\0b"] {
            assert_eq!(lines("passwd", unknown), Ok(Vec::new()), "{unknown}");
        }
    }
}
