//! Sockets against programs that are not ours: Python, ss, redis-server, nginx.

mod harness;
mod stranger;

use harness::{has, passes, program, script, with_python};
use std::io::Write;
use std::process::{Command, Stdio};
use stranger::Stranger;

#[test]
fn a_server_of_pythons_is_talked_to() {
    with_python(
        r#"
s = socket.socket(socket.AF_UNIX); s.bind(work + "/s"); s.listen()
c, _ = s.accept()
d = c.recv(100)
c.sendall(d.upper() + b"\nmore\n"); c.close()
"#,
        r#"
        !python3 $PY &
        !until test -S $WORK/s; do sleep 0.01; done
        sock connect $WORK/s
        sock send "hello"
        sock recv --line => "HELLO\n"
        sock recv --all => "more\n"
        sock recv => eof
        sock send "x" => EPIPE
        "#,
    );
}

#[test]
fn clients_of_pythons_are_served() {
    for kind in ["stream", "seqpacket"] {
        with_python(
            &format!(
                r#"
s = socket.socket(socket.AF_UNIX, socket.SOCK_{}); s.connect(work + "/s")
s.send(b"question"); print(s.recv(100), flush=True)
"#,
                kind.to_uppercase()
            ),
            &format!(
                r#"
            sock listen $WORK/s {kind}
            !python3 $PY > $WORK/said &
            sock accept
            sock recv => "question"
            let who = sock cred
            !test $who_uid = $(id -u) && test $who_gid = $(id -g) && test $who_pid -gt 1 => ok
            sock send "answer"
            sock recv => eof
            !grep -q answer $WORK/said => ok
            "#
            ),
        );
    }
    with_python(
        r#"
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(work + "/me")
for m in (b"one", b"", b"three"): s.sendto(m, work + "/d")
print(s.recv(100), flush=True)
"#,
        r#"
        sock listen $WORK/d dgram
        !python3 $PY > $WORK/said &
        sock recv => "one"
        sock recv => ""
        let m = sock recv max=2 => length=5 "th"
        sock send "back" to=$m.from
        !until test -s $WORK/said; do sleep 0.01; done
        !grep -q back $WORK/said => ok
        "#,
    );
}

#[test]
fn descriptors_come_from_python_and_go_to_it() {
    let ran = with_python(
        r#"
s = socket.socket(socket.AF_UNIX); s.connect(work + "/s")
_, fds, _, _ = socket.recv_fds(s, 10, 1)
os.write(fds[0], b"through the pipe"); os.close(fds[0])
r, w = os.pipe(); a, b = socket.socketpair()
null = os.open("/dev/null", os.O_RDONLY)
socket.send_fds(s, [b"three"], [r, a.fileno(), null]); os.write(w, b"from python"); b.send(b"hi")
s.recv(1)
"#,
        r#"
        sock listen $WORK/s
        !python3 $PY &
        sock accept
        pipe create p
        sock send "x" --fd p.w
        pipe close p w
        pipe read p --all => "through the pipe"
        sock recv => fds=3 "three"
        pipe read => "from python"
        sock recv => "hi"
        "#,
    );
    let Some(ran) = ran else { return };
    for note in [
        "received the read end of pipe p1",
        "received socket s3",
        "received /dev/null, which no command here can use: closed",
    ] {
        assert!(ran.out.contains(note), "{note}\n{}", ran.out);
    }
}

