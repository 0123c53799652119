//! Process groups that end with the session: `!command &`.

use std::sync::atomic::Ordering;

use super::{Entry, HIGH, INODE, Ledger, RECORDS, SINCE, STATE, State};

/// In the place of a kind, where the record is not of an object.
const NO_KIND: u64 = 0xff;

impl Ledger {
    /// Records a process group that is to end with the session: its leader, and when that
    /// was started, in the kernel's ticks. `None` where the ledger is full.
    pub fn job(&self, leader: i32, started: u64) -> Option<Entry> {
        let entry = self.claim()?;
        self.field(entry, INODE)
            .store(u64::from(leader.cast_unsigned()), Ordering::Relaxed);
        self.field(entry, SINCE).store(started, Ordering::Relaxed);
        self.field(entry, STATE)
            .store(State::Job as u64 | NO_KIND << 8, Ordering::Release);
        Some(entry)
    }

    /// The process groups that are recorded: leaders, and when they were started.
    pub fn jobs(&self) -> impl Iterator<Item = (i32, u64)> {
        let high = self.word(HIGH).load(Ordering::Acquire) as usize;
        let entries = (0..high.min(RECORDS)).map(|i| Entry(i as u32));
        entries
            .filter(|entry| self.state(*entry).0 == State::Job)
            .map(|entry| {
                let leader = self.field(entry, INODE).load(Ordering::Relaxed) as u32;
                let started = self.field(entry, SINCE).load(Ordering::Relaxed);
                (leader.cast_signed(), started)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_until_it_is_forgotten_and_is_no_object() {
        let ledger = Ledger::create().unwrap();
        let first = ledger.job(10, 1000).unwrap();
        let second = ledger.job(i32::MAX, u64::MAX).unwrap();
        let jobs = || ledger.jobs().collect::<Vec<_>>();
        assert_eq!(jobs(), [(10, 1000), (i32::MAX, u64::MAX)]);
        assert!(ledger.to_sweep() == 0 && ledger.sweep().is_empty());
        ledger.forget(first);
        assert_eq!(jobs(), [(i32::MAX, u64::MAX)]);
        ledger.forget(second);
        assert!(jobs().is_empty());
    }
}
