//! `grammar/commands.ebnf`, made from the command table in the rules of grammar/ipc.ebnf.

use std::collections::BTreeMap;

use crate::lang::{Family, Form, Kind, Need, Param, Runs, Signature};

const HEAD: &str = "\
(* The commands of ipcsh. Generated from the command table: do not edit.

   The rules that are not here stand in ipc.ebnf, which this completes: `actor-command`
   and `shell-command`. Flags and options may stand anywhere behind a command's name; here
   they stand behind its other arguments. Which numbers a command takes, and which arguments do
   not go together, its help says. *)
";

/// `grammar/commands.ebnf`: a rule for each command, in the rules of grammar/ipc.ebnf. For
/// the commands of the catalog, without the words that begin a statement: those have their
/// rules there.
pub fn commands_ebnf(signatures: &[&'static Signature]) -> String {
    let mut options = Options::default();
    let mut rules = String::new();
    for signature in signatures {
        rules.push_str(&rule(signature, &mut options));
    }
    let mut text = String::from(HEAD);
    for name in ["actor-command", "shell-command", "watched-command"] {
        let commands = signatures.iter().filter(|s| match name {
            "actor-command" => s.runs == Runs::Actor,
            "shell-command" => s.runs == Runs::Shell,
            _ => s.looks,
        });
        let names: Vec<String> = commands.map(|s| name_of(s)).collect();
        if !names.is_empty() {
            let names = names.join("\n  | ");
            text.push_str(&format!("\n{name}\n  = {names} ;\n"));
        }
    }
    text.push_str(&rules);
    if !options.rules.is_empty() {
        text.push_str("\n(* Options: one word each. *)\n");
    }
    for (name, right) in &options.rules {
        text.push_str(&format!("{name} = {right} ;\n"));
    }
    text
}

fn name_of(signature: &Signature) -> String {
    signature.name.replace(' ', "-")
}

/// The rule of a command, under what it does.
fn rule(signature: &Signature, options: &mut Options) -> String {
    let words = signature.name.split(' ').map(|w| format!("\"{w}\""));
    let mut parts: Vec<String> = words.collect();
    let behind = |p: &&&Param| p.form != Form::Positional;
    let (behind, mut params): (Vec<&Param>, Vec<&Param>) =
        signature.params.iter().partition(|p| behind(&p));
    params.extend(behind);
    parts.extend(params.iter().map(|p| param(p, signature, options)));
    // `msgq` alone lists the queues.
    if signature.verb() == Some("ls")
        && let [_, rest @ ..] = parts.as_mut_slice()
        && let Some(last) = rest.len().checked_sub(1)
    {
        rest[0].insert_str(0, "[ ");
        rest[last].push_str(" ]");
    }
    let mut text = format!(
        "\n(* {} *)\n{} =",
        // A comment ends at its first `*)`.
        signature.summary.replace("*)", "* )"),
        name_of(signature)
    );
    let mut width = text.len() - text.rfind('\n').unwrap_or(0);
    for (i, part) in parts.iter().enumerate() {
        let comma = if i + 1 < parts.len() { " ," } else { " ;" };
        let room = part.chars().count() + comma.len() + 1;
        if width + room > 96 {
            text.push_str("\n   ");
            width = 3;
        }
        width += room;
        text.push_str(&format!(" {part}{comma}"));
    }
    text.push('\n');
    text
}

/// The rules of options, each of which is one word and so has a rule in upper case.
#[derive(Default)]
struct Options {
    rules: BTreeMap<String, String>,
}

impl Options {
    /// The name of the rule for an option; two of one name that take different things
    /// have two.
    fn name(&mut self, param: &Param, signature: &Signature, right: String) -> String {
        let short = param.name.to_uppercase().replace('_', "-");
        let long = format!("{}-{short}", name_of(signature).to_uppercase());
        let name = [format!("OPTION-{short}"), format!("OPTION-{long}")]
            .into_iter()
            .find(|n| self.rules.get(n).is_none_or(|r| *r == right));
        let name = name.unwrap_or(long);
        self.rules.insert(name.clone(), right);
        name
    }
}

fn param(param: &Param, signature: &Signature, options: &mut Options) -> String {
    let place = signature.params.iter().position(|p| p.name == param.name);
    let takes = kind(param.kind);
    let takes = match place.is_some_and(|place| signature.quotes(place)) {
        true if takes.starts_with("REF") => format!("( {takes} | STRING | RAW )"),
        _ => takes,
    };
    let written = match param.form {
        Form::Positional => takes,
        Form::Option => {
            let right = format!("\"{}=\" , {takes}", param.name);
            options.name(param, signature, right)
        }
        Form::Dash => format!("\"-\" , {takes}"),
        Form::Flag if param.kind == Kind::Switch => format!("\"--{}\"", param.name),
        Form::Flag => format!("\"--{}\" , {takes}", param.name),
        Form::Short(letter) if param.kind == Kind::Switch => {
            format!("( \"-{letter}\" | \"--{}\" )", param.name)
        }
        Form::Short(letter) => format!("\"-{letter}\" , {takes}"),
    };
    let bare = || match written
        .strip_prefix("( ")
        .and_then(|w| w.strip_suffix(" )"))
    {
        Some(inside) if !inside.contains('(') => inside,
        _ => written.as_str(),
    };
    match param.need {
        Need::Required => written,
        Need::Optional => format!("[ {} ]", bare()),
        Need::Repeated => format!("{written} , {{ {} }}", bare()),
        Need::Any | Need::Unless(_) => format!("{{ {} }}", bare()),
    }
}

/// The rule of ipc.ebnf for what an argument takes.
fn kind(kind: Kind) -> String {
    let rule = match kind {
        Kind::Ref(Family::Msgq) => "REF-MSGQ",
        Kind::Ref(Family::Shm) => "REF-SHM",
        Kind::Ref(Family::Sem) => "REF-SEM",
        Kind::Semaphore => "REF-SEMAPHORE",
        Kind::Ref(Family::Pipe) => "REF-PIPE",
        Kind::Ref(Family::Fifo) => "REF-FIFO",
        Kind::Ref(Family::Sock) => "REF-SOCK",
        Kind::NewRef(Family::Fifo) => "( PATH | STRING )",
        Kind::AnyRef => "REF-ANY",
        Kind::NewRef(_) => "NEW-NAME",
        Kind::NewName(_) => "NAME",
        Kind::Int(0.., _) | Kind::Size | Kind::Pid => "( COUNT | COMPUTED )",
        Kind::Key => "KEY",
        Kind::Int(..) => "( INTEGER | COMPUTED )",
        Kind::Duration => "( DURATION | COMPUTED )",
        Kind::Mode => "MODE",
        Kind::Data => "( DATA | COMPUTED )",
        Kind::Value => "( INTEGER | COMPUTED | DATA )",
        Kind::Place => "PLACE",
        Kind::Offset => "OFFSET",
        Kind::SemOp => "SEM-OP",
        Kind::Actor { .. } => "NAME",
        Kind::Path => "PATH",
        Kind::Owner => "( WORD | COUNT )",
        Kind::Signal => "SIGNAL",
        Kind::Columns(_) => "( COLUMNS | COMPUTED | STRING | RAW )",
        Kind::Order => "( ORDER | COMPUTED | STRING | RAW )",
        Kind::Process { group: false } => "( NAME | COUNT | COMPUTED | STRING | RAW )",
        Kind::Process { group: true } => "( NAME | INTEGER | COMPUTED | STRING | RAW )",
        Kind::Word | Kind::Topic => "( WORD | INTEGER | COMPUTED | STRING | RAW )",
        Kind::Command => "watched-command",
        Kind::Address => "ADDRESS",
        Kind::Fd => "HELD",
        Kind::Pipeline => "PIPELINE",
        Kind::Switch => "",
        Kind::Choice(words) => {
            let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
            return match words.as_slice() {
                [word] => word.clone(),
                words => format!("( {} )", words.join(" | ")),
            };
        }
    };
    rule.to_string()
}
