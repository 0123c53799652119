//! New sockets: their names and descriptors, and `pair`.

use std::os::fd::OwnedFd;

use super::table::exists;
use super::{FAMILY, KIND};
use crate::data::{Cell, Failure, Object, Outcome, StepResult};
use crate::kernel::fds;
use crate::kernel::socket::{self, Address, Domain, Kind};
use crate::lang::{Example, Param, Reference, Refusal, Rule, Runs, Signature, Target};
use crate::mechanism::{Args, Run, Verb, World};
use crate::session::{Binding, Entry, Side};

/// The kind that is asked for.
pub(super) fn kind(args: &Args) -> Kind {
    match args.word("kind") {
        Some("dgram") => Kind::Dgram,
        Some("seqpacket") => Kind::Seqpacket,
        _ => Kind::Stream,
    }
}

/// A new socket that can have such an address, and what it is known by.
pub(super) fn make(args: &Args, to: &Address, kind: Kind) -> Result<(OwnedFd, Object), Failure> {
    let domain = to.domain().unwrap_or(Domain::Unix);
    let made = socket::socket(domain, kind).and_then(|socket| {
        let object = Object::Inode(fds::inode(&socket)?);
        Ok((socket, object))
    });
    made.map_err(|errno| args.failure(errno, "socket()".into()))
}

/// The name of a new socket.
pub(super) struct NewName {
    name: String,
    asked: bool,
}

impl NewName {
    /// One that is made up.
    pub(super) fn any(world: &World) -> NewName {
        NewName {
            name: world.names.unique(FAMILY, &world.ledger),
            asked: false,
        }
    }

    /// The one that a reference gives, if it is free.
    fn of(world: &mut World, reference: &Reference) -> Result<NewName, Failure> {
        let Target::Name(name) = &reference.target else {
            return Err(Failure::refused("a socket has a plain name"));
        };
        free(world, name)?;
        Ok(NewName {
            name: name.clone(),
            asked: true,
        })
    }

    /// The one that `name=` asks for; `None` where it does not.
    pub(super) fn wanted(world: &mut World, args: &Args) -> Result<Option<NewName>, Failure> {
        let reference = args.reference("name");
        reference.map(|r| NewName::of(world, r)).transpose()
    }
}

/// Makes sure that a name is free: that of a socket which is gone is.
fn free(world: &mut World, name: &str) -> Result<(), Failure> {
    let Some(binding) = world.names.get(FAMILY, name) else {
        return Ok(());
    };
    let object = binding.object.clone();
    if object.inode().is_some_and(exists) {
        return Err(
            Failure::errno("EEXIST", format!("`{name}` already names a socket")).help(format!(
                "Close it (`sock close {name}`), or choose another name"
            )),
        );
    }
    world.names.forget(FAMILY, &object);
    Ok(())
}

/// Takes a new socket over. Its name is told where nobody asked for it.
pub(super) fn keep(
    world: &mut World,
    name: NewName,
    what: &str,
    socket: OwnedFd,
    object: Object,
    entry: Option<Entry>,
) -> Outcome {
    let ino = object.inode().unwrap_or(0);
    let NewName { name, asked } = name;
    world
        .files
        .insert(FAMILY, object.clone(), Side::Both, socket);
    let binding = Binding {
        object,
        key: 0,
        entry,
    };
    world.names.bind(FAMILY, &name, binding);
    let outcome = Outcome::ok().remark("ino", ino as i64);
    match asked {
        true => outcome,
        false => outcome.note(format!("{what} socket {name} (socket:[{ino}])")),
    }
}

/// Gives a further name to a socket.
pub(super) fn name(world: &mut World, name: &str, object: &Object) -> Result<(), Failure> {
    let names = &world.names;
    if names.get(FAMILY, name).is_none_or(|b| b.object != *object) {
        free(world, name)?;
    }
    let created = world.names.created(FAMILY, object);
    let entry = created.and_then(|b| b.entry);
    let binding = Binding {
        object: object.clone(),
        key: 0,
        entry,
    };
    world.names.bind(FAMILY, name, binding);
    Ok(())
}

pub(super) static PAIR: Verb = Verb {
    signature: Signature {
        name: "sock pair",
        yields: &["ino"],
        summary: "make two sockets that are connected to each other; this actor has both",
        params: &[
            KIND,
            Param::optional(
                "one",
                crate::lang::Kind::NewName(FAMILY),
                "the name of the one in this session",
            ),
            Param::optional(
                "other",
                crate::lang::Kind::NewName(FAMILY),
                "the name of the other",
            ),
        ],
        rules: &[Rule::With("one", &["other"])],
        refuses: Some(|given| {
            let at = given.at("other")?;
            let same = given.reference("one") == given.reference("other");
            same.then(|| Refusal::new(at, "this is the name of the other", "expected another"))
        }),
        runs: Runs::Actor,
        calls: &["socketpair(2)"],
        errnos: &[
            ("EEXIST", "the name is taken"),
            ("EMFILE", "this process has as many descriptors as it may"),
        ],
        notes: "A reader sees the end when no process has the other socket open any more: close it \
                in every actor that has it.",
        examples: &[Example {
            script: "sock pair seqpacket a b\nsock send a \"one\"\nsock send a \"two\"\n\
                     sock recv b => \"one\"\nc: sock recv b => \"two\"",
            shows: "messages between two processes",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(pair),
};

fn pair(world: &mut World, args: &Args) -> StepResult {
    let mut name = |param| match args.reference(param) {
        Some(reference) => NewName::of(world, reference),
        None => Ok(NewName::any(world)),
    };
    let names = [name("one")?, name("other")?];
    let failed = |errno| args.failure(errno, "socketpair()".into());
    let (one, other) = socket::pair_of(kind(args)).map_err(failed)?;
    let mut outcome = Outcome::ok();
    let mut inodes = Vec::new();
    for (socket, name) in [one, other].into_iter().zip(names) {
        let object = Object::Inode(fds::inode(&socket).map_err(failed)?);
        let made = keep(world, name, "created", socket, object, None);
        inodes.extend(made.get("ino").cloned());
        outcome = made.notes().iter().cloned().fold(outcome, Outcome::note);
    }
    Ok(outcome.remark("ino", Cell::List(inodes)))
}
