//! POSIX message queues: mq_overview(7).

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::FAMILY;
use crate::data::{Cell, Failure, Lack, Object, Outcome, StepResult, counted};
use crate::kernel::Errno;
use crate::kernel::fds::Access;
use crate::kernel::posix::Patience;
use crate::kernel::posix::mq::{self, Attributes, PRIORITIES};
use crate::lang::{Example, Kind, Param, Runs, Signature};
use crate::mechanism::common::PRIVATE_IS;
use crate::mechanism::posix::{self, Making, not_posix, only_posix};
use crate::mechanism::{Args, Flavour, Run, Verb, World, signal};
use crate::session::Side;
use crate::session::ledger::FileKind;

/// The parameters of `create` that only POSIX queues have.
pub(super) const MAXMSG: Param = Param::option(
    "maxmsg",
    Kind::Int(0, i64::MAX),
    "of a POSIX queue: the most messages it holds; fs.mqueue.msg_default where it is left out",
);
pub(super) const MSGSIZE: Param = Param::option(
    "msgsize",
    Kind::Int(0, i64::MAX),
    "of a POSIX queue: the most bytes of a message; fs.mqueue.msgsize_default where it is left out",
);
/// Of `send` and `recv`.
pub(super) const TIMEOUT: Param = Param::option(
    "timeout",
    Kind::Duration,
    "of a POSIX queue: wait no longer than this, then fail with ETIMEDOUT",
);

/// Refuses what only POSIX queues have. Every send and receive of System V comes here.
#[inline(always)]
pub(super) fn refuse(args: &Args, params: &[&str]) -> Result<(), Failure> {
    let given = params.iter().find(|param| args.get(param).is_some());
    match given {
        Some(param) => Err(only_posix(FAMILY, &format!("`{param}=`"))),
        None => Ok(()),
    }
}

pub(super) fn create(world: &mut World, args: &Args, name: &str, mode: u32) -> StepResult {
    if args.flag("private") {
        return Err(not_posix(FAMILY, PRIVATE_IS.1));
    }
    let default = |limit| mq::limit(limit).unwrap_or(0);
    let (maxmsg, msgsize) = (args.int("maxmsg")?, args.int("msgsize")?);
    let shape = (maxmsg.is_some() || msgsize.is_some()).then(|| Attributes {
        maxmsg: maxmsg.unwrap_or_else(|| default("msg_default")),
        msgsize: msgsize.unwrap_or_else(|| default("msgsize_default")),
        curmsgs: 0,
    });
    let call = match shape {
        Some(a) => format!(
            "mq_open({name}, O_CREAT|O_EXCL, {} of {} B)",
            counted(a.maxmsg, "message"),
            a.msgsize
        ),
        None => format!("mq_open({name}, O_CREAT|O_EXCL)"),
    };
    let making = Making {
        family: FAMILY,
        kind: FileKind::Queue,
        name,
        path: Path::new(name),
        call,
        taken: matches!(mq::open(name, Access::Read), Ok(_) | Err(Errno::EACCES)),
    };
    let made = world.make_posix(
        args,
        making,
        || mq::create(name, mode, shape),
        |queue| File::from(queue.try_clone()?).metadata(),
    );
    let queue = made.map_err(|failure| creation_failure(failure, shape))?;
    // One of this name that was removed may still be open here.
    let object = Object::Posix(name.into());
    world.files.close(FAMILY, &object, None);
    world.files.insert(FAMILY, object, Side::Both, queue);
    Ok(Outcome::ok())
}

fn creation_failure(mut failure: Failure, shape: Option<Attributes>) -> Failure {
    let limit = |name: &str| mq::limit(name).map_or("?".to_string(), |n| n.to_string());
    match (failure.errno.as_deref(), shape) {
        (Some("EINVAL"), Some(shape)) if shape.maxmsg < 1 || shape.msgsize < 1 => {
            failure.meaning = "a queue holds at least one message of at least one byte".into();
        }
        (Some("EINVAL"), Some(_)) => {
            failure.meaning = format!(
                "a queue holds at most msg_max ({}) messages of at most msgsize_max ({}) bytes",
                limit("msg_max"),
                limit("msgsize_max")
            );
            failure.help =
                Some("Ask for less, or as root raise fs.mqueue.msg_max or msgsize_max".into());
        }
        (Some("ENOSPC"), _) => {
            failure.meaning = format!(
                "the host has as many queues as queues_max allows ({})",
                limit("queues_max")
            );
            failure = failure.lacks(Lack::Place {
                family: FAMILY,
                posix: true,
            });
        }
        _ => {}
    }
    failure
}

