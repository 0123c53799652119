//! Reading, writing and peeking a FIFO.

use std::os::fd::BorrowedFd;

use super::{
    FAMILY, FIFO, LONG, LOOP, Meaning, NO_DIRECTORY, NO_FIFO, NO_MODE, NO_READER, NO_ROOM, NOTHING,
    make_current, open,
};
use crate::data::{Failure, Family, Object, Reply, StepResult};
use crate::lang::{Example, Runs, Signature};
use crate::mechanism::pipe::table;
use crate::mechanism::stream::{
    self, ALL, AT_MOST, DATA, EVERYTHING, LINE, LINE_OR_ALL, MAX, NOWAIT, ONE_AMOUNT,
};
use crate::mechanism::{Args, Run, Sight, Verb, World};
use crate::session::Side;

/// Those of opening it, and of what is done then.
const READ_ERRNOS: [Meaning; 9] = [
    stream::READ_ERRNOS[0],
    stream::READ_ERRNOS[1],
    NO_MODE,
    NO_ROOM,
    LOOP,
    LONG,
    NOTHING,
    NO_DIRECTORY,
    NO_FIFO,
];
const WRITE_ERRNOS: [Meaning; 11] = [
    stream::WRITE_ERRNOS[0],
    stream::WRITE_ERRNOS[1],
    stream::WRITE_ERRNOS[2],
    NO_MODE,
    NO_ROOM,
    NO_READER,
    LOOP,
    LONG,
    NOTHING,
    NO_DIRECTORY,
    NO_FIFO,
];

/// What a step works on: the FIFO, which is opened where this actor has not yet.
fn held(world: &mut World, args: &Args, side: Side) -> Result<(Object, Option<String>), Failure> {
    let object = world.find_held(FAMILY, args, "fifo", side)?;
    if world.files.get(FAMILY, &object, side).is_some() {
        world.files.touch(FAMILY, &object);
        make_current(world, &object);
        return Ok((object, None));
    }
    open(world, args, &object, side, args.flag("nowait"))?;
    let what = match side {
        Side::Write => "writing",
        _ => "reading",
    };
    let note = format!("opened {object} for {what}");
    Ok((object, Some(note)))
}

/// Moves bytes through the FIFO, one way or the other.
fn transfer(
    world: &mut World,
    args: &Args,
    side: Side,
    way: fn(BorrowedFd, (Family, &Object), &str, &Args) -> StepResult,
) -> StepResult {
    let (object, note) = held(world, args, side)?;
    let fd = world.files.get(FAMILY, &object, side);
    let gone = || Failure::refused(format!("{object} is not open here any more"));
    let fd = fd.ok_or_else(gone)?;
    let outcome = way(fd, (FAMILY, &object), &object.to_string(), args)?;
    Ok(match note {
        Some(note) => outcome.note(note),
        None => outcome,
    })
}

pub(super) static READ: Verb = Verb {
    signature: Signature {
        name: "fifo read",
        summary: "take bytes out of a FIFO, which is opened where this actor has not",
        params: &[FIFO, MAX, LINE, ALL, NOWAIT],
        rules: &[LINE_OR_ALL],
        runs: Runs::Actor,
        takes: true,
        blocks: Some("until it is open on both sides, and while it is empty"),
        calls: &["open(2)", "preadv2(2)"],
        errnos: &READ_ERRNOS,
        notes: "It stays open until `fifo close`, or the end of the session. `eof` when no process \
                has it open for writing.",
        examples: &[Example {
            script: "mkfifo $WORK/f\n!echo hello > $WORK/f &\nfifo read --line => \"hello\\n\"\n\
                     fifo read => eof",
            shows: "what an ordinary shell wrote",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| transfer(world, args, Side::Read, stream::read)),
};

pub(super) static WRITE: Verb = Verb {
    signature: Signature {
        name: "fifo write",
        yields: &["written"],
        summary: "put bytes into a FIFO, which is opened where this actor has not",
        params: &[FIFO, DATA, NOWAIT],
        runs: Runs::Actor,
        blocks: Some("until it is open on both sides, and while it is full"),
        calls: &["open(2)", "pwritev2(2)"],
        errnos: &WRITE_ERRNOS,
        notes: "It stays open until `fifo close`, or the end of the session.",
        examples: &[Example {
            script: "mkfifo $WORK/f\nb: fifo read ...\nfifo write \"hi\"\nb: ... => \"hi\"\n\
                     fifo close\nb: fifo read => eof\nb: fifo close\n\
                     fifo write $WORK/f \"hi\" --nowait => ENXIO",
            shows: "with a reader, and without",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| transfer(world, args, Side::Write, stream::write)),
};

pub(super) static PEEK: Verb = Verb {
    signature: Signature {
        name: "fifo peek",
        summary: "show what is in a FIFO, and leave it there",
        params: &[FIFO, AT_MOST, EVERYTHING],
        rules: &[ONE_AMOUNT],
        calls: &["pidfd_getfd(2)", "tee(2)"],
        errnos: &[
            stream::PEEK_ERRNOS[0],
            stream::PEEK_ERRNOS[1],
            LOOP,
            LONG,
            NOTHING,
            NO_DIRECTORY,
            NO_FIFO,
        ],
        notes: "Its path is never opened, which others would notice: what is in it is seen through \
                a copy of a reader's descriptor, held for a moment.",
        examples: &[Example {
            script: "mkfifo $WORK/f\nfifo open $WORK/f rw\nfifo write \"hi\"\nfifo peek => \"hi\"\n\
                     fifo read => \"hi\"",
            shows: "what is seen is still there",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Shell(|sight, args| {
        let object = sight.find(FAMILY, args.reference("fifo"))?;
        peek(sight, &object, args)
    }),
};

pub(super) fn peek(sight: &Sight, object: &Object, args: &Args) -> Result<Reply, Failure> {
    let fifo = table::stat(sight, object)?;
    stream::peek(sight, &fifo, &object.to_string(), args)
}
