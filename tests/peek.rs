//! `peek`: what is inside is seen, and nothing of it changes.

mod harness;

mod stranger;

use harness::{passes, run, script};
use stranger::Stranger;

#[test]
fn every_family_is_looked_into_and_nothing_changes() {
    let name = format!("/ipcsh-peek-{}", std::process::id());
    passes(&format!(
        "msgq create q\nmsgq send 2 \"two\"\nmsgq send 1 x\"00 ff\"
        peek q => type=2 \"two\"\npeek q => \"two\"
        expect msgq.q.qnum == 2
        expect msgq.q.lrpid == -
        msgq recv => \"two\"
        pipe create p\npipe write x\"00 ff\"\npeek p => x\"00 ff\"\npipe read => x\"00 ff\"
        mkfifo $WORK/f\nfifo open $WORK/f rw\nfifo write \"in it\"\npeek $WORK/f => \"in it\"
        fifo read => \"in it\"
        sock pair seqpacket a b\nsock send a \"one\"\nsock send a \"two\"
        peek b => \"one\"\nsock recv b => \"one\"\nsock recv b => \"two\"
        sem create s 1 count=3\nsem p s[1]\npeek s => \"1 0 1\"\npeek s[2] => 1
        sem create {name} 7\npeek sem.{name} => 7
        shm create {name} 16\nshm write \"file\"\npeek shm.{name} => \"file\""
    ));
}

#[test]
fn a_segment_is_seen_in_the_memory_of_who_has_it() {
    let ran = passes(
        "shm create s 64
        b: shm attach s
        b: shm write s @8 \"hello\"
        let before = shm use s
        !sleep 1.1
        shm peek s @8 => \"hello\"
        shm peek s u8@8 => 104
        shm peek s @8 3 => \"hel\"
        peek s => x\"00 00 00 00 00 00 00 00 68 65 6c 6c 6f\"
        expect shm.s.u8@8 == 104
        expect shm.s.nattch == 1
        expect shm.s.lpid == ${b.pid}
        expect shm.s.dtime == 0
        shm peek s @60 5 => EFAULT
        b: shm detach s
        shm peek s => EACCES",
    );
    assert!(ran.out.contains("nobody has it attached"), "{}", ran.out);
}

#[test]
fn a_posix_queue_is_said_to_be_closed_to_the_eye() {
    let name = format!("/ipcsh-peek-q-{}", std::process::id());
    let ran = script(&format!(
        "msgq create {name}\nmsgq send 1 \"xyz\"\npeek {name}"
    ));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("it holds 1 message, 3 bytes"),
        "{}",
        ran.err
    );
    let ran = script(&format!(
        "msgq create {name}\nmsgq send 1 \"xyz\"\nmsgq peek {name}"
    ));
    assert!(
        ran.err.contains("it holds 1 message, 3 bytes"),
        "{}",
        ran.err
    );
}

