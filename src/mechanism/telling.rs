//! What a look at the host has found, in words for people.

use std::os::unix::ffi::OsStrExt;

use super::Sight;
use crate::data::{Failure, Family, Table, word};
use crate::inspect::descriptors::{self, What};
use crate::inspect::process::{self, LastOperator};
use crate::inspect::wait::{Kind, Name, Wait, Waiter};
use crate::kernel::process::geteuid;
use crate::kernel::sem;

impl Sight<'_> {
    /// Who operated on an object last, for a sentence: `a (pid 4240)`,
    /// `pid 17, which is gone`. `None` where nobody has.
    pub fn operator(&self, pid: i32, when: i64) -> Option<String> {
        if let Some(actor) = self.actors.get(&pid) {
            return Some(format!("{actor} (pid {pid})"));
        }
        let LastOperator {
            comm, certainty, ..
        } = self.last_operator(pid, when)?;
        Some(match (certainty, comm) {
            (process::Certainty::Alive, Some(comm)) => format!("{comm} (pid {pid})"),
            (process::Certainty::Alive | process::Certainty::Hidden, _) => format!("pid {pid}"),
            (process::Certainty::Gone, _) => format!("pid {pid}, which is gone"),
            (process::Certainty::Recycled, _) => {
                format!("pid {pid}, which is gone (another process has its number now)")
            }
        })
    }

    /// A process in a sentence: `a (pid 4240)`, by its actor's name or its command.
    pub fn who(&self, pid: i32) -> String {
        match self.actors.get(&pid) {
            Some(actor) => format!("{actor} (pid {pid})"),
            None => words(pid, self.snapshot.command(pid)),
        }
    }

    /// What a thread waits for, in words, with this session's names: `semop lock -1`.
    pub fn wait_text(&self, waiter: &Waiter) -> String {
        let object = waiter.thing.and_then(|t| t.object(waiter.path.as_deref()));
        match (&waiter.wait, &object) {
            (Wait::Futex { .. }, Some((Family::Sem, object))) => {
                return format!("sem_wait {object}");
            }
            (Wait::Futex { .. }, Some((_, object))) => return format!("futex {object}"),
            _ => {}
        }
        waiter.wait.text(|kind, number| {
            let (family, object) = match kind {
                // Only one side of it is known.
                Kind::Fd if matches!(waiter.wait, Wait::Splice { .. }) => return None,
                Kind::Fd if object.is_none() => return file_name(waiter.pid, number),
                _ => object.clone()?,
            };
            let nsems = match (kind, object.id()) {
                (Kind::Sem, Some(id)) => sem::stat_any_id(id).ok().map(|s| s.nsems),
                _ => None,
            };
            let text = self.label(family, &object);
            Some(Name { text, nsems })
        })
    }

    /// What could not be seen, and what would reveal it: a line below a table.
    pub fn hidden(&self) -> Option<String> {
        unseen(self.snapshot.unreadable())
    }

    /// Says below the last table what could not be seen.
    pub fn sign(&self, tables: &mut [Table]) {
        if let Some(last) = tables.last_mut() {
            last.footer.extend(self.hidden());
        }
    }
}

/// That so many processes could not be looked into, and what would reveal them.
pub fn unseen(processes: usize) -> Option<String> {
    let (n, es) = match processes {
        0 => return None,
        1 => (1, ""),
        n => (n, "es"),
    };
    Some(if !process::is_mounted() {
        "/proc is not mounted, and no process is seen".into()
    } else if process::may_look_into_all() {
        format!("{n} process{es} may not be looked into, not even by root")
    } else if process::are_hidden() {
        "/proc hides processes (hidepid); run as root or with CAP_SYS_PTRACE".into()
    } else {
        format!("{n} process{es} may not be looked into; run as root or with CAP_SYS_PTRACE")
    })
}

/// A process that may not be looked into.
#[derive(Clone, Copy, Debug)]
pub struct Barred {
    pid: i32,
    /// Why not.
    why: &'static str,
    /// Whom to run as.
    way: Option<&'static str>,
}

/// Why a process may not be looked into.
pub fn barred(pid: i32) -> Barred {
    let (why, way) = if process::may_look_into_all() {
        ("the kernel keeps it even from root", None)
    } else if geteuid() == 0 {
        let way = "root of the host with CAP_SYS_PTRACE";
        ("the kernel keeps it from root here", Some(way))
    } else if process::uid(pid) == Some(geteuid()) {
        let why = "the kernel keeps it even from its own user, as it has changed its user or may not be \
                   dumped";
        (why, Some("root or with CAP_SYS_PTRACE"))
    } else {
        let way = "its user, as root or with CAP_SYS_PTRACE";
        ("it belongs to another user", Some(way))
    };
    Barred { pid, why, way }
}

impl Barred {
    fn meaning(self) -> String {
        format!("process {} may not be looked into: {}", self.pid, self.why)
    }

    /// A line below a table.
    pub fn line(self) -> String {
        let way = self
            .way
            .map_or(String::new(), |way| format!("; run as {way}"));
        format!("{}{way}", self.meaning())
    }

    /// A failure that means this.
    pub fn of(self, failure: Failure) -> Failure {
        let meaning = self.meaning();
        let failure = Failure { meaning, ..failure };
        match self.way {
            Some(way) => failure.help(format!("Run as {way}")),
            None => failure,
        }
    }
}

/// A process that is no actor, in a sentence: `python3 (pid 4240)`.
pub(super) fn process_words(pid: i32) -> String {
    words(pid, process::command(pid))
}

fn words(pid: i32, command: Option<String>) -> String {
    match command {
        Some(command) => format!("{command} (pid {pid})"),
        None => format!("pid {pid}"),
    }
}

/// What a descriptor that is open on no object is called: a terminal by its path.
fn file_name(pid: i32, fd: i32) -> Option<Name> {
    match descriptors::behind(pid, fd).ok()? {
        What::File { path, .. } => Some(word(path.as_os_str().as_bytes()).into()),
        What::Other(text) => Some(word(text.as_bytes()).into()),
        What::Pipe { .. } | What::Socket { .. } => None,
    }
}
