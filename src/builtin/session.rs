//! Commands about the session itself.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;

use crate::data::{Failure, Family, Object, Outcome, Reply, counted};
use crate::exec::{Builtin, Engine, Flow, Interrupted, Sink};
use crate::lang::{
    Arg, Example, Kind, Param, Reference, Refusal, Signature, Target, must_be_regular,
};
use crate::mechanism::Args;

pub(super) static ECHO: Builtin = Builtin {
    signature: Signature {
        name: "echo",
        summary: "show words and the values of variables",
        params: &[Param::any("word", Kind::Word, "what is shown")],
        notes: "A word that is no text is shown as it may be typed: x\"ff 00\".",
        examples: &[Example {
            script: "let v = 6\necho the answer is $((v * 7))",
            shows: "a value",
        }],
        ..Signature::NEW
    },
    run: |_, args, _| Ok(super::words(args, "word")?.into()),
};

pub(super) static SLEEP: Builtin = Builtin {
    signature: Signature {
        name: "sleep",
        summary: "wait for a while; no claim about anything should rest on it",
        params: &[Param::required("duration", Kind::Duration, "how long")],
        lasts: true,
        notes: "Whether a step is blocked is seen in the kernel: `STEP ...`. Where something takes \
                its time, `expect … within 2s` waits no longer than it must.",
        examples: &[Example {
            script: "sleep 10ms",
            shows: "a pause",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        let duration = args.duration("duration")?.unwrap_or_default();
        engine.sleep(duration)?;
        Ok(Outcome::ok().into())
    },
};

pub(super) static KEEP: Builtin = Builtin {
    signature: Signature {
        name: "keep",
        summary: "let objects stay when the session ends",
        params: &[Param::repeated(
            "object",
            Kind::AnyRef,
            "which: NAME, or FAMILY.NAME",
        )],
        refuses: Some(|given| {
            let mut all = given.all("object");
            all.find_map(|(at, arg)| match arg {
                Arg::Ref(reference) => Some(Refusal::new(at, nothing_to_keep(reference)?, OURS)),
                _ => None,
            })
        }),
        examples: &[Example {
            script: "msgq create jobs\nkeep jobs\nmsgq rm jobs",
            shows: "an object that would stay, were it not removed",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| Ok(keep(engine, args)?),
};

const OURS: &str = "expected what this session created, by its name";

/// Why no object that is written so can be kept.
fn nothing_to_keep(reference: &Reference) -> Option<&'static str> {
    match &reference.target {
        _ if reference.index.is_some() => Some("a semaphore set is kept as a whole"),
        // A FIFO and a POSIX object are named by their paths.
        Target::Name(_) | Target::Path(_) => None,
        _ => Some("only what this session created is kept, and that has a name"),
    }
}

fn keep(engine: &Engine, args: &Args) -> Result<Reply, Failure> {
    for arg in args.all("object") {
        let Arg::Ref(reference) = arg else { continue };
        let name = match &reference.target {
            Target::Name(name) => name.clone(),
            Target::Path(term) => String::from_utf8_lossy(&engine.env.bytes(term)?).into_owned(),
            _ => continue,
        };
        let name = name.as_str();
        let families = match reference.family {
            Some(family) => vec![family],
            None => Family::ALL
                .into_iter()
                .filter(|f| engine.names.get(*f, name).is_some())
                .collect(),
        };
        let [family] = families.as_slice() else {
            return Err(match families.is_empty() {
                true => Failure::refused(format!("nothing is named `{name}`")),
                false => Failure::refused(format!("several objects are named `{name}`"))
                    .help(format!("Say which: keep {}.{name}", families[0].noun())),
            });
        };
        match engine.names.get(*family, name) {
            None => return Err(Failure::refused(format!("nothing is named `{name}`"))),
            Some(binding) => match (binding.entry, engine.ledger()) {
                (Some(entry), Some(ledger)) => {
                    if !ledger.keep(entry, *family, &binding.object) {
                        return Err(Failure::refused(format!("`{name}` was removed")));
                    }
                }
                _ if matches!(binding.object, Object::Inode(_)) => {
                    let what = family.object();
                    let text = format!("a {what} cannot be kept: it ends with its last descriptor");
                    return Err(Failure::refused(text));
                }
                _ => {
                    return Err(Failure::refused(format!(
                        "`{name}` was not created by this session: it stays anyway"
                    )));
                }
            },
        }
    }
    Ok(Outcome::ok().into())
}

pub(super) static SAVE: Builtin = Builtin {
    signature: Signature {
        name: "save",
        summary: "write the session so far as a script that passes when it is run",
        params: &[
            Param::required("file", Kind::Path, "where to"),
            Param::flag("force", "replace a file that exists"),
        ],
        typed: true,
        notes: "It can be used at the prompt. A script's own transcript is what it prints.",
        ..Signature::NEW
    },
    run: |engine, args, _| {
        let path = args.text("file")?.unwrap_or_default();
        let mut text = String::from("#!/usr/bin/env -S ipcsh\n");
        for line in &engine.journal {
            text.push_str(line);
            text.push('\n');
        }
        for name in engine.pending_actors() {
            text.push_str(&format!("cancel {name}\n"));
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).mode(0o755);
        match args.flag("force") {
            true => options.create(true).truncate(true),
            false => options.create_new(true),
        };
        // What is not there yet is made.
        let regular = match must_be_regular(path.as_ref()) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            regular => regular,
        };
        let written = regular
            .and_then(|()| options.open(&path))
            .and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => Ok(Outcome::ok()
                .note(format!(
                    "saved {} in {path}",
                    counted(engine.journal.len(), "line")
                ))
                .into()),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let failure = Failure::refused(format!("{path} exists"));
                Err(failure.help("Replace it with --force").into())
            }
            Err(e) => Err(Failure::refused(format!("{path} cannot be written: {e}")).into()),
        }
    },
};

const LEAVE: Signature = Signature {
    summary: "end the session: what it created is removed",
    ..Signature::NEW
};

pub(super) static QUIT: Builtin = Builtin {
    signature: Signature {
        name: "quit",
        ..LEAVE
    },
    run: leave,
};

pub(super) static EXIT: Builtin = Builtin {
    signature: Signature {
        name: "exit",
        ..LEAVE
    },
    run: leave,
};

fn leave(_: &mut Engine, _: &Args, _: &mut dyn Sink) -> Result<Reply, Interrupted> {
    Err(Interrupted::Flow(Flow::Quit))
}
