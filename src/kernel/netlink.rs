//! What the kernel tells of all sockets of the network namespace: sock_diag(7), netlink(7).
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::{Errno, Result};

/// `SOCK_DIAG_BY_FAMILY`; libc lacks it.
const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// The header of a message: its length with this header, type, flags, sequence number, port.
const HEADER: usize = size_of::<libc::nlmsghdr>();

/// The kernel fills up to 32 KiB at a time for who offers as much, netlink(7).
const BUFFER: usize = 32 * 1024;

/// A netlink socket for sock_diag(7).
#[derive(Debug)]
pub struct SockDiag {
    socket: OwnedFd,
    buffer: Vec<u64>,
}

/// Whether a dump is of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// As far as the kernel knows: what comes or goes meanwhile may be in it or not.
    Whole,
    /// `NLM_F_DUMP_INTR`: the kernel saw a change that may have left something out.
    Changed,
}

impl SockDiag {
    /// A new one, close-on-exec, of the network namespace of this thread. Needs no privilege.
    /// `EPROTONOSUPPORT` for a kernel without it, `EMFILE`, `ENFILE`.
    pub fn new() -> Result<SockDiag> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: takes integers.
        let fd = Errno::result(unsafe {
            libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_SOCK_DIAG)
        })?;
        Ok(SockDiag {
            // SAFETY: just made, and owned by nobody else.
            socket: unsafe { OwnedFd::from_raw_fd(fd) },
            buffer: vec![0; BUFFER / 8],
        })
    }

    /// Asks for all sockets that a request describes, and hands what is told of each to `each`: a
    /// `struct unix_diag_msg` or `struct inet_diag_msg`, and the attributes behind it.
    /// `ENOENT` for a family that the kernel has no sock_diag(7) for, `EINVAL`.
    pub fn dump(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> Result<Dump> {
        self.ask(request, libc::NLM_F_DUMP)?;
        let mut dump = Dump::Whole;
        while self.read(&mut each, &mut dump)? {}
        Ok(dump)
    }

    /// Asks for the one socket that a request names. `ENOENT` where there is none, `ESTALE` for
    /// another cookie.
    pub fn one(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> Result<()> {
        self.ask(request, 0)?;
        self.read(&mut each, &mut Dump::Whole).map(drop)
    }

    fn ask(&self, request: &[u8], flags: c_int) -> Result<()> {
        let len = HEADER + request.len();
        let mut message = Vec::with_capacity(len);
        message.extend_from_slice(&(len as u32).to_ne_bytes());
        message.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend_from_slice(&((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(request);
        // SAFETY: plain integers; all zeroes is a value of it, and the kernel's own address.
        let mut kernel: libc::sockaddr_nl = unsafe { zeroed() };
        kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        // SAFETY: reads `message` and `kernel`, which live through the call.
        Errno::result(unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                message.as_ptr().cast(),
                message.len(),
                0,
                (&raw const kernel).cast(),
                size_of::<libc::sockaddr_nl>() as libc::socklen_t,
            )
        })
        .map(drop)
    }

    /// Reads one answer, and gives whether there is more to come.
    fn read(&mut self, each: &mut impl FnMut(&[u8]), dump: &mut Dump) -> Result<bool> {
        let fd = self.socket.as_raw_fd();
        let got = loop {
            let to = self.buffer.as_mut_ptr().cast();
            // SAFETY: the buffer has that much room and is exclusively ours.
            match Errno::result(unsafe { libc::recv(fd, to, self.buffer.len() * 8, 0) }) {
                Err(Errno::EINTR) => {}
                other => break other?.unsigned_abs(),
            }
        };
        // SAFETY: initialised integers, of which so many bytes are borrowed with them.
        let mut rest = unsafe {
            std::slice::from_raw_parts(
                self.buffer.as_ptr().cast::<u8>(),
                got.min(self.buffer.len() * 8),
            )
        };
        let mut more = true;
        while let Some((header, body)) = rest.split_first_chunk::<HEADER>() {
            let field = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
            let len = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
            let body = body
                .get(..len.saturating_sub(HEADER))
                .ok_or(Errno::EBADMSG)?;
            let flags = c_int::from(field(6));
            if flags & libc::NLM_F_DUMP_INTR != 0 {
                *dump = Dump::Changed;
            }
            more &= flags & libc::NLM_F_MULTI != 0;
            match c_int::from(field(4)) {
                libc::NLMSG_DONE | libc::NLMSG_ERROR => {
                    ended(body)?;
                    return Ok(false);
                }
                libc::NLMSG_NOOP => {}
                _ => each(body),
            }
            rest = rest
                .get(len.max(HEADER).next_multiple_of(4)..)
                .unwrap_or_default();
        }
        Ok(more)
    }
}

/// The errno, below 0, that `NLMSG_DONE` and `NLMSG_ERROR` begin with.
fn ended(body: &[u8]) -> Result<()> {
    match body.first_chunk().map(|word| i32::from_ne_bytes(*word)) {
        Some(errno @ ..0) => Err(Errno::from_raw(errno.wrapping_neg())),
        _ => Ok(()),
    }
}

/// The attributes (`struct rtattr`) that a message ends with: their types and values.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<4>()?;
        let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]);
        let value = rest.get(4..len)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_end_where_the_bytes_do() {
        let bytes = [
            6, 0, 1, 0, 7, 8, 0, 0, // two bytes and padding
            4, 0, 2, 0, // none
            9, 0, 3, 0, 1, // five bytes of which one is here
        ];
        let all: Vec<(u16, &[u8])> = attributes(&bytes).collect();
        assert_eq!(all, vec![(1, &[7, 8][..]), (2, &[][..])]);
        assert_eq!(attributes(&[1, 0, 0, 0]).count(), 0);
    }

    #[test]
    fn what_the_kernel_refuses_is_an_errno() {
        let mut diag = SockDiag::new().unwrap();
        // Families that have no sock_diag(7), and that cannot be.
        let told = diag.dump(&[libc::AF_AX25 as u8, 0, 0, 0], |_| panic!("told"));
        assert_eq!(told, Err(Errno::ENOENT));
        let told = diag.dump(&[255, 0, 0, 0], |_| panic!("told"));
        assert_eq!(told, Err(Errno::EINVAL));
        // It can be asked again after that; a request that is too short.
        let told = diag.dump(&[libc::AF_UNIX as u8], |_| panic!("told"));
        assert_eq!(told, Err(Errno::EINVAL));
    }
}
