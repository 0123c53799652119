//! What a thread in poll(2), select(2), epoll_wait(2) or one of their kin waits at: any of several
//! descriptors.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::fs;
use std::ops::Deref;

use super::syscall::Syscall;
use super::tcp::{self, TcpState};
use super::thing::{self, Thing};
use super::unix::{self, State};
use super::wait::{Wait, Waiter};
use crate::kernel::memory::read_process;

/// More descriptors than this are not read; a program may poll a million.
const MOST: u64 = 4096;
/// `struct pollfd`: an `int` and two `short`s.
const POLLFD: usize = 8;

/// The waits that a thread's poll is made of: for each object that it waits at, as if it waited there
/// alone. Descriptors that are no objects (timers, events, terminals) are left out. Empty where it is no
/// poll, or its descriptors may not be read.
pub fn polled(waiter: &Waiter) -> Vec<Waiter> {
    let (Wait::Poll, Some(call)) = (&waiter.wait, waiter.seen.call()) else {
        return Vec::new();
    };
    let found = descriptors(waiter.tid, call).unwrap_or_default();
    let listening = LazyCell::new(tcp_listeners);
    let each = found.into_iter().filter_map(|(fd, writes)| {
        let (thing, path) = thing::behind(waiter.tid, fd)?;
        Some(Waiter {
            wait: alone(thing, fd, writes, &listening),
            thing: Some(thing),
            path,
            ..waiter.clone()
        })
    });
    each.collect()
}

/// The inodes of the TCP sockets that listen; none where the kernel does not tell.
fn tcp_listeners() -> HashSet<u64> {
    let all = tcp::sockets(|_| true).unwrap_or_default().into_iter();
    all.filter(|socket| socket.state == TcpState::LISTEN)
        .map(|socket| socket.ino)
        .collect()
}

/// The wait at one object.
fn alone(thing: Thing, fd: i32, writes: bool, tcp: &impl Deref<Target = HashSet<u64>>) -> Wait {
    let listens = |ino| match unix::one(ino) {
        Ok(Some(socket)) => socket.state == State::Listen,
        _ => tcp.contains(&ino),
    };
    match (thing, writes) {
        (Thing::Socket(ino), false) if listens(ino) => Wait::Accept { fd },
        (Thing::Socket(_), false) => Wait::Receive { fd },
        (Thing::Socket(_), true) => Wait::Send { fd, to: None },
        (Thing::Queue(_), false) => Wait::MqReceive { fd },
        (Thing::Queue(_), true) => Wait::MqSend { fd },
        (_, false) => Wait::Read { fd },
        (_, true) => Wait::Write { fd },
    }
}

/// The descriptors, and whether each is waited for to take data and not to give some.
fn descriptors(pid: i32, call: &Syscall) -> Option<Vec<(i32, bool)>> {
    #[cfg(target_arch = "x86_64")]
    let call_nr = match call.nr {
        libc::SYS_poll => libc::SYS_ppoll,
        libc::SYS_select => libc::SYS_pselect6,
        libc::SYS_epoll_wait => libc::SYS_epoll_pwait,
        nr => nr,
    };
    #[cfg(not(target_arch = "x86_64"))]
    let call_nr = call.nr;
    match call_nr {
        libc::SYS_ppoll => polls(pid, call.args[0], call.args[1]),
        libc::SYS_pselect6 => selects(pid, &call.args),
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => epolls(pid, call.args[0] as i32),
        _ => None,
    }
}

fn only_writes(events: u32) -> bool {
    let reads = (libc::POLLIN | libc::POLLPRI | libc::POLLRDNORM) as u32;
    events & libc::POLLOUT as u32 != 0 && events & reads == 0
}

fn polls(pid: i32, addr: u64, count: u64) -> Option<Vec<(i32, bool)>> {
    if count > MOST {
        return None;
    }
    let bytes = read_process(pid, addr, count as usize * POLLFD).ok()?;
    let each = bytes.chunks_exact(POLLFD).map(|b| {
        let fd = i32::from_ne_bytes([b[0], b[1], b[2], b[3]]);
        (fd, only_writes(u16::from_ne_bytes([b[4], b[5]]).into()))
    });
    // A negative one is skipped by the kernel too.
    Some(each.filter(|(fd, _)| *fd >= 0).collect())
}

