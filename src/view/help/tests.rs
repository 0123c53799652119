use super::*;
use crate::lang::{Example, Family, Kind, Param, Runs};
use std::collections::BTreeSet;

static SEND: Signature = Signature {
    name: "msgq send",
    summary: "put a message into a queue",
    params: &[
        Param::optional(
            "queue",
            Kind::Ref(Family::Msgq),
            "the queue; the current one",
        ),
        Param::required("type", Kind::Int(1, i64::MAX), "its type"),
        Param::required("data", Kind::Data, "its bytes"),
        Param::flag("nowait", "do not wait for room"),
        Param::option("max", Kind::Size, "at most so many bytes"),
    ],
    runs: Runs::Actor,
    blocks: Some("while the queue is full"),
    calls: &["msgsnd(2)"],
    errnos: &[("EAGAIN", "the queue is full")],
    notes: "A message is whole or not at all.",
    examples: &[Example {
        script: "msgq create\nmsgq send 1 \"hi\"",
        shows: "one message",
    }],
    ..Signature::NEW
};

static LS: Signature = Signature {
    name: "msgq ls",
    summary: "list the queues",
    ..Signature::NEW
};

static IPCS: Signature = Signature {
    name: "ipcs",
    summary: "list everything",
    params: &[
        Param::short('q', "queues", Kind::Switch, "queues alone"),
        Param::short('i', "id", Kind::Int(0, 100), "one object"),
        Param::option("max", Kind::Int(0, 9), "rows"),
        Param::any("what", Kind::Choice(&["all", "mine"]), "whose"),
    ],
    ..Signature::NEW
};

static ALL: [&Signature; 3] = [&LS, &SEND, &IPCS];

fn about(topic: &str) -> Result<String, String> {
    static QNUM: Column = Column::new("qnum", "messages in the queue");
    let known = Known {
        signatures: &ALL,
        errno: &|topic| {
            let known = topic.eq_ignore_ascii_case("EAGAIN") || topic == "11";
            known.then(|| ("EAGAIN".to_string(), "Try again".to_string()))
        },
        fields: &|noun| match noun {
            "msgq" => vec![&QNUM],
            _ => Vec::new(),
        },
        topics: &[Topic {
            name: "data",
            summary: "how bytes are written",
            text: || "\"text\"\n".into(),
        }],
    };
    help(topic, known)
}

#[test]
fn a_command_says_everything() {
    assert_eq!(
        about("msgq send").unwrap(),
        "\
msgq send [QUEUE] TYPE DATA [--nowait] [max=SIZE]
    put a message into a queue

Arguments
    [QUEUE]     the queue; the current one
    TYPE        its type
    DATA        its bytes
    [--nowait]  do not wait for room
    [max=SIZE]  at most so many bytes

Blocks
    while the queue is full

Errors
    EAGAIN  the queue is full

Calls
    msgsnd(2)

Notes
    A message is whole or not at all.

Example: one message
    msgq create
    msgq send 1 \"hi\"
"
    );
}

#[test]
fn every_topic_is_answered_or_the_closest_is_named() {
    let overview = about("").unwrap();
    assert!(overview.contains("\nmsgq ls    list the queues\nmsgq send  put"));
    assert!(overview.contains("a queue\n\nipcs       list everything\n"));
    assert!(
        about("msgq")
            .unwrap()
            .contains("    put a message into a queue")
    );
    assert_eq!(
        about("EAGAIN").unwrap(),
        "EAGAIN: Try again\n    msgq send  the queue is full\n"
    );
    assert_eq!(about("msgq sent").unwrap_err(), "did you mean `msgq send`?");
    assert_eq!(
        about("\x1b").unwrap_err(),
        "`help` alone lists all there is"
    );
    assert_eq!(about("eagain").unwrap(), about("EAGAIN").unwrap());
    assert!(about("send").unwrap().starts_with("msgq send "));
    assert_eq!(about("mgsq").unwrap_err(), "did you mean `msgq`?");
}

#[test]
fn the_grammar_of_the_commands_is_made() {
    let text = commands_ebnf(&ALL);
    let (_, rules) = text.split_once("*)\n").unwrap();
    assert_eq!(
        rules,
        "
actor-command
  = msgq-send ;

shell-command
  = msgq-ls
  | ipcs ;

(* list the queues *)
msgq-ls = \"msgq\" , [ \"ls\" ] ;

(* put a message into a queue *)
msgq-send = \"msgq\" , \"send\" , [ REF-MSGQ ] , ( COUNT | COMPUTED ) , ( DATA | COMPUTED ) ,
    [ \"--nowait\" ] , [ OPTION-MAX ] ;

(* list everything *)
ipcs = \"ipcs\" , { \"all\" | \"mine\" } , [ \"-q\" | \"--queues\" ] , [ \"-i\" , ( COUNT | COMPUTED ) ] ,
    [ OPTION-MAX ] ;

(* Options: one word each. *)
OPTION-MAX = \"max=\" , ( COUNT | COMPUTED ) ;
"
    );
}

/// Every rule that the real table's grammar uses is a rule of it or of ipc.ebnf.
#[test]
fn the_grammar_of_the_real_commands_is_whole() {
    let commands = commands_ebnf(&crate::commands::commands().catalog.commands);
    let language = include_str!("../../../grammar/ipc.ebnf");
    let defined = |text: &str| -> BTreeSet<String> {
        let heads = text.lines().filter(|l| l.starts_with(char::is_alphabetic));
        let names = heads.filter_map(|l| l.split_whitespace().next());
        names.map(String::from).collect()
    };
    let mut all = defined(language);
    all.extend(defined(&commands));
    let mut rest = commands.as_str();
    let mut bare = String::new();
    // Without comments and terminals.
    while let Some(at) = rest.find(['"', '(']) {
        let (before, from) = rest.split_at(at);
        bare.push_str(before);
        let end = match from {
            from if from.starts_with("(*") => from.find("*)").unwrap() + 2,
            from if from.starts_with('"') => from[1..].find('"').unwrap() + 2,
            _ => 1,
        };
        bare.push(' ');
        rest = &from[end..];
    }
    bare.push_str(rest);
    let names = bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    for name in names.filter(|n| n.starts_with(char::is_alphabetic)) {
        assert!(all.contains(name), "there is no rule {name}");
    }
}

#[test]
fn a_bar_does_not_end_a_cell_of_the_table() {
    let table = readme_table(&[&LS]);
    assert_eq!(
        table,
        "| command | does |\n|---|---|\n| `msgq ls` | list the queues |\n"
    );
    for line in readme_table(&ALL).lines() {
        assert_eq!(line.replace("\\|", "").matches('|').count(), 3, "{line}");
    }
}
