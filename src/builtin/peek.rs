//! `peek`: what is in an object of any family.

use super::look;
use crate::data::{Failure, Family};
use crate::exec::Builtin;
use crate::lang::{Example, Kind, Param, Refusal, Rule, Signature};
use crate::mechanism::{self, NS};

pub(super) static PEEK: Builtin = Builtin {
    signature: Signature {
        name: "peek",
        yields: &["type", "length", "fds", "from"],
        summary: "show what is in an object, and change nothing of it",
        looks: true,
        params: &[
            Param::required(
                "object",
                Kind::AnyRef,
                "which: its name, id:N, key:K, its path, /NAME, pipe:[N], socket:[N] or pid:N/fd:M; \
                 FAMILY. before it where two families have one",
            ),
            Param::optional(
                "place",
                Kind::Place,
                "of a segment: @OFF, bytes from that offset, or TYPE@OFF, one integer there",
            ),
            Param::optional(
                "n",
                Kind::Size,
                "of a queue: which message, from 0; of anything else that has bytes: how many",
            ),
            Param::option(
                "max",
                Kind::Size,
                "of what has bytes: how many at most; without it, a person is shown 4096",
            ),
            Param::flag("all", "every byte; of a System V queue, every message"),
            NS,
        ],
        rules: &[Rule::Apart(&["n", "max", "all"])],
        refuses: Some(|given| {
            let family = given.reference("object").and_then(|r| r.family);
            let ignored = family.and_then(|f| ignored(f, |name| given.at(name).is_some()));
            match ignored {
                Some((name, why)) => Some(Refusal::new(given.at(name)?, why, "leave it out")),
                None => mechanism::one_integer(given, &["n", "max", "all"]),
            }
        }),
        calls: &[
            "msgrcv(2)",
            "process_vm_readv(2)",
            "pidfd_getfd(2)",
            "tee(2)",
            "recvmsg(2)",
        ],
        errnos: &[
            (
                "EACCES",
                "it may not be read, or nobody who has it may be looked into",
            ),
            ("EAGAIN", "the pipe, FIFO or socket is empty"),
            ("EINVAL", "there is no object with this id"),
            ("ENOENT", "nothing has this name"),
            ("ENOMSG", "the queue is empty"),
        ],
        notes: "What it does to what it looks at:\n\
                a System V queue: nothing (MSG_COPY), not even lrpid and rtime;\n\
                a System V segment: nothing; it is read in the memory of a process that has it attached;\n\
                a POSIX segment or semaphore: its file is read, which may set its atime;\n\
                a pipe or a FIFO: for a moment there is one more reader, a copy of somebody's descriptor \
                (pidfd_getfd), and what is in it is doubled into a pipe of our own (tee); a FIFO's path is \
                never opened;\n\
                a socket: the same, with MSG_PEEK; descriptors that lie in it are counted and closed;\n\
                a POSIX queue: no kernel lets one look into it, and it says what is known.\n\
                Where nobody says how much, a person is shown 4096 bytes and how many more there are; \
                JSON, a claim and a variable have them all.",
        examples: &[
            Example {
                script: "msgq create jobs\nmsgq send 2 \"two\"\npeek jobs => type=2 \"two\"\n\
                         expect msgq.jobs.qnum == 1",
                shows: "a message, which stays",
            },
            Example {
                script: "pipe create p\npipe write \"bytes\"\npeek p => \"bytes\"\npipe read => \"bytes\"",
                shows: "bytes in flight",
            },
        ],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        look(engine, |sight| {
            let Some(reference) = args.reference("object") else {
                return Err(Failure::refused("no object is named"));
            };
            let (family, object) = sight.find_any(reference)?;
            if let Some((_, why)) = ignored(family, |name| args.get(name).is_some()) {
                return Err(Failure::refused(why));
            }
            (mechanism::kind_of(family, &object)?.peek)(sight, &object, args)
        })
    },
};

/// The argument that would be ignored of an object of this family, and why.
fn ignored(family: Family, given: impl Fn(&str) -> bool) -> Option<(&'static str, String)> {
    let heeded: &[&str] = match family {
        Family::Shm => &["place", "n", "max", "all"],
        Family::Msgq => &["n", "all"],
        Family::Sem => &[],
        Family::Pipe | Family::Fifo | Family::Sock => &["n", "max", "all"],
    };
    let mut all = ["place", "n", "max", "all"].into_iter();
    let name = all.find(|name| given(name) && !heeded.contains(name))?;
    let what = match name {
        "place" => "a place is of a segment",
        "n" => "a number is of messages and bytes",
        "max" => "max= is of bytes",
        _ => "--all is of messages and bytes",
    };
    let object = family.object();
    Some((name, format!("{what}: it means nothing of a {object}")))
}
