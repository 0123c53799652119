//! Thin, safe wrappers over the kernel's calls: one file a mechanism and flavour.
pub mod memory;
