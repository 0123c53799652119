//! What POSIX objects of all three families have alike. Which flavour is meant, the slash of its
//! name says.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::args::errno_symbol;
use super::fields::{Field, Row};
use super::resolve::{posix_name, posix_object};
use super::{Args, World};
use crate::data::{Cell, Column, Failure, Family, Identity, Object, Outcome, Role, StepResult};
use crate::inspect::posix::{self, Node};
use crate::kernel::posix::{mq, sem, shm};
use crate::kernel::{Errno, Result as KernelResult};
use crate::lang::{Given, Reference, Refusal, Target};
use crate::session::ledger::FileKind;
use crate::session::{Binding, now};

/// A POSIX object that is about to be made.
pub(super) struct Making<'a> {
    pub family: Family,
    pub kind: FileKind,
    pub name: &'a str,
    /// By which the janitor finds it.
    pub path: &'a Path,
    /// The call, as it is shown: `mq_open(/jobs, O_CREAT|O_EXCL)`.
    pub call: String,
    /// Whether the name is taken.
    pub taken: bool,
}

impl World {
    /// Makes a POSIX object so that it cannot be lost, and makes it the current one of its family.
    /// `meta` finds what it became.
    pub(super) fn make_posix<T>(
        &mut self,
        args: &Args,
        making: Making,
        make: impl FnOnce() -> KernelResult<T>,
        meta: impl FnOnce(&T) -> std::io::Result<Metadata>,
    ) -> Result<T, Failure> {
        // Before the ledger speaks of it, so that nobody else's can ever be taken for ours.
        if making.taken {
            return Err(failure(args, making.family, Errno::EEXIST, making.call));
        }
        let object = Object::Posix(making.name.into());
        let entry = self
            .ledger
            .intend_file(making.kind, &object, making.path, now(), self.uid)
            .map_err(|_| Failure::environment("the session's ledger is full"))?;
        let made = make().map_err(|errno| {
            self.ledger.forget(entry);
            failure(args, making.family, errno, making.call)
        })?;
        if let Ok(meta) = meta(&made) {
            let (dev, ino) = (meta.dev(), meta.ino());
            self.ledger.settle_file(entry, making.kind, dev, ino);
        }
        self.names.forget(making.family, &object);
        let binding = Binding {
            object,
            key: 0,
            entry: Some(entry),
        };
        self.names.bind(making.family, making.name, binding);
        Ok(made)
    }
}

/// The POSIX name that a `create` asks for; `None` where it asks for none.
pub(super) fn wanted(
    family: Family,
    wanted: Option<&Reference>,
    args: &Args,
) -> Result<Option<Box<str>>, Failure> {
    match wanted.map(|r| &r.target) {
        Some(Target::Path(term)) => posix_name(family, &args.env.bytes(term)?).map(Some),
        _ => Ok(None),
    }
}

/// `use`: makes a POSIX object the current one.
pub(super) fn take(world: &mut World, args: &Args, family: Family, name: &str) -> StepResult {
    let object = Object::Posix(name.into());
    exists(family, &object)
        .map_err(|errno| not_opened(args, family, errno, format!("open({name})")))?;
    let known = match args.reference("name").map(|r| &r.target) {
        Some(Target::Name(wanted)) => wanted.as_str(),
        _ => name,
    };
    match world.names.get(family, known).map(|b| &b.object) {
        Some(same) if *same == object => {
            world.names.make_current(family, known);
        }
        Some(other) => {
            return Err(Failure::refused(format!(
                "`{known}` already names a {} ({other})",
                family.object()
            )));
        }
        None => {
            let created = world.names.created(family, &object);
            let entry = created.and_then(|b| b.entry);
            let binding = Binding {
                object,
                key: 0,
                entry,
            };
            world.names.bind(family, known, binding);
        }
    }
    Ok(Outcome::ok())
}

fn exists(family: Family, object: &Object) -> KernelResult<()> {
    match family {
        Family::Msgq => posix::queue(object).map(drop),
        Family::Shm => posix::segment(object).map(drop),
        _ => posix::semaphore(object).map(drop),
    }
}

