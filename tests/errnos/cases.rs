//! The errnos of System V's commands: who can reach each, and how.

/// Who can reach it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    Anyone,
    /// Root is never refused.
    User,
    /// Root makes the object, and an ordinary user is refused.
    Stranger,
    /// Anyone with limits of his own, set by these words of `sh`.
    Limits(&'static str),
    /// An ordinary user with such limits.
    UserLimits(&'static str),
    /// In an IPC namespace of its own, with a lowered sysctl.
    Namespace(&'static str),
}
use Who::{Anyone, Limits, Namespace, Stranger, User, UserLimits};

/// Who, the command, the errno, and a script whose last step gives it. `KEY` is a free key,
/// `LONG` a message longer than msgmax, `MANY` more operations than semopm. For a stranger
/// there are two parts: what root does, and behind `|` what the stranger does.
pub const CASES: &[(Who, &str, &str, &str)] = &[
    // msgget
    (
        Anyone,
        "msgq create",
        "EEXIST",
        "msgq create key:KEY\nmsgq create key:KEY",
    ),
    (
        Anyone,
        "msgq create",
        "EEXIST",
        "msgq create q\nmsgq create q",
    ),
    (
        Namespace("msgmni 1"),
        "msgq create",
        "ENOSPC",
        "msgq create a\nmsgq create b",
    ),
    (Anyone, "msgq use", "ENOENT", "msgq use key:KEY"),
    (
        Anyone,
        "msgq use",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq use id:$q.id",
    ),
    // msgsnd
    (
        User,
        "msgq send",
        "EACCES",
        "msgq create q mode=0400\nmsgq send q 1 \"x\"",
    ),
    (
        Stranger,
        "msgq send",
        "EACCES",
        "msgq create q mode=0644|msgq send id:ID 1 \"x\"",
    ),
    (
        Anyone,
        "msgq send",
        "EAGAIN",
        "msgq create q\nmsgq set q qbytes=1\nmsgq send q 1 \"xy\" --nowait",
    ),
    (
        Anyone,
        "msgq send",
        "EIDRM",
        "msgq create q\nmsgq set q qbytes=1\nb: msgq send q 1 \"xy\" ...\nmsgq rm q\nb: ...",
    ),
    (
        Anyone,
        "msgq send",
        "EINTR",
        "msgq create q\nmsgq set q qbytes=1\nb: msgq send q 1 \"xy\" ...\ncancel b\nb: ...",
    ),
    (
        Anyone,
        "msgq send",
        "EINVAL",
        "msgq create q\nmsgq send q 0 \"x\"",
    ),
    (
        Anyone,
        "msgq send",
        "EINVAL",
        "msgq create q\nmsgq send q -1 \"x\"",
    ),
    (
        Anyone,
        "msgq send",
        "EINVAL",
        "msgq create q\nmsgq send q 1 LONG",
    ),
    (
        Anyone,
        "msgq send",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq send id:$q.id 1 \"x\"",
    ),
    // msgrcv
    (
        Anyone,
        "msgq recv",
        "E2BIG",
        "msgq create q\nmsgq send q 1 \"abc\"\nmsgq recv q max=2",
    ),
    (
        User,
        "msgq recv",
        "EACCES",
        "msgq create q mode=0200\nmsgq recv q --nowait",
    ),
    (
        Stranger,
        "msgq recv",
        "EACCES",
        "msgq create q mode=0622|msgq recv id:ID --nowait",
    ),
    (
        Anyone,
        "msgq recv",
        "EIDRM",
        "msgq create q\nb: msgq recv q ...\nmsgq rm q\nb: ...",
    ),
    (
        Anyone,
        "msgq recv",
        "EINTR",
        "msgq create q\nb: msgq recv q ...\ncancel b\nb: ...",
    ),
    (
        Anyone,
        "msgq recv",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq recv id:$q.id",
    ),
    (
        Anyone,
        "msgq recv",
        "ENOMSG",
        "msgq create q\nmsgq recv q --nowait",
    ),
    (
        Anyone,
        "msgq recv",
        "ENOMSG",
        "msgq create q\nmsgq send q 2 \"x\"\nmsgq recv q 1 --nowait",
    ),
    (
        Anyone,
        "msgq recv",
        "ENOMSG",
        "msgq create q\nmsgq send q 2 \"x\"\nmsgq recv q 2 --except --nowait",
    ),
    // msgctl
    (
        Anyone,
        "msgq set",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq set id:$q.id qbytes=1",
    ),
    (
        Anyone,
        "msgq set",
        "EINVAL",
        "msgq create q\nmsgq set q owner=4294967295",
    ),
    (
        User,
        "msgq set",
        "EPERM",
        "msgq create q\nmsgq set q qbytes=1G",
    ),
    (
        Stranger,
        "msgq set",
        "EPERM",
        "msgq create q mode=0666|msgq set id:ID mode=0600",
    ),
    (
        Anyone,
        "msgq rm",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq rm id:$q.id",
    ),
    (Anyone, "msgq rm", "ENOENT", "msgq rm key:KEY"),
    (
        Stranger,
        "msgq rm",
        "EPERM",
        "msgq create q mode=0666|msgq rm id:ID",
    ),
    (
        Anyone,
        "msgq info",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq info id:$q.id",
    ),
    // shmget
    (
        Anyone,
        "shm create",
        "EEXIST",
        "shm create key:KEY\nshm create key:KEY",
    ),
    (Anyone, "shm create", "EINVAL", "shm create s 0"),
    (
        Anyone,
        "shm create",
        "EINVAL",
        "shm create s 9223372036854775808",
    ),
    (Anyone, "shm create", "ENOMEM", "shm create s 4000000T"),
    (
        Namespace("shmmni 1"),
        "shm create",
        "ENOSPC",
        "shm create a\nshm create b",
    ),
    (
        Namespace("shmall 1"),
        "shm create",
        "ENOSPC",
        "shm create a 64K",
    ),
    (
        Namespace("shmmax 1"),
        "shm create",
        "EINVAL",
        "shm create a 64K",
    ),
    (Anyone, "shm use", "ENOENT", "shm use key:KEY"),
    (
        Anyone,
        "shm use",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm use id:$s.id",
    ),
    // shmat, shmdt, and what lies behind them
    (
        User,
        "shm attach",
        "EACCES",
        "shm create s mode=0400\nshm attach s",
    ),
    (
        User,
        "shm attach",
        "EACCES",
        "shm create s mode=0\nshm attach s --ro",
    ),
    (
        Stranger,
        "shm attach",
        "EACCES",
        "shm create s mode=0644|shm attach id:ID",
    ),
    (
        Anyone,
        "shm attach",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm attach id:$s.id",
    ),
    (
        Limits("ulimit -v 600000"),
        "shm attach",
        "ENOMEM",
        "shm create s 1G\nshm attach s",
    ),
    (
        Limits("ulimit -v 600000"),
        "shm write",
        "ENOMEM",
        "shm create s 1G\nshm write s \"x\"",
    ),
    (
        Limits("ulimit -v 600000"),
        "shm read",
        "ENOMEM",
        "shm create s 1G\nshm read s",
    ),
    (
        Limits("ulimit -v 600000"),
        "shm dump",
        "ENOMEM",
        "shm create s 1G\nshm dump s",
    ),
    (Anyone, "shm detach", "EINVAL", "shm create s\nshm detach s"),
    (
        User,
        "shm write",
        "EACCES",
        "shm create s mode=0400\nshm write s \"x\"",
    ),
    (
        Anyone,
        "shm write",
        "EACCES",
        "shm create s\nshm attach s --ro\nshm write s \"x\"",
    ),
    (
        Anyone,
        "shm write",
        "EACCES",
        "shm create s\nshm attach s --ro\nshm write s u32@0 1",
    ),
    (
        Stranger,
        "shm write",
        "EACCES",
        "shm create s mode=0644|shm write id:ID \"x\"",
    ),
    (
        Anyone,
        "shm write",
        "EFAULT",
        "shm create s\nshm write s @4095 \"xy\"",
    ),
    (
        Anyone,
        "shm write",
        "EFAULT",
        "shm create s\nshm write s u64@4089 1",
    ),
    (
        Anyone,
        "shm write",
        "EFAULT",
        "shm create s\nshm write s @18446744073709551615 \"x\"",
    ),
    (
        Anyone,
        "shm write",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm write id:$s.id \"x\"",
    ),
    (
        User,
        "shm read",
        "EACCES",
        "shm create s mode=0200\nshm read s",
    ),
    (
        Stranger,
        "shm read",
        "EACCES",
        "shm create s|shm read id:ID",
    ),
    (
        Anyone,
        "shm read",
        "EFAULT",
        "shm create s\nshm read s @4096 1",
    ),
    (
        Anyone,
        "shm read",
        "EFAULT",
        "shm create s\nshm read s u16@4095",
    ),
    (
        Anyone,
        "shm read",
        "EFAULT",
        "shm create s\nshm read s @9223372036854775807 1",
    ),
    (
        Anyone,
        "shm read",
        "EFAULT",
        "shm create s\nshm read s @1 18446744073709551615",
    ),
    (
        Anyone,
        "shm read",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm read id:$s.id",
    ),
    (
        User,
        "shm dump",
        "EACCES",
        "shm create s mode=0200\nshm dump s",
    ),
    (
        Anyone,
        "shm dump",
        "EFAULT",
        "shm create s\nshm dump s @4096 1",
    ),
    (
        Anyone,
        "shm dump",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm dump id:$s.id",
    ),
    // shmctl
    (
        Anyone,
        "shm set",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm set id:$s.id mode=0600",
    ),
    (
        UserLimits("ulimit -l 4"),
        "shm set",
        "ENOMEM",
        "shm create s 1M\nshm set s --lock",
    ),
    (
        UserLimits("ulimit -l 0"),
        "shm set",
        "EPERM",
        "shm create s\nshm set s --lock",
    ),
    (
        Stranger,
        "shm set",
        "EPERM",
        "shm create s mode=0666|shm set id:ID mode=0600",
    ),
    (
        Anyone,
        "shm rm",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm rm id:$s.id",
    ),
    (Anyone, "shm rm", "ENOENT", "shm rm key:KEY"),
    (
        Stranger,
        "shm rm",
        "EPERM",
        "shm create s mode=0666|shm rm id:ID",
    ),
    (
        Anyone,
        "shm info",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm info id:$s.id",
    ),
    // semget
    (User, "sem create", "EACCES", "sem create s 1 mode=0400"),
    (
        Anyone,
        "sem create",
        "EEXIST",
        "sem create key:KEY\nsem create key:KEY",
    ),
    (Anyone, "sem create", "EINVAL", "sem create s count=0"),
    (
        Anyone,
        "sem create",
        "EINVAL",
        "sem create s count=2147483647",
    ),
    (Anyone, "sem create", "ERANGE", "sem create s 32768"),
    (Anyone, "sem create", "ERANGE", "sem create s -1 count=2"),
    (
        Namespace("sem 32000 32000 500 1"),
        "sem create",
        "ENOSPC",
        "sem create a\nsem create b",
    ),
    (
        Namespace("sem 32000 2 500 9"),
        "sem create",
        "ENOSPC",
        "sem create a count=3",
    ),
    (Anyone, "sem use", "ENOENT", "sem use key:KEY"),
    (
        Anyone,
        "sem use",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem use id:$s.id",
    ),
    // semop, semtimedop
    (User, "sem p", "EACCES", "sem create s 0 mode=0400\nsem p s"),
    (
        Stranger,
        "sem p",
        "EACCES",
        "sem create s mode=0644|sem p id:ID",
    ),
    (
        Anyone,
        "sem p",
        "EAGAIN",
        "sem create s 0\nsem p s --nowait",
    ),
    (
        Anyone,
        "sem p",
        "EAGAIN",
        "sem create s 0\nsem p s timeout=1ms",
    ),
    (Anyone, "sem p", "EFBIG", "sem create s\nsem p s[1]"),
    (
        Anyone,
        "sem p",
        "EIDRM",
        "sem create s 0\nb: sem p s ...\nsem rm s\nb: ...",
    ),
    (
        Anyone,
        "sem p",
        "EINTR",
        "sem create s 0\nb: sem p s ...\ncancel b\nb: ...",
    ),
    (
        Anyone,
        "sem p",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem p id:$s.id",
    ),
    (User, "sem v", "EACCES", "sem create s 0 mode=0400\nsem v s"),
    (Anyone, "sem v", "EFBIG", "sem create s\nsem v s[65535]"),
    (
        Anyone,
        "sem v",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem v id:$s.id",
    ),
    (Anyone, "sem v", "ERANGE", "sem create s 1\nsem v s 32767"),
    (User, "sem z", "EACCES", "sem create s 0 mode=0200\nsem z s"),
    (
        Anyone,
        "sem z",
        "EAGAIN",
        "sem create s 1\nsem z s --nowait",
    ),
    (Anyone, "sem z", "EFBIG", "sem create s\nsem z s[1]"),
    (
        Anyone,
        "sem z",
        "EIDRM",
        "sem create s 1\nb: sem z s ...\nsem rm s\nb: ...",
    ),
    (
        Anyone,
        "sem z",
        "EINTR",
        "sem create s 1\nb: sem z s ...\ncancel b\nb: ...",
    ),
    (
        Anyone,
        "sem z",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem z id:$s.id",
    ),
    (Anyone, "sem op", "E2BIG", "sem create s 0\nsem op s MANY"),
    (
        User,
        "sem op",
        "EACCES",
        "sem create s 0 mode=0400\nsem op s 0:+1",
    ),
    (
        Anyone,
        "sem op",
        "EAGAIN",
        "sem create s 0\nsem op s 0:+1 0:-2n",
    ),
    (
        Anyone,
        "sem op",
        "EFBIG",
        "sem create s 0\nsem op s 0:+1 1:+1",
    ),
    (
        Anyone,
        "sem op",
        "EIDRM",
        "sem create s 0\nb: sem op s 0:-1 ...\nsem rm s\nb: ...",
    ),
    (
        Anyone,
        "sem op",
        "EINTR",
        "sem create s 0\nb: sem op s 0:-1 ...\ncancel b\nb: ...",
    ),
    (
        Anyone,
        "sem op",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem op id:$s.id 0:+1",
    ),
    (
        Anyone,
        "sem op",
        "ERANGE",
        "sem create s 1\nsem op s 0:+32767",
    ),
    // semctl
    (
        User,
        "sem get",
        "EACCES",
        "sem create s 0 mode=0200\nsem get s",
    ),
    (Anyone, "sem get", "EINVAL", "sem create s\nsem get s[1]"),
    (
        Anyone,
        "sem get",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem get id:$s.id",
    ),
    (
        User,
        "sem set",
        "EACCES",
        "sem create s 0 mode=0400\nsem set s 1",
    ),
    (Anyone, "sem set", "EINVAL", "sem create s\nsem set s[1] 1"),
    (
        Stranger,
        "sem set",
        "EPERM",
        "sem create s mode=0666|sem set id:ID mode=0600",
    ),
    (Anyone, "sem set", "ERANGE", "sem create s\nsem set s 32768"),
    (
        Anyone,
        "sem set",
        "ERANGE",
        "sem create s count=2\nsem set s 1 -1",
    ),
    (
        Anyone,
        "sem rm",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem rm id:$s.id",
    ),
    (Anyone, "sem rm", "ENOENT", "sem rm key:KEY"),
    (
        Stranger,
        "sem rm",
        "EPERM",
        "sem create s mode=0666|sem rm id:ID",
    ),
    (
        Anyone,
        "sem info",
        "EINVAL",
        "let s = sem create s\nsem rm s\nsem info id:$s.id",
    ),
    // Looking
    (
        User,
        "msgq peek",
        "EACCES",
        "msgq create q mode=0200\nmsgq peek q",
    ),
    (
        Anyone,
        "msgq peek",
        "EINVAL",
        "let q = msgq create q\nmsgq rm q\nmsgq peek id:$q.id",
    ),
    (Anyone, "msgq peek", "ENOMSG", "msgq create q\nmsgq peek q"),
    (Anyone, "shm peek", "EACCES", "shm create s\nshm peek s"),
    (
        Anyone,
        "shm peek",
        "EFAULT",
        "shm create s 8\nb: shm attach s\nshm peek s @8 1",
    ),
    (
        Anyone,
        "shm peek",
        "EINVAL",
        "let s = shm create s\nshm rm s\nshm peek id:$s.id",
    ),
    (Anyone, "shm peek", "ENOENT", "shm peek /KEY"),
];

/// What no test can bring about: the kernel's own memory would have to run out.
pub const NO_MEMORY: [&str; 6] = [
    "msgq create",
    "msgq send",
    "sem create",
    "sem p",
    "sem v",
    "sem op",
];

/// What cannot be brought about at will: a kernel without message copies, and an object that
/// another process removes in the midst of our call.
pub const NOT_HERE: [(&str, &str); 4] = [
    ("msgq peek", "ENOSYS"),
    ("msgq rm", "EIDRM"),
    ("sem rm", "EIDRM"),
    ("shm rm", "EIDRM"),
];
