//! Joining the namespaces of a process.
//!
//! The IPC, the mount and the network namespace are joined where they are not ours, and the pid
//! namespace never: pids mean to the helper what they mean to the shell. In another mount namespace
//! `/proc` may be another pid namespace's, or nothing. So the helper makes a copy of it that is its
//! own and mounts the `/proc` of here there: paths are the target's, processes ours.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use crate::data::{Failure, FailureKind};
use crate::inspect::namespaces::{self, Inside, KINDS};
use crate::kernel::namespace::{self, Kind};
use crate::kernel::{Errno, errno_of, process, users};
use crate::mechanism::{barred, errno_symbol};

/// Joins the namespaces of a process; says which were joined. This process must have no other
/// thread.
pub(super) fn enter(pid: i32) -> Result<Inside, Failure> {
    let target = process::pidfd_open(pid).map_err(|errno| match errno {
        Errno::ESRCH => Failure {
            meaning: format!("there is no process {pid}"),
            ..refused(errno, format!("pidfd_open({pid})"))
        }
        .help("`ns` lists namespaces, and a process of each"),
        Errno::EINVAL | Errno::ENOENT => Failure {
            meaning: format!("{pid} is a thread: its process is to be named"),
            ..refused(errno, format!("pidfd_open({pid})"))
        },
        errno => refused(errno, format!("pidfd_open({pid})")),
    })?;
    let theirs = Theirs::of(pid)?;
    // The shell would look itself: it has changed.
    if theirs.others.is_empty() {
        return Err(Failure::refused(format!(
            "process {pid} has come into the namespaces of this shell"
        )));
    }
    let kinds: Vec<Kind> = theirs.others.iter().map(|(kind, _)| *kind).collect();
    match kinds.contains(&Kind::User) {
        true => users::keep_none(),
        false => users::keep_names(),
    }
    let mounts = match kinds.contains(&Kind::Mnt) {
        true => Some(Mounts::of(pid)?),
        false => None,
    };
    // Meanwhile the pid may have become another's.
    process::pidfd_send_signal(&target, 0).or_else(|errno| match errno {
        Errno::EPERM => Ok(()),
        errno => Err(refused(errno, format!("pidfd_send_signal({pid})"))),
    })?;
    let proc = join(&target, &kinds, &theirs).map_err(|(step, errno)| {
        let call = match step {
            Step::Join => setns_of(pid, &kinds),
            Step::Take => "open_tree(/proc)".into(),
            Step::User => setns_of(pid, &[Kind::User]),
            Step::Copy => "unshare(CLONE_NEWNS)".into(),
        };
        denied(errno, call)
    })?;
    if let Some(mounts) = mounts {
        mounts.settle(proc)?;
    }
    Ok(Inside::new(pid, theirs.others))
}

/// The namespaces of a process that are not ours.
struct Theirs {
    others: Vec<(Kind, u64)>,
    /// Whether it has a user namespace of its own, too.
    user: bool,
}

impl Theirs {
    fn of(pid: i32) -> Result<Theirs, Failure> {
        let own = std::process::id().cast_signed();
        let other = |kind: Kind| match namespaces::id(pid, kind) {
            Ok(id) if namespaces::id(own, kind) == Ok(id) => Ok(None),
            Ok(id) => Ok(Some((kind, id))),
            Err(errno) => {
                let failure = refused(errno, format!("stat(/proc/{pid}/ns/{})", kind.name()));
                Err(match errno {
                    Errno::EACCES => barred(pid).of(failure),
                    // Who has ended is in none, though its parent has not yet asked.
                    Errno::ENOENT | Errno::ESRCH => Failure {
                        meaning: format!("process {pid} has ended"),
                        ..failure
                    },
                    _ => failure,
                })
            }
        };
        let others: Result<Vec<_>, _> = KINDS.into_iter().map(other).collect();
        Ok(Theirs {
            others: others?.into_iter().flatten().collect(),
            user: other(Kind::User)?.is_some(),
        })
    }
}

