//! Help, made from the command table.

use super::Style;
use crate::lang::{Form, Need, Param, Signature, closest};

/// Everything `help` can say: an overview, a family, a command or an errno.
///
/// # Errors
/// The topic is not known; the error says what is.
pub fn help(
    topic: &str,
    signatures: &[&'static Signature],
    errno_text: &dyn Fn(&str) -> Option<String>,
    style: Style,
) -> Result<String, String> {
    if topic.is_empty() {
        return Ok(overview(signatures, style));
    }
    if let Some(signature) = signatures.iter().find(|s| s.name == topic) {
        return Ok(command(signature, style));
    }
    let family: Vec<_> = signatures.iter().filter(|s| s.noun() == topic).collect();
    if !family.is_empty() {
        let mut text = String::new();
        for signature in family {
            text.push_str(&format!(
                "{}\n    {}\n",
                style.strong(&signature.usage()),
                signature.summary
            ));
        }
        return Ok(text);
    }
    if let Some(meaning) = errno_text(topic) {
        return Ok(errno(topic, &meaning, signatures, style));
    }
    let names = signatures.iter().map(|s| s.name);
    let close = closest(topic, names).map_or(String::new(), |c| format!(". Did you mean `{c}`?"));
    Err(format!("there is no help on `{topic}`{close}"))
}

fn overview(signatures: &[&'static Signature], style: Style) -> String {
    let width = signatures.iter().map(|s| s.name.len()).max().unwrap_or(0);
    let mut text = String::from(
        "STEP            run it in the actor `me`        b: STEP      run it in the process b\n\
         b: STEP ...     it must be seen blocked         b: ... => ok it must resume so\n\
         STEP => OUTCOME the outcome must match          STEP &       start it, claim nothing\n",
    );
    let mut noun = "";
    for signature in signatures {
        if signature.noun() != noun && (signature.verb().is_some() || noun.is_empty()) {
            text.push('\n');
        }
        noun = signature.noun();
        let name = format!("{:width$}", signature.name);
        text.push_str(&format!("{}  {}\n", style.strong(&name), signature.summary));
    }
    text.push_str("\n`help COMMAND`, `help msgq`, `help EAGAIN` say more.\n");
    text
}

/// Everything about one command.
pub fn command(signature: &Signature, style: Style) -> String {
    let mut text = format!(
        "{}\n    {}\n",
        style.strong(&signature.usage()),
        signature.summary
    );
    let mut section = |title: &str, lines: Vec<(String, String)>| {
        if lines.is_empty() {
            return;
        }
        let width = lines
            .iter()
            .map(|(a, _)| a.chars().count())
            .max()
            .unwrap_or(0);
        text.push_str(&format!("\n{}\n", style.strong(title)));
        for (left, right) in lines {
            text.push_str(&format!("    {left:width$}  {right}\n"));
        }
    };
    let params = signature
        .params
        .iter()
        .map(|p| (p.usage(), p.help.to_string()));
    section("Arguments", params.collect());
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
        text.push_str(&format!("\n{}\n", style.strong("Notes")));
        for line in signature.notes.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    for example in signature.examples {
        text.push_str(&format!(
            "\n{}\n",
            style.strong(&format!("Example: {}", example.shows))
        ));
        for line in example.script.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    let lines = text.lines().map(str::trim_end);
    lines.fold(String::new(), |all, line| all + line + "\n")
}

fn errno(symbol: &str, meaning: &str, signatures: &[&'static Signature], style: Style) -> String {
    let mut text = format!("{}: {meaning}\n", style.strong(symbol));
    for signature in signatures {
        for (_, here) in signature.errnos.iter().filter(|(e, _)| *e == symbol) {
            text.push_str(&format!("    {:14} {here}\n", signature.name));
        }
    }
    text
}

/// `grammar/commands.ebnf`: one production a command.
pub fn commands_ebnf(signatures: &[&'static Signature]) -> String {
    let mut text = String::from(
        "(* The commands. Generated from the command table: do not edit.\n   \
         `cargo test` compares; IPCSH_BLESS=1 cargo test --test generated rewrites. *)\n\n",
    );
    let production = |s: &Signature| s.name.replace(' ', "-");
    let all: Vec<String> = signatures.iter().map(|s| production(s)).collect();
    text.push_str(&format!(
        "command = {}\n        ;\n",
        all.join("\n        | ")
    ));
    for signature in signatures {
        let words: Vec<String> = signature
            .name
            .split(' ')
            .map(|w| format!("\"{w}\""))
            .collect();
        text.push_str(&format!(
            "\n(* {} *)\n{} = {}",
            signature.summary,
            production(signature),
            words.join(", ")
        ));
        for param in signature.params {
            text.push_str(&format!(",\n    {}", ebnf(param)));
        }
        text.push_str(" ;\n");
    }
    text
}

fn ebnf(param: &Param) -> String {
    use crate::lang::Kind;
    let kind = match param.kind {
        Kind::Ref(_) => "reference".to_string(),
        Kind::NewRef(_) => "new-reference".into(),
        Kind::AnyRef => "any-reference".into(),
        Kind::Int(..) => "integer".into(),
        Kind::Size => "size".into(),
        Kind::Duration => "duration".into(),
        Kind::Mode => "mode".into(),
        Kind::Data => "data".into(),
        Kind::Value => "(integer | data)".into(),
        Kind::Place => "place".into(),
        Kind::SemOp => "sem-operation".into(),
        Kind::Choice(words) => {
            let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
            format!("({})", words.join(" | "))
        }
        Kind::Actor { .. } => "name".into(),
        Kind::Path | Kind::Owner | Kind::Word => "word".into(),
        Kind::Command => "command".into(),
        Kind::Switch => String::new(),
    };
    let written = match param.form {
        Form::Positional => kind,
        Form::Option => format!("\"{}=\", {kind}", param.name),
        Form::Flag => format!("\"--{}\"", param.name),
        Form::Short(letter) if kind.is_empty() => format!("(\"-{letter}\" | \"--{}\")", param.name),
        Form::Short(letter) => format!("\"-{letter}\", {kind}"),
    };
    match param.need {
        Need::Required => written,
        Need::Optional => format!("[ {written} ]"),
        Need::Repeated => format!("{written}, {{ {written} }}"),
        Need::Any => format!("{{ {written} }}"),
    }
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
