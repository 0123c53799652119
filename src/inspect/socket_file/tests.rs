//! The witness: Python, which binds, listens, accepts and goes.

use super::*;
use crate::inspect::witness::{Witness, ordinary_user, skip, until};

const SERVER: &str = "
import os, sys
from socket import *
def say(*words): print(*words, flush=True)
def wait(): sys.stdin.readline()
s = socket(AF_UNIX, getattr(sys.modules['socket'], sys.argv[1]))
s.bind('s')
say(os.fstat(s.fileno()).st_ino)
wait()
served = None
if sys.argv[1] != 'SOCK_DGRAM':
    s.listen(1)
    c = socket(AF_UNIX, s.type)
    c.connect('s')
    served, _ = s.accept()
    os.rename('s', 't')
    os.link('t', 's')
say('listens')
wait()
s.setblocking(False)
try: s.accept() if served else s.recv(9)
except BlockingIOError: say('undisturbed')
wait()
s.close()
say('closed')
wait()
";

#[test]
fn a_file_is_stale_once_its_socket_is_closed() {
    for kind in ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let args = ["-c", SERVER, kind];
        let Some(mut python) = Witness::start_in(dir.path(), "python3", &args) else {
            return skip("there is no python3");
        };
        let ino: u64 = python.line().unwrap().parse().unwrap();
        assert_eq!(behind(&path), Ok(Behind::Socket(ino)), "{kind} bound");
        python.say(b"\n");
        assert_eq!(python.line().unwrap(), "listens");
        assert_eq!(behind(&path), Ok(Behind::Socket(ino)), "{kind} listens");
        assert_eq!(behind_of(&path, &[]), Ok(Behind::Unseen), "{kind}");
        python.say(b"\n");
        assert_eq!(python.line().unwrap(), "undisturbed");
        python.say(b"\n");
        assert_eq!(python.line().unwrap(), "closed");
        // What it accepted lives on, and has the same file.
        let stale = behind(&path).unwrap();
        assert_eq!(stale, Behind::Nobody, "{kind} closed");
        assert!(stale.is_stale());
    }
}

#[test]
fn a_client_with_a_file_of_its_own_is_no_stale_file() {
    use crate::kernel::socket::{Address, Domain, Kind, bind, connect, listen, socket};
    let dir = tempfile::tempdir().unwrap();
    let [server, client] = ["server", "client"].map(|name| {
        let socket = socket(Domain::Unix, Kind::Stream).unwrap();
        bind(&socket, &Address::Path(dir.path().join(name))).unwrap();
        socket
    });
    listen(&server, 1).unwrap();
    connect(&client, &Address::Path(dir.path().join("server")), false).unwrap();
    assert_eq!(behind(&dir.path().join("client")), Ok(Behind::Unseen));
    drop(client);
    // What another test forks at the moment has it until it executes its program.
    until("closed", || {
        (behind(&dir.path().join("client")) == Ok(Behind::Nobody)).then_some(())
    });
}

#[test]
fn other_files_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "").unwrap();
    assert_eq!(behind(&path), Ok(Behind::NotASocket));
    assert_eq!(behind(&dir.path().join("none")), Err(Errno::ENOENT));
    assert_eq!(behind(&path.join("below")), Err(Errno::ENOTDIR));
}

#[test]
fn without_permission_nobody_is_said_to_be_gone() {
    use std::os::unix::fs::PermissionsExt;
    if !ordinary_user() {
        return skip("root may write to every socket file");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    until("closed", || {
        (behind(&path) == Ok(Behind::NobodyHere)).then_some(())
    });
}

#[test]
fn a_server_in_another_network_namespace_is_not_stale() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["-n", "python3", "-c", SERVER, "SOCK_STREAM"];
    let started = Witness::start_in(dir.path(), "unshare", &args);
    let Some(mut python) = started else {
        return skip("there is no unshare");
    };
    if python.line().is_none() {
        return skip("no network namespace of its own");
    }
    python.say(b"\n");
    assert_eq!(python.line().unwrap(), "listens");
    assert_eq!(behind(&dir.path().join("s")), Ok(Behind::Unseen));
}
