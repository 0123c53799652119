//! Mistakes in words, commands and arguments.

use super::super::is_not;
use super::{expects, helps};

#[test]
fn what_is_open_may_go_on() {
    for (marked, message) in [
        ("repeat 2 «{»", "this block is never closed"),
        ("repeat 2 «{» sem p\n", "this block is never closed"),
        ("repeat 2 { repeat 3 «{» }", ""),
        ("msgq send 1 «\"»hi", "this string is never closed"),
        ("msgq send 1 «\"»hi\\", "this string is never closed"),
        ("msgq send 1 «'»hi\n", "this string is never closed"),
        ("msgq send 1 x«\"»00", "this string is never closed"),
        ("msgq recv => re«\"»a", "this string is never closed"),
        ("msgq recv => data=«\"»a", "this string is never closed"),
        (
            "msgq send 1 «\\»",
            "the text ends where this line continues",
        ),
        (
            "let v = !echo a; b «\\»",
            "the text ends where this line continues",
        ),
    ] {
        let marked = match message {
            "" => "repeat 2 «{» repeat 3 { }",
            _ => marked,
        };
        let message = if message.is_empty() {
            "this block is never closed"
        } else {
            message
        };
        assert!(is_not(marked, message).incomplete, "{marked}");
    }
}

#[test]
fn commands() {
    helps(
        "«msqg» send",
        "unknown command `msqg`",
        "did you mean `msgq`?",
    );
    helps(
        "msgq «snd» 1 \"hi\"",
        "`msgq` has no verb `snd`",
        "did you mean `send`?",
    );
    is_not("«msg» q", "unknown command `msg`");
    helps(
        "«send» 1 \"hi\"",
        "unknown command `send`",
        "did you mean `msgq send` or `sock send`?",
    );
    helps(
        "«create» jobs",
        "unknown command `create`",
        "did you mean `msgq create`, `shm create` or `sem create`?",
    );
    helps(
        "«sned» 1",
        "unknown command `sned`",
        "did you mean `msgq send` or `sock send`?",
    );
    helps(
        "«b:sem» p",
        "unknown command `b:sem`",
        "write a blank after `b:`",
    );
    helps(
        "«b» : sem p",
        "unknown command `b`",
        "an actor is written with no blank: `b:`",
    );
    helps(
        "«python3» x.py",
        "unknown command `python3`",
        "a command of the system is written `!python3`",
    );
    helps(
        "«count» = 5",
        "unknown command `count`",
        "a variable is bound with `let count = …`",
    );
    helps(
        "«exspect» x",
        "unknown command `exspect`",
        "did you mean `expect`?",
    );
    expects(
        "msgq «1»",
        "`msgq` needs a verb before this",
        "expected create, send, recv, ls or rm",
    );
    expects(
        "«sem»",
        "`sem` needs a verb",
        "expected create, p, v, op or get",
    );
    expects(
        "«\"hi\"»",
        "a step cannot begin with data",
        "expected a command",
    );
    expects("b:«»", "a step is missing", "expected a step");
    expects(
        "«...» => ok".replace("«...» => ok", "b: «&»").as_str(),
        "the command is missing before this",
        "expected a command",
    );
    expects(
        "«1b»: sem p",
        "`1b` cannot name an actor",
        "expected a name that starts with a letter or `_`",
    );
    expects(
        "b@«5»: sem p",
        "`5` is not a duration",
        "expected a deadline such as b@500ms: or b@2s:",
    );
    expects(
        "b@«»: sem p",
        "a duration is missing",
        "expected a deadline such as b@500ms: or b@2s:",
    );
}

