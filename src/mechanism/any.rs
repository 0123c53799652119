//! Objects that are named without their family: `who lock`, `who id:7`, `who /run/x.sock`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::create::key_of;
use super::place::{Place, file_words};
use super::resolve::{finds_none, resolve};
use super::{Sight, errno_symbol};
use crate::data::{Failure, FailureKind, Family, Object, word};
use crate::inspect::thing::Thing;
use crate::kernel::errno_of;
use crate::kernel::sysv::IPC_PRIVATE;
use crate::lang::{Reference, Target, closest};
use crate::session::perm_of;

/// The family of the object that is named so.
///
/// # Errors
/// There is no such object, or one in several families.
pub(super) fn family(sight: &Sight, target: &Target) -> Result<Family, Failure> {
    match target {
        Target::Name(name) => named(sight, name),
        Target::Id(_) | Target::Key(_) | Target::Ftok(..) => system_v(sight, target),
        Target::Path(term) => at_path(sight, &sight.env.bytes(term)?),
        Target::Fd(pid, fd) => behind(sight.env.int(pid)?, sight.env.int(fd)?),
        // The parser knows the family of an inode by its noun.
        Target::Inode(_) => Ok(Family::Pipe),
        Target::Current => Err(Failure::refused("no object is named")),
    }
}

/// The one family of several that may be meant; `None` where there are none.
fn one(families: &[Family], what: &str) -> Option<Result<Family, Failure>> {
    Some(match families {
        [] => return None,
        [family] => Ok(*family),
        several => {
            let nouns: Vec<&str> = several.iter().map(|f| f.object()).collect();
            let failure = Failure::refused(format!("{what} is a {}", nouns.join(" and a ")));
            Err(failure.help(format!("Say which: {}.{what}", several[0].noun())))
        }
    })
}

fn named(sight: &Sight, name: &str) -> Result<Family, Failure> {
    let mut families = Family::ALL.to_vec();
    families.retain(|family| sight.names.get(*family, name).is_some());
    let nothing = || {
        let known: Vec<&str> = Family::ALL
            .into_iter()
            .flat_map(|family| sight.names.all(family))
            .map(|(name, _)| name)
            .collect();
        let failure = Failure::refused(format!("nothing is named `{name}`"));
        match closest(name, known) {
            _ if Path::new(name).exists() => failure.help(format!(
                "The file of this name is written as a path: ./{name}"
            )),
            Some(close) => failure.help(format!("Did you mean `{close}`?")),
            None => {
                failure.help("An object of the host is named by id:N, key:K, its path or its inode")
            }
        }
    };
    one(&families, name).unwrap_or_else(|| Err(nothing()))
}

/// The families that have a System V object of this id or key.
fn system_v(sight: &Sight, target: &Target) -> Result<Family, Failure> {
    let reference = Reference {
        family: None,
        target: target.clone(),
        index: None,
    };
    if let Target::Key(term) = target
        && key_of(sight.env.int(term)?)? == IPC_PRIVATE
    {
        return Err(finds_none("object", "`ipcs` shows it, id:N"));
    }
    let mut families = Vec::new();
    let mut why = None;
    for family in Family::SYSTEM_V {
        let found = resolve(sight.names, family, Some(&reference), sight.env);
        match found.map(|object| object.id().map(|id| perm_of(family, id))) {
            Ok(Some(Ok(_))) => families.push(family),
            Ok(_) => {}
            Err(failure) => why = Some(failure),
        }
    }
    let what = match target {
        Target::Id(term) => format!("id:{}", sight.env.int(term)?),
        Target::Key(term) => format!("key:0x{:x}", key_of(sight.env.int(term)?)?),
        Target::Ftok(path, project) => format!("key:{path},{project}"),
        _ => String::new(),
    };
    let nothing = || match why.filter(|f| f.kind != FailureKind::Errno) {
        Some(failure) => failure,
        None => {
            let mut failure = Failure::refused(format!("no System V object has {what}"));
            failure.help = Some("`ipcs` lists those that exist".into());
            failure
        }
    };
    one(&families, &what).unwrap_or_else(|| Err(nothing()))
}

/// What a path leads to: a FIFO, a socket file, or a POSIX object of that name.
fn at_path(sight: &Sight, bytes: &[u8]) -> Result<Family, Failure> {
    let text = str::from_utf8(bytes);
    let mut known = Family::ALL.to_vec();
    known.retain(|family| text.is_ok_and(|text| sight.names.get(*family, text).is_some()));
    if let Some(family) = one(&known, &word(bytes)) {
        return family;
    }
    // Addresses that are no paths.
    if bytes.starts_with(b"@") || bytes.starts_with(b"tcp:") {
        return Ok(Family::Sock);
    }
    let path = Path::new(OsStr::from_bytes(bytes));
    let found = std::fs::metadata(path);
    match &found {
        Ok(meta) if meta.file_type().is_fifo() => return Ok(Family::Fifo),
        Ok(meta) if meta.file_type().is_socket() => return Ok(Family::Sock),
        // A socket may live on without its file, and is known by its address.
        Err(_) if super::sock::bound(sight.names, bytes).is_ok() => return Ok(Family::Sock),
        _ => {}
    }
    let mut families = Family::SYSTEM_V.to_vec();
    let is_posix = |f, text: &str| Thing::of(f, &Object::Posix(text.into())).is_some();
    families.retain(|f| text.is_ok_and(|text| is_posix(*f, text)));
    let nothing = || match found {
        Ok(meta) => Failure::refused(format!(
            "{} is neither a FIFO nor a socket file",
            file_words(path, Some(meta.mode()))
        )),
        Err(e) => {
            let errno = errno_of(e);
            let mut failure = Failure::refused(errno.desc());
            failure.errno = Some(errno_symbol(errno).into());
            failure.call = Some(format!("stat({})", word(bytes)));
            failure
        }
    };
    one(&families, &word(bytes)).unwrap_or_else(|| Err(nothing()))
}

fn behind(pid: i128, fd: i128) -> Result<Family, Failure> {
    let at = Place::new(pid, fd)?;
    let nothing = || {
        Failure::refused(format!(
            "pid:{pid}/fd:{fd} is {}, which is nothing of IPC",
            at.words()
        ))
        .help(format!("`who pid:{pid}/fd:{fd}` shows who has it open"))
    };
    at.object
        .as_ref()
        .map(|(family, _)| *family)
        .ok_or_else(nothing)
}
