//! Seeing a segment's bytes without attaching it, which would change `lpid`, `atime` and `dtime`.

use super::access::{low, memory_failure, one_integer, spot};
use super::bytes::{GLANCE, PLACE, cut_zeros, room};
use super::{FAMILY, SEGMENT};
use crate::data::{Cell, Failure, Object, Outcome, Reply, counted};
use crate::inspect::maps::Mapping;
use crate::inspect::thing::Thing;
use crate::kernel::memory::read_process;
use crate::kernel::{Errno, posix, shm};
use crate::lang::{Example, Kind, Param, Rule, Signature};
use crate::mechanism::fields::posix_gone;
use crate::mechanism::resolve::system_v;
use crate::mechanism::stream::{AT_MOST, EVERYTHING, Much};
use crate::mechanism::{Args, Run, Sight, Verb};

pub(super) static PEEK: Verb = Verb {
    signature: Signature {
        name: "shm peek",
        summary: "show bytes or an integer of a segment without attaching it",
        looks: true,
        params: &[
            SEGMENT,
            PLACE,
            Param::optional(
                "n",
                Kind::Size,
                "how many bytes; where it is left out, up to the last that is not 0",
            ),
            AT_MOST,
            EVERYTHING,
        ],
        rules: &[Rule::Apart(&["n", "max", "all"])],
        refuses: Some(|given| one_integer(given, &["n", "max", "all"])),
        calls: &["process_vm_readv(2)", "pread(2)"],
        errnos: &[
            (
                "EACCES",
                "none of the processes that have it attached may be looked into",
            ),
            ("EFAULT", "the segment ends before"),
            ("EINVAL", "there is no segment with this id"),
            ("ENOENT", "no POSIX segment has this name"),
        ],
        notes: "Nothing of the segment changes: neither nattch, nor lpid, atime and dtime. It is read in \
                the memory of a process that has it attached; where none has, there is nobody to read \
                it from, and `shm read` attaches it. A POSIX segment is read as the file that it is.",
        examples: &[Example {
            script: "shm create cnt\na: shm attach cnt\na: shm write cnt \"hello\"\n\
                     shm peek cnt => \"hello\"\nshm peek cnt u8@0 => 104\nexpect shm.cnt.nattch == 1",
            shows: "what another actor has written",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Shell(|sight, args| {
        let object = sight.find(FAMILY, args.reference("segment"))?;
        peek(sight, &object, args)
    }),
};

pub(super) fn peek(sight: &Sight, object: &Object, args: &Args) -> Result<Reply, Failure> {
    let at = spot(args)?;
    let much = Much::of(args)?;
    let exact: Option<usize> = match at.ty {
        Some(ty) => Some(ty.width()),
        None => args.int("n")?,
    };
    let meaning = |errno| args.failure(errno, String::new()).meaning;
    let source = Source::of(sight, object, meaning)?;
    let label = sight.label(FAMILY, object);
    let left = source.size.saturating_sub(at.offset);
    let length = exact.unwrap_or(match much {
        Much { all: true, .. } => left,
        much => left.min(much.max.unwrap_or(GLANCE)),
    });
    let range = (at.offset, length);
    if length > left || at.offset > source.size {
        let (errno, object) = (Errno::EFAULT, (object, label.as_str()));
        return Err(memory_failure(
            args,
            errno,
            object,
            "read",
            range,
            source.size,
        ));
    }
    let mut data = room(length, at.offset)?;
    let read = source.read(at.offset, &mut data);
    read.map_err(|errno| source.failure(errno, args, &label))?;
    if let Some(ty) = at.ty {
        return Ok(Outcome::value(Cell::Int(ty.decode(word(&data)))).into());
    }
    if much.max.is_none() && !much.all {
        cut_zeros(&mut data);
    }
    let outcome = much.shown(data);
    Ok(match left - length {
        rest @ 1.. if much.max.is_none() => outcome.note(format!(
            "{} behind the first {GLANCE} not looked at; --all shows them, or a length",
            counted(rest, "byte")
        )),
        _ => outcome,
    }
    .into())
}

/// The word that these bytes are, of up to 8.
fn word(data: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[low(data.len())].copy_from_slice(data);
    u64::from_ne_bytes(bytes)
}

/// A word of a segment, looked at without attaching it where that can be.
///
/// # Errors
/// There is no such segment, it ends before, or it may not be read.
pub fn word_at(
    sight: &Sight,
    object: &Object,
    offset: usize,
    width: usize,
) -> Result<u64, Failure> {
    let ends = |size| {
        Failure::refused(format!(
            "the segment ends at {}, before {} at {offset}",
            counted(size, "byte"),
            counted(width, "byte")
        ))
    };
    let unreadable =
        |e: Errno| Failure::refused(format!("the segment cannot be read: {}", e.desc()));
    if let Some(id) = object.id()
        && (super::table::stat(id)?.nattch == 0
            || sight.snapshot.mapped().of(Thing::Shm(id)).next().is_none())
    {
        let segment = shm::attach(id, true).map_err(unreadable)?;
        return segment.load(offset, width).map_err(|_| ends(segment.len()));
    }
    let source = Source::of(sight, object, |_| String::new())?;
    if offset
        .checked_add(width)
        .is_none_or(|end| end > source.size)
    {
        return Err(ends(source.size));
    }
    let mut data = vec![0; width];
    source.read(offset, &mut data).map_err(unreadable)?;
    Ok(word(&data))
}

/// What a segment's bytes can be read from.
struct Source {
    size: usize,
    from: From,
}

enum From {
    /// Where it, or a part of it, is mapped.
    Memory(Vec<Mapping>),
    File(posix::shm::Segment),
}

impl Source {
    fn of(
        sight: &Sight,
        object: &Object,
        meaning: impl FnOnce(Errno) -> String,
    ) -> Result<Source, Failure> {
        let opened = match object {
            Object::Posix(name) => Some(posix::shm::open(name, true)),
            object => object.path().map(posix::shm::open_again),
        };
        if let Some(opened) = opened {
            let segment = opened.map_err(|errno| posix_gone(FAMILY, "shm_open", object, errno))?;
            return Ok(Source {
                size: segment.size().unwrap_or(0),
                from: From::File(segment),
            });
        }
        let id = system_v(FAMILY, object)?;
        let stat = super::table::stat(id)?;
        let mapped = sight.snapshot.mapped();
        let places: Vec<_> = mapped.of(Thing::Shm(id)).cloned().collect();
        if places.is_empty() {
            let label = sight.label(FAMILY, object);
            let hidden = stat.nattch > 0;
            let meaning = match hidden {
                true => meaning(Errno::EACCES),
                false => "nobody has it attached, so there is no memory to look into".into(),
            };
            return Err(Failure::errno("EACCES", meaning).help(match hidden {
                true => "Run as root or with CAP_SYS_PTRACE".into(),
                // What may be read may be asked for so.
                false if shm::stat(id) == Err(Errno::EACCES) => {
                    "Nor does its mode let you attach it: run as its owner or as root".into()
                }
                false => format!(
                    "Attach it for a moment, which changes lpid and atime: shm read {label}"
                ),
            }));
        }
        Ok(Source {
            size: usize::try_from(stat.segsz).unwrap_or(usize::MAX),
            from: From::Memory(places),
        })
    }

    /// Copies bytes out. `EACCES` where they are in no memory that may be read.
    fn read(&self, offset: usize, data: &mut [u8]) -> Result<(), Errno> {
        let places = match &self.from {
            From::File(segment) => return segment.read(offset, data),
            From::Memory(places) => places,
        };
        let mut done = 0;
        while done < data.len() {
            let at = (offset + done) as u64;
            // A process may have unmapped a part of what it attached, or protected it.
            let part = places.iter().find_map(|place| {
                let before = at.checked_sub(place.offset)?;
                let there = usize::try_from(place.length.checked_sub(before)?).ok()?;
                let length = there.min(data.len() - done);
                let read = read_process(place.pid, place.start + before, length).ok();
                read.filter(|bytes| !bytes.is_empty())
            });
            let part = part.ok_or(Errno::EACCES)?;
            data[done..done + part.len()].copy_from_slice(&part);
            done += part.len();
        }
        Ok(())
    }

    /// Why its bytes could not be had.
    fn failure(&self, errno: Errno, args: &Args, label: &str) -> Failure {
        match self.from {
            From::File(_) => args.failure(errno, format!("pread({label})")),
            From::Memory(_) => Failure {
                meaning: "no process that may be looked into has all of these bytes mapped for \
                          reading"
                    .into(),
                ..args.failure(errno, format!("process_vm_readv({label})"))
            },
        }
    }
}
