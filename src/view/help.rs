//! Help, made from the command table.

mod ebnf;
#[cfg(test)]
mod tests;

use crate::data::Column;
use crate::lang::{Rule, Signature, closest};

pub use ebnf::commands_ebnf;

/// What help is made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The commands, and the words that begin a statement.
    pub signatures: &'a [&'static Signature],
    /// The errno of this symbol or number, and what it means.
    pub errno: &'a dyn Fn(&str) -> Option<(String, String)>,
    /// The fields of a noun's objects, and of an `actor`.
    pub fields: &'a dyn Fn(&str) -> Vec<&'static Column>,
    /// What is no command.
    pub topics: &'a [Topic],
}

/// Something to read about that is no command.
#[derive(Debug)]
pub struct Topic {
    /// What `help` is asked for.
    pub name: &'static str,
    /// What it is about.
    pub summary: &'static str,
    /// What there is to say.
    pub text: fn() -> String,
}

/// Everything `help` can say: an overview, a family, a command, an errno, a topic.
///
/// # Errors
/// The topic is not known; the error says what to ask for instead.
pub fn help(topic: &str, known: Known) -> Result<String, String> {
    let Known {
        signatures, topics, ..
    } = known;
    if topic.is_empty() {
        return Ok(overview(signatures, topics));
    }
    if let Some(signature) = signatures.iter().find(|s| s.name == topic) {
        let mut text = command(signature);
        let same = signatures.iter().filter(|s| s.verb() == Some(topic));
        let lines = same.map(|s| (s.name.into(), s.summary.into()));
        section(&mut text, "Of one family", lines.collect());
        return Ok(text);
    }
    // A family, or the verb of several.
    let of = |s: &&&Signature| s.noun() == topic || s.verb() == Some(topic);
    let family: Vec<_> = signatures.iter().filter(of).collect();
    if !family.is_empty() {
        let mut text = String::new();
        for signature in family {
            text.push_str(&format!(
                "{}\n    {}\n",
                signature.usage(),
                signature.summary
            ));
        }
        let fields = (known.fields)(topic);
        let lines = fields.iter().map(|f| (f.name.into(), f.help.into()));
        let title = format!("Fields: columns, keys of JSON, and `expect {topic}.NAME.FIELD`");
        section(&mut text, &title, lines.collect());
        return Ok(text);
    }
    if let Some(topic) = topics.iter().find(|t| t.name == topic) {
        let title = format!("{}: {}", topic.name, topic.summary);
        return Ok(format!("{title}\n\n{}", (topic.text)()));
    }
    if let Some((symbol, meaning)) = (known.errno)(topic) {
        return Ok(errno(&symbol, &meaning, signatures));
    }
    let fields = fields_named(topic, known);
    if !fields.is_empty() {
        let mut text = format!("{topic}: a column, a key of JSON, and what `expect` looks at\n");
        section(&mut text, "Of", fields);
        return Ok(text);
    }
    let tells = |t: &&Topic| {
        let text = (t.text)();
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == topic)
    };
    let names = signatures.iter().flat_map(|s| [s.name, s.noun()]);
    let names = names.chain(topics.iter().map(|t| t.name));
    Err(match (topics.iter().find(tells), closest(topic, names)) {
        (Some(tells), _) => format!("`help {}` tells of it", tells.name),
        (None, Some(close)) => format!("did you mean `{close}`?"),
        (None, None) => "`help` alone lists all there is".to_string(),
    })
}

/// What a field of this name is of each kind of object that has it.
fn fields_named(name: &str, known: Known) -> Vec<(String, String)> {
    let mut nouns: Vec<&str> = known.signatures.iter().map(|s| s.noun()).collect();
    nouns.push("actor");
    nouns.dedup();
    let of = |noun: &str| {
        let fields = (known.fields)(noun).into_iter();
        let field = fields.into_iter().find(|f| f.name == name)?;
        Some((noun.to_string(), field.help.to_string()))
    };
    nouns.into_iter().filter_map(of).collect()
}

