//! What a process has that may not be looked into: never denied, and what there is to be known is.

mod harness;
mod stranger;

use serde_json::Value;
use stranger::{Stranger, as_nobody, rows, rows_of};

/// The value of a field in the rows of an `info`, and whether it is told to be unknown.
#[track_caller]
fn field(rows: &[Value], name: &str) -> (Value, bool) {
    let row = rows.iter().find(|row| row["field"] == name);
    let row = row.unwrap_or_else(|| panic!("{name}: {rows:?}"));
    (row["value"].clone(), row["unknown"].is_array())
}

#[test]
fn a_fifo_that_only_others_have_open_is_not_said_to_be_nobodys() {
    let Some(mut python) = Stranger::start(
        "import tempfile, stat\n\
         at = tempfile.mkdtemp(); os.chmod(at, 0o755); path = at + '/f'; os.mkfifo(path)\n\
         os.chmod(path, 0o666); end = os.open(path, os.O_RDWR)\n\
         say(os.stat(path).st_ino)\n\
         sys.stdin.readline(); os.unlink(path); os.rmdir(at); say(0)",
    ) else {
        return;
    };
    let ino = python.numbers()[0];
    let listed = rows("fifo ls -o path,ino", "fifo");
    let path = listed.iter().find(|row| row["ino"] == ino).unwrap()["path"].clone();
    let path = path.as_str().unwrap();
    if let Some(ran) = as_nobody(&format!("fifo info {path}")) {
        let rows = rows_of(&ran, "fifo.info");
        for name in ["bytes", "capacity", "readers", "writers", "waits", "ends"] {
            assert_eq!(field(&rows, name), (Value::Null, true), "{name}");
        }
        let notes = rows_of(&ran, "note");
        let said = |text: &str| {
            notes
                .iter()
                .any(|n| n["text"].as_str().unwrap().contains(text))
        };
        assert!(said("may not be looked into"), "{notes:?}");
        for claim in ["readers == 0", "writers == 0", "readers != 1"] {
            let ran = as_nobody(&format!("expect fifo.\"{path}\".{claim}")).unwrap();
            assert_eq!(ran.code, Some(3), "{claim}: {}{}", ran.out, ran.err);
        }
    }
    python.tell();
    python.numbers();
}

/// Who has an end of its own asks the kernel by it.
#[test]
fn that_nobody_has_the_other_side_is_proven_where_it_can_be() {
    let script = "mkfifo $WORK/f; fifo open $WORK/f rw; b: fifo open $WORK/f w; fifo close; \
                  expect fifo.readers == 0; expect fifo.writers == 1; \
                  fifo open $WORK/f r; expect fifo.readers == 1; b: fifo close; \
                  expect fifo.writers == 0; \
                  pipe create p; pipe close p r; expect pipe.p.readers == 0";
    harness::passes(script);
    if let Some(ran) = as_nobody(script) {
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn an_end_on_its_way_through_a_socket_is_not_denied_though_nobody_waits() {
    let Some(mut python) = Stranger::start(
        "a, b = socket.socketpair()\n\
         r, w = os.pipe()\n\
         r2, w2 = os.pipe()\n\
         os.write(w, b'x'); os.write(w2, b'x')\n\
         socket.send_fds(a, [b'x'], [r, w2]); os.close(r); os.close(w2)\n\
         say(os.fstat(w).st_ino, os.fstat(r2).st_ino)\n\
         sys.stdin.readline(); b.close(); say(0); time.sleep(1000)",
    ) else {
        return;
    };
    let inodes = python.numbers();
    let sides = || {
        let listed = rows("pipe ls", "pipe");
        let ends = |ino: &i64| {
            let row = listed.iter().find(|row| row["ino"] == *ino).unwrap();
            [row["readers"].clone(), row["writers"].clone()]
        };
        [ends(&inodes[0]), ends(&inodes[1])]
    };
    let (none, one) = (Value::Null, Value::from(1));
    assert_eq!(sides(), [[none.clone(), one.clone()], [one.clone(), none]]);
    python.tell();
    python.numbers();
    if !nix::unistd::geteuid().is_root() {
        return eprintln!("skipped: only root is sure to be given a copy of another's end");
    }
    let none = Value::from(0);
    // The kernel closes what nobody can receive any more in its own time.
    harness::until("nobody has it", || {
        sides() == [[none.clone(), one.clone()], [one.clone(), none.clone()]]
    });
}

#[test]
fn what_the_kernel_keeps_from_its_own_user_is_said_to_be_so() {
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n\
         say(r)\n\
         os.read(r, 1)",
    ) else {
        return;
    };
    let (pid, fd) = (python.pid(), python.numbers()[0]);
    let Some(ran) = as_nobody(&format!("why {pid}")) else {
        return;
    };
    let notes = rows_of(&ran, "note");
    for said in [
        notes[0]["text"].as_str().unwrap(),
        &as_nobody(&format!("who pid:{pid}/fd:{fd}")).unwrap().out,
        &as_nobody(&format!("ipcs --ns {pid}")).unwrap().out,
    ] {
        assert!(said.contains("changed its user"), "{said}");
        assert!(!said.contains("another user"), "{said}");
        assert!(!said.contains("its user, as root"), "{said}");
    }
}

#[test]
fn an_end_that_another_users_process_has_is_not_denied() {
    let Some(mut python) = Stranger::start(
        "r, w = os.pipe()\n\
         os.set_inheritable(w, True)\n\
         a, b = socket.socketpair()\n\
         if os.getuid() == 0 and os.fork() == 0:\n\
         \x20   os.close(r); os.setgid(65534); os.setuid(65534); os.execvp('sleep', ['sleep', '1000'])\n\
         os.close(w); say(os.fstat(r).st_ino, os.fstat(a.fileno()).st_ino)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let inodes = python.numbers();
    if as_nobody("pipe ls").is_none() {
        return;
    }
    let mut row = Value::Null;
    harness::until("the child is nobody's", || {
        let ran = as_nobody("pipe ls").unwrap();
        let found = rows_of(&ran, "pipe").into_iter();
        row = found.filter(|row| row["ino"] == inodes[0]).collect();
        row != Value::Array(Vec::new())
    });
    let row = &row[0];
    assert_eq!(
        [&row["readers"], &row["writers"]],
        [&Value::Null, &1.into()]
    );
    let unknown = row["unknown"].as_array().unwrap();
    for name in ["readers", "waits"] {
        assert!(unknown.contains(&name.into()), "{row}");
    }
    let claim = format!("expect pipe.\"pipe:[{}]\".readers == 0", inodes[0]);
    assert_eq!(as_nobody(&claim).unwrap().code, Some(3));
    let seen = format!("expect pipe.\"pipe:[{}]\".writers == 1", inodes[0]);
    assert_eq!(as_nobody(&seen).unwrap().code, Some(0));
    let ran = as_nobody(&format!("sock info socket:[{}]", inodes[1])).unwrap();
    let rows = rows_of(&ran, "sock.info");
    for name in ["waits", "ends"] {
        assert_eq!(field(&rows, name), (Value::Null, true), "{}", ran.out);
    }
}
