//! Programs of others: Python processes that hold and wait, looked at from outside.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use ipcsh::kernel::{msg, sem, shm};

use crate::harness::{Ran, program, run};

/// What every program begins with: the calls of System V by ctypes, which stand in every C library.
const PRELUDE: &str = r#"
import ctypes, os, select, socket, sys, time, signal, mmap
libc = ctypes.CDLL(None, use_errno=True)
class Buf(ctypes.Structure):
    _fields_ = [("num", ctypes.c_ushort), ("op", ctypes.c_short), ("flg", ctypes.c_short)]
def semop(id, num, op, flg=0):
    return libc.semop(id, ctypes.byref(Buf(num, op, flg)), 1)
def semset(nsems, *values):
    id = libc.semget(0, nsems, 0o1600)
    for num, value in enumerate(values):
        libc.semctl(id, num, 16, value)
    return id
def send(id, type, data):
    return libc.msgsnd(id, ctypes.c_long(type).value.to_bytes(8, sys.byteorder) + data, len(data), 0)
def recv(id, type):
    return libc.msgrcv(id, ctypes.create_string_buffer(8 + 100), 100, ctypes.c_long(type), 0)
def say(*words):
    print(*words, flush=True)
def sure(status):
    if status < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    return status
UNDO = 0x1000
libc.shmat.restype = ctypes.c_void_p
"#;

/// A Python process with its children; all are killed when it is dropped, and its objects removed.
pub struct Stranger {
    child: Child,
    lines: BufReader<ChildStdout>,
    objects: Vec<(char, i32)>,
}

impl Stranger {
    /// Starts a program; `None` where there is no Python, which is said.
    pub fn start(program: &str) -> Option<Stranger> {
        use std::os::unix::process::CommandExt;
        let child = Command::new("python3")
            .arg("-c")
            .arg(format!("{PRELUDE}{program}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no python3");
            return None;
        };
        let lines = BufReader::new(child.stdout.take().unwrap());
        Some(Stranger {
            child,
            lines,
            objects: Vec::new(),
        })
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The numbers of the next line that it writes.
    #[track_caller]
    pub fn numbers(&mut self) -> Vec<i64> {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let words = line.split_whitespace();
        words
            .map(|n| n.parse().unwrap_or_else(|_| panic!("{line:?}")))
            .collect()
    }

    /// The ids of the objects that it made, which are removed with it: `q`, `m` or `s` as for ipcrm.
    #[track_caller]
    pub fn made(&mut self, kinds: &str) -> Vec<i32> {
        let ids: Vec<i32> = self.numbers().iter().map(|n| *n as i32).collect();
        assert_eq!(ids.len(), kinds.len());
        self.objects.extend(kinds.chars().zip(ids.iter().copied()));
        ids
    }

    /// Writes a line to its standard input.
    pub fn tell(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    /// Waits for its end.
    pub fn end(&mut self) {
        self.child.wait().unwrap();
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let group = nix::unistd::Pid::from_raw(-self.pid());
        let _ = nix::sys::signal::kill(group, nix::sys::signal::SIGKILL);
        let _ = self.child.wait();
        for (kind, id) in self.objects.drain(..) {
            let _ = match kind {
                'q' => msg::remove(id),
                'm' => shm::remove(id),
                _ => sem::remove(id),
            };
        }
    }
}

/// The rows of a kind that a command shows in JSON.
#[track_caller]
pub fn rows(command: &str, kind: &str) -> Vec<serde_json::Value> {
    let ran = run(&["--json", "-c", command], b"");
    assert_eq!(ran.code, Some(0), "{command}\n{}\n{}", ran.out, ran.err);
    rows_of(&ran, kind)
}

pub fn rows_of(ran: &Ran, kind: &str) -> Vec<serde_json::Value> {
    let lines = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|row: &serde_json::Value| row["kind"] == kind)
        .collect()
}

/// Some columns of a row, as text.
pub fn columns(row: &serde_json::Value, names: &[&str]) -> Vec<String> {
    let text = |name: &&str| match &row[name] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    names.iter().map(text).collect()
}

/// Runs a command as nobody, where root runs the tests; `None` where that cannot be, which is said.
pub fn as_nobody(command: &str) -> Option<Ran> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can have objects that others may not look into");
        return None;
    }
    let nobody = |arguments: &[&str]| -> Option<Ran> {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let output = setpriv
            .arg(program())
            .args(arguments)
            .current_dir("/")
            .output();
        Some(output.ok()?.into())
    };
    match nobody(&["--version"]) {
        Some(ran) if ran.code == Some(0) => nobody(&["--json", "-c", command]),
        _ => {
            eprintln!("skipped: the program cannot be run as nobody with setpriv");
            None
        }
    }
}
