//! `why` on programs that wait, some of them for each other.

mod harness;
mod stranger;

use harness::{passes, run, until};
use serde_json::Value;
use stranger::{Stranger, as_nobody, columns, rows, rows_of};

/// The row of `why` about a process, once there is one that `holds` says yes to.
#[track_caller]
fn why(pid: i64, mut holds: impl FnMut(&Value) -> bool) -> Value {
    let mut found = None;
    until("a wait is shown", || {
        let rows = rows("why", "why");
        let mut rows = rows.into_iter();
        found = rows.find(|row| row["pid"] == pid && holds(row));
        found.is_some()
    });
    found.unwrap()
}

const SHOWN: [&str; 4] = ["call", "wakes", "by", "sure"];

/// The suspected cycles that a process is in.
fn cycles(pid: i32) -> Vec<Value> {
    let rows = rows("why", "cycle");
    let number = |row: &&Value| row["pid"] == pid;
    match rows.iter().find(number).map(|row| row["cycle"].clone()) {
        Some(cycle) => rows
            .into_iter()
            .filter(|row| row["cycle"] == cycle)
            .collect(),
        None => Vec::new(),
    }
}

/// Two processes that each take one of two locks, and then want the other's.
const DEADLOCK: &str = "\
left, right = semset(1, 1), semset(2, 0, 1)
say(left, right)
r, w = os.pipe()
r2, w2 = os.pipe()
child = os.fork()
if child == 0:
    semop(right, 1, -1, UNDO); os.write(w, b'x'); os.read(r2, 1); semop(left, 0, -1)
    os._exit(0)
semop(left, 0, -1); os.read(r, 1); os.write(w2, b'x')
say(child)
semop(right, 1, -1)
say(0)
";

#[test]
fn two_that_want_each_others_semaphore_are_suspected() {
    let Some(mut python) = Stranger::start(DEADLOCK) else {
        return;
    };
    let sets = python.made("ss");
    let (parent, child) = (python.pid(), python.numbers()[0]);
    let mut found = Vec::new();
    until("the cycle is seen", || {
        found = cycles(parent);
        !found.is_empty()
    });
    found.sort_by_key(|row| row["pid"] != parent);
    let shown: Vec<_> = found
        .iter()
        .map(|row| columns(row, &["pid", "call", "by", "sure"]))
        .collect();
    let expected = [
        [
            parent.to_string(),
            format!("semop id:{}[1] -1", sets[1]),
            format!("[[{child},\"python3\"]]"),
            "last operator only".into(),
        ],
        [
            child.to_string(),
            format!("semop id:{} -1", sets[0]),
            format!("[[{parent},\"python3\"]]"),
            "last operator only".into(),
        ],
    ];
    assert_eq!(shown, expected);
    // Of one process alone; and the table for people names it as what it is.
    let ran = run(&["-c", &format!("why {child}")], b"");
    assert!(ran.out.contains("Suspected deadlocks"), "{}", ran.out);
    // Once one is woken, nobody is suspected.
    ipcsh::kernel::sem::set_value(sets[1], 1, 1).unwrap();
    assert_eq!(python.numbers(), [0]);
    assert!(cycles(child as i32).is_empty());
}

#[test]
fn two_with_full_pipes_to_each_other_are_suspected() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: who may not look into all cannot know who else has an end");
        return;
    }
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         r2, w2 = os.pipe()\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   os.close(r2); os.close(w); os.write(w2, b'x' * 200000); os.read(r, 1); os._exit(0)\n\
         os.close(r); os.close(w2); say(child); os.write(w, b'x' * 200000)",
    ) else {
        return;
    };
    let child = python.numbers()[0];
    let mut found = Vec::new();
    until("the cycle is seen", || {
        found = cycles(python.pid());
        !found.is_empty()
    });
    let mut pids: Vec<i64> = found
        .iter()
        .map(|row| row["pid"].as_i64().unwrap())
        .collect();
    pids.sort_unstable();
    let mut both = [python.pid().into(), child];
    both.sort_unstable();
    assert_eq!(pids, both);
    assert!(found.iter().all(|row| row["sure"] == "exact"), "{found:?}");
}

