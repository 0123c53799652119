//! Shared memory in the processes' address spaces: proc_pid_maps(5).

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::process;
use super::thing::{Inode, Thing, in_shm};
use crate::kernel::{Errno, fds, procmap};

/// An object that is mapped into a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The process.
    pub pid: i32,
    /// What is mapped: a System V segment, or a file in `/dev/shm`.
    pub thing: Thing,
    /// Where it begins.
    pub start: u64,
    /// How many bytes there are.
    pub length: u64,
    /// Where in the object the first of them stands: a process may have unmapped what was before.
    pub offset: u64,
    /// Whether it may be written there.
    pub writable: bool,
    /// The path of a file, as the process sees it.
    pub path: Option<PathBuf>,
}

/// The objects that are mapped into a process. `None` where it may not be looked into; a process
/// that is gone has none. System V's are those of the process's own IPC namespace: ids say nothing
/// where that is another than ours.
pub fn of(pid: i32) -> Option<Vec<Mapping>> {
    // One whose first thread has ended has no memory by its own number.
    let maps = match read(pid) {
        Ok(None) => process::survivor(pid).map_or(Ok(None), read),
        maps => maps,
    };
    match maps.map(Option::unwrap_or_default) {
        Ok(maps) => {
            let lines = maps.split(|b| *b == b'\n').filter_map(Line::parse);
            let found: Vec<Mapping> = lines.filter_map(|line| line.mapping(pid)).collect();
            Some(found)
        }
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => None,
        Err(_) => Some(Vec::new()),
    }
}

/// What a process has mapped, as far as it is shared, by any of its threads; `None` where it has no
/// memory.
fn read(tid: i32) -> std::io::Result<Option<Vec<u8>>> {
    let file = File::open(format!("/proc/{tid}/maps"))?;
    // Most share nothing, and the kernel need not write all that they have.
    match procmap::shares(&file) {
        Ok(false) => Ok(Some(Vec::new())),
        Err(Errno::ESRCH) => Ok(None),
        _ => process::read_all(&file).map(|maps| Some(maps).filter(|maps| !maps.is_empty())),
    }
}

/// The object that is mapped at an address of a process.
pub(super) fn at(pid: i32, addr: u64) -> Option<Mapping> {
    let maps = process::read_file(format!("/proc/{pid}/maps")).ok()?;
    let mut lines = maps.split(|b| *b == b'\n').filter_map(Line::parse);
    lines
        .find(|l| l.start <= addr && addr < l.end)?
        .mapping(pid)
}

/// Whether a process has a file mapped, and if so, whether it writes to it there; `path` is the file's.
/// `None` where the process may not be looked into.
pub(super) fn file(pid: i32, file: Inode, path: &Path) -> Option<Option<bool>> {
    let maps = match process::read_file(format!("/proc/{pid}/maps")) {
        Ok(maps) => maps,
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => return None,
        Err(_) => return Some(None),
    };
    // The device is another than that of stat(2) on btrfs and overlays.
    let is_it = |line: &Line| {
        line.ino == file.ino && (line.dev == file.dev || line.path == path.as_os_str().as_bytes())
    };
    let lines = maps.split(|b| *b == b'\n').filter_map(Line::parse_any);
    let writes = lines.filter(is_it).map(|line| line.shared && line.writable);
    Some(writes.reduce(|one, other| one || other))
}

/// `7f00-7f10 rw-s 00000000 00:01 32768   /SYSV00000000 (deleted)`, with a path.
struct Line<'a> {
    start: u64,
    end: u64,
    offset: u64,
    shared: bool,
    writable: bool,
    dev: u64,
    ino: u64,
    path: &'a [u8],
}

impl<'a> Line<'a> {
    /// `None` of private memory, which is most, and where it has no path.
    fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let (_, rest) = word(line)?;
        let (perms, _) = word(rest)?;
        match perms.ends_with(b"s") {
            true => Line::parse_any(line),
            false => None,
        }
    }

    /// Of private memory too.
    fn parse_any(line: &'a [u8]) -> Option<Line<'a>> {
        let (range, rest) = word(line)?;
        let (perms, rest) = word(rest)?;
        let (&[_, write, _, shared], true) = (perms.first_chunk()?, perms.len() == 4) else {
            return None;
        };
        let (offset, rest) = word(rest)?;
        let (dev, rest) = word(rest)?;
        let (ino, rest) = word(rest)?;
        let path = rest.trim_ascii_start();
        if path.is_empty() {
            return None;
        }
        let (start, end) = pair(range, b'-')?;
        let (major, minor) = pair(dev, b':')?;
        Some(Line {
            start,
            end,
            offset: hexadecimal(offset)?,
            shared: shared == b's',
            writable: write == b'w',
            dev: libc::makedev(major as u32, minor as u32),
            ino: std::str::from_utf8(ino).ok()?.parse().ok()?,
            path,
        })
    }

    fn mapping(&self, pid: i32) -> Option<Mapping> {
        let path = Path::new(OsStr::from_bytes(self.path));
        let (thing, path) = if self.path.starts_with(b"/SYSV") && is_system_v(self.dev) {
            // The inode is the id, as the kernel prints it: without a sign.
            let id = u32::try_from(self.ino).ok()?.cast_signed();
            (Thing::Shm(id), None)
        } else if in_shm(path) {
            let (dev, ino) = (self.dev, self.ino);
            (Thing::Memory(Inode { dev, ino }), Some(path.to_path_buf()))
        } else {
            return None;
        };
        Some(Mapping {
            pid,
            thing,
            start: self.start,
            length: self.end.saturating_sub(self.start),
            offset: self.offset,
            writable: self.writable,
            path,
        })
    }
}

