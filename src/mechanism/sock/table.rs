//! Seeing sockets: their fields and their tables, and what somebody waits for at one.

use std::os::fd::OwnedFd;

use super::{FAMILY, address};
use crate::data::{Cell, Column, Failure, Family, Identity, Object, Rate, Role, Table};
use crate::inspect::descriptors::{self, Descriptor};
use crate::inspect::snapshot::Snapshot;
use crate::inspect::tcp::{self, TcpSocket, TcpState};
use crate::inspect::thing::Thing;
use crate::inspect::unix::{self, State, UnixSocket};
use crate::inspect::wait::Wait;
use crate::kernel::socket::{Address, Kind};
use crate::mechanism::fields::{self, Field, Row};
use crate::mechanism::pipe::table::end;
use crate::mechanism::{Listing, Sight};

/// A socket as a row of a table.
pub(super) struct Sock {
    pub told: Told,
    /// Who has it open.
    pub ends: Vec<Descriptor>,
}

/// What the kernel tells of a socket.
pub(super) enum Told {
    Unix(UnixSocket),
    Tcp(TcpSocket),
}

impl Told {
    fn ino(&self) -> u64 {
        match self {
            Told::Unix(socket) => socket.ino,
            Told::Tcp(socket) => socket.ino,
        }
    }

    pub fn listens(&self) -> bool {
        match self {
            Told::Unix(socket) => socket.state == State::Listen,
            Told::Tcp(socket) => socket.state == TcpState::LISTEN,
        }
    }

    pub fn queues(&self) -> (u32, u32) {
        match self {
            Told::Unix(socket) => (socket.rqueue, socket.wqueue),
            Told::Tcp(socket) => (socket.rqueue, socket.wqueue),
        }
    }

    pub fn address(&self) -> Address {
        match self {
            Told::Unix(socket) => socket.address.clone(),
            Told::Tcp(socket) => Address::Inet(socket.local),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Told::Unix(socket) => socket.kind,
            Told::Tcp(_) => Kind::Stream,
        }
    }
}

impl Row for Sock {
    const FAMILY: Family = FAMILY;
    fn object(&self) -> Object {
        Object::Inode(self.told.ino())
    }
}

/// `stream`, `dgram`, `seqpacket`.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Stream => "stream",
        Kind::Dgram => "dgram",
        Kind::Seqpacket => "seqpacket",
    }
}

fn state(told: &Told) -> String {
    match told {
        Told::Tcp(socket) => socket.state.name().to_lowercase(),
        Told::Unix(socket) => match socket.state {
            State::Listen => "listen".into(),
            State::Established => "established".into(),
            State::Unconnected => "unconnected".into(),
            State::Other(n) => n.to_string(),
        },
    }
}

/// The other side: by its name here, or its inode, or its address.
fn peer(told: &Told, sight: &Sight) -> Cell {
    match told {
        Told::Unix(socket) => match socket.peer {
            Some(ino) => Cell::Text(sight.label(FAMILY, &Object::Inode(ino))),
            None => Cell::Nothing,
        },
        Told::Tcp(socket) if told.listens() || socket.remote.port() == 0 => Cell::Nothing,
        Told::Tcp(socket) => address::cell(&Address::Inet(socket.remote)),
    }
}

/// The bytes of a queue; a listener has none.
fn bytes(told: &Told, which: fn((u32, u32)) -> u32) -> Cell {
    match told.listens() {
        true => Cell::Nothing,
        false => Cell::Size(which(told.queues()).into()),
    }
}

/// How many connections; only a listener has some.
fn connections(told: &Told, which: fn((u32, u32)) -> u32) -> Cell {
    match told.listens() {
        true => which(told.queues()).into(),
        false => Cell::Nothing,
    }
}

fn uid(told: &Told) -> Option<u32> {
    match told {
        Told::Unix(socket) => socket.uid,
        Told::Tcp(socket) => Some(socket.uid),
    }
}

