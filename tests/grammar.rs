//! The parser is held to grammar/ipc.ebnf, both ways.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use ipcsh::lang::{
    Catalog, Diagnostic, Form, Kind, Known, Need, Param, Program, Runs, Signature, Source, parse,
    vocabulary,
};

extern crate ipcsh;

mod ebnf;
#[path = "catalog/mod.rs"]
mod table;

use ebnf::{Expr, Random, Rules, Writer};

/// The commands that the sentences use. Once the crate has its own table, this is it.
fn catalog() -> Catalog {
    table::catalog()
}

fn rules() -> Rules {
    ebnf::read(include_str!("../grammar/ipc.ebnf"))
}

/// What is checked beyond the grammar, and may fail in a sentence made from it: see the
/// head of grammar/ipc.ebnf. Every variable and actor of the sentences is known, so that
/// only the course of the actors is left.
const BEYOND: [&str; 17] = [
    // More operators than are read.
    "this arithmetic is too long",
    // Numbers, and arithmetic without variables, that come to nothing that can stand there.
    "division by zero",
    "a shift is by",
    "does not fit",
    // Data where the place names a type.
    "data is no",
    "is out of range",
    "which finds no object",
    "no number of a semaphore",
    "a POSIX semaphore has no members",
    "an offset is not negative",
    "cannot run fewer than 0 times",
    // A step for an actor that is busy by its own text.
    "still has a pending step",
    // `...` for one that is not.
    "has no pending step",
    // `b: repeat 2 { … a step of another actor … }`.
    "cannot run inside the actor",
    // Arguments that exclude or need each other.
    "are not given together",
    "is given with",
    "stands only with",
];

fn known() -> Known {
    let mut known = Known::default();
    known
        .variables
        .extend(["v", "msg", "_x1"].map(String::from));
    known.actors.extend(["a", "b", "srv-1"].map(String::from));
    known
}

fn read(text: &str, catalog: &Catalog) -> Result<Program, Box<Diagnostic>> {
    let loader = |path: &Path, _: &Source| Ok(Source::of_file(path, "# nothing\n"));
    let source = Arc::new(Source::new("test", text));
    parse(source, catalog, &mut known(), &loader)
}

/// What the rules leave open.
fn open(rule: &str, random: &mut Random, catalog: &Catalog) -> Option<String> {
    let words: &[&str] = match rule {
        "NAME" => &["a", "b", "srv-1", "me"],
        "VARIABLE" => &["v", "msg", "_x1"],
        "ERRNO" => &["EAGAIN", "ENOMSG", "E2BIG"],
        "WORD" => &["blocked", "idle", "python3", "a/b", "né"],
        "COLUMNS" => &["id", "id,ID", "id,key"],
        "ORDER" => &["id", "-qnum", "qnum/s"],
        "LINE" => &[
            "date",
            "ipcs -q | wc -l",
            "echo \"${v} ${msg.type}\"; true # x",
            "a => b",
            "a \\\nb; c",
            "é",
        ],
        "FIELD" => &["id"],
        "ACTOR-FIELD" => &["state", "call"],
        "SIGNAL-COUNT" => &["signals.USR1", "signals.SIGTERM"],
        "LIMIT" => &["msgmax", "semmsl"],
        "RESULT-FIELD" => &["type", "id"],
        "NEWLINE" => &["\n", "\r\n", " # a comment\n", "\n\n"],
        "DIGIT" => &["0", "1", "7"],
        "OCTAL-DIGIT" => &["0", "6", "7"],
        "HEX-DIGIT" => &["0", "9", "a", "F"],
        "CHARACTER" => &["a", " ", "é", "→", "$", "$x", "'", "#", "\n", ";"],
        "RAW-CHARACTER" => &["a", "\\", "\"", "$", "${", "é", "\n", "#"],
        "SCALAR" => &["41", "e9", "1F600", "10ffff"],
        "FITTING" => &["0", "5", "0x7f", "0o17"],
        "REGEX" => &["a", "^h\\w+$", "a|b", "\\\"", "é"],
        "GLOB" => &["*", "job-?.txt", "[ab]*"],
        "PLAIN-NUMBER" => &["0", "7", "1_000", "0x0f", "0o17"],
        "COUNT-PLAIN" => &["1", "6517"],
        "WORD-PATH" => &["/tmp/f", "./x"],
        "SIGNAL" => &["USR1", "SIGTERM", "10", "RTMIN+1"],
        "HOST" => &["127.0.0.1", "localhost", "[::1]"],
        "PORT" => &["0", "6379"],
        "POSIX-NAME" => &["/jobs", "/a.b"],
        "PROJECT" => &["1", "255"],
        "PLAIN-PATH" => &["/tmp/a.b", "../x", "f"],
        "SMALL" => &["0", "1", "32767"],
        "SEMAPHORE-NUMBER" => &["0", "7", "0x1f", "65535"],
        // 0600 has three digits of octal, and no mode is wider.
        "MODE" => &["0600", "666", "0o644", "0"],
        "actor-command" => return Some(command(Runs::Actor, random, catalog)),
        "shell-command" => return Some(command(Runs::Shell, random, catalog)),
        _ => return None,
    };
    Some(random.of(words).to_string())
}

