//! What somebody who is blocked at a socket waits for, and who could wake him.

use std::os::fd::OwnedFd;

use super::table::{Told, copy, holders, told};
use super::{FAMILY, address};
use crate::data::{Object, counted};
use crate::inspect::unix::State;
use crate::inspect::wait::Wait;
use crate::inspect::waking::receiver;
use crate::kernel::socket::{self, Address, Kind};
use crate::mechanism::Sight;

pub(super) fn condition(sight: &Sight, object: &Object, _: Option<u32>) -> String {
    let label = sight.label(FAMILY, object);
    if let Some((tid, wait @ Wait::Connect { to: Some(to), .. })) = sight.blocked {
        return connecting(sight, tid, wait, to);
    }
    let Some(told) = object.inode().and_then(told) else {
        return label;
    };
    if told.listens() {
        return match told.queues() {
            (0, _) => format!("nobody connects to {}", place(&told, &label)),
            (pending, backlog) => waiting(&label, pending, backlog),
        };
    }
    match sight.blocked {
        Some((_, Wait::Send { .. } | Wait::Write { .. })) => sending(sight, object, &told, &label),
        _ => receiving(sight, &told, &label),
    }
}

/// `s1 at /tmp/s`: where somebody else could come to.
fn place(told: &Told, label: &str) -> String {
    match address::written(&told.address()) {
        Some(at) if at != label => format!("{label} at {at}"),
        _ => label.to_string(),
    }
}

/// `s1: 2 connections wait to be accepted, its backlog is 1`.
fn waiting(label: &str, pending: u32, backlog: u32) -> String {
    let connections = match pending {
        1 => "1 connection waits".to_string(),
        n => format!("{n} connections wait"),
    };
    format!("{label}: {connections} to be accepted, its backlog is {backlog}")
}

fn connecting(sight: &Sight, tid: i32, wait: &Wait, to: &Address) -> String {
    let written = address::written(to).unwrap_or_default();
    let Some(listener) = receiver(tid, wait, to) else {
        return format!("{written} does not answer yet");
    };
    let label = sight.label(FAMILY, &Object::Inode(listener.ino));
    let full = waiting(&label, listener.rqueue, listener.wqueue);
    format!("{full}; {}", who(sight, listener.ino, "listens", "listen"))
}

fn sending(sight: &Sight, object: &Object, told: &Told, label: &str) -> String {
    let queued = told.queues().1;
    let buffer = copy(sight, object).and_then(|fd: OwnedFd| socket::send_buffer(&fd).ok());
    let state = match buffer {
        // Fewer than that: it is the receiver's queue that takes no more messages.
        Some(buffer) if told.kind() == Kind::Dgram && i64::from(queued) < i64::from(buffer) => {
            format!("{label}: the queue of its receiver is full of messages")
        }
        Some(buffer) => format!("{label} is full ({queued} of {buffer} bytes not yet received)"),
        None => format!(
            "{label} is full ({} not yet received)",
            counted(queued, "byte")
        ),
    };
    let receiver = || match sight.blocked {
        Some((tid, wait @ Wait::Send { to: Some(to), .. })) => {
            let socket = receiver(tid, wait, to)?;
            Some(who(sight, socket.ino, "receives", "receive"))
        }
        _ => other_side(sight, told),
    };
    match receiver() {
        Some(other) => format!("{state}; {other}"),
        None => state,
    }
}

fn receiving(sight: &Sight, told: &Told, label: &str) -> String {
    let state = match told.queues().0 {
        0 => format!("{label} is empty"),
        n => format!("{label} holds {}", counted(n, "byte")),
    };
    let other = other_side(sight, told).or_else(|| match told {
        Told::Unix(s) if s.kind == Kind::Dgram => {
            let at = address::written(&s.address)?;
            Some(format!("nobody sends to {at}"))
        }
        Told::Unix(s) if s.state == State::Established => {
            Some("nobody has accepted its connection yet".into())
        }
        _ => None,
    });
    match other {
        Some(other) => format!("{state}; {other}"),
        None => state,
    }
}

/// `c (pid 42) has the other side, s3`.
fn other_side(sight: &Sight, told: &Told) -> Option<String> {
    match told {
        Told::Unix(socket) => {
            let peer = socket.peer?;
            let label = sight.label(FAMILY, &Object::Inode(peer));
            let who = who(sight, peer, "has the other side", "have the other side");
            Some(format!("{who}, {label}"))
        }
        Told::Tcp(socket) => {
            let at = address::written(&Address::Inet(socket.remote))?;
            Some(format!("the other side is {at}"))
        }
    }
}

/// Who has a socket open, and what they do with it.
fn who(sight: &Sight, ino: u64, one: &str, several: &str) -> String {
    let pids = holders(&sight.snapshot, ino).into_iter();
    let words: Vec<String> = pids.map(|pid| sight.who(pid)).collect();
    match words.as_slice() {
        [] => format!("nobody that can be seen {one}"),
        [who] => format!("{who} {one}"),
        words => format!("{} {several}", words.join(", ")),
    }
}
