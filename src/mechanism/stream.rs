//! What pipes and FIFOs have alike: bytes that are read and written through a descriptor.

use std::os::fd::BorrowedFd;

use super::{Args, Sight};
use crate::data::{Cell, Failure, Family, Lack, Object, Outcome, Reply, StepResult, counted};
use crate::inspect::pipes::Pipe;
use crate::kernel::{Errno, pipe};
use crate::lang::{Kind, LARGEST, Param, Rule};

/// How much is read where nothing else is said: what a pipe holds by default.
const DEFAULT_MAX: usize = 64 << 10;

/// The most that one step reads: it is kept in memory, and shown.
pub(super) const MOST: i64 = LARGEST as i64;

pub(super) const DATA: Param = Param::required("data", Kind::Data, "the bytes");
pub(super) const NOWAIT: Param = Param::flag("nowait", "fail with EAGAIN where it would block");
pub(super) const MAX: Param = Param::option(
    "max",
    Kind::Int(1, MOST),
    "how many bytes at most; 65536 where it is left out",
);
pub(super) const LINE: Param = Param::flag("line", "up to the next newline, which is included");
pub(super) const ALL: Param = Param::flag(
    "all",
    "everything, until all writers have closed it; 256 MiB at most",
);

/// Of `peek`, wherever bytes are looked at.
pub(super) const AT_MOST: Param = Param::option(
    "max",
    Kind::Size,
    "how many bytes at most; of more than 4096 a person is shown a beginning where it is left out",
);
pub(super) const EVERYTHING: Param = Param::flag("all", "show every byte");

/// Of those, one alone is said, and where a bare number is taken, not that either.
pub(super) const ONE_AMOUNT: Rule = Rule::Apart(&["max", "all"]);

/// Of reading: either ends it.
pub(super) const LINE_OR_ALL: Rule = Rule::Apart(&["line", "all"]);

/// How many bytes of an object are to be shown.
#[derive(Clone, Copy)]
pub(super) struct Much {
    /// At most so many.
    pub max: Option<usize>,
    /// Every one of them.
    pub all: bool,
}

impl Much {
    /// What the arguments say: `N` or `max=N`, or `--all`.
    ///
    /// # Errors
    /// A number is out of range.
    pub fn of(args: &Args) -> Result<Much, Failure> {
        let (max, all) = (args.int("max")?, args.flag("all"));
        // Only where it may be any bytes, or a segment's, is there a bare number.
        let n = match args.takes("n") {
            true => args.int("n")?,
            false => None,
        };
        Ok(Much {
            max: n.or(max),
            all,
        })
    }

    /// The outcome of having seen this data.
    pub fn shown(self, mut data: Vec<u8>) -> Outcome {
        data.truncate(self.max.unwrap_or(usize::MAX));
        Outcome::value(Cell::Data(data)).glance(self.max.is_none() && !self.all)
    }
}

/// The errnos of [`read`].
pub(super) const READ_ERRNOS: [(&str, &str); 2] = [
    ("EAGAIN", "it is empty, and there are writers"),
    ("EINTR", "it was interrupted before anything came"),
];

/// The errnos of [`write`].
pub(super) const WRITE_ERRNOS: [(&str, &str); 3] = [
    ("EAGAIN", "it is full"),
    ("EINTR", "it was interrupted while it waited"),
    ("EPIPE", "nobody has it open for reading any more"),
];

/// Reads what the arguments ask for: once, a line, or all.
pub(super) fn read(
    fd: BorrowedFd,
    (family, object): (Family, &Object),
    label: &str,
    args: &Args,
) -> StepResult {
    let nowait = args.flag("nowait");
    let max = args.int("max")?;
    let take = |room| once(fd, room, nowait);
    let bytes = if args.flag("all") {
        let max = max.unwrap_or(MOST as usize);
        until(max, 64 << 10, |_| false, take)
    } else if args.flag("line") {
        // Byte by byte, as sh(1) does: what stands behind the line is another reader's.
        let max = max.unwrap_or(DEFAULT_MAX);
        until(max, 1, |b| b.ends_with(b"\n"), take)
    } else {
        take(max.unwrap_or(DEFAULT_MAX))
    };
    match bytes {
        Ok(bytes) if bytes.is_empty() => Ok(Outcome::eof()),
        Ok(bytes) => {
            let cut = args.flag("all") && bytes.len() == MOST as usize;
            Ok(noted(Outcome::value(Cell::Data(bytes)), cut))
        }
        Err(errno) => {
            let failure = args.failure(errno, format!("read({label})"));
            Err(match errno {
                Errno::EAGAIN => failure.lacks(Lack::Data(family, object.clone())),
                _ => failure,
            })
        }
    }
}

/// That there may be more than was taken, where it was cut off.
pub(super) fn noted(outcome: Outcome, cut: bool) -> Outcome {
    match cut {
        true => outcome.note("that is 256 MiB, the most that is taken at once; there may be more"),
        false => outcome,
    }
}

fn once(fd: BorrowedFd, max: usize, nowait: bool) -> Result<Vec<u8>, Errno> {
    match nowait {
        true => pipe::try_read(&fd, max),
        false => pipe::read(&fd, max),
    }
}

