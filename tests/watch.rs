//! `watch`, on a real pseudo-terminal.

mod harness;
mod terminal;

use std::collections::BTreeSet;

use ipcsh::kernel::msg::{self, Mailbox, Receive};
use ipcsh::kernel::process::{Ended, kill};
use nix::sched::{CloneFlags, unshare};
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
fn a_key_is_heard_where_a_look_takes_longer_than_the_interval() {
    let mut t = Terminal::start(&[]);
    t.line("watch ipcs -A every 20ms");
    t.until_text("any other key ends it");
    t.type_("q");
    t.until_prompt();
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
        // At the prompt the line editor has it.
        assert!(ended.is_none() || t.is_restored());
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

#[test]
fn what_has_no_table_is_watched_too() {
    let mut t = Terminal::start(&[]);
    t.run("msgq create q", "=> ok");
    let id = t.last_id().parse().unwrap();
    t.line("watch peek q every 20ms");
    // What the kernel refuses is what is to be seen.
    t.until_text("ENOMSG");
    send(id, b"there");
    t.until_text("type=1 \"there\"");
    take(id);
    t.until_text("ENOMSG");
    t.type_("q");
    t.until_prompt();
}

/// Gives this test, and what it starts, System V objects of its own.
fn alone() -> bool {
    let alone = unshare(CloneFlags::CLONE_NEWIPC).is_ok();
    if !alone {
        eprintln!("skipped: no IPC namespace may be made");
    }
    alone
}

/// The rows of every frame so far that have this id, in words without rules and colours.
fn rows(t: &Terminal, id: i32) -> Vec<String> {
    let raw = String::from_utf8_lossy(&t.raw);
    let mut text = String::new();
    for (n, piece) in raw.split("\x1b[").enumerate() {
        let end = piece.find(|c: char| c.is_ascii_alphabetic());
        text.push_str(if n == 0 {
            piece
        } else {
            &piece[end.map_or(0, |e| e + 1)..]
        });
    }
    let lines = text.split("\r\n").map(|line| {
        let words = line.split(['│', ' ', '\r']).filter(|w| !w.is_empty());
        words.collect::<Vec<_>>()
    });
    let id = id.to_string();
    let rows = lines.filter(|words| words.contains(&&*id));
    rows.map(|words| words.join(" ")).collect()
}

/// Waits for such a row in any frame: the screen may show one only for a moment.
#[track_caller]
fn until_row(t: &mut Terminal, id: i32, shows: &str) {
    t.until(shows, |t| rows(t, id).iter().any(|row| row.contains(shows)));
}

fn queue() -> i32 {
    msg::get(0, 0o600, true, true).unwrap()
}

fn send(id: i32, text: &[u8]) {
    Mailbox::new(8).send(id, 1, text, true).unwrap();
}

fn take(id: i32) {
    let how = Receive {
        nowait: true,
        ..Receive::default()
    };
    Mailbox::new(8).receive(id, 8, 0, how).unwrap();
}

#[test]
fn rows_come_and_change_and_go() {
    if !alone() {
        return;
    }
    let mut t = Terminal::start(&[]);
    queue();
    t.line("watch ipcs -q -o id,qnum,qbytes every 50ms");
    t.until_text("Message queues");
    let id = queue();
    until_row(&mut t, id, &format!("+ {id} 0 - 16384"));
    until_row(&mut t, id, &format!("{id} 0 0 16384"));
    send(id, b"four");
    until_row(&mut t, id, &format!("{id} 1* +"));
    until_row(&mut t, id, "sent");
    until_row(&mut t, id, &format!("{id} 1 0 16384"));
    assert!(!rows(&t, id).iter().any(|row| row.contains("received")));
    take(id);
    until_row(&mut t, id, &format!("{id} 0* -"));
    until_row(&mut t, id, "received");
    msg::remove(id).unwrap();
    until_row(&mut t, id, &format!("- {id} 0 - 16384 gone"));
    t.until("it is gone at last", |t| {
        !t.screen().contents().contains("│ gone")
    });
    t.type_("q");
    t.until_prompt();
}

#[test]
fn how_long_a_queue_is_full_is_what_was_seen() {
    if !alone() {
        return;
    }
    let mut t = Terminal::start(&[]);
    t.run("msgq create jobs", "=> ok");
    let id = t.last_id().parse().unwrap();
    t.run("msgq set jobs qbytes=2", "=> ok");
    t.run("msgq send jobs 1 \"xx\"", "=> ok");
    t.line("watch msgq every 50ms");
    // It may have been full for longer.
    until_row(&mut t, id, "full ≥1 s");
    assert!(!rows(&t, id).iter().any(|row| row.contains("full 1 s")));
    take(id);
    t.until_text("received");
    t.until("it is not full", |t| {
        !t.screen().contents().contains("full")
    });
    send(id, b"xx");
    until_row(&mut t, id, "full 1 s");
    t.type_("q");
    t.until_prompt();
}

#[test]
fn keys_sort_and_reverse() {
    if !alone() {
        return;
    }
    let mut t = Terminal::start(&[]);
    for (name, messages) in [("one", 1), ("three", 3), ("two", 2)] {
        t.run(&format!("msgq create {name}"), "=> ok");
        let send = format!("repeat {messages} {{ msgq send {name} 1 \"x\" }}");
        t.run(&send, "=> ok");
    }
    let stand = |t: &Terminal| {
        let lines = t.lines();
        let words = lines.iter().flat_map(|l| l.split(['│', ' ']));
        let names = words.filter(|w| ["one", "two", "three"].contains(w));
        names.collect::<Vec<_>>().join(" ")
    };
    t.line(&format!("watch msgq ls -o name,id,qnum {NEVER}"));
    for (keys, heading, order) in [
        ("", "every 10h\n", "one three two"),
        (">>>", "sorted by qnum ↓", "three two one"),
        ("r", "sorted by qnum ↑", "one two three"),
        ("<", "sorted by id ↓", "two three one"),
        ("<", "sorted by name ↑", "one three two"),
        ("r", "sorted by name ↓", "two three one"),
        ("<", "every 10h\n", "one three two"),
        ("r", "in reverse", "two three one"),
        ("<", "sorted by seen ↓", "one three two"),
    ] {
        t.type_(keys);
        t.until(&format!("{heading}: {order}"), |t| {
            t.screen().contents().contains(heading) && stand(t) == order
        });
    }
    t.type_("x");
    t.until_prompt();
}

#[test]
fn what_does_not_fit_is_counted() {
    if !alone() {
        return;
    }
    let mut t = Terminal::start(&[]);
    for _ in 0..100 {
        queue();
    }
    t.line(&format!("watch ipcs sort=-id {NEVER}"));
    for rows in [40, 24, 10, 7] {
        t.resize_to(rows, 100);
        t.until("as many as fit, and how many more", |t| {
            let lines = t.lines();
            let last = lines
                .last()
                .is_some_and(|l| l.contains("any other key ends it"));
            let counted = lines.iter().find_map(|l| {
                let said = l.strip_prefix("Message queues   ")?;
                let (shown, more) = said.split_once(" shown, ")?;
                let more: usize = more.strip_suffix(" more")?.parse().ok()?;
                let (shown, _rows) = shown.split_once(' ')?;
                Some((shown.parse::<usize>().ok()?, more))
            });
            let shown = lines.iter().filter(|l| l.contains("  root  ")).count();
            let all = lines.iter().any(|l| l.starts_with("Semaphore sets: none"));
            // Nothing is wasted: the keys stand on the last line but one at most.
            let full = lines.len() + 2 >= usize::from(rows);
            last && all && full && counted == Some((shown, 100 - shown))
        });
    }
    t.type_("q");
    t.until_prompt();
}

#[test]
fn a_look_that_is_not_repeated_is_sorted_too() {
    if !alone() {
        return;
    }
    let ids: BTreeSet<i32> = (0..3)
        .map(|n| {
            let id = queue();
            (0..n).for_each(|_| send(id, b"x"));
            id
        })
        .collect();
    for (sort, order) in [("-qnum", [2, 1, 0]), ("qnum", [0, 1, 2])] {
        let command = format!("watch ipcs -q sort={sort} every 2s");
        let ran = harness::run(&["--json", "-c", &command], b"");
        let field = |line: &str, name: &str| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            row[name].as_i64()
        };
        let found: Vec<i64> = ran.out.lines().filter_map(|l| field(l, "qnum")).collect();
        assert_eq!(found, order, "{}", ran.out);
        let listed = ran.out.lines().filter_map(|l| field(l, "id"));
        let listed: BTreeSet<i32> = listed.map(|id| id as i32).collect();
        assert_eq!(listed, ids);
    }
    let ran = harness::run(&["-c", "watch ipcs -q every 1s sort=qnun"], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no column `qnun`"), "{}", ran.err);
    assert!(ran.err.contains("did you mean `qnum`?"), "{}", ran.err);
    // A column that the queues have not, and others have.
    let ran = harness::run(&["-c", "watch ipcs -q every 1s sort=nattch"], b"");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("`ipcs -q` shows no column `nattch`"),
        "{}",
        ran.err
    );
}
