use std::time::Duration;

use super::*;
use crate::data::{Cell, Column, Failure, FailureKind, Outcome};
use crate::view::escape::tests::assert_tame;
use proptest::prelude::*;
use serde_json::{Value, json};

const fn column(name: &'static str) -> Column {
    Column::new(name, "")
}

static COLUMNS: [Column; 7] = [
    column("id"),
    column("key"),
    column("perms"),
    column("stime"),
    column("data"),
    column("values"),
    column("lscmd"),
];

fn written(event: &Event) -> Vec<Value> {
    let mut out = Vec::new();
    Json::new(&mut out).event(event).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_tame(&text);
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

#[test]
fn rows_are_typed() {
    let mut table = Table::new("msgq", "", COLUMNS.iter().collect());
    table.push([
        Cell::from(4),
        Cell::Key(-1),
        Cell::Mode(0o600),
        Cell::Time(0),
        Cell::Data(b"\xff".to_vec()),
        Cell::List(vec![1.into(), Cell::Unknown, Cell::Data(vec![0xfe])]),
        Cell::text("a\"\\\x1b\u{9b}é"),
    ]);
    table.push([
        Cell::Int(u64::MAX.into()),
        Cell::Unknown,
        Cell::Nothing,
        Cell::Time(1_700_000_000),
        Cell::Data(b"hi".to_vec()),
        Cell::Elapsed(Duration::from_millis(1500)),
        Cell::Size(u64::MAX),
    ]);
    table.footer.push("2 cells need root".into());
    assert_eq!(
        written(&Event::Table(table)),
        [
            json!({"kind": "msgq", "id": 4, "key": 4294967295u32, "perms": "0600",
                "stime": null, "data_hex": "ff", "values": [1, null, {"data_hex": "fe"}],
                "lscmd": "a\"\\\u{1b}\u{9b}é"}),
            json!({"kind": "msgq", "id": u64::MAX, "key": null, "perms": null,
                "stime": 1_700_000_000, "data": "hi", "values": 1.5, "lscmd": u64::MAX,
                "unknown": ["key"]}),
            json!({"kind": "note", "about": "msgq", "text": "2 cells need root"}),
        ]
    );
}

fn step(result: crate::data::StepResult, after: Option<Duration>) -> Event {
    Event::Step {
        actor: Some("me".into()),
        source: "msgq recv".into(),
        claimed: None,
        file: "a.ipc".into(),
        line: 3,
        passed: result.is_ok(),
        result,
        after,
    }
}

#[test]
fn a_step_says_how_it_ended() {
    let outcome = Outcome::value(Cell::Data(b"h\x1bi".to_vec()))
        .field("type", 2)
        .remark("id", 7)
        .note("created");
    assert_eq!(
        written(&step(Ok(outcome), Some(Duration::from_millis(250)))),
        [
            json!({"kind": "step", "actor": "me", "step": "msgq recv", "file": "a.ipc", "line": 3,
                "outcome": "ok", "fields": {"type": 2}, "remarks": {"id": 7}, "data": "h\u{1b}i",
                "notes": ["created"], "after": 0.25, "passed": true})
        ]
    );
    let failure = Failure {
        errno: Some("ENOMSG".into()),
        call: Some("msgrcv(q)".into()),
        ..Failure::new(FailureKind::Errno, "the queue is empty")
    };
    assert_eq!(
        written(&step(Err(failure.help("Send one")), None)),
        [
            json!({"kind": "step", "actor": "me", "step": "msgq recv", "file": "a.ipc", "line": 3,
                "outcome": "ENOMSG", "call": "msgrcv(q)", "meaning": "the queue is empty",
                "help": "Send one", "passed": false})
        ]
    );
}

#[test]
fn every_event_is_an_object() {
    let events = [
        Event::Blocked {
            actor: "b".into(),
            source: "b: sem p".into(),
            file: "a.ipc".into(),
            line: 1,
            claimed: true,
            claim: None,
            why: "lock is 0".into(),
        },
        Event::Started {
            actor: "b".into(),
            source: "b: sem p".into(),
            file: "a.ipc".into(),
            line: 1,
            claim: Some("EIDRM".into()),
        },
        Event::Note("started b".into()),
        Event::Warning("gone".into()),
        Event::Text("a\nb".into()),
        Event::Stands(vec![Stand {
            actor: "b".into(),
            pid: 12,
            state: "blocked".into(),
            call: None,
            about: None,
        }]),
    ];
    let kinds: Vec<Value> = events
        .iter()
        .flat_map(written)
        .map(|mut v| v["kind"].take())
        .collect();
    assert_eq!(
        kinds,
        ["blocked", "started", "note", "warning", "text", "stand"]
    );
}

proptest! {
    #[test]
    fn any_text_is_read_back(text in "\\PC*|[\\x00-\\x{ff}]*|[\\u{2000}-\\u{2070}\"\\\\]*") {
        prop_assert_eq!(&written(&Event::Text(text.clone()))[0]["text"], &json!(text));
    }

    #[test]
    fn any_length_of_time_is_read_back(s in 0u64..1 << 40, ns in 0u32..1_000_000_000) {
        let d = Duration::new(s, ns);
        let read = &written(&step(Ok(Outcome::ok()), Some(d)))[0]["after"];
        prop_assert!((read.as_f64().unwrap() - d.as_secs_f64()).abs() <= d.as_secs_f64() * 1e-15);
    }
}
