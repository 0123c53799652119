//! What happens in a session, as it is handed to a view.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{Field, StepResult, Table};

/// Something that happened. A view decides how it is shown: as a line of a transcript, a
/// notice at the prompt, an object of JSON.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step has ended.
    Step {
        /// The actor it ran in; `None` for what runs in the shell.
        actor: Option<String>,
        /// The step as it was written, without its outcome.
        source: String,
        /// The outcome that was claimed.
        claimed: Option<Claimed>,
        /// The file it stands in.
        file: Arc<str>,
        /// The line it stands on, from 1.
        line: u32,
        /// How it ended.
        result: StepResult,
        /// How long it was blocked, where it was.
        after: Option<Duration>,
        /// Whether the script goes on: the outcome is the claimed one, or a success with
        /// nothing claimed.
        passed: bool,
    },
    /// A step is seen blocked in the kernel and stays pending.
    Blocked {
        /// The actor it runs in.
        actor: String,
        /// The step as it was written, without its marker.
        source: String,
        /// The file it stands in.
        file: Arc<str>,
        /// The line it stands on, from 1.
        line: u32,
        /// Whether the script said so with `...`.
        claimed: bool,
        /// The outcome that it must end with, as written.
        claim: Option<String>,
        /// On what, and who operated on it last: `lock is 0, last operated by a (pid 4240)`.
        why: String,
    },
    /// A step was started with `&`.
    Started {
        /// The actor it runs in.
        actor: String,
        /// The step as it was written.
        source: String,
        /// The file it stands in.
        file: Arc<str>,
        /// The line it stands on, from 1.
        line: u32,
        /// The outcome that it must end with, as written.
        claim: Option<String>,
    },
    /// An actor has caught a signal.
    Caught(Caught),
    /// A line for people: `started b (pid 4242)`.
    Note(String),
    /// A line for people about something that went wrong outside any step.
    Warning(String),
    /// Rows a command yields.
    Table(Table),
    /// Text a command yields, of one or more lines.
    Text(String),
    /// Where every actor stands, beside a failure.
    Stands(Vec<Stand>),
}

/// An outcome that was claimed.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// As it was written.
    pub text: String,
    /// What its variables are, where it does not hold.
    pub variables: Vec<Field>,
}

impl Claimed {
    /// `$n is 42, $m.type is 2`; nothing where there are none.
    pub fn values(&self) -> String {
        let values = self.variables.iter();
        let told: Vec<String> = values
            .map(|v| format!("${} is {}", v.name, v.value))
            .collect();
        told.join(", ")
    }
}

/// `type=$t "hi"   # $t is 7`.
impl fmt::Display for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.variables.is_empty() {
            true => Ok(()),
            false => write!(f, "   # {}", self.values()),
        }
    }
}

/// A signal that an actor has caught.
#[derive(Clone, Debug)]
pub struct Caught {
    /// Who caught it.
    pub actor: String,
    /// Which: `SIGUSR1`.
    pub signal: String,
    /// The process that sent it.
    pub pid: i32,
    /// The user who did.
    pub uid: u32,
    /// The name of the sender, where that is an actor.
    pub sender: Option<String>,
    /// What came with it: sigqueue(3).
    pub value: Option<i32>,
}

/// `b caught SIGUSR1 from me (pid 812, uid 0), value 42`.
impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Caught {
            actor,
            signal,
            pid,
            uid,
            ..
        } = self;
        write!(f, "{actor} caught {signal} from ")?;
        match &self.sender {
            Some(sender) => write!(f, "{sender} (pid {pid}, uid {uid})")?,
            None => write!(f, "pid {pid}, uid {uid}")?,
        }
        match self.value {
            Some(value) => write!(f, ", value {value}"),
            None => Ok(()),
        }
    }
}

/// Where one actor stands.
#[derive(Clone, Debug)]
pub struct Stand {
    /// Its name.
    pub actor: String,
    /// Its process.
    pub pid: i32,
    /// `idle`, `running`, `blocked`, `stopped`, `dead`; `?` where it cannot be seen.
    pub state: String,
    /// The call it is in, decoded: `semop lock[0] -1`.
    pub call: Option<String>,
    /// The object's condition and its last operator.
    pub about: Option<String>,
}

/// Where events go.
pub trait Sink {
    /// Shows an event.
    ///
    /// # Errors
    /// It cannot be written.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Shows what has been held back, before something is waited for.
    ///
    /// # Errors
    /// It cannot be written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl Sink for Nowhere {
    fn event(&mut self, _: &Event) -> io::Result<()> {
        Ok(())
    }
}
