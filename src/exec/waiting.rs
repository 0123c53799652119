//! Waiting without blocking: one poll over everything that can have something to say.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::engine::{Engine, Flow, Mode, Ran};
use super::job;
use super::slot::{End, signal_text};
use crate::actor::Sighting;
use crate::data::{self, Event};
use crate::kernel::Errno;
use crate::kernel::poll::{self, PollFd, PollFlags};
use crate::kernel::signal::trap::Caught;

/// How long the first look at a step waits, and the longest that looks are apart.
const FIRST_LOOK: Duration = Duration::from_micros(300);
const SLOWEST_LOOK: Duration = Duration::from_millis(20);

/// How long signals, deaths and the janitor's end may go unnoticed while steps are run.
const GLANCE: Duration = Duration::from_millis(1);

/// Looks that come quickly first and then ever more slowly.
#[derive(Debug)]
pub(super) struct Patience(Duration);

impl Patience {
    pub fn new() -> Patience {
        Patience(FIRST_LOOK)
    }

    pub fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(SLOWEST_LOOK);
        now
    }
}

/// What a wait was ended by.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// An actor has sent something.
    actors: bool,
    /// The input can be read.
    input: bool,
}

/// How long an actor has stood still where it stands.
#[derive(Debug)]
pub(super) struct Stall {
    /// When it was last known to move.
    moved: Instant,
    since: Option<(u64, Instant)>,
    blocked: bool,
}

impl Default for Stall {
    fn default() -> Stall {
        Stall {
            moved: Instant::now(),
            since: None,
            blocked: false,
        }
    }
}

impl Stall {
    /// Notes what was seen; for how long it has been so, and `None` where it moves.
    pub fn seen(&mut self, sighting: &Sighting) -> Option<Duration> {
        self.blocked = matches!(sighting, Sighting::Blocked { .. });
        let at = sighting.standstill();
        if at != self.since.map(|(at, _)| at) {
            // Since before it was seen: it has not moved meanwhile.
            let since = match self.since {
                None => self.moved,
                Some(_) => Instant::now(),
            };
            self.since = at.map(|at| (at, since));
        }
        if at.is_none() {
            self.moved = Instant::now();
        }
        self.since.map(|(_, since)| since.elapsed())
    }

    /// Whether it was not seen to stand still.
    pub fn is_unseen(&self) -> bool {
        self.since.is_none()
    }

    /// For how long it has been blocked, where it was when it was last seen.
    pub fn blocked(&self) -> Option<Duration> {
        let (_, since) = self.since.filter(|_| self.blocked)?;
        Some(since.elapsed())
    }
}

/// What one turn of waiting for a step has come to.
#[derive(Debug)]
pub(super) enum Turn {
    /// Its step has ended.
    Ended(End),
    /// Somebody was heard of; perhaps it.
    Heard,
    /// Nobody was, and this was seen of it.
    Seen(Sighting),
}

impl Engine {
    /// Waits a while for the end of an actor's step, and looks at it then.
    pub(super) fn turn(&mut self, place: usize, patience: &mut Patience) -> Result<Turn, Flow> {
        if let Some(end) = self.next_end(place) {
            return Ok(Turn::Ended(end));
        }
        let wait = patience.next();
        if wait == FIRST_LOOK {
            // A step that does not block is answered before anything else could be done.
            if !self.glance()? {
                self.slots[place].actor.receive_soon();
            }
            return Ok(match self.next_end(place) {
                Some(end) => Turn::Ended(end),
                None => Turn::Heard,
            });
        }
        if self.wait(wait)? {
            return Ok(Turn::Heard);
        }
        let actor = &mut self.slots[place].actor;
        let sighting = actor.look();
        if sighting == Sighting::Running && wait == SLOWEST_LOOK {
            // A loop takes its time: what came before it is told. Sooner it would only be read twice.
            actor.receive_unsent();
        }
        Ok(Turn::Seen(sighting))
    }

    /// While steps are run one after the other, everything is looked at once a millisecond,
    /// so that it costs a step nothing; `true` where anything arrived.
    pub(super) fn glance(&mut self) -> Result<bool, Flow> {
        match self.glanced {
            Some(glanced) if glanced.elapsed() < GLANCE => Ok(false),
            _ => {
                let heard = self.wait(Duration::ZERO)?;
                self.raise().map(|()| heard)
            }
        }
    }

