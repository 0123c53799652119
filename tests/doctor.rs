//! `doctor`: what other programs left behind is found and, where it is asked for, removed.

mod harness;
mod stranger;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use harness::{passes, run};
use serde_json::Value;

/// A key that no other test has.
fn free_key() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    0x5000_0000 | (std::process::id() & 0xffff) << 8 | n
}

/// A Python process that makes these objects and ends: their ids. `None` where there is no Python.
fn left_behind(key: u32, socket: &Path) -> Option<[i64; 3]> {
    let code = format!(
        "import ctypes, socket
libc = ctypes.CDLL(None)
q = libc.msgget({key}, 0o1600); m = libc.shmget({key}, 4096, 0o1600); s = libc.semget({key}, 2, 0o1600)
libc.msgsnd(q, b'\\1\\0\\0\\0\\0\\0\\0\\0hello', 5, 0)
class Op(ctypes.Structure): _fields_ = [('n', ctypes.c_ushort), ('op', ctypes.c_short), ('f', ctypes.c_short)]
for n in (0, 1): libc.semop(s, ctypes.byref(Op(n, 1, 0)), 1)
x = socket.socket(socket.AF_UNIX); x.bind('{}'); x.listen(1)
print(q, m, s)",
        socket.display()
    );
    let output = match Command::new("python3").args(["-c", &code]).output() {
        Ok(output) => output,
        Err(e) => {
            eprintln!("skipped: python3: {e}");
            return None;
        }
    };
    let ids = String::from_utf8(output.stdout).unwrap();
    let mut ids = ids.split_whitespace().map(|id| id.parse().unwrap());
    Some([ids.next()?, ids.next()?, ids.next()?])
}

/// The rows of this kind that a command shows.
fn rows(command: &str, kind: &str) -> Vec<Value> {
    let ran = run(&["--json", "-c", command], b"");
    let events = ran.out.lines().map(|l| serde_json::from_str(l).unwrap());
    events.filter(|e: &Value| e["kind"] == kind).collect()
}

#[test]
fn what_a_program_left_behind_is_found_and_removed() {
    let work = tempfile::tempdir_in("/tmp").unwrap();
    let socket = work.path().join("stale.sock");
    let key = free_key();
    let Some([q, m, s]) = left_behind(key, &socket) else {
        return;
    };
    let objects = [
        format!("msgq.id:{q}"),
        format!("shm.id:{m}"),
        format!("sem.id:{s}"),
    ];
    let found = rows("doctor", "finding");
    let of = |object: &str| found.iter().find(|row| row["object"] == object);
    for (object, mend) in objects.iter().zip(["msgq rm", "shm rm", "sem rm"]) {
        let row = of(object).unwrap_or_else(|| panic!("{object}: {found:?}"));
        assert_eq!(row["sure"], "likely", "{row}");
        assert!(
            row["evidence"].as_str().unwrap().contains("is gone"),
            "{row}"
        );
        assert!(row["mend"].as_str().unwrap().starts_with(mend), "{row}");
    }
    let stale = of(socket.to_str().unwrap()).unwrap();
    assert_eq!(
        (&stale["what"], &stale["sure"]),
        (&"stale socket file".into(), &"exact".into())
    );

    let clean = format!("doctor --clean key={key}");
    let would = rows(&format!("{clean} --dry-run"), "cleaned");
    assert_eq!(would.len(), 3, "{would:?}");
    assert!(rows(&format!("{clean} older=1h"), "cleaned").is_empty());
    let other = 1 + ipcsh::kernel::process::geteuid();
    assert!(rows(&format!("{clean} user={other}"), "cleaned").is_empty());
    let exists = |noun: &str, id| passes(&format!("{noun} info id:{id}"));
    exists("msgq", q);
    exists("shm", m);
    exists("sem", s);
    let cleaned = rows(&clean, "cleaned");
    assert_eq!(cleaned.len(), 3, "{cleaned:?}");
    assert!(
        cleaned.iter().all(|row| row["result"] == "removed"),
        "{cleaned:?}"
    );
    let gone = |noun: &str, id| passes(&format!("{noun} info id:{id} => EINVAL"));
    gone("msgq", q);
    gone("shm", m);
    gone("sem", s);
}

/// Its sender may have meant them for a reader that comes later.
#[test]
fn unread_messages_stay_unless_their_age_or_key_is_said() {
    let work = tempfile::tempdir_in("/tmp").unwrap();
    let key = free_key();
    let Some([q, m, s]) = left_behind(key, &work.path().join("stale.sock")) else {
        return;
    };
    let object = format!("msgq.id:{q}");
    let result = |choice: &str| {
        let would = rows(&format!("doctor --clean --dry-run {choice}"), "cleaned");
        let row = would.into_iter().find(|row| row["object"] == *object);
        row.map(|row| row["result"].as_str().unwrap().to_string())
    };
    let kept =
        format!("kept: nobody has read its 1 message; older=DUR or key=0x{key:08x} removes it");
    assert_eq!(result("").as_ref(), Some(&kept));
    let ours = ipcsh::kernel::process::geteuid();
    assert_eq!(result(&format!("user={ours}")).as_ref(), Some(&kept));
    let would = Some("would be removed".to_string());
    assert_eq!(result("older=0s"), would);
    assert_eq!(result(&format!("key={key}")), would);
    assert_eq!(result("older=1h"), None);
    passes(&format!(
        "msgq recv id:{q} => \"hello\"\nshm rm id:{m}\nsem rm id:{s}"
    ));
    assert_eq!(result(""), would, "nothing is lost with it now");
    passes(&format!("msgq rm id:{q}"));
}

