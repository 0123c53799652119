//! Words to arguments: what a command's signature makes of what follows its name.

use super::catalog::{Catalog, Lookup};
use super::diagnostic::{Mistake, Parsed};
use super::lexer::{Lexeme, Token, is_name};
use super::number;
use super::program::{Arg, Call, Piece, Span, Target, Term};
use super::signature::{Form, Kind, Need, Param, Signature};
use super::suggest::did_you_mean;
use super::term;

/// Reads a command: its name and its arguments.
pub(super) fn call<'t>(tokens: &'t [Token<'t>], catalog: &Catalog, text: &str) -> Parsed<Call> {
    let (command, words) = name(tokens, catalog)?;
    let signature = catalog.signature(command);
    let name = tokens[0].span.to(tokens[words - 1].span);
    let mut binder = Binder {
        signature,
        catalog,
        text,
        args: Vec::new(),
        position: 0,
    };
    binder.bind(&tokens[words..], name)?;
    Ok(Call {
        command,
        args: binder.args,
    })
}

/// The command that the first words name, and how many they are.
fn name(tokens: &[Token], catalog: &Catalog) -> Parsed<(u16, usize)> {
    let Some((first, noun)) = tokens.first().and_then(|t| Some((t, t.bare()?))) else {
        let span = tokens.first().map_or(Span::default(), |t| t.span);
        return Err(Mistake::new(span, "a command stands here").label("expected a command"));
    };
    let second = tokens.get(1);
    match catalog.lookup(noun, second.and_then(Token::bare)) {
        Lookup::Found(place, words) => Ok((place, words)),
        Lookup::NoVerb => {
            let verbs: Vec<&str> = catalog.verbs(noun).collect();
            let label = format!("expected {}", verbs.join(", "));
            Err(match second {
                Some(token) => {
                    let word = token.bare().unwrap_or("");
                    Mistake::new(token.span, format!("`{noun}` has no verb `{word}`"))
                        .label(label)
                        .maybe_help(did_you_mean(word, verbs))
                }
                None => Mistake::new(first.span, format!("`{noun}` needs a verb")).label(label),
            })
        }
        Lookup::NoNoun => {
            let mistake = Mistake::new(first.span, format!("unknown command `{noun}`"))
                .label("expected a command; `help` lists them")
                .maybe_help(catalog.suggest_noun(noun));
            Err(match noun.split_once(':') {
                Some((actor, rest)) if is_name(actor) && catalog.is_noun(rest) => {
                    mistake.help(format!("write a space after `{actor}:`"))
                }
                _ => mistake,
            })
        }
    }
}

/// What a parameter makes of a token: `None` where it takes no such thing.
type Taken = Option<Parsed<Arg>>;

struct Binder<'a> {
    signature: &'static Signature,
    catalog: &'a Catalog,
    text: &'a str,
    args: Vec<(u8, Arg)>,
    /// The positional parameter that is next.
    position: usize,
}

