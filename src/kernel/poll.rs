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

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_socket_is_ready_once_its_peer_has_written() {
        let (a, b) = crate::kernel::socket::pair().unwrap();
        let mut fds = [PollFd::new(a.as_fd(), PollFlags::POLLIN)];
        let before = now().unwrap();
        assert_eq!(poll(&mut fds, Some(Duration::from_millis(5))), Ok(0));
        assert!(now().unwrap() - before >= Duration::from_millis(5));
        nix::unistd::write(&b, b"x").unwrap();
        assert_eq!(poll(&mut fds, None), Ok(1));
        assert_eq!(fds[0].revents(), Some(PollFlags::POLLIN));
    }

    #[test]
    fn the_clock_is_that_of_proc() {
        // Its first number is time since boot with suspension: never below ours, but for its rounding.
        let before = now().unwrap();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!(uptime + 0.02 >= before.as_secs_f64(), "{uptime} {before:?}");
    }
}
