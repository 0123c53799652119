//! What is wrong with the words of a command, said so that one learns from it.

use super::super::catalog::Catalog;
use super::super::diagnostic::Mistake;
use super::super::lexer::{Token, is_name};
use super::super::program::Span;
use super::super::signature::{Family, Form, Kind, Need, Param, Signature};
use super::super::suggest::did_you_mean;
use super::{Binder, take};

/// The noun has no such verb, or none was said.
pub(super) fn verb(
    first: &Token,
    noun: &str,
    second: Option<&Token>,
    catalog: &Catalog,
) -> Mistake {
    let verbs: Vec<&str> = catalog.verbs(noun).collect();
    let label = format!("expected {}", listed(&verbs));
    let Some(token) = second else {
        return Mistake::new(first.span, format!("`{noun}` needs a verb")).label(label);
    };
    match token.bare() {
        Some(word) if is_name(word) => {
            let foreign = catalog.foreign_verb(noun, word);
            let help = foreign.map(|s| format!("did you mean `{}`? {}", s.name, s.summary));
            Mistake::new(token.span, format!("`{noun}` has no verb `{word}`"))
                .label(label)
                .maybe_help(help.or_else(|| did_you_mean(word, verbs)))
        }
        _ => {
            let lists = verbs.contains(&"ls").then(|| format!("{noun} ls"));
            let word = token.bare().unwrap_or_default();
            Mistake::new(token.span, format!("`{noun}` needs a verb before this"))
                .label(label)
                .maybe_help(lists.and_then(|name| sign(word, &name, true)))
        }
    }
}

/// What stands behind `pipe` is neither a verb nor the beginning of a pipeline.
pub(super) fn no_pipeline(token: &Token, catalog: &Catalog) -> Mistake {
    let verbs: Vec<&str> = catalog.verbs("pipe").collect();
    let word = token.bare().unwrap_or_default();
    Mistake::new(token.span, "this is no pipeline")
        .label("expected a stage, |, and another stage: pipe a | b")
        .help(format!("or one of its verbs: {}", verbs.join(", ")))
        .maybe_help(did_you_mean(word, verbs))
}

/// A command that does something cannot be done again and again by looking.
pub(super) fn unwatched(name: Span, signature: &Signature, catalog: &Catalog) -> Mistake {
    let message = format!("`{}` does not only look", signature.name);
    Mistake::new(name, message).label(format!("expected {}", watched(catalog)))
}

/// The same of one that does something only with this argument.
pub(super) fn acting(name: Span, signature: &Signature, param: &str) -> Mistake {
    let written = signature.written(param);
    let message = format!("`{} {written}` does not only look", signature.name);
    Mistake::new(name, message).label(format!("leave out `{written}`"))
}

/// What can be watched: `ipcs, msgq ls or actors`.
pub(super) fn watched(catalog: &Catalog) -> String {
    let looks = catalog.commands.iter().filter(|s| s.looks);
    listed(&looks.map(|s| s.name).collect::<Vec<_>>())
}

/// There is no such command.
pub(super) fn noun(
    first: &Token,
    noun: &str,
    second: Option<&Token>,
    catalog: &Catalog,
) -> Mistake {
    let mistake = Mistake::new(first.span, format!("unknown command `{noun}`"))
        .label("expected a command; `help` lists them");
    if let Some((actor, rest)) = noun.split_once(':')
        && is_name(actor)
        && catalog.is_noun(rest)
    {
        return mistake.help(format!("write a blank after `{actor}:`"));
    }
    if second.and_then(Token::bare) == Some(":") {
        return mistake.help(format!("an actor is written with no blank: `{noun}:`"));
    }
    let second = second.and_then(Token::bare);
    if let Some(says) = catalog.foreign(noun, second) {
        return mistake.help(says);
    }
    if let Some(name) = noun.strip_prefix('$').filter(|_| second.is_none()) {
        return mistake.help(format!(
            "`echo ${name}` shows a variable; it is bound with `let {name} = …`"
        ));
    }
    let bound = noun.split_once('=').map_or(noun, |(name, _)| name);
    let bound = bound.trim_start_matches('$');
    if is_name(bound) && (second == Some("=") || bound.len() < noun.len()) {
        return mistake.help(format!("a variable is bound with `let {bound} = …`"));
    }
    if is_name(noun) && second.is_some_and(|w| catalog.is_noun(w)) {
        return mistake.help(format!(
            "a step of the actor `{noun}` is written `{noun}: …`"
        ));
    }
    if let Some(help) = catalog.suggest(noun) {
        return mistake.help(help);
    }
    if noun.contains('/') {
        return mistake.help(format!(
            "a script is run by `source {noun}`, a program by `!{noun}`"
        ));
    }
    if !is_name(noun) {
        return mistake;
    }
    mistake.help(format!("a command of the system is written `!{noun}`"))
}

