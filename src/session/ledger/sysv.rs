//! What the ledger holds of System V objects.

use super::{Entry, KEY, Kind, Ledger, Removed, SINCE, State, UID, state_word, tag};
use crate::data::Family;
use crate::kernel::sysv::Perm;
use crate::kernel::{Errno, Result, msg, sem, shm};

impl Ledger {
    /// Records that a System V object is about to be created, under this key, at this time
    /// (seconds since the epoch) and by this user. `None` where the ledger is full.
    pub fn intend(&self, family: Family, key: i32, now: i64, uid: u32) -> Option<Entry> {
        let entry = self.claim()?;
        self.set(entry, KEY, key as u32 as u64);
        self.set(entry, SINCE, now as u64);
        self.set(entry, UID, u64::from(uid));
        self.set_state(entry, state_word(State::Intended, Kind::SystemV(family), 0));
        Some(entry)
    }

    /// Records that the object now exists under this id.
    pub fn settle(&self, entry: Entry, family: Family, id: i32) {
        let kind = Kind::SystemV(family);
        self.set_state(entry, state_word(State::Live, kind, tag(&id.into())));
    }

    pub(super) fn sweep_object(
        &self,
        entry: Entry,
        state: State,
        family: Family,
        id: i32,
    ) -> Option<Removed> {
        let id = self.find(entry, state, family, id)?;
        let error = remove(family, id).err();
        // Somebody else was quicker.
        let gone = matches!(error, Some(Errno::EINVAL | Errno::EIDRM));
        (!gone).then(|| Removed {
            kind: Kind::SystemV(family),
            object: id.into(),
            error,
        })
    }

    /// The id of the object that the record speaks of, if it is still there and is ours:
    /// an id may have been given to a new object, a key been taken by somebody else.
    fn find(&self, entry: Entry, state: State, family: Family, id: i32) -> Option<i32> {
        let key = self.get(entry, KEY) as u32 as i32;
        let id = match state {
            State::Live => id,
            _ if key == 0 => return None,
            _ => lookup(family, key).ok()?,
        };
        let (perm, ctime) = perm_and_ctime(family, id).ok()?;
        let since = self.get(entry, SINCE) as i64;
        let uid = self.get(entry, UID) as u32;
        // The kernel's clock of ctime may lag behind ours by a tick.
        let ours = perm.key == key && perm.cuid == uid && ctime >= since - 1;
        ours.then_some(id)
    }
}

/// Removes a System V object.
///
/// # Errors
/// Those of msgctl(2), shmctl(2), semctl(2) with `IPC_RMID`.
pub fn remove(family: Family, id: i32) -> Result<()> {
    match family {
        Family::Msgq => msg::remove(id),
        Family::Shm => shm::remove(id),
        Family::Sem => sem::remove(id),
        _ => Err(Errno::EINVAL),
    }
}

/// The id of the System V object that has this key.
///
/// # Errors
/// ENOENT where there is none; EACCES.
pub fn lookup(family: Family, key: i32) -> Result<i32> {
    match family {
        Family::Msgq => msg::get(key, 0, false, false),
        Family::Shm => shm::get(key, 0, 0, false, false),
        Family::Sem => sem::get(key, 0, 0, false, false),
        _ => Err(Errno::ENOENT),
    }
}

/// The key, the owner and the permissions of a System V object.
///
/// # Errors
/// EINVAL where there is none with this id.
pub fn perm_of(family: Family, id: i32) -> Result<Perm> {
    perm_and_ctime(family, id).map(|(perm, _)| perm)
}

fn perm_and_ctime(family: Family, id: i32) -> Result<(Perm, i64)> {
    match family {
        Family::Msgq => msg::stat_any_id(id).map(|s| (s.perm, s.ctime)),
        Family::Shm => shm::stat_any_id(id).map(|s| (s.perm, s.ctime)),
        Family::Sem => sem::stat_any_id(id).map(|s| (s.perm, s.ctime)),
        _ => Err(Errno::EINVAL),
    }
}
