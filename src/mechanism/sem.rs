//! Semaphores. System V's sets: semget(2), semop(2), semctl(2).

mod ops;
mod posix;
mod table;
mod values;
mod wording;

pub use table::waiting;

use super::common::{DEFAULT_MODE, MODE, PRIVATE, PRIVATE_IS};
use super::create::Maker;
use super::posix::with_posix;
use super::{Args, Created, Flavour, Mechanism, ObjectKind, Run, Verb, World};
use crate::data::{Failure, Family, StepResult, counted};
use crate::kernel::{Result as KernelResult, sem};
use crate::lang::{Example, Kind, Param, Reference, Runs, Signature};

const FAMILY: Family = Family::Sem;

super::common_verbs::common_verbs!(FAMILY, "sem", "semaphore set", "semctl", "sem create x");

const SEMAPHORE: Param = Param::optional(
    "set",
    Kind::Semaphore,
    "the set, and which of its semaphores; number 0 where there is no [i], the current set where it is left out",
);

/// A value as the calls take it: a C `int`.
const VALUE: Kind = Kind::Int(i32::MIN as i64, i32::MAX as i64);

static CREATE: Verb = Verb {
    signature: Signature {
        name: "sem create",
        summary: "create a semaphore set and make it the current one",
        yields: &["id", "key"],
        params: &[
            Param::optional(
                "name",
                Kind::NewRef(FAMILY),
                "its name in this session, key:K for a key of your choice, or /NAME for a POSIX semaphore; sem1, sem2 … where it is left out",
            ),
            Param::optional(
                "value",
                VALUE,
                "the value that each of its semaphores starts with; 1 where it is left out",
            ),
            Param::option(
                "count",
                Kind::Int(0, i32::MAX as i64),
                "how many semaphores it has; 1 where it is left out",
            ),
            MODE,
            PRIVATE,
        ],
        refuses: Some(|given| with_posix(given, FAMILY, "name", &[PRIVATE_IS, posix::COUNT_IS])),
        runs: Runs::Actor,
        calls: &["semget(2)", "semctl(2)", "sem_open(3)"],
        errnos: &[
            (
                "EACCES",
                "the mode does not let its owner set the first value",
            ),
            (
                "EEXIST",
                "a set with this key, or a POSIX semaphore of this name, exists",
            ),
            (
                "EINVAL",
                "the count is 0 or above semmsl; of a POSIX semaphore the value is below 0",
            ),
            (
                "ENAMETOOLONG",
                "the name of a POSIX semaphore has more than 251 bytes",
            ),
            ("ENOMEM", "the kernel has no memory for it"),
            (
                "ENOSPC",
                "the host has as many sets as it may (semmni), or as many semaphores (semmns)",
            ),
            ("ERANGE", "the value is below 0 or above semvmx"),
        ],
        notes: "With the value 1 the first `sem p` goes through and the second waits: a lock.\n\
                System V creates a set with all values 0 and sets them in a second call (semctl), so \
                a program that opens the key in between sees 0. Where the second call fails, \
                the set is removed again.\n\
                The set is removed when the session ends, unless `keep` exempts it. \
                Its key is chosen first and written down, so that it is removed even after SIGKILL. \
                With --private there is no key to find it by: a SIGKILL in the few instructions \
                between the kernel's creation and our note of the id leaves it behind.",
        examples: &[
            Example {
                script: "sem create lock\nsem p lock\nsem p lock --nowait => EAGAIN\nsem v lock",
                shows: "a lock",
            },
            Example {
                script: "sem create set 0 count=3\nsem v set[1]\nsem get set => \"0 1 0\"",
                shows: "three semaphores in one set",
            },
            Example {
                script: "sem create /ipcsh-lock\nsem p /ipcsh-lock\nsem p --nowait => EAGAIN\nsem v\nsem get => 1",
                shows: "a POSIX semaphore: one, with a name of the host",
            },
            Example {
                script: "sem create s 40000 => ERANGE",
                shows: "a value that is too large; nothing is left of it",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(create),
};

/// What is created.
#[derive(Clone, Copy)]
struct Shape {
    count: i32,
    value: i32,
    mode: u32,
    private: bool,
}

impl Shape {
    /// One semaphore of this value.
    fn one(value: i32) -> Shape {
        Shape {
            count: 1,
            value,
            mode: DEFAULT_MODE,
            private: false,
        }
    }
}

fn create(world: &mut World, args: &Args) -> StepResult {
    let wanted = args.reference("name");
    let shape = Shape {
        count: args.int("count")?.unwrap_or(1),
        value: args.int("value")?.unwrap_or(1),
        mode: args.int("mode")?.unwrap_or(DEFAULT_MODE),
        private: args.flag("private"),
    };
    if let Some(name) = super::posix::wanted(FAMILY, wanted, args)? {
        return posix::create(world, args, &name, shape.value, shape.mode);
    }
    let created = make(world, args, wanted, shape)?;
    Ok(created.outcome(FAMILY, wanted))
}

fn make(
    world: &mut World,
    args: &Args,
    wanted: Option<&Reference>,
    shape: Shape,
) -> Result<Created, Failure> {
    let Shape { count, mode, .. } = shape;
    let maker = Maker {
        family: FAMILY,
        call: "semget",
        given: &format!(", {}", counted(count, "semaphore")),
        make: &|key| sem::get(key, count, mode, true, true),
    };
    let before = world
        .names
        .current(FAMILY)
        .map(|(name, _)| name.to_string());
    let created = world
        .create(args, wanted, shape.private, &maker)
        .map_err(|failure| wording::creation_failure(failure, count))?;
    if let Err(errno) = start(created.id, shape) {
        // Nothing is left half done; what cannot be removed now the ledger still knows.
        if sem::remove(created.id).is_ok() {
            world.removed(FAMILY, &created.id.into());
        }
        if let Some(before) = before {
            world.names.make_current(FAMILY, &before);
        }
        let call = wording::setting_call(&created.name, None, &[shape.value], count as usize);
        let mut failure = args.failure(errno, call);
        wording::range(errno, &[shape.value], &mut failure);
        return Err(failure);
    }
    world.holds.made(created.id, shape.value);
    Ok(created)
}

/// Gives a new set its values, which are all 0.
fn start(id: i32, shape: Shape) -> KernelResult<()> {
    match (shape.value, shape.count) {
        (0, _) => Ok(()),
        (value, 1) => sem::set_value(id, 0, value),
        (value, count) => values::assign(id, &vec![value; count as usize]),
    }
}

/// The set that is meant; where there is no current one, it is created with one semaphore
/// of this value, and the note says so.
fn find_or_make(
    world: &mut World,
    args: &Args,
    value: i32,
) -> Result<(Flavour, Option<String>), Failure> {
    if args.reference("set").is_some() || world.names.current(FAMILY).is_some() {
        return Ok((world.flavour(FAMILY, args, "set")?, None));
    }
    let created = make(world, args, None, Shape::one(value))?;
    let note = format!("{}, value {value}", created.note(FAMILY));
    Ok((Flavour::SystemV(created.id), Some(note)))
}

/// Which semaphore of the set, where the reference says it.
fn index(args: &Args) -> Result<Option<u16>, Failure> {
    let Some(term) = args.reference("set").and_then(|r| r.index.as_ref()) else {
        return Ok(None);
    };
    let n = args.env.int(term)?;
    u16::try_from(n).map(Some).map_err(|_| {
        Failure::refused(format!(
            "there is no semaphore {n}: they are numbered from 0 to 65535 at most"
        ))
    })
}

/// Everything about semaphore sets.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[
        &LS,
        &INFO,
        &CREATE,
        &ops::P,
        &ops::V,
        &ops::Z,
        &ops::OP,
        &values::GET,
        &values::SET,
        &USE,
        &RM,
    ],
    kinds: &[
        &ObjectKind {
            family: FAMILY,
            posix: false,
            fields: table::fields,
            times: &[("otime", "operated")],
            look: table::look,
            list: table::list,
            info: table::info,
            peek: table::peek,
            condition: table::condition,
        },
        &posix::OBJECTS,
    ],
};

#[cfg(test)]
mod tests {
    use crate::data::Family;
    use crate::kernel::sem;
    use crate::mechanism::testing::{Bench, as_ordinary_user, in_own_namespace};

    #[test]
    fn the_kernel_shows_what_was_created() {
        let mut bench = Bench::new();
        bench.ok("sem create set 5 count=3 mode=0640");
        let id = bench.id("set");
        let table = std::fs::read_to_string("/proc/sysvipc/sem").unwrap();
        let row = table
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>())
            .find(|row| row[1] == id.to_string())
            .unwrap();
        assert_eq!((row[2], row[3]), ("640", "3"));
        assert_eq!(sem::values(id, 3).unwrap(), [5, 5, 5]);
        bench.ok("sem create lock");
        assert_eq!(sem::value(bench.id("lock"), 0), Ok(1));
        bench.ok("sem create none 0 --private");
        assert_eq!(sem::value(bench.id("none"), 0), Ok(0));
    }

    #[test]
    fn a_value_out_of_range_leaves_nothing() {
        let mut bench = Bench::new();
        bench.ok("sem create first");
        let before = bench.world.ledger.to_sweep();
        let failure = bench.fails("sem create s 40000", "ERANGE");
        assert_eq!(
            failure.to_string(),
            "semctl(s, 0, SETVAL, 40000) = ERANGE: a semaphore's value is from 0 to 32767, not 40000"
        );
        bench.fails("sem create s -1", "ERANGE");
        bench.fails("sem create s 32768 count=2", "ERANGE");
        bench.fails("sem create s 70000 count=2", "ERANGE");
        assert_eq!(bench.world.ledger.to_sweep(), before);
        assert_eq!(bench.world.names.all(Family::Sem).len(), 1);
        bench.shows("sem get", "1");
        bench.ok("sem create s 32767");
    }

    #[test]
    fn counts_and_names_are_judged() {
        let mut bench = Bench::new();
        bench.fails("sem create s count=0", "EINVAL");
        let failure = bench.fails("sem create s count=2147483647", "EINVAL");
        assert!(failure.meaning.contains("semmsl"), "{failure}");
        assert_eq!(bench.world.ledger.to_sweep(), 0);
        bench.ok("sem create s");
        bench.fails("sem create s", "EEXIST");
    }

    #[test]
    fn a_mode_that_shuts_its_maker_out_leaves_nothing() {
        if !as_ordinary_user(
            "mechanism::sem::tests::a_mode_that_shuts_its_maker_out_leaves_nothing",
        ) {
            return;
        }
        let mut bench = Bench::new();
        bench.fails("sem create s 1 mode=0400", "EACCES");
        assert_eq!(bench.world.ledger.to_sweep(), 0);
        bench.ok("sem create s 0 mode=0400");
    }

    #[test]
    fn a_full_host_is_named_by_its_limit() {
        if !in_own_namespace() {
            return;
        }
        let mut bench = Bench::new();
        std::fs::write("/proc/sys/kernel/sem", "32000 5 500 1").unwrap();
        let failure = bench.fails("sem create a count=6", "ENOSPC");
        assert!(failure.meaning.contains("semmns (5)"), "{failure}");
        bench.ok("sem create a");
        let failure = bench.fails("sem create b", "ENOSPC");
        assert!(failure.meaning.contains("semmni allows (1)"), "{failure}");
    }
}
