//! What a process was started with, before Rust's runtime put `/dev/null` where it missed something.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

static NO_OUTPUT: AtomicBool = AtomicBool::new(false);

/// Run by the C library before the runtime, as every function in this section.
// SAFETY: the section holds pointers to functions of this signature, which may ignore their arguments.
#[unsafe(link_section = ".init_array")]
#[used]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: takes integers and changes nothing.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    NO_OUTPUT.store(flags < 0, Ordering::Relaxed);
}

/// Whether this process was started with its standard output closed (`>&-`): what is written there is
/// lost, and writing does not fail.
pub fn output_was_closed() -> bool {
    NO_OUTPUT.load(Ordering::Relaxed)
}
