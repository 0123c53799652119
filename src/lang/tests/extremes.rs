//! What no one types: texts of a megabyte, nests without end, bytes at random. Each is
//! answered at once, by a program or by a mistake that lies in the text.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::{drawn, is_not, read};

/// The time that this thread has worked: other tests run beside it.
fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .unwrap()
        .into()
}

/// Reads it within a time that only linear work keeps, and holds its mistake's message.
#[track_caller]
fn at_once(text: &str, message: &str, incomplete: bool) {
    let begun = worked();
    let read = read(text);
    let took = worked() - begun;
    let shown: String = text.chars().take(20).collect();
    assert!(took < Duration::from_secs(2), "{shown}…: {took:?}");
    let e = read.expect_err(&shown);
    drawn(&e);
    assert!(
        e.message.len() < 250 && e.message.contains(message),
        "{shown}…: {}",
        e.message
    );
    assert_eq!(e.incomplete, incomplete, "{shown}…");
}

const MANY: usize = 1 << 20;

#[test]
fn a_megabyte_of_one_sign() {
    for (sign, message, incomplete) in [
        ("$(", "unknown command", false),
        ("$((", "this `$((` is never closed", false),
        ("${", "this `${` is never closed", false),
        ("${a}", "unknown command", false),
        ("$", "unknown command", false),
        ("\"\"", "cannot begin with data", false),
        ("''", "cannot begin with data", false),
        ("\"\\", "never closed", true),
        ("{", "a block cannot stand alone", false),
        ("}", "this `}` closes no block", false),
        ("\\", "unknown command", false),
        ("\\ ", "a `\\` continues", false),
        ("-", "unknown command", false),
        ("--", "unknown command", false),
        ("(", "unknown command", false),
        ("=", "unknown command", false),
        ("=>", "`=>` is a word of its own", false),
        ("=> ", "a value is expected here", false),
        ("... ", "has no pending step", false),
        ("& ", "nothing but an outcome", false),
        (":", "", false),
        ("a.", "unknown command", false),
        (".\"\"", "unknown command", false),
        ("é", "unknown command", false),
        ("\u{0}", "a control character", false),
        ("x\"\"", "cannot begin with data", false),
        ("re\"\"", "cannot begin with data", false),
    ] {
        at_once(&sign.repeat(MANY / sign.len()), message, incomplete);
    }
    for sign in [
        ";", "\\\n", "\n", "#", "# x\n", " ", "\r\n", "!date\n", "quit;",
    ] {
        let begun = worked();
        read(&sign.repeat(MANY / sign.len())).unwrap();
        assert!(
            worked() - begun < Duration::from_secs(4),
            "{sign:?}: {:?}",
            worked() - begun
        );
    }
}

#[test]
fn a_megabyte_behind_a_command() {
    for (head, sign, tail, message, incomplete) in [
        ("msgq send 1 \"", "a", "", "never closed", true),
        ("msgq send 1 \"", "\\n", "", "never closed", true),
        ("msgq send 1 \"", "${v}", "", "never closed", true),
        ("msgq send 1 \"", "${v}", "\"", "`$v` is not bound", false),
        ("msgq send 1 ", "x\"00", "", "pairs of hex", false),
        ("msgq send 1 x\"", "00 ", "0\"", "pairs of hex", false),
        ("msgq send 1 re\"", "(", "\"", "not valid", false),
        ("msgq send 1 re\"", "a?", "\"", "not valid", false),
        ("msgq send ", "1 ", "", "not the argument DATA", false),
        ("sem op ", "0:1 ", "x", "not the argument OP", false),
        ("sem p set", "[", "]", "", false),
        ("ipcs -", "q", "x", "has no flag `-x`", false),
        ("spawn ", "a ", "1", "not the argument ACTOR", false),
        ("msgq recv => ", "a=1 ", "ok", "not an outcome", false),
        ("expect ", "msgq.", "", "", false),
        ("expect msgq", ".\"a\"", "", "", false),
        ("expect msgq.", "$(", "", "", false),
        (
            "expect deadlock ",
            "me ",
            "1",
            "this is not an actor",
            false,
        ),
        ("let v = $((", "(", "))", "", false),
        ("let v = $((", "-", "1))", "arithmetic", false),
        ("let v = $((", "1+", "1))", "arithmetic is too long", false),
        ("let v = ", "1", "", "", false),
        ("sleep ", "1", "s", "not the argument DURATION", false),
        ("echo ", "$", "", "", false),
        ("echo ", "a ", "$1", "", false),
        ("echo ", "${v}", "", "not bound", false),
        ("!", "${a.", " => x=", "", false),
    ] {
        let text = format!("{head}{}{tail}", sign.repeat(MANY / sign.len()));
        let begun = worked();
        let read = read(&text);
        let took = worked() - begun;
        assert!(took < Duration::from_secs(4), "{head}{sign}…: {took:?}");
        match read {
            Err(e) => {
                drawn(&e);
                let said = format!("{head}{sign}…{tail}: {}", e.message);
                assert!(
                    e.message.len() < 250 && e.message.contains(message),
                    "{said}"
                );
                assert!(
                    message.is_empty() || message.contains("bound") || e.incomplete == incomplete,
                    "{said}"
                );
            }
            Ok(_) => assert!(head == "!", "{head}{sign}…"),
        }
    }
}

