//! What mends a finding, as it can be typed here.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::data::word;
use crate::inspect::namespaces::Inside;
use crate::kernel::namespace::Kind;

/// What mends a finding.
pub(super) enum Mend {
    /// One of these commands, which change an object of the IPC namespace.
    Do(Vec<String>),
    /// A command that looks closer.
    Look(String),
    /// A socket file is to be removed.
    Remove(PathBuf),
    /// Several ways, in words.
    Words(String),
}

impl Mend {
    /// How it is typed in this shell. An object of other namespaces must never be mended by
    /// changing the one that has its id or its path in ours.
    pub fn written(&self, inside: Option<&Inside>) -> String {
        let elsewhere = |kind| inside.filter(|inside| inside.joined(kind));
        match self {
            Mend::Do(commands) => {
                let written = |command: &String| match elsewhere(Kind::Ipc) {
                    Some(Inside { pid, .. }) => {
                        format!("!nsenter -t {pid} -i ipcsh -c '{command}'")
                    }
                    None => command.clone(),
                };
                let all: Vec<String> = commands.iter().map(written).collect();
                all.join(", or ")
            }
            Mend::Look(command) => match inside {
                Some(Inside { pid, .. }) => format!("{command} --ns {pid}"),
                None => command.clone(),
            },
            Mend::Remove(path) => match elsewhere(Kind::Mnt) {
                Some(Inside { pid, .. }) => {
                    let root = PathBuf::from(format!("/proc/{pid}/root"));
                    let below = path.strip_prefix("/").unwrap_or(path);
                    format!("sock rm {}", shown(&root.join(below)))
                }
                None => format!("sock rm {}", shown(path)),
            },
            Mend::Words(words) => words.clone(),
        }
    }
}

/// A path as it can be typed.
pub(super) fn shown(path: &Path) -> String {
    word(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elsewhere_is_mended_there() {
        let remove = || Mend::Do(vec!["shm rm id:7".into()]);
        let file = || Mend::Remove("/run/x.sock".into());
        let ipc = Inside::new(812, vec![(Kind::Ipc, 1)]);
        let mnt = Inside::new(812, vec![(Kind::Mnt, 1)]);
        for (mend, inside, written) in [
            (remove(), None, "shm rm id:7"),
            (remove(), Some(&mnt), "shm rm id:7"),
            (
                remove(),
                Some(&ipc),
                "!nsenter -t 812 -i ipcsh -c 'shm rm id:7'",
            ),
            (file(), None, "sock rm /run/x.sock"),
            (file(), Some(&ipc), "sock rm /run/x.sock"),
            (file(), Some(&mnt), "sock rm /proc/812/root/run/x.sock"),
            (Mend::Look("why 7".into()), Some(&mnt), "why 7 --ns 812"),
        ] {
            assert_eq!(mend.written(inside), written);
        }
    }
}