impl Binder<'_> {
    fn params(&self) -> &'static [Param] {
        self.signature.params
    }

    fn bind<'t>(&mut self, mut tokens: &'t [Token<'t>], name: Span) -> Parsed<()> {
        let end = tokens.last().map_or(name, |t| t.span);
        while let Some((token, rest)) = tokens.split_first() {
            tokens = match token.bare() {
                Some(word) if word.starts_with("--") && word.len() > 2 => {
                    self.flag(token, &word[2..])?;
                    rest
                }
                Some(word) if is_short(word) => self.short(token, word, rest)?,
                Some(word) if self.option_of(word).is_some() => self.option(token, word, rest)?,
                _ => self.positional(token, tokens)?,
            };
        }
        self.missing(end)
    }

    fn flag(&mut self, token: &Token, name: &str) -> Parsed<()> {
        let found = self.params().iter().position(|p| {
            p.name == name
                && p.kind == Kind::Switch
                && matches!(p.form, Form::Flag | Form::Short(_))
        });
        match found {
            Some(place) => self.add(place, Arg::Switch, token.span),
            None => Err(self.unknown(token.span, &format!("--{name}"))),
        }
    }

    fn unknown(&self, span: Span, word: &str) -> Mistake {
        let known: Vec<String> = self
            .params()
            .iter()
            .filter(|p| p.form != Form::Positional)
            .map(|p| match p.form {
                Form::Flag => format!("--{}", p.name),
                Form::Short(letter) => format!("-{letter}"),
                _ => format!("{}=", p.name),
            })
            .collect();
        let label = if known.is_empty() {
            format!("`{}` has no flags", self.signature.name)
        } else {
            format!("expected {}", known.join(", "))
        };
        Mistake::new(span, format!("unknown flag `{word}`"))
            .label(label)
            .maybe_help(did_you_mean(word, known.iter().map(String::as_str)))
    }

    fn short<'t>(
        &mut self,
        token: &Token,
        word: &str,
        mut rest: &'t [Token<'t>],
    ) -> Parsed<&'t [Token<'t>]> {
        for letter in word.chars().skip(1) {
            let found = self
                .params()
                .iter()
                .position(|p| p.form == Form::Short(letter));
            let Some(place) = found else {
                return Err(self.unknown(token.span, &format!("-{letter}")));
            };
            let param = &self.params()[place];
            if param.kind == Kind::Switch {
                self.add(place, Arg::Switch, token.span)?;
                continue;
            }
            let Some((value, after)) = rest.split_first() else {
                return Err(
                    Mistake::new(token.span, format!("`-{letter}` needs a value"))
                        .label(format!("expected {}", param.kind.describe())),
                );
            };
            let arg = self.take_required(param, value)?;
            self.add(place, arg, value.span)?;
            rest = after;
        }
        Ok(rest)
    }

    fn option_of(&self, word: &str) -> Option<usize> {
        let (name, _) = word.split_once('=')?;
        self.params()
            .iter()
            .position(|p| p.form == Form::Option && p.name == name)
    }

    fn option<'t>(
        &mut self,
        token: &Token,
        word: &str,
        rest: &'t [Token<'t>],
    ) -> Parsed<&'t [Token<'t>]> {
        let place = self.option_of(word).unwrap_or_default();
        let param = &self.params()[place];
        let value = &word[param.name.len() + 1..];
        let at = token.span.start as usize + param.name.len() + 1;
        let (arg, rest) = if value.is_empty() {
            // `data="…"`: the string is a token of its own, with nothing between.
            match rest.split_first() {
                Some((next, after)) if next.span.start == token.span.end => {
                    (self.take_required(param, next)?, after)
                }
                _ => {
                    return Err(Mistake::new(token.span, format!("`{word}` needs a value"))
                        .label(format!("expected {}", param.kind.describe())));
                }
            }
        } else {
            let token = Token {
                span: Span::new(at, at + value.len()),
                lexeme: Lexeme::Bare(value),
            };
            (self.take_required(param, &token)?, rest)
        };
        self.add(place, arg, token.span)?;
        Ok(rest)
    }

    fn positional<'t>(
        &mut self,
        token: &Token,
        tokens: &'t [Token<'t>],
    ) -> Parsed<&'t [Token<'t>]> {
        let first = self.position;
        while let Some(param) = self.params().get(self.position) {
            if param.form != Form::Positional {
                self.position += 1;
                continue;
            }
            if param.kind == Kind::Command {
                return self.command(tokens);
            }
            match self.take(param, token) {
                Some(arg) => {
                    let place = self.position;
                    if matches!(param.need, Need::Required | Need::Optional) {
                        self.position += 1;
                    }
                    self.args.push((place as u8, arg?));
                    return Ok(&tokens[1..]);
                }
                None if param.need == Need::Required => break,
                None if param.need == Need::Repeated && !self.has(self.position) => break,
                None => self.position += 1,
            }
        }
        Err(self.unexpected(token, first))
    }

    /// The rest of the tokens as a command, up to `every`.
    fn command<'t>(&mut self, tokens: &'t [Token<'t>]) -> Parsed<&'t [Token<'t>]> {
        let end = tokens
            .iter()
            .position(|t| t.bare() == Some("every"))
            .unwrap_or(tokens.len());
        let inner = &tokens[..end];
        let inner_call = call(inner, self.catalog, self.text)?;
        let span = inner
            .first()
            .zip(inner.last())
            .map_or(Span::default(), |(first, last)| first.span.to(last.span));
        let text = span.of(self.text).to_string();
        self.args.push((
            self.position as u8,
            Arg::Command(Box::new(inner_call), text),
        ));
        self.position += 1;
        Ok(&tokens[end..])
    }

    fn unexpected(&self, token: &Token, first: usize) -> Mistake {
        let could: Vec<&Param> = self.params()[first.min(self.params().len())..]
            .iter()
            .filter(|p| p.form == Form::Positional)
            .collect();
        // Up to the first one that cannot be left out.
        let end = could
            .iter()
            .position(|p| p.need == Need::Required)
            .map_or(could.len(), |i| i + 1);
        let could = &could[..end];
        if could.is_empty() {
            return Mistake::new(
                token.span,
                format!("`{}` takes no more arguments", self.signature.name),
            )
            .label(format!("usage: {}", self.signature.usage()));
        }
        let expected: Vec<String> = could.iter().map(|p| p.kind.describe()).collect();
        let mistake = Mistake::new(
            token.span,
            format!("this is no {}", could[could.len() - 1].name),
        )
        .label(format!("expected {}", expected.join(", or ")));
        let word = token.bare().unwrap_or("");
        let wants_data = could
            .iter()
            .any(|p| matches!(p.kind, Kind::Data | Kind::Value));
        let choices = could.iter().flat_map(|p| match p.kind {
            Kind::Choice(words) => words,
            _ => &[],
        });
        if wants_data && !word.is_empty() && !word.starts_with('@') {
            return mistake.help(format!("data is written in quotes: \"{word}\""));
        }
        mistake.maybe_help(did_you_mean(word, choices.copied()))
    }

    fn missing(&self, end: Span) -> Parsed<()> {
        let absent = self.params().iter().enumerate().find(|(place, p)| {
            matches!(p.need, Need::Required | Need::Repeated) && !self.has(*place)
        });
        let Some((_, param)) = absent else {
            return Ok(());
        };
        let at = end.end as usize;
        Err(Mistake::new(
            Span::new(at, at + 1),
            format!("`{}` needs {}", self.signature.name, param.name),
        )
        .label(format!("expected {}", param.kind.describe()))
        .help(format!("usage: {}", self.signature.usage())))
    }

    fn has(&self, place: usize) -> bool {
        self.args.iter().any(|(p, _)| usize::from(*p) == place)
    }

    fn add(&mut self, place: usize, arg: Arg, span: Span) -> Parsed<()> {
        let param = &self.params()[place];
        if self.has(place) && !matches!(param.need, Need::Repeated | Need::Any) {
            return Err(Mistake::new(
                span,
                format!("`{}` is given twice", param.name),
            ));
        }
        self.args.push((place as u8, arg));
        Ok(())
    }

    fn take_required(&self, param: &Param, token: &Token) -> Parsed<Arg> {
        self.take(param, token).unwrap_or_else(|| {
            Err(
                Mistake::new(token.span, format!("this is no {}", param.name))
                    .label(format!("expected {}", param.kind.describe())),
            )
        })
    }

    fn take(&self, param: &Param, token: &Token) -> Taken {
        let at = token.span.start as usize;
        let term = |t: Parsed<Term>| t.map(Arg::Term);
        let word = token.bare();
        match param.kind {
            Kind::Ref(family) | Kind::NewRef(family) => {
                let word = word?;
                // A word that only a later parameter can take is not a name.
                let reference = match term::reference(word, at)? {
                    Ok(reference) => reference,
                    Err(e) => return Some(Err(e)),
                };
                let wrong = |message: String| Some(Err(Mistake::new(token.span, message)));
                if reference.family.is_some_and(|f| f != family) {
                    return wrong(format!("`{word}` is no {}", family.object()));
                }
                if reference.index.is_some() && family != super::Family::Sem {
                    return wrong(format!("a {} has no members", family.object()));
                }
                if matches!(param.kind, Kind::NewRef(_))
                    && (reference.index.is_some() || matches!(reference.target, Target::Id(_)))
                {
                    return wrong("the kernel chooses ids; give a name, or key:0x1234".into());
                }
                Some(Ok(Arg::Ref(reference)))
            }
            Kind::AnyRef => term::reference(word?, at).map(|r| r.map(Arg::Ref)),
            Kind::Int(min, max) => Some(match term::integer(word?, at)? {
                Ok(Term::Int(n)) if n < i128::from(min) || n > i128::from(max) => {
                    Err(Mistake::new(token.span, format!("{n} is out of range"))
                        .label(format!("expected {}", param.kind.describe())))
                }
                other => other.map(Arg::Term),
            }),
            Kind::Size => Some(match term::integer(word?, at)? {
                Ok(Term::Int(n)) if n < 0 => {
                    Err(Mistake::new(token.span, "a size is not negative"))
                }
                other => other.map(Arg::Term),
            }),
            Kind::Duration => match term::computed(word?, at) {
                Some(found) => Some(term(found)),
                None => number::duration(word?).map(|d| Ok(Arg::Term(Term::Duration(d)))),
            },
            Kind::Mode => match term::computed(word?, at) {
                Some(found) => Some(term(found)),
                None => number::mode(word?).map(|m| Ok(Arg::Term(Term::Int(m)))),
            },
            Kind::Data => term::data(token).map(term),
            Kind::Value => term::data(token)
                .or_else(|| term::integer(word?, at))
                .map(term),
            Kind::Place => term::place(word?, at).map(|p| p.map(Arg::Place)),
            Kind::SemOp => term::sem_op(word?).map(|op| Ok(Arg::SemOp(op))),
            Kind::Choice(words) => {
                let word = word?;
                words
                    .contains(&word)
                    .then(|| Ok(Arg::Word(word.to_string())))
            }
            Kind::Actor { .. } => {
                let word = word?;
                is_name(word).then(|| Ok(Arg::Word(word.to_string())))
            }
            Kind::Path | Kind::Owner | Kind::Word => match &token.lexeme {
                Lexeme::Data(data) => Some(Ok(Arg::Term(data.clone()))),
                Lexeme::Bare(word) => Some(words_term(word, token.span).map(Arg::Term)),
                _ => None,
            },
            Kind::Command | Kind::Switch => None,
        }
    }
}

