//! What nobody uses any more.

use std::path::{Path, PathBuf};

use super::mend::{Mend, shown};
use super::{Sure, ago};
use crate::data::{Family, Object, counted};
use crate::inspect::thing::Thing;
use crate::inspect::{abandoned, socket_file, sysv, unix};
use crate::kernel::msg::MsgStat;
use crate::kernel::sem::{self, SemStat};
use crate::kernel::shm::ShmStat;
use crate::kernel::sysv::Perm;
use crate::kernel::{self, Result, msg, shm};
use crate::mechanism::{self, Sight};
use crate::session;

/// An object that nobody uses.
pub(super) struct Orphan {
    pub what: &'static str,
    pub label: String,
    pub evidence: String,
    pub sure: Sure,
    /// When somebody used it last.
    pub used: i64,
    pub uid: u32,
    /// 0 is that of many: IPC_PRIVATE. A file has none.
    pub key: Option<i32>,
    /// Messages that nobody has read: who makes a queue, sends and ends may mean them for one who
    /// comes later.
    pub unread: u64,
    pub place: Place,
}

/// What it is removed by.
#[derive(Clone, Debug)]
pub(super) enum Place {
    SystemV(Family, i32),
    /// The file, its device and its inode.
    Socket(PathBuf, u64, u64),
}

impl Orphan {
    pub fn mend(&self) -> Mend {
        match &self.place {
            Place::SystemV(family, id) => Mend::Do(vec![format!("{} rm id:{id}", family.noun())]),
            Place::Socket(path, ..) => Mend::Remove(path.clone()),
        }
    }

    /// Looks at it once more; `None` where it is none any more.
    pub fn again(&self, sight: &Sight) -> Option<Orphan> {
        match &self.place {
            Place::SystemV(Family::Msgq, id) => queue(sight, &msg::stat_any_id(*id).ok()?),
            Place::SystemV(Family::Shm, id) => segment(sight, &shm::stat_any_id(*id).ok()?),
            Place::SystemV(_, id) => set(sight, &sem::stat_any_id(*id).ok()?),
            Place::Socket(path, ..) => socket(path, &unix::all().ok()?),
        }
    }

    pub fn remove(&self) -> Result<()> {
        match &self.place {
            Place::SystemV(family, id) => session::remove(*family, *id),
            Place::Socket(path, dev, ino) => kernel::socket::remove_this(path, *dev, *ino),
        }
    }
}

/// Every one that can be seen, except what this session created; what could not be looked at is said.
pub(super) fn orphans(sight: &Sight, unseen: &mut Vec<String>) -> Vec<Orphan> {
    let mut found: Vec<Orphan> = Vec::new();
    found.extend(sysv::queues().iter().filter_map(|q| queue(sight, q)));
    found.extend(sysv::segments().iter().filter_map(|s| segment(sight, s)));
    found.extend(sysv::sets().iter().filter_map(|s| set(sight, s)));
    found.extend(stale_sockets(unseen));
    found
}

fn orphan(
    sight: &Sight,
    what: &'static str,
    (family, id): (Family, i32),
    perm: &Perm,
    used: i64,
) -> Option<Orphan> {
    let object = Object::Id(id);
    if sight.names.created(family, &object).is_some() {
        return None;
    }
    Some(Orphan {
        what,
        label: format!("{}.{}", family.noun(), sight.label(family, &object)),
        evidence: String::new(),
        sure: Sure::Likely,
        used,
        uid: perm.uid,
        key: Some(perm.key),
        unread: 0,
        place: Place::SystemV(family, id),
    })
}

fn segment(sight: &Sight, s: &ShmStat) -> Option<Orphan> {
    let used = s.atime.max(s.dtime).max(s.ctime);
    let abandoned = abandoned::segment(s, &|pid, when| sight.is_gone(pid, when))?;
    let found = orphan(
        sight,
        "orphaned segment",
        (Family::Shm, s.id),
        &s.perm,
        used,
    )?;
    let (last, sure) = match abandoned.last_alive {
        true => (
            format!("; pid {}, which had it attached last, is not", s.lpid),
            Sure::Suspected,
        ),
        false => (String::new(), Sure::Likely),
    };
    Some(Orphan {
        evidence: format!(
            "{}; nobody has it attached, for {}; its creator, pid {}, is gone{last}",
            counted(s.segsz, "byte"),
            ago(used),
            s.cpid,
        ),
        sure,
        ..found
    })
}

