//! What a reference names, and how an object is called.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::create::{ftok, key_of};
use super::place::Place;
use crate::data::{Failure, Family, Object, word};
use crate::kernel::Errno;
use crate::kernel::posix::NAME_MAX;
use crate::kernel::sysv::IPC_PRIVATE;
use crate::lang::{Env, Reference, Target, closest};
use crate::session::{Names, lookup};

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
pub(super) fn nameless(family: Family, object: &Object) -> String {
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
