//! What a verb sees when it runs in the shell: names, and the host.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::any;
use super::create::{ftok, key_of};
use super::place::Place;
use crate::data::{Failure, Family, Object, word};
use crate::inspect::process::{self, Certainty, LastOperator};
use crate::inspect::snapshot::Snapshot;
use crate::inspect::thing::Thing;
use crate::inspect::wait::Wait;
use crate::kernel::Errno;
use crate::kernel::poll::{PollFd, PollFlags, poll};
use crate::kernel::posix::NAME_MAX;
use crate::kernel::sysv::IPC_PRIVATE;
use crate::lang::{Env, Reference, Target, closest};
use crate::session::files::WIRING;
use crate::session::{Held, Names, lookup};

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

/// The id of an object that must be of System V.
pub(super) fn system_v(family: Family, object: &Object) -> Result<i32, Failure> {
    object.id().ok_or_else(|| {
        Failure::refused(format!("`{object}` is a POSIX {}", posix_object(family)))
            .help("This is done to System V objects only, which have a plain name, an id or a key")
    })
}

/// What a POSIX object of a family is called.
pub(super) fn posix_object(family: Family) -> &'static str {
    match family {
        // There are no sets of them.
        Family::Sem => "semaphore",
        family => family.object(),
    }
}

/// The object that a reference names.
///
/// # Errors
/// There is no such name, no current object, no object with that key.
pub fn resolve(
    names: &Names,
    family: Family,
    reference: Option<&Reference>,
    env: &Env,
) -> Result<Object, Failure> {
    let target = reference.map_or(&Target::Current, |r| &r.target);
    match target {
        Target::Name(name) => match names.get(family, name) {
            Some(binding) => Ok(binding.object.clone()),
            None if family == Family::Fifo => Ok(absolute(name.as_bytes())),
            None => Err(unknown(names, family, name)),
        },
        Target::Current => match names.current(family) {
            Some((_, binding)) => Ok(binding.object.clone()),
            None => Err(no_current(family)),
        },
        Target::Id(term) => {
            let id = env.int(term)?;
            i32::try_from(id).map(Object::Id).map_err(|_| {
                Failure::refused(format!(
                    "the id {id} is out of range: it is from 0 to {}",
                    i32::MAX
                ))
            })
        }
        Target::Key(term) => by_key(family, key_of(env.int(term)?)?).map(Object::Id),
        Target::Ftok(path, project) => by_key(family, ftok(path, *project)?).map(Object::Id),
        Target::Path(term) => by_path(names, family, &env.bytes(term)?),
        Target::Inode(ino) => Ok(Object::Inode(*ino)),
        Target::Fd(pid, fd) => behind(family, env.int(pid)?, env.int(fd)?),
    }
}

/// What a path names: a POSIX object, a FIFO, or a socket that is bound to it here.
fn by_path(names: &Names, family: Family, path: &[u8]) -> Result<Object, Failure> {
    // What is no text is no name.
    let text = str::from_utf8(path);
    if let Some(binding) = text.ok().and_then(|text| names.get(family, text)) {
        return Ok(binding.object.clone());
    }
    match family {
        Family::Fifo => Ok(absolute(path)),
        Family::Msgq | Family::Shm | Family::Sem => posix_name(family, path).map(Object::Posix),
        Family::Sock => super::sock::bound(names, path),
        Family::Pipe => Err(unknown(names, family, &String::from_utf8_lossy(path))),
    }
}

/// What is behind a descriptor of some process.
fn behind(family: Family, pid: i128, fd: i128) -> Result<Object, Failure> {
    let at = Place::new(pid, fd)?;
    match &at.object {
        Some((found, object)) if *found == family => Ok(object.clone()),
        _ => Err(Failure::refused(format!(
            "pid:{pid}/fd:{fd} is {}, no {}",
            at.words(),
            family.object()
        ))),
    }
}

/// A path from the root, so that it means the same to the janitor.
fn absolute(path: &[u8]) -> Object {
    let path = Path::new(OsStr::from_bytes(path));
    Object::from(
        std::path::absolute(path)
            .unwrap_or_else(|_| path.into())
            .as_path(),
    )
}

