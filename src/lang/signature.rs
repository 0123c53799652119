//! What a command looks like: one constant a command, from which argument parsing,
//! completion, hints, help, the README's table and `commands.ebnf` are derived.

mod param;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::given::{Given, Refusal};
pub use crate::data::Family;
use crate::data::Outcome;
pub use param::{Form, Need, Param};

/// A command: a noun with a verb (`msgq send`), or a word alone (`ipcs`).
#[derive(Debug)]
pub struct Signature {
    /// The words that name it: `msgq send`, `ipcs`.
    pub name: &'static str,
    /// The family that it works on, where it is of one.
    pub family: Option<Family>,
    /// What it does, in one line without a full stop.
    pub summary: &'static str,
    /// Its arguments: positional ones in order, then options and flags.
    pub params: &'static [Param],
    /// What holds of several arguments together.
    pub rules: &'static [Rule],
    /// What can be known to be wrong with its arguments from the text alone, and is no rule that
    /// others have too.
    pub refuses: Option<fn(Given) -> Option<Refusal>>,
    /// Where it runs.
    pub runs: Runs,
    /// Whether it only looks, and shows what it sees: what `watch` may repeat.
    pub looks: bool,
    /// Whether it is for whoever types alone: a script has no use for it.
    pub typed: bool,
    /// Whether it only takes: it gives nobody anything that a semaphore's waiter, or a reader, waits for.
    pub takes: bool,
    /// Whether the shell may stand still in it: what was done before is to be seen meanwhile.
    pub lasts: bool,
    /// What the prompt asks about before it runs.
    pub asks: Asks,
    /// The fields of its outcome that a claim may name, where it has some; `N` at the end of
    /// one is a number: `exitN`.
    pub yields: &'static [&'static str],
    /// When it blocks: `while the queue is full`. `None`: never.
    pub blocks: Option<&'static str>,
    /// The system calls it makes, as man pages: `msgsnd(2)`.
    pub calls: &'static [&'static str],
    /// The errnos a user can reach, and what each means here.
    pub errnos: &'static [(&'static str, &'static str)],
    /// What a reader should know besides. Paragraphs, one a line.
    pub notes: &'static str,
    /// Programs that run as they stand; the tests run them.
    pub examples: &'static [Example],
}

impl Signature {
    /// For `..Signature::NEW` in the constants: a command with nothing special.
    pub const NEW: Signature = Signature {
        name: "",
        family: None,
        summary: "",
        params: &[],
        rules: &[],
        refuses: None,
        runs: Runs::Shell,
        looks: false,
        typed: false,
        takes: false,
        lasts: false,
        asks: Asks::Nothing,
        yields: &[],
        blocks: None,
        calls: &[],
        errnos: &[],
        notes: "",
        examples: &[],
    };

    /// The same for a command of a family.
    pub const fn of(family: Family) -> Signature {
        Signature {
            family: Some(family),
            ..Signature::NEW
        }
    }

    /// The first word of the name.
    pub fn noun(&self) -> &'static str {
        self.name.split(' ').next().unwrap_or(self.name)
    }

    /// The second word, where there is one.
    pub fn verb(&self) -> Option<&'static str> {
        self.name.split_once(' ').map(|(_, verb)| verb)
    }

    /// Whether its outcome may have a field of this name.
    pub fn may_yield(&self, field: &str) -> bool {
        let digits = field.trim_end_matches(|c: char| c.is_ascii_digit());
        let is = |known: &&str| match known.strip_suffix('N') {
            Some(stem) => stem == digits && digits.len() < field.len(),
            None => **known == *field,
        };
        self.yields.iter().any(is)
    }

    /// Nothing is yielded that the table does not know, or a claim of it would be refused.
    pub fn check(&self, outcome: &Outcome) {
        let mut names = outcome
            .fields
            .iter()
            .chain(outcome.remarks())
            .map(|f| &*f.name);
        debug_assert!(
            names.all(|name| self.may_yield(name)),
            "{}: {outcome}",
            self.name
        );
    }

    /// Whether a string is the path of the object that the parameter at this place takes: where it
    /// cannot be data.
    pub fn quotes(&self, place: usize) -> bool {
        use Family::{Fifo, Sock};
        let param = &self.params[place];
        let is_data = |p: &Param| {
            p.form == Form::Positional && matches!(p.kind, Kind::Data | Kind::Value | Kind::Word)
        };
        let has_path = matches!(
            param.kind,
            Kind::Ref(Fifo | Sock) | Kind::NewRef(Fifo | Sock) | Kind::AnyRef
        );
        has_path
            && (param.form != Form::Positional
                || param.need == Need::Required
                || !self.params[place + 1..].iter().any(is_data))
    }

    /// The argument of this name, as it is written.
    pub fn written(&self, name: &str) -> String {
        let param = self.params.iter().find(|p| p.name == name);
        param.map_or_else(|| name.to_string(), Param::written)
    }

    /// How it is written: `msgq send [QUEUE] TYPE DATA [--nowait]`.
    pub fn usage(&self) -> String {
        let mut usage = self.name.to_string();
        for param in self.params {
            usage.push(' ');
            usage.push_str(&param.usage());
        }
        usage
    }
}

