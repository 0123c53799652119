//! The prompt, on a real pseudo-terminal.

mod harness;
mod terminal;

use std::os::unix::fs::PermissionsExt;

use harness::run;
use ipcsh::inspect::wait::{Wait, decode, observe};
use ipcsh::kernel::process::{Ended, kill};
use terminal::*;

/// Ends the wait of somebody else's step, from another process.
fn wake(id: &str) {
    let ran = run(&["-c", &format!("sem v id:{id}")], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

/// A session with a semaphore `lock` of 0; its id.
fn with_lock() -> (Terminal, String) {
    let mut t = Terminal::start(&[]);
    t.run("sem create lock 0", "=> ok");
    let id = t.last_id();
    (t, id)
}

#[test]
fn leaving_says_what_is_removed_and_restores_the_terminal() {
    for leave in [CTRL_D, "quit\r"] {
        let mut t = Terminal::start(&[]);
        t.until_text("type help, or just try: msgq send 1 \"hi\"");
        t.run("msgq create jobs", "=> ok");
        let id = t.last_id();
        assert!(queue_exists(&id));
        t.run("sem create lock", "=> ok");
        t.type_(leave);
        assert_eq!(t.ended(), Ended::Exited(0));
        assert!(
            t.last()
                .ends_with("removed 1 message queue, 1 semaphore set"),
            "{}",
            t.last()
        );
        assert!(t.is_restored());
        assert!(!queue_exists(&id));
    }
}

#[test]
fn a_notice_appears_above_a_half_typed_line_and_changes_its_prompt() {
    let (mut t, id) = with_lock();
    t.run("b: sem p lock", "blocked: lock is 0");
    t.until_text("ipcsh [2 actors, 1 blocked]>");
    t.type_("echo half");
    t.until("the half-typed line", |t| {
        t.last().contains("1 blocked]> echo half")
    });
    wake(&id);
    t.until("the notice, and the line as it was", |t| {
        let lines = t.lines();
        let [.., notice, line] = lines.as_slice() else {
            return false;
        };
        notice.starts_with("b: ... => ok   after")
            && line.starts_with("ipcsh [2 actors, 0 blocked]> echo half")
    });
    t.type_("-typed\r");
    t.until("what was typed, run", |t| {
        t.lines().iter().any(|l| l == "half-typed")
    });
}

#[test]
fn ctrl_c_drops_a_line_cancels_the_step_in_the_foreground_or_says_how_to_leave() {
    let (mut t, _) = with_lock();
    t.type_("half a line");
    t.until_text("half a line");
    t.type_(CTRL_C);
    t.until_prompt();
    t.type_(CTRL_C);
    t.until("a way out", |t| {
        t.lines().iter().any(|l| l == "Ctrl-D leaves")
    });
    t.until_prompt();
    t.run("b: sem p lock ...", "blocked");
    t.run("sem p lock", "me: sem p lock ...   blocked");
    t.until_text("[2 actors, 2 blocked]");
    t.type_(CTRL_C);
    t.until("only `me` is cancelled", |t| {
        let lines = t.lines();
        lines.iter().any(|l| l == "cancel me")
            && lines.iter().any(|l| l.starts_with("me: ... => EINTR"))
            && t.last() == "ipcsh [2 actors, 1 blocked]>"
    });
    // What was done can be saved and run again.
    let saved = t
        .home
        .path()
        .join("saved.ipc")
        .to_string_lossy()
        .into_owned();
    t.run(&format!("save {saved}"), "saved");
    let ran = run(&[&saved], b"");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn how_a_step_ended_may_be_said_though_the_notice_has_told_it() {
    let (mut t, _) = with_lock();
    t.run("b: sem p lock ...", "blocked: lock is 0");
    t.run("sem v lock", "b: ... => ok");
    t.run("b: ... => EIDRM", "claimed");
    // Once, and not after its next step.
    t.run("b: ... => ok", "`b` has no pending step");
    t.run("b: sem p lock ...", "blocked: lock is 0");
    t.run("sem v lock", "b: ... => ok");
    t.run("b: ... => ok", "=> ok");
    t.run("b: sem p lock ...", "blocked: lock is 0");
    t.run("sem v lock", "b: ... => ok");
    t.run("b: sem get lock", "=> 0");
    t.run("b: ...", "`b` has no pending step");
    t.run("c: sem p lock 100 ...", "blocked");
    t.run("kill -9 c", "c: ... => died");
    t.run("c: ... => died", "=> died");
    // A claim that did not hold is saved as it ended.
    t.run("d: sem p lock 100 ... => EIDRM", "blocked");
    t.run("sem v lock 100", "failed, claimed: EIDRM");
    // In what is saved it stands once, and saving does not.
    let saved = t.home.path().join("saved.ipc");
    t.run(&format!("save {}", saved.display()), "saved");
    t.run(&format!("save --force {}", saved.display()), "saved");
    let text = std::fs::read_to_string(&saved).unwrap();
    assert!(!text.contains("save "), "{text}");
    assert_eq!(text.matches("b: ... => ok").count(), 3, "{text}");
    let ran = run(&[&saved.to_string_lossy()], b"");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn commands_of_the_host_are_saved_with_how_they_ended() {
    let mut t = Terminal::start(&[]);
    t.run("!exit 3", "exit=3");
    t.run("let v = !echo 5; exit 4", "exit=4");
    t.run("!sleep 1000 &", "ipcsh");
    t.run("require !true", "ipcsh");
    let saved = t.home.path().join("saved.ipc");
    t.run(&format!("save {}", saved.display()), "saved");
    let text = std::fs::read_to_string(&saved).unwrap();
    for line in [
        "!exit 3 => exit=3",
        "let v = !echo 5; exit 4 => exit=4",
        "!sleep 1000 &",
        "require !true",
    ] {
        assert!(text.lines().any(|l| l == line), "{text}");
    }
    let ran = run(&[&saved.to_string_lossy()], b"");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

/// What this host has is not to be found where the saved session is run.
#[test]
fn what_doctor_has_found_is_not_claimed_by_what_is_saved() {
    let mut t = Terminal::start(&[]);
    t.run(
        "msgq create q; msgq set q qbytes=1; msgq send 1 \"x\"",
        "=> ok",
    );
    t.run("doctor", "finding");
    let saved = t.home.path().join("saved.ipc");
    t.run(&format!("save {}", saved.display()), "saved");
    let text = std::fs::read_to_string(&saved).unwrap();
    assert!(text.lines().any(|line| line == "# doctor"), "{text}");
}

#[test]
fn a_step_with_an_ampersand_is_saved_as_it_was_seen_before_the_next_line() {
    let mut t = Terminal::start(&[]);
    t.run("sem create lock 0", "=> ok");
    t.run("b: sem p lock &", "started b (pid ");
    let shown = t.screen().contents();
    let digits = shown.split("started b (pid ").nth(1).unwrap();
    let pid: i32 = digits.split(')').next().unwrap().parse().unwrap();
    t.until_gone("a wait at the semaphore", || {
        let seen = observe(pid, pid).unwrap();
        let wait = seen.call().map(|call| decode(pid, call));
        matches!(wait, Some(Wait::SemOp { .. }))
    });
    t.run("sem v lock", "b: ... => ok");
    // Nobody saw this one.
    t.run("c: sem p lock &; sem v lock", "c: ... => ok");
    t.run("d: sem p lock &; echo one", "one");
    let saved = t.home.path().join("saved.ipc");
    t.run(&format!("save {}", saved.display()), "saved");
    let text = std::fs::read_to_string(&saved).unwrap();
    for line in [
        "b: sem p lock ...",
        "b: ... => ok",
        "c: sem p lock &",
        "c: ... => ok",
        "d: sem p lock &",
        "cancel d",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    let ran = run(&[&saved.to_string_lossy()], b"");
    assert_eq!(ran.code, Some(0), "{text}{}{}", ran.out, ran.err);
}

#[test]
fn only_a_regular_file_is_saved_into() {
    let mut t = Terminal::start(&[]);
    let fifo = t.home.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let fifo = fifo.display().to_string();
    t.run(&format!("save --force {fifo}"), "it is a FIFO");
    t.run("save /", "it is a directory");
    t.run("save /dev/null", "it is a device");
    let file = t.home.path().join("new.ipc").display().to_string();
    t.run(&format!("save {file}"), "saved");
    t.run(&format!("save {file}"), "Replace it with --force");
    t.run(&format!("save {file} --force"), "saved");
}

#[test]
fn what_is_saved_runs_every_step_once_and_nothing_that_was_interrupted() {
    let mut t = Terminal::start(&[]);
    let sourced = t.home.path().join("x.ipc");
    std::fs::write(&sourced, "sem create lock 0\n").unwrap();
    t.run(&format!("source {}", sourced.display()), "=> ok");
    t.line("repeat 1000000000 {");
    t.line("sem v");
    t.line("sem p");
    t.line("}");
    t.until("the loop, begun", |t| t.is_restored() && t.last() == "}");
    t.type_(CTRL_C);
    t.until_text("EINTR");
    t.until_prompt();
    // What was given up, and what did not block, was begun by an actor that is there.
    t.run("b@1ms: sem p lock 100", "after 1 ms");
    t.run("c: sem v lock ...", "it did not block");
    t.run("expect actor.b.state == idle", "ipcsh");
    t.run("expect actor.c.state == idle", "ipcsh");
    t.run(
        "sem create last 7; sem p nosuch; echo never",
        "not run: echo never",
    );
    let saved = t.home.path().join("saved.ipc");
    t.run(&format!("save {}", saved.display()), "saved");
    let text = std::fs::read_to_string(&saved).unwrap();
    for line in [
        "b: repeat 0 { sem p lock 100 }",
        "c: sem v lock => ok",
        &format!("# source {}", sourced.display()),
        "repeat 0 { repeat 1000000000 {",
        "sem v",
        "} }",
    ] {
        assert!(text.lines().any(|l| l == line), "{text}");
    }
    let ran = run(&[&saved.to_string_lossy()], b"");
    assert_eq!(ran.code, Some(0), "{text}{}{}", ran.out, ran.err);
}

#[test]
fn ctrl_c_interrupts_what_runs() {
    let mut t = Terminal::start(&[]);
    // As soon as the line is left: it may come before the first step.
    t.line("sleep 10m");
    t.until("the line, left", |t| {
        t.is_restored() && t.last().ends_with("sleep 10m")
    });
    t.type_(CTRL_C);
    t.until_text("interrupted");
    t.until_prompt();
    // A command of the host gets it from the terminal once it is there. One that comes
    // while sh(1) is about to fork reaches the shell alone, which waits for its child.
    t.line("!sh -c 'echo going; exec sleep 600'");
    t.until("the command", |t| t.last() == "going");
    t.type_(CTRL_C);
    t.until_text("signal=INT");
    t.until_prompt();
    t.run("echo still here", "still here");
}

#[test]
fn completion_lists_what_may_come_with_its_meaning() {
    let mut t = Terminal::start(&[]);
    t.run("msgq create jobs", "=> ok");
    t.type_("msgq rec\t");
    t.until_text("> msgq recv ");
    t.type_("jo\t");
    t.until_text("> msgq recv jobs ");
    t.type_("--no\t\t");
    t.until_text("--nowait   fail with ENOMSG where it would block (IPC_NOWAIT)");
    t.until_text("--noerror  cut a message");
    t.type_("w\t");
    t.until_text("> msgq recv jobs --nowait ");
    t.type_("=> ENOMS\t");
    t.until_text("--nowait => ENOMSG");
    t.type_(CTRL_U);
    t.until_prompt();
    t.type_("expect msgq.jobs.qn\t");
    t.until_text("> expect msgq.jobs.qnum ");
}

#[test]
fn a_hint_shrinks_and_is_never_typed() {
    let mut t = Terminal::start(&[]);
    t.type_("msgq send ");
    t.until_text("msgq send [QUEUE] TYPE DATA [--nowait]");
    t.type_("1 ");
    t.until_text("msgq send 1 DATA [--nowait]");
    // Right-arrow at the end would insert a hint that is a continuation.
    t.type_("\x1b[C\"x\"\r");
    t.until_text("created message queue q1");
}

#[test]
fn ctrl_c_takes_the_hint_away_and_leaves_what_was_typed() {
    for colours in ["auto", "always"] {
        let mut t = Terminal::start(&["--color", colours]);
        for typed in ["msgq send ", "msgq send jobs", "repeat 2 {\rmsgq send "] {
            t.type_(typed);
            t.until_text("DATA [--nowait]");
            t.type_(CTRL_C);
            t.until_prompt();
            let shown = t.screen().contents();
            let line = typed.split('\r').next_back().unwrap().trim_end();
            assert!(t.lines().iter().any(|l| l.ends_with(line)), "{shown}");
            assert!(!shown.contains("DATA"), "{shown}");
        }
        // With the cursor in the line nothing of that is lost.
        t.type_("sem get nosuch\x02\x02\x02");
        t.until_text("sem get nosuch");
        t.type_(CTRL_C);
        t.until_prompt();
        assert!(t.screen().contents().contains("sem get nosuch"));
    }
}

#[test]
fn a_notice_waits_while_a_search_or_a_list_is_shown() {
    let (mut t, id) = with_lock();
    for (open, shown) in [
        (CTRL_R, "(reverse-i-search)"),
        ("msgq recv => E\t\t", "Display all"),
    ] {
        t.run("b: sem p lock ...", "blocked");
        t.type_(open);
        t.until_text(shown);
        wake(&id);
        // The shell has taken note of it; nothing is drawn into the list.
        t.type_(match open {
            CTRL_R => CTRL_G,
            _ => "n",
        });
        t.until_text("b: ... => ok");
        t.type_(CTRL_U);
        t.until_prompt();
        t.type_("\x0c");
        t.until("a clear screen", |t| t.lines().len() == 1);
    }
}

#[test]
fn pasted_lines_are_one_program() {
    let mut t = Terminal::start(&[]);
    t.type_("\x1b[200~let a = 5\necho is $a\x1b[201~");
    t.until_text("echo is $a");
    assert!(
        !t.lines().iter().any(|l| l == "is 5"),
        "not run before Enter"
    );
    t.type_("\r");
    t.until("what it prints", |t| t.lines().iter().any(|l| l == "is 5"));
}

#[test]
fn what_is_typed_ahead_is_run_in_order() {
    let mut t = Terminal::start(&[]);
    t.type_("echo one\recho two\rsleep 50ms\recho three\r");
    t.until("all of it", |t| {
        let lines = t.lines();
        let at = |text: &str| lines.iter().position(|l| l == text);
        matches!((at("one"), at("two"), at("three")), (Some(a), Some(b), Some(c)) if a < b && b < c)
    });
}

#[test]
fn a_block_is_read_to_its_end_and_two_blank_lines_give_up() {
    let mut t = Terminal::start(&[]);
    t.line("repeat 2 {");
    t.line("echo again");
    assert!(!t.lines().iter().any(|l| l == "again"));
    t.line("}");
    t.until("the block, run", |t| {
        t.lines().windows(2).any(|w| w == ["again", "again"])
    });
    t.until_prompt();
    t.type_("repeat 2 {\r\r\r");
    t.until_text("this block is never closed");
    t.until_prompt();
}

#[test]
fn a_backslash_continues_any_line_until_a_blank_one() {
    let mut t = Terminal::start(&[]);
    for (first, second, shown) in [
        ("!echo one \\", "two; true", "one two"),
        ("echo three \\", "four", "three four"),
        ("echo five \\", "", "five"),
        ("!echo six \\", "", "six"),
        ("!echo 'seven\\\\'", "echo eight", "eight"),
    ] {
        t.line(first);
        t.line(second);
        t.until(shown, |t| t.lines().iter().any(|l| l == shown));
        t.until_prompt();
    }
}

#[test]
fn nothing_of_ours_is_offered_in_a_command_of_the_host() {
    let mut t = Terminal::start(&[]);
    t.type_("!true; mkf\t");
    t.type_(format!("x{CTRL_U}"));
    t.until_prompt();
    let raw = String::from_utf8_lossy(&t.raw);
    assert!(!raw.contains("mkfifo") && !raw.contains("PATH"), "{raw}");
}

#[test]
fn a_mistake_has_its_caret_and_runs_nothing() {
    let mut t = Terminal::start(&[]);
    t.line("echo first; msgq sned 1");
    t.until_text("^^^^");
    t.until_text("did you mean `send`?");
    t.until_prompt();
    assert!(!t.lines().iter().any(|l| l == "first"));
}

#[test]
fn a_signal_from_outside_restores_the_terminal_and_removes_everything() {
    for signo in [libc::SIGTERM, libc::SIGHUP] {
        for busy in ["half a line", "sleep 10m\r", "!sleep 600\r"] {
            let mut t = Terminal::start(&[]);
            t.run("msgq create jobs", "=> ok");
            let id = t.last_id();
            t.type_(busy);
            t.until("what is typed", |t| {
                t.last().contains(busy.trim_end()) && busy.ends_with('\r') == t.is_restored()
            });
            kill(t.pid(), signo).unwrap();
            assert_eq!(t.ended(), Ended::Signaled(signo), "{busy}");
            assert!(t.is_restored(), "{busy}");
            t.until_text("removed 1 message queue");
            assert!(!queue_exists(&id));
        }
    }
}

#[test]
fn the_history_is_kept_for_the_owner_alone() {
    let mut t = Terminal::start(&[]);
    t.until_text("Tab completes");
    for line in ["echo one", "echo one", " echo secret", "echo two"] {
        t.run(line, line.rsplit(' ').next().unwrap());
    }
    // Written at once: a session may end at any moment.
    let state = t.home.path().join("state/ipcsh");
    let history = std::fs::read_to_string(state.join("history")).unwrap();
    assert_eq!(history, "#V2\necho one\necho two\n");
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(state.clone()), mode(state.join("history"))),
        (0o700, 0o600)
    );
    t.type_(CTRL_D);
    assert_eq!(t.ended(), Ended::Exited(0));

    let home = std::mem::replace(&mut t.home, tempfile::tempdir().unwrap());
    let mut t = Terminal::start_in(home, &[], &[]);
    t.until_prompt();
    assert!(
        !t.screen().contents().contains("Tab completes"),
        "said once"
    );
    t.type_(UP);
    t.until("the last line", |t| {
        t.last().ends_with("> echo two [WORD …]") || t.last().ends_with("> echo two")
    });
}

#[test]
fn a_history_that_cannot_be_kept_is_a_warning() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("state"), "a file").unwrap();
    let mut t = Terminal::start_in(home, &[], &[]);
    let home = t.home.path().display().to_string();
    t.until_text(&format!("warning: the history is not kept: {home}/state"));
    t.until_prompt();
    t.run("echo goes on", "goes on");
}

#[test]
fn the_first_program_is_quiet_unless_it_fails() {
    let start = |text: &str, args: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("config/ipcsh")).unwrap();
        std::fs::write(home.path().join("config/ipcsh/init.ipc"), text).unwrap();
        let mut t = Terminal::start_in(home, args, &[]);
        t.until_prompt();
        t
    };
    let mut t = start("let v = 42\necho loud\n", &[]);
    assert!(!t.screen().contents().contains("loud"));
    t.run("echo is $v", "is 42");
    let t = start("msgq recv nobody\n", &[]);
    assert!(
        t.screen()
            .contents()
            .contains("init.ipc:1: msgq recv nobody")
    );
    let t = start("bogus\n", &[]);
    assert!(t.screen().contents().contains("unknown command `bogus`"));
    let t = start("expect $who == 5\n", &["-D", "who=5"]);
    assert!(!t.screen().contents().contains("error"));
    let t = start("bogus\n", &["--no-init"]);
    assert!(!t.screen().contents().contains("bogus"));
}