/// What newcomers bring along from other shells.
#[test]
fn habits() {
    for (marked, message, help) in [
        (
            "«b» sem p",
            "unknown command `b`",
            "a step of the actor `b` is written `b: …`",
        ),
        (
            "«v=5»",
            "unknown command `v=5`",
            "a variable is bound with `let v = …`",
        ),
        (
            "«$v» = 5",
            "unknown command `$v`",
            "a variable is bound with `let v = …`",
        ),
        (
            "msgq ls «|» wc -l",
            "`msgq ls` takes no arguments",
            "`|` is the system's shell's, and works there: ipcsh -c 'msgq ls' | …",
        ),
        (
            "msgq «>» f",
            "`msgq` needs a verb before this",
            "`>` is the system's shell's, and works there: ipcsh -c 'msgq ls' > …",
        ),
        (
            "shm read «>» f",
            "this is not the argument LENGTH",
            "`>` is the system's shell's, which gets variables: let v = shm read …; !printf %s \"$v\" > …",
        ),
        (
            "quit «&&» quit",
            "`&&` is the system's shell's, and means nothing here",
            "steps stand behind `;` or on lines of their own: the first that fails ends all",
        ),
        (
            "«$v»",
            "unknown command `$v`",
            "`echo $v` shows a variable; it is bound with `let v = …`",
        ),
        (
            "«man» x { quit }",
            "unknown command `man`",
            "`help` says it",
        ),
        (
            "«./x.ipc»",
            "unknown command `./x.ipc`",
            "a script is run by `source ./x.ipc`, a program by `!./x.ipc`",
        ),
        (
            "quit «3»",
            "`quit` takes no arguments",
            "how it went makes the code: 0, or 1 from the first step or `expect` that fails",
        ),
        (
            "msgq recv «->» ok",
            "this is not the argument TYPE",
            "an outcome is written after `=>`",
        ),
        (
            "b: sem p «..»",
            "this is not the argument N",
            "a step that must block ends with `...`",
        ),
        (
            "sleep «5»",
            "this is not the argument DURATION",
            "seconds are written 5s",
        ),
        (
            "sem p timeout=«5»",
            "this is not the argument TIMEOUT",
            "seconds are written 5s",
        ),
        (
            "sem p «--timeout=5s»",
            "`sem p` has no flag `--timeout`",
            "did you mean `timeout=`?",
        ),
        (
            "expect «jobs».qnum == 3",
            "`jobs` cannot be looked at",
            "did you mean `msgq.jobs.qnum`?",
        ),
        (
            "expect «b».state == idle",
            "`b` cannot be looked at",
            "did you mean `actor.b.state`?",
        ),
    ] {
        helps(marked, message, help);
    }
    helps(
        "msgq recv max=5 «type=»2",
        "`msgq recv` has no option `type=`",
        "TYPE is written by its place alone: msgq recv [QUEUE] [TYPE] [max=SIZE] [--nowait] [--noerror] [--except]",
    );
}

