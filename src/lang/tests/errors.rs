//! What is not understood: the words under the caret, and what is said of them.

mod literals;
mod statements;
mod words;

use super::is_not;

/// The mistake, and the help line that goes with it.
#[track_caller]
pub(super) fn helps(marked: &str, message: &str, help: &str) {
    let e = is_not(marked, message);
    assert_eq!(e.help.as_deref().unwrap_or(""), help);
    assert!(!e.incomplete && !e.label.is_empty(), "{marked}");
}

/// The mistake, and the label under its caret.
#[track_caller]
pub(super) fn expects(marked: &str, message: &str, label: &str) {
    let e = is_not(marked, message);
    assert_eq!(e.label, label);
    assert!(!e.incomplete, "{marked}");
}
