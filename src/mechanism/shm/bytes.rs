//! Writing and reading a segment's bytes and integers.

use std::borrow::Cow;

use super::access::{self, Access, Spot, access, one_integer, spot};
use super::{FAMILY, SEGMENT, find_or_make};
use crate::data::{Cell, Failure, Outcome, StepResult, counted};
use crate::kernel::Errno;
use crate::lang::{Example, IntType, Kind, Param, Runs, Signature, Term};
use crate::mechanism::common;
use crate::mechanism::stream::MOST;
use crate::mechanism::{Args, Run, Verb, World};

pub(super) const PLACE: Param = Param::optional(
    "place",
    Kind::Place,
    "@OFF, bytes from that offset, or TYPE@OFF, one integer there; @0 where it is left out",
);

pub(super) static WRITE: Verb = Verb {
    signature: Signature {
        name: "shm write",
        summary: "write bytes or an integer into a segment",
        params: &[
            SEGMENT,
            PLACE,
            Param::required(
                "value",
                Kind::Value,
                "the bytes; a number where the place has a type",
            ),
        ],
        runs: Runs::Actor,
        calls: &["shmat(2)", "shmdt(2)", "shm_open(3)"],
        errnos: &[
            (
                "EACCES",
                "the segment's mode does not let you read and write, which takes both; or this actor attached it with --ro",
            ),
            ("EFAULT", "the segment ends before"),
            ("EINVAL", "there is no segment with this id"),
            ("ENOENT", "no POSIX segment has this name"),
            ("ENOMEM", "there is no room to map it in this process"),
        ],
        notes: "Where there is no current segment, one is created.\n\
                Where this actor has the segment attached (`shm attach`), it is written through that; \
                otherwise it is attached for the length of the call, which sets lpid, atime and dtime.\n\
                An integer at a multiple of its width is written in one access and never torn; \
                longer data is not, which is what `sem` is for.\n\
                A POSIX segment is written through its descriptor (pwrite), and never grows by it.",
        examples: &[
            Example {
                script: "shm write \"x\"\nshm read => \"x\"",
                shows: "a first segment",
            },
            Example {
                script: "shm create cnt\nshm write cnt @16 \"hello\"\nshm read cnt @16 5 => \"hello\"",
                shows: "bytes at an offset",
            },
            Example {
                script: "shm create cnt\nshm write cnt u32@8 41\nlet v = shm read cnt u32@8\nshm write cnt u64@0 $v\nshm read cnt u64@0 => 41",
                shows: "integers",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(write),
};

/// What is written.
enum Written<'a> {
    Bytes(Cow<'a, [u8]>),
    Word(IntType, u64),
}

impl Written<'_> {
    fn len(&self) -> usize {
        match self {
            Written::Bytes(bytes) => bytes.len(),
            Written::Word(ty, _) => ty.width(),
        }
    }
}

fn write(world: &mut World, args: &Args) -> StepResult {
    let at = spot(args)?;
    let written = value(args, at)?;
    let length = written.len();
    let (object, note) = find_or_make(world, args, at.offset.saturating_add(length))?;
    let segment = access(world, args, &object, false)?;
    let done = match &written {
        Written::Bytes(bytes) => segment.write(at.offset, bytes),
        Written::Word(ty, word) => segment.store(*ty, at.offset, *word),
    };
    match done {
        Ok(()) => {
            drop(segment);
            Ok(common::noted(note))
        }
        Err(errno) => Err(at_fault(
            world,
            args,
            errno,
            &segment,
            "write",
            (at.offset, length),
        )),
    }
}

fn at_fault(
    world: &World,
    args: &Args,
    errno: Errno,
    segment: &Access,
    what: &str,
    range: (usize, usize),
) -> Failure {
    let size = segment.len();
    let label = access::label(world, args, &segment.object);
    access::memory_failure(args, errno, (&segment.object, &label), what, range, size)
}

fn value<'a>(args: &Args<'a>, at: Spot) -> Result<Written<'a>, Failure> {
    let Some(term) = args.term("value") else {
        return Ok(Written::Bytes(Cow::Borrowed(&[])));
    };
    if let Some(ty) = at.ty {
        return Ok(Written::Word(ty, ty.word(args.env.int(term)?)?));
    }
    // A number has no width of its own, so it is not guessed.
    let number = match term {
        Term::Int(_) | Term::Arith(_) => Some(args.env.int(term)?),
        Term::Var(var) => args.env.lookup(var)?.as_int(),
        _ => None,
    };
    match number {
        Some(n) => Err(Failure::refused(format!(
            "how wide is {n}? A number is written at a place with a type"
        ))
        .help(format!(
            "Write it as u32@{0} {n}, or as the text \"{n}\"",
            at.offset
        ))),
        None => Ok(Written::Bytes(args.env.bytes(term)?)),
    }
}

