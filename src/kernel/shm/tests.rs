//! The witnesses: `/proc/sysvipc/shm`, `/proc/self/maps`, `/proc/sys/kernel`.

use super::*;
use crate::kernel::process;
use crate::kernel::sysv::{IPC_PRIVATE, PermSet};
use crate::kernel::witness::{self, Guard, proc_row, proc_rows, sysctl, until};

fn segment(size: usize, mode: u32) -> Guard {
    Guard::new(get(IPC_PRIVATE, size, mode, true, true), remove)
}

#[track_caller]
fn agrees_with_proc(stat: &ShmStat) {
    let row = proc_row("shm", stat.id).expect("not in /proc/sysvipc/shm");
    assert_eq!(row["key"], i64::from(stat.perm.key));
    assert_eq!(row["perms"], i64::from(stat.perm.mode));
    assert_eq!(row["uid"], i64::from(stat.perm.uid));
    assert_eq!(row["gid"], i64::from(stat.perm.gid));
    assert_eq!(row["cuid"], i64::from(stat.perm.cuid));
    assert_eq!(row["cgid"], i64::from(stat.perm.cgid));
    assert_eq!(row["size"], stat.segsz as i64);
    assert_eq!(row["nattch"], stat.nattch as i64);
    assert_eq!(row["cpid"], i64::from(stat.cpid));
    assert_eq!(row["lpid"], i64::from(stat.lpid));
    assert_eq!(row["atime"], stat.atime);
    assert_eq!(row["dtime"], stat.dtime);
    assert_eq!(row["ctime"], stat.ctime);
}

/// The permissions with which a segment is mapped here, by `/proc/self/maps`: its inode is the id.
fn mapped(id: i32) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ours = words.get(5).is_some_and(|name| name.starts_with("/SYSV"))
            && words[4] == id.to_string();
        ours.then(|| words[1].to_owned())
    })
}

#[test]
fn a_segment_is_as_proc_shows_it_through_its_life() {
    let s = segment(5000, 0o600);
    let new = stat(s.id).unwrap();
    agrees_with_proc(&new);
    let me = std::process::id() as i32;
    assert_eq!(
        (new.segsz, new.nattch, new.cpid, new.lpid),
        (5000, 0, me, 0)
    );

    let a = attach(s.id, false).unwrap();
    assert_eq!((a.id(), a.len(), a.read_only()), (s.id, 5000, false));
    assert_eq!(mapped(s.id).as_deref(), Some("rw-s"));
    let attached = stat(s.id).unwrap();
    agrees_with_proc(&attached);
    assert_eq!((attached.nattch, attached.lpid), (1, me));

    remove(s.id).unwrap();
    let doomed = stat(s.id).unwrap();
    agrees_with_proc(&doomed);
    assert_ne!(doomed.perm.mode & SHM_DEST, 0);

    a.detach().unwrap();
    assert_eq!(mapped(s.id), None);
    assert_eq!(proc_row("shm", s.id), None);
    assert!(matches!(
        attach(s.id, false).map(drop),
        Err(Errno::EINVAL | Errno::EIDRM)
    ));
}

#[test]
fn a_forked_child_is_not_attached() {
    let s = segment(5000, 0o600);
    let a = attach(s.id, false).unwrap();
    let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut ours = smaps
        .lines()
        .skip_while(|line| !line.starts_with(&format!("{:x}-", a.addr())));
    let flags = ours.find(|line| line.starts_with("VmFlags:")).unwrap();
    // "do not copy area on fork", as proc(5) has it.
    assert!(flags.split(' ').any(|flag| flag == "dc"), "{flags}");
}

#[test]
fn dropping_detaches() {
    let s = segment(1, 0o600);
    drop(attach(s.id, true).unwrap());
    assert_eq!(mapped(s.id), None);
    // What another test forks between shmat(2) and madvise(2) is attached until it executes its program.
    until("detached", || stat(s.id).unwrap().nattch == 0);
    agrees_with_proc(&stat(s.id).unwrap());
}

#[test]
fn bytes_are_seen_through_another_attachment_and_bounds_hold() {
    let s = segment(100, 0o600);
    let (a, b) = (attach(s.id, false).unwrap(), attach(s.id, true).unwrap());
    let mut seen = [0; 21];
    a.write(33, b"through another window").unwrap();
    b.read(33, &mut seen).unwrap();
    assert_eq!(&seen, b"through another windo");

    a.store(8, 4, 0x1_0000_0005).unwrap();
    assert_eq!((b.load(8, 4), b.load(8, 8)), (Ok(5), Ok(5)));
    assert_eq!(
        (b.load(9, 4), b.load(8, 3)),
        (Err(Errno::EINVAL), Err(Errno::EINVAL))
    );

    assert_eq!(a.read(80, &mut seen), Err(Errno::EFAULT));
    assert_eq!(a.read(79, &mut seen), Ok(()));
    assert_eq!(a.read(usize::MAX, &mut seen), Err(Errno::EFAULT));
    assert_eq!(a.write(100, b"x"), Err(Errno::EFAULT));
    assert_eq!(a.write(100, b""), Ok(()));
    assert_eq!(a.load(96, 8), Err(Errno::EFAULT));
}