/// What holds of several arguments of a command, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At most one of these is given.
    Apart(&'static [&'static str]),
    /// The first is given only with one of the others, and with no two of them.
    With(&'static str, &'static [&'static str]),
    /// At least one of these is given.
    Some(&'static [&'static str]),
    /// A command that only looks does more with this.
    Acts(&'static str),
}

/// Where a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// In an actor: it makes the calls that the actor's process is seen making.
    Actor,
    /// In the shell: it looks, or steers the session, and never blocks in the kernel.
    Shell,
}

/// What the prompt asks about before a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// That it removes what somebody else uses.
    Removal,
    /// That its signal hits who is not of this session.
    Signal,
}

/// An example, run by the tests.
#[derive(Debug)]
pub struct Example {
    /// A whole program that passes.
    pub script: &'static str,
    /// What it shows, in a few words.
    pub shows: &'static str,
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object that exists: a name, `id:N`, `key:K`, `key:PATH,N`.
    Ref(Family),
    /// A semaphore set, or one semaphore of it: `NAME[i]`.
    Semaphore,
    /// The name that a new object gets, or `key:K` for a key of the user's choice.
    NewRef(Family),
    /// The plain name that an object of a family gets in this session.
    NewName(Family),
    /// An object of any family, written `FAMILY.NAME`, or a name that is unique.
    AnyRef,
    /// An integer within the bounds, both included.
    Int(i64, i64),
    /// A number of bytes: `64K`, `1M`.
    Size,
    /// A key of System V: `0x1234`, or `PATH,N` for ftok(3).
    Key,
    /// `50ms`, `2s`, `1m`.
    Duration,
    /// Permission bits, in octal.
    Mode,
    /// Bytes.
    Data,
    /// A number or data, by what the place says.
    Value,
    /// `@OFF` or `TYPE@OFF`.
    Place,
    /// `@OFF`.
    Offset,
    /// One operation of a `semop`: `0:-1`, `1:+1u`, `2:0n`.
    SemOp,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The name of an actor: a new one for `spawn`, a known one elsewhere.
    Actor {
        /// Whether it may be a new name.
        new: bool,
    },
    /// A file's path, bare or quoted.
    Path,
    /// A user or group: a name or a number.
    Owner,
    /// A process, by its number.
    Pid,
    /// A process: an actor by its name, or any by its number.
    Process {
        /// Whether 0 or a negative number may mean several.
        group: bool,
    },
    /// A signal: `USR1`, `SIGUSR1`, `10`, `RTMIN+1`.
    Signal,
    /// Anything: a word, a number or data.
    Word,
    /// What `help` can say something about.
    Topic,
    /// Columns of a family's tables, or of any, with commas between: `name,id`.
    Columns(Option<Family>),
    /// A column to sort by: `qnum`; `-qnum` for the largest first.
    Order,
    /// A whole command that only looks.
    Command,
    /// Where a socket is: a path with a slash in it, `@NAME`, `tcp:HOST:PORT`.
    Address,
    /// A descriptor that the actor holds: `s1`, `p.w`, `/tmp/f`.
    Fd,
    /// Two or more stages with `|` between: actors by name, programs as strings.
    Pipeline,
    /// Whether it is there (flags).
    Switch,
}

impl Kind {
    /// An object of a family, or a part of it where it has parts.
    pub const fn part(family: Family) -> Kind {
        match family {
            Family::Sem => Kind::Semaphore,
            family => Kind::Ref(family),
        }
    }

