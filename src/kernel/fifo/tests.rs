//! The witnesses: a shell's programs at the other end, std's metadata, and `/proc`.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread;

use super::*;
use crate::kernel::witness::{Second, interrupt_thread, sh, thread_id, until};
use crate::kernel::{fds, pipe};

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn fifo(dir: &tempfile::TempDir) -> PathBuf {
    let path = dir.path().join("f");
    create(&path, 0o600).unwrap();
    path
}

#[test]
fn the_mode_is_exact_whatever_the_umask() {
    let dir = dir();
    // A process of its own, since umask is the whole process's.
    for (umask, mode) in [
        (0o077, 0o666),
        (0o777, 0o640),
        (0o000, 0o600),
        (0o022, 0o000),
    ] {
        let path = dir.path().join(format!("{umask:o}"));
        let words = [
            "mkfifo",
            &umask.to_string(),
            &mode.to_string(),
            path.to_str().unwrap(),
        ];
        let mut role = Second::role(&words);
        let said = role.said();
        let meta = fs::symlink_metadata(&path).unwrap();
        assert!(meta.file_type().is_fifo());
        assert_eq!(meta.permissions().mode() & 0o7777, mode);
        let id = PipeId {
            dev: meta.dev(),
            ino: meta.ino(),
        };
        assert_eq!(said, format!("Ok({id:?})"));
        assert_eq!(identity(&path), Ok(id));
    }
}

#[test]
fn a_name_that_is_taken_stays() {
    let dir = dir();
    let path = dir.path().join("x");
    fs::write(&path, "mine").unwrap();
    assert_eq!(create(&path, 0o666), Err(Errno::EEXIST));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    symlink("nowhere", dir.path().join("link")).unwrap();
    assert_eq!(create(&dir.path().join("link"), 0o666), Err(Errno::EEXIST));
    assert_eq!(create(&dir.path().join("a/b"), 0o666), Err(Errno::ENOENT));
    assert_eq!(create(&path.join("b"), 0o666), Err(Errno::ENOTDIR));
    assert_eq!(create(Path::new("/"), 0o666), Err(Errno::ENOENT));
    assert_eq!(create(&dir.path().join("m"), 0o10000), Err(Errno::EINVAL));
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(names.len(), 2);
}

#[test]
fn what_is_no_fifo_is_never_opened() {
    let dir = dir();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let socket = dir.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    // The kernel itself would say ENXIO of the socket and, but to root, EACCES of the file.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    for path in [
        &file,
        &socket,
        dir.path(),
        Path::new("/dev/null"),
        Path::new("/dev/ptmx"),
    ] {
        for access in [Access::Read, Access::Write, Access::ReadWrite] {
            assert_eq!(open(path, access, true).map(drop), Err(Errno::EINVAL));
            assert_eq!(open(path, access, false).map(drop), Err(Errno::EINVAL));
        }
        assert_eq!(identity(path), Err(Errno::EINVAL));
    }
    drop(listener);
    let absent = open(&dir.path().join("none"), Access::Read, true);
    assert_eq!(absent.map(drop), Err(Errno::ENOENT));
}

/// Reads to the end. A program that another test is just starting may hold the other end for a moment.
fn until_ended(from: &OwnedFd) {
    until("the end", || pipe::read(from, usize::MAX) == Ok(vec![]));
}

#[test]
fn each_access_opens_as_fifo_7_says() {
    let dir = dir();
    let path = fifo(&dir);
    assert_eq!(
        open(&path, Access::Write, true).map(drop),
        Err(Errno::ENXIO)
    );
    // Both ends at once never wait.
    let both = open(&path, Access::ReadWrite, false).unwrap();
    assert_eq!(pipe::write(&both, b"hi"), Ok(2));
    assert_eq!(pipe::read(&both, 9), Ok(b"hi".to_vec()));
    drop(both);
    let from = open(&path, Access::Read, true).unwrap();
    // No writer: the end. With one: not yet.
    until_ended(&from);
    let to = open(&path, Access::Write, false).unwrap();
    assert_eq!(pipe::try_read(&from, 1), Err(Errno::EAGAIN));
    assert_eq!(pipe::write(&from, b"x"), Err(Errno::EBADF));
    assert_eq!(pipe::read(&to, 1), Err(Errno::EBADF));
    let id = identity(&path).unwrap();
    assert_eq!(
        (pipe::identity(&from), pipe::identity(&to)),
        (Ok(id), Ok(id))
    );
    // A link is followed.
    let link = dir.path().join("link");
    symlink("f", &link).unwrap();
    let other = open(&link, Access::Read, false).unwrap();
    assert_eq!(pipe::identity(&other), Ok(id));
    assert_eq!(identity(&link), Err(Errno::EINVAL));
}

