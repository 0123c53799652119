//! The verbs that every family has alike: `ls`, `info`, `use`, `rm`.

use super::{
    Args, Flavour, Listing, ObjectKind, Sight, World, common, errno_symbol, fields, kind_of,
    with_columns,
};
use crate::data::{Cell, Failure, Family, Object, Outcome, Reply, StepResult, Table};
use crate::lang::{Arg, Reference, Target};
use crate::session::{self, Binding};

/// `ls` and `info`: the signatures differ by the family's words only. `$create` makes an
/// object `x`, `$columns` are some of its columns, `$errnos` what `info` may fail with, and `$notes`
/// what to look does to what it looks at.
macro_rules! seeing_verbs {
    ($family:expr, $noun:literal, $object:literal, $call:expr, $create:literal, $columns:literal, $errnos:expr, $notes:expr) => {
        pub(super) static LS: $crate::mechanism::Verb = $crate::mechanism::Verb {
            signature: $crate::lang::Signature {
                name: concat!($noun, " ls"),
                summary: concat!(
                    "list every ",
                    $object,
                    " of the host; `",
                    $noun,
                    "` alone does too"
                ),
                params: &[
                    $crate::lang::Param::short(
                        'o',
                        "columns",
                        $crate::lang::Kind::Columns(Some($family)),
                        concat!(
                            "the columns, with commas between; `help ",
                            $noun,
                            "` lists them"
                        ),
                    ),
                    $crate::mechanism::NS,
                ],
                runs: $crate::lang::Runs::Shell,
                looks: true,
                calls: &[$call],
                notes: $notes,
                examples: &[$crate::lang::Example {
                    script: concat!($create, "\n", $noun, "\n", $noun, " ls -o ", $columns),
                    shows: "the usual columns, and chosen ones",
                }],
                ..$crate::lang::Signature::of($family)
            },
            run: $crate::mechanism::Run::Shell(|sight, args| {
                $crate::mechanism::common_verbs::ls($family, sight, args)
            }),
        };
        pub(super) static INFO: $crate::mechanism::Verb = $crate::mechanism::Verb {
            signature: $crate::lang::Signature {
                name: concat!($noun, " info"),
                summary: concat!("show every field of one ", $object),
                params: &[
                    $crate::lang::Param::optional(
                        "object",
                        $crate::lang::Kind::part($family),
                        "which one; the current one where it is left out",
                    ),
                    $crate::mechanism::NS,
                ],
                runs: $crate::lang::Runs::Shell,
                looks: true,
                calls: &[$call],
                errnos: $errnos,
                notes: $notes,
                examples: &[$crate::lang::Example {
                    script: concat!($create, "\n", $noun, " info"),
                    shows: "all that is known",
                }],
                ..$crate::lang::Signature::of($family)
            },
            run: $crate::mechanism::Run::Shell(|sight, args| {
                $crate::mechanism::common_verbs::info($family, sight, args)
            }),
        };
    };
}
pub(super) use seeing_verbs;

