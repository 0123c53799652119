//! Descriptors that travel over sockets.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;

use crate::data::{Failure, Family, Object, word};
use crate::inspect::descriptors::{self, What};
use crate::kernel::fds::{self, Access};
use crate::lang::{Arg, End, Reference};
use crate::mechanism::resolve::resolve;
use crate::mechanism::{Args, World};
use crate::session::{Binding, Held, Side, files};
use std::os::unix::ffi::OsStrExt;

/// The descriptors that `--fd` names.
///
/// # Errors
/// This actor does not hold one, or holds two ends of it.
pub(super) fn wanted<'w>(world: &'w World, args: &Args) -> Result<Vec<BorrowedFd<'w>>, Failure> {
    let found = args.all("fd").filter_map(|arg| match arg {
        Arg::Fd(reference, end) => Some(one(world, args, reference, *end)),
        _ => None,
    });
    found.collect()
}

fn one<'w>(
    world: &'w World,
    args: &Args,
    reference: &Reference,
    end: Option<End>,
) -> Result<BorrowedFd<'w>, Failure> {
    let mut objects = Vec::new();
    let mut failure = None;
    for family in [Family::Pipe, Family::Fifo, Family::Sock] {
        if reference.family.is_some_and(|of| of != family) {
            continue;
        }
        match resolve(&world.names, family, Some(reference), args.env) {
            Ok(object) => objects.push((family, object)),
            Err(unknown) => failure = Some(unknown),
        }
    }
    let held = world.files.held().iter();
    let of_it = |h: &&Held| {
        let is = |(family, object): &(Family, Object)| h.family == *family && h.object == *object;
        objects.iter().any(is) && end.is_none_or(|end| h.side.serves(side(end)))
    };
    let found: Vec<&Held> = held.filter(of_it).collect();
    match found.as_slice() {
        [held] => {
            let fd = world.files.get(held.family, &held.object, held.side);
            fd.ok_or_else(|| Failure::refused("it was closed"))
        }
        [] => Err(match objects.first() {
            Some((family, object)) => {
                let label = world.label(*family, Some(reference), object);
                let what = match end {
                    Some(end) => format!("the {} of {label}", end_words(side(end))),
                    None => label,
                };
                Failure::refused(format!("this actor does not hold {what}"))
                    .help("A descriptor is sent by who has it open")
            }
            None => failure.unwrap_or_else(|| Failure::refused("this names no descriptor")),
        }),
        [one, ..] => {
            let name = world.label(one.family, Some(reference), &one.object);
            let help = match one.family {
                Family::Fifo => format!("Close it (`fifo close {name}`), and open it one way"),
                _ => format!("Say which: --fd {name}.r or --fd {name}.w"),
            };
            Err(
                Failure::refused(format!("{name} names several descriptors of this actor"))
                    .help(help),
            )
        }
    }
}

fn side(end: End) -> Side {
    match end {
        End::Read => Side::Read,
        End::Write => Side::Write,
    }
}

fn end_words(side: Side) -> &'static str {
    match side {
        Side::Read => "read end",
        Side::Write => "write end",
        Side::Both => "both ends",
    }
}

/// Takes over a descriptor that came, under a name; says what it is.
pub(super) fn take_over(world: &mut World, fd: OwnedFd) -> String {
    let own = std::process::id().cast_signed();
    let side = match fds::access(&fd) {
        Ok(Access::Read) => Side::Read,
        Ok(Access::Write) => Side::Write,
        _ => Side::Both,
    };
    let number = fd.as_raw_fd();
    let (family, object) = match descriptors::behind(own, number) {
        Ok(What::Pipe { ino }) => (Family::Pipe, Object::Inode(ino)),
        Ok(What::Socket { ino }) => (Family::Sock, Object::Inode(ino)),
        Ok(What::File { path, .. }) if is_fifo(number) => {
            (Family::Fifo, Object::from(path.as_path()))
        }
        Ok(What::File { path, .. }) => {
            let path = word(path.as_os_str().as_bytes());
            return format!("received {path}, which no command here can use: closed");
        }
        Ok(What::Other(what)) => {
            return format!("received {what}, which no command here can use: closed");
        }
        Err(errno) => return format!("received what cannot be looked at: {}", errno.desc()),
    };
    let name = match world.names.name_of(family, &object) {
        Some(name) => name.to_string(),
        None => {
            let name = match family {
                Family::Fifo => object.to_string(),
                family => world.names.unique(family, &world.ledger),
            };
            let binding = Binding {
                object: object.clone(),
                key: 0,
                entry: None,
            };
            world.names.bind(family, &name, binding);
            name
        }
    };
    // One copy is as good as another.
    match files::of(world.files.held(), family, &object, side) {
        Some(_) => world.files.touch(family, &object),
        None => world.files.insert(family, object, side, fd),
    }
    let what = match family {
        Family::Pipe => format!("the {} of pipe {name}", end_words(side)),
        Family::Fifo => format!("FIFO {name}, open for {}", side.word()),
        family => format!("{} {name}", family.object()),
    };
    format!("received {what}")
}

fn is_fifo(fd: i32) -> bool {
    let meta = std::fs::metadata(format!("/proc/self/fd/{fd}"));
    meta.is_ok_and(|meta| meta.file_type().is_fifo())
}