/// The sets are not changed before the call returns.
fn selects(pid: i32, args: &[u64; 6]) -> Option<Vec<(i32, bool)>> {
    let count = args[0];
    if count > MOST {
        return None;
    }
    let set = |addr: u64| -> Option<Vec<u8>> {
        match addr {
            0 => Some(Vec::new()),
            addr => read_process(pid, addr, count.div_ceil(64) as usize * 8).ok(),
        }
    };
    let (reads, writes) = (set(args[1])?, set(args[2])?);
    let has = |set: &[u8], fd: u64| {
        let byte = set.get((fd / 8) as usize);
        byte.is_some_and(|byte| byte >> (fd % 8) & 1 != 0)
    };
    let each = (0..count).filter_map(|fd| match (has(&reads, fd), has(&writes, fd)) {
        (false, false) => None,
        (read, _) => Some((fd as i32, !read)),
    });
    Some(each.collect())
}

/// `tfd:        7 events:       19 data: …` for each, as proc_pid_fdinfo(5) has it.
fn epolls(pid: i32, epoll: i32) -> Option<Vec<(i32, bool)>> {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{epoll}")).ok()?;
    let each = text.lines().filter_map(|line| {
        let mut words = line.strip_prefix("tfd:")?.split_ascii_whitespace();
        let fd = words.next()?.parse().ok()?;
        let events = words.nth(1)?;
        Some((fd, only_writes(u32::from_str_radix(events, 16).ok()?)))
    });
    let mut found: Vec<(i32, bool)> = each.take(MOST as usize).collect();
    // The kernel has them in the order of its own addresses.
    found.sort_unstable();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::wait::{Doing, threads_of};
    use crate::inspect::witness::{Witness, skip, until};

    #[test]
    fn what_python_polls_is_seen() {
        let setup = "import os,select,sys\nr,w=os.pipe(); x,y=os.pipe()\n\
                     while True:\n  try: os.set_blocking(y,False); os.write(y,b'x'*4096)\n  \
                     except BlockingIOError: break\n\
                     print(os.fstat(r).st_ino, os.fstat(y).st_ino, r, y, flush=True)\n";
        let waits = [
            "p=select.poll(); p.register(r,select.POLLIN); p.register(y,select.POLLOUT); p.poll()",
            "select.select([r],[y],[])",
            "p=select.epoll(); p.register(r,select.EPOLLIN); p.register(y,select.EPOLLOUT); p.poll()",
        ];
        for wait in waits {
            let script = format!("{setup}{wait}");
            let Some(mut python) = Witness::start("python3", &["-c", &script]) else {
                return skip("there is no python3");
            };
            let line = python.line().unwrap();
            let numbers: Vec<u64> = line.split(' ').map(|n| n.parse().unwrap()).collect();
            let found = until("polling", || {
                let (_, doing) = threads_of(python.pid()).into_iter().next()?;
                let Doing::Blocked(waiter) = doing else {
                    return None;
                };
                (waiter.wait == Wait::Poll).then(|| polled(&waiter))
            });
            let mut seen: Vec<_> = found.into_iter().map(|w| (w.thing, w.wait)).collect();
            seen.sort_by_key(|(_, wait)| wait.descriptor());
            let pipe = |ino| Some(Thing::Pipe(ino));
            let (r, y) = (numbers[2] as i32, numbers[3] as i32);
            let expected = [
                (pipe(numbers[0]), Wait::Read { fd: r }),
                (pipe(numbers[1]), Wait::Write { fd: y }),
            ];
            assert_eq!(seen, expected, "{wait}");
        }
    }

    #[test]
    fn a_queue_that_is_polled_waits_for_messages() {
        let queue = Thing::Queue(crate::inspect::thing::Inode { dev: 1, ino: 2 });
        let tcp = LazyCell::new(HashSet::new);
        let waits = [false, true].map(|writes| alone(queue, 3, writes, &tcp));
        assert_eq!(waits, [Wait::MqReceive { fd: 3 }, Wait::MqSend { fd: 3 }]);
    }
}