fn overview(signatures: &[&'static Signature], topics: &[Topic]) -> String {
    let width = signatures.iter().map(|s| s.name.len()).max().unwrap_or(0);
    let mut text = String::from(
        "STEP            run it in the actor `me`        b: STEP      run it in the process b\n\
         b: STEP ...     it must be seen blocked         b: ... => ok it must resume so\n\
         STEP => OUTCOME the outcome must match          STEP &       start it, claim nothing\n",
    );
    text.push('\n');
    let mut last: Option<&Signature> = None;
    for signature in signatures {
        // A family ends with its last verb; a command without one stands with what follows.
        if last.is_some_and(|last| last.verb().is_some() && last.noun() != signature.noun()) {
            text.push('\n');
        }
        last = Some(signature);
        let name = format!("{:width$}", signature.name);
        text.push_str(&format!("{}  {}\n", name, signature.summary));
    }
    let topics: Vec<String> = topics
        .iter()
        .map(|t| format!("`help {}`", t.name))
        .collect();
    let topics = topics.join(", ");
    text.push_str(&format!(
        "\n`help COMMAND`, `help msgq`, `help EAGAIN` say more; so do\n{topics}.\n"
    ));
    text
}

/// A title and lines of two columns under it; nothing where there are none.
fn section(text: &mut String, title: &str, lines: Vec<(String, String)>) {
    if lines.is_empty() {
        return;
    }
    let width = lines.iter().map(|(left, _)| left.chars().count()).max();
    let width = width.unwrap_or(0);
    text.push_str(&format!("\n{}\n", title));
    for (left, right) in lines {
        text.push_str(&format!("    {left:width$}  {right}\n"));
    }
}

/// Everything about one command.
pub fn command(signature: &Signature) -> String {
    let mut text = format!("{}\n    {}\n", signature.usage(), signature.summary);
    let mut section = |title, lines| section(&mut text, title, lines);
    let params = signature
        .params
        .iter()
        .map(|p| (p.usage(), p.help.to_string()));
    section("Arguments", params.collect());
    let rules = signature.rules.iter();
    let rules = rules.map(|rule| (self::rule(signature, rule), String::new()));
    section("Together", rules.collect());
    if let Some(when) = signature.blocks {
        section("Blocks", vec![(when.to_string(), String::new())]);
    }
    let errnos = signature.errnos.iter();
    section(
        "Errors",
        errnos
            .map(|(e, m)| (e.to_string(), m.to_string()))
            .collect(),
    );
    if !signature.calls.is_empty() {
        section("Calls", vec![(signature.calls.join(", "), String::new())]);
    }
    if !signature.notes.is_empty() {
        text.push_str("\nNotes\n");
        for line in signature.notes.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    for example in signature.examples {
        text.push_str(&format!("\nExample: {}\n", example.shows));
        for line in example.script.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    let lines = text.lines().map(str::trim_end);
    lines.fold(String::new(), |all, line| all + line + "\n")
}

/// What holds of several arguments, in words.
fn rule(signature: &Signature, rule: &Rule) -> String {
    let written = |names: &[&str]| {
        let names = names.iter().map(|name| signature.written(name));
        names.collect::<Vec<_>>().join(", ")
    };
    match rule {
        Rule::Apart(names) => format!("one of {} at most", written(names)),
        Rule::Some(names) => format!("one of {} at least", written(names)),
        Rule::With(name, others @ [_]) => {
            format!("{} only with {}", written(&[name]), written(others))
        }
        Rule::With(name, others) => {
            format!("{} only with one of {}", written(&[name]), written(others))
        }
        Rule::Acts(name) => format!(
            "{} does more than look: it is not watched",
            written(&[name])
        ),
    }
}

fn errno(symbol: &str, meaning: &str, signatures: &[&'static Signature]) -> String {
    let mut text = format!("{}: {meaning}\n", symbol);
    let here = || {
        signatures.iter().flat_map(|s| {
            let errnos = s.errnos.iter().filter(|(e, _)| *e == symbol);
            errnos.map(|(_, here)| (s.name, *here))
        })
    };
    let width = here().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, here) in here() {
        text.push_str(&format!("    {name:width$}  {here}\n"));
    }
    text
}

/// README's table of commands.
pub fn readme_table(signatures: &[&'static Signature]) -> String {
    let mut text = String::from("| command | does |\n|---|---|\n");
    for signature in signatures {
        let usage = signature.usage().replace('|', "\\|");
        text.push_str(&format!("| `{usage}` | {} |\n", signature.summary));
    }
    text
}
