//! What rustyline asks while a line is typed.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard};

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::complete::{self, Knowledge};
use crate::builtin;
use crate::commands::errno_text;
use crate::data::{Column, Family, Outcome};
use crate::exec::Engine;
use crate::inspect::sysv;
use crate::lang::{Catalog, Lexeme, Signature, Source, Token, parse, tokens};
use crate::view::{Style, printable};
use crate::{mechanism, script};

/// The engine, whoever panicked while holding it: its own parts are consistent between
/// calls.
pub(super) fn locked(engine: &Mutex<Engine>) -> MutexGuard<'_, Engine> {
    engine
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) struct Typing {
    pub engine: Arc<Mutex<Engine>>,
    pub style: Style,
    /// Whether the line is empty: Ctrl-C does not tell.
    pub empty: Cell<bool>,
}

impl Helper for Typing {}

struct Session<'a>(MutexGuard<'a, Engine>);

impl Knowledge for Session<'_> {
    fn catalog(&self) -> &Catalog {
        &self.0.commands.catalog
    }

    fn names(&self, family: Family) -> Vec<(String, i32)> {
        let names = self.0.names.all(family);
        names.iter().map(|(n, b)| (n.to_string(), b.id)).collect()
    }

    fn host(&self, family: Family) -> Vec<(i32, i32)> {
        let of = |id, key| (id, key);
        match family {
            Family::Msgq => sysv::queues()
                .iter()
                .map(|q| of(q.id, q.perm.key))
                .collect(),
            Family::Shm => sysv::segments()
                .iter()
                .map(|s| of(s.id, s.perm.key))
                .collect(),
            Family::Sem => sysv::sets().iter().map(|s| of(s.id, s.perm.key)).collect(),
        }
    }

    fn actors(&self) -> Vec<(String, i32)> {
        let mut actors: Vec<_> = self.0.actors_by_pid().into_iter().collect();
        actors.sort();
        actors.into_iter().map(|(pid, name)| (name, pid)).collect()
    }

    fn variables(&self) -> Vec<(String, Outcome)> {
        let variables = self.0.env.iter();
        let mut variables: Vec<_> = variables.map(|(n, o)| (n.to_string(), o.clone())).collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        variables
    }

    fn fields(&self, kind: &str) -> Vec<&'static Column> {
        match Family::from_noun(kind) {
            Some(family) => (mechanism::of(family).fields)(),
            None if kind == "actor" => builtin::ACTOR_FIELDS.to_vec(),
            None => Vec::new(),
        }
    }

    fn keywords(&self) -> &[&'static Signature] {
        builtin::KEYWORDS
    }

    fn errno(&self, symbol: &str) -> String {
        errno_text(symbol).unwrap_or_default()
    }
}

/// A completion: what is inserted, and what is listed.
pub(super) struct Listed {
    word: String,
    shown: String,
}

impl rustyline::completion::Candidate for Listed {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.word
    }
}

impl Completer for Typing {
    type Candidate = Listed;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Listed>)> {
        let session = Session(locked(&self.engine));
        let (start, found) = complete::candidates(line, pos, &session);
        let width = found.iter().map(|c| c.word.len()).max().unwrap_or(0);
        let listed = found
            .into_iter()
            .map(|c| {
                let open = c.word.ends_with([':', '=', '.', '@']);
                let description = printable(&c.description).into_owned();
                Listed {
                    shown: format!("{:width$}  {description}", c.word)
                        .trim_end()
                        .to_string(),
                    word: if open { c.word } else { c.word + " " },
                }
            })
            .collect();
        Ok((start, listed))
    }
}

/// A hint that Right-arrow does not insert: it is a description, not a continuation.
pub(super) struct Usage(String);

impl Hint for Usage {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Typing {
    type Hint = Usage;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Usage> {
        self.empty.set(line.trim().is_empty());
        if pos < line.len() {
            return None;
        }
        complete::hint(line, &Session(locked(&self.engine))).map(Usage)
    }
}

impl Validator for Typing {
    /// An open block or string asks for more; a blank second line escapes. A mistake is
    /// shown when the line is run.
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = ctx.input();
        if text.ends_with("\n\n") {
            return Ok(ValidationResult::Valid(None));
        }
        let engine = locked(&self.engine);
        let source = Arc::new(Source::new("", text));
        let parsed = parse(
            source,
            &engine.commands.catalog,
            &mut engine.known(),
            &script::load,
        );
        Ok(match parsed {
            Err(mistake) if mistake.incomplete => ValidationResult::Incomplete,
            _ => ValidationResult::Valid(None),
        })
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.style.is_coloured() {
            return Cow::Borrowed(line);
        }
        let engine = locked(&self.engine);
        Cow::Owned(painted(line, &engine.commands.catalog, self.style))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.style.aside(hint))
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.style.is_coloured()
    }
}

/// The line with its words coloured: known commands, unknown ones, data, marks.
fn painted(line: &str, catalog: &Catalog, style: Style) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = 0;
    let mut words: Vec<&str> = Vec::new();
    for Token { span, lexeme } in tokens(line) {
        let (start, end) = (span.start as usize, span.end as usize);
        out.push_str(&style.aside_comment(&line[at..start]));
        let text = &line[start..end];
        at = end;
        out.push_str(&match lexeme {
            Lexeme::End | Lexeme::Open | Lexeme::Close => {
                words.clear();
                text.to_string()
            }
            Lexeme::Data(_) | Lexeme::Pattern(_) => style.good(text),
            Lexeme::Arrow | Lexeme::Ellipsis | Lexeme::Ampersand => style.waiting(text),
            Lexeme::Bare(word) if words.is_empty() && word.ends_with(':') => style.strong(text),
            Lexeme::Bare(word) => {
                words.push(word);
                match known(&words, catalog) {
                    Some(true) => style.strong(text),
                    Some(false) => style.bad(text),
                    None => text.to_string(),
                }
            }
        });
    }
    out.push_str(&style.aside_comment(&line[at..]));
    out
}

/// Whether the last of these words names a command; `None` where it is an argument.
fn known(words: &[&str], catalog: &Catalog) -> Option<bool> {
    let is_keyword = |w: &str| builtin::KEYWORDS.iter().any(|k| k.name == w);
    match words {
        [noun] => Some(catalog.is_noun(noun) || is_keyword(noun) || noun.starts_with('!')),
        [noun, verb] if catalog.verbs(noun).next().is_some() => {
            Some(catalog.verbs(noun).any(|v| v == *verb) || verb.starts_with('-'))
        }
        _ => None,
    }
}
