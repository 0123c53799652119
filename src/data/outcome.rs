//! What a step ends with.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cell, Family, Object, push_outcome};

/// A named value of an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The kernel's word for it, the same as the table's column and the JSON key.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: Cell,
}

/// How a step ended that did what was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What is the same in every run, written after `=>` and matched by name.
    pub fields: Vec<Field>,
    /// The bare integer or the data that was read.
    pub value: Option<Cell>,
    /// The other side has closed: written `eof`.
    pub eof: bool,
    /// Whether nobody said how much of its data is wanted: a person is shown a beginning.
    pub glance: bool,
    /// What is told beside it; most outcomes have nothing of it.
    aside: Option<Box<Aside>>,
}

/// What is told beside an outcome, and never matched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Aside {
    text: Option<String>,
    remarks: Vec<Field>,
    notes: Vec<String>,
}

impl Outcome {
    /// Done, with nothing to tell.
    pub fn ok() -> Outcome {
        Outcome::default()
    }

    /// A bare value: an integer or data.
    pub fn value(value: impl Into<Cell>) -> Outcome {
        Outcome {
            value: Some(value.into()),
            ..Outcome::default()
        }
    }

    /// The other side has closed.
    pub fn eof() -> Outcome {
        Outcome {
            eof: true,
            ..Outcome::default()
        }
    }

    /// Adds a field that is the same in every run.
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cell>) -> Outcome {
        // Nearly every outcome that has a field has one.
        self.fields.reserve_exact(1);
        self.fields.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Adds a field that differs from run to run.
    pub fn remark(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cell>) -> Outcome {
        self.beside().remarks.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Data of which a person is shown a beginning.
    pub fn glance(mut self, glance: bool) -> Outcome {
        self.glance = glance;
        self
    }

    /// Adds a line for people.
    pub fn note(mut self, note: impl Into<String>) -> Outcome {
        self.beside().notes.push(note.into());
        self
    }

    /// Says what is shown as the result.
    pub fn showing(mut self, text: impl Into<String>) -> Outcome {
        self.beside().text = Some(text.into());
        self
    }

    fn beside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    /// Lines that are shown as the result, such as those of a dump.
    pub fn text(&self) -> Option<&str> {
        self.aside.as_ref()?.text.as_deref()
    }

    /// What differs from run to run (ids, keys, pids): written as a comment, never matched.
    pub fn remarks(&self) -> &[Field] {
        self.aside.as_ref().map_or(&[], |aside| &aside.remarks)
    }

    /// What the user should know besides: `created message queue q1 (id 32768)`.
    pub fn notes(&self) -> &[String] {
        self.aside.as_ref().map_or(&[], |aside| &aside.notes)
    }

    /// The same with another value, of which nothing is to be left out.
    pub fn with_value(&self, value: Cell) -> Outcome {
        Outcome {
            fields: self.fields.clone(),
            value: Some(value),
            eof: self.eof,
            glance: false,
            aside: self.aside.clone(),
        }
    }

    /// Whether its data is more than anybody reads.
    pub fn is_long(&self) -> bool {
        matches!(&self.value, Some(Cell::Data(bytes)) if bytes.len() > 256 << 10)
    }

    /// The value of a field or a remark.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        self.fields
            .iter()
            .chain(self.remarks())
            .find(|f| f.name == name)
            .map(|f| &f.value)
    }
}

/// What stands after `=>`: `ok`, `eof`, `42`, `type=2 "hi"`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        push_outcome(&mut text, self);
        f.write_str(&text)
    }
}

/// Why a step did not do what was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// The errno's symbol, `ENOMSG`, where the kernel gave one.
    pub errno: Option<Cow<'static, str>>,
    /// The call with its arguments, `msgsnd(jobs, type 1, 2 B, IPC_NOWAIT)`.
    pub call: Option<String>,
    /// What it means here.
    pub meaning: String,
    /// One way out.
    pub help: Option<String>,
    /// What the call lacked, where something on the host may say why.
    pub lack: Option<Box<Lack>>,
}