/// What may fail on the way.
enum Step {
    /// Joining.
    Join,
    /// Taking our `/proc` along.
    Take,
    /// Joining the user namespace before.
    User,
    /// Copying our mounts there.
    Copy,
}

/// Joins; gives the `/proc` of here, which is taken along.
fn join(
    target: &OwnedFd,
    kinds: &[Kind],
    theirs: &Theirs,
) -> Result<Option<OwnedFd>, (Step, Errno)> {
    let moves = kinds.contains(&Kind::Mnt);
    let at = |step: Step| move |errno| (step, errno);
    let directly = || {
        let proc = moves.then(|| namespace::tree_at("/proc")).transpose();
        let proc = proc.map_err(at(Step::Take))?;
        namespace::join(target, kinds).map_err(at(Step::Join))?;
        Ok(proc)
    };
    match directly() {
        // Who made a user namespace has all power in it, and over what it owns. A mount can be taken
        // along from what it owns only: from a copy of ours.
        Err((_, Errno::EPERM)) if theirs.user => {
            namespace::join(target, &[Kind::User]).map_err(at(Step::User))?;
            if moves {
                namespace::own_mounts().map_err(at(Step::Copy))?;
            }
            directly()
        }
        joined => joined,
    }
}

/// Where a process's root is: it may be below that of its mount namespace.
struct Mounts {
    root: OwnedFd,
}

impl Mounts {
    fn of(pid: i32) -> Result<Mounts, Failure> {
        let path = format!("/proc/{pid}/root");
        let root = File::options()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
            .open(&path);
        let root = root.map_err(|e| refused(errno_of(e), format!("open({path})")))?;
        Ok(Mounts { root: root.into() })
    }

    /// Makes the mount namespace that was joined our own, with the root of the process and our
    /// `/proc`: nothing of it changes for those who are in it.
    fn settle(self, proc: Option<OwnedFd>) -> Result<(), Failure> {
        let failed = |call: &str| {
            let call = call.to_string();
            move |errno| refused(errno, call)
        };
        namespace::stand_in(&self.root.as_fd()).map_err(failed("fchdir"))?;
        namespace::own_mounts().map_err(failed("unshare(CLONE_NEWNS)"))?;
        namespace::root_here().map_err(failed("chroot"))?;
        if let Some(proc) = proc {
            namespace::mount_tree(&proc, "/proc").map_err(|errno| Failure {
                meaning: format!("our /proc cannot stand in there: {}", errno.desc()),
                ..refused(errno, "move_mount(/proc)".into())
            })?;
        }
        let own = std::fs::read_link("/proc/self").ok();
        match own.is_some_and(|own| own.as_os_str() == std::process::id().to_string().as_str()) {
            true => Ok(()),
            false => Err(Failure::environment(
                "/proc in there is not that of this pid namespace, and none could be mounted",
            )),
        }
    }
}

/// What the kernel did not let us do.
fn refused(errno: Errno, call: String) -> Failure {
    let kind = match errno {
        Errno::EPERM | Errno::EACCES => FailureKind::Environment,
        _ => FailureKind::Errno,
    };
    Failure {
        errno: Some(errno_symbol(errno).into()),
        call: Some(call),
        ..Failure::new(kind, errno.desc())
    }
}

fn setns_of(pid: i32, kinds: &[Kind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    format!("setns(pid {pid}, {})", names.join("|"))
}

fn denied(errno: Errno, call: String) -> Failure {
    let failure = refused(errno, call);
    match errno {
        Errno::EPERM => Failure {
            meaning: "to join these namespaces takes CAP_SYS_ADMIN where they belong".into(),
            ..failure
        }
        .help("Run as root, or as the user who made its user namespace"),
        Errno::EINVAL => Failure {
            meaning: "namespaces are joined through a pidfd, which came with Linux 5.8".into(),
            ..failure
        },
        _ => failure,
    }
}
