//! What a verb sees when it runs in the shell: names, and the host.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use super::any;
use super::resolve::{nameless, resolve, system_v};
use crate::data::{Failure, Family, Object};
use crate::inspect::process::{self, Certainty, LastOperator};
use crate::inspect::snapshot::Snapshot;
use crate::inspect::thing::Thing;
use crate::inspect::wait::Wait;
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::lang::{Env, Reference};
use crate::session::files::WIRING;
use crate::session::{Held, Names};

/// What the shell knows and can look at. What costs a pass over `/proc` is looked up when
/// it is first asked for, and once.
#[derive(Debug)]
pub struct Sight<'a> {
    /// The names of the session.
    pub names: &'a Names,
    /// The variables.
    pub env: &'a Env,
    /// The actors, by their process.
    pub actors: &'a HashMap<i32, String>,
    /// The thread whose object's condition is asked, and what it waits for.
    pub blocked: Option<(i32, &'a Wait)>,
    /// The descriptors that the actors hold, each with the actor's process.
    pub held: Vec<(i32, Held)>,
    /// The processes of the host.
    pub snapshot: Rc<Snapshot>,
    /// The shell: this process, or the one that it looks for.
    pub shell: i32,
    /// Where Ctrl-C and what ends the session can be read: [`Sight::go_on`].
    pub signals: Option<BorrowedFd<'a>>,
    named: OnceCell<[HashMap<Object, String>; Family::ALL.len()]>,
    operators: RefCell<HashMap<(i32, i64), Option<LastOperator>>>,
    users: RefCell<HashMap<u32, String>>,
    /// The semaphore set that was asked last for its last operator, and the answer.
    pub(super) set_asked: Cell<Option<(i32, Option<i32>)>>,
}

/// Which objects are listed, and how.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The columns, by name; empty for the family's usual ones.
    pub columns: Vec<String>,
}

impl<'a> Sight<'a> {
    /// A fresh look.
    pub fn new(names: &'a Names, env: &'a Env, actors: &'a HashMap<i32, String>) -> Sight<'a> {
        Sight {
            names,
            env,
            actors,
            blocked: None,
            held: Vec::new(),
            snapshot: Rc::default(),
            shell: std::process::id().cast_signed(),
            signals: None,
            named: OnceCell::new(),
            operators: RefCell::default(),
            users: RefCell::default(),
            set_asked: Cell::default(),
        }
    }

    /// Another look from the same place.
    pub fn afresh(&self) -> Sight<'a> {
        let snapshot = match self.snapshot.inside() {
            Some(inside) => Snapshot::of_inside(inside.clone()),
            None => Snapshot::default(),
        };
        Sight {
            snapshot: Rc::new(snapshot),
            shell: self.shell,
            signals: self.signals,
            ..Sight::new(self.names, self.env, self.actors)
        }
    }

    /// The same look at the host, at what a thread waits for.
    pub fn at<'b>(&'b self, tid: i32, wait: &'b Wait) -> Sight<'b> {
        Sight {
            blocked: Some((tid, wait)),
            held: self.held.clone(),
            snapshot: Rc::clone(&self.snapshot),
            shell: self.shell,
            signals: self.signals,
            ..Sight::new(self.names, self.env, self.actors)
        }
    }

    /// What the thread waits for whose object's condition is asked.
    pub fn wait(&self) -> Option<&'a Wait> {
        self.blocked.map(|(_, wait)| wait)
    }

    /// Asked again and again by what may take long: whether nobody has asked for its end. The signal
    /// stays to be read by the engine, which knows what follows from it.
    ///
    /// # Errors
    /// Ctrl-C was pressed, or the session is to end.
    pub fn go_on(&self) -> Result<(), Failure> {
        let Some(signals) = self.signals else {
            return Ok(());
        };
        let mut signals = [PollFd::new(signals, PollFlags::POLLIN)];
        match poll(&mut signals, Some(Duration::ZERO)) {
            Ok(1..) => Err(Failure::refused("interrupted")),
            _ => Ok(()),
        }
    }

    /// The name of an object in this session, for tables of thousands of rows.
    pub fn name_of(&self, family: Family, object: &Object) -> Option<&str> {
        let named = self.named.get_or_init(|| {
            Family::ALL.map(|family| {
                let all = self.names.all(family).into_iter().rev();
                all.map(|(name, b)| (b.object.clone(), name.to_string()))
                    .collect()
            })
        });
        named[family.index()].get(object).map(String::as_str)
    }

    /// The process that an object remembers for an operation at this time. Thousands of
    /// objects may remember the same one.
    pub fn last_operator(&self, pid: i32, when: i64) -> Option<LastOperator> {
        let mut known = self.operators.borrow_mut();
        let operator = known
            .entry((pid, when))
            .or_insert_with(|| process::last_operator(pid, when));
        operator.clone()
    }

    /// Whether a process that an object remembers is no more. Who is hidden may be there.
    pub fn is_gone(&self, pid: i32, when: i64) -> bool {
        let certainty = self.last_operator(pid, when).map(|o| o.certainty);
        matches!(certainty, Some(Certainty::Gone | Certainty::Recycled))
    }

    /// A user by name, or by number where there is no name.
    pub fn user(&self, uid: u32) -> String {
        let mut known = self.users.borrow_mut();
        known
            .entry(uid)
            .or_insert_with(|| super::common::user(uid))
            .clone()
    }

    /// Whether a process is the shell, or looks for it.
    pub fn is_own(&self, pid: i32) -> bool {
        pid == self.shell || pid == std::process::id().cast_signed()
    }

    /// Whether it is how this session's processes talk to each other, which no step of it sees.
    pub fn is_wiring(&self, thing: Thing) -> bool {
        let ends = self.snapshot.open().on(thing).iter();
        let mut actors = ends.filter(|end| self.actors.contains_key(&end.pid));
        actors.any(|end| WIRING.contains(&end.fd))
    }

    /// The process that a word names: an actor's, or the one of this pid.
    ///
    /// # Errors
    /// It is neither an actor nor a number.
    pub fn process(&self, word: &str) -> Result<i32, Failure> {
        let actor = self.actors.iter().find(|(_, name)| *name == word);
        match actor {
            Some((pid, _)) => Ok(*pid),
            None => word.parse().map_err(|_| match word {
                "me" => Failure::refused("`me` does not run: its first step starts it"),
                _ => Failure::refused(format!("`{word}` is neither an actor nor a pid"))
                    .help("`actors` lists the actors"),
            }),
        }
    }

    /// The object that an argument names, or the family's current one.
    ///
    /// # Errors
    /// There is no such name, no current object, no object with that key.
    pub fn find(&self, family: Family, reference: Option<&Reference>) -> Result<Object, Failure> {
        resolve(self.names, family, reference, self.env)
    }

    /// The object of whatever family that an argument names.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn find_any(&self, reference: &Reference) -> Result<(Family, Object), Failure> {
        let family = match reference.family {
            Some(family) => family,
            None => any::family(self, &reference.target)?,
        };
        Ok((family, self.find(family, Some(reference))?))
    }

    /// The id of the System V object that an argument names.
    ///
    /// # Errors
    /// Those of [`Sight::find`]; it is a POSIX object.
    pub fn find_id(&self, family: Family, reference: Option<&Reference>) -> Result<i32, Failure> {
        system_v(family, &self.find(family, reference)?)
    }

    /// How an object is called in a sentence: its name, or `id:7`.
    pub fn label(&self, family: Family, object: &Object) -> String {
        match self.name_of(family, object) {
            Some(name) => name.to_string(),
            None => nameless(family, object),
        }
    }
}