#[test]
fn what_a_descriptor_is_open_on_is_seen_without_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut python) = Stranger::start(&format!(
        "os.chdir('{}')\n\
         name = b'/ipcsh-bare-%d' % os.getpid()\n\
         kept = sure(libc.shm_open(name, os.O_RDWR | os.O_CREAT, 0o600)); os.write(kept, b'kept')\n\
         lost = sure(libc.shm_open(name + b'x', os.O_RDWR | os.O_CREAT, 0o600))\n\
         os.write(lost, b'lost'); libc.shm_unlink(name + b'x')\n\
         os.mkfifo('f'); old = os.open('f', os.O_RDWR); os.write(old, b'old'); os.unlink('f')\n\
         os.mkfifo('f'); new = os.open('f', os.O_RDWR); os.write(new, b'new')\n\
         mq = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)\n\
         if mq >= 0: libc.mq_send(mq, b'xyz', 3, 0)\n\
         file = os.open('plain', os.O_CREAT | os.O_RDWR)\n\
         say(kept, lost, old, new, mq, file)\n\
         sys.stdin.readline(); libc.shm_unlink(name); libc.mq_unlink(name); say(0)",
        directory.path().display()
    )) else {
        return;
    };
    let pid = python.pid();
    let fds = python.numbers();
    let at = |fd: usize| format!("pid:{pid}/fd:{}", fds[fd]);
    passes(&format!(
        "peek {} => \"kept\"\npeek {} @1 2 => \"os\"\npeek {} => \"old\"\npeek {} => \"new\"",
        at(0),
        at(1),
        at(2),
        at(3)
    ));
    if fds[4] >= 0 {
        let ran = run(&["-c", &format!("peek {}", at(4))], b"");
        let said = "it holds 1 message, 3 bytes";
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let ran = run(&["-c", &format!("peek {}", at(5))], b"");
    let said = "/plain, which is nothing of IPC";
    assert!(ran.err.contains(said), "{}", ran.err);
    python.tell();
    python.numbers();
    // A queue that has lost its name is still what it is.
    if fds[4] >= 0 {
        let ran = run(&["-c", &format!("peek {}", at(4))], b"");
        assert!(!ran.err.contains("ENOENT"), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_seen_into_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut python) = Stranger::start(&format!(
        "os.chdir('{}')\n\
         s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen()\n\
         c = socket.socket(socket.AF_UNIX); c.connect('s')\n\
         d = socket.socket(socket.AF_UNIX)\n\
         r, w = os.pipe(); os.write(w, b'abc'); os.close(r)\n\
         say(d.fileno(), w)\n\
         time.sleep(1000)",
        directory.path().display()
    )) else {
        return;
    };
    let (pid, fds) = (python.pid(), python.numbers());
    let at = directory.path().display();
    std::fs::write(directory.path().join("plain"), "").unwrap();
    for (reference, said) in [
        (
            format!("{at}/s"),
            "is a listener, in which there are no data".to_string(),
        ),
        (
            format!("{at}/s"),
            "only connections: 1 connection waits".into(),
        ),
        (
            format!("pid:{pid}/fd:{}", fds[0]),
            "EINVAL: it is not connected".into(),
        ),
        (
            format!("pid:{pid}/fd:{}", fds[1]),
            "has it open for reading; it holds 3 bytes".into(),
        ),
        (
            format!("{at}/plain"),
            format!("the file {at}/plain is neither a FIFO nor"),
        ),
        (format!("{at}"), format!("the directory {at} is neither")),
        (
            format!("fifo.{at}/plain"),
            format!("the file {at}/plain is no FIFO"),
        ),
        (
            format!("sock.{at}/plain"),
            format!("the file {at}/plain is no socket file"),
        ),
        (
            "pid:2147483647/fd:1".into(),
            "there is no process 2147483647".into(),
        ),
    ] {
        let ran = run(&["-c", &format!("peek {reference}")], b"");
        assert_eq!(ran.code, Some(1), "{reference}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(&said), "{reference}: {}", ran.err);
    }
}

#[test]
fn a_file_of_the_current_directory_is_found_by_its_quoted_name() {
    let directory = tempfile::tempdir().unwrap();
    let ran = |lines: &[&str]| -> harness::Ran {
        let mut program = std::process::Command::new(harness::program());
        program.current_dir(&directory);
        for line in lines {
            program.args(["-c", line]);
        }
        program.output().unwrap().into()
    };
    for name in ["sp ace", "-x"] {
        nix::unistd::mkfifo(&directory.path().join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let peek = format!("peek \"{name}\" => \"in it\"");
        let open = format!("fifo open \"{name}\" rw");
        let got = ran(&[&open, "fifo write \"in it\"", &peek]);
        assert_eq!(got.code, Some(0), "{}{}", got.out, got.err);
    }
    std::fs::write(directory.path().join("plain"), "").unwrap();
    let got = ran(&["peek \"plain\""]);
    assert!(got.err.contains("the file plain is neither"), "{}", got.err);
    let got = ran(&["peek plain"]);
    assert!(got.err.contains("as a path: ./plain"), "{}", got.err);
    let got = ran(&["peek \"none\""]);
    assert!(got.err.contains("stat(none) = ENOENT"), "{}", got.err);
}

#[test]
fn what_is_shown_can_be_typed() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff\xfebad"));
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let both = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path);
    std::io::Write::write_all(&mut both.as_ref().unwrap(), b"in it").unwrap();
    let shown = ipcsh::data::word(path.as_os_str().as_bytes());
    assert!(shown.starts_with("x\""), "{shown}");
    passes(&format!("peek {shown} => \"in it\"\nwho {shown}"));
    let socket = directory.path().join(std::ffi::OsStr::from_bytes(b"s\xff"));
    let (here, there) = (
        std::os::unix::net::UnixDatagram::bind(&socket).unwrap(),
        std::os::unix::net::UnixDatagram::unbound().unwrap(),
    );
    there.send_to(b"to it", &socket).unwrap();
    let shown = ipcsh::data::word(socket.as_os_str().as_bytes());
    passes(&format!("peek {shown} => \"to it\""));
    drop(here);
    // Names of POSIX objects, as the tables and the messages write them.
    let name = format!("/ipcsh sp\nace-{}", std::process::id());
    let quoted = ipcsh::data::word(name.as_bytes());
    let ran = passes(&format!(
        "shm create shm.{quoted} 8\nshm write shm.{quoted} \"typed\"\npeek shm.{quoted} => \"typed\"
        peek {quoted} => \"typed\"\nsem create sem.{quoted} 2\npeek sem.{quoted} => 2
        sem p sem.{quoted}\nexpect sem.{quoted}.value == 1\nshm ls\nwho {quoted} => error"
    ));
    assert!(
        ran.out.contains(&format!("Say which: shm.{quoted}")),
        "{}",
        ran.out
    );
    assert!(ran.out.contains(&format!("# {quoted} ")), "{}", ran.out);
    let ran = script("shm rm sem.\"/a b\"");
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("cannot be a shared memory segment"),
        "{}",
        ran.err
    );
    let ran = script("who shm.x\"2f ff\"");
    assert!(ran.err.contains("x\"2f ff\" is not UTF-8"), "{}", ran.err);
}

