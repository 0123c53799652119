//! Changing a segment: shmctl(2) with `IPC_SET`, `SHM_LOCK` and `SHM_UNLOCK`.

use super::access::label;
use super::{FAMILY, SEGMENT};
use crate::data::{Failure, Outcome, StepResult};
use crate::kernel::sysv::PermSet;
use crate::kernel::{Errno, shm};
use crate::lang::{Example, Param, Rule, Runs, Signature};
use crate::mechanism::common::{self, GROUP, NEW_MODE, OWNER};
use crate::mechanism::posix::no_posix;
use crate::mechanism::{Args, Run, Verb, World};

pub(super) static SET: Verb = Verb {
    signature: Signature {
        name: "shm set",
        summary: "change a segment's permissions or owner, or lock it in memory",
        params: &[
            SEGMENT,
            NEW_MODE,
            OWNER,
            GROUP,
            Param::flag("lock", "keep its pages from being swapped out (SHM_LOCK)"),
            Param::flag("unlock", "let them be swapped out again (SHM_UNLOCK)"),
        ],
        rules: &[
            Rule::Some(&["mode", "owner", "group", "lock", "unlock"]),
            Rule::Apart(&["lock", "unlock", "mode"]),
            Rule::Apart(&["lock", "unlock", "owner"]),
            Rule::Apart(&["lock", "unlock", "group"]),
        ],
        refuses: Some(|given| no_posix(given, FAMILY, "segment")),
        runs: Runs::Actor,
        calls: &["shmctl(2)"],
        errnos: &[
            (
                "EINVAL",
                "there is no segment with this id, or the new owner's number is none",
            ),
            (
                "ENOMEM",
                "with it you would have more memory locked than RLIMIT_MEMLOCK allows",
            ),
            (
                "EPERM",
                "the segment is somebody else's, or you may lock no memory at all (RLIMIT_MEMLOCK is 0)",
            ),
        ],
        notes: "What is not named stays as it is. --lock and --unlock are calls of their own and stand \
                alone.\n\
                A new mode is asked at the next attach: who has it attached keeps what it has.",
        examples: &[
            Example {
                script: "shm create cnt\nshm set cnt mode=0640",
                shows: "permissions",
            },
            Example {
                script: "shm create cnt\nshm set --lock\nshm set --unlock",
                shows: "a segment that stays in memory",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(set),
};

fn set(world: &mut World, args: &Args) -> StepResult {
    let perm = common::perm_set(args)?;
    let lock = args.flag("lock");
    let id = world.find_id(FAMILY, args, "segment")?;
    let (command, done) = match &perm {
        Some(perm) => (
            format!("IPC_SET{}", common::perm_text(perm)),
            shm::set(id, perm),
        ),
        None if lock => ("SHM_LOCK".to_string(), shm::lock(id)),
        None => ("SHM_UNLOCK".to_string(), shm::unlock(id)),
    };
    done.map(|()| Outcome::ok()).map_err(|errno| {
        set_failure(
            world,
            args,
            errno,
            (&command, &perm.unwrap_or_default()),
            id,
        )
    })
}

fn set_failure(
    world: &World,
    args: &Args,
    errno: Errno,
    (command, set): (&str, &PermSet),
    id: i32,
) -> Failure {
    let call = format!("shmctl({}, {command})", label(world, args, &id.into()));
    let mut failure = args.failure(errno, call);
    let perm = shm::stat_any_id(id).map(|s| s.perm);
    common::explain_set(world, FAMILY, errno, id, (set, perm), &mut failure);
    let ours = perm.is_ok_and(|perm| common::is_owner(&perm));
    if errno == Errno::ENOMEM || (errno == Errno::EPERM && ours) {
        failure.help = Some("Raise the limit with `ulimit -l`, or lock it as root".into());
    }
    failure
}

#[cfg(test)]
mod tests {
    use crate::kernel::shm::{self, SHM_LOCKED};
    use crate::mechanism::testing::{Bench, as_ordinary_user};

    #[test]
    fn the_kernel_shows_what_was_set() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        let id = bench.id("cnt");
        bench.ok("shm set cnt mode=0640 group=0");
        let perm = shm::stat_any_id(id).unwrap().perm;
        assert_eq!((perm.mode, perm.gid), (0o640, 0));
        bench.ok("shm set --lock");
        let locked = || shm::stat_any_id(id).unwrap().perm.mode & SHM_LOCKED != 0;
        assert!(locked());
        bench.ok("shm set --unlock");
        assert!(!locked());
        bench.refuses("shm set cnt", "`shm set` needs something to do");
        bench.refuses(
            "shm set /cnt --lock",
            "done to no POSIX shared memory segment",
        );
        bench.fails("shm set group=no_such_group", "error");
        bench.fails("shm set id:2147483000 mode=0600", "EINVAL");
        bench.fails("shm set id:2147483000 --lock", "EINVAL");
        let failure = bench.fails("shm set owner=4294967295 group=4294967295", "EINVAL");
        let said = "there can be no user 4294967295 or group 4294967295";
        assert_eq!(failure.meaning, said);
    }

    #[test]
    fn memory_is_locked_up_to_a_limit() {
        if !as_ordinary_user("mechanism::shm::set::tests::memory_is_locked_up_to_a_limit") {
            return;
        }
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits
            .lines()
            .find(|l| l.starts_with("Max locked"))
            .unwrap();
        let Ok(limit) = line["Max locked memory".len()..]
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<u64>()
        else {
            eprintln!("skipped: this user may lock any amount of memory");
            return;
        };
        let mut bench = Bench::new();
        bench.ok(&format!("shm create cnt {}", limit + 4096));
        let errno = if limit == 0 { "EPERM" } else { "ENOMEM" };
        let failure = bench.fails("shm set --lock", errno);
        assert!(failure.meaning.contains("RLIMIT_MEMLOCK"), "{failure}");
    }
}
