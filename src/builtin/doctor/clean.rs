//! `doctor --clean`: removes what nobody uses.

use std::time::{Duration, Instant};

use super::orphans::{Orphan, orphans};
use super::{EVIDENCE, OBJECT, Sure, WHAT};
use crate::data::{Cell, Column, Failure, Outcome, Reply, Table, counted};
use crate::kernel::sysv::IPC_PRIVATE;
use crate::kernel::{self, Errno, users};
use crate::mechanism::{Args, Sight, key, number_of};
use crate::session::now;

static RESULT: Column = Column::new("result", "removed, or why not");

/// What is to be removed.
struct Choice {
    older: Option<Duration>,
    uid: Option<u32>,
    key: Option<i32>,
}

impl Choice {
    fn of(args: &Args) -> Result<Choice, Failure> {
        let uid = match args.text("user")? {
            Some(name) => Some(number_of("user", &name, users::uid_of)?),
            None => None,
        };
        let key = match args.reference("key") {
            Some(written) => key(args.env, &written.target)?,
            None => None,
        };
        Ok(Choice {
            older: args.duration("older")?,
            uid,
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
    let (mut removed, mut failing) = (0, None);
    let (mut failed, mut eyes) = (0, Eyes::new(sight));
    let mut unseen = Vec::new();
    let orphans = orphans(sight, &mut unseen);
    for orphan in orphans.iter().filter(|o| choice.takes(o)) {
        if sight.go_on().is_err() {
            failing = Some("interrupted: what is not listed stays".to_string());
            break;
        }
        let result = match choice.keeps(orphan) {
            Some(why) => why,
            None if dry => "would be removed".to_string(),
            None => match remove(eyes.fresh(), orphan, &choice) {
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
    table.footer.extend(unseen);
    table.footer.extend(sight.hidden());
    Ok(Reply {
        outcome: Outcome::ok().field("removed", removed),
        tables: vec![table],
        failing: failing.or((failed > 0).then(|| format!("{failed} could not be removed"))),
        ..Reply::default()
    })
}

/// What is seen of the host again and again, each time as it is now: give or take a moment, as looking
/// at all its processes takes longer than to remove an object.
struct Eyes<'a> {
    first: &'a Sight<'a>,
    last: Option<(Instant, Sight<'a>)>,
}

impl<'a> Eyes<'a> {
    const MOMENT: Duration = Duration::from_millis(100);

    fn new(first: &'a Sight<'a>) -> Eyes<'a> {
        Eyes { first, last: None }
    }

    fn fresh(&mut self) -> &Sight<'a> {
        self.last.take_if(|(seen, _)| seen.elapsed() > Eyes::MOMENT);
        let (_, sight) = self
            .last
            .get_or_insert_with(|| (Instant::now(), self.first.afresh()));
        sight
    }
}

/// Looks once more: somebody may have begun to use it.
fn remove(sight: &Sight, orphan: &Orphan, choice: &Choice) -> kernel::Result<bool> {
    match orphan.again(sight) {
        Some(again) if choice.takes(&again) && choice.keeps(&again).is_none() => {
            match again.remove() {
                // Another file has its path by now, or another way leads to it.
                Err(Errno::ESTALE | Errno::ELOOP) => Ok(false),
                removed => removed.map(|()| true),
            }
        }
        _ => Ok(false),
    }
}
