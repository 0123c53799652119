//! Where a socket is: unix(7), ip(7), ipv6(7).
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::mem::{offset_of, size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use libc::{sockaddr_in, sockaddr_in6, sockaddr_storage, sockaddr_un, socklen_t};

use super::{Errno, Result};

/// Where the name begins in a `sockaddr_un`.
const NAME: usize = offset_of!(sockaddr_un, sun_path);

/// The longest path, and one more than the longest abstract name: `sun_path` of unix(7), bytes.
pub const PATH_MAX: usize = size_of::<sockaddr_un>() - NAME;

/// The kinds of address that a socket can have: socket(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// `AF_UNIX`.
    Unix,
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

/// The address of a socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A Unix socket's without a name: never bound, or of socketpair(2).
    Unnamed,
    /// A Unix socket's in the file system, as it was given to bind(2): relative to the directory
    /// that process was in, and perhaps renamed or removed since.
    Path(PathBuf),
    /// A Unix socket's in the abstract name space of its network namespace, without the NUL that
    /// stands before it; any bytes.
    Abstract(Vec<u8>),
    /// A TCP socket's.
    Inet(SocketAddr),
    /// One of another family, `AF_…`.
    Other(i32),
}

impl Address {
    /// The domain of the sockets that can have this address.
    pub fn domain(&self) -> Option<Domain> {
        match self {
            Address::Unnamed | Address::Path(_) | Address::Abstract(_) => Some(Domain::Unix),
            Address::Inet(SocketAddr::V4(_)) => Some(Domain::Inet),
            Address::Inet(SocketAddr::V6(_)) => Some(Domain::Inet6),
            Address::Other(_) => None,
        }
    }

    /// What a process has given to connect(2): the bytes of its `sockaddr`.
    pub fn from_sockaddr(bytes: &[u8]) -> Address {
        let mut raw = Raw::room();
        let len = bytes.len().min(size_of::<sockaddr_storage>());
        let to = (&raw mut raw.storage).cast::<u8>();
        // SAFETY: `len` bytes are there to be read and fit, and any bytes are a value of it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, len) };
        raw.address(len as socklen_t)
    }

    /// The name in a `sockaddr_un` or an attribute `UNIX_DIAG_NAME`: nothing, a NUL and an
    /// abstract name, or a path, which ends at its NUL if it has one.
    pub fn from_name(name: &[u8]) -> Address {
        match name.split_first() {
            None => Address::Unnamed,
            Some((0, name)) => Address::Abstract(name.to_vec()),
            Some(_) => {
                let path = name.split(|&byte| byte == 0).next().unwrap_or_default();
                Address::Path(OsStr::from_bytes(path).into())
            }
        }
    }
}

/// An address as the kernel takes and gives it.
pub(super) struct Raw {
    storage: sockaddr_storage,
    len: usize,
}

impl Raw {
    /// Room for any address.
    pub(super) fn room() -> Raw {
        Raw {
            // SAFETY: plain integers; all zeroes is a value of it.
            storage: unsafe { zeroed() },
            len: size_of::<sockaddr_storage>(),
        }
    }

    fn of<T: Copy>(address: T) -> Raw {
        const { assert!(size_of::<T>() <= size_of::<sockaddr_storage>()) };
        let mut raw = Raw::room();
        // SAFETY: it fits, and `sockaddr_storage` is aligned for any address.
        unsafe { (&raw mut raw.storage).cast::<T>().write(address) };
        raw.len = size_of::<T>();
        raw
    }

