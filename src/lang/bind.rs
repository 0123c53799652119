//! Words to arguments: what a command's signature makes of what follows its name.

mod blame;
mod literal;
mod take;
mod wanted;
mod whole;

use super::catalog::{Catalog, Lookup};
use super::diagnostic::{Mistake, Parsed};
use super::given::Given;
use super::lexer::{Lexeme, Token, is_name};
use super::number;
use super::program::{Arg, Call, Span, Term};
use super::signature::{Form, Kind, Need, Param, Rule, Signature};
use take::{quoted_reference, take};
pub use wanted::{Wanted, wanted};

/// Reads a command: its name and its arguments. `after` is where its words end, for a
/// command that is missing.
pub(super) fn call(
    tokens: &mut [Token],
    after: Span,
    catalog: &Catalog,
    text: &str,
) -> Parsed<Call> {
    if tokens.is_empty() {
        return Err(
            Mistake::new(after, "the command is missing before this").label("expected a command")
        );
    }
    command(tokens, catalog, text, false)
}

fn command(tokens: &mut [Token], catalog: &Catalog, text: &str, nested: bool) -> Parsed<Call> {
    let (command, words) = name(tokens, catalog)?;
    let signature = catalog.signature(command);
    let name = tokens[0].span.to(tokens[words - 1].span);
    if nested && !signature.looks {
        return Err(blame::unwatched(name, signature, catalog));
    }
    let mut binder = Binder::new(signature, catalog, text);
    binder.reserve(tokens.len() - words);
    binder.bind(&mut tokens[words..], name)?;
    let acts = signature.rules.iter().find_map(|rule| match rule {
        Rule::Acts(param) if nested && binder.gives(param) => Some(*param),
        _ => None,
    });
    if let Some(param) = acts {
        return Err(blame::acting(name, signature, param));
    }
    Ok(Call {
        command,
        args: binder.args,
    })
}

/// The command that the first words name, and how many they are.
fn name(tokens: &[Token], catalog: &Catalog) -> Parsed<(u16, usize)> {
    let Some((first, noun)) = tokens.first().and_then(|t| Some((t, t.bare()?))) else {
        let span = tokens.first().map_or(Span::default(), |t| t.span);
        return Err(
            Mistake::new(span, "a command cannot begin with data").label("expected a command")
        );
    };
    let second = tokens.get(1);
    // A string is no verb.
    let verb = second.map(|t| t.bare().unwrap_or("\""));
    match catalog.lookup(noun, verb) {
        Lookup::Found(place, words) => Ok((place, words)),
        Lookup::NoVerb => Err(blame::verb(first, noun, second, catalog)),
        Lookup::NoNoun => Err(blame::noun(first, noun, second, catalog)),
    }
}

/// What is wrong with a name that begins no command; `None` where it begins one.
pub(super) fn unknown(first: &Token, catalog: &Catalog) -> Option<Mistake> {
    let noun = first.bare().filter(|word| is_name(word))?;
    (!catalog.is_noun(noun)).then(|| blame::noun(first, noun, None, catalog))
}

struct Binder<'a> {
    signature: &'static Signature,
    catalog: &'a Catalog,
    text: &'a str,
    args: Vec<(u8, Arg)>,
    /// Where each of them stands, where they are judged.
    spans: Vec<Span>,
    judged: bool,
    /// The positional parameter that is next.
    position: usize,
}

impl<'a> Binder<'a> {
    fn new(signature: &'static Signature, catalog: &'a Catalog, text: &'a str) -> Binder<'a> {
        Binder {
            signature,
            catalog,
            text,
            args: Vec::new(),
            spans: Vec::new(),
            judged: literal::is_judged(signature),
            position: 0,
        }
    }

    /// Room for so many arguments, and no more: a program may have hundreds of thousands.
    fn reserve(&mut self, args: usize) {
        self.args.reserve_exact(args);
        if self.judged {
            self.spans.reserve_exact(args);
        }
    }

    fn push(&mut self, place: usize, arg: Arg, span: Span) {
        self.args.push((place as u8, arg));
        if self.judged {
            self.spans.push(span);
        }
    }

    fn params(&self) -> &'static [Param] {
        self.signature.params
    }

