//! Sockets: unix(7) of every kind, and tcp(7).
//!
//! A socket has no name by which a second process could open it, though it may have an
//! address where others connect. It is a descriptor of processes; a step in an actor that has
//! none of a socket gets a copy of another's.

mod address;
mod condition;
mod end;
mod made;
mod open;
mod passed;
mod table;
mod transfer;

use std::os::fd::BorrowedFd;

use super::{Args, Mechanism, ObjectKind, Run, Verb, World};
use crate::data::{Failure, Family, Object};
use crate::kernel::socket;
use crate::lang::{Example, Kind, Param, Runs, Signature, Target};
use crate::session::Side;

pub(super) use address::bound;

const FAMILY: Family = Family::Sock;

const SOCK: Param = Param::optional(
    "socket",
    Kind::Ref(FAMILY),
    "which one; the one this actor used last where it is left out",
);
const ADDRESS: Param = Param::required(
    "address",
    Kind::Address,
    "where: a path, @NAME for an abstract name, tcp:HOST:PORT",
);
const KIND: Param = Param::optional(
    "kind",
    Kind::Choice(&["stream", "dgram", "seqpacket"]),
    "bytes, messages from anyone, or messages over a connection; stream",
);
const NAME: Param = Param::option(
    "name",
    Kind::NewName(FAMILY),
    "its name in this session; s1, s2 … where it is left out",
);
const NOWAIT: Param = Param::flag("nowait", "fail with EAGAIN where it would block");

super::common_verbs::seeing_verbs!(
    FAMILY,
    "sock",
    "socket",
    "sock_diag(7)",
    "sock listen $WORK/x name=x",
    "name,ino,state,address",
    &[],
    ""
);

static USE: Verb = Verb {
    signature: Signature {
        name: "sock use",
        summary: "make a socket the one that this actor uses next, and give it a name",
        params: &[
            Param::required("socket", Kind::Ref(FAMILY), "which one"),
            Param::optional(
                "name",
                Kind::NewName(FAMILY),
                "a further name in this session",
            ),
        ],
        runs: Runs::Actor,
        calls: &["pidfd_getfd(2)"],
        errnos: &[("EBADF", "no actor of this session has it open")],
        notes: "Where this actor does not have it open, it gets a copy of another's.",
        examples: &[Example {
            script: "sock pair stream a b\nsock use a\nsock send \"hi\"\nsock recv b => \"hi\"",
            shows: "which of two is meant from here on",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Both, |world, args| {
        let (object, label) = find(world, args, Wanted::Any)?;
        fd(world, &object, &label)?;
        match args.reference("name").map(|r| &r.target) {
            Some(Target::Name(name)) => made::name(world, name, &object)?,
            _ => {
                let name = world.names.name_of(FAMILY, &object).map(String::from);
                name.map(|name| world.names.make_current(FAMILY, &name));
            }
        }
        Ok(crate::data::Outcome::ok())
    }),
};

/// What a verb wants a socket for: where none is named, that decides which is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// To accept connections of.
    Listening,
    /// To send over, or receive from: it does not listen.
    Talking,
    /// To send datagrams to any address over.
    Datagrams,
    /// For what every socket can do.
    Any,
}

impl Wanted {
    fn suits(self, fd: BorrowedFd) -> bool {
        let listens = socket::is_listening(&fd).unwrap_or(false);
        match self {
            Wanted::Listening => listens,
            Wanted::Talking => !listens,
            Wanted::Datagrams => socket::kind(&fd) == Ok(Some(socket::Kind::Dgram)),
            Wanted::Any => true,
        }
    }
}

/// The socket that is meant, which is now the one that was used last, and how it is called.
fn find(world: &mut World, args: &Args, wanted: Wanted) -> Result<(Object, String), Failure> {
    let reference = args.reference("socket");
    let current = reference.is_none_or(|r| r.target == Target::Current);
    let suiting = |h: &&crate::session::Held| {
        let fd = world.files.get(FAMILY, &h.object, Side::Both);
        h.family == FAMILY && fd.is_some_and(|fd| wanted.suits(fd))
    };
    let newest = world.files.held().iter().rev().find(suiting);
    let object = match newest.filter(|_| current) {
        Some(held) => held.object.clone(),
        None => world.find_held(FAMILY, args, "socket", Side::Both)?,
    };
    world.files.touch(FAMILY, &object);
    let label = world.label(FAMILY, reference, &object);
    Ok((object, label))
}

/// The descriptor of a socket.
fn fd<'w>(world: &'w World, object: &Object, label: &str) -> Result<BorrowedFd<'w>, Failure> {
    let fd = world.files.get(FAMILY, object, Side::Both);
    fd.ok_or_else(|| {
        Failure::errno(
            "EBADF",
            format!("no actor of this session has {label} open"),
        )
        .help("`sock connect ADDRESS` makes another one")
    })
}

/// Everything about sockets.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[
        &LS,
        &INFO,
        &open::LISTEN,
        &open::CONNECT,
        &open::ACCEPT,
        &made::PAIR,
        &transfer::SEND,
        &transfer::RECV,
        &transfer::PEEK,
        &end::SHUTDOWN,
        &end::CLOSE,
        &end::CRED,
        &USE,
        &end::RM,
    ],
    kinds: &[&ObjectKind {
        family: FAMILY,
        posix: false,
        fields: table::fields,
        times: &[],
        look: table::look,
        list: table::list,
        info: table::info,
        peek: transfer::peek,
        condition: condition::condition,
    }],
};
