//! Descriptors that travel from one actor to another, so that a step finds what it names.
//!
//! A pipe or a socket has no name by which a second process could open it: the descriptor
//! itself is passed (`SCM_RIGHTS`). The shell takes a copy from the actor that holds it
//! (pidfd_getfd(2)), sends it with the order and closes its own, so that it never stands
//! between a reader and the end of the stream for longer than that.

use std::os::fd::OwnedFd;

use super::engine::Engine;
use super::slot::Slot;
use crate::data::{Family, Object};
use crate::inspect::descriptors::{self, Access, Ask, What};
use crate::kernel::socket::SCM_MAX_FD;
use crate::lang::{Action, Arg, Kind, Reference, Step, Target, Work};
use crate::mechanism::{self, Run};
use crate::session::files::{self, ON_ITS_WAY};
use crate::session::{Held, Side};

/// What a step works on through a descriptor.
struct Use<'a> {
    family: Family,
    side: Side,
    reference: Option<&'a Reference>,
}

impl Engine {
    /// Whether a step can be granted what it uses before those ahead of it in its batch are done:
    /// `moved` says whether one of them may change who has what, or which is meant where none is named.
    pub(super) fn is_foreseen(&self, work: &Work, moved: &mut bool) -> bool {
        let steps = match &work.action {
            Action::Repeat { body, .. } => body,
            _ => std::slice::from_ref(work),
        };
        let verb = |work: &Work| match &work.action {
            Action::Call(call) => *self.commands.verbs.get(usize::from(call.command))?,
            _ => None,
        };
        let uses = |work| verb(work).is_some_and(|v| matches!(v.run, Run::Through(..)));
        // What only moves bytes leaves the descriptors where they are.
        let moves = |work| match verb(work) {
            Some(verb) if matches!(verb.run, Run::Through(Side::Read | Side::Write, _)) => false,
            Some(verb) => matches!(verb.signature.family, Some(Family::Pipe | Family::Sock)),
            None => false,
        };
        let foreseen = !(*moved && steps.iter().any(uses));
        *moved |= steps.iter().any(moves);
        foreseen
    }

    /// What the steps use and their actor does not hold: copies of what others hold.
    pub(super) fn grants(&mut self, place: usize, steps: &[&Step]) -> Vec<(Held, OwnedFd)> {
        let mut uses = Vec::new();
        for step in steps {
            self.uses(&step.work, &mut uses);
        }
        let mut granted: Vec<(Held, OwnedFd)> = Vec::new();
        for used in uses {
            if granted.len() == SCM_MAX_FD {
                break;
            }
            let Some(object) = self.used_object(place, &used) else {
                continue;
            };
            let slot = &self.slots[place];
            let has = |held: &[Held]| files::of(held, used.family, &object, used.side).is_some();
            if has(&slot.files) || granted.iter().any(|(h, _)| has(std::slice::from_ref(h))) {
                continue;
            }
            let others = self.slots.iter().enumerate().filter(|(i, _)| *i != place);
            let copied = others
                .rev()
                .find_map(|(_, slot)| copy(slot, &used, &object));
            granted.extend(copied);
        }
        granted
    }

    /// An actor drops what continues a step that failed, with all that came with it: it is to be sent
    /// again.
    pub(super) fn forget_sent(&mut self, place: usize) {
        let slot = &mut self.slots[place];
        slot.files.retain(|held| held.fd != ON_ITS_WAY);
        slot.cursor = None;
    }

    fn uses<'a>(&self, work: &'a Work, found: &mut Vec<Use<'a>>) {
        let call = match &work.action {
            Action::Call(call) => call,
            Action::Repeat { body, .. } => return body.iter().for_each(|w| self.uses(w, found)),
            Action::Value(_) => return,
        };
        let Some(Some(verb)) = self.commands.verbs.get(usize::from(call.command)) else {
            return;
        };
        let Run::Through(side, _) = verb.run else {
            return;
        };
        let Some(family) = verb.signature.family else {
            return;
        };
        let params = verb.signature.params;
        let kind = |place: &u8| params.get(usize::from(*place)).map(|p| p.kind);
        let reference = call
            .args
            .iter()
            .find_map(|(place, arg)| match (kind(place), arg) {
                (Some(Kind::Ref(_) | Kind::Semaphore), Arg::Ref(reference)) => Some(&**reference),
                _ => None,
            });
        // What says where it goes to needs nobody else's socket.
        let mut places = call.args.iter().map(|(place, _)| kind(place));
        if reference.is_none() && places.any(|kind| kind == Some(Kind::Address)) {
            return;
        }
        found.push(Use {
            family,
            side,
            reference,
        });
    }

    /// The object that is meant; `None` where the actor finds it by itself, or says why not.
    fn used_object(&self, place: usize, used: &Use) -> Option<Object> {
        let current = used.reference.is_none_or(|r| r.target == Target::Current);
        let own = files::newest(&self.slots[place].files, used.family, used.side);
        if current && own.is_some() {
            return None;
        }
        mechanism::resolve(&self.names, used.family, used.reference, &self.env).ok()
    }
}

/// A copy of a descriptor that an actor holds. Which number it has there, the kernel says.
fn copy(slot: &Slot, used: &Use, object: &Object) -> Option<(Held, OwnedFd)> {
    if slot.actor.is_gone() {
        return None;
    }
    let known = files::of(&slot.files, used.family, object, used.side)?;
    let wanted = object.inode()?;
    let ask = Ask {
        access: true,
        ..Ask::default()
    };
    let held = descriptors::of(slot.actor.pid(), ask).ok()?;
    let found = held.into_iter().find(|d| {
        matches!(d.what, What::Pipe { ino } | What::Socket { ino } if ino == wanted)
            && d.access.is_some_and(|a| serves(a, known.side))
    })?;
    let copy = descriptors::copy(&found, wanted).ok()?;
    let held = Held {
        fd: ON_ITS_WAY,
        ..known.clone()
    };
    Some((held, copy))
}

/// Whether a descriptor that is open so is one of this side.
fn serves(access: Access, side: Side) -> bool {
    match side {
        Side::Read => access == Access::Read,
        Side::Write => access == Access::Write,
        Side::Both => access == Access::ReadWrite,
    }
}