pub(super) static READ: Verb = Verb {
    signature: Signature {
        name: "shm read",
        summary: "read bytes or an integer out of a segment",
        params: &[
            SEGMENT,
            PLACE,
            Param::optional(
                "len",
                Kind::Size,
                "how many bytes; where it is left out, up to the last that is not 0",
            ),
        ],
        refuses: Some(|given| one_integer(given, &["len"])),
        runs: Runs::Actor,
        takes: true,
        calls: &["shmat(2)", "shmdt(2)", "shm_open(3)"],
        errnos: &[
            ("EACCES", "the segment's mode does not let you read"),
            ("EFAULT", "the segment ends before"),
            ("EINVAL", "there is no segment with this id"),
            ("ENOENT", "no POSIX segment has this name"),
            ("ENOMEM", "there is no room to map it in this process"),
        ],
        notes: "Without a length the zeros at the end of the segment are left away, so that what was \
                written is what is read; of a large segment the first 1M is looked at, and a note says so.\n\
                Where this actor has the segment attached (`shm attach`), it is read through that; \
                otherwise it is attached with SHM_RDONLY for the length of the call, \
                which sets lpid, atime and dtime. `shm peek` changes nothing.\n\
                An integer at a multiple of its width is read in one access and never torn.",
        examples: &[
            Example {
                script: "shm create cnt\nshm write cnt \"hello\"\nshm read cnt => \"hello\"\nshm read cnt @1 3 => \"ell\"",
                shows: "bytes",
            },
            Example {
                script: "shm create cnt\nshm write cnt @0 x\"fe ff\"\nshm read cnt i16@0 => -2\nshm read cnt u16@0 => 65534",
                shows: "the same bytes as different integers",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(read),
};

/// How much of a segment is looked at where no length is given.
pub(super) const GLANCE: usize = 1 << 20;

fn read(world: &mut World, args: &Args) -> StepResult {
    let at = spot(args)?;
    let length: Option<usize> = args.int("len")?;
    let object = world.find(FAMILY, args, "segment")?;
    let segment = access(world, args, &object, true)?;
    if let Some(ty) = at.ty {
        return match segment.load(ty, at.offset) {
            Ok(word) => Ok(Outcome::value(Cell::Int(ty.decode(word)))),
            Err(errno) => {
                let range = (at.offset, ty.width());
                Err(at_fault(world, args, errno, &segment, "read", range))
            }
        };
    }
    let (mut data, rest) = copy(world, args, &segment, at.offset, length)?;
    if length.is_none() {
        cut_zeros(&mut data);
    }
    let outcome = Outcome::value(Cell::Data(data));
    Ok(match rest {
        0 => outcome,
        rest => outcome.note(format!(
            "{} behind the first {GLANCE} not looked at; give a length to read more",
            counted(rest, "byte")
        )),
    })
}

/// Takes the zeros at the end away.
pub(super) fn cut_zeros(data: &mut Vec<u8>) {
    let last = data.iter().rposition(|b| *b != 0);
    data.truncate(last.map_or(0, |last| last + 1));
}

/// Bytes from an offset, and how many of the segment are left behind them; without a
/// length, not more than a glance.
pub(super) fn copy(
    world: &World,
    args: &Args,
    segment: &Access,
    offset: usize,
    length: Option<usize>,
) -> Result<(Vec<u8>, usize), Failure> {
    let fault = |errno, length| at_fault(world, args, errno, segment, "read", (offset, length));
    let Some(available) = segment.len().checked_sub(offset) else {
        return Err(fault(Errno::EFAULT, length.unwrap_or(0)));
    };
    let size = length.unwrap_or(available.min(GLANCE));
    if size > available {
        return Err(fault(Errno::EFAULT, size));
    }
    let mut data = room(size, offset)?;
    segment
        .read(offset, &mut data)
        .map_err(|errno| fault(errno, size))?;
    let rest = match length {
        Some(_) => 0,
        None => available - size,
    };
    Ok((data, rest))
}

/// Room for bytes from an offset.
///
/// # Errors
/// They are more than one step reads, or than there is memory for.
pub(super) fn room(length: usize, offset: usize) -> Result<Vec<u8>, Failure> {
    if length > MOST as usize {
        let most = format!("these are {length} bytes, and one step reads {MOST} at most");
        let help = format!("Look at one part after the other, such as @{offset} 1M");
        return Err(Failure::refused(most).help(help));
    }
    let mut data = Vec::new();
    data.try_reserve_exact(length)
        .map_err(|_| Failure::environment(format!("there is no memory for {length} bytes")))?;
    data.resize(length, 0);
    Ok(data)
}

#[cfg(test)]
mod tests;
