//! The witnesses: `/proc/self/fdinfo`, nix, and std's sockets.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;

use super::*;
use crate::kernel::socket::Send;
use crate::kernel::witness::fdinfo_flags;

#[test]
fn flags_are_those_of_fdinfo() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "").unwrap();
    let open = |read, write, flags| {
        OpenOptions::new()
            .read(read)
            .write(write)
            .custom_flags(flags)
            .open(&path)
            .unwrap()
    };
    let all = [
        (open(true, false, 0), Access::Read),
        (open(false, true, 0), Access::Write),
        (open(true, true, 0), Access::ReadWrite),
        (open(true, true, libc::O_PATH), Access::Neither),
    ];
    for (file, expected) in all {
        assert_eq!(access(&file), Ok(expected));
        assert_eq!(Access::of_flags(fdinfo_flags(&file)), expected);
        assert_eq!(
            expected.reads(),
            matches!(expected, Access::Read | Access::ReadWrite)
        );
        assert_eq!(
            expected.writes(),
            matches!(expected, Access::Write | Access::ReadWrite)
        );
    }
    let file = open(false, true, libc::O_APPEND);
    for nonblocking in [true, false] {
        set_nonblocking(&file, nonblocking).unwrap();
        assert_eq!(is_nonblocking(&file), Ok(nonblocking));
        assert_eq!(fdinfo_flags(&file) & libc::O_NONBLOCK != 0, nonblocking);
        assert!(fdinfo_flags(&file) & libc::O_APPEND != 0, "the others stay");
    }
}

#[test]
fn pipe_ends_travel_over_a_stream() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let (read, write) = crate::kernel::witness::pipe();
    for (text, end) in [(&b"reads"[..], &read), (b"writes", &write)] {
        let how = Send {
            descriptors: &[end.as_fd()],
            ..Send::default()
        };
        assert_eq!(socket::send(&ours, text, &how), Ok(text.len()));
    }
    drop((read, write));
    let (mut data, mut ends) = (Vec::new(), Vec::new());
    assert_eq!(
        receive(&theirs, 100, &mut data, &mut ends),
        Ok(5),
        "not joined"
    );
    assert_eq!(receive(&theirs, 100, &mut data, &mut ends), Ok(6));
    assert_eq!(data, b"readswrites");
    let modes: Vec<_> = ends.iter().map(access).collect();
    assert_eq!(modes, [Ok(Access::Read), Ok(Access::Write)]);
    let mut ends = ends.into_iter().map(File::from);
    let (mut read, mut write) = (ends.next().unwrap(), ends.next().unwrap());
    write.write_all(b"through").unwrap();
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");

    theirs.write_all(b"back").unwrap();
    theirs.set_nonblocking(true).unwrap();
    let none = receive(&theirs, 9, &mut data, &mut Vec::new());
    assert_eq!(none, Err(Errno::EAGAIN));
    drop(theirs);
    let mut back = Vec::new();
    assert_eq!(receive(&ours, 9, &mut back, &mut Vec::new()), Ok(4));
    assert_eq!(receive(&ours, 9, &mut back, &mut Vec::new()), Ok(0));
    assert_eq!(back, b"back");
}