#[test]
fn colours_tell_known_words_from_unknown_ones_unless_they_are_off() {
    let colours = |env: &[(&str, &str)], args: &[&str]| {
        let mut t = Terminal::start_in(tempfile::tempdir().unwrap(), args, env);
        t.until_prompt();
        t.type_("bogus ");
        t.until_text("> bogus");
        let row = t.screen().contents().lines().count() as u16 - 1;
        t.screen().cell(row, 7).unwrap().fgcolor()
    };
    assert_ne!(colours(&[], &[]), vt100::Color::Default);
    assert_eq!(colours(&[("NO_COLOR", "1")], &[]), vt100::Color::Default);
    assert_eq!(colours(&[], &["--color", "never"]), vt100::Color::Default);
    let wanted = colours(&[("NO_COLOR", "1")], &["--color", "always"]);
    assert_ne!(wanted, vt100::Color::Default);
}

#[test]
fn a_narrower_terminal_keeps_the_line() {
    let mut t = Terminal::start(&[]);
    let text = "echo a line that is wider than the terminal is going to be soon, by far";
    t.type_(text);
    t.until_text("by far");
    t.resize(50);
    t.type_(" enough");
    t.until_text("enough");
    t.resize(100);
    t.type_("\r");
    t.until("the whole line", |t| {
        let whole = format!("{} enough", &text[5..]);
        t.lines().contains(&whole)
    });
}

