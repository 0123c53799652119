//! Who has locked the file that another waits for: `/proc/locks`, proc_locks(5).

use std::fs;

/// The process whose file lock a process waits for; `None` where none does, or it is not known:
/// an open file description's lock (`F_OFD_SETLK`) is no process's.
pub fn holder(waiter: i32) -> Option<i32> {
    held_by(&fs::read_to_string("/proc/locks").ok()?, waiter)
}

/// Each lock is followed by those who wait for it, under its number, with an arrow:
/// `2: POSIX  ADVISORY  WRITE 812 fd:01:1310 0 EOF`, `2: -> POSIX  ADVISORY  WRITE 813 …`.
fn held_by(text: &str, waiter: i32) -> Option<i32> {
    let mut holder = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(1).peekable();
        let waits = words.next_if_eq(&"->").is_some();
        let pid: i32 = words.nth(3)?.parse().ok()?;
        match waits {
            false => holder = Some(pid),
            true if pid == waiter => return holder.filter(|pid| *pid > 0),
            true => {}
        }
    }
    None
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
                    3: LEASE  ACTIVE    READ  13 00:2f:3 0 EOF\n";
        assert_eq!(held_by(text, 11), Some(10));
        assert_eq!(held_by(text, 12), None);
        assert_eq!(held_by(text, 10), None);
    }
}
