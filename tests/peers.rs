//! Sockets with a peer that is not ours: what ss(8) and Python's `socket` see, and what a script sees of
//! them.

mod harness;

use harness::{has, passes, with_python};

#[test]
fn ss_names_the_processes_and_the_peers_that_a_script_names() {
    if !has("ss") {
        return;
    }
    passes(
        r#"
        let l = sock listen $WORK/s name=l
        b: let c = sock connect $WORK/s name=c
        let a = sock accept l name=a
        !ss -xlpH src $WORK/s | grep -q " $l_ino .*pid=${me.pid},fd=" => ok
        !ss -xpH src $WORK/s | grep -q " $a_ino \* $c_ino .*pid=${me.pid},fd=" => ok
        !ss -xpH | grep -q " $c_ino \* $a_ino .*pid=${b.pid},fd=" => ok
        expect sock.c.peer == a
        expect sock.a.ino == $a.ino
        sock send a "12345"
        !ss -xH | grep -E " 5 +0 +\* $c_ino \* $a_ino" => ok
        expect sock.c.rqueue == 5
        sock close a
        b: sock recv c => "12345"
        b: sock recv c => eof
        !ss -xH src $WORK/s | grep -q . => exit=1
        "#,
    );
}

#[test]
fn socat_answers() {
    if !has("socat") {
        return;
    }
    passes(
        r#"
        !socat UNIX-LISTEN:$WORK/s,fork EXEC:cat &
        !until test -S $WORK/s; do sleep 0.01; done
        sock connect $WORK/s
        sock send x"00 ff 0a"
        sock recv => x"00 ff 0a"
        sock shutdown w
        sock recv => eof
        sock listen $WORK/t name=t
        !printf hello | socat - UNIX-CONNECT:$WORK/t > $WORK/said &
        sock accept t
        sock recv --all => "hello"
        "#,
    );
}

#[test]
fn each_message_has_its_bounds_and_a_stream_has_none() {
    for (kind, name) in [("dgram", "DGRAM"), ("seqpacket", "SEQPACKET")] {
        let program = format!(
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_{name}); s.connect(work + '/s')\n\
             for m in (b'one', b'', b'a\\0b', b'x' * 5000): s.send(m)\n\
             open(work + '/sent', 'w').close()\n"
        );
        // A peer that has gone ends a connection.
        let (accept, end) = match kind {
            "dgram" => ("", "sock recv --nowait => EAGAIN"),
            _ => ("sock accept\n", "sock recv => eof"),
        };
        with_python(
            &program,
            &format!(
                "sock listen $WORK/s {kind}\n!python3 $PY &\n{accept}sock recv => \"one\"\nsock recv => \"\"\n\
                 !until [ -e $WORK/sent ]; do sleep 0.01; done\nsock peek max=1 => \"a\"\nsock recv => x\"61 00 62\"\n\
                 sock recv max=10 => length=5000 \"xxxxxxxxxx\"\n{end}"
            ),
        );
    }
    with_python(
        "s = socket.socket(socket.AF_UNIX); s.connect(work + '/s')\ns.sendall(b'one'); s.sendall(b'two\\n'); s.sendall(b'rest')\n\
         open(work + '/sent', 'w').close(); s.recv(1)\n",
        "sock listen $WORK/s\n!python3 $PY &\nsock accept\n!until [ -e $WORK/sent ]; do sleep 0.01; done\n\
         sock peek => \"onetwo\\nrest\"\nsock recv --line => \"onetwo\\n\"\nsock recv max=2 => \"re\"\n\
         sock recv max=100 => \"st\"\nsock send \"x\"\nsock recv => eof",
    );
}

#[test]
fn who_is_on_the_other_side_is_what_both_say() {
    // Python asks SO_PEERCRED of the connection, and writes what it says.
    let cred = "p, u, g = struct.unpack('3i', c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)); \
                c.sendall(f'{p} {u} {g} {os.getpid()}'.encode()); c.recv(1)\n";
    with_python(
        &format!(
            "s = socket.socket(socket.AF_UNIX); s.bind(work + '/s'); s.listen()\nc, _ = s.accept()\n{cred}"
        ),
        "!python3 $PY &\n!until test -S $WORK/s; do sleep 0.01; done\n\
         !until ss -xlH src $WORK/s 2>/dev/null | grep -q LISTEN || [ -z \"$(command -v ss)\" ]; do sleep 0.01; done\n\
         b: let c = sock connect $WORK/s\nb: let said = sock recv\nb: let who = sock cred\n\
         !set -- $said; [ $1 = ${b.pid} ] && [ $2 = $(id -u) ] && [ $3 = $(id -g) ] && \
         [ $who_pid = $4 ] && [ $who_uid = $2 ] && [ $who_gid = $3 ] => ok",
    );
    with_python(
        &format!("c = socket.socket(socket.AF_UNIX); c.connect(work + '/s')\n{cred}"),
        "sock listen $WORK/s\n!python3 $PY &\nsock accept\nlet said = sock recv\nlet who = sock cred\n\
         !set -- $said; [ $1 = ${me.pid} ] && [ $who_pid = $4 ] && [ $who_uid = $(id -u) ] => ok",
    );
}