/// What a refused call lacked. The host is looked at for its cause only once somebody shall see it: that
/// costs more than the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lack {
    /// A message or bytes in an object.
    Data(Family, Object),
    /// Room for them.
    Room(Family, Object),
    /// The value that a semaphore of a set should have had; 0 of a POSIX one.
    Value(Object, u16),
    /// A place for one more object on this host, of System V or of POSIX.
    Place {
        /// Of which family.
        family: Family,
        /// Whether it is POSIX's.
        posix: bool,
    },
    /// The object itself: it was removed meanwhile.
    Removed(Family, Object),
}

/// The sorts of failure: they decide the exit code and what `=>` can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The kernel refused: `=> ERRNO` matches it.
    Errno,
    /// The session refused before the kernel was asked: no current object, an unknown name.
    Refused,
    /// It was done, and the outcome is not the one that was claimed.
    Mismatch,
    /// It did not end within its deadline.
    Deadline,
    /// It waits in a cycle of waits.
    Deadlock,
    /// Its actor is gone.
    Died,
    /// The surroundings: a process could not be started, a file not be read.
    Environment,
}

impl Failure {
    /// A failure without an errno.
    pub fn new(kind: FailureKind, meaning: impl Into<String>) -> Failure {
        Failure {
            kind,
            errno: None,
            call: None,
            meaning: meaning.into(),
            help: None,
            lack: None,
        }
    }

    /// The kernel refused.
    pub fn errno(symbol: impl Into<Cow<'static, str>>, meaning: impl Into<String>) -> Failure {
        Failure {
            errno: Some(symbol.into()),
            ..Failure::new(FailureKind::Errno, meaning)
        }
    }

    /// The session refuses.
    pub fn refused(meaning: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Refused, meaning)
    }

    /// The surroundings fail.
    pub fn environment(meaning: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Environment, meaning)
    }

    /// Adds the call with its arguments.
    pub fn call(mut self, call: impl Into<String>) -> Failure {
        self.call = Some(call.into());
        self
    }

    /// Adds the way out.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// Says what the call lacked.
    pub fn lacks(mut self, lack: Lack) -> Failure {
        self.lack = Some(Box::new(lack));
        self
    }

    /// What may stand after `=>` to say that this failure is expected.
    pub fn symbol(&self) -> &str {
        match (&self.errno, self.kind) {
            (Some(errno), _) => errno,
            (None, FailureKind::Died) => "died",
            (None, _) => "error",
        }
    }
}

/// `msgsnd(jobs, type 1, 2 B, IPC_NOWAIT) = EAGAIN: the queue is full. Receive a message…`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.call, &self.errno) {
            (Some(call), Some(errno)) => write!(f, "{call} = {errno}: ")?,
            (None, Some(errno)) => write!(f, "{errno}: ")?,
            (Some(call), None) => write!(f, "{call}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.meaning)?;
        match &self.help {
            Some(help) => write!(f, ". {help}"),
            None => Ok(()),
        }
    }
}

/// How a step ended.
pub type StepResult = Result<Outcome, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_written_as_they_are_matched() {
        assert_eq!(Outcome::ok().to_string(), "ok");
        assert_eq!(Outcome::eof().to_string(), "eof");
        assert_eq!(Outcome::value(42).to_string(), "42");
        assert_eq!(
            Outcome::value(Cell::Data(b"hi".to_vec()))
                .field("type", 2)
                .to_string(),
            r#"type=2 "hi""#
        );
        let created = Outcome::ok()
            .remark("id", 7)
            .remark("key", Cell::Key(0x6970c31f));
        assert_eq!(created.to_string(), "ok");
    }

    #[test]
    fn a_failure_names_call_errno_meaning_and_way_out() {
        let failure = Failure::errno("EAGAIN", "the queue is full")
            .call("msgsnd(jobs, type 1, 2 B, IPC_NOWAIT)")
            .help("Receive a message");
        assert_eq!(
            failure.to_string(),
            "msgsnd(jobs, type 1, 2 B, IPC_NOWAIT) = EAGAIN: the queue is full. Receive a message"
        );
    }
}