/// The verbs of a System V family.
macro_rules! common_verbs {
    ($family:expr, $noun:literal, $object:literal, $ctl:literal, $create:literal) => {
        $crate::mechanism::common_verbs::seeing_verbs!(
            $family,
            $noun,
            $object,
            concat!($ctl, "(2)"),
            $create,
            "name,id,owner",
            &[
                ("EINVAL", concat!("there is no ", $object, " with this id")),
                ("ENOENT", concat!("no POSIX ", $object, " has this name"))
            ],
            ""
        );
        pub(super) static USE: $crate::mechanism::Verb = $crate::mechanism::Verb {
            signature: $crate::lang::Signature {
                name: concat!($noun, " use"),
                summary: concat!("make a ", $object, " the current one, and give it a name"),
                yields: &["id", "key"],
                params: &[
                    $crate::lang::Param::required(
                        "object",
                        $crate::lang::Kind::Ref($family),
                        "which one: a name, id:N, key:K",
                    ),
                    $crate::lang::Param::optional(
                        "name",
                        $crate::lang::Kind::NewName($family),
                        "the name it gets in this session",
                    ),
                ],
                runs: $crate::lang::Runs::Actor,
                calls: &[concat!($ctl, "(2)")],
                errnos: &[
                    ("EINVAL", concat!("there is no ", $object, " with this id")),
                    ("ENOENT", concat!("no ", $object, " has this key")),
                ],
                notes: "An object that this session did not create is not removed at its end.",
                examples: &[$crate::lang::Example {
                    script: concat!(
                        "let q = ",
                        $create,
                        "\n",
                        $noun,
                        " use id:$q.id mine\n",
                        $noun,
                        " info mine"
                    ),
                    shows: "by its id",
                }],
                ..$crate::lang::Signature::of($family)
            },
            run: $crate::mechanism::Run::Actor(|world, args| {
                $crate::mechanism::common_verbs::take($family, world, args)
            }),
        };
        pub(super) static RM: $crate::mechanism::Verb = $crate::mechanism::Verb {
            signature: $crate::lang::Signature {
                name: concat!($noun, " rm"),
                summary: concat!("remove ", $object, "s"),
                params: &[$crate::lang::Param::any(
                    "object",
                    $crate::lang::Kind::Ref($family),
                    "which ones; the current one where they are left out",
                )],
                runs: $crate::lang::Runs::Actor,
                asks: $crate::lang::Asks::Removal,
                calls: &[concat!($ctl, "(2)")],
                errnos: &[
                    (
                        "EIDRM",
                        concat!("the ", $object, " was removed, and another has its place"),
                    ),
                    ("EINVAL", concat!("there is no ", $object, " with this id")),
                    ("ENOENT", concat!("no ", $object, " has this key")),
                    ("EPERM", "only its owner, its creator or root may remove it"),
                ],
                examples: &[$crate::lang::Example {
                    script: concat!($create, "\n", $noun, " rm x"),
                    shows: "one that has just been created",
                }],
                ..$crate::lang::Signature::of($family)
            },
            run: $crate::mechanism::Run::Actor(|world, args| {
                $crate::mechanism::common_verbs::rm($family, world, args)
            }),
        };
    };
}
pub(super) use common_verbs;

pub(super) fn ls(family: Family, sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let listing = Listing {
        columns: columns(args, "columns")?,
    };
    let kinds = with_columns(family, &listing.columns);
    let mut tables = kinds
        .iter()
        .map(|kind| (kind.list)(sight, &listing))
        .collect::<Result<Vec<_>, _>>()?;
    // The usual kind's table is shown even where it is empty.
    let mut first = true;
    tables.retain(|table| std::mem::take(&mut first) || table.rows().next().is_some());
    sight.sign(&mut tables);
    Ok(Reply {
        tables,
        ..Reply::default()
    })
}

/// The column names of `-o`.
///
/// # Errors
/// They cannot be computed.
pub fn columns(args: &Args, param: &str) -> Result<Vec<String>, Failure> {
    let text = args.text(param)?.unwrap_or_default();
    let names = text.split(',').map(str::trim).filter(|n| !n.is_empty());
    Ok(names.map(str::to_lowercase).collect())
}

pub(super) fn info(family: Family, sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let reference = args.reference("object");
    let object = sight.find(family, reference)?;
    let kind = kind_of(family, &object)?;
    let mut tables = match reference.and_then(|r| r.index.as_ref()) {
        None => (kind.info)(sight, &object)?,
        Some(index) => vec![info_of_one(sight, kind, &object, args.env.int(index)?)?],
    };
    sight.sign(&mut tables);
    Ok(Reply {
        outcome: Outcome::ok(),
        tables,
        ..Reply::default()
    })
}

