//! The programs that run beside a session: they are shown, waited for and ended.

use std::time::{Duration, Instant};

use super::engine::{Engine, Ran};
use super::job::{self, Job};
use crate::data::{Cell, Event, Sink};

/// How often programs that are waited for are looked at.
const TICK: Duration = Duration::from_millis(5);

impl Engine {
    /// Ends what still runs, and shows what it wrote.
    pub(super) fn end_jobs(&mut self, sink: &mut dyn Sink) {
        // The session ends, whether or not it can be written.
        let _ = self.reap_jobs(sink);
        job::end(&self.jobs);
        for mut job in std::mem::take(&mut self.jobs) {
            let _ = show_output(&mut job, true, sink);
            self.forget_job(&mut job);
        }
    }

    /// Waits for the programs of pipelines, once the actors have closed their ends: what was written to
    /// them arrives. Who has not ended by a step's deadline is ended with the session.
    pub(super) fn await_programs(&mut self, sink: &mut dyn Sink) -> Ran {
        let awaited = |job: &Job| job.awaited;
        if !self.jobs.iter().any(awaited) {
            return Ok(());
        }
        for slot in &mut self.slots {
            slot.kill();
        }
        let begun = Instant::now();
        loop {
            self.reap_jobs(sink)?;
            if self.interrupted || !self.jobs.iter().any(awaited) {
                return Ok(());
            }
            if begun.elapsed() >= self.options.step_timeout {
                break;
            }
            self.wait(TICK)?;
        }
        let left = self.jobs.iter().filter(|job| job.awaited);
        for label in left.filter_map(|job| job.label.as_ref()) {
            let limit = Cell::Elapsed(self.options.step_timeout);
            let text = format!("{label} is ended: it still ran {limit} after the end of its input");
            sink.event(&Event::Warning(text))?;
        }
        Ok(())
    }

    /// Shows what background commands have written, and forgets those that have ended.
    pub(super) fn reap_jobs(&mut self, sink: &mut dyn Sink) -> Ran {
        let mut at = 0;
        while let Some(job) = self.jobs.get_mut(at) {
            // Asked first: what it wrote last is there when it is over.
            let over = job.is_over();
            show_output(job, over, sink)?;
            match over {
                true => {
                    let mut job = self.jobs.remove(at);
                    if let (Some(label), Some(how)) = (&job.label, job.how_it_ended())
                        && (job.awaited || !job.ended_well())
                    {
                        sink.event(&Event::Note(format!("{label} {how}")))?;
                    }
                    self.forget_job(&mut job);
                }
                false => at += 1,
            }
        }
        Ok(())
    }

    /// Gives its place in the ledger back, once: by then an actor may have it.
    pub(super) fn forget_job(&self, job: &mut Job) {
        if let (Some(entry), Some(ledger)) = (job.entry.take(), &self.ledger) {
            ledger.forget(entry);
        }
    }
}

fn show_output(job: &mut Job, whole: bool, sink: &mut dyn Sink) -> std::io::Result<()> {
    let written = job.output.fresh(whole);
    if !written.is_empty() {
        sink.event(&Event::Text(String::from_utf8_lossy(&written).into_owned()))?;
    }
    match whole && job.output.is_too_long() {
        true => sink.event(&Event::Warning(job::flooded().to_string())),
        false => Ok(()),
    }
}
