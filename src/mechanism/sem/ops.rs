//! Operating on semaphores: semop(2), and semtimedop(2) where there is a timeout.

use std::time::Duration;

use super::wording::operation_failure;
use super::{FAMILY, SEMAPHORE, find_or_make, index, posix};
use crate::data::StepResult;
use crate::kernel::sem::{self, SemOp};
use crate::lang::{Example, Kind, Param, Rule, Runs, Signature};
use crate::mechanism::common;
use crate::mechanism::posix::no_posix;
use crate::mechanism::{Args, Flavour, Run, Verb, World};

/// Who would not wait waits for no time.
const PATIENCE: Rule = Rule::Apart(&["nowait", "timeout"]);

/// A parameter list's common members.
const NOWAIT: Param = Param::flag(
    "nowait",
    "fail with EAGAIN where it would block (IPC_NOWAIT)",
);
const UNDO: Param = Param::flag(
    "undo",
    "take it back when this actor ends, however it ends (SEM_UNDO)",
);
const TIMEOUT: Param = Param::option(
    "timeout",
    Kind::Duration,
    "wait no longer than this, then fail with EAGAIN (semtimedop)",
);

/// The errnos, which are the same for every operation.
const EACCES: (&str, &str) = ("EACCES", "the set's mode does not let you alter it");
const EAGAIN: (&str, &str) = ("EAGAIN", "it would wait and may not, or waited too long");
const EFBIG: (&str, &str) = ("EFBIG", "the set has no such semaphore");
const EIDRM: (&str, &str) = ("EIDRM", "the set was removed while this waited");
const EINTR: (&str, &str) = ("EINTR", "it was interrupted while it waited");
const EINVAL: (&str, &str) = ("EINVAL", "there is no set with this id");
const ENOENT: (&str, &str) = ("ENOENT", "no POSIX semaphore has this name");
const ETIMEDOUT: (&str, &str) = ("ETIMEDOUT", "the POSIX semaphore was 0 for as long");
const ENOMEM: (&str, &str) = ("ENOMEM", "the kernel has no memory to note the undo");

