//! Sets of signals (sigsetops(3)), as the kernel has them: a bit for each.

use std::fmt;

use super::super::{Errno, Result};

/// A set of signals.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: SignalSet = SignalSet(0);

    /// The set with these bits, the lowest for signal 1: the numbers in `/proc/PID/status`.
    pub const fn from_bits(bits: u64) -> SignalSet {
        SignalSet(bits)
    }

    /// The set of these. `EINVAL` for a number outside 1 to 64.
    pub fn of(signals: &[i32]) -> Result<SignalSet> {
        let mut set = SignalSet::EMPTY;
        for &signo in signals {
            set.0 |= bit(signo).ok_or(Errno::EINVAL)?;
        }
        Ok(set)
    }

    /// Its bits, the lowest for signal 1.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether a signal is in it.
    pub fn contains(self, signo: i32) -> bool {
        bit(signo).is_some_and(|bit| self.0 & bit != 0)
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 | other.0)
    }

    /// Whether there is none in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The signals in it, the lowest first.
    pub fn iter(self) -> impl Iterator<Item = i32> {
        (1..=64).filter(move |&signo| self.contains(signo))
    }
}

fn bit(signo: i32) -> Option<u64> {
    (1..=64).contains(&signo).then(|| 1 << (signo - 1))
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_for_each_signal() {
        let set = SignalSet::of(&[1, 10, 64, 10]).unwrap();
        assert_eq!(set.bits(), 1 << 63 | 1 << 9 | 1);
        assert_eq!(set, SignalSet::from_bits(set.bits()));
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 10, 64]);
        assert_eq!((set.len(), set.is_empty()), (3, false));
        assert_eq!(format!("{set:?}"), "{1, 10, 64}");
        for (signo, is_in) in [(1, true), (2, false), (64, true), (0, false), (65, false)] {
            assert_eq!(set.contains(signo), is_in);
        }
        assert!(SignalSet::EMPTY.is_empty());
        assert_eq!(SignalSet::EMPTY.union(set), set);
    }

    #[test]
    fn numbers_that_are_no_signals_are_refused() {
        for signo in [-1, 0, 65, i32::MIN, i32::MAX] {
            assert_eq!(SignalSet::of(&[signo]), Err(Errno::EINVAL));
        }
    }
}
