//! Anonymous pipes: pipe(7).
//!
//! A pipe has no name of the kernel's by which it could be opened. Its ends are descriptors
//! of processes; a step in an actor that has none of an object gets a copy of another's.

pub(super) mod table;
pub(super) mod wording;

use super::stream::{
    self, ALL, AT_MOST, DATA, EVERYTHING, LINE, LINE_OR_ALL, MAX, NOWAIT, ONE_AMOUNT,
};
use super::{Args, Mechanism, ObjectKind, Run, Sight, Verb, World};
use crate::data::{Failure, Family, Object, Outcome, Reply, StepResult, counted};
use crate::inspect::snapshot::Snapshot;
use crate::inspect::thing::Thing;
use crate::kernel::{Errno, pipe};
use crate::lang::{Example, Kind, Param, Runs, Signature, Target};
use crate::session::{Binding, Side};

const FAMILY: Family = Family::Pipe;

const PIPE: Param = Param::optional(
    "pipe",
    Kind::Ref(FAMILY),
    "which one; the one this actor used last where it is left out",
);

const NOBODYS: (&str, &str) = ("EBADF", "no actor of this session has that end of it open");

super::common_verbs::seeing_verbs!(
    FAMILY,
    "pipe",
    "pipe",
    "pidfd_getfd(2)",
    "pipe create x",
    "name,ino,bytes",
    &[("ENOENT", "no process has it open")],
    LOOKED_INTO
);

/// What asking for `bytes` and `capacity` does.
pub(crate) const LOOKED_INTO: &str = "How much is in it is asked of a copy of somebody's descriptor, closed \
                                      at once: for that moment there is one more reader or writer.";