static FIELDS: &[Field<Sock>] = &[
    fields::name(),
    Field::of(
        Column::new("ino", "its inode")
            .identity(Identity::Strong)
            .spare(1),
        |s: &Sock, _| s.told.ino().into(),
    ),
    Field::new(
        "type",
        "stream, dgram or seqpacket; tcp for a stream of TCP",
        |s: &Sock, _| {
            Cell::text(match &s.told {
                Told::Tcp(_) => "tcp",
                told => kind_word(told.kind()),
            })
        },
    ),
    Field::new(
        "state",
        "listen, established or unconnected; of TCP also its other states",
        |s: &Sock, _| Cell::Text(state(&s.told)),
    ),
    Field::new(
        "address",
        "its own address; an accepted one has its listener's",
        |s: &Sock, _| address::cell(&s.told.address()),
    ),
    Field::of(
        Column::new(
            "peer",
            "the other side: its name or inode, of TCP its address; - before it is accepted",
        )
        .spare(4),
        |s: &Sock, sight| peer(&s.told, sight),
    ),
    Field::of(
        Column::new(
            "rqueue",
            "bytes to be received; of datagrams those of the first",
        )
        .rate(Rate::Told),
        |s: &Sock, _| bytes(&s.told, |q| q.0),
    ),
    Field::of(
        Column::new(
            "wqueue",
            "bytes sent and not yet received, with what the kernel needs for them",
        )
        .rate(Rate::Spare),
        |s: &Sock, _| bytes(&s.told, |q| q.1),
    ),
    Field::of(
        Column::new(
            "pending",
            "of a listener: connections that wait to be accepted",
        )
        .rate(Rate::Spare)
        .role(Role::Fill),
        |s: &Sock, _| connections(&s.told, |q| q.0),
    ),
    Field::of(
        Column::new(
            "backlog",
            "of a listener: how many may wait; a Unix socket lets one more",
        )
        .role(Role::Room { more: 1 }),
        |s: &Sock, _| connections(&s.told, |q| q.1),
    ),
    Field::new("uid", "its owner's user id", |s: &Sock, _| {
        uid(&s.told).map_or(Cell::Unknown, Cell::from)
    }),
    Field::of(
        Column::new("owner", "its owner's name").spare(7),
        |s: &Sock, sight| uid(&s.told).map_or(Cell::Unknown, |uid| Cell::Text(sight.user(uid))),
    ),
    Field::new(
        "shutdown",
        "what is shut down, by either side: r, w or rw",
        |s: &Sock, _| match &s.told {
            Told::Unix(s) => match (s.shutdown_read, s.shutdown_write) {
                (true, true) => Cell::text("rw"),
                (true, false) => Cell::text("r"),
                (false, true) => Cell::text("w"),
                (false, false) => Cell::Nothing,
            },
            Told::Tcp(_) => Cell::Unknown,
        },
    ),
    Field::of(
        Column::new(
            "waits",
            "who is blocked: A accepting, R receiving, S sending, and how many",
        )
        .role(Role::Waits),
        |s: &Sock, sight| waits(s, sight),
    ),
    Field::new(
        "ends",
        "who is seen to have it open: PID,COMMAND,FD",
        |s: &Sock, sight| match s.ends.as_slice() {
            // One with an inode is open somewhere, or on its way through another (SCM_RIGHTS).
            [] if s.told.ino() != 0 => Cell::Unknown,
            ends => Cell::List(ends.iter().map(|d| end(d, sight)).collect()),
        },
    ),
];

fn waits(sock: &Sock, sight: &Sight) -> Cell {
    let (mut accepting, mut receiving, mut sending) = (0, 0, 0);
    for waiter in sight.snapshot.waiting_at(Thing::Socket(sock.told.ino())) {
        match waiter.wait {
            Wait::Accept { .. } => accepting += 1,
            Wait::Receive { .. } | Wait::Read { .. } => receiving += 1,
            Wait::Send { .. } | Wait::Write { .. } => sending += 1,
            _ => {}
        }
    }
    let all = sight.snapshot.waiters();
    fields::waits([
        ('A', all.known(accepting)),
        ('R', all.known(receiving)),
        ('S', all.known(sending)),
    ])
}

