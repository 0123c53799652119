//! `who` on objects that other programs hold and wait at.

mod harness;
mod stranger;

use harness::{run, until};
use serde_json::Value;
use stranger::{Stranger, as_nobody, columns, rows, rows_of};

const SHOWN: [&str; 4] = ["pid", "how", "call", "sure"];

fn who(reference: &str) -> Vec<Value> {
    rows(&format!("who {reference}"), "who")
}

/// The rows of `who`, once somebody waits.
#[track_caller]
fn with_waiter(reference: &str) -> Vec<Value> {
    let mut found = Vec::new();
    until("somebody waits", || {
        found = who(reference);
        found.iter().any(|row| row["how"] == "waiting")
    });
    found
}

fn shown(rows: &[Value], names: &[&str]) -> Vec<Vec<String>> {
    rows.iter().map(|row| columns(row, names)).collect()
}

#[test]
fn a_semaphore_has_waiters_and_last_operators() {
    let Some(mut python) = Stranger::start(
        "id = semset(3, 1, 0, 5)\n\
         say(id)\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   semop(id, 0, -1); semop(id, 2, -1); semop(id, 1, -1, UNDO)\n\
         say(child)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let id = python.made("s")[0];
    let child = python.numbers()[0].to_string();
    let rows = with_waiter(&format!("id:{id}"));
    let parent = python.pid().to_string();
    let waits = format!("semop id:{id}[1] -1 undo");
    let expected = [
        [&child, "waiting", &waits, "exact"],
        [&child, "operated [0,2] last", "null", "last operator only"],
        [&parent, "operated [1] last", "null", "last operator only"],
    ];
    assert_eq!(shown(&rows, &SHOWN), expected);
    assert!(
        rows.iter().all(|row| row["command"] == "python3"),
        "{rows:?}"
    );
    // One semaphore of it.
    let rows = who(&format!("sem.id:{id}[2]"));
    let expected = [[&child, "operated [2] last", "null", "last operator only"]];
    assert_eq!(shown(&rows, &SHOWN), expected);
    let ran = run(&["-c", &format!("who id:{id}[3]")], b"");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
}

#[test]
fn a_queue_has_waiters_and_a_sender_that_is_gone() {
    let Some(mut python) = Stranger::start(
        "id = sure(libc.msgget(0, 0o1600))\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   send(id, 3, b'hi'); os._exit(0)\n\
         os.waitpid(child, 0)\n\
         say(id)\n\
         say(child)\n\
         recv(id, 7)",
    ) else {
        return;
    };
    let id = python.made("q")[0];
    let child = python.numbers()[0].to_string();
    let rows = with_waiter(&format!("msgq.id:{id}"));
    let (pid, call) = (python.pid().to_string(), format!("msgrcv id:{id} type 7"));
    let expected = [
        [&pid, "waiting", &call, "exact"],
        [&child, "sent last", "null", "gone"],
    ];
    assert_eq!(shown(&rows, &SHOWN), expected);
    assert_eq!(rows[1]["command"], "gone");
}

#[test]
fn a_segment_whose_creator_died_is_found_with_who_has_it_attached() {
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   os.write(w, b'%d' % libc.shmget(0, 4096, 0o1600)); os._exit(0)\n\
         os.waitpid(child, 0)\n\
         id = int(os.read(r, 20))\n\
         say(id)\n\
         say(child)\n\
         sys.stdin.readline()\n\
         libc.shmat(id, None, 0); libc.shmat(id, None, 0o10000)\n\
         say(0)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let id = python.made("m")[0];
    let (child, pid) = (python.numbers()[0].to_string(), python.pid().to_string());
    let names = ["pid", "how", "mode", "sure"];
    let rows = who(&format!("shm.id:{id}"));
    assert_eq!(
        shown(&rows, &names),
        [[&child, "created it", "null", "gone"]]
    );
    python.tell();
    python.numbers();
    let rows = who(&format!("shm.id:{id}"));
    let mut found = shown(&rows, &names);
    found[..2].sort();
    let expected = [
        [&pid, "attached", "r", "exact"],
        [&pid, "attached", "rw", "exact"],
        [&child, "created it", "null", "gone"],
        [
            &pid,
            "attached or detached last",
            "null",
            "last operator only",
        ],
    ];
    assert_eq!(found, expected);
}

/// A process that has the pid of the one that made a segment, and did not.
#[test]
fn a_pid_that_another_process_has_now_is_recycled() {
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   os.write(w, b'%d' % libc.shmget(0, 4096, 0o1600)); os._exit(0)\n\
         os.waitpid(child, 0)\n\
         say(int(os.read(r, 20)))\n\
         time.sleep(3.5)\n\
         for attempt in range(100):\n\
         \x20   try:\n\
         \x20       open('/proc/sys/kernel/ns_last_pid', 'w').write(str(child - 1))\n\
         \x20   except OSError:\n\
         \x20       say(0); sys.exit()\n\
         \x20   again = os.fork()\n\
         \x20   if again == 0:\n\
         \x20       time.sleep(1000 if os.getpid() == child else 0); os._exit(0)\n\
         \x20   if again == child:\n\
         \x20       break\n\
         \x20   os.waitpid(again, 0)\n\
         say(child if again == child else 0)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let id = python.made("m")[0];
    let pid = python.numbers()[0];
    if pid == 0 {
        eprintln!("skipped: no process gets the pid that is asked for in ns_last_pid");
        return;
    }
    let rows = who(&format!("shm.id:{id}"));
    let names = ["pid", "command", "user", "how", "sure"];
    let pid = pid.to_string();
    let expected = [[&pid, "recycled", "null", "created it", "pid recycled"]];
    assert_eq!(shown(&rows, &names), expected);
}

#[test]
fn a_pipe_has_ends_and_a_reader() {
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         say(os.fstat(r).st_ino, r, w)\n\
         os.read(r, 1)",
    ) else {
        return;
    };
    let numbers = python.numbers();
    let (ino, r, w) = (numbers[0], numbers[1].to_string(), numbers[2].to_string());
    let pid = python.pid();
    for reference in [format!("pipe:[{ino}]"), format!("pid:{pid}/fd:{w}")] {
        let rows = with_waiter(&reference);
        let call = format!("read pipe:[{ino}]");
        let expected = [
            ["open", &r, "r", "null"],
            ["open", &w, "w", "null"],
            ["waiting", "null", "null", &call],
        ];
        assert_eq!(shown(&rows, &["how", "fd", "mode", "call"]), expected);
        assert!(
            rows.iter()
                .all(|row| row["pid"] == pid && row["sure"] == "exact")
        );
    }
}

