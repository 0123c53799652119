//! Seeing pipes and FIFOs: their fields and their tables.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::data::{
    Cell, Column, Failure, FailureKind, Family, Identity, Object, Rate, Role, Table,
};
use crate::inspect::descriptors::{Access, Descriptor};
use crate::inspect::pipes::{self, Pipe};
use crate::inspect::thing::Thing;
use crate::inspect::wait::Wait;
use crate::kernel::Errno;
use crate::mechanism::fields::{self, Field, Row};
use crate::mechanism::place::file_words;
use crate::mechanism::{Listing, Sight, errno_symbol};

/// A pipe as a row of a table of pipes.
struct Anonymous(Pipe);

/// A FIFO as a row of a table of FIFOs.
struct Named {
    object: Object,
    pipe: Pipe,
}

impl Row for Anonymous {
    const FAMILY: Family = Family::Pipe;
    fn object(&self) -> Object {
        Object::Inode(self.0.ino)
    }
}

impl Row for Named {
    const FAMILY: Family = Family::Fifo;
    fn object(&self) -> Object {
        self.object.clone()
    }
}

trait HasPipe: Row {
    fn pipe(&self) -> &Pipe;
}

impl HasPipe for Anonymous {
    fn pipe(&self) -> &Pipe {
        &self.0
    }
}

impl HasPipe for Named {
    fn pipe(&self) -> &Pipe {
        &self.pipe
    }
}

const fn ino<R: HasPipe>() -> Field<R> {
    Field::of(
        Column::new("ino", "its inode, the same at both ends")
            .identity(Identity::Strong)
            .spare(1),
        |r: &R, _| r.pipe().ino.into(),
    )
}
const fn bytes<R: HasPipe>() -> Field<R> {
    Field::of(
        Column::new("bytes", "bytes in it")
            .rate(Rate::Told)
            .role(Role::Fill),
        |r: &R, sight| inside(r.pipe(), r.pipe().bytes, sight),
    )
}
const fn capacity<R: HasPipe>() -> Field<R> {
    Field::of(
        Column::new("capacity", "bytes that it may hold")
            .spare(4)
            .role(Role::Room { more: 0 }),
        |r: &R, sight| inside(r.pipe(), r.pipe().capacity, sight),
    )
}
const fn readers<R: HasPipe>() -> Field<R> {
    Field::of(
        Column::new(
            "readers",
            "descriptors that are seen open for reading; ? where none is, and there may be one",
        )
        .spare(5),
        |r: &R, sight| {
            let waiting = || waiting(r.pipe(), sight).1;
            count(r.pipe().readers().count(), r.pipe().is_read, waiting, sight)
        },
    )
}
const fn writers<R: HasPipe>() -> Field<R> {
    Field::new(
        "writers",
        "descriptors that are seen open for writing; ? where none is, and there may be one",
        |r: &R, sight| {
            let waiting = || waiting(r.pipe(), sight).0;
            count(
                r.pipe().writers().count(),
                r.pipe().is_written,
                waiting,
                sight,
            )
        },
    )
}
/// So many ends of a side are seen. Where that is none, the kernel's word counts; without it, nobody
/// waits for a side that nobody has, and who may not be looked into may have it.
fn count(
    seen: usize,
    is_open: Option<bool>,
    waiting: impl FnOnce() -> usize,
    sight: &Sight,
) -> Cell {
    match (seen, is_open) {
        (0, Some(false)) => 0.into(),
        (0, Some(true)) => Cell::Unknown,
        (0, None) if waiting() > 0 || hides_ends(sight) => Cell::Unknown,
        (seen, _) => seen.into(),
    }
}
/// Whether somebody may have it open who may not be looked into.
fn hides_ends(sight: &Sight) -> bool {
    sight.snapshot.open().unreadable > 0
}
const fn ends<R: HasPipe>() -> Field<R> {
    Field::new(
        "ends",
        "who is seen to have it open: PID,COMMAND,FD and r, w or rw",
        |r: &R, sight| match r.pipe().ends.as_slice() {
            [] if hides_ends(sight) => Cell::Unknown,
            ends => Cell::List(ends.iter().map(|d| end(d, sight)).collect()),
        },
    )
}
const fn waits<R: HasPipe>() -> Field<R> {
    Field::of(
        Column::new(
            "waits",
            "who is blocked: R readers, W writers, and how many",
        )
        .role(Role::Waits),
        |r: &R, sight| {
            let (readers, writers) = waiting(r.pipe(), sight);
            let all = sight.snapshot.waiters();
            fields::waits([('R', all.known(readers)), ('W', all.known(writers))])
        },
    )
}