/// Every field of one semaphore of a set.
fn info_of_one(
    sight: &Sight,
    kind: &ObjectKind,
    object: &Object,
    index: i128,
) -> Result<Table, Failure> {
    let num = common::semaphore_number(index)?;
    let mut rows = vec![("num", Cell::from(num))];
    for field in (kind.fields)() {
        rows.push((
            field.name,
            (kind.look)(sight, object, Some(num), field.name)?,
        ));
    }
    Ok(fields::details_of("sem.info", "Semaphore", rows))
}

pub(super) fn take(family: Family, world: &mut World, args: &Args) -> StepResult {
    let reference = args.reference("object");
    let id = match world.flavour(family, args, "object")? {
        Flavour::Posix(name) => return super::posix::take(world, args, family, &name),
        Flavour::SystemV(id) => id,
    };
    let object = Object::Id(id);
    let key = session::perm_of(family, id)
        .map(|perm| perm.key)
        .map_err(|errno| {
            Failure::errno(
                errno_symbol(errno),
                format!("there is no {} with id {id}", family.object()),
            )
            .call(format!("{}ctl({id}, IPC_STAT)", call_prefix(family)))
            .help(format!("`{} ls` lists those that exist", family.noun()))
        })?;
    let wanted = match args.reference("name").map(|r| &r.target) {
        Some(Target::Name(name)) => Some(name.clone()),
        _ => None,
    };
    let known = match reference.map(|r| &r.target) {
        Some(Target::Name(name)) => Some(name.clone()),
        _ => world.names.name_of(family, &object).map(String::from),
    };
    let name = match (wanted, known) {
        (Some(wanted), _) => wanted,
        (None, Some(known)) => {
            world.names.make_current(family, &known);
            return Ok(outcome(id, key));
        }
        (None, None) => world.names.unique(family, &world.ledger),
    };
    let taken = world.names.get(family, &name);
    if let Some(other) = taken.filter(|b| b.object != object) {
        return Err(Failure::refused(format!(
            "`{name}` already names a {} ({})",
            family.object(),
            other.object
        )));
    }
    // A second name for an object of ours leaves the ledger as it is.
    let created = world.names.created(family, &object);
    let entry = created.and_then(|b| b.entry);
    world
        .names
        .bind(family, &name, Binding { object, key, entry });
    let outcome = outcome(id, key);
    Ok(match args.reference("name") {
        Some(_) => outcome,
        None => outcome.note(format!("it is called {name} here")),
    })
}

fn outcome(id: i32, key: i32) -> Outcome {
    Outcome::ok().remark("id", id).remark("key", Cell::Key(key))
}

fn call_prefix(family: Family) -> &'static str {
    match family {
        Family::Msgq => "msg",
        Family::Shm => "shm",
        Family::Sem => "sem",
        family => family.noun(),
    }
}

pub(super) fn rm(family: Family, world: &mut World, args: &Args) -> StepResult {
    let references: Vec<Option<&Reference>> = args
        .all("object")
        .filter_map(|arg| match arg {
            Arg::Ref(reference) => Some(Some(&**reference)),
            _ => None,
        })
        .collect();
    let references = match references.is_empty() {
        true => vec![None],
        false => references,
    };
    // All are found before any is removed: a slip in the last name removes nothing.
    let found = references
        .into_iter()
        .map(|r| {
            let object = super::resolve::resolve(&world.names, family, r, args.env)?;
            Ok((r, object))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    for (reference, object) in found {
        let id = match object {
            Object::Posix(name) => {
                super::posix::rm(world, args, family, &name)?;
                continue;
            }
            object => super::resolve::system_v(family, &object)?,
        };
        let label = world.label(family, reference, &id.into());
        session::remove(family, id).map_err(|errno| {
            let call = format!("{}ctl({label}, IPC_RMID)", call_prefix(family));
            let mut failure = args.failure(errno, call);
            let perm = session::perm_of(family, id);
            common::explain(world, family, errno, id, perm, &mut failure);
            failure
        })?;
        world.removed(family, &id.into());
    }
    Ok(Outcome::ok())
}

#[cfg(test)]
mod tests;
