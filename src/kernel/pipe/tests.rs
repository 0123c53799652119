//! The witnesses: Python and the shell's programs at the other end, `/proc`, and std's own pipes.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::thread;

use super::*;
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::kernel::process::{Ended, SpawnSpec, Stream, spawn};
use crate::kernel::witness::{
    DEADLINE, Second, interrupt_thread, python, role_spec, sh, thread_id, until,
};

const PAGE: usize = 4096;

/// The flags of an open file and its descriptor, as `/proc` says.
fn flags_of(fd: &OwnedFd) -> i32 {
    let path = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    let info = std::fs::read_to_string(path).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    i32::from_str_radix(flags.unwrap().trim(), 8).unwrap()
}

#[test]
fn a_pipe_has_two_ends_and_one_identity() {
    let (from, to) = create().unwrap();
    for fd in [&from, &to] {
        assert_ne!(flags_of(fd) & libc::O_CLOEXEC, 0);
    }
    let id = identity(&from).unwrap();
    assert_eq!(identity(&to), Ok(id));
    for fd in [&from, &to] {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
        assert_eq!(link.to_str().unwrap(), format!("pipe:[{}]", id.ino));
    }
    assert_ne!(identity(&create().unwrap().0), Ok(id));
    let file = std::fs::File::open("/dev/null").unwrap();
    assert_eq!(identity(&file), Err(Errno::EINVAL));
    assert_eq!(capacity(&file), Err(Errno::EBADF));
    assert_eq!(peek(&file), Err(Errno::EINVAL));
}

#[test]
fn bytes_go_through_in_order_and_are_counted() {
    let (from, to) = create().unwrap();
    let mut other = std::fs::File::from(to.try_clone().unwrap());
    other.write_all(b"one").unwrap();
    assert_eq!(write(&to, b"two"), Ok(3));
    assert_eq!((available(&from), available(&to)), (Ok(6), Ok(6)));
    assert_eq!(read(&from, 4), Ok(b"onet".to_vec()));
    assert_eq!(read(&from, 0), Ok(vec![]));
    let mut rest = [0; 9];
    let mut reader = std::fs::File::from(from.try_clone().unwrap());
    assert_eq!(reader.read(&mut rest).unwrap(), 2);
    assert_eq!(&rest[..2], b"wo");
    assert_eq!(write(&to, b""), Ok(0));
    drop((to, other));
    // The end, again and again.
    assert_eq!(read(&from, usize::MAX), Ok(vec![]));
    assert_eq!(try_read(&from, 1), Ok(vec![]));
    assert_eq!(read(&create().unwrap().1, 1), Err(Errno::EBADF));
}

#[test]
fn the_capacity_is_what_python_sees_and_bounds_what_goes_in() {
    let (from, to) = create().unwrap();
    assert_eq!(set_capacity(&to, 3 * PAGE), Ok(4 * PAGE));
    assert_eq!(
        (capacity(&from), capacity(&to)),
        (Ok(4 * PAGE), Ok(4 * PAGE))
    );
    let script = "import fcntl; print(':%d' % fcntl.fcntl(0, 1032))";
    if let Some(mut seen) = python_on(&from, script) {
        assert_eq!(seen.said(), (4 * PAGE).to_string());
    }
    assert_eq!(try_write(&to, &[7; 5 * PAGE]), Ok(4 * PAGE));
    assert_eq!(available(&from), Ok(4 * PAGE));
    assert_eq!(set_capacity(&to, PAGE), Err(Errno::EBUSY));
    assert_eq!(set_capacity(&to, 0), Err(Errno::EBUSY));
    assert_eq!(set_capacity(&to, usize::MAX), Err(Errno::EINVAL));
    assert_eq!(read(&from, usize::MAX).map(|data| data.len()), Ok(4 * PAGE));
    let max = std::fs::read_to_string("/proc/sys/fs/pipe-max-size").unwrap();
    let max: usize = max.trim().parse().unwrap();
    let above = set_capacity(&to, 2 * max);
    match crate::kernel::process::geteuid() {
        0 => assert!(above == Ok(2 * max) || above == Err(Errno::EPERM)),
        _ => assert_eq!(above, Err(Errno::EPERM)),
    }
}

