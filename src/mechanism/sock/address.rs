//! Addresses of sockets as they are written: a path, `@NAME`, `tcp:HOST:PORT`.

use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::data::{Cell, Failure, Object};
use crate::inspect::socket_file::{self, Behind};
use crate::inspect::tcp::{self, TcpSocket, TcpState};
use crate::inspect::unix::{self, State, UnixSocket};
pub(super) use crate::inspect::wait::{address as written, address_bytes};
use crate::kernel::socket::{Address, Kind};
use crate::kernel::{Errno, getent};
use crate::mechanism::common::not_asked;
use crate::mechanism::place::file_words;
use crate::session::Names;

/// Whether a text is a TCP address, whoever its host is.
pub(super) fn is_tcp(text: &[u8]) -> bool {
    text.starts_with(TCP)
}

const TCP: &[u8] = b"tcp:";

/// The address that a text names, in an actor: the host of a TCP address is looked up, which may take
/// as long as name servers do. A path is made absolute, so that it means the same to every process.
///
/// # Errors
/// The host of a TCP address is not known.
pub(super) fn parse(text: &[u8]) -> Result<Address, Failure> {
    parse_each(text).map(|(first, _)| first)
}

/// The same, with the other addresses of a host that has several, in the order in which they are to be
/// tried.
///
/// # Errors
/// As those of [`parse`].
pub(super) fn parse_each(text: &[u8]) -> Result<(Address, Vec<Address>), Failure> {
    let mut others = Vec::new();
    let first = parse_with(text, |place| {
        let mut found = look_up(place)?.into_iter();
        let first = found.next();
        others.extend(found.map(Address::Inet));
        first.ok_or_else(|| unknown(place, "nobody knows the host"))
    })?;
    Ok((first, others))
}

/// As [`parse`], in the shell, which waits for nobody.
///
/// # Errors
/// The host of a TCP address is neither a number nor `localhost`.
fn parse_here(text: &[u8]) -> Result<Address, Failure> {
    parse_with(text, |place| {
        numbered(place).ok_or_else(|| unknown(place, "only an actor looks a host up"))
    })
}

fn parse_with(
    text: &[u8],
    inet: impl FnOnce(&str) -> Result<SocketAddr, Failure>,
) -> Result<Address, Failure> {
    if let Some(name) = text.strip_prefix(b"@") {
        return Ok(Address::Abstract(name.to_vec()));
    }
    if let Some(place) = text.strip_prefix(TCP) {
        let place = String::from_utf8_lossy(place);
        return inet(&place).map(Address::Inet);
    }
    let path = Path::new(OsStr::from_bytes(text));
    // An empty one is the kernel's to refuse.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    Ok(Address::Path(path))
}

fn unknown(place: &str, why: &str) -> Failure {
    Failure::environment(format!("tcp:{place} is no address here: {why}"))
        .help("A host by its number needs nobody to look it up, such as tcp:127.0.0.1:6379")
}

/// An address that nobody needs to be asked for: `localhost` is the old one, which servers of the
/// small kind take.
fn numbered(place: &str) -> Option<SocketAddr> {
    let number = place
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    number.as_deref().unwrap_or(place).parse().ok()
}

/// The addresses of a host, the old ones first.
fn look_up(place: &str) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(address) = numbered(place) {
        return Ok(vec![address]);
    }
    let (host, port) = place
        .rsplit_once(':')
        .ok_or_else(|| unknown(place, "it has no port"))?;
    let port = port
        .parse()
        .map_err(|_| unknown(place, "its port is no number up to 65535"))?;
    let lines = getent::lines("ahosts", host, None).map_err(|errno| match errno {
        Errno::ENOENT => unknown(place, "there is no getent(1), which would look the host up"),
        errno => not_asked(errno, &format!("the host {host}")),
    })?;
    // Each is `ADDRESS TYPE NAME`.
    let words = lines
        .iter()
        .filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<IpAddr> = words.filter_map(|word| word.parse().ok()).collect();
    found.sort_by_key(IpAddr::is_ipv6);
    // Once for each kind of socket.
    found.dedup();
    let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, port));
    Ok(addresses.collect())
}

/// As a cell: `-` for none.
pub(super) fn cell(address: &Address) -> Cell {
    address_bytes(address).map_or(Cell::Nothing, Cell::Name)
}

