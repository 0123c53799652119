//! `pipe a | "wc -l"`: pipes between actors and programs of the host.

use std::os::fd::{AsFd, OwnedFd};

use super::engine::{Engine, Mode};
use super::host::Streams;
use super::job::{self, Job, Output};
use super::shell_steps::Interrupted;
use super::slot::{End, signal_cell, signal_text};
use super::steer::interrupted;
use super::waiting::{Patience, Stall, Turn};
use crate::data::{Cell, Event, Failure, Family, Object, Outcome, Reply, Sink};
use crate::kernel::process::{Ended, Stream};
use crate::kernel::{fds, pipe};
use crate::session::files::ON_ITS_WAY;
use crate::session::{Binding, Held, Side};

/// What sh(1) exits with when its command was killed by SIGPIPE.
const SIGPIPE_STATUS: i32 = 128 + libc::SIGPIPE;

/// What stands between two `|`.
#[derive(Clone, Debug)]
pub enum Stage {
    /// A process of ours, which is given the ends and does with them what its steps say.
    Actor(String),
    /// What `sh -c` runs.
    Program(Vec<u8>),
}

/// The shell's copies of the ends of one pipe; they are closed once the stages have theirs.
struct Ends {
    object: Object,
    read: OwnedFd,
    write: OwnedFd,
}

impl Ends {
    fn new() -> Result<Ends, Failure> {
        let made = pipe::create().and_then(|(read, write)| {
            Ok(Ends {
                object: Object::Inode(fds::inode(&read)?),
                read,
                write,
            })
        });
        made.map_err(|e| Failure::environment(format!("no pipe can be made: {}", e.desc())))
    }
}

impl Engine {
    /// Joins stages by pipes: actors are given the ends, programs are started with them.
    /// Where all are programs, waits until they have ended.
    ///
    /// # Errors
    /// A process cannot be started; an actor has a pending step; Ctrl-C.
    pub fn pipeline(&mut self, stages: &[Stage], sink: &mut dyn Sink) -> Result<Reply, Failure> {
        sink.flush()
            .map_err(|e| Failure::environment(e.to_string()))?;
        let mut places = Vec::with_capacity(stages.len());
        for stage in stages {
            places.push(match stage {
                Stage::Actor(name) => Some(self.stage_actor(name, sink)?),
                Stage::Program(_) => None,
            });
        }
        let pipes = (1..stages.len())
            .map(|_| Ends::new())
            .collect::<Result<Vec<_>, _>>()?;
        let notes = self.name_pipes(&pipes, stages);
        let waits = places.iter().all(Option::is_none);
        let mut jobs = Vec::new();
        if let Err(failure) = self.start_stages(stages, &places, pipes, &mut jobs) {
            self.end_stages(&mut jobs);
            return Err(failure);
        }
        if waits {
            return self.await_stages(jobs);
        }
        self.jobs.extend(jobs);
        for note in notes {
            sink.event(&Event::Note(note))
                .map_err(|e| Failure::environment(e.to_string()))?;
        }
        Ok(Outcome::ok().into())
    }

    /// Gives each stage its ends; actors have taken theirs when this returns. What has been started is
    /// in `jobs`, even where the rest fails.
    fn start_stages(
        &mut self,
        stages: &[Stage],
        places: &[Option<usize>],
        pipes: Vec<Ends>,
        jobs: &mut Vec<Job>,
    ) -> Result<(), Failure> {
        let background = places.iter().any(Option::is_some);
        for (at, (stage, place)) in stages.iter().zip(places).enumerate() {
            let before = at.checked_sub(1).map(|i| &pipes[i]);
            let after = pipes.get(at);
            match (stage, place) {
                (Stage::Program(command), _) => {
                    jobs.push(self.start_stage(command, before, after, background)?);
                }
                (Stage::Actor(_), Some(place)) => self.hand_over(*place, before, after)?,
                (Stage::Actor(_), None) => {}
            }
        }
        drop(pipes);
        let mut taking = places.iter().flatten();
        taking.try_for_each(|place| self.await_taken(*place))
    }

    /// Ends the programs of a pipeline that came to nothing.
    fn end_stages(&self, jobs: &mut [Job]) {
        let (groups, trees): (Vec<&Job>, Vec<&Job>) = jobs.iter().partition(|j| j.group.is_some());
        job::end(groups);
        trees.into_iter().for_each(job::end_tree);
        jobs.iter_mut().for_each(|job| self.forget_job(job));
    }

    fn stage_actor(&mut self, name: &str, sink: &mut dyn Sink) -> Result<usize, Failure> {
        self.free_actor(name, sink).map_err(Interrupted::failure)
    }

