use super::*;
use crate::inspect::process::command;
use crate::inspect::wait::waiters;
use crate::inspect::witness::{Ipcrm, Witness, blocked, blocked_now, run, skip, until};

/// What a child waits for, once it is blocked.
fn wait_of(child: &Witness) -> Option<Wait> {
    let seen = child.blocked();
    seen.call().map(|call| decode(child.pid(), call))
}

/// A Perl program that prints the id of a System V object it has made and then blocks,
/// and the guard of that object. Perl has the calls built in: `semop`, `msgrcv`.
fn with_object(flag: &'static str, program: &str) -> Option<(Witness, Ipcrm)> {
    let Some(mut child) = Witness::start("perl", &["-e", &format!("$| = 1; {program}")]) else {
        skip("no perl");
        return None;
    };
    let id = child.line().and_then(|line| line.parse().ok());
    assert!(id.is_some(), "perl did not make an object");
    id.map(|id| (child, Ipcrm { flag, id }))
}

#[test]
fn semop_with_its_operations() {
    // Semaphore 1: wait for zero of 0, take 2 with undo.
    let program = r#"my $s = semget(0, 3, 0600); print "$s\n";
        semop($s, pack("s6", 0, 0, 04000, 1, -2, 010000))"#;
    let Some((child, set)) = with_object("-s", program) else {
        return;
    };
    let wait = wait_of(&child);
    let zero = SemBuf {
        num: 0,
        op: 0,
        undo: false,
        nowait: true,
    };
    let take = SemBuf {
        num: 1,
        op: -2,
        undo: true,
        nowait: false,
    };
    let ops = vec![zero, take];
    assert_eq!(
        wait,
        Some(Wait::SemOp {
            id: set.id,
            ops,
            timeout: false
        })
    );
    let text = wait.map(|wait| wait.text(|_, _| Some("set".into())));
    assert_eq!(text.as_deref(), Some("semop set[0] 0 nowait, [1] -2 undo"));

    // Another witness: the kernel's own count of who waits, GETNCNT.
    let count = format!("print semctl({}, 1, 14, 0)", set.id);
    assert_eq!(run("perl", &["-e", &count]).as_deref(), Some("1"));
    let seen = waiters(crate::inspect::process::pids());
    let on_set = |wait: &Wait| matches!(wait, Wait::SemOp { id, .. } if *id == set.id);
    let pids: Vec<i32> = seen
        .found
        .iter()
        .filter(|w| on_set(&w.wait))
        .map(|w| w.pid)
        .collect();
    assert_eq!(pids, [child.pid()]);
}

#[test]
fn a_semop_that_was_not_read_has_no_operations() {
    assert_eq!(read_ops(std::process::id() as i32, 0, 1), []);
    assert_eq!(read_ops(std::process::id() as i32, 0, u64::MAX), []);
    assert_eq!(read_ops(i32::MAX, 4096, 1), []);
}

#[test]
fn msgrcv_with_its_type() {
    let program =
        r#"my $q = msgget(0, 0600); print "$q\n"; my $b; msgrcv($q, $b, 100, -7, 010000)"#;
    let Some((child, queue)) = with_object("-q", program) else {
        return;
    };
    let wait = wait_of(&child);
    let flags = libc::MSG_NOERROR;
    assert_eq!(
        wait,
        Some(Wait::MsgReceive {
            id: queue.id,
            mtype: -7,
            size: 100,
            flags
        })
    );
    assert!(wait.is_some_and(|wait| wait.is_ipc()));
}

#[test]
fn msgsnd_with_its_type() {
    let program = r#"my $q = msgget(0, 0600); print "$q\n";
        1 while msgsnd($q, pack("l! a*", 9, "x" x 700), 0)"#;
    let Some((child, queue)) = with_object("-q", program) else {
        return;
    };
    let wait = wait_of(&child);
    assert_eq!(
        wait,
        Some(Wait::MsgSend {
            id: queue.id,
            size: 700,
            mtype: Some(9)
        })
    );
}