#[test]
fn ctrl_z_where_nobody_could_continue_it_leaves_the_line() {
    let mut t = Terminal::start(&[]);
    t.type_("echo be");
    t.until_text("echo be");
    t.type_("\x1a");
    t.type_("fore\r");
    t.until("the whole line, run", |t| {
        t.lines().iter().any(|l| l == "before")
    });
}

#[test]
fn every_topic_of_help_is_answered() {
    let mut t = Terminal::start(&[]);
    t.run("help NOTHING", "`help` alone lists all there is");
    t.run("help ENOMSG", "msgq recv  no message matches");
    t.run("help resize", "make a POSIX segment larger or smaller");
    t.run("help mgsq", "did you mean `msgq`?");
    // Below what it is about, and no word is cut.
    t.resize(40);
    t.run("help notify", "    be told by a signal when a message");
    t.until_text("        comes into an empty POSIX queue");
    t.run("msgq send id:2147483647 1 \"\"", "    with id 2147483647");
}

#[test]
fn a_blocked_me_names_the_ways_on() {
    let (mut t, _) = with_lock();
    t.run("sem p lock", "blocked");
    t.run(
        "sem v lock",
        "`cancel me` or Ctrl-C ends it; or use another actor (`b: STEP`)",
    );
    t.run("b: sem v lock", "me: ... => ok");
}

