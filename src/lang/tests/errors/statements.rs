//! Mistakes in the forms of statements.

use super::{expects, helps};

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
    expects(
        "«let v = !sleep 9» &",
        "a command in the background has no output yet for `v`",
        "leave out the `let`, or the `&`",
    );
}
