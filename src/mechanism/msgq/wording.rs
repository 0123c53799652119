//! Why a message was not sent or received, in words.

use super::{FAMILY, peek};
use crate::data::{Failure, Lack, counted};
use crate::inspect::process;
use crate::kernel::{Errno, msg};
use crate::mechanism::{Args, World, common};

/// Why a message was not sent.
pub(super) fn send_failure(
    world: &World,
    args: &Args,
    errno: Errno,
    id: i32,
    mtype: i64,
    length: usize,
    nowait: bool,
) -> Failure {
    let label = world.label(FAMILY, args.reference("queue"), &id.into());
    let flag = common::flags_text(&[(nowait, "IPC_NOWAIT")]);
    let call = format!("msgsnd({label}, type {mtype}, {length} B{flag})");
    let mut failure = args.failure(errno, call);
    let stat = msg::stat_any_id(id);
    common::explain(world, FAMILY, errno, id, stat.map(|s| s.perm), &mut failure);
    match (errno, stat, msg::limits()) {
        (Errno::EAGAIN, Ok(stat), _) if length as u64 > stat.qbytes => {
            failure.meaning = format!(
                "the message of {} can never fit: the queue holds {} (qbytes)",
                counted(length, "byte"),
                stat.qbytes
            );
            let raise = roomier(&label, &stat, length, length as u64);
            failure.help = Some(format!("Send less, or {raise}"));
        }
        (Errno::EAGAIN, Ok(stat), _) => {
            failure.meaning = format!(
                "the queue is full ({} of {}, {})",
                stat.cbytes,
                counted(stat.qbytes, "byte"),
                counted(stat.qnum, "message")
            );
            let raise = roomier(&label, &stat, length, stat.qbytes.saturating_mul(2));
            let other = match stat.qnum {
                // A queue of no bytes.
                0 => "Use another queue",
                _ => "Receive a message",
            };
            failure.help = Some(format!("{other}, or {raise}"));
            failure = failure.lacks(Lack::Room(FAMILY, id.into()));
        }
        (Errno::EINVAL, _, _) if mtype < 1 => {
            failure.meaning = format!("a message's type is positive, not {mtype}");
        }
        (Errno::EINVAL, _, Ok(limits)) if length as u64 > limits.msgmax => {
            failure.meaning = format!(
                "the message is longer than msgmax ({} bytes)",
                limits.msgmax
            );
            failure.help = Some("Send it in pieces, or as root raise kernel.msgmax".into());
        }
        _ => {}
    }
    failure
}

/// How a queue gets room for a message more: with `wanted` bytes, or as near to that as does and may be.
fn roomier(label: &str, stat: &msg::MsgStat, length: usize, wanted: u64) -> String {
    // It holds as many messages as bytes, too.
    let least = stat.cbytes.saturating_add(length as u64).max(stat.qnum + 1);
    let may = match (process::may_exceed_limits(), msg::limits()) {
        (false, Ok(limits)) => limits.msgmnb,
        _ => u64::MAX,
    };
    match wanted.max(least).min(may) {
        qbytes if qbytes >= least => format!("raise it: msgq set {label} qbytes={qbytes}"),
        _ => format!("as root raise kernel.msgmnb, and then qbytes to {least}"),
    }
}

/// Why none was received.
pub(super) fn recv_failure(
    world: &World,
    args: &Args,
    errno: Errno,
    id: i32,
    mtype: i64,
    room: usize,
    how: msg::Receive,
) -> Failure {
    let label = world.label(FAMILY, args.reference("queue"), &id.into());
    let flags = common::flags_text(&[
        (how.nowait, "IPC_NOWAIT"),
        (how.noerror, "MSG_NOERROR"),
        (how.except, "MSG_EXCEPT"),
    ]);
    let call = format!("msgrcv({label}, type {mtype}, room for {room} B{flags})");
    let mut failure = args.failure(errno, call);
    let stat = msg::stat_any_id(id);
    common::explain(world, FAMILY, errno, id, stat.map(|s| s.perm), &mut failure);
    match (errno, stat) {
        (Errno::ENOMSG, Ok(stat)) => {
            failure.meaning = match (stat.qnum, mtype) {
                (0, _) => "the queue is empty".to_string(),
                (1, mtype) if how.except => {
                    format!("the only message in the queue is of type {mtype}")
                }
                (1, mtype @ ..0) => format!(
                    "the only message in the queue is of no type up to {}",
                    mtype.unsigned_abs()
                ),
                (1, mtype) => format!("the only message in the queue is not of type {mtype}"),
                (n, mtype) if how.except => {
                    format!("all of the {n} messages in the queue are of type {mtype}")
                }
                (n, mtype @ ..0) => format!(
                    "none of the {n} messages in the queue is of a type up to {}",
                    mtype.unsigned_abs()
                ),
                (n, mtype) => format!("none of the {n} messages in the queue is of type {mtype}"),
            };
            failure = failure.lacks(Lack::Data(FAMILY, id.into()));
        }
        (Errno::EINVAL, Ok(_)) if isize::try_from(room).is_err() => {
            failure.meaning = "no buffer is as large".into();
        }
        (Errno::E2BIG, _) => {
            let (length, what) = match peek::length_of_next(id, mtype, how.except) {
                Some(length) => {
                    failure.meaning = format!(
                        "the message has {}, the buffer has room for {room}; it stays in the queue",
                        counted(length, "byte")
                    );
                    (length as u64, "its length")
                }
                None => (msg::limits().map_or(0, |l| l.msgmax), "msgmax"),
            };
            failure.help = Some(format!(
                "Receive it with room for {what} (max={length}), or cut it: --noerror"
            ));
        }
        _ => {}
    }
    failure
}