#[test]
fn a_very_long_line_is_run_whole() {
    let mut t = Terminal::start(&[]);
    let text = "x".repeat(3000);
    t.type_(format!("let v = \"{text}\"\r"));
    t.run("echo is $((1 + 1)) long", "is 2 long");
    t.run("!echo ${#v} letters", "3000 letters");
}

#[test]
fn json_at_the_prompt_is_json() {
    let mut t = Terminal::start(&["--json"]);
    t.run("msgq create jobs", "\"outcome\":\"ok\"");
    t.run("bogus", "\"kind\":\"mistake\"");
    t.type_(CTRL_D);
    assert_eq!(t.ended(), Ended::Exited(0));
    assert!(
        t.screen()
            .contents()
            .contains("{\"kind\":\"note\",\"text\":\"removed 1 message queue\"}")
    );
}

#[test]
fn a_dumb_terminal_gets_no_escapes_and_the_same_session() {
    let dumb = [("TERM", "dumb")];
    let mut t = Terminal::start_in(tempfile::tempdir().unwrap(), &[], &dumb);
    t.until_prompt();
    for (n, line) in [(1, "repeat 2 {"), (2, "echo again")] {
        t.line(line);
        t.until("to be read on", |t| {
            let asked = t.lines().iter().filter(|l| l.starts_with("...")).count();
            asked == n && t.last() == "..."
        });
    }
    t.line("}");
    t.until("the block, run", |t| {
        t.lines().windows(2).any(|w| w == ["again", "again"])
    });
    t.until_prompt();
    t.run("sem create lock 0", "=> ok");
    let id = t.last_id();
    t.run("b: sem p lock ...", "blocked");
    wake(&id);
    t.until("a notice, and the prompt again", |t| {
        t.screen().contents().contains("b: ... => ok") && t.last() == "ipcsh [2 actors, 0 blocked]>"
    });
    t.run("sem p lock", "blocked");
    t.type_(CTRL_C);
    t.until_text("me: ... => EINTR");
    t.until_prompt();
    kill(t.pid(), libc::SIGTERM).unwrap();
    assert_eq!(t.ended(), Ended::Signaled(libc::SIGTERM));
    assert_eq!(t.last(), "removed 1 semaphore set");
    assert!(!t.raw.contains(&0x1b), "an escape");
}