#[test]
fn a_fifo_that_waits_for_its_other_side_is_found_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    let path = path.display();
    let Some(python) = Stranger::start(&format!("os.mkfifo('{path}'); open('{path}')")) else {
        return;
    };
    until("the FIFO", || directory.path().join("f").exists());
    let rows = with_waiter(&format!("\"{path}\""));
    let (pid, call) = (python.pid().to_string(), format!("open {path}"));
    assert_eq!(shown(&rows, &SHOWN), [[&pid, "waiting", &call, "exact"]]);
    let ran = run(&["-c", &format!("who {path}x")], b"");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("ENOENT"), "{}", ran.err);
}

#[test]
fn a_socket_is_found_by_its_path_its_name_and_its_inode() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let Some(mut python) = Stranger::start(&format!(
        "s = socket.socket(socket.AF_UNIX); s.bind('{}'); s.listen()\n\
         say(os.fstat(s.fileno()).st_ino, s.fileno())\n\
         s.accept()",
        path.display()
    )) else {
        return;
    };
    let numbers = python.numbers();
    let (ino, fd) = (numbers[0], numbers[1].to_string());
    for reference in [path.display().to_string(), format!("socket:[{ino}]")] {
        let rows = with_waiter(&reference);
        let call = format!("accept socket:[{ino}]");
        let expected = [
            ["open", &fd, "rw", "null"],
            ["waiting", "null", "null", &call],
        ];
        assert_eq!(shown(&rows, &["how", "fd", "mode", "call"]), expected);
    }
}