#[test]
fn a_thread_that_could_still_write_makes_no_cycle() {
    let Some(mut python) = Stranger::start(
        "import threading\n\
         r, w = os.pipe()\n\
         threading.Thread(target=lambda: sys.stdin.readline() and os.write(w, b'x')).start()\n\
         say(os.getpid())\n\
         os.read(r, 1)\n\
         say(0)",
    ) else {
        return;
    };
    let pid = python.numbers()[0];
    let row = why(pid, |row| row["tid"] == pid && row["by"] != Value::Null);
    assert_eq!(row["by"][0], serde_json::json!([pid, "python3"]));
    assert!(cycles(python.pid()).is_empty());
    python.tell();
    assert_eq!(python.numbers(), [0]);
}

#[test]
fn what_makes_progress_is_never_suspected() {
    // Two that take two locks in the same order, and hand a token to and fro.
    let Some(mut python) = Stranger::start(
        "a, b, ping, pong = semset(1, 1), semset(1, 1), semset(1, 1), semset(1, 0)\n\
         say(a, b, ping, pong)\n\
         child = os.fork()\n\
         mine, yours = (ping, pong) if child else (pong, ping)\n\
         while True:\n\
         \x20   semop(mine, 0, -1); semop(a, 0, -1, UNDO); semop(b, 0, -1, UNDO)\n\
         \x20   semop(b, 0, 1, UNDO); semop(yours, 0, 1); semop(a, 0, 1, UNDO)",
    ) else {
        return;
    };
    python.made("ssss");
    for _ in 0..50 {
        let found = cycles(python.pid());
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn each_wait_is_told_with_what_ends_it_and_who_could() {
    let Some(mut python) = Stranger::start(
        "queue = sure(libc.msgget(0, 0o1600))\n\
         set = semset(1, 2)\n\
         say(queue, set)\n\
         r, w = os.pipe()\n\
         a, b = socket.socketpair()\n\
         def child(work):\n\
         \x20   pid = os.fork()\n\
         \x20   if pid == 0:\n\
         \x20       work(); os._exit(0)\n\
         \x20   return pid\n\
         def reader():\n\
         \x20   os.close(w); os.read(r, 1)\n\
         def receiver():\n\
         \x20   b.close(); a.recv(1)\n\
         def taker():\n\
         \x20   semop(set, 0, -5)\n\
         def zero():\n\
         \x20   semop(set, 0, 0)\n\
         def served():\n\
         \x20   recv(queue, -7)\n\
         say(*[child(work) for work in (reader, receiver, taker, zero, served)])\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let ids = python.made("qs");
    let pids = python.numbers();
    let parent = format!("[{},\"python3\"]", python.pid());
    let blocked = |n: usize, call: &str| {
        let row = why(pids[n], |row| {
            row["call"].as_str().is_some_and(|c| c.starts_with(call))
        });
        columns(&row, &SHOWN)
    };
    let exact = match ipcsh::inspect::process::may_look_into_all() {
        true => "exact",
        false => "of those seen",
    };
    let reader = blocked(0, "read pipe:[");
    assert_eq!(reader[1], "write, or the last close of the other side");
    assert!(reader[2].contains(&parent), "{reader:?}");
    assert_eq!(reader[3], exact);
    let receiver = blocked(1, "recv socket:[");
    assert!(receiver[2].contains(&parent), "{receiver:?}");
    assert_eq!(receiver[3], exact);
    let set = ids[1];
    let taker = blocked(2, "semop");
    let expected = [&format!("semop id:{set} -5"), "semop +3 on [0]"];
    assert_eq!(taker[..2], expected);
    assert_eq!(taker[2..], [&format!("[{parent}]"), "last operator only"]);
    let zero = blocked(3, "semop");
    let expected = [
        &format!("semop id:{set} 0"),
        "semop that lets [0] come to 0",
    ];
    assert_eq!(zero[..2], expected);
    let served = blocked(4, "msgrcv");
    let queue = ids[0];
    let expected = [
        &format!("msgrcv id:{queue} type -7"),
        "msgsnd of a type up to 7",
        "null",
        "anyone",
    ];
    assert_eq!(served, expected);
}

#[test]
fn a_process_that_does_not_wait_in_ipc_is_told_of_when_it_is_asked_for() {
    let Some(mut python) = Stranger::start("say(1)\ntime.sleep(1000)") else {
        return;
    };
    python.numbers();
    let pid = python.pid();
    until("it sleeps", || {
        let rows = rows(&format!("why {pid}"), "why");
        rows[0]["call"] == "nanosleep"
    });
    assert!(rows("why", "why").iter().all(|row| row["pid"] != pid));
    let ran = run(&["-c", "why 2147483647"], b"");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("there is no process 2147483647"),
        "{}",
        ran.err
    );
    let ran = run(&["-c", "why lokc"], b"");
    assert!(
        ran.err.contains("neither an actor nor a pid"),
        "{}",
        ran.err
    );
}

/// `multiprocessing.Queue` leaves both ends of its pipe to both of its sides.
#[test]
fn who_is_blocked_with_all_its_threads_does_not_wake_itself() {
    let Some(mut python) = Stranger::start(
        "import threading\n\
         r, w = os.pipe()\n\
         alone = os.fork()\n\
         if alone == 0: os.read(r, 1)\n\
         both = os.fork()\n\
         if both == 0:\n\
         \x20   threading.Thread(target=lambda: os.read(r, 1)).start(); os.read(r, 1)\n\
         say(alone, both)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let (pids, parent) = (python.numbers(), python.pid());
    let by = |row: &Value| -> Vec<i64> {
        let all = row["by"].as_array().into_iter().flatten();
        all.map(|one| one[0].as_i64().unwrap()).collect()
    };
    let reads = |row: &Value| row["call"].as_str().unwrap().starts_with("read pipe:");
    let row = why(pids[0], reads);
    assert_eq!(by(&row), [i64::from(parent), pids[1]], "{row}");
    // Both of its threads.
    let mut found = Vec::new();
    until("both threads read", || {
        found = rows(&format!("why {}", pids[1]), "why");
        found.len() == 2 && found.iter().all(reads)
    });
    for row in &found {
        assert_eq!(by(row), [i64::from(parent), pids[0]], "{row}");
    }
    // One that nobody else could wake.
    let Some(mut python) = Stranger::start("r, w = os.pipe()\nsay(0)\nos.read(r, 1)") else {
        return;
    };
    python.numbers();
    let row = why(python.pid().into(), reads);
    assert_eq!(row["by"], Value::Null, "{row}");
}

#[test]
fn a_sessions_own_actors_come_first() {
    let Some(mut python) = Stranger::start("set = semset(1, 0)\nsay(set)\nsemop(set, 0, -1)")
    else {
        return;
    };
    let set = python.made("s")[0];
    why(python.pid().into(), |row| {
        row["call"] == format!("semop id:{set} -1")
    });
    let ran =
        passes("sem create lock 0\nb: sem p lock ...\nwhy\ngraph\nsem v lock\nb: ... => ok\n");
    let place = |text: &str| {
        let mut lines = ran.out.lines().filter(|line| line.starts_with('#'));
        lines.position(|line| line.contains(text))
    };
    for (ours, theirs) in [
        ("semop lock -1".to_string(), format!("semop id:{set} -1")),
        ("# sem.lock".into(), format!("# sem.id:{set}")),
    ] {
        assert!(place(&ours) < place(&theirs), "{ours}: {}", ran.out);
    }
}

#[test]
fn actors_are_named_and_idle_ones_are_no_news() {
    let ran = passes(
        "sem create lock 0\nspawn a b\nb: sem p lock ...\nwhy\nwhy b\nsem v lock\nb: ... => ok\n",
    );
    let rows: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.contains("semop lock -1"))
        .collect();
    assert_eq!(rows.len(), 2, "{}", ran.out);
    assert!(rows.iter().all(|row| row.contains(" b ")), "{}", ran.out);
    // Another session on this host may have an actor of the same name.
    let started = ran.out.lines().find(|l| l.starts_with("# started a (pid "));
    let pid = started.and_then(|l| l.split(['(', ')']).nth(1)?.strip_prefix("pid "));
    let pid = format!(" {} ", pid.unwrap());
    let row = |line: &str| line.starts_with('#') && line.contains(&pid) && line.contains("recv");
    assert!(!ran.out.lines().any(row), "{}", ran.out);
    passes(&ran.out);
}

#[test]
fn without_privilege_nothing_is_suspected_and_what_is_hidden_is_said() {
    let Some(mut python) = Stranger::start(DEADLOCK) else {
        return;
    };
    python.made("ss");
    let child = python.numbers()[0];
    let Some(ran) = as_nobody("why") else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(rows_of(&ran, "cycle").is_empty(), "{}", ran.out);
    let notes = rows_of(&ran, "note");
    assert_eq!(notes.len(), 1, "{notes:?}");
    let ran = as_nobody(&format!("why {child}")).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let row = &rows_of(&ran, "why")[0];
    assert_eq!(row["pid"], child, "{}", ran.out);
    let unknown = serde_json::json!(["call", "about", "wakes", "by", "sure"]);
    assert_eq!(row["unknown"], unknown, "{row}");
    let notes = rows_of(&ran, "note");
    assert_eq!(notes.len(), 1, "{notes:?}");
    let said = notes[0]["text"].as_str().unwrap();
    assert!(said.contains("run as its user"), "{said}");
}

#[test]
fn an_actor_with_nothing_to_do_is_idle() {
    // Once it has answered, it runs for a moment yet.
    until("idle", || {
        let ran = run(&["--json", "-c", "b: sig pending", "-c", "why b"], b"");
        columns(&rows_of(&ran, "why")[0], &["command", "call"]) == ["b", "idle"]
    });
}

#[test]
fn what_a_server_polls_is_told_object_by_object() {
    let Some(mut python) = Stranger::start(
        "import select\nt = socket.create_server(('127.0.0.1', 0))\n\
         s = socket.socket(socket.AF_UNIX); s.bind('\\0ipcsh-polled-%d' % os.getpid()); s.listen()\n\
         r, w = os.pipe()\nsay(*[os.fstat(fd).st_ino for fd in (t.fileno(), s.fileno(), r)])\n\
         p = select.epoll(); [p.register(fd, select.EPOLLIN) for fd in (t, s, r)]; p.poll()",
    ) else {
        return;
    };
    let numbers = python.numbers();
    let (tcp, socket, pipe) = (numbers[0], numbers[1], numbers[2]);
    let expected = [
        vec!["poll".to_string(), "null".into()],
        vec![format!("poll: accept socket:[{tcp}]"), "connect".into()],
        vec![format!("poll: accept socket:[{socket}]"), "connect".into()],
        vec![
            format!("poll: read pipe:[{pipe}]"),
            "write, or the last close of the other side".into(),
        ],
    ];
    until("polling", || {
        let rows = rows(&format!("why {}", python.pid()), "why");
        let found: Vec<Vec<String>> = rows
            .iter()
            .map(|r| columns(r, &["call", "wakes"]))
            .collect();
        found == expected
    });
}

#[test]
fn an_end_that_nobody_is_seen_to_have_is_not_denied() {
    let Some(mut python) = Stranger::start(
        "a, b = socket.socketpair()\n\
         r, w = os.pipe()\n\
         socket.send_fds(a, [b'x'], [w])\n\
         os.close(w)\n\
         say(os.fstat(r).st_ino)\n\
         os.read(r, 1)",
    ) else {
        return;
    };
    let ino = python.numbers()[0];
    let row = why(python.pid().into(), |row| row["by"].is_null());
    let about = format!("pipe:[{ino}] is empty; who has its write end cannot be seen");
    assert_eq!(columns(&row, &["about", "sure"]), [&about, "unseen"]);
    let listed = rows("pipe ls", "pipe");
    let pipe = listed.iter().find(|row| row["ino"] == ino).unwrap();
    assert_eq!(columns(pipe, &["readers", "writers"]), ["1", "null"]);
}

#[test]
fn who_takes_messages_and_who_has_locked_a_file_is_told() {
    let Some(mut python) = Stranger::start(
        "import fcntl, tempfile\n\
         file = tempfile.NamedTemporaryFile(); fcntl.flock(file, fcntl.LOCK_EX)\n\
         at = b'\\0ipcsh-why-%d' % os.getpid()\n\
         def child(work):\n\
         \x20   pid = os.fork()\n\
         \x20   if pid == 0:\n\
         \x20       work(); os._exit(0)\n\
         \x20   return pid\n\
         def locks():\n\
         \x20   fcntl.flock(open(file.name), fcntl.LOCK_EX)\n\
         def floods():\n\
         \x20   sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
         \x20   while True: sender.sendto(b'x', at)\n\
         def event():\n\
         \x20   os.read(os.eventfd(0), 8)\n\
         others = [child(locks), child(event)]\n\
         receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); receiver.bind(at)\n\
         say(*others, child(floods))\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let pids = python.numbers();
    let by = format!("[[{},\"python3\"]]", python.pid());
    let blocked = |pid: i64, call: &str| {
        let mut found = Vec::new();
        until("it is blocked", || {
            found = columns(&rows(&format!("why {pid}"), "why")[0], &SHOWN);
            found[0].starts_with(call)
        });
        found
    };
    let lock = blocked(pids[0], "lock /");
    assert_eq!(lock[1], "unlock, or the last close of it");
    // The children have the same open file description.
    assert!(lock[2].contains(&by[1..by.len() - 1]), "{lock:?}");
    let event = blocked(pids[1], "read anon_inode:[eventfd]");
    assert_eq!(event[1..], ["null", "null", "null"]);
    let flood = blocked(pids[2], "send socket:[");
    let at = format!(" to @ipcsh-why-{}", python.pid());
    assert!(flood[0].ends_with(&at), "{flood:?}");
    assert!(flood[2].contains(&by[1..by.len() - 1]), "{flood:?}");
}

#[test]
fn a_wait_in_another_ipc_namespace_says_so() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: a namespace is root's to make");
        return;
    }
    let Some(mut python) = Stranger::start(
        "sure(libc.unshare(0x08000000))\n\
         queue = sure(libc.msgget(0, 0o600))\n\
         say(queue)\n\
         recv(queue, 0)",
    ) else {
        return;
    };
    python.numbers();
    let pid = python.pid();
    let row = why(pid.into(), |row| row["call"] == "msgrcv id:0");
    let about = format!("another IPC namespace; see `why --ns {pid}`");
    assert_eq!(row["about"], about);
}