#[test]
fn what_is_only_checked_is_not_run_at_a_terminal_either() {
    let mut t = Terminal::start_in(tempfile::tempdir().unwrap(), &["--check"], &[]);
    t.type_(format!("echo one\rbogus\r{CTRL_D}"));
    assert_eq!(t.ended(), Ended::Exited(2));
    let shown = t.screen().contents();
    assert!(
        shown.contains("unknown command `bogus`") && !shown.contains("ipcsh>"),
        "{shown}"
    );
}

#[test]
fn a_terminal_that_nobody_names_is_a_dumb_one() {
    let mut t = Terminal::start_in(tempfile::tempdir().unwrap(), &[], &[("TERM", "")]);
    t.until_prompt();
    t.run("bogus", "unknown command");
    assert!(!t.raw.contains(&b'\x1b'), "{}", t.screen().contents());
}

#[test]
fn a_standard_output_that_is_no_terminal_gets_no_escapes() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("out");
    let out = std::fs::File::create(&path).unwrap();
    let mut t = Terminal::start_into(home, &[], &[], Some(out));
    // A script from standard input, then: as a whole, and without a prompt.
    t.type_("msgq send 1 \"hi\"\r");
    t.type_("msgq recv\r");
    t.type_(CTRL_D);
    assert_eq!(t.ended(), Ended::Exited(0));
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("msgq recv => type=1 \"hi\""), "{written}");
    assert!(!written.contains("ipcsh>"));
    assert!(!written.contains('\x1b') && !t.raw.contains(&0x1b));
}

