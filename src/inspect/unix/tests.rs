//! The witnesses: Python, /proc/net/unix and `ss -x`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::inspect::witness::{Witness, run, skip};

const PRELUDE: &str = "
import os, sys
from socket import *
def ino(s): return os.fstat(s.fileno()).st_ino
def say(*words): print(*words, flush=True)
def wait(): sys.stdin.readline()
";

/// Python with a script, in a fresh directory, and the inodes in the first line that it says.
fn python(script: &str) -> Option<(Witness, tempfile::TempDir, Vec<u64>)> {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("{PRELUDE}{script}");
    let started = Witness::start_in(dir.path(), "python3", &["-c", &script]);
    let Some(mut python) = started else {
        skip("there is no python3");
        return None;
    };
    let Some(line) = python.line() else {
        skip("python3 does not start");
        return None;
    };
    let inodes = line.split(' ').map(|ino| ino.parse().unwrap()).collect();
    Some((python, dir, inodes))
}

/// The socket of an inode: told alone as it is told among all.
#[track_caller]
fn of(ino: u64) -> UnixSocket {
    let alone = one(ino).unwrap().unwrap();
    let all = all().unwrap();
    assert_eq!(Some(&alone), all.iter().find(|s| s.ino == ino));
    alone
}

#[test]
fn a_listener_shows_who_waits_for_it() {
    let script = "
l = socket(AF_UNIX, SOCK_STREAM); l.bind('s'); l.listen(7)
cs = [socket(AF_UNIX, SOCK_STREAM) for _ in range(4)]
for c in cs: c.connect('s')
a, _ = l.accept()
cs[2].close()
say(ino(l), ino(a), ino(cs[0]), ino(cs[1]), ino(cs[3]))
wait()
";
    let Some((_python, dir, inodes)) = python(script) else {
        return;
    };
    let listens = of(inodes[0]);
    assert_eq!((listens.kind, listens.state), (Kind::Stream, State::Listen));
    assert_eq!(
        listens.address,
        Address::Path("s".into()),
        "as it was given"
    );
    let pending = [inodes[3], 0, inodes[4]];
    assert_eq!((&*listens.pending, listens.rqueue), (&pending[..], 3));
    assert_eq!((listens.wqueue, listens.peer), (7, None));
    assert_eq!(listens.uid, Some(nix::unistd::geteuid().as_raw()));
    let file = std::fs::metadata(dir.path().join("s")).unwrap();
    let file = SocketFile {
        dev: file.dev(),
        ino: file.ino() as u32,
    };
    assert_eq!(listens.file, Some(file));
    let (served, client) = (of(inodes[1]), of(inodes[2]));
    assert_eq!(
        (served.peer, client.peer),
        (Some(inodes[2]), Some(inodes[1]))
    );
    assert_eq!(
        (served.state, client.state),
        (State::Established, State::Established)
    );
    assert_eq!(
        (&served.address, served.file),
        (&listens.address, Some(file))
    );
    assert_eq!((&client.address, client.file), (&Address::Unnamed, None));
    assert_eq!(of(inodes[3]).peer, None, "not accepted yet");
}

#[test]
fn queues_and_ends_are_told() {
    let script = "
def three(kind):
    a, b = socketpair(AF_UNIX, kind)
    a.send(b'12345'); a.send(b'678'); a.shutdown(SHUT_WR)
    return a, b
keep = [s for kind in (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET) for s in three(kind)]
say(*map(ino, keep))
wait()
";
    let Some((_python, _dir, inodes)) = python(script) else {
        return;
    };
    let kinds = [Kind::Stream, Kind::Dgram, Kind::Seqpacket];
    for (kind, pair) in kinds.iter().zip(inodes.chunks(2)) {
        let (a, b) = (of(pair[0]), of(pair[1]));
        assert_eq!((a.kind, b.kind), (*kind, *kind));
        assert_eq!((a.peer, b.peer), (Some(b.ino), Some(a.ino)));
        assert_eq!(
            (a.rqueue, b.rqueue),
            (0, if *kind == Kind::Dgram { 5 } else { 8 })
        );
        assert!(a.wqueue >= 8, "with the kernel's own: {}", a.wqueue);
        assert!(!a.shutdown_read && a.shutdown_write);
        // The other side's end comes along but for datagram sockets.
        assert_eq!(b.shutdown_read, *kind != Kind::Dgram);
        assert!(!b.shutdown_write);
    }
}

