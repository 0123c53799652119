//! The witnesses: Python's socket module in a second process, and /proc/net/unix.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::socket::{getsockopt, setsockopt, sockopt};

use super::*;
use crate::kernel::process::SpawnSpec;
use crate::kernel::witness::{
    Second, fdinfo_flags, interrupt_thread, thread_id, until, until_in_call,
};

mod calls;
mod messages;
mod peeking;
mod removal;

const KINDS: [Kind; 3] = [Kind::Stream, Kind::Dgram, Kind::Seqpacket];

/// Whether execve(2) closes it, as `/proc` says.
fn is_cloexec(fd: &OwnedFd) -> bool {
    fdinfo_flags(fd) & libc::O_CLOEXEC != 0
}

/// Python's name for a kind.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Stream => "SOCK_STREAM",
        Kind::Dgram => "SOCK_DGRAM",
        Kind::Seqpacket => "SOCK_SEQPACKET",
    }
}

const PRELUDE: &str = "
import array, errno, fcntl, os, socket, struct, sys, termios
from socket import *
def say(*words): print(':' + ' '.join(str(w) for w in words), flush=True)
def wait(): os.read(4, 1)
def fails(call, *args):
    try: call(*args)
    except OSError as e: return errno.errorcode[e.errno]
    return 'ok'
";

/// Python with a script, descriptor 3 if there is one, and a pipe at 4 to be told to go on.
struct Python {
    second: Second,
    go: File,
}

impl Python {
    /// `None`, with the reason told, where there is no Python.
    fn start(script: &str, args: &[&str], fd: Option<BorrowedFd>) -> Option<Python> {
        let there = std::process::Command::new("python3").arg("-V").output();
        if !there.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no python3");
            return None;
        }
        let (read, write) = crate::kernel::witness::pipe();
        let mut words = vec!["-c".into(), format!("{PRELUDE}{script}").into()];
        words.extend(args.iter().map(Into::into));
        let mut inherit: Vec<(BorrowedFd, RawFd)> = vec![(read.as_fd(), 4)];
        inherit.extend(fd.map(|fd| (fd, 3)));
        let second = Second::start(SpawnSpec {
            program: "python3".into(),
            args: words,
            inherit,
            ..SpawnSpec::default()
        });
        Some(Python {
            second,
            go: write.into(),
        })
    }

    fn said(&mut self) -> String {
        self.second.said()
    }

    /// Ends its `wait()`.
    fn go(&mut self) {
        self.go.write_all(b"g").unwrap();
    }

    fn pid(&self) -> i32 {
        self.second.child.pid()
    }
}

/// A place for socket files, removed with the test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn address(&self, name: &str) -> Address {
        Address::Path(self.path(name))
    }
}

/// An abstract name that no other test has.
fn abstract_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("ipcsh-test-{}-{count}", std::process::id())
}

fn abstract_address(name: &str) -> Address {
    Address::Abstract(name.as_bytes().to_vec())
}

fn unix(kind: Kind) -> OwnedFd {
    socket(Domain::Unix, kind).unwrap()
}

fn listener(kind: Kind, address: &Address, backlog: i32) -> OwnedFd {
    let socket = unix(kind);
    bind(&socket, address).unwrap();
    listen(&socket, backlog).unwrap();
    socket
}

/// The inode of a socket of this process.
fn ino(socket: &OwnedFd) -> u64 {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
    let link = link.to_string_lossy().into_owned();
    let digits = link.strip_prefix("socket:[").unwrap();
    digits.strip_suffix(']').unwrap().parse().unwrap()
}

/// Flags, type, state and path in /proc/net/unix.
fn proc_row(socket: &OwnedFd) -> [String; 4] {
    let table = std::fs::read("/proc/net/unix").unwrap();
    let table = String::from_utf8_lossy(&table).into_owned();
    let wanted = ino(socket).to_string();
    let mut rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.get(6) == Some(&&*wanted)).unwrap();
    let path = row.get(7).copied().unwrap_or_default();
    [row[3], row[4], row[5], path].map(str::to_owned)
}

fn sends<'a>(descriptors: &'a [BorrowedFd<'a>]) -> Send<'a> {
    Send {
        descriptors,
        ..Send::default()
    }
}

fn nowait() -> Send<'static> {
    Send {
        nowait: true,
        ..Send::default()
    }
}

/// A file with a text, and no name.
fn file(text: &str) -> OwnedFd {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.into()
}
