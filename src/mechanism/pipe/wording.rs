//! The condition of pipes and FIFOs, in words.

use super::table::stat;
use crate::data::{Family, Object, counted};
use crate::inspect::descriptors::Descriptor;
use crate::inspect::pipes::Pipe;
use crate::inspect::wait::Wait;
use crate::mechanism::Sight;

pub(super) fn pipe_condition(sight: &Sight, object: &Object, _: Option<u32>) -> String {
    let label = sight.label(Family::Pipe, object);
    stat(sight, object).map_or(label.clone(), |pipe| condition(&pipe, &label, sight))
}

pub(in crate::mechanism) fn fifo_condition(
    sight: &Sight,
    object: &Object,
    _: Option<u32>,
) -> String {
    let label = sight.label(Family::Fifo, object);
    let Ok(pipe) = stat(sight, object) else {
        return format!("{label} is no FIFO any more");
    };
    // Blocked in open(2), a process is no end of it yet.
    if matches!(sight.wait(), Some(Wait::Open { .. })) {
        return format!("nobody has opened the other side of {label}");
    }
    condition(&pipe, &label, sight)
}

/// So many of those who have an end are named in a sentence: `ends` lists all.
const MOST_NAMED: usize = 5;

/// `p is empty; a (pid 42) has its write end`.
fn condition(pipe: &Pipe, label: &str, sight: &Sight) -> String {
    let writing = match sight.wait() {
        Some(wait) => matches!(wait, Wait::Write { .. }),
        None => pipe.bytes.is_some() && pipe.bytes == pipe.capacity,
    };
    let state = match (writing, pipe.bytes, pipe.capacity) {
        // It has been read since the wait was seen.
        (true, Some(0), _) => format!("{label} is empty by now"),
        (true, Some(bytes), Some(capacity)) => {
            format!("{label} is full ({bytes} of {capacity} bytes)")
        }
        (false, Some(0), _) => format!("{label} is empty"),
        (false, Some(bytes), _) => format!("{label} holds {}", counted(bytes, "byte")),
        _ => label.to_string(),
    };
    let (others, end): (Vec<&Descriptor>, _) = match writing {
        true => (pipe.readers().collect(), "read end"),
        false => (pipe.writers().collect(), "write end"),
    };
    let mut who: Vec<String> = Vec::new();
    for d in others {
        let name = sight.who(d.pid);
        if !who.contains(&name) {
            who.push(name);
        }
    }
    let more = who.len().saturating_sub(MOST_NAMED);
    who.truncate(MOST_NAMED);
    match who.len() {
        // Nobody waits for a side that nobody has; that of a FIFO may be yet to come.
        0 if sight.wait().is_some() && pipe.file.is_none() => {
            format!("{state}; who has its {end} cannot be seen")
        }
        0 => format!("{state}; nobody that can be seen has its {end} open"),
        _ if more > 0 => format!("{state}; {} and {more} more have its {end}", who.join(", ")),
        1 => format!("{state}; {} has its {end}", who[0]),
        _ => format!("{state}; {} have its {end}", who.join(", ")),
    }
}
