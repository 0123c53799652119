use super::*;
use crate::data::Cell;
use crate::data::{Column, Table};
use crate::view::Choice;
use crate::view::escape::tests::assert_tame;
use proptest::prelude::*;
use std::time::Duration;

fn shown(style: Style, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut transcript = Transcript::new(&mut out, style);
    for event in events {
        transcript.event(event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn step(actor: Option<&str>, source: &str, claimed: Option<&str>, result: StepResult) -> Event {
    Event::Step {
        actor: actor.map(String::from),
        source: source.into(),
        claimed: claimed.map(|text| Claimed {
            text: text.into(),
            ..Claimed::default()
        }),
        file: "a.ipc".into(),
        line: 1,
        passed: claimed.is_some() || result.is_ok(),
        result,
        after: None,
    }
}

fn me(source: &str, claimed: Option<&str>, result: StepResult) -> String {
    shown(Style::PLAIN, &[step(Some("me"), source, claimed, result)])
}

fn enomsg() -> Failure {
    Failure {
        errno: Some("ENOMSG".into()),
        ..Failure::new(FailureKind::Errno, "the queue\nis empty")
    }
}

#[test]
fn the_data_of_a_step_stays_the_same_and_no_terminal_obeys_it() {
    for (source, written) in [
        ("msgq send 1 'a\u{1b}b'", r#"msgq send 1 "a\x1bb""#),
        ("msgq send 1 'a\r\nb$x'", r#"msgq send 1 "a\r\nb\$x""#),
        (
            "msgq send 1 \"a\r\n${v}\u{202e}\"",
            "msgq send 1 \"a\\x0d\n${v}\\u{202e}\"",
        ),
        (
            "repeat 2 {\r\nsem p # don't\r\n}",
            "repeat 2 {\nsem p # don't\n}",
        ),
        ("!printf 'a\u{1b}'", r"!printf 'a\x1b'"),
    ] {
        let line = me(source, Some("ok"), Ok(Outcome::ok()));
        assert_eq!(line, format!("{written} => ok\n"));
    }
}

#[test]
fn an_outcome_is_written_as_it_may_be_claimed() {
    let message = || Outcome::value(Cell::Data(b"hi".to_vec())).field("type", 1);
    let pattern = Some("re\"h.\"");
    for (claimed, outcome, line) in [
        (None, message(), "msgq recv => type=1 \"hi\"\n"),
        (
            pattern,
            message(),
            "msgq recv => re\"h.\"   # type=1 \"hi\"\n",
        ),
        (Some("ok"), Outcome::ok(), "msgq recv => ok\n"),
        (
            Some("type=1 \"hi\""),
            message(),
            "msgq recv => type=1 \"hi\"\n",
        ),
        (
            None,
            Outcome::ok().remark("id", 7).remark("key", Cell::Key(16)),
            "msgq recv => ok   # id 7, key 0x00000010\n",
        ),
        (
            pattern,
            message().remark("lspid", 7),
            "msgq recv => re\"h.\"   # type=1 \"hi\"; lspid 7\n",
        ),
        (
            None,
            Outcome::ok().note("created message queue q1 (id 3)"),
            "msgq recv => ok\n# created message queue q1 (id 3)\n",
        ),
        (None, Outcome::eof(), "msgq recv => eof\n"),
    ] {
        assert_eq!(me("msgq recv", claimed, Ok(outcome)), line);
    }
    assert_eq!(
        me("let v = shm read cnt u32@0", None, Ok(Outcome::value(42))),
        "let v = shm read cnt u32@0 => 42\n"
    );
}

#[test]
fn a_failure_is_written_behind_its_step() {
    assert_eq!(
        me("msgq recv", Some("ENOMSG"), Err(enomsg())),
        "msgq recv => ENOMSG   # ENOMSG: the queue is empty\n"
    );
    assert_eq!(
        me("msgq recv", None, Err(enomsg())),
        "msgq recv => ENOMSG   # failed: ENOMSG: the queue is empty\n"
    );
    let late = Failure::new(FailureKind::Deadline, "it stayed blocked for 10 s");
    assert_eq!(
        me("msgq recv", None, Err(late)),
        "msgq recv   # failed: it stayed blocked for 10 s\n"
    );
    let mut other = step(Some("me"), "msgq recv", Some("eof"), Ok(Outcome::ok()));
    if let Event::Step { passed, .. } = &mut other {
        *passed = false;
    }
    assert_eq!(
        shown(Style::PLAIN, &[other]),
        "msgq recv => eof   # failed: it ended with ok\n"
    );
}

#[test]
fn what_runs_in_the_shell_claims_nothing() {
    let ok = || Ok(Outcome::ok());
    let exit = || Ok(Outcome::ok().field("exit", 3));
    let mismatch = || Err(Failure::new(FailureKind::Mismatch, "it ended with exit=3"));
    for (source, claimed, result, lines) in [
        ("ipcs -q", None, ok(), "ipcs -q\n"),
        ("!ls # all", None, ok(), "!ls # all\n"),
        ("!false", Some("exit=3"), exit(), "!false => exit=3\n"),
        (
            "let d = !date",
            None,
            Ok(Outcome::value(Cell::Data(b"Mon".to_vec()))),
            "let d = !date\n# \"Mon\"\n",
        ),
        (
            "!false",
            None,
            mismatch(),
            "!false\n# failed: it ended with exit=3\n",
        ),
        ("expect a != 1", None, ok(), "expect a != 1\n"),
        (
            "expect a != 1",
            None,
            Err(Failure::new(FailureKind::Mismatch, "it is 1")),
            "expect a != 1   # failed: it is 1\n",
        ),
    ] {
        let event = step(None, source, claimed, result);
        assert_eq!(shown(Style::PLAIN, &[event]), lines);
    }
}

static COMMAND: Column = Column::new("lscmd", "");

fn session() -> Vec<Event> {
    let mut table = Table::new("msgq", "Message queues", vec![&COMMAND]);
    table.push([Cell::text("a\x1b\nb")]);
    let mut resumed = step(Some("b"), "b: ...", Some("ok"), Ok(Outcome::ok()));
    if let Event::Step { after, .. } = &mut resumed {
        *after = Some(Duration::from_millis(3200));
    }
    let stand = |actor: &str, state: &str, call: Option<&str>| crate::data::Stand {
        actor: actor.into(),
        pid: 12,
        state: state.into(),
        call: call.map(String::from),
        about: call.map(|_| "lock is 0, last operated by a (pid 9)".into()),
    };
    vec![
        Event::Note("started b (pid 4242)".into()),
        Event::Blocked {
            actor: "b".into(),
            source: "b: sem p lock".into(),
            file: "a.ipc".into(),
            line: 2,
            claimed: true,
            claim: None,
            why: "lock is 0".into(),
        },
        resumed,
        Event::Started {
            actor: "b".into(),
            source: "b: sem p lock".into(),
            file: "a.ipc".into(),
            line: 3,
            claim: Some("EIDRM".into()),
        },
        step(None, "msgq", None, Ok(Outcome::ok())),
        Event::Table(table),
        Event::Text("one\n\n\ttwo\x1b[2J\rthree".into()),
        Event::Warning("the queue is left behind".into()),
        Event::Stands(vec![
            stand("me", "idle", None),
            stand("b", "blocked", Some("semop lock -1")),
        ]),
    ]
}

#[test]
fn everything_but_steps_is_a_comment() {
    assert_eq!(
        shown(Style::PLAIN, &session()),
        "\
# started b (pid 4242)
b: sem p lock ...   # blocked: lock is 0
b: ... => ok   # after 3.2 s
b: sem p lock & => EIDRM
msgq
# Message queues
# lscmd
# a\\x1b b
# one
#
#  two\\x1b[2J\\x0dthree
# warning: the queue is left behind
#   me  pid 12       idle
#   b   pid 12       blocked  semop lock -1  lock is 0, last operated by a (pid 9)
"
    );
}

#[test]
fn colours_change_no_letter() {
    let coloured = shown(Style::new(Choice::Always, false), &session());
    assert!(coloured.contains('\x1b'));
    let mut plain = String::new();
    for (i, part) in coloured.split("\x1b[").enumerate() {
        plain.push_str(if i == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        });
    }
    assert_eq!(plain, shown(Style::PLAIN, &session()));
}

proptest! {
    /// Whatever a session meets, each line begins with its step or is a comment.
    #[test]
    fn nothing_leaves_its_comment(
        text in "\\PC*|[\\x00-\\x{9f}]*|[\n\r\u{2028}\u{85}#!a-c]*",
        bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let failure = Failure::new(FailureKind::Errno, text.clone()).help(text.clone());
        let outcome = Outcome::value(Cell::Data(bytes))
            .field("comm", Cell::Text(text.clone()))
            .remark("by", Cell::Text(text.clone()))
            .note(text.clone());
        let events = [
            step(Some("me"), "STEP", None, Ok(outcome.clone())),
            step(Some("me"), "STEP", Some("re\"x\""), Ok(outcome)),
            step(Some("me"), "STEP", None, Err(failure)),
            Event::Note(text.clone()),
            Event::Warning(text.clone()),
            Event::Text(text.clone()),
        ];
        let all = shown(Style::PLAIN, &events);
        assert_tame(&all);
        for line in all.lines() {
            prop_assert!(line.starts_with('#') || line.starts_with("STEP"), "{line:?} in {all:?}");
        }
        prop_assert_eq!(all.lines().filter(|l| l.starts_with("STEP")).count(), 3);
    }
}
