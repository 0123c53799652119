//! What the three System V mechanisms share: keys, permissions, and how both are asked for
//! (sysvipc(7), ftok(3)).

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Errno, Result};

/// The key that makes a new object each time, one that no other key finds.
pub const IPC_PRIVATE: i32 = libc::IPC_PRIVATE;

/// Who owns and who made an object, and who may use it: the kernel's `struct ipc_perm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Perm {
    /// The key it was made with; 0 for `IPC_PRIVATE`, and for a segment marked for removal.
    pub key: i32,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// The creator.
    pub cuid: u32,
    /// The creator's group.
    pub cgid: u32,
    /// The low 9 bits are permissions; above them a segment carries `SHM_DEST` and `SHM_LOCKED`.
    pub mode: u32,
    /// The kernel's sequence number, part of the id.
    pub seq: u16,
}

impl Perm {
    pub(super) fn from_kernel(perm: &libc::ipc_perm) -> Perm {
        Perm {
            key: perm.__key,
            uid: perm.uid,
            gid: perm.gid,
            cuid: perm.cuid,
            cgid: perm.cgid,
            // Its width differs between architectures.
            #[allow(clippy::useless_conversion)]
            mode: perm.mode.into(),
            seq: perm.__seq,
        }
    }
}

/// What `IPC_SET` shall change; `None` leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PermSet {
    /// The new owner.
    pub uid: Option<u32>,
    /// The new group.
    pub gid: Option<u32>,
    /// The new permissions; only the low 9 bits count.
    pub mode: Option<u32>,
}

impl PermSet {
    pub(super) fn apply(&self, perm: &mut libc::ipc_perm) {
        perm.uid = self.uid.unwrap_or(perm.uid);
        perm.gid = self.gid.unwrap_or(perm.gid);
        if let Some(mode) = self.mode {
            perm.mode = (mode & 0o777) as _;
        }
    }
}

/// The key for a path and a project number, as ftok(3) makes it: project, low byte of the device, low
/// two bytes of the inode. Unlike ftok it refuses project 0 with `EINVAL`, since POSIX leaves that
/// open. The other errors are stat(2)'s. Different files can share a key.
pub fn ftok(path: &Path, proj: u8) -> Result<i32> {
    if proj == 0 {
        return Err(Errno::EINVAL);
    }
    let meta = std::fs::metadata(path).map_err(super::errno_of)?;
    let key =
        (u32::from(proj) << 24) | ((meta.dev() as u32 & 0xff) << 16) | (meta.ino() as u32 & 0xffff);
    Ok(key.cast_signed())
}

/// The flags of a `…get` call.
pub(super) fn get_flags(mode: u32, create: bool, exclusive: bool) -> libc::c_int {
    let mut flags = (mode & 0o777).cast_signed();
    if create {
        flags |= libc::IPC_CREAT;
    }
    if exclusive {
        flags |= libc::IPC_EXCL;
    }
    flags
}

/// The indices at which an id may stand in the kernel's table: its low 15 bits, or its low 24 when the
/// kernel was started with `ipcmni_extend`.
fn indices_of(id: i32) -> [i32; 2] {
    [id & 0x7fff, id & 0xff_ffff]
}

/// The state of an object by its id, also without read permission: `read` gives that of an id with
/// `IPC_STAT`, and with `any`, a `…_STAT_ANY`, that at an index, with its id.
pub(super) fn any_ds<T>(
    id: i32,
    any: libc::c_int,
    read: impl Fn(i32, libc::c_int) -> Result<(i32, T)>,
) -> Result<T> {
    match read(id, libc::IPC_STAT) {
        Err(Errno::EACCES) => {}
        other => return other.map(|(_, ds)| ds),
    }
    let seen = indices_of(id)
        .into_iter()
        .filter_map(|index| read(index, any).ok());
    let mut ours = seen.filter(|(seen, _)| *seen == id);
    ours.next().map(|(_, ds)| ds).ok_or(Errno::EIDRM)
}

/// A count that the kernel keeps in a C `int` and that is never negative.
pub(super) fn count(n: libc::c_int) -> u64 {
    n.unsigned_abs().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ftok_agrees_with_the_c_library() {
        let path = std::env::current_exe().unwrap();
        let c_path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        for proj in [1u8, 42, 0x7f, 0x80, 0xff] {
            assert_eq!(
                ftok(&path, proj),
                Ok(super::super::witness::libc_ftok(&c_path, proj))
            );
        }
        assert_eq!(ftok(&path, 0), Err(Errno::EINVAL));
        assert_eq!(ftok(Path::new("/nonexistent/x"), 1), Err(Errno::ENOENT));
    }
}
