//! The witnesses: Python, which says what it holds, and reads all that was looked at.

use std::os::fd::AsRawFd;
use std::path::PathBuf;

use super::*;
use crate::inspect::witness::{Witness, ordinary_user, skip, until};

fn me() -> i32 {
    nix::unistd::Pid::this().as_raw()
}

/// Python, which answers each line we say with what it evaluates to.
fn python(dir: &Path, setup: &str) -> Option<Witness> {
    let script = format!(
        "import os, fcntl, sys\n{setup}\nprint('ready', flush=True)\nfor line in sys.stdin: \
         print(eval(line), flush=True)"
    );
    let Some(mut child) = Witness::start_in(dir, "python3", &["-c", &script]) else {
        skip("no python3");
        return None;
    };
    assert_eq!(child.line().as_deref(), Some("ready"));
    Some(child)
}

fn ask(child: &mut Witness, question: &str) -> String {
    child.say(format!("{question}\n").as_bytes());
    child.line().unwrap_or_default()
}

fn number<T: std::str::FromStr>(child: &mut Witness, question: &str) -> T {
    let answer = ask(child, question);
    match answer.parse() {
        Ok(number) => number,
        Err(_) => panic!("{question}: {answer}"),
    }
}

fn id_of(child: &mut Witness, fd: &str) -> PipeId {
    PipeId {
        dev: number(child, &format!("os.fstat({fd}).st_dev")),
        ino: number(child, &format!("os.fstat({fd}).st_ino")),
    }
}

/// What this process and another hold. A program that another test is just starting may have a copy of
/// ours for a moment.
fn seen(other: i32, holders: &Holders) -> Vec<(i32, i32, Option<Access>)> {
    let theirs = |holder: &&Holder| holder.pid == other || holder.pid == me();
    let each = |holder: &Holder| (holder.pid, holder.fd, holder.access);
    let mut seen: Vec<_> = holders.found.iter().filter(theirs).map(each).collect();
    seen.sort_by_key(|&(pid, fd, _)| (pid, fd));
    seen
}

#[test]
fn the_ends_of_a_pipe_and_what_is_inside() {
    let Some(mut child) = python(Path::new("/"), "r, w = os.pipe(); o, p = os.pipe()") else {
        return;
    };
    let (r, w): (i32, i32) = (number(&mut child, "r"), number(&mut child, "w"));
    let id = id_of(&mut child, "r");
    let found = holders(id);
    let pid = child.pid();
    let both = [(pid, r, Some(Access::Read)), (pid, w, Some(Access::Write))];
    assert_eq!(seen(pid, &found), both);
    assert!(
        found
            .found
            .iter()
            .all(|holder| holder.comm.as_deref() == Some("python3"))
    );
    assert_eq!(
        (found.found[0].reads(), found.found[0].writes()),
        (true, false)
    );

    let capacity = number(&mut child, "fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 8192)");
    assert_eq!(capacity, 8192);
    assert_eq!(
        contents(id, &found.found),
        Some(Contents { bytes: 0, capacity })
    );
    assert_eq!(ask(&mut child, "os.write(w, bytes(range(200)))"), "200");
    let data: Vec<u8> = (0..200).collect();
    for _ in 0..2 {
        assert_eq!(
            contents(id, &found.found),
            Some(Contents {
                bytes: 200,
                capacity
            })
        );
        let whole = true;
        let peeked = Peeked {
            data: data.clone(),
            whole,
        };
        assert_eq!(peek(id, &found.found), Some(peeked));
    }
    // No end was left with us, and nothing was taken.
    assert_eq!(seen(pid, &holders(id)), both);
    assert_eq!(
        ask(&mut child, "os.read(r, 999) == bytes(range(200))"),
        "True"
    );
    assert_eq!(
        contents(id, &found.found),
        Some(Contents { bytes: 0, capacity })
    );

    // Only the writing end: how much, but not what.
    assert_eq!(ask(&mut child, "os.close(r)"), "None");
    assert_eq!(
        contents(id, &found.found),
        Some(Contents { bytes: 0, capacity })
    );
    assert_eq!(peek(id, &found.found), None);
    // Its numbers now mean another pipe: nothing is said of that one.
    assert_eq!(
        ask(&mut child, "os.dup2(o, w) == w and os.dup2(p, r) == r"),
        "True"
    );
    assert_eq!(contents(id, &found.found), None);
    assert_eq!(holders(id).found, []);
    drop(child);
    assert_eq!(contents(id, &found.found), None);
}

#[test]
fn a_writer_sees_the_end_after_we_have_looked() {
    let Some(mut child) = python(Path::new("/"), "r, w = os.pipe()") else {
        return;
    };
    let id = id_of(&mut child, "r");
    let found = holders(id).found;
    assert!(peek(id, &found).is_some() && contents(id, &found).is_some());
    assert_eq!(ask(&mut child, "os.close(w) or os.read(r, 1)"), "b''");
}

