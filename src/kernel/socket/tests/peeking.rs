use super::*;
use crate::kernel::process;

/// How many descriptors of ours are open on the file of this one.
fn copies(of: &OwnedFd) -> usize {
    let wanted = std::fs::read_link(format!("/proc/self/fd/{}", of.as_raw_fd())).unwrap();
    let fds = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    fds.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|link| link == wanted))
        .count()
}

/// `scm_fds` of fdinfo: how many descriptors wait in a socket.
fn waiting_descriptors(socket: &OwnedFd) -> String {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", socket.as_raw_fd()));
    let info = info.unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("scm_fds:"));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn what_is_seen_stays_for_who_receives() {
    for kind in KINDS {
        let (a, b) = pair_of(kind).unwrap();
        assert_eq!(peek(&b, 9), Err(Errno::EAGAIN));
        let file = file("text");
        let before = copies(&file);
        send(&a, b"0123456789", &sends(&[file.as_fd(), file.as_fd()])).unwrap();
        for _ in 0..3 {
            let seen = peek(&b, 4).unwrap();
            assert_eq!(seen.data, b"0123");
            assert_eq!(seen.descriptors, 2);
            assert_eq!(seen.length, if kind == Kind::Stream { 4 } else { 10 });
            assert!(!seen.end && !seen.control_truncated);
            assert_eq!(copies(&file), before);
            assert_eq!(input_queue(&b), Ok(10));
            assert_eq!(waiting_descriptors(&b), "2");
        }
        let script = "
s = socket(fileno=3)
data, fds, _, _ = recv_fds(s, 100, 9)
say(data, [os.pread(fd, 9, 0) for fd in fds])
";
        let Some(mut python) = Python::start(script, &[], Some(b.as_fd())) else {
            return;
        };
        assert_eq!(python.said(), "b'0123456789' [b'text', b'text']");
        assert_eq!(peek(&b, 9), Err(Errno::EAGAIN));
    }
}

#[test]
fn an_offset_for_peeking_is_left_as_it_was() {
    let script = "
s = socket(fileno=3)
SO_PEEK_OFF = 42
s.setsockopt(SOL_SOCKET, SO_PEEK_OFF, 2)
say('set')
wait()
say(s.getsockopt(SOL_SOCKET, SO_PEEK_OFF))
say(s.recv(3, MSG_PEEK), s.getsockopt(SOL_SOCKET, SO_PEEK_OFF))
wait()
say(s.getsockopt(SOL_SOCKET, SO_PEEK_OFF), s.recv(9))
";
    for kind in KINDS {
        let (a, b) = pair_of(kind).unwrap();
        send(&a, b"0123456", &Send::default()).unwrap();
        let Some(mut python) = Python::start(script, &[], Some(b.as_fd())) else {
            return;
        };
        assert_eq!(python.said(), "set");
        assert_eq!(peek(&b, 9).unwrap().data, b"0123456", "from the front");
        python.go();
        assert_eq!(python.said(), "2");
        assert_eq!(python.said(), "b'234' 5");
        assert_eq!(peek(&b, 3).unwrap().data, b"012");
        python.go();
        assert_eq!(python.said(), "5 b'0123456'");
    }
}

#[test]
fn a_pidfd_that_comes_unasked_is_closed() {
    const SO_PASSPIDFD: i32 = 76;
    let (a, b) = pair_of(Kind::Seqpacket).unwrap();
    let script = "
s = socket(fileno=3)
say(fails(s.setsockopt, SOL_SOCKET, int(sys.argv[1]), 1), fails(s.setsockopt, SOL_SOCKET, SO_PASSCRED, 1))
";
    let option = SO_PASSPIDFD.to_string();
    let Some(mut python) = Python::start(script, &[&option], Some(b.as_fd())) else {
        return;
    };
    let said = python.said();
    if said != "ok ok" {
        return eprintln!("skipped: the kernel has no SO_PASSPIDFD ({said})");
    }
    let file = file("");
    let before = copies(&file);
    // Its links say `pidfd:[…]` or `anon_inode:[pidfd]`, and name no process: fdinfo does.
    let ours = format!("Pid:\t{}\n", std::process::id());
    let pidfds = || {
        let infos = std::fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
        infos
            .filter(|info| std::fs::read_to_string(info.path()).is_ok_and(|i| i.contains(&ours)))
            .count()
    };
    assert_eq!(pidfds(), 0);
    send(&a, b"x", &sends(&[file.as_fd()])).unwrap();
    assert_eq!(peek(&b, 9).unwrap().descriptors, 1);
    assert_eq!(pidfds(), 0);
    let got = receive(&b, 9, true).unwrap();
    assert_eq!((got.descriptors.len(), got.control_truncated), (1, false));
    assert_eq!(pidfds(), 0);
    drop(got);
    assert_eq!(copies(&file), before);
}

#[test]
fn another_process_is_not_disturbed() {
    let script = "
s = socket(AF_UNIX, SOCK_STREAM)
a, b = socketpair()
a.sendall(b'for b')
say(b.fileno())
wait()
say(b.recv(9))
";
    let Some(mut python) = Python::start(script, &[], None) else {
        return;
    };
    let fd: i32 = python.said().parse().unwrap();
    let pidfd = process::pidfd_open(python.pid()).unwrap();
    let copy = match process::pidfd_getfd(&pidfd, fd) {
        Err(Errno::EPERM) => return eprintln!("skipped: no ptrace access to a child"),
        copy => copy.unwrap(),
    };
    assert_eq!(peek(&copy, 100).unwrap().data, b"for b");
    drop(copy);
    python.go();
    assert_eq!(python.said(), "b'for b'");
}

#[test]
fn the_end_is_seen_and_a_listener_has_nothing_to_see() {
    for kind in [Kind::Stream, Kind::Seqpacket] {
        let (a, b) = pair_of(kind).unwrap();
        if kind == Kind::Seqpacket {
            for message in [b"", &b"x"[..]] {
                send(&a, message, &Send::default()).unwrap();
            }
        }
        drop(a);
        if kind == Kind::Seqpacket {
            let seen = peek(&b, 9).unwrap();
            assert!(seen.data.is_empty() && !seen.end, "an empty message");
            receive(&b, 9, true).unwrap();
            assert_eq!(receive(&b, 9, true).unwrap().data, b"x");
        }
        assert!(peek(&b, 9).unwrap().end);
        let listens = listener(kind, &abstract_address(&abstract_name()), 1);
        let errno = peek(&listens, 9).unwrap_err();
        let expected = [Errno::EINVAL, Errno::ENOTCONN];
        assert!(expected.contains(&errno), "{errno}");
    }
}
