//! Read-only observation of the host through /proc.
//!
//! Nothing here prints, blocks, or changes what it looks at. Processes vanish at any
//! moment and other users' files may not be read: both are answers here, never panics.

pub mod decode;
pub mod limits;
pub mod pipes;
pub mod process;
pub mod syscall;
pub mod sysv;
pub mod wait;
pub mod words;

#[cfg(test)]
mod witness;