pub(super) static P: Verb = Verb {
    signature: Signature {
        name: "sem p",
        summary: "lower a semaphore, waiting until it can be lowered",
        params: &[
            SEMAPHORE,
            Param::optional(
                "n",
                Kind::Int(1, 32768),
                "by how much; 1 where it is left out",
            ),
            NOWAIT,
            UNDO,
            TIMEOUT,
        ],
        rules: &[PATIENCE],
        refuses: Some(posix::of_semop),
        runs: Runs::Actor,
        takes: true,
        blocks: Some("while the semaphore's value is less than N"),
        calls: &[
            "semop(2)",
            "semtimedop(2)",
            "sem_wait(3)",
            "sem_timedwait(3)",
        ],
        errnos: &[
            EACCES, EAGAIN, EFBIG, EIDRM, EINTR, EINVAL, ENOENT, ENOMEM, ETIMEDOUT,
        ],
        notes: "Where there is no current set, one is created with the value 1, a lock, and then lowered.\n\
                It is all or nothing: `sem p s 2` does not take 1 and wait for another. A POSIX semaphore goes \
                down by 1 only, and has no --undo.\n\
                A semaphore has no owner: any process may raise what another lowered.",
        examples: &[
            Example {
                script: "sem p\nsem p --nowait => EAGAIN\nsem v",
                shows: "a first lock",
            },
            Example {
                script: "sem create lock\nsem p lock\nb: sem p lock ...\nsem v lock\nb: ... => ok",
                shows: "a second actor waits for the lock",
            },
            Example {
                script: "sem create lock 0\nsem p lock timeout=10ms => EAGAIN",
                shows: "waiting for a while",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(p),
};

fn p(world: &mut World, args: &Args) -> StepResult {
    let n: i32 = args.int("n")?.unwrap_or(1);
    let op = SemOp {
        num: index(args)?.unwrap_or(0),
        // 32768 is the one whose negation only fits.
        op: (-n) as i16,
        nowait: args.flag("nowait"),
        undo: args.flag("undo"),
    };
    let timeout = args.duration("timeout")?;
    match find_or_make(world, args, 1)? {
        (Flavour::Posix(name), _) => posix::p(world, args, &name),
        (Flavour::SystemV(id), note) => operate(world, args, id, &[op], timeout, note),
    }
}

pub(super) static V: Verb = Verb {
    signature: Signature {
        name: "sem v",
        summary: "raise a semaphore, waking who can go on",
        params: &[
            SEMAPHORE,
            Param::optional(
                "n",
                Kind::Int(1, 32767),
                "by how much; 1 where it is left out",
            ),
            NOWAIT,
            UNDO,
        ],
        refuses: Some(posix::of_semop),
        runs: Runs::Actor,
        calls: &["semop(2)", "sem_post(3)"],
        errnos: &[
            EACCES,
            EFBIG,
            EINVAL,
            ENOENT,
            ENOMEM,
            ("EOVERFLOW", "the POSIX semaphore is at SEM_VALUE_MAX"),
            ("ERANGE", "the value would be above semvmx"),
        ],
        notes: "Where there is no current set, one is created with the value 0, and then raised.\n\
                It never waits, so --nowait changes nothing.",
        examples: &[
            Example {
                script: "sem v\nsem get => 1",
                shows: "a first signal",
            },
            Example {
                script: "sem create items 0\nb: sem p items 2 ...\nsem v items\nsem v items\nb: ... => ok",
                shows: "a waiter that needs two",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(v),
};

fn v(world: &mut World, args: &Args) -> StepResult {
    let n: i32 = args.int("n")?.unwrap_or(1);
    let op = SemOp {
        num: index(args)?.unwrap_or(0),
        op: n as i16,
        nowait: args.flag("nowait"),
        undo: args.flag("undo"),
    };
    match find_or_make(world, args, 0)? {
        (Flavour::Posix(name), _) => posix::v(world, args, &name),
        (Flavour::SystemV(id), note) => operate(world, args, id, &[op], None, note),
    }
}

pub(super) static Z: Verb = Verb {
    signature: Signature {
        name: "sem z",
        summary: "wait until a semaphore is zero",
        params: &[SEMAPHORE, NOWAIT, TIMEOUT],
        rules: &[PATIENCE],
        refuses: Some(|given| no_posix(given, FAMILY, "set")),
        runs: Runs::Actor,
        takes: true,
        blocks: Some("while the semaphore's value is not 0"),
        calls: &["semop(2)", "semtimedop(2)"],
        errnos: &[
            ("EACCES", "the set's mode does not let you read"),
            EAGAIN,
            EFBIG,
            EIDRM,
            EINTR,
            EINVAL,
        ],
        notes: "It changes nothing, and every process that waits for zero goes on at once: a barrier \
                starts at the number of processes, each lowers it by one and waits for zero.",
        examples: &[
            Example {
                script: "sem create barrier 2\nb: sem p barrier\nb: sem z barrier ...\nsem p barrier\nsem z barrier\nb: ... => ok",
                shows: "a barrier for two",
            },
            Example {
                script: "sem create jobs 3\nsem z jobs --nowait => EAGAIN\nsem p jobs 3\nsem z jobs",
                shows: "waiting until all is done",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(z),
};

fn z(world: &mut World, args: &Args) -> StepResult {
    let op = SemOp {
        num: index(args)?.unwrap_or(0),
        op: 0,
        nowait: args.flag("nowait"),
        undo: false,
    };
    let timeout = args.duration("timeout")?;
    let id = world.find_id(FAMILY, args, "set")?;
    operate(world, args, id, &[op], timeout, None)
}

pub(super) static OP: Verb = Verb {
    signature: Signature {
        name: "sem op",
        summary: "make several operations on a set as one",
        params: &[
            Param::optional(
                "set",
                Kind::Ref(FAMILY),
                "the set; the current one where it is left out",
            ),
            Param::repeated(
                "op",
                Kind::SemOp,
                "SEMAPHORE:DELTA, such as 0:-1 or 1:+1; 2:0 waits for zero; u behind it is --undo, n is --nowait, for this one",
            ),
            NOWAIT,
            UNDO,
            TIMEOUT,
        ],
        refuses: Some(|given| no_posix(given, FAMILY, "set")),
        runs: Runs::Actor,
        blocks: Some("while any of the operations cannot be made, and then none is"),
        calls: &["semop(2)", "semtimedop(2)"],
        errnos: &[
            ("E2BIG", "there are more operations than semopm"),
            EACCES,
            EAGAIN,
            EFBIG,
            EIDRM,
            EINTR,
            EINVAL,
            ENOMEM,
            ("ERANGE", "a value would be above semvmx"),
        ],
        notes: "All are made or none, in the order in which they are written: `0:0 0:+1` takes a \
                semaphore that is zero. Two locks that are taken so cannot deadlock.",
        examples: &[
            Example {
                script: "sem create forks 1 count=3\nsem op forks 0:-1 1:-1\nsem op forks 1:-1 2:-1 --nowait => EAGAIN\nsem get forks => \"0 0 1\"",
                shows: "two forks at once, or none",
            },
            Example {
                script: "sem create s 0\nsem op 0:0 0:+1u\nsem op 0:0n 0:+1u => EAGAIN",
                shows: "wait for zero, and raise",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(op),
};

fn op(world: &mut World, args: &Args) -> StepResult {
    let (nowait, undo) = (args.flag("nowait"), args.flag("undo"));
    let ops = args.sem_ops("op").map(|op| SemOp {
        num: op.index,
        op: op.delta,
        nowait: op.nowait || nowait,
        undo: op.undo || undo,
    });
    let ops: Vec<SemOp> = ops.collect();
    let timeout = args.duration("timeout")?;
    let id = world.find_id(FAMILY, args, "set")?;
    operate(world, args, id, &ops, timeout, None)
}

fn operate(
    world: &mut World,
    args: &Args,
    id: i32,
    ops: &[SemOp],
    timeout: Option<Duration>,
    note: Option<String>,
) -> StepResult {
    let done = match ops {
        [op] => sem::operate(id, &[(*op).into()], timeout),
        ops => {
            let ops: Vec<sem::sembuf> = ops.iter().map(|op| (*op).into()).collect();
            sem::operate(id, &ops, timeout)
        }
    };
    match done {
        Ok(()) => {
            for op in ops {
                world.holds.operated(id, op.num, op.op);
            }
            Ok(common::noted(note))
        }
        Err(errno) => Err(operation_failure(world, args, errno, id, ops, timeout)),
    }
}

#[cfg(test)]
mod tests;
