//! Which processes have a shared memory segment attached: proc_pid_maps(5).

use super::process;

/// The processes of our IPC namespace that have a segment attached, and how often each.
/// Those of other users cannot be looked into without privilege: the segment's `nattch`
/// counts them too.
pub fn attached(id: i32) -> Vec<(i32, u64)> {
    let here = process::ipc_namespace(std::process::id().cast_signed());
    let mut found = Vec::new();
    for pid in process::pids() {
        let Ok(maps) = process::read_file(format!("/proc/{pid}/maps")) else {
            continue;
        };
        let times = maps.split(|b| *b == b'\n').filter(|l| is_of(l, id)).count();
        if times > 0 && process::ipc_namespace(pid) == here {
            found.push((pid, times as u64));
        }
    }
    found
}

/// `7f..-7f.. rw-s 00000000 00:01 32768   /SYSV00000000 (deleted)`: the inode is the id, as
/// the kernel prints it, without a sign.
fn is_of(line: &[u8], id: i32) -> bool {
    let mut words = line.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let inode = words.nth(4).and_then(|w| std::str::from_utf8(w).ok());
    inode.and_then(|w| w.parse().ok()) == Some(id.cast_unsigned())
        && words.next().is_some_and(|path| path.starts_with(b"/SYSV"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::shm;
    use crate::kernel::sysv::IPC_PRIVATE;
    use crate::kernel::witness::Guard;

    #[test]
    fn a_segment_is_attached_where_it_is_mapped() {
        let guard = Guard::new(shm::get(IPC_PRIVATE, 4096, 0o600, true, true), shm::remove);
        let id = guard.id;
        assert_eq!(attached(id), []);
        let first = shm::attach(id, false).unwrap();
        let second = shm::attach(id, true).unwrap();
        let me = std::process::id().cast_signed();
        assert_eq!(attached(id), [(me, 2)]);
        drop((first, second));
        assert_eq!(attached(id), []);
    }
}