static PIPE_FIELDS: &[Field<Anonymous>] = &[
    fields::name(),
    ino(),
    bytes(),
    capacity(),
    readers(),
    writers(),
    waits(),
    ends(),
];

static FIFO_FIELDS: &[Field<Named>] = &[
    Field::of(
        Column::new("path", "its path").identity(Identity::Strong),
        |f: &Named, _| match &f.object {
            Object::Path(path) => Cell::Name(path.to_vec()),
            _ => Cell::Nothing,
        },
    ),
    Field::of(
        Column::new("perms", "its permissions, in octal").spare(2),
        |f: &Named, _| {
            let file = f.pipe.file.as_ref();
            file.map_or(Cell::Unknown, |(_, file)| Cell::Mode(file.mode & 0o777))
        },
    ),
    Field::new(
        "nlink",
        "how many paths it has; 0 once its last one is removed",
        |f: &Named, _| f.pipe.nlink.map_or(Cell::Unknown, Cell::from),
    ),
    ino(),
    bytes(),
    capacity(),
    readers(),
    writers(),
    waits(),
    ends(),
];

/// What can only be told by who may copy a descriptor of it; nothing is in it where there is
/// none.
fn inside(pipe: &Pipe, bytes: Option<usize>, sight: &Sight) -> Cell {
    match bytes {
        Some(bytes) => Cell::Size(bytes as u64),
        None if pipe.ends.is_empty() && !hides_ends(sight) => Cell::Nothing,
        None => Cell::Unknown,
    }
}

/// `812,redis-server,3r`; an actor by its name.
pub(in crate::mechanism) fn end(d: &Descriptor, sight: &Sight) -> Cell {
    let command = match sight.actors.get(&d.pid) {
        Some(actor) => actor.clone(),
        None => sight.snapshot.command(d.pid).unwrap_or_default(),
    };
    let held = format!("{}{}", d.fd, side(d));
    Cell::List(vec![d.pid.into(), Cell::Text(command), Cell::Text(held)])
}

fn side(d: &Descriptor) -> &'static str {
    match d.access {
        Some(Access::Read) => "r",
        Some(Access::Write) => "w",
        Some(Access::ReadWrite) => "rw",
        _ => "",
    }
}

/// How many threads are blocked in reading and in writing it.
fn waiting(pipe: &Pipe, sight: &Sight) -> (usize, usize) {
    let (mut readers, mut writers) = (0, 0);
    for waiter in &sight.snapshot.waiters().found {
        let on = |fd: i32| pipe.ends.iter().any(|d| d.pid == waiter.pid && d.fd == fd);
        match waiter.wait {
            // Either side of it may be this one.
            Wait::Splice { from, .. } if on(from) => readers += 1,
            Wait::Splice { to, .. } if on(to) => writers += 1,
            _ if waiter.thing != Some(pipe.thing()) => {}
            Wait::Read { .. } => readers += 1,
            Wait::Write { .. } => writers += 1,
            _ => {}
        }
    }
    (readers, writers)
}

/// What the object is now.
///
/// # Errors
/// A FIFO's path leads to none.
pub(in crate::mechanism) fn stat(sight: &Sight, object: &Object) -> Result<Pipe, Failure> {
    let open = sight.snapshot.open();
    if let Some(ino) = object.inode() {
        return Ok(pipes::pipe(open, ino));
    }
    let path = object.path().unwrap_or(Path::new(""));
    pipes::fifo(open, path).map_err(|errno| {
        let meaning = match errno {
            Errno::EINVAL => {
                let mode = path.metadata().ok().map(|file| file.mode());
                format!("{} is no FIFO", file_words(path, mode))
            }
            errno => errno.desc().to_string(),
        };
        let mut failure = Failure::refused(meaning);
        failure.errno = Some(errno_symbol(errno).into());
        failure.call = Some(format!("stat({object})"));
        failure
    })
}

