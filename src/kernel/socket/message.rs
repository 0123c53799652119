//! Messages and the descriptors that travel with them: sendmsg(2), recvmsg(2), unix(7).
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::address::{Address, Raw};
use super::{Errno, Kind, PollFd, PollFlags, Result, options, poll};

/// The most descriptors that a message carries: unix(7).
pub const SCM_MAX_FD: usize = 253;

/// A descriptor of the sender's process, which comes unasked with every message once the shared
/// `SO_PASSPIDFD` is set; libc lacks it.
const SCM_PIDFD: c_int = 4;

/// Room for control messages, aligned for them: [`SCM_MAX_FD`] descriptors, and what other options of
/// the socket add.
type Control = [u64; 256];

/// How [`send`] sends.
#[derive(Debug, Clone, Copy, Default)]
pub struct Send<'a> {
    /// `MSG_DONTWAIT`: `EAGAIN` instead of waiting for room.
    pub nowait: bool,
    /// Where a datagram goes; without it, to where the socket is connected.
    pub to: Option<&'a Address>,
    /// Copies of these go with it (`SCM_RIGHTS`). On a stream they go with its first byte, and with
    /// no data at all they go nowhere.
    pub descriptors: &'a [BorrowedFd<'a>],
}

/// sendmsg(2) with `MSG_NOSIGNAL`: sends a message, or bytes of a stream, and gives how many bytes have
/// been taken: less than all only of a stream, with `nowait` or after a signal. Waits for room unless
/// `nowait`: the socket's `SO_SNDBUF`, and a Unix datagram socket's queue of
/// `net.unix.max_dgram_qlen`.
///
/// `EPIPE` when nobody will receive it, `EAGAIN`, `EINTR`, `EMSGSIZE` for a message above
/// `SO_SNDBUF`, `ENOTCONN` or `EDESTADDRREQ`, `ECONNREFUSED` and `ENOENT` of a datagram's address,
/// `ECONNRESET`, `EISCONN` or `EOPNOTSUPP` for an address where there can be none, `EINVAL` for more
/// than [`SCM_MAX_FD`] descriptors, `ETOOMANYREFS` for more on their way than `RLIMIT_NOFILE`,
/// `ENOBUFS`.
pub fn send(socket: &impl AsFd, data: &[u8], how: &Send) -> Result<usize> {
    if how.descriptors.len() > SCM_MAX_FD {
        return Err(Errno::EINVAL);
    }
    let to = how.to.map(Raw::new).transpose()?;
    let mut iov = libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    let mut control: Control = [0; _];
    // SAFETY: plain integers and pointers; all zeroes is a value of it.
    let mut msg: libc::msghdr = unsafe { zeroed() };
    msg.msg_iov = &mut iov;
    msg.msg_iovlen = 1;
    if let Some(to) = &to {
        msg.msg_name = to.as_ptr().cast_mut().cast();
        msg.msg_namelen = to.len();
    }
    if !how.descriptors.is_empty() {
        put_rights(&mut msg, &mut control, how.descriptors);
    }
    let flags = libc::MSG_NOSIGNAL | flag(how.nowait, libc::MSG_DONTWAIT);
    // SAFETY: everything that `msg` points to lives through the call, which only reads it.
    let sent = unsafe { libc::sendmsg(socket.as_fd().as_raw_fd(), &msg, flags) };
    // Not negative.
    Ok(Errno::result(sent)?.unsigned_abs())
}

/// Makes the control data one `SCM_RIGHTS`: no more than [`SCM_MAX_FD`], so that there is room.
fn put_rights(msg: &mut libc::msghdr, control: &mut Control, descriptors: &[BorrowedFd]) {
    let bytes = size_of_val(descriptors) as u32;
    msg.msg_control = control.as_mut_ptr().cast();
    // SAFETY: arithmetic alone.
    msg.msg_controllen = unsafe { libc::CMSG_SPACE(bytes) } as usize;
    // SAFETY: the first header lies at the start of `control`, which is aligned for it and has room
    // for it and the descriptors behind it.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(msg);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(bytes) as usize;
        let place = libc::CMSG_DATA(header).cast::<RawFd>();
        for (i, fd) in descriptors.iter().enumerate() {
            place.add(i).write_unaligned(fd.as_raw_fd());
        }
    }
}

