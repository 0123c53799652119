//! What may follow a command's name.

use super::{Actor, Candidate, Knowledge, claim};
use crate::data::{Cell, Family};
use crate::lang::{Catalog, Form, IntType, Kind, Need, Param, Signature, vocabulary, wanted};
use crate::repl::statement::Statement;

/// The verbs of a noun.
pub(super) fn verbs(noun: &str, catalog: &Catalog) -> Vec<Candidate> {
    let verbs = catalog.verbs(noun);
    verbs
        .map(|verb| {
            let place = catalog.place(&format!("{noun} {verb}"));
            Candidate::new(verb, place.map_or("", |p| catalog.signature(p).summary))
        })
        .collect()
}

/// The verbs of the noun, and the arguments and flags that may come next.
pub(super) fn of(noun: &str, statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let catalog = know.catalog();
    let mut found = Vec::new();
    if statement.words.len() == 1 {
        found = verbs(noun, catalog);
    }
    let Some(wanted) = wanted(&statement.words, catalog) else {
        return found;
    };
    // A noun alone lists: what comes next is its verb.
    let named = wanted.signature.name.split(' ').count();
    if statement.words.len() < named {
        return found;
    }
    if let Some(param) = wanted.value {
        of_kind(param, wanted.signature, statement.partial, know, &mut found);
        return found;
    }
    let inner = wanted.signature.params.iter();
    if inner
        .clone()
        .next()
        .is_some_and(|p| p.kind == Kind::Command)
    {
        let inner = nested(statement, named);
        let mut found = watched(&inner, know);
        let last = inner.words.last().and_then(|t| t.bare());
        if last.is_some_and(|word| word != "every") {
            let options = wanted.params.iter().filter(|p| p.form == Form::Option);
            let noun = inner.first().unwrap_or("");
            options.for_each(|p| option(p, noun, statement.partial, know, &mut found));
        }
        return found;
    }
    for param in &wanted.params {
        of_param(param, wanted.signature, statement.partial, know, &mut found);
    }
    let complete = !wanted.params.iter().any(|p| {
        p.need == Need::Required || (p.need == Need::Repeated && !taken(statement, named))
    });
    if complete {
        found.push(claim());
        if let Some(blocks) = wanted.signature.blocks {
            found.push(Candidate::new(
                "...",
                format!("it must be seen blocked: it blocks {blocks}"),
            ));
            found.push(Candidate::new("&", "start it, claim nothing"));
        }
    }
    found
}

/// Whether anything follows the command's name.
fn taken(statement: &Statement, named: usize) -> bool {
    statement.words.len() > named
}

/// The command inside a command: `watch ipcs`.
fn nested<'a>(statement: &Statement<'a>, named: usize) -> Statement<'a> {
    Statement {
        words: statement.words[named..].to_vec(),
        partial: statement.partial,
        actor: None,
        prefixed: true,
        bound: false,
    }
}

/// What may follow `watch`: a command that only looks, and `every`.
fn watched(inner: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let catalog = know.catalog();
    let signatures = catalog.commands.iter().filter(|s| s.looks);
    let Some(noun) = inner.first() else {
        let mut found: Vec<Candidate> = Vec::new();
        for signature in signatures {
            match found.iter_mut().find(|c| c.word == signature.noun()) {
                Some(noun) => {
                    noun.description.push_str(", ");
                    noun.description.push_str(signature.verb().unwrap_or(""));
                }
                None => found.push(Candidate::new(
                    signature.noun(),
                    signature.verb().unwrap_or(signature.summary),
                )),
            }
        }
        return found;
    };
    if inner.words.iter().any(|t| t.bare() == Some("every")) {
        return Vec::new();
    }
    let mut found = of(noun, inner, know);
    if inner.words.len() == 1 {
        let looks: Vec<&str> = signatures
            .filter(|s| s.noun() == noun)
            .filter_map(|s| s.verb())
            .collect();
        found.retain(|c| looks.contains(&&*c.word) || !catalog.verbs(noun).any(|v| v == c.word));
    }
    for complete in found.iter_mut().filter(|c| **c == claim()) {
        *complete = Candidate::new("every", "every DUR: how long between two looks");
    }
    found
}

fn of_param(
    param: &Param,
    signature: &Signature,
    partial: &str,
    know: &dyn Knowledge,
    found: &mut Vec<Candidate>,
) {
    match param.form {
        Form::Flag => found.push(Candidate::new(format!("--{}", param.name), param.help)),
        Form::Option => option(param, signature.noun(), partial, know, found),
        Form::Short(letter) => found.push(Candidate::new(format!("-{letter}"), param.help)),
        Form::Dash => {
            let signals = know.signals().into_iter();
            found.extend(
                signals.map(|(n, name)| Candidate::new(format!("-{name}"), format!("signal {n}"))),
            )
        }
        Form::Positional => of_kind(param, signature, partial, know, found),
    }
}

