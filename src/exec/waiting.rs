//! Waiting without blocking: one poll over everything that can have something to say.

use std::collections::HashMap;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags};
use std::os::fd::AsFd;

use super::engine::{End, Engine, Flow, Mode, Ran, Update};
use crate::actor::{Report, Sighting};
use crate::data::{Event, Family, Object, Stand};
use crate::inspect::wait::{Kind, Name, Wait};
use crate::kernel::{poll, sem};
use crate::mechanism::{self, Sight};
use crate::session::{Held, files};

/// How long the first look at a step waits, and the longest that looks are apart.
const FIRST_LOOK: Duration = Duration::from_micros(300);
const SLOWEST_LOOK: Duration = Duration::from_millis(20);

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

impl Engine {
    /// Waits until something happens or the time is over. What actors have sent is taken
    /// in; `true` where anything arrived.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<bool, Flow> {
        let mut fds = Vec::with_capacity(self.slots.len() + 1);
        let mut places = Vec::with_capacity(self.slots.len());
        if let Some(signals) = &self.signals {
            fds.push(PollFd::new(signals.as_fd(), PollFlags::POLLIN));
        }
        let first = fds.len();
        for (place, slot) in self.slots.iter().enumerate() {
            if !slot.actor.is_dead() {
                fds.push(PollFd::new(slot.actor.fd(), PollFlags::POLLIN));
                places.push(place);
            }
        }
        match poll::poll(&mut fds, Some(timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => return Ok(false),
            Err(e) => return Err(Flow::Output(e.into())),
        }
        let ready = |fd: &PollFd| fd.any().unwrap_or(false);
        let signalled = fds[..first].iter().any(ready);
        let spoke: Vec<usize> = fds[first..]
            .iter()
            .zip(places)
            .filter(|(fd, _)| ready(fd))
            .map(|(_, place)| place)
            .collect();
        drop(fds);
        for place in &spoke {
            self.slots[*place].actor.receive();
        }
        if signalled {
            self.check_signals()?;
        }
        Ok(!spoke.is_empty())
    }

    /// Ctrl-C is noted; what asks the session to end, ends it.
    pub(super) fn check_signals(&mut self) -> Ran {
        let Some(signals) = &self.signals else {
            return Ok(());
        };
        while let Ok(Some(signal)) = signals.read() {
            match signal.signo {
                libc::SIGINT if self.options.mode == Mode::Prompt => self.interrupted = true,
                signo => self.ending = Some(signo),
            }
        }
        match self.ending {
            Some(signo) => Err(Flow::Signal(signo)),
            None => Ok(()),
        }
    }

    /// What becomes readable when [`Engine::pump`] has something to do.
    pub fn descriptors(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
        let actors = self.slots.iter().filter(|s| !s.actor.is_dead());
        actors
            .map(|s| s.actor.fd())
            .chain(self.signals.iter().map(|s| s.as_fd()))
            .collect()
    }

    /// The next end of a step of an actor: a report, or its death.
    pub(super) fn next_end(&mut self, place: usize) -> Option<End> {
        let slot = &mut self.slots[place];
        if let Some(report) = slot.actor.next_report() {
            self.learn(place, &report);
            return Some(End::Report(report));
        }
        let slot = &mut self.slots[place];
        if slot.actor.is_dead() && !slot.mourned {
            slot.mourned = true;
            let ended = slot.actor.stop().or_else(|| slot.actor.ended());
            return Some(End::Died(ended));
        }
        None
    }

    /// Takes over what a step changed, for the shell and every other actor.
    fn learn(&mut self, place: usize, report: &Report) {
        let slot = &mut self.slots[place];
        for change in &report.files {
            files::note(&mut slot.files, change.clone());
        }
        for hold in &report.holds {
            slot.holds.insert((hold.id, hold.num), hold.taken);
        }
        if report.changes.is_empty() && report.bindings.is_empty() {
            return;
        }
        let origin = slot.actor.name.clone();
        for change in &report.changes {
            self.names.apply(change);
            self.log
                .push((Some(origin.clone()), Update::Name(change.clone())));
        }
        for (name, outcome) in &report.bindings {
            std::sync::Arc::make_mut(&mut self.env).bind(name, outcome.clone());
            let update = Update::Variable(name.clone(), outcome.clone());
            self.log.push((Some(origin.clone()), update));
        }
    }

    /// Shows what happened while nobody waited: steps that ended, actors that died.
    ///
    /// # Errors
    /// A signal ends the session, or the output cannot be written.
    pub fn pump(&mut self, sink: &mut dyn super::Sink) -> Ran {
        self.wait(Duration::ZERO)?;
        // One that came while a command of the shell waited has been read by now.
        self.check_signals()?;
        self.notices(sink)
    }

    /// Tells of pending steps that ended by themselves, at the prompt, and of deaths.
    pub(super) fn notices(&mut self, sink: &mut dyn super::Sink) -> Ran {
        for place in 0..self.slots.len() {
            let slot = &self.slots[place];
            if slot.pending.is_none() && !slot.actor.is_busy() {
                if let Some(End::Died(how)) = self.next_end(place) {
                    let slot = &self.slots[place];
                    let text = died_text(&slot.actor.name, slot.actor.pid(), how);
                    sink.event(&Event::Note(text))?;
                }
                continue;
            }
            if slot.pending.is_none() {
                continue;
            }
            if self.slots[place].ended.is_none() {
                let end = self.next_end(place);
                self.slots[place].ended = end;
            }
            if self.options.mode == Mode::Prompt && self.slots[place].ended.is_some() {
                self.show_resumed(place, sink)?;
            }
        }
        sink.flush()?;
        Ok(())
    }

