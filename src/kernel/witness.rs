//! Witnesses for the tests, other than the wrappers under test: `/proc`, the C library, and a second
//! process, which is this test program started again to play a role.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::process::{Child, SpawnSpec, Stream, set_name, spawn};
use super::sem::{self, SemOp};
use super::signal;
use super::signal::info::sigval;
use super::{Errno, Result, poll, terminal};

/// How long a test waits for what must happen before it fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The C library's ftok(3).
pub fn libc_ftok(path: &CStr, proj: u8) -> i32 {
    // SAFETY: reads a C string.
    unsafe { libc::ftok(path.as_ptr(), proj.into()) }
}

/// raise(3): a signal to this thread.
pub fn raise(signo: i32) {
    // SAFETY: takes an integer.
    assert_eq!(unsafe { libc::raise(signo) }, 0);
}

/// Removes a System V object when the test ends, however it ends.
pub struct Guard {
    pub id: i32,
    remove: fn(i32) -> Result<()>,
}

impl Guard {
    pub fn new(id: Result<i32>, remove: fn(i32) -> Result<()>) -> Guard {
        Guard {
            id: id.unwrap(),
            remove,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The test may have removed it.
        let _ = (self.remove)(self.id);
    }
}

/// A row of `/proc/sysvipc/KIND`, by its column names.
pub fn proc_row(kind: &str, id: i32) -> Option<HashMap<String, i64>> {
    let rows = proc_rows(kind);
    rows.into_iter().find(|row| row["id"] == i64::from(id))
}

/// All rows of `/proc/sysvipc/KIND`; `msqid`, `shmid` and `semid` are called `id`.
pub fn proc_rows(kind: &str) -> Vec<HashMap<String, i64>> {
    let text = std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap();
    let mut lines = text.lines();
    let rename = |name: &str| match name {
        "msqid" | "shmid" | "semid" => "id".to_owned(),
        other => other.to_owned(),
    };
    let names: Vec<String> = lines
        .next()
        .unwrap()
        .split_whitespace()
        .map(rename)
        .collect();
    lines
        .map(|line| {
            let cells = names.iter().cloned().zip(line.split_whitespace());
            cells
                .map(|(name, cell)| {
                    let radix = if name == "perms" { 8 } else { 10 };
                    let value = i64::from_str_radix(cell, radix).unwrap();
                    (name, value)
                })
                .collect()
        })
        .collect()
}

/// The numbers in a file of `/proc/sys/kernel`.
pub fn sysctl(name: &str) -> Vec<u64> {
    let text = std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap();
    text.split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect()
}

/// Waits until something holds; panics when it does not within [`DEADLINE`].
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until a thread of a process is blocked in the system call of this number, and gives its id.
pub fn until_in_call(pid: i32, number: i64) -> i32 {
    let mut blocked = None;
    until("blocked in the call", || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        let mut tids = tasks.map(|task| task.file_name().to_string_lossy().parse().unwrap());
        blocked = tids.find(|tid: &i32| {
            let path = format!("/proc/{pid}/task/{tid}/syscall");
            let call = std::fs::read_to_string(path).unwrap_or_default();
            call.split(' ')
                .next()
                .is_some_and(|n| n.parse() == Ok(number))
        });
        blocked.is_some()
    });
    blocked.unwrap()
}

/// A pipe, its reading end first; close-on-exec.
pub fn pipe() -> (OwnedFd, OwnedFd) {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap()
}

/// A second process, killed and reaped when the test ends.
pub struct Second {
    pub child: Child,
    pub output: BufReader<File>,
}

impl Second {
    /// Starts a program with its output in a pipe.
    pub fn start(spec: SpawnSpec) -> Second {
        let (read, write) = pipe();
        // Borrows for as short as the pipe lives.
        let mut spec: SpawnSpec<'_> = spec;
        spec.stdout = Stream::Fd(write.as_fd());
        let child = spawn(&spec).unwrap();
        Second {
            child,
            output: BufReader::new(read.into()),
        }
    }

