//! A wait in words, as it is shown and matched: `semop lock -1 undo`.

use std::os::unix::ffi::OsStrExt;

use super::decode::{SemBuf, Wait};
use crate::data::word;
use crate::kernel::socket::Address;

/// What a number in a [`Wait`] is the number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A System V message queue's id.
    Msgq,
    /// A System V semaphore set's id.
    Sem,
    /// A descriptor of the waiting process.
    Fd,
}

/// What an object is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The words to be shown.
    pub text: String,
    /// How many semaphores a set has, where that is known: the index in a set of one is
    /// left out.
    pub nsems: Option<u64>,
}

impl<T: Into<String>> From<T> for Name {
    fn from(text: T) -> Name {
        Name {
            text: text.into(),
            nsems: None,
        }
    }
}

impl Wait {
    /// In words: `semop lock[0] -1 undo`, `msgrcv jobs type 7`, `read fd 3`. `name_of`
    /// names an object by its kind and number; where it gives `None` it is written
    /// `id:32768` or `fd 3`. What the process chose is escaped.
    pub fn text(&self, name_of: impl Fn(Kind, i32) -> Option<Name>) -> String {
        let name = |kind, id: i32| {
            name_of(kind, id).unwrap_or_else(|| match kind {
                Kind::Fd => Name::from(format!("fd {id}")),
                Kind::Msgq | Kind::Sem => Name::from(format!("id:{id}")),
            })
        };
        let on_fd = |call: &str, fd: i32| format!("{call} {}", name(Kind::Fd, fd).text);
        match self {
            Wait::SemOp { id, ops, timeout } => {
                let end = if *timeout { " timeout" } else { "" };
                format!("semop {}{end}", ops_text(&name(Kind::Sem, *id), ops))
            }
            Wait::MsgSend { id, size, mtype } => {
                let queue = name(Kind::Msgq, *id).text;
                match mtype {
                    Some(mtype) => format!("msgsnd {queue} type {mtype} {size} B"),
                    None => format!("msgsnd {queue} {size} B"),
                }
            }
            Wait::MsgReceive {
                id, mtype, flags, ..
            } => {
                let queue = name(Kind::Msgq, *id).text;
                let except = if flags & libc::MSG_EXCEPT != 0 {
                    "except "
                } else {
                    ""
                };
                match mtype {
                    0 => format!("msgrcv {queue}"),
                    mtype => format!("msgrcv {queue} {except}type {mtype}"),
                }
            }
            Wait::Read { fd } => on_fd("read", *fd),
            Wait::Write { fd } => on_fd("write", *fd),
            Wait::Splice { from, to } => {
                format!(
                    "splice {} {}",
                    name(Kind::Fd, *from).text,
                    name(Kind::Fd, *to).text
                )
            }
            Wait::Open { path, .. } => match path {
                Some(path) => format!("open {}", word(path.as_os_str().as_bytes())),
                None => "open".into(),
            },
            Wait::Accept { fd } => on_fd("accept", *fd),
            Wait::Connect { fd, to } => match to.as_ref().and_then(address) {
                Some(to) => format!("connect {to}"),
                None => on_fd("connect", *fd),
            },
            Wait::Receive { fd } => on_fd("recv", *fd),
            Wait::Send { fd, to } => {
                let to = to.as_ref().and_then(address);
                let to = to.map_or(String::new(), |to| format!(" to {to}"));
                on_fd("send", *fd) + &to
            }
            Wait::MqSend { fd } => on_fd("mq_send", *fd),
            Wait::MqReceive { fd } => on_fd("mq_receive", *fd),
            Wait::Futex { addr, .. } => format!("futex {addr:#x}"),
            Wait::Sleep => "nanosleep".into(),
            Wait::SigWait => "sigwait".into(),
            Wait::Poll => "poll".into(),
            Wait::Child => "wait".into(),
            Wait::FileLock { fd } => on_fd("lock", *fd),
            Wait::Restart => "restart_syscall".into(),
            Wait::Other { nr } => format!("syscall {nr}"),
        }
    }
}

/// The address of a socket as it may be written: `/tmp/s`, `@name`, `tcp:127.0.0.1:80`; `None`
/// where it has none.
pub fn address(address: &Address) -> Option<String> {
    address_bytes(address).map(|bytes| word(&bytes))
}

/// The same as it is, whatever bytes it has.
pub fn address_bytes(address: &Address) -> Option<Vec<u8>> {
    match address {
        Address::Unnamed => None,
        Address::Path(path) => Some(path.as_os_str().as_bytes().to_vec()),
        Address::Abstract(name) => Some([b"@", name.as_slice()].concat()),
        Address::Inet(address) => Some(format!("tcp:{address}").into()),
        Address::Other(family) => Some(format!("AF_{family}").into()),
    }
}

