//! What goes over sockets: `send`, `recv`, `peek`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::made::{NewName, keep, make};
use super::{FAMILY, NOWAIT, SOCK, Wanted, address, fd, find, passed, table};
use crate::data::{Cell, Failure, Lack, Object, Outcome, Reply, StepResult, counted};
use crate::kernel::Errno;
use crate::kernel::socket::{self, Address, Domain, Kind, Send};
use crate::lang::{Example, Param, Runs, Signature, Target};
use crate::mechanism::stream::{
    ALL, AT_MOST, DATA, EVERYTHING, LINE, LINE_OR_ALL, MOST, Much, ONE_AMOUNT, noted, until,
};
use crate::mechanism::{Args, Run, Sight, Verb, World};
use crate::session::Side;

/// How much is received where nothing else is said.
const DEFAULT_MAX: usize = 64 << 10;

const MAX: Param = Param::option(
    "max",
    crate::lang::Kind::Int(1, MOST),
    "how many bytes at most; 65536 where it is left out",
);

pub(super) static SEND: Verb = Verb {
    signature: Signature {
        name: "sock send",
        yields: &["sent"],
        summary: "send bytes or a message, and descriptors with it",
        params: &[
            SOCK,
            DATA,
            Param::option(
                "to",
                crate::lang::Kind::Address,
                "where a datagram goes; where the socket is connected, if it is left out",
            ),
            NOWAIT,
            Param::values(
                "fd",
                crate::lang::Kind::Fd,
                "a descriptor of this actor that goes with it",
            ),
        ],
        runs: Runs::Actor,
        blocks: Some("while what was sent before fills the buffer and nobody receives it"),
        calls: &["sendmsg(2)"],
        errnos: &[
            ("EACCES", "you may not write to the socket file"),
            ("EAGAIN", "what was sent before fills the buffer"),
            ("EBADF", "no actor of this session has it open"),
            (
                "ECONNREFUSED",
                "nobody has a socket at that address any more",
            ),
            ("ECONNRESET", "the other side was closed with bytes unread"),
            (
                "EDESTADDRREQ",
                "it is not connected, and to= does not say where it goes",
            ),
            ("EINTR", "it was interrupted while it waited"),
            ("EISCONN", "it is connected, and goes nowhere else"),
            ("EMSGSIZE", "the message is longer than the socket's buffer"),
            ("ENOENT", "there is nothing at this path"),
            ("ENOTCONN", "it is not connected"),
            ("EOPNOTSUPP", "a stream is connected, and goes nowhere else"),
            (
                "EPERM",
                "the socket there takes datagrams of the one it is connected to alone",
            ),
            (
                "EPIPE",
                "nobody has the other side open any more, or receiving is shut down",
            ),
            ("EPROTOTYPE", "the socket there is of another kind"),
        ],
        notes: "A stream with --nowait may take a part, and says how much: `sent=65536`.\n\
                A datagram with to= needs no socket before: one without an address is made.\n\
                FD is what this actor holds: s1 for a socket, p.r or p.w for an end of a pipe, \
                /tmp/f for a FIFO. The other side gets a copy of it (SCM_RIGHTS).",
        examples: &[
            Example {
                script: "sock pair stream a b\nsock send a \"hi\"\nsock recv b => \"hi\"",
                shows: "bytes",
            },
            Example {
                script: "sock pair stream a b\npipe create p\nsock send a \"take it\" --fd p.w\n\
                         c: sock recv b => fds=1 \"take it\"\nc: pipe write p \"thanks\"\n\
                         pipe read p => \"thanks\"",
                shows: "the write end of a pipe goes to another process",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Both, send),
};

fn send(world: &mut World, args: &Args) -> StepResult {
    let data = args.bytes("data")?.unwrap_or_default();
    let to = match args.bytes("to")? {
        Some(text) => Some(address::parse(&text)?),
        None => None,
    };
    let note = match &to {
        Some(to) => make_sender(world, args, to)?,
        None => None,
    };
    let wanted = match &to {
        Some(_) => Wanted::Datagrams,
        None => Wanted::Talking,
    };
    let (object, label) = find(world, args, wanted)?;
    let descriptors = passed::wanted(world, args)?;
    let how = Send {
        nowait: args.flag("nowait"),
        to: to.as_ref(),
        descriptors: &descriptors,
    };
    let socket = fd(world, &object, &label)?;
    if !descriptors.is_empty() && socket::domain(&socket) != Ok(Some(Domain::Unix)) {
        return Err(Failure::refused("only a Unix socket carries descriptors")
            .help("TCP would take the bytes and lose the descriptors"));
    }
    let sent = socket::send(&socket, &data, &how);
    let call = || {
        let to = to.as_ref().and_then(address::written);
        let to = to.map_or(String::new(), |to| format!(", {to}"));
        let fds = match descriptors.len() {
            0 => String::new(),
            n => format!(", {}", counted(n, "descriptor")),
        };
        format!("sendmsg({label}, {} B{fds}{to})", data.len())
    };
    let outcome = match sent {
        Ok(n) if n == data.len() => Outcome::ok(),
        Ok(n) if how.nowait => Outcome::ok().field("sent", n as i64),
        // A signal came in the middle.
        Ok(n) => {
            return Err(Failure::errno(
                "EINTR",
                format!("it was interrupted when {n} of the bytes were sent"),
            )
            .call(call()));
        }
        Err(errno) => {
            let mut failure = args.failure(errno, call());
            explain(errno, &socket, &mut failure);
            return Err(match errno {
                Errno::EAGAIN => failure.lacks(Lack::Room(FAMILY, object)),
                _ => failure,
            });
        }
    };
    Ok(match note {
        Some(note) => outcome.note(note),
        None => outcome,
    })
}

/// Makes a socket for a datagram where this actor has none; says so.
fn make_sender(world: &mut World, args: &Args, to: &Address) -> Result<Option<String>, Failure> {
    let current = args
        .reference("socket")
        .is_none_or(|r| r.target == Target::Current);
    let of_datagrams = |h: &crate::session::Held| {
        let fd = world.files.get(FAMILY, &h.object, Side::Both);
        h.family == FAMILY && fd.is_some_and(|fd| Wanted::Datagrams.suits(fd))
    };
    let unix = to.domain() == Some(socket::Domain::Unix);
    if !current || !unix || world.files.held().iter().any(of_datagrams) {
        return Ok(None);
    }
    let (socket, object) = make(args, to, Kind::Dgram)?;
    let name = NewName::any(world);
    let outcome = keep(world, name, "created", socket, object, None);
    Ok(outcome.notes().first().cloned())
}

fn explain(errno: Errno, socket: &BorrowedFd, failure: &mut Failure) {
    match errno {
        Errno::EMSGSIZE => {
            if let Ok(buffer) = socket::send_buffer(socket) {
                failure.meaning = format!(
                    "{} ({buffer} bytes, the kernel's own among them)",
                    failure.meaning
                );
            }
            failure.help = Some("Send it in parts, or over a stream".into());
        }
        Errno::EAGAIN => {
            if let (Ok(queued), Ok(buffer)) =
                (socket::output_queue(socket), socket::send_buffer(socket))
            {
                failure.meaning = format!("{} ({queued} of {buffer} bytes)", failure.meaning);
            }
            failure.help = Some("`sock recv` on the other side makes room".into());
        }
        Errno::EPIPE => {
            failure.help = Some("`sock connect` makes a new connection".into());
        }
        Errno::ENOTCONN | Errno::EDESTADDRREQ => {
            failure.help =
                Some("Say where it goes, with to=ADDRESS, or `sock connect` first".into());
        }
        _ => {}
    }
}

pub(super) static RECV: Verb = Verb {
    signature: Signature {
        name: "sock recv",
        yields: &["length", "fds", "from"],
        summary: "receive bytes or a message, and descriptors that came with it",
        params: &[SOCK, MAX, NOWAIT, LINE, ALL],
        rules: &[LINE_OR_ALL],
        runs: Runs::Actor,
        takes: true,
        blocks: Some("until something comes, or the other side sends no more"),
        calls: &["recvmsg(2)"],
        errnos: &[
            ("EAGAIN", "nothing has come"),
            ("EBADF", "no actor of this session has it open"),
            (
                "ECONNREFUSED",
                "nobody listened where TCP was to be connected",
            ),
            ("ECONNRESET", "the other side was closed with bytes unread"),
            ("EINTR", "it was interrupted before anything came"),
            ("EINVAL", "it is not connected"),
            ("ENOTCONN", "it is not connected"),
        ],
        notes: "A stream gives what is there, up to max bytes; datagrams and packets come one at a \
                time, and where one is cut by max= its whole `length` is told. `eof` when nobody \
                has the other side open any more, or it was shut down.\n\
                `fds` says how many descriptors came with it. They get names and are used at once.",
        examples: &[
            Example {
                script: "sock pair stream a b\nsock send a \"one\\ntwo\\n\"\n\
                         sock recv b --line => \"one\\n\"\nsock recv b max=2 => \"tw\"\n\
                         sock close a\nsock recv b --all => \"o\\n\"\nsock recv b => eof",
                shows: "by the line, by the byte, to the end",
            },
            Example {
                script: "sock pair dgram a b\nsock send a \"a long message\"\nsock send a \"\"\n\
                         sock recv b max=6 => length=14 \"a long\"\nsock recv b => \"\"\n\
                         sock recv b --nowait => EAGAIN",
                shows: "messages keep their bounds",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Both, recv),
};

fn recv(world: &mut World, args: &Args) -> StepResult {
    let (object, label) = find(world, args, Wanted::Talking)?;
    let socket = fd(world, &object, &label)?;
    let (nowait, max) = (args.flag("nowait"), args.int::<usize>("max")?);
    let (line, all) = (args.flag("line"), args.flag("all"));
    let failed = |errno| {
        let failure = args.failure(errno, format!("recvmsg({label})"));
        match errno {
            Errno::EAGAIN => failure.lacks(Lack::Data(FAMILY, object.clone())),
            _ => failure,
        }
    };
    let kind = socket::kind(&socket).map_err(failed)?;
    if (line || all) && kind != Some(Kind::Stream) {
        return Err(Failure::refused(format!("{label} keeps messages apart"))
            .help("Without --line and --all, one message is received"));
    }
    let mut descriptors: Vec<OwnedFd> = Vec::new();
    let mut lost = false;
    let mut take = |max: usize| {
        let got = socket::receive(&socket, max, nowait)?;
        lost |= got.control_truncated;
        Ok((got.data, got.descriptors, got.length, got.sender, got.end))
    };
    let mut outcome = Outcome::default();
    let mut ended = false;
    let data = if line || all {
        let (most, piece) = match line {
            true => (DEFAULT_MAX, 1),
            false => (MOST as usize, 64 << 10),
        };
        let enough = |bytes: &[u8]| line && bytes.ends_with(b"\n");
        let data = until(max.unwrap_or(most), piece, enough, |room| {
            let (data, fds, ..) = take(room)?;
            descriptors.extend(fds);
            Ok(data)
        });
        let data = data.map_err(failed)?;
        ended = data.is_empty();
        data
    } else {
        let (data, fds, length, sender, end) = take(max.unwrap_or(DEFAULT_MAX)).map_err(failed)?;
        descriptors.extend(fds);
        ended |= end;
        if length > data.len() {
            outcome = outcome.field("length", length as i64);
        }
        outcome = from(outcome, &sender, kind);
        data
    };
    if ended && descriptors.is_empty() {
        return Ok(Outcome::eof());
    }
    if !descriptors.is_empty() {
        outcome = outcome.field("fds", descriptors.len() as i64);
    }
    for descriptor in descriptors {
        outcome = outcome.note(passed::take_over(world, descriptor));
    }
    if lost {
        outcome = outcome.note("descriptors were lost: this process has as many as it may");
    }
    outcome = noted(outcome, all && data.len() == MOST as usize);
    outcome.value = Some(Cell::Data(data));
    Ok(outcome)
}

pub(super) static PEEK: Verb = Verb {
    signature: Signature {
        name: "sock peek",
        yields: &["length", "fds", "from"],
        summary: "show what a socket would receive next, and leave it there",
        params: &[SOCK, AT_MOST, EVERYTHING],
        rules: &[ONE_AMOUNT],
        calls: &["pidfd_getfd(2)", "recvmsg(2)"],
        errnos: &[
            ("EACCES", "no process that we may look into has it open"),
            ("EAGAIN", "nothing has come"),
            ("EINVAL", "it is not connected"),
            ("ENOTCONN", "it is not connected"),
        ],
        notes: "It works on any process's socket: `sock peek socket:[6517]`, \
                `sock peek pid:812/fd:7`, `sock peek /run/x.sock`. For a moment we hold a copy of \
                it: who would see the end in that moment does not.",
        examples: &[Example {
            script: "sock pair stream a b\nsock send a \"hi\"\nsock peek b => \"hi\"\n\
                     sock recv b => \"hi\"",
            shows: "what is seen is still there",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Shell(|sight, args| {
        let object = sight.find(FAMILY, args.reference("socket"))?;
        peek(sight, &object, args)
    }),
};

pub(super) fn peek(sight: &Sight, object: &Object, args: &Args) -> Result<Reply, Failure> {
    let label = sight.label(FAMILY, object);
    let failed = |errno| {
        let mut failure = args.failure(errno, format!("recvmsg({label}, MSG_PEEK)"));
        // `peek` of any object has no words for what is only a socket's.
        if let Errno::EINVAL | Errno::ENOTCONN = errno {
            failure.meaning = "it is not connected".into();
        }
        failure
    };
    let told = object.inode().and_then(table::told);
    if let Some(told) = told.filter(table::Told::listens) {
        let waiting = match told.queues().0 {
            1 => "1 connection waits to be accepted".into(),
            n => format!("{n} connections wait to be accepted"),
        };
        return Err(Failure::refused(format!(
            "{label} is a listener, in which there are no data, only connections: {waiting}"
        ))
        .help(format!(
            "`sock info {label}` shows them; data is in the sockets that it has accepted: `sock ls`"
        )));
    }
    let copy = table::copy(sight, object).ok_or_else(|| failed(Errno::EACCES))?;
    let much = Much::of(args)?;
    // One that carries messages tells of the first alone.
    let there = socket::input_queue(&copy).map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let max = match much.all {
        true => there.max(DEFAULT_MAX),
        false => much.max.unwrap_or(DEFAULT_MAX),
    };
    let seen = socket::peek(&copy.as_fd(), max).map_err(failed)?;
    if seen.end && seen.descriptors == 0 {
        return Ok(Outcome::eof().into());
    }
    let mut outcome = much.shown(seen.data.clone());
    if seen.length > seen.data.len() {
        outcome = outcome.field("length", seen.length as i64);
    }
    if seen.descriptors > 0 {
        outcome = outcome.field("fds", seen.descriptors as i64);
    }
    let kind = socket::kind(&copy).map_err(failed)?;
    Ok(from(outcome, &seen.sender, kind).into())
}

/// Whom a datagram is from. Over a connection it is always the same, and known.
fn from(outcome: Outcome, sender: &Address, kind: Option<Kind>) -> Outcome {
    match address::address_bytes(sender).filter(|_| kind == Some(Kind::Dgram)) {
        Some(from) => outcome.remark("from", Cell::Name(from)),
        None => outcome,
    }
}
