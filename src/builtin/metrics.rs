//! `metrics`: the objects of the host in the text format of OpenMetrics.

use std::fmt::{Display, Write};

use super::ipcs::used;
use super::look;
use crate::data::{Failure, Family, Object, Reply, quote};
use crate::exec::Builtin;
use crate::inspect::posix::{self, Node};
use crate::inspect::thing::Thing;
use crate::inspect::{limits, sysv};
use crate::kernel::sem;
use crate::kernel::sysv::Perm;
use crate::lang::{Example, Kind, Param, Signature};
use crate::mechanism::{self, Args, NS, Sight};
use crate::view::printable;

/// How many objects of a family have series of their own where nothing else is asked for.
const DEFAULT_MAX: usize = 1000;

pub(super) static METRICS: Builtin = Builtin {
    signature: Signature {
        name: "metrics",
        summary: "print the objects of the host, their limits and who waits, as OpenMetrics",
        looks: true,
        params: &[
            Param::option(
                "max",
                Kind::Size,
                "how many objects of each family have series of their own; 1000 where it is left out",
            ),
            NS,
        ],
        calls: &["msgctl(2)", "shmctl(2)", "semctl(2)", "proc(5)"],
        notes: "One line a value, with `id` or `name`, `key` and `owner` as labels; the text ends with \
                `# EOF`. Of a family with more objects than max= the first ones are shown, and \
                the family's ipc_…_objects counts them all. What may not be known has no line. How long a process has waited the kernel does not tell.",
        examples: &[Example {
            script: "msgq create jobs\nmsgq send 1 \"hi\"\nmetrics",
            shows: "a queue with a message",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| metrics(sight, args)),
};

fn metrics(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let mut text = Exposition {
        max: args.int("max")?.unwrap_or(DEFAULT_MAX),
        ..Exposition::default()
    };
    text.limits();
    text.queues(sight);
    text.segments(sight);
    text.sets(sight);
    text.posix(sight);
    text.descriptors(sight);
    text.gauge(
        "ipc_unseen_processes",
        "processes that may not be looked into",
    );
    text.sample("ipc_unseen_processes", &[], sight.snapshot.unreadable());
    text.out.push_str("# EOF");
    Ok(text.out.into())
}

/// Who has how many objects, and of what.
#[derive(Default)]
struct Exposition {
    out: String,
    max: usize,
}

type Labels<'a> = [(&'a str, String)];

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.out, "# TYPE {name} gauge\n# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &Labels, value: impl Display) {
        self.out.push_str(name);
        for (n, (label, text)) in labels.iter().enumerate() {
            self.out.push(if n == 0 { '{' } else { ',' });
            let _ = write!(self.out, "{label}=\"{}\"", escaped(&printable(text)));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.out, "{close} {value}");
    }

    /// One metric of some objects: a line for each.
    fn each<R>(
        &mut self,
        name: &str,
        help: &str,
        rows: &[(Vec<(&'static str, String)>, R)],
        value: impl Fn(&R) -> Option<u64>,
    ) {
        self.gauge(name, help);
        for (labels, row) in rows.iter().take(self.max) {
            if let Some(value) = value(row) {
                self.sample(name, labels, value);
            }
        }
    }

    fn limits(&mut self) {
        let limits = limits::limits();
        let labels = |l: &limits::Limit| {
            [
                ("family", l.family.to_string()),
                ("limit", l.name.to_string()),
                ("unit", l.unit.to_string()),
            ]
        };
        self.gauge("ipc_limit", "a limit of the kernel");
        for limit in &limits {
            if let Some(value) = limit.value {
                self.sample("ipc_limit", &labels(limit), value);
            }
        }
        self.gauge("ipc_limit_used", "how much of a limit is used");
        for limit in &limits {
            if let Some(value) = used(limit.name) {
                self.sample("ipc_limit_used", &labels(limit), value);
            }
        }
    }

    fn objects(&mut self, family: Family, flavour: &str, count: usize) {
        let name = format!("ipc_{flavour}_{}_objects", family.noun());
        self.gauge(&name, "how many there are");
        self.sample(&name, &[], count);
    }

    fn queues(&mut self, sight: &Sight) {
        let rows: Vec<_> = sysv::queues()
            .into_iter()
            .map(|q| (labels(sight, Family::Msgq, q.id, &q.perm), q))
            .collect();
        self.objects(Family::Msgq, "sysv", rows.len());
        self.each(
            "ipc_msgq_messages",
            "messages in a queue (qnum)",
            &rows,
            |q| Some(q.qnum),
        );
        self.each("ipc_msgq_bytes", "bytes in a queue (cbytes)", &rows, |q| {
            Some(q.cbytes)
        });
        self.each(
            "ipc_msgq_limit_bytes",
            "bytes that a queue may hold (qbytes)",
            &rows,
            |q| Some(q.qbytes),
        );
        let waiting = |id| mechanism::msgq::waiting(sight, Thing::Msgq(id));
        self.each(
            "ipc_msgq_senders_waiting",
            "threads blocked in msgsnd",
            &rows,
            |q| waiting(q.id).1.map(|n| n as u64),
        );
        self.each(
            "ipc_msgq_receivers_waiting",
            "threads blocked in msgrcv",
            &rows,
            |q| waiting(q.id).0.map(|n| n as u64),
        );
    }

    fn segments(&mut self, sight: &Sight) {
        let rows: Vec<_> = sysv::segments()
            .into_iter()
            .map(|s| (labels(sight, Family::Shm, s.id, &s.perm), s))
            .collect();
        self.objects(Family::Shm, "sysv", rows.len());
        self.each(
            "ipc_shm_bytes",
            "the size of a segment (segsz)",
            &rows,
            |s| Some(s.segsz),
        );
        self.each(
            "ipc_shm_attachments",
            "attachments of a segment (nattch)",
            &rows,
            |s| Some(s.nattch),
        );
    }

    fn sets(&mut self, sight: &Sight) {
        let rows: Vec<_> = sysv::sets()
            .into_iter()
            .map(|s| (labels(sight, Family::Sem, s.id, &s.perm), s))
            .collect();
        self.objects(Family::Sem, "sysv", rows.len());
        self.each(
            "ipc_sem_semaphores",
            "semaphores of a set (nsems)",
            &rows,
            |s| Some(s.nsems),
        );
        // The values of a large set would be more lines than all else together.
        let single: Vec<_> = rows.iter().filter(|(_, s)| s.nsems == 1).cloned().collect();
        self.each(
            "ipc_sem_value",
            "the value of a set of one semaphore",
            &single,
            |s| {
                let value = sem::value(s.id, 0).ok()?;
                u64::try_from(value).ok()
            },
        );
        self.each("ipc_sem_waiting", "threads blocked in semop", &rows, |s| {
            mechanism::sem::waiting(s)
        });
    }

    /// Of what has no owner of its own: how many there are.
    fn descriptors(&mut self, sight: &Sight) {
        let (mut pipes, mut fifos, mut sockets) = (0, 0, 0);
        for (thing, ends) in sight.snapshot.open().all() {
            if !ends.iter().any(|end| sight.snapshot.is_inside(end.pid)) {
                continue;
            }
            match thing {
                Thing::Pipe(_) => pipes += 1,
                Thing::Fifo(_) => fifos += 1,
                Thing::Socket(_) => sockets += 1,
                _ => {}
            }
        }
        for (name, help, count) in [
            ("ipc_pipe_objects", "pipes that are open", pipes),
            ("ipc_fifo_objects", "FIFOs that are open", fifos),
            ("ipc_sock_objects", "sockets that are open", sockets),
        ] {
            self.gauge(name, help);
            self.sample(name, &[], count);
        }
    }

    /// The POSIX objects of a family. Where they may not be listed, nobody knows how many there are.
    fn counted<T, E>(&mut self, family: Family, listed: Result<Vec<T>, E>) -> Vec<T> {
        if let Ok(listed) = &listed {
            self.objects(family, "posix", listed.len());
        }
        listed.unwrap_or_default()
    }

    fn posix(&mut self, sight: &Sight) {
        let named = |node: &Node| vec![("name", name(node)), ("owner", sight.user(node.uid))];
        let queues = self.counted(Family::Msgq, posix::queues());
        let queues: Vec<_> = queues.into_iter().map(|q| (named(&q.node), q)).collect();
        self.each(
            "ipc_mq_messages",
            "messages in a POSIX queue",
            &queues,
            |q| Some(q.attributes?.curmsgs.unsigned_abs()),
        );
        self.each(
            "ipc_mq_limit_messages",
            "messages that a POSIX queue may hold",
            &queues,
            |q| Some(q.attributes?.maxmsg.unsigned_abs()),
        );
        self.each("ipc_mq_bytes", "bytes in a POSIX queue", &queues, |q| {
            q.qsize
        });
        let segments = self.counted(Family::Shm, posix::segments());
        let segments: Vec<_> = segments.into_iter().map(|s| (named(&s.node), s)).collect();
        self.each(
            "ipc_posix_shm_bytes",
            "the size of a POSIX segment",
            &segments,
            |s| Some(s.node.size),
        );
        let semaphores = self.counted(Family::Sem, posix::semaphores());
        let semaphores: Vec<_> = semaphores
            .into_iter()
            .map(|s| (named(&s.node), s))
            .collect();
        self.each(
            "ipc_posix_sem_value",
            "the value of a POSIX semaphore",
            &semaphores,
            |s| Some(u64::from(s.contents?.value)),
        );
        self.each(
            "ipc_posix_sem_waiting",
            "who waits for a POSIX semaphore, as the C library counts: who is killed then counts for ever",
            &semaphores,
            |s| Some(u64::from(s.contents?.waiters)),
        );
    }
}

/// A name that no other has: of one that is no text, or has what a terminal would obey, as it is
/// written between quotes. No name begins as these do.
fn name(node: &Node) -> String {
    match std::str::from_utf8(&node.file_name) {
        Ok(name) if printable(name) == name => name.into(),
        _ => quote(&node.file_name),
    }
}

fn labels(sight: &Sight, family: Family, id: i32, perm: &Perm) -> Vec<(&'static str, String)> {
    let mut labels = vec![
        ("id", id.to_string()),
        ("key", format!("0x{:08x}", perm.key)),
        ("owner", sight.user(perm.uid)),
    ];
    if let Some(name) = sight.name_of(family, &Object::Id(id)) {
        labels.push(("name", name.to_string()));
    }
    labels
}

/// A label's value, as the format wants it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_listed_is_not_counted() {
        let mut text = Exposition::default();
        let none = text.counted(Family::Shm, Err::<Vec<()>, _>(()));
        assert!(none.is_empty() && text.out.is_empty(), "{}", text.out);
        text.counted(Family::Shm, Ok::<_, ()>(vec![(), ()]));
        assert!(text.out.ends_with("\nipc_posix_shm_objects 2\n"));
    }
}
