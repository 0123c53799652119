//! Writing and reading a segment's bytes and integers.

use std::borrow::Cow;

use super::access::{self, Access, Spot, access, spot};
use super::{FAMILY, SEGMENT, find_or_make};
use crate::data::{Cell, Failure, Outcome, StepResult};
use crate::kernel::Errno;
use crate::lang::{Example, IntType, Kind, Param, Runs, Signature, Term};
use crate::mechanism::common;
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
        calls: &["shmat(2)", "shmdt(2)"],
        errnos: &[
            (
                "EACCES",
                "the segment's mode does not let you write, or this actor attached it with --ro",
            ),
            ("EFAULT", "the segment ends before"),
            ("EINVAL", "there is no segment with this id"),
            ("ENOMEM", "there is no room to map it in this process"),
        ],
        notes: "Where there is no current segment, one is created.\n\
                Where this actor has the segment attached (`shm attach`), it is written through that; \
                otherwise it is attached for the length of the call, which sets lpid, atime and dtime.\n\
                An integer at a multiple of its width is written in one access and never torn; \
                longer data is not, which is what `sem` is for.",
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
        ..Signature::NEW
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
    let (id, note) = find_or_make(world, args, at.offset.saturating_add(length))?;
    let segment = access(world, args, id, false)?;
    let done = match &written {
        Written::Bytes(bytes) => segment.write(at.offset, bytes),
        Written::Word(ty, word) => access::store(&segment, *ty, at.offset, *word),
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
    access::memory_failure(world, args, errno, segment.id(), what, range, size)
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
        runs: Runs::Actor,
        calls: &["shmat(2)", "shmdt(2)"],
        errnos: &[
            ("EACCES", "the segment's mode does not let you read"),
            ("EFAULT", "the segment ends before"),
            ("EINVAL", "there is no segment with this id"),
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
        ..Signature::NEW
    },
    run: Run::Actor(read),
};

/// How much of a segment is looked at where no length is given.
pub(super) const GLANCE: usize = 1 << 20;

fn read(world: &mut World, args: &Args) -> StepResult {
    let at = spot(args)?;
    let length: Option<usize> = args.int("len")?;
    let id = world.find(FAMILY, args, "segment")?;
    let segment = access(world, args, id, true)?;
    if let Some(ty) = at.ty {
        if length.is_some() {
            return Err(Failure::refused(format!(
                "a {} has a length of its own, {} bytes",
                ty.name(),
                ty.width()
            ))
            .help("Leave the length away, or the type"));
        }
        return match access::load(&segment, ty, at.offset) {
            Ok(word) => Ok(Outcome::value(Cell::Int(ty.decode(word)))),
            Err(errno) => {
                let range = (at.offset, ty.width());
                Err(at_fault(world, args, errno, &segment, "read", range))
            }
        };
    }
    let (mut data, rest) = copy(world, args, &segment, at.offset, length)?;
    if length.is_none() {
        let used = data
            .iter()
            .rposition(|b| *b != 0)
            .map_or(0, |last| last + 1);
        data.truncate(used);
    }
    let outcome = Outcome::value(Cell::Data(data));
    Ok(match rest {
        0 => outcome,
        rest => outcome.note(format!(
            "{rest} bytes behind the first {GLANCE} were not looked at; give a length to read them"
        )),
    })
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
    let mut data = Vec::new();
    data.try_reserve_exact(size)
        .map_err(|_| Failure::environment(format!("there is no memory for {size} bytes")))?;
    data.resize(size, 0);
    segment
        .read(offset, &mut data)
        .map_err(|errno| fault(errno, size))?;
    let rest = match length {
        Some(_) => 0,
        None => available - size,
    };
    Ok((data, rest))
}

#[cfg(test)]
mod tests {
    use crate::data::Cell;
    use crate::kernel::shm;
    use crate::mechanism::testing::{Bench, as_ordinary_user};

    #[test]
    fn a_first_segment_is_created_and_said() {
        let mut bench = Bench::new();
        let outcome = bench.ok("shm write \"x\"");
        let id = bench.id("shm1");
        assert_eq!(
            outcome.notes,
            [format!("created shared memory segment shm1 (id {id})")]
        );
        bench.shows("shm read", "\"x\"");
        assert!(bench.ok("shm write \"y\"").notes.is_empty());

        let mut bench = Bench::new();
        bench.ok("shm write u64@8K 7");
        assert_eq!(shm::stat(bench.id("shm1")).unwrap().segsz, 8200);
        bench.shows("shm read u64@8K", "7");
        Bench::new().fails("shm read", "error");
    }

