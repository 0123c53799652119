//! What the semaphore calls' refusals mean: which semaphore, what value, who was last.

use std::fmt::Write;
use std::time::Duration;

use super::FAMILY;
use crate::data::{Failure, Lack};
use crate::kernel::Errno;
use crate::kernel::sem::{self, SemOp};
use crate::mechanism::common;
use crate::mechanism::{Args, World};

/// Operations that are shown before `…`.
const SHOWN: usize = 8;

/// The highest value of a semaphore.
fn semvmx() -> u64 {
    sem::limits().map_or(32767, |limits| limits.semvmx)
}

/// semget(2) refused.
pub(super) fn creation_failure(mut failure: Failure, count: i32) -> Failure {
    let (Some(errno), Ok(limits)) = (failure.errno.as_deref(), sem::limits()) else {
        return failure;
    };
    match errno {
        "EINVAL" if count < 1 => failure.meaning = "a set has at least one semaphore".into(),
        "EINVAL" => {
            failure.meaning = format!("a set has at most semmsl ({}) semaphores", limits.semmsl);
        }
        "ENOSPC" if sem::info().is_ok_and(|info| info.sets >= limits.semmni) => {
            failure.meaning = format!(
                "the host has as many sets as semmni allows ({})",
                limits.semmni
            );
            failure.help = Some("`sem ls` lists them; as root raise kernel.sem".into());
        }
        "ENOSPC" => {
            failure.meaning = format!(
                "with {count} more all sets together would have more semaphores than semmns ({})",
                limits.semmns
            );
            failure.help = Some("Ask for fewer, or as root raise kernel.sem".into());
        }
        _ => {}
    }
    failure
}

/// `semctl(lock, 0, SETVAL, 5)`, `semctl(set, SETALL, 1 0 2)`.
pub(super) fn setting_call(
    label: &str,
    index: Option<u16>,
    values: &[i32],
    nsems: usize,
) -> String {
    let shown: Vec<String> = values.iter().take(SHOWN).map(i32::to_string).collect();
    let more = if values.len() > SHOWN { " …" } else { "" };
    let shown = shown.join(" ");
    match index {
        None if nsems > 1 => format!("semctl({label}, SETALL, {shown}{more})"),
        index => format!("semctl({label}, {}, SETVAL, {shown})", index.unwrap_or(0)),
    }
}

/// Words ERANGE of a value that was to be set.
pub(super) fn range(errno: Errno, values: &[i32], failure: &mut Failure) {
    let max = semvmx();
    let wrong = values
        .iter()
        .find(|v| u64::try_from(**v).map_or(true, |v| v > max));
    if let (Errno::ERANGE, Some(wrong)) = (errno, wrong) {
        failure.meaning = format!("a semaphore's value is from 0 to {max}, not {wrong}");
    }
}

/// A refusal that can come from any call on a set: it is gone, it keeps us out, it has no
/// such semaphore.
pub(super) fn failure(
    world: &World,
    args: &Args,
    errno: Errno,
    call: String,
    id: i32,
    index: Option<u16>,
) -> Failure {
    let mut failure = args.failure(errno, call);
    let stat = sem::stat_any_id(id);
    common::explain(world, FAMILY, errno, id, stat.map(|s| s.perm), &mut failure);
    if let (Errno::EINVAL | Errno::EFBIG, Ok(stat), Some(index)) = (errno, stat, index)
        && u64::from(index) >= stat.nsems
    {
        failure.meaning = no_such(&label(world, args, id), stat.nsems, index.into());
    }
    failure
}

/// A set does not have a semaphore of this number.
pub(super) fn no_such(label: &str, nsems: u64, index: i128) -> String {
    match nsems {
        1 => format!("{label} has one semaphore, number 0, and no number {index}"),
        n => format!(
            "{label} has {n} semaphores, 0 to {}, and no number {index}",
            n.saturating_sub(1)
        ),
    }
}

pub(super) fn label(world: &World, args: &Args, id: i32) -> String {
    world.label(FAMILY, args.reference("set"), &id.into())
}

/// semop(2) refused.
pub(super) fn operation_failure(
    world: &World,
    args: &Args,
    errno: Errno,
    id: i32,
    ops: &[SemOp],
    timeout: Option<Duration>,
) -> Failure {
    let label = label(world, args, id);
    let highest = ops.iter().map(|op| op.num).max();
    let call = operation_call(&label, ops, timeout);
    let mut failure = failure(world, args, errno, call, id, highest);
    match errno {
        Errno::EAGAIN => {
            let stuck = condition(id, &label, ops);
            let nowait = stuck.nowait || timeout.is_none();
            let why = match timeout {
                Some(timeout) if !nowait => format!("it waited for {timeout:?}"),
                _ => "it would wait".to_string(),
            };
            failure.meaning = why + &stuck.text;
            failure.help = stuck.help;
            failure.lack = stuck.num.map(|num| Box::new(Lack::Value(id.into(), num)));
        }
        Errno::ERANGE => {
            let over = over(id, ops);
            let name = over.map_or(label.clone(), |num| name(&label, id, num));
            let now = over.and_then(|num| sem::value(id, num.into()).ok());
            let now = now.map_or(String::new(), |value| format!("{name} is {value}, and "));
            failure.meaning = format!("{now}a semaphore holds at most {} (semvmx)", semvmx());
        }
        Errno::E2BIG => {
            let most = sem::limits().map_or(500, |limits| limits.semopm);
            failure.meaning = format!(
                "{} operations are more than one call may make (semopm, {most})",
                ops.len()
            );
            failure.help = Some("As root raise kernel.sem, or make two calls of it".into());
        }
        _ => {}
    }
    failure
}