    /// Starts this test program in a role (see [`play`]).
    pub fn role(words: &[&str]) -> Second {
        Second::start(role_spec(words))
    }

    /// All it writes until it ends.
    pub fn all(mut self) -> String {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.child.kill(libc::SIGKILL);
        let _ = self.child.wait();
    }
}

/// A shell command, run by [`Second::start`].
pub fn sh(script: &str) -> SpawnSpec<'static> {
    SpawnSpec {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        ..SpawnSpec::default()
    }
}

/// Python, running a script that says what begins with `:`; `None`, and it is told, where there is none.
pub fn python(script: &str) -> Option<Second> {
    if std::process::Command::new("python3")
        .arg("-V")
        .output()
        .is_err()
    {
        eprintln!("skipped: no python3");
        return None;
    }
    Some(Second::start(SpawnSpec {
        program: "python3".into(),
        args: vec!["-c".into(), script.into()],
        ..SpawnSpec::default()
    }))
}

const ROLE: &str = "IPCSH_KERNEL_TEST_ROLE";

/// This test program in a role.
pub fn role_spec(words: &[&str]) -> SpawnSpec<'static> {
    let args = [
        "--exact",
        "kernel::witness::second_process",
        "--ignored",
        "--quiet",
        "--nocapture",
    ];
    let mut args: Vec<OsString> = args.map(OsString::from).into();
    args.push("--test-threads=1".into());
    SpawnSpec {
        program: "/proc/self/exe".into(),
        args,
        env: vec![(ROLE.into(), words.join(" ").into())],
        ..SpawnSpec::default()
    }
}

#[test]
#[ignore = "it is the second process of other tests"]
fn second_process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let words: Vec<&str> = role.split(' ').collect();
    play(&words);
    std::process::exit(0);
}

/// Past the test harness's capture and its first lines.
pub fn say(text: std::fmt::Arguments) {
    let mut out = std::io::stdout();
    writeln!(out, "\n:{text}").unwrap();
    out.flush().unwrap();
}

impl Second {
    /// What it says next.
    pub fn said(&mut self) -> String {
        loop {
            if self.output.buffer().is_empty() {
                let mut fds = [poll::PollFd::new(
                    self.output.get_ref().as_fd(),
                    poll::PollFlags::POLLIN,
                )];
                assert_eq!(
                    poll::poll(&mut fds, Some(DEADLINE)),
                    Ok(1),
                    "it says nothing"
                );
            }
            let mut line = String::new();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "it ended and said nothing"
            );
            if let Some(said) = line.strip_prefix(':') {
                return said.trim_end().to_owned();
            }
        }
    }
}

pub fn number(word: &str) -> i32 {
    word.parse().unwrap()
}

