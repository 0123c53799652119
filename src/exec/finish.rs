//! The end of a session: what was deferred, what is left over, what is removed.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::time::Duration;

use super::engine::{Engine, Flow};
use crate::data::{Event, Failure, FailureKind, Sink};
use crate::kernel::process;
use crate::session::ledger::{FileKind, Kind};
use crate::session::{Ledger, Removed, now};

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
            .map(|same| {
                let plural = if same.len() == 1 { "" } else { "s" };
                format!("{} {}{plural}", same.len(), same[0].object())
            })
            .collect();
        (!parts.is_empty()).then(|| format!("removed {}", parts.join(", ")))
    }
}

impl Engine {
    /// Runs what was deferred, last first, whatever else happened, and complains of steps
    /// that are still pending.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn conclude(&mut self, sink: &mut dyn Sink) -> Result<bool, Flow> {
        self.interrupted = false;
        // What is deferred runs even where the complaint cannot be written.
        let settled = self.complain_of_pending(sink);
        let deferred = self.run_deferred(sink)?;
        Ok(settled? && deferred)
    }

    /// Runs what was deferred, last first.
    ///
    /// # Errors
    /// The output cannot be written, or a signal ends the session.
    pub fn run_deferred(&mut self, sink: &mut dyn Sink) -> Result<bool, Flow> {
        let mut passed = true;
        // What is deferred runs on a signal too; a second one ends that.
        let ending = self.ending.take();
        // An actor that is left in the middle of something will not end it.
        for slot in self.slots.iter_mut().filter(|s| s.actor.is_busy()) {
            slot.actor.stop();
            slot.mourned = true;
        }
        while let Some((source, statement)) = self.deferred.pop() {
            match self.statements(&source, std::slice::from_ref(&statement), sink) {
                Ok(()) | Err(Flow::Quit) => {}
                Err(Flow::Failed | Flow::Environment | Flow::Skipped(_)) => passed = false,
                Err(flow) => return Err(flow),
            }
        }
        self.ending = self.ending.or(ending);
        sink.flush()?;
        Ok(passed)
    }

    /// A step that is pending at the end is a failure, named.
    fn complain_of_pending(&mut self, sink: &mut dyn Sink) -> Result<bool, Flow> {
        self.wait(Duration::ZERO)?;
        let mut passed = true;
        for place in 0..self.slots.len() {
            let Some(pending) = self.slots[place].pending.clone() else {
                continue;
            };
            if self.slots[place].ended.is_none() {
                let end = self.next_end(place);
                self.slots[place].ended = end;
            }
            let ended = self.slots[place].ended.is_some();
            if ended && !pending.claimed {
                continue;
            }
            passed = false;
            let name = self.slots[place].actor.name.clone();
            let failure = if ended {
                Failure::new(
                    FailureKind::Mismatch,
                    "it has ended, and the script never says how",
                )
            } else {
                let stand = self.stand(place);
                let call = stand.call.unwrap_or(stand.state);
                let about = stand.about.map_or(String::new(), |a| format!(": {a}"));
                Failure::new(
                    FailureKind::Deadline,
                    format!("it is still pending at the end of the script ({call}{about})"),
                )
            };
            let help = format!("Say how it ends (`{name}: ... => ok`), or `cancel {name}`");
            let text = format!("{name}: ...");
            let failure = failure.help(help);
            self.fail_as(text, &pending.source, pending.text, failure, sink);
            self.slots[place].pending = None;
        }
        Ok(passed)
    }

    /// Ends every process of the session and removes what it created.
    pub fn clean_up(&mut self, sink: &mut dyn Sink) -> Vec<Removed> {
        if std::mem::replace(&mut self.finished, true) {
            return Vec::new();
        }
        self.end_jobs(sink);
        for slot in &mut self.slots {
            slot.actor.stop();
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

/// Shows nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn event(&mut self, _: &Event) -> std::io::Result<()> {
        Ok(())
    }
}

/// A fresh directory, known to the janitor before it is made.
pub(super) fn make_work(ledger: &Ledger) -> Result<PathBuf, Failure> {
    use std::hash::{BuildHasher, Hasher};
    let base = std::env::temp_dir();
    for _ in 0..100 {
        let random = std::hash::RandomState::new().build_hasher().finish();
        let path = base.join(format!("ipcsh-{random:016x}"));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        let entry = ledger
            .intend_file(FileKind::Directory, &path, now(), process::geteuid())
            .map_err(|e| Failure::environment(format!("$WORK: {e}")))?;
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                if let Ok(meta) = path.symlink_metadata() {
                    ledger.settle_file(entry, FileKind::Directory, meta.dev(), meta.ino());
                }
                return Ok(path);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => ledger.forget(entry),
            Err(e) => {
                ledger.forget(entry);
                return Err(Failure::environment(format!(
                    "$WORK cannot be made in {}: {e}",
                    base.display()
                )));
            }
        }
    }
    Err(Failure::environment(format!(
        "no free name for $WORK in {}",
        base.display()
    )))
}