    /// Where one actor stands.
    pub(super) fn stand(&mut self, place: usize) -> Stand {
        let sighting = self.sight_actor(place);
        let slot = &self.slots[place];
        let mut stand = Stand {
            actor: slot.actor.name.clone(),
            pid: slot.actor.pid(),
            state: String::new(),
            call: None,
            about: None,
        };
        match sighting {
            Sighting::Idle => stand.state = "idle".into(),
            Sighting::Running => stand.state = "running".into(),
            Sighting::Dead => stand.state = "dead".into(),
            Sighting::Unreadable(_) => {
                stand.state = "?".into();
                stand.about = Some("the kernel does not let us read its system call".into());
            }
            Sighting::Blocked { wait, .. } => {
                stand.state = "blocked".into();
                stand.call = Some(self.wait_text(place, &wait));
                stand.about = self.condition(place, &wait);
            }
        }
        stand
    }

    /// What an actor does: blocked is only said of what is seen twice.
    pub(super) fn sight_actor(&mut self, place: usize) -> Sighting {
        let mut sighting = self.slots[place].actor.look();
        let mut patience = Patience::new();
        for _ in 0..4 {
            if sighting != Sighting::Running {
                break;
            }
            // A pending end makes the answer, whatever else is pending.
            if self.wait(patience.next()).is_err() {
                break;
            }
            sighting = self.slots[place].actor.look();
        }
        sighting
    }

    /// A wait in words, with this session's names: `semop lock -1`, `read p`.
    pub(super) fn wait_text(&self, place: usize, wait: &Wait) -> String {
        let held = &self.slots[place].files;
        wait.text(|kind, number| {
            let (family, object) = match kind {
                Kind::Msgq => (Family::Msgq, Object::Id(number)),
                Kind::Sem => (Family::Sem, Object::Id(number)),
                Kind::Fd => {
                    let behind = held.iter().find(|h| h.fd == number)?;
                    (behind.family, behind.object.clone())
                }
            };
            let nsems = match kind {
                Kind::Sem => sem::stat_any_id(number).ok().map(|s| s.nsems),
                _ => None,
            };
            let text = match (self.names.name_of(family, &object), kind) {
                (Some(name), _) => name.to_string(),
                (None, Kind::Fd) => mechanism::label(&self.names, family, None, &object),
                (None, _) => return None,
            };
            Some(Name { text, nsems })
        })
    }

    /// The condition of the object that is waited on.
    pub(super) fn condition(&self, place: usize, wait: &Wait) -> Option<String> {
        let (family, object, num) = waited_on(wait, &self.slots[place].files)?;
        let actors = self.actors_by_pid();
        let mut sight = self.sight(&actors);
        sight.blocked = Some(wait);
        let kind = mechanism::kind_of(family, &object).ok()?;
        Some((kind.condition)(&sight, &object, num))
    }

    /// A fresh look at the host, with the session's names and the actors' descriptors.
    pub fn sight<'a>(&'a self, actors: &'a HashMap<i32, String>) -> Sight<'a> {
        let mut sight = Sight::new(&self.names, &self.env, actors);
        for slot in self.slots.iter().filter(|s| !s.actor.is_dead()) {
            let pid = slot.actor.pid();
            let held = slot.files.iter().cloned();
            sight.held.extend(held.map(|held| (pid, held)));
        }
        sight
    }
}

/// The object that a thread waits on, given what its process holds.
pub(super) fn waited_on(wait: &Wait, held: &[Held]) -> Option<(Family, Object, Option<u32>)> {
    let behind = |fd: &i32| {
        let held = held.iter().find(|h| h.fd == *fd)?;
        Some((held.family, held.object.clone(), None))
    };
    match wait {
        Wait::MsgSend { id, .. } | Wait::MsgReceive { id, .. } => {
            Some((Family::Msgq, Object::Id(*id), None))
        }
        Wait::SemOp { id, ops, .. } => {
            let num = ops.first().map(|op| u32::from(op.num));
            Some((Family::Sem, Object::Id(*id), num))
        }
        Wait::Open {
            path: Some(path), ..
        } => Some((Family::Fifo, Object::from(path.as_path()), None)),
        Wait::Read { fd }
        | Wait::Write { fd }
        | Wait::Accept { fd }
        | Wait::Connect { fd }
        | Wait::Receive { fd }
        | Wait::Send { fd }
        | Wait::MqSend { fd }
        | Wait::MqReceive { fd } => behind(fd),
        _ => None,
    }
}

/// `b (pid 12) was killed by SIGKILL`.
pub(super) fn died_text(
    name: &str,
    pid: i32,
    how: Option<crate::kernel::process::Ended>,
) -> String {
    use crate::kernel::process::{Ended, signal_name};
    match how {
        Some(Ended::Signaled(signo)) => match signal_name(signo) {
            Some(signal) => format!("{name} (pid {pid}) was killed by SIG{signal}"),
            None => format!("{name} (pid {pid}) was killed by signal {signo}"),
        },
        Some(Ended::Exited(status)) => format!("{name} (pid {pid}) ended with status {status}"),
        None => format!("{name} (pid {pid}) is gone"),
    }
}