/// Takes the name of a POSIX object away. Who has it open goes on with it.
pub(super) fn rm(
    world: &mut World,
    args: &Args,
    family: Family,
    name: &str,
) -> Result<(), Failure> {
    let (call, done) = match family {
        Family::Msgq => ("mq_unlink", mq::unlink(name)),
        Family::Shm => ("shm_unlink", shm::unlink(name)),
        _ => ("sem_unlink", sem::unlink(name)),
    };
    done.map_err(|errno| failure(args, family, errno, format!("{call}({name})")))?;
    let object = Object::Posix(name.into());
    world.files.close(family, &object, None);
    world.removed(family, &object);
    Ok(())
}

/// What the errnos mean for POSIX objects.
const MEANINGS: [(Errno, &str); 12] = [
    (Errno::EACCES, "its mode does not let you"),
    (Errno::EAGAIN, "it would wait, and may not"),
    (Errno::EEXIST, "something has this name already"),
    (Errno::EINTR, "it was interrupted while it waited"),
    (
        Errno::EMFILE,
        "this user's queues would take more than RLIMIT_MSGQUEUE",
    ),
    (
        Errno::ENAMETOOLONG,
        "a semaphore's name has at most 251 bytes: `sem.` stands before it in its file's",
    ),
    (Errno::ENOENT, "nothing has this name"),
    (Errno::ENOSPC, "the host has as much of them as it may"),
    (
        Errno::EOVERFLOW,
        "the value would be above SEM_VALUE_MAX (2147483647)",
    ),
    (Errno::EPERM, "only its owner or root may"),
    (Errno::ETIMEDOUT, "it has waited so long"),
    (Errno::EBUSY, "another process is told already"),
];

/// A refusal of the kernel's, in words that fit a POSIX object.
pub(super) fn failure(args: &Args, family: Family, errno: Errno, call: String) -> Failure {
    let meaning = MEANINGS.iter().find(|(of, _)| *of == errno);
    let help = match errno {
        Errno::ENOENT => Some(format!("`{} ls` lists those that exist", family.noun())),
        Errno::EEXIST => Some(format!(
            "Take it with `{0} use NAME`, or remove it: `{0} rm NAME`",
            family.noun()
        )),
        _ => None,
    };
    let meaning = meaning.map_or_else(
        || args.failure(errno, String::new()).meaning,
        |(_, meaning)| (*meaning).to_string(),
    );
    Failure {
        help,
        ..Failure::errno(errno_symbol(errno), meaning).call(call)
    }
}

/// Why what has a name cannot be opened.
pub(super) fn not_opened(args: &Args, family: Family, errno: Errno, call: String) -> Failure {
    let mut failure = failure(args, family, errno, call);
    if let Errno::EINVAL | Errno::ELOOP = errno {
        failure.meaning = another(family);
    }
    failure
}

/// What `EINVAL` and `ELOOP` mean of a name that is one: a directory, a FIFO, a link or too short a
/// file has it.
pub(super) fn another(family: Family) -> String {
    format!("what has this name is no POSIX {}", posix_object(family))
}

/// An argument that only the other flavour has.
pub(super) fn not_posix(family: Family, what: &str) -> Failure {
    Failure::refused(not_posix_words(family, what))
}

fn not_posix_words(family: Family, what: &str) -> String {
    format!("{what}; a POSIX {} has none", posix_object(family))
}

/// An argument that only POSIX objects have was given with one of System V.
pub(super) fn only_posix(family: Family, what: &str) -> Failure {
    Failure::refused(only_posix_words(family, what))
}

fn only_posix_words(family: Family, what: &str) -> String {
    format!(
        "{what} is for POSIX objects, whose names begin with a slash; a System V {} has none",
        family.object()
    )
}

// The same where the text alone tells the flavour: what has a name may be of either, and what is
// current too.

/// Arguments that only System V has, each with what it is, beside a POSIX object.
pub(super) fn with_posix(
    given: Given,
    family: Family,
    object: &str,
    only: &[(&str, &str)],
) -> Option<Refusal> {
    if !given.is_posix(object) {
        return None;
    }
    let mut found = only
        .iter()
        .filter_map(|(param, what)| Some((given.at(param)?, what)));
    let (at, what) = found.next()?;
    Some(Refusal::new(
        at,
        not_posix_words(family, what),
        "leave it out",
    ))
}

