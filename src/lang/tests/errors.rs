//! What is not understood: the words under the caret, and what is said of them.

use super::is_not;

/// The mistake, and the help line that goes with it.
#[track_caller]
fn helps(marked: &str, message: &str, help: &str) {
    let e = is_not(marked, message);
    assert_eq!(e.help.as_deref().unwrap_or(""), help);
    assert!(!e.incomplete && !e.label.is_empty(), "{marked}");
}

/// The mistake, and the label under its caret.
#[track_caller]
fn expects(marked: &str, message: &str, label: &str) {
    let e = is_not(marked, message);
    assert_eq!(e.label, label);
    assert!(!e.incomplete, "{marked}");
}

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
    helps(
        "«send» 1 \"hi\"",
        "unknown command `send`",
        "did you mean `msgq send`?",
    );
    helps(
        "«create» jobs",
        "unknown command `create`",
        "did you mean `msgq create`, `shm create` or `sem create`?",
    );
    helps(
        "«sned» 1",
        "unknown command `sned`",
        "did you mean `msgq send`?",
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
        "`` is not a duration",
        "expected a deadline such as b@500ms: or b@2s:",
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
        "expected a positive integer",
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
        "`nowait` is given twice",
        "leave one of them out",
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
        "expected a mode in octal such as 0600",
    );
    expects(
        "msgq recv id:«x»",
        "`x` is not an id",
        "expected a number, such as id:32768",
    );
    expects(
        "msgq recv key:«x»",
        "`x` is not a key",
        "expected key:0x1234, or key:/path,1",
    );
    expects(
        "msgq recv key:/a,«999»",
        "`999` is not a project number",
        "expected an integer from 1 to 255, for ftok(3)",
    );
    expects(
        "shm create «-1»",
        "a size cannot be negative",
        "expected a size such as 4096 or 64K",
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
        "`watch` cannot stand inside a command",
        "expected another command",
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
        "expected a number, a variable, or one of + - * / % << >> & | ^",
    );
    expects(
        "let v = $((1 «2»))",
        "this arithmetic makes no sense",
        "expected a number, a variable, or one of + - * / % << >> & | ^",
    );
}

#[test]
fn steps() {
    expects(
        "sem p lock«...»",
        "`...` is a word of its own",
        "write blanks around it",
    );
    expects(
        "sem p lock«&»",
        "`&` is a word of its own",
        "write blanks around it",
    );
    expects(
        "sem p lock«=>»ok",
        "`=>` is a word of its own",
        "write blanks around it",
    );
    expects(
        "sem p lock ... «x»",
        "nothing but an outcome can follow `...`",
        "expected `=>` or the end of the step",
    );
    expects(
        "sem p & «...»",
        "nothing but an outcome can follow `&`",
        "expected `=>` or the end of the step",
    );
    expects(
        "b: sem p ...; b: ... «x»",
        "nothing but an outcome can follow `...`",
        "expected `=>` or the end of the statement",
    );
    expects(
        "ipcs «...»",
        "`ipcs` runs in the shell and never blocks",
        "leave this out",
    );
    expects(
        "«b»: ipcs",
        "`ipcs` runs in the shell, not in an actor",
        "leave out `b:`",
    );
    expects(
        "«b»: !date",
        "`!` runs in the shell, not in an actor",
        "leave out `b:`",
    );
    expects(
        "msgq recv «{» }",
        "no block can stand here",
        "a block follows `repeat N`",
    );
    expects(
        "sem p «}»",
        "this `}` closes no block",
        "no `{` is open here",
    );
    expects(
        "timeout step 5s «=>» ok",
        "the statement ends before this",
        "no outcome can be claimed of this statement",
    );
}

