//! What is left of the usage line, at the end of what has been typed.

use super::complete::Knowledge;
use super::statement::Statement;
use crate::lang::{Lexeme, Signature, tokens, wanted};

/// The hint for a line with the cursor at its end.
pub(super) fn hint(line: &str, know: &dyn Knowledge) -> Option<String> {
    let Statement {
        mut words, partial, ..
    } = Statement::before(line)?;
    if !partial.is_empty() {
        // The word may be complete: take it as one.
        words.push(tokens(line).pop()?);
    }
    let first = words.first()?.bare()?;
    let signs = [Lexeme::Arrow, Lexeme::Ellipsis, Lexeme::Ampersand];
    if words.iter().any(|t| signs.contains(&t.lexeme)) {
        return None;
    }
    let keyword = know.keywords().iter().find(|k| k.name == first);
    let usage = match keyword {
        Some(keyword) => usage_after(keyword, words.len() - 1),
        None => {
            let wanted = wanted(&words, know.catalog())?;
            // A noun alone lists; its verbs are what completion is for.
            if words.len() == 1 && wanted.signature.verb().is_some() {
                return None;
            }
            wanted.usage
        }
    };
    let gap = if line.ends_with([' ', '\t', '\n']) {
        ""
    } else {
        " "
    };
    (!usage.is_empty()).then(|| format!("{gap}{usage}"))
}

/// A statement's usage behind so many of its words.
fn usage_after(keyword: &Signature, words: usize) -> String {
    let left = keyword.params.iter().skip(words);
    left.map(|p| p.usage()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::complete::tests::Fixed;
    use super::*;

    #[test]
    fn the_hint_shrinks_as_one_types() {
        for (line, expected) in [
            (
                "msgq send",
                Some(" [QUEUE] TYPE DATA [--nowait] [timeout=DUR]"),
            ),
            (
                "msgq send ",
                Some("[QUEUE] TYPE DATA [--nowait] [timeout=DUR]"),
            ),
            (
                "msgq send jobs ",
                Some("TYPE DATA [--nowait] [timeout=DUR]"),
            ),
            ("msgq send jobs 1", Some(" DATA [--nowait] [timeout=DUR]")),
            ("msgq send jobs 1 ", Some("DATA [--nowait] [timeout=DUR]")),
            ("msgq send jobs 1 \"x", None),
            ("b: msgq send 1 \"x\" ", Some("[--nowait] [timeout=DUR]")),
            ("b: msgq send 1 \"x\" --nowait ", Some("[timeout=DUR]")),
            (
                "let m = msgq recv jobs 1 --nowait ",
                Some("[max=SIZE] [--noerror] [--except] [timeout=DUR]"),
            ),
            (
                "repeat 2 { msgq send ",
                Some("[QUEUE] TYPE DATA [--nowait] [timeout=DUR]"),
            ),
            ("msgq", None),
            ("msgq send 1 \"x\" => ", None),
            ("msgq recv ... ", None),
            ("nonsense ", None),
            ("", None),
            ("# msgq send", None),
            ("expect ", Some("SUBJECT OP VALUE [WITHIN]")),
            ("expect msgq.jobs.qnum ", Some("OP VALUE [WITHIN]")),
            ("let", Some(" NAME = WHAT")),
            ("timeout step ", Some("DURATION")),
            ("msgq ls -o ", Some("COLUMNS")),
        ] {
            assert_eq!(hint(line, &Fixed).as_deref(), expected, "{line}");
        }
    }
}