    /// What stands for it after `name=` in a usage line; a few words stand for themselves.
    pub fn placeholder(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Kind::Choice(words) if words.len() <= 4 => return words.join("|").into(),
            Kind::Ref(_) | Kind::Semaphore | Kind::NewRef(_) | Kind::AnyRef => "REF",
            Kind::Int(..) => "N",
            Kind::Size => "SIZE",
            Kind::Key => "KEY",
            Kind::Duration => "DUR",
            Kind::Mode => "MODE",
            Kind::Data => "DATA",
            Kind::Value => "VALUE",
            Kind::Place => "PLACE",
            Kind::Offset => "@OFF",
            Kind::NewName(_) => "NAME",
            Kind::Topic => "WORD",
            Kind::SemOp => "OP",
            Kind::Choice(_) | Kind::Word => "WORD",
            Kind::Columns(_) => "COLUMNS",
            Kind::Order => "COLUMN",
            Kind::Actor { .. } => "ACTOR",
            Kind::Path => "PATH",
            Kind::Owner => "USER",
            Kind::Pid => "PID",
            Kind::Process { .. } => "PROCESS",
            Kind::Signal => "SIGNAL",
            Kind::Command => "COMMAND",
            Kind::Address => "ADDRESS",
            Kind::Fd => "FD",
            Kind::Pipeline => "STAGE | STAGE …",
            Kind::Switch => "",
        })
    }

    /// The integers that it takes, where it takes integers.
    pub fn range(self) -> Option<RangeInclusive<i128>> {
        match self {
            Kind::Int(min, max) => Some(min.into()..=max.into()),
            Kind::Size => Some(0..=u64::MAX.into()),
            Kind::Pid | Kind::Process { group: false } => Some(1..=i32::MAX.into()),
            Kind::Process { group: true } => Some(i32::MIN.into()..=i32::MAX.into()),
            Kind::Mode => Some(0..=0o777),
            _ => None,
        }
    }

    /// What it takes, for "expected …".
    pub fn describe(self) -> String {
        match self {
            Kind::Ref(family) => format!("a {} ({})", family.object(), family.forms()),
            Kind::Semaphore => Kind::Ref(Family::Sem).describe(),
            Kind::NewRef(family) | Kind::NewName(family) => {
                format!("a name for the {}", family.object())
            }
            Kind::AnyRef => "an object (NAME or FAMILY.NAME)".into(),
            Kind::Int(i64::MIN, i64::MAX) => "an integer".into(),
            Kind::Int(0, i64::MAX) => "an integer that is not negative".into(),
            Kind::Int(1, i64::MAX) => "a positive integer".into(),
            Kind::Int(min, max) => format!("an integer from {min} to {max}"),
            Kind::Key => "a key such as 0x1234 or /path,1".into(),
            Kind::Size => "a size such as 4096 or 64K".into(),
            Kind::Duration => "a duration such as 50ms, 2s or 1m".into(),
            Kind::Mode => "a mode in octal up to 0777, such as 0600".into(),
            Kind::Data => "data such as \"text\", x\"00 ff\" or u32:5".into(),
            Kind::Value => "a number or data such as \"text\"".into(),
            Kind::Place => "a place such as @16 or u32@8".into(),
            Kind::Offset => "an offset such as @16".into(),
            Kind::SemOp => "an operation such as 0:-1, 1:+1u or 2:0".into(),
            Kind::Choice(words) => words.join(" or "),
            Kind::Actor { .. } => "an actor's name".into(),
            Kind::Path => "a path".into(),
            Kind::Owner => "a user or group, by name or number".into(),
            Kind::Pid => "the pid of a process".into(),
            Kind::Process { .. } => "an actor's name, or the pid of a process".into(),
            Kind::Signal => "a signal such as USR1, SIGUSR1, 10 or RTMIN+1".into(),
            Kind::Word => "a word".into(),
            Kind::Topic => "what `help` knows, such as msgq, EAGAIN or keys".into(),
            Kind::Columns(_) => "columns with commas between, such as name,id".into(),
            Kind::Order => "a column such as qnum, or -qnum for the largest first".into(),
            Kind::Command => "a command that only looks".into(),
            Kind::Address => "an address such as /run/x.sock, @name or tcp:127.0.0.1:80".into(),
            Kind::Fd => "what this actor holds, such as s1, p.w or p.r".into(),
            Kind::Pipeline => "an actor's name, or a program such as \"wc -l\"".into(),
            Kind::Switch => "a flag".into(),
        }
    }
}