    /// Names the pipes that an actor has an end of; says who has which.
    fn name_pipes(&mut self, pipes: &[Ends], stages: &[Stage]) -> Vec<String> {
        let mut notes = Vec::new();
        let who = |stage: &Stage| match stage {
            Stage::Actor(name) => name.clone(),
            Stage::Program(command) => crate::data::quote(command),
        };
        for (ends, sides) in pipes.iter().zip(stages.windows(2)) {
            let between_programs = sides.iter().all(|s| matches!(s, Stage::Program(_)));
            let (Object::Inode(inode), Some(ledger)) = (&ends.object, self.ledger()) else {
                continue;
            };
            if between_programs {
                continue;
            }
            let inode = *inode;
            let name = self.names.unique(Family::Pipe, ledger);
            let binding = Binding {
                object: ends.object.clone(),
                key: 0,
                entry: None,
            };
            self.bind_name(Family::Pipe, &name, binding);
            let (writer, reader) = (who(&sides[0]), who(&sides[1]));
            notes.push(format!(
                "created pipe {name} (pipe:[{inode}]): {writer} writes, {reader} reads"
            ));
        }
        notes
    }

    /// Sends an actor its ends.
    fn hand_over(
        &mut self,
        place: usize,
        before: Option<&Ends>,
        after: Option<&Ends>,
    ) -> Result<(), Failure> {
        let held = |ends: &Ends, side| Held {
            family: Family::Pipe,
            object: ends.object.clone(),
            side,
            fd: ON_ITS_WAY,
        };
        let read = before.map(|ends| (held(ends, Side::Read), ends.read.as_fd()));
        let write = after.map(|ends| (held(ends, Side::Write), ends.write.as_fd()));
        let (files, descriptors): (Vec<_>, Vec<_>) = read.into_iter().chain(write).unzip();
        self.hand(place, files, &descriptors)
            .map_err(|e| Failure::environment(e.to_string()))
    }

    /// Waits until an actor has what it was handed.
    fn await_taken(&mut self, place: usize) -> Result<(), Failure> {
        let (mut patience, mut stall) = (Patience::new(), Stall::default());
        loop {
            let sighting = match self
                .turn(place, &mut patience)
                .map_err(|f| interrupted(&f))?
            {
                Turn::Ended(End::Report(report)) => return report.result.map(drop),
                Turn::Ended(End::Died(how)) => return Err(End::death(how)),
                Turn::Heard => continue,
                Turn::Seen(sighting) => sighting,
            };
            if self.interrupted {
                return Err(Failure::refused("interrupted"));
            }
            let limit = self.options.step_timeout;
            if stall
                .seen(&sighting)
                .is_some_and(|stalled| stalled >= limit)
            {
                return Err(self.overdue(place, limit));
            }
        }
    }

    fn start_stage(
        &mut self,
        command: &[u8],
        before: Option<&Ends>,
        after: Option<&Ends>,
        background: bool,
    ) -> Result<Job, Failure> {
        let output = Output::new()?;
        let ours = !self.options.captures && !background;
        let written = match ours {
            true => Stream::Inherit,
            false => Stream::Fd(output.fd()),
        };
        let streams = Streams {
            stdin: match before {
                Some(ends) => Stream::Fd(ends.read.as_fd()),
                None if ours && self.options.mode == Mode::Prompt => Stream::Inherit,
                None => Stream::Null,
            },
            stdout: after.map_or(written, |ends| Stream::Fd(ends.write.as_fd())),
            stderr: written,
        };
        let started = self.start_shell(command.to_vec(), streams, background)?;
        let label = background.then(|| crate::data::quote(command));
        Ok(started.job(output, label))
    }

    /// Waits for the programs of a pipeline; what they wrote, and how each ended.
    fn await_stages(&mut self, mut jobs: Vec<Job>) -> Result<Reply, Failure> {
        let (mut outcome, mut failing, mut written) = (Outcome::ok(), Vec::new(), Vec::new());
        let last = jobs.len();
        for at in 1..=last {
            let ended = self.await_end(&mut jobs, at - 1).map_err(|e| {
                self.end_stages(&mut jobs);
                e.failure()
            })?;
            match ended {
                Ended::Exited(0) => {}
                // Who writes to a pipe that nobody reads any more ends so; where sh(1) has not
                // become the program, it tells so by its status.
                Ended::Signaled(libc::SIGPIPE) | Ended::Exited(SIGPIPE_STATUS)
                    if at < last || !self.options.captures =>
                {
                    outcome = outcome.remark(format!("signal{at}"), Cell::text("PIPE"));
                }
                Ended::Exited(status) => {
                    outcome = outcome.field(format!("exit{at}"), status);
                    failing.push(format!("stage {at} exited with {status}"));
                }
                Ended::Signaled(signo) => {
                    failing.push(format!("stage {at} was killed by {}", signal_text(signo)));
                    outcome = outcome.field(format!("signal{at}"), signal_cell(signo));
                }
            }
        }
        for job in &mut jobs {
            written.extend(job.output.fresh(true));
        }
        let text = String::from_utf8_lossy(&written).into_owned();
        Ok(Reply {
            outcome,
            text: (!text.is_empty()).then_some(text),
            failing: (!failing.is_empty()).then(|| failing.join(", ")),
            ..Reply::default()
        })
    }
}