#[test]
fn ss_sees_what_the_fields_say() {
    if !has("ss") {
        return;
    }
    passes(
        r#"
        sock listen $WORK/s backlog=7 name=l
        c: sock connect $WORK/s name=c
        expect sock.l.pending == 1
        expect sock.l.backlog == 7
        expect sock.l.state == listen
        expect sock.c.state == established
        !ss -xlH src $WORK/s | grep -Eq 'LISTEN +1 +7 ' => ok
        sock accept name=a
        expect sock.c.peer == a
        expect sock.a.peer == c
        c: sock send "12345"
        expect sock.a.rqueue == 5
        expect sock.c.wqueue > 5
        !ss -xH state established src $WORK/s | grep -Eq ' 5 +0 ' => ok
        sock peek a => "12345"
        sock peek a max=2 => "12"
        expect sock.a.rqueue == 5
        sock recv a => "12345"
        sock recv a ...
        expect sock.a.waits == R1
        cancel me
        ... => EINTR
        sock shutdown a w
        expect sock.a.shutdown == w
        "#,
    );
}

#[test]
fn redis_answers_on_its_socket_file() {
    if !has("redis-server") {
        return;
    }
    passes(
        r#"
        !redis-server --port 0 --unixsocket $WORK/r.sock --save '' --dir $WORK > /dev/null &
        !until test -S $WORK/r.sock; do sleep 0.02; done
        sock connect $WORK/r.sock
        sock send "PING\r\n"
        sock recv => "+PONG\r\n"
        sock send "SUBSCRIBE news\r\n"
        sock recv => re"subscribe"
        sock recv ...
        expect actor.me.about ~ re"empty; redis-server .* has the other side"
        b: sock connect $WORK/r.sock
        b: sock send "PUBLISH news hi\r\n"
        b: sock recv => ":1\r\n"
        ... => re"message[\s\S]*hi"
        "#,
    );
}

#[test]
fn nginx_answers_on_a_socket_file() {
    if !has("nginx") {
        return;
    }
    passes(
        r#"
        !mkdir $WORK/t && cd $WORK && printf 'daemon off; pid pid; error_log stderr; events {} http { access_log off; client_body_temp_path t/1; proxy_temp_path t/2; fastcgi_temp_path t/3; uwsgi_temp_path t/4; scgi_temp_path t/5; server { listen unix:%s/n.sock; location / { return 200 "hello"; } } }' $WORK > conf
        !nginx -e stderr -p $WORK -c conf > $WORK/said 2>&1 &
        !for i in $(seq 500); do test -S $WORK/n.sock && exit; sleep 0.02; done; cat $WORK/said; exit 1
        sock connect $WORK/n.sock
        sock send "GET / HTTP/1.0\r\n\r\n"
        sock recv --all => re"200 OK[\s\S]*hello"
        "#,
    );
}

#[test]
fn names_follow_the_order_of_the_steps() {
    let ran = passes(
        "srv: sock listen $WORK/s\nsrv: sock accept ...\nc: sock connect $WORK/s\nsrv: ... => ok\n\
         expect sock.s2.peer == s3\nexpect sock.s3.peer == s2",
    );
    assert!(ran.out.contains("# listening socket s1 "), "{}", ran.out);
    assert!(ran.out.contains("# accepted socket s2 "), "{}", ran.out);
    assert!(ran.out.contains("# connected socket s3 "), "{}", ran.out);
}

#[test]
fn each_actor_means_its_own_sockets() {
    passes(
        "srv: sock listen $WORK/s\na: sock connect $WORK/s name=a\nsrv: sock accept name=a1\n\
         b: sock connect $WORK/s name=b\nsrv: sock accept name=b1\n\
         a: sock send \"from a\"\nb: sock send \"from b\"\n\
         srv: sock recv => \"from b\"\nsrv: sock recv a1 => \"from a\"\nsrv: sock send \"to a\"\n\
         a: sock recv => \"to a\"\nb: sock recv --nowait => EAGAIN\n\
         other: sock send b1 \"from another process\"\nb: sock recv => \"from another process\"",
    );
}

