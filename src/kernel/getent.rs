//! What name services know, which nsswitch.conf(5) lists, asked by getent(1).
//!
//! The C library would load them into this process, and into a root's too, as shared objects that run
//! there: a program that is linked statically cannot have that.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use super::poll::{self, PollFd, PollFlags, poll};
use super::process::{Ended, SpawnSpec, Stream, spawn};
use super::signal::DefaultFor;
use super::{Errno, Result, pipe};

/// More than any entry has.
const MOST: usize = 1 << 20;

/// The lines of a database that match a key; none where nobody knows it. It waits as long as name
/// servers take, or `within` at most. `ENOENT` where there is no getent(1), `ETIME` where it took longer,
/// `EINTR` when a signal was caught meanwhile or has ended it, `EFBIG` for more than anybody would say.
pub fn lines(database: &str, key: &str, within: Option<Duration>) -> Result<Vec<String>> {
    if key.is_empty() || key.starts_with('-') || key.contains('\0') {
        return Ok(Vec::new());
    }
    // It is no child that anybody would hear of.
    let _unheard = DefaultFor::new(libc::SIGCHLD)?;
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
    let told = read_all(&ours, within);
    if told.is_err() {
        // It may have ended meanwhile.
        let _ = child.kill(libc::SIGKILL);
    }
    let ended = child.wait()?;
    let told = told?;
    if let Ended::Signaled(_) = ended {
        return Err(Errno::EINTR);
    }
    Ok(String::from_utf8_lossy(&told)
        .lines()
        .map(String::from)
        .collect())
}

fn read_all(end: &OwnedFd, within: Option<Duration>) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    let begun = poll::now()?;
    while all.len() < MOST {
        if let Some(within) = within {
            let left = within.saturating_sub(poll::now()?.saturating_sub(begun));
            if poll(
                &mut [PollFd::new(end.as_fd(), PollFlags::POLLIN)],
                Some(left),
            )? == 0
            {
                return Err(Errno::ETIME);
            }
        }
        let piece = pipe::read(end, 4096)?;
        if piece.is_empty() {
            return Ok(all);
        }
        all.extend(piece);
    }
    Err(Errno::EFBIG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_getent_says_is_given_line_by_line() {
        let root = lines("passwd", "root", None).unwrap();
        assert_eq!(root.len(), 1, "{root:?}");
        assert!(
            root[0].starts_with("root:") && root[0].contains(":0:0:"),
            "{root:?}"
        );
        for unknown in ["no such user", "", "--help", "a\0b"] {
            assert_eq!(lines("passwd", unknown, None), Ok(Vec::new()), "{unknown}");
        }
    }
}
