//! What could be typed next: completions with descriptions, and usage hints. Pure: a line
//! and what is known in, candidates out.

use crate::data::{Cell, Column, Family, Outcome};
use crate::lang::{
    Catalog, Form, Kind, Lexeme, Param, Signature, Token, tokens, vocabulary, wanted,
};

/// What completion may know of the session and the host.
pub(super) trait Knowledge {
    fn catalog(&self) -> &Catalog;
    /// The names of a family's objects, with their ids.
    fn names(&self, family: Family) -> Vec<(String, i32)>;
    /// The objects of the host: id and key.
    fn host(&self, family: Family) -> Vec<(i32, i32)>;
    /// The actors, with their pids.
    fn actors(&self) -> Vec<(String, i32)>;
    /// The variables.
    fn variables(&self) -> Vec<(String, Outcome)>;
    /// The fields that `expect` may name.
    fn fields(&self, kind: &str) -> Vec<&'static Column>;
    /// What the words that are no commands mean.
    fn keywords(&self) -> &[&'static Signature];
    /// What an errno means.
    fn errno(&self, symbol: &str) -> String;
}

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub word: String,
    pub description: String,
}

impl Candidate {
    fn new(word: impl Into<String>, description: impl Into<String>) -> Candidate {
        Candidate {
            word: word.into(),
            description: description.into(),
        }
    }
}

/// The statement that the cursor stands in, without its actor and `let NAME =`.
struct Statement<'a> {
    /// The complete words.
    words: Vec<Token<'a>>,
    /// The word that is being typed; empty behind a blank.
    partial: &'a str,
    /// Whether an actor or a variable stands before it.
    prefixed: bool,
}

fn statement(before: &str) -> Statement<'_> {
    let all = tokens(before);
    let begin = all
        .iter()
        .rposition(|t| matches!(t.lexeme, Lexeme::End | Lexeme::Open | Lexeme::Close))
        .map_or(0, |i| i + 1);
    let mut words: Vec<Token> = all[begin..].to_vec();
    let mut partial = "";
    if let Some(last) = words.last()
        && last.span.end as usize == before.len()
        && let Some(word) = last.bare()
    {
        partial = word;
        words.pop();
    }
    let mut prefixed = false;
    if words
        .first()
        .and_then(Token::bare)
        .is_some_and(|w| w.ends_with(':'))
    {
        words.remove(0);
        prefixed = true;
    }
    let is_let = words.first().and_then(Token::bare) == Some("let");
    if is_let && words.len() >= 3 {
        words.drain(..3);
        prefixed = true;
    }
    Statement {
        words,
        partial,
        prefixed,
    }
}

/// Where the word under the cursor begins, and what it may become.
pub(super) fn candidates(line: &str, pos: usize, know: &dyn Knowledge) -> (usize, Vec<Candidate>) {
    let before = &line[..pos];
    let statement = statement(before);
    let start = pos - statement.partial.len();
    let mut found = all(&statement, know);
    found.retain(|c| c.word.starts_with(statement.partial) && c.word != statement.partial);
    (start, found)
}

fn all(statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let words = &statement.words;
    let claimed = words.iter().any(|t| t.lexeme == Lexeme::Arrow);
    if claimed {
        return outcomes(know);
    }
    if let Some(name) = statement.partial.strip_prefix('$') {
        return variables(name, know);
    }
    let first = words.first().and_then(Token::bare);
    match first {
        None => commands(statement, know),
        Some("expect") if words.len() == 1 => subjects(statement.partial, know),
        Some("expect") if words.len() == 2 => ["==", "!=", "<", "<=", ">", ">=", "~"]
            .map(|op| Candidate::new(op, "comparison"))
            .to_vec(),
        Some("expect") => vec![Candidate::new(
            "within",
            "hold before a while is over: within 1s",
        )],
        Some("help") => help_topics(know),
        Some(noun) => arguments(noun, statement, know),
    }
}

fn commands(statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let catalog = know.catalog();
    let mut found: Vec<Candidate> = catalog
        .nouns()
        .map(|noun| {
            let verbs: Vec<&str> = catalog.verbs(noun).collect();
            let description = match verbs.is_empty() {
                true => catalog
                    .place(noun)
                    .map_or("", |p| catalog.signature(p).summary)
                    .to_string(),
                false => verbs.join(", "),
            };
            Candidate::new(noun, description)
        })
        .collect();
    for keyword in know.keywords() {
        found.push(Candidate::new(keyword.name, keyword.summary));
    }
    if !statement.prefixed {
        for (actor, pid) in know.actors() {
            found.push(Candidate::new(
                format!("{actor}:"),
                format!("the actor, pid {pid}"),
            ));
        }
    }
    found
}

