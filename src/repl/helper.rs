//! What rustyline asks while a line is typed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Cmd, ConditionalEventHandler, Context, Event, EventContext, Helper};
use unicode_width::UnicodeWidthStr;

use super::complete::{self, Actor, Candidate, Knowledge};
use super::hint::hint;
use super::notices::Board;
use super::reading::Reading;
use crate::builtin;
use crate::data::{Column, Family, Object, Outcome, word};
use crate::exec::Engine;
use crate::inspect::{limits, sysv};
use crate::kernel::{signal, terminal};
use crate::lang::{Catalog, Lexeme, Signature, Token, tokens};
use crate::mechanism::errno_text;
use crate::session::Binding;
use crate::view::help::Topic;
use crate::view::{Style, cut, printable};

/// How programs typed at the prompt are called in messages.
pub(super) const NAME: &str = "<prompt>";

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
    /// Closed once a line is accepted.
    pub board: Arc<Board>,
    /// The line as it stands: an error of reading it does not tell.
    pub typed: RefCell<Typed>,
    /// Whether it is to be read on.
    pub reading: RefCell<Reading>,
}

/// A line and where its cursor is, in bytes.
#[derive(Debug, Default)]
pub(super) struct Typed {
    line: String,
    cursor: usize,
}

impl Typed {
    /// Whether there is nothing on it.
    pub fn is_empty(&self) -> bool {
        self.line.trim().is_empty()
    }

    /// What is before the cursor, and what is behind it.
    pub fn split(&self) -> (&str, &str) {
        self.line
            .split_at_checked(self.cursor)
            .unwrap_or((&self.line, ""))
    }
}

/// Erases what is behind the cursor and below it.
const ERASE_BELOW: &[u8] = b"\x1b[J";

/// From this length on a line is drawn anew only where it must be: with its colours and its
/// hint each letter would cost the whole line, and a pasted text the square of its length.
const LONG: usize = 400;

impl Typing {
    fn note(&self, line: &str, cursor: usize) {
        *self.typed.borrow_mut() = Typed {
            line: line.to_string(),
            cursor,
        };
    }
}

impl Helper for Typing {}

struct Session<'a>(MutexGuard<'a, Engine>);

impl Knowledge for Session<'_> {
    fn catalog(&self) -> &Catalog {
        &self.0.commands.catalog
    }

    fn names(&self, family: Family) -> Vec<(String, Object)> {
        let names = self.0.names.all(family);
        // A path with signs that no word has is not completed.
        let bare = |(n, _): &(&str, &Binding)| word(n.as_bytes()) == *n;
        let own = |(n, b): (&str, &Binding)| (n.to_string(), b.object.clone());
        names.into_iter().filter(bare).map(own).collect()
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
            Family::Pipe | Family::Fifo | Family::Sock => Vec::new(),
        }
    }

    fn actors(&self) -> Vec<Actor> {
        let waiting = self.0.pending_actors();
        let actors = self.0.actors_by_pid().into_iter();
        let mut actors: Vec<_> = actors
            .map(|(pid, name)| Actor {
                pending: waiting.contains(&name),
                name,
                pid,
            })
            .collect();
        actors.sort_by_key(|a| a.pid);
        actors
    }

    fn variables(&self) -> Vec<(String, Outcome)> {
        let variables = self.0.env.iter();
        let mut variables: Vec<_> = variables.map(|(n, o)| (n.to_string(), o.clone())).collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        variables
    }

    fn fields(&self, kind: &str) -> Vec<&'static Column> {
        builtin::fields(kind)
    }

    fn keywords(&self) -> &[&'static Signature] {
        builtin::KEYWORDS
    }

    fn topics(&self) -> &[Topic] {
        builtin::TOPICS
    }

    fn errno(&self, symbol: &str) -> String {
        errno_text(symbol).unwrap_or_default()
    }

    fn limit(&self, name: &str) -> String {
        limits::limit(name).map_or(String::new(), |l| l.help.to_string())
    }

    fn paths(&self, partial: &str) -> Vec<String> {
        paths(partial)
    }

    fn signals(&self) -> Vec<(i32, String)> {
        let named = |n| Some((n, signal::signal_name(n)?.into_owned()));
        (1..=64).filter_map(named).collect()
    }
}