#[test]
fn a_read_only_attachment_refuses_to_write() {
    let s = segment(16, 0o600);
    let a = attach(s.id, true).unwrap();
    assert_eq!(mapped(s.id).as_deref(), Some("r--s"));
    assert!(a.read_only());
    assert_eq!(a.write(0, b"no"), Err(Errno::EACCES));
    assert_eq!(a.store(0, 4, 1), Err(Errno::EACCES));
    assert_eq!(a.load(0, 8), Ok(0));
}

#[test]
fn an_aligned_integer_is_never_torn() {
    let s = segment(64, 0o600);
    let (writer, reader) = (attach(s.id, false).unwrap(), attach(s.id, true).unwrap());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..200_000u32 {
                let fill = [if round % 2 == 0 { 0xff } else { 0 }; 8];
                writer.write(8, &fill).unwrap();
                writer.write(20, &fill[..4]).unwrap();
                writer.write(26, &fill[..2]).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            for (offset, width) in [(8, 8), (20, 4), (26, 2)] {
                let mut seen = [0; 8];
                reader.read(offset, &mut seen[..width]).unwrap();
                let whole = seen[..width].iter().all(|&byte| byte == seen[0]);
                assert!(whole, "torn: {seen:x?}");
            }
        }
    });
}

#[test]
fn the_same_segment_is_found_by_key_by_index_and_without_permission() {
    let key = 0x6c00_0000 | std::process::id() as i32;
    let s = Guard::new(get(key, 10, 0o600, true, true), remove);
    assert_eq!(proc_row("shm", s.id).unwrap()["key"], i64::from(key));
    assert_eq!(get(key, 0, 0, false, false), Ok(s.id));
    assert_eq!(get(key, 11, 0, false, false), Err(Errno::EINVAL));
    assert_eq!(get(key, 10, 0o600, true, true), Err(Errno::EEXIST));

    set(
        s.id,
        &PermSet {
            mode: Some(0),
            ..PermSet::default()
        },
    )
    .unwrap();
    let highest = info().unwrap().highest_index;
    let found = (0..=highest)
        .filter_map(|index| stat_any(index).ok())
        .find(|stat| stat.id == s.id);
    let found = found.expect("not found by index");
    agrees_with_proc(&found);
    assert_eq!(stat_any_id(s.id), Ok(found));
    if process::geteuid() != 0 {
        assert_eq!(stat(s.id), Err(Errno::EACCES));
        assert_eq!(attach(s.id, true).map(drop), Err(Errno::EACCES));
    }
    set(
        s.id,
        &PermSet {
            mode: Some(0o640),
            ..PermSet::default()
        },
    )
    .unwrap();
    let again = stat(s.id).unwrap();
    agrees_with_proc(&again);
    assert_eq!(again.perm.mode, 0o640);
}

#[test]
fn a_locked_segment_says_so() {
    let s = segment(10, 0o600);
    match lock(s.id) {
        Ok(()) => {
            assert_eq!(
                proc_row("shm", s.id).unwrap()["perms"],
                0o600 | i64::from(SHM_LOCKED)
            );
            agrees_with_proc(&stat(s.id).unwrap());
            unlock(s.id).unwrap();
            assert_eq!(proc_row("shm", s.id).unwrap()["perms"], 0o600);
        }
        // Ordinary users may lock up to RLIMIT_MEMLOCK, which may be nothing.
        Err(errno) => assert!(matches!(errno, Errno::EPERM | Errno::ENOMEM), "{errno}"),
    }
}

#[test]
fn limits_are_those_of_proc() {
    let limits = limits().unwrap();
    assert_eq!([limits.shmmax], *sysctl("shmmax"));
    assert_eq!([limits.shmmni], *sysctl("shmmni"));
    assert_eq!([limits.shmall], *sysctl("shmall"));
    assert_eq!(limits.shmmin, 1);
}

#[test]
fn info_counts_what_proc_lists() {
    let _s = segment(3 * 4096, 0o600);
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .unwrap()
        .unwrap() as u64;
    // Others make and remove segments meanwhile.
    witness::until("info agrees with /proc", || {
        let rows = proc_rows("shm");
        let pages: u64 = rows
            .iter()
            .map(|row| (row["size"] as u64).div_ceil(page))
            .sum();
        let info = info().unwrap();
        (info.used_ids, info.shm_tot) == (rows.len() as u64, pages)
    });
}
