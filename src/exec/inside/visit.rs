//! The helper: one look, and its end.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::{ANSWER_FD, Answer, REQUEST_FD, Request, Visit, enter};
use crate::data::{Failure, Family, Nowhere, Object, Reply};
use crate::exec::{Commands, Engine, Interrupted, Mode, Options};
use crate::inspect::namespaces::Inside;
use crate::kernel::namespace::Kind;
use crate::kernel::{inherit, process};
use crate::session::Change;

/// The hidden argument that makes this program such a helper.
pub const ARGUMENT: &str = "--inside";

/// Answers what it was started for.
///
/// # Errors
/// The inherited descriptors are not what they should be: it was started by hand.
pub fn serve(commands: &'static Commands) -> io::Result<()> {
    process::set_name("ipcsh-inside")?;
    let mut answers = UnixStream::from(inherit::inherited(ANSWER_FD)?);
    let mut asked = File::from(inherit::inherited(REQUEST_FD)?);
    let mut bytes = Vec::new();
    asked.rewind()?;
    asked.read_to_end(&mut bytes)?;
    let request: Request = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
    let answer: Answer = look(commands, request).map(Into::into);
    answers.write_all(&postcard::to_stdvec(&answer).map_err(io::Error::other)?)
}

fn look(commands: &'static Commands, request: Request) -> Result<Reply, Failure> {
    let inside = enter::enter(request.pid)?;
    let options = Options {
        mode: Mode::Script,
        keep: false,
        // Nothing is waited for here.
        step_timeout: Duration::ZERO,
        redraws: false,
        colours: false,
        captures: true,
    };
    let mut engine = Engine::new(commands, options, None);
    for (name, outcome) in request.variables {
        Arc::make_mut(&mut engine.env).bind(&name, outcome);
    }
    let names = request
        .names
        .iter()
        .filter(|change| is_valid(change, &inside));
    names.for_each(|change| engine.names.apply(change));
    engine.visit = Some(Visit {
        shell: request.shell,
        actors: request.actors,
        inside,
    });
    match engine.shell_call(&request.call, &mut Nowhere) {
        Ok(reply) => Ok(reply),
        // Here: what has its id in the shell's namespaces is no cause.
        Err(Interrupted::Failed(mut failure)) => {
            engine.explain(&mut failure);
            Err(failure)
        }
        Err(Interrupted::Flow(flow)) => Err(Failure::environment(format!("{flow:?}"))),
    }
}

/// Whether a name of the session means the same in there.
fn is_valid(change: &Change, inside: &Inside) -> bool {
    let Change::Name(family, _, Some(binding)) = change else {
        return true;
    };
    match (&binding.object, family) {
        (Object::Id(_), _) | (Object::Posix(_), Family::Msgq) => !inside.joined(Kind::Ipc),
        (Object::Posix(_) | Object::Path(_), _) => !inside.joined(Kind::Mnt),
        // A pipe or a socket, which are one host's.
        (Object::Inode(_), _) => true,
    }
}
