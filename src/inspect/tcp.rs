//! TCP sockets of our network namespace: `INET_DIAG` of sock_diag(7). Needs no privilege.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::kernel::Result;
use crate::kernel::netlink::SockDiag;

/// A TCP socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// Its inode, as in the link of a descriptor, `socket:[INO]`.
    pub ino: u64,
    /// Its own address.
    pub local: SocketAddr,
    /// That of the other side; port 0 for a listener.
    pub remote: SocketAddr,
    /// Its state.
    pub state: TcpState,
    /// Of a listener the connections not accepted; else the bytes to be received.
    pub rqueue: u32,
    /// Of a listener its backlog; else the bytes sent and not acknowledged.
    pub wqueue: u32,
    /// Its owner.
    pub uid: u32,
}

/// A state of tcp(7), by the kernel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpState(
    /// `TCP_…` of linux/tcp.h.
    pub u8,
);

impl TcpState {
    /// `TCP_ESTABLISHED`.
    pub const ESTABLISHED: TcpState = TcpState(1);
    /// `TCP_LISTEN`.
    pub const LISTEN: TcpState = TcpState(10);

    /// Its name, as `netstat` shows it.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 12] = [
            "ESTABLISHED",
            "SYN_SENT",
            "SYN_RECV",
            "FIN_WAIT1",
            "FIN_WAIT2",
            "TIME_WAIT",
            "CLOSE",
            "CLOSE_WAIT",
            "LAST_ACK",
            "LISTEN",
            "CLOSING",
            "NEW_SYN_RECV",
        ];
        let place = usize::from(self.0).wrapping_sub(1);
        NAMES.get(place).copied().unwrap_or("UNKNOWN")
    }
}

/// The TCP sockets whose inode `keep` says yes to, those of IPv4 first. Those without an inode
/// belong to no descriptor: accepted by nobody yet, or lingering.
pub fn sockets(mut keep: impl FnMut(u64) -> bool) -> Result<Vec<TcpSocket>> {
    let mut found = Vec::new();
    let mut diag = SockDiag::new()?;
    for family in [libc::AF_INET, libc::AF_INET6] {
        diag.dump(&request(family), |message| {
            let ino = word(message, INODE).unwrap_or_default().into();
            if ino != 0 && keep(ino) {
                found.extend(parse(message, ino));
            }
        })?;
    }
    Ok(found)
}

/// A `struct inet_diag_req_v2`: family, protocol, no extensions; every state; no particular socket.
fn request(family: i32) -> [u8; 56] {
    let mut request = [0; 56];
    request[0] = family as u8;
    request[1] = libc::IPPROTO_TCP as u8;
    request[4..8].fill(0xff);
    request
}

/// Where they stand in a `struct inet_diag_msg`.
const RQUEUE: usize = 56;
const WQUEUE: usize = 60;
const UID: usize = 64;
const INODE: usize = 68;

fn word(message: &[u8], at: usize) -> Option<u32> {
    let bytes = message.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

fn parse(message: &[u8], ino: u64) -> Option<TcpSocket> {
    // Family, state, timer, retransmissions; ports; addresses of 16 bytes.
    let address = |port: usize, at: usize| -> Option<SocketAddr> {
        let port = u16::from_be_bytes(*message.get(port..)?.first_chunk()?);
        let ip: [u8; 16] = *message.get(at..)?.first_chunk()?;
        let ip: IpAddr = match i32::from(*message.first()?) {
            libc::AF_INET => Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3]).into(),
            _ => Ipv6Addr::from(ip).into(),
        };
        Some(SocketAddr::new(ip, port))
    };
    Some(TcpSocket {
        ino,
        local: address(4, 8)?,
        remote: address(6, 24)?,
        state: TcpState(*message.get(1)?),
        rqueue: word(message, RQUEUE)?,
        wqueue: word(message, WQUEUE)?,
        uid: word(message, UID)?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    /// The inode of one of our own sockets.
    fn ino(socket: &impl AsRawFd) -> u64 {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let link = link.to_string_lossy().into_owned();
        let digits = link.trim_start_matches("socket:[").trim_end_matches(']');
        digits.parse().unwrap()
    }

    /// `local`, `remote`, `state` and the queues in /proc/net/tcp or tcp6.
    fn row(file: &str, ino: u64) -> Vec<String> {
        let text = std::fs::read_to_string(format!("/proc/net/{file}")).unwrap();
        let rows = text
            .lines()
            .map(|l| l.split_whitespace().map(str::to_owned).collect());
        let mut rows = rows.filter(|r: &Vec<String>| r[9] == ino.to_string());
        rows.next().unwrap()
    }

    #[test]
    fn sockets_are_those_of_proc() {
        for (at, file) in [("127.0.0.1:0", "tcp"), ("[::1]:0", "tcp6")] {
            let Ok(listener) = TcpListener::bind(at) else {
                eprintln!("skipped: this host has no {at}");
                continue;
            };
            let address = listener.local_addr().unwrap();
            let mut client = TcpStream::connect(address).unwrap();
            let _waiting = TcpStream::connect(address).unwrap();
            let (server, _) = listener.accept().unwrap();
            client.write_all(b"seven b").unwrap();
            let inodes = [ino(&listener), ino(&client), ino(&server)];
            let found = sockets(|ino| inodes.contains(&ino)).unwrap();
            assert_eq!(found.len(), 3);
            let of = |ino: u64| found.iter().find(|s| s.ino == ino).unwrap();

            let listens = of(inodes[0]);
            assert_eq!((listens.local, listens.remote.port()), (address, 0));
            assert_eq!(listens.state, TcpState::LISTEN);
            assert_eq!((listens.rqueue, listens.wqueue), (1, 128), "one waits");
            let served = of(inodes[2]);
            assert_eq!(served.local, address);
            assert_eq!(served.remote, client.local_addr().unwrap());
            assert_eq!(served.state, TcpState::ESTABLISHED);
            assert_eq!(of(inodes[1]).local, served.remote);
            crate::inspect::witness::until("received", || {
                let now = sockets(|ino| ino == inodes[2]).unwrap();
                (now[0].rqueue == 7).then_some(())
            });
            for socket in &found {
                let row = row(file, socket.ino);
                let port = |cell: &str| u16::from_str_radix(cell.rsplit(':').next().unwrap(), 16);
                assert_eq!(port(&row[1]), Ok(socket.local.port()));
                assert_eq!(port(&row[2]), Ok(socket.remote.port()));
                assert_eq!(u8::from_str_radix(&row[3], 16), Ok(socket.state.0));
                assert_eq!(row[7], socket.uid.to_string());
            }
        }
    }

    #[test]
    fn a_message_that_is_cut_is_left_out() {
        assert_eq!(parse(&[0; 67], 1), None);
        assert!(parse(&[0; 68], 1).is_some());
        assert_eq!(TcpState(0).name(), "UNKNOWN");
        assert_eq!(TcpState::LISTEN.name(), "LISTEN");
        assert_eq!(TcpState(12).name(), "NEW_SYN_RECV");
    }
}
