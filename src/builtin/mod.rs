//! The commands that run in the shell: they look at the host, steer the session, or teach.

mod actors;
mod doctor;
mod graph;
mod help;
mod ipcs;
mod keywords;
mod metrics;
mod ns;
mod peek;
mod pipeline;
mod session;
mod topics;
mod watch;
mod who;
mod why;

use crate::data::{Column, Failure, Family, Reply, quote};
use crate::exec::{Builtin, Engine, Interrupted};
use crate::lang::{Arg, Signature};
use crate::mechanism::{self, Args, Sight};

/// Every builtin, in the order in which `help` lists them.
pub static ALL: &[&Builtin] = &[
    &ipcs::IPCS,
    &ipcs::LIMITS,
    &who::WHO,
    &peek::PEEK,
    &why::WHY,
    &doctor::DOCTOR,
    &metrics::METRICS,
    &graph::GRAPH,
    &ns::NS,
    &pipeline::PIPE,
    &watch::WATCH,
    &actors::SPAWN,
    &actors::ACTORS,
    &actors::WAIT,
    &actors::CANCEL,
    &actors::STOP,
    &session::ECHO,
    &session::SLEEP,
    &session::KEEP,
    &session::SAVE,
    &help::HELP,
    &session::QUIT,
    &session::EXIT,
];

/// The words that begin a statement and are no commands of the table, for `help`.
pub static KEYWORDS: &[&Signature] = keywords::ALL;

pub(crate) use actors::FIELDS as ACTOR_FIELDS;
pub use help::{signatures, text as help_text};
pub(crate) use topics::ALL as TOPICS;

/// What `expect` may name of a kind of thing: the fields of a family's objects, or of `actor`.
pub(crate) fn fields(kind: &str) -> Vec<&'static Column> {
    match Family::from_noun(kind) {
        Some(family) => mechanism::fields(family),
        None if kind == "actor" => ACTOR_FIELDS.to_vec(),
        None => Vec::new(),
    }
}

/// Runs what only looks.
fn look(
    engine: &Engine,
    what: impl FnOnce(&Sight) -> Result<Reply, Failure>,
) -> Result<Reply, Interrupted> {
    let actors = engine.actors_by_pid();
    Ok(what(&engine.sight(&actors))?)
}

/// The words of a parameter that takes any number of them, as they were written. What is no text is
/// shown as the data that it is.
fn words(args: &Args, name: &str) -> Result<String, Failure> {
    let mut words = Vec::new();
    for arg in args.all(name) {
        if let Arg::Term(term) = arg {
            let bytes = args.env.bytes(term)?;
            let text = str::from_utf8(&bytes).map(String::from);
            words.push(text.unwrap_or_else(|_| quote(&bytes)));
        }
    }
    Ok(words.join(" "))
}
