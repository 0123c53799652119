//! Reading and setting the values of a set: semctl(2).

use super::wording::{failure, label, range, setting_call};
use super::{FAMILY, SEMAPHORE, VALUE, index, posix};
use crate::data::{Cell, Failure, Outcome, StepResult, counted};
use crate::kernel::sysv::PermSet;
use crate::kernel::{Errno, Result as KernelResult, sem};
use crate::lang::{Example, Given, Kind, Param, Refusal, Rule, Runs, Signature};
use crate::mechanism::common::{self, GROUP, NEW_MODE, OWNER};
use crate::mechanism::posix::no_posix;
use crate::mechanism::{Args, Flavour, Run, Verb, World};

pub(super) static GET: Verb = Verb {
    signature: Signature {
        name: "sem get",
        summary: "read the value of a semaphore, or of all of a set",
        params: &[Param::optional(
            "set",
            Kind::Semaphore,
            "the set, and which of its semaphores; all of them where there is no [i], the current set where it is left out",
        )],
        runs: Runs::Actor,
        takes: true,
        calls: &["semctl(2)", "sem_getvalue(3)"],
        errnos: &[
            ("EACCES", "the set's mode does not let you read"),
            (
                "EINVAL",
                "there is no set with this id, or no such semaphore in it",
            ),
            ("ENOENT", "no POSIX semaphore has this name"),
        ],
        notes: "One semaphore's value is a bare integer; those of several are text, with a space between, \
                read at one instant.",
        examples: &[
            Example {
                script: "sem create lock\nsem p lock\nsem get lock => 0",
                shows: "one value",
            },
            Example {
                script: "sem create set 2 count=3\nsem p set[1]\nsem get set[1] => 1\nsem get set => \"2 1 2\"",
                shows: "the values of a set",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(get),
};

/// The values of a set: `2 1 2`.
pub(super) fn listed(values: &[u16]) -> Cell {
    let words: Vec<String> = values.iter().map(u16::to_string).collect();
    Cell::Data(words.join(" ").into_bytes())
}

fn get(world: &mut World, args: &Args) -> StepResult {
    let id = match world.flavour(FAMILY, args, "set")? {
        Flavour::Posix(name) => return posix::get(args, &name),
        Flavour::SystemV(id) => id,
    };
    let index = index(args)?;
    let read = || -> KernelResult<Outcome> {
        let nsems = match index {
            Some(_) => 1,
            None => sem::stat_any_id(id)?.nsems as usize,
        };
        if nsems == 1 {
            let value = sem::value(id, index.unwrap_or(0).into())?;
            return Ok(Outcome::value(value));
        }
        let values = sem::values(id, nsems)?;
        Ok(Outcome::value(listed(&values)))
    };
    read().map_err(|errno| {
        let label = label(world, args, id);
        let call = match index {
            Some(index) => format!("semctl({label}, {index}, GETVAL)"),
            None => format!("semctl({label}, GETALL)"),
        };
        failure(world, args, errno, call, id, index)
    })
}

pub(super) static SET: Verb = Verb {
    signature: Signature {
        name: "sem set",
        summary: "set values of a semaphore set, or change its permissions or owner",
        params: &[
            Param::optional("set", Kind::Semaphore, SEMAPHORE.help),
            Param::any(
                "value",
                VALUE,
                "one value for one semaphore, or as many as the set has",
            ),
            NEW_MODE,
            OWNER,
            GROUP,
        ],
        rules: &[
            Rule::Some(&["value", "mode", "owner", "group"]),
            Rule::Apart(&["value", "mode"]),
            Rule::Apart(&["value", "owner"]),
            Rule::Apart(&["value", "group"]),
        ],
        refuses: Some(|given| no_posix(given, FAMILY, "set").or_else(|| of_one(given))),
        runs: Runs::Actor,
        calls: &["semctl(2)"],
        errnos: &[
            ("EACCES", "the set's mode does not let you alter it"),
            (
                "EINVAL",
                "there is no set with this id, no such semaphore in it, or the new owner's number is none",
            ),
            ("EPERM", "the set is somebody else's"),
            ("ERANGE", "a value is below 0 or above semvmx"),
        ],
        notes: "Values are set whatever they are now, and those who wait go on where they can: \
                it is for starting anew, not for synchronizing. \
                Undo entries (--undo) of the semaphores that are set are cleared in all processes.\n\
                Values and permissions are two calls, and so two commands.",
        examples: &[
            Example {
                script: "sem create lock\nsem set 5\nsem get => 5",
                shows: "one value",
            },
            Example {
                script: "sem create set count=3\nsem set set 1 0 2\nsem set set[1] 7\nsem get set => \"1 7 2\"",
                shows: "all at once, and one of them",
            },
            Example {
                script: "sem create lock\nsem set lock mode=0666",
                shows: "permissions",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(set),
};

/// One semaphore has one value, and permissions are those of its set.
fn of_one(given: Given) -> Option<Refusal> {
    given.reference("set")?.index.as_ref()?;
    if let Some((at, _)) = given.all("value").nth(1) {
        return Some(Refusal::new(
            at,
            "one semaphore has one value",
            "leave it out",
        ));
    }
    given.first(&["mode", "owner", "group"])?;
    let message = "permissions are those of the whole set, not of one semaphore";
    let label = "expected the set, without the number in brackets";
    Some(Refusal::new(given.at("set")?, message, label))
}

fn set(world: &mut World, args: &Args) -> StepResult {
    let perm = common::perm_set(args)?;
    let values = given(args)?;
    match perm {
        Some(perm) => set_perm(world, args, &perm),
        None => set_values(world, args, &values),
    }
}

/// The values, as the calls take them.
fn given(args: &Args) -> Result<Vec<i32>, Failure> {
    let terms = args.all("value").filter_map(|arg| match arg {
        crate::lang::Arg::Term(term) => Some(term),
        _ => None,
    });
    terms
        .map(|term| {
            let n = args.env.int(term)?;
            i32::try_from(n)
                .map_err(|_| Failure::refused(format!("the value {n} does not fit a C int")))
        })
        .collect()
}

fn set_perm(world: &World, args: &Args, perm: &PermSet) -> StepResult {
    let id = world.find_id(FAMILY, args, "set")?;
    sem::set(id, perm).map(|()| Outcome::ok()).map_err(|errno| {
        let label = label(world, args, id);
        let call = format!("semctl({label}, IPC_SET{})", common::perm_text(perm));
        let mut failure = args.failure(errno, call);
        let set = (perm, sem::stat_any_id(id).map(|s| s.perm));
        common::explain_set(world, FAMILY, errno, id, set, &mut failure);
        failure
    })
}

fn set_values(world: &mut World, args: &Args, values: &[i32]) -> StepResult {
    let index = index(args)?;
    let id = world.find_id(FAMILY, args, "set")?;
    // A set that is gone: the call says so.
    let nsems = sem::stat_any_id(id).map_or(values.len(), |stat| stat.nsems as usize);
    let wanted = if index.is_some() { 1 } else { nsems };
    if values.len() != wanted {
        let label = label(world, args, id);
        let (has, say) = match index {
            Some(index) => (
                format!("{label}[{index}] has one value"),
                format!("sem set {label}[{index}] VALUE"),
            ),
            None => (
                format!("{label} has {}", counted(nsems, "semaphore")),
                format!(
                    "sem set {label}[i] VALUE for one of them, or {} for all",
                    counted(nsems, "value")
                ),
            ),
        };
        let what = if values.len() == 1 {
            "value is"
        } else {
            "values are"
        };
        return Err(
            Failure::refused(format!("{has}, and {} {what} given", values.len()))
                .help(format!("Say {say}")),
        );
    }
    let done = match (index, values) {
        (Some(index), [value]) => sem::set_value(id, index.into(), *value),
        (None, [value]) => sem::set_value(id, 0, *value),
        _ => assign(id, values),
    };
    if done.is_ok() {
        world.holds.set(id);
    }
    done.map(|()| Outcome::ok()).map_err(|errno| {
        let call = setting_call(&label(world, args, id), index, values, nsems);
        let mut failure = failure(world, args, errno, call, id, index);
        range(errno, values, &mut failure);
        failure
    })
}

/// Sets the values of all semaphores in one call. `ERANGE` also for what the call's
/// `unsigned short` cannot hold.
pub(super) fn assign(id: i32, values: &[i32]) -> KernelResult<()> {
    let values = values.iter().map(|v| u16::try_from(*v));
    let values: Vec<u16> = values
        .collect::<Result<_, _>>()
        .map_err(|_| Errno::ERANGE)?;
    sem::set_values(id, &values)
}

#[cfg(test)]
mod tests {
    use crate::kernel::sem;
    use crate::mechanism::testing::{Bench, as_ordinary_user};

    #[test]
    fn values_are_set_and_read() {
        let mut bench = Bench::new();
        bench.ok("sem create set 0 count=3");
        let id = bench.id("set");
        bench.ok("sem set set 1 0 2");
        assert_eq!(sem::values(id, 3).unwrap(), [1, 0, 2]);
        bench.shows("sem get set", "\"1 0 2\"");
        bench.shows("sem get set[2]", "2");
        bench.ok("let i = sem get set[0]");
        bench.ok("sem set set[$i] 7");
        assert_eq!(sem::value(id, 1), Ok(7));
        bench.ok("sem create one");
        bench.ok("sem set 5");
        bench.shows("sem get", "5");
        assert_eq!(sem::value(bench.id("one"), 0), Ok(5));
    }

    #[test]
    fn permissions_are_set() {
        let mut bench = Bench::new();
        bench.ok("sem create set 0 count=3");
        bench.ok("sem set mode=0640 group=0");
        let perm = sem::stat_any_id(bench.id("set")).unwrap().perm;
        assert_eq!((perm.mode, perm.gid), (0o640, 0));
        let failure = bench.fails("sem set group=4294967295", "EINVAL");
        assert_eq!(failure.meaning, "there can be no group 4294967295");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut bench = Bench::new();
        bench.fails("sem get", "error");
        bench.ok("sem create set 0 count=3");
        bench.ok("let v = sem get set[0]");
        for (line, why) in [
            ("sem set set[1] 1 2", "one semaphore has one value"),
            ("sem set set", "`sem set` needs something to do"),
            (
                "sem set set[0] mode=0600",
                "permissions are those of the whole set, not of one semaphore",
            ),
            ("sem set /s 1", "this is done to no POSIX semaphore"),
            ("sem op /s 0:1", "this is done to no POSIX semaphore"),
            ("sem get /s[1]", "a POSIX semaphore has no members"),
            ("sem get set[$((70000))]", "is no number of a semaphore"),
        ] {
            bench.refuses(line, why);
        }
        for (line, why) in [
            (
                "sem set set 1",
                "set has 3 semaphores, and 1 value is given",
            ),
            (
                "sem set set 1 2",
                "set has 3 semaphores, and 2 values are given",
            ),
            (
                "sem get set[$((v + 70000))]",
                "there is no semaphore 70000: they are numbered from 0 to 65535 at most",
            ),
        ] {
            assert_eq!(bench.fails(line, "error").meaning, why, "{line}");
        }
    }

    #[test]
    fn the_kernel_refuses() {
        let mut bench = Bench::new();
        bench.ok("sem create set 0 count=3");
        let failure = bench.fails("sem get set[3]", "EINVAL");
        assert_eq!(
            failure.to_string(),
            "semctl(set, 3, GETVAL) = EINVAL: set has 3 semaphores, 0 to 2, and no number 3"
        );
        bench.fails("sem set set[3] 1", "EINVAL");
        let failure = bench.fails("sem set set 1 2 40000", "ERANGE");
        assert_eq!(
            failure.to_string(),
            "semctl(set, SETALL, 1 2 40000) = ERANGE: \
             a semaphore's value is from 0 to 32767, not 40000"
        );
        bench.fails("sem set set 1 2 70000", "ERANGE");
        bench.fails("sem set set[0] -1", "ERANGE");
        bench.shows("sem get set", "\"0 0 0\"");
        let id = bench.id("set");
        sem::remove(id).unwrap();
        let failure = bench.fails("sem get set", "EINVAL");
        assert_eq!(
            failure.meaning,
            format!("the semaphore set set (id {id}) was removed")
        );
        bench.fails("sem set set 1 2 3", "EINVAL");
        bench.fails("sem set set mode=0600", "EINVAL");
    }

    #[test]
    fn the_mode_keeps_us_out() {
        if !as_ordinary_user("mechanism::sem::values::tests::the_mode_keeps_us_out") {
            return;
        }
        let mut bench = Bench::new();
        bench.ok("sem create set 0 count=2 mode=0400");
        bench.shows("sem get", "\"0 0\"");
        let failure = bench.fails("sem set 1 2", "EACCES");
        assert!(failure.meaning.contains("its mode is 0400"), "{failure}");
        bench.fails("sem v", "EACCES");
        bench.ok("sem set mode=0200");
        bench.fails("sem get", "EACCES");
        bench.fails("sem z", "EACCES");
    }
}