#[test]
fn abstract_names_and_unbound_sockets_are_told() {
    let script = "
a = socket(AF_UNIX, SOCK_DGRAM); a.bind('\\0ipcsh \\n' + str(os.getpid()))
b = socket(AF_UNIX, SOCK_SEQPACKET)
say(ino(a), ino(b))
wait()
";
    let Some((python, _dir, inodes)) = python(script) else {
        return;
    };
    let (a, b) = (of(inodes[0]), of(inodes[1]));
    let name = format!("ipcsh \n{}", python.pid());
    assert_eq!(a.address, Address::Abstract(name.into_bytes()));
    assert_eq!(
        (a.file, a.state, a.pending),
        (None, State::Unconnected, vec![])
    );
    assert_eq!((b.kind, b.address), (Kind::Seqpacket, Address::Unnamed));
    assert_eq!(one(0), Ok(None));
    assert_eq!(one(u64::MAX), Ok(None));
    drop(python);
    assert_eq!(one(inodes[0]), Ok(None), "gone");
}

/// Those that are there before and after, since others come and go.
fn steady<K: Ord, V: PartialEq>(ask: impl Fn() -> BTreeMap<K, V>) -> BTreeMap<K, V> {
    let before = ask();
    let mut after = ask();
    after.retain(|key, value| before.get(key) == Some(value));
    after
}

#[test]
fn all_sockets_are_those_of_proc() {
    let _keep = std::os::unix::net::UnixStream::pair().unwrap();
    let known = steady(|| {
        let table = std::fs::read("/proc/net/unix").unwrap();
        let table = String::from_utf8_lossy(&table).into_owned();
        let rows = table.lines().skip(1);
        rows.filter_map(|row| {
            let mut cells = row.split_whitespace().skip(3);
            let flags = cells.next()?.to_owned();
            let kind = u16::from_str_radix(cells.next()?, 16).ok()?;
            let ino: u64 = cells.nth(1)?.parse().ok()?;
            let path = cells.collect::<Vec<_>>().join(" ");
            // Those without an inode are not accepted yet; newlines in names break rows.
            (ino != 0).then_some((ino, (flags, kind, path)))
        })
        .collect()
    });
    let found: BTreeMap<u64, UnixSocket> = all().unwrap().into_iter().map(|s| (s.ino, s)).collect();
    let mut checked = 0;
    for (ino, (flags, kind, path)) in known {
        // It may have gone since.
        let Some(socket) = found.get(&ino) else {
            continue;
        };
        assert_eq!(Kind::from_raw(kind.into()), Some(socket.kind));
        assert_eq!(flags == "00010000", socket.state == State::Listen, "{ino}");
        if let Address::Path(at) = &socket.address {
            assert_eq!(at.to_string_lossy(), path);
        }
        checked += 1;
    }
    assert!(checked >= 2, "{checked}");
}

#[test]
fn all_sockets_are_those_of_ss() {
    let script = "
l = socket(AF_UNIX, SOCK_STREAM); l.bind('s'); l.listen(7)
c = socket(AF_UNIX, SOCK_STREAM); c.connect('s')
a, b = socketpair(); a.send(b'123')
say(ino(l), ino(c), ino(a), ino(b))
wait()
";
    let Some((_python, _dir, inodes)) = python(script) else {
        return;
    };
    let Some(table) = run("ss", &["-xaHn"]) else {
        return skip("there is no ss");
    };
    for ino in inodes {
        // Netid, state, queues, local address and inode, peer's address and inode.
        let mut rows = table.lines().map(|row| row.split_whitespace().collect());
        let row: Vec<&str> = rows
            .find(|row: &Vec<&str>| row[5] == ino.to_string())
            .unwrap();
        let socket = of(ino);
        let state = match socket.state {
            State::Listen => "LISTEN",
            State::Established => "ESTAB",
            _ => "UNCONN",
        };
        assert_eq!(row[..2], ["u_str", state]);
        assert_eq!(
            row[2..4],
            [socket.rqueue.to_string(), socket.wqueue.to_string()]
        );
        assert_eq!(row[7], socket.peer.unwrap_or(0).to_string());
    }
}

#[test]
fn what_is_cut_is_left_out() {
    assert_eq!(parse(&[]), None);
    assert_eq!(parse(&[1, 1, 10, 0, 7, 0, 0, 0]), None);
    let mut message = [0; 24];
    (message[1], message[2], message[4]) = (1, 99, 7);
    let socket = parse(&message).unwrap();
    assert_eq!((socket.ino, socket.state), (7, State::Other(99)));
    message[1] = 77;
    assert_eq!(parse(&message), None, "no kind of ours");
    assert_eq!(device(0xfe00001), libc::makedev(0xfe, 1));
}
