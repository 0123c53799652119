//! `help`, made from the command table.

use super::{KEYWORDS, topics};
use crate::data::{Failure, Family};
use crate::exec::Builtin;
use crate::lang::{Arg, Catalog, Kind, Param, Signature};
use crate::mechanism::{self, signal};
use crate::view;
use crate::view::help::Known;

pub(super) static HELP: Builtin = Builtin {
    signature: Signature {
        name: "help",
        summary: "say what a command, a family, an errno or a signal means",
        params: &[Param::any(
            "topic",
            Kind::Word,
            "`msgq`, `msgq send`, `expect`, `EAGAIN`, `SIGUSR1`, `fields`; an overview where it is left out",
        )],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        let mut words = Vec::new();
        for arg in args.all("topic") {
            if let Arg::Term(term) = arg {
                words.push(String::from_utf8_lossy(&args.env.bytes(term)?).into_owned());
            }
        }
        let topic = words.join(" ");
        let signatures = signatures(&engine.commands.catalog);
        // A command keeps its name: there is a SIGTRAP, and a `trap`.
        let named = |s: &&Signature| s.noun() == topic || s.verb() == Some(&topic);
        if let Some(text) = signal::help(&topic).filter(|_| !signatures.iter().any(named)) {
            return Ok(text.into());
        }
        let known = Known {
            signatures: &signatures,
            errno_text: &mechanism::errno_text,
            fields: &|noun| Family::from_noun(noun).map_or(Vec::new(), mechanism::fields),
            topics: topics::ALL,
        };
        view::help::help(&topic, known)
            .map(Into::into)
            .map_err(Failure::refused)
    },
};

/// What there is help on: the commands, and the words that begin a statement.
pub fn signatures(catalog: &Catalog) -> Vec<&'static Signature> {
    let commands = catalog.commands.iter().copied();
    commands.chain(KEYWORDS.iter().copied()).collect()
}
