//! The statements that are no commands of the table: the parser knows their form, and
//! `help` knows them from here.

use crate::lang::{Example, Kind, Need, Param, Signature};

/// A word that stands as it is.
const fn value(name: &'static str, help: &'static str) -> Param {
    Param {
        name,
        form: crate::lang::Form::Positional,
        kind: Kind::Word,
        need: Need::Required,
        help,
    }
}

pub(super) static ALL: &[&Signature] = &[
    &LET, &EXPECT, &REQUIRE, &DEFER, &TIMEOUT, &REPEAT, &SOURCE, &HOST,
];

static LET: Signature = Signature {
    name: "let",
    summary: "bind a step's outcome, what is seen of an object, a value, or what a !command prints",
    params: &[
        value(
            "name",
            "the variable: then $name, $name.field, \"${name.field}\"",
        ),
        value("=", "stands alone"),
        value(
            "what",
            "a command, a path such as msgq.jobs.qnum, a value such as 42 or \"text\" or $((…)), or !command",
        ),
    ],
    examples: &[
        Example {
            script: "shm create cnt\nshm write cnt u32@0 41\nlet v = shm read cnt u32@0\nshm write cnt u32@0 $((v + 1))\nshm read cnt u32@0 => 42",
            shows: "read, add, write",
        },
        Example {
            script: "msgq create jobs\nlet before = msgq.jobs.qnum\nmsgq send 1 \"x\"\nexpect msgq.jobs.qnum == $((before + 1))",
            shows: "how it was before",
        },
    ],
    ..Signature::NEW
};

static EXPECT: Signature = Signature {
    name: "expect",
    summary: "state what must hold of an object, an actor, a limit or a variable",
    params: &[
        value(
            "subject",
            "FAMILY.REF.FIELD, FAMILY.FIELD of the current object, actor.NAME.FIELD, limits.NAME.value, shm.REF.TYPE@OFF, $name, or `deadlock a b`",
        ),
        value("op", "== != < <= > >= or ~ with a pattern"),
        value("value", "a number, \"data\", a word, re\"…\" or glob\"…\""),
        Param::optional(
            "within",
            Kind::Word,
            "`within DUR`: it must hold before that is over",
        ),
    ],
    notes: "The fields are the columns of the tables: `help fields` lists them, `help msgq`, `help shm` … \
            say what each is.\n\
            A step that was just started with `&` is first seen to block or to end; what takes longer, \
            `within` waits for.",
    examples: &[Example {
        script: "sem create lock 0\nb: sem p lock ...\nexpect sem.lock.ncnt == 1\nexpect actor.b.state == blocked\nexpect actor.b.call ~ re\"semop lock\"\nsem v lock\nb: ... => ok",
        shows: "who is blocked, from the kernel",
    }],
    ..Signature::NEW
};

static REQUIRE: Signature = Signature {
    name: "require",
    summary: "skip the script where something it needs is not there",
    params: &[value(
        "what",
        "`root`, `program NAME`, `!command` that must exit with 0, or a condition as in `expect`",
    )],
    examples: &[Example {
        script: "require limits.msgmni.value >= 1",
        shows: "a limit that the script needs",
    }],
    ..Signature::NEW
};

static DEFER: Signature = Signature {
    name: "defer",
    summary: "run a statement at the end, whatever happens; the last deferred is the first",
    params: &[value("statement", "what is run")],
    examples: &[Example {
        script: "msgq create jobs\ndefer msgq rm jobs",
        shows: "a clean-up of one's own",
    }],
    ..Signature::NEW
};

static TIMEOUT: Signature = Signature {
    name: "timeout",
    summary: "set how long a step may stay blocked, 10 s at first",
    params: &[
        value("step", "the word `step`"),
        Param::required("duration", Kind::Duration, "how long"),
    ],
    notes: "One step's own deadline is written before it: `b@500ms: msgq recv`.",
    examples: &[Example {
        script: "timeout step 2s",
        shows: "two seconds for each step",
    }],
    ..Signature::NEW
};

static REPEAT: Signature = Signature {
    name: "repeat",
    summary: "run a block so many times",
    params: &[value("count", "how often"), value("{ … }", "the block")],
    notes: "A block whose steps are all for one actor runs whole inside it, at the speed of the \
            system calls. A block with steps of several actors, or of the shell, runs step by step.",
    examples: &[Example {
        script: "repeat 1000 { msgq send 1 \"x\"; msgq recv }",
        shows: "a loop inside an actor",
    }],
    ..Signature::NEW
};

static SOURCE: Signature = Signature {
    name: "source",
    summary: "run the statements of another file here",
    params: &[Param::required(
        "file",
        Kind::Path,
        "its path, as seen from the file that names it",
    )],
    ..Signature::NEW
};

static HOST: Signature = Signature {
    name: "!",
    summary: "run the rest of the line with /bin/sh",
    params: &[value(
        "command",
        "what `sh -c` gets; it may end with ` &`, or with `=> exit=N`",
    )],
    notes: "Variables are in its environment: $v, and $v_field for a field. ${name.field}, with a dot, \
            is put in before: `!kill -9 ${b.pid}`.\n\
            `let x = !command` binds what it writes to standard output.\n\
            With ` &` it leads a process group of its own, which ends with the session, also with one that \
            is killed: SIGTERM, and SIGKILL two seconds later.",
    examples: &[Example {
        script: "!true\n!exit 3 => exit=3\nlet who = !echo me\nexpect $who == \"me\"",
        shows: "exit status and output",
    }],
    ..Signature::NEW
};