#[test]
fn descriptors_are_the_same_file_on_both_sides() {
    with_python(
        r#"
s = socket.socket(socket.AF_UNIX); s.connect(work + "/s")
_, fds, flags, _ = socket.recv_fds(s, 10, 8)
s.sendall(' '.join(str(os.fstat(fd).st_ino) for fd in fds).encode() + b'\n')
os.write(fds[0], b'written here')
r, w = os.pipe(); f = os.open(work + "/f", os.O_RDWR)
socket.send_fds(s, [b'mine'], [w, f]); os.close(w); os.close(f)
s.sendall(os.read(r, 100)); s.recv(1)
"#,
        "mkfifo $WORK/f\nlet p = pipe create p\nsock pair stream x y\nlet x = sock pair stream v w\n\
         sock listen $WORK/s name=l\n!python3 $PY &\nsock accept l name=c\nsock send c \"three\" --fd p.w --fd p.r --fd v\n\
         let inos = sock recv c --line\n!set -- $inos; [ $1 = $p_ino ] && [ $2 = $p_ino ] && \
         [ $(ls -l /proc/${me.pid}/fd | grep -c \"socket:.$3\") = 1 ] => ok\n\
         pipe read p => \"written here\"\nsock recv c => fds=2 \"mine\"\n\
         pipe write p1 \"through python's\"\n\
         sock recv c => \"through python's\"\nfifo write $WORK/f \"own\"\nfifo read $WORK/f => \"own\"",
    );
}

#[test]
fn a_full_backlog_and_a_full_buffer_block_and_say_so_to_python_too() {
    with_python(
        "s = socket.socket(socket.AF_UNIX); s.bind(work + '/s'); s.listen(0)\n\
         d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind(work + '/d')\n\
         open(work + '/on', 'w').close()\n\
         wait = lambda name: [os.stat(work) for _ in iter(lambda: os.path.exists(work + name), True)]\n\
         wait('/accept'); a, _ = s.accept(); b, _ = s.accept(); wait('/read')\n\
         n = 0\nwhile n < 1000000: n += len(a.recv(1 << 20))\n\
         while True: d.recv(10)\n",
        "!python3 $PY &\n!until test -e $WORK/on; do sleep 0.01; done\na: sock connect $WORK/s name=a\n\
         b: sock connect $WORK/s --nowait => EAGAIN\nb: sock connect $WORK/s name=b ...\n\
         expect actor.b.about ~ re\"1 connection waits to be accepted, its backlog is 0; python3? .pid \"\n\
         !touch $WORK/accept\nb: ... => ok\nlet page = !head -c 10000 /dev/zero\n\
         a: repeat 100 { sock send a $page } ...\n\
         expect actor.a.about ~ re\"a is full .[0-9]+ of [0-9]+ bytes not yet received.; python3? .pid \"\n\
         c: repeat 10000 { sock send \"x\" to=$WORK/d --nowait } => EAGAIN\n\
         d: sock connect $WORK/d dgram name=d\nd: sock send d \"x\" ...\n\
         expect actor.d.about ~ re\"the queue of its receiver is full of messages; python3? .pid \"\n\
         !touch $WORK/read\na: ... => ok\nd: ... => ok",
    );
}

#[test]
fn a_peer_that_dies_is_told() {
    with_python(
        "s = socket.socket(socket.AF_UNIX); s.connect(work + '/s'); s.sendall(b'x'); s.recv(1); os.kill(os.getpid(), 9)\n",
        "sock listen $WORK/s\n!python3 $PY &\nsock accept\nsock recv => \"x\"\nb: sock recv s2 ...\nsock send \"go\"\n\
         b: ... => ECONNRESET\nsock send \"x\" => EPIPE",
    );
    // Its file stays, and is told of as stale.
    with_python(
        "s = socket.socket(socket.AF_UNIX); s.bind(work + '/s'); s.listen(); os.kill(os.getpid(), 9)\n",
        "!python3 $PY; true\nsock connect $WORK/s => ECONNREFUSED\nsock listen $WORK/s => EADDRINUSE\n\
         sock rm $WORK/s\nsock listen $WORK/s",
    );
}
