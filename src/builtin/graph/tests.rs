use std::os::fd::AsFd;

use nix::sys::signal::{Signal, raise};

use super::*;
use crate::kernel::pipe;
use crate::kernel::signal::SignalFd;
use crate::lang::Env;
use crate::session::Names;

#[test]
fn a_signal_that_has_come_ends_it_and_is_left_to_the_session() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let mut sight = Sight::new(&names, &env, &actors);
    let _something_to_see = pipe::create().unwrap();
    let signals = SignalFd::new(&[Signal::SIGUSR1 as i32]).unwrap();
    sight.signals = Some(signals.as_fd());
    assert!(links(&sight, &HashMap::new()).is_ok());
    raise(Signal::SIGUSR1).unwrap();
    let failure = links(&sight, &HashMap::new()).err();
    assert_eq!(failure, Some(Failure::refused("interrupted")));
    assert_eq!(
        signals.read().unwrap().map(|signal| signal.signo),
        Some(Signal::SIGUSR1 as i32)
    );
}
