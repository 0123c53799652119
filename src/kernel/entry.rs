//! Where the process begins: as the C library's `main`, without the standard library's runtime.
//!
//! That asks for the bounds of the stack, which glibc reads out of `/proc/self/maps`, and sets up a
//! second one to say that the first is full: a twentieth of the time that `ipcsh -c ipcs` takes.
//! What else it does is done here. glibc alone hands the arguments to the standard library before
//! `main`; with another C library the runtime stays.
#![allow(unsafe_code)]

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::c_int;

static NO_OUTPUT: AtomicBool = AtomicBool::new(false);

/// Makes a `fn() -> u8` what the process does, and what that gives its exit status.
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        // SAFETY: nothing else has this name, and the C library calls what has it once, so.
        #[cfg(all(target_env = "gnu", not(test)))]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main(_: i32, _: *const *const u8) -> i32 {
            $crate::kernel::entry::begin($run)
        }

        #[cfg(any(not(target_env = "gnu"), test))]
        fn main() -> std::process::ExitCode {
            $run().into()
        }
    };
}

/// Does what the runtime would before and after.
pub fn begin(run: fn() -> u8) -> c_int {
    fill_streams();
    // A write into a pipe that nobody reads fails, and is told. A command of the host that is started
    // has the default again.
    // SAFETY: takes integers; no handler is set.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // What panics has said so.
    let status = panic::catch_unwind(run).unwrap_or(101);
    // Who writes there tells its failures itself; this is what nobody flushed.
    let _ = io::stdout().flush();
    status.into()
}

/// Opens `/dev/null` where the process was started without a standard stream, or what is opened next
/// would be taken for one.
fn fill_streams() {
    let missing = |fd| {
        // SAFETY: takes integers and changes nothing.
        unsafe { libc::fcntl(fd, libc::F_GETFD) < 0 }
    };
    NO_OUTPUT.store(missing(libc::STDOUT_FILENO), Ordering::Relaxed);
    for fd in 0..3 {
        // SAFETY: the path ends in a NUL. The lowest free descriptor is taken: this one.
        if missing(fd) && unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } < 0 {
            std::process::abort();
        }
    }
}

/// Whether this process was started with its standard output closed (`>&-`): what is written there is
/// lost, and writing does not fail. Not known where the runtime was not left out.
pub fn output_was_closed() -> bool {
    NO_OUTPUT.load(Ordering::Relaxed)
}
