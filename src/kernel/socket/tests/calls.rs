use super::*;

/// Interrupts what `call` waits in, once it is seen there.
fn interrupted<T>(number: i64, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let tid = thread_id();
    let interrupter = std::thread::spawn(move || {
        let seen = || {
            let call = std::fs::read_to_string(format!("/proc/self/task/{tid}/syscall"));
            call.is_ok_and(|call| call.split(' ').next() == Some(&number.to_string()))
        };
        until("waiting", seen);
        interrupt_thread(tid);
    });
    let result = call();
    interrupter.join().unwrap();
    result
}

#[test]
fn python_sees_what_a_socket_is() {
    let script = "
s = socket(fileno=3)
o = lambda name: s.getsockopt(SOL_SOCKET, name)
def q(request):
    a = array.array('i', [0])
    try: fcntl.ioctl(s, request, a)
    except OSError as e: return errno.errorcode[e.errno]
    return a[0]
say(s.family.name, s.type.name, o(SO_ACCEPTCONN), o(SO_RCVBUF), o(SO_SNDBUF), q(termios.FIONREAD), q(termios.TIOCOUTQ), repr(s.getsockname()))
";
    let place = Place::new();
    for kind in KINDS {
        let (a, b) = pair_of(kind).unwrap();
        send(&b, b"four", &Send::default()).unwrap();
        setsockopt(&a, sockopt::SndBuf, &10_000).unwrap();
        setsockopt(&a, sockopt::RcvBuf, &20_000).unwrap();
        let Some(mut python) = Python::start(script, &[], Some(a.as_fd())) else {
            return;
        };
        let word = word(kind);
        assert_eq!(
            python.said(),
            format!("AF_UNIX {word} 0 40000 20000 4 0 ''"),
            "set is doubled"
        );
        assert_eq!(
            (super::super::kind(&a), domain(&a), is_listening(&a)),
            (Ok(Some(kind)), Ok(Some(Domain::Unix)), Ok(false))
        );
        assert_eq!(send_buffer(&a), Ok(20000));
        assert_eq!((input_queue(&a), output_queue(&a)), (Ok(4), Ok(0)));
        assert!(output_queue(&b).unwrap() >= 4, "with the kernel's own");
        assert_eq!(local_address(&a), Ok(Address::Unnamed));
        assert!(is_cloexec(&a) && is_cloexec(&b));
    }
    let listens = listener(Kind::Stream, &place.address("s"), 5);
    let Some(mut python) = Python::start(script, &[], Some(listens.as_fd())) else {
        return;
    };
    let (r, s) = (
        getsockopt(&listens, sockopt::RcvBuf).unwrap(),
        send_buffer(&listens).unwrap(),
    );
    let path = place.path("s");
    let path = path.display();
    assert_eq!(
        python.said(),
        format!("AF_UNIX SOCK_STREAM 1 {r} {s} EINVAL 0 '{path}'")
    );
    assert_eq!(is_listening(&listens), Ok(true));
    assert_eq!(input_queue(&listens), Err(Errno::EINVAL));
    assert_eq!(local_address(&listens), Ok(place.address("s")));
    let pipe = crate::kernel::witness::pipe().0;
    assert_eq!(super::super::kind(&pipe), Err(Errno::ENOTSOCK));
}

