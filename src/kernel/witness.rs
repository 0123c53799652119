//! Witnesses for the tests, other than the wrappers under test.
#![allow(unsafe_code)]

use std::ffi::CStr;

/// The C library's ftok(3).
pub fn libc_ftok(path: &CStr, proj: u8) -> i32 {
    // SAFETY: reads a C string.
    unsafe { libc::ftok(path.as_ptr(), proj.into()) }
}
