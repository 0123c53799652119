//! What does not go on: full queues, waiters that nobody may wake, deadlocks, limits.

use super::{Finding, Mend, Sure, ago, full};
use crate::builtin::ipcs::used;
use crate::builtin::why::deadlocks;
use crate::data::{Family, Object};
use crate::inspect::limits;
use crate::inspect::process::{Certainty, last_operator};
use crate::inspect::thing::Thing;
use crate::inspect::wait::{Wait, Waiter};
use crate::inspect::waking::lacking;
use crate::kernel::sem;
use crate::mechanism::Sight;

pub(super) fn findings(sight: &Sight, unseen: &mut Vec<String>) -> Vec<Finding> {
    let mut found = full::queues(sight, unseen);
    let waiters = || {
        let all = sight.snapshot.waiters().found.iter();
        // Some have been woken since they were seen.
        all.filter(|w| sight.snapshot.is_inside(w.pid) && w.is_still())
    };
    found.extend(waiters().filter_map(|w| unwakeable(sight, w)));
    found.extend(waiters().filter_map(|w| one_sided(sight, w)));
    found.extend(deadlocks(sight).into_iter().map(|pids| {
        let who: Vec<String> = pids.iter().map(|pid| sight.who(*pid)).collect();
        Finding {
            what: "deadlock",
            object: format!("pid {}", pids.first().copied().unwrap_or_default()),
            evidence: match who.as_slice() {
                [alone] => format!("{alone} waits for itself"),
                who => format!("{} wait for each other", who.join(" and ")),
            },
            sure: Sure::Suspected,
            mend: Mend::Look(format!("why {}", pids.first().copied().unwrap_or_default())),
        }
    }));
    found.extend(limits::limits().iter().filter_map(near));
    found
}

/// Who waits for a semaphore that a process which is gone lowered last: if it was a lock, nobody will
/// give it back.
fn unwakeable(sight: &Sight, waiter: &Waiter) -> Option<Finding> {
    let (Wait::SemOp { ops, .. }, Some(Thing::Sem(id))) = (&waiter.wait, waiter.thing) else {
        return None;
    };
    let (op, 1..) = lacking(id, ops)? else {
        return None;
    };
    let set = sem::stat_any_id(id).ok()?;
    let pid = sem::pid(id, i32::from(op.num)).ok()?;
    let when = set.otime.max(set.ctime);
    let gone = match last_operator(pid, when)?.certainty {
        Certainty::Gone => "is gone",
        Certainty::Recycled => "is gone, and its pid is another process's",
        _ => return None,
    };
    let label = sight.label(Family::Sem, &Object::Id(id));
    Some(Finding {
        what: "holder is gone",
        object: format!("sem.{label}[{}]", op.num),
        evidence: format!(
            "{} waits for it; pid {pid}, which operated on it last, {} ago, {gone}",
            sight.who(waiter.pid),
            ago(when)
        ),
        sure: Sure::Suspected,
        mend: Mend::Do(vec![format!("sem v {label}[{}]", op.num)]),
    })
}

/// Who waits for the other side of a FIFO.
fn one_sided(sight: &Sight, waiter: &Waiter) -> Option<Finding> {
    let (Wait::Open { .. }, Some(Thing::Fifo(_))) = (&waiter.wait, waiter.thing) else {
        return None;
    };
    let path = waiter.path.as_deref()?;
    let path = Object::from(path).to_string();
    Some(Finding {
        what: "one-sided FIFO",
        evidence: format!(
            "{} has waited to open it: nobody opens the other side",
            sight.who(waiter.pid)
        ),
        sure: Sure::Exact,
        mend: Mend::Look(format!("who {path}")),
        object: path,
    })
}

/// A limit of which nine tenths are used.
fn near(limit: &limits::Limit) -> Option<Finding> {
    let (value, used) = (limit.value?, used(limit.name)?);
    let near = value > 0 && u128::from(used) * 10 >= u128::from(value) * 9;
    near.then(|| Finding {
        what: "limit is near",
        object: limit.name.to_string(),
        evidence: format!("{used} of {value} {} used", limit.unit),
        sure: Sure::Exact,
        mend: Mend::Words(format!(
            "limits; doctor --clean; or as root raise {}",
            limit.name
        )),
    })
}
