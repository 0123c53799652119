//! One argument of a command: how it is written, and how often.

use super::Kind;

/// One argument.
#[derive(Debug)]
pub struct Param {
    /// Its name, in lower case; the command asks for it by this name.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// What it takes.
    pub kind: Kind,
    /// Whether it may be left out or repeated.
    pub need: Need,
    /// What it means, with its unit and default.
    pub help: &'static str,
}

impl Param {
    /// How it is written, without its value.
    pub fn written(&self) -> String {
        match self.form {
            Form::Positional if matches!(self.kind, Kind::Choice([_])) => self.name.to_string(),
            Form::Positional => self.name.to_uppercase(),
            Form::Option => format!("{}=", self.name),
            Form::Dash => format!("-{}", self.kind.placeholder()),
            Form::Flag => format!("--{}", self.name),
            Form::Short(letter) => format!("-{letter}"),
        }
    }

    /// How it stands in a usage line.
    pub fn usage(&self) -> String {
        let upper = self.name.to_uppercase();
        let written = match self.form {
            Form::Positional => match self.kind {
                Kind::Choice(_) => self.kind.placeholder().into(),
                Kind::Pipeline => return self.kind.placeholder().into(),
                Kind::Semaphore => format!("{upper}[i]"),
                _ => upper,
            },
            Form::Option => format!("{}={}", self.name, self.kind.placeholder()),
            Form::Dash => format!("-{upper}"),
            Form::Flag => match self.kind {
                Kind::Switch => format!("--{}", self.name),
                kind => format!("--{} {}", self.name, kind.placeholder()),
            },
            Form::Short(letter) => match self.kind {
                Kind::Switch => format!("-{letter}"),
                _ => format!("-{letter} {upper}"),
            },
        };
        match self.need {
            Need::Required => written,
            Need::Optional => format!("[{written}]"),
            Need::Repeated => format!("{written} …"),
            Need::Any | Need::Unless(_) => format!("[{written} …]"),
        }
    }
}

/// How an argument is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By its place.
    Positional,
    /// `name=VALUE`.
    Option,
    /// `--name`, or `--name VALUE` where the kind is not [`Kind::Switch`].
    Flag,
    /// `-VALUE`: a dash and what the kind takes, in one word.
    Dash,
    /// `-x`, or `-x VALUE` where the kind is not [`Kind::Switch`].
    Short(char),
}

/// Whether an argument may be left out or repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Exactly once.
    Required,
    /// Once or not at all.
    Optional,
    /// Once or more.
    Repeated,
    /// Any number of times.
    Any,
    /// Once or more, unless this switch is given.
    Unless(&'static str),
}

/// Shorthands for the constants.
impl Param {
    /// A positional argument.
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Positional, kind, Need::Required, help)
    }

    /// A positional argument that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Positional, kind, Need::Optional, help)
    }

    /// A positional argument that may be repeated and is there at least once.
    pub const fn repeated(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Positional, kind, Need::Repeated, help)
    }

    /// Positional arguments, any number.
    pub const fn any(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Positional, kind, Need::Any, help)
    }

    /// `name=VALUE`.
    pub const fn option(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Option, kind, Need::Optional, help)
    }

    /// `--name`.
    pub const fn flag(name: &'static str, help: &'static str) -> Param {
        Param::make(name, Form::Flag, Kind::Switch, Need::Optional, help)
    }

    /// `-VALUE`.
    pub const fn dash(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Dash, kind, Need::Optional, help)
    }

    /// `--name VALUE`.
    pub const fn valued(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Flag, kind, Need::Optional, help)
    }

    /// `--name VALUE`, any number of times.
    pub const fn values(name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Flag, kind, Need::Any, help)
    }

    /// `-x` or `-x VALUE`.
    pub const fn short(letter: char, name: &'static str, kind: Kind, help: &'static str) -> Param {
        Param::make(name, Form::Short(letter), kind, Need::Optional, help)
    }

    const fn make(
        name: &'static str,
        form: Form,
        kind: Kind,
        need: Need,
        help: &'static str,
    ) -> Param {
        Param {
            name,
            form,
            kind,
            need,
            help,
        }
    }
}