#[test]
fn nests_have_a_bottom() {
    at_once(
        &"repeat 1 {".repeat(100_000),
        "nested more than 64 deep",
        false,
    );
    at_once(
        &"repeat 1 { sem p\n".repeat(64),
        "this block is never closed",
        true,
    );
    at_once(
        &"b: repeat 1 {".repeat(100_000),
        "nested more than 64 deep",
        false,
    );
    at_once(
        &"defer ".repeat(100_000),
        "`defer` cannot be deferred",
        false,
    );
    at_once(&"watch ".repeat(100_000), "does not only look", false);
    at_once(&"let v = ".repeat(100_000), "`let` gives no value", false);
    at_once(&"b: ".repeat(100_000), "unknown command", false);
    at_once(
        &format!("let v = $(({}", "(".repeat(100_000)),
        "never closed",
        false,
    );
    let deep = format!("{}sem p{}", "repeat 1 {".repeat(64), "}".repeat(64));
    read(&deep).unwrap();
    let paren = format!("let v = $(({}1{}))", "(".repeat(99), ")".repeat(99));
    read(&paren).unwrap();
}

/// The megabyte is read in less than its square: many lines, each with something to look up.
#[test]
fn many_lines_that_know_of_each_other() {
    let mut text = String::new();
    for i in 0..20_000 {
        text.push_str(&format!(
            "let v{i} = 5; defer repeat 2 {{ let w = $v{i} }}; a{i}: sem p $v{i} ...; repeat 2 {{ ipcs }}\n"
        ));
    }
    let begun = worked();
    read(&text).unwrap();
    assert!(
        worked() - begun < Duration::from_secs(8),
        "{:?}",
        worked() - begun
    );
}

#[test]
fn characters_of_many_bytes() {
    for text in [
        "é",
        "é:",
        "$é",
        "${é}",
        "$((é))",
        "\"\\é\"",
        "x\"é\"",
        "x\"0é\"",
        "-é",
        "--é",
        "é=é",
        "msgq é",
        "msgq send é",
        "msgq send 1 é",
        "sem p é[1]",
        "sem p s[é]",
        "shm read @é",
        "shm read é@0",
        "msgq recv max=é",
        "msgq recv => é",
        "msgq recv => a=é",
        "b@é: quit",
        "let é = 1",
        "let v = é",
        "expect é",
        "expect msgq.é.é == é",
        "expect msgq.a.qnum é",
        "!é => é",
        "sem op 0:é",
        "sem op é:1",
        "sleep 5é",
        "msgq recv id:é",
        "msgq recv key:é",
        "msgq recv key:/é,é",
        "ipcs -é",
        "repeat é {",
        "\\é",
        "quit é",
        "{é",
        "}é",
        "é{",
        "=>é",
        "quit\u{a0}",
        "\u{2028}",
        "“hi”",
        "b: ...é",
        "sem p lock…",
        "msgq create mode=é",
        "let v = u32:é",
        "$((1 +é))",
        "let v = $((1 é))",
        "re\"é(\"",
        "\"${é\"",
        "\"${vé}\"",
    ] {
        for text in [text.to_string(), format!("{text}é"), format!("{text}\n")] {
            if let Err(e) = read(&text) {
                drawn(&e);
            }
        }
    }
    is_not("msgq«\u{a0}»ls", "this character does not belong here");
    is_not("msgq send 1 «“»hi”", "this character does not belong here");
}

/// How long a file of 100,000 lines takes: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let text = "msgq send 1 \"x\"\nmsgq recv\n".repeat(50_000);
    let best = (0..5).map(|_| {
        let begun = Instant::now();
        let program = read(&text).unwrap();
        let took = begun.elapsed();
        assert_eq!(program.statements.len(), 100_000);
        took
    });
    println!("100,000 lines: {:?}", best.min().unwrap());
}
