//! Shared memory. System V's: shmget(2), shmop(2), shmctl(2).

mod access;
mod attach;
mod bytes;
mod dump;
mod peek;
mod posix;
mod set;
mod table;

use super::common::{DEFAULT_MODE, MODE, PRIVATE, PRIVATE_IS};
use super::create::Maker;
use super::posix::with_posix;
use super::{Args, Created, Mechanism, ObjectKind, Run, Verb, World};
use crate::data::{Failure, Family, Object, StepResult};
use crate::kernel::shm;
use crate::lang::{Example, Kind, Param, Reference, Runs, Signature};

pub use access::one_integer;
pub use peek::word_at;

const FAMILY: Family = Family::Shm;

super::common_verbs::common_verbs!(
    FAMILY,
    "shm",
    "shared memory segment",
    "shmctl",
    "shm create x"
);

const SEGMENT: Param = Param::optional(
    "segment",
    Kind::Ref(FAMILY),
    "the segment; the current one where it is left out",
);

/// The size where none is given: a page on most machines.
const DEFAULT_SIZE: usize = 4096;

static CREATE: Verb = Verb {
    signature: Signature {
        name: "shm create",
        summary: "create a shared memory segment and make it the current one",
        yields: &["id", "key"],
        params: &[
            Param::optional(
                "name",
                Kind::NewRef(FAMILY),
                "its name in this session, key:K for a key of your choice, or /NAME for a POSIX segment; shm1, shm2 … where it is left out",
            ),
            Param::optional(
                "size",
                Kind::Size,
                "its size in bytes; 4096 where it is left out",
            ),
            MODE,
            PRIVATE,
        ],
        refuses: Some(|given| with_posix(given, FAMILY, "name", &[PRIVATE_IS])),
        runs: Runs::Actor,
        calls: &["shmget(2)", "shm_open(3)"],
        errnos: &[
            ("EEXIST", "a segment with this key or name exists"),
            (
                "EINVAL",
                "the size is below shmmin (1 byte), above shmmax, or more than a file may have",
            ),
            (
                "ENOMEM",
                "the size is more than the kernel promises (vm.overcommit_memory)",
            ),
            (
                "ENOSPC",
                "the host has as many segments as it may (shmmni), or as many pages in them (shmall)",
            ),
        ],
        notes: "Its bytes are all 0. It keeps its size: System V segments do not grow, POSIX ones do \
                (`shm resize`).\n\
                The segment is removed when the session ends, unless `keep` exempts it. \
                Where kernel.shm_rmid_forced is 1, the kernel removes it at its last detach already, \
                and so after each `shm write` and `shm read`, unless some actor has it attached.\n\
                Its key is chosen first and written down, so that it is removed even after SIGKILL. \
                With --private there is no key to find it by: a SIGKILL in the few instructions \
                between the kernel's creation and our note of the id leaves it behind.",
        examples: &[
            Example {
                script: "shm create cnt 64K\nshm write cnt u32@0 41\nshm read cnt u32@0 => 41",
                shows: "a segment with a name and a size",
            },
            Example {
                script: "shm create /ipcsh-cnt 64\nshm write \"hi\"\n!test -s /dev/shm/ipcsh-cnt",
                shows: "a POSIX segment, which is a file",
            },
            Example {
                script: "shm create empty 0 => EINVAL",
                shows: "a segment has at least one byte",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(create),
};

fn create(world: &mut World, args: &Args) -> StepResult {
    let wanted = args.reference("name");
    let size = args.int("size")?.unwrap_or(DEFAULT_SIZE);
    let mode = args.int("mode")?.unwrap_or(DEFAULT_MODE);
    if let Some(name) = super::posix::wanted(FAMILY, wanted, args)? {
        return posix::create(world, args, &name, size, mode);
    }
    let created = make(world, args, wanted, size, mode, args.flag("private"))?;
    Ok(created.outcome(FAMILY, wanted))
}

fn make(
    world: &mut World,
    args: &Args,
    wanted: Option<&Reference>,
    size: usize,
    mode: u32,
    private: bool,
) -> Result<Created, Failure> {
    let maker = Maker {
        family: FAMILY,
        call: "shmget",
        given: &format!(", {size} B"),
        make: &|key| shm::get(key, size, mode, true, true),
    };
    world
        .create(args, wanted, private, &maker)
        .map_err(|failure| creation_failure(failure, size))
}

fn creation_failure(mut failure: Failure, size: usize) -> Failure {
    let (Some(errno), Ok(limits)) = (failure.errno.as_deref(), shm::limits()) else {
        return failure;
    };
    let pages = size.div_ceil(DEFAULT_SIZE) as u64;
    match errno {
        "EINVAL" if (size as u64) < limits.shmmin => {
            failure.meaning = format!("a segment has at least {} byte", limits.shmmin);
        }
        "EINVAL" if size as u64 > limits.shmmax => {
            failure.meaning = format!("a segment has at most shmmax ({}) bytes", limits.shmmax);
            failure.help = Some("Ask for less, or as root raise kernel.shmmax".into());
        }
        "EINVAL" => failure.meaning = "no file, and so no segment, may be as large".into(),
        "ENOSPC" if shm::info().is_ok_and(|info| info.used_ids >= limits.shmmni) => {
            failure.meaning = format!(
                "the host has as many segments as shmmni allows ({})",
                limits.shmmni
            );
            failure.help = Some("`shm ls` lists them; as root raise kernel.shmmni".into());
        }
        "ENOSPC" => {
            failure.meaning = format!(
                "with {pages} more pages all segments together would have more than shmall ({})",
                limits.shmall
            );
            failure.help = Some("Ask for less, or as root raise kernel.shmall".into());
        }
        _ => {}
    }
    failure
}

/// The segment that is meant; where there is no current one, it is created with room for
/// `size` bytes, and the note says so.
fn find_or_make(
    world: &mut World,
    args: &Args,
    size: usize,
) -> Result<(Object, Option<String>), Failure> {
    if args.reference("segment").is_some() || world.names.current(FAMILY).is_some() {
        return Ok((world.find(FAMILY, args, "segment")?, None));
    }
    let size = size.max(DEFAULT_SIZE);
    let created = make(world, args, None, size, DEFAULT_MODE, false)?;
    Ok((created.id.into(), Some(created.note(FAMILY))))
}

/// Everything about shared memory segments.
pub static MECHANISM: Mechanism = Mechanism {
    verbs: &[
        &LS,
        &INFO,
        &CREATE,
        &bytes::WRITE,
        &bytes::READ,
        &dump::DUMP,
        &peek::PEEK,
        &attach::ATTACH,
        &attach::DETACH,
        &posix::RESIZE,
        &set::SET,
        &USE,
        &RM,
    ],
    kinds: &[
        &ObjectKind {
            family: FAMILY,
            posix: false,
            fields: table::fields,
            times: &[("atime", "attached"), ("dtime", "detached")],
            look: table::look,
            list: table::list,
            info: table::info,
            peek: peek::peek,
            condition: table::condition,
        },
        &posix::OBJECTS,
    ],
};

#[cfg(test)]
mod tests {
    use crate::kernel::shm;
    use crate::mechanism::testing::{Bench, in_own_namespace};

    #[test]
    fn the_kernel_shows_what_was_created() {
        let mut bench = Bench::new();
        let outcome = bench.ok("shm create cnt 5000 mode=0640");
        let id = bench.id("cnt");
        assert_eq!(outcome.to_string(), "ok");
        assert_eq!(outcome.get("id"), Some(&id.into()));
        let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
        let row = table
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>())
            .find(|row| row[1] == id.to_string())
            .unwrap();
        assert_eq!((row[2], row[3]), ("640", "5000"));
        assert!(outcome.notes().is_empty());
    }

    #[test]
    fn a_name_is_made_up_and_said() {
        let mut bench = Bench::new();
        let outcome = bench.ok("shm create --private");
        let id = bench.id("shm1");
        assert_eq!(
            outcome.notes(),
            [format!("created shared memory segment shm1 (id {id})")]
        );
        let stat = shm::stat(id).unwrap();
        assert_eq!((stat.perm.key, stat.segsz), (0, 4096));
    }

    #[test]
    fn the_kernel_judges_the_size() {
        let mut bench = Bench::new();
        let failure = bench.fails("shm create a 0", "EINVAL");
        assert_eq!(failure.meaning, "a segment has at least 1 byte");
        let call = failure.call.unwrap();
        assert!(call.contains(", 0 B, IPC_CREAT|IPC_EXCL)"), "{call}");
        let failure = bench.fails("shm create a 9223372036854775808", "EINVAL");
        assert_eq!(
            failure.meaning,
            "no file, and so no segment, may be as large"
        );
        bench.fails("shm create a 18446744073709551615", "EINVAL");
        bench.fails("shm create a 4000000T", "ENOMEM");
        assert_eq!(bench.world.ledger.to_sweep(), 0);
        bench.ok("shm create a");
        bench.fails("shm create a", "EEXIST");
    }

    #[test]
    fn a_full_host_is_named_by_its_limit() {
        if !in_own_namespace() {
            return;
        }
        let mut bench = Bench::new();
        std::fs::write("/proc/sys/kernel/shmmni", "1").unwrap();
        bench.ok("shm create a");
        let failure = bench.fails("shm create b", "ENOSPC");
        assert_eq!(
            failure.meaning,
            "the host has as many segments as shmmni allows (1)"
        );
        std::fs::write("/proc/sys/kernel/shmmni", "4096").unwrap();
        std::fs::write("/proc/sys/kernel/shmall", "2").unwrap();
        let failure = bench.fails("shm create b 64K", "ENOSPC");
        assert!(failure.meaning.contains("shmall (2)"), "{failure}");
    }
}
