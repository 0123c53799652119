//! `who`: the processes that have to do with an object.

use super::look;
use crate::data::{Cell, Column, Failure, Identity, Reply, Table, counted};
use crate::exec::Builtin;
use crate::inspect::descriptors::Access;
use crate::inspect::process::{self, Certainty};
use crate::lang::{Example, Kind, Param, Signature, Target};
use crate::mechanism::{self, Args, How, NS, Place, Sight, Use, unseen, uses};

pub(super) static WHO: Builtin = Builtin {
    signature: Signature {
        name: "who",
        summary: "show which processes have an object attached or open, wait at it, or used it last",
        looks: true,
        params: &[
            Param::required(
                "object",
                Kind::AnyRef,
                "which: its name, id:N, key:K, its path, /NAME, pipe:[N], socket:[N] or pid:N/fd:M; \
                 FAMILY. before it where two families have one",
            ),
            NS,
        ],
        calls: &[
            "proc_pid_fd(5)",
            "proc_pid_maps(5)",
            "proc_pid_syscall(5)",
            "process_vm_readv(2)",
        ],
        notes: "What is attached, open or waited at now is exact. Of those that sent, received, \
                operated or attached last the kernel remembers only the pid: `pid recycled` says that \
                the process with this pid started after the operation, so it was another one. Who \
                holds a semaphore nobody can know: its last operator is who may.\n\
                pid:N/fd:M is whatever that process has open: of a file or device, which is nothing of IPC, \
                all are shown that have the same one open or mapped.",
        examples: &[
            Example {
                script: "sem create lock 0\nb: sem p lock ...\nwho lock\nsem v lock\nb: ... => ok",
                shows: "who waits at a semaphore, and for what",
            },
            Example {
                script: "pipe create p\nwho p\nshm create s\nshm attach s\nwho s",
                shows: "descriptors with their modes, and attachments",
            },
        ],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| who(sight, args)),
};

static PID: Column = Column::new("pid", "the process").identity(Identity::Strong);
static COMMAND: Column = Column::new(
    "command",
    "its command, or the actor's name; gone or recycled where it is no more",
);
static USER: Column = Column::new("user", "its effective user").spare(5);
static HOW: Column = Column::new(
    "how",
    "attached, open, waiting, created it, or what it did last",
)
.identity(Identity::Strong);
static FD: Column =
    Column::new("fd", "the descriptor, where it is open").identity(Identity::Strong);
static MODE: Column = Column::new("mode", "what it is open or attached for: r, w or rw");
static CALL: Column = Column::new("call", "the call that it waits in, decoded");
static SURE: Column = Column::new(
    "sure",
    "exact; last operator only; pid recycled; gone; ? where it is hidden",
);

fn who(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let Some(reference) = args.reference("object") else {
        return Err(Failure::refused("no object is named"));
    };
    if let (None, Target::Fd(pid, fd)) = (reference.family, &reference.target) {
        let place = Place::new(args.env.int(pid)?, args.env.int(fd)?)?;
        if place.object.is_none() {
            return Ok(of_file(sight, &place).into());
        }
    }
    let (family, object) = sight.find_any(reference)?;
    let index = match &reference.index {
        Some(term) => Some(args.env.int(term)?),
        None => None,
    };
    let index = index.map(|index| u32::try_from(index).unwrap_or(u32::MAX));
    if object.id().is_some() || index.is_some() {
        // Says that there is none, and what would list those that exist.
        let field = if index.is_some() { "value" } else { "id" };
        (mechanism::kind_of(family, &object)?.look)(sight, &object, index, field)?;
    }
    let found = uses(sight, family, &object, index);
    let mut table = table(sight, &found.found);
    if found.unseen > 0 {
        table.footer.push(format!(
            "attached {}, by processes that may not be looked into",
            counted(found.unseen, "more time")
        ));
    }
    table.footer.extend(sight.hidden());
    Ok(table.into())
}

/// Who has a file that is no object.
fn of_file(sight: &Sight, place: &Place) -> Table {
    let (found, unreadable) = place.users(sight);
    let mut table = table(sight, &found);
    let words = place.words();
    table.footer.push(match place.is_file() {
        true => format!("it is {words}, nothing of IPC"),
        false => format!("it is {words}: who else has this one, the kernel does not tell"),
    });
    table.footer.extend(unseen(unreadable));
    table
}

fn table(sight: &Sight, found: &[Use]) -> Table {
    let columns = vec![&PID, &COMMAND, &USER, &HOW, &FD, &MODE, &CALL, &SURE];
    let mut table = Table::new("who", "Who", columns);
    table.empty = "nobody that can be seen";
    for Use { pid, how } in found {
        table.push(row(sight, *pid, how));
    }
    table
}

fn row(sight: &Sight, pid: i32, how: &How) -> [Cell; 8] {
    let present = |how: &str, fd: Cell, mode: Cell, call: Cell| {
        [
            Cell::from(pid),
            command(sight, pid),
            user(sight, pid),
            Cell::text(how),
            fd,
            mode,
            call,
            Cell::text("exact"),
        ]
    };
    match how {
        How::Attached { writable } => {
            let mode = Cell::text(if *writable { "rw" } else { "r" });
            present("attached", Cell::Nothing, mode, Cell::Nothing)
        }
        How::Open { fd, access } => {
            let mode = access.map_or(Cell::Unknown, |access| Cell::text(mode(access)));
            present("open", (*fd).into(), mode, Cell::Nothing)
        }
        How::Waiting(waiter) => {
            let call = Cell::Text(sight.wait_text(waiter));
            present("waiting", Cell::Nothing, Cell::Nothing, call)
        }
        How::Created { when } => remembered(sight, pid, "created it", *when),
        How::Operated { what, when } => remembered(sight, pid, what, *when),
    }
}

/// A pid that the object remembers for what was done at this time.
fn remembered(sight: &Sight, pid: i32, what: &str, when: i64) -> [Cell; 8] {
    let certainty = sight.last_operator(pid, when).map(|o| o.certainty);
    let (command, user, sure) = match certainty {
        Some(Certainty::Alive) => (
            command(sight, pid),
            user(sight, pid),
            Cell::text("last operator only"),
        ),
        Some(Certainty::Recycled) => (
            Cell::text("recycled"),
            Cell::Nothing,
            Cell::text("pid recycled"),
        ),
        Some(Certainty::Gone) => (Cell::text("gone"), Cell::Nothing, Cell::text("gone")),
        Some(Certainty::Hidden) | None => (Cell::Unknown, Cell::Unknown, Cell::Unknown),
    };
    let nothing = || Cell::Nothing;
    [
        Cell::from(pid),
        command,
        user,
        Cell::text(what),
        nothing(),
        nothing(),
        nothing(),
        sure,
    ]
}

pub(super) fn command(sight: &Sight, pid: i32) -> Cell {
    match sight.actors.get(&pid) {
        Some(actor) => Cell::text(actor.as_str()),
        None => sight
            .snapshot
            .command(pid)
            .map_or(Cell::Unknown, Cell::Text),
    }
}

pub(super) fn user(sight: &Sight, pid: i32) -> Cell {
    process::uid(pid).map_or(Cell::Unknown, |uid| Cell::Text(sight.user(uid)))
}

fn mode(access: Access) -> &'static str {
    match access {
        Access::Read => "r",
        Access::Write => "w",
        Access::ReadWrite => "rw",
        Access::Neither => "-",
    }
}