/// The queue's descriptor here. It is opened once and stays open, as a program has it: what is told
/// of messages ends when the process closes any of its descriptors of the queue.
fn held<'a>(
    world: &'a mut World,
    args: &Args,
    name: &str,
    side: Side,
) -> Result<BorrowedFd<'a>, Failure> {
    let object = Object::Posix(name.into());
    if world.files.get(FAMILY, &object, side).is_none() {
        let (access, flag) = match side {
            Side::Read => (Access::Read, "O_RDONLY"),
            _ => (Access::Write, "O_WRONLY"),
        };
        let (queue, as_what) = match mq::open(name, Access::ReadWrite) {
            Err(Errno::EACCES) => (mq::open(name, access), side),
            opened => (opened, Side::Both),
        };
        let queue = queue.map_err(|errno| {
            posix::failure(args, FAMILY, errno, format!("mq_open({name}, {flag})"))
        })?;
        world.files.insert(FAMILY, object.clone(), as_what, queue);
    }
    let held = world.files.get(FAMILY, &object, side);
    held.ok_or_else(|| Failure::refused(format!("{name} is not open here any more")))
}

fn patience(args: &Args) -> Result<(Patience, String), Failure> {
    Ok(match (args.flag("nowait"), args.duration("timeout")?) {
        (true, _) => (Patience::Never, ", O_NONBLOCK".into()),
        (false, Some(for_)) => (
            Patience::For(for_),
            format!(", within {}", Cell::Elapsed(for_)),
        ),
        (false, None) => (Patience::Forever, String::new()),
    })
}

pub(super) fn send(world: &mut World, args: &Args, name: &str) -> StepResult {
    let priority: i64 = args.int("type")?.unwrap_or(0);
    let data = args.bytes("data")?.unwrap_or_default();
    let (patience, how) = patience(args)?;
    let queue = held(world, args, name, Side::Write)?;
    // What no `unsigned int` holds is beyond every priority too.
    let given = u32::try_from(priority).unwrap_or(u32::MAX);
    let Err(errno) = mq::send(&queue, &data, given, patience) else {
        return Ok(Outcome::ok());
    };
    let attributes = mq::attributes(&queue);
    let call = format!(
        "mq_send({name}, priority {priority}, {} B{how})",
        data.len()
    );
    let mut failure = posix::failure(args, FAMILY, errno, call);
    match (errno, attributes) {
        (Errno::EINVAL, _) => {
            failure.meaning = format!("a priority is from 0 to {}, not {priority}", PRIORITIES - 1);
        }
        (Errno::EMSGSIZE, Ok(a)) => {
            let msgsize = counted(a.msgsize, "byte");
            failure.meaning = format!("the message is longer than msgsize ({msgsize})");
        }
        (Errno::EAGAIN | Errno::ETIMEDOUT, Ok(a)) => {
            failure.meaning = format!(
                "the queue is full ({} of {})",
                a.curmsgs,
                counted(a.maxmsg, "message")
            );
            failure = failure.lacks(Lack::Room(FAMILY, Object::Posix(name.into())));
        }
        _ => {}
    }
    Err(failure)
}

/// What only msgrcv(2) has.
pub(super) const OF_MSGRCV: [(&str, &str); 3] = [
    ("type", "a TYPE chooses by the types of messages"),
    ("noerror", "--noerror is a flag of msgrcv"),
    ("except", "--except is a flag of msgrcv"),
];