/// `semop(set, 0:-1 1:+1u)`, `semtimedop(lock, 0:-1, 50ms)`.
fn operation_call(label: &str, ops: &[SemOp], timeout: Option<Duration>) -> String {
    let mut call = match timeout {
        Some(_) => format!("semtimedop({label},"),
        None => format!("semop({label},"),
    };
    for op in ops.iter().take(SHOWN) {
        let sign = if op.op > 0 { "+" } else { "" };
        let undo = if op.undo { "u" } else { "" };
        let nowait = if op.nowait { "n" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(call, " {}:{sign}{}{undo}{nowait}", op.num, op.op);
    }
    if ops.len() > SHOWN {
        call.push_str(" …");
    }
    if let Some(timeout) = timeout {
        let _ = write!(call, ", {timeout:?}");
    }
    call + ")"
}

/// `lock`, or `set[1]` where the set has several.
fn name(label: &str, id: i32, num: u16) -> String {
    match sem::stat_any_id(id) {
        Ok(stat) if stat.nsems == 1 => label.to_string(),
        _ => format!("{label}[{num}]"),
    }
}

/// Why operations cannot be made now.
struct Stuck {
    /// With the colon or semicolon before it.
    text: String,
    help: Option<String>,
    /// The semaphore, where it is known.
    num: Option<u16>,
    /// Whether the operation that cannot be made may not wait.
    nowait: bool,
}

/// Which of the operations cannot be made, by the values as they are now.
fn condition(id: i32, label: &str, ops: &[SemOp]) -> Stuck {
    let unknown = |text: &str| Stuck {
        text: format!("; {text}"),
        help: None,
        num: None,
        nowait: ops.iter().any(|op| op.nowait),
    };
    let stat = sem::stat_any_id(id);
    let Some(mut values) = stat
        .and_then(|stat| sem::values(id, stat.nsems as usize))
        .ok()
    else {
        return unknown("its values cannot be read");
    };
    for op in ops {
        let Some(value) = values.get_mut(usize::from(op.num)) else {
            return unknown("it has no such semaphore");
        };
        let now = i32::from(*value);
        let stuck = if op.op == 0 {
            now != 0
        } else {
            now + i32::from(op.op) < 0
        };
        if stuck {
            let name = name(label, id, op.num);
            let not = match op.op {
                0 => ", not 0".to_string(),
                -1 => String::new(),
                op => format!(", less than {}", -i32::from(op)),
            };
            let help = match op.op {
                0 => format!("It is 0 after: sem p {name} {now}"),
                _ => format!("Raise it: sem v {name}"),
            };
            return Stuck {
                text: format!(": {name} is {now}{not}"),
                help: Some(help),
                num: Some(op.num),
                nowait: op.nowait,
            };
        }
        *value = u16::try_from(now + i32::from(op.op)).unwrap_or(u16::MAX);
    }
    unknown("by now it would go through")
}

/// Which of the operations lifts its semaphore too high.
fn over(id: i32, ops: &[SemOp]) -> Option<u16> {
    let max = semvmx();
    let rises = |op: &&SemOp| {
        let now = sem::value(id, op.num.into()).unwrap_or(0);
        u64::try_from(now + i32::from(op.op)).is_ok_and(|sum| sum > max)
    };
    ops.iter().find(rises).map(|op| op.num)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_written_as_operations_are() {
        let op = |num, op, undo, nowait| SemOp {
            num,
            op,
            undo,
            nowait,
        };
        let ops = [
            op(0, -1, false, false),
            op(1, 1, true, true),
            op(2, 0, false, false),
        ];
        assert_eq!(
            operation_call("set", &ops, None),
            "semop(set, 0:-1 1:+1un 2:0)"
        );
        assert_eq!(
            operation_call("set", &ops[..1], Some(Duration::from_millis(50))),
            "semtimedop(set, 0:-1, 50ms)"
        );
        let many = [op(0, 1, false, false); 9];
        assert!(operation_call("set", &many, None).ends_with("0:+1 …)"));
        assert_eq!(
            setting_call("s", Some(2), &[7], 3),
            "semctl(s, 2, SETVAL, 7)"
        );
        assert_eq!(
            setting_call("s", None, &[7, 8], 2),
            "semctl(s, SETALL, 7 8)"
        );
    }
}
