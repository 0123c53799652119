//! Attaching a segment so that it stays attached, and detaching it.

use super::access::{self, label};
use super::{FAMILY, SEGMENT, posix};
use crate::data::{Cell, Failure, Outcome, StepResult};
use crate::kernel::Errno;
use crate::lang::{Example, Param, Runs, Signature};
use crate::mechanism::{Args, Flavour, Run, Verb, World};

pub(super) static ATTACH: Verb = Verb {
    signature: Signature {
        name: "shm attach",
        yields: &["addr"],
        summary: "map a segment into this actor until it is detached",
        params: &[SEGMENT, Param::flag("ro", "for reading only (SHM_RDONLY)")],
        runs: Runs::Actor,
        calls: &["shmat(2)", "mmap(2)"],
        errnos: &[
            (
                "EACCES",
                "the segment's mode does not let you read; or not write, which it takes without --ro",
            ),
            (
                "EINVAL",
                "there is no segment with this id, or the POSIX one has no bytes",
            ),
            ("ENOENT", "no POSIX segment has this name"),
            ("ENOMEM", "there is no room to map it in this process"),
        ],
        notes: "It counts in nattch. `shm read`, `shm write` and `shm dump` of this actor go through it \
                and make no calls, also after the segment was removed: it lives until its last detach.\n\
                An actor keeps one attachment of a segment: attaching it again with or without --ro \
                changes what it may do, attaching it again alike is refused. \
                The end of the actor detaches.",
        examples: &[
            Example {
                script: "shm create cnt\nshm attach cnt\nshm write cnt \"hi\"\nshm detach cnt\nshm read cnt => \"hi\"",
                shows: "attached, written, detached",
            },
            Example {
                script: "shm create cnt\nshm attach cnt --ro\nshm read cnt u8@0 => 0\nshm write cnt u8@0 1 => EACCES",
                shows: "read-only memory",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(attach),
};

fn attach(world: &mut World, args: &Args) -> StepResult {
    let read_only = args.flag("ro");
    let id = match world.flavour(FAMILY, args, "segment")? {
        Flavour::Posix(name) => return posix::attach(world, args, &name, read_only),
        Flavour::SystemV(id) => id,
    };
    if let Some(held) = world.attachments.get(&id)
        && held.read_only() == read_only
    {
        let label = label(world, args, &id.into());
        let how = if read_only { " read-only" } else { "" };
        return Err(
            Failure::refused(format!("this actor has {label} attached{how} already"))
                .help(format!("Detach it first: shm detach {label}")),
        );
    }
    let attachment = access::attach(world, args, id, read_only)?;
    let addr = format!("0x{:x}", attachment.addr());
    // One that did not allow the same is detached here.
    world.attachments.insert(id, attachment);
    Ok(Outcome::ok().remark("addr", Cell::text(addr)))
}

pub(super) static DETACH: Verb = Verb {
    signature: Signature {
        name: "shm detach",
        summary: "unmap a segment from this actor",
        params: &[SEGMENT],
        runs: Runs::Actor,
        calls: &["shmdt(2)", "munmap(2)"],
        errnos: &[("EINVAL", "this actor does not have it attached")],
        notes: "The last detach of a segment that was removed destroys it. \
                A segment that was removed has no name any more: say `shm detach id:N`.",
        examples: &[Example {
            script: "shm create cnt\nshm attach cnt\nshm detach cnt\nshm detach cnt => EINVAL",
            shows: "only what is attached can be detached",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(detach),
};

fn detach(world: &mut World, args: &Args) -> StepResult {
    let id = match world.flavour(FAMILY, args, "segment")? {
        Flavour::Posix(name) => return posix::detach(world, args, &name),
        Flavour::SystemV(id) => id,
    };
    let label = label(world, args, &id.into());
    let Some(attachment) = world.attachments.remove(&id) else {
        let failure = args.foreseen(Errno::EINVAL);
        return Err(failure.help(format!("Attach it with `shm attach {label}`")));
    };
    let done = attachment.detach();
    done.map(|()| Outcome::ok())
        .map_err(|errno| args.failure(errno, format!("shmdt({label})")))
}

#[cfg(test)]
mod tests {
    use crate::kernel::shm;
    use crate::mechanism::testing::Bench;

    /// How often this process maps a segment, by `/proc/self/maps`.
    fn mapped(id: i32) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let inode = id.to_string();
        maps.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|f| f[3] == "00:01" && f[4] == inode && f[5].starts_with("/SYSV"))
            .count()
    }

    #[test]
    fn attachments_are_counted_and_go() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        let id = bench.id("cnt");
        let nattch = || shm::stat(id).unwrap().nattch;
        let outcome = bench.ok("shm attach cnt");
        let addr = outcome.get("addr").unwrap().to_string();
        assert!(addr.starts_with("0x"), "{addr}");
        assert_eq!((nattch(), mapped(id)), (1, 1));
        bench.ok("shm write cnt \"hi\"");
        bench.shows("shm read cnt", "\"hi\"");
        let failure = bench.fails("shm attach cnt", "error");
        assert_eq!(failure.meaning, "this actor has cnt attached already");
        assert_eq!(nattch(), 1);
        bench.ok("shm detach cnt");
        assert_eq!((nattch(), mapped(id)), (0, 0));
        let failure = bench.fails("shm detach cnt", "EINVAL");
        assert_eq!(
            failure.to_string(),
            "EINVAL: this actor does not have it attached. \
             Attach it with `shm attach cnt`"
        );
        bench.fails("shm attach id:2147483000", "EINVAL");
    }

    #[test]
    fn what_an_attachment_allows_can_be_changed() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        let id = bench.id("cnt");
        bench.ok("shm attach --ro");
        bench.shows("shm read u32@0", "0");
        let failure = bench.fails("shm write u32@0 1", "EACCES");
        assert!(failure.meaning.contains("SIGSEGV"), "{failure}");
        bench.fails("shm attach --ro", "error");
        bench.ok("shm attach");
        assert_eq!(shm::stat(id).unwrap().nattch, 1);
        bench.ok("shm write u32@0 1");
    }

    #[test]
    fn an_attachment_outlives_the_removal() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        let id = bench.id("cnt");
        bench.ok("shm attach cnt");
        shm::remove(id).unwrap();
        bench.ok("shm write cnt \"still\"");
        bench.shows("shm read cnt", "\"still\"");
        bench.ok("shm detach cnt");
        bench.fails("shm read cnt", "EINVAL");
    }
}
