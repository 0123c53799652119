//! Making sockets: `listen`, `connect`, `accept`, `pair`.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::made::{NewName, keep, kind, make};
use super::table::{holders, kind_word};
use super::{ADDRESS, FAMILY, KIND, NAME, NOWAIT, SOCK, Wanted, address, fd, find};
use crate::data::{Cell, Failure, Object, StepResult};
use crate::inspect::snapshot::Snapshot;
use crate::inspect::socket_file::{self, Behind};
use crate::inspect::{tcp, unix};
use crate::kernel::socket::{self, Address, Kind};
use crate::kernel::{Errno, fds};
use crate::lang::{Example, Given, Param, Refusal, Runs, Signature, Term};
use crate::mechanism::telling::process_words;
use crate::mechanism::{Args, Run, Verb, World};
use crate::session::ledger::FileKind;
use crate::session::{Entry, Side, now};

/// How many connections wait to be accepted where nothing else is said.
const BACKLOG: i32 = 128;

pub(super) static LISTEN: Verb = Verb {
    signature: Signature {
        name: "sock listen",
        yields: &["ino", "address"],
        summary: "make a socket at an address, where others connect or send to",
        params: &[
            ADDRESS,
            KIND,
            Param::option(
                "backlog",
                crate::lang::Kind::Int(0, i32::MAX as i64),
                "how many connections may wait to be accepted; 128",
            ),
            NAME,
        ],
        refuses: Some(|given| of_tcp(given).or_else(|| accepts_none(given))),
        runs: Runs::Actor,
        calls: &["socket(2)", "bind(2)", "listen(2)"],
        errnos: &[
            (
                "EACCES",
                "you may not write to its directory, or the port is below 1024",
            ),
            ("EADDRINUSE", "a socket, or a file, has this address"),
            (
                "EADDRNOTAVAIL",
                "no interface of this host has this address",
            ),
            ("EEXIST", "the name is taken"),
            ("EMFILE", "this process has as many descriptors as it may"),
            (
                "ENAMETOOLONG",
                "the address of a Unix socket has up to 108 bytes",
            ),
            ("ENOENT", "its directory does not exist"),
            ("ENOTDIR", "a part of the path is no directory"),
            ("EROFS", "the file system is read-only"),
        ],
        notes: "A datagram socket takes messages from anybody at once; nothing is accepted.\n\
                A path is removed when the session ends, and stays after `sock close`: \
                `sock rm PATH` removes it. @NAME is an abstract name, which goes with the socket. \
                Port 0 is one that the kernel chooses: `let s = sock listen tcp:127.0.0.1:0`, then \
                $s.address.\n\
                On a Unix socket one more connection than the backlog may wait.",
        examples: &[
            Example {
                script: "sock listen $WORK/s\nc: sock connect $WORK/s\nsock accept\n\
                         c: sock send \"hi\"\nsock recv => \"hi\"",
                shows: "a server, a client",
            },
            Example {
                script: "sock listen $WORK/in dgram\nb: sock send \"one\" to=$WORK/in\n\
                         b: sock send \"two\"  to=$WORK/in\nsock recv => \"one\"\n\
                         sock recv => \"two\"",
                shows: "a mailbox for datagrams",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(listen),
};

fn listen(world: &mut World, args: &Args) -> StepResult {
    let (to, _, kind) = given(args)?;
    let call = format!("bind({})", address::written(&to).unwrap_or_default());
    let backlog = args.int::<i32>("backlog")?;
    let name = NewName::wanted(world, args)?;
    let (socket, object) = make(args, &to, kind)?;
    let entry = match &to {
        Address::Path(path) => Some(intend(world, args, &object, path, &call)?),
        Address::Inet(_) => {
            // Lest the connections of the session before keep the port for a minute.
            let reused = socket::set_reuse_address(&socket, true);
            reused.map_err(|e| args.failure(e, "setsockopt(SO_REUSEADDR)".into()))?;
            None
        }
        _ => None,
    };
    if let Err(errno) = socket::bind(&socket, &to) {
        entry.inspect(|entry| world.ledger.forget(*entry));
        let mut failure = args.failure(errno, call);
        if errno == Errno::EADDRINUSE {
            in_use(world, &to, &mut failure);
        }
        return Err(failure);
    }
    if let (Some(entry), Address::Path(path)) = (entry, &to)
        && let Ok(meta) = path.symlink_metadata()
    {
        let ledger = &world.ledger;
        ledger.settle_file(entry, FileKind::Socket, meta.dev(), meta.ino());
    }
    if kind != Kind::Dgram {
        let backlog = backlog.unwrap_or(BACKLOG);
        socket::listen(&socket, backlog)
            .map_err(|e| args.failure(e, format!("listen({backlog})")))?;
    }
    let at = socket::local_address(&socket).ok().filter(|at| *at != to);
    let what = match kind {
        Kind::Dgram => "bound",
        _ => "listening",
    };
    let name = name.unwrap_or_else(|| NewName::any(world));
    let outcome = keep(world, name, what, socket, object, entry);
    Ok(match at.as_ref().and_then(address::address_bytes) {
        Some(at) => outcome.remark("address", Cell::Name(at)),
        None => outcome,
    })
}

const A_STREAM: &str = "TCP is a stream: datagrams and packets are for Unix sockets here";

/// A kind of socket that no TCP address can have.
fn of_tcp(given: Given) -> Option<Refusal> {
    let (Some((_, Term::Bytes(address))), Some("dgram" | "seqpacket")) =
        (given.term("address"), given.word("kind"))
    else {
        return None;
    };
    let at = given.at("kind").filter(|_| address::is_tcp(address))?;
    Some(Refusal::new(at, A_STREAM, "expected stream"))
}

/// Who takes datagrams accepts nobody.
fn accepts_none(given: Given) -> Option<Refusal> {
    let at = given.at("backlog")?;
    let message = "a datagram socket has no backlog: nothing is accepted";
    (given.word("kind") == Some("dgram")).then(|| Refusal::new(at, message, "leave it out"))
}

/// Where, where else the same host is, and what kind of socket.
fn given(args: &Args) -> Result<(Address, Vec<Address>, Kind), Failure> {
    let (to, others) = address::parse_each(&args.bytes("address")?.unwrap_or_default())?;
    let kind = kind(args);
    match (&to, kind) {
        (Address::Inet(_), Kind::Dgram | Kind::Seqpacket) => Err(Failure::refused(A_STREAM)),
        _ => Ok((to, others, kind)),
    }
}

/// Tells the ledger of the file that bind(2) is about to make.
fn intend(
    world: &World,
    args: &Args,
    object: &Object,
    path: &Path,
    call: &str,
) -> Result<Entry, Failure> {
    // Before the ledger speaks of it, so that nobody else's can ever be taken for ours.
    if path.symlink_metadata().is_ok() {
        let mut failure = args.failure(Errno::EADDRINUSE, call.into());
        in_use(world, &Address::Path(path.into()), &mut failure);
        return Err(failure);
    }
    world
        .ledger
        .intend_file(FileKind::Socket, object, path, now(), world.uid)
        .map_err(|errno| match errno {
            Errno::ENAMETOOLONG => args.failure(errno, call.into()),
            _ => Failure::environment("the session's ledger is full"),
        })
}

/// Who has an address that is taken, and what can be done.
fn in_use(world: &World, at: &Address, failure: &mut Failure) {
    let written = address::written(at).unwrap_or_default();
    let by = |ino: u64| {
        let label = world.label(FAMILY, None, &Object::Inode(ino));
        let who = holders(&Snapshot::default(), ino).into_iter();
        match who.map(process_words).collect::<Vec<_>>().as_slice() {
            [] => label,
            who => format!("{label}, which {} has open", who.join(", ")),
        }
    };
    match at {
        Address::Path(path) => match socket_file::behind(path) {
            Ok(Behind::NotASocket) => {
                failure.meaning = "there is a file at this path, and it is no socket".into();
                failure.help = Some("Choose another path".into());
            }
            Ok(Behind::Nobody) => {
                failure.meaning = "a socket file was left there, and nobody listens on it".into();
                failure.help = Some(format!("Remove it: `sock rm {written}`"));
            }
            Ok(Behind::Socket(ino)) => failure.meaning = format!("it is bound to {}", by(ino)),
            _ => {
                failure.meaning = "a socket that is not to be seen from here is bound to it".into()
            }
        },
        Address::Abstract(_) => {
            let all = unix::all().unwrap_or_default();
            if let Some(socket) = all.iter().find(|s| s.address == *at) {
                failure.meaning = format!("it is the address of {}", by(socket.ino));
            }
        }
        Address::Inet(wanted) => {
            let all = tcp::sockets(|_| true).unwrap_or_default();
            let same = |s: &&tcp::TcpSocket| s.local.port() == wanted.port();
            if let Some(socket) = all.iter().find(same) {
                failure.meaning = format!("the port is that of {}", by(socket.ino));
                failure.help = Some("Port 0 is one that is free".into());
            }
        }
        _ => {}
    }
}

pub(super) static CONNECT: Verb = Verb {
    signature: Signature {
        name: "sock connect",
        yields: &["ino", "address"],
        summary: "make a socket and connect it",
        params: &[ADDRESS, KIND, NAME, NOWAIT],
        refuses: Some(of_tcp),
        runs: Runs::Actor,
        blocks: Some("while as many connections wait to be accepted there as the backlog allows"),
        calls: &["socket(2)", "connect(2)"],
        errnos: &[
            (
                "EACCES",
                "you may not write to the socket file, or not go through its directories",
            ),
            ("EAGAIN", "the backlog is full"),
            ("ECONNREFUSED", "nobody listens there"),
            ("EEXIST", "the name is taken"),
            ("EINTR", "it was interrupted while it waited"),
            ("EMFILE", "this process has as many descriptors as it may"),
            (
                "ENAMETOOLONG",
                "the address of a Unix socket has up to 108 bytes",
            ),
            ("ENETUNREACH", "there is no way to that network"),
            ("ENOENT", "there is nothing at this path"),
            ("ENOTDIR", "a part of the path is no directory"),
            ("EPROTOTYPE", "the socket there is of another kind"),
            ("ETIMEDOUT", "the host does not answer"),
        ],
        notes: "It is done before anybody has accepted it: what is sent then waits. With dgram it \
                says where this socket sends to; such a socket has no address, so nobody can answer \
                it: `sock listen` makes one that has.\n\
                With --nowait a TCP connection goes on by itself.",
        examples: &[
            Example {
                script: "sock listen $WORK/s backlog=0\na: sock connect $WORK/s\n\
                         b: sock connect $WORK/s ...\nsock accept\nb: ... => ok",
                shows: "a full backlog makes the next one wait",
            },
            Example {
                script: "sock connect $WORK/none => ENOENT\n\
                         sock listen $WORK/s\nsock connect $WORK/s dgram => EPROTOTYPE\n\
                         sock close\nsock connect $WORK/s => ECONNREFUSED",
                shows: "nothing there, another kind, nobody any more",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(connect),
};

fn connect(world: &mut World, args: &Args) -> StepResult {
    let (first, others, kind) = given(args)?;
    let name = NewName::wanted(world, args)?;
    let mut connected = connect_to(args, &first, kind);
    for other in others {
        match &connected {
            // Nobody there, or no way there.
            Err(f) if f.errno.is_some() && f.symbol() != "EINTR" => {}
            _ => break,
        }
        connected = connect_to(args, &other, kind);
    }
    let (socket, object, goes_on) = connected?;
    let name = name.unwrap_or_else(|| NewName::any(world));
    let outcome = keep(world, name, "connected", socket, object, None);
    Ok(match goes_on {
        true => outcome.note("the connection goes on by itself (EINPROGRESS)"),
        false => outcome,
    })
}

/// A socket that is connected to an address; whether its connection goes on by itself.
fn connect_to(args: &Args, to: &Address, kind: Kind) -> Result<(OwnedFd, Object, bool), Failure> {
    let (socket, object) = make(args, to, kind)?;
    match socket::connect(&socket, to, args.flag("nowait")) {
        Ok(()) => Ok((socket, object, false)),
        Err(Errno::EINPROGRESS) => Ok((socket, object, true)),
        Err(errno) => {
            let call = format!("connect({})", address::written(to).unwrap_or_default());
            let mut failure = args.failure(errno, call);
            refused(to, kind, errno, &mut failure);
            Err(failure)
        }
    }
}

/// Why nobody was connected to, and what can be done.
fn refused(to: &Address, kind: Kind, errno: Errno, failure: &mut Failure) {
    let there = match to {
        Address::Path(path) => unix::all().ok().and_then(|all| {
            let Ok(Behind::Socket(ino)) = socket_file::behind_of(path, &all) else {
                return None;
            };
            all.into_iter().find(|s| s.ino == ino)
        }),
        _ => None,
    };
    let written = address::written(to).unwrap_or_default();
    match (errno, to, there) {
        (Errno::EPROTOTYPE, _, Some(there)) => {
            let (theirs, ours) = (kind_word(there.kind), kind_word(kind));
            failure.meaning = format!("the socket there is {theirs}, and this one {ours}");
            failure.help = Some(format!("`sock connect {written} {theirs}`"));
        }
        (Errno::ECONNREFUSED, Address::Path(path), None)
            if socket_file::behind(path) == Ok(Behind::Nobody) =>
        {
            failure.meaning = "the socket file was left there, and nobody listens on it".into();
            failure.help = Some(format!(
                "Start its server again, or remove it: `sock rm {written}`"
            ));
        }
        (Errno::ECONNREFUSED, _, Some(_)) => {
            failure.meaning = "the socket there is bound, and does not listen".into();
        }
        (Errno::EAGAIN, _, Some(there)) => {
            failure.meaning = format!(
                "the backlog is full ({} waiting, and it is {})",
                there.rqueue, there.wqueue
            );
        }
        _ => {}
    }
}

pub(super) static ACCEPT: Verb = Verb {
    signature: Signature {
        name: "sock accept",
        yields: &["ino", "peer"],
        summary: "take the first connection that waits at a listening socket",
        params: &[SOCK, NAME, NOWAIT],
        runs: Runs::Actor,
        blocks: Some("until somebody connects"),
        calls: &["accept4(2)"],
        errnos: &[
            ("EAGAIN", "nobody waits to be accepted"),
            ("EBADF", "no actor of this session has it open"),
            ("EEXIST", "the name is taken"),
            ("EINTR", "it was interrupted while it waited"),
            ("EINVAL", "it does not listen"),
            ("EMFILE", "this process has as many descriptors as it may"),
            (
                "EOPNOTSUPP",
                "a datagram socket has no connections: receive from it",
            ),
        ],
        notes: "What it gives is a new socket, connected to who came; the listening one goes on \
                listening.",
        examples: &[Example {
            script: "srv: sock listen $WORK/s\nsrv: sock accept ...\nsock connect $WORK/s\n\
                     srv: ... => ok\nsrv: sock accept $WORK/s --nowait => EAGAIN",
            shows: "the server waits for a client",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Both, accept),
};

fn accept(world: &mut World, args: &Args) -> StepResult {
    let (listener, label) = find(world, args, Wanted::Listening)?;
    let name = NewName::wanted(world, args)?;
    let socket = fd(world, &listener, &label)?;
    if args.reference("socket").is_none() && !socket::is_listening(&socket).unwrap_or(true) {
        let meaning = "this actor has used no listening socket";
        return Err(Failure::refused(meaning).help(
            "`sock listen ADDRESS` makes one; that of another actor is named: `sock accept NAME`",
        ));
    }
    let nowait = args.flag("nowait");
    // Chosen before it waits, so that the names of several actors follow the order of their
    // steps and not that of their waking.
    let name = match name {
        None if !nowait => Some(NewName::any(world)),
        name => name,
    };
    let accepted = socket::accept(&fd(world, &listener, &label)?, nowait).and_then(|(fd, from)| {
        let ino = fds::inode(&fd)?;
        Ok((fd, from, ino))
    });
    let (socket, from, ino) =
        accepted.map_err(|errno| args.failure(errno, format!("accept({label})")))?;
    let name = name.unwrap_or_else(|| NewName::any(world));
    let outcome = keep(world, name, "accepted", socket, Object::Inode(ino), None);
    Ok(match address::address_bytes(&from) {
        Some(from) => outcome.remark("peer", Cell::Name(from)),
        None => outcome,
    })
}
