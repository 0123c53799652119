//! The limits of IPC on this host: proc_sys_kernel(5), mq_overview(7), pipe(7).

use super::process::read_file;

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The kernel's own word: `msgmax`.
    pub name: &'static str,
    /// The family it bounds: `msgq`, `shm`, `sem`, `mqueue`, `pipe`, `sock`.
    pub family: &'static str,
    /// Its value, as it is in the reader's IPC namespace. `None` where it cannot be read.
    pub value: Option<u64>,
    /// What it counts: `bytes`, `pages`, `queues`…
    pub unit: &'static str,
    /// What it bounds.
    pub help: &'static str,
    /// The file to read or write it in; none of what is fixed.
    pub path: &'static str,
}

/// A limit before it is read, and where in its file it stands.
struct Spec {
    name: &'static str,
    family: &'static str,
    unit: &'static str,
    help: &'static str,
    path: &'static str,
    place: usize,
}

const fn spec(
    family: &'static str,
    name: &'static str,
    unit: &'static str,
    path: &'static str,
    help: &'static str,
) -> Spec {
    Spec {
        name,
        family,
        unit,
        help,
        path,
        place: 0,
    }
}

/// The four numbers of one file.
const fn sem(place: usize, name: &'static str, unit: &'static str, help: &'static str) -> Spec {
    Spec {
        name,
        family: "sem",
        unit,
        help,
        path: "/proc/sys/kernel/sem",
        place,
    }
}

#[rustfmt::skip]
const SPECS: &[Spec] = &[
    spec("msgq", "msgmax", "bytes", "/proc/sys/kernel/msgmax", "one message, at most"),
    spec("msgq", "msgmnb", "bytes", "/proc/sys/kernel/msgmnb", "the qbytes of a new queue"),
    spec("msgq", "msgmni", "queues", "/proc/sys/kernel/msgmni", "queues in the namespace"),
    spec("shm", "shmmax", "bytes", "/proc/sys/kernel/shmmax", "one segment, at most"),
    spec("shm", "shmall", "pages", "/proc/sys/kernel/shmall", "all segments together"),
    spec("shm", "shmmni", "segments", "/proc/sys/kernel/shmmni", "segments in the namespace"),
    spec("shm", "shm_rmid_forced", "flag", "/proc/sys/kernel/shm_rmid_forced", "1: the last detach destroys a segment"),
    sem(0, "semmsl", "semaphores", "semaphores of one set"),
    sem(1, "semmns", "semaphores", "semaphores of all sets together"),
    sem(2, "semopm", "operations", "operations of one semop"),
    sem(3, "semmni", "sets", "sets in the namespace"),
    spec("sem", "semvmx", "value", "", "the value of a semaphore, at most; it cannot be changed"),
    spec("mqueue", "queues_max", "queues", "/proc/sys/fs/mqueue/queues_max", "POSIX queues in the namespace"),
    spec("mqueue", "msg_max", "messages", "/proc/sys/fs/mqueue/msg_max", "mq_maxmsg of a queue, without privilege"),
    spec("mqueue", "msgsize_max", "bytes", "/proc/sys/fs/mqueue/msgsize_max", "mq_msgsize of a queue, without privilege"),
    spec("mqueue", "msg_default", "messages", "/proc/sys/fs/mqueue/msg_default", "mq_maxmsg of a queue made without attributes"),
    spec("mqueue", "msgsize_default", "bytes", "/proc/sys/fs/mqueue/msgsize_default", "mq_msgsize of a queue made without attributes"),
    spec("pipe", "pipe-max-size", "bytes", "/proc/sys/fs/pipe-max-size", "the capacity of a pipe, without privilege"),
    spec("pipe", "pipe-user-pages-soft", "pages", "/proc/sys/fs/pipe-user-pages-soft", "a user's pipes together; beyond it new ones are small; 0: no limit"),
    spec("pipe", "pipe-user-pages-hard", "pages", "/proc/sys/fs/pipe-user-pages-hard", "a user's pipes together; beyond it there are none; 0: no limit"),
    spec("sock", "max_dgram_qlen", "datagrams", "/proc/sys/net/unix/max_dgram_qlen", "datagrams that wait at one Unix socket"),
    spec("sock", "somaxconn", "connections", "/proc/sys/net/core/somaxconn", "the backlog of a listening socket, at most"),
];

/// The name of every limit.
pub fn names() -> Vec<&'static str> {
    SPECS.iter().map(|spec| spec.name).collect()
}

/// Every limit, read now.
pub fn limits() -> Vec<Limit> {
    SPECS.iter().map(read).collect()
}

/// One limit by the kernel's own word, read now.
pub fn limit(name: &str) -> Option<Limit> {
    SPECS.iter().find(|spec| spec.name == name).map(read)
}

fn read(spec: &Spec) -> Limit {
    let value = match spec.path {
        "" => crate::kernel::sem::limits()
            .ok()
            .map(|limits| limits.semvmx),
        path => read_file(path)
            .ok()
            .and_then(|bytes| number_at(&bytes, spec.place)),
    };
    Limit {
        name: spec.name,
        family: spec.family,
        value,
        unit: spec.unit,
        help: spec.help,
        path: spec.path,
    }
}

fn number_at(bytes: &[u8], place: usize) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.split_ascii_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::process::Command;

    use crate::inspect::witness::skip;

    #[test]
    fn numbers_are_found_in_their_places() {
        let sem = b"32000\t1024000000\t500\t32001\n";
        assert_eq!(number_at(sem, 3), Some(32001));
        assert_eq!(number_at(sem, 4), None);
        assert_eq!(
            number_at(b"18446744073692774399\n", 0),
            Some(u64::MAX - 16777216)
        );
        for bytes in [
            &b""[..],
            b"-1",
            b"many",
            b"\xff",
            b"99999999999999999999999",
        ] {
            assert_eq!(number_at(bytes, 0), None);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = limits().iter().map(|limit| limit.name).collect();
        assert_eq!(names.len(), SPECS.len());
        assert_eq!(limit("semopm").map(|limit| limit.family), Some("sem"));
        assert_eq!(limit("nosuch"), None);
    }

    #[test]
    fn ipcs_says_the_same() {
        let Ok(output) = Command::new("ipcs").arg("-l").env("LC_ALL", "C").output() else {
            return skip("no ipcs");
        };
        let text = String::from_utf8_lossy(&output.stdout);
        for (words, name) in [
            ("max queues system wide", "msgmni"),
            ("max size of message (bytes)", "msgmax"),
            ("default max size of queue (bytes)", "msgmnb"),
            ("max number of segments", "shmmni"),
            ("max number of arrays", "semmni"),
            ("max semaphores per array", "semmsl"),
            ("max semaphores system wide", "semmns"),
            ("max ops per semop call", "semopm"),
            ("semaphore max value", "semvmx"),
        ] {
            let Some((_, said)) = text
                .lines()
                .filter_map(|line| line.split_once(" = "))
                .find(|(key, _)| *key == words)
            else {
                skip(&format!("ipcs does not say {words:?}"));
                continue;
            };
            let value = limit(name).and_then(|limit| limit.value);
            assert_eq!(
                value.map(|v| v.to_string()).as_deref(),
                Some(said.trim()),
                "{name}"
            );
        }
    }
}