#[test]
fn a_cycle_of_waits_is_told_once() {
    let mut t = Terminal::start(&[]);
    t.run("sem create x 1; sem create y 1", "=> ok");
    t.run("a: sem p x; b: sem p y", "=> ok");
    t.run("a: sem p y", "blocked");
    t.run(
        "b: sem p x",
        "deadlock: b waits for x, which a holds; a waits for y, which b holds",
    );
    t.run("echo one", "one");
    t.run("c: sem get x", "=> 0");
    let shown = t.screen().contents();
    assert_eq!(shown.matches("deadlock:").count(), 1, "{shown}");
    // The way out that it names.
    assert!(shown.contains("`cancel b` breaks it"), "{shown}");
    // Who only waits for one of them is not the one to cancel.
    t.run("c: sem p y", "c waits for y, which b holds; deadlock:");
    t.until_text("`cancel b` breaks it");
    t.run("cancel c", "c: ... => EINTR");
    t.run("cancel b", "b: ... => EINTR");
    t.run("b: sem v y", "a: ... => ok");
}

#[test]
fn there_is_a_way_out_of_a_stopped_actor() {
    let mut t = Terminal::start(&[]);
    t.run("sem create lock 1", "=> ok");
    t.run("b: sem get lock", "=> 1");
    let shown = t.screen().contents();
    let digits = shown.split("started b (pid ").nth(1).unwrap();
    let pid: i32 = digits.split(')').next().unwrap().parse().unwrap();
    kill(pid, libc::SIGSTOP).unwrap();
    let said = format!("b is stopped (SIGSTOP); !kill -CONT {pid} lets it go on");
    t.run("b: sem get lock", &said);
    kill(pid, libc::SIGCONT).unwrap();
    t.until_text("b: ... => 1");
    t.until_prompt();
    kill(pid, libc::SIGSTOP).unwrap();
    t.run("b: sem p lock", &said);
    // Nobody waits for it: it is not killed for a Ctrl-C.
    t.type_(CTRL_C);
    t.until_text("end it with `stop b`");
    t.until_prompt();
    t.run("stop b", "ipcsh");
    t.run("b: sem set lock 0", "started b");
    t.run("!kill -STOP ${b.pid}", "ipcsh");
    t.run(
        "b@1ms: sem p lock",
        "did not end its step within 2.0 s of being interrupted, and was killed",
    );
    t.run("b: sem get lock", "=> 1");
}

