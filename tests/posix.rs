//! POSIX queues, segments and semaphores, against Python's own calls and the files that they are.

mod harness;

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use harness::{Running, passes, script, until};

/// A name that no other test has.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("/ipcsh-{}-{n}", std::process::id())
}

/// A file of the test's own, which is gone when the test ends, however it ends.
struct Ours(String);

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Python with the C library's own calls; `None` where there is none, which is said.
fn python(code: &str) -> Option<Ours> {
    let prelude = "import ctypes, os, sys, mmap
libc = ctypes.CDLL(None, use_errno=True)
def ok(n):
    if n == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return n
libc.sem_open.restype = ctypes.c_void_p
libc.mq_receive.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint)]
libc.mq_send.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint]
for f in (libc.sem_post, libc.sem_wait, libc.sem_getvalue): f.argtypes = [ctypes.c_void_p] + f.argtypes[1:] if f.argtypes else None
";
    let path = std::env::temp_dir().join(format!("ipcsh{}.py", name().replace('/', "-")));
    let path = Ours(path.display().to_string());
    std::fs::write(&path.0, format!("{prelude}{code}")).unwrap();
    match Command::new("python3").arg("--version").output() {
        Ok(_) => Some(path),
        Err(e) => {
            eprintln!("skipped: python3: {e}");
            None
        }
    }
}

#[test]
fn a_queue_is_shared_with_another_program_both_ways() {
    let queue = name();
    let Some(peer) = python(&format!(
        "q = ok(libc.mq_open(b'{queue}', os.O_RDWR))
buffer = ctypes.create_string_buffer(64); prio = ctypes.c_uint()
n = ok(libc.mq_receive(q, buffer, 64, ctypes.byref(prio)))
assert (buffer.raw[:n], prio.value) == (b'\\0\\xff to python', 7), (buffer.raw[:n], prio.value)
ok(libc.mq_send(q, b'\\xfe\\0 from python', 14, 3))"
    )) else {
        return;
    };
    passes(&format!(
        "msgq create {queue} msgsize=64
        msgq send 7 x\"00 ff 20 74 6f 20 70 79 74 68 6f 6e\"
        !python3 {peer}
        msgq recv => prio=3 x\"fe 00 20 66 72 6f 6d 20 70 79 74 68 6f 6e\""
    ));
}

#[test]
fn a_look_at_a_queue_leaves_the_time_of_its_last_message() {
    let queue = name();
    let Some(old) = python(&format!(
        "q = ok(libc.mq_open(b'{queue}', os.O_RDWR)); os.utime(q, (1000, 1000))"
    )) else {
        return;
    };
    let Some(same) = python(&format!(
        "assert os.fstat(ok(libc.mq_open(b'{queue}', os.O_RDWR))).st_mtime == 1000"
    )) else {
        return;
    };
    passes(&format!(
        "msgq create {queue}
        !python3 {old}
        msgq
        expect msgq.{queue}.mtime == 1000
        expect msgq.{queue}.mtime == 1000
        !python3 {same}
        msgq send 1 \"x\"
        expect msgq.{queue}.mtime > 1000"
    ));
}

#[test]
fn a_segment_is_the_file_that_others_map() {
    let segment = name();
    let Some(peer) = python(&format!(
        "f = open('/dev/shm{segment}', 'r+b')
m = mmap.mmap(f.fileno(), 16)
assert m[:4] == b'\\x29\\0\\0\\0', m[:4]
m[8:12] = b'\\xff\\0\\xfe!'"
    )) else {
        return;
    };
    passes(&format!(
        "shm create {segment} 16
        shm attach {segment}
        shm write u32@0 41
        !python3 {peer}
        shm read @8 4 => x\"ff 00 fe 21\"
        expect shm.mtime > 0
        shm detach {segment}
        shm read @8 4 => x\"ff 00 fe 21\""
    ));
}

#[test]
fn a_semaphore_is_shared_with_another_program() {
    let semaphore = name();
    let Some(peer) = python(&format!(
        "s = libc.sem_open(b'{semaphore}', 0); assert s
assert libc.sem_post(ctypes.c_void_p(s)) == 0"
    )) else {
        return;
    };
    passes(&format!(
        "sem create {semaphore} 0
        b: sem p {semaphore} ...
        expect sem.{semaphore}.ncnt == 1
        !python3 {peer}
        b: ... => ok
        sem get => 0"
    ));
}