#[test]
fn a_waiting_open_meets_the_other_end_of_a_shell() {
    let dir = dir();
    let path = fifo(&dir);
    let mut writer = Second::start(sh(&format!("echo hello > {}; echo :sent", path.display())));
    let from = open(&path, Access::Read, false).unwrap();
    assert_eq!(pipe::read(&from, 99), Ok(b"hello\n".to_vec()));
    assert_eq!(pipe::read(&from, 99), Ok(vec![]));
    assert_eq!(writer.said(), "sent");
    drop(from);
    let mut reader = Second::start(sh(&format!("read x < {}; echo \":$x\"", path.display())));
    let to = open(&path, Access::Write, false).unwrap();
    assert_eq!(pipe::write(&to, b"back\n"), Ok(5));
    assert_eq!(reader.said(), "back");
}

#[test]
fn a_waiting_open_is_interrupted_and_leaves_nothing_open() {
    let dir = dir();
    let path = fifo(&dir);
    for access in [Access::Read, Access::Write] {
        let (tell, told) = std::sync::mpsc::channel();
        let opens = thread::spawn({
            let path = path.clone();
            move || {
                tell.send(thread_id()).unwrap();
                open(&path, access, false).map(drop)
            }
        });
        let tid = told.recv().unwrap();
        until("in open", || {
            let task = format!("/proc/self/task/{tid}");
            let call = fs::read_to_string(format!("{task}/syscall")).unwrap_or_default();
            let stat = fs::read_to_string(format!("{task}/stat")).unwrap_or_default();
            call.starts_with(&format!("{} ", libc::SYS_openat)) && stat.contains(") S ")
        });
        interrupt_thread(tid);
        assert_eq!(opens.join().unwrap(), Err(Errno::EINTR));
        let open_here = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let mut links = open_here.filter_map(|entry| fs::read_link(entry.path()).ok());
        assert!(links.all(|link| link != path));
    }
}

#[test]
fn a_read_and_a_write_without_waiting_leave_the_open_file_as_it_is() {
    let dir = dir();
    let path = fifo(&dir);
    let from = open(&path, Access::Read, true).unwrap();
    let to = open(&path, Access::Write, false).unwrap();
    let flags = |fd: &OwnedFd| fds::status_flags(fd).unwrap();
    assert_eq!(flags(&from) & libc::O_NONBLOCK, 0);
    let before = (flags(&from), flags(&to));
    assert_eq!(pipe::try_read(&from, 1), Err(Errno::EAGAIN));
    assert_eq!(pipe::try_write(&to, &[1; 100_000]), Ok(64 << 10));
    assert_eq!(pipe::try_write(&to, b"x"), Err(Errno::EAGAIN));
    assert_eq!(pipe::peek(&from).unwrap().data.len(), 64 << 10);
    assert_eq!(pipe::try_read(&from, 3), Ok(vec![1; 3]));
    assert_eq!((flags(&from), flags(&to)), before);
    drop(from);
    until("no reader", || {
        pipe::try_write(&to, b"x") == Err(Errno::EPIPE)
    });
    let from = open(&path, Access::Read, false).unwrap();
    fds::set_nonblocking(&from, true).unwrap();
    assert_ne!(flags(&from) & libc::O_NONBLOCK, 0);
    drop(to);
    until_ended(&from);
    assert_eq!(pipe::try_read(&from, 1), Ok(vec![]));
}

#[test]
fn only_the_same_fifo_is_removed() {
    let dir = dir();
    let path = fifo(&dir);
    let id = identity(&path).unwrap();
    let held = open(&path, Access::ReadWrite, true).unwrap();
    assert_eq!(remove(&path, id), Ok(true));
    assert!(!path.exists());
    assert_eq!(remove(&path, id), Err(Errno::ENOENT));
    // Who has it open keeps it, so that its number is not another's.
    assert_eq!(pipe::identity(&held), Ok(id));
    let other = create(&path, 0o600).unwrap();
    assert_ne!(other, id);
    assert_eq!(remove(&path, id), Ok(false));
    assert_eq!(identity(&path), Ok(other));
    fs::remove_file(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    assert_eq!(remove(&path, other), Ok(false));
    let link = dir.path().join("link");
    symlink("f", &link).unwrap();
    assert_eq!(remove(&link, other), Ok(false));
    assert_eq!(fs::read(&path).unwrap(), b"a file");
}
