//! `help`, made from the command table.

use crate::commands;
use crate::data::Failure;
use crate::exec::Builtin;
use crate::kernel::Errno;
use crate::lang::{Arg, Kind, Param, Signature};
use crate::mechanism::errno_symbol;
use crate::view::{self, Style};

pub(super) static HELP: Builtin = Builtin {
    signature: Signature {
        name: "help",
        summary: "say what a command, a family or an errno means",
        params: &[Param::any(
            "topic",
            Kind::Word,
            "`msgq`, `msgq send`, `expect`, `EAGAIN`; an overview where it is left out",
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
        view::help::help(&topic, &commands::signatures(), &errno_text, Style::PLAIN)
            .map(Into::into)
            .map_err(Failure::refused)
    },
};

/// What the C library says of an errno.
fn errno_text(symbol: &str) -> Option<String> {
    (1..=133)
        .map(Errno::from_raw)
        .find(|e| errno_symbol(*e) == symbol)
        .map(|e| e.desc().to_string())
}
