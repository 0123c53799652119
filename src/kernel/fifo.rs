//! FIFOs: mkfifo(3), open(2) of fifo(7).

use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open as open_file};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, lstat, stat};

use super::fds::Access;
use super::{Errno, Result};

/// Which file it is: device and inode.
pub type Identity = (u64, u64);

fn is_fifo(stat: &FileStat) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFIFO.bits()
}

/// mkfifo(3), then chmod(2): a FIFO with exactly these permissions, whatever the umask. `EEXIST`,
/// `EACCES`, `ENOENT`, `ENOTDIR`, `ENAMETOOLONG`, `EROFS`, `ENOSPC`.
pub fn make(path: &Path, mode: u32) -> Result<Identity> {
    // Nobody else may open it before its permissions are what they shall be.
    nix::unistd::mkfifo(path, Mode::from_bits_truncate(mode & 0o700))?;
    let wanted = Mode::from_bits_truncate(mode);
    let no_flags = nix::sys::stat::FchmodatFlags::FollowSymlink;
    nix::sys::stat::fchmodat(nix::fcntl::AT_FDCWD, path, wanted, no_flags)?;
    let stat = lstat(path)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// open(2): waits until the other side has it open too, unless `nowait` or for both sides; gives
/// `EINTR` as it is. Reads and writes wait again whatever it was opened with. `ENXIO` for writing
/// with `nowait` and no reader, `EINVAL` for what is no FIFO, which is not opened; `EACCES`, `ENOENT`.
pub fn open(path: &Path, access: Access, nowait: bool) -> Result<OwnedFd> {
    if !is_fifo(&stat(path)?) {
        return Err(Errno::EINVAL);
    }
    let mut flags = OFlag::O_CLOEXEC;
    flags |= match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_WRONLY,
        Access::ReadWrite | Access::Neither => OFlag::O_RDWR,
    };
    flags.set(OFlag::O_NONBLOCK, nowait);
    let fd = open_file(path, flags, Mode::empty())?;
    // Another file may have taken its place meanwhile.
    if !is_fifo(&fstat(&fd)?) {
        return Err(Errno::EINVAL);
    }
    if nowait {
        fcntl(&fd, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK))?;
    }
    Ok(fd)
}

/// unlink(2): removes the path of a FIFO. `EINVAL` where it is none; `ENOENT`, `EACCES`, `EPERM`.
pub fn remove(path: &Path) -> Result<()> {
    if !is_fifo(&lstat(path)?) {
        return Err(Errno::EINVAL);
    }
    nix::unistd::unlink(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    #[test]
    fn the_shell_writes_and_we_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        make(&path, 0o622).unwrap();
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o622
        );
        assert_eq!(make(&path, 0o600), Err(Errno::EEXIST));
        assert_eq!(open(&path, Access::Write, true).unwrap_err(), Errno::ENXIO);
        let mut child = Command::new("sh")
            .args(["-c", "echo hello > \"$0\""])
            .arg(&path)
            .spawn()
            .unwrap();
        let fd = open(&path, Access::Read, false).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(super::super::pipe::read(&fd, &mut buffer, false), Ok(6));
        assert_eq!(&buffer[..6], b"hello\n");
        assert!(child.wait().unwrap().success());
        assert_eq!(super::super::pipe::read(&fd, &mut buffer, false), Ok(0));
        let both = open(&path, Access::ReadWrite, false).unwrap();
        assert_eq!(
            super::super::pipe::read(&both, &mut buffer, true),
            Err(Errno::EAGAIN)
        );
        std::fs::write(dir.path().join("plain"), "").unwrap();
        assert_eq!(remove(&dir.path().join("plain")), Err(Errno::EINVAL));
        assert_eq!(
            open(dir.path(), Access::Read, false).unwrap_err(),
            Errno::EINVAL
        );
        remove(&path).unwrap();
        assert_eq!(remove(&path), Err(Errno::ENOENT));
    }
}
