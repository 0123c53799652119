//! Queues that take no more, and stay so.

use std::time::Duration;

use super::{Finding, Mend, Sure, ago};
use crate::data::{Family, Object, counted};
use crate::inspect::sysv;
use crate::inspect::thing::Thing;
use crate::inspect::wait::{Wait, Waiter};
use crate::kernel::msg::{self, MsgStat};
use crate::mechanism::Sight;
use crate::session::now;

/// A queue at one moment.
#[derive(Clone, Copy, Debug)]
struct Seen {
    messages: u64,
    /// As many as it takes.
    most: u64,
    bytes: u64,
    /// As many as it takes of all messages.
    room: u64,
    /// When somebody received last, and who.
    received: (i64, i32),
}

/// How long nobody must have received where one look is enough: times are whole seconds.
const QUIET: i64 = 2;
/// How long to wait for the second look otherwise.
const SETTLED: Duration = Duration::from_secs(1);

impl Seen {
    fn of(q: &MsgStat) -> Seen {
        Seen {
            messages: q.qnum,
            most: q.qbytes,
            bytes: q.cbytes,
            room: q.qbytes,
            received: (q.rtime, q.lrpid),
        }
    }

    fn is_full(&self) -> bool {
        self.messages >= self.most || self.bytes >= self.room
    }

    /// Whether it takes what somebody waits to send.
    fn takes(&self, wait: &Wait) -> bool {
        let fits = match wait {
            Wait::MsgSend { size, .. } => self.bytes.saturating_add(*size) <= self.room,
            _ => true,
        };
        fits && self.messages < self.most
    }

    /// Whether it takes no more, as before, and nobody has received meanwhile: a queue whose sender
    /// is faster than its reader is full again and again, and nothing is wrong with it.
    fn is_stuck_since(&self, before: &Seen, senders: &[&Waiter]) -> bool {
        let flowed = self.received != before.received || self.messages < before.messages;
        let stops = |w: &&Waiter| !self.takes(&w.wait);
        !flowed && (self.is_full() || senders.iter().any(stops))
    }
}

/// A queue that may be full.
struct Suspect {
    id: i32,
    seen: Seen,
}

pub(super) fn queues(sight: &Sight) -> Vec<Finding> {
    let suspects: Vec<Suspect> = sysv::queues()
        .iter()
        .filter_map(|q| suspect(sight, q))
        .collect();
    if suspects.iter().any(|s| now() - s.seen.received.0 < QUIET) {
        std::thread::sleep(SETTLED);
    }
    suspects.iter().filter_map(|s| finding(sight, s)).collect()
}

fn senders<'a>(sight: &'a Sight, thing: Thing) -> impl Iterator<Item = &'a Waiter> {
    let sends = |w: &&Waiter| matches!(w.wait, Wait::MsgSend { .. });
    sight.snapshot.waiting_at(thing).filter(sends)
}

fn suspect(sight: &Sight, q: &MsgStat) -> Option<Suspect> {
    let seen = Seen::of(q);
    let suspected = seen.is_full() || senders(sight, Thing::Msgq(q.id)).next().is_some();
    suspected.then_some(Suspect { id: q.id, seen })
}

/// Looks once more, at the queue and at who waits.
fn finding(sight: &Sight, suspect: &Suspect) -> Option<Finding> {
    let q = msg::stat_any_id(suspect.id).ok()?;
    let still = senders(sight, Thing::Msgq(q.id)).filter(|w| w.is_still());
    let still: Vec<&Waiter> = still.collect();
    let seen = Seen::of(&q);
    if !seen.is_stuck_since(&suspect.seen, &still) {
        return None;
    }
    let label = sight.label(Family::Msgq, &Object::Id(q.id));
    let received = match q.rtime {
        0 => "nobody ever received".to_string(),
        when => format!("received from {} ago", ago(when)),
    };
    Some(Finding {
        what: "full queue",
        object: format!("msgq.{label}"),
        evidence: format!(
            "{} of {} bytes, {}; {} to send; {received}",
            seen.bytes,
            seen.room,
            counted(seen.messages, "message"),
            wait(still.len()),
        ),
        sure: Sure::Exact,
        mend: Mend::Do(vec![
            format!("msgq recv {label}"),
            format!("msgq set {label} qbytes={}", q.qbytes.saturating_mul(2)),
        ]),
    })
}

/// `1 waits`, `2 wait`.
fn wait(n: usize) -> String {
    format!("{n} wait{}", if n == 1 { "s" } else { "" })
}

#[cfg(test)]
mod tests;
