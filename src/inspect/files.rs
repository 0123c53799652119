//! Who has a file that is no object: one on a disk, a device, memory without a name.

use std::path::Path;

use super::descriptors::{self, Ask, Descriptor, FileId, What};
use super::maps;
use super::parallel::in_parts;

/// Those who have a file, as far as they can be seen.
#[derive(Debug, Default)]
pub struct FileUsers {
    /// The descriptors that are open on it.
    pub open: Vec<Descriptor>,
    /// The processes that have it mapped, and whether they write to it there.
    pub mapped: Vec<(i32, bool)>,
    /// How many processes could not be looked into.
    pub unreadable: usize,
}

/// Who of these processes has a file, which one of them knows by this path.
pub(super) fn users(pids: &[i32], file: FileId, path: &Path) -> FileUsers {
    let ask = Ask {
        access: true,
        files: true,
    };
    // Devices that nearly everybody has open are not asked which file they are.
    let is_it = |what: &What| match what {
        What::File { file: Some(id), .. } => (id.dev, id.ino) == (file.dev, file.ino),
        What::File {
            file: None,
            path: at,
        } => at == path,
        _ => false,
    };
    let parts = in_parts(pids, |pids| {
        let scan = descriptors::scan(pids.iter().copied(), ask, is_it);
        let mut users = FileUsers {
            open: scan.descriptors,
            ..FileUsers::default()
        };
        for &pid in pids {
            match maps::file(pid, file.into(), path) {
                Some(Some(writes)) => users.mapped.push((pid, writes)),
                Some(None) => {}
                None => users.unreadable += 1,
            }
        }
        users.unreadable = users.unreadable.max(scan.unreadable);
        users
    });
    let mut all = FileUsers::default();
    for mut part in parts {
        all.open.append(&mut part.open);
        all.mapped.append(&mut part.mapped);
        all.unreadable += part.unreadable;
    }
    all
}
