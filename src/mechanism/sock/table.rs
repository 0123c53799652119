//! Seeing sockets: their fields and their tables, and what somebody waits for at one.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use super::{FAMILY, address};
use crate::data::{Cell, Column, Failure, Family, Object, Table};
use crate::inspect::descriptors::{self, Ask, Descriptor, What};
use crate::inspect::tcp::{self, TcpSocket, TcpState};
use crate::inspect::unix::{self, State, UnixSocket};
use crate::inspect::wait::Wait;
use crate::kernel::socket::{Address, Kind};
use crate::mechanism::fields::{self, Field, Row};
use crate::mechanism::pipe::table::{end, hidden};
use crate::mechanism::sight::process_words;
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
    Field::new("ino", "its inode", |s: &Sock, _| s.told.ino().into()),
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
    Field::new(
        "peer",
        "the other side: its name or inode, of TCP its address; - before it is accepted",
        |s: &Sock, sight| peer(&s.told, sight),
    ),
    Field::new(
        "rqueue",
        "bytes to be received; of datagrams those of the first",
        |s: &Sock, _| bytes(&s.told, |q| q.0),
    ),
    Field::new(
        "wqueue",
        "bytes sent and not yet received, with what the kernel needs for them",
        |s: &Sock, _| bytes(&s.told, |q| q.1),
    ),
    Field::new(
        "pending",
        "of a listener: connections that wait to be accepted",
        |s: &Sock, _| connections(&s.told, |q| q.0),
    ),
    Field::new(
        "backlog",
        "of a listener: how many may wait; a Unix socket lets one more",
        |s: &Sock, _| connections(&s.told, |q| q.1),
    ),
    Field::new("uid", "its owner's user id", |s: &Sock, _| {
        uid(&s.told).map_or(Cell::Unknown, Cell::from)
    }),
    Field::new("owner", "its owner's name", |s: &Sock, sight| {
        uid(&s.told).map_or(Cell::Unknown, |uid| Cell::Text(sight.user(uid)))
    }),
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
    Field::new(
        "waits",
        "who is blocked: A accepting, R receiving, S sending, and how many",
        |s: &Sock, sight| waits(s, sight),
    ),
    Field::new(
        "ends",
        "who has it open: PID,COMMAND,FD",
        |s: &Sock, sight| Cell::List(s.ends.iter().map(|d| end(d, sight)).collect()),
    ),
];

fn waits(sock: &Sock, sight: &Sight) -> Cell {
    let mut counts = [(0, 'A'), (0, 'R'), (0, 'S')];
    for waiter in &sight.waiters().found {
        let (fd, place) = match waiter.wait {
            Wait::Accept { fd } => (fd, 0),
            Wait::Receive { fd } | Wait::Read { fd } => (fd, 1),
            Wait::Send { fd } | Wait::Write { fd } => (fd, 2),
            _ => continue,
        };
        if sock.ends.iter().any(|d| d.pid == waiter.pid && d.fd == fd) {
            counts[place].0 += 1;
        }
    }
    let words = counts.iter().filter(|(n, _)| *n > 0);
    let words: Vec<String> = words.map(|(n, letter)| format!("{letter}{n}")).collect();
    match words.is_empty() {
        true => Cell::Nothing,
        false => Cell::Text(words.join(" ")),
    }
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
    told(ino).is_some() || !ends(ino).is_empty()
}

/// Who has a socket open.
pub(super) fn ends(ino: u64) -> Vec<Descriptor> {
    descriptors::scan(Ask::default(), |what| *what == What::Socket { ino }).descriptors
}

/// The processes that have a socket open, in words, each once.
pub(super) fn holders(ino: u64) -> Vec<String> {
    let mut pids: Vec<i32> = ends(ino).iter().map(|d| d.pid).collect();
    pids.dedup();
    pids.into_iter().map(process_words).collect()
}

/// The processes that have a socket open.
pub(in crate::mechanism) fn users(object: &Object) -> Vec<i32> {
    let ends = object.inode().map(ends).unwrap_or_default();
    ends.iter().map(|d| d.pid).collect()
}

/// A copy of the descriptor of some process that has it open.
pub(super) fn copy(object: &Object) -> Option<OwnedFd> {
    let ino = object.inode()?;
    ends(ino)
        .iter()
        .find_map(|d| descriptors::copy(d, ino).ok())
}

fn row(object: &Object) -> Result<Sock, Failure> {
    let gone = || {
        Failure::refused(format!("there is no socket {object} here any more"))
            .help("`sock ls` lists those of this network namespace")
    };
    let ino = object.inode().ok_or_else(gone)?;
    Ok(Sock {
        told: told(ino).ok_or_else(gone)?,
        ends: ends(ino),
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
    Ok((field.cell)(&row(object)?, sight))
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
    all.extend(
        tcp::sockets(ours)
            .map_err(failed)?
            .into_iter()
            .map(Told::Tcp),
    );
    let scan = descriptors::scan(Ask::default(), |what| matches!(what, What::Socket { .. }));
    let mut ends: HashMap<u64, Vec<Descriptor>> = HashMap::new();
    for descriptor in scan.descriptors {
        if let What::Socket { ino } = descriptor.what {
            ends.entry(ino).or_default().push(descriptor);
        }
    }
    let mut rows: Vec<Sock> = all
        .into_iter()
        .map(|told| Sock {
            ends: ends.remove(&told.ino()).unwrap_or_default(),
            told,
        })
        .collect();
    // Ours first: a host has hundreds.
    rows.sort_by_key(|row| (!ours(row.told.ino()), row.told.ino()));
    let usual = [
        "name", "ino", "type", "state", "address", "peer", "rqueue", "pending", "waits", "ends",
    ];
    let mut table = fields::table("Sockets", FIELDS, &usual, &rows, listing, sight)?;
    hidden(&mut table, scan.unreadable);
    Ok(table)
}

pub(super) fn info(sight: &Sight, object: &Object) -> Result<Vec<Table>, Failure> {
    let row = row(object)?;
    Ok(vec![fields::details(
        "sock.info",
        "Socket",
        FIELDS,
        &row,
        sight,
    )])
}