    /// Waits until something happens or the time is over. What actors have sent is taken
    /// in; `true` where anything arrived.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<bool, Flow> {
        let heard = self.hear(timeout, None)?;
        Ok(heard.actors)
    }

    /// Waits the same way for an input too; `true` where it can be read.
    ///
    /// # Errors
    /// A signal ends the session.
    pub fn wait_for_input(&mut self, input: BorrowedFd, timeout: Duration) -> Result<bool, Flow> {
        let heard = self.hear(timeout, Some(input))?;
        Ok(heard.input)
    }

    fn hear(&mut self, timeout: Duration, input: Option<BorrowedFd>) -> Result<Heard, Flow> {
        job::stop_floods(&self.jobs);
        // A program fills the memory of a host in seconds.
        let timeout = match self.jobs.is_empty() {
            true => timeout,
            false => timeout.min(SLOWEST_LOOK),
        };
        let mut fds = Vec::with_capacity(self.slots.len() + 2);
        let mut places = Vec::with_capacity(self.slots.len());
        for (place, slot) in self.slots.iter().enumerate() {
            if !slot.actor.is_gone() {
                for fd in slot.actor.fds() {
                    fds.push(PollFd::new(fd, PollFlags::POLLIN));
                    places.push(place);
                }
            }
        }
        let others = [
            self.signals
                .as_ref()
                .map(|s| (s.as_fd(), PollFlags::POLLIN)),
            self.attended().map(|fd| (fd, PollFlags::empty())),
            input.map(|input| (input, PollFlags::POLLIN)),
        ];
        fds.extend(
            others
                .iter()
                .flatten()
                .map(|(fd, on)| PollFd::new(*fd, *on)),
        );
        let has = others.map(|other| other.is_some());
        let ready = match poll::poll(&mut fds, Some(timeout)) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => 0,
            Err(_) => {
                // Out of memory: not as fast as we can, then.
                std::thread::sleep(timeout.min(SLOWEST_LOOK));
                0
            }
        };
        if ready == 0 {
            drop(fds);
            self.glanced = Some(Instant::now());
            return Ok(Heard::default());
        }
        let ready = |fd: Option<&PollFd>| fd.is_some_and(|fd| fd.any().unwrap_or(false));
        let spoke: Vec<usize> = fds
            .iter()
            .zip(&places)
            .filter(|(fd, _)| ready(Some(fd)))
            .map(|(_, place)| *place)
            .collect();
        let mut rest = fds[places.len()..].iter();
        let [signalled, unattended, typed] = has.map(|has| has && ready(rest.next()));
        drop(fds);
        self.glanced = Some(Instant::now());
        for place in &spoke {
            let slot = &mut self.slots[*place];
            slot.actor.receive();
            slot.caught.extend(slot.actor.caught());
        }
        self.heard |= !spoke.is_empty();
        if unattended {
            self.replace_janitor();
        }
        if signalled {
            self.check_signals()?;
        }
        Ok(Heard {
            actors: !spoke.is_empty(),
            input: typed,
        })
    }

    /// Ctrl-C is noted; what asks the session to end, ends it.
    pub(super) fn check_signals(&mut self) -> Ran {
        if let Some(signals) = &self.signals {
            while let Ok(Some(signal)) = signals.read() {
                match signal.signo {
                    libc::SIGINT if self.options.mode == Mode::Prompt => self.interrupted = true,
                    signo => self.ending = Some(signo),
                }
            }
        }
        self.raise()
    }

    /// Ends the session where a signal has asked for it.
    fn raise(&self) -> Ran {
        match self.ending {
            Some(signo) => Err(Flow::Signal(signo)),
            None => Ok(()),
        }
    }

    /// What becomes readable when [`Engine::pump`] has something to do.
    pub fn descriptors(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
        let actors = self.live().flat_map(|s| s.actor.fds());
        actors
            .chain(self.signals.iter().map(|s| s.as_fd()))
            .chain(self.attended())
            .collect()
    }

    /// The next end of a step of an actor: a report, or its death.
    pub(super) fn next_end(&mut self, place: usize) -> Option<End> {
        let slot = &mut self.slots[place];
        if let Some(report) = slot.actor.next_report() {
            self.learn(place, &report);
            return Some(End::Report(report));
        }
        self.slots[place].death()
    }

    /// Shows what happened while nobody waited: steps that ended, actors that died.
    ///
    /// # Errors
    /// A signal ends the session, or the output cannot be written.
    pub fn pump(&mut self, sink: &mut dyn super::Sink) -> Ran {
        self.wait(Duration::ZERO)?;
        // One that came while a command of the shell waited has been read by now.
        self.check_signals()?;
        self.notices(sink)?;
        self.tell_deadlock(sink)?;
        // Who was looked at may have been found gone, and is heard of no more.
        self.notices(sink)
    }

    /// Tells of the signals that actors have caught, as far as they have been heard of.
    pub(super) fn tell_caught(&mut self, sink: &mut dyn super::Sink) -> Ran {
        let places = 0..self.slots.len();
        places
            .into_iter()
            .try_for_each(|place| self.tell_caught_by(place, sink))
    }

    fn tell_caught_by(&mut self, place: usize, sink: &mut dyn super::Sink) -> Ran {
        let caught = std::mem::take(&mut self.slots[place].caught);
        if caught.is_empty() {
            return Ok(());
        }
        let actors = self.actors_by_pid();
        for Caught { info, .. } in caught {
            sink.event(&Event::Caught(data::Caught {
                actor: self.slots[place].actor.name.clone(),
                signal: signal_text(info.signo),
                pid: info.pid,
                uid: info.uid,
                sender: actors.get(&info.pid).cloned(),
                value: (info.code == libc::SI_QUEUE).then_some(info.value),
            }))?;
        }
        Ok(())
    }

    /// Tells of pending steps that ended by themselves, at the prompt, and of deaths.
    pub(super) fn notices(&mut self, sink: &mut dyn super::Sink) -> Ran {
        for place in 0..self.slots.len() {
            self.tell_caught_by(place, sink)?;
            self.note_end(place);
            if self.options.mode == Mode::Prompt {
                self.show_resumed(place, sink)?;
            }
            let slot = &mut self.slots[place];
            let idle = slot.pending().is_none() && !slot.actor.is_busy();
            if idle && let Some(End::Died(how)) = self.next_end(place) {
                sink.event(&Event::Note(how))?;
            }
        }
        sink.flush()?;
        Ok(())
    }
}