/// The janitor of a shell: it reads the pipe of which the shell holds the other end.
fn janitor_of(shell: i32) -> Option<i32> {
    let pipes = |pid: &str| -> Vec<String> {
        let fds = std::fs::read_dir(format!("/proc/{pid}/fd"));
        let fds = fds.into_iter().flatten().flatten();
        fds.filter_map(|fd| std::fs::read_link(fd.path()).ok())
            .map(|path| path.to_string_lossy().into_owned())
            .filter(|path| path.starts_with("pipe:"))
            .collect()
    };
    let ours = pipes(&shell.to_string());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .map(|p| p.file_name().to_string_lossy().into_owned())
        .filter(|pid| {
            let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
            comm.is_ok_and(|comm| comm == "ipc-janitor\n")
        })
        .find(|pid| pipes(pid).iter().any(|pipe| ours.contains(pipe)))
        .and_then(|pid| pid.parse().ok())
}

#[test]
fn a_janitor_that_is_killed_is_replaced_for_the_actors_that_run() {
    let mut t = Terminal::start(&[]);
    t.run("msgq create one", "=> ok");
    let one = t.last_id();
    let first = janitor_of(t.pid()).unwrap();
    kill(first, libc::SIGKILL).unwrap();
    t.run("msgq create two", "=> ok");
    let two = t.last_id();
    t.until("another janitor", |t| {
        janitor_of(t.pid()).is_some_and(|second| second != first)
    });
    // While the actor runs it must not go to work.
    t.run("msgq send one 1 \"x\"", "=> ok");
    assert!(queue_exists(&one) && queue_exists(&two));
    kill(t.pid(), libc::SIGKILL).unwrap();
    assert_eq!(t.ended(), Ended::Signaled(libc::SIGKILL));
    t.until_gone("the queues, removed", || {
        !queue_exists(&one) && !queue_exists(&two)
    });
}

