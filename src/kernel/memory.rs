//! The memory of another process: process_vm_readv(2).

use std::io::IoSliceMut;

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

/// Reads up to `len` bytes at `addr` of the process `pid`, without stopping or changing
/// it. Fewer come back where the mapping ends earlier. Needs ptrace access to it: EPERM
/// otherwise; EFAULT where nothing is mapped, ESRCH where it is gone.
pub fn read_process(pid: i32, addr: u64, len: usize) -> Result<Vec<u8>, Errno> {
    let base = usize::try_from(addr).map_err(|_| Errno::EFAULT)?;
    let mut bytes = vec![0; len];
    let mut local = [IoSliceMut::new(&mut bytes)];
    let got = process_vm_readv(Pid::from_raw(pid), &mut local, &[RemoteIoVec { base, len }])?;
    bytes.truncate(got);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_stands_there() {
        let here = b"a witness of its own".to_vec();
        let pid = Pid::this().as_raw();
        let addr = here.as_ptr() as u64;
        assert_eq!(read_process(pid, addr, here.len()), Ok(here));
    }

    #[test]
    fn nothing_mapped_is_an_error() {
        let pid = Pid::this().as_raw();
        assert_eq!(read_process(pid, 0, 8), Err(Errno::EFAULT));
        assert_eq!(read_process(pid, u64::MAX - 7, 8), Err(Errno::EFAULT));
        assert_eq!(read_process(pid, 0, 0), Ok(vec![]));
        assert_eq!(read_process(i32::MAX, 4096, 8), Err(Errno::ESRCH));
    }
}
