//! Witnesses for the tests, other than the wrappers under test.
#![allow(unsafe_code)]

use std::ffi::CStr;

/// The C library's ftok(3).
pub fn libc_ftok(path: &CStr, proj: u8) -> i32 {
    // SAFETY: reads a C string.
    unsafe { libc::ftok(path.as_ptr(), proj.into()) }
}

extern "C" fn nothing(_: std::ffi::c_int) {}

/// Interrupts the system call that a thread of this process is in: a signal whose handler does nothing
/// and which restarts nothing.
pub fn interrupt_thread(tid: i32) {
    let handler = nothing as extern "C" fn(std::ffi::c_int);
    // SAFETY: all zeroes is a `struct sigaction`; the handler does nothing, so it is safe at any time.
    // tgkill takes integers.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        libc::sigaction(libc::SIGWINCH, &action, std::ptr::null_mut());
        libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGWINCH);
    }
}

/// The number of this thread.
pub fn thread_id() -> i32 {
    // SAFETY: takes nothing and gives an integer.
    unsafe { libc::gettid() }
}

/// unshare(2): this thread gets an IPC namespace of its own. `EPERM` for an ordinary user.
pub fn own_ipc_namespace() -> super::Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWIPC)
}

/// unshare(2): what this thread undoes (`SEM_UNDO`) is undone at its own end, as if it were a process.
pub fn own_undo_list() -> super::Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_SYSVSEM)
}