/// What the kernel tells of a socket; `None` where our network namespace has none of this
/// inode, or it is a TCP socket that is neither connected nor listening.
pub(super) fn told(ino: u64) -> Option<Told> {
    if let Ok(Some(socket)) = unix::one(ino) {
        return Some(Told::Unix(socket));
    }
    let found = tcp::sockets(|of| of == ino).unwrap_or_default();
    found.into_iter().next().map(Told::Tcp)
}

/// Whether a socket of this inode is there.
pub(super) fn exists(ino: u64) -> bool {
    told(ino).is_some() || !Snapshot::default().open().on(Thing::Socket(ino)).is_empty()
}

/// The processes that have a socket open, each once.
pub(super) fn holders(snapshot: &Snapshot, ino: u64) -> Vec<i32> {
    let ends = snapshot.open().on(Thing::Socket(ino)).iter();
    let mut pids: Vec<i32> = ends.map(|d| d.pid).collect();
    pids.dedup();
    pids
}

/// A copy of the descriptor of some process that has it open.
pub(super) fn copy(sight: &Sight, object: &Object) -> Option<OwnedFd> {
    let ino = object.inode()?;
    let ends = sight.snapshot.open().on(Thing::Socket(ino));
    ends.iter().find_map(|d| descriptors::copy(d, ino).ok())
}

fn row(sight: &Sight, object: &Object) -> Result<Sock, Failure> {
    let gone = || {
        Failure::refused(format!("there is no socket {object} here any more"))
            .help("`sock ls` lists those of this network namespace")
    };
    let ino = object.inode().ok_or_else(gone)?;
    Ok(Sock {
        told: told(ino).ok_or_else(gone)?,
        ends: sight.snapshot.open().on(Thing::Socket(ino)).to_vec(),
    })
}

pub(super) fn fields() -> Vec<&'static Column> {
    fields::columns(FIELDS)
}

pub(super) fn look(
    sight: &Sight,
    object: &Object,
    _: Option<u32>,
    field: &str,
) -> Result<Cell, Failure> {
    let field = fields::find(FIELDS, field)?;
    Ok((field.cell)(&row(sight, object)?, sight))
}

pub(super) fn list(sight: &Sight, listing: &Listing) -> Result<Table, Failure> {
    let failed = |errno: crate::kernel::Errno| {
        Failure::environment(format!("the kernel lists no sockets: {}", errno.desc()))
    };
    let ours = |ino| sight.name_of(FAMILY, &Object::Inode(ino)).is_some();
    let mut all: Vec<Told> = unix::all()
        .map_err(failed)?
        .into_iter()
        .map(Told::Unix)
        .collect();
    // A kernel may have the one without the other.
    let inet = tcp::sockets(ours);
    all.extend(inet.iter().flatten().cloned().map(Told::Tcp));
    let open = sight.snapshot.open();
    let wiring = |ino| sight.is_wiring(Thing::Socket(ino));
    let is_wiring = |told: &Told| match told {
        Told::Unix(socket) => wiring(socket.ino) || socket.peer.is_some_and(wiring),
        Told::Tcp(_) => false,
    };
    let mut rows: Vec<Sock> = all
        .into_iter()
        .filter(|told| !is_wiring(told))
        .map(|told| Sock {
            ends: open.on(Thing::Socket(told.ino())).to_vec(),
            told,
        })
        .collect();
    // Ours first: a host has hundreds.
    rows.sort_by_key(|row| (!ours(row.told.ino()), row.told.ino()));
    let usual = [
        "name", "ino", "type", "state", "address", "peer", "rqueue", "pending", "waits", "ends",
    ];
    let mut table = fields::table("Sockets", FIELDS, &usual, &rows, listing, sight)?;
    if let Err(errno) = inet {
        let why = format!(
            "TCP's are not seen: the kernel lists none ({})",
            errno.desc()
        );
        table.footer.push(why);
    }
    Ok(table)
}

pub(super) fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let row = row(sight, object)?;
    Ok(vec![fields::details(
        "sock.info",
        "Socket",
        FIELDS,
        &row,
        sight,
    )])
}