/// Python with this descriptor as its standard input.
fn python_on(fd: &OwnedFd, script: &str) -> Option<Second> {
    python("")?;
    Some(Second::start(SpawnSpec {
        program: "python3".into(),
        args: vec!["-c".into(), script.into()],
        stdin: Stream::Fd(fd.as_fd()),
        ..SpawnSpec::default()
    }))
}

#[test]
fn without_waiting_the_open_file_stays_as_it_is() {
    let (from, to) = create().unwrap();
    let before = (flags_of(&from), flags_of(&to));
    assert_eq!(try_read(&from, 1), Err(Errno::EAGAIN));
    assert_eq!(try_write(&to, &[1; 100_000]), Ok(64 << 10));
    assert_eq!(try_write(&to, b"x"), Err(Errno::EAGAIN));
    assert_eq!(read(&from, PAGE).map(|data| data.len()), Ok(PAGE));
    // Room for a page: a write of up to a page is whole or nothing, a longer one takes what there is.
    assert_eq!(try_write(&to, &[2; 2 * PAGE]), Ok(PAGE));
    assert_eq!(try_read(&from, 2 * PAGE), Ok(vec![1; 2 * PAGE]));
    assert_eq!((flags_of(&from), flags_of(&to)), before);
    assert_eq!(before.0 & libc::O_NONBLOCK, 0);
    // And so somebody else's read of the same open file waits.
    read(&from, usize::MAX).unwrap();
    let other = from.try_clone().unwrap();
    let (tid, waiting) = start(move || read(&other, 1));
    until_sleeping_in(tid, libc::SYS_read);
    assert_eq!(try_read(&from, 1), Err(Errno::EAGAIN));
    write(&to, b"z").unwrap();
    assert_eq!(waiting.join().unwrap(), Ok(b"z".to_vec()));
}

#[test]
fn a_call_that_waits_is_interrupted_and_says_so() {
    let (from, to) = create().unwrap();
    let other = from.try_clone().unwrap();
    let (tid, reads) = start(move || read(&other, 1));
    until_sleeping_in(tid, libc::SYS_read);
    interrupt_thread(tid);
    assert_eq!(reads.join().unwrap(), Err(Errno::EINTR));

    // A write that has put a part in tells how much.
    let (tid, writes) = start(move || (write(&to, &[5; 100_000]), write(&to, &[6; 10])));
    until_sleeping_in(tid, libc::SYS_write);
    interrupt_thread(tid);
    until("the second write", || {
        interrupt_thread(tid);
        writes.is_finished()
    });
    assert_eq!(writes.join().unwrap(), (Ok(64 << 10), Err(Errno::EINTR)));
}

/// Runs this in a thread, and gives the thread's number.
fn start<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> (i32, thread::JoinHandle<T>) {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        tell.send(thread_id()).unwrap();
        call()
    });
    (told.recv().unwrap(), thread)
}

fn until_sleeping_in(tid: i32, number: i64) {
    until("in the call", || {
        let call = std::fs::read_to_string(format!("/proc/self/task/{tid}/syscall"));
        call.unwrap_or_default().starts_with(&format!("{number} "))
    });
}

/// A program that another test is just starting may still hold the reading end for a moment.
fn until_unread(to: &OwnedFd) {
    until("no reader", || {
        let mut fds = [PollFd::new(to.as_fd(), PollFlags::empty())];
        poll(&mut fds, Some(std::time::Duration::ZERO)) == Ok(1)
    });
}

