//! Getting at a segment's bytes: through the attachment that this actor holds, or
//! through one for the length of the call.

use super::FAMILY;
use crate::data::{Failure, Object, counted};
use crate::kernel::posix::shm::Segment;
use crate::kernel::shm::{self, Attachment};
use crate::kernel::{Errno, Result as KernelResult};
use crate::lang::{Arg, Given, IntType, Refusal};
use crate::mechanism::common;
use crate::mechanism::resolve::system_v;
use crate::mechanism::{Args, World};

/// A segment whose bytes can be had.
pub(super) struct Access<'a> {
    /// Which one.
    pub object: Object,
    through: Through<'a>,
}

/// What a segment's bytes are had through.
enum Through<'a> {
    /// Attached by `shm attach`, and it stays so.
    Held(&'a Attachment),
    /// Attached for this call.
    Brief(Attachment),
    /// A POSIX segment, mapped by `shm attach`.
    Mapped(&'a Segment),
    /// A POSIX segment, open for this call.
    Open(Segment),
}

/// The same, by its flavour.
enum Bytes<'a> {
    SystemV(&'a Attachment),
    Posix(&'a Segment),
}

impl Access<'_> {
    fn bytes(&self) -> Bytes<'_> {
        match &self.through {
            Through::Held(attachment) => Bytes::SystemV(attachment),
            Through::Brief(attachment) => Bytes::SystemV(attachment),
            Through::Mapped(segment) => Bytes::Posix(segment),
            Through::Open(segment) => Bytes::Posix(segment),
        }
    }

    /// Its size in bytes, as it is now.
    pub fn len(&self) -> usize {
        match self.bytes() {
            Bytes::SystemV(attachment) => attachment.len(),
            Bytes::Posix(segment) => segment.size().unwrap_or(0),
        }
    }

    /// Copies bytes out. `EFAULT` past the end.
    pub fn read(&self, offset: usize, data: &mut [u8]) -> KernelResult<()> {
        match self.bytes() {
            Bytes::SystemV(attachment) => attachment.read(offset, data),
            Bytes::Posix(segment) => segment.read(offset, data),
        }
    }

    /// Copies bytes in. `EFAULT` past the end, `EACCES` where it is for reading only.
    pub fn write(&self, offset: usize, data: &[u8]) -> KernelResult<()> {
        match self.bytes() {
            Bytes::SystemV(attachment) => attachment.write(offset, data),
            Bytes::Posix(segment) => segment.write(offset, data),
        }
    }

    /// One integer, in one access where it stands at a multiple of its width in memory that is
    /// attached.
    pub fn load(&self, ty: IntType, offset: usize) -> KernelResult<u64> {
        let width = ty.width();
        if let Bytes::SystemV(attachment) = self.bytes()
            && offset.is_multiple_of(width)
        {
            return attachment.load(offset, width);
        }
        let mut bytes = [0; 8];
        self.read(offset, &mut bytes[low(width)])?;
        Ok(u64::from_ne_bytes(bytes))
    }

    /// The reverse of [`Access::load`].
    pub fn store(&self, ty: IntType, offset: usize, word: u64) -> KernelResult<()> {
        let width = ty.width();
        if let Bytes::SystemV(attachment) = self.bytes()
            && offset.is_multiple_of(width)
        {
            return attachment.store(offset, width, word);
        }
        self.write(offset, &word.to_ne_bytes()[low(width)])
    }
}

/// Attaches or opens a segment, or takes the attachment that is there.
pub(super) fn access<'a>(
    world: &'a World,
    args: &Args,
    object: &Object,
    read_only: bool,
) -> Result<Access<'a>, Failure> {
    let through = match object {
        Object::Posix(name) => match world.mappings.get(name) {
            Some(mapping) => Through::Mapped(mapping.segment()),
            None => Through::Open(super::posix::open(args, name, read_only)?),
        },
        object => {
            let id = system_v(FAMILY, object)?;
            match world.attachments.get(&id) {
                Some(held) => Through::Held(held),
                None => Through::Brief(attach(world, args, id, read_only)?),
            }
        }
    };
    Ok(Access {
        object: object.clone(),
        through,
    })
}

