//! Looking at many processes on all cores: what takes the time is the kernel's, for each alone.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

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
        let running: Vec<_> = chunks.map(|pids| scope.spawn(move || part(pids))).collect();
        let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .map(|told| told.unwrap_or_else(|e| resume_unwind(e)))
            .collect()
    })
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