    /// Takes the tokens one after the other; data is moved out of them, not copied.
    fn bind(&mut self, tokens: &mut [Token], name: Span) -> Parsed<()> {
        let end = tokens.last().map_or(name, |t| t.span);
        let mut at = 0;
        while at < tokens.len() {
            let rest = &mut tokens[at..];
            at += match rest[0].bare() {
                Some(word) if word.starts_with("--") && word.len() > 2 => {
                    self.flag(&word[2..], rest)?
                }
                Some(word) if self.dash_of(word).is_some() => self.dash(&rest[0], word)?,
                Some(word) if is_short(word) => self.short(word, rest)?,
                Some(word) => match self.option_of(word) {
                    Some(place) => self.option(place, word, rest)?,
                    None => self.positional(rest)?,
                },
                None => self.positional(rest)?,
            };
        }
        self.complete(end)?;
        self.together(end)?;
        self.some(end)?;
        if !self.judged {
            return Ok(());
        }
        self.literals()?;
        let given = Given {
            signature: self.signature,
            args: &self.args,
        };
        match self.signature.refuses.and_then(|refuses| refuses(given)) {
            Some(refusal) => Err(refusal.mistake(&self.spans)),
            None => Ok(()),
        }
    }

    // Each of these says how many tokens it took.

    fn flag(&mut self, name: &str, tokens: &mut [Token]) -> Parsed<usize> {
        let span = tokens[0].span;
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let found = self.params().iter().position(|p| {
            p.name == name
                && match p.form {
                    Form::Flag => true,
                    Form::Short(_) => p.kind == Kind::Switch,
                    _ => false,
                }
        });
        let Some(place) = found else {
            return Err(self.unknown(span, &format!("--{name}")));
        };
        if let Some(value) = value {
            return Err(match self.params()[place].kind {
                Kind::Switch => Mistake::new(span, format!("`--{name}` takes no value"))
                    .label(format!("write --{name}")),
                _ => Mistake::new(
                    span,
                    format!("the value of `--{name}` is a word of its own"),
                )
                .label(format!("write --{name} {value}")),
            });
        }
        if self.params()[place].kind == Kind::Switch {
            return self.add(place, Arg::Switch, span).map(|()| 1);
        }
        self.valued(place, &format!("--{name}"), span, tokens.get_mut(1))
            .map(|()| 2)
    }

    /// A parameter whose value is the next word.
    fn valued(
        &mut self,
        place: usize,
        written: &str,
        span: Span,
        value: Option<&mut Token>,
    ) -> Parsed<()> {
        let param = &self.params()[place];
        let Some(value) = value else {
            return Err(
                Mistake::new(span, format!("`{written}` needs a value after it"))
                    .label(format!("expected {}", param.kind.describe())),
            );
        };
        let arg = self.take_required(place, value)?;
        self.add(place, arg, value.span)
    }

    fn short(&mut self, word: &str, tokens: &mut [Token]) -> Parsed<usize> {
        let span = tokens[0].span;
        let mut taken = 1;
        for letter in word.chars().skip(1) {
            let found = self
                .params()
                .iter()
                .position(|p| p.form == Form::Short(letter));
            let Some(place) = found else {
                return Err(self.unknown(span, &format!("-{letter}")));
            };
            let param = &self.params()[place];
            if param.kind == Kind::Switch {
                self.add(place, Arg::Switch, span)?;
                continue;
            }
            self.valued(place, &format!("-{letter}"), span, tokens.get_mut(taken))?;
            taken += 1;
        }
        Ok(taken)
    }

    /// The parameter that a dash and a value are, where the command has one and no flag of
    /// this letter.
    fn dash_of(&self, word: &str) -> Option<usize> {
        let value = word.strip_prefix('-').filter(|v| !v.is_empty())?;
        let mut letters = value.chars();
        let letter = letters.next().filter(|_| letters.next().is_none());
        let is_flag = |p: &Param| letter.is_some_and(|l| p.form == Form::Short(l));
        let place = match self.params().iter().any(is_flag) {
            true => None,
            false => self.params().iter().position(|p| p.form == Form::Dash),
        }?;
        // `kill -TERM -812`: behind the one, a number is another argument.
        let is_number = value.bytes().all(|b| b.is_ascii_digit());
        (!is_number || !self.has(place)).then_some(place)
    }

