//! Who has locked the file that another waits for: `/proc/locks` and `/proc/PID/fdinfo`, proc_locks(5).

use std::fs;

use super::descriptors::{self, Ask, FileId, What};
use super::parallel::in_parts;
use super::process::read_file;
use super::snapshot::Snapshot;
use super::wait::{Wait, Waiter};

/// Whose a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A process's: fcntl(2), `F_SETLK`.
    Process(i32),
    /// An open file description's, and so everybody's who has that open: flock(2), `F_OFD_SETLK`.
    /// Who took it may have closed it, and be gone.
    Description,
}

/// The processes that hold the file lock which a thread waits for, as far as they are seen.
pub(super) fn holders(snapshot: &Snapshot, waiter: &Waiter) -> Vec<i32> {
    let Wait::FileLock { fd } = waiter.wait else {
        return Vec::new();
    };
    let locked = descriptors::file_behind(waiter.tid, fd);
    let Ok(What::File {
        file: Some(file), ..
    }) = locked
    else {
        return Vec::new();
    };
    let text = fs::read_to_string("/proc/locks").unwrap_or_default();
    match owner(&text, waiter.pid, file.ino) {
        Some(Owner::Process(pid)) => vec![pid],
        Some(Owner::Description) => snapshot.lockers(file),
        None => Vec::new(),
    }
}

/// Each lock is followed by those who wait for it, under its number, with an arrow:
/// `2: POSIX  ADVISORY  WRITE 812 fd:01:1310 0 EOF`, `2: -> POSIX  ADVISORY  WRITE 813 …`. A process may
/// wait for several files.
fn owner(text: &str, waiter: i32, ino: u64) -> Option<Owner> {
    let mut owner = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(1).peekable();
        let waits = words.next_if_eq(&"->").is_some();
        let kind = words.next()?;
        let pid: i32 = words.nth(2)?.parse().ok()?;
        let is_file = words.next()?.rsplit(':').next() == Some(&*ino.to_string());
        match waits {
            false if kind == "POSIX" => {
                owner = Some(pid).filter(|pid| *pid > 0).map(Owner::Process)
            }
            false => owner = Some(Owner::Description),
            true if pid == waiter && is_file => return owner,
            true => {}
        }
    }
    None
}

/// Those of these processes that have an open file description with a lock on a file.
pub(super) fn lockers(pids: &[i32], file: FileId) -> Vec<i32> {
    let ask = Ask {
        files: true,
        ..Ask::default()
    };
    let is_it = |what: &What| match what {
        What::File { file: Some(id), .. } => (id.dev, id.ino) == (file.dev, file.ino),
        _ => false,
    };
    let parts = in_parts(pids, |pids| {
        let open = descriptors::scan(pids.iter().copied(), ask, is_it).descriptors;
        let locked = open.into_iter().filter(|d| has_lock(d.pid, d.fd));
        locked.map(|d| d.pid).collect::<Vec<_>>()
    });
    parts.concat()
}

/// `lock:   1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF`, proc_pid_fdinfo(5).
fn has_lock(pid: i32, fd: i32) -> bool {
    let info = read_file(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let mut lines = info.split(|b| *b == b'\n');
    lines.any(|line| line.starts_with(b"lock:") && !line.windows(5).any(|w| w == b"POSIX"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_stands_behind_the_lock() {
        let text = "1: FLOCK  ADVISORY  WRITE 10 00:2f:1 0 EOF\n\
                    1: -> FLOCK  ADVISORY  WRITE 11 00:2f:1 0 EOF\n\
                    2: OFDLCK ADVISORY  WRITE -1 00:2f:2 0 EOF\n\
                    2: -> OFDLCK ADVISORY  WRITE 12 00:2f:2 0 EOF\n\
                    3: POSIX  ADVISORY  WRITE 10 00:2f:3 0 EOF\n\
                    3: -> POSIX  ADVISORY  WRITE 11 00:2f:3 0 EOF\n\
                    4: POSIX  ADVISORY  WRITE 0 00:2f:4 0 EOF\n\
                    4: -> POSIX  ADVISORY  WRITE 11 00:2f:4 0 EOF\n\
                    5: LEASE  ACTIVE    READ  13 00:2f:5 0 EOF\n";
        assert_eq!(owner(text, 11, 1), Some(Owner::Description));
        assert_eq!(owner(text, 12, 2), Some(Owner::Description));
        assert_eq!(owner(text, 11, 3), Some(Owner::Process(10)));
        assert_eq!(owner(text, 11, 4), None, "of another pid namespace");
        assert_eq!(owner(text, 10, 1), None);
        assert_eq!(owner(text, 11, 5), None);
    }
}