#[test]
fn outcomes() {
    helps(
        "b: sem p ...; b: ... => «EAGIAN»",
        "unknown errno `EAGIAN`",
        "did you mean `EAGAIN`?",
    );
    helps(
        "msgq recv => «eagain»",
        "`eagain` is not an outcome",
        "did you mean `EAGAIN`?",
    );
    helps(
        "msgq recv => «EOF»",
        "unknown errno `EOF`",
        "did you mean `eof`?",
    );
    helps(
        "msgq recv => «OK»",
        "`OK` is not an outcome",
        "did you mean `ok`?",
    );
    helps(
        "msgq recv => «hello»",
        "`hello` is not an outcome",
        "data is written in quotes: \"hello\"",
    );
    helps(
        "msgq recv => «blocked»",
        "`blocked` is not an outcome",
        "a step that must block is written with `...`, without `=>`",
    );
    const WHAT: &str =
        "expected ok, eof, an errno such as EAGAIN, a value, or fields such as type=2";
    expects("msgq recv =>«»", "the outcome is missing after `=>`", WHAT);
    expects(
        "msgq recv => 5 «6»",
        "nothing can follow the value of an outcome",
        "fields stand before the value: type=2 \"hi\"",
    );
    expects(
        "msgq recv => ok «5»",
        "nothing can follow the outcome `ok`",
        "expected the end of the statement",
    );
    expects(
        "msgq recv => type=«» 2",
        "the value of `type` is missing",
        "expected a value, such as type=2, with no blank before it",
    );
    expects(
        "msgq recv => 5 «...»",
        "nothing can follow the value of an outcome",
        "fields stand before the value: type=2 \"hi\"",
    );
    expects("msgq recv => «{»", "a value is expected here", WHAT);
}

#[test]
fn bindings() {
    expects(
        "let v«=»5",
        "`=` is a word of its own",
        "write blanks around it: let v = 5",
    );
    expects(
        "let v«=» 5",
        "`=` is a word of its own",
        "write blanks around it: let v = 5",
    );
    expects(
        "let v «=»5",
        "`=` is a word of its own",
        "write blanks around it: let v = 5",
    );
    expects(
        "let v «5»",
        "`=` is missing before this",
        "expected `=`: let NAME = VALUE",
    );
    expects(
        "let v =«»",
        "a command or a value is missing",
        "expected a command or a value",
    );
    expects(
        "let«»",
        "the name of a variable is missing",
        "expected the name of a variable",
    );
    expects(
        "let «1v» = 5",
        "this cannot name a variable",
        "expected a name of letters, digits and `_`",
    );
    expects(
        "let «$v» = 5",
        "a variable is bound by its name alone",
        "leave out the `$`",
    );
    expects(
        "let v = «repeat» 2 { }",
        "`repeat` gives no value to bind",
        "expected a command or a value",
    );
    expects(
        "«b»: let v = 5",
        "`let` runs in the shell, not in an actor",
        "leave out `b:`",
    );
    expects(
        "let v = 5 «6»",
        "the statement ends before this",
        "expected a newline or `;`",
    );
    helps(
        "let v = «hello»",
        "unknown command `hello`",
        "data is written in quotes: \"hello\"",
    );
}

