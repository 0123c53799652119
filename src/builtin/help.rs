//! `help`, made from the command table.

use super::{KEYWORDS, topics};
use crate::data::Failure;
use crate::exec::{Builtin, Engine};
use crate::kernel::terminal;
use crate::lang::{Catalog, Kind, Param, Signature};
use crate::mechanism::{self, signal};
use crate::view;
use crate::view::help::Known;

pub(super) static HELP: Builtin = Builtin {
    signature: Signature {
        name: "help",
        summary: "say what a command, a family, an errno or a signal means",
        params: &[Param::any(
            "topic",
            Kind::Topic,
            "`msgq`, `msgq send`, `expect`, `qnum`, `EAGAIN`, `SIGUSR1`, `keys`; an overview where it is left out",
        )],
        ..Signature::NEW
    },
    run: |engine, args, _| {
        let topic = super::words(args, "topic")?;
        match text(&engine.commands.catalog, &topic) {
            Ok(text) => Ok(shown(engine, text).into()),
            Err(way) => {
                let topic = view::printable(&topic);
                Err(Failure::refused(format!("there is no help on `{topic}`: {way}")).into())
            }
        }
    },
};

/// What `help` says of a topic.
///
/// # Errors
/// It knows none of this name; the error says what to ask for instead.
pub fn text(catalog: &Catalog, topic: &str) -> Result<String, String> {
    let signatures = signatures(catalog);
    // A command keeps its name: there is a SIGTRAP, and a `trap`.
    let named = |s: &&Signature| s.noun() == topic || s.verb() == Some(topic);
    if let Some(text) = signal::help(topic).filter(|_| !signatures.iter().any(named)) {
        return Ok(text);
    }
    let known = Known {
        signatures: &signatures,
        errno: &|topic| {
            let number = topic.parse().ok();
            let symbol = number.and_then(mechanism::errno_of);
            let symbol = symbol.unwrap_or_else(|| topic.to_ascii_uppercase());
            mechanism::errno_text(&symbol).map(|text| (symbol, text))
        },
        fields: &super::fields,
        topics: topics::ALL,
    };
    view::help::help(topic, known)
}

/// As it fits on the screen, where there is one.
fn shown(engine: &Engine, text: String) -> String {
    match terminal::window_size() {
        Ok(size) if engine.options.redraws => view::wrapped(&text, size.columns.into()),
        _ => text,
    }
}

/// What there is help on: the commands, and the words that begin a statement.
pub fn signatures(catalog: &Catalog) -> Vec<&'static Signature> {
    let commands = catalog.commands.iter().copied();
    commands.chain(KEYWORDS.iter().copied()).collect()
}