fn outcomes(know: &dyn Knowledge) -> Vec<Candidate> {
    let mut found = vec![
        Candidate::new("ok", "any success"),
        Candidate::new("eof", "the other side has closed"),
    ];
    let errnos = know.catalog().errnos.iter();
    found.extend(errnos.map(|e| Candidate::new(*e, know.errno(e))));
    found
}

fn variables(partial: &str, know: &dyn Knowledge) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (name, outcome) in know.variables() {
        found.push(Candidate::new(format!("${name}"), outcome.to_string()));
        if partial.starts_with(&name) {
            for field in outcome.fields.iter().chain(&outcome.remarks) {
                let word = format!("${name}.{}", field.name);
                found.push(Candidate::new(word, field.value.to_string()));
            }
        }
    }
    found
}

fn subjects(partial: &str, know: &dyn Knowledge) -> Vec<Candidate> {
    let kinds = Family::ALL
        .map(Family::noun)
        .into_iter()
        .chain(["actor", "limits"]);
    let parts: Vec<&str> = partial.split('.').collect();
    match parts.as_slice() {
        [kind, name, _] => {
            let fields = know.fields(kind).into_iter();
            fields
                .map(|c| Candidate::new(format!("{kind}.{name}.{}", c.name), c.help))
                .collect()
        }
        [kind, _] if *kind == "limits" => {
            let limits = know.catalog().limits.iter();
            limits
                .map(|name| Candidate::new(format!("limits.{name}.value"), "a limit of the kernel"))
                .collect()
        }
        [kind, _] => {
            let named = match Family::from_noun(kind) {
                Some(family) => know.names(family),
                None => know.actors(),
            };
            named
                .into_iter()
                .map(|(name, id)| Candidate::new(format!("{kind}.{name}."), format!("{id}")))
                .collect()
        }
        _ => {
            let mut found: Vec<Candidate> = kinds
                .map(|kind| Candidate::new(format!("{kind}."), "what is looked at"))
                .collect();
            found.push(Candidate::new(
                "deadlock",
                "actors that wait for each other",
            ));
            found
        }
    }
}

fn help_topics(know: &dyn Knowledge) -> Vec<Candidate> {
    let catalog = know.catalog();
    let signatures = catalog.commands.iter().chain(know.keywords());
    let mut found: Vec<Candidate> = signatures
        .map(|s| Candidate::new(s.name, s.summary))
        .collect();
    found.extend(
        catalog
            .errnos
            .iter()
            .map(|e| Candidate::new(*e, know.errno(e))),
    );
    found
}

fn arguments(noun: &str, statement: &Statement, know: &dyn Knowledge) -> Vec<Candidate> {
    let catalog = know.catalog();
    let mut found = Vec::new();
    if statement.words.len() == 1 {
        for verb in catalog.verbs(noun) {
            let place = catalog.place(&format!("{noun} {verb}"));
            let summary = place.map_or("", |p| catalog.signature(p).summary);
            found.push(Candidate::new(verb, summary));
        }
    }
    if let Some(wanted) = wanted(&statement.words, catalog)
        && (statement.words.len() > 1 || wanted.signature.verb().is_none())
    {
        for param in wanted.params {
            of_param(param, statement.partial, know, &mut found);
        }
    }
    found
}

fn of_param(param: &Param, partial: &str, know: &dyn Knowledge, found: &mut Vec<Candidate>) {
    match param.form {
        Form::Flag => {
            return found.push(Candidate::new(format!("--{}", param.name), param.help));
        }
        Form::Option => {
            return found.push(Candidate::new(format!("{}=", param.name), param.help));
        }
        Form::Short(letter) => {
            return found.push(Candidate::new(format!("-{letter}"), param.help));
        }
        Form::Positional => {}
    }
    match param.kind {
        Kind::Ref(family) => objects(family, partial, know, found),
        Kind::AnyRef => {
            for family in Family::ALL {
                for (name, id) in know.names(family) {
                    found.push(Candidate::new(name, format!("{} {id}", family.object())));
                }
            }
        }
        Kind::Choice(words) => {
            found.extend(words.iter().map(|w| Candidate::new(*w, param.help)));
        }
        Kind::Actor { new: false } => {
            for (actor, pid) in know.actors() {
                found.push(Candidate::new(actor, format!("pid {pid}")));
            }
        }
        Kind::Command => {
            for noun in know.catalog().nouns() {
                found.push(Candidate::new(noun, ""));
            }
        }
        Kind::Place => {
            for word in vocabulary().into_iter().filter(|w| is_int_type(w)) {
                found.push(Candidate::new(
                    format!("{word}@"),
                    "an integer at an offset",
                ));
            }
        }
        _ => {}
    }
}

fn is_int_type(word: &str) -> bool {
    crate::lang::IntType::from_name(word).is_some()
}

