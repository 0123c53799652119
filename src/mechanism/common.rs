//! What the verbs of all three families say alike: the parameters of `create` and `set`,
//! owners by name, and the wording of what can go wrong with any object.

use super::{Args, World};
use crate::data::{Failure, Family, Lack, Outcome};
use crate::kernel::sysv::{Perm, PermSet};
use crate::kernel::{self, Errno, process, users};
use crate::lang::{Kind, Param};

/// `mode=` of `create`.
pub(super) const MODE: Param = Param::option(
    "mode",
    Kind::Mode,
    "its permissions; 0600 where they are left out",
);

/// The permissions where none are given.
pub(super) const DEFAULT_MODE: u32 = 0o600;

/// `--private` of `create`.
pub(super) const PRIVATE: Param =
    Param::flag("private", "create it with IPC_PRIVATE, without a key");
/// What that is, for who gives it with a POSIX object.
pub(super) const PRIVATE_IS: (&str, &str) = ("private", "--private makes a key of IPC_PRIVATE");

/// `mode=` of `set`.
pub(super) const NEW_MODE: Param = Param::option("mode", Kind::Mode, "its new permissions");

/// `owner=` of `set`.
pub(super) const OWNER: Param = Param::option(
    "owner",
    Kind::Owner,
    "its new owner, a user's name or number",
);

/// `group=` of `set`.
pub(super) const GROUP: Param = Param::option(
    "group",
    Kind::Owner,
    "its new group, a group's name or number",
);

/// What `mode=`, `owner=` and `group=` of a `set` ask for; `None` where none is there.
///
/// # Errors
/// There is no such user or group.
pub(super) fn perm_set(args: &Args) -> Result<Option<PermSet>, Failure> {
    let lookup = |param, what, known: Known| match args.text(param)? {
        Some(name) => number_of(what, &name, known).map(Some),
        None => Ok(None),
    };
    let set = PermSet {
        mode: args.int("mode")?,
        uid: lookup("owner", "user", users::uid_of)?,
        gid: lookup("group", "group", users::gid_of)?,
    };
    Ok((set != PermSet::default()).then_some(set))
}

type Known = fn(&str) -> kernel::Result<Option<u32>>;

/// The number of a user or a group that was named.
///
/// # Errors
/// There is none of this name, or it was not found out.
pub fn number_of(what: &str, name: &str, known: Known) -> Result<u32, Failure> {
    match known(name) {
        Ok(Some(number)) => Ok(number),
        Ok(None) => Err(Failure::refused(format!("there is no {what} `{name}`"))),
        Err(errno) => Err(not_asked(errno, &format!("the {what} `{name}`"))),
    }
}

/// Why getent(1) did not tell of something.
pub(super) fn not_asked(errno: Errno, what: &str) -> Failure {
    match errno {
        Errno::EINTR => Failure::errno(
            "EINTR",
            format!("it was interrupted while {what} was looked up"),
        ),
        errno => Failure::environment(format!(
            "{what} was not looked up: getent: {}",
            errno.desc()
        )),
    }
}

/// The permissions as they stand in the text of an `IPC_SET`: `, mode 0600, owner 0`.
pub(super) fn perm_text(set: &PermSet) -> String {
    let mut text = String::new();
    if let Some(mode) = set.mode {
        text.push_str(&format!(", mode 0{mode:03o}"));
    }
    if let Some(uid) = set.uid {
        text.push_str(&format!(", owner {}", user(uid)));
    }
    if let Some(gid) = set.gid {
        let name = users::group_name(gid);
        text.push_str(&format!(
            ", group {}",
            name.unwrap_or_else(|| gid.to_string())
        ));
    }
    text
}

/// The `i` of `SET[i]`.
///
/// # Errors
/// No semaphore could have it.
pub fn semaphore_number(n: i128) -> Result<u32, Failure> {
    u32::try_from(n).map_err(|_| Failure::refused(format!("{n} is no number of a semaphore")))
}

/// A user by name, or by number where there is no name.
pub(super) fn user(uid: u32) -> String {
    users::user_name(uid).unwrap_or_else(|| uid.to_string())
}

/// Whether this process is the owner or the creator of an object.
pub(super) fn is_owner(perm: &Perm) -> bool {
    let me = process::geteuid();
    perm.uid == me || perm.cuid == me
}

/// Why an object may not be changed: its owner, its creator and root may, and we are none
/// of them.
pub(super) fn not_owner(family: Family, perm: &Perm) -> String {
    let mut who = vec![user(perm.uid), user(perm.cuid), user(0)];
    who.dedup();
    let last = who.pop().unwrap_or_default();
    let who = match who.as_slice() {
        [] => last,
        who => format!("{} and {last}", who.join(", ")),
    };
    format!(
        "only {who} may change this {}, and you are {}",
        family.object(),
        user(process::geteuid())
    )
}

/// Why an object's mode does not let somebody in: `its mode is 0600 and its owner root`.
pub(super) fn locked_out(perm: &Perm) -> String {
    format!(
        "its mode is 0{:03o}, its owner {}, and you are {}",
        perm.mode & 0o777,
        user(perm.uid),
        user(process::geteuid())
    )
}