/// A FIFO, and a name that is not plain.
#[test]
fn open_with_its_path() {
    let Ok(dir) = tempfile::tempdir() else {
        return skip("no temporary directory");
    };
    let fifo = dir.path().join("a b\n");
    assert!(nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).is_ok());
    let child = Witness::start_in(dir.path(), "cat", &["--", "a b\n"]);
    let Some(child) = child else {
        return skip("no cat");
    };
    let wait = wait_of(&child);
    let path = Some("a b\n".into());
    let dirfd = libc::AT_FDCWD;
    assert_eq!(wait, Some(Wait::Open { path, dirfd }));
    let text = wait.as_ref().map(|wait| wait.text(|_, _| None));
    assert_eq!(text.as_deref(), Some(r#"open "a b\n""#));
    let real = std::fs::canonicalize(&fifo).ok();
    assert_eq!(wait.and_then(|wait| opened(child.pid(), &wait)), real);
}

/// A FIFO that was looked at before, and is opened by its descriptor.
#[test]
fn open_by_an_own_link_has_the_path_behind_it() {
    let Ok(dir) = tempfile::tempdir() else {
        return skip("no temporary directory");
    };
    let fifo = dir.path().join("f");
    assert!(nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).is_ok());
    let script = "import os; os.open('/proc/self/fd/%d' % os.open('f', os.O_PATH), os.O_WRONLY)";
    let child = Witness::start_in(dir.path(), "python3", &["-c", script]);
    let Some(child) = child else {
        return skip("no python3");
    };
    // It may wait for something else on its way there.
    let wait = until("open", || {
        wait_of(&child).filter(|wait| matches!(wait, Wait::Open { path: Some(_), .. }))
    });
    assert_eq!(
        opened(child.pid(), &wait),
        std::fs::canonicalize(&fifo).ok()
    );
}

#[test]
fn strings_end_at_the_page_that_is_not_mapped() {
    let me = std::process::id() as i32;
    let text = b"here\0there".to_vec();
    assert_eq!(read_path(me, text.as_ptr() as u64), Some("here".into()));
    let long = vec![b'x'; 3 * 4096];
    assert_eq!(read_path(me, long.as_ptr() as u64), None);
    assert_eq!(read_path(me, 0), None);
    assert_eq!(read_path(me, u64::MAX), None);
    assert_eq!(read_number(me, 0), None);
}

/// Perl's own calls, each in a process of its own. Where a `{}` stands the program prints
/// the descriptor first.
#[test]
fn the_calls_of_perl() {
    let socket = |kind: &str| {
        format!(
            r#"socket(S, AF_UNIX, {kind}, 0); my $name = pack_sockaddr_un("\0ipcsh-inspect-$$");
               bind(S, $name);"#
        )
    };
    let (stream, dgram) = (socket("SOCK_STREAM"), socket("SOCK_DGRAM"));
    let tell = |socket: &str| format!(r#"print fileno({socket}), "\n";"#);
    for (program, words) in [
        ("sysread(STDIN, my $b, 1)".into(), "read fd 0"),
        ("1 while syswrite(STDOUT, 'x' x 4096)".into(), "write fd 1"),
        ("pause()".into(), "sigwait"),
        ("select(undef, undef, undef, undef)".into(), "poll"),
        // The child ends with its standard input.
        (
            "if (fork) { wait } else { sysread(STDIN, my $b, 1) }".into(),
            "wait",
        ),
        (
            format!("{stream} listen(S, 1); {} accept(C, S)", tell("S")),
            "accept fd {}",
        ),
        (
            format!("{dgram} {} recv(S, my $b, 10, 0)", tell("S")),
            "recv fd {}",
        ),
        (
            format!(
                "socketpair(S, T, AF_UNIX, SOCK_STREAM, 0); {} 1 while send(S, 'x' x 4096, 0)",
                tell("S")
            ),
            "send fd {}",
        ),
        // A backlog of 0 takes one.
        (
            format!(
                "{stream} listen(S, 0); socket($_, AF_UNIX, SOCK_STREAM, 0) for (A, B); \
                 connect(A, $name); print $$, qq(\\n); connect(B, $name)"
            ),
            "connect @ipcsh-inspect-{}",
        ),
    ] {
        let program = format!("use POSIX qw(pause); use Socket; $| = 1; {program}");
        let Some(mut child) = Witness::start("perl", &["-e", &program]) else {
            return skip("no perl");
        };
        let fd = words.contains("{}").then(|| child.line()).flatten();
        let words = words.replace("{}", &fd.unwrap_or_default());
        let text = wait_of(&child).map(|wait| wait.text(|_, _| None));
        assert_eq!(text, Some(words), "{program}");
    }
}

#[test]
fn posix_queues() {
    let open = format!(
        r#"my $n = "ipcsh-inspect-$$"; my $q = syscall({}, $n, 0302, 0600, 0);
           exit 1 if $q < 0; syscall({}, $n); my $b = "x" x 8192;"#,
        libc::SYS_mq_open,
        libc::SYS_mq_unlink
    );
    let receive = format!("syscall({}, $q, $b, 8192, 0, 0)", libc::SYS_mq_timedreceive);
    let send = format!(
        "1 while syscall({}, $q, $b, 1, 0, 0) == 0",
        libc::SYS_mq_timedsend
    );
    for (program, call) in [(receive, "mq_receive"), (send, "mq_send")] {
        let program = format!("$| = 1; {open} print \"$q\\n\"; {program}");
        let Some(mut child) = Witness::start("perl", &["-e", &program]) else {
            return skip("no perl");
        };
        let Some(fd) = child.line() else {
            return skip("no POSIX queues here");
        };
        let text = wait_of(&child).map(|wait| wait.text(|_, _| None));
        assert_eq!(text, Some(format!("{call} fd {fd}")));
    }
}

#[test]
fn a_private_futex_is_no_ipc() {
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = tell.send(nix::unistd::gettid().as_raw());
        let _ = receive.recv();
    });
    let me = std::process::id() as i32;
    let tid = told.recv().unwrap_or(0);
    let seen = blocked(me, tid);
    let wait = seen.call().map(|call| decode(me, call));
    assert!(
        matches!(wait, Some(Wait::Futex { private: true, .. })),
        "{wait:?}"
    );
    assert!(!wait.is_some_and(|wait| wait.is_ipc()));
    drop(send);
    assert!(thread.join().is_ok());
}

