//! `why`: what blocked processes wait for, what would wake them, who could.

mod words;

use std::time::Duration;

use super::look;
use super::who::{command, user};
use crate::data::{Cell, Column, Failure, Identity, Reply, Role, Table, counted};
use crate::exec::Builtin;
use crate::inspect::cycles::{Cycle, Member, cycles};
use crate::inspect::polled::polled;
use crate::inspect::process;
use crate::inspect::wait::{Doing, Wait, Waiter, threads_of};
use crate::inspect::waking::{Sure, Wakers, wakers};
use crate::lang::{Example, Kind, Param, Signature};
use crate::mechanism::{self, Args, NS, Sight};
use crate::session::janitor;
use words::wakes;

pub(super) static WHY: Builtin = Builtin {
    signature: Signature {
        name: "why",
        summary: "show what blocked processes wait for, what would wake them, and who could",
        looks: true,
        params: &[
            Param::optional(
                "process",
                Kind::Process { group: false },
                "an actor by name, a process by pid; every process blocked in IPC where it is left out",
            ),
            NS,
        ],
        calls: &[
            "proc_pid_syscall(5)",
            "process_vm_readv(2)",
            "proc_pid_fd(5)",
            "sock_diag(7)",
        ],
        notes: "Blocked is said only of a thread that is seen twice in one sleep. Of a process that is \
                asked for, each object that it polls has a row. Who could wake it is \
                exact for a pipe and a connected socket: who has the other end, which may also be on its way \
                through another socket, unseen. Who holds a semaphore \
                nobody can know: `last operator only` is who may. Processes that wait for each other, \
                for a second at least, are told as a suspected deadlock.",
        examples: &[
            Example {
                script: "sem create lock 0\nb: sem p lock ...\nwhy\nwhy b\nsem v lock\nb: ... => ok",
                shows: "what an actor waits for, and who could wake it",
            },
            Example {
                script: "pipe create p\nb: pipe read p ...\nwhy b\npipe write p \"x\"\nb: ... => \"x\"",
                shows: "a reader, and who has the other end",
            },
        ],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| why(sight, args)),
};

static PID: Column = Column::new("pid", "the process");
static TID: Column = Column::new(
    "tid",
    "the thread; its process's number where it is the first",
)
.identity(Identity::Strong)
.spare(4);
static COMMAND: Column = Column::new("command", "its command, or the actor's name");
static USER: Column = Column::new("user", "its effective user").spare(5);
static CALL: Column = Column::new(
    "call",
    "the call that it is blocked in, decoded; its state where it is in none",
)
.role(Role::Blocked);
static ABOUT: Column = Column::new("about", "the condition of the object it waits at");
static WAKES: Column = Column::new("wakes", "what would wake it");
static BY: Column = Column::new(
    "by",
    "who could: pid and command of each; itself only where it has a thread that does not wait there",
);
static SURE: Column = Column::new(
    "sure",
    "exact: nobody else could; of those seen: nobody else who may be looked into; unseen: somebody \
     must who cannot be seen; last operator only: it may hold it; anyone: others may, too",
);
static CYCLE: Column = Column::new("cycle", "its number: each thread of it waits for the next")
    .identity(Identity::Strong);

fn why(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let columns = vec![
        &PID, &TID, &COMMAND, &USER, &CALL, &ABOUT, &WAKES, &BY, &SURE,
    ];
    let mut table = Table::new("why", "Waits", columns);
    let wanted = match args.text("process")? {
        Some(word) => Some(sight.process(&word)?),
        None => None,
    };
    match wanted {
        None => everybody(sight, &mut table),
        Some(pid) => {
            if let Some(hidden) = threads(sight, pid, &mut table)? {
                table.footer.push(hidden);
                return Ok(table.into());
            }
        }
    }
    let mut tables = vec![table];
    let mut found = cycles_inside(sight);
    if let Some(pid) = wanted {
        found.retain(|cycle| cycle.0.iter().any(|m| m.waiter.pid == pid));
    }
    settle(&mut found);
    if !found.is_empty() {
        tables.push(suspected(sight, &found));
    }
    sight.sign(&mut tables);
    Ok(Reply {
        tables,
        ..Reply::default()
    })
}

/// The cycles of which somebody is inside.
fn cycles_inside<'a>(sight: &'a Sight) -> Vec<Cycle<'a>> {
    let mut found = cycles(&sight.snapshot);
    found.retain(|cycle| {
        cycle
            .0
            .iter()
            .any(|m| sight.snapshot.is_inside(m.waiter.pid))
    });
    // Ours first.
    let is_ours = |m: &Member| sight.actors.contains_key(&m.waiter.pid);
    found.sort_by_key(|cycle| !cycle.0.iter().any(is_ours));
    found
}

