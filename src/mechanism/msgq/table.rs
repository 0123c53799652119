//! Seeing message queues: their fields and their table.

use crate::data::{Cell, Column, Failure, Family, Object, Rate, Role, Table, counted};
use crate::inspect::{sysv, thing::Thing, wait::Wait};
use crate::kernel::msg::{self, MsgStat};
use crate::kernel::sysv::Perm;
use crate::mechanism::fields::{self, Field, SystemV};
use crate::mechanism::{Listing, Sight};

impl SystemV for MsgStat {
    const FAMILY: Family = Family::Msgq;
    fn id(&self) -> i32 {
        self.id
    }
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

pub(super) static FIELDS: &[Field<MsgStat>] = &[
    fields::name(),
    fields::key(),
    fields::id(),
    fields::owner(),
    fields::perms(),
    Field::of(
        Column::new("qnum", "messages in the queue")
            .rate(Rate::Told)
            .role(Role::Fill),
        |q, _| q.qnum.into(),
    ),
    Field::of(
        Column::new("cbytes", "bytes in the queue")
            .rate(Rate::Spare)
            .role(Role::Fill),
        |q, _| Cell::Size(q.cbytes),
    ),
    Field::of(
        Column::new("qbytes", "bytes that the queue may hold").role(Role::Room { more: 0 }),
        |q, _| Cell::Size(q.qbytes),
    ),
    Field::of(
        Column::new("lspid", "process that sent last")
            .spare(5)
            .role(Role::Operator),
        |q, _| fields::pid(q.lspid),
    ),
    Field::of(
        Column::new("lscmd", "command of the process that sent last").role(Role::Operator),
        |q, sight| fields::command(sight, q.lspid, q.stime),
    ),
    Field::of(
        Column::new("lrpid", "process that received last")
            .spare(4)
            .role(Role::Operator),
        |q, _| fields::pid(q.lrpid),
    ),
    Field::of(
        Column::new("lrcmd", "command of the process that received last").role(Role::Operator),
        |q, sight| fields::command(sight, q.lrpid, q.rtime),
    ),
    Field::of(
        Column::new(
            "waits",
            "who is blocked: R receivers, S senders, and how many",
        )
        .role(Role::Waits),
        |q, sight| waits(waiting(sight, Thing::Msgq(q.id))),
    ),
    Field::new("rwait", "processes seen blocked in msgrcv", |q, sight| {
        let (receivers, _) = waiting(sight, Thing::Msgq(q.id));
        receivers.map_or(Cell::Unknown, Cell::from)
    }),
    Field::new("swait", "processes seen blocked in msgsnd", |q, sight| {
        let (_, senders) = waiting(sight, Thing::Msgq(q.id));
        senders.map_or(Cell::Unknown, Cell::from)
    }),
    Field::of(
        Column::new("stime", "when it was last sent to").role(Role::Time),
        |q, _| Cell::Time(q.stime),
    ),
    Field::of(
        Column::new("rtime", "when it was last received from").role(Role::Time),
        |q, _| Cell::Time(q.rtime),
    ),
    Field::of(
        Column::new("ctime", "when it was created or set")
            .spare(3)
            .role(Role::Time),
        |q, _| Cell::Time(q.ctime),
    ),
    fields::uid(),
    fields::gid(),
    fields::creator(),
    fields::cuid(),
    fields::cgid(),
];

const USUAL: &[&str] = &[
    "name", "key", "id", "owner", "perms", "qnum", "cbytes", "qbytes", "lspid", "lscmd", "lrpid",
    "lrcmd", "waits",
];

/// How many receivers and senders are seen blocked at a queue, of either flavour. `None` where some
/// process could not be looked into and none was found.
pub fn waiting(sight: &Sight, queue: Thing) -> (Option<usize>, Option<usize>) {
    let (mut receivers, mut senders) = (0, 0);
    for waiter in sight.snapshot.waiting_at(queue) {
        match waiter.wait {
            Wait::MsgSend { .. } | Wait::MqSend { .. } => senders += 1,
            _ => receivers += 1,
        }
    }
    let all = sight.snapshot.waiters();
    (all.known(receivers), all.known(senders))
}

pub(super) fn waits((receivers, senders): (Option<usize>, Option<usize>)) -> Cell {
    fields::waits([('R', receivers), ('S', senders)])
}

pub(super) fn fields() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

pub(super) fn stat(id: i32) -> Result<MsgStat, Failure> {
    msg::stat_any_id(id).map_err(|e| fields::gone(Family::Msgq, "msgctl", id, e))
}

pub(super) fn look(
    sight: &Sight,
    object: &Object,
    _: Option<u32>,
    field: &str,
) -> Result<Cell, Failure> {
    let id = fields::id_of(object);
    let field = fields::find(FIELDS, field)?;
    Ok((field.cell)(&stat(id)?, sight))
}

pub(super) fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let rows = sysv::queues();
    fields::table("Message queues", FIELDS, USUAL, &rows, listing, sight)
}

pub(super) fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let id = fields::id_of(object);
    let queue = stat(id)?;
    Ok(vec![fields::details(
        "msgq.info",
        "Message queue",
        FIELDS,
        &queue,
        sight,
    )])
}

pub(super) fn condition(sight: &Sight, object: &Object, _: Option<u32>) -> String {
    let id = fields::id_of(object);
    let label = sight.label(Family::Msgq, object);
    let Ok(queue) = msg::stat_any_id(id) else {
        return format!("{label} was removed");
    };
    let last = |verb: &str, pid, when| {
        let operator = sight.operator(pid, when);
        operator.map_or(String::new(), |who| format!(", last {verb} by {who}"))
    };
    let received = last("received from", queue.lrpid, queue.rtime);
    let sent = last("sent to", queue.lspid, queue.stime);
    let full = match sight.wait() {
        Some(wait) => matches!(wait, Wait::MsgSend { .. }),
        None => queue.cbytes >= queue.qbytes || queue.qnum >= queue.qbytes,
    };
    if let Some(Wait::MsgSend { size, .. }) = sight.wait()
        && *size > queue.qbytes
    {
        return format!(
            "{label} holds {} (qbytes), and a message of {size} can never fit{received}",
            counted(queue.qbytes, "byte")
        );
    }
    let state = match sight.wait() {
        // It may have been emptied since the wait was seen.
        Some(Wait::MsgSend { size, .. })
            if queue.cbytes.saturating_add(*size) <= queue.qbytes && queue.qnum < queue.qbytes =>
        {
            "has room by now"
        }
        _ => "is full",
    };
    match (full, queue.qnum) {
        (true, n) => format!(
            "{label} {state} ({} of {}, {}){received}",
            queue.cbytes,
            counted(queue.qbytes, "byte"),
            counted(n, "message")
        ),
        (false, 0) => format!("{label} is empty{sent}"),
        (false, n) => {
            let unmatched = match (sight.wait(), n) {
                (None, _) => "",
                (Some(_), 1) => ", which does not match",
                (Some(_), _) => ", of which none matches",
            };
            let messages = counted(n, "message");
            format!("{label} holds {messages}{unmatched}{sent}")
        }
    }
}

#[cfg(test)]
mod tests;
