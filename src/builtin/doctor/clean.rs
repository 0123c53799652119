//! `doctor --clean`: removes what nobody uses.

use std::time::Duration;

use super::orphans::{Orphan, orphans};
use super::{EVIDENCE, OBJECT, Sure, WHAT};
use crate::data::{Cell, Column, Failure, Outcome, Reply, Table, counted};
use crate::kernel::sysv::IPC_PRIVATE;
use crate::kernel::users;
use crate::mechanism::{Args, Sight, key};
use crate::session::now;

static RESULT: Column = Column {
    name: "result",
    help: "removed, or why not",
};

/// What is to be removed.
struct Choice {
    older: Option<Duration>,
    uid: Option<u32>,
    key: Option<i32>,
}

impl Choice {
    fn of(args: &Args) -> Result<Choice, Failure> {
        let user = args.text("user")?;
        let uid = user.map(|name| {
            users::uid_of(&name)
                .ok_or_else(|| Failure::refused(format!("there is no user `{name}`")))
        });
        let key = match args.reference("key") {
            Some(written) => key(args.env, &written.target)?,
            None => None,
        };
        Ok(Choice {
            older: args.duration("older")?,
            uid: uid.transpose()?,
            key,
        })
    }

    /// What only looks unused stays, whatever is asked for.
    fn takes(&self, orphan: &Orphan) -> bool {
        let unused = now().saturating_sub(orphan.used).max(0).unsigned_abs();
        orphan.sure != Sure::Suspected
            && unused >= self.older.unwrap_or_default().as_secs()
            && self.uid.is_none_or(|uid| uid == orphan.uid)
            && self.key.is_none_or(|key| orphan.key == Some(key))
    }

    /// Why one that it takes stays all the same: what nobody has read may be meant for one who comes
    /// later, and goes only where its age or its key is said.
    fn keeps(&self, orphan: &Orphan) -> Option<String> {
        if orphan.unread == 0 || self.older.is_some() || self.key.is_some() {
            return None;
        }
        let by_key = match orphan.key {
            None | Some(IPC_PRIVATE) => String::new(),
            Some(key) => format!(" or key={}", Cell::Key(key)),
        };
        let unread = counted(orphan.unread, "message");
        Some(format!(
            "kept: nobody has read its {unread}; older=DUR{by_key} removes it"
        ))
    }
}

pub(super) fn clean(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let choice = Choice::of(args)?;
    let dry = args.flag("dry-run");
    let columns = vec![&WHAT, &OBJECT, &EVIDENCE, &RESULT];
    let title = if dry { "Would be cleaned" } else { "Cleaned" };
    let mut table = Table::new("cleaned", title, columns);
    table.empty = "nothing";
    let (mut removed, mut failed) = (0, 0);
    for orphan in orphans(sight).iter().filter(|o| choice.takes(o)) {
        let result = match choice.keeps(orphan) {
            Some(why) => why,
            None if dry => "would be removed".to_string(),
            None => match remove(sight, orphan, &choice) {
                Ok(true) => {
                    removed += 1;
                    "removed".to_string()
                }
                Ok(false) => "used again, and stays".to_string(),
                Err(e) => {
                    failed += 1;
                    format!("{e:?}: {}", e.desc())
                }
            },
        };
        table.push([
            Cell::text(orphan.what),
            Cell::text(orphan.label.as_str()),
            Cell::text(orphan.evidence.as_str()),
            Cell::Text(result),
        ]);
    }
    table.footer.extend(sight.hidden());
    Ok(Reply {
        outcome: Outcome::ok().field("removed", removed),
        tables: vec![table],
        failing: (failed > 0).then(|| format!("{failed} could not be removed")),
        ..Reply::default()
    })
}

/// Looks once more, with new eyes: somebody may have begun to use it.
fn remove(sight: &Sight, orphan: &Orphan, choice: &Choice) -> crate::kernel::Result<bool> {
    let fresh = sight.afresh();
    match orphan.again(&fresh) {
        Some(again) if choice.takes(&again) && choice.keeps(&again).is_none() => {
            orphan.remove().map(|()| true)
        }
        _ => Ok(false),
    }
}