#[test]
fn arguments() {
    helps(
        "msgq send «\"hi\"»",
        "`msgq send` needs the argument TYPE before this",
        "usage: msgq send [QUEUE] TYPE DATA [--nowait]",
    );
    helps(
        "msgq send 1 «hello»",
        "this is not the argument DATA",
        "data is written in quotes: \"hello\"",
    );
    expects(
        "msgq send jobs«»",
        "`msgq send` needs the argument TYPE",
        "expected a positive integer",
    );
    expects(
        "msgq send 1«» => ok",
        "`msgq send` needs the argument DATA",
        "expected data such as \"text\", x\"00 ff\" or u32:5",
    );
    expects(
        "msgq send «0» \"hi\"",
        "0 is out of range",
        "expected an integer from 1 to 9223372036854775807",
    );
    let huge = "9".repeat(50);
    for (before, number, label) in [
        (
            "msgq send ",
            &*huge,
            "an integer from 1 to 9223372036854775807",
        ),
        ("sem p ", "32768", "an integer from 1 to 32767"),
        (
            "shm create x ",
            &huge,
            "a size in bytes from 0 to 18446744073709551615",
        ),
        ("sem op 0:", "-32769", "an operation from -32768 to 32767"),
        (
            "sem op ",
            "65536",
            "the number of a semaphore from 0 to 65535",
        ),
    ] {
        let behind = if before == "sem op " { ":1" } else { "" };
        expects(
            &format!("{before}«{number}»{behind}"),
            &format!("{number} is out of range"),
            &format!("expected {label}"),
        );
    }
    expects(
        "shm read x @«18446744073709551616»",
        "the offset 18446744073709551616 is out of range",
        "expected an offset from 0 to 18446744073709551615",
    );
    expects(
        "msgq send 1 \"hi\" «\"ho\"»",
        "`msgq send` takes no more arguments",
        "expected the end of the command",
    );
    helps(
        "sem p lock --«»nowiat"
            .replace("--«»nowiat", "«--nowiat»")
            .as_str(),
        "`sem p` has no flag `--nowiat`",
        "did you mean `--nowait`?",
    );
    helps(
        "sem p lock «tiemout=»50ms",
        "`sem p` has no option `tiemout=`",
        "did you mean `timeout=`?",
    );
    expects(
        "sem p lock timeout=«50»",
        "this is not the argument TIMEOUT",
        "expected a duration such as 50ms, 2s or 1m",
    );
    expects(
        "sem p lock timeout=«»",
        "the value of `timeout` is missing",
        "expected a duration such as 50ms, 2s or 1m with no blank before it",
    );
    expects(
        "sem p «--nowait» --nowait"
            .replace("«--nowait» --nowait", "--nowait «--nowait»")
            .as_str(),
        "`--nowait` is given twice",
        "leave one of them out",
    );
    for number in ["65536", "-1", "99999999999999999999"] {
        expects(
            &format!("sem p jobs[«{number}»]"),
            &format!("{number} is no number of a semaphore"),
            "expected an integer from 0 to 65535",
        );
    }
    is_not(
        "expect fifo.\"/x\"«readers» == 0",
        "a dot is missing before this",
    );
    is_not(
        "expect msgq.\"q\"«\"qnum\"» == 0",
        "a dot is missing before this",
    );
    expects(
        "sem p jobs[«x»]",
        "`x` is not the number of a semaphore",
        "expected an integer, such as set[0]",
    );
    expects(
        "msgq recv «jobs[1]»",
        "a message queue has no members",
        "only a semaphore set is indexed, such as set[2]",
    );
    expects(
        "sem p «--timeout=1s»",
        "`sem p` has no flag `--timeout`",
        "expected --nowait, --undo, timeout=",
    );
    expects(
        "sem p «--undo=1»",
        "`--undo` takes no value",
        "write --undo",
    );
    for step in ["sem op «lock[1]» 0:-1", "sem op «sem.lock[1]» 0:-1"] {
        expects(
            step,
            "a semaphore set is meant as a whole here",
            "expected it without the number of a semaphore",
        );
    }
    expects(
        "msgq recv «shm.jobs»",
        "`shm.jobs` names a shared memory segment",
        "expected a message queue",
    );
    expects(
        "msgq create «id:5»",
        "the kernel chooses the ids of new objects",
        "expected a name, or a key such as key:0x1234",
    );
    expects(
        "msgq create «5»",
        "this is not the argument QUEUE",
        "expected a name for the message queue",
    );
    expects(
        "msgq create jobs mode=«999»",
        "this is not the argument MODE",
        "expected a mode in octal up to 0777, such as 0600",
    );
    expects(
        "msgq recv id:«x»",
        "`x` is not an id",
        "expected a number, such as id:32768",
    );
    expects(
        "msgq recv key:«x»",
        "`x` is not a key",
        "expected a key such as 0x1234 or /path,1",
    );
    expects(
        "msgq recv key:/a,«999»",
        "`999` is not a project number",
        "expected an integer from 1 to 255, for ftok(3)",
    );
    expects(
        "shm create «-1»",
        "a size cannot be negative",
        "expected a size in bytes from 0 to 18446744073709551615",
    );
    expects(
        "shm read cnt «u33»@0",
        "`u33` is not a type of integer",
        "expected u8, u16, u32, u64, i8, i16, i32 or i64",
    );
    expects(
        "shm read cnt @«x»",
        "`x` is not an offset",
        "expected a number of bytes, such as @16 or @1K",
    );
    helps(
        "shm write «5»",
        "this number has no width",
        "or name the type in the place: u32@0 5",
    );
    helps(
        "shm write cnt @8 «5»",
        "this number has no width",
        "or name the type in the place: u32@8 5",
    );
    expects(
        "shm write cnt u32:«-1»",
        "-1 does not fit u32, which holds 0 to 4294967295",
        "expected an integer that fits",
    );
    expects(
        "shm write cnt u32:«x»",
        "`x` is not an integer",
        "expected an integer for u32",
    );
    expects(
        "sem op s «0:+-1»",
        "this is not the argument OP",
        "expected an operation such as 0:-1, 1:+1u or 2:0",
    );
    expects(
        "sem op s«»",
        "`sem op` needs the argument OP",
        "expected an operation such as 0:-1, 1:+1u or 2:0",
    );
    expects(
        "ipcs «-x»",
        "`ipcs` has no flag `-x`",
        "expected -q, -m, -s, -i, -o",
    );
    expects(
        "ipcs «-i»",
        "`-i` needs a value after it",
        "expected an integer that is not negative",
    );
    expects(
        "ipcs -i «x»",
        "this is not the argument ID",
        "expected an integer that is not negative",
    );
    expects(
        "spawn «1»",
        "this is not the argument ACTOR",
        "expected an actor's name",
    );
    helps(
        "watch ipcs «evry» 2s",
        "`ipcs` takes no more arguments",
        "usage: ipcs [-q] [-m] [-s] [-i ID] [-o COLUMNS]",
    );
    expects(
        "watch «watch» ipcs",
        "`watch` does not only look",
        "expected msgq ls, ipcs, actors or who",
    );
    expects(
        "watch «msgq recv» jobs every 2s",
        "`msgq recv` does not only look",
        "expected msgq ls, ipcs, actors or who",
    );
    expects(
        "watch «every» 2s",
        "the command is missing before this",
        "expected msgq ls, ipcs, actors or who",
    );
    expects(
        "echo «$1»",
        "`$1` holds a `$` that names no variable",
        "a variable is written $name; a plain $ stands in quotes",
    );
    expects(
        "echo «a$»",
        "`a$` holds a `$` that names no variable",
        "a variable is written $name; a plain $ stands in quotes",
    );
    expects(
        "msgq recv «$((1 + 1))x»",
        "nothing can follow `))` in a word",
        "expected a blank after `))`",
    );
    expects(
        "let v = $((1 +« »))".replace("« »))", "«)»)").as_str(),
        "this arithmetic makes no sense",
        "expected a number, a variable, or an operator of C",
    );
    expects(
        "let v = $((1 «2»))",
        "this arithmetic makes no sense",
        "expected a number, a variable, or an operator of C",
    );
}