#[test]
fn what_is_waited_for_is_told_with_numbers() {
    passes(
        r#"
        srv: sock listen $WORK/s backlog=0 name=srv
        srv: sock accept ...
        expect actor.srv.call == "accept srv"
        expect actor.srv.about ~ re"^nobody connects to srv at /"
        c: sock connect $WORK/s name=c
        srv: ... => ok
        srv: sock recv ...
        expect actor.srv.about ~ re"^s1 is empty; c \(pid \d+\) has the other side, c$"
        c: sock send "x"
        srv: ... => "x"
        d: sock connect $WORK/s
        e: sock connect $WORK/s ...
        expect actor.e.call ~ re"^connect /.*/s$"
        expect actor.e.about ~ re"^srv: 1 connection waits to be accepted, its backlog is 0; srv \(pid \d+\) listens$"
        srv: sock accept name=d1
        e: ... => ok
        c: repeat 1000 { sock send "0123456789012345678901234567890123456789012345678901234567890123456789" } ...
        expect actor.c.call == "send c"
        expect actor.c.about ~ re"^c is full \(\d+ of \d+ bytes not yet received\); srv \(pid \d+\) has the other side, s1$"
        srv: repeat 1000 { sock recv s1 max=70 }
        c: ... => ok
        "#,
    );
}

