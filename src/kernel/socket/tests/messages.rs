use super::*;

/// Python's end of a pair receives, says what, and sends the same back.
const ECHO: &str = "
s = socket(fileno=3)
while True:
    data, fds, flags, _ = recv_fds(s, 100, 9)
    if not data: break
    say(data, [os.pread(fd, 9, 0) for fd in fds], flags & MSG_CTRUNC)
    send_fds(s, [data], fds)
    for fd in fds: os.close(fd)
say('end')
";

#[test]
fn descriptors_travel_to_python_and_back() {
    for kind in KINDS {
        let (ours, theirs) = pair_of(kind).unwrap();
        let Some(mut python) = Python::start(ECHO, &[], Some(theirs.as_fd())) else {
            return;
        };
        drop(theirs);
        let (one, two) = (file("one"), file("two"));
        let sent = send(&ours, b"both", &sends(&[one.as_fd(), two.as_fd()]));
        assert_eq!(sent, Ok(4));
        assert_eq!(python.said(), "b'both' [b'one', b'two'] 0");
        let got = receive(&ours, 9, false).unwrap();
        assert_eq!((&*got.data, got.length, got.end), (&b"both"[..], 4, false));
        assert!(!got.truncated && !got.control_truncated);
        assert_eq!(got.descriptors.len(), 2);
        let texts: Vec<String> = got
            .descriptors
            .into_iter()
            .map(|fd| {
                assert!(is_cloexec(&fd));
                let mut text = String::new();
                let mut file = File::from(fd);
                std::io::Seek::rewind(&mut file).unwrap();
                file.read_to_string(&mut text).unwrap();
                text
            })
            .collect();
        assert_eq!(texts, ["one", "two"]);
        send(&ours, b"bare", &Send::default()).unwrap();
        assert_eq!(python.said(), "b'bare' [] 0");
        assert!(receive(&ours, 9, false).unwrap().descriptors.is_empty());
    }
}

#[test]
fn the_most_descriptors_are_253() {
    let (a, b) = pair_of(Kind::Seqpacket).unwrap();
    let file = file("");
    let many = vec![file.as_fd(); SCM_MAX_FD + 1];
    assert_eq!(send(&a, b"x", &sends(&many)), Err(Errno::EINVAL));
    send(&a, b"x", &sends(&many[1..])).unwrap();
    let got = receive(&b, 1, true).unwrap();
    assert_eq!((got.descriptors.len(), got.control_truncated), (253, false));
}

#[test]
fn datagrams_have_senders_and_are_cut() {
    let script = "
s = socket(AF_UNIX, SOCK_DGRAM)
s.bind('\\0' + sys.argv[1])
for data in (b'0123456789', b'', b'last'): s.sendto(data, '\\0' + sys.argv[2])
data, sender = s.recvfrom(100)
say(data, sender)
";
    let (theirs, ours) = (abstract_name(), abstract_name());
    let socket = unix(Kind::Dgram);
    bind(&socket, &abstract_address(&ours)).unwrap();
    let Some(mut python) = Python::start(script, &[&theirs, &ours], None) else {
        return;
    };
    let got = receive(&socket, 4, false).unwrap();
    assert_eq!((&*got.data, got.length), (&b"0123"[..], 10));
    assert!(got.truncated && !got.end);
    assert_eq!(got.sender, abstract_address(&theirs));
    let got = receive(&socket, 4, false).unwrap();
    assert_eq!((got.length, got.truncated, got.end), (0, false, false));
    let got = receive(&socket, 4, false).unwrap();
    assert_eq!((&*got.data, got.truncated), (&b"last"[..], false));
    assert_eq!(receive(&socket, 4, true).map(drop), Err(Errno::EAGAIN));
    let to = Send {
        to: Some(&got.sender),
        ..Send::default()
    };
    send(&socket, b"back", &to).unwrap();
    assert_eq!(python.said(), format!("b'back' b'\\x00{ours}'"));
    assert_eq!(send(&socket, b"", &Send::default()), Err(Errno::ENOTCONN));
}

#[test]
fn an_empty_message_is_not_the_end() {
    let (a, b) = pair_of(Kind::Seqpacket).unwrap();
    send(&a, b"", &Send::default()).unwrap();
    send(&a, b"x", &Send::default()).unwrap();
    let got = receive(&b, 9, true).unwrap();
    assert_eq!((got.data.len(), got.end), (0, false));
    assert_eq!(receive(&b, 9, true).unwrap().data, b"x");
    assert_eq!(receive(&b, 9, true).map(drop), Err(Errno::EAGAIN));
    drop(a);
    assert!(receive(&b, 9, false).unwrap().end);
    let (a, b) = pair().unwrap();
    drop(a);
    assert!(receive(&b, 9, false).unwrap().end);
    assert!(!receive(&b, 0, false).unwrap().end, "nothing was asked");
    assert_eq!(receive(&b, usize::MAX, false).map(drop), Err(Errno::ENOMEM));
}

#[test]
fn nobody_to_receive_is_an_errno_and_no_signal() {
    let mut second = Second::role(&["epipe"]);
    assert_eq!(second.said(), "Err(EPIPE)");
}

#[test]
fn directions_end_one_by_one() {
    let script = "
s = socket(fileno=3)
say(s.recv(9), fails(s.send, b'x'))
wait()
say(fails(s.send, b'x'))
";
    for kind in [Kind::Stream, Kind::Seqpacket] {
        let (a, b) = pair_of(kind).unwrap();
        let Some(mut python) = Python::start(script, &[], Some(b.as_fd())) else {
            return;
        };
        shutdown(&a, Shutdown::Write).unwrap();
        assert_eq!(python.said(), "b'' ok");
        assert_eq!(send(&a, b"x", &Send::default()), Err(Errno::EPIPE));
        assert_eq!(receive(&a, 9, false).unwrap().data, b"x");
        shutdown(&a, Shutdown::Read).unwrap();
        python.go();
        assert_eq!(python.said(), "EPIPE");
        assert!(receive(&a, 9, false).unwrap().end);
    }
}

#[test]
fn large_messages_come_whole() {
    let (a, b) = pair_of(Kind::Seqpacket).unwrap();
    let data: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
    assert_eq!(send(&a, &data, &nowait()), Ok(data.len()));
    assert_eq!(receive(&b, 1 << 30, true).unwrap().data, data);
    assert_eq!(send(&a, &[0; 10_000_000], &nowait()), Err(Errno::EMSGSIZE));
}

#[test]
fn an_empty_packet_of_who_has_gone_is_no_end() {
    let (ours, theirs) = pair_of(Kind::Seqpacket).unwrap();
    for data in [&b"one"[..], b"", b"two", b""] {
        send(&theirs, data, &Send::default()).unwrap();
    }
    shutdown(&theirs, Shutdown::Write).unwrap();
    for (data, end) in [
        (&b"one"[..], false),
        (b"", false),
        (b"two", false),
        (b"", false),
        (b"", true),
    ] {
        let got = receive(&ours, 9, false).unwrap();
        assert_eq!((&*got.data, got.end), (data, end));
    }
}
