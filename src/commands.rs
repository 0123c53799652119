//! The one table of commands: the mechanisms' and the shell's own, in the order in which
//! `help` lists them.

mod foreign;

use std::sync::OnceLock;

use crate::exec::Commands;
use crate::kernel::signal;
use crate::lang::{Catalog, Signature, Words};
use crate::mechanism::{self, Verb, all_errnos, errno_symbol};
use crate::{builtin, inspect};

/// Every command.
pub fn commands() -> &'static Commands {
    static COMMANDS: OnceLock<Commands> = OnceLock::new();
    COMMANDS.get_or_init(|| {
        let verbs = || mechanism::ALL.iter().flat_map(|m| m.verbs.iter().copied());
        let builtins = || builtin::ALL.iter().copied();
        let signatures = verbs()
            .map(|v| &v.signature)
            .chain(builtins().map(|b| &b.signature))
            .collect();
        let places = verbs().count();
        Commands {
            catalog: Catalog::new(signatures, words),
            verbs: verbs().map(Some).collect(),
            builtins: std::iter::repeat_n(None, places)
                .chain(builtins().map(Some))
                .collect(),
        }
    })
}

/// The commands of the mechanisms, by their place in the table: what an actor needs.
pub fn verbs() -> Vec<Option<&'static Verb>> {
    let verbs = mechanism::ALL.iter().flat_map(|m| m.verbs.iter().copied());
    verbs.map(Some).collect()
}

/// What `help` knows: the commands, and the words that begin a statement.
pub fn signatures() -> Vec<&'static Signature> {
    builtin::signatures(&commands().catalog)
}

/// What a claim or an expectation may name.
fn words() -> Words {
    Words {
        fields: mechanism::all_fields(),
        actor_fields: builtin::ACTOR_FIELDS.iter().map(|c| c.name).collect(),
        limits: inspect::limits::names(),
        errnos: errnos(),
        foreign: foreign::FOREIGN,
        signals: signal::spellings(),
        help: Some(|catalog, topic| builtin::help_text(catalog, topic).map(drop)),
    }
}

/// The symbols of all errnos.
fn errnos() -> Vec<&'static str> {
    static SYMBOLS: OnceLock<Vec<String>> = OnceLock::new();
    let symbols = SYMBOLS.get_or_init(|| all_errnos().map(errno_symbol).collect());
    symbols.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Family;

    #[test]
    fn a_verb_is_of_the_family_that_its_noun_says() {
        for signature in verbs().iter().flatten().map(|verb| &verb.signature) {
            let said = Family::from_noun(signature.noun());
            let family = signature.family;
            assert!(said.is_none() || said == family, "{}", signature.name);
        }
    }
}
