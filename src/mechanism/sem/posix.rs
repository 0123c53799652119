//! POSIX named semaphores: sem_overview(7).

use super::{FAMILY, index};
use crate::data::{Cell, Column, Failure, Lack, Object, Outcome, Reply, Role, StepResult, Table};
use crate::inspect::posix::{Semaphore as Row, semaphore, semaphores};
use crate::inspect::thing::Thing;
use crate::kernel::Errno;
use crate::kernel::posix::Patience;
use crate::kernel::posix::sem::{self, Semaphore};
use crate::lang::{Given, Refusal, Term};
use crate::mechanism::common::PRIVATE_IS;
use crate::mechanism::fields::{self, Field};
use crate::mechanism::posix::{self, Making, name_of, not_posix, posix_row, with_posix};
use crate::mechanism::{Args, Listing, ObjectKind, Sight, World};
use crate::session::holds;
use crate::session::ledger::FileKind;

/// What only sets have.
pub(super) const COUNT_IS: (&str, &str) = ("count", "count= is for sets of semaphores");

/// What `--undo` is.
const UNDO_IS: (&str, &str) = ("undo", "--undo is SEM_UNDO of semop");

fn several(n: impl std::fmt::Display) -> String {
    format!("taking or giving {n} at once is an operation of semop")
}

/// What only semop(2) can do, as far as the text tells.
pub(super) fn of_semop(given: Given) -> Option<Refusal> {
    let undone = with_posix(given, FAMILY, "set", &[UNDO_IS]);
    undone.or_else(|| match given.term("n")?.1 {
        Term::Int(1) => None,
        Term::Int(n) => with_posix(given, FAMILY, "set", &[("n", &several(n))]),
        _ => None,
    })
}

pub(super) fn create(
    world: &mut World,
    args: &Args,
    name: &str,
    value: i32,
    mode: u32,
) -> StepResult {
    if args.flag("private") {
        return Err(not_posix(FAMILY, PRIVATE_IS.1));
    }
    if args.get("count").is_some() {
        return Err(not_posix(FAMILY, COUNT_IS.1));
    }
    let path = sem::path(name);
    let making = Making {
        family: FAMILY,
        kind: FileKind::Semaphore,
        name,
        path: &path,
        call: format!("sem_open({name}, {value}, O_CREAT|O_EXCL)"),
        taken: path.symlink_metadata().is_ok(),
    };
    // What no `unsigned int` holds is beyond every value too.
    let given = u32::try_from(value).unwrap_or(u32::MAX);
    let made = world.make_posix(
        args,
        making,
        || sem::create(name, given, mode),
        |()| path.symlink_metadata(),
    );
    if let (Ok(()), Ok(row)) = (&made, semaphore(&Object::Posix(name.into()))) {
        world.holds.made(holds::posix(row.node.ino), value);
    }
    made.map(|()| Outcome::ok()).map_err(|mut failure| {
        if failure.errno.as_deref() == Some("EINVAL") {
            failure.meaning = format!("a semaphore's value is from 0 to {}", sem::VALUE_MAX);
        }
        failure
    })
}

/// The semaphore, open for the length of the call.
fn open(args: &Args, name: &str) -> Result<Semaphore, Failure> {
    if let Some(index) = index(args)? {
        return Err(Failure::refused(format!(
            "{name} is one semaphore, and has no number {index}: POSIX has no sets"
        ))
        .help(format!("Leave away the [{index}]")));
    }
    sem::open(name)
        .map_err(|errno| posix::not_opened(args, FAMILY, errno, format!("sem_open({name})")))
}

/// Refuses what only semop(2) can do.
fn refuse(args: &Args) -> Result<(), Failure> {
    if args.flag("undo") {
        return Err(not_posix(FAMILY, UNDO_IS.1)
            .help("Its value stays as a process leaves it, also when it is killed"));
    }
    match args.int::<i32>("n")?.unwrap_or(1) {
        1 => Ok(()),
        n => Err(not_posix(FAMILY, &several(n))
            .help("A POSIX semaphore goes down and up by 1; say it several times")),
    }
}

/// Counts what this actor holds of it, where it can still be found by its name.
fn operated(world: &mut World, name: &str, change: i16) {
    if let Ok(row) = semaphore(&Object::Posix(name.into())) {
        world.holds.operated(holds::posix(row.node.ino), 0, change);
    }
}

