//! What is known of an object, field by field: one description is a column of a table, a
//! key of JSON, what `-o` chooses and what `expect` names.

use std::fmt::Display;

use super::sight::Sight;
use super::{Listing, errno_symbol};
use crate::data::{Cell, Column, Failure, Family, Identity, Object, Table};
use crate::inspect::process::{Certainty, is_of_the_host};
use crate::kernel::sysv::Perm;
use crate::kernel::{Errno, process};
use crate::lang::closest;

/// A field of a kind of object.
pub(super) struct Field<R: 'static> {
    pub column: Column,
    pub cell: fn(&R, &Sight) -> Cell,
}

impl<R> Field<R> {
    pub const fn new(
        name: &'static str,
        help: &'static str,
        cell: fn(&R, &Sight) -> Cell,
    ) -> Field<R> {
        Field::of(Column::new(name, help), cell)
    }

    pub const fn of(column: Column, cell: fn(&R, &Sight) -> Cell) -> Field<R> {
        Field { column, cell }
    }
}

/// What can be a row of a table of objects.
pub(super) trait Row: 'static {
    const FAMILY: Family;
    fn object(&self) -> Object;
}

/// What every System V object has.
pub(super) trait SystemV: 'static {
    const FAMILY: Family;
    fn id(&self) -> i32;
    fn perm(&self) -> &Perm;
}

impl<S: SystemV> Row for S {
    const FAMILY: Family = S::FAMILY;
    fn object(&self) -> Object {
        self.id().into()
    }
}

/// The id of a System V object; one that no object has where it is of another flavour.
pub(super) fn id_of(object: &Object) -> i32 {
    object.id().unwrap_or(-1)
}

/// The fields that every object has.
pub(super) const fn name<R: Row>() -> Field<R> {
    Field::of(
        Column::new("name", "its name in this session").identity(Identity::Weak),
        |r: &R, sight| match sight.name_of(R::FAMILY, &r.object()) {
            Some(name) => Cell::text(name),
            None => Cell::Nothing,
        },
    )
}
pub(super) const fn key<R: SystemV>() -> Field<R> {
    Field::of(
        Column::new("key", "its key; 0 is IPC_PRIVATE").spare(1),
        |r: &R, _| Cell::Key(r.perm().key),
    )
}
pub(super) const fn id<R: SystemV>() -> Field<R> {
    Field::of(
        Column::new("id", "the kernel's identifier").identity(Identity::Strong),
        |r: &R, _| Cell::from(r.id()),
    )
}
pub(super) const fn owner<R: SystemV>() -> Field<R> {
    Field::of(
        Column::new("owner", "the owner's name").spare(7),
        |r: &R, sight| Cell::Text(sight.user(r.perm().uid)),
    )
}
pub(super) const fn creator<R: SystemV>() -> Field<R> {
    Field::new("creator", "the creator's name", |r: &R, sight| {
        Cell::Text(sight.user(r.perm().cuid))
    })
}
pub(super) const fn perms<R: SystemV>() -> Field<R> {
    Field::of(
        Column::new("perms", "its permissions, in octal").spare(2),
        |r: &R, _| Cell::Mode(r.perm().mode & 0o777),
    )
}
pub(super) const fn uid<R: SystemV>() -> Field<R> {
    Field::new("uid", "the owner's user id", |r: &R, _| r.perm().uid.into())
}
pub(super) const fn gid<R: SystemV>() -> Field<R> {
    Field::new("gid", "the owner's group id", |r: &R, _| {
        r.perm().gid.into()
    })
}
pub(super) const fn cuid<R: SystemV>() -> Field<R> {
    Field::new("cuid", "the creator's user id", |r: &R, _| {
        r.perm().cuid.into()
    })
}
pub(super) const fn cgid<R: SystemV>() -> Field<R> {
    Field::new("cgid", "the creator's group id", |r: &R, _| {
        r.perm().cgid.into()
    })
}

/// A pid that an object remembers; 0 is nobody.
pub(super) fn pid(pid: i32) -> Cell {
    match pid {
        0 => Cell::Nothing,
        pid => pid.into(),
    }
}

/// The command of the process that an object remembers, as far as it can be known.
pub(super) fn command(sight: &Sight, pid: i32, when: i64) -> Cell {
    if pid == 0 {
        return Cell::Nothing;
    }
    if let Some(actor) = sight.actors.get(&pid) {
        return Cell::text(actor.as_str());
    }
    match sight.last_operator(pid, when) {
        None => Cell::Nothing,
        Some(operator) => match (operator.certainty, operator.comm) {
            (Certainty::Alive, Some(comm)) => Cell::Text(comm),
            (Certainty::Gone, _) => Cell::text("gone"),
            (Certainty::Recycled, _) => Cell::text("recycled"),
            _ => Cell::Unknown,
        },
    }
}