fn objects(family: Family, partial: &str, know: &dyn Knowledge, found: &mut Vec<Candidate>) {
    for (name, id) in know.names(family) {
        found.push(Candidate::new(name, format!("{} {id}", family.object())));
    }
    // The host may have thousands: they are listed once the user asks for ids or keys.
    if partial.starts_with("id:") {
        for (id, key) in know.host(family) {
            found.push(Candidate::new(
                format!("id:{id}"),
                format!("key {}", Cell::Key(key)),
            ));
        }
    } else if partial.starts_with("key:") {
        for (id, key) in know.host(family).into_iter().filter(|(_, key)| *key != 0) {
            found.push(Candidate::new(
                format!("key:{}", Cell::Key(key)),
                format!("id {id}"),
            ));
        }
    } else {
        found.push(Candidate::new("id:", "an object of the host, by its id"));
        found.push(Candidate::new("key:", "an object of the host, by its key"));
    }
}

/// What is left of the usage line, at the end of what has been typed.
pub(super) fn hint(line: &str, know: &dyn Knowledge) -> Option<String> {
    let blank = line.ends_with([' ', '\t']);
    let Statement {
        mut words, partial, ..
    } = statement(line);
    if !partial.is_empty() && !blank {
        // The word may be complete: take it as one.
        words.push(tokens(line).pop()?);
    }
    let last = words.last()?;
    if matches!(
        last.lexeme,
        Lexeme::Arrow | Lexeme::Ellipsis | Lexeme::Ampersand
    ) || words.iter().any(|t| t.lexeme == Lexeme::Arrow)
    {
        return None;
    }
    let wanted = wanted(&words, know.catalog())?;
    if wanted.usage.is_empty() {
        return None;
    }
    // A noun alone lists; its verbs are what completion is for.
    if words.len() == 1 && wanted.signature.verb().is_some() {
        return None;
    }
    let gap = if blank { "" } else { " " };
    Some(format!("{gap}{}", wanted.usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Knowledge for Fixed {
        fn catalog(&self) -> &Catalog {
            &crate::commands::commands().catalog
        }
        fn names(&self, family: Family) -> Vec<(String, i32)> {
            match family {
                Family::Msgq => vec![("jobs".into(), 7)],
                _ => Vec::new(),
            }
        }
        fn host(&self, _: Family) -> Vec<(i32, i32)> {
            vec![(7, 0x1234), (9, 0)]
        }
        fn actors(&self) -> Vec<(String, i32)> {
            vec![("bob".into(), 42)]
        }
        fn variables(&self) -> Vec<(String, Outcome)> {
            vec![("msg".into(), Outcome::value(1).field("type", 2))]
        }
        fn fields(&self, kind: &str) -> Vec<&'static Column> {
            static QNUM: Column = Column {
                name: "qnum",
                help: "messages in the queue",
            };
            match kind {
                "msgq" => vec![&QNUM],
                _ => Vec::new(),
            }
        }
        fn keywords(&self) -> &[&'static Signature] {
            crate::builtin::KEYWORDS
        }
        fn errno(&self, _: &str) -> String {
            String::new()
        }
    }

    fn words(line: &str) -> Vec<String> {
        let (_, found) = candidates(line, line.len(), &Fixed);
        found.into_iter().map(|c| c.word).collect()
    }

    #[test]
    fn what_is_typed_is_completed() {
        for (line, expected) in [
            ("ms", &["msgq"][..]),
            ("msgq se", &["send", "set"]),
            ("msgq recv jo", &["jobs"]),
            ("msgq recv id:", &["id:7", "id:9"]),
            ("msgq recv key:", &["key:0x00001234"]),
            ("msgq recv --no", &["--nowait", "--noerror"]),
            ("msgq recv jobs ma", &["max="]),
            ("b: msgq recv jobs --e", &["--except"]),
            ("cancel b", &["bob"]),
            ("bo", &["bob:"]),
            ("msgq recv => ENOMS", &["ENOMSG"]),
            ("expect ms", &["msgq."]),
            ("expect msgq.jo", &["msgq.jobs."]),
            ("expect msgq.jobs.q", &["msgq.jobs.qnum"]),
            ("echo $ms", &["$msg"]),
            ("echo $msg.", &["$msg.type"]),
            ("repeat 3 { msgq rec", &["recv"]),
            ("let m = msgq rec", &["recv"]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn the_hint_shrinks_as_one_types() {
        for (line, expected) in [
            ("msgq send", Some(" [QUEUE] TYPE DATA [--nowait]")),
            ("msgq send ", Some("[QUEUE] TYPE DATA [--nowait]")),
            ("msgq send jobs ", Some("TYPE DATA [--nowait]")),
            ("msgq send jobs 1 ", Some("DATA [--nowait]")),
            ("b: msgq send 1 \"x\" ", Some("[--nowait]")),
            ("msgq", None),
            ("msgq send 1 \"x\" => ", None),
            ("nonsense ", None),
        ] {
            assert_eq!(hint(line, &Fixed).as_deref(), expected, "{line}");
        }
    }
}