#[test]
fn how_much_is_shown_can_be_said() {
    let name = format!("/ipcsh-much-{}", std::process::id());
    let ran = script(&format!(
        "pipe create p\npipe write p \"0123456789\"\npeek p 3 => \"012\"\npeek p max=4 => \"0123\"
        pipe peek p max=2 => \"01\"\npeek p --all => \"0123456789\"
        mkfifo $WORK/f\nfifo open $WORK/f rw\nfifo write \"fifo\"\npeek $WORK/f 1 => \"f\"
        fifo peek $WORK/f max=2 => \"fi\"
        sock pair stream a b\nsock send a \"sock\"\npeek b 2 => \"so\"\npeek b max=3 => \"soc\"
        shm create {name} 6\nshm write \"abc\"\npeek {name} max=2 => \"ab\"
        peek {name} max=99 => \"abc\\x00\\x00\\x00\"\npeek {name} --all => \"abc\\x00\\x00\\x00\"
        peek {name} u8@0 => 97\nsem create s\npeek s max=1 => error\npeek p @3 => error
        msgq create q\npeek q max=1 => error"
    ));
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let said = "max= is of bytes: it means nothing of a message queue";
    assert!(ran.out.contains(said), "{}", ran.out);
    // A person is shown a beginning; a program has all of it.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &[b'x'; 64 << 10]).unwrap();
    let write = format!("pipe write p file\"{}\"", file.path().display());
    let run = |peek: &str, json: &[&str]| {
        run(
            &[json, &["-c", "pipe create p", "-c", &write, "-c", peek]].concat(),
            b"",
        )
    };
    for (peek, json) in [
        ("peek p", &[][..]),
        ("peek p", &["--json"]),
        ("peek p --all", &[]),
        ("peek p 64K", &[]),
    ] {
        let ran = run(peek, json);
        assert!(!ran.err.contains("more bytes"), "{peek}: {}", ran.err);
        assert!(ran.out.len() > 64 << 10, "{peek}: {}", ran.out.len());
    }
}

