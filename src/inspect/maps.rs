//! Shared memory in the processes' address spaces: proc_pid_maps(5).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::process;
use super::thing::{Inode, Thing, in_shm};

/// An object that is mapped into a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The process.
    pub pid: i32,
    /// What is mapped: a System V segment, or a file in `/dev/shm`.
    pub thing: Thing,
    /// Where it begins.
    pub start: u64,
    /// Whether it may be written there.
    pub writable: bool,
    /// The path of a file, as the process sees it.
    pub path: Option<PathBuf>,
}

/// The objects that are mapped into a process. `None` where it may not be looked into; a process
/// that is gone has none. System V's are those of the process's own IPC namespace: ids say nothing
/// where that is another than ours.
pub fn of(pid: i32) -> Option<Vec<Mapping>> {
    match process::read_file(format!("/proc/{pid}/maps")) {
        Ok(maps) => {
            let lines = maps.split(|b| *b == b'\n').filter_map(Line::parse);
            let found: Vec<Mapping> = lines.filter_map(|line| line.mapping(pid)).collect();
            Some(found)
        }
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => None,
        Err(_) => Some(Vec::new()),
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

/// `7f00-7f10 rw-s 00000000 00:01 32768   /SYSV00000000 (deleted)`, of what is shared.
struct Line<'a> {
    start: u64,
    end: u64,
    writable: bool,
    dev: u64,
    ino: u64,
    path: &'a [u8],
}

impl<'a> Line<'a> {
    /// `None` of private memory, which is most, and where it has no path.
    fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let (range, rest) = word(line)?;
        let (perms, rest) = word(rest)?;
        let (&[_, write, _, b's'], true) = (perms.first_chunk()?, perms.len() == 4) else {
            return None;
        };
        let (_offset, rest) = word(rest)?;
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
            writable: write == b'w',
            dev: libc::makedev(major as u32, minor as u32),
            ino: std::str::from_utf8(ino).ok()?.parse().ok()?,
            path,
        })
    }

    fn mapping(&self, pid: i32) -> Option<Mapping> {
        let path = Path::new(OsStr::from_bytes(self.path));
        let (thing, path) = if self.path.starts_with(b"/SYSV") {
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
            writable: self.writable,
            path,
        })
    }
}

fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|b| *b == b' ')?;
    Some(line.split_at(end))
}

fn pair(text: &[u8], between: u8) -> Option<(u64, u64)> {
    let at = text.iter().position(|b| *b == between)?;
    let number = |digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    Some((number(&text[..at])?, number(&text[at + 1..])?))
}
