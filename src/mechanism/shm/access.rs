//! Getting at a segment's bytes: through the attachment that this actor holds, or
//! through one for the length of the call.

use std::ops::Deref;

use super::FAMILY;
use crate::data::{Failure, FailureKind};
use crate::kernel::shm::{self, Attachment};
use crate::kernel::{Errno, Result as KernelResult};
use crate::lang::{Arg, IntType};
use crate::mechanism::common;
use crate::mechanism::{Args, World};

/// A segment that is attached.
pub(super) enum Access<'a> {
    /// By `shm attach`, and it stays so.
    Held(&'a Attachment),
    /// For this call.
    Brief(Attachment),
}

impl Deref for Access<'_> {
    type Target = Attachment;

    fn deref(&self) -> &Attachment {
        match self {
            Access::Held(attachment) => attachment,
            Access::Brief(attachment) => attachment,
        }
    }
}

/// Attaches a segment, or takes the attachment that is there.
pub(super) fn access<'a>(
    world: &'a World,
    args: &Args,
    id: i32,
    read_only: bool,
) -> Result<Access<'a>, Failure> {
    match world.attachments.get(&id) {
        Some(held) => Ok(Access::Held(held)),
        None => attach(world, args, id, read_only).map(Access::Brief),
    }
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
        let call = format!("shmat({}{flag})", label(world, args, id));
        failure(world, args, errno, call, id)
    })
}

/// A refusal of the kernel's, in words that fit this segment.
pub(super) fn failure(world: &World, args: &Args, errno: Errno, call: String, id: i32) -> Failure {
    let mut failure = args.failure(errno, call);
    let perm = shm::stat_any_id(id).map(|s| s.perm);
    common::explain(world, FAMILY, errno, id, perm, &mut failure);
    failure
}

pub(super) fn label(world: &World, args: &Args, id: i32) -> String {
    world.label(FAMILY, args.reference("segment"), &id.into())
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
        offset: usize::try_from(offset)
            .map_err(|_| Failure::refused(format!("the offset {offset} is none")))?,
    })
}

/// One integer, in one access where it stands at a multiple of its width.
pub(super) fn load(segment: &Attachment, ty: IntType, offset: usize) -> KernelResult<u64> {
    let width = ty.width();
    if offset.is_multiple_of(width) {
        return segment.load(offset, width);
    }
    let mut bytes = [0; 8];
    segment.read(offset, &mut bytes[low(width)])?;
    Ok(u64::from_ne_bytes(bytes))
}

/// The reverse of [`load`].
pub(super) fn store(
    segment: &Attachment,
    ty: IntType,
    offset: usize,
    word: u64,
) -> KernelResult<()> {
    let width = ty.width();
    if offset.is_multiple_of(width) {
        return segment.store(offset, width, word);
    }
    segment.write(offset, &word.to_ne_bytes()[low(width)])
}

/// Where the low `width` bytes of a word stand in memory.
fn low(width: usize) -> std::ops::Range<usize> {
    if cfg!(target_endian = "little") {
        0..width
    } else {
        8 - width..8
    }
}

/// The bytes that were asked for are not all in the segment, or it is attached read-only:
/// found before the memory was touched, since the kernel's answer would be a signal.
pub(super) fn memory_failure(
    world: &World,
    args: &Args,
    errno: Errno,
    id: i32,
    what: &str,
    (offset, length): (usize, usize),
    size: usize,
) -> Failure {
    let label = label(world, args, id);
    let call = format!("{what}({label}, {length} B @ {offset})");
    let mut failure = args.failure(errno, call);
    failure.kind = FailureKind::Errno;
    match errno {
        Errno::EFAULT => {
            let beyond = offset.saturating_add(length) - size.max(offset);
            failure.meaning =
                format!("the segment ends at {size} bytes; {beyond} bytes do not fit");
            if offset.saturating_add(length) < isize::MAX as usize {
                failure.help = Some(format!(
                    "A segment does not grow; create a larger one: shm create NAME {}",
                    offset + length
                ));
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
