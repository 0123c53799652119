//! Namespaces of the host, and which processes are in them: namespaces(7).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::containers;
use super::process;
use crate::kernel::namespace::Kind;
use crate::kernel::{Errno, Result, errno_of};

/// The kinds that tell where an IPC object is.
pub const KINDS: [Kind; 3] = [Kind::Ipc, Kind::Mnt, Kind::Net];

/// The inode that names a namespace of a process. Needs ptrace access: `EACCES`; `ENOENT` where
/// there is no such process.
pub fn id(pid: i32, kind: Kind) -> Result<u64> {
    let file = fs::metadata(format!("/proc/{pid}/ns/{}", kind.name()));
    let file = file.map_err(errno_of)?;
    Ok(file.ino())
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its kind.
    pub kind: Kind,
    /// The inode that names it.
    pub id: u64,
    /// Its processes.
    pub members: Members,
    /// Where it is mounted, so that it stays without a process: ip-netns(8).
    pub path: Option<PathBuf>,
    /// Whether it is ours.
    pub ours: bool,
}

/// Processes that have something in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// In ascending order.
    pub pids: Vec<i32>,
    /// The containers that they are of, each once, in the order of the processes.
    pub containers: Vec<String>,
}

impl Members {
    fn add(&mut self, pid: i32, container: Option<&str>) {
        self.pids.push(pid);
        if let Some(name) = container
            && !self.containers.iter().any(|known| known == name)
        {
            self.containers.push(name.to_string());
        }
    }
}

/// What one pass over the host has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// By kind; ours first, then in the order of their oldest processes.
    pub found: Vec<Namespace>,
    /// The processes whose namespaces may not be known, by container.
    pub hidden: Vec<Members>,
}

/// The namespaces of these kinds.
pub fn all(kinds: &[Kind]) -> Namespaces {
    let mut pids: Vec<i32> = process::pids().collect();
    pids.sort_unstable();
    let mut known: BTreeMap<(Kind, u64), Members> = BTreeMap::new();
    let mut hidden: BTreeMap<Option<String>, Members> = BTreeMap::new();
    for pid in pids {
        let container = containers::of(pid);
        let ids: Vec<_> = kinds.iter().map(|kind| (*kind, id(pid, *kind))).collect();
        let is_hidden = |id: &Result<u64>| matches!(id, Err(Errno::EACCES | Errno::EPERM));
        if ids.iter().any(|(_, id)| is_hidden(id)) {
            let alike = hidden.entry(container.clone()).or_default();
            alike.add(pid, container.as_deref());
            continue;
        }
        for (kind, id) in ids {
            if let Ok(id) = id {
                known
                    .entry((kind, id))
                    .or_default()
                    .add(pid, container.as_deref());
            }
        }
    }
    let mut mounted = mounted();
    mounted.retain(|(kind, ..)| kinds.contains(kind));
    for (kind, id, _) in &mounted {
        known.entry((*kind, *id)).or_default();
    }
    let own = std::process::id().cast_signed();
    let ours = KINDS.map(|kind| (kind, id(own, kind).ok()));
    let mut found: Vec<Namespace> = known
        .into_iter()
        .map(|((kind, id), members)| Namespace {
            kind,
            id,
            members,
            path: mounted
                .iter()
                .find(|m| (m.0, m.1) == (kind, id))
                .map(|m| m.2.clone()),
            ours: ours.contains(&(kind, Some(id))),
        })
        .collect();
    found.sort_by_key(|n| {
        let oldest = n.members.pids.first().copied();
        (n.kind, !n.ours, oldest.is_none(), oldest, n.id)
    });
    Namespaces {
        found,
        hidden: hidden.into_values().collect(),
    }
}

/// The namespaces that are mounted somewhere, as `ip netns add` does, and as we see it.
fn mounted() -> Vec<(Kind, u64, PathBuf)> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter_map(mount).collect()
}

/// A line of proc_pid_mountinfo(5), where it is one: `… net:[4026532177] /run/netns/x … - nsfs …`.
fn mount(line: &str) -> Option<(Kind, u64, PathBuf)> {
    let (before, after) = line.split_once(" - ")?;
    after.starts_with("nsfs ").then_some(())?;
    let mut fields = before.split(' ').skip(3);
    let (kind, id) = fields.next()?.strip_suffix(']')?.split_once(":[")?;
    let kind = KINDS.into_iter().find(|k| k.name() == kind)?;
    Some((kind, id.parse().ok()?, PathBuf::from(fields.next()?)))
}

/// A look from inside the namespaces of a process: which of them are not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The process.
    pub pid: i32,
    joined: Vec<(Kind, u64)>,
}

/// Whether all that could be joined of a process are those of this one.
pub fn are_ours(pid: i32) -> bool {
    let own = std::process::id().cast_signed();
    let same = |kind| id(pid, kind).is_ok_and(|theirs| id(own, kind) == Ok(theirs));
    KINDS.into_iter().all(same)
}

impl Inside {
    /// These namespaces of this process were joined.
    pub fn new(pid: i32, joined: Vec<(Kind, u64)>) -> Inside {
        Inside { pid, joined }
    }

    /// Whether a process shares one of them.
    pub fn has(&self, pid: i32) -> bool {
        let shares = |(kind, of): &(Kind, u64)| id(pid, *kind) == Ok(*of);
        self.joined.iter().any(shares)
    }

    /// Whether the one of this kind was joined, and is not the shell's.
    pub fn joined(&self, kind: Kind) -> bool {
        self.joined.iter().any(|(known, _)| *known == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::process::Command;

    use crate::inspect::witness::skip;

    #[test]
    fn a_mounted_namespace_is_known_by_its_line() {
        let line = "611 25 0:4 net:[4026532177] /run/netns/blue rw shared:9 - nsfs nsfs rw";
        let path = PathBuf::from("/run/netns/blue");
        assert_eq!(mount(line), Some((Kind::Net, 4_026_532_177, path)));
        for other in [
            "25 1 0:22 / /proc rw - proc proc rw",
            "611 25 0:4 pid:[4026532177] /run/pid rw - nsfs nsfs rw",
            "611 25 0:4 net:[x] /run/netns/blue rw - nsfs nsfs rw",
            "nsfs",
        ] {
            assert_eq!(mount(other), None, "{other}");
        }
    }

    #[test]
    fn our_namespaces_are_those_of_lsns() {
        let own = std::process::id();
        let arguments = ["-n", "-r", "-o", "TYPE,NS", "-p", &own.to_string()];
        let Ok(output) = Command::new("lsns").args(arguments).output() else {
            return skip("no lsns");
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let told: HashMap<&str, &str> = text.lines().filter_map(|l| l.split_once(' ')).collect();
        let all = all(&KINDS);
        for kind in KINDS {
            let ours = all.found.iter().find(|n| n.kind == kind && n.ours).unwrap();
            assert_eq!(
                Some(ours.id.to_string().as_str()),
                told.get(kind.name()).copied()
            );
            assert!(ours.members.pids.contains(&own.cast_signed()));
            assert!(Inside::new(1, vec![(kind, ours.id)]).has(own.cast_signed()));
        }
    }
}
