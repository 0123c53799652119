//! `help`, made from the command table.

use super::topics;
use crate::commands;
use crate::data::{Failure, Family};
use crate::exec::Builtin;
use crate::lang::{Arg, Kind, Param, Signature};
use crate::mechanism::{self, signal};
use crate::view::help::Known;
use crate::view::{self, Style};

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
    run: |_, args, _| {
        let mut words = Vec::new();
        for arg in args.all("topic") {
            if let Arg::Term(term) = arg {
                words.push(String::from_utf8_lossy(&args.env.bytes(term)?).into_owned());
            }
        }
        let topic = words.join(" ");
        if let Some(text) = signal::help(&topic).filter(|_| !is_command(&topic)) {
            return Ok(text.into());
        }
        let known = Known {
            signatures: &commands::signatures(),
            errno_text: &commands::errno_text,
            fields: &|noun| Family::from_noun(noun).map_or(Vec::new(), mechanism::fields),
            topics: topics::ALL,
        };
        view::help::help(&topic, known, Style::PLAIN)
            .map(Into::into)
            .map_err(Failure::refused)
    },
};

/// A command keeps its name: there is a SIGTRAP, and a `trap`.
fn is_command(topic: &str) -> bool {
    let named = |s: &&Signature| s.noun() == topic || s.verb() == Some(topic);
    commands::signatures().iter().any(named)
}
