//! Keeping descriptors from children: close_range(2).
#![allow(unsafe_code)]

use super::{Errno, Result};

/// close_range(2) with `CLOSE_RANGE_CLOEXEC`: every descriptor from 3 on is closed by the next
/// execve(2) of this process or of its children. Async-signal-safe. `EINVAL`, `ENOSYS` before Linux 5.11.
pub fn close_on_exec_all() -> Result<()> {
    // SAFETY: takes integers; it closes nothing here.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    Errno::result(result).map(drop)
}
