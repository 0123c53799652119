//! What travels between the shell and an actor, and how it is framed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::data::{Outcome, StepResult};
use crate::lang::{Span, Work};
use crate::session::{Change, FileChange, Held};

/// Shell to actor: steps to do one after the other. The first that does not end as it
/// should ends the order, and those that continue it. One of no steps brings descriptors,
/// and is answered by one report.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order<Step = Work> {
    /// The number of the first step; they count on from there.
    pub first: u64,
    /// Whether it goes on where the last order ended: it is dropped if that failed.
    pub continues: bool,
    /// Whether all that the actor knows is to be forgotten first.
    pub afresh: bool,
    /// Names that changed since the last order.
    pub changes: Vec<Change>,
    /// Variables that changed since the last order.
    pub bindings: Vec<(String, Outcome)>,
    /// Descriptors that travel with the order, in this order; their numbers are the
    /// sender's.
    pub files: Vec<Held>,
    /// The steps. The shell sends them as references.
    pub steps: Vec<Step>,
}

impl<Step> Order<Step> {
    /// How many reports answer it.
    pub(super) fn answers(&self) -> usize {
        self.steps.len().max(1)
    }
}

/// Actor to shell: how one step ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The step's number.
    pub number: u64,
    /// How it ended.
    pub result: StepResult,
    /// Whether that is what was claimed, or a success with nothing claimed.
    pub passed: bool,
    /// What ended it: the step, or the step of its loop that failed.
    pub at: Span,
    /// What it changed besides; most steps change nothing.
    pub effects: Option<Box<Effects>>,
}

/// What a step changed in its session and in its actor.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Names.
    pub changes: Vec<Change>,
    /// Variables that it bound.
    pub bindings: Vec<(String, Outcome)>,
    /// Descriptors that it opened, used or closed.
    pub files: Vec<FileChange>,
}

impl Effects {
    /// These, where there are any.
    pub fn noted(self) -> Option<Box<Effects>> {
        (self != Effects::default()).then(|| Box::new(self))
    }
}

/// The length of a frame stands before it, as four bytes.
pub(super) const LENGTH: usize = 4;

/// A message with its length before it.
pub(super) fn frame<T: Serialize>(message: &T, out: &mut Vec<u8>) -> postcard::Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    let taken = std::mem::take(out);
    *out = postcard::to_extend(message, taken)?;
    let length = (out.len() - start - LENGTH) as u32;
    out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// The frame that begins here, without its length; `None` where it has not all arrived.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    rest.get(..u32::from_le_bytes(*length) as usize)
}

/// Takes the first message off what has arrived, where it is whole.
pub(super) fn first<T: DeserializeOwned>(arrived: &mut Vec<u8>) -> postcard::Result<Option<T>> {
    let Some(frame) = whole(arrived) else {
        return Ok(None);
    };
    let message = postcard::from_bytes(frame)?;
    let taken = LENGTH + frame.len();
    arrived.drain(..taken);
    Ok(Some(message))
}

/// Takes all whole messages off what has arrived.
pub(super) fn drain<T: DeserializeOwned>(arrived: &mut Vec<u8>) -> postcard::Result<Vec<T>> {
    let mut messages = Vec::new();
    let mut at = 0;
    while let Some(frame) = whole(&arrived[at..]) {
        messages.push(postcard::from_bytes(frame)?);
        at += LENGTH + frame.len();
    }
    arrived.drain(..at);
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_they_arrive() {
        let mut sent = Vec::new();
        for word in ["one", "", "three"] {
            frame(&word.to_string(), &mut sent).unwrap();
        }
        let (mut arrived, mut got) = (Vec::new(), Vec::<String>::new());
        for byte in sent {
            arrived.push(byte);
            got.extend(drain::<String>(&mut arrived).unwrap());
        }
        assert_eq!(got, ["one", "", "three"]);
        assert!(arrived.is_empty());
        for word in ["one", "two"] {
            frame(&word.to_string(), &mut arrived).unwrap();
        }
        let cut = arrived.split_off(arrived.len() - 1);
        assert_eq!(first::<String>(&mut arrived).unwrap().unwrap(), "one");
        assert_eq!(first::<String>(&mut arrived).unwrap(), None);
        arrived.extend(cut);
        assert_eq!(first::<String>(&mut arrived).unwrap().unwrap(), "two");
    }
}