/// A command of the table with arguments.
fn command(runs: Runs, random: &mut Random, catalog: &Catalog) -> String {
    let fit =
        |s: &&&Signature| s.runs == runs && !matches!(s.name, "spawn" | "stop" | "wait" | "cancel");
    let all: Vec<&&Signature> = catalog.commands.iter().filter(fit).collect();
    let signature = all[random.below(all.len())];
    let mut words = vec![signature.name.to_string()];
    let mut left_out = false;
    for param in signature.params {
        let times = match param.need {
            Need::Required => 1,
            Need::Optional => random.below(2),
            Need::Repeated | Need::Unless(_) => 1 + random.below(2),
            Need::Any => random.below(3),
        };
        // `every` and its period go together.
        if param.name == "period" && left_out {
            continue;
        }
        left_out = times == 0;
        for _ in 0..times {
            words.push(argument(param, random, catalog));
        }
    }
    words.join(" ")
}

fn argument(param: &Param, random: &mut Random, catalog: &Catalog) -> String {
    let value = if param.name == "data" && param.kind == Kind::Value {
        // A number needs a place that types it.
        made("DATA", random, catalog)
    } else {
        value(param.kind, random, catalog)
    };
    match param.form {
        Form::Positional => value,
        Form::Option => format!("{}={value}", param.name),
        Form::Dash => format!("-{value}"),
        Form::Flag => format!("--{} {value}", param.name).trim_end().to_string(),
        Form::Short(letter) => format!("-{letter} {value}").trim_end().to_string(),
    }
}

/// Each kind of argument is a rule of the grammar.
fn value(kind: Kind, random: &mut Random, catalog: &Catalog) -> String {
    use ipcsh::lang::Family::{Fifo, Msgq, Pipe, Sem, Shm, Sock};
    let rule = match kind {
        Kind::Ref(Msgq) => "REF-MSGQ",
        Kind::Ref(Shm) => "REF-SHM",
        Kind::Ref(Sem) => "REF-SEM",
        Kind::Semaphore => "REF-SEMAPHORE",
        Kind::Ref(Pipe) => "REF-PIPE",
        Kind::Ref(Fifo) => "REF-FIFO",
        Kind::Ref(Sock) => "REF-SOCK",
        Kind::NewRef(Fifo) => "PATH",
        Kind::AnyRef => "REF-ANY",
        Kind::NewRef(_) => "NEW-NAME",
        Kind::NewName(_) => "NAME",
        Kind::Int(0.., _) | Kind::Pid => {
            return random.of(&["1", "7", "0x10", "$v", "$((v + 1))"]).into();
        }
        Kind::Int(..) => "INTEGER",
        Kind::Size => "COUNT",
        Kind::Key => "KEY",
        Kind::Duration => "DURATION",
        Kind::Mode => "MODE",
        Kind::Data | Kind::Value => "DATA",
        Kind::Place => "PLACE",
        Kind::Offset => "OFFSET",
        Kind::SemOp => "SEM-OP",
        Kind::Choice(words) => return random.of(words).into(),
        Kind::Actor { .. } => "NAME",
        Kind::Path => "PATH",
        Kind::Process { .. } => "NAME",
        Kind::Owner | Kind::Word | Kind::Topic => "WORD",
        Kind::Columns(_) => "COLUMNS",
        Kind::Order => "ORDER",
        Kind::Address => "ADDRESS",
        Kind::Fd => "HELD",
        Kind::Pipeline => "PIPELINE",
        Kind::Signal => "SIGNAL",
        Kind::Command => return random.of(&["ipcs", "msgq", "ipcs -q", "msgq ls"]).into(),
        Kind::Switch => return String::new(),
    };
    made(rule, random, catalog)
}

fn made(rule: &str, random: &mut Random, catalog: &Catalog) -> String {
    let rules = rules_once();
    let mut writer = Writer {
        rules,
        open: |rule: &str, random: &mut Random| open(rule, random, catalog),
        random: Random(random.0),
    };
    let out = writer.sentence(rule, 6);
    random.0 = writer.random.0;
    out
}

fn rules_once() -> &'static Rules {
    static RULES: std::sync::OnceLock<Rules> = std::sync::OnceLock::new();
    RULES.get_or_init(rules)
}

/// So many programs, each with the seed it was made from.
fn programs(seeds: std::ops::Range<u64>, catalog: &Catalog, mut see: impl FnMut(u64, &str)) {
    for seed in seeds {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // A number of three levels is a statement; twelve are a program of loops in loops.
        let depth = 4 + random.below(14);
        let rule = random.of(&["program", "statement", "line", "item"]);
        let mut writer = Writer {
            rules: rules_once(),
            open: |rule: &str, random: &mut Random| open(rule, random, catalog),
            random,
        };
        see(seed, &writer.sentence(rule, depth));
    }
}

