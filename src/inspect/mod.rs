//! Read-only observation of the host through /proc.
//!
//! Nothing here prints, blocks, or changes what it looks at, but for two times of a POSIX queue
//! that the kernel sets when its file is read (`posix::Node::ctime`). Processes vanish at any
//! moment and other users' files may not be read: both are answers here, never panics.

pub mod abandoned;
pub mod containers;
pub mod cycles;
pub mod decode;
pub mod descriptors;
pub mod files;
pub mod limits;
pub mod locks;
pub mod maps;
pub mod namespaces;
mod parallel;
pub mod pipes;
pub mod polled;
pub mod posix;
pub mod process;
pub mod snapshot;
pub mod socket_file;
pub mod syscall;
pub mod sysv;
pub mod tcp;
pub mod thing;
pub mod unix;
pub mod wait;
pub mod waking;
pub mod words;

#[cfg(test)]
mod witness;
