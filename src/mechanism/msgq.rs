//! Message queues. System V's: msgget(2), msgop(2), msgctl(2).

mod peek;
mod posix;
mod posix_table;
mod set;
mod table;
mod wording;

pub use table::waiting;

use super::common::{self, DEFAULT_MODE, MODE, PRIVATE, PRIVATE_IS};
use super::create::Maker;
use super::posix::{with_posix, with_system_v};
use super::{Args, Flavour, Mechanism, ObjectKind, Run, Verb, World};
use crate::data::{Cell, Failure, Family, Outcome, StepResult};
use crate::kernel::{Errno, msg};
use crate::lang::{Example, Given, Kind, Param, Refusal, Rule, Runs, Signature};
use wording::{recv_failure, send_failure};

const FAMILY: Family = Family::Msgq;

super::common_verbs::common_verbs!(FAMILY, "msgq", "message queue", "msgctl", "msgq create x");

const QUEUE: Param = Param::optional(
    "queue",
    Kind::Ref(FAMILY),
    "the queue; the current one where it is left out",
);

static CREATE: Verb = Verb {
    signature: Signature {
        name: "msgq create",
        summary: "create a message queue and make it the current one",
        yields: &["id", "key"],
        params: &[
            Param::optional(
                "name",
                Kind::NewRef(FAMILY),
                "its name in this session, key:K for a key of your choice, or /NAME for a POSIX queue; q1, q2 … where it is left out",
            ),
            MODE,
            PRIVATE,
            posix::MAXMSG,
            posix::MSGSIZE,
        ],
        refuses: Some(|given| match given.is_posix("name") {
            true => with_posix(given, FAMILY, "name", &[PRIVATE_IS]),
            false => with_system_v(given, FAMILY, &["maxmsg", "msgsize"]),
        }),
        runs: Runs::Actor,
        calls: &["msgget(2)", "mq_open(3)"],
        errnos: &[
            ("EEXIST", "a queue with this key or name exists"),
            (
                "EINVAL",
                "a POSIX queue's messages are more or larger than the host allows",
            ),
            ("ENOMEM", "the kernel has no memory for it"),
            (
                "ENOSPC",
                "the host has as many queues as it may (msgmni, queues_max)",
            ),
        ],
        notes: "The queue is removed when the session ends, unless `keep` exempts it.\n\
                Its key is chosen first and written down, so that it is removed even after SIGKILL. \
                With --private there is no key to find it by: a SIGKILL in the few instructions \
                between the kernel's creation and our note of the id leaves it behind.",
        examples: &[
            Example {
                script: "msgq create jobs\nmsgq send jobs 1 \"hi\"",
                shows: "a queue with a name",
            },
            Example {
                script: "msgq create /ipcsh-jobs maxmsg=2\nmsgq send 5 \"high\"\nmsgq recv => prio=5 \"high\"",
                shows: "a POSIX queue: the slash makes it one",
            },
            Example {
                script: "let q = msgq create jobs mode=0666\nmsgq create key:$q.key => EEXIST",
                shows: "a key of your choice",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(create),
};

fn create(world: &mut World, args: &Args) -> StepResult {
    let wanted = args.reference("name");
    let mode = args.int("mode")?.unwrap_or(DEFAULT_MODE);
    if let Some(name) = super::posix::wanted(FAMILY, wanted, args)? {
        return posix::create(world, args, &name, mode);
    }
    posix::refuse(args, &["maxmsg", "msgsize"])?;
    let created = make(world, args, wanted, mode, args.flag("private"))?;
    Ok(created.outcome(FAMILY, wanted))
}

fn make(
    world: &mut World,
    args: &Args,
    wanted: Option<&crate::lang::Reference>,
    mode: u32,
    private: bool,
) -> Result<super::Created, Failure> {
    let maker = Maker {
        family: FAMILY,
        call: "msgget",
        given: "",
        make: &|key| msg::get(key, mode, true, true),
    };
    let created = world.create(args, wanted, private, &maker);
    created.map_err(|mut failure| {
        if let (Some("ENOSPC"), Ok(limits)) = (failure.errno.as_deref(), msg::limits()) {
            failure.meaning = format!(
                "the host has as many queues as msgmni allows ({})",
                limits.msgmni
            );
            failure.help = Some("`msgq ls` lists them; as root raise kernel.msgmni".into());
        }
        failure
    })
}

/// System V's calls wait without an end.
fn untimed(given: Given) -> Option<Refusal> {
    with_system_v(given, FAMILY, &["timeout"]).filter(|_| given.is_system_v("queue"))
}

static SEND: Verb = Verb {
    signature: Signature {
        name: "msgq send",
        summary: "send a message",
        params: &[
            QUEUE,
            Param::required(
                "type",
                Kind::Int(i64::MIN, i64::MAX),
                "the message's type, from 1; of a POSIX queue its priority, from 0",
            ),
            Param::required("data", Kind::Data, "the message's text"),
            Param::flag(
                "nowait",
                "fail with EAGAIN where it would block (IPC_NOWAIT)",
            ),
            posix::TIMEOUT,
        ],
        rules: &[Rule::Apart(&["nowait", "timeout"])],
        refuses: Some(untimed),
        runs: Runs::Actor,
        blocks: Some("while the queue is full (cbytes at qbytes, or as many messages as qbytes)"),
        calls: &["msgsnd(2)", "mq_timedsend(3)"],
        errnos: &[
            ("EACCES", "the queue's mode does not let you write"),
            ("EAGAIN", "the queue is full"),
            ("EIDRM", "the queue was removed while this waited"),
            ("EINTR", "it was interrupted while it waited"),
            (
                "EINVAL",
                "there is no queue with this id, the type is not positive, or the message is longer than msgmax; of a POSIX queue the priority is too high",
            ),
            (
                "EMSGSIZE",
                "the message is longer than the POSIX queue's msgsize",
            ),
            ("ENOENT", "no POSIX queue has this name"),
            ("ENOMEM", "the kernel has no memory for the message"),
            ("ETIMEDOUT", "the POSIX queue was full for as long"),
        ],
        notes: "Where there is no current queue, one is created.",
        examples: &[Example {
            script: "msgq send 1 \"hi\"\nmsgq recv => type=1 \"hi\"",
            shows: "a message there and back",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(send),
};

fn send(world: &mut World, args: &Args) -> StepResult {
    let is_new = world.names.current(FAMILY).is_none() && args.reference("queue").is_none();
    let found = match is_new {
        true => None,
        false => match world.flavour(FAMILY, args, "queue")? {
            Flavour::Posix(name) => return posix::send(world, args, &name),
            Flavour::SystemV(id) => Some(id),
        },
    };
    posix::refuse(args, &["timeout"])?;
    let mtype: i64 = args.int("type")?.unwrap_or(1);
    let data = args.bytes("data")?.unwrap_or_default();
    let nowait = args.flag("nowait");
    let (id, note) = match found {
        Some(id) => (id, None),
        None => {
            let created = make(world, args, None, DEFAULT_MODE, false)?;
            (created.id, Some(created.note(FAMILY)))
        }
    };
    match world.mailbox.send(id, mtype, &data, nowait) {
        Ok(()) => Ok(common::noted(note)),
        Err(errno) => Err(send_failure(
            world,
            args,
            errno,
            id,
            mtype,
            data.len(),
            nowait,
        )),
    }
}

static RECV: Verb = Verb {
    signature: Signature {
        name: "msgq recv",
        summary: "receive a message",
        yields: &["type", "prio"],
        params: &[
            QUEUE,
            Param::optional(
                "type",
                Kind::Int(i64::MIN, i64::MAX),
                "0 the first message, N the first of type N, -N the first of the lowest type up to N; 0 where it is left out",
            ),
            Param::option(
                "max",
                Kind::Size,
                "the buffer in bytes; large enough for any message where it is left out",
            ),
            Param::flag(
                "nowait",
                "fail with ENOMSG where it would block (IPC_NOWAIT)",
            ),
            Param::flag(
                "noerror",
                "cut a message that is longer than the buffer (MSG_NOERROR)",
            ),
            Param::flag(
                "except",
                "the first message not of this type, which is from 1 (MSG_EXCEPT)",
            ),
            posix::TIMEOUT,
        ],
        rules: &[
            Rule::Apart(&["nowait", "timeout"]),
            Rule::With("except", &["type"]),
        ],
        refuses: Some(|given| {
            untimed(given).or_else(|| with_posix(given, FAMILY, "queue", &posix::OF_MSGRCV))
        }),
        runs: Runs::Actor,
        takes: true,
        blocks: Some("while no message matches"),
        calls: &["msgrcv(2)", "mq_timedreceive(3)"],
        errnos: &[
            (
                "E2BIG",
                "the message is longer than the buffer, and stays in the queue",
            ),
            ("EACCES", "the queue's mode does not let you read"),
            ("EAGAIN", "the POSIX queue is empty"),
            ("EIDRM", "the queue was removed while this waited"),
            ("EINTR", "it was interrupted while it waited"),
            (
                "EINVAL",
                "there is no queue with this id, or no buffer can be as large",
            ),
            (
                "EMSGSIZE",
                "the buffer is smaller than the POSIX queue's msgsize",
            ),
            ("ENOENT", "no POSIX queue has this name"),
            ("ENOMSG", "no message matches"),
            ("ETIMEDOUT", "the POSIX queue was empty for as long"),
        ],
        notes: "A POSIX queue gives the oldest message of the highest priority, and has no types to \
                choose by: `prio=5 \"hi\"`.",
        examples: &[
            Example {
                script: "msgq create jobs\nmsgq send 2 \"two\"\nmsgq send 1 \"one\"\nmsgq recv 1 => type=1 \"one\"\nmsgq recv --nowait 7 => ENOMSG",
                shows: "by type",
            },
            Example {
                script: "msgq create jobs\nb: msgq recv jobs ...\nmsgq send jobs 1 \"hi\"\nb: ... => type=1 \"hi\"",
                shows: "a receiver that blocks until there is a message",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(recv),
};

fn recv(world: &mut World, args: &Args) -> StepResult {
    let id = match world.flavour(FAMILY, args, "queue")? {
        Flavour::Posix(name) => return posix::recv(world, args, &name),
        Flavour::SystemV(id) => id,
    };
    posix::refuse(args, &["timeout"])?;
    let mtype: i64 = args.int("type")?.unwrap_or(0);
    let max: Option<usize> = args.int("max")?;
    let how = msg::Receive {
        nowait: args.flag("nowait"),
        noerror: args.flag("noerror"),
        except: args.flag("except"),
        copy: false,
    };
    if how.except && mtype < 1 {
        let ignored =
            format!("--except leaves one type out, from 1: the kernel ignores it of {mtype}");
        return Err(Failure::refused(ignored).help("Say which type: msgq recv N --except"));
    }
    let mut room = max.unwrap_or(world.mailbox.capacity());
    loop {
        match world.mailbox.receive(id, room, mtype, how) {
            Ok(_) if !args.seen => return Ok(Outcome::ok()),
            Ok(message) => {
                return Ok(
                    Outcome::value(Cell::Data(message.data.to_vec())).field("type", message.mtype)
                );
            }
            // Nobody asked for a limit: make room for what the queue can hold.
            Err(Errno::E2BIG) if max.is_none() && room < MAX_ROOM => room = larger(id, room),
            Err(errno) => {
                return Err(recv_failure(world, args, errno, id, mtype, room, how));
            }
        }
    }
}

/// More than any message can be: msgmax is an int.
const MAX_ROOM: usize = i32::MAX as usize;

fn larger(id: i32, room: usize) -> usize {
    let cbytes = msg::stat_any_id(id).map_or(0, |s| s.cbytes as usize);
    cbytes.clamp(room * 2, MAX_ROOM.max(room * 2))
}

/// Everything about message queues.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[
        &LS,
        &INFO,
        &CREATE,
        &SEND,
        &RECV,
        &peek::PEEK,
        &set::SET,
        &posix::NOTIFY,
        &posix::CLOSE,
        &USE,
        &RM,
    ],
    kinds: &[
        &ObjectKind {
            family: FAMILY,
            posix: false,
            fields: table::fields,
            times: &[("stime", "sent"), ("rtime", "received")],
            look: table::look,
            list: table::list,
            info: table::info,
            peek: peek::peek,
            condition: table::condition,
        },
        &posix_table::OBJECTS,
    ],
};