/// The columns of all fields.
pub(super) fn columns<R>(fields: &'static [Field<R>]) -> Vec<&'static Column> {
    fields.iter().map(|f| &f.column).collect()
}

/// A table of these rows, with the chosen columns or the usual ones.
pub(super) fn table<R: Row>(
    title: &'static str,
    fields: &'static [Field<R>],
    usual: &[&str],
    rows: &[R],
    listing: &Listing,
    sight: &Sight,
) -> Result<Table, Failure> {
    let chosen: Vec<&'static Field<R>> = match listing.columns.as_slice() {
        [] => usual.iter().filter_map(|n| find(fields, n).ok()).collect(),
        names => names
            .iter()
            .map(|n| find(fields, n))
            .collect::<Result<_, _>>()?,
    };
    let columns = chosen.iter().map(|f| &f.column).collect();
    let mut table = Table::new(R::FAMILY.noun(), title, columns);
    table.reserve(rows.len());
    for row in rows {
        table.push(chosen.iter().map(|f| (f.cell)(row, sight)));
    }
    explain_unknown(&mut table);
    Ok(table)
}

/// Says why, where a cell is unknown.
fn explain_unknown(table: &mut Table) {
    if table.rows().any(|row| row.contains(&Cell::Unknown)) {
        table.unknown = unknown();
    }
}

/// Why something cannot be known.
pub fn unknown() -> &'static str {
    match process::geteuid() {
        0 if is_of_the_host() => "the kernel lets not even root see it",
        _ => "not to be seen without privilege; run as root or as the owner",
    }
}

/// The field of this name.
pub(super) fn find<R>(
    fields: &'static [Field<R>],
    name: &str,
) -> Result<&'static Field<R>, Failure> {
    let found = fields.iter().find(|f| f.column.name == name);
    found.ok_or_else(|| {
        let names = fields.iter().map(|f| f.column.name);
        let failure = Failure::refused(format!("there is no column `{name}`"));
        match closest(name, names.clone()) {
            Some(close) => failure.help(format!("Did you mean `{close}`?")),
            None => failure.help(format!(
                "The columns are {}",
                names.collect::<Vec<_>>().join(", ")
            )),
        }
    })
}

/// A POSIX object cannot be looked at.
pub(super) fn posix_gone(family: Family, call: &str, object: &Object, errno: Errno) -> Failure {
    let kind = super::resolve::posix_object(family);
    let (meaning, help) = match errno {
        Errno::EACCES => (
            "its mode does not let you".to_string(),
            "Run as root or as its owner".to_string(),
        ),
        errno => (
            match errno {
                Errno::ENOENT => format!("no POSIX {kind} has this name"),
                Errno::EINVAL | Errno::ELOOP => super::posix::another(family),
                errno => errno.desc().to_string(),
            },
            format!("`{} ls` lists those that exist", family.noun()),
        ),
    };
    Failure::errno(errno_symbol(errno), meaning)
        .call(format!("{call}({object})"))
        .help(help)
}

/// There is no such object. The kernel says EINVAL or, where the id's place in its table has
/// gone to another, EIDRM: to who looks both are the same.
pub(super) fn gone(family: Family, call: &str, id: i32, errno: Errno) -> Failure {
    let errno = match errno {
        Errno::EIDRM => Errno::EINVAL,
        errno => errno,
    };
    Failure::errno(
        errno_symbol(errno),
        match errno {
            Errno::EINVAL => {
                format!("there is no {} with id {id}", family.object())
            }
            errno => errno.desc().to_string(),
        },
    )
    .call(format!("{call}({id}, IPC_STAT)"))
    .help(format!("`{} ls` lists those that exist", family.noun()))
}

/// Who is blocked, and how many: `R1 S2`. `None` is a count that is not known, where none was seen.
pub(super) fn waits<N: Display + PartialOrd + Default, const K: usize>(
    counts: [(char, Option<N>); K],
) -> Cell {
    let unseen = counts.iter().any(|(_, count)| count.is_none());
    let some = counts
        .iter()
        .filter_map(|(letter, count)| Some((letter, count.as_ref()?)));
    let words: Vec<String> = some
        .filter(|(_, count)| **count > N::default())
        .map(|(letter, count)| format!("{letter}{count}"))
        .collect();
    match (words.is_empty(), unseen) {
        (false, _) => Cell::Text(words.join(" ")),
        (true, true) => Cell::Unknown,
        (true, false) => Cell::Nothing,
    }
}

static FIELD: Column =
    Column::new("field", "the field's name, as in `expect` and JSON").identity(Identity::Strong);
static VALUE: Column = Column::new("value", "its value");

/// Every field of one object.
pub(super) fn details<R: Row>(
    kind: &'static str,
    title: &'static str,
    fields: &'static [Field<R>],
    row: &R,
    sight: &Sight,
) -> Table {
    let cells = fields.iter().map(|f| (f.column.name, (f.cell)(row, sight)));
    details_of(kind, title, cells)
}

/// Fields with what they are, one a row.
pub(super) fn details_of(
    kind: &'static str,
    title: &'static str,
    cells: impl IntoIterator<Item = (&'static str, Cell)>,
) -> Table {
    let mut table = Table::new(kind, title, vec![&FIELD, &VALUE]);
    for (name, cell) in cells {
        table.push([Cell::text(name), cell]);
    }
    explain_unknown(&mut table);
    table
}

#[cfg(test)]
mod tests;