/// How long a cycle must have stood still where its semaphores do not tell.
const SETTLED: Duration = Duration::from_secs(1);

/// Keeps the cycles that stand still: who is about to be woken may wait for a processor, or be woken
/// by somebody who only rests.
fn settle(cycles: &mut Vec<Cycle>) {
    if !cycles.iter().all(Cycle::is_settled) {
        std::thread::sleep(SETTLED);
    }
    cycles.retain(Cycle::is_still);
}

/// The processes of each suspected deadlock.
pub(super) fn deadlocks(sight: &Sight) -> Vec<Vec<i32>> {
    let mut found = cycles_inside(sight);
    settle(&mut found);
    let pids = |cycle: &Cycle| cycle.0.iter().map(|m| m.waiter.pid).collect();
    found.iter().map(pids).collect()
}

/// Whether a wait is at an object, and not at a terminal or a file; or for a signal.
fn is_ipc(waiter: &Waiter) -> bool {
    waiter.thing.is_some() || waiter.wait == Wait::SigWait || is_system_v(&waiter.wait)
}

/// Whether it waits for this shell, and so because it looks: an idle actor, its janitor.
pub(super) fn is_ours(sight: &Sight, waiter: &Waiter, wakers: &Wakers) -> bool {
    let ours = |pid: &i32| sight.is_own(*pid) || sight.actors.contains_key(pid);
    let is_janitor = waiter.comm == janitor::NAME && wakers.pids.iter().all(ours);
    sight.is_own(waiter.pid) || wakers.pids == [sight.shell] || is_janitor
}

/// Also where the object is another IPC namespace's.
fn is_system_v(wait: &Wait) -> bool {
    matches!(
        wait,
        Wait::SemOp { .. } | Wait::MsgSend { .. } | Wait::MsgReceive { .. }
    )
}

/// Every thread that is blocked in IPC.
fn everybody(sight: &Sight, table: &mut Table) {
    table.empty = "nobody that can be seen is blocked in IPC";
    let all = sight.snapshot.waiters().found.iter();
    let mut shown: Vec<&Waiter> = all
        .filter(|w| is_ipc(w) && sight.snapshot.is_inside(w.pid))
        .collect();
    // Ours first: a host has hundreds.
    shown.sort_by_key(|w| !sight.actors.contains_key(&w.pid));
    for waiter in shown {
        let wakers = wakers(&sight.snapshot, waiter);
        if !is_ours(sight, waiter, &wakers) {
            table.push(blocked(sight, waiter, &wakers));
        }
    }
}

/// Every thread of a process, blocked or not; what is to be said where it may not be known.
fn threads(sight: &Sight, pid: i32, table: &mut Table) -> Result<Option<String>, Failure> {
    let threads = threads_of(pid);
    if threads.is_empty() {
        return Err(missing(pid));
    }
    let mut hidden = false;
    for (tid, doing) in threads {
        let state = match doing {
            Doing::Blocked(waiter) => {
                let wakers = wakers(&sight.snapshot, &waiter);
                if !is_ours(sight, &waiter, &wakers) {
                    table.push(blocked(sight, &waiter, &wakers));
                    push_polled(sight, &waiter, table);
                    continue;
                }
                // It waits for this shell alone.
                Cell::text("idle")
            }
            Doing::State(state) => Cell::text(state_word(state)),
            Doing::Hidden => {
                hidden = true;
                Cell::Unknown
            }
        };
        // What it waits for follows from its call.
        let rest = match state {
            Cell::Unknown => Cell::Unknown,
            _ => Cell::Nothing,
        };
        let mut row = vec![
            Cell::from(pid),
            tid.into(),
            command(sight, pid),
            user(sight, pid),
            state,
        ];
        row.resize(table.columns.len(), rest);
        table.push(row);
    }
    Ok(hidden.then(|| mechanism::barred(pid).line()))
}

/// /proc has nothing of this process.
pub(super) fn missing(pid: i32) -> Failure {
    match process::exists(pid) {
        false => Failure::refused(format!("there is no process {pid}")),
        true => Failure::refused(format!("/proc does not show process {pid} (hidepid)"))
            .help("Run as root or with CAP_SYS_PTRACE"),
    }
}

/// So many of the objects that a thread polls have a row.
const POLLED: usize = 100;