/// Reads pieces until `enough`, the end, or `max` bytes. What was read is never lost: where
/// nothing more comes it is given. `take` reads one piece, and nothing at the end.
pub(super) fn until(
    max: usize,
    piece: usize,
    enough: impl Fn(&[u8]) -> bool,
    mut take: impl FnMut(usize) -> Result<Vec<u8>, Errno>,
) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    while bytes.len() < max && !enough(&bytes) {
        match take(piece.min(max - bytes.len())) {
            Ok(taken) if taken.is_empty() => break,
            Ok(taken) => bytes.extend(taken),
            Err(errno) if bytes.is_empty() => return Err(errno),
            Err(_) => break,
        }
    }
    Ok(bytes)
}

/// Writes the data. Where only a part was taken, says how much.
pub(super) fn write(
    fd: BorrowedFd,
    (family, object): (Family, &Object),
    label: &str,
    args: &Args,
) -> StepResult {
    let data = args.bytes("data")?.unwrap_or_default();
    let nowait = args.flag("nowait");
    let written = match nowait {
        true => pipe::try_write(&fd, &data),
        false => pipe::write(&fd, &data),
    };
    match written {
        Ok(n) if n == data.len() => Ok(Outcome::ok()),
        Ok(n) if nowait => Ok(Outcome::ok().field("written", n as i64)),
        // A signal came in the middle.
        Ok(n) => Err(Failure::errno(
            "EINTR",
            format!("it was interrupted when {n} of the bytes were written"),
        )
        .call(call(label, data.len()))),
        Err(errno) => {
            let mut failure = args.failure(errno, call(label, data.len()));
            match (errno, pipe::available(&fd), pipe::capacity(&fd)) {
                (Errno::EAGAIN, Ok(bytes), Ok(capacity)) => {
                    failure.meaning = format!("it is full ({bytes} of {capacity} bytes)");
                    failure = failure.lacks(Lack::Room(family, object.clone()));
                }
                (Errno::EPIPE, ..) => {
                    failure.help = Some(
                        "SIGPIPE came with it, which actors ignore; `trap PIPE --default` lets it kill"
                            .into(),
                    );
                }
                _ => {}
            }
            Err(failure)
        }
    }
}

fn call(label: &str, length: usize) -> String {
    format!("write({label}, {length} B)")
}

/// Of how many packets the lengths are told.
const PACKETS: usize = 16;

/// What is told of a pipe that keeps apart what was written apart.
fn packets(lengths: &[usize]) -> String {
    let mut told: Vec<String> = lengths.iter().take(PACKETS).map(usize::to_string).collect();
    if lengths.len() > PACKETS {
        told.push("…".into());
    }
    let count = lengths.len();
    format!(
        "{count} packets, of {} bytes: a read takes one at a time (O_DIRECT)",
        told.join(", ")
    )
}

/// The errnos of [`peek`].
pub(super) const PEEK_ERRNOS: [(&str, &str); 2] = [
    (
        "EACCES",
        "no process that we may look into has it open for reading",
    ),
    ("EAGAIN", "it is empty, and may be written to"),
];

/// Shows what is in a pipe or FIFO; nothing is taken out.
pub(super) fn peek(sight: &Sight, pipe: &Pipe, label: &str, args: &Args) -> Result<Reply, Failure> {
    let fails = |errno, meaning: Option<&str>| {
        let failure = args.failure(errno, format!("tee({label})"));
        Failure {
            meaning: meaning.map_or(failure.meaning, String::from),
            ..failure
        }
    };
    let much = Much::of(args)?;
    let sees_all = sight.snapshot.open().unreadable == 0;
    match pipe.peek() {
        Ok(seen) if seen.ended => Ok(Outcome::eof().into()),
        Ok(seen) if !seen.data.is_empty() => {
            let first = seen.data.len();
            let mut outcome = much.shown(seen.data);
            if !seen.packets.is_empty() {
                outcome = outcome.note(packets(&seen.packets));
            }
            Ok(match seen.whole {
                true => outcome,
                false => outcome.note(format!(
                    "the first {} alone: the kernel lets this user have no larger copy \
                     (`limits`: pipe-user-pages-soft)",
                    counted(first, "byte")
                )),
            }
            .into())
        }
        Ok(_) => Err(fails(Errno::EAGAIN, Some("it is empty, and has writers"))),
        Err(Errno::EACCES) if pipe.ends.is_empty() => Err(fails(
            Errno::EAGAIN,
            Some(match sees_all {
                true => "it is empty: nobody has it open",
                false => "nobody whom we may look into has it open",
            }),
        )),
        // What a write end tells is only how much there is.
        Err(Errno::EACCES) if pipe.readers().next().is_none() => {
            let nobody = match sees_all {
                true => "nobody has it open for reading",
                false => "nobody whom we may look into has it open for reading",
            };
            let meaning = match pipe.bytes {
                Some(bytes) => format!("{nobody}; it holds {}", counted(bytes, "byte")),
                None => nobody.into(),
            };
            Err(fails(Errno::EACCES, Some(&meaning)))
        }
        Err(errno) => Err(fails(errno, None)),
    }
}