#[test]
fn a_fifo_by_every_name_and_no_other() {
    let Ok(dir) = tempfile::tempdir() else {
        return skip("no temporary directory");
    };
    let setup = "os.mkfifo('f'); os.mkfifo('g'); os.link('f', 'h')\n\
        b = os.open('f', os.O_RDWR); n = os.open('h', os.O_RDONLY | os.O_NONBLOCK)\n\
        w = os.open('f', os.O_WRONLY); p = os.open('f', os.O_PATH); x = os.open('g', os.O_RDWR)";
    let Some(mut child) = python(dir.path(), setup) else {
        return;
    };
    let path: PathBuf = dir.path().join("f");
    let Ok(id) = fifo::identity(&path) else {
        panic!("no FIFO");
    };
    assert_eq!(id_of(&mut child, "b"), id);
    let pid = child.pid();
    let expected: Vec<_> = [
        ("b", Some(Access::ReadWrite)),
        ("n", Some(Access::Read)),
        ("w", Some(Access::Write)),
        ("p", None),
    ]
    .map(|(name, access)| (pid, number(&mut child, name), access))
    .into();
    assert_eq!(seen(pid, &holders(id)), expected);
    assert_eq!(ask(&mut child, "os.write(w, b'in the fifo')"), "11");
    let found = holders(id).found;
    let bytes = 11;
    let capacity = number(&mut child, "fcntl.fcntl(w, fcntl.F_GETPIPE_SZ)");
    assert_eq!(contents(id, &found), Some(Contents { bytes, capacity }));
    assert_eq!(
        peek(id, &found).map(|seen| seen.data),
        Some(b"in the fifo".to_vec())
    );
    // Also when it has no name any more, and what reads it is one of ours.
    let ours = fifo::open(&path, Access::Read, true);
    let Ok(ours) = ours else {
        panic!("not open");
    };
    assert_eq!(fifo::remove(&path, id), Ok(true));
    let mut expected = expected;
    expected.push((me(), ours.as_raw_fd(), Some(Access::Read)));
    expected.sort_by_key(|&(pid, fd, _)| (pid, fd));
    assert_eq!(seen(pid, &holders(id)), expected);
    assert_eq!(pipe::read(&ours, 99), Ok(b"in the fifo".to_vec()));
    assert_eq!(ask(&mut child, "os.close(b) or os.close(n)"), "None");
}

#[test]
fn who_waits_to_open_is_not_woken_by_looking() {
    let Ok(dir) = tempfile::tempdir() else {
        return skip("no temporary directory");
    };
    let path = dir.path().join("f");
    let Ok(id) = fifo::create(&path, 0o600) else {
        panic!("no FIFO");
    };
    let Some(waits) = Witness::start_in(dir.path(), "dd", &["if=f", "status=none"]) else {
        return skip("no dd");
    };
    let before = waits.blocked();
    let found = holders(id);
    assert_eq!(found.found, []);
    assert_eq!(contents(id, &found.found), None);
    assert_eq!(peek(id, &found.found), None);
    assert_eq!(waits.blocked(), before);
}

#[test]
fn what_may_not_be_seen_is_counted_and_unknown() {
    let Ok((from, to)) = pipe::create() else {
        panic!("no pipe");
    };
    let Ok(id) = pipe::identity(&from) else {
        panic!("no identity");
    };
    let found = holders(id);
    let ours = found.found.iter().filter(|holder| holder.pid == me());
    assert_eq!(ours.count(), 2);
    if ordinary_user() {
        // There is always the first process, which is root's.
        assert!(found.unreadable > 0);
    } else {
        assert_eq!(found.unreadable, 0);
    }
    // A holder of another's that may not be asked.
    let init = Holder {
        pid: 1,
        comm: None,
        fd: 0,
        access: Some(Access::Read),
    };
    assert_eq!(contents(id, &[init]), None);
    assert_eq!(contents(id, &[]), None);
    drop(to);
}

#[test]
fn the_second_way_opens_only_the_same_anonymous_pipe() {
    let Some(mut child) = python(Path::new("/"), "r, w = os.pipe(); os.write(w, b'abc')") else {
        return;
    };
    let id = id_of(&mut child, "r");
    let found = until("both ends", || {
        Some(holders(id).found).filter(|all| all.len() == 2)
    });
    for holder in &found {
        let copy = reopened(id, holder);
        assert_eq!(
            copy.as_ref().and_then(|copy| pipe::available(copy).ok()),
            Some(3)
        );
        let other = PipeId {
            ino: id.ino + 1,
            ..id
        };
        assert!(reopened(other, holder).is_none());
    }
    assert_eq!(ask(&mut child, "os.close(w) or os.read(r, 9)"), "b'abc'");
    assert_eq!(ask(&mut child, "os.read(r, 9)"), "b''");
}