/// A parameter that was named gets what it cannot take.
pub(super) fn wrong(param: &Param, token: &Token) -> Mistake {
    let help = match (param.kind, token.bare()) {
        (Kind::Choice(words), Some(word)) => did_you_mean(word, words.iter().copied()),
        (Kind::Data | Kind::Value, Some(word)) => quoted(word),
        (Kind::Duration, Some(word)) => with_unit(word),
        _ => None,
    };
    Mistake::new(token.span, format!("this is not {}", named(param)))
        .label(format!("expected {}", param.kind.describe()))
        .maybe_help(help)
}

impl Binder<'_> {
    fn sign(&self, word: &str) -> Option<String> {
        sign(word, self.signature.name, self.signature.looks)
    }

    pub(super) fn unknown(&self, span: Span, word: &str) -> Mistake {
        let known: Vec<String> = self
            .params()
            .iter()
            .filter(|p| p.form != Form::Positional)
            .map(Param::written)
            .collect();
        let label = match known.is_empty() {
            true => format!("`{}` has no flags", self.signature.name),
            false => format!("expected {}", known.join(", ")),
        };
        let what = if word.starts_with('-') {
            "flag"
        } else {
            "option"
        };
        Mistake::new(
            span,
            format!("`{}` has no {what} `{word}`", self.signature.name),
        )
        .label(label)
        .maybe_help(self.by_place(word))
        // One letter is like any other.
        .maybe_help(did_you_mean(word, known.iter().map(String::as_str)).filter(|_| word.len() > 2))
        .maybe_help(
            matches!(word, "--help" | "-h")
                .then(|| format!("`help {}` explains it", self.signature.name)),
        )
    }

    /// `type=2` for an argument that is written by its place.
    fn by_place(&self, word: &str) -> Option<String> {
        let name = word.trim_start_matches('-').trim_end_matches('=');
        let mut positional = self.params().iter().filter(|p| p.form == Form::Positional);
        positional.find(|p| p.name == name)?;
        let usage = self.signature.usage();
        let upper = name.to_uppercase();
        Some(format!("{upper} is written by its place alone: {usage}"))
    }

    /// No parameter from `first` on takes the token.
    pub(super) fn unexpected(&self, token: &mut Token, first: usize) -> Mistake {
        let word = token.bare().unwrap_or("");
        let options = self.params().iter().any(|p| p.form == Form::Option);
        if let Some((name, _)) = word.split_once('=')
            && is_name(name)
            && options
        {
            let at = token.span.start as usize;
            return self.unknown(Span::new(at, at + name.len() + 1), &format!("{name}="));
        }
        let positional: Vec<&Param> = self.params()[first.min(self.params().len())..]
            .iter()
            .filter(|p| p.form == Form::Positional)
            .collect();
        // Up to the first one that cannot be left out.
        let needed = positional.iter().position(|p| match p.need {
            Need::Required => true,
            Need::Repeated => !self
                .args
                .iter()
                .any(|(place, _)| std::ptr::eq(&self.params()[usize::from(*place)], *p)),
            _ => false,
        });
        let (could, later) = positional.split_at(needed.map_or(positional.len(), |i| i + 1));
        let usage = format!("usage: {}", self.signature.usage());
        if could.is_empty() {
            let more = if self.params().is_empty() {
                "no"
            } else {
                "no more"
            };
            return Mistake::new(
                token.span,
                format!("`{}` takes {more} arguments", self.signature.name),
            )
            .label("expected the end of the command")
            .help(usage)
            .maybe_help(self.sign(word))
            .maybe_help(code(self.signature.name, word));
        }
        let mut expected: Vec<String> = could.iter().map(|p| p.kind.describe()).collect();
        expected.dedup();
        let label = format!("expected {}", expected.join(", or "));
        if let (Some(needed), true) = (
            needed.map(|i| positional[i]),
            later
                .iter()
                .any(|p| matches!(take(p, false, token), Some(Ok(_)))),
        ) {
            return Mistake::new(
                token.span,
                format!(
                    "`{}` needs {} before this",
                    self.signature.name,
                    named(needed)
                ),
            )
            .label(label)
            .help(usage)
            .maybe_help(could.iter().find_map(|p| numbered(word, p.kind)));
        }
        let choices = could.iter().flat_map(|p| match p.kind {
            Kind::Choice(words) => words,
            _ => &[],
        });
        let wants = |kind: Kind| could.iter().any(|p| p.kind == kind);
        let help = self
            .sign(word)
            .or_else(|| did_you_mean(word, choices.copied()));
        let help = help.or_else(|| with_unit(word).filter(|_| wants(Kind::Duration)));
        let help = help.or_else(|| could.iter().find_map(|p| numbered(word, p.kind)));
        let help = help.or_else(|| placed(word).filter(|_| wants(Kind::Address)));
        let help = help.or_else(|| {
            let data = |p: &&&Param| matches!(p.kind, Kind::Data | Kind::Value);
            could.iter().find(data).and_then(|_| quoted(word))
        });
        let what = match could {
            [.., last] => named(last),
            [] => String::new(),
        };
        Mistake::new(token.span, format!("this is not {what}"))
            .label(label)
            .help(usage)
            .maybe_help(help)
    }
}

