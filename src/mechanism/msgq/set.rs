//! Changing a message queue: msgctl(2) with `IPC_SET`.

use super::{FAMILY, QUEUE};
use crate::data::{Failure, Outcome, StepResult};
use crate::kernel::sysv::PermSet;
use crate::kernel::{Errno, msg};
use crate::lang::{Example, Kind, Param, Rule, Runs, Signature};
use crate::mechanism::common::{self, GROUP, NEW_MODE, OWNER};
use crate::mechanism::posix::no_posix;
use crate::mechanism::{Args, Run, Verb, World};

pub(super) static SET: Verb = Verb {
    signature: Signature {
        name: "msgq set",
        summary: "change a message queue's capacity, permissions or owner",
        params: &[
            QUEUE,
            Param::option(
                "qbytes",
                Kind::Size,
                "how many bytes of messages it holds; above msgmnb only with CAP_SYS_RESOURCE",
            ),
            NEW_MODE,
            OWNER,
            GROUP,
        ],
        rules: &[Rule::Some(&["qbytes", "mode", "owner", "group"])],
        refuses: Some(|given| no_posix(given, FAMILY, "queue")),
        runs: Runs::Actor,
        calls: &["msgctl(2)"],
        errnos: &[
            (
                "EINVAL",
                "there is no queue with this id, or the new owner's number is none",
            ),
            (
                "EPERM",
                "the queue is somebody else's, or qbytes is above msgmnb without CAP_SYS_RESOURCE",
            ),
        ],
        notes: "What is not named stays as it is. Messages that are already in the queue stay, \
                also where qbytes is then less than they are.\n\
                Senders that wait wake up where there is room for them now.",
        examples: &[
            Example {
                script: "msgq create jobs\nmsgq set jobs qbytes=8\nmsgq send jobs 1 \"12345678\"\nmsgq send jobs 1 \"9\" --nowait => EAGAIN",
                shows: "a queue that is soon full",
            },
            Example {
                script: "msgq create jobs\nmsgq set mode=0640",
                shows: "permissions",
            },
        ],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(set),
};

fn set(world: &mut World, args: &Args) -> StepResult {
    let qbytes: Option<u64> = args.int("qbytes")?;
    let perm = common::perm_set(args)?.unwrap_or_default();
    let id = world.find_id(FAMILY, args, "queue")?;
    match msg::set(id, &perm, qbytes) {
        Ok(()) => Ok(Outcome::ok()),
        Err(errno) => Err(failure(world, args, errno, id, &perm, qbytes)),
    }
}

fn failure(
    world: &World,
    args: &Args,
    errno: Errno,
    id: i32,
    perm: &PermSet,
    qbytes: Option<u64>,
) -> Failure {
    let label = world.label(FAMILY, args.reference("queue"), &id.into());
    let bytes = qbytes.map_or(String::new(), |n| format!(", qbytes {n}"));
    let call = format!("msgctl({label}, IPC_SET{bytes}{})", common::perm_text(perm));
    let mut failure = args.failure(errno, call);
    let stat = msg::stat_any_id(id);
    let perms = (perm, stat.map(|s| s.perm));
    common::explain_set(world, FAMILY, errno, id, perms, &mut failure);
    if let (Errno::EPERM, Ok(stat), Ok(limits)) = (errno, stat, msg::limits())
        && common::is_owner(&stat.perm)
    {
        let asked = qbytes.unwrap_or(stat.qbytes);
        failure.meaning = format!(
            "qbytes would be {asked}, and above msgmnb ({} bytes) it takes CAP_SYS_RESOURCE, \
             which this process has not",
            limits.msgmnb
        );
        failure.help = Some("Ask for less, or as root raise kernel.msgmnb".into());
    }
    failure
}

#[cfg(test)]
mod tests {
    use crate::kernel::msg;
    use crate::mechanism::testing::{Bench, as_ordinary_user};

    #[test]
    fn the_kernel_shows_what_was_set() {
        let mut bench = Bench::new();
        bench.ok("msgq create jobs mode=0600");
        let id = bench.id("jobs");
        bench.ok("msgq set jobs qbytes=1K mode=0640 owner=0 group=0");
        let stat = msg::stat_any_id(id).unwrap();
        assert_eq!((stat.qbytes, stat.perm.mode), (1024, 0o640));
        assert_eq!((stat.perm.uid, stat.perm.gid), (0, 0));
        bench.ok("msgq set mode=0600");
        let stat = msg::stat_any_id(id).unwrap();
        assert_eq!((stat.qbytes, stat.perm.mode), (1024, 0o600));
    }

    #[test]
    fn nothing_and_nobody_are_refused() {
        let mut bench = Bench::new();
        bench.ok("msgq create jobs");
        bench.refuses("msgq set jobs", "`msgq set` needs something to do");
        bench.refuses("msgq set /jobs qbytes=1", "done to no POSIX message queue");
        let failure = bench.fails("msgq set jobs owner=no_such_user", "error");
        assert_eq!(failure.meaning, "there is no user `no_such_user`");
        bench.fails("msgq set id:2147483000 mode=0600", "EINVAL");
        let failure = bench.fails("msgq set jobs owner=4294967295", "EINVAL");
        assert_eq!(failure.meaning, "there can be no user 4294967295");
    }

    #[test]
    fn the_limit_and_the_owner_are_named() {
        if !as_ordinary_user("mechanism::msgq::set::tests::the_limit_and_the_owner_are_named") {
            return;
        }
        let mut bench = Bench::new();
        bench.ok("msgq create jobs");
        let failure = bench.fails("msgq set jobs qbytes=1G", "EPERM");
        let msgmnb = msg::limits().unwrap().msgmnb;
        assert_eq!(
            failure.to_string(),
            format!(
                "msgctl(jobs, IPC_SET, qbytes 1073741824) = EPERM: qbytes would be 1073741824, \
                 and above msgmnb ({msgmnb} bytes) it takes CAP_SYS_RESOURCE, which this process has not. \
                 Ask for less, or as root raise kernel.msgmnb"
            )
        );
        // Nor is more than that offered.
        let text = "x".repeat(msg::limits().unwrap().msgmax as usize);
        let send = format!("msgq send jobs 1 \"{text}\" --nowait");
        let mut sent = bench.run(&send);
        while sent.is_ok() {
            sent = bench.run(&send);
        }
        let help = sent.unwrap_err().help.unwrap_or_default();
        assert!(
            help.starts_with("Receive a message, or as root raise kernel.msgmnb"),
            "{help}"
        );
    }
}