#[test]
fn sentences_of_the_grammar_parse() {
    let catalog = catalog();
    let (mut whole, mut all) = (0, 0);
    programs(1..20_000, &catalog, |seed, text| {
        all += 1;
        match read(text, &catalog) {
            Ok(program) => {
                whole += 1;
                for statement in &program.statements {
                    assert!(
                        !statement.span.of(text).trim().is_empty(),
                        "seed {seed}: {text}"
                    );
                }
            }
            Err(e) if BEYOND.iter().any(|beyond| e.message.contains(beyond)) => {}
            Err(e) => panic!(
                "seed {seed}:\n{text}\n{}: {} ({:?})",
                e.span.of(text),
                e.message,
                e.span
            ),
        }
    });
    assert!(
        whole * 3 > all * 2,
        "only {whole} of {all} were not cut short by their course"
    );
}

#[test]
fn mutated_sentences_fail_inside_the_text() {
    let catalog = catalog();
    let palette: Vec<char> = "\"'\\${}()[]#;&.=>~!@:-_x0aé→\u{a0}\u{feff}\0\u{1b}\r\n\t 19%,/"
        .chars()
        .collect();
    let mut failed = 0;
    programs(20_000..32_000, &catalog, |seed, text| {
        let mut random = Random(seed | 1);
        for _ in 0..4 {
            let text = mutated(text, &palette, &mut random);
            let outcome = catch_unwind(AssertUnwindSafe(|| read(&text, &catalog)));
            let Ok(read) = outcome else {
                panic!("seed {seed}: the parser panics at\n{text:?}");
            };
            let Err(e) = read else { continue };
            failed += 1;
            let (start, end) = (e.span.start as usize, e.span.end as usize);
            let inside = start <= end
                && end <= text.len()
                && text.is_char_boundary(start)
                && text.is_char_boundary(end);
            assert!(
                inside,
                "seed {seed}: {start}..{end} of\n{text:?}\n{}",
                e.message
            );
            assert!(!e.message.is_empty(), "seed {seed}: {text:?}");
            assert!(
                *e.source.name != *"test"
                    || e.incomplete
                    || !e.message.contains("never closed")
                    || !text[start..].starts_with('"'),
                "seed {seed}: an open string may go on\n{text:?}"
            );
        }
    });
    assert!(failed > 10_000, "only {failed} mutations were noticed");
}

fn mutated(text: &str, palette: &[char], random: &mut Random) -> String {
    let mut out: Vec<char> = text.chars().collect();
    for _ in 0..1 + random.below(3) {
        if out.is_empty() {
            break;
        }
        let at = random.below(out.len());
        let word = at..out.len().min(at + 1 + random.below(6));
        match random.below(6) {
            0 => drop(out.drain(word)),
            1 => {
                let copy = out[word].to_vec();
                out.splice(at..at, copy);
            }
            2 => out[at] = palette[random.below(palette.len())],
            3 => out.insert(at, palette[random.below(palette.len())]),
            4 => out.truncate(at),
            _ => {
                let other = random.below(out.len());
                out.swap(at, other);
            }
        }
    }
    out.into_iter().collect()
}

#[test]
fn every_rule_is_there_and_is_used() {
    let rules = rules();
    let mut used: BTreeSet<&str> = BTreeSet::from(["program", "BLANK", "COMMENT"]);
    // What the table's generated grammar is written in.
    used.extend([
        "REF-MSGQ",
        "REF-SHM",
        "REF-SEM",
        "REF-SEMAPHORE",
        "REF-PIPE",
        "REF-FIFO",
        "REF-SOCK",
        "REF-ANY",
        "NEW-NAME",
        "PATH",
        "ADDRESS",
        "HELD",
        "PIPELINE",
        "SIGNAL",
        "PLACE",
        "SEM-OP",
        "MODE",
        "COLUMNS",
        "ORDER",
    ]);
    let mut names = Vec::new();
    for expr in rules.values() {
        expr.visit(&mut |e| {
            if let Expr::Rule(name) = e {
                names.push(name.clone());
            }
        });
    }
    for name in &names {
        let outside = matches!(name.as_str(), "actor-command" | "shell-command");
        assert!(
            outside || rules.contains_key(name),
            "there is no rule {name}"
        );
    }
    used.extend(names.iter().map(String::as_str));
    for name in rules.keys() {
        assert!(used.contains(name.as_str()), "nothing uses {name}");
    }
}

#[test]
fn the_words_of_the_grammar_are_those_of_the_parser() {
    let rules = rules();
    let mut written = BTreeSet::new();
    for (name, expr) in &rules {
        // Escapes are signs inside a string: the sentences try each of them.
        if name != "ESCAPE" {
            expr.visit(&mut |e| {
                if let Expr::Terminal(word) = e {
                    written.insert(word.clone());
                }
            });
        }
    }
    let spoken: BTreeSet<String> = vocabulary().into_iter().map(String::from).collect();
    let only_written: Vec<_> = written.difference(&spoken).collect();
    let only_spoken: Vec<_> = spoken.difference(&written).collect();
    assert!(
        only_written.is_empty() && only_spoken.is_empty(),
        "only in the grammar: {only_written:?}; only in the parser: {only_spoken:?}"
    );
}