pub(super) fn recv(world: &mut World, args: &Args, name: &str) -> StepResult {
    let of_msgrcv = OF_MSGRCV
        .iter()
        .find(|(param, _)| args.get(param).is_some());
    if let Some((_, what)) = of_msgrcv {
        return Err(not_posix(FAMILY, what));
    }
    let (patience, how) = patience(args)?;
    let max: Option<usize> = args.int("max")?;
    let queue = held(world, args, name, Side::Read)?;
    let attributes = mq::attributes(&queue)
        .map_err(|errno| posix::failure(args, FAMILY, errno, format!("mq_getattr({name})")))?;
    let room = max.unwrap_or(attributes.msgsize.unsigned_abs() as usize);
    match mq::receive(&queue, room, patience) {
        Ok((data, priority)) => {
            Ok(Outcome::value(Cell::Data(data)).field("prio", i64::from(priority)))
        }
        Err(errno) => {
            let call = format!("mq_receive({name}, room for {room} B{how})");
            let mut failure = posix::failure(args, FAMILY, errno, call);
            match errno {
                Errno::EMSGSIZE => {
                    failure.meaning = format!(
                        "the buffer must hold any message of the queue, msgsize ({}) bytes",
                        attributes.msgsize
                    );
                }
                Errno::EAGAIN | Errno::ETIMEDOUT => {
                    failure.meaning = "the queue is empty".into();
                    failure = failure.lacks(Lack::Data(FAMILY, Object::Posix(name.into())));
                }
                _ => {}
            }
            Err(failure)
        }
    }
}

pub(super) static NOTIFY: Verb = Verb {
    signature: Signature {
        name: "msgq notify",
        summary: "be told by a signal when a message comes into an empty POSIX queue",
        params: &[
            Param::required("queue", Kind::Ref(FAMILY), "the queue, /NAME"),
            Param::optional(
                "signal",
                Kind::Signal,
                "which one; without it, this actor is told no more",
            ),
        ],
        refuses: Some(|given| posix::no_system_v(given, FAMILY, "queue")),
        runs: Runs::Actor,
        calls: &["mq_notify(3)"],
        errnos: &[
            ("EACCES", "the queue's mode does not let you read"),
            ("EBUSY", "another process is told already"),
            ("ENOENT", "no queue has this name"),
        ],
        notes: "It is told once, and only where nobody waits for the message in `msgq recv`: then ask \
                again. Catch the signal first (`trap`), or hold it back and wait for it (`sig block`, \
                `sig wait`). Only POSIX queues tell; of System V's one must ask.",
        examples: &[Example {
            script: "msgq create /ipcsh-told\nsig block USR1\nmsgq notify /ipcsh-told USR1\n\
                     b: msgq send /ipcsh-told 0 \"hi\"\nsig wait USR1 => signal=USR1\n\
                     msgq recv /ipcsh-told => \"hi\"",
            shows: "a message is told of",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let Flavour::Posix(name) = world.flavour(FAMILY, args, "queue")? else {
            return Err(only_posix(FAMILY, "mq_notify"));
        };
        let signo = match args.word("signal") {
            Some(word) => Some(signal::number(word)?),
            None => None,
        };
        let queue = held(world, args, &name, Side::Read)?;
        mq::notify(&queue, signo)
            .map(|()| Outcome::ok())
            .map_err(|errno| posix::failure(args, FAMILY, errno, format!("mq_notify({name})")))
    }),
};

pub(super) static CLOSE: Verb = Verb {
    signature: Signature {
        name: "msgq close",
        summary: "close a POSIX queue in this actor",
        params: &[super::QUEUE],
        refuses: Some(|given| posix::no_system_v(given, FAMILY, "queue")),
        runs: Runs::Actor,
        calls: &["mq_close(3)"],
        errnos: &[("EBADF", "this actor does not have it open")],
        notes: "An actor opens a queue when it first uses it, and has it open until it closes it or ends. \
                One that was removed lives on for those who have it open.",
        examples: &[Example {
            script: "msgq create /ipcsh-open\nmsgq close /ipcsh-open\nmsgq close /ipcsh-open => EBADF",
            shows: "only what is open can be closed",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let Flavour::Posix(name) = world.flavour(FAMILY, args, "queue")? else {
            return Err(only_posix(FAMILY, "mq_close"));
        };
        match world
            .files
            .close(FAMILY, &Object::Posix(name.clone()), None)
        {
            0 => Err(args.failure(Errno::EBADF, format!("mq_close({name})"))),
            _ => Ok(Outcome::ok()),
        }
    }),
};
