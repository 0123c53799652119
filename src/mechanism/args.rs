//! The arguments of a call, by the names that its signature gives them.

use std::borrow::Cow;
use std::time::Duration;

use crate::data::{Cell, Failure};
use crate::kernel::Errno;
use crate::lang::{
    Arg, Env, EvalError, Kind, Reference, SemOpTerm, Signature, Term, seconds, short,
};

/// A call's arguments, and the variables they are computed from.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    /// The command.
    pub signature: &'static Signature,
    /// What was given.
    pub given: &'a [(u8, Arg)],
    /// The variables.
    pub env: &'a Env,
    /// Whether anybody will see the outcome: in a loop, only a claim and a `let` do.
    pub seen: bool,
}

impl From<EvalError> for Failure {
    fn from(e: EvalError) -> Failure {
        match e {
            EvalError::File { .. } => Failure::environment(e.to_string()),
            e => Failure::refused(e.to_string()),
        }
    }
}

impl<'a> Args<'a> {
    /// Every value given for a parameter. Inlined, as all that look for one: then a name is
    /// compared in a few instructions, where a call would cost more than the rest of a step.
    #[inline(always)]
    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'a Arg> + 'n {
        debug_assert!(
            self.signature.params.iter().any(|p| p.name == name),
            "{} has no {name}",
            self.signature.name
        );
        // Few are given, so their names are compared rather than all.
        self.given
            .iter()
            .filter(move |(place, _)| self.name_of(*place) == name)
            .map(|(_, arg)| arg)
    }

    #[inline(always)]
    fn name_of(&self, place: u8) -> &'static str {
        let param = self.signature.params.get(usize::from(place));
        param.map_or("", |p| p.name)
    }

    /// The value given for a parameter.
    #[inline(always)]
    pub fn get(&self, name: &str) -> Option<&'a Arg> {
        self.all(name).next()
    }

    /// Whether the command has a parameter of this name.
    pub fn takes(&self, name: &str) -> bool {
        self.signature.params.iter().any(|p| p.name == name)
    }

    /// Whether a flag is there.
    #[inline(always)]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The object that a parameter names.
    #[inline(always)]
    pub fn reference(&self, name: &str) -> Option<&'a Reference> {
        match self.get(name) {
            Some(Arg::Ref(reference)) => Some(reference),
            _ => None,
        }
    }

    /// The word that was given.
    pub fn word(&self, name: &str) -> Option<&'a str> {
        match self.get(name) {
            Some(Arg::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The term that was given.
    #[inline(always)]
    pub fn term(&self, name: &str) -> Option<&'a Term> {
        match self.get(name) {
            Some(Arg::Term(term)) => Some(term),
            _ => None,
        }
    }

    /// An integer of the C type that the call takes.
    ///
    /// # Errors
    /// It cannot be computed, or the C type cannot hold it.
    #[inline(always)]
    pub fn int<T: TryFrom<i128>>(&self, name: &str) -> Result<Option<T>, Failure> {
        match self.term(name) {
            None => Ok(None),
            Some(Term::Int(n)) if let Ok(n) = T::try_from(*n) => Ok(Some(n)),
            Some(term) => self.computed_int(name, term).map(Some),
        }
    }

    #[cold]
    fn computed_int<T: TryFrom<i128>>(&self, name: &str, term: &Term) -> Result<T, Failure> {
        let n = self.env.int(term)?;
        let param = self.signature.params.iter().find(|p| p.name == name);
        let range = param.and_then(|p| p.kind.range());
        let value = match &range {
            Some(range) if !range.contains(&n) => None,
            _ => T::try_from(n).ok(),
        };
        let must = || match range {
            Some(range) => format!("from {} to {}", range.start(), range.end()),
            None => format!(
                "what the call's C type ({}) holds",
                std::any::type_name::<T>()
            ),
        };
        value.ok_or_else(|| match param.map(|p| p.kind) {
            // 0600 is octal where a mode is written, and 600 where a variable is bound.
            Some(Kind::Mode) => {
                Failure::refused(format!("{name} is {n}, and no mode is above 0777"))
                    .help("A variable is bound to a mode by `let m = 0o600`")
            }
            _ => Failure::refused(format!("{name} is {n}, and must be {}", must())),
        })
    }

    /// Bytes.
    ///
    /// # Errors
    /// They cannot be computed or read.
    #[inline(always)]
    pub fn bytes(&self, name: &str) -> Result<Option<Cow<'a, [u8]>>, Failure> {
        match self.term(name) {
            Some(term) => Ok(Some(self.env.bytes(term)?)),
            None => Ok(None),
        }
    }

    /// Text: a path, a word.
    ///
    /// # Errors
    /// It cannot be computed.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let bytes = self.bytes(name)?;
        Ok(bytes.map(|b| String::from_utf8_lossy(&b).into_owned()))
    }

    /// A duration; a bare number that a variable holds is in seconds.
    ///
    /// # Errors
    /// It cannot be computed, or is none.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Failure> {
        let Some(term) = self.term(name) else {
            return Ok(None);
        };
        let value = self.env.value(term)?;
        let duration = match value {
            Cell::Elapsed(d) => Some(d),
            Cell::Int(n) => seconds(n),
            _ => None,
        };
        match duration {
            Some(d) => Ok(Some(d)),
            None => {
                let value = short(value.to_string(), 200);
                Err(Failure::refused(format!("{name}={value} is no duration")))
            }
        }
    }

    /// The operations of a `semop`.
    pub fn sem_ops<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'a SemOpTerm> + 'n {
        self.all(name).filter_map(|arg| match arg {
            Arg::SemOp(op) => Some(op),
            _ => None,
        })
    }

    /// The kernel refused: the call as it was made, and what the errno means for this
    /// command by its signature.
    pub fn failure(&self, errno: Errno, call: String) -> Failure {
        self.foreseen(errno).call(call)
    }

    /// The same, where it is known before any call is made.
    pub fn foreseen(&self, errno: Errno) -> Failure {
        let symbol = errno_symbol(errno);
        let meaning = self
            .signature
            .errnos
            .iter()
            .find(|(s, _)| *s == symbol)
            .map_or_else(|| errno.desc().to_string(), |(_, m)| m.to_string());
        Failure::errno(symbol, meaning)
    }
}

/// The errno's symbol: `ENOMSG`.
pub fn errno_symbol(errno: Errno) -> String {
    format!("{errno:?}")
}

/// Every errno that there is.
pub fn all_errnos() -> impl Iterator<Item = Errno> {
    let errnos = (1..=133).map(Errno::from_raw);
    errnos.filter(|e| *e != Errno::UnknownErrno)
}

/// What the C library says of an errno.
pub fn errno_text(symbol: &str) -> Option<String> {
    let errno = all_errnos().find(|e| errno_symbol(*e) == symbol);
    errno.map(|e| e.desc().to_string())
}

/// The symbol of the errno with this number.
pub fn errno_of(number: i32) -> Option<String> {
    let errno = all_errnos().find(|e| *e as i32 == number);
    errno.map(errno_symbol)
}
