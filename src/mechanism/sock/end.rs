//! Ending sockets, and who is behind them: `shutdown`, `close`, `cred`, `rm`.

use std::path::{Path, PathBuf};

use super::{FAMILY, SOCK, Wanted, address, fd, find};
use crate::data::{Failure, Object, Outcome, StepResult};
use crate::inspect::socket_file::{self, Behind};
use crate::inspect::unix::{self, UnixSocket};
use crate::kernel::Errno;
use crate::kernel::socket::{self, Address, Shutdown};
use crate::lang::{Asks, Example, Kind, Param, Runs, Signature, Target};
use crate::mechanism::{Args, Run, Verb, World};
use crate::session::{Binding, Side};

pub(super) static SHUTDOWN: Verb = Verb {
    signature: Signature {
        name: "sock shutdown",
        summary: "end what a socket receives, what it sends, or both, for all who have it",
        params: &[
            SOCK,
            Param::required(
                "direction",
                Kind::Choice(&["r", "w", "rw"]),
                "receiving, sending, or both",
            ),
        ],
        runs: Runs::Actor,
        calls: &["shutdown(2)"],
        errnos: &[
            ("EBADF", "no actor of this session has it open"),
            ("ENOTCONN", "it is not connected"),
        ],
        notes: "The other side reads what was sent, and then `eof`.",
        examples: &[Example {
            script: "sock pair stream a b\nsock send a \"last\"\nsock shutdown a w\n\
                     sock recv b => \"last\"\nsock recv b => eof\nsock send b \"still\"\n\
                     sock recv a => \"still\"\nsock send a \"no\" => EPIPE",
            shows: "one direction ends, the other goes on",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Both, |world, args| {
        let (object, label) = find(world, args, Wanted::Talking)?;
        let (how, name) = match args.word("direction") {
            Some("r") => (Shutdown::Read, "SHUT_RD"),
            Some("w") => (Shutdown::Write, "SHUT_WR"),
            _ => (Shutdown::Both, "SHUT_RDWR"),
        };
        socket::shutdown(&fd(world, &object, &label)?, how)
            .map_err(|errno| args.failure(errno, format!("shutdown({label}, {name})")))?;
        Ok(Outcome::ok())
    }),
};

pub(super) static CLOSE: Verb = Verb {
    signature: Signature {
        name: "sock close",
        summary: "close a socket in this actor",
        params: &[SOCK],
        runs: Runs::Actor,
        calls: &["close(2)"],
        errnos: &[("EBADF", "this actor does not have it open")],
        notes: "Other actors keep theirs. The other side sees the end when nobody has it open any \
                more. The file of a listening socket stays: `sock rm PATH` removes it.",
        examples: &[Example {
            script: "sock pair stream a b\nsock send a \"last\"\nsock close a\n\
                     sock recv b => \"last\"\nsock recv b => eof\nsock send b \"x\" => EPIPE",
            shows: "what was sent stays until it is received",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let (object, label) = find(world, args, Wanted::Any)?;
        match world.files.close(FAMILY, &object, None) {
            0 => Err(
                Failure::errno("EBADF", format!("this actor does not have {label} open"))
                    .help("`sock info` shows who has"),
            ),
            _ => Ok(Outcome::ok()),
        }
    }),
};

pub(super) static CRED: Verb = Verb {
    signature: Signature {
        name: "sock cred",
        summary: "say who is on the other side of a socket: user, group and process",
        yields: &["uid", "gid", "pid"],
        params: &[SOCK],
        runs: Runs::Actor,
        calls: &["getsockopt(2)"],
        errnos: &[
            ("EBADF", "no actor of this session has it open"),
            ("ENOTCONN", "it is not connected, so there is no other side"),
            (
                "EOPNOTSUPP",
                "only Unix sockets know who is on the other side",
            ),
        ],
        notes: "SO_PEERCRED: who connected, listened or made the pair, as it was then. The socket \
                may have gone to other processes since.",
        examples: &[Example {
            script: "sock listen $WORK/s\nc: sock connect $WORK/s\nsock accept\n\
                     let peer = sock cred\nexpect $peer.pid == ${c.pid}",
            shows: "the server knows its client",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Both, |world, args| {
        let (object, label) = find(world, args, Wanted::Talking)?;
        let socket = fd(world, &object, &label)?;
        let call = || format!("getsockopt({label}, SO_PEERCRED)");
        if socket::domain(&socket) != Ok(Some(socket::Domain::Unix)) {
            return Err(args.failure(Errno::EOPNOTSUPP, call()));
        }
        let peer = socket::peer_credentials(&socket).map_err(|e| args.failure(e, call()))?;
        let peer = peer.ok_or_else(|| args.failure(Errno::ENOTCONN, call()))?;
        Ok(Outcome::default()
            .field("uid", peer.uid)
            .field("gid", peer.gid)
            .remark("pid", peer.pid))
    }),
};

pub(super) static RM: Verb = Verb {
    signature: Signature {
        name: "sock rm",
        summary: "remove a socket file",
        params: &[Param::required(
            "socket",
            Kind::Ref(FAMILY),
            "its path, or the socket that is bound to it",
        )],
        runs: Runs::Actor,
        asks: Asks::Removal,
        calls: &["unlink(2)"],
        errnos: &[
            ("EACCES", "you may not write to its directory"),
            ("ENOENT", "there is nothing at this path"),
            ("EPERM", "its directory lets only its owner remove it"),
        ],
        notes: "Who is connected stays connected; nobody can connect there any more.",
        examples: &[Example {
            script: "sock listen $WORK/s\nsock close\nsock listen $WORK/s => EADDRINUSE\n\
                     sock rm $WORK/s\nsock listen $WORK/s",
            shows: "a file that was left behind",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(rm),
};

fn rm(world: &mut World, args: &Args) -> StepResult {
    let path = path_of(world, args)?;
    let call = || format!("unlink({})", Object::from(path.as_path()));
    match socket_file::behind(&path) {
        Ok(Behind::NotASocket) => {
            return Err(Failure::refused(format!(
                "{} is no socket",
                Object::from(path.as_path())
            )));
        }
        Ok(_) => {}
        Err(errno) => return Err(args.failure(errno, call())),
    }
    socket::remove(&path).map_err(|errno| args.failure(errno, call()))?;
    let made_here = |b: &Binding| Some((b.entry?, b.object.clone()));
    let made: Vec<_> = world.names.all(FAMILY);
    for (entry, object) in made.into_iter().filter_map(|(_, b)| made_here(b)) {
        if world.ledger.path(entry).as_deref() == Some(&*path) {
            world.ledger.removed(entry, FAMILY, &object);
        }
    }
    Ok(Outcome::ok())
}

/// Whether the file of a socket is where its address says. That is but the text that bind(2) was given:
/// a relative one does not say where, and another file may stand there since.
///
/// # Errors
/// It is not known to be.
fn is_there(path: &Path, socket: &UnixSocket) -> Result<(), Failure> {
    let shown = Object::from(path);
    let why = if path.is_relative() {
        format!("it was bound to {shown} in a directory that the kernel does not tell")
    } else if !socket_file::is_of(path, socket) {
        format!("its file is not at {shown}: it was renamed, removed or replaced")
    } else {
        return Ok(());
    };
    Err(Failure::refused(why).help("Name the file by its path: `sock rm PATH`"))
}

/// The path that is written, or that a socket is bound to.
fn path_of(world: &World, args: &Args) -> Result<PathBuf, Failure> {
    let no_path = || Failure::refused("this names no socket file");
    let at = match args.reference("socket").map(|r| &r.target) {
        Some(Target::Path(term)) => address::parse(&args.env.bytes(term)?)?,
        _ => {
            let object = world.find(FAMILY, args, "socket")?;
            let seen = object.inode().and_then(|ino| unix::one(ino).ok().flatten());
            let seen = seen.ok_or_else(no_path)?;
            if let Address::Path(path) = &seen.address {
                is_there(path, &seen)?;
            }
            seen.address
        }
    };
    match at {
        Address::Path(path) => Ok(path),
        _ => Err(no_path().help("An abstract name goes with its socket: `sock close`")),
    }
}
