//! `--ns PID`: a look from inside another process's namespaces.
//!
//! The shell stays where it is. A helper, this program executed again, joins the namespaces, runs the
//! one command there, sends the reply, which is still made of typed cells, and ends.

mod enter;
mod visit;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::shell_steps::Interrupted;
use super::start::not_started;
use crate::data::{Failure, FailureKind, Outcome, Reply, SentReply, Took};
use crate::inspect::namespaces::{self, Inside};
use crate::kernel::process::{self, Child, SpawnSpec, Stream};
use crate::kernel::{fds, socket};
use crate::lang::Call;
use crate::mechanism::{Args, NS};
use crate::session::Change;

pub use visit::{ARGUMENT, serve};

/// Where the helper finds what it inherits.
const ANSWER_FD: i32 = 3;
const REQUEST_FD: i32 = 4;

/// What is asked of the helper.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    /// Whose namespaces.
    pid: i32,
    /// The command.
    call: Call,
    /// The variables that its arguments may be computed from.
    variables: Vec<(String, Outcome)>,
    /// The shell that asks.
    shell: i32,
    /// Its actors.
    actors: HashMap<i32, String>,
    /// The names of its objects.
    names: Vec<Change>,
}

/// What comes back.
type Answer = Result<SentReply, Failure>;

/// On whose behalf a helper looks, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub shell: i32,
    pub actors: HashMap<i32, String>,
    pub inside: Inside,
}

/// Between two looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// A helper, which ends with this.
struct Helper {
    child: Child,
    answer: UnixStream,
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill(libc::SIGKILL);
        // One in a call of a file system that nothing ends is left to init.
        let _ = self.child.wait_within(TICK);
    }
}

impl Helper {
    fn start(request: &Request) -> io::Result<Helper> {
        let mut asked = File::from(fds::memory("ipcsh-request")?);
        asked.write_all(&postcard::to_stdvec(request).map_err(io::Error::other)?)?;
        let (ours, theirs) = socket::pair()?;
        let child = process::spawn(&SpawnSpec {
            program: PathBuf::from("/proc/self/exe"),
            argv0: Some("ipcsh".into()),
            args: vec![ARGUMENT.into()],
            inherit: vec![(theirs.as_fd(), ANSWER_FD), (asked.as_fd(), REQUEST_FD)],
            process_group: true,
            death_signal: Some(libc::SIGKILL),
            stdin: Stream::Null,
            stdout: Stream::Null,
            // Who looks at pipes would see ours in it.
            stderr: Stream::Null,
            ..SpawnSpec::default()
        })?;
        let answer = UnixStream::from(ours);
        let helper = Helper { child, answer };
        helper.answer.set_nonblocking(true)?;
        Ok(helper)
    }
}

impl Engine {
    /// The process from whose namespaces a command is to look; `None` where it says none, is looking
    /// from there, or those are ours.
    pub(super) fn elsewhere_wanted(&self, args: &Args) -> Result<Option<i32>, Failure> {
        let may = args.signature.params.iter().any(|p| p.name == NS.name);
        match may && self.visit.is_none() {
            true => Ok(args.int(NS.name)?.filter(|pid| !namespaces::are_ours(*pid))),
            false => Ok(None),
        }
    }

    /// Runs a command that looks inside the namespaces of a process.
    pub(super) fn look_inside(&mut self, pid: i32, call: &Call) -> Result<Reply, Interrupted> {
        let variables = self.env.iter().map(|(n, o)| (n.to_string(), o.clone()));
        let request = Request {
            pid,
            call: call.clone(),
            variables: variables.collect(),
            shell: std::process::id().cast_signed(),
            actors: self.actors_by_pid(),
            names: self.names.everything(),
        };
        let unusable = |e: io::Error| not_started("the helper", &e);
        let mut helper = Helper::start(&request).map_err(unusable)?;
        let bytes = self.hear_helper(&mut helper)?;
        if bytes.is_empty() {
            let ended = helper.child.wait().map_err(|e| unusable(e.into()))?;
            let failure = format!("the helper that looks from inside ended: {ended:?}");
            return Err(Failure::new(FailureKind::Died, failure).into());
        }
        let answer: Answer = postcard::from_bytes(&bytes).map_err(|e| {
            Failure::environment(format!("the helper's answer cannot be read: {e}"))
        })?;
        Ok(answer?.into())
    }

    /// All that a helper says. It may not come back from a file system of strangers: Ctrl-C and the
    /// deadline of a step end it.
    fn hear_helper(&mut self, helper: &mut Helper) -> Result<Vec<u8>, Interrupted> {
        let (begun, patience) = (Instant::now(), self.options.step_timeout);
        let mut bytes = Vec::new();
        loop {
            match helper.answer.read_to_end(&mut bytes) {
                Ok(_) => return Ok(bytes),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(Failure::environment(e.to_string()).into()),
            }
            if self.is_interrupted() {
                return Err(Failure::refused("interrupted").into());
            }
            if begun.elapsed() >= patience {
                let after = Took(patience);
                let failure = format!("nothing was seen from inside within {after}");
                return Err(Failure::new(FailureKind::Deadline, failure).into());
            }
            let left = patience.saturating_sub(begun.elapsed());
            self.wait_for_input(helper.answer.as_fd(), left.min(TICK))?;
        }
    }
}