/// A pipe is, as long as somebody has it open.
pub(super) fn nobodys(sight: &Sight, object: &Object) -> Failure {
    let meaning = match sight.snapshot.open().unreadable {
        0 => "no process has it open",
        _ => "no process that we may look into has it open",
    };
    let label = sight.label(Family::Pipe, object);
    Failure {
        errno: Some("ENOENT".into()),
        kind: FailureKind::Errno,
        call: Some("readlink(/proc/*/fd/*)".into()),
        ..Failure::refused(format!("there is no pipe {label}: {meaning}"))
    }
}

pub(super) fn pipe_fields() -> Vec<&'static Column> {
    fields::columns(PIPE_FIELDS)
}

pub(in crate::mechanism) fn fifo_fields() -> Vec<&'static Column> {
    fields::columns(FIFO_FIELDS)
}

pub(super) fn pipe_look(
    sight: &Sight,
    object: &Object,
    _: Option<u32>,
    field: &str,
) -> Result<Cell, Failure> {
    let field = fields::find(PIPE_FIELDS, field)?;
    Ok((field.cell)(&Anonymous(stat(sight, object)?), sight))
}

pub(in crate::mechanism) fn fifo_look(
    sight: &Sight,
    object: &Object,
    _: Option<u32>,
    field: &str,
) -> Result<Cell, Failure> {
    let field = fields::find(FIFO_FIELDS, field)?;
    Ok((field.cell)(&named(sight, object)?, sight))
}

fn named(sight: &Sight, object: &Object) -> Result<Named, Failure> {
    Ok(Named {
        object: object.clone(),
        pipe: stat(sight, object)?,
    })
}

pub(super) fn pipe_list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let open = sight.snapshot.open();
    let mut rows: Vec<Anonymous> = pipes::pipes(open).into_iter().map(Anonymous).collect();
    rows.retain(|row| is_inside(sight, &row.0) && !sight.is_wiring(Thing::Pipe(row.0.ino)));
    // Ours first: a host has hundreds.
    rows.sort_by_key(|row| sight.name_of(Family::Pipe, &row.object()).is_none());
    let usual = [
        "name", "ino", "bytes", "capacity", "readers", "writers", "waits", "ends",
    ];
    fields::table("Pipes", PIPE_FIELDS, &usual, &rows, listing, sight)
}

/// Whether one of those who have it open is of interest.
fn is_inside(sight: &Sight, pipe: &Pipe) -> bool {
    let mut ends = pipe.ends.iter();
    ends.any(|end| sight.snapshot.is_inside(end.pid))
}

pub(in crate::mechanism) fn fifo_list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let open = sight.snapshot.open();
    let mut rows: Vec<Named> = Vec::new();
    // What nobody has open, only those who made it know of.
    for (_, binding) in sight.names.all(Family::Fifo) {
        let known = rows.iter().any(|row| row.object == binding.object);
        if let (false, Ok(row)) = (known, named(sight, &binding.object)) {
            rows.push(row);
        }
    }
    for pipe in pipes::fifos(open)
        .into_iter()
        .filter(|p| is_inside(sight, p))
    {
        let Some((path, file)) = pipe.file.clone() else {
            continue;
        };
        let is_same = |row: &Named| row.pipe.file.as_ref().is_some_and(|(_, f)| *f == file);
        if !rows.iter().any(is_same) {
            let object = Object::from(path.as_path());
            rows.push(Named { object, pipe });
        }
    }
    let usual = [
        "path", "perms", "nlink", "bytes", "capacity", "readers", "writers", "waits", "ends",
    ];
    fields::table("FIFOs", FIFO_FIELDS, &usual, &rows, listing, sight)
}

pub(super) fn pipe_info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let row = Anonymous(stat(sight, object)?);
    if row.0.ends.is_empty() {
        return Err(nobodys(sight, object));
    }
    Ok(vec![fields::details(
        "pipe.info",
        "Pipe",
        PIPE_FIELDS,
        &row,
        sight,
    )])
}

pub(in crate::mechanism) fn fifo_info(
    sight: &Sight,
    object: &Object,
) -> Result<Vec<Table>, Failure> {
    let row = named(sight, object)?;
    Ok(vec![fields::details(
        "fifo.info",
        "FIFO",
        FIFO_FIELDS,
        &row,
        sight,
    )])
}