/// `-q`, `-qa`: letters only, so that `-3` stays a number.
fn is_short(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// A bare word in which `$name` is put in: `$WORK/fifo`.
fn words_term(word: &str, span: Span) -> Parsed<Term> {
    if let Some(term) = term::computed(word, span.start as usize)
        && term.is_ok()
    {
        return term;
    }
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        pieces.push(Piece::Bytes(rest.as_bytes()[..at].to_vec()));
        let from = &rest[at..];
        let found = if from.starts_with("${") {
            super::lexer::braced_variable(from)
        } else {
            super::lexer::variable(&from[1..])
        };
        let Ok((after, var)) = found else {
            return Err(
                Mistake::new(span, format!("`{word}` holds a `$` that names no variable"))
                    .label("a variable is written $name; a plain $ stands in quotes"),
            );
        };
        pieces.push(Piece::Var(var));
        rest = after;
    }
    if pieces.is_empty() {
        return Ok(Term::Bytes(word.as_bytes().to_vec()));
    }
    pieces.push(Piece::Bytes(rest.as_bytes().to_vec()));
    Ok(Term::Template(pieces))
}

/// What could be typed next: for completion and hints.
#[derive(Debug)]
pub struct Wanted {
    /// The command.
    pub signature: &'static Signature,
    /// The parameters that the next word could fill, the positional ones first.
    pub params: Vec<&'static Param>,
    /// What is left of the usage line.
    pub usage: String,
}

/// What the complete words of an unfinished command leave to be typed.
/// `None` where they are no command or already a mistake.
pub fn wanted<'t>(tokens: &'t [Token<'t>], catalog: &Catalog) -> Option<Wanted> {
    let (command, words) = name(tokens, catalog).ok()?;
    let signature = catalog.signature(command);
    let mut binder = Binder {
        signature,
        catalog,
        text: "",
        args: Vec::new(),
        position: 0,
    };
    let rest = &tokens[words..];
    let missing_is_fine = binder.bind(rest, tokens[0].span);
    if let Err(e) = missing_is_fine
        && rest.iter().any(|t| t.span == e.span)
    {
        return None;
    }
    let mut params = Vec::new();
    for (place, param) in signature.params.iter().enumerate() {
        let again = matches!(param.need, Need::Repeated | Need::Any);
        let passed = param.form == Form::Positional && place < binder.position;
        if (!binder.has(place) || again) && !passed {
            params.push(param);
        }
    }
    let usage = params
        .iter()
        .map(|p| p.usage())
        .collect::<Vec<_>>()
        .join(" ");
    Some(Wanted {
        signature,
        params,
        usage,
    })
}