/// A row for each object that a thread polls: it waits at all of them.
fn push_polled(sight: &Sight, waiter: &Waiter, table: &mut Table) {
    let all = polled(waiter);
    for one in all.iter().take(POLLED) {
        let mut row = blocked(sight, one, &wakers(&sight.snapshot, one));
        row[PLACE_OF_CALL] = Cell::Text(format!("poll: {}", sight.wait_text(one)));
        table.push(row);
    }
    if let more @ 1.. = all.len().saturating_sub(POLLED) {
        table.footer.push(format!(
            "{} polled by {}",
            counted(more, "more object"),
            waiter.pid
        ));
    }
}

/// A state of proc_pid_stat(5), in a word.
fn state_word(state: char) -> String {
    match state {
        'R' => "running".into(),
        'S' => "asleep".into(),
        'D' => "in uninterruptible sleep".into(),
        'T' => "stopped".into(),
        't' => "stopped by a tracer".into(),
        'Z' => "a zombie".into(),
        'I' => "idle".into(),
        state => state.into(),
    }
}

/// Where [`CALL`] stands in a row.
const PLACE_OF_CALL: usize = 4;

fn blocked(sight: &Sight, waiter: &Waiter, by: &Wakers) -> [Cell; 9] {
    let pid = waiter.pid;
    let is_lock = matches!(waiter.wait, Wait::FileLock { .. });
    let (by, sure) = match by.sure {
        _ if waiter.thing.is_none() && !is_lock => (Cell::Nothing, Cell::Nothing),
        Sure::Unseen => (Cell::Unknown, sure(by.sure)),
        _ => {
            let others = by.pids.iter().copied();
            let others = others.filter(|pid| *pid != waiter.pid || wakes_itself(sight, waiter));
            (people(sight, &others.collect::<Vec<_>>()), sure(by.sure))
        }
    };
    [
        Cell::from(pid),
        waiter.tid.into(),
        command(sight, pid),
        user(sight, pid),
        Cell::Text(sight.wait_text(waiter)),
        about(sight, waiter).map_or(Cell::Nothing, Cell::Text),
        wakes(waiter).map_or(Cell::Nothing, Cell::Text),
        by,
        sure,
    ]
}

/// Whether a process may do what it waits for itself: it has a thread that does not wait there too.
fn wakes_itself(sight: &Sight, waiter: &Waiter) -> bool {
    let there = |thing| sight.snapshot.waiting_at(thing);
    let waits = |tid: i32| {
        let mut all = waiter.thing.into_iter().flat_map(there);
        tid == waiter.tid || all.any(|w| w.tid == tid)
    };
    let mut threads = process::threads(waiter.pid).into_iter().flatten();
    threads.any(|tid| !waits(tid))
}

/// The condition of the object that is waited at.
fn about(sight: &Sight, waiter: &Waiter) -> Option<String> {
    let Some(thing) = waiter.thing else {
        let elsewhere = format!("another IPC namespace; see `why --ns {}`", waiter.pid);
        return is_system_v(&waiter.wait).then_some(elsewhere);
    };
    let (family, object) = thing.object(waiter.path.as_deref())?;
    let index = match &waiter.wait {
        Wait::SemOp { id, ops, .. } => {
            let op = words::blocking(*id, ops)?;
            Some(u32::from(op.num))
        }
        _ => None,
    };
    mechanism::condition(
        &sight.at(waiter.tid, &waiter.at_one_end()),
        family,
        &object,
        index,
        Some(thing),
    )
}

/// The pid and the command of each.
fn people(sight: &Sight, pids: &[i32]) -> Cell {
    let person = |pid: &i32| Cell::List(vec![Cell::from(*pid), command(sight, *pid)]);
    match pids {
        [] => Cell::Nothing,
        pids => Cell::List(pids.iter().map(person).collect()),
    }
}

fn sure(sure: Sure) -> Cell {
    Cell::text(match sure {
        Sure::Exact => "exact",
        Sure::Seen => "of those seen",
        Sure::Unseen => "unseen",
        Sure::LastOperator => "last operator only",
        Sure::Anyone => "anyone",
    })
}

/// The cycles, thread by thread.
fn suspected(sight: &Sight, cycles: &[Cycle]) -> Table {
    let columns = vec![&CYCLE, &PID, &TID, &COMMAND, &CALL, &BY, &SURE];
    let mut table = Table::new("cycle", "Suspected deadlocks", columns);
    for (number, cycle) in cycles.iter().enumerate() {
        for member in &cycle.0 {
            let waiter = member.waiter;
            table.push([
                Cell::from(number + 1),
                waiter.pid.into(),
                waiter.tid.into(),
                command(sight, waiter.pid),
                Cell::Text(sight.wait_text(waiter)),
                people(sight, &member.wakers.pids),
                sure(member.wakers.sure),
            ]);
        }
    }
    table
}
