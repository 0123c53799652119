//! A descriptor of some process, which `pid:N/fd:M` names.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Sight;
use super::telling::barred;
use super::users::{How, Use};
use crate::data::{Failure, Family, Object, word};
use crate::inspect::descriptors::{Access, What};
use crate::inspect::thing;
use crate::kernel::{self, Errno, procfd};

/// What is open at a descriptor.
#[derive(Debug)]
pub struct Place {
    pid: i32,
    fd: i32,
    what: What,
    /// The object that it is, where it is one.
    pub object: Option<(Family, Object)>,
}

impl Place {
    /// Looks at it.
    ///
    /// # Errors
    /// There is no such process or descriptor, or it may not be looked at.
    pub fn new(pid: i128, fd: i128) -> Result<Place, Failure> {
        let process = i32::try_from(pid).ok().filter(|pid| *pid > 0);
        let Some(process) =
            process.filter(|pid| kernel::process::kill(*pid, 0) != Err(Errno::ESRCH))
        else {
            return Err(Failure::refused(format!("there is no process {pid}")));
        };
        let nothing = || {
            Failure::refused(format!("process {pid} has no descriptor {fd}"))
                .help(format!("`ls -l /proc/{pid}/fd` lists those that it has"))
        };
        let fd = i32::try_from(fd).map_err(|_| nothing())?;
        let (what, object) = thing::open_at(process, fd).map_err(|errno| match errno {
            Errno::ENOENT | Errno::ESRCH => nothing(),
            Errno::EACCES => barred(process).of(Failure::environment(errno.desc())),
            errno => Failure::environment(format!(
                "pid:{pid}/fd:{fd} cannot be looked at: {}",
                errno.desc()
            )),
        })?;
        Ok(Place {
            pid: process,
            fd,
            what,
            object,
        })
    }

    /// What it is, in a sentence: `the file /etc/passwd`.
    pub fn words(&self) -> String {
        match &self.what {
            What::Pipe { .. } => "a pipe".into(),
            What::Socket { .. } => "a socket".into(),
            What::Other(text) => word(text.as_bytes()),
            What::File { path, .. } if path.starts_with("/memfd:") => {
                "memory of memfd_create".into()
            }
            What::File { path, file } => file_words(path, file.map(|file| file.mode)),
        }
    }

    /// Who has the file open or mapped, whatever it is, and how many could not be looked into.
    pub fn users(&self, sight: &Sight) -> (Vec<Use>, usize) {
        let open = |pid, fd, access: Option<Access>| Use {
            pid,
            how: How::Open { fd, access },
        };
        let file = procfd::file(self.pid, self.fd).ok();
        let (What::File { path, .. }, Some(file)) = (&self.what, file) else {
            return (vec![open(self.pid, self.fd, None)], 0);
        };
        let users = sight.snapshot.users_of(file, path);
        let mapped = users.mapped.into_iter().map(|(pid, writable)| Use {
            pid,
            how: How::Attached { writable },
        });
        let opened = users.open.into_iter().map(|d| open(d.pid, d.fd, d.access));
        (mapped.chain(opened).collect(), users.unreadable)
    }

    /// Whether others that have it could be told from those that have another of its kind: what has no
    /// file of its own shares one with all.
    pub fn is_file(&self) -> bool {
        matches!(self.what, What::File { .. })
    }
}

/// What is at a path, by the type in its mode.
pub(super) fn file_words(path: &Path, mode: Option<u32>) -> String {
    let what = match mode.map(|mode| mode & libc::S_IFMT) {
        Some(libc::S_IFDIR) => "the directory",
        Some(libc::S_IFCHR | libc::S_IFBLK) => "the device",
        Some(libc::S_IFIFO) => "the FIFO",
        Some(libc::S_IFSOCK) => "the socket file",
        _ => "the file",
    };
    format!("{what} {}", word(path.as_os_str().as_bytes()))
}