fn queue(sight: &Sight, q: &MsgStat) -> Option<Orphan> {
    let used = q.stime.max(q.rtime).max(q.ctime);
    if !abandoned::queue(q, &|pid, when| sight.is_gone(pid, when)) {
        return None;
    }
    let found = orphan(sight, "orphaned queue", (Family::Msgq, q.id), &q.perm, used)?;
    if sight
        .snapshot
        .waiting_at(Thing::Msgq(q.id))
        .next()
        .is_some()
    {
        return None;
    }
    let received = match q.rtime {
        0 => "nobody ever received".to_string(),
        _ => format!("pid {}, which received last, is gone", q.lrpid),
    };
    Some(Orphan {
        evidence: format!(
            "{}; unused for {}; pid {}, which sent last, is gone; {received}",
            counted(q.qnum, "message"),
            ago(used),
            q.lspid,
        ),
        unread: q.qnum,
        ..found
    })
}

fn set(sight: &Sight, s: &SemStat) -> Option<Orphan> {
    let used = s.otime.max(s.ctime);
    let abandoned = abandoned::set(s, &|pid, when| sight.is_gone(pid, when))?;
    let found = orphan(sight, "orphaned set", (Family::Sem, s.id), &s.perm, used)?;
    if mechanism::sem::waiting(s) != Some(0) {
        return None;
    }
    let pids: Vec<String> = abandoned.pids.iter().map(i32::to_string).collect();
    let (besides, sure) = match abandoned.used_outside {
        true => (
            "; some semaphores may be another pid namespace's",
            Sure::Suspected,
        ),
        false => ("", Sure::Likely),
    };
    Some(Orphan {
        evidence: format!(
            "{}; unused for {}; who operated last, pid {}, is gone{besides}",
            counted(s.nsems, "semaphore"),
            ago(used),
            pids.join(", "),
        ),
        sure,
        ..found
    })
}

/// Where servers put their sockets, and how much of it is looked through.
const ROOTS: [&str; 3] = ["/run", "/tmp", "/var/tmp"];
const DEPTH: usize = 4;
const ENTRIES: usize = 20_000;

fn stale_sockets(unseen: &mut Vec<String>) -> Vec<Orphan> {
    let sockets = match unix::all() {
        Ok(sockets) => sockets,
        Err(e) => {
            let why = e.desc();
            unseen.push(format!(
                "socket files are not looked at: sockets cannot be listed ({why})"
            ));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    let mut left = ENTRIES;
    for root in ROOTS
        .iter()
        .filter_map(|root| Path::new(root).canonicalize().ok())
    {
        walk(&root, DEPTH, &mut left, &mut files);
    }
    if left == 0 {
        unseen.push(format!(
            "of {} no more than {ENTRIES} files are looked at",
            ROOTS.join(", ")
        ));
    }
    let stale = |path: &PathBuf| socket(path, &sockets);
    files.iter().filter_map(stale).collect()
}

fn walk(dir: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) {
    use std::os::unix::fs::FileTypeExt;
    let Ok(entries) = dir.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        match entry.file_type() {
            Ok(kind) if kind.is_socket() => found.push(entry.path()),
            Ok(kind) if kind.is_dir() && depth > 1 => {
                walk(&entry.path(), depth - 1, left, found);
            }
            _ => {}
        }
    }
}

/// A socket file that no socket is bound to: connect(2) gives ECONNREFUSED for ever.
fn socket(path: &Path, sockets: &[unix::UnixSocket]) -> Option<Orphan> {
    use std::os::unix::fs::MetadataExt;
    // First: which file it is that is judged.
    let meta = path.symlink_metadata().ok()?;
    let behind = socket_file::behind_of(path, sockets).ok()?;
    if !behind.is_stale() {
        return None;
    }
    Some(Orphan {
        what: "stale socket file",
        label: shown(path),
        evidence: format!("no socket is bound to it; made {} ago", ago(meta.ctime())),
        sure: Sure::Exact,
        used: meta.ctime(),
        uid: meta.uid(),
        key: None,
        unread: 0,
        place: Place::Socket(path.into(), meta.dev(), meta.ino()),
    })
}