/// The parts that a second process can play.
fn play(words: &[&str]) {
    match *words {
        // Takes 1 from semaphore 0 of a set, or waits.
        ["sem", id, op, undo] => {
            let op = SemOp {
                num: 0,
                op: op.parse().unwrap(),
                nowait: false,
                undo: undo == "undo",
            };
            let result = sem::operate(number(id), &[op.into()], None);
            say(format_args!("{result:?}"));
        }
        ["cancel", id] => {
            signal::install_cancel_handler(signal::CANCEL_SIGNAL).unwrap();
            say(format_args!("{}", signal::cancelled()));
            let op = SemOp {
                op: -1,
                ..SemOp::default()
            };
            assert_eq!(
                sem::operate(number(id), &[op.into()], None),
                Err(Errno::EINTR)
            );
            say(format_args!("{}", signal::cancelled()));
            signal::clear_cancelled();
            assert!(!signal::cancelled());
        }
        ["raise", signo] => {
            signal::block(&[number(signo)]).unwrap();
            signal::ignore(number(signo)).unwrap();
            signal::raise_default(number(signo)).unwrap();
        }
        // Starts a program tied to its own life.
        ["parent"] => {
            let spec = SpawnSpec {
                death_signal: Some(libc::SIGKILL),
                ..sh("exec sleep 1000")
            };
            let child = spawn(&spec).unwrap();
            say(format_args!("{}", child.pid()));
            child.wait().unwrap();
        }
        // Passes descriptors where std's own pipe would like to be.
        ["cannot-start"] => {
            let (read, _write) = super::pipe::create().unwrap();
            let spec = SpawnSpec {
                program: "/nonexistent".into(),
                inherit: (3..40).map(|target| (read.as_fd(), target)).collect(),
                ..SpawnSpec::default()
            };
            say(format_args!("{:?}", spawn(&spec).map(drop)));
        }
        ["name", name] => {
            set_name(name).unwrap();
            say(format_args!(
                "{}",
                std::fs::read_to_string("/proc/thread-self/comm").unwrap()
            ));
        }
        ["keys"] => {
            assert!(terminal::is_terminal(&std::io::stdin()));
            let raw = terminal::RawInput::new(false).unwrap();
            assert_eq!(raw.read_byte(Some(Duration::ZERO)), Ok(None));
            say(format_args!("raw"));
            let byte = raw.read_byte(Some(DEADLINE));
            drop(raw);
            say(format_args!("{byte:?}"));
            // Ends when the test has looked at the terminal.
            let _ = std::io::stdin().read(&mut [0]);
        }
        // Sends to nobody, with SIGPIPE as it is by default.
        ["epipe"] => {
            signal::default(libc::SIGPIPE).unwrap();
            let (a, b) = super::socket::pair().unwrap();
            drop(b);
            let sent = super::socket::send(&a, b"x", &super::socket::Send::default());
            say(format_args!("{sent:?}"));
        }
        ref other => assert!(signal::roles::play(other), "no role {other:?}"),
    }
}

extern "C" fn nothing(_: std::ffi::c_int) {}

/// Interrupts the system call that a thread of this process is in: a signal whose handler does nothing
/// and which restarts nothing.
pub fn interrupt_thread(tid: i32) {
    let handler = nothing as extern "C" fn(std::ffi::c_int);
    // SAFETY: all zeroes is a `struct sigaction`; the handler does nothing, so it is safe at any time.
    // tgkill takes integers.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        libc::sigaction(libc::SIGWINCH, &action, std::ptr::null_mut());
        libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGWINCH);
    }
}

/// The number of this thread.
pub fn thread_id() -> i32 {
    // SAFETY: takes nothing and gives an integer.
    unsafe { libc::gettid() }
}

/// unshare(2): this thread gets an IPC namespace of its own. `EPERM` for an ordinary user.
pub fn own_ipc_namespace() -> super::Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWIPC)
}

/// unshare(2): what this thread undoes (`SEM_UNDO`) is undone at its own end, as if it were a process.
pub fn own_undo_list() -> super::Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_SYSVSEM)
}

/// The real user of this process.
pub fn getuid() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// Whether a process exists and has not ended; one that ended and is not yet reaped is not alive.
pub fn is_alive(pid: i32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = state
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// `flags:` of `/proc/self/fdinfo`.
pub fn fdinfo_flags(fd: &impl AsRawFd) -> i32 {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("flags:"));
    i32::from_str_radix(line.unwrap().trim(), 8).unwrap()
}

/// tgkill(2): signals one thread of a process.
pub fn tgkill(pid: i32, tid: i32, signo: i32) -> Result<()> {
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, signo) }).map(drop)
}

/// sigqueue(3): signals a process and sends an integer along.
pub fn sigqueue(pid: i32, signo: i32, value: i32) -> Result<()> {
    // SAFETY: takes integers, and a pointer that is only handed on.
    Errno::result(unsafe { libc::sigqueue(pid, signo, sigval(value)) }).map(drop)
}