static CREATE: Verb = Verb {
    signature: Signature {
        name: "pipe create",
        yields: &["ino"],
        summary: "make a pipe; this actor has both of its ends",
        params: &[
            Param::optional(
                "name",
                Kind::NewName(FAMILY),
                "its name in this session; p1, p2 … where it is left out",
            ),
            Param::option("size", Kind::Size, "how many bytes it holds; 64K"),
        ],
        runs: Runs::Actor,
        calls: &["pipe2(2)", "fcntl(2)"],
        errnos: &[
            ("EEXIST", "the name is taken"),
            ("EINVAL", "no pipe is as large"),
            ("EMFILE", "this process has as many descriptors as it may"),
            (
                "EPERM",
                "the size is above fs.pipe-max-size, which takes CAP_SYS_RESOURCE",
            ),
        ],
        notes: "A reader sees the end when no process has the write end open any more: close it \
                in every actor that has it.",
        examples: &[Example {
            script: "pipe create p\npipe write p \"hi\"\npipe read p => \"hi\"",
            shows: "both ends in one process",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(create),
};

fn create(world: &mut World, args: &Args) -> StepResult {
    let wanted = match args.reference("name").map(|r| &r.target) {
        Some(Target::Name(name)) => Some(name.clone()),
        _ => None,
    };
    if let Some(name) = &wanted
        && let Some(binding) = world.names.get(FAMILY, name)
        && is_open(&binding.object)
    {
        return Err(
            Failure::errno("EEXIST", format!("`{name}` already names a pipe")).help(format!(
                "Close it (`pipe close {name}`), or choose another name"
            )),
        );
    }
    let (read, write) = pipe::create().map_err(|e| args.failure(e, "pipe2()".into()))?;
    if let Some(size) = args.int::<usize>("size")? {
        pipe::set_capacity(&write, size)
            .map_err(|e| args.failure(e, format!("fcntl(F_SETPIPE_SZ, {size})")))?;
    }
    let id = pipe::identity(&read).map_err(|e| args.failure(e, "fstat()".into()))?;
    let object = Object::Inode(id.ino);
    let asked = wanted.is_some();
    let name = wanted.unwrap_or_else(|| world.names.unique(FAMILY, &world.ledger));
    world.files.insert(FAMILY, object.clone(), Side::Read, read);
    world
        .files
        .insert(FAMILY, object.clone(), Side::Write, write);
    let binding = Binding {
        object,
        key: 0,
        entry: None,
    };
    world.names.bind(FAMILY, &name, binding);
    let outcome = Outcome::ok().remark("ino", id.ino);
    Ok(match asked {
        true => outcome,
        false => outcome.note(format!("created pipe {name} (pipe:[{}])", id.ino)),
    })
}

/// Whether anybody has a pipe open: its name is free when it is gone.
fn is_open(object: &Object) -> bool {
    let ino = object.inode().map(Thing::Pipe);
    ino.is_some_and(|ino| !Snapshot::default().open().on(ino).is_empty())
}

static READ: Verb = Verb {
    signature: Signature {
        name: "pipe read",
        summary: "take bytes out of a pipe",
        params: &[PIPE, MAX, LINE, ALL, NOWAIT],
        rules: &[LINE_OR_ALL],
        runs: Runs::Actor,
        takes: true,
        blocks: Some("while it is empty and some process has its write end open"),
        calls: &["preadv2(2)"],
        errnos: &[stream::READ_ERRNOS[0], NOBODYS, stream::READ_ERRNOS[1]],
        notes: "It gives what is there, up to max bytes; `eof` when it is empty and no process has \
                the write end open.",
        examples: &[Example {
            script: "pipe create p\npipe write p \"one\\ntwo\\n\"\npipe read p --line => \"one\\n\"\n\
                     pipe read p max=2 => \"tw\"\npipe close p w\npipe read p --all => \"o\\n\"\n\
                     pipe read p => eof",
            shows: "by the line, by the byte, to the end",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Read, |world, args| {
        let (object, label) = find(world, args, Side::Read)?;
        let fd = world.files.get(FAMILY, &object, Side::Read);
        stream::read(
            fd.ok_or_else(|| not_held(&label, Side::Read))?,
            (FAMILY, &object),
            &label,
            args,
        )
    }),
};

static WRITE: Verb = Verb {
    signature: Signature {
        name: "pipe write",
        yields: &["written"],
        summary: "put bytes into a pipe",
        params: &[PIPE, DATA, NOWAIT],
        runs: Runs::Actor,
        blocks: Some("while it is full and some process has its read end open"),
        calls: &["pwritev2(2)"],
        errnos: &[
            stream::WRITE_ERRNOS[0],
            NOBODYS,
            stream::WRITE_ERRNOS[1],
            stream::WRITE_ERRNOS[2],
        ],
        notes: "Up to 4096 bytes (PIPE_BUF) go at once or not at all; with --nowait a longer write \
                may put in a part, and says how much: `written=65536`.",
        examples: &[Example {
            script: "pipe create p size=4096\npipe write p x\"00 ff 0a\"\npipe read p => x\"00 ff 0a\"\n\
                     pipe close p r\npipe write p \"x\" => EPIPE",
            shows: "any bytes, and nobody to read them",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Write, |world, args| {
        let (object, label) = find(world, args, Side::Write)?;
        let fd = world.files.get(FAMILY, &object, Side::Write);
        stream::write(
            fd.ok_or_else(|| not_held(&label, Side::Write))?,
            (FAMILY, &object),
            &label,
            args,
        )
    }),
};

static CLOSE: Verb = Verb {
    signature: Signature {
        name: "pipe close",
        summary: "close this actor's ends of a pipe, or one of them",
        params: &[
            PIPE,
            Param::optional(
                "end",
                Kind::Choice(&["r", "w"]),
                "the read end or the write end; both where it is left out",
            ),
        ],
        runs: Runs::Actor,
        calls: &["close(2)"],
        errnos: &[("EBADF", "this actor does not have it open")],
        notes: "Other actors keep theirs. A pipe is gone when nobody has an end of it.",
        examples: &[Example {
            script: "pipe create p\npipe write p \"last\"\npipe close p w\npipe read p => \"last\"\n\
                     pipe read p => eof",
            shows: "what was written stays until it is read",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(close),
};

fn close(world: &mut World, args: &Args) -> StepResult {
    let side = match args.word("end") {
        Some("r") => Some(Side::Read),
        Some(_) => Some(Side::Write),
        None => None,
    };
    let current = args.reference("pipe").is_none();
    let newest = world.files.held().iter().rev().find(|h| h.family == FAMILY);
    let object = match newest.filter(|_| current) {
        Some(held) => held.object.clone(),
        None => world.find(FAMILY, args, "pipe")?,
    };
    let label = world.label(FAMILY, args.reference("pipe"), &object);
    match world.files.close(FAMILY, &object, side) {
        0 => Err(args.failure(Errno::EBADF, format!("close({label})"))),
        _ => Ok(Outcome::ok()),
    }
}

static PEEK: Verb = Verb {
    signature: Signature {
        name: "pipe peek",
        summary: "show what is in a pipe, and leave it there",
        params: &[PIPE, AT_MOST, EVERYTHING],
        rules: &[ONE_AMOUNT],
        calls: &["pidfd_getfd(2)", "tee(2)"],
        errnos: &[
            stream::PEEK_ERRNOS[0],
            stream::PEEK_ERRNOS[1],
            ("ENOENT", "no process has it open"),
        ],
        notes: "It works on any process's pipe: `pipe peek pipe:[6517]`, `pipe peek pid:812/fd:7`. \
                For a moment we hold a copy of the read end: a writer that would get EPIPE in that \
                moment does not. `eof` where it is empty and nobody has its write end open.",
        examples: &[Example {
            script: "pipe create p\npipe write p \"hi\"\npipe peek p => \"hi\"\npipe read p => \"hi\"",
            shows: "what is seen is still there",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Shell(|sight, args| {
        let object = sight.find(FAMILY, args.reference("pipe"))?;
        peek(sight, &object, args)
    }),
};

fn peek(sight: &Sight, object: &Object, args: &Args) -> Result<Reply, Failure> {
    let pipe = table::stat(sight, object)?;
    if pipe.ends.is_empty() {
        return Err(table::nobodys(sight, object));
    }
    stream::peek(sight, &pipe, &sight.label(FAMILY, object), args)
}

static SIZE: Verb = Verb {
    signature: Signature {
        name: "pipe size",
        summary: "say how many bytes a pipe holds at most, or change it",
        params: &[
            PIPE,
            Param::optional("bytes", Kind::Size, "the new capacity, rounded up to pages"),
        ],
        runs: Runs::Actor,
        calls: &["fcntl(2)"],
        errnos: &[
            NOBODYS,
            ("EBUSY", "there is more in it"),
            ("EINVAL", "no pipe is as large"),
            (
                "EPERM",
                "it is above fs.pipe-max-size, which takes CAP_SYS_RESOURCE",
            ),
        ],
        examples: &[Example {
            script: "pipe create p\npipe size p => 65536\npipe size p 5000 => 8192",
            shows: "what it is, and what becomes of a wish",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Through(Side::Write, size),
};

fn size(world: &mut World, args: &Args) -> StepResult {
    let (object, label) = find(world, args, Side::Write)?;
    let fd = world.files.get(FAMILY, &object, Side::Write);
    let fd = fd.ok_or_else(|| not_held(&label, Side::Write))?;
    let capacity = match args.int::<usize>("bytes")? {
        None => pipe::capacity(&fd).map_err(|e| args.failure(e, "fcntl(F_GETPIPE_SZ)".into()))?,
        Some(bytes) => pipe::set_capacity(&fd, bytes).map_err(|errno| {
            let call = format!("fcntl({label}, F_SETPIPE_SZ, {bytes})");
            let mut failure = args.failure(errno, call);
            if let (Errno::EBUSY, Ok(unread)) = (errno, pipe::available(&fd)) {
                failure.meaning = format!("it still holds {}", counted(unread, "byte"));
            }
            failure
        })?,
    };
    Ok(Outcome::value(capacity as i64))
}

/// The pipe that is meant, which is now the one that was used last, and how it is called.
fn find(world: &mut World, args: &Args, side: Side) -> Result<(Object, String), Failure> {
    let object = world.find_held(FAMILY, args, "pipe", side)?;
    world.files.touch(FAMILY, &object);
    let label = world.label(FAMILY, args.reference("pipe"), &object);
    Ok((object, label))
}

fn not_held(label: &str, side: Side) -> Failure {
    let (end, call) = match side {
        Side::Read => ("the read end", "read"),
        Side::Write => ("the write end", "write"),
        Side::Both => ("any end", "fcntl"),
    };
    Failure::errno(
        NOBODYS.0,
        format!("no actor of this session has {end} of {label} open"),
    )
    .call(format!("{call}({label})"))
    .help("`pipe create` makes another one")
}

/// Everything about pipes.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[&LS, &INFO, &CREATE, &READ, &WRITE, &PEEK, &SIZE, &CLOSE],
    kinds: &[&ObjectKind {
        family: FAMILY,
        posix: false,
        fields: table::pipe_fields,
        times: &[],
        look: table::pipe_look,
        list: table::pipe_list,
        info: table::pipe_info,
        peek,
        condition: wording::pipe_condition,
    }],
};
