//! The reports that come from an actor, put in their order.

use std::collections::VecDeque;

use super::wire::{self, Report};

/// What an actor was given to do and what it has told of it.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Whole reports, in order. They are large, and handed on.
    told: VecDeque<Box<Report>>,
    /// The number that the next report will have.
    next: u64,
    /// The number that the next step will get.
    sent: u64,
    /// Whether the last order ended early, so that what continues it is dropped.
    broken: bool,
}

/// What came is no report of this program, or of a step that was never given: its process
/// is not to be trusted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign;

impl Reports {
    /// The number that the next step will get.
    pub fn next_number(&self) -> u64 {
        self.sent
    }

    /// Whether there are steps that have not ended.
    pub fn is_awaited(&self) -> bool {
        self.next < self.sent
    }

    /// Whether the actor drops an order that goes on where the last one ended.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Notes that the steps up to this number were given.
    pub fn given(&mut self, end: u64) {
        self.broken = false;
        self.sent = end;
    }

    /// Whether a report has come.
    pub fn is_told(&self) -> bool {
        !self.told.is_empty()
    }

    /// The next report that has come.
    pub fn pop(&mut self) -> Option<Box<Report>> {
        self.told.pop_front()
    }

    /// Takes the whole reports off what has arrived.
    pub fn take(&mut self, bytes: &mut Vec<u8>) -> Result<(), Foreign> {
        let reports: Vec<Box<Report>> = wire::drain(bytes).map_err(|_| Foreign)?;
        let given = self.sent;
        for report in reports {
            if report.number >= given {
                return Err(Foreign);
            }
            // One that was read from the outbox before it was sent comes again; one that is
            // ahead was gathered while others were on their way.
            if report.number != self.next {
                continue;
            }
            self.next += 1;
            if !report.passed {
                // The order ends there; what follows is never run.
                self.sent = self.next;
                self.broken = true;
            }
            self.told.push_back(report);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Outcome;
    use crate::lang::Span;

    fn bytes(numbers: &[u64], passed: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in numbers {
            let report = Report {
                number: *number,
                result: Ok(Outcome::ok()),
                passed,
                at: Span::default(),
                effects: None,
            };
            wire::frame(&report, &mut bytes).unwrap();
        }
        bytes
    }

    fn popped(reports: &mut Reports) -> Vec<u64> {
        std::iter::from_fn(|| reports.pop())
            .map(|r| r.number)
            .collect()
    }

    #[test]
    fn each_is_taken_once_and_in_its_turn() {
        let mut reports = Reports::default();
        reports.given(5);
        for numbers in [&[1, 2][..], &[0, 1], &[1, 2, 4], &[3]] {
            reports.take(&mut bytes(numbers, true)).unwrap();
        }
        assert_eq!(popped(&mut reports), [0, 1, 2, 3]);
        assert!(reports.is_awaited());
        reports.take(&mut bytes(&[4], true)).unwrap();
        assert!(!reports.is_awaited());
    }

    #[test]
    fn one_that_failed_ends_its_order() {
        let mut reports = Reports::default();
        reports.given(5);
        reports.take(&mut bytes(&[0], false)).unwrap();
        assert!(reports.is_broken() && !reports.is_awaited());
        assert_eq!(reports.next_number(), 1);
        reports.given(2);
        reports.take(&mut bytes(&[0, 1], true)).unwrap();
        assert_eq!(popped(&mut reports), [0, 1]);
    }

    #[test]
    fn a_number_that_was_never_given_is_foreign() {
        for number in [1, 2, u64::MAX] {
            let mut reports = Reports::default();
            reports.given(1);
            assert_eq!(reports.take(&mut bytes(&[0, number], true)), Err(Foreign));
        }
        let mut junk = vec![1, 0, 0, 0, 0xff];
        assert_eq!(Reports::default().take(&mut junk), Err(Foreign));
    }
}
