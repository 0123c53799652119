//! Commands that steer actors.

use crate::data::{Cell, Column, Failure, Identity, Outcome, Reply, Role, Table};
use crate::exec::{Builtin, Engine, Interrupted, Sink};
use crate::lang::{Arg, Example, Kind, Param, Signature};
use crate::mechanism::Args;

const ACTOR: Kind = Kind::Actor { new: false };

/// The actors' names that were given.
fn names<'a>(args: &Args<'a>, param: &str) -> Vec<&'a str> {
    let words = args.all(param);
    words
        .filter_map(|arg| match arg {
            Arg::Word(name) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

pub(super) static SPAWN: Builtin = Builtin {
    signature: Signature {
        name: "spawn",
        summary: "start actors; from then on only names that were spawned are known",
        params: &[Param::repeated(
            "actor",
            Kind::Actor { new: true },
            "the new actor's name",
        )],
        calls: &["execve(2)", "prctl(2)"],
        notes: "Naming a new actor before a step starts it too. After `spawn`, a name that was \
                not spawned is taken for a slip.",
        examples: &[Example {
            script: "spawn a b\na: sem create lock 1\nb: sem p lock",
            shows: "two actors",
        }],
        ..Signature::NEW
    },
    run: |engine, args, sink| {
        engine.spawned = true;
        for name in names(args, "actor") {
            if engine.pid_of(name).is_some() {
                return Err(Failure::refused(format!("`{name}` is already there")).into());
            }
            engine.start(name, sink)?;
        }
        Ok(Outcome::ok().into())
    },
};

static NAME: Column = Column::new("name", "the actor's name").identity(Identity::Strong);
static PID: Column = Column::new("pid", "its process");
static STATE: Column = Column::new(
    "state",
    "idle, running, blocked, stopped or dead; ? where it cannot be seen",
);
static CALL: Column = Column::new("call", "the call it is blocked in, decoded").role(Role::Blocked);
static ABOUT: Column = Column::new(
    "about",
    "the condition of the object it waits on, and its last operator",
);

static SIGNALS: Column = Column::new(
    "signals.NAME",
    "how often it has caught that signal: signals.USR1",
);

/// The fields of `expect actor.NAME.FIELD`.
pub(crate) static FIELDS: [&Column; 5] = [&PID, &STATE, &CALL, &ABOUT, &SIGNALS];

pub(super) static ACTORS: Builtin = Builtin {
    signature: Signature {
        name: "actors",
        summary: "list the actors: what each does, and what it waits for",
        looks: true,
        notes: "Blocked is said only where the kernel shows it, twice in one sleep: \
                /proc/PID/task/TID/syscall with the thread's state and its context switches.",
        examples: &[Example {
            script: "sem create lock 0\nb: sem p lock ...\nactors\nsem v lock\nb: ... => ok",
            shows: "who is blocked, and on what",
        }],
        ..Signature::NEW
    },
    run: |engine, _, _| {
        let mut table = Table::new("actor", "Actors", vec![&NAME, &PID, &STATE, &CALL, &ABOUT]);
        for stand in engine.stands() {
            table.push([
                Cell::Text(stand.actor),
                Cell::from(stand.pid),
                Cell::Text(stand.state),
                stand.call.map_or(Cell::Nothing, Cell::Text),
                stand.about.map_or(Cell::Nothing, Cell::Text),
            ]);
        }
        Ok(table.into())
    },
};

pub(super) static WAIT: Builtin = Builtin {
    signature: Signature {
        name: "wait",
        summary: "wait until an actor's pending step has ended well",
        params: &[Param::repeated("actor", ACTOR, "whose pending step")],
        lasts: true,
        notes: "The same as `ACTOR: ...` with any success; where an actor has no pending step, there is nothing \
                to wait for.",
        examples: &[Example {
            script: "sem create lock 0\nb: sem p lock ...\nsem v lock\nwait b",
            shows: "a step that resumes",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        for name in names(args, "actor") {
            engine.wait_for(name)?;
        }
        Ok(Outcome::ok().into())
    },
};

pub(super) static CANCEL: Builtin = Builtin {
    signature: Signature {
        name: "cancel",
        summary: "interrupt an actor's pending step: a blocked call fails with EINTR",
        params: &[Param::repeated("actor", ACTOR, "whose pending step")],
        lasts: true,
        calls: &["pidfd_send_signal(2)"],
        notes: "The signal is SIGRTMAX, which actors keep for this. A loop ends at its next turn. A step whose actor \
                is stopped is not interrupted: the actor has to go on first.",
        examples: &[Example {
            script: "msgq create jobs\nb: msgq recv jobs ...\ncancel b\nb: ... => EINTR",
            shows: "a blocked call is interrupted",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        for name in names(args, "actor") {
            engine.cancel(name)?;
        }
        Ok(Outcome::ok().into())
    },
};

pub(super) static STOP: Builtin = Builtin {
    signature: Signature {
        name: "stop",
        summary: "end an actor's process with SIGKILL",
        params: &[Param::repeated("actor", ACTOR, "which actor")],
        calls: &["pidfd_send_signal(2)"],
        notes: "What it did with SEM_UNDO is undone by the kernel, and its segments are detached. \
                A later step under its name starts a new process.",
        examples: &[Example {
            script: "sem create lock 1\na: sem p lock --undo\nb: sem p lock ...\nstop a\nb: ... => ok",
            shows: "SEM_UNDO gives back what a dead holder took",
        }],
        ..Signature::NEW
    },
    run: |engine: &mut Engine, args: &Args, sink: &mut dyn Sink| -> Result<Reply, Interrupted> {
        for name in names(args, "actor") {
            engine.stop(name, sink)?;
        }
        Ok(Outcome::ok().into())
    },
};
