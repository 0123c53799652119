//! A small command table for the tests of the language. The including file has `ipcsh` in
//! its scope.

use super::ipcsh::lang::{Catalog, Family, Foreign, Kind, Param, Runs, Signature, Words};

const QUEUE: Param = Param::optional("queue", Kind::Ref(Family::Msgq), "");
const SEGMENT: Param = Param::optional("segment", Kind::Ref(Family::Shm), "");
const SET: Param = Param::optional("set", Kind::Ref(Family::Sem), "");
const SEMAPHORE: Param = Param::optional("set", Kind::Semaphore, "");
const SOCKET: Param = Param::optional("socket", Kind::Ref(Family::Sock), "");
const PLACE: Param = Param::optional("place", Kind::Place, "");
const COUNT: Param = Param::optional("n", Kind::Int(1, 32767), "");
const NOWAIT: Param = Param::flag("nowait", "");
const UNDO: Param = Param::flag("undo", "");
const TIMEOUT: Param = Param::option("timeout", Kind::Duration, "");
const ACTOR: Kind = Kind::Actor { new: false };

/// The fields that the tests claim, of whatever command.
const FIELDS: &[&str] = &["a", "b", "c", "me", "srv-1", "type", "data", "id", "value"];

const fn actor(name: &'static str, params: &'static [Param]) -> Signature {
    Signature {
        name,
        summary: "",
        params,
        yields: FIELDS,
        runs: Runs::Actor,
        ..Signature::NEW
    }
}

const fn shell(name: &'static str, params: &'static [Param]) -> Signature {
    Signature {
        name,
        summary: "",
        params,
        yields: FIELDS,
        runs: Runs::Shell,
        ..Signature::NEW
    }
}

const fn looking(name: &'static str, params: &'static [Param]) -> Signature {
    Signature {
        looks: true,
        ..shell(name, params)
    }
}

static COMMANDS: [Signature; 30] = [
    actor(
        "msgq create",
        &[
            Param::optional("queue", Kind::NewRef(Family::Msgq), ""),
            Param::option("mode", Kind::Mode, ""),
            Param::option("qbytes", Kind::Size, ""),
        ],
    ),
    actor(
        "msgq send",
        &[
            QUEUE,
            Param::required("type", Kind::Int(1, i64::MAX), ""),
            Param::required("data", Kind::Data, ""),
            NOWAIT,
        ],
    ),
    actor(
        "msgq recv",
        &[
            QUEUE,
            Param::optional("type", Kind::Int(i64::MIN, i64::MAX), ""),
            Param::option("max", Kind::Size, ""),
            NOWAIT,
            Param::flag("noerror", ""),
            Param::flag("except", ""),
        ],
    ),
    looking("msgq ls", &[]),
    shell("msgq rm", &[QUEUE]),
    actor(
        "shm create",
        &[
            Param::optional("segment", Kind::NewRef(Family::Shm), ""),
            Param::optional("size", Kind::Size, ""),
        ],
    ),
    actor(
        "shm write",
        &[SEGMENT, PLACE, Param::required("data", Kind::Value, "")],
    ),
    actor(
        "shm read",
        &[SEGMENT, PLACE, Param::optional("length", Kind::Size, "")],
    ),
    actor(
        "sem create",
        &[
            Param::optional("set", Kind::NewRef(Family::Sem), ""),
            Param::optional("value", Kind::Int(0, 32767), ""),
            Param::option("count", Kind::Int(1, 32000), ""),
        ],
    ),
    actor("sem p", &[SEMAPHORE, COUNT, NOWAIT, UNDO, TIMEOUT]),
    actor("sem v", &[SEMAPHORE, COUNT, UNDO]),
    actor("sem op", &[SET, Param::repeated("op", Kind::SemOp, "")]),
    actor("sem get", &[SEMAPHORE]),
    actor(
        "sock listen",
        &[
            Param::required("address", Kind::Address, ""),
            Param::optional("kind", Kind::Choice(&["stream", "dgram"]), ""),
        ],
    ),
    actor(
        "sock send",
        &[
            SOCKET,
            Param::required("data", Kind::Data, ""),
            Param::option("to", Kind::Address, ""),
            Param::values("fd", Kind::Fd, ""),
        ],
    ),
    actor(
        "sock shutdown",
        &[
            SOCKET,
            Param::required("direction", Kind::Choice(&["r", "w", "rw"]), ""),
        ],
    ),
    looking(
        "ipcs",
        &[
            Param::short('q', "queues", Kind::Switch, ""),
            Param::short('m', "segments", Kind::Switch, ""),
            Param::short('s', "sets", Kind::Switch, ""),
            Param::short('i', "id", Kind::Int(0, i64::MAX), ""),
            Param::short('o', "columns", Kind::Word, ""),
        ],
    ),
    shell(
        "spawn",
        &[Param::repeated("actor", Kind::Actor { new: true }, "")],
    ),
    shell("wait", &[Param::repeated("actor", ACTOR, "")]),
    shell("cancel", &[Param::required("actor", ACTOR, "")]),
    shell("stop", &[Param::repeated("actor", ACTOR, "")]),
    looking("actors", &[]),
    looking("who", &[Param::required("object", Kind::AnyRef, "")]),
    shell(
        "watch",
        &[
            Param::required("command", Kind::Command, ""),
            Param::optional("every", Kind::Choice(&["every"]), ""),
            Param::optional("period", Kind::Duration, ""),
            Param::option("sort", Kind::Order, ""),
        ],
    ),
    shell("echo", &[Param::any("word", Kind::Word, "")]),
    shell("sleep", &[Param::required("duration", Kind::Duration, "")]),
    shell("help", &[Param::optional("topic", Kind::Word, "")]),
    shell("quit", &[]),
    shell("save", &[Param::required("file", Kind::Path, "")]),
    actor("pause", &[]),
];

/// The commands, fields, limits and errnos that the tests use.
pub fn catalog() -> Catalog {
    let words = || Words {
        fields: vec![
            (
                Family::Msgq,
                vec!["id", "key", "perms", "qnum", "cbytes", "qbytes"],
            ),
            (Family::Shm, vec!["id", "size", "nattch"]),
            (Family::Sem, vec!["id", "value", "ncnt", "zcnt"]),
            (Family::Pipe, vec!["id", "bytes"]),
            (Family::Fifo, vec!["id", "bytes"]),
            (Family::Sock, vec!["id", "bytes"]),
        ],
        actor_fields: vec!["state", "call", "pid"],
        limits: vec!["msgmax", "msgmnb", "semmsl"],
        errnos: vec![
            "EPERM",
            "ENOENT",
            "EINTR",
            "EIO",
            "E2BIG",
            "EAGAIN",
            "ENOMEM",
            "EACCES",
            "EEXIST",
            "EINVAL",
            "EFBIG",
            "ENOSPC",
            "ERANGE",
            "ENOMSG",
            "EIDRM",
            "ETIMEDOUT",
            "EDEADLK",
        ],
        foreign: Foreign {
            commands: &[
                ("man", "`help` says it"),
                ("ipcrm -q", "`msgq rm id:N`"),
                ("ipcrm", "`msgq rm`"),
            ],
            verbs: &[("recv", &["receive"])],
        },
        signals: ["USR1", "USR2", "TERM", "10", "RTMIN+1"]
            .map(String::from)
            .into(),
        help: None,
    };
    Catalog::new(COMMANDS.iter().collect(), words)
}