/// Whether System V's segments are on a device. They have the file systems of memfd_create(2), which
/// nobody can mount: a file of another may be called as they are.
fn is_system_v(dev: u64) -> bool {
    static DEVICES: OnceLock<Vec<u64>> = OnceLock::new();
    let devices = match DEVICES.get() {
        Some(known) => known,
        None => match fds::memory_devices() {
            Ok(found) => DEVICES.get_or_init(|| found),
            // For want of a descriptor, say: then the name alone tells.
            Err(_) => return true,
        },
    };
    devices.contains(&dev)
}

fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|b| *b == b' ')?;
    Some(line.split_at(end))
}

fn pair(text: &[u8], between: u8) -> Option<(u64, u64)> {
    let at = text.iter().position(|b| *b == between)?;
    Some((hexadecimal(&text[..at])?, hexadecimal(&text[at + 1..])?))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<(Thing, u64, bool, Option<PathBuf>)> {
        let mapping = Line::parse(line.as_bytes())?.mapping(7)?;
        assert_eq!(mapping.pid, 7);
        Some((mapping.thing, mapping.start, mapping.writable, mapping.path))
    }

    /// The device of segments, as it is printed here.
    fn device() -> String {
        let dev = fds::memory_devices().unwrap()[0];
        format!("{:02x}:{:02x}", libc::major(dev), libc::minor(dev))
    }

    #[test]
    fn segments_are_told_from_files_and_from_what_is_private() {
        let dev = device();
        let line = format!("7f00-8000 rw-s 00000000 {dev} 32768       /SYSV00000000 (deleted)");
        assert_eq!(found(&line), Some((Thing::Shm(32768), 0x7f00, true, None)));
        // An id is printed without its sign.
        let line = format!("7f00-8000 r--s 00000000 {dev} 4294967295 /SYSVdeadbeef (deleted)");
        assert_eq!(found(&line), Some((Thing::Shm(-1), 0x7f00, false, None)));
        // What is left of one that began before.
        let line = format!("7f000-80000 rw-s 00002000 {dev} 5 /SYSV00000000 (deleted)");
        let mapping = Line::parse(line.as_bytes()).and_then(|l| l.mapping(7));
        let mapping = mapping.map(|m| (m.start, m.length, m.offset));
        assert_eq!(mapping, Some((0x7f000, 0x1000, 0x2000)));
        // A file of another file system, which was mounted at the root.
        let line = "7f00-8000 rw-s 00000000 fe:dc 32768 /SYSV00000000 (deleted)";
        assert_eq!(found(line), None);
        let line = "7f00-8000 rw-s 00000000 00:1a 9   /dev/shm/a b";
        let other = libc::makedev(0, 0x1a);
        let file = Thing::Memory(Inode { dev: other, ino: 9 });
        let path = Some(PathBuf::from("/dev/shm/a b"));
        assert_eq!(found(line), Some((file, 0x7f00, true, path)));
        for other in [
            "7f00-8000 rw-p 00000000 00:1a 9   /dev/shm/a",
            "7f00-8000 rw-s 00000000 00:1a 9   /tmp/a",
            "7f00-8000 rw-s 00000000 00:00 0 ",
            "7f00-8000 rw-s 00000000 DEV x   /SYSV00000000",
            "7f00 rw-s 00000000 DEV 3   /SYSV00000000",
            "7f00-8000 rw-ss 00000000 DEV 3   /SYSV00000000",
            "",
        ] {
            let other = other.replace("DEV", &dev);
            assert_eq!(found(&other), None, "{other}");
        }
    }

    /// What is asked first says no only where nothing shared is in the file.
    #[test]
    fn who_shares_nothing_has_no_object() {
        for pid in process::pids() {
            let Ok(file) = File::open(format!("/proc/{pid}/maps")) else {
                continue;
            };
            if procmap::shares(&file) == Ok(false) {
                let maps = process::read_all(&file).unwrap_or_default();
                // It may have begun to share something in between.
                if procmap::shares(&file) != Ok(false) {
                    continue;
                }
                let shared = maps.split(|b| *b == b'\n').filter_map(Line::parse).count();
                assert_eq!(shared, 0, "{}", String::from_utf8_lossy(&maps));
            }
        }
    }

    #[test]
    fn no_line_makes_it_panic() {
        let line = format!("7f00-8000 rw-s 00000000 {} 32768   /SYSV00000000", device());
        let line = line.as_bytes();
        for at in 0..line.len() {
            let _ = Line::parse(&line[..at]);
            for byte in [0, b' ', b'-', b':', b'9', 0xff] {
                let mut bytes = line.to_vec();
                bytes[at] = byte;
                let _ = Line::parse(&bytes).and_then(|line| line.mapping(1));
            }
        }
    }
}
