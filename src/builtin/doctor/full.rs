//! Queues that take no more, and stay so.

use std::time::Duration;

use super::{Finding, Mend, Sure, ago};
use crate::data::{Family, Object, counted, word};
use crate::inspect::thing::Thing;
use crate::inspect::wait::{Wait, Waiter};
use crate::inspect::{posix, sysv};
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
    /// As many as it takes of all messages. POSIX counts those alone.
    room: Option<u64>,
    /// When somebody received last, and who; a POSIX queue only knows when it was used last.
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
            room: Some(q.qbytes),
            received: (q.rtime, q.lrpid),
        }
    }

    /// `None` where it may not be looked into.
    fn of_posix(q: &posix::Queue) -> Option<Seen> {
        let attributes = q.attributes?;
        Some(Seen {
            messages: attributes.curmsgs.unsigned_abs(),
            most: attributes.maxmsg.unsigned_abs(),
            bytes: q.qsize.unwrap_or(0),
            room: None,
            received: (q.node.mtime, 0),
        })
    }

    fn is_full(&self) -> bool {
        self.messages >= self.most || self.room.is_some_and(|room| self.bytes >= room)
    }

    /// Whether it takes what somebody waits to send.
    fn takes(&self, wait: &Wait) -> bool {
        let fits = match wait {
            Wait::MsgSend { size, .. } => {
                let with = self.bytes.saturating_add(*size);
                self.room.is_none_or(|room| with <= room)
            }
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

/// A queue, whichever flavour it has.
enum Queue {
    SystemV(MsgStat),
    Posix(posix::Queue),
}

impl Queue {
    /// Every queue; what could not be looked at is said.
    fn all(unseen: &mut Vec<String>) -> Vec<Queue> {
        let system_v = sysv::queues().into_iter().map(Queue::SystemV);
        let posix = posix::queues().unwrap_or_else(|e| {
            let why = e.desc();
            unseen.push(format!(
                "POSIX queues are not looked at: they cannot be listed ({why})"
            ));
            Vec::new()
        });
        system_v
            .chain(posix.into_iter().map(Queue::Posix))
            .collect()
    }

    fn again(&self) -> Option<Queue> {
        match self {
            Queue::SystemV(q) => msg::stat_any_id(q.id).ok().map(Queue::SystemV),
            Queue::Posix(_) => posix::queue(&self.object()).ok().map(Queue::Posix),
        }
    }

    fn seen(&self) -> Option<Seen> {
        match self {
            Queue::SystemV(q) => Some(Seen::of(q)),
            Queue::Posix(q) => Seen::of_posix(q),
        }
    }

    /// Who waits to send.
    fn senders<'a>(&self, sight: &'a Sight) -> impl Iterator<Item = &'a Waiter> + use<'a> {
        let thing = match self {
            Queue::SystemV(q) => Thing::Msgq(q.id),
            Queue::Posix(q) => Thing::Queue((&q.node).into()),
        };
        let sends = |w: &&Waiter| matches!(w.wait, Wait::MsgSend { .. } | Wait::MqSend { .. });
        sight.snapshot.waiting_at(thing).filter(sends)
    }

    fn object(&self) -> Object {
        match self {
            Queue::SystemV(q) => Object::Id(q.id),
            Queue::Posix(q) => Object::Posix(q.node.name.clone()),
        }
    }

    fn evidence(&self, seen: &Seen, senders: usize) -> String {
        let messages = counted(seen.messages, "message");
        let wait = wait(senders);
        match (self, seen.room) {
            (Queue::SystemV(q), Some(room)) => {
                let received = match q.rtime {
                    0 => "nobody ever received".to_string(),
                    when => format!("received from {} ago", ago(when)),
                };
                let bytes = seen.bytes;
                format!("{bytes} of {room} bytes, {messages}; {wait} to send; {received}")
            }
            _ => format!(
                "{} of {}; {wait} to send; sent to or received from {} ago",
                seen.messages,
                counted(seen.most, "message"),
                ago(seen.received.0)
            ),
        }
    }

    fn mend(&self, label: &str) -> Mend {
        let receive = format!("msgq recv {label}");
        match self {
            Queue::SystemV(q) => Mend::Do(vec![
                receive,
                format!("msgq set {label} qbytes={}", q.qbytes.saturating_mul(2)),
            ]),
            // Whoever made it chose the name, which may mean something to a shell.
            Queue::Posix(_) if word(label.as_bytes()) == label => Mend::Do(vec![receive]),
            Queue::Posix(_) => Mend::Words("receive from it".into()),
        }
    }
}

/// Those that are full, or at which somebody waits to send, and that stay so.
pub(super) fn queues(sight: &Sight, unseen: &mut Vec<String>) -> Vec<Finding> {
    let suspect = |queue: Queue| {
        let seen = queue.seen()?;
        let suspected = seen.is_full() || queue.senders(sight).next().is_some();
        suspected.then_some((queue, seen))
    };
    let all = Queue::all(unseen).into_iter();
    let suspects: Vec<(Queue, Seen)> = all.filter_map(suspect).collect();
    if suspects.iter().any(|(_, s)| now() - s.received.0 < QUIET) {
        std::thread::sleep(SETTLED);
    }
    let stuck = suspects.iter();
    stuck
        .filter_map(|(q, before)| finding(sight, q, before))
        .collect()
}

/// Looks once more, at the queue and at who waits.
fn finding(sight: &Sight, queue: &Queue, before: &Seen) -> Option<Finding> {
    let queue = queue.again()?;
    let seen = queue.seen()?;
    let still = queue.senders(sight).filter(|w| w.is_still());
    let still: Vec<&Waiter> = still.collect();
    if !seen.is_stuck_since(before, &still) {
        return None;
    }
    let label = sight.label(Family::Msgq, &queue.object());
    Some(Finding {
        what: "full queue",
        object: format!("msgq.{label}"),
        evidence: queue.evidence(&seen, still.len()),
        sure: Sure::Exact,
        mend: queue.mend(&label),
    })
}

/// `1 waits`, `2 wait`.
fn wait(n: usize) -> String {
    format!("{n} wait{}", if n == 1 { "s" } else { "" })
}

#[cfg(test)]
mod tests;