/// `lock -1 undo` in a set of one, `set[0] -1, [2] +1` otherwise.
fn ops_text(set: &Name, ops: &[SemBuf]) -> String {
    let single = set.nsems == Some(1) && ops.iter().all(|op| op.num == 0);
    let mut text = set.text.clone();
    for (i, op) in ops.iter().enumerate() {
        match (i, single) {
            (0, true) => text.push(' '),
            (0, false) => text.push_str(&format!("[{}] ", op.num)),
            (_, true) => text.push_str(", "),
            (_, false) => text.push_str(&format!(", [{}] ", op.num)),
        }
        match op.op {
            0 => text.push('0'),
            n => text.push_str(&format!("{n:+}")),
        }
        for (set, word) in [(op.undo, " undo"), (op.nowait, " nowait")] {
            if set {
                text.push_str(word);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn op(num: u16, op: i16, flags: &str) -> SemBuf {
        SemBuf {
            num,
            op,
            undo: flags.contains("undo"),
            nowait: flags.contains("nowait"),
        }
    }

    fn named(kind: Kind, id: i32) -> Option<Name> {
        match (kind, id) {
            (Kind::Sem, 0) => Some(Name {
                text: "lock".into(),
                nsems: Some(1),
            }),
            (Kind::Sem, 1) => Some(Name {
                text: "set".into(),
                nsems: Some(3),
            }),
            (Kind::Sem, 2) => Some("some".into()),
            (Kind::Msgq, 0) => Some("jobs".into()),
            (Kind::Fd, 0) => Some("/tmp/fifo".into()),
            _ => None,
        }
    }

    #[test]
    fn semaphores() {
        for (id, ops, words) in [
            (0, vec![op(0, -1, "")], "semop lock -1"),
            (
                0,
                vec![op(0, 0, ""), op(0, 1, "undo")],
                "semop lock 0, +1 undo",
            ),
            (1, vec![op(0, -1, "undo")], "semop set[0] -1 undo"),
            (
                1,
                vec![op(2, -2, "nowait"), op(0, 1, "")],
                "semop set[2] -2 nowait, [0] +1",
            ),
            (2, vec![op(0, -1, "")], "semop some[0] -1"),
            (0, vec![], "semop lock"),
            (7, vec![op(1, i16::MIN, "")], "semop id:7[1] -32768"),
        ] {
            let wait = Wait::SemOp {
                id,
                ops,
                timeout: false,
            };
            assert_eq!(wait.text(named), words);
        }
        let wait = Wait::SemOp {
            id: 0,
            ops: vec![op(0, -1, "")],
            timeout: true,
        };
        assert_eq!(wait.text(named), "semop lock -1 timeout");
    }

    #[test]
    fn queues() {
        for (id, mtype, flags, words) in [
            (0, 0, 0, "msgrcv jobs"),
            (0, 7, 0, "msgrcv jobs type 7"),
            (0, -7, libc::MSG_NOERROR, "msgrcv jobs type -7"),
            (5, 7, libc::MSG_EXCEPT, "msgrcv id:5 except type 7"),
        ] {
            let wait = Wait::MsgReceive {
                id,
                mtype,
                size: 100,
                flags,
            };
            assert_eq!(wait.text(named), words);
        }
        let mut wait = Wait::MsgSend {
            id: 0,
            size: 12,
            mtype: Some(3),
        };
        assert_eq!(wait.text(named), "msgsnd jobs type 3 12 B");
        if let Wait::MsgSend { mtype, .. } = &mut wait {
            *mtype = None;
        }
        assert_eq!(wait.text(named), "msgsnd jobs 12 B");
    }

    #[test]
    fn descriptors_and_the_rest() {
        for (wait, words) in [
            (Wait::Read { fd: 3 }, "read fd 3"),
            (Wait::Write { fd: 0 }, "write /tmp/fifo"),
            (Wait::Splice { from: 0, to: 1 }, "splice /tmp/fifo fd 1"),
            (Wait::MqReceive { fd: 4 }, "mq_receive fd 4"),
            (
                Wait::Futex {
                    addr: 0x7f00,
                    private: false,
                    timeout: false,
                },
                "futex 0x7f00",
            ),
            (Wait::Other { nr: 999 }, "syscall 999"),
        ] {
            assert_eq!(wait.text(named), words);
        }
    }

    #[test]
    fn a_path_cannot_write_to_the_terminal() {
        for (path, words) in [
            (&b"/tmp/fifo"[..], "open /tmp/fifo"),
            (b"a b", r#"open "a b""#),
            (b"\x1b[2J", r#"open "\x1b[2J""#),
            (b"\xff", r#"open x"ff""#),
            (b"", r#"open """#),
        ] {
            let path = Some(Path::new(std::ffi::OsStr::from_bytes(path)).to_path_buf());
            let wait = Wait::Open {
                path,
                dirfd: libc::AT_FDCWD,
            };
            assert_eq!(wait.text(named), words);
        }
    }
}
