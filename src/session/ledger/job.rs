//! Commands that end with the session: `!command`, in the background or not.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Entry, HIGH, INODE, KEY, Ledger, RECORDS, SINCE, STATE, State};

/// In the place of a kind, where the record is not of an object.
const NO_KIND: u64 = 0xff;

/// Processes that are to end with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The one that was started.
    pub pid: i32,
    /// When it was, in the kernel's ticks: a number may be given anew. 0 where the shell
    /// died before it could say so, which is just now.
    pub started: u64,
    /// Whether it leads a process group, which ends with it; otherwise it shares the
    /// shell's, and those end that it has started.
    pub leads: bool,
}

impl Ledger {
    /// Makes room for processes that are to end with the session: what is about to be
    /// started writes its pid there itself, so that it is known whenever the shell dies.
    /// `None` where the ledger is full.
    pub fn job(&self, leads: bool) -> Option<(Entry, &AtomicU64)> {
        let entry = self.claim()?;
        for (word, value) in [(INODE, 0), (SINCE, 0), (KEY, u64::from(leads))] {
            self.field(entry, word).store(value, Ordering::Relaxed);
        }
        self.field(entry, STATE)
            .store(State::Job as u64 | NO_KIND << 8, Ordering::Release);
        Some((entry, self.field(entry, INODE)))
    }

    /// Says when it was started.
    pub fn started(&self, entry: Entry, started: u64) {
        self.field(entry, SINCE).store(started, Ordering::Release);
    }

    /// The processes that are recorded.
    pub fn jobs(&self) -> impl Iterator<Item = Left> {
        let high = self.word(HIGH).load(Ordering::Acquire) as usize;
        let entries = (0..high.min(RECORDS)).map(|i| Entry(i as u32));
        entries
            .filter(|entry| self.state(*entry).0 == State::Job)
            .map(|entry| {
                let get = |word| self.field(entry, word).load(Ordering::Acquire);
                Left {
                    pid: (get(INODE) as u32).cast_signed(),
                    started: get(SINCE),
                    leads: get(KEY) != 0,
                }
            })
            .filter(|left| left.pid > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_until_it_is_forgotten_and_is_no_object() {
        let ledger = Ledger::create().unwrap();
        let left = |pid, started, leads| Left {
            pid,
            started,
            leads,
        };
        let (first, pid) = ledger.job(true).unwrap();
        assert_eq!(ledger.jobs().count(), 0, "nobody was started");
        pid.store(10, Ordering::Release);
        assert_eq!(ledger.jobs().next(), Some(left(10, 0, true)));
        ledger.started(first, 1000);
        let (second, pid) = ledger.job(false).unwrap();
        pid.store(i32::MAX as u64, Ordering::Release);
        ledger.started(second, u64::MAX);
        let (one, other) = (left(10, 1000, true), left(i32::MAX, u64::MAX, false));
        let jobs = || ledger.jobs().collect::<Vec<_>>();
        assert_eq!(jobs(), [one, other]);
        assert!(ledger.to_sweep() == 0 && ledger.sweep().is_empty());
        ledger.forget(first);
        assert_eq!(jobs(), [other]);
        ledger.forget(second);
        assert!(jobs().is_empty());
    }
}
