//! Every errno that a user can reach, reached by a script that claims it.

mod harness;

use harness::{passes, script};

/// Scripts that pass as they stand, as root and as an ordinary user.
const REACHED: &[(&str, &str)] = &[
    (
        "msgget EEXIST",
        "msgq create key:0x4a000001\nmsgq create key:0x4a000001 => EEXIST",
    ),
    (
        "msgget EEXIST by name",
        "msgq create a\nmsgq create a => EEXIST",
    ),
    ("msgget ENOENT", "msgq info key:0x4a0000ff => ENOENT"),
    ("ftok ENOENT", "msgq recv key:/no/such/file,1 => ENOENT"),
    (
        "msgsnd EAGAIN",
        "msgq create a\nmsgq set a qbytes=4\nmsgq send 1 \"1234\"\nmsgq send 1 \"x\" --nowait => EAGAIN",
    ),
    (
        "msgsnd EINVAL type",
        "msgq create a\nmsgq send 0 \"x\" => EINVAL\nmsgq send -1 \"x\" => EINVAL",
    ),
    (
        "msgsnd EINVAL id",
        "msgq send id:2147483647 1 \"x\" => EINVAL",
    ),
    (
        "msgsnd EINTR",
        "msgq create a\nmsgq set a qbytes=4\nmsgq send 1 \"1234\"\nb: msgq send a 1 \"x\" ...\ncancel b\nb: ... => EINTR",
    ),
    (
        "msgsnd EIDRM",
        "msgq create a\nmsgq set a qbytes=4\nmsgq send 1 \"1234\"\nb: msgq send a 1 \"x\" ...\nmsgq rm a\nb: ... => EIDRM",
    ),
    (
        "msgrcv ENOMSG",
        "msgq create a\nmsgq recv --nowait => ENOMSG\nmsgq send 1 \"x\"\nmsgq recv 2 --nowait => ENOMSG",
    ),
    (
        "msgrcv E2BIG",
        "msgq create a\nmsgq send 1 \"12345\"\nmsgq recv max=2 => E2BIG\nmsgq recv => \"12345\"",
    ),
    (
        "msgrcv EINVAL",
        "msgq create a\nlet q = msgq create b\nmsgq rm b\nmsgq recv id:$q.id => EINVAL",
    ),
    (
        "msgrcv EIDRM",
        "msgq create a\nb: msgq recv a ...\nmsgq rm a\nb: ... => EIDRM",
    ),
    (
        "msgrcv EINTR",
        "msgq create a\nb: msgq recv a ...\ncancel b\nb: ... => EINTR",
    ),
    (
        "msgctl EINVAL",
        "msgq info id:2147483647 => EINVAL\nmsgq rm id:2147483647 => EINVAL\nmsgq use id:2147483647 => EINVAL",
    ),
    (
        "shmget EINVAL",
        "shm create a 0 => EINVAL\nshm create a 9223372036854775808 => EINVAL",
    ),
    (
        "shmget EEXIST",
        "shm create key:0x4a000002\nshm create key:0x4a000002 => EEXIST",
    ),
    ("shmget ENOENT", "shm read key:0x4a0000ff => ENOENT"),
    ("shmat EINVAL", "shm read id:2147483647 => EINVAL"),
    (
        "shmctl EINVAL",
        "shm rm id:2147483647 => EINVAL\nshm info id:2147483647 => EINVAL",
    ),
    (
        "past the end",
        "shm create a 16\nshm write @15 \"xy\" => EFAULT\nshm read u32@13 => EFAULT\nshm write @16 \"x\" => EFAULT",
    ),
    (
        "read-only",
        "shm create a\nshm attach a --ro\nshm write \"x\" => EACCES",
    ),
    (
        "semget EINVAL",
        "sem create a count=0 => EINVAL\nsem create a count=2147483647 => EINVAL",
    ),
    (
        "semget EEXIST",
        "sem create key:0x4a000003\nsem create key:0x4a000003 => EEXIST",
    ),
    ("semget ENOENT", "sem p key:0x4a0000ff => ENOENT"),
    (
        "semop EAGAIN",
        "sem create a 0\nsem p --nowait => EAGAIN\nsem p timeout=10ms => EAGAIN\nsem v\nsem z --nowait => EAGAIN",
    ),
    ("semop EFBIG", "sem create a 1 count=2\nsem p a[5] => EFBIG"),
    ("semop ERANGE", "sem create a 32767\nsem v => ERANGE"),
    ("semop EINVAL", "sem p id:2147483647 => EINVAL"),
    (
        "semop EIDRM",
        "sem create a 0\nb: sem p a ...\nsem rm a\nb: ... => EIDRM",
    ),
    (
        "semop EINTR",
        "sem create a 0\nb: sem p a ...\ncancel b\nb: ... => EINTR",
    ),
    (
        "semctl ERANGE",
        "sem create a 40000 => ERANGE\nsem create b 1\nsem set b 40000 => ERANGE\nsem get b => 1",
    ),
    ("semctl EINVAL", "sem get id:2147483647 => EINVAL"),
    (
        "bind",
        "sock listen /no/such/dir/s => ENOENT\nsock listen /dev/null/s => ENOTDIR\n\
         sock listen /dev/null => EADDRINUSE\nsock listen tcp:203.0.113.1:1 => EADDRNOTAVAIL\n\
         sock listen $WORK/s\nsock listen $WORK/s => EADDRINUSE\n\
         let a = sock listen tcp:127.0.0.1:0\nsock listen $a.address => EADDRINUSE",
    ),
    (
        "a long address",
        "let l = \"0123456789012345678901234567890123456789012345678901234567890123456789\"\n\
         sock listen $WORK/$l/$l => ENAMETOOLONG\nsock listen \"@${l}${l}\" => ENAMETOOLONG\n\
         sock connect \"@${l}${l}\" => ENAMETOOLONG",
    ),
    (
        "names of sockets",
        "sock pair stream a b\nsock listen $WORK/s name=a => EEXIST\nsock close a\n\
         sock close b\nsock listen $WORK/s name=a\nsock send b \"x\" => EBADF",
    ),
    (
        "connect",
        "sock connect $WORK/s => ENOENT\nsock connect @no-such-name-here => ECONNREFUSED\n\
         sock connect /dev/null => ECONNREFUSED\nsock connect tcp:127.0.0.1:1 => ECONNREFUSED\n\
         sock connect tcp:203.0.113.999:1 => error\n\
         sock listen $WORK/s seqpacket\nsock connect $WORK/s => EPROTOTYPE",
    ),
    (
        "connect EAGAIN EINTR",
        "sock listen $WORK/s backlog=0\na: sock connect $WORK/s\n\
         b: sock connect $WORK/s --nowait => EAGAIN\nb: sock connect $WORK/s ...\ncancel b\n\
         b: ... => EINTR",
    ),
    (
        "accept",
        "sock listen $WORK/s\nsock accept --nowait => EAGAIN\nb: sock accept $WORK/s ...\n\
         cancel b\nb: ... => EINTR\nsock pair stream x y\nsock accept x => EINVAL\n\
         sock pair dgram v w\nsock accept v => EOPNOTSUPP",
    ),
    (
        "send",
        "sock pair stream a b\nsock close b\nsock send a \"x\" => EPIPE\n\
         sock send a \"x\" to=$WORK/none => EISCONN\n\
         sock listen $WORK/d dgram name=d\nsock send d \"x\" => ENOTCONN\n\
         sock send d \"x\" to=$WORK/none => ENOENT\nsock listen $WORK/s name=s\n\
         sock send d \"x\" to=$WORK/s => EPROTOTYPE\nsock send s \"x\" => ENOTCONN\n\
         sock send s \"x\" to=$WORK/d => EOPNOTSUPP",
    ),
    (
        "send EAGAIN EINTR",
        "sock pair seqpacket a b\nrepeat 2000 { sock send a \"x\" --nowait } => EAGAIN\n\
         sock send a \"x\" ...\ncancel me\n... => EINTR",
    ),
    (
        "recv ECONNRESET",
        "sock pair stream a b\nsock send a \"unread\"\nsock send b \"lost\"\nsock close b\n\
         sock recv a => \"lost\"\nsock recv a => ECONNRESET",
    ),
    (
        "recv",
        "sock listen $WORK/s\nsock recv $WORK/s => EINVAL\nsock cred $WORK/s\n\
         sock pair dgram a b\nsock recv a --nowait => EAGAIN\nsock peek a => EAGAIN\n\
         sock recv a --line => error\nsock recv a ...\ncancel me\n... => EINTR\n\
         let t = sock listen tcp:127.0.0.1:0 name=t\nsock recv t => ENOTCONN\n\
         sock cred t => EOPNOTSUPP\nc: sock connect $t.address\nsock accept t name=u\n\
         c: sock send \"unread\"\nexpect sock.u.rqueue == 6 within 5s\nsock close u\n\
         c: sock recv => ECONNRESET\nc: sock shutdown w => ENOTCONN",
    ),
    (
        "nobody has it open",
        "sock pair stream a b\nsock close a\nsock recv a => EBADF\nsock close a => EBADF\n\
         sock use a => EBADF",
    ),
];

