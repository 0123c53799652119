//! Seeing POSIX message queues: their fields and their table.

use super::{FAMILY, table};
use crate::data::{Cell, Column, Failure, Object, Rate, Reply, Role, Table, counted};
use crate::inspect::posix::{Queue, queue, queues};
use crate::inspect::thing::Thing;
use crate::kernel::Errno;
use crate::kernel::signal::signal_name;
use crate::mechanism::fields::{self, Field};
use crate::mechanism::posix::{self, name_of, posix_row};
use crate::mechanism::{Args, Listing, ObjectKind, Sight};

posix_row!(Queue, FAMILY);

static FIELDS: &[Field<Queue>] = &[
    posix::name(),
    posix::owner(),
    posix::perms(),
    Field::of(
        Column::new("curmsgs", "messages in the queue")
            .rate(Rate::Told)
            .role(Role::Fill),
        |q, _| q.attributes.map_or(Cell::Unknown, |a| a.curmsgs.into()),
    ),
    Field::of(
        Column::new("maxmsg", "messages that the queue may hold").role(Role::Room { more: 0 }),
        |q, _| q.attributes.map_or(Cell::Unknown, |a| a.maxmsg.into()),
    ),
    Field::of(
        Column::new("qsize", "bytes in the queue").rate(Rate::Spare),
        |q, _| q.qsize.map_or(Cell::Unknown, Cell::Size),
    ),
    Field::new("msgsize", "bytes that a message may have", |q, _| {
        let size = |a: crate::kernel::posix::mq::Attributes| Cell::Size(a.msgsize.unsigned_abs());
        q.attributes.map_or(Cell::Unknown, size)
    }),
    Field::new(
        "notify",
        "who is told of a message, and by which signal",
        |q, sight| match q.notify {
            Some((pid, signo)) => {
                let signal =
                    signal_name(signo).map_or_else(|| signo.to_string(), |n| n.to_string());
                Cell::Text(format!("{} {signal}", sight.who(pid)))
            }
            None if q.qsize.is_none() => Cell::Unknown,
            None => Cell::Nothing,
        },
    ),
    Field::of(
        Column::new(
            "waits",
            "who is blocked: R receivers, S senders, and how many",
        )
        .role(Role::Waits),
        |q, sight| table::waits(waiting(q, sight)),
    ),
    Field::new(
        "rwait",
        "processes seen blocked in mq_receive",
        |q, sight| waiting(q, sight).0.map_or(Cell::Unknown, Cell::from),
    ),
    Field::new("swait", "processes seen blocked in mq_send", |q, sight| {
        waiting(q, sight).1.map_or(Cell::Unknown, Cell::from)
    }),
    // Its `ctime` is that of whoever looked last: a read of the queue's file sets it.
    Field::of(
        Column::new(
            "mtime",
            "when a message was last sent or received, or it was made",
        )
        .role(Role::Time),
        |q, _| Cell::Time(q.node.mtime),
    ),
    posix::uid(),
    posix::gid(),
    posix::ino(),
];

const USUAL: &[&str] = &[
    "name", "owner", "perms", "curmsgs", "maxmsg", "qsize", "msgsize", "notify", "waits",
];

fn waiting(queue: &Queue, sight: &Sight) -> (Option<usize>, Option<usize>) {
    table::waiting(sight, Thing::Queue((&queue.node).into()))
}

fn row(object: &Object) -> Result<Queue, Failure> {
    queue(object).map_err(|errno| fields::posix_gone(FAMILY, "mq_open", object, errno))
}

fn look(sight: &Sight, object: &Object, _: Option<u32>, field: &str) -> Result<Cell, Failure> {
    let field = fields::find(FIELDS, field)?;
    Ok((field.cell)(&row(object)?, sight))
}

fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let (rows, footer) = match queues() {
        Ok(rows) => (rows, None),
        // Those that this session knows can be opened by their names.
        Err(errno) => {
            let known = sight.names.all(FAMILY).into_iter();
            let mut rows: Vec<Queue> = known.filter_map(|(_, b)| row(&b.object).ok()).collect();
            rows.dedup_by(|a, b| a.node.ino == b.node.ino);
            (rows, Some(hidden(errno)))
        }
    };
    let title = "POSIX message queues";
    let mut table = fields::table(title, FIELDS, USUAL, &rows, listing, sight)?;
    if let Some(footer) = footer {
        table.empty = "none that can be seen: no mqueue file system is mounted";
        if !rows.is_empty() {
            table.footer.push(footer);
        }
    }
    Ok(table)
}

fn hidden(errno: Errno) -> String {
    format!(
        "others are not seen: no mqueue file system is mounted, and to mount one needs CAP_SYS_ADMIN ({})",
        errno.desc()
    )
}

fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let row = row(object)?;
    let title = "POSIX message queue";
    let details = fields::details("msgq.info", title, FIELDS, &row, sight);
    Ok(vec![details])
}

/// No kernel lets one.
fn peek(_: &Sight, object: &Object, _: &Args) -> Result<Reply, Failure> {
    let queue = row(object)?;
    let holds = match (queue.attributes, queue.qsize) {
        (Some(a), Some(bytes)) => {
            let messages = counted(a.curmsgs, "message");
            format!("it holds {messages}, {}", counted(bytes, "byte"))
        }
        (Some(a), None) => format!("it holds {}", counted(a.curmsgs, "message")),
        _ => "nor may this user open it".into(),
    };
    Err(Failure::refused(format!(
        "no kernel lets a POSIX queue be looked into without receiving from it; {holds}"
    ))
    .help("To receive and send again would change the order for others"))
}

fn condition(_: &Sight, object: &Object, _: Option<u32>) -> String {
    let name = name_of(object);
    let attributes = match queue(object) {
        Ok(queue) => queue.attributes,
        Err(Errno::ENOENT) => return posix::removed(name),
        Err(_) => None,
    };
    match attributes {
        Some(a) if a.curmsgs == 0 => format!("{name} is empty"),
        Some(a) if a.curmsgs == a.maxmsg => {
            let most = counted(a.maxmsg, "message");
            format!("{name} is full ({} of {most})", a.curmsgs)
        }
        Some(a) => format!("{name} holds {}", counted(a.curmsgs, "message")),
        None => name.to_string(),
    }
}

fn columns() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

/// POSIX message queues.
pub(super) static OBJECTS: ObjectKind = ObjectKind {
    family: FAMILY,
    posix: true,
    fields: columns,
    times: &[],
    look,
    list,
    info,
    peek,
    condition,
};