    fn dash(&mut self, token: &Token, word: &str) -> Parsed<usize> {
        let Some(place) = self.dash_of(word) else {
            return Err(self.unknown(token.span, word));
        };
        let at = token.span.start as usize + 1;
        let mut value = Token {
            span: Span::new(at, token.span.end as usize),
            lexeme: Lexeme::Bare(&word[1..]),
        };
        let arg = self.take_required(place, &mut value)?;
        self.add(place, arg, token.span).map(|()| 1)
    }

    fn option_of(&self, word: &str) -> Option<usize> {
        let sign = word.bytes().position(|b| b == b'=')?;
        let name = &word[..sign];
        self.params()
            .iter()
            .position(|p| p.form == Form::Option && p.name == name)
    }

    fn option(&mut self, place: usize, word: &str, tokens: &mut [Token]) -> Parsed<usize> {
        let span = tokens[0].span;
        let param = &self.params()[place];
        let value = &word[param.name.len() + 1..];
        let at = span.start as usize + param.name.len() + 1;
        let (arg, taken) = if value.is_empty() {
            // `data="…"`: the string is a token of its own, with nothing between.
            match tokens.get_mut(1) {
                Some(next) if next.span.start == span.end => (self.take_required(place, next)?, 2),
                _ => {
                    let end = span.end as usize;
                    return Err(Mistake::new(
                        Span::new(end, end),
                        format!("the value of `{}` is missing", param.name),
                    )
                    .label(format!(
                        "expected {} with no blank before it",
                        param.kind.describe()
                    )));
                }
            }
        } else {
            let mut token = Token {
                span: Span::new(at, at + value.len()),
                lexeme: Lexeme::Bare(value),
            };
            (self.take_required(place, &mut token)?, 1)
        };
        self.add(place, arg, span)?;
        Ok(taken)
    }

    fn positional(&mut self, tokens: &mut [Token]) -> Parsed<usize> {
        let first = self.position;
        while let Some(param) = self.params().get(self.position) {
            if param.form != Form::Positional {
                self.position += 1;
                continue;
            }
            match param.kind {
                Kind::Command => return self.command(tokens),
                Kind::Pipeline => return self.pipeline(tokens),
                _ => {}
            }
            if param.need == Need::Optional && self.is_the_choice(tokens) {
                self.position += 1;
                continue;
            }
            let (taken, arg) = match quoted_reference(param, tokens) {
                Some(arg) => (2, Some(arg)),
                None => {
                    let quotes = self.signature.quotes(self.position);
                    (1, take(param, quotes, &mut tokens[0]))
                }
            };
            match arg {
                Some(arg) => {
                    let arg = self.known(param, arg?, tokens[0].span)?;
                    let place = self.position;
                    if matches!(param.need, Need::Required | Need::Optional) {
                        self.position += 1;
                    }
                    self.push(place, arg, tokens[0].span);
                    return Ok(taken);
                }
                None if param.need == Need::Required => break,
                None if param.need == Need::Repeated && !self.has(self.position) => break,
                None => self.position += 1,
            }
        }
        Err(self.unexpected(&mut tokens[0], first))
    }

    /// Whether the word is one that the next parameter takes: `sock shutdown w`, `pipe close w`,
    /// where an object could stand before it.
    fn is_the_choice(&self, tokens: &[Token]) -> bool {
        let mut later = self.params().iter().skip(self.position + 1);
        let next = later.find(|p| p.form == Form::Positional);
        let Some(Kind::Choice(words)) = next.map(|p| p.kind) else {
            return false;
        };
        let is_one = |token: Option<&Token>| {
            token
                .and_then(Token::bare)
                .is_some_and(|w| words.contains(&w))
        };
        is_one(tokens.first()) && !is_one(tokens.get(1))
    }