/// A parameter in a sentence: `the type`.
pub(super) fn named(param: &Param) -> String {
    format!("the argument {}", param.name.to_uppercase())
}

/// A sign that other shells and languages have where this one has another.
fn sign(word: &str, command: &str, looks: bool) -> Option<String> {
    Some(match word {
        "=" | "==" | "->" | "⇒" => "an outcome is written after `=>`".into(),
        ".." | "...." => "a step that must block ends with `...`".into(),
        "|" | ">" | ">>" if looks => {
            format!(
                "`{word}` is the system's shell's, and works there: ipcsh -c '{command}' {word} …"
            )
        }
        "|" | ">" | ">>" => format!(
            "`{word}` is the system's shell's, which gets variables: let v = {command} …; \
             !printf %s \"$v\" {word} …"
        ),
        "<" => "a file's bytes are data: file\"PATH\"".into(),
        _ => return None,
    })
}

/// How a script went is what its end says.
fn code(command: &str, word: &str) -> Option<String> {
    let ends = matches!(command, "exit" | "quit");
    (ends && !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())).then(|| {
        "how it went makes the code: 0, or 1 from the first step or `expect` that fails".into()
    })
}

/// A name where an address must stand.
fn placed(word: &str) -> Option<String> {
    is_name(word)
        .then(|| format!("a path has a slash, `./{word}`; an abstract name is written `@{word}`"))
}

/// A bare number where an object must stand: it may be an id, an inode, or a process.
fn numbered(word: &str, kind: Kind) -> Option<String> {
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(match kind {
        Kind::AnyRef => format!(
            "by its id it is id:{word}; of a process, `why {word}` says what it waits for, and \
             pid:{word}/fd:N is what it has open"
        ),
        Kind::Semaphore => format!("by its id it is id:{word}"),
        Kind::Ref(family) if family.is_system_v() => format!("by its id it is id:{word}"),
        Kind::Ref(Family::Pipe) => format!("by its inode it is pipe:[{word}]"),
        Kind::Ref(Family::Sock) => format!("by its inode it is socket:[{word}]"),
        _ => return None,
    })
}

fn with_unit(word: &str) -> Option<String> {
    let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| format!("seconds are written {word}s"))
}

fn quoted(word: &str) -> Option<String> {
    let plain = !word.is_empty() && !word.starts_with(['@', '$', '-']);
    plain.then(|| format!("data is written in quotes: \"{word}\""))
}

fn listed(words: &[&str]) -> String {
    match words {
        [] => "a verb".into(),
        [word] => (*word).into(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}