#[test]
fn strings() {
    expects(
        "msgq send 1 \"a«\\q»\"",
        "unknown escape",
        "expected \\n \\t \\r \\0 \\e \\a \\\\ \\\" \\' \\$ \\xHH or \\u{HEX}",
    );
    expects(
        "msgq send 1 \"«\\x»4\"",
        "unknown escape",
        "expected \\n \\t \\r \\0 \\e \\a \\\\ \\\" \\' \\$ \\xHH or \\u{HEX}",
    );
    expects(
        "msgq send 1 x\"0«g»\"",
        "these are not pairs of hex digits",
        "expected bytes such as x\"00 ff 0a\"",
    );
    expects(
        "msgq send 1 x\"00 «1»\"",
        "these are not pairs of hex digits",
        "expected bytes such as x\"00 ff 0a\"",
    );
    expects(
        "msgq send 1 \"«${a-b}»\"",
        "this names no variable",
        "a variable is written ${name} or ${name.field}; a plain `${` is written \\${",
    );
    expects(
        "msgq send 1 «hex»\"00\"",
        "a string follows this word with no blank between",
        "write a blank, or one of the prefixes x, file, re and glob",
    );
    expects(
        "msgq send 1 «\\» x",
        "a `\\` continues a line only as its last character",
        "write a plain word, or data in quotes",
    );
    expects(
        "msgq send 1 «\\» \n\"x\"",
        "a `\\` continues a line only as its last character",
        "remove the blanks behind it",
    );
    expects(
        "echo «\u{1b}»[31m",
        "a control character stands here",
        "write it in a string, such as \"\\x1b\"",
    );
    expects(
        "let v = «$((»1 + 1",
        "this `$((` is never closed",
        "expected `))` on the same line",
    );
    expects(
        "echo «${v» x",
        "this `${` is never closed",
        "a variable is written ${name} or ${name.field}",
    );
    let e = is_not(
        "msgq recv => «re\"(\"»",
        "this pattern is not valid: unclosed group",
    );
    assert!(!e.incomplete);
}