    #[test]
    fn another_attachment_sees_the_bytes() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        bench.ok("shm write cnt @16 \"hello\"");
        bench.ok("shm write cnt u32@8 41");
        bench.ok("shm write cnt i16@1 -2");
        bench.ok("shm write cnt @0 u8:7");
        let witness = shm::attach(bench.id("cnt"), true).unwrap();
        let mut bytes = [0; 21];
        witness.read(0, &mut bytes).unwrap();
        assert_eq!(&bytes[16..], b"hello");
        assert_eq!(bytes[8..12], 41u32.to_ne_bytes());
        assert_eq!(bytes[1..3], (-2i16).to_ne_bytes());
        assert_eq!(bytes[0], 7);
        // Only the witness has it attached.
        assert_eq!(shm::stat(bench.id("cnt")).unwrap().nattch, 1);
        bench.shows("shm read cnt @16", "\"hello\"");
        bench.shows("shm read cnt @17 3", "\"ell\"");
        bench.shows("shm read cnt i16@1", "-2");
        bench.shows("shm read cnt u32@8", "41");
        bench.shows("shm read cnt @4096", "\"\"");
    }

    #[test]
    fn numbers_keep_to_their_type() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        for (line, why) in [
            (
                "shm write cnt u8@0 256",
                "256 does not fit u8, which holds 0 to 255",
            ),
            (
                "shm write cnt u8@0 -1",
                "-1 does not fit u8, which holds 0 to 255",
            ),
            (
                "shm write cnt 5",
                "how wide is 5? A number is written at a place with a type",
            ),
            ("shm write cnt u32@0 \"x\"", "\"x\" is not an integer"),
            (
                "shm read cnt u32@0 4",
                "a u32 has a length of its own, 4 bytes",
            ),
            ("shm read cnt @-1", "the offset -1 is none"),
        ] {
            assert_eq!(bench.fails(line, "error").meaning, why, "{line}");
        }
        bench.ok("let v = shm read cnt u32@0");
        bench.fails("shm write cnt $v", "error");
        bench.ok("shm write cnt u64@0 18446744073709551615");
        bench.shows("shm read cnt u64@0", "18446744073709551615");
        bench.shows("shm read cnt i64@0", "-1");
    }

    #[test]
    fn the_end_of_the_segment_is_respected() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        let failure = bench.fails("shm write cnt @4090 \"twelve bytes\"", "EFAULT");
        assert_eq!(
            failure.to_string(),
            "write(cnt, 12 B @ 4090) = EFAULT: the segment ends at 4096 bytes; 6 bytes do not fit. \
             A segment does not grow; create a larger one: shm create NAME 4102"
        );
        bench.fails("shm write cnt u32@4094 1", "EFAULT");
        bench.fails("shm write cnt u32@4096 1", "EFAULT");
        bench.fails("shm write cnt @18446744073709551615 \"x\"", "EFAULT");
        bench.fails("shm read cnt @18446744073709551615 5", "EFAULT");
        bench.fails("shm read cnt 4097", "EFAULT");
        bench.fails("shm read cnt @4097", "EFAULT");
        bench.fails("shm read cnt u64@4089", "EFAULT");
        bench.shows("shm read cnt", "\"\"");
        bench.ok("shm write cnt u8@4095 1");
        bench.fails("shm read cnt 18446744073709551615", "EFAULT");
    }

    #[test]
    fn a_segment_that_is_gone_is_named() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        let id = bench.id("cnt");
        shm::remove(id).unwrap();
        let failure = bench.fails("shm read cnt", "EINVAL");
        assert_eq!(
            failure.to_string(),
            format!(
                "shmat(cnt, SHM_RDONLY) = EINVAL: the shared memory segment cnt (id {id}) \
                 was removed. `shm ls` lists those that exist"
            )
        );
        bench.fails("shm write cnt \"x\"", "EINVAL");
    }

    #[test]
    fn the_mode_keeps_us_out() {
        if !as_ordinary_user("mechanism::shm::bytes::tests::the_mode_keeps_us_out") {
            return;
        }
        let mut bench = Bench::new();
        bench.ok("shm create cnt mode=0400");
        bench.shows("shm read cnt", "\"\"");
        let failure = bench.fails("shm write cnt \"x\"", "EACCES");
        assert!(failure.meaning.contains("its mode is 0400"), "{failure}");
        bench.ok("shm create none mode=0");
        bench.fails("shm read none", "EACCES");
        bench.fails("shm attach none", "EACCES");
        bench.fails("shm dump none", "EACCES");
    }

    #[test]
    fn a_large_segment_is_glanced_at() {
        let mut bench = Bench::new();
        bench.ok("shm create big 2M");
        bench.ok("shm write big @1536K \"far\"");
        bench.ok("shm write big \"near\"");
        let outcome = bench.ok("shm read big");
        assert_eq!(outcome.to_string(), "\"near\"");
        assert!(
            outcome.notes[0].starts_with("1048576 bytes behind"),
            "{:?}",
            outcome.notes
        );
        let Some(Cell::Data(data)) = bench.ok("shm read big @1M").value else {
            panic!("no data");
        };
        assert_eq!(data.len(), (512 << 10) + 3);
        assert!(data.ends_with(b"\0far"));
    }
}
