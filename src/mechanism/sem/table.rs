//! Seeing semaphore sets: their fields and their table.

use super::values::listed;
use super::wording::no_such;
use crate::data::{Cell, Column, Failure, Family, Identity, Object, Outcome, Reply, Role, Table};
use crate::inspect::sysv;
use crate::kernel::sem::{self, SemStat};
use crate::kernel::sysv::Perm;
use crate::mechanism::fields::{self, Field, SystemV};
use crate::mechanism::{Args, Listing, Sight};

impl SystemV for SemStat {
    const FAMILY: Family = Family::Sem;
    fn id(&self) -> i32 {
        self.id
    }
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

pub(super) static FIELDS: &[Field<SemStat>] = &[
    fields::name(),
    fields::key(),
    fields::id(),
    fields::owner(),
    fields::perms(),
    Field::new("nsems", "semaphores in the set", |s, _| s.nsems.into()),
    Field::new(
        "value",
        "the semaphore's value; of every semaphore of a larger set",
        values,
    ),
    Field::of(
        Column::new("pid", "process that operated on it last")
            .spare(8)
            .role(Role::Operator),
        |s, sight| sight.last_pid(s).map_or(Cell::Unknown, fields::pid),
    ),
    Field::of(
        Column::new("pidcmd", "command of the process that operated on it last")
            .role(Role::Operator),
        |s, sight| match sight.last_pid(s) {
            Some(pid) => fields::command(sight, pid, changed(s)),
            None => Cell::Unknown,
        },
    ),
    Field::of(
        Column::new(
            "waits",
            "who is blocked: P for a larger value, Z for zero, and how many",
        )
        .role(Role::Waits),
        waits,
    ),
    Field::new("ncnt", "processes that wait for a larger value", |s, _| {
        total(s, sem::ncnt).map_or(Cell::Unknown, Cell::from)
    }),
    Field::new("zcnt", "processes that wait for zero", |s, _| {
        total(s, sem::zcnt).map_or(Cell::Unknown, Cell::from)
    }),
    Field::of(
        Column::new("otime", "when it was last operated on").role(Role::Time),
        |s, _| Cell::Time(s.otime),
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
    "name", "key", "id", "owner", "perms", "nsems", "value", "pid", "pidcmd", "waits",
];

/// A set may hold tens of thousands: so many are asked for who operated last.
const ASKED: u64 = 16;

type Count = fn(i32, i32) -> crate::kernel::Result<i32>;

fn values(set: &SemStat, _: &Sight) -> Cell {
    // Most sets are of one, whose value is one call; of all, the number is asked before.
    if set.nsems == 1 {
        return sem::value(set.id, 0).map_or(Cell::Unknown, Cell::from);
    }
    let Ok(values) = sem::values(set.id, set.nsems as usize) else {
        return Cell::Unknown;
    };
    Cell::List(values.into_iter().map(Cell::from).collect())
}

impl Sight<'_> {
    /// Who operated last on a set; of a larger one, on the first semaphore that anybody has
    /// operated on. Two columns ask, one after the other, and each answer is a system call.
    fn last_pid(&self, set: &SemStat) -> Option<i32> {
        if let Some((id, pid)) = self.set_asked.get()
            && id == set.id
        {
            return pid;
        }
        let nsems = set.nsems.min(ASKED) as i32;
        let mut pids = (0..nsems).map(|num| sem::pid(set.id, num).ok());
        let first = pids.next().flatten();
        let pid = match first {
            Some(0) => pids.flatten().find(|pid| *pid != 0).or(first),
            first => first,
        };
        self.set_asked.set(Some((set.id, pid)));
        pid
    }
}

/// When somebody may last have become the `pid` of a semaphore: SETVAL and SETALL leave the
/// otime alone and change the ctime.
fn changed(set: &SemStat) -> i64 {
    set.otime.max(set.ctime)
}

/// Over all semaphores of the set.
fn total(set: &SemStat, count: Count) -> Option<i64> {
    (0..set.nsems as i32)
        .map(|num| count(set.id, num).ok().map(i64::from))
        .sum()
}

/// How many threads are blocked at a set; `None` where it may not be read.
pub fn waiting(set: &SemStat) -> Option<u64> {
    let all = total(set, sem::ncnt)? + total(set, sem::zcnt)?;
    u64::try_from(all).ok()
}

fn waits(set: &SemStat, _: &Sight) -> Cell {
    waits_of(|count| total(set, count))
}

fn waits_of(many: impl Fn(Count) -> Option<i64>) -> Cell {
    fields::waits([('P', many(sem::ncnt)), ('Z', many(sem::zcnt))])
}

pub(super) fn fields() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

fn stat(id: i32) -> Result<SemStat, Failure> {
    sem::stat_any_id(id).map_err(|e| fields::gone(Family::Sem, "semctl", id, e))
}

pub(super) fn look(
    sight: &Sight,
    object: &Object,
    index: Option<u32>,
    field: &str,
) -> Result<Cell, Failure> {
    let id = fields::id_of(object);
    let found = fields::find(FIELDS, field)?;
    let set = stat(id)?;
    let Some(index) = index else {
        return Ok((found.cell)(&set, sight));
    };
    let num = i32::try_from(index).unwrap_or(i32::MAX);
    if u64::from(index) >= set.nsems {
        let label = sight.label(Family::Sem, object);
        return Err(Failure::refused(no_such(&label, set.nsems, index.into())));
    }
    let one = |count: Count| count(id, num).map_or(Cell::Unknown, Cell::from);
    Ok(match field {
        "value" => one(sem::value),
        "ncnt" => one(sem::ncnt),
        "zcnt" => one(sem::zcnt),
        "waits" => waits_of(|count| count(id, num).ok().map(i64::from)),
        "pid" => sem::pid(id, num).map_or(Cell::Unknown, fields::pid),
        "pidcmd" => match sem::pid(id, num) {
            Ok(pid) => fields::command(sight, pid, changed(&set)),
            Err(_) => Cell::Unknown,
        },
        _ => (found.cell)(&set, sight),
    })
}

pub(super) fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let rows = sysv::sets();
    fields::table("Semaphore sets", FIELDS, USUAL, &rows, listing, sight)
}

