//! FIFOs: fifo(7). A path in the file system that two processes open to meet at a pipe.

mod transfer;

use std::path::{Path, PathBuf};

use super::common::DEFAULT_MODE;
use super::pipe::{table, wording};
use super::{Args, Mechanism, ObjectKind, Run, Verb, World};
use crate::data::{Failure, Family, Object, Outcome, StepResult};
use crate::kernel::fds::Access;
use crate::kernel::{Errno, fifo};
use crate::lang::{Asks, Example, Kind, Param, Runs, Signature};
use crate::session::ledger::FileKind;
use crate::session::{Binding, Side, now};
use transfer::{PEEK, READ, WRITE, peek};

const FAMILY: Family = Family::Fifo;

/// An errno and what it means here.
type Meaning = (&'static str, &'static str);

const LOOP: Meaning = (
    "ELOOP",
    "its symbolic links are too many, or lead in a circle",
);
const LONG: Meaning = ("ENAMETOOLONG", "the path, or a part of it, is too long");
const NOTHING: Meaning = ("ENOENT", "there is nothing at this path");
const NO_DIRECTORY: Meaning = ("ENOTDIR", "a part of the path is no directory");
const NO_FIFO: Meaning = ("EINVAL", "there is something at this path that is no FIFO");
const NO_SEARCH: Meaning = ("EACCES", "you may not look into its directory");

super::common_verbs::seeing_verbs!(
    FAMILY,
    "fifo",
    "FIFO",
    "pidfd_getfd(2)",
    "mkfifo $WORK/x",
    "path,ino,bytes",
    &[LOOP, LONG, NOTHING, NO_DIRECTORY, NO_FIFO, NO_SEARCH],
    super::pipe::LOOKED_INTO
);

const FIFO: Param = Param::optional(
    "fifo",
    Kind::Ref(FAMILY),
    "its path; the one this actor used last where it is left out",
);

