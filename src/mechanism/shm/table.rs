//! Seeing shared memory segments: their fields and their table.

use crate::data::{Cell, Column, Failure, Family, Object, Role, Table};
use crate::inspect::sysv;
use crate::kernel::shm::{self, SHM_DEST, SHM_LOCKED, ShmStat};
use crate::kernel::sysv::Perm;
use crate::mechanism::fields::{self, Field, SystemV};
use crate::mechanism::{Listing, Sight};

impl SystemV for ShmStat {
    const FAMILY: Family = Family::Shm;
    fn id(&self) -> i32 {
        self.id
    }
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

pub(super) static FIELDS: &[Field<ShmStat>] = &[
    fields::name(),
    fields::key(),
    fields::id(),
    fields::owner(),
    fields::perms(),
    Field::new("size", "bytes", |s, _| Cell::Size(s.segsz)),
    Field::new("nattch", "attachments", |s, _| s.nattch.into()),
    Field::of(
        Column::new(
            "status",
            "dest: removed at the last detach; locked: in memory",
        )
        .spare(6),
        status,
    ),
    Field::of(
        Column::new("cpid", "process that created it")
            .spare(5)
            .role(Role::Operator),
        |s, _| fields::pid(s.cpid),
    ),
    Field::of(
        Column::new("cpcmd", "command of the process that created it").role(Role::Operator),
        |s, sight| fields::command(sight, s.cpid, s.ctime),
    ),
    Field::of(
        Column::new("lpid", "process that attached or detached last")
            .spare(4)
            .role(Role::Operator),
        |s, _| fields::pid(s.lpid),
    ),
    Field::of(
        Column::new(
            "lpcmd",
            "command of the process that attached or detached last",
        )
        .role(Role::Operator),
        |s, sight| fields::command(sight, s.lpid, s.atime.max(s.dtime)),
    ),
    Field::of(
        Column::new("atime", "when it was last attached").role(Role::Time),
        |s, _| Cell::Time(s.atime),
    ),
    Field::of(
        Column::new("dtime", "when it was last detached").role(Role::Time),
        |s, _| Cell::Time(s.dtime),
    ),
    Field::of(
        Column::new("ctime", "when it was created or set")
            .spare(3)
            .role(Role::Time),
        |s, _| Cell::Time(s.ctime),
    ),
    fields::uid(),
    fields::gid(),
    fields::creator(),
    fields::cuid(),
    fields::cgid(),
];

const USUAL: &[&str] = &[
    "name", "key", "id", "owner", "perms", "size", "nattch", "status", "cpid", "cpcmd", "lpid",
    "lpcmd",
];

fn status(segment: &ShmStat, _: &Sight) -> Cell {
    let mode = segment.perm.mode;
    match (mode & SHM_DEST != 0, mode & SHM_LOCKED != 0) {
        (false, false) => Cell::Nothing,
        (true, false) => Cell::text("dest"),
        (false, true) => Cell::text("locked"),
        (true, true) => Cell::text("dest locked"),
    }
}

pub(super) fn fields() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

pub(super) fn stat(id: i32) -> Result<ShmStat, Failure> {
    shm::stat_any_id(id).map_err(|e| fields::gone(Family::Shm, "shmctl", id, e))
}

pub(super) fn look(
    sight: &Sight,
    object: &Object,
    _: Option<u32>,
    field: &str,
) -> Result<Cell, Failure> {
    let id = fields::id_of(object);
    let field = fields::find(FIELDS, field)?;
    Ok((field.cell)(&stat(id)?, sight))
}

pub(super) fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let rows = sysv::segments();
    fields::table(
        "Shared memory segments",
        FIELDS,
        USUAL,
        &rows,
        listing,
        sight,
    )
}

pub(super) fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let id = fields::id_of(object);
    let segment = stat(id)?;
    Ok(vec![fields::details(
        "shm.info",
        "Shared memory segment",
        FIELDS,
        &segment,
        sight,
    )])
}

/// Nobody waits on a segment.
pub(super) fn condition(sight: &Sight, object: &Object, _: Option<u32>) -> String {
    let id = fields::id_of(object);
    let label = sight.label(Family::Shm, object);
    match shm::stat_any_id(id) {
        Ok(segment) => match segment.nattch {
            1 => format!("{label} is attached once"),
            n => format!("{label} is attached {n} times"),
        },
        Err(_) => format!("{label} was removed"),
    }
}

#[cfg(test)]
mod tests;
