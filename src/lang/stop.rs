//! Where reading stopped and why: nom's error type for all of the language.

use nom::IResult;
use nom::error::{ErrorKind, ParseError};

/// What nom reports. `message` is empty where nothing was recognised yet, so that another
/// alternative may be tried.
#[derive(Debug)]
pub(super) struct Stop<'a> {
    /// From where it makes no sense.
    pub rest: &'a str,
    /// How many bytes of it the caret goes under; 0 is one character.
    pub width: usize,
    pub message: String,
    pub label: String,
    /// Whether more text could mend it.
    pub open: bool,
}

pub(super) type Lexed<'a, T> = IResult<&'a str, T, Stop<'a>>;

/// Stops for good.
pub(super) fn stop<'a, T>(
    rest: &'a str,
    message: &str,
    label: &str,
) -> Result<T, nom::Err<Stop<'a>>> {
    Err(Stop::new(rest, message).label(label).failure())
}

impl<'a> Stop<'a> {
    pub fn new(rest: &'a str, message: impl Into<String>) -> Stop<'a> {
        Stop {
            rest,
            width: 0,
            message: message.into(),
            label: String::new(),
            open: false,
        }
    }

    pub fn width(mut self, width: usize) -> Stop<'a> {
        self.width = width;
        self
    }

    pub fn label(mut self, label: impl Into<String>) -> Stop<'a> {
        self.label = label.into();
        self
    }

    pub fn open(mut self) -> Stop<'a> {
        self.open = true;
        self
    }

    pub fn failure(self) -> nom::Err<Stop<'a>> {
        nom::Err::Failure(self)
    }
}

impl<'a> ParseError<&'a str> for Stop<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Stop::new(rest, "")
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}
