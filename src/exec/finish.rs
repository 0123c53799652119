//! The end of a session: what was deferred, what is left over, what is removed.

use std::io;
use std::time::Duration;

use super::engine::{Engine, Flow, Ran};
use super::show::Shown;
use super::slot::State;
use crate::data::{Event, Failure, FailureKind, Nowhere, Sink, counted};
use crate::session::ledger::{FileKind, Kind};
use crate::session::{Ledger, Removed};

/// What was done at the end.
#[derive(Debug, Default)]
pub struct Finished {
    /// What was removed.
    pub removed: Vec<Removed>,
}

impl Finished {
    /// `removed 2 message queues, 1 semaphore set`; `None` where nothing was there.
    pub fn summary(&self) -> Option<String> {
        // A directory of our own is nobody's business.
        let shown = |r: &&Removed| r.error.is_none() && r.kind != Kind::File(FileKind::Directory);
        let mut kinds: Vec<Kind> = self.removed.iter().filter(shown).map(|r| r.kind).collect();
        kinds.sort_unstable();
        let parts: Vec<String> = kinds
            .chunk_by(|a, b| a == b)
            .map(|same| counted(same.len(), same[0].object()))
            .collect();
        (!parts.is_empty()).then(|| format!("removed {}", parts.join(", ")))
    }
}

impl Engine {
    /// Runs what was deferred, last first, whatever else happened, and complains of steps
    /// that are still pending.
    ///
    /// # Errors
    /// Some of it failed; the output cannot be written; a signal ends the session.
    pub fn conclude(&mut self, sink: &mut dyn Sink) -> Ran {
        self.interrupted = false;
        // What is deferred runs even where the complaint cannot be written.
        let settled = self.complain_of_pending(sink);
        let deferred = match self.run_deferred(sink) {
            Err(flow @ (Flow::Output(_) | Flow::Signal(_))) => return Err(flow),
            ran => ran,
        };
        // What was deferred may leave steps of its own.
        let settled_again = self.complain_of_pending(sink);
        self.await_programs(sink)?;
        deferred.and(settled).and(settled_again)
    }

    /// Runs what was deferred, last first: all of it, whether or not it can be shown.
    ///
    /// # Errors
    /// As for [`Engine::conclude`].
    pub fn run_deferred(&mut self, sink: &mut dyn Sink) -> Ran {
        let mut sink = Lossy { sink, lost: None };
        let mut worst = Ok(());
        // What is deferred runs on a signal too; a second one ends that.
        let ending = self.ending.take();
        // An actor that is left in the middle of something will not end it.
        for slot in self.slots.iter_mut().filter(|s| s.actor.is_busy()) {
            slot.kill();
        }
        while let Some((source, statement)) = self.deferred.pop() {
            match self.statements(&source, std::slice::from_ref(&statement), &mut sink) {
                Ok(()) | Err(Flow::Quit) => {}
                Err(Flow::Failed | Flow::Skipped(_)) => worst = worst.and(Err(Flow::Failed)),
                Err(Flow::Environment) => worst = Err(Flow::Environment),
                Err(flow) => return Err(flow),
            }
        }
        self.ending = self.ending.or(ending);
        sink.flush()?;
        match sink.lost {
            Some(e) => Err(Flow::Output(e)),
            None => worst,
        }
    }

    /// A step that is pending at the end is a failure, named.
    fn complain_of_pending(&mut self, sink: &mut dyn Sink) -> Ran {
        // What runs is left to end, or to block: whether it has must not depend on who is faster.
        self.settle_within(Duration::ZERO, self.options.step_timeout)?;
        self.tell_caught(sink)?;
        let mut passed = true;
        for place in 0..self.slots.len() {
            self.note_end(place);
            let name = self.slots[place].actor.name.clone();
            let (pending, failure) = match &self.slots[place].state {
                State::Ended(pending, _) if pending.claimed && pending.claim().is_none() => {
                    let text = "it has ended, and the script never says how";
                    (pending.clone(), Failure::new(FailureKind::Mismatch, text))
                }
                State::Pending(pending) => {
                    let pending = pending.clone();
                    (pending, self.still_pending(place))
                }
                State::Ended(..) => {
                    match self.judge_ended(place, sink) {
                        Ok(()) => {}
                        Err(Flow::Failed | Flow::Environment) => passed = false,
                        Err(flow) => return Err(flow),
                    }
                    continue;
                }
                _ => continue,
            };
            passed = false;
            let help = match self.slots[place].actor.is_gone() {
                true => format!("Say so: `{name}: ... => died`"),
                false => format!("Say how it ends (`{name}: ... => ok`), or `cancel {name}`"),
            };
            let shown = Shown {
                words: Some(format!("{name}: ...")),
                ..Shown::new(&pending.source, pending.step.text)
            };
            match self.fail(shown, failure.help(help), sink) {
                Flow::Failed | Flow::Environment => {}
                flow => return Err(flow),
            }
            let slot = &mut self.slots[place];
            if slot.take_ended().is_none() {
                slot.state = State::Free;
            }
        }
        match passed {
            true => Ok(()),
            false => Err(Flow::Failed),
        }
    }

    fn still_pending(&mut self, place: usize) -> Failure {
        let stand = self.stand(place);
        let call = stand.call.unwrap_or(stand.state);
        let about = stand.about.map_or(String::new(), |a| format!(": {a}"));
        Failure::new(
            FailureKind::Deadline,
            format!("it is still pending at the end of the script ({call}{about})"),
        )
    }

    /// Ends every process of the session and removes what it created.
    pub fn clean_up(&mut self, sink: &mut dyn Sink) -> Vec<Removed> {
        if std::mem::replace(&mut self.finished, true) {
            return Vec::new();
        }
        self.end_jobs(sink);
        for slot in &mut self.slots {
            slot.kill();
        }
        self.slots.clear();
        let removed = self.ledger.as_ref().map(Ledger::sweep).unwrap_or_default();
        // With the last end of its pipe the janitor goes, and finds nothing to do.
        self.janitor = None;
        removed
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.clean_up(&mut Nowhere);
    }
}

/// Shows what can be shown, and keeps why the rest could not.
struct Lossy<'a> {
    sink: &'a mut dyn Sink,
    lost: Option<io::Error>,
}

impl Lossy<'_> {
    fn show(&mut self, show: impl FnOnce(&mut dyn Sink) -> io::Result<()>) -> io::Result<()> {
        if self.lost.is_none() {
            self.lost = show(self.sink).err();
        }
        Ok(())
    }
}

impl Sink for Lossy<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.show(|sink| sink.event(event))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.show(|sink| sink.flush())
    }
}