#[test]
fn a_semaphore_that_another_program_made_is_seen_with_who_waits() {
    let semaphore = name();
    // Its creator has it mapped under another name, which the C library took away.
    let Some(peer) = python(&format!(
        "libc.sem_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_uint]
s = libc.sem_open(b'{semaphore}', os.O_CREAT | os.O_EXCL, 0o600, 0); assert s
libc.sem_wait(ctypes.c_void_p(s))
ok(libc.sem_unlink(b'{semaphore}'))"
    )) else {
        return;
    };
    let mut waits = Command::new("python3").arg(&peer.0).spawn().unwrap();
    let file = format!("/dev/shm/sem.{}", &semaphore[1..]);
    until("the semaphore", || Path::new(&file).exists());
    passes(&format!(
        "expect sem.{semaphore}.ncnt == 1 within 60s
        sem v {semaphore}"
    ));
    assert!(waits.wait().unwrap().success());
}

#[test]
fn what_was_not_made_here_stays_and_what_was_is_removed() {
    let theirs = name();
    let path = format!("/dev/shm{theirs}");
    std::fs::write(&path, "theirs").unwrap();
    let _theirs = Ours(path.clone());
    let ours = name();
    passes(&format!(
        "shm create {theirs} => EEXIST
        shm read {theirs} => \"theirs\"
        shm create {ours}
        sem create {ours}
        msgq create {ours}"
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
    assert!(nothing_left(&ours));
    // What is kept stays, and can be taken by the next session.
    let kept = name();
    passes(&format!(
        "sem create {kept} 5\nkeep {kept}\nmsgq create {kept}\nkeep msgq.{kept}\nmsgq send 2 \"hi\""
    ));
    passes(&format!(
        "sem use {kept}\nsem get => 5\nsem rm\nmsgq recv {kept} => prio=2 \"hi\"\nmsgq rm {kept}"
    ));
    assert!(nothing_left(&kept));
}

fn nothing_left(name: &str) -> bool {
    let semaphore = format!("/dev/shm/sem.{}", &name[1..]);
    let queue = script(&format!("msgq info {name} => ENOENT"));
    !Path::new(&format!("/dev/shm{name}")).exists()
        && !Path::new(&semaphore).exists()
        && queue.code == Some(0)
}

#[test]
fn nothing_is_left_after_a_kill() {
    let ours = name();
    let mut running = Running::start(&format!(
        "shm create {ours}\nsem create {ours} 0\nmsgq create {ours}\nsem p"
    ));
    until("the queue's line", || {
        running
            .line()
            .is_none_or(|line| line.contains("msgq create"))
    });
    running.end(libc::SIGKILL);
    until("all is removed", || nothing_left(&ours));
}

#[test]
fn what_is_no_semaphore_or_segment_is_said_and_never_waited_at() {
    let name = name();
    let segment = Ours(format!("/dev/shm{name}"));
    let semaphore = Ours(format!("/dev/shm/sem.{}", &name[1..]));
    // FIFOs that nobody writes: who opened one to read would wait for ever.
    for path in [&segment.0, &semaphore.0] {
        nix::unistd::mkfifo(path.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    let ran = passes(&format!(
        "timeout step 5s
        shm info {name} => EINVAL
        shm read {name} => EINVAL
        shm peek {name} => EINVAL
        shm attach {name} => EINVAL
        shm use {name} => EINVAL
        sem info {name} => EINVAL
        sem get {name} => EINVAL
        sem p {name} => EINVAL
        shm
        sem"
    ));
    let listed = ran.out.lines().skip_while(|line| *line != "shm");
    assert!(!listed.collect::<String>().contains(&name), "{}", ran.out);
    // A file that is shorter than a semaphore: what is mapped behind its end is SIGBUS.
    std::fs::remove_file(&semaphore.0).unwrap();
    std::fs::write(&semaphore.0, "short").unwrap();
    let ran = script(&format!("sem p {name} => EINVAL\nsem v {name}"));
    let why = "EINVAL: what has this name is no POSIX semaphore";
    assert!(ran.err.contains(why), "{}", ran.err);
}

#[test]
fn names_that_no_object_can_have_are_refused_with_what_one_is() {
    let (long, longer) = ("x".repeat(252), "x".repeat(256));
    for (line, code, why) in [
        ("shm create /..".to_string(), 2, "it means a directory"),
        ("msgq create /.".to_string(), 2, "it means a directory"),
        (format!("msgq create /{longer}"), 2, "up to 255 bytes"),
        (
            "let n = \"..\"\nmsgq create /$n".to_string(),
            1,
            "it means a directory",
        ),
        (format!("sem create /{long}"), 1, "at most 251 bytes"),
        (format!("sem p /{long}"), 1, "at most 251 bytes"),
    ] {
        let ran = script(&line);
        assert_eq!(ran.code, Some(code), "{line}\n{}", ran.err);
        assert!(ran.err.contains(why), "{line}\n{}", ran.err);
    }
    passes(&format!("shm create /{long} 8\nmsgq create /{long}"));
}

#[test]
fn a_removed_queue_lives_on_for_who_has_it_open() {
    let queue = name();
    passes(&format!(
        "msgq create {queue}
        a: msgq send {queue} 1 \"one\"
        b: msgq recv {queue} => \"one\"
        msgq rm {queue}
        a: msgq send {queue} 1 \"two\"
        b: msgq recv {queue} => \"two\"
        msgq create {queue}
        msgq send {queue} 1 \"new\"
        b: msgq recv {queue} --nowait => EAGAIN
        b: msgq close {queue}
        b: msgq recv {queue} => \"new\""
    ));
}

#[test]
fn who_waits_at_a_removed_object_is_not_said_to_wait_at_the_next_of_its_name() {
    let name = name();
    let ran = passes(&format!(
        "msgq create {name}\nsem create {name} 0
        b: msgq recv {name} ...
        c: sem p {name} ...
        msgq rm {name}\nsem rm {name}
        msgq create {name}\nsem create {name} 3
        msgq send {name} 1 \"for the next\"
        actors
        why b
        why c
        cancel b\nb: ... => EINTR
        cancel c\nc: ... => EINTR"
    ));
    let said = ran.out.matches(&*format!("{name} was removed")).count();
    assert_eq!(said, 4, "{}", ran.out);
    assert!(!ran.out.contains("holds 1 message"), "{}", ran.out);
    assert!(!ran.out.contains("(deleted) was"), "{}", ran.out);
}

#[test]
fn who_was_killed_while_it_waited_waits_no_more() {
    let name = name();
    // The C library's count, which nobody corrects, is still 1. A step of the dead fails the script.
    let ran = script(&format!(
        "spawn b
        sem create {name} 0
        b: sem p {name} ...
        sem ls
        kill -KILL b
        expect actor.b.state == dead within 5s
        expect sem.{name}.ncnt == 1
        sem ls"
    ));
    let rows = ran
        .out
        .lines()
        .filter(|l| l.contains(&format!("# {name} ")));
    let waits: Vec<bool> = rows.map(|row| row.contains("P1")).collect();
    assert_eq!(waits, [true, false], "{}", ran.out);
}

#[test]
fn a_deadlock_at_posix_semaphores_is_told_at_once() {
    let (one, two) = (name(), name());
    let ran = script(&format!(
        "timeout step 10m
        sem create {one}\nsem create {two}
        a: sem p {one}\nb: sem p {two}
        a: sem p {two} ...
        b: sem p {one}"
    ));
    let cycle = format!("b waits for {one}, which a holds; a waits for {two}, which b holds");
    assert!(ran.err.contains(&cycle), "{}", ran.err);
}

#[test]
fn what_only_the_other_flavour_has_is_refused_by_name() {
    let name = name();
    for (line, why) in [
        (
            format!("sem create {name}\nsem p --undo"),
            "a POSIX semaphore has none",
        ),
        (format!("sem create {name}\nsem z"), "is a POSIX semaphore"),
        (
            format!("sem create {name}\nsem use {name} s\nsem p s[1]"),
            "POSIX has no sets",
        ),
        (
            format!("msgq create {name}\nmsgq recv 1"),
            "a POSIX message queue has none",
        ),
        (
            format!("msgq create {name}\nmsgq set qbytes=1"),
            "is a POSIX message queue",
        ),
        (format!("msgq create {name}\nmsgq peek {name}"), "POSIX"),
        (
            "msgq create q\nmsgq recv timeout=1s".into(),
            "a System V message queue has none",
        ),
        (
            "msgq create q\nmsgq notify q USR1".into(),
            "a System V message queue has none",
        ),
        (
            "shm create s\nshm resize s 8".into(),
            "a System V shared memory segment has none",
        ),
    ] {
        let ran = script(&line);
        assert_eq!(ran.code, Some(1), "{line}\n{}", ran.err);
        assert!(ran.err.contains(why), "{line}\n{}", ran.err);
    }
}