/// What a parameter may be.
fn of_kind(
    param: &Param,
    signature: &Signature,
    partial: &str,
    know: &dyn Knowledge,
    found: &mut Vec<Candidate>,
) {
    match param.kind {
        Kind::Columns(family) => columns(family, partial, know, found),
        Kind::Ref(family) => objects(family, partial, know, found),
        Kind::Semaphore => objects(Family::Sem, partial, know, found),
        Kind::AnyRef => any_object(partial, signature.looks, know, found),
        Kind::Choice(words) => {
            found.extend(words.iter().map(|w| Candidate::new(*w, param.help)));
        }
        Kind::Actor { new: false } | Kind::Process { .. } => actors(signature.name, know, found),
        Kind::Place => {
            let types = vocabulary().into_iter();
            for word in types.filter(|w| IntType::from_name(w).is_some()) {
                found.push(Candidate::new(
                    format!("{word}@"),
                    "an integer at an offset",
                ));
            }
        }
        Kind::Path => found.extend(paths(partial, know)),
        Kind::Address => {
            found.extend(paths(partial, know));
            found.push(Candidate::new("@", "an abstract name"));
            found.push(Candidate::new("tcp:", "tcp:HOST:PORT"));
        }
        Kind::Signal => {
            let signals = know.signals().into_iter();
            found.extend(signals.map(|(n, name)| Candidate::new(name, format!("signal {n}"))));
        }
        _ => {}
    }
}

fn option(
    param: &Param,
    noun: &str,
    partial: &str,
    know: &dyn Knowledge,
    found: &mut Vec<Candidate>,
) {
    let open = format!("{}=", param.name);
    match param.kind {
        Kind::Choice(words) if partial.starts_with(&open) => {
            found.extend(
                words
                    .iter()
                    .map(|w| Candidate::new(format!("{open}{w}"), param.help)),
            );
        }
        Kind::Order if partial.starts_with(&open) => {
            let sign = if partial[open.len()..].starts_with('-') {
                "-"
            } else {
                ""
            };
            let family = Family::from_noun(noun);
            for family in Family::ALL
                .into_iter()
                .filter(|f| family.is_none_or(|one| one == *f))
            {
                for field in know.catalog().fields(family) {
                    found.push(Candidate::new(
                        format!("{open}{sign}{field}"),
                        family.noun(),
                    ));
                }
            }
        }
        _ => found.push(Candidate::new(open, param.help)),
    }
}

/// The columns of a family, or of those that `ipcs` lists, behind those that are there already.
fn columns(
    family: Option<Family>,
    partial: &str,
    know: &dyn Knowledge,
    found: &mut Vec<Candidate>,
) {
    let before = partial.rfind(',').map_or("", |comma| &partial[..=comma]);
    let families = match family {
        Some(family) => vec![family],
        None => vec![Family::Msgq, Family::Shm, Family::Sem],
    };
    for column in families.iter().flat_map(|f| know.fields(f.noun())) {
        let word = format!("{before}{}", column.name);
        if !found.iter().any(|known| known.word == word) {
            found.push(Candidate::new(word, column.help));
        }
    }
}

/// `wait` and `cancel` are about pending steps: where there are any, only theirs.
fn actors(command: &str, know: &dyn Knowledge, found: &mut Vec<Candidate>) {
    let all = know.actors();
    let only = matches!(command, "wait" | "cancel") && all.iter().any(|a| a.pending);
    for Actor { name, pid, pending } in all {
        if pending || !only {
            let state = if pending { ", its step is pending" } else { "" };
            found.push(Candidate::new(name, format!("pid {pid}{state}")));
        }
    }
}

/// The files whose path begins so.
pub(super) fn paths(partial: &str, know: &dyn Knowledge) -> Vec<Candidate> {
    let paths = know.paths(partial).into_iter();
    paths.map(|path| Candidate::new(path, "")).collect()
}

fn objects(family: Family, partial: &str, know: &dyn Knowledge, found: &mut Vec<Candidate>) {
    for (name, id) in know.names(family) {
        found.push(Candidate::new(name, format!("{} {id}", family.object())));
    }
    if !family.is_system_v() {
        return;
    }
    // The host may have thousands: they are listed once the user asks for ids or keys.
    if partial.starts_with("id:") {
        for (id, key) in know.host(family) {
            found.push(Candidate::new(
                format!("id:{id}"),
                format!("key {}", Cell::Key(key)),
            ));
        }
    } else if partial.starts_with("key:") {
        for (id, key) in know.host(family).into_iter().filter(|(_, key)| *key != 0) {
            found.push(Candidate::new(
                format!("key:{}", Cell::Key(key)),
                format!("id {id}"),
            ));
        }
    } else {
        found.push(Candidate::new("id:", "an object of the host, by its id"));
        found.push(Candidate::new("key:", "an object of the host, by its key"));
    }
}

/// What only looks may look at every object of the host, too.
fn any_object(partial: &str, looks: bool, know: &dyn Knowledge, found: &mut Vec<Candidate>) {
    for family in Family::ALL {
        for (name, id) in know.names(family) {
            let description = format!("{} {id}", family.object());
            match partial.contains('.') {
                true => found.push(Candidate::new(
                    format!("{}.{name}", family.noun()),
                    description,
                )),
                false => found.push(Candidate::new(name, description)),
            }
        }
    }
    if !looks {
        return;
    }
    if partial.starts_with("id:") {
        for family in Family::SYSTEM_V {
            for (id, _) in know.host(family) {
                found.push(Candidate::new(format!("id:{id}"), family.object()));
            }
        }
    } else if partial.contains('/') {
        found.extend(paths(partial, know));
    } else {
        found.push(Candidate::new("id:", "a System V object, by its id"));
        found.push(Candidate::new("key:", "a System V object, by its key"));
        found.push(Candidate::new(
            "pid:",
            "pid:N/fd:M: what is behind a descriptor",
        ));
    }
}
