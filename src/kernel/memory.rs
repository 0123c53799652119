//! Another process's memory: process_vm_readv(2).

use std::io::IoSliceMut;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::{Errno, Result};

/// process_vm_readv(2): `len` bytes at an address of another process, without stopping it. Needs ptrace
/// access: `EPERM`; `ESRCH`; `EFAULT` when not all of it is mapped readable, `ENOMEM`.
pub fn read_process(pid: i32, addr: u64, len: usize) -> Result<Vec<u8>> {
    let base = usize::try_from(addr).map_err(|_| Errno::EFAULT)?;
    let mut data = Vec::new();
    data.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
    data.resize(len, 0);
    let got = process_vm_readv(
        Pid::from_raw(pid),
        &mut [IoSliceMut::new(&mut data)],
        &[RemoteIoVec { base, len }],
    )?;
    if got == len {
        Ok(data)
    } else {
        Err(Errno::EFAULT)
    }
}
