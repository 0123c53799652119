//! The descriptors through which an actor's process holds pipes, FIFOs, sockets and POSIX
//! queues, and what the shell knows of them.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use crate::data::{Family, Object};

/// The descriptors by which an actor hears from its shell and tells it: the session's own wiring.
pub const WIRING: std::ops::RangeInclusive<i32> = 3..=9;

/// Which way a descriptor can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// For reading only.
    Read,
    /// For writing only.
    Write,
    /// For both.
    Both,
}

impl Side {
    /// Whether what is wanted can be done with this.
    pub fn serves(self, wanted: Side) -> bool {
        self == wanted || self == Side::Both
    }

    /// `r`, `w`, `rw`.
    pub fn word(self) -> &'static str {
        match self {
            Side::Read => "r",
            Side::Write => "w",
            Side::Both => "rw",
        }
    }
}

/// A descriptor of an actor, as the shell knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The family of what is behind it.
    pub family: Family,
    /// What is behind it.
    pub object: Object,
    /// Which way it can be used.
    pub side: Side,
    /// Its number in the actor's process; [`ON_ITS_WAY`] as long as that is not known.
    pub fd: i32,
}

/// The number of a descriptor that was sent to an actor and that it has not told of yet.
pub const ON_ITS_WAY: i32 = -1;

/// What became of a descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileChange {
    /// It is held, or was used last: it is the newest of its family.
    Held(Held),
    /// It was closed.
    Closed(i32),
}

/// Applies a change to what is known of an actor's descriptors, the newest last.
pub fn note(held: &mut Vec<Held>, change: FileChange) {
    match change {
        FileChange::Held(new) => {
            let same =
                |h: &Held| (h.family, &h.object, h.side) == (new.family, &new.object, new.side);
            held.retain(|h| h.fd != new.fd && !(h.fd == ON_ITS_WAY && same(h)));
            held.push(new);
        }
        FileChange::Closed(fd) => held.retain(|h| h.fd != fd),
    }
}

/// The newest descriptor of a family that can be used this way.
pub fn newest(held: &[Held], family: Family, side: Side) -> Option<&Held> {
    let usable = |h: &&Held| h.family == family && h.side.serves(side);
    held.iter().rev().find(usable)
}

/// The descriptor of an object that can be used this way.
pub fn of<'a>(held: &'a [Held], family: Family, object: &Object, side: Side) -> Option<&'a Held> {
    let usable = |h: &&Held| h.family == family && h.object == *object && h.side.serves(side);
    held.iter().rev().find(usable)
}

/// The descriptors of this process, the newest or last used at the end. Each is closed
/// when it is taken out.
#[derive(Debug, Default)]
pub struct Files {
    held: Vec<Held>,
    owned: Vec<OwnedFd>,
    changes: Vec<FileChange>,
}

impl Files {
    /// Takes over a descriptor; it is the newest of its family.
    pub fn insert(&mut self, family: Family, object: Object, side: Side, fd: OwnedFd) {
        let held = Held {
            family,
            object,
            side,
            fd: fd.as_raw_fd(),
        };
        self.owned.push(fd);
        self.change(FileChange::Held(held));
    }

    /// Tells that what was on its way has not arrived.
    pub fn lost(&mut self) {
        self.change(FileChange::Closed(ON_ITS_WAY));
    }

    fn change(&mut self, change: FileChange) {
        note(&mut self.held, change.clone());
        self.changes.push(change);
    }

    /// All that is held, the newest last.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// The descriptor of an object that can be used this way.
    pub fn get(&self, family: Family, object: &Object, side: Side) -> Option<BorrowedFd<'_>> {
        let held = of(&self.held, family, object, side)?;
        let owned = self.owned.iter().find(|fd| fd.as_raw_fd() == held.fd);
        owned.map(AsFd::as_fd)
    }

    /// Makes the descriptors of an object the newest of its family.
    pub fn touch(&mut self, family: Family, object: &Object) {
        let of_object = |h: &&Held| h.family == family && h.object == *object;
        let newest = self.held.iter().rev().find(|h| h.family == family);
        if newest.as_ref().is_some_and(of_object) {
            return;
        }
        let touched: Vec<Held> = self.held.iter().filter(of_object).cloned().collect();
        for held in touched {
            self.change(FileChange::Held(held));
        }
    }

    /// Closes the descriptors of an object that can be used only this way, or all of them;
    /// says how many those were.
    pub fn close(&mut self, family: Family, object: &Object, side: Option<Side>) -> usize {
        let closed: Vec<i32> = self
            .held
            .iter()
            .filter(|h| h.family == family && h.object == *object)
            .filter(|h| side.is_none_or(|side| h.side == side))
            .map(|h| h.fd)
            .collect();
        for &fd in &closed {
            self.owned.retain(|owned| owned.as_raw_fd() != fd);
            self.change(FileChange::Closed(fd));
        }
        closed.len()
    }

    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<FileChange> {
        std::mem::take(&mut self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end() -> OwnedFd {
        std::fs::File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn the_newest_that_serves_is_found_and_the_shell_follows() {
        let (one, two) = (Object::Inode(1), Object::Inode(2));
        let mut files = Files::default();
        files.insert(Family::Pipe, one.clone(), Side::Read, end());
        files.insert(Family::Pipe, one.clone(), Side::Write, end());
        files.insert(Family::Pipe, two.clone(), Side::Write, end());
        files.insert(Family::Sock, two.clone(), Side::Both, end());
        let newest_of =
            |held: &[Held], side| newest(held, Family::Pipe, side).map(|h| h.object.clone());
        assert_eq!(newest_of(files.held(), Side::Read), Some(one.clone()));
        assert_eq!(newest_of(files.held(), Side::Write), Some(two.clone()));
        files.touch(Family::Pipe, &one);
        assert_eq!(newest_of(files.held(), Side::Write), Some(one.clone()));
        assert!(files.get(Family::Sock, &two, Side::Read).is_some());
        assert!(files.get(Family::Pipe, &two, Side::Read).is_none());

        let mut known = Vec::new();
        let follow = |files: &mut Files, known: &mut Vec<Held>| {
            files
                .take_changes()
                .into_iter()
                .for_each(|c| note(known, c));
            assert_eq!(known, files.held());
        };
        follow(&mut files, &mut known);
        assert_eq!(files.close(Family::Pipe, &one, Some(Side::Write)), 1);
        assert_eq!(files.close(Family::Pipe, &one, None), 1);
        assert_eq!(files.close(Family::Pipe, &one, None), 0);
        follow(&mut files, &mut known);
        assert_eq!(known.len(), 2);
    }
}