/// The socket that is bound to an address: this session's where several are. Not those that a
/// listener has accepted, which have its address too.
///
/// # Errors
/// There is none in this network namespace.
pub(in crate::mechanism) fn bound(names: &Names, text: &[u8]) -> Result<Object, Failure> {
    let address = parse_here(text)?;
    let found: Vec<u64> = match &address {
        Address::Inet(wanted) => tcp::sockets(|_| true)
            .unwrap_or_default()
            .iter()
            .filter(|s| s.state == TcpState::LISTEN && is_at(s, wanted))
            .map(|s| s.ino)
            .collect(),
        Address::Path(path) => at_path(path)?,
        address => with(address, &unix::all().unwrap_or_default()),
    };
    let named = |ino: &&u64| {
        names
            .name_of(super::FAMILY, &Object::Inode(**ino))
            .is_some()
    };
    let ours = found.iter().find(named);
    let ino = ours.or(found.first()).ok_or_else(|| {
        Failure::refused(format!(
            "no socket of this network namespace has the address {}",
            written(&address).unwrap_or_default()
        ))
        .help("`sock ls` lists those that are there, `sock listen ADDRESS` makes one")
    })?;
    Ok(Object::Inode(*ino))
}

/// The socket that is bound to the file at a path. The address of a socket is but the text that
/// bind(2) was given: a newer file may stand there since, and a relative path does not say where.
/// So it counts only where the file does not tell.
fn at_path(path: &Path) -> Result<Vec<u64>, Failure> {
    let all = unix::all().unwrap_or_default();
    let shown = Object::from(path);
    match socket_file::behind_of(path, &all) {
        Ok(Behind::Socket(ino)) => Ok(vec![ino]),
        Ok(Behind::NotASocket) => {
            let mode = path.metadata().ok().map(|file| file.mode());
            let what = file_words(path, mode);
            Err(Failure::refused(format!("{what} is no socket file")))
        }
        Ok(Behind::Nobody) => Err(Failure::refused(format!(
            "no socket is bound to the file {shown} any more"
        ))
        .help(format!("It was left behind; `sock rm {shown}` removes it"))),
        Ok(Behind::Unseen | Behind::NobodyHere) | Err(_) => {
            let mut found = with(&Address::Path(path.into()), &all);
            // Where only the device is shown as another one, the inode still tells.
            if let Ok(file) = path.metadata() {
                let is_it = |s: &UnixSocket| s.file.is_some_and(|f| f.ino == file.ino() as u32);
                let its: Vec<u64> = all.iter().filter(|s| is_it(s)).map(|s| s.ino).collect();
                found.sort_by_key(|ino| !its.contains(ino));
            }
            Ok(found)
        }
    }
}

/// The sockets that have this address.
fn with(address: &Address, all: &[UnixSocket]) -> Vec<u64> {
    all.iter()
        .filter(|s| s.address == *address && !may_be_accepted(s))
        .map(|s| s.ino)
        .collect()
}

fn may_be_accepted(socket: &UnixSocket) -> bool {
    socket.kind != Kind::Dgram && socket.state == State::Established
}

/// Whether a listener takes connections to this address.
pub(super) fn is_at(listener: &TcpSocket, wanted: &SocketAddr) -> bool {
    let (here, there) = (listener.local, wanted);
    here.port() == there.port() && (here.ip() == there.ip() || here.ip().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in [
            "/tmp/s",
            "@name",
            "tcp:127.0.0.1:80",
            "tcp:[::1]:65535",
            "@a:b/c",
        ] {
            let address = parse(text.as_bytes()).unwrap();
            assert_eq!(written(&address).as_deref(), Some(text));
        }
        let odd = Address::Abstract(b"a\0b\xff".to_vec());
        assert_eq!(written(&odd).as_deref(), Some("x\"40 61 00 62 ff\""));
        assert_eq!(written(&Address::Unnamed), None);
        assert!(matches!(parse(b"s").unwrap(), Address::Path(p) if p.is_absolute()));
        let local = parse(b"tcp:localhost:1").unwrap();
        assert_eq!(written(&local).as_deref(), Some("tcp:127.0.0.1:1"));
        for text in ["tcp:x", "tcp:127.0.0.1:99999"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
            assert!(parse_here(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["tcp:localhost:1", "tcp:127.0.0.1:1"] {
            let local = parse_here(text.as_bytes()).unwrap();
            assert_eq!(written(&local).as_deref(), Some("tcp:127.0.0.1:1"));
        }
        // No name server is asked.
        let failure = parse_here(b"tcp:host.invalid:1").unwrap_err();
        assert!(
            failure.meaning.contains("only an actor looks a host up"),
            "{failure}"
        );
    }
}