    /// `ENAMETOOLONG` for a name that does not fit, where the kernel itself could only say
    /// `EINVAL`; `ENOENT` for an empty path, `EINVAL` for one with a NUL; `EAFNOSUPPORT`.
    pub(super) fn new(address: &Address) -> Result<Raw> {
        match address {
            Address::Unnamed => Raw::unix(&[], 0),
            Address::Path(path) => {
                let path = path.as_os_str().as_bytes();
                if path.is_empty() {
                    return Err(Errno::ENOENT);
                }
                if path.contains(&0) {
                    return Err(Errno::EINVAL);
                }
                Raw::unix(path, 0)
            }
            Address::Abstract(name) => Raw::unix(name, 1),
            Address::Inet(SocketAddr::V4(v4)) => Ok(Raw::of(sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            })),
            Address::Inet(SocketAddr::V6(v6)) => Ok(Raw::of(sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo().to_be(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            })),
            Address::Other(_) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// A `sockaddr_un` with a name after so many NULs.
    fn unix(name: &[u8], nuls: usize) -> Result<Raw> {
        // SAFETY: plain integers; all zeroes is a value of it.
        let mut un: sockaddr_un = unsafe { zeroed() };
        un.sun_family = libc::AF_UNIX as libc::sa_family_t;
        let place = un.sun_path.get_mut(nuls..nuls + name.len());
        for (to, from) in place.ok_or(Errno::ENAMETOOLONG)?.iter_mut().zip(name) {
            *to = from.cast_signed() as libc::c_char;
        }
        let mut raw = Raw::of(un);
        raw.len = NAME + nuls + name.len();
        Ok(raw)
    }

    /// Makes it `AF_UNSPEC`, which connect(2) takes for none.
    pub(super) fn disconnect(&mut self) {
        self.storage.ss_family = libc::AF_UNSPEC as libc::sa_family_t;
        self.len = size_of::<libc::sa_family_t>();
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// Its length, or that of its room.
    pub(super) fn len(&self) -> socklen_t {
        self.len as socklen_t
    }

    /// What the kernel has filled in, which says it is so many bytes long: one longer than a
    /// `sockaddr_un` where a path leaves no place for its NUL.
    pub(super) fn address(&self, len: socklen_t) -> Address {
        let len = (len as usize).min(size_of::<sockaddr_storage>());
        if len < size_of::<libc::sa_family_t>() {
            return Address::Unnamed;
        }
        // SAFETY: initialised bytes, borrowed with `self`, and `len` lies within them.
        let bytes =
            unsafe { std::slice::from_raw_parts((&raw const self.storage).cast::<u8>(), len) };
        let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        match i32::from(self.storage.ss_family) {
            libc::AF_UNIX => Address::from_name(bytes.get(NAME..).unwrap_or_default()),
            libc::AF_INET if len >= size_of::<sockaddr_in>() => {
                // SAFETY: that long, aligned, and any bytes are a value of it.
                let v4 = unsafe { (&raw const self.storage).cast::<sockaddr_in>().read() };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Address::Inet(SocketAddrV4::new(ip, port(2)).into())
            }
            libc::AF_INET6 if len >= size_of::<sockaddr_in6>() => {
                // SAFETY: that long, aligned, and any bytes are a value of it.
                let v6 = unsafe { (&raw const self.storage).cast::<sockaddr_in6>().read() };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let flow = u32::from_be(v6.sin6_flowinfo);
                Address::Inet(SocketAddrV6::new(ip, port(2), flow, v6.sin6_scope_id).into())
            }
            family => Address::Other(family),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went() {
        let long = "p".repeat(PATH_MAX);
        let addresses = [
            Address::Unnamed,
            Address::Path("/tmp/a b".into()),
            Address::Path(long.into()),
            Address::Abstract(Vec::new()),
            Address::Abstract(b"a\0b\xff\0".to_vec()),
            Address::Abstract(vec![7; PATH_MAX - 1]),
            Address::Inet("127.0.0.1:4711".parse().unwrap()),
            Address::Inet("[::1]:65535".parse().unwrap()),
            Address::Inet("[fe80::2%3]:1".parse().unwrap()),
        ];
        for address in addresses {
            let raw = Raw::new(&address).unwrap();
            assert_eq!(raw.address(raw.len()), address);
            // SAFETY: initialised bytes, and so many.
            let bytes = unsafe { std::slice::from_raw_parts(raw.as_ptr().cast::<u8>(), raw.len) };
            assert_eq!(Address::from_sockaddr(bytes), address);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let refused = |address| Raw::new(&address).map(drop).unwrap_err();
        let long = "p".repeat(PATH_MAX + 1);
        assert_eq!(refused(Address::Path(long.into())), Errno::ENAMETOOLONG);
        let long = vec![b'a'; PATH_MAX];
        assert_eq!(refused(Address::Abstract(long)), Errno::ENAMETOOLONG);
        assert_eq!(refused(Address::Path("".into())), Errno::ENOENT);
        assert_eq!(refused(Address::Path("a\0b".into())), Errno::EINVAL);
        assert_eq!(refused(Address::Other(16)), Errno::EAFNOSUPPORT);
        let raw = Raw::room();
        assert_eq!(raw.address(0), Address::Unnamed);
        assert_eq!(Address::from_name(b"/a\0/b"), Address::Path("/a".into()));
    }
}