#[test]
fn a_socket_file_is_removed_however_the_session_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let at = path.to_str().unwrap();
    let define = format!("AT={at}");
    // At its end, and where it was closed, and where it failed.
    for text in [
        "sock listen $AT",
        "sock listen $AT dgram\nsock close",
        "sock listen $AT\nsock accept --nowait",
    ] {
        harness::run(&["-D", &define, "-"], text.as_bytes());
        assert!(!path.exists(), "{text}");
    }
    // Killed, with all its actors.
    let mut shell = Command::new(program())
        .args(["-D", &define, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(b"sock listen $AT\nsock accept\n").unwrap();
    drop(stdin);
    until(|| path.exists());
    shell.kill().unwrap();
    shell.wait().unwrap();
    until(|| !path.exists());
    // What somebody else has put in its place is his.
    let script = format!("sock listen {at}\n!rm {at}; echo mine > {at}\n");
    passes(&script);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine\n");
}

/// Waits for what must come.
fn until(mut is: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is() {
        assert!(began.elapsed().as_secs() < 30, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn what_other_processes_sockets_hold_is_seen_and_stays() {
    use std::io::Read;
    use std::os::fd::{AsFd, AsRawFd};
    use std::os::unix::net::UnixStream;
    let (here, mut there) = UnixStream::pair().unwrap();
    let input = std::io::stdin();
    let how = ipcsh::kernel::socket::Send {
        descriptors: &[input.as_fd()],
        ..Default::default()
    };
    ipcsh::kernel::socket::send(&here, b"un\0read\xff", &how).unwrap();
    let (pid, fd) = (std::process::id(), there.as_raw_fd());
    for _ in 0..2 {
        passes(&format!(
            "sock peek pid:{pid}/fd:{fd} => fds=1 x\"75 6e 00 72 65 61 64 ff\"\n\
             sock peek pid:{pid}/fd:{fd} max=2 => fds=1 \"un\"\nsock info pid:{pid}/fd:{fd}"
        ));
    }
    drop(here);
    let mut rest = Vec::new();
    there.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"un\0read\xff");
}

#[test]
fn several_descriptors_go_at_once() {
    let ran = passes(
        "sock pair stream a b\nmkfifo $WORK/f\nfifo open $WORK/f rw\n\
         sock send a \"x\" --fd $WORK/f --fd b --fd a\nc: sock recv b => fds=3 \"x\"\n\
         c: fifo write $WORK/f \"hello\"\nfifo read $WORK/f => \"hello\"\n\
         pipe create p\nsock send a \"x\" --fd p => error\nsock send a \"x\" --fd pipe.p.r\n\
         c: sock send a \"x\" --fd p.w => error",
    );
    assert!(ran.out.contains("/f, open for rw\n"), "{}", ran.out);
    assert!(ran.out.contains("--fd p.r or --fd p.w"), "{}", ran.out);
    let holds = "this actor does not hold the write end of p";
    assert!(ran.out.contains(holds), "{}", ran.out);
}

#[test]
fn a_loop_of_connections_leaves_no_descriptor_open() {
    passes(
        "sock listen $WORK/s name=l\n\
         repeat 300 { sock connect $WORK/s; sock close; sock accept l; sock recv => eof; sock close }\n\
         !test $(ls /proc/${me.pid}/fd | wc -l) -lt 20 => ok",
    );
}

#[test]
fn a_stale_file_is_told_of_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let at = path.display();
    let ran = passes(&format!(
        "sock listen {at} => EADDRINUSE\nsock connect {at} => ECONNREFUSED\nsock rm {at}\n\
         sock rm {at} => ENOENT\nsock listen {at}"
    ));
    let way = format!("Remove it: `sock rm {at}`");
    assert!(ran.out.contains(&way), "{}", ran.out);
    std::fs::write(&path, "not a socket").unwrap();
    let ran = script(&format!("sock rm {at}"));
    assert!(ran.err.contains("is no socket"), "{}", ran.err);
    assert!(path.exists());
}

#[test]
fn who_listens_nowhere_is_told_so() {
    let ran = script("a: sock pair stream x y\na: sock accept");
    let said = "this actor has used no listening socket";
    assert!(ran.err.contains(said), "{}", ran.err);
}

#[test]
fn what_tcp_would_lose_is_not_sent() {
    passes(
        "let t = sock listen tcp:127.0.0.1:0 name=t\na: sock connect $t.address name=c\na: pipe create p\n\
         a: sock send c \"x\" --fd p.r => error\na: sock send c \"x\"\nsock accept t\nsock recv => \"x\"",
    );
}

#[test]
fn what_cannot_be_kept_says_why() {
    let ran = script("pipe create p\nkeep p");
    assert!(ran.err.contains("a pipe cannot be kept"), "{}", ran.err);
}

/// The text of an address may lead to another file, or say no place at all.
#[test]
fn only_the_file_of_a_socket_is_removed_by_it() {
    let work = tempfile::tempdir().unwrap();
    let at = work.path().join("s");
    let Some(mut python) = Stranger::start(&format!(
        "os.chdir('{}')\nnamed = [socket.socket(socket.AF_UNIX) for name in '12']\n\
         named[0].bind('{}'); named[1].bind('t')\n\
         say(*(s.fileno() for s in named)); sys.stdin.readline()",
        work.path().display(),
        at.display()
    )) else {
        return;
    };
    let pid = python.pid();
    let fds = python.numbers();
    let remove = |fd: i64| script(&format!("sock rm pid:{pid}/fd:{fd}"));
    let moved = work.path().join("moved");
    std::fs::rename(&at, &moved).unwrap();
    std::os::unix::net::UnixListener::bind(&at).unwrap();
    let ran = remove(fds[0]);
    assert!(
        ran.err.contains("it was renamed, removed or replaced"),
        "{}",
        ran.err
    );
    assert!(at.exists());
    std::fs::rename(&moved, &at).unwrap();
    assert_eq!(remove(fds[0]).code, Some(0));
    assert!(!at.exists());
    let ran = remove(fds[1]);
    let said = "bound to t in a directory that the kernel does not tell";
    assert!(ran.err.contains(said), "{}", ran.err);
    assert!(work.path().join("t").exists());
}

#[test]
fn an_actor_without_room_for_a_descriptor_says_so_and_goes_on() {
    if !has("prlimit") {
        return;
    }
    passes(
        "sock pair stream a b\nspawn y\n!prlimit -p ${y.pid} --nofile=9:\n\
         y: sock recv b --nowait => EMFILE\ny: sock recv b --nowait => EMFILE\npipe me | y => error\n\
         !prlimit -p ${y.pid} --nofile=1000:\ny: sock recv b --nowait => EAGAIN\n\
         pipe me | y\npipe write \"x\"\ny: pipe read => \"x\"",
    );
}