/// shmat(2).
pub(super) fn attach(
    world: &World,
    args: &Args,
    id: i32,
    read_only: bool,
) -> Result<Attachment, Failure> {
    shm::attach(id, read_only).map_err(|errno| {
        let flag = common::flags_text(&[(read_only, "SHM_RDONLY")]);
        let call = format!("shmat({}{flag})", label(world, args, &id.into()));
        let mut failure = args.failure(errno, call);
        if errno == Errno::EACCES {
            failure.meaning = denied(read_only).into();
        }
        let perm = shm::stat_any_id(id).map(|s| s.perm);
        common::explain(world, FAMILY, errno, id, perm, &mut failure);
        failure
    })
}

/// Why a segment's mode keeps somebody out.
pub(super) fn denied(read_only: bool) -> &'static str {
    match read_only {
        true => "the segment's mode does not let you read",
        false => "the segment's mode does not let you both read and write, which this takes",
    }
}

pub(super) fn label(world: &World, args: &Args, object: &Object) -> String {
    world.label(FAMILY, args.reference("segment"), object)
}

/// Where in a segment.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    /// The integer that stands there, where a type is named.
    pub ty: Option<IntType>,
    /// The offset in bytes.
    pub offset: usize,
}

/// The place that is given; the start of the segment where there is none.
pub(super) fn spot(args: &Args) -> Result<Spot, Failure> {
    let Some(Arg::Place(place)) = args.get("place") else {
        return Ok(Spot {
            ty: None,
            offset: 0,
        });
    };
    let offset = args.env.int(&place.offset)?;
    Ok(Spot {
        ty: place.ty,
        offset: usize::try_from(offset).map_err(|_| {
            Failure::refused(format!(
                "the offset {offset} is out of range: it is from 0 to {}",
                usize::MAX
            ))
        })?,
    })
}

/// An integer at a place has a length of its own: none of these is given with it.
pub fn one_integer(given: Given, lengths: &[&str]) -> Option<Refusal> {
    let ty = given.all("place").find_map(|(_, arg)| match arg {
        Arg::Place(place) => place.ty,
        _ => None,
    })?;
    let (_, at) = given.first(lengths)?;
    let message = format!(
        "a {} has a length of its own, {}",
        ty.name(),
        counted(ty.width(), "byte")
    );
    Some(Refusal::new(at, message, "leave it out, or the type"))
}

/// Where the low `width` bytes of a word stand in memory.
pub(super) fn low(width: usize) -> std::ops::Range<usize> {
    if cfg!(target_endian = "little") {
        0..width
    } else {
        8 - width..8
    }
}

/// The bytes that were asked for are not all in the segment, or it is attached read-only:
/// found before the memory was touched, since the kernel's answer would be a signal.
pub(super) fn memory_failure(
    args: &Args,
    errno: Errno,
    (object, label): (&Object, &str),
    what: &str,
    (offset, length): (usize, usize),
    size: usize,
) -> Failure {
    let mut failure = match errno {
        Errno::EFAULT | Errno::EACCES => args.foreseen(errno),
        _ => args.failure(errno, format!("{what}({label}, {length} B @ {offset})")),
    };
    match errno {
        Errno::EFAULT => {
            // By now it may be larger.
            let end = offset.saturating_add(length);
            let beyond = end.saturating_sub(size.max(offset));
            let end = counted(size, "byte");
            failure.meaning = match offset < size {
                true => format!(
                    "the segment ends at {end}, {} short",
                    counted(beyond, "byte")
                ),
                false => format!("the segment ends at {end}, before this offset"),
            };
            // Reading without a length asks for a byte at least.
            let enough = offset.saturating_add(length.max(1));
            if enough < isize::MAX as usize {
                failure.help = Some(match object {
                    Object::Posix(name) => format!("Make it larger: shm resize {name} {enough}"),
                    _ => format!(
                        "A segment does not grow; create a larger one: shm create NAME {enough}"
                    ),
                });
            }
        }
        Errno::EACCES => {
            failure.meaning =
                "this actor has it attached read-only; a program would be killed by SIGSEGV here"
                    .into();
            failure.help = Some(format!("Attach it for writing: shm attach {label}"));
        }
        _ => {}
    }
    failure
}