/// The files whose path begins so, as far as they can be written without quotes.
fn paths(partial: &str) -> Vec<String> {
    let (dir, begun) = match partial.rfind('/') {
        Some(at) => partial.split_at(at + 1),
        None => ("", partial),
    };
    let listed = std::fs::read_dir(if dir.is_empty() { "." } else { dir });
    let mut found = Vec::new();
    for entry in listed.into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let plain = |c: char| c.is_alphanumeric() || "._-+,@%".contains(c);
        let hidden = name.starts_with('.') && !begun.starts_with('.');
        if !name.starts_with(begun) || hidden || !name.chars().all(plain) {
            continue;
        }
        let slash = if entry.path().is_dir() { "/" } else { "" };
        found.push(format!("{dir}{name}{slash}"));
    }
    found.sort_unstable();
    found
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

/// Completions with their descriptions beside them, none wider than the screen: rustyline
/// lays them out in columns and does not cut them. `blank`: one follows the cursor.
fn listed(found: Vec<Candidate>, columns: usize, blank: bool) -> Vec<Listed> {
    let width = found.iter().map(|c| c.word.width()).max().unwrap_or(0);
    let list = found.into_iter().map(|c| {
        let description = printable(&c.description).replace(['\n', '\t'], " ");
        let gap = width + 2 - c.word.width();
        let shown = format!("{}{:gap$}{description}", c.word, "");
        let shown = cut(shown.trim_end(), columns.max(20) - 1).into_owned();
        let word = match c.is_open() || blank {
            true => c.word,
            false => c.word + " ",
        };
        Listed { word, shown }
    });
    list.collect()
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
        let columns = terminal::window_size().map_or(80, |size| usize::from(size.columns));
        let blank = line[pos..].starts_with([' ', '\t', '\n']);
        Ok((start, listed(found, columns, blank)))
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
        self.note(line, pos);
        if pos < line.len() || line.len() > LONG {
            return None;
        }
        hint(line, &Session(locked(&self.engine))).map(Usage)
    }
}

/// Ctrl-C, which leaves the line as it stands: its hint was none of it.
pub(super) struct Leaving;

impl ConditionalEventHandler for Leaving {
    fn handle(&self, _: &Event, _: u16, _: bool, context: &EventContext) -> Option<Cmd> {
        // Where the cursor is not at the end, what would be erased was typed.
        if context.has_hint() && context.pos() == context.line().len() {
            let mut out = io::stdout();
            let _ = out.write_all(ERASE_BELOW).and_then(|()| out.flush());
        }
        None
    }
}

impl Validator for Typing {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let mut engine = locked(&self.engine);
        if self.reading.borrow_mut().goes_on(ctx.input(), &engine) {
            return Ok(ValidationResult::Incomplete);
        }
        // A SIGINT from outside while the line was typed is not meant for what it runs.
        engine.take_interrupt();
        // From here on the line is left: a notice would be printed behind it.
        self.board.close();
        Ok(ValidationResult::Valid(None))
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

    // Also asked where the cursor moves.
    fn highlight_char(&self, line: &str, pos: usize, _: CmdKind) -> bool {
        self.note(line, pos);
        self.style.is_coloured() && line.len() <= LONG
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
            Lexeme::Host(command) => style.strong("!") + &command[1..],
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
        [noun] => Some(catalog.is_noun(noun) || is_keyword(noun)),
        [noun, verb] if catalog.verbs(noun).next().is_some() => {
            Some(catalog.verbs(noun).any(|v| v == *verb) || verb.starts_with('-'))
        }
        _ => None,
    }
}