static MKFIFO: Verb = Verb {
    signature: Signature {
        name: "mkfifo",
        summary: "make a FIFO and make it the current one",
        params: &[
            Param::required("path", Kind::NewRef(FAMILY), "where"),
            Param::optional(
                "mode",
                Kind::Mode,
                "its permissions in octal, whatever the umask; 0600 where they are left out",
            ),
        ],
        runs: Runs::Actor,
        calls: &["mkfifo(3)"],
        errnos: &[
            ("EACCES", "you may not write to its directory"),
            ("EEXIST", "there is something at this path"),
            LOOP,
            LONG,
            ("ENOENT", "its directory does not exist"),
            NO_DIRECTORY,
            ("EPERM", "its file system takes no FIFOs"),
            ("EROFS", "the file system is read-only"),
        ],
        notes: "It is removed when the session ends, unless `keep` exempts it.",
        examples: &[Example {
            script: "mkfifo $WORK/f 0640\nexpect fifo.perms == 0640\n\
                     b: fifo read $WORK/f ...\nfifo write $WORK/f \"hi\"\nb: ... => \"hi\"",
            shows: "a path where two processes meet",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(make),
};

fn make(world: &mut World, args: &Args) -> StepResult {
    let object = world.find(FAMILY, args, "path")?;
    let path = path_of(&object);
    let mode = args.int("mode")?.unwrap_or(DEFAULT_MODE);
    let call = || format!("mkfifo({object}, 0{mode:03o})");
    // Before the ledger speaks of it, so that nobody else's can ever be taken for ours.
    if path.symlink_metadata().is_ok() {
        return Err(args.failure(Errno::EEXIST, call()));
    }
    let entry = world
        .ledger
        .intend_file(FileKind::Fifo, &object, &path, now(), world.uid)
        .map_err(|errno| match errno {
            Errno::ENAMETOOLONG => args.failure(errno, call()),
            _ => Failure::environment("the session's ledger is full"),
        })?;
    match fifo::create(&path, mode) {
        Ok(id) => {
            let ledger = &world.ledger;
            ledger.settle_file(entry, FileKind::Fifo, id.dev, id.ino);
            let binding = Binding {
                object: object.clone(),
                key: 0,
                entry: Some(entry),
            };
            world.names.bind(FAMILY, &name_of(&object), binding);
            // One of this path that was removed may still be open here.
            world.files.close(FAMILY, &object, None);
            Ok(Outcome::ok())
        }
        Err(errno) => {
            world.ledger.forget(entry);
            Err(args.failure(errno, call()))
        }
    }
}

static OPEN: Verb = Verb {
    signature: Signature {
        name: "fifo open",
        summary: "open a FIFO in this actor",
        params: &[
            Param::required("fifo", Kind::Ref(FAMILY), "its path"),
            Param::required(
                "for",
                Kind::Choice(&["r", "w", "rw"]),
                "for reading, for writing, or for both, which never waits",
            ),
            Param::flag("nonblock", "do not wait for the other side (O_NONBLOCK)"),
        ],
        runs: Runs::Actor,
        blocks: Some("until another process has opened the other side"),
        calls: &["open(2)"],
        errnos: &OPEN_ERRNOS,
        notes: "What follows waits as it does otherwise: --nonblock is for the opening alone.",
        examples: &[
            Example {
                script: "mkfifo $WORK/f\na: fifo open $WORK/f r ...\nb: fifo open $WORK/f w\n\
                         a: ... => ok",
                shows: "the reader waits until there is a writer",
            },
            Example {
                script: "mkfifo $WORK/f\nfifo open $WORK/f w --nonblock => ENXIO\n\
                         fifo open $WORK/f r --nonblock",
                shows: "without waiting: a writer needs a reader, a reader needs nobody",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let object = world.find(FAMILY, args, "fifo")?;
        let side = match args.word("for") {
            Some("r") => Side::Read,
            Some("w") => Side::Write,
            _ => Side::Both,
        };
        open(world, args, &object, side, args.flag("nonblock"))?;
        Ok(Outcome::ok())
    }),
};

const NO_MODE: Meaning = ("EACCES", "its mode does not let you");
const NO_READER: Meaning = ("ENXIO", "nobody has it open for reading");
const NO_ROOM: Meaning = ("EMFILE", "this process has as many descriptors as it may");

const OPEN_ERRNOS: [Meaning; 9] = [
    NO_MODE,
    ("EINTR", "it was interrupted while it waited"),
    NO_ROOM,
    NO_READER,
    LOOP,
    LONG,
    NOTHING,
    NO_DIRECTORY,
    NO_FIFO,
];

fn open(
    world: &mut World,
    args: &Args,
    object: &Object,
    side: Side,
    nonblock: bool,
) -> Result<(), Failure> {
    let (access, flag) = match side {
        Side::Read => (Access::Read, "O_RDONLY"),
        Side::Write => (Access::Write, "O_WRONLY"),
        Side::Both => (Access::ReadWrite, "O_RDWR"),
    };
    let fd = fifo::open(&path_of(object), access, nonblock).map_err(|errno| {
        let nonblock = if nonblock { "|O_NONBLOCK" } else { "" };
        let mut failure = args.failure(errno, format!("open({object}, {flag}{nonblock})"));
        let meaning = OPEN_ERRNOS
            .iter()
            .find(|(s, _)| failure.errno.as_deref() == Some(s));
        if let Some((_, meaning)) = meaning {
            failure.meaning = (*meaning).into();
        }
        failure
    })?;
    world.files.insert(FAMILY, object.clone(), side, fd);
    make_current(world, object);
    Ok(())
}

/// What a FIFO is called in the session: its path, or where that is no text, as it is written.
fn name_of(object: &Object) -> String {
    let text = object.path().and_then(Path::to_str);
    text.map_or_else(|| object.to_string(), String::from)
}

/// What is used now is what is meant where no FIFO is named.
fn make_current(world: &mut World, object: &Object) {
    let current = world.names.current(FAMILY);
    if current.is_some_and(|(_, binding)| binding.object == *object) {
        return;
    }
    let name = name_of(object);
    if !world.names.make_current(FAMILY, &name) {
        let binding = Binding {
            object: object.clone(),
            key: 0,
            entry: None,
        };
        world.names.bind(FAMILY, &name, binding);
    }
}

static CLOSE: Verb = Verb {
    signature: Signature {
        name: "fifo close",
        summary: "close a FIFO in this actor",
        params: &[FIFO],
        runs: Runs::Actor,
        calls: &["close(2)"],
        errnos: &[("EBADF", "this actor does not have it open")],
        examples: &[Example {
            script: "mkfifo $WORK/f\nfifo open $WORK/f rw\nb: fifo open $WORK/f w\nfifo close\n\
                     expect fifo.readers == 0",
            shows: "nobody has it open for reading any more",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let current = args.reference("fifo").is_none();
        let newest = world.files.held().iter().rev().find(|h| h.family == FAMILY);
        let object = match newest.filter(|_| current) {
            Some(held) => held.object.clone(),
            None => world.find(FAMILY, args, "fifo")?,
        };
        match world.files.close(FAMILY, &object, None) {
            0 => Err(args.failure(Errno::EBADF, format!("close({object})"))),
            _ => Ok(Outcome::ok()),
        }
    }),
};

static RM: Verb = Verb {
    signature: Signature {
        name: "fifo rm",
        summary: "remove the path of a FIFO",
        params: &[FIFO],
        runs: Runs::Actor,
        asks: Asks::Removal,
        calls: &["unlink(2)"],
        errnos: &[
            ("EACCES", "you may not write to its directory"),
            LOOP,
            LONG,
            NOTHING,
            NO_DIRECTORY,
            NO_FIFO,
            ("EPERM", "its directory lets only its owner remove it"),
        ],
        notes: "Who has it open goes on with it.",
        examples: &[Example {
            script: "mkfifo $WORK/f\nfifo rm\nfifo open $WORK/f r => ENOENT",
            shows: "the path is gone",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(|world, args| {
        let object = world.find(FAMILY, args, "fifo")?;
        let path = path_of(&object);
        fifo::identity(&path)
            .and_then(|id| fifo::remove(&path, id))
            .map_err(|errno| args.failure(errno, format!("unlink({object})")))?;
        world.removed(FAMILY, &object);
        Ok(Outcome::ok())
    }),
};

fn path_of(object: &Object) -> PathBuf {
    object.path().unwrap_or(Path::new("")).to_path_buf()
}

/// Everything about FIFOs.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[
        &MKFIFO, &LS, &INFO, &OPEN, &READ, &WRITE, &PEEK, &CLOSE, &RM,
    ],
    kinds: &[&ObjectKind {
        family: FAMILY,
        posix: false,
        fields: table::fifo_fields,
        times: &[],
        look: table::fifo_look,
        list: table::fifo_list,
        info: table::fifo_info,
        peek,
        condition: wording::fifo_condition,
    }],
};