#[test]
fn a_lock_is_of_who_has_the_file_open_and_not_of_who_took_it_and_ended() {
    let Some(mut python) = Stranger::start(
        "import fcntl, tempfile\n\
         file, path = tempfile.mkstemp()\n\
         def child(work):\n\
         \x20   pid = os.fork()\n\
         \x20   if pid == 0:\n\
         \x20       work(); os._exit(0)\n\
         \x20   return pid\n\
         def waits():\n\
         \x20   os.close(file); fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX)\n\
         taker = child(lambda: fcntl.flock(file, fcntl.LOCK_EX))\n\
         os.waitpid(taker, 0)\n\
         say(child(waits))\n\
         sys.stdin.readline(); os.unlink(path); say(0)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let waiter = python.numbers()[0];
    let mut row = Value::Null;
    until("it waits for the lock", || {
        row = rows(&format!("why {waiter}"), "why").swap_remove(0);
        row["call"].as_str().is_some_and(|c| c.starts_with("lock "))
    });
    python.tell();
    python.numbers();
    let holder = serde_json::json!([python.pid(), "python3"]);
    assert_eq!(row["by"], serde_json::json!([holder]), "{row}");
    assert_eq!(row["sure"], "exact");
}

#[test]
fn who_copies_a_file_into_a_full_pipe_waits_for_its_readers() {
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         os.set_blocking(w, False)\n\
         try:\n\
         \x20   while True: os.write(w, b'x' * 4096)\n\
         except BlockingIOError: os.set_blocking(w, True)\n\
         pid = os.fork()\n\
         if pid == 0:\n\
         \x20   os.close(r); os.sendfile(w, os.open(sys.executable, os.O_RDONLY), 0, 4096); os._exit(0)\n\
         os.close(w); say(pid)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let writer = python.numbers()[0];
    let row = why(writer, |row| row["by"].is_array());
    let reader = serde_json::json!([python.pid(), "python3"]);
    assert_eq!(row["by"], serde_json::json!([reader]), "{row}");
    let about = row["about"].as_str().unwrap();
    assert!(
        about.contains(&format!("(pid {}) has its read end", python.pid())),
        "{row}"
    );
    assert_eq!(cycles(writer as i32), Vec::<Value>::new());
}

#[test]
fn a_path_is_as_the_one_who_connects_sees_it() {
    let Some(mut python) = Stranger::start(
        "import tempfile\n\
         here, there = tempfile.mkdtemp(), tempfile.mkdtemp()\n\
         ready, tell = os.pipe()\n\
         def child(work):\n\
         \x20   pid = os.fork()\n\
         \x20   if pid == 0:\n\
         \x20       work(); os._exit(0)\n\
         \x20   return pid\n\
         def listens(path):\n\
         \x20   listener = socket.socket(socket.AF_UNIX); listener.bind(path); listener.listen(0)\n\
         \x20   return listener\n\
         def decoy():\n\
         \x20   os.chdir(there); kept = listens('ctl.sock'); os.write(tell, b'x'); time.sleep(1000)\n\
         def connects():\n\
         \x20   os.read(ready, 1); os.chdir(here); all = []\n\
         \x20   while True: all.append(socket.socket(socket.AF_UNIX)); all[-1].connect('ctl.sock')\n\
         child(decoy); os.read(ready, 1)\n\
         client = child(connects)\n\
         listener = listens(here + '/ctl.sock'); os.write(tell, b'x')\n\
         say(client)\n\
         sys.stdin.readline()\n\
         for at in (here, there): os.unlink(at + '/ctl.sock'); os.rmdir(at)\n\
         say(0)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let client = python.numbers()[0];
    let row = why(client, |row| {
        let call = row["call"].as_str();
        call.is_some_and(|call| call.starts_with("connect "))
    });
    python.tell();
    python.numbers();
    let server = serde_json::json!([python.pid(), "python3"]);
    assert_eq!(row["by"], serde_json::json!([server]), "{row}");
}

#[test]
fn processes_that_proc_does_not_show_are_not_denied() {
    // A namespace of our own: an option of /proc is its namespace's.
    let look = |command: &str| {
        let text = format!(
            "mount -t proc -o hidepid=2 proc /proc || exit 99
             setpriv --reuid=65534 --regid=65534 --clear-groups {} -c '{command}'",
            harness::program().display()
        );
        let mut unshare = std::process::Command::new("unshare");
        unshare
            .args(["-m", "-p", "-f", "sh", "-c", &text])
            .current_dir("/");
        unshare.output().ok().map(harness::Ran::from)
    };
    let Some(ran) = look("why").filter(|ran| ran.code == Some(0)) else {
        return eprintln!("skipped: no /proc with hidepid can be mounted, or looked at as nobody");
    };
    assert!(
        ran.out.contains("/proc hides processes (hidepid)"),
        "{}",
        ran.out
    );
    let ran = look("why 1").unwrap();
    assert!(
        ran.err.contains("/proc does not show process 1"),
        "{}",
        ran.err
    );
}