/// The least program of 32 bits: `pause`, for ever, by `int 0x80`.
#[cfg(target_arch = "x86_64")]
#[test]
fn numbers_of_another_word_size_are_not_trusted() {
    let half = |n: u16| n.to_le_bytes().to_vec();
    let word = |n: u32| n.to_le_bytes().to_vec();
    let base = 0x0804_8000;
    let code: &[u8] = &[0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7];
    let size = 84 + code.len() as u32;
    let elf: Vec<u8> = [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        [
            half(2),
            half(3),
            word(1),
            word(base + 84),
            word(52),
            word(0),
            word(0),
        ]
        .concat(),
        [half(52), half(32), half(1), half(0), half(0), half(0)].concat(),
        [
            word(1),
            word(0),
            word(base),
            word(base),
            word(size),
            word(size),
            word(5),
            word(4096),
        ]
        .concat(),
        code.to_vec(),
    ]
    .concat();
    let Ok(dir) = tempfile::tempdir() else {
        return skip("no temporary directory");
    };
    // Written by the child: were the file open in this process, a child that another test
    // starts meanwhile would hold it open, and the kernel would not run it.
    let script = format!(
        "head -c {} > pause32; chmod 700 pause32; exec ./pause32",
        elf.len()
    );
    let Some(mut child) = Witness::start_in(dir.path(), "sh", &["-c", &script]) else {
        return skip("no sh");
    };
    child.say(&elf);
    let pid = child.pid();
    let seen = until("pause32 waits or has not started", || {
        match child.0.try_wait() {
            Ok(None) if command(pid).as_deref() == Some("pause32") => {
                blocked_now(pid, pid).map(Some)
            }
            Ok(None) => None,
            _ => Some(None),
        }
    });
    let Some(call) = seen.as_ref().and_then(|seen| seen.call()) else {
        return skip("no programs of 32 bits here");
    };
    assert_eq!(decode(child.pid(), call), Wait::Other { nr: 29 });
    assert!(!same_word_size(child.pid(), call));
    // A call as this process would make it has its pointers where 64 bits are needed; in
    // a program loaded low it is the ELF header that tells.
    let low = Syscall {
        sp: 1,
        pc: 1,
        ..*call
    };
    assert!(same_word_size(std::process::id() as i32, &low));
    assert!(!same_word_size(i32::MAX, &low));
}

#[test]
fn arguments_of_an_int_are_its_low_half() {
    let args = [0xffff_ffff_0000_0003, 0, 0, 0, 0, 0];
    let high = 0x7fff_0000_0000;
    let call = Syscall {
        nr: libc::SYS_read,
        args,
        sp: high,
        pc: high,
    };
    assert_eq!(decode(1, &call), Wait::Read { fd: 3 });
    for nr in -10..1000 {
        let call = Syscall {
            nr,
            args: [u64::MAX; 6],
            ..call
        };
        // Whatever the number and the arguments say.
        decode(i32::MAX, &call).text(|_, _| None);
    }
}