/// Options that only POSIX has, beside an object of System V.
pub(super) fn with_system_v(given: Given, family: Family, only: &[&str]) -> Option<Refusal> {
    let (param, at) = given.first(only)?;
    let words = only_posix_words(family, &format!("`{param}=`"));
    Some(Refusal::new(at, words, "leave it out"))
}

/// A command of System V alone.
pub(super) fn no_posix(given: Given, family: Family, object: &str) -> Option<Refusal> {
    let at = given.at(object).filter(|_| given.is_posix(object))?;
    let message = format!("this is done to no POSIX {}", posix_object(family));
    let label = format!(
        "expected a {} of System V: NAME, id:N, key:K",
        family.object()
    );
    Some(Refusal::new(at, message, label))
}

/// A command of POSIX alone.
pub(super) fn no_system_v(given: Given, family: Family, object: &str) -> Option<Refusal> {
    let at = given.at(object).filter(|_| given.is_system_v(object))?;
    let message = format!("this is done to no {} of System V", family.object());
    let label = format!("expected a POSIX {}: /NAME", posix_object(family));
    Some(Refusal::new(at, message, label))
}

/// What can be a row of a table of POSIX objects.
pub(super) trait Posix: Row {
    fn node(&self) -> &Node;
}

macro_rules! posix_row {
    ($row:ty, $family:expr) => {
        impl $crate::mechanism::posix::Posix for $row {
            fn node(&self) -> &$crate::inspect::posix::Node {
                &self.node
            }
        }
        impl $crate::mechanism::fields::Row for $row {
            const FAMILY: $crate::data::Family = $family;
            fn object(&self) -> $crate::data::Object {
                $crate::data::Object::Posix(self.node.name.clone())
            }
        }
    };
}
pub(super) use posix_row;

/// The fields that every POSIX object has.
pub(super) const fn name<R: Posix>() -> Field<R> {
    Field::of(
        Column::new("name", "its name, with the slash").identity(Identity::Weak),
        |r: &R, _| Cell::Name(r.node().file_name.to_vec()),
    )
}
pub(super) const fn owner<R: Posix>() -> Field<R> {
    Field::of(
        Column::new("owner", "the owner's name").spare(7),
        |r: &R, sight| Cell::Text(sight.user(r.node().uid)),
    )
}
pub(super) const fn perms<R: Posix>() -> Field<R> {
    Field::of(
        Column::new("perms", "its permissions, in octal").spare(2),
        |r: &R, _| Cell::Mode(r.node().mode),
    )
}
pub(super) const fn ctime<R: Posix>() -> Field<R> {
    Field::of(
        Column::new("ctime", "when it was made, or its owner or permissions set")
            .spare(3)
            .role(Role::Time),
        |r: &R, _| Cell::Time(r.node().ctime),
    )
}
pub(super) const fn uid<R: Posix>() -> Field<R> {
    Field::new("uid", "the owner's user id", |r: &R, _| r.node().uid.into())
}
pub(super) const fn gid<R: Posix>() -> Field<R> {
    Field::new("gid", "the owner's group id", |r: &R, _| {
        r.node().gid.into()
    })
}
pub(super) const fn ino<R: Posix>() -> Field<R> {
    Field::of(
        Column::new("ino", "the inode of its file")
            .identity(Identity::Strong)
            .spare(1),
        |r: &R, _| Cell::Int(i128::from(r.node().ino)),
    )
}

/// The condition of one that has no name any more, as `/lock` or as the kernel says it.
pub(super) fn removed(name: &str) -> String {
    let name = name.strip_suffix(" (deleted)").unwrap_or(name);
    format!("{name} was removed, and nobody can open it any more")
}

/// The name of an object that is of POSIX; one that nothing has where it is of another flavour.
pub(super) fn name_of(object: &Object) -> &str {
    match object {
        Object::Posix(name) => name,
        _ => "",
    }
}
