//! The prompt, where something ends otherwise than it was meant to.

mod harness;
mod terminal;

use ipcsh::kernel::process::Ended;
use terminal::*;

#[test]
fn a_claim_of_a_step_whose_actor_is_killed_has_failed() {
    let mut t = Terminal::start(&[]);
    t.run("msgq create q", "=> ok");
    t.run("msgq recv q => EAGAIN", "blocked: q is empty");
    t.run("!kill -9 ${me.pid}", "claimed: EAGAIN");
    t.run("msgq send q 1 \"x\"", "started me (pid");
    t.run("msgq recv q 7 => type=1", "blocked");
    t.run("b: msgq send q 7 \"y\"", "claimed: type=1");
}

#[test]
fn an_expectation_that_is_interrupted_says_so() {
    let mut t = Terminal::start(&[]);
    t.run("msgq create q", "=> ok");
    t.line("echo $((6 * 7)); expect msgq.q.qnum == 7 within 300s");
    t.until("the line before", |t| t.lines().iter().any(|l| l == "42"));
    t.type_("\x03");
    t.until_text("it was interrupted after");
    t.until_prompt();
}

#[test]
fn a_variable_is_completed_with_what_it_holds() {
    let mut t = Terminal::start(&[]);
    t.run("spawn b1 b2", "started b2");
    t.type_("echo $b\t\t");
    t.until_text("pid ");
}

#[test]
fn at_a_terminal_a_failed_script_says_once_where_everybody_stands() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("fails.ipc");
    std::fs::write(&file, "sem create s 0\nb: sem p s ...\nmsgq recv\n").unwrap();
    let file = file.display().to_string();
    let mut t = Terminal::start_in(home, &[&file], &[]);
    assert_eq!(t.ended(), Ended::Exited(1));
    let stands = t
        .lines()
        .iter()
        .filter(|l| l.contains("blocked  semop s"))
        .count();
    assert_eq!(stands, 1, "{:#?}", t.lines());
}
