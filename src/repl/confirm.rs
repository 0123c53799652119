//! A question with a default of no, answered with one key.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use crate::exec::Engine;
use crate::kernel::terminal::RawInput;
use crate::view::printable;

/// Signals and keys end the wait: this is only how often it is begun again.
const AGAIN: Duration = Duration::from_secs(60);

/// Asks on standard error, where the answer to nothing else is expected.
pub(super) fn ask(engine: &mut Engine, question: &str) -> bool {
    let mut out = io::stderr();
    let _ = write!(out, "{} [y/N] ", printable(question));
    let _ = out.flush();
    let yes = answer(engine).unwrap_or(false);
    let _ = writeln!(out, "{}", if yes { "y" } else { "n" });
    yes
}

/// `None` where a signal came, or the terminal is gone.
fn answer(engine: &mut Engine) -> Option<bool> {
    // Ctrl-C is a key, and not `y`.
    let keys = RawInput::new(false).ok()?;
    while !engine.is_interrupted() {
        if engine.wait_for_input(keys.as_fd(), AGAIN).ok()? {
            return Some(matches!(keys.take_key().ok()?, Some(b'y' | b'Y')));
        }
    }
    None
}