#[test]
fn without_a_reader_it_is_epipe_and_sigpipe() {
    // Rust's runtime ignores the signal: the error alone is seen.
    let (from, to) = create().unwrap();
    drop(from);
    until_unread(&to);
    assert_eq!(write(&to, b"x"), Err(Errno::EPIPE));
    assert_eq!(try_write(&to, b"x"), Err(Errno::EPIPE));
    for signo in ["write", "try_write"] {
        let ends = Second::start(role_spec(&["sigpipe", signo]));
        assert_eq!(ends.child.wait(), Ok(Ended::Signaled(libc::SIGPIPE)));
    }
}

#[test]
fn a_peek_takes_nothing_and_wakes_nobody() {
    let (from, to) = create().unwrap();
    let nothing = Peeked {
        packets: Vec::new(),
        data: vec![],
        whole: true,
        ended: false,
    };
    assert_eq!(peek(&from), Ok(nothing.clone()));
    assert_eq!(peek(&to), Err(Errno::EBADF));
    let mut sent = Vec::new();
    // Many small pieces, each in a place of its own, and then as much as there is room for.
    for n in 0..20u8 {
        write(&to, &[n; 1000]).unwrap();
        sent.extend([n; 1000]);
    }
    let more = try_write(&to, &[99; 100_000]).unwrap();
    sent.extend(vec![99; more]);
    let count = available(&from).unwrap();
    assert_eq!(count, sent.len());
    for _ in 0..3 {
        let peeked = peek(&from).unwrap();
        assert!(peeked.whole && peeked.data == sent);
        assert_eq!(available(&from), Ok(count));
        assert_eq!(try_write(&to, b"x"), Err(Errno::EAGAIN));
    }
    // A writer that waits for room goes on waiting, and then its bytes follow.
    let (tid, writes) = start(move || {
        let put = write(&to, b"behind");
        (put, to)
    });
    until_sleeping_in(tid, libc::SYS_write);
    assert!(peek(&from).unwrap().data == sent);
    thread::sleep(std::time::Duration::from_millis(5));
    assert!(!writes.is_finished());
    sent.extend(b"behind");
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend(read(&from, 777).unwrap());
    }
    assert!(received == sent);
    let (put, to) = writes.join().unwrap();
    assert_eq!(put, Ok(6));
    // What a peek has copied is no part of the pipe: later bytes do not change it.
    write(&to, b"ab").unwrap();
    let seen = peek(&from).unwrap();
    write(&to, b"cd").unwrap();
    assert_eq!(seen.data, b"ab");
    assert_eq!(peek(&from).unwrap().data, b"abcd");
    drop(to);
    assert_eq!(peek(&from).unwrap().data, b"abcd");
    assert_eq!(read(&from, 9), Ok(b"abcd".to_vec()));
    // Another test that forks has the writing end, too, until its program runs.
    let ended = Peeked {
        ended: true,
        ..nothing
    };
    until("it has ended", || peek(&from) == Ok(ended.clone()));
}

#[test]
fn packets_are_told_apart_and_stay_apart() {
    let (from, to) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_DIRECT).unwrap();
    write(&to, b"one").unwrap();
    // One alone is like any bytes.
    assert!(peek(&from).unwrap().packets.is_empty());
    write(&to, b"three").unwrap();
    write(&to, b"\n").unwrap();
    let seen = peek(&from).unwrap();
    assert_eq!(
        (seen.data, seen.packets),
        (b"onethree\n".to_vec(), vec![3, 5, 1])
    );
    assert_eq!(read(&from, 100).unwrap(), b"one");
    assert_eq!(read(&from, 100).unwrap(), b"three");
    // Bytes that were written one after the other are no packets.
    let (from, to) = create().unwrap();
    write(&to, b"one").unwrap();
    write(&to, b"three").unwrap();
    assert!(peek(&from).unwrap().packets.is_empty());
}

#[test]
fn a_pipe_larger_than_usual_is_peeked_whole() {
    let (from, to) = create().unwrap();
    let size = 256 << 10;
    assert_eq!(set_capacity(&to, size), Ok(size));
    let sent: Vec<u8> = (0..size).map(|n| (n / 7) as u8).collect();
    assert_eq!(write(&to, &sent), Ok(size));
    let peeked = peek(&from).unwrap();
    assert!(peeked.whole && peeked.data == sent);
    assert!(read(&from, usize::MAX).unwrap() == sent);
}