/// What [`receive`] has received.
#[derive(Debug)]
pub struct Received {
    /// The bytes.
    pub data: Vec<u8>,
    /// How long the message was: more than the bytes when it was cut. Of a stream, as many as the
    /// bytes.
    pub length: usize,
    /// The descriptors that came with it, close-on-exec.
    pub descriptors: Vec<OwnedFd>,
    /// `MSG_TRUNC`: the message was longer than asked for, and its rest is gone.
    pub truncated: bool,
    /// `MSG_CTRUNC`: descriptors or other control data are lost, for want of room or of descriptors
    /// (`RLIMIT_NOFILE`).
    pub control_truncated: bool,
    /// Who sent it: of a datagram socket; `Unnamed` where that is not bound, and for the other kinds.
    pub sender: Address,
    /// There is nothing more and nothing will come.
    pub end: bool,
}

/// recvmsg(2) with `MSG_CMSG_CLOEXEC`: takes the next message, or bytes of a stream, at most `max` bytes;
/// waits for one unless `nowait`. Bytes of a stream behind such that carried descriptors come with
/// the next call.
///
/// `EAGAIN`, `EINTR`, `ENOTCONN` for a stream or seqpacket socket without a connection or with
/// `EINVAL` where the kernel says so of a listener, `ECONNRESET` when the other side went with bytes
/// unread, `ENOMEM` for a `max` without room.
pub fn receive(socket: &impl AsFd, max: usize, nowait: bool) -> Result<Received> {
    let kind = options::kind(socket)?;
    if kind == Some(Kind::Seqpacket) {
        // An empty message and the end look alike; but only a message comes with its time.
        options::set_timestamps(socket)?;
    }
    receive_with(socket, kind, max, flag(nowait, libc::MSG_DONTWAIT))
}

/// The same for what is known to be a stream: one call.
pub fn receive_stream(socket: &impl AsFd, max: usize) -> Result<Received> {
    receive_with(socket, Some(Kind::Stream), max, 0)
}

/// What [`peek`] has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The bytes.
    pub data: Vec<u8>,
    /// How long the message is; of a stream, as many as the bytes.
    pub length: usize,
    /// How many descriptors are with it. Their copies were closed at once.
    pub descriptors: usize,
    /// `MSG_CTRUNC`: there are more descriptors, or other control data, than this process could take.
    pub control_truncated: bool,
    /// As of [`Received`].
    pub sender: Address,
    /// As of [`Received`]; but messages of no bytes look the same, where all that are left are such and
    /// their sender has gone.
    pub end: bool,
}

/// recvmsg(2) with `MSG_PEEK | MSG_DONTWAIT`: what [`receive`] would take, left where it is. Never
/// waits: `EAGAIN` when there is nothing. Errnos as [`receive`].
///
/// `SO_PEEK_OFF` is the socket's own: where somebody has set it, it is -1 for the time of the call
/// and then what it was; what its owner peeks or receives in that moment does not move it. The
/// descriptors of the message are copied into this process for a moment: there is no other way to
/// count them.
pub fn peek(socket: &impl AsFd, max: usize) -> Result<Peeked> {
    let _guard = PeekOffset::suspend(socket)?;
    let kind = options::kind(socket)?;
    let seen = receive_with(socket, kind, max, libc::MSG_PEEK | libc::MSG_DONTWAIT)?;
    // With something behind it, it was a message.
    let end = seen.end && options::input_queue(socket).is_ok_and(|left| left == 0);
    Ok(Peeked {
        data: seen.data,
        length: seen.length,
        descriptors: seen.descriptors.len(),
        control_truncated: seen.control_truncated,
        sender: seen.sender,
        end,
    })
}

/// The `SO_PEEK_OFF` that is to stand again.
struct PeekOffset<'a, S: AsFd> {
    socket: &'a S,
    offset: i32,
}

impl<'a, S: AsFd> PeekOffset<'a, S> {
    fn suspend(socket: &'a S) -> Result<Option<PeekOffset<'a, S>>> {
        match options::peek_offset(socket) {
            Ok(..0) | Err(Errno::EOPNOTSUPP | Errno::ENOPROTOOPT) => Ok(None),
            Ok(offset) => {
                options::set_peek_offset(socket, -1)?;
                Ok(Some(PeekOffset { socket, offset }))
            }
            Err(errno) => Err(errno),
        }
    }
}

impl<S: AsFd> Drop for PeekOffset<'_, S> {
    fn drop(&mut self) {
        // It could be set a moment ago.
        let _ = options::set_peek_offset(self.socket, self.offset);
    }
}