#[test]
fn expectations() {
    helps(
        "expect msgq.jobs.qnum «=» 3",
        "this is not a comparison",
        "did you mean `==`?",
    );
    helps(
        "expect msgq.jobs.«qnm» == 3",
        "`msgq` has no field `qnm`",
        "did you mean `qnum`?",
    );
    helps(
        "expect «msq».jobs.qnum == 3",
        "`msq` cannot be looked at",
        "did you mean `msgq`?",
    );
    helps(
        "expect limits.«msgmx».value == 3",
        "unknown limit `msgmx`",
        "did you mean `msgmax`?",
    );
    expects(
        "expect msgq.jobs.qnum«==»3",
        "`==` is a word of its own",
        "write blanks around it",
    );
    expects(
        "expect «msgq» == 3",
        "the field is missing",
        "expected msgq.NAME.FIELD",
    );
    expects(
        "expect msgq.jobs.«» == 3",
        "the field is missing behind the dot",
        "expected id, key, perms, qnum, cbytes, qbytes",
    );
    expects(
        "expect «msgq.a.b.qnum» == 3",
        "this path has too many parts",
        "expected msgq.NAME.FIELD",
    );
    expects(
        "expect «actor.state» == idle",
        "the name is missing",
        "expected actor.NAME.state",
    );
    expects(
        "expect msgq.«5».qnum == 3",
        "`5` cannot name an object",
        "expected NAME, id:N or key:K",
    );
    expects(
        "expect msgq.jobs.qnum«»",
        "a comparison is missing",
        "expected ==, !=, <, <=, >, >= or ~",
    );
    expects(
        "expect msgq.jobs.qnum ==«»",
        "a value is missing",
        "expected a value",
    );
    expects(
        "expect msgq.jobs.qnum «==» re\"3\"",
        "a pattern is compared with `~`",
        "expected `~` before a pattern",
    );
    expects(
        "expect msgq.jobs.qnum ~ «3»",
        "`~` compares with a pattern",
        "expected re\"…\" or glob\"…\"",
    );
    expects(
        "expect msgq.jobs.qnum == 3 within «5»",
        "this is not a duration",
        "expected a duration such as 500ms, 5s or 1m",
    );
    expects(
        "expect msgq.jobs.qnum == 3 «forever»",
        "the statement ends before this",
        "expected a newline or `;`",
    );
    expects(
        "expect deadlock«»",
        "an actor is missing",
        "expected an actor",
    );
    expects(
        "expect deadlock «5»",
        "this is not an actor",
        "expected the actors that wait for each other",
    );
    expects(
        "expect «\"a\"» == 3",
        "this cannot be looked at",
        "expected KIND.NAME.FIELD, such as msgq.jobs.qnum, or $variable",
    );
    expects(
        "require «rot»",
        "`rot` cannot be required",
        "expected root, program NAME, !command, or a condition such as limits.msgmax.value >= 8192",
    );
    expects(
        "require program «\"x\"»",
        "this cannot name a program",
        "expected a name such as python3, without quotes",
    );
    expects(
        "require «!»",
        "the command is missing behind `!`",
        "expected a command of the system, such as !ipcs -q",
    );
}

#[test]
fn control() {
    const BRACES: &str = "what is repeated stands in braces: repeat 3 { msgq recv }";
    helps(
        "repeat 3 «msgq» recv",
        "the block is missing before this",
        BRACES,
    );
    helps("repeat 3«»", "`{` is missing", BRACES);
    helps(
        "repeat«»",
        "how often is missing",
        "usage: repeat 10 { STATEMENTS }",
    );
    helps(
        "repeat «{» }",
        "this is not a number",
        "usage: repeat 10 { STATEMENTS }",
    );
    expects(
        "repeat «-1» { }",
        "a loop cannot run fewer than 0 times",
        "expected how often",
    );
    expects(
        "b: repeat 2 { «ipcs» }",
        "this cannot run inside the actor `b`, and its loop runs whole there",
        "only plain steps and `let` can stand in this loop",
    );
    expects(
        "b: repeat 2 { «a»: sem p }",
        "this loop runs whole inside the actor `b`",
        "this step is another actor's",
    );
    expects(
        "repeat 2 { sem p } «x»",
        "nothing can follow the block but its course and outcome",
        "expected `...`, `&`, `=>` or the end of the statement",
    );
    expects(
        "repeat 2 { ipcs } «=>» ok",
        "the statement ends before this",
        "no outcome can be claimed of this statement",
    );
    helps(
        "timeout «5s»",
        "`timeout` sets the deadline of the steps",
        "usage: timeout step 5s",
    );
    expects(
        "timeout step «5»",
        "this is not a duration",
        "expected a duration such as 500ms, 5s or 1m",
    );
    expects(
        "defer «require» root",
        "`require` cannot be deferred",
        "expected a step, a check or a loop to run at the end",
    );
    helps(
        "defer«»",
        "what is deferred is missing",
        "usage: defer msgq rm jobs",
    );
    expects(
        "«!»",
        "the command is missing behind `!`",
        "expected a command of the system, such as !ipcs -q",
    );
    expects(
        "repeat 2 { !date «}»",
        "this `}` belongs to the command, since `!` takes the rest of its line",
        "write `}` on a line of its own",
    );
    const ENDS: &str = "expected `=> ok`, `=> exit=N` or `=> signal=NAME`";
    expects(
        "!false => «EAGAIN»",
        "a command of the system cannot end so",
        ENDS,
    );
    expects("!false «=>»", "a command of the system cannot end so", ENDS);
    expects(
        "!sleep 9 & => «ok»"
            .replace("& => «ok»", "& => «exit=0»")
            .as_str(),
        "a command in the background has no outcome yet",
        "leave out this, or the `&`",
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
