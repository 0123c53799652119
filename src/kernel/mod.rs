//! Thin, safe wrappers over the kernel's calls: one file a mechanism and flavour.
//!
//! The law of this room: no printing, no parsing, no policy, and the only `unsafe` of the crate. A
//! wrapper is a doc comment naming the man page it rests on, a safe signature, and a few lines. What
//! the kernel refuses is an [`Errno`]; what another process decides never panics.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the System V structures and semtimedop(2) are written down for 64-bit Linux only");

mod bytes;
pub mod cloexec;
pub mod entry;
pub mod fds;
pub mod fifo;
pub mod getent;
pub mod inherit;
pub mod memory;
pub mod msg;
pub mod namespace;
pub mod netlink;
pub mod pipe;
pub mod poll;
pub mod posix;
pub mod process;
pub mod procfd;
pub mod procmap;
pub mod sem;
pub mod shared;
pub mod shm;
pub mod signal;
pub mod socket;
mod spawn;
pub mod sysv;
pub mod terminal;
pub mod users;
#[cfg(test)]
pub(crate) mod witness;

pub use nix::errno::Errno;

/// What a kernel call gives: its result, or the errno it failed with.
pub type Result<T> = std::result::Result<T, Errno>;

/// The errno behind an error of std's; `EINVAL` for one that never reached the kernel (a NUL in a
/// path or an argument).
pub fn errno_of(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw)
}