#[test]
fn python_connects_and_is_known() {
    let script = "
s = socket(AF_UNIX, getattr(socket_, sys.argv[2]))
s.bind('\\0' + sys.argv[1] + '-client')
s.connect(sys.argv[3])
say(repr(s.getpeername()))
wait()
"
    .replace("socket_", "sys.modules['socket']");
    let place = Place::new();
    for kind in [Kind::Stream, Kind::Seqpacket] {
        let (name, path) = (abstract_name(), place.path(word(kind)));
        let listens = listener(kind, &Address::Path(path.clone()), 5);
        let text = path.to_str().unwrap();
        assert_eq!(proc_row(&listens)[0], "00010000", "__SO_ACCEPTCON");
        assert_eq!(proc_row(&listens)[3], text);
        assert_eq!(accept(&listens, true).map(drop), Err(Errno::EAGAIN));
        let Some(mut python) = Python::start(&script, &[&name, word(kind), text], None) else {
            return;
        };
        let (served, from) = accept(&listens, false).unwrap();
        assert_eq!(python.said(), format!("'{text}'"));
        let client = abstract_address(&format!("{name}-client"));
        assert_eq!((from, peer_address(&served)), (client.clone(), Ok(client)));
        assert!(is_cloexec(&served));
        let who = peer_credentials(&served).unwrap().unwrap();
        assert_eq!(who.pid, python.pid());
        assert_eq!(who.uid, crate::kernel::process::geteuid());
        assert_eq!(who.gid, nix::unistd::getegid().as_raw());
    }
}

#[test]
fn we_connect_to_python() {
    let script = "
s = socket(AF_UNIX, getattr(sys.modules['socket'], sys.argv[2]))
s.bind('\\0' + sys.argv[1])
s.listen(1)
say('ready')
c, _ = s.accept()
say(struct.unpack('iII', c.getsockopt(SOL_SOCKET, SO_PEERCRED, 12))[0])
wait()
";
    for kind in [Kind::Stream, Kind::Seqpacket] {
        let name = abstract_name();
        let Some(mut python) = Python::start(script, &[&name, word(kind)], None) else {
            return;
        };
        assert_eq!(python.said(), "ready");
        let client = unix(kind);
        assert_eq!(peer_credentials(&client), Ok(None));
        connect(&client, &abstract_address(&name), false).unwrap();
        assert_eq!(python.said(), std::process::id().to_string());
        assert_eq!(
            peer_credentials(&client).unwrap().unwrap().pid,
            python.pid()
        );
        assert_eq!(proc_row(&client)[2], "03", "SS_CONNECTED");
        let again = connect(&client, &abstract_address(&name), false);
        assert_eq!(again, Err(Errno::EISCONN));
    }
}

#[test]
fn a_full_backlog_is_waited_for() {
    let address = abstract_address(&abstract_name());
    let listens = listener(Kind::Stream, &address, 0);
    let first = unix(Kind::Stream);
    connect(&first, &address, true).unwrap();
    let second = unix(Kind::Stream);
    assert_eq!(connect(&second, &address, true), Err(Errno::EAGAIN));
    assert!(!fds::is_nonblocking(&second).unwrap(), "as before");
    let interrupted = interrupted(libc::SYS_connect, || connect(&second, &address, false));
    assert_eq!(interrupted, Err(Errno::EINTR));
    let waits = std::thread::spawn(move || connect(&second, &address, false).map(|()| second));
    until_in_call(std::process::id().cast_signed(), libc::SYS_connect);
    drop(accept(&listens, true).unwrap());
    let second = waits.join().unwrap().unwrap();
    let (served, _) = accept(&listens, true).unwrap();
    send(&second, b"x", &Send::default()).unwrap();
    assert_eq!(receive(&served, 9, false).unwrap().data, b"x");
}

#[test]
fn waiting_calls_are_interrupted() {
    let listens = listener(Kind::Stream, &abstract_address(&abstract_name()), 1);
    let waits = interrupted(libc::SYS_accept4, || accept(&listens, false).map(drop));
    assert_eq!(waits, Err(Errno::EINTR));
    for kind in KINDS {
        let (a, b) = pair_of(kind).unwrap();
        let waits = interrupted(libc::SYS_recvmsg, || receive(&a, 9, false).map(drop));
        assert_eq!(waits, Err(Errno::EINTR));
        while send(&b, &[0; 1000], &nowait()).is_ok() {}
        assert_eq!(send(&b, &[0; 1000], &nowait()), Err(Errno::EAGAIN));
        let waits = interrupted(libc::SYS_sendmsg, || send(&b, &[0; 1000], &Send::default()));
        assert_eq!(waits, Err(Errno::EINTR));
    }
}

