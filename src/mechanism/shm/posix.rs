//! POSIX shared memory: shm_overview(7).

use super::{FAMILY, access};
use crate::data::{Cell, Column, Failure, Object, Outcome, Role, StepResult, Table};
use crate::inspect::posix::{Segment as Row, segment, segments};
use crate::kernel::Errno;
use crate::kernel::posix::shm::{self, Segment};
use crate::lang::{Example, Kind, Param, Runs, Signature};
use crate::mechanism::common::PRIVATE_IS;
use crate::mechanism::fields::{self, Field};
use crate::mechanism::posix::{self, Making, name_of, not_posix, only_posix, posix_row};
use crate::mechanism::{Args, Flavour, Listing, ObjectKind, Run, Sight, Verb, World};
use crate::session::ledger::FileKind;

pub(super) fn create(
    world: &mut World,
    args: &Args,
    name: &str,
    size: usize,
    mode: u32,
) -> StepResult {
    if args.flag("private") {
        return Err(not_posix(FAMILY, PRIVATE_IS.1));
    }
    let path = shm::path(name);
    let making = Making {
        family: FAMILY,
        kind: FileKind::Segment,
        name,
        path: &path,
        call: format!("shm_open({name}, {size} B, O_CREAT|O_EXCL)"),
        taken: path.symlink_metadata().is_ok(),
    };
    let make = || shm::create(name, size as u64, mode);
    world.make_posix(args, making, make, |_| path.symlink_metadata())?;
    // One of this name that was removed may still be mapped here.
    world.mappings.remove(name);
    Ok(Outcome::ok())
}

/// shm_open(3).
pub(super) fn open(args: &Args, name: &str, read_only: bool) -> Result<Segment, Failure> {
    shm::open(name, read_only).map_err(|errno| {
        let flag = if read_only { "O_RDONLY" } else { "O_RDWR" };
        let call = format!("shm_open({name}, {flag})");
        let mut failure = posix::not_opened(args, FAMILY, errno, call);
        if errno == Errno::EACCES {
            failure.meaning = access::denied(read_only).into();
        }
        failure
    })
}

pub(super) fn attach(world: &mut World, args: &Args, name: &str, read_only: bool) -> StepResult {
    if let Some(held) = world.mappings.get(name)
        && held.segment().read_only() == read_only
    {
        let how = if read_only { " read-only" } else { "" };
        return Err(
            Failure::refused(format!("this actor has {name} mapped{how} already"))
                .help(format!("Unmap it first: shm detach {name}")),
        );
    }
    let mapping = open(args, name, read_only)?.map().map_err(|errno| {
        let mut failure = posix::failure(args, FAMILY, errno, format!("mmap({name})"));
        if errno == Errno::EINVAL {
            failure.meaning = "it has no bytes that could be mapped".into();
            failure.help = Some(format!("Make it larger: shm resize {name} 4096"));
        }
        failure
    })?;
    let addr = format!("0x{:x}", mapping.addr());
    world.mappings.insert(name.into(), mapping);
    Ok(Outcome::ok().remark("addr", Cell::text(addr)))
}

pub(super) fn detach(world: &mut World, args: &Args, name: &str) -> StepResult {
    match world.mappings.remove(name) {
        Some(_) => Ok(Outcome::ok()),
        None => {
            let failure = args.foreseen(Errno::EINVAL);
            Err(failure.help(format!("Attach it with `shm attach {name}`")))
        }
    }
}

pub(super) static RESIZE: Verb = Verb {
    signature: Signature {
        name: "shm resize",
        summary: "make a POSIX segment larger or smaller",
        params: &[
            Param::required("segment", Kind::Ref(FAMILY), "the segment, /NAME"),
            Param::required("size", Kind::Size, "its new size in bytes"),
        ],
        refuses: Some(|given| posix::no_system_v(given, FAMILY, "segment")),
        runs: Runs::Actor,
        calls: &["ftruncate(2)"],
        errnos: &[
            ("EACCES", "the segment's mode does not let you write"),
            ("EINVAL", "no file, and so no segment, may be as large"),
            ("ENOENT", "no segment has this name"),
        ],
        notes: "What is added is 0. A program that touches memory which was cut off behind its back is \
                killed by SIGBUS; `shm read` and `shm write` are not, they say EFAULT.\n\
                A System V segment keeps its size.",
        examples: &[Example {
            script: "shm create /ipcsh-seg 8\nshm write @8 \"x\" => EFAULT\nshm resize /ipcsh-seg 16\n\
                     shm write @8 \"x\"\nexpect shm.size == 16",
            shows: "what did not fit",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let Flavour::Posix(name) = world.flavour(FAMILY, args, "segment")? else {
            return Err(only_posix(FAMILY, "ftruncate"));
        };
        let size: u64 = args.int("size")?.unwrap_or(0);
        let segment = open(args, &name, false)?;
        segment
            .resize(size)
            .map(|()| Outcome::ok())
            .map_err(|errno| {
                let mut failure = args.failure(errno, format!("ftruncate({name}, {size})"));
                if errno == Errno::EFBIG {
                    failure.meaning = "no file, and so no segment, may be as large".into();
                }
                failure
            })
    }),
};

posix_row!(Row, FAMILY);

static FIELDS: &[Field<Row>] = &[
    posix::name(),
    posix::owner(),
    posix::perms(),
    Field::new("size", "its size in bytes", |s, _| Cell::Size(s.node.size)),
    Field::of(Column::new("mtime", "when a call last wrote to it or set its size; what is written through memory does not count").role(Role::Time),
        |s, _| Cell::Time(s.node.mtime),
    ),
    posix::ctime(),
    posix::uid(),
    posix::gid(),
    posix::ino(),
];

const USUAL: &[&str] = &["name", "owner", "perms", "size", "ctime"];

fn row(object: &Object) -> Result<Row, Failure> {
    segment(object).map_err(|errno| fields::posix_gone(FAMILY, "shm_open", object, errno))
}

fn look(sight: &Sight, object: &Object, _: Option<u32>, field: &str) -> Result<Cell, Failure> {
    let field = fields::find(FIELDS, field)?;
    Ok((field.cell)(&row(object)?, sight))
}

fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    // A host without /dev/shm has none.
    let rows = segments().unwrap_or_default();
    let title = "POSIX shared memory segments";
    fields::table(title, FIELDS, USUAL, &rows, listing, sight)
}

fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let row = row(object)?;
    let title = "POSIX shared memory segment";
    let details = fields::details("shm.info", title, FIELDS, &row, sight);
    Ok(vec![details])
}

fn columns() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

/// POSIX segments.
pub(super) static OBJECTS: ObjectKind = ObjectKind {
    family: FAMILY,
    posix: true,
    fields: columns,
    times: &[],
    look,
    list,
    info,
    peek: super::peek::peek,
    condition: |_, object, _| name_of(object).to_string(),
};