#[test]
fn what_a_script_claims_the_kernel_says() {
    for (what, text) in REACHED {
        let ran = script(text);
        assert_eq!(
            ran.code,
            Some(0),
            "{what}\n{text}\n--\n{}\n--\n{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn a_message_longer_than_msgmax_is_refused() {
    let msgmax = std::fs::read_to_string("/proc/sys/kernel/msgmax").unwrap();
    let length: usize = msgmax.trim().parse().unwrap();
    let text = format!(
        "msgq create a\nmsgq set a qbytes={}\nmsgq send 1 \"{}\" => EINVAL\nmsgq send 1 \"{}\"\nlet m = msgq recv",
        length.min(16384),
        "x".repeat(length + 1),
        "x".repeat(length.min(16384)),
    );
    passes(&text);
}

#[test]
fn a_message_longer_than_the_buffer_is_refused() {
    let text = std::fs::read_to_string("/proc/sys/net/core/wmem_default").unwrap();
    let buffer: usize = text.trim().parse().unwrap();
    let long = "x".repeat(buffer + 1);
    let ran = passes(
        &format!(
            "sock pair dgram a b\nsock send a \"{long}\" => EMSGSIZE\n\
         sock pair stream c d\nc: sock send c \"{long}{long}\" ...\nsock recv d\nsock recv d\n\
         sock recv d\nc: sock close c\nsock recv d"
        )
        .replace(
            "\nc: sock close c\nsock recv d",
            "\ncancel c\nc: ... => EINTR",
        ),
    );
    assert!(ran.out.contains("longer than the socket's buffer"));
}

#[test]
fn more_operations_than_semopm_are_refused() {
    let sem = std::fs::read_to_string("/proc/sys/kernel/sem").unwrap();
    let semopm: usize = sem
        .split_ascii_whitespace()
        .nth(2)
        .unwrap()
        .parse()
        .unwrap();
    let ops = "0:+1 ".repeat(semopm + 1);
    passes(&format!(
        "sem create a 0\nsem op a {ops} => E2BIG\nsem get => 0"
    ));
}

/// Another user's objects: root makes them, and an ordinary user is refused.
#[test]
fn somebody_elses_objects_are_guarded() {
    if !ipcsh::kernel::process::geteuid().eq(&0) {
        println!("skipped: only root can make objects for another user");
        return;
    }
    // As root nothing is refused, so the ordinary user is a program that root starts.
    let text = "
        let q = msgq create a
        let s = sem create b 1
        let m = shm create c
        require program setpriv
        !setpriv --reuid=65534 --regid=65534 --clear-groups \"$BIN\" -c \"msgq send id:$q_id 1 'x' => EACCES\" -c \"msgq recv id:$q_id => EACCES\" -c \"msgq rm id:$q_id => EPERM\" -c \"sem p id:$s_id => EACCES\" -c \"sem rm id:$s_id => EPERM\" -c \"shm read id:$m_id => EACCES\" -c \"shm rm id:$m_id => EPERM\" -c \"msgq info id:$q_id\"
    ";
    let copy = std::env::temp_dir().join(format!("ipcsh-{}", std::process::id()));
    std::fs::copy(harness::program(), &copy).unwrap();
    let define = format!("BIN={}", copy.display());
    let ran = harness::run(&["-D", &define, "-"], text.as_bytes());
    std::fs::remove_file(&copy).unwrap();
    assert!(matches!(ran.code, Some(0 | 77)), "{}\n{}", ran.out, ran.err);
}