/// Words the errnos that mean the same for every object: it is gone, its mode keeps us
/// out, it is somebody else's. `perm` is what can be seen of it now.
pub(super) fn explain(
    world: &World,
    family: Family,
    errno: Errno,
    id: i32,
    perm: Result<Perm, Errno>,
    failure: &mut Failure,
) {
    match (errno, perm) {
        (Errno::EIDRM, _) => {
            failure.lack = Some(Box::new(Lack::Removed(family, id.into())));
        }
        (Errno::EINVAL, Err(_)) => {
            failure.meaning = gone(world, family, id);
            failure.help = Some(format!("`{} ls` lists those that exist", family.noun()));
        }
        (Errno::EACCES, Ok(perm)) => {
            failure.meaning = format!("{} ({})", failure.meaning, locked_out(&perm));
        }
        (Errno::EPERM, Ok(perm)) if !is_owner(&perm) => {
            failure.meaning = not_owner(family, &perm);
        }
        _ => {}
    }
}

/// Words the errnos of `IPC_SET`, as [`explain`] does, and that a new owner can be none.
pub(super) fn explain_set(
    world: &World,
    family: Family,
    errno: Errno,
    id: i32,
    (set, perm): (&PermSet, Result<Perm, Errno>),
    failure: &mut Failure,
) {
    if let (Errno::EINVAL, Ok(_)) = (errno, perm)
        && let Some(meaning) = no_owner(set)
    {
        failure.meaning = meaning;
    }
    explain(world, family, errno, id, perm, failure);
}

/// Which of the numbers that were asked for the kernel does not take.
fn no_owner(set: &PermSet) -> Option<String> {
    let asked = [("user", set.uid), ("group", set.gid)];
    let asked = asked.iter().filter_map(|(what, n)| n.map(|n| (*what, n)));
    let listed = |found: Vec<(&str, u32)>| {
        let words: Vec<String> = found
            .iter()
            .map(|(what, n)| format!("{what} {n}"))
            .collect();
        (!words.is_empty()).then(|| words.join(" or "))
    };
    // It stands for no change elsewhere.
    let never: Vec<_> = asked.clone().filter(|(_, n)| *n == u32::MAX).collect();
    if let Some(never) = listed(never) {
        return Some(format!("there can be no {never}"));
    }
    listed(asked.collect()).map(|words| format!("this user namespace has no {words}"))
}

/// There is no object behind an id.
pub(super) fn gone(world: &World, family: Family, id: i32) -> String {
    match world.names.name_of(family, &id.into()) {
        Some(name) => format!("the {} {name} (id {id}) was removed", family.object()),
        None => format!("there is no {} with id {id}", family.object()),
    }
}

/// `, IPC_NOWAIT|MSG_NOERROR`, or nothing.
pub(super) fn flags_text(flags: &[(bool, &str)]) -> String {
    let mut text = String::new();
    for (_, name) in flags.iter().filter(|(set, _)| *set) {
        text.push_str(if text.is_empty() { ", " } else { "|" });
        text.push_str(name);
    }
    text
}

/// The note about an object that was created because there was none.
pub(super) fn noted(note: Option<String>) -> Outcome {
    match note {
        Some(note) => Outcome::ok().note(note),
        None => Outcome::ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::testing::{Bench, again_as_nobody, handed_over};

    #[test]
    fn what_belongs_to_somebody_else_says_so() {
        let mut bench = Bench::new();
        let Some(ids) = handed_over() else {
            if process::geteuid() != 0 {
                eprintln!("skipped: only root can make objects for another user to try");
                return;
            }
            let mut ids = Vec::new();
            for family in Family::SYSTEM_V {
                bench.ok(&format!("{} create theirs", family.noun()));
                let names = &bench.world.names;
                ids.push(
                    names
                        .get(family, "theirs")
                        .unwrap()
                        .object
                        .id()
                        .unwrap()
                        .to_string(),
                );
            }
            let name = "mechanism::common::tests::what_belongs_to_somebody_else_says_so";
            return again_as_nobody(name, &ids.join(" "));
        };
        let me = user(process::geteuid());
        for (family, id) in Family::SYSTEM_V.into_iter().zip(ids.split(' ')) {
            let line = format!("{} set id:{id} mode=0666", family.noun());
            let failure = bench.fails(&line, "EPERM");
            assert_eq!(
                failure.meaning,
                format!(
                    "only root may change this {}, and you are {me}",
                    family.object()
                )
            );
            let line = match family {
                Family::Msgq => format!("msgq send id:{id} 1 \"x\" --nowait"),
                Family::Shm => format!("shm read id:{id}"),
                _ => format!("sem p id:{id} --nowait"),
            };
            let failure = bench.fails(&line, "EACCES");
            let why = format!("(its mode is 0600, its owner root, and you are {me})");
            assert!(failure.meaning.ends_with(&why), "{failure}");
        }
    }

    #[test]
    fn flags_stand_behind_a_comma_or_not_at_all() {
        let flags = |a, b| flags_text(&[(a, "IPC_NOWAIT"), (b, "SEM_UNDO")]);
        assert_eq!(flags(false, false), "");
        assert_eq!(flags(false, true), ", SEM_UNDO");
        assert_eq!(flags(true, true), ", IPC_NOWAIT|SEM_UNDO");
    }

    #[test]
    fn permissions_are_written_as_they_are_asked_for() {
        let root = user(0);
        let set = PermSet {
            mode: Some(0o40),
            uid: Some(0),
            gid: Some(4_000_000_000),
        };
        assert_eq!(
            perm_text(&set),
            format!(", mode 0040, owner {root}, group 4000000000")
        );
        assert_eq!(perm_text(&PermSet::default()), "");
    }
}