/// The name of a POSIX object: a slash, and what may be a file's name where the family's stand.
///
/// # Errors
/// It is none.
pub(super) fn posix_name(family: Family, name: &[u8]) -> Result<Box<str>, Failure> {
    let failure = |why: &str| {
        Failure::refused(format!("{} {why}", word(name)))
            .help("A POSIX name is a slash and up to 255 bytes without another, such as /jobs")
    };
    match name.strip_prefix(b"/") {
        Some(rest) if rest.is_empty() || rest.contains(&b'/') || rest.contains(&0) => {
            Err(failure("is no POSIX name"))
        }
        // A semaphore's file has more in front.
        Some(b"." | b"..") if family != Family::Sem => {
            Err(failure("is no POSIX name: it means a directory"))
        }
        Some(rest) if rest.len() > NAME_MAX => Err(failure("is too long for a POSIX name")),
        Some(_) => std::str::from_utf8(name)
            .map(Box::from)
            .map_err(|_| failure("is not UTF-8, and no other names are taken here")),
        None => Err(failure("does not begin with a slash")),
    }
}

fn unknown(names: &Names, family: Family, name: &str) -> Failure {
    let known = names.all(family);
    let failure = Failure::refused(format!("no {} is named `{name}`", family.object()));
    match closest(name, known.iter().map(|(n, _)| *n)) {
        Some(close) => failure.help(format!("Did you mean `{close}`?")),
        None if family == Family::Sock => failure.help(format!(
            "Make it with `sock connect ADDRESS name={name}`; `sock ls` lists those that exist"
        )),
        None if family == Family::Pipe => failure.help(format!(
            "Create it with `pipe create {name}`; `pipe ls` lists those that exist"
        )),
        None => failure.help(format!(
            "Create it with `{0} create {name}`, or name one that exists: `{0} use id:N {name}`",
            family.noun()
        )),
    }
}

fn no_current(family: Family) -> Failure {
    let failure = Failure::refused(format!("there is no current {}", family.object()));
    failure.help(match family {
        Family::Sock => "Make one with `sock listen ADDRESS` or `sock connect ADDRESS`".into(),
        Family::Pipe => {
            "Make one with `pipe create`, or one between actors with `pipe a | b`".into()
        }
        Family::Fifo => "Make one with `mkfifo PATH`, or write the path of one that exists".into(),
        family => format!(
            "Make one with `{0} create`, or take one that exists: `{0} use REF`",
            family.noun()
        ),
    })
}

/// Nothing is found by the key that is none; `way` leads to objects without one.
pub(super) fn finds_none(what: &str, way: &str) -> Failure {
    Failure::refused(format!(
        "the key 0 is IPC_PRIVATE: it makes a new {what} each time, and finds none"
    ))
    .help(format!("One without a key is named by its id: {way}"))
}

fn by_key(family: Family, key: i32) -> Result<i32, Failure> {
    // The kernel would make a new object of it, which nobody would ever remove.
    if key == IPC_PRIVATE && family.is_system_v() {
        let noun = family.noun();
        let way = format!("`{noun} ls` shows it, {noun} use id:N");
        return Err(finds_none(family.object(), &way));
    }
    let call = match family {
        Family::Msgq => "msgget",
        Family::Shm => "shmget",
        Family::Sem => "semget",
        _ => {
            return Err(Failure::refused(format!(
                "a {} has no key",
                family.object()
            )));
        }
    };
    lookup(family, key).map_err(|errno| {
        let refused = |meaning: String| {
            let call = format!("{call}(0x{key:08x})");
            Failure::errno(super::args::errno_symbol(errno), meaning).call(call)
        };
        if errno != Errno::ENOENT {
            return refused(errno.desc().to_string());
        }
        refused(format!("no {} has this key", family.object())).help(format!(
            "Create it with `{0} create key:0x{key:x}`, or see `{0} ls`",
            family.noun()
        ))
    })
}

/// How an object is called: as it was written, by its name, or by its id.
pub fn label(
    names: &Names,
    family: Family,
    reference: Option<&Reference>,
    object: &Object,
) -> String {
    match reference.map(|r| &r.target) {
        Some(Target::Name(name)) => name.clone(),
        _ => match names.name_of(family, object) {
            Some(name) => name.to_string(),
            None => nameless(family, object),
        },
    }
}

/// How an object is called that this session has no name for.
fn nameless(family: Family, object: &Object) -> String {
    match object {
        Object::Inode(ino) => format!("{}:[{ino}]", kernel_noun(family)),
        object => object.to_string(),
    }
}

/// How the kernel names what is behind a descriptor of this family: `pipe:[6517]`.
fn kernel_noun(family: Family) -> &'static str {
    match family {
        Family::Sock => "socket",
        family => family.noun(),
    }
}
