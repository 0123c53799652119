//! The control sockets between the shell and its actors: socketpair(2), and descriptors that
//! travel over them (unix(7), `SCM_RIGHTS`).
#![allow(unsafe_code)]

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

use super::Result;

/// The most descriptors that one message carries (`SCM_MAX_FD`).
pub const MOST_DESCRIPTORS: usize = 253;

/// socketpair(2): two connected Unix stream sockets, close-on-exec. `EMFILE`, `ENFILE`.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
}

/// sendmsg(2): sends some of the bytes, with descriptors on the first of them; gives how many
/// went. At most [`MOST_DESCRIPTORS`] (`EINVAL`). `EAGAIN`, `EINTR`, `EPIPE`.
pub fn send_with(socket: BorrowedFd, bytes: &[u8], descriptors: &[BorrowedFd]) -> Result<usize> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage] = if raw.is_empty() { &[] } else { &rights };
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(bytes)],
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )
}

/// recvmsg(2): fills some of the buffer; gives how much, 0 at the end of the stream, and the
/// descriptors that came with it, close-on-exec. `EAGAIN`, `EINTR`, `ECONNRESET`.
pub fn receive_with(socket: BorrowedFd, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>)> {
    let mut control = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut parts = [IoSliceMut::new(buffer)];
    let received = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let mut descriptors = Vec::new();
    for message in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = message {
            // SAFETY: the kernel has just made them for this process; nobody else owns them.
            descriptors.extend(
                raw.into_iter()
                    .map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }),
            );
        }
    }
    Ok((received.bytes, descriptors))
}