#[test]
fn python_reads_what_was_peeked_before() {
    let (from, to) = create().unwrap();
    write(&to, b"hello python\n").unwrap();
    assert_eq!(peek(&from).unwrap().data, b"hello python\n");
    let script = "import sys; print(':' + sys.stdin.readline(), flush=True)";
    if let Some(mut reader) = python_on(&from, script) {
        assert_eq!(reader.said(), "hello python");
        assert_eq!(available(&from), Ok(0));
    }
}

#[test]
fn each_end_tells_whether_the_other_is_open_somewhere() {
    let (from, to) = create().unwrap();
    assert_eq!(has_readers(&to), Ok(true));
    assert_eq!(has_writers(&from, false), Ok(Some(true)));
    write(&to, b"x").unwrap();
    assert_eq!(has_writers(&from, false), Ok(Some(true)));
    drop(to);
    assert_eq!(has_writers(&from, false), Ok(Some(false)));
    assert_eq!(read(&from, 9).unwrap(), b"x");
    let (from, to) = create().unwrap();
    drop(from);
    // What another test forks at the moment has it too.
    until("nobody reads", || has_readers(&to) == Ok(false));
}

#[test]
fn a_fifo_that_nobody_has_written_to_yet_has_no_writer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    fifo::create(&path, 0o600).unwrap();
    let from = fifo::open(&path, fifo::Access::Read, true).unwrap();
    assert_eq!(has_writers(&from, true), Ok(Some(false)));
    let to = fifo::open(&path, fifo::Access::Write, true).unwrap();
    assert_eq!(has_writers(&from, true), Ok(Some(true)));
    write(&to, b"x").unwrap();
    assert_eq!(has_writers(&from, true), Ok(None));
    drop(to);
    until("nobody writes", || {
        has_writers(&from, true) == Ok(Some(false))
    });
}

/// Runs these shell commands with pipes between them, and gives how each ended and what the last wrote.
fn run(commands: &[&str]) -> (Vec<Ended>, String) {
    let mut children = Vec::new();
    let mut input: Option<OwnedFd> = None;
    for command in commands {
        let (from, to) = create().unwrap();
        let mut spec: SpawnSpec<'_> = sh(command);
        spec.stdin = input
            .as_ref()
            .map_or(Stream::Null, |fd| Stream::Fd(fd.as_fd()));
        spec.stdout = Stream::Fd(to.as_fd());
        children.push(spawn(&spec).unwrap());
        input = Some(from);
    }
    let from = input.unwrap();
    let mut output = Vec::new();
    loop {
        let mut fds = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, Some(DEADLINE)), Ok(1), "it does not end");
        match read(&from, usize::MAX).unwrap() {
            more if more.is_empty() => break,
            more => output.extend(more),
        }
    }
    let ended = children.iter().map(|child| child.wait().unwrap());
    (ended.collect(), String::from_utf8(output).unwrap())
}

#[test]
fn programs_run_in_a_pipeline() {
    let (ended, output) = run(&["seq 1000; exit 3", "grep 7", "wc -l"]);
    assert_eq!(output.trim(), "271");
    let codes = [3, 0, 0].map(Ended::Exited);
    assert_eq!(ended, codes);
    // The reader goes, and the writer is killed as it is in any shell.
    let (ended, output) = run(&["exec yes", "head -n 2", "tr y n"]);
    assert_eq!(output, "n\nn\n");
    let ends = [
        Ended::Signaled(libc::SIGPIPE),
        Ended::Exited(0),
        Ended::Exited(0),
    ];
    assert_eq!(ended, ends);
}

#[test]
fn a_program_begins_with_sigpipe_at_its_default_whatever_the_parent_has() {
    let mut role = Second::role(&["pipeline"]);
    assert_eq!(role.said(), format!("{:?}", Ended::Signaled(libc::SIGPIPE)));
}
