//! `rm` of what others use: a question at the prompt, and none in a script.

mod harness;
mod terminal;

use harness::run;
use ipcsh::inspect::wait::waiters;
use ipcsh::kernel::{msg, sem, shm, sysv::IPC_PRIVATE};
use terminal::*;

/// Another process that uses an object: says what it did, and goes on until its input ends.
struct Peer(std::process::Child);

impl Peer {
    fn start(code: &str) -> Peer {
        use std::io::BufRead;
        let mut child = std::process::Command::new("python3")
            .args(["-c", &format!("import ctypes, sys\nlibc = ctypes.CDLL(None)\nlibc.shmat.restype = ctypes.c_void_p\n{code}\nprint('done', flush=True)\nsys.stdin.read()")])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        std::io::BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
        Peer(child)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn rm_asks_first_where_others_use_what_this_session_did_not_create() {
    if !std::process::Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success())
    {
        eprintln!("skipped: there is no python3");
        return;
    }
    let segment = shm::get(IPC_PRIVATE, 4096, 0o600, true, true).unwrap();
    let queue = msg::get(IPC_PRIVATE, 0o600, true, true).unwrap();
    let set = sem::get(IPC_PRIVATE, 1, 0o600, true, true).unwrap();
    let waited = sem::get(IPC_PRIVATE, 1, 0o600, true, true).unwrap();
    let peer = Peer::start(&format!(
        "libc.shmat({segment}, None, 0)\n\
         libc.msgsnd({queue}, (ctypes.c_long * 2)(1, 1), 8, 0)\n\
         libc.semop({set}, (ctypes.c_short * 3)(0, 1, 0), 1)\n\
         import threading\n\
         wait = lambda: libc.semop({waited}, (ctypes.c_short * 3)(0, -1, 0), 1)\n\
         threading.Thread(target=wait, daemon=True).start()"
    ));
    let pid = peer.0.id().cast_signed();
    let mut t = Terminal::start(&[]);
    for (family, id, how) in [
        ("shm", segment, "has it attached"),
        ("msgq", queue, "operated on it last"),
        ("sem", set, "operated on it last"),
        ("sem", waited, "waits on it"),
    ] {
        // It has to be there before it is seen.
        t.until("the waiter", |_| {
            id != waited || !waiters([pid]).found.is_empty()
        });
        let exists = || match family {
            "shm" => shm::stat_any_id(id).is_ok(),
            "msgq" => msg::stat_any_id(id).is_ok(),
            _ => sem::stat_any_id(id).is_ok(),
        };
        for no in ["\r", "n", CTRL_C] {
            t.line(&format!("{family} rm id:{id}"));
            t.until("the question", |t| {
                t.last() == "remove it all the same? [y/N]"
            });
            let who = format!("python3 (pid {pid}) {how}");
            let text = t.screen().contents();
            assert!(text.contains(&who), "{text}");
            t.type_(no);
            t.until_text("not removed");
            t.until_prompt();
            assert!(exists());
            t.type_("\x0c");
            t.until("a clear screen", |t| t.lines().len() == 1);
        }
        // A script is not asked, and this one cannot read an answer.
        if family == "shm" {
            t.run(&format!("{family} use id:{id} theirs"), "ok");
            t.line(&format!("{family} rm theirs"));
        } else {
            t.line(&format!("{family} rm id:{id}"));
        }
        t.until("the question", |t| {
            t.last() == "remove it all the same? [y/N]"
        });
        t.type_("y");
        t.until_prompt();
        t.until("gone", |_| !exists() || family == "shm");
        t.type_("\x0c");
        t.until("a clear screen", |t| t.lines().len() == 1);
    }
    // Ours are removed without a question, and so is what nobody uses.
    t.run("msgq create mine; msgq send 1 \"x\"; msgq rm mine", "ok");
    let other = msg::get(IPC_PRIVATE, 0o600, true, true).unwrap();
    t.run(&format!("msgq rm id:{other}"), "ok");
    assert!(msg::stat_any_id(other).is_err());
    drop(peer);
    assert!(
        shm::stat_any_id(segment).is_err(),
        "marked, and gone with its last user"
    );
}

#[test]
fn rm_asks_before_a_servers_socket_file_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let at = path.display();
    let server = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut t = Terminal::start(&[]);
    t.line(&format!("sock rm {at}"));
    t.until("the question", |t| {
        t.last() == "remove it all the same? [y/N]"
    });
    let who = format!("(pid {}) has it open", std::process::id());
    let text = t.screen().contents().replace('\n', " ");
    assert!(text.contains(&who), "{text}");
    t.type_("n");
    t.until_text("not removed");
    t.until_prompt();
    assert!(path.exists());
    // Nobody is behind it any more.
    drop(server);
    t.run(&format!("sock rm {at}"), "ok");
    assert!(!path.exists());
    // Ours is removed without a question.
    t.run(&format!("sock listen {at}; sock rm {at}"), "ok");
    assert!(!path.exists());
}

#[test]
fn a_script_removes_without_a_question() {
    let queue = msg::get(IPC_PRIVATE, 0o600, true, true).unwrap();
    // This process sent to it, and is alive.
    msg::Mailbox::new(8).send(queue, 1, b"x", true).unwrap();
    let ran = run(&["-c", &format!("msgq rm id:{queue}")], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(msg::stat_any_id(queue).is_err());
}
