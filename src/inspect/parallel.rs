//! Looking at many processes on all cores: what takes the time is the kernel's, for each alone.

use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{self, Scope, ScopedJoinHandle};

/// So many are looked at in the time that it takes to start a thread.
const FEW: usize = 64;
/// More cores than this are not worth their start.
const CORES: usize = 4;

/// What `part` says of each part of the processes, in their order.
pub(super) fn in_parts<T: Send>(pids: &[i32], part: impl Fn(&[i32]) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let parts = cores.min(CORES).min(pids.len() / FEW).max(1);
    if parts == 1 {
        return vec![part(pids)];
    }
    let part = &part;
    thread::scope(|scope| {
        let chunks = pids.chunks(pids.len().div_ceil(parts));
        let running: Vec<_> = chunks
            .map(|pids| (pids, start(scope, move || part(pids))))
            .collect();
        let told = running.into_iter().map(|(pids, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|e| resume_unwind(e)),
            // The host has as many as it may: it is looked at all the same.
            Err(_) => part(pids),
        });
        told.collect()
    })
}

fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    part: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    thread::Builder::new().spawn_scoped(scope, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_and_in_order() {
        for count in [0, 1, FEW as i32, 1000] {
            let pids: Vec<i32> = (0..count).collect();
            let parts = in_parts(&pids, <[i32]>::to_vec);
            assert_eq!(parts.concat(), pids);
        }
    }
}
