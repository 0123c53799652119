//! `pipe a | b`: joins actors and programs by pipes.

use crate::data::Failure;
use crate::exec::{Builtin, Stage};
use crate::lang::{Arg, Example, Kind, Param, Signature};
use crate::mechanism::Args;

pub(super) static PIPE: Builtin = Builtin {
    signature: Signature {
        name: "pipe",
        summary: "join actors and programs by pipes: a name is an actor, a string a program",
        yields: &["exitN", "signalN"],
        params: &[Param::required(
            "stages",
            Kind::Pipeline,
            "what is joined; an actor that is new is started",
        )],
        calls: &["pipe2(2)", "execve(2)", "pidfd_getfd(2)", "sendmsg(2)"],
        notes: "An actor gets the ends it needs as descriptors (SCM_RIGHTS), and no other process \
                keeps one: `pipe write`, `pipe read` and `pipe close` in it mean them.\n\
                Where all stages are programs, it waits for them. Each one's exit status that is \
                not 0 is in the outcome by its place (`exit2=1`), and is a failure unless it is \
                claimed. A stage before the last that is killed by SIGPIPE has only been told that \
                nobody reads any more: it is not a failure.\n\
                Beside an actor, a program runs in the background; how it ended is told when it has.",
        examples: &[
            Example {
                script: "pipe a | b\na: pipe write \"hello\\n\"\nb: pipe read => \"hello\\n\"\n\
                         a: pipe close\nb: pipe read => eof",
                shows: "from one process to another, up to its end",
            },
            Example {
                script: "pipe \"seq 5\" | \"grep -v 3\" | \"wc -l\"\npipe \"seq 3\" | \"grep 9\" => exit2=1",
                shows: "programs, and how each of them ended",
            },
            Example {
                script: "pipe \"seq 3\" | b\nb: pipe read => \"1\\n2\\n3\\n\"",
                shows: "what a program writes, read step by step",
            },
        ],
        ..Signature::NEW
    },
    run: |engine, args, sink| {
        let stages = stages(args)?;
        Ok(engine.pipeline(&stages, sink)?)
    },
};

fn stages(args: &Args) -> Result<Vec<Stage>, Failure> {
    args.all("stages")
        .map(|arg| match arg {
            Arg::Word(name) => Ok(Stage::Actor(name.clone())),
            Arg::Term(term) => Ok(Stage::Program(args.env.bytes(term)?.into_owned())),
            other => Err(Failure::refused(format!("{other:?} is no stage"))),
        })
        .collect()
}