static NUM: Column =
    Column::new("num", "the semaphore's number in the set").identity(Identity::Strong);

pub(super) fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let id = fields::id_of(object);
    let set = stat(id)?;
    let details = fields::details("sem.info", "Semaphore set", FIELDS, &set, sight);
    let columns: Vec<&'static Column> = ["value", "ncnt", "zcnt", "pid", "pidcmd"]
        .iter()
        .filter_map(|n| fields::find(FIELDS, n).ok())
        .map(|f| &f.column)
        .collect();
    let names: Vec<&str> = columns.iter().map(|c| c.name).collect();
    let all = std::iter::once(&NUM).chain(columns).collect();
    let mut members = Table::new("sem.member", "Semaphores", all);
    for num in 0..set.nsems as u32 {
        let mut row = vec![Cell::from(num)];
        for name in &names {
            row.push(look(sight, object, Some(num), name)?);
        }
        members.push(row);
    }
    Ok(vec![details, members])
}

/// The values, as `sem get` gives them.
pub(super) fn peek(sight: &Sight, object: &Object, args: &Args) -> Result<Reply, Failure> {
    let id = fields::id_of(object);
    let set = stat(id)?;
    let index = args.reference("object").and_then(|r| r.index.as_ref());
    let failed = |errno| fields::gone(Family::Sem, "semctl", id, errno);
    let value = match (index, set.nsems) {
        (Some(index), _) => {
            let index = args.env.int(index)?;
            if index < 0 || index >= set.nsems.into() {
                let label = sight.label(Family::Sem, object);
                return Err(Failure::refused(no_such(&label, set.nsems, index)));
            }
            let num = i32::try_from(index).unwrap_or(i32::MAX);
            sem::value(id, num).map_err(failed)?.into()
        }
        (None, 1) => sem::value(id, 0).map_err(failed)?.into(),
        (None, nsems) => {
            let values = sem::values(id, nsems as usize).map_err(failed)?;
            listed(&values)
        }
    };
    Ok(Outcome::value(value).into())
}

pub(super) fn condition(sight: &Sight, object: &Object, index: Option<u32>) -> String {
    let id = fields::id_of(object);
    let label = sight.label(Family::Sem, object);
    let Ok(set) = sem::stat_any_id(id) else {
        return format!("{label} was removed");
    };
    let num = index.and_then(|i| i32::try_from(i).ok()).unwrap_or(0);
    let label = match set.nsems {
        1 => label,
        _ => format!("{label}[{num}]"),
    };
    let Ok(value) = sem::value(id, num) else {
        return format!("the value of {label} cannot be read");
    };
    let operator = sem::pid(id, num).ok();
    let operator = operator.and_then(|pid| sight.operator(pid, changed(&set)));
    match operator {
        Some(who) => format!("{label} is {value}, last operated by {who}"),
        None => format!("{label} is {value}, and nobody has operated on it"),
    }
}

#[cfg(test)]
mod tests;
