//! What is derived from the command table is what stands in the repository, and the table
//! says what it must.

mod harness;

use harness::root;
use ipcsh::commands;
use ipcsh::lang::{Kind, Runs};
use ipcsh::view::help::{commands_ebnf, readme_table};

/// Compares a file with what it should be; `IPCSH_BLESS=1` writes it.
fn is_current(file: &str, current: &str) {
    let path = root().join(file);
    if std::env::var_os("IPCSH_BLESS").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == current,
        "{file} is not what the command table says: IPCSH_BLESS=1 cargo test --test generated"
    );
}

#[test]
fn the_grammar_of_the_commands_is_current() {
    let commands = &commands::commands().catalog.commands;
    is_current("grammar/commands.ebnf", &commands_ebnf(commands));
}

#[test]
fn the_readme_table_is_current() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (before, rest) = readme.split_once("<!-- commands -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /commands -->").unwrap();
    let table = readme_table(&commands::commands().catalog.commands);
    let current = format!("{before}<!-- commands -->\n{table}<!-- /commands -->{after}");
    is_current("README.md", &current);
}

#[test]
fn the_table_says_what_it_must() {
    let commands = commands::commands();
    for signature in commands::signatures() {
        let name = signature.name;
        assert!(!signature.summary.is_empty(), "{name}");
        assert!(!signature.summary.ends_with('.'), "{name}");
        for param in signature.params {
            assert!(!param.help.is_empty(), "{name} {}", param.name);
            if let Kind::Choice(words) = param.kind {
                let told = format!("{} {}", param.usage(), param.help);
                assert!(
                    words.iter().all(|word| told.contains(word)),
                    "{name} {told}"
                );
            }
        }
        for (errno, meaning) in signature.errnos {
            assert!(
                commands.catalog.words.errnos.contains(errno),
                "{name} {errno}"
            );
            assert!(!meaning.is_empty(), "{name} {errno}");
        }
        if signature.runs == Runs::Actor {
            assert!(!signature.calls.is_empty(), "{name}");
            assert!(!signature.examples.is_empty(), "{name}");
        }
        if signature.blocks.is_some() {
            assert!(
                signature.errnos.iter().any(|(e, _)| *e == "EINTR"),
                "{name}"
            );
        }
    }
}
