use super::*;
use crate::data::FailureKind;
use crate::lang::Source;
use crate::view::Choice;
use crate::view::escape::tests::assert_tame;
use proptest::prelude::*;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

fn diagnostic(text: &str, span: Span) -> Diagnostic {
    Diagnostic {
        source: Arc::new(Source::new("a.ipc", text)),
        span,
        message: "unknown command `msgqq`".into(),
        label: "expected a command".into(),
        help: Some("did you mean `msgq`?".into()),
        incomplete: false,
    }
}

fn at(text: &str, start: usize, end: usize) -> String {
    mistake(&diagnostic(text, Span::new(start, end)), Style::PLAIN)
}

#[test]
fn the_caret_stands_under_the_word() {
    assert_eq!(
        at("let a = 1\nmsgqq send 1 \"x\"\n", 10, 15),
        "\
error: unknown command `msgqq`
 --> a.ipc:2:1
  |
2 | msgqq send 1 \"x\"
  | ^^^^^ expected a command
  |
  = help: did you mean `msgq`?"
    );
}

/// The line and the row of carets: what stands before the carets is as wide in both.
fn carets(text: &str, start: usize, end: usize) -> (String, String, String) {
    let all = at(text, start, end);
    let place = all.lines().nth(1).unwrap().trim_start().to_string();
    let row = |n: usize| {
        let line = all.lines().nth(n).unwrap();
        line.split_once('|').unwrap().1.to_string()
    };
    let (line, under) = (row(3), row(4));
    let column = under.find('^').unwrap();
    let before: String = line
        .chars()
        .scan(0, |width, c| {
            *width += c.to_string().width();
            (*width <= column).then_some(c)
        })
        .collect();
    let word = line[before.len()..].trim_end().to_string();
    (place, before, word)
}

#[test]
fn a_line_is_shown_as_it_can_be() {
    let long = format!("{}msgqq {}", "a ".repeat(300), "b ".repeat(300));
    for (text, start, place, word) in [
        ("a\tb\x1b msgqq", 5, "--> a.ipc:1:6", "msgqq"),
        ("漢字 msgqq", 7, "--> a.ipc:1:4", "msgqq"),
        ("a\r\n msgqq\r\n", 4, "--> a.ipc:2:2", "msgqq"),
        // The end of the text: behind the last thing that stands there.
        ("repeat 2 {\n  msgq\n\n\n", 21, "--> a.ipc:2:7", ""),
        ("msgq send", 9, "--> a.ipc:1:10", ""),
        ("", 0, "--> a.ipc:1:1", ""),
        ("a", 7, "--> a.ipc:1:2", ""),
    ] {
        let (at, _, under) = carets(text, start, start + word.len().max(1));
        assert_eq!((at.as_str(), under.as_str()), (place, word), "{text:?}");
    }
    let (place, before, under) = carets(&long, 600, 605);
    assert_eq!(place, "--> a.ipc:1:601");
    assert!(before.starts_with(" …a a") && before.len() < 80, "{before}");
    assert!(
        under.starts_with("msgqq b b") && under.ends_with("b…"),
        "{under}"
    );
}

#[test]
fn what_the_text_says_is_shown_short_and_tame() {
    let word = "x\x1b".repeat(500_000);
    let mut d = diagnostic(&word, Span::new(0, word.len()));
    d.message = format!("unknown command `{word}`");
    d.label.clone_from(&word);
    d.source = Arc::new(Source::new("a\x1b[31m.ipc", word));
    let text = mistake(&d, Style::PLAIN);
    assert_tame(&text);
    assert!(text.len() < 20_000, "{}", text.len());
    assert!(mistake(&d, Style::new(Choice::Always, false)).contains("\x1b["));
}

#[test]
fn a_failure_names_its_place_and_who_stands_where() {
    let why = Failure {
        errno: Some("EAGAIN".into()),
        call: Some("msgsnd(jobs)".into()),
        ..Failure::new(FailureKind::Errno, "the queue is full")
    };
    let stands = [Stand {
        actor: "b".into(),
        pid: 12,
        state: "blocked".into(),
        call: Some("semop lock -1".into()),
        about: Some("lock is 0\x1b".into()),
    }];
    let text = failure(
        Some(("a.ipc", 3)),
        "repeat 2 {\n  msgq send \"x\"\n}",
        Some(&Claimed {
            text: "ok".into(),
            ..Claimed::default()
        }),
        "EAGAIN",
        Some(&why.help("Receive a message")),
        &stands,
        Style::PLAIN,
    );
    assert_eq!(
        text,
        "\
failed: a.ipc:3: repeat 2 { …
  claimed  ok
  found    EAGAIN
  msgsnd(jobs) = EAGAIN: the queue is full
  help: Receive a message
  b  pid 12       blocked  semop lock -1  lock is 0\\x1b"
    );
}

proptest! {
    #[test]
    fn any_place_in_any_text_can_be_shown(
        text in "\\PC*|[\\x00-\\x{ff}]*|[ \t\r\na漢\u{200d}\u{301}👩\u{202e}]*",
        start in 0usize..40,
        length in 0usize..40,
        far: bool,
    ) {
        let start = if far { start * 100_000_000 } else { start };
        let shown = at(&text, start, start + length);
        assert_tame(&shown);
        prop_assert!(shown.contains('^'), "{shown}");
        prop_assert!(shown.lines().count() == 7, "{shown}");
    }
}