#[test]
fn a_byte_that_is_no_text_is_left_out_and_the_line_stays() {
    let mut t = Terminal::start(&[]);
    t.until_prompt();
    t.type_("echo left right");
    t.until("the line", |t| t.last().contains("echo left right"));
    // Back to the start of `right`.
    t.type_("\x1bb");
    t.type_(b"\xff");
    t.until_text("what is not UTF-8 was left out");
    t.until("the line again", |t| t.last().contains("echo left right"));
    t.type_("and \r");
    t.until_text("\nleft and right");
}

/// How much is drawn while a long word comes letter by letter, as from a terminal that does
/// not mark what is pasted.
fn drawn(length: usize) -> usize {
    let mut t = Terminal::start(&[]);
    t.resize_to(60, 80);
    t.until_prompt();
    let before = t.raw.len();
    t.type_("echo \"");
    for at in (0..length).step_by(100) {
        let part = format!("{}{at:05}", "x".repeat(95));
        t.type_(&part);
        t.until("what was typed", |t| {
            t.screen().contents().replace('\n', "").contains(&part)
        });
    }
    t.raw.len() - before
}

#[test]
fn a_long_line_costs_what_is_added_to_it() {
    let (short, long) = (drawn(1_000), drawn(3_000));
    assert!(long < 5 * short, "{short} bytes, {long} bytes");
}

#[test]
fn an_actor_that_took_no_end_of_a_pipe_is_ended_and_replaced() {
    let mut t = Terminal::start(&[]);
    t.run("spawn a b", "started b");
    t.line("kill -STOP a; timeout step 200ms");
    t.run("pipe a | b", "still stopped");
    // This waited for ever, and Ctrl-C did not help.
    t.run("a: sem create x", "=> ok");
}

#[test]
fn a_step_with_a_deadline_is_waited_for_until_then() {
    let (mut t, _) = with_lock();
    t.run("b@1s: sem p lock", "still blocked after 1.0 s");
    t.run("b: sem get lock", "=> 0");
}
