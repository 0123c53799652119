//! Unix stream sockets: socketpair(2).

use std::os::fd::OwnedFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::Result;

/// socketpair(2): two connected Unix stream sockets, close-on-exec. `EMFILE`, `ENFILE`.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
}