#[test]
fn refusals_are_the_kernels() {
    let place = Place::new();
    let stream = unix(Kind::Stream);
    let to = |name: &str, kind| connect(&unix(kind), &place.address(name), false);
    assert_eq!(to("none", Kind::Stream), Err(Errno::ENOENT));
    bind(&stream, &place.address("s")).unwrap();
    assert_eq!(to("s", Kind::Stream), Err(Errno::ECONNREFUSED), "no listen");
    assert_eq!(accept(&stream, true).map(drop), Err(Errno::EINVAL));
    listen(&stream, 1).unwrap();
    assert_eq!(to("s", Kind::Seqpacket), Err(Errno::EPROTOTYPE));
    assert_eq!(accept(&stream, true).map(drop), Err(Errno::EAGAIN));
    let other = unix(Kind::Stream);
    assert_eq!(bind(&other, &place.address("s")), Err(Errno::EADDRINUSE));
    assert_eq!(listen(&other, 1), Err(Errno::EINVAL), "no bind");
    let dgram = unix(Kind::Dgram);
    assert_eq!(listen(&dgram, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(accept(&dgram, false).map(drop), Err(Errno::EOPNOTSUPP));
    assert_eq!(accept(&dgram, true).map(drop), Err(Errno::EOPNOTSUPP));
    assert_eq!(peer_address(&dgram), Err(Errno::ENOTCONN));
    let tcp = socket(Domain::Inet, Kind::Stream).unwrap();
    assert_eq!(shutdown(&tcp, Shutdown::Both), Err(Errno::ENOTCONN));
    assert_eq!(accept(&file(""), true).map(drop), Err(Errno::ENOTSOCK));
    shutdown(&stream, Shutdown::Both).unwrap();
    assert_eq!(to("s", Kind::Stream), Err(Errno::ECONNREFUSED));
    assert_eq!(accept(&stream, false).map(drop), Err(Errno::EINVAL));
    assert_eq!(accept(&stream, true).map(drop), Err(Errno::EAGAIN));
    let no_such = socket(Domain::Inet, Kind::Seqpacket).map(drop);
    assert_eq!(no_such, Err(Errno::ESOCKTNOSUPPORT));
}

#[test]
fn the_kernel_names_what_has_no_name() {
    let socket = unix(Kind::Dgram);
    bind(&socket, &Address::Unnamed).unwrap();
    let Ok(Address::Abstract(name)) = local_address(&socket) else {
        panic!("no name");
    };
    let name = String::from_utf8(name).unwrap();
    assert_eq!(proc_row(&socket)[3], format!("@{name}"));
    let sender = unix(Kind::Dgram);
    connect(&sender, &abstract_address(&name), false).unwrap();
    assert_eq!(peer_address(&sender), Ok(abstract_address(&name)));
    connect(&sender, &Address::Unnamed, false).unwrap();
    assert_eq!(peer_address(&sender), Err(Errno::ENOTCONN));
}

#[test]
fn the_longest_path_is_taken_whole() {
    let place = Place::new();
    let room = PATH_MAX - place.path("").as_os_str().len();
    let name = "n".repeat(room);
    let socket = unix(Kind::Stream);
    bind(&socket, &place.address(&name)).unwrap();
    assert_eq!(local_address(&socket), Ok(place.address(&name)));
    assert_eq!(proc_row(&socket)[3], place.path(&name).to_str().unwrap());
    assert!(std::fs::symlink_metadata(place.path(&name)).is_ok());
    let longer = place.address(&"n".repeat(room + 1));
    let other = unix(Kind::Stream);
    assert_eq!(bind(&other, &longer), Err(Errno::ENAMETOOLONG));
}

#[test]
fn a_bound_file_is_told_without_disturbing_who_listens() {
    let place = Place::new();
    for kind in KINDS {
        let path = place.path(word(kind));
        let script = "
s = socket(AF_UNIX, getattr(sys.modules['socket'], sys.argv[2]))
s.bind(sys.argv[1])
say('bound')
wait()
if sys.argv[2] != 'SOCK_DGRAM': s.listen(0)
say('listens')
wait()
s.setblocking(False)
say(fails(s.accept), fails(s.recv, 9))
wait()
s.close()
say('closed')
";
        let args = [path.to_str().unwrap(), word(kind)];
        let Some(mut python) = Python::start(script, &args, None) else {
            return;
        };
        for expected in ["bound", "listens"] {
            assert_eq!(python.said(), expected);
            assert_eq!(is_bound(&path), Ok(true), "{kind:?}");
            python.go();
        }
        let untouched = match kind {
            Kind::Stream => "EAGAIN EINVAL",
            Kind::Dgram => "ENOTSUP EAGAIN",
            Kind::Seqpacket => "EAGAIN ENOTCONN",
        };
        assert_eq!(python.said(), untouched, "{kind:?}");
        python.go();
        assert_eq!(python.said(), "closed");
        assert_eq!(is_bound(&path), Ok(false), "{kind:?}");
    }
    std::fs::write(place.path("file"), "").unwrap();
    assert_eq!(is_bound(&place.path("file")), Ok(false));
    assert_eq!(is_bound(&place.path("none")), Err(Errno::ENOENT));
}

#[test]
fn tcp_talks_to_python() {
    let script = "
s = create_connection(('127.0.0.1', int(sys.argv[1])))
say(s.getsockname()[1])
s.sendall(b'hello')
say(s.recv(9))
say(s.recv(9))
";
    let listens = socket(Domain::Inet, Kind::Stream).unwrap();
    set_reuse_address(&listens, true).unwrap();
    bind(&listens, &Address::Inet("127.0.0.1:0".parse().unwrap())).unwrap();
    listen(&listens, 5).unwrap();
    let Ok(Address::Inet(at)) = local_address(&listens) else {
        panic!("no address");
    };
    assert_eq!(accept(&listens, true).map(drop), Err(Errno::EAGAIN));
    let Some(mut python) = Python::start(script, &[&at.port().to_string()], None) else {
        return;
    };
    let (served, from) = accept(&listens, false).unwrap();
    let port: u16 = python.said().parse().unwrap();
    let client = Address::Inet(([127, 0, 0, 1], port).into());
    assert_eq!(
        (&from, peer_address(&served).as_ref()),
        (&client, Ok(&client))
    );
    assert_eq!(from.domain(), Some(Domain::Inet));
    let got = receive(&served, 100, false).unwrap();
    assert_eq!((got.data, got.truncated), (b"hello".to_vec(), false));
    send(&served, b"you", &Send::default()).unwrap();
    assert_eq!(python.said(), "b'you'");
    shutdown(&served, Shutdown::Write).unwrap();
    assert_eq!(python.said(), "b''");
    assert!(receive(&served, 9, false).unwrap().end);

    let client = socket(Domain::Inet, Kind::Stream).unwrap();
    match connect(&client, &Address::Inet(at), true) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        other => panic!("{other:?}"),
    }
    let mut fds = [PollFd::new(client.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, None).unwrap();
    assert_eq!(getsockopt(&client, sockopt::SocketError), Ok(0));
    assert!(!fds::is_nonblocking(&client).unwrap());
    assert_eq!(peer_address(&client), Ok(Address::Inet(at)));
    drop(listens);
    // What another test forks at the moment listens until it executes its program.
    until("refused", || {
        let client = socket(Domain::Inet, Kind::Stream).unwrap();
        connect(&client, &Address::Inet(at), false) == Err(Errno::ECONNREFUSED)
    });
}
