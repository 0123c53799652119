//! Looking at messages without receiving them: msgrcv(2) with `MSG_COPY`.

use super::{FAMILY, QUEUE};
use crate::data::{Cell, Column, Failure, Identity, Object, Outcome, Reply, Table};
use crate::kernel::msg::{self, Mailbox, MsgStat};
use crate::kernel::{Errno, Result as Kernel};
use crate::lang::{Example, Kind, Param, Rule, Signature};
use crate::mechanism::common::locked_out;
use crate::mechanism::resolve::system_v;
use crate::mechanism::{Args, Run, Sight, Verb, kind_of};

pub(super) static PEEK: Verb = Verb {
    signature: Signature {
        name: "msgq peek",
        summary: "show a message and leave it in the queue",
        yields: &["type"],
        looks: true,
        params: &[
            QUEUE,
            Param::optional(
                "n",
                Kind::Int(0, i64::MAX),
                "its place in the queue, 0 for the first; 0 where it is left out",
            ),
            Param::flag("all", "show every message in the queue"),
        ],
        rules: &[Rule::Apart(&["n", "all"])],
        calls: &["msgrcv(2)"],
        errnos: &[
            ("EACCES", "the queue's mode does not let you read"),
            ("EINVAL", "there is no queue with this id"),
            ("ENOMSG", "there is no message at this place"),
            (
                "ENOSYS",
                "this kernel cannot copy messages: it was built without CONFIG_CHECKPOINT_RESTORE",
            ),
        ],
        notes: "Nothing of the queue changes: not the messages, not lrpid, not rtime.\n\
                While others send and receive, a place soon means another message.",
        examples: &[
            Example {
                script: "msgq create jobs\nmsgq send 2 \"two\"\nmsgq send 1 \"one\"\nmsgq peek => type=2 \"two\"\nmsgq peek 1 => type=1 \"one\"\nmsgq peek 2 => ENOMSG\nexpect msgq.jobs.qnum == 2",
                shows: "both messages stay",
            },
            Example {
                script: "msgq create jobs\nmsgq send 2 \"two\"\nmsgq peek jobs --all",
                shows: "a table of all messages",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Shell(|sight, args| {
        let object = sight.find(FAMILY, args.reference("queue"))?;
        (kind_of(FAMILY, &object)?.peek)(sight, &object, args)
    }),
};

pub(super) fn peek(sight: &Sight, object: &Object, args: &Args) -> Result<Reply, Failure> {
    let id = system_v(FAMILY, object)?;
    let n: Option<i64> = args.int("n")?;
    let failed = |errno, n| failure(sight, args, errno, id, n);
    if args.flag("all") {
        let (messages, settled) = all(id, || sight.go_on(), failed)?;
        return Ok(table(messages, settled).into());
    }
    let n = n.unwrap_or(0);
    let message = one(id, n).map_err(|errno| failed(errno, n))?;
    Ok(Outcome::value(Cell::Data(message.data))
        .field("type", message.mtype)
        .into())
}

/// A copy of a message.
struct Copied {
    mtype: i64,
    data: Vec<u8>,
}

/// Copies messages; its buffer grows with them. The kernel makes one of the same size for
/// each copy, so it starts small.
struct Copier {
    mailbox: Mailbox,
    room: usize,
}

impl Copier {
    fn new() -> Copier {
        let room = 4096;
        Copier {
            mailbox: Mailbox::new(room),
            room,
        }
    }

    /// The message at a place, from 0.
    fn copy(&mut self, id: i32, n: i64) -> Kernel<Copied> {
        let how = msg::Receive {
            nowait: true,
            copy: true,
            ..msg::Receive::default()
        };
        loop {
            match self.mailbox.receive(id, self.room, n, how) {
                Ok(message) => {
                    return Ok(Copied {
                        mtype: message.mtype,
                        data: message.data.to_vec(),
                    });
                }
                Err(Errno::E2BIG) if self.room < i32::MAX as usize => self.room *= 4,
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// How often a queue that changes while it is looked at is looked at again.
const TRIES: usize = 4;

fn one(id: i32, n: i64) -> Kernel<Copied> {
    let mut copier = Copier::new();
    for _ in 1..TRIES {
        match copier.copy(id, n) {
            // There was none, and now there may be.
            Err(Errno::ENOMSG) if has(id, n) => {}
            result => return result,
        }
    }
    copier.copy(id, n)
}

fn has(id: i32, n: i64) -> bool {
    msg::stat_any_id(id).is_ok_and(|queue| u64::try_from(n).is_ok_and(|n| n < queue.qnum))
}

/// Every message, and whether the queue stood still meanwhile. For each the kernel walks over those
/// before it, so of many it takes long.
fn all(
    id: i32,
    go_on: impl Fn() -> Result<(), Failure>,
    failed: impl Fn(Errno, i64) -> Failure,
) -> Result<(Vec<Copied>, bool), Failure> {
    let stat = || msg::stat_any_id(id).map_err(|errno| failed(errno, 0));
    let mut copier = Copier::new();
    let mut messages = Vec::new();
    for _ in 0..TRIES {
        let before = stat()?;
        messages.clear();
        loop {
            go_on()?;
            match copier.copy(id, messages.len() as i64) {
                Ok(message) => messages.push(message),
                Err(Errno::ENOMSG) => break,
                Err(errno) => return Err(failed(errno, 0)),
            }
        }
        let after = stat()?;
        if before == after && agree(&after, &messages) {
            return Ok((messages, true));
        }
    }
    Ok((messages, false))
}

/// Among how many messages the next is looked for.
const FEW: i64 = 1000;

/// How long the message is that a receiver would get now; `None` where the kernel does not
/// let it be copied, or it stands behind many others.
pub(super) fn length_of_next(id: i32, mtype: i64, except: bool) -> Option<usize> {
    let mut copier = Copier::new();
    let messages = (0..FEW).map_while(|n| copier.copy(id, n).ok());
    // The lowest of all is not known before all are seen.
    if mtype < 0 && has(id, FEW) {
        return None;
    }
    next_of(messages, mtype, except).map(|message| message.data.len())
}

/// What msgrcv(2) chooses.
fn next_of(mut messages: impl Iterator<Item = Copied>, mtype: i64, except: bool) -> Option<Copied> {
    match mtype {
        0 => messages.next(),
        1.. => messages.find(|m| (m.mtype == mtype) != except),
        _ => messages
            .filter(|m| m.mtype.unsigned_abs() <= mtype.unsigned_abs())
            // The first of the lowest: `min_by_key` keeps the first of equals.
            .min_by_key(|m| m.mtype),
    }
}

/// Times are whole seconds: the sums tell more.
fn agree(queue: &MsgStat, messages: &[Copied]) -> bool {
    let bytes: usize = messages.iter().map(|m| m.data.len()).sum();
    queue.qnum == messages.len() as u64 && queue.cbytes == bytes as u64
}

static N: Column = Column::new("n", "the message's place, from 0").identity(Identity::Strong);
static TYPE: Column = Column::new("type", "its type");
static SIZE: Column = Column::new("size", "its length, bytes");
static DATA: Column = Column::new("data", "its text");

fn table(messages: Vec<Copied>, settled: bool) -> Table {
    let mut table = Table::new("msgq.message", "Messages", vec![&N, &TYPE, &SIZE, &DATA]);
    table.reserve(messages.len());
    for (n, message) in messages.into_iter().enumerate() {
        table.push([
            n.into(),
            message.mtype.into(),
            Cell::Size(message.data.len() as u64),
            Cell::Data(message.data),
        ]);
    }
    if !settled {
        table.footer.push(
            "the queue changed while it was read: messages may be missing, or stand here twice"
                .into(),
        );
    }
    table
}

fn failure(sight: &Sight, args: &Args, errno: Errno, id: i32, n: i64) -> Failure {
    let label = sight.label(FAMILY, &id.into());
    let call = format!("msgrcv({label}, place {n}, IPC_NOWAIT|MSG_COPY)");
    // Removed while it was copied: to who looks it is gone, as it is a moment later.
    let errno = match errno {
        Errno::EIDRM => Errno::EINVAL,
        errno => errno,
    };
    let mut failure = args.failure(errno, call);
    match (errno, msg::stat_any_id(id)) {
        (Errno::ENOMSG, Ok(queue)) => {
            failure.meaning = match queue.qnum {
                0 => "the queue is empty".into(),
                1 => format!("the queue holds 1 message, at place 0, and none at {n}"),
                qnum => format!(
                    "the queue holds {qnum} messages, at places 0 to {}, and none at {n}",
                    qnum - 1
                ),
            };
        }
        (Errno::EACCES, Ok(queue)) => {
            failure.meaning = format!("{} ({})", failure.meaning, locked_out(&queue.perm));
        }
        (Errno::EINVAL, Ok(_)) => {
            failure.meaning =
                "the message is longer than msgmax is now: the kernel copies none that is".into();
            failure.help = Some("As root, raise kernel.msgmax; or receive it".into());
        }
        (Errno::EINVAL, Err(_)) => {
            failure.meaning = format!("there is no message queue with id {id}");
            failure.help = Some("`msgq ls` lists those that exist".into());
        }
        _ => {}
    }
    failure
}

#[cfg(test)]
mod tests;