#[test]
fn posix_objects_are_found_by_their_files() {
    let name = format!("/ipcsh-who-{}", std::process::id());
    let Some(mut python) = Stranger::start(&format!(
        "name = b'{name}'\n\
         libc.sem_open.restype = ctypes.c_void_p\n\
         fd = sure(libc.shm_open(name, os.O_RDWR | os.O_CREAT, 0o600))\n\
         os.ftruncate(fd, 4096)\n\
         memory = mmap.mmap(fd, 4096)\n\
         sem = libc.sem_open(name + b's', os.O_CREAT, 0o600, 0)\n\
         mq = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)\n\
         say(fd, mq)\n\
         sys.stdin.readline()\n\
         libc.shm_unlink(name); libc.mq_unlink(name)\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   libc.mq_receive(mq, ctypes.create_string_buffer(10000), 10000, None)\n\
         libc.sem_wait(ctypes.c_void_p(sem))"
    )) else {
        return;
    };
    let numbers = python.numbers();
    let (fd, mq) = (numbers[0].to_string(), numbers[1]);
    let names = ["how", "fd", "mode", "sure"];
    let rows = who(&format!("shm.{name}"));
    let expected = [
        ["attached", "null", "rw", "exact"],
        ["open", &fd, "rw", "exact"],
    ];
    assert_eq!(shown(&rows, &names)[..2], expected);
    if mq < 0 {
        eprintln!("skipped: no POSIX message queue can be made here");
    } else {
        let rows = who(&format!("msgq.{name}"));
        let expected = [["open", &mq.to_string(), "rw", "exact"]];
        assert_eq!(shown(&rows, &names), expected);
        // A name that two families have must say which.
        let ran = run(&["-c", &format!("who {name}")], b"");
        assert!(ran.err.contains("Say which"), "{}", ran.err);
    }
    python.tell();
    let rows = with_waiter(&format!("{name}s"));
    let waits = rows.iter().find(|row| row["how"] == "waiting").unwrap();
    assert_eq!(waits["pid"], python.pid());
    assert_eq!(waits["call"], format!("sem_wait {name}s"));
    std::fs::remove_file(format!("/dev/shm/sem.{}s", &name[1..])).unwrap();
}