fn receive_with(
    socket: &impl AsFd,
    kind: Option<Kind>,
    max: usize,
    flags: c_int,
) -> Result<Received> {
    let stream = kind == Some(Kind::Stream);
    // It asks for the whole length of a message, but makes TCP throw its bytes away.
    let flags = flags | libc::MSG_CMSG_CLOEXEC | flag(!stream, libc::MSG_TRUNC);
    let mut data: Vec<u8> = Vec::new();
    data.try_reserve_exact(max).map_err(|_| Errno::ENOMEM)?;
    let mut iov = libc::iovec {
        iov_base: data.as_mut_ptr().cast(),
        iov_len: max,
    };
    let mut control: Control = [0; _];
    let mut sender = Raw::room();
    // SAFETY: plain integers and pointers; all zeroes is a value of it.
    let mut msg: libc::msghdr = unsafe { zeroed() };
    msg.msg_iov = &mut iov;
    msg.msg_iovlen = 1;
    msg.msg_control = control.as_mut_ptr().cast();
    msg.msg_controllen = size_of_val(&control);
    msg.msg_name = sender.as_mut_ptr().cast();
    msg.msg_namelen = sender.len();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: everything that `msg` points to lives through the call and has the room that it says.
    let length = Errno::result(unsafe { libc::recvmsg(fd, &mut msg, flags) })?.unsigned_abs();
    let is_message = msg.msg_controllen > 0;
    // SAFETY: `msg` still points to `control`, which recvmsg has filled, and this is done once.
    let descriptors = unsafe { take_descriptors(&msg) };
    // SAFETY: there is room for `max` bytes, and so many of them are filled.
    unsafe { data.set_len(length.min(max)) };
    let room = data.capacity();
    if room > 4096 && room / 2 > data.len() {
        data.shrink_to_fit();
    }
    Ok(Received {
        end: data.is_empty()
            && max > 0
            && (stream || length == 0 && !is_message && has_hung_up(socket)?),
        data,
        length,
        descriptors,
        truncated: msg.msg_flags & libc::MSG_TRUNC != 0,
        control_truncated: msg.msg_flags & libc::MSG_CTRUNC != 0,
        sender: sender.address(msg.msg_namelen),
    })
}

/// Whether the other side sends no more.
fn has_hung_up(socket: &impl AsFd) -> Result<bool> {
    // nix lacks it; POLLHUP is told without asking.
    let hangup = PollFlags::from_bits_retain(libc::POLLRDHUP);
    let mut fds = [PollFd::new(socket.as_fd(), hangup)];
    Ok(poll(&mut fds, Some(Duration::ZERO))? > 0)
}

/// The descriptors of `SCM_RIGHTS`. A descriptor of the sender's process is closed.
///
/// # Safety
/// recvmsg(2) has filled `msg` and its control data, and the descriptors are taken over once.
unsafe fn take_descriptors(msg: &libc::msghdr) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    // SAFETY: reads within the control data.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(msg) };
    // SAFETY: not null, so a header within the control data.
    while let Some(header) = unsafe { next.as_ref() } {
        // SAFETY: arithmetic alone.
        let before = unsafe { libc::CMSG_LEN(0) } as usize;
        let count = header.cmsg_len.saturating_sub(before) / size_of::<RawFd>();
        // SAFETY: stays within the message of the control data.
        let data = unsafe { libc::CMSG_DATA(next) }.cast::<RawFd>();
        // SAFETY: the kernel has put `count` integers there, if it is such a message.
        let fds = (0..count).map(|i| unsafe { data.add(i).read_unaligned() });
        if header.cmsg_level == libc::SOL_SOCKET {
            // SAFETY: new descriptors of this process, owned by nobody else; not those that the
            // kernel could not make.
            let made = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
            match header.cmsg_type {
                libc::SCM_RIGHTS => descriptors.extend(fds.map(made)),
                SCM_PIDFD => fds.filter(|&fd| fd >= 0).map(made).for_each(drop),
                _ => {}
            }
        }
        // SAFETY: reads within the control data.
        next = unsafe { libc::CMSG_NXTHDR(msg, next) };
    }
    descriptors
}

fn flag(set: bool, bit: c_int) -> c_int {
    if set { bit } else { 0 }
}
