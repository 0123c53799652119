//! Waiting for descriptors, and the clock to do it by: ppoll(2), clock_gettime(2).

use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

use super::Result;

pub use nix::poll::{PollFd, PollFlags};

/// ppoll(2): waits until a descriptor is ready, at most for `timeout` (`None`: for ever; zero: not at
/// all), and gives how many are. `EINTR` after a signal.
pub fn poll(fds: &mut [PollFd], timeout: Option<Duration>) -> Result<usize> {
    let ready = nix::poll::ppoll(fds, timeout.map(TimeSpec::from_duration), None)?;
    Ok(ready.unsigned_abs() as usize)
}

/// `CLOCK_MONOTONIC`: time since boot without suspension, the same in every process.
pub fn now() -> Result<Duration> {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from)
}
