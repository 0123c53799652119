//! `watch`, on a real pseudo-terminal.

mod harness;
mod terminal;

use ipcsh::kernel::process::{Ended, kill};
use terminal::*;

/// An interval that no test waits for.
const NEVER: &str = "every 10h";

#[test]
fn any_key_ends_a_watch_at_once_and_what_is_typed_behind_it_stays() {
    let mut t = Terminal::start(&[]);
    for (key, typed) in [
        ("q", ""),
        (CTRL_C, ""),
        ("\x1b[A", "echo one"),
        ("é", "echo two"),
    ] {
        t.line(&format!("watch ipcs -l {NEVER}"));
        t.until_text("any other key ends it");
        t.type_(format!("{key}{typed}"));
        t.until("the prompt, and what was typed", |t| {
            let last = t.last();
            let shown = last.strip_suffix("[WORD …]").unwrap_or(&last).trim_end();
            shown == format!("ipcsh> {typed}").trim_end()
        });
        t.type_(CTRL_U);
        t.until_prompt();
    }
}

#[test]
fn a_signal_from_outside_ends_a_watch() {
    for (signo, ended) in [(libc::SIGINT, None), (libc::SIGTERM, Some(libc::SIGTERM))] {
        let mut t = Terminal::start(&[]);
        t.line(&format!("watch ipcs -l {NEVER}"));
        t.until_text("any other key ends it");
        kill(t.pid(), signo).unwrap();
        match ended {
            None => t.until_prompt(),
            Some(signo) => assert_eq!(t.ended(), Ended::Signaled(signo)),
        }
        assert!(!t.screen().alternate_screen() && !t.screen().hide_cursor());
    }
}

#[test]
fn a_watch_fits_the_terminal_whatever_its_size_becomes() {
    let mut t = Terminal::start(&[]);
    t.line(&format!("watch limits {NEVER}"));
    t.until("all of it", |t| t.screen().contents().contains("msgmax"));
    for (rows, columns, shown) in [
        (6, 30, "Limits   2 rows shown, "),
        (3, 12, "Limits: "),
        (100, 100, "any other key ends it"),
        (2, 16, "Limits: "),
    ] {
        t.resize_to(rows, columns);
        t.until("the heading on top, and what there is no room for", |t| {
            let text = t.screen().contents();
            let first = text.lines().next().unwrap_or("");
            let whole = text.contains("semmni") && !text.contains(" more");
            first.starts_with("watch limi") && text.contains(shown) && whole == (rows == 100)
        });
    }
}

#[test]
fn what_does_not_only_look_is_not_watched() {
    let mut t = Terminal::start(&[]);
    t.run("watch msgq recv", "`msgq recv` does not only look");
    t.until_text("^^^^^^^^^ expected msgq ls, msgq info, msgq peek, ");
}