#[test]
fn what_is_not_there_or_not_an_object_says_so() {
    let ours = std::process::id();
    let closed = format!("pid:{ours}/fd:2147483647");
    let has_none = format!("process {ours} has no descriptor");
    for (reference, said) in [
        ("id:2147483647", "no System V object has id:2147483647"),
        ("msgq.id:2147483647", "there is no message queue with id"),
        ("key:0x7ffffff1", "no System V object has key:0x7ffffff1"),
        ("key:2147483633", "no System V object has key:0x7ffffff1"),
        ("key:/,1", "no System V object has key:/,1"),
        ("/etc/passwd", "neither a FIFO nor a socket file"),
        ("nothing", "nothing is named `nothing`"),
        ("pid:2147483647/fd:3", "there is no process 2147483647"),
        (&closed, &has_none),
    ] {
        let ran = run(&["-c", &format!("who {reference}")], b"");
        assert_ne!(ran.code, Some(0), "{reference}: {}", ran.out);
        assert!(ran.err.contains(said), "{reference}: {}", ran.err);
    }
    // What the parser can know, it says before anything is done.
    for reference in [
        "pipe.id:3",
        "fifo.pipe:[3]",
        "sem.socket:[3]",
        "pipe:[x]",
        "msgq.q[1]",
    ] {
        let ran = run(&["-c", &format!("who {reference}")], b"");
        assert_eq!(ran.code, Some(2), "{reference}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn without_privilege_what_is_hidden_is_said_and_nothing_aborts() {
    let Some(mut python) = Stranger::start(
        "id = sure(libc.shmget(0, 4096, 0o1644))\n\
         libc.shmat(id, None, 0)\n\
         r, w = os.pipe()\n\
         set = libc.semget(0, 2, 0o1600)\n\
         say(id, set)\n\
         say(os.fstat(r).st_ino)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let ids = python.made("ms");
    let ino = python.numbers()[0];
    let Some(ran) = as_nobody(&format!("who shm.id:{}", ids[0])) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let rows = rows_of(&ran, "who");
    assert_eq!(rows[0]["how"], "created it");
    assert_eq!(rows[0]["pid"], python.pid());
    let notes: Vec<String> = rows_of(&ran, "note")
        .iter()
        .map(|note| note["text"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(
        notes[0],
        "attached 1 more time, by processes that may not be looked into"
    );
    assert!(
        notes[1].ends_with("may not be looked into; run as root or with CAP_SYS_PTRACE"),
        "{notes:?}"
    );
    assert_eq!(notes.len(), 2);
    for command in [
        format!("who pipe:[{ino}]"),
        format!("who sem.id:{}", ids[1]),
    ] {
        let ran = as_nobody(&command).unwrap();
        assert_eq!(ran.code, Some(0), "{command}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("may not be looked into"), "{}", ran.out);
    }
}

#[test]
fn a_socket_path_means_the_socket_that_its_file_has_now() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut python) = Stranger::start(&format!(
        "os.chdir('{}')\n\
         def bound(path):\n\
         \x20   s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(path); return s\n\
         path = os.getcwd() + '/s'\n\
         old = bound(path); os.unlink(path); new = bound(path); relative = bound('rel')\n\
         lost = bound(os.getcwd() + '/lost'); os.unlink('lost')\n\
         c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
         c.sendto(b'to new', path); c.sendto(b'to rel', 'rel')\n\
         say(new.fileno(), relative.fileno(), lost.fileno())\n\
         time.sleep(1000)",
        directory.path().display()
    )) else {
        return;
    };
    let fds = python.numbers();
    for (file, fd) in ["s", "rel", "lost"].iter().zip(&fds) {
        let path = directory.path().join(file).display().to_string();
        let expected = [["open".to_string(), fd.to_string()]];
        assert_eq!(shown(&who(&path), &["how", "fd"]), expected, "{file}");
    }
    let at = directory.path().display();
    harness::passes(&format!(
        "peek {at}/s => \"to new\"\nsock peek {at}/rel => \"to rel\""
    ));
    drop(python);
    let ran = run(&["-c", &format!("who {at}/s")], b"");
    assert!(
        ran.err.contains("no socket is bound to the file"),
        "{}",
        ran.err
    );
}

#[test]
fn a_descriptor_of_anything_shows_who_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let Some(mut python) = Stranger::start(&format!(
        "path = '{}'\n\
         file = open(path, 'w+'); file.write('x'); file.flush()\n\
         name = b'/ipcsh-open-%d' % os.getpid()\n\
         shm = sure(libc.shm_open(name, os.O_RDWR | os.O_CREAT, 0o600))\n\
         os.ftruncate(shm, 10); gone = os.dup(shm); memory = mmap.mmap(file.fileno(), 1)\n\
         libc.shm_unlink(name)\n\
         os.mkfifo(path + 'f'); fifo = os.open(path + 'f', os.O_RDWR); os.unlink(path + 'f')\n\
         memfd = os.memfd_create('m'); null = os.open('/dev/null', os.O_RDONLY)\n\
         say(file.fileno(), shm, gone, fifo, memfd, null, select.epoll().fileno())\n\
         time.sleep(1000)",
        file.display()
    )) else {
        return;
    };
    let pid = python.pid();
    let fds = python.numbers();
    let who = |fd: i64| {
        let rows = who(&format!("pid:{pid}/fd:{fd}"));
        let own = rows.iter().filter(|row| row["pid"] == pid);
        own.map(|row| columns(row, &["how", "fd", "mode"]))
            .collect::<Vec<_>>()
    };
    let open = |fd: i64, mode: &str| vec!["open".to_string(), fd.to_string(), mode.into()];
    let attached = vec!["attached".to_string(), "null".into(), "rw".into()];
    // mmap of Python's has a descriptor of its own.
    assert_eq!(who(fds[0])[..2], [attached, open(fds[0], "rw")]);
    assert_eq!(who(fds[1]), [open(fds[1], "rw"), open(fds[2], "rw")]);
    assert_eq!(who(fds[3]), [open(fds[3], "rw")]);
    assert_eq!(who(fds[4]), [open(fds[4], "rw")]);
    assert!(who(fds[5]).contains(&open(fds[5], "r")));
    let ran = run(&["-c", &format!("who pid:{pid}/fd:{}", fds[0])], b"");
    let said = format!("it is the file {}, nothing of IPC", file.display());
    assert!(ran.out.contains(&said), "{}", ran.out);
}

#[test]
fn a_bare_number_is_told_what_it_may_be() {
    for (line, said) in [
        (
            "who 17701",
            "by its id it is id:17701; of a process, `why 17701`",
        ),
        ("peek 17701", "pid:17701/fd:N is what it has open"),
        ("msgq info 17", "by its id it is id:17"),
        ("sock info 17", "by its inode it is socket:[17]"),
    ] {
        let ran = run(&["-c", line], b"");
        assert_eq!(ran.code, Some(2), "{line}: {}", ran.out);
        assert!(ran.err.contains(said), "{line}: {}", ran.err);
    }
}

#[test]
fn a_host_that_can_start_no_thread_is_looked_at_all_the_same() {
    // So many that they are looked at in parts; they end with their standard input.
    let mut many: Vec<_> = (0..150)
        .map(|_| {
            let mut cat = std::process::Command::new("cat");
            cat.stdin(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    // Root may start as many as it likes, and another user nothing where he has processes already: so it is
    // a user who has none.
    let user = 10_000 + std::process::id() % 50_000;
    let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
    let another = match nix::unistd::geteuid().is_root() {
        true => &["setpriv", &uid, &gid, "--clear-groups"][..],
        false => &[],
    };
    let ran = std::process::Command::new("prlimit")
        .current_dir("/")
        .arg("--nproc=1")
        .args(another)
        .arg(harness::program())
        .args(["-c", "ipcs -A", "-c", "why"])
        .output();
    many.iter_mut().for_each(|cat| drop(cat.stdin.take()));
    many.iter_mut().for_each(|cat| drop(cat.wait()));
    let Ok(ran) = ran else {
        return eprintln!("skipped: there is no prlimit");
    };
    let error = String::from_utf8_lossy(&ran.stderr);
    if error.contains("Permission denied") {
        return eprintln!("skipped: another user may not run the program");
    }
    assert_eq!(ran.status.code(), Some(0), "{error}");
}

#[test]
fn a_process_whose_first_thread_has_ended_is_there_with_all_it_has() {
    // SYS_exit(2) ends the thread alone.
    let Some(mut python) = Stranger::start(&format!(
        "import threading
set, queue = semset(1, 1), libc.msgget(0, 0o1600)
shm = libc.shmget(0, 4096, 0o1600)
libc.shmat(shm, None, 0)
r, w = os.pipe()
say(set, queue, shm)
say(os.fstat(r).st_ino)
def work():
    semop(set, 0, -1)
    recv(queue, 0)
threading.Thread(target=work).start()
libc.syscall({}, 0)",
        libc::SYS_exit
    )) else {
        return;
    };
    let made = python.made("sqm");
    let (pid, pipe) = (python.pid(), python.numbers()[0]);
    let state = || ipcsh::inspect::process::thread_stat(pid, pid).map(|stat| stat.state);
    until("the first thread has ended", || state().ok() == Some('Z'));
    let about = |reference: &str| {
        let found = rows(&format!("who {reference}"), "who");
        found.into_iter().find(|row| row["pid"] == pid)
    };
    until("the other waits", || {
        about(&format!("msgq.id:{}", made[1])).is_some()
    });
    let waits = rows(&format!("why {pid}"), "why");
    let row = waits.iter().find(|row| row["tid"] != pid).unwrap();
    assert_eq!(row["call"], format!("msgrcv id:{}", made[1]), "{waits:?}");
    let last = about(&format!("sem.id:{}", made[0])).unwrap();
    assert_eq!(last["sure"], "last operator only", "{last}");
    assert!(
        about(&format!("shm.id:{}", made[2])).is_some(),
        "its memory"
    );
    assert!(
        about(&format!("pipe:[{pipe}]")).is_some(),
        "its descriptors"
    );
}