    /// The rest of the tokens as a command, up to `every` or an option of the command outside.
    fn command(&mut self, tokens: &mut [Token]) -> Parsed<usize> {
        let ends = |word: &str| word == "every" || self.option_of(word).is_some();
        let end = tokens
            .iter()
            .position(|t| t.bare().is_some_and(ends))
            .unwrap_or(tokens.len());
        let inner = &mut tokens[..end];
        if inner.is_empty() {
            return Err(
                Mistake::new(tokens[0].span, "the command is missing before this")
                    .label(format!("expected {}", blame::watched(self.catalog))),
            );
        }
        let span = inner[0].span.to(inner[end - 1].span);
        let last = inner[end - 1].clone();
        let inner_call =
            command(inner, self.catalog, self.text, true).map_err(|mistake| {
                match last.bare().filter(|word| number::duration(word).is_some()) {
                    Some(word) if mistake.span == last.span => {
                        mistake.help(format!("how often is written `every {word}`"))
                    }
                    _ => mistake,
                }
            })?;
        let text = span.of(self.text).into();
        let arg = Arg::Command(Box::new(inner_call), text);
        self.push(self.position, arg, span);
        self.position += 1;
        Ok(end)
    }

    /// All of the tokens as stages with `|` between them.
    fn pipeline(&mut self, tokens: &mut [Token]) -> Parsed<usize> {
        let place = self.position;
        let expected = format!("expected {}", Kind::Pipeline.describe());
        for (at, token) in tokens.iter_mut().enumerate() {
            let bar = token.bare() == Some("|");
            if at % 2 == 1 {
                match bar {
                    true => continue,
                    false if at == 1 => return Err(blame::no_pipeline(token, self.catalog)),
                    false => {
                        return Err(Mistake::new(token.span, "the stages are not joined here")
                            .label("expected | before the next stage"));
                    }
                }
            }
            let stage = match &mut token.lexeme {
                Lexeme::Bare(word) if is_name(word) => Arg::Word(word.to_string()),
                Lexeme::Data(data) => Arg::Term(std::mem::replace(data, Term::Int(0))),
                _ if bar => {
                    return Err(
                        Mistake::new(token.span, "a stage is missing before this").label(expected)
                    );
                }
                _ => {
                    return Err(Mistake::new(token.span, "this is no stage of a pipeline")
                        .label(expected)
                        .help("a program stands in quotes: pipe \"ls -la\" | \"wc -l\""));
                }
            };
            self.push(place, stage, token.span);
        }
        let end = tokens.last().map_or(Span::default(), |t| t.span);
        if tokens.len().is_multiple_of(2) {
            return Err(Mistake::new(end, "a stage is missing behind this").label(expected));
        }
        if tokens.len() == 1 {
            return Err(blame::no_pipeline(&tokens[0], self.catalog));
        }
        self.position += 1;
        Ok(tokens.len())
    }

    fn has(&self, place: usize) -> bool {
        self.args.iter().any(|(p, _)| usize::from(*p) == place)
    }

    fn add(&mut self, place: usize, arg: Arg, span: Span) -> Parsed<()> {
        let param = &self.params()[place];
        if self.has(place) && matches!(param.need, Need::Required | Need::Optional) {
            // As a familiar tool takes it.
            if arg == Arg::Switch && matches!(param.form, Form::Short(_)) {
                return Ok(());
            }
            return Err(
                Mistake::new(span, format!("`{}` is given twice", param.written()))
                    .label("leave one of them out"),
            );
        }
        self.apart(param, span)?;
        self.push(place, arg, span);
        Ok(())
    }

    fn take_required(&self, place: usize, token: &mut Token) -> Parsed<Arg> {
        let param = &self.params()[place];
        let quotes = self.signature.quotes(place);
        let arg = take(param, quotes, token).unwrap_or_else(|| Err(blame::wrong(param, token)))?;
        self.known(param, arg, token.span)
    }

    /// A signal is one that there is; `kill -0` sends none, and only asks.
    fn known(&self, param: &Param, arg: Arg, span: Span) -> Parsed<Arg> {
        let Arg::Word(word) = &arg else {
            return Ok(arg);
        };
        let asks = word == "0" && matches!(param.form, Form::Dash | Form::Short(_));
        if param.kind == Kind::Signal && !asks {
            self.catalog.signal(word, span)?;
        }
        Ok(arg)
    }
}

/// `-q`, `-qa`: letters only, so that `-3` stays a number.
fn is_short(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphabetic()))
}
