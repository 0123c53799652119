//! What a verb sees when it runs in the shell: names, and the host.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use super::create::{ftok, key_of};
use crate::data::{Failure, FailureKind, Family};
use crate::inspect::process::{self, LastOperator};
use crate::inspect::wait::{Wait, Waiters, waiters};
use crate::kernel::{Errno, msg, sem, shm};
use crate::lang::{Env, Reference, Target, closest};
use crate::session::Names;

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
    /// What the thread waits for whose object's condition is asked.
    pub blocked: Option<&'a Wait>,
    waiters: OnceCell<Waiters>,
    ipc_namespace: OnceCell<Option<u64>>,
    named: OnceCell<[HashMap<i32, String>; Family::ALL.len()]>,
    operators: RefCell<HashMap<(i32, i64), Option<LastOperator>>>,
    users: RefCell<HashMap<u32, String>>,
}

/// Which objects are listed, and how.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Only this object.
    pub id: Option<i32>,
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
            waiters: OnceCell::new(),
            ipc_namespace: OnceCell::new(),
            named: OnceCell::new(),
            operators: RefCell::default(),
            users: RefCell::default(),
        }
    }

    /// Every thread of the host that waits in an IPC call: one pass over `/proc`.
    pub fn waiters(&self) -> &Waiters {
        self.waiters.get_or_init(waiters)
    }

    /// The inode of our own IPC namespace: the same id means another object in another.
    pub fn ipc_namespace(&self) -> Option<u64> {
        let own = || process::ipc_namespace(std::process::id().cast_signed());
        *self.ipc_namespace.get_or_init(own)
    }

    /// The name of an object in this session, for tables of thousands of rows.
    pub fn name_of(&self, family: Family, id: i32) -> Option<&str> {
        let named = self.named.get_or_init(|| {
            Family::ALL.map(|family| {
                let all = self.names.all(family).into_iter().rev();
                all.map(|(name, b)| (b.id, name.to_string())).collect()
            })
        });
        named[family.index()].get(&id).map(String::as_str)
    }

    /// How many processes could not be looked into, where anybody has looked.
    pub fn unreadable(&self) -> Option<usize> {
        let waiters = self.waiters.get()?;
        (waiters.unreadable > 0).then_some(waiters.unreadable)
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

    /// A user by name, or by number where there is no name.
    pub fn user(&self, uid: u32) -> String {
        let mut known = self.users.borrow_mut();
        known
            .entry(uid)
            .or_insert_with(|| super::common::user(uid))
            .clone()
    }

    /// Who operated on an object last, for a sentence: `a (pid 4240)`,
    /// `pid 17, which is gone`. `None` where nobody has.
    pub fn operator(&self, pid: i32, when: i64) -> Option<String> {
        if let Some(actor) = self.actors.get(&pid) {
            return Some(format!("{actor} (pid {pid})"));
        }
        let LastOperator {
            comm, certainty, ..
        } = self.last_operator(pid, when)?;
        Some(match (certainty, comm) {
            (process::Certainty::Alive, Some(comm)) => format!("{comm} (pid {pid})"),
            (process::Certainty::Alive | process::Certainty::Hidden, _) => format!("pid {pid}"),
            (process::Certainty::Gone, _) => format!("pid {pid}, which is gone"),
            (process::Certainty::Recycled, _) => {
                format!("pid {pid}, which is gone (another process has its number now)")
            }
        })
    }

    /// The object that an argument names, or the family's current one.
    ///
    /// # Errors
    /// There is no such name, no current object, no object with that key.
    pub fn find(&self, family: Family, reference: Option<&Reference>) -> Result<i32, Failure> {
        resolve(self.names, family, reference, self.env)
    }

    /// How an object is called in a sentence: its name, or `id:7`.
    pub fn label(&self, family: Family, id: i32) -> String {
        label(self.names, family, None, id)
    }
}

/// The id of the object that a reference names.
pub(super) fn resolve(
    names: &Names,
    family: Family,
    reference: Option<&Reference>,
    env: &Env,
) -> Result<i32, Failure> {
    let target = reference.map_or(&Target::Current, |r| &r.target);
    match target {
        Target::Name(name) => match names.get(family, name) {
            Some(binding) => Ok(binding.id),
            None => Err(unknown(names, family, name)),
        },
        Target::Current => match names.current(family) {
            Some((_, binding)) => Ok(binding.id),
            None => Err(no_current(family)),
        },
        Target::Id(term) => {
            let id = env.int(term)?;
            i32::try_from(id).map_err(|_| {
                Failure::refused(format!(
                    "the id {id} is out of range: it is from 0 to {}",
                    i32::MAX
                ))
            })
        }
        Target::Key(term) => by_key(family, key_of(env.int(term)?)?),
        Target::Ftok(path, project) => by_key(family, ftok(path, *project)?),
    }
}

fn unknown(names: &Names, family: Family, name: &str) -> Failure {
    let known = names.all(family);
    let failure = Failure::refused(format!("no {} is named `{name}`", family.object()));
    match closest(name, known.iter().map(|(n, _)| *n)) {
        Some(close) => failure.help(format!("Did you mean `{close}`?")),
        None => failure.help(format!(
            "Create it with `{0} create {name}`, or name one that exists: `{0} use id:N {name}`",
            family.noun()
        )),
    }
}

fn no_current(family: Family) -> Failure {
    Failure::refused(format!("there is no current {}", family.object())).help(format!(
        "Make one with `{0} create`, or take one that exists: `{0} use REF`",
        family.noun()
    ))
}

fn by_key(family: Family, key: i32) -> Result<i32, Failure> {
    let (call, found) = match family {
        Family::Msgq => ("msgget", msg::get(key, 0, false, false)),
        Family::Shm => ("shmget", shm::get(key, 0, 0, false, false)),
        Family::Sem => ("semget", sem::get(key, 0, 0, false, false)),
    };
    found.map_err(|errno| Failure {
        kind: FailureKind::Errno,
        errno: Some(super::args::errno_symbol(errno).into()),
        call: Some(format!("{call}(0x{key:08x})")),
        meaning: match errno {
            Errno::ENOENT => format!("no {} has this key", family.object()),
            errno => errno.desc().to_string(),
        },
        help: (errno == Errno::ENOENT).then(|| {
            format!(
                "Create it with `{0} create key:0x{key:x}`, or see `{0} ls`",
                family.noun()
            )
        }),
    })
}

/// How an object is called: as it was written, by its name, or by its id.
pub(super) fn label(
    names: &Names,
    family: Family,
    reference: Option<&Reference>,
    id: i32,
) -> String {
    match reference.map(|r| &r.target) {
        Some(Target::Name(name)) => name.clone(),
        _ => match names.name_of(family, id) {
            Some(name) => name.to_string(),
            None => format!("id:{id}"),
        },
    }
}