pub(super) fn p(world: &mut World, args: &Args, name: &str) -> StepResult {
    refuse(args)?;
    let (patience, call) = match (args.flag("nowait"), args.duration("timeout")?) {
        (true, _) => (Patience::Never, format!("sem_trywait({name})")),
        (false, Some(for_)) => (
            Patience::For(for_),
            format!("sem_timedwait({name}, {})", Cell::Elapsed(for_)),
        ),
        (false, None) => (Patience::Forever, format!("sem_wait({name})")),
    };
    let semaphore = open(args, name)?;
    semaphore.wait(patience).map_err(|errno| {
        let mut failure = posix::failure(args, FAMILY, errno, call);
        if let Errno::EAGAIN | Errno::ETIMEDOUT = errno {
            failure.meaning = format!("{name} is 0");
            failure = failure.lacks(Lack::Value(Object::Posix(name.into()), 0));
        }
        failure
    })?;
    operated(world, name, -1);
    Ok(Outcome::ok())
}

pub(super) fn v(world: &mut World, args: &Args, name: &str) -> StepResult {
    refuse(args)?;
    open(args, name)?
        .post()
        .map_err(|errno| posix::failure(args, FAMILY, errno, format!("sem_post({name})")))?;
    operated(world, name, 1);
    Ok(Outcome::ok())
}

pub(super) fn get(args: &Args, name: &str) -> StepResult {
    let value = open(args, name)?
        .value()
        .map_err(|errno| posix::failure(args, FAMILY, errno, format!("sem_getvalue({name})")))?;
    Ok(Outcome::value(i64::from(value)))
}

posix_row!(Row, FAMILY);

static FIELDS: &[Field<Row>] = &[
    posix::name(),
    posix::owner(),
    posix::perms(),
    Field::new("value", "its value", |s, _| {
        s.contents
            .map_or(Cell::Unknown, |c| i64::from(c.value).into())
    }),
    Field::new(
        "ncnt",
        "how many wait, as the C library counts: one that is killed meanwhile counts for ever",
        |s, _| {
            s.contents
                .map_or(Cell::Unknown, |c| i64::from(c.waiters).into())
        },
    ),
    Field::of(
        Column::new(
            "waits",
            "who is blocked: P until it can be lowered, and how many",
        )
        .role(Role::Waits),
        |s, sight| fields::waits([('P', waiting(s, sight))]),
    ),
    posix::ctime(),
    posix::uid(),
    posix::gid(),
    posix::ino(),
];

/// How many are blocked at it. The C library's count is the most that there can be, since nobody takes
/// off it who was killed. `None` where fewer are seen, and some process could not be looked into.
fn waiting(row: &Row, sight: &Sight) -> Option<usize> {
    let said = row.contents?.waiters as usize;
    if said == 0 {
        return Some(0);
    }
    let thing = Thing::Memory((&row.node).into());
    let seen = sight.snapshot.waiting_at(thing).count();
    let seen_all = seen >= said || sight.snapshot.waiters().unreadable == 0;
    seen_all.then_some(seen)
}

const USUAL: &[&str] = &["name", "owner", "perms", "value", "waits", "ctime"];

fn row(object: &Object) -> Result<Row, Failure> {
    semaphore(object).map_err(|errno| fields::posix_gone(FAMILY, "sem_open", object, errno))
}

fn look(sight: &Sight, object: &Object, num: Option<u32>, field: &str) -> Result<Cell, Failure> {
    if let Some(num) = num.filter(|num| *num > 0) {
        return Err(Failure::refused(format!(
            "{object} is one semaphore, and has no number {num}: POSIX has no sets"
        )));
    }
    let field = fields::find(FIELDS, field)?;
    Ok((field.cell)(&row(object)?, sight))
}

fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    // A host without /dev/shm has none.
    let rows = semaphores().unwrap_or_default();
    let title = "POSIX semaphores";
    fields::table(title, FIELDS, USUAL, &rows, listing, sight)
}

fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let row = row(object)?;
    let title = "POSIX semaphore";
    let details = fields::details("sem.info", title, FIELDS, &row, sight);
    Ok(vec![details])
}

fn peek(_: &Sight, object: &Object, _: &Args) -> Result<Reply, Failure> {
    let value = row(object)?.contents.map(|c| i64::from(c.value));
    let value = value.ok_or_else(|| {
        Failure::environment("its file may not be read").help("Run as root or as its owner")
    })?;
    Ok(Outcome::value(value).into())
}

fn condition(_: &Sight, object: &Object, _: Option<u32>) -> String {
    let name = name_of(object);
    match semaphore(object).map(|row| row.contents) {
        Ok(Some(contents)) => format!("{name} is {}", contents.value),
        Err(Errno::ENOENT) => posix::removed(name),
        _ => name.to_string(),
    }
}

fn columns() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

/// POSIX semaphores.
pub(super) static OBJECTS: ObjectKind = ObjectKind {
    family: FAMILY,
    posix: true,
    fields: columns,
    times: &[],
    look,
    list,
    info,
    peek,
    condition,
};