#[test]
fn an_empty_pipe_whose_writer_cannot_be_seen_has_not_ended() {
    let Some(mut python) = Stranger::start(
        "a, b = socket.socketpair()\n\
         r, w = os.pipe()\n\
         socket.send_fds(a, [b'x'], [w])\n\
         os.close(w)\n\
         say(r)\n\
         sys.stdin.readline()\n\
         a.close(); b.close()\n\
         say(r)\n\
         time.sleep(1000)",
    ) else {
        return;
    };
    let peek = format!("peek pid:{}/fd:{}", python.pid(), python.numbers()[0]);
    let ran = run(&["-c", &peek], b"");
    assert!(
        ran.err.contains("EAGAIN: it is empty, and has writers"),
        "{ran:?}"
    );
    python.tell();
    python.numbers();
    passes(&format!("{peek} => eof"));
}

#[test]
fn what_a_process_has_unmapped_of_a_segment_is_not_taken_for_what_is_there() {
    let Some(mut python) = Stranger::start(
        "size = mmap.PAGESIZE\n\
         id = sure(libc.shmget(0, 3 * size, 0o1600)); say(id); say(size)\n\
         def attach(): return libc.shmat(id, None, 0)\n\
         def unmap(at, first, pages): \
             sure(libc.munmap(ctypes.c_void_p(at + first * size), ctypes.c_size_t(pages * size)))\n\
         at = attach()\n\
         for page in range(3): ctypes.memset(at + page * size, 65 + page, size)\n\
         unmap(at, 0, 1); say(0); sys.stdin.readline()\n\
         unmap(attach(), 1, 2); say(0); sys.stdin.readline()",
    ) else {
        return;
    };
    let id = python.made("m")[0];
    let page = python.numbers()[0];
    python.numbers();
    let peek = |at: i64, outcome: &str| format!("peek shm.id:{id} @{at} 2 => {outcome}\n");
    let ran = passes(
        &(peek(page, "\"BB\"")
            + &peek(2 * page - 1, "\"BC\"")
            + &peek(0, "EACCES")
            + &peek(page - 1, "EACCES")
            + &format!("expect shm.id:{id}.u8@{page} == 66")),
    );
    let said = "no process that may be looked into has all of these bytes mapped";
    assert!(ran.out.contains(said), "{}", ran.out);
    // Between them two attachments have it all.
    python.tell();
    python.numbers();
    passes(&(peek(0, "\"AA\"") + &peek(page - 1, "\"AB\"") + &peek(2 * page, "\"CC\"")));
}

#[test]
fn more_than_can_be_shown_is_refused() {
    let name = format!("/ipcsh-sparse-{}", std::process::id());
    for look in ["shm peek --all", "shm peek @1 8191G", "shm read @1 8191G"] {
        let ran = script(&format!("shm create {name} 8192G\n{look}"));
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(
            ran.err.contains("one step reads 268435456 at most"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn who_may_not_read_a_segment_is_not_told_to() {
    let segment = ipcsh::kernel::shm::get(0, 4096, 0o600, true, true).unwrap();
    let ran = stranger::as_nobody(&format!("shm peek id:{segment}"));
    ipcsh::kernel::shm::remove(segment).unwrap();
    if let Some(ran) = ran {
        let said = ran.out + &ran.err;
        assert!(said.contains("run as its owner or as root"), "{said}");
        assert!(!said.contains("shm read"), "{said}");
    }
}