/// A socket file has no key, also where the key is that of all objects without one.
#[test]
fn a_key_chooses_system_v_objects_alone_and_is_written_as_elsewhere() {
    let work = tempfile::tempdir_in("/tmp").unwrap();
    let socket = work.path().join("stale.sock");
    let file = work.path().join("key");
    std::fs::write(&file, "").unwrap();
    let key = ipcsh::kernel::sysv::ftok(&file, 1).unwrap();
    let Some([q, m, s]) = left_behind(key.cast_unsigned(), &socket) else {
        return;
    };
    let object = |row: &Value| row["object"].as_str().unwrap().to_string();
    let found: Vec<String> = rows("doctor", "finding").iter().map(object).collect();
    let socket = socket.to_str().unwrap().to_string();
    assert!(found.contains(&socket), "{found:?}");
    for none in ["0", "0x0"] {
        let would = rows(&format!("doctor --clean --dry-run key={none}"), "cleaned");
        assert!(
            would.iter().all(|row| row["what"] != "stale socket file"),
            "{would:?}"
        );
    }
    let made = format!("doctor --clean key={},1", file.display());
    let cleaned: Vec<String> = rows(&made, "cleaned").iter().map(object).collect();
    let expected = [
        format!("msgq.id:{q}"),
        format!("shm.id:{m}"),
        format!("sem.id:{s}"),
    ];
    assert_eq!(cleaned, expected);
    let ran = run(&["-c", "doctor --clean key=64KB"], b"");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("/path,1"), "{}", ran.err);
    assert!(passes("help doctor").out.contains("key=KEY"));
}

#[test]
fn what_is_used_is_no_orphan() {
    let ran = passes(
        "msgq create q\nmsgq send 1 \"x\"\nsem create s\nsem p\nshm create m\nb: shm attach m
        !kill -9 ${me.pid}\nexpect actor.me.state == dead within 60s
        doctor --clean --dry-run",
    );
    for noun in ["msgq.q", "sem.s", "shm.m"] {
        assert!(!ran.out.contains(noun), "{}", ran.out);
    }
}

#[test]
fn a_full_queue_and_a_holder_that_is_gone_are_told_and_it_fails() {
    let ran = harness::script(
        "msgq create q\nmsgq set q qbytes=1\nmsgq send 1 \"x\"\nb: msgq send q 1 \"y\" ...
        sem create s\na: sem p s\nkill -KILL a\nexpect actor.a.state == dead within 60s
        c: sem p s ...
        doctor",
    );
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in [
        "full queue",
        "1 of 1 bytes, 1 message; 1 waits to send",
        "holder is gone",
        "which operated on it last",
        "sem v s[0]",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[test]
fn a_full_posix_queue_is_told_in_the_same_words() {
    if ipcsh::inspect::posix::queues().is_err() {
        eprintln!("skipped: POSIX queues are not mounted, and may not be");
        return;
    }
    let name = format!("/ipcsh-full-{}", std::process::id());
    let ran = harness::script(&format!(
        "msgq create {name} maxmsg=2 msgsize=8\nmsgq send {name} 1 \"a\"\nmsgq send {name} 1 \"b\"
        b: msgq send {name} 1 \"c\" ...
        doctor"
    ));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in [
        "full queue",
        &format!("msgq.{name}"),
        "2 of 2 messages; 1 waits to send; sent to or received from",
        &format!("msgq recv {name}"),
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[test]
fn what_is_only_for_clean_is_refused_without_it() {
    for line in ["doctor --dry-run", "doctor older=1h", "doctor user=root"] {
        let ran = run(&["-c", line], b"");
        assert_eq!(ran.code, Some(2), "{line}");
        assert!(ran.err.contains("only with --clean"), "{line}\n{}", ran.err);
    }
}

#[test]
fn a_set_of_which_one_semaphore_is_in_use_is_no_orphan() {
    use ipcsh::kernel::sem;
    let made = run(
        &[
            "--keep",
            "-c",
            "let s = sem create --private x count=100; sem v x[0]; echo ${s.id}",
        ],
        b"",
    );
    let id: i32 = made.out.lines().last().unwrap().trim().parse().unwrap();
    let found = || {
        let rows = rows("doctor", "finding");
        let about = |row: &Value| row["object"] == format!("sem.id:{id}");
        rows.iter().any(about)
    };
    let before = found();
    // The last but one, far behind those that only who is gone has used.
    let used = sem::set_value(id, 98, 1);
    let after = found();
    sem::remove(id).unwrap();
    assert_eq!(used, Ok(()));
    assert!(before, "the set of who is gone is an orphan");
    assert!(!after, "this process has used it last");
}

#[test]
fn what_could_not_be_looked_at_is_said() {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    if mounts.contains(" - mqueue ") {
        return eprintln!("skipped: POSIX queues are mounted here, and everybody may list them");
    }
    let Some(ran) = stranger::as_nobody("doctor") else {
        return;
    };
    let said = "POSIX queues are not looked at: they cannot be listed";
    assert!(ran.out.contains(said), "{}", ran.out);
}
