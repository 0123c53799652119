//! Whether what is typed is to be read on.

use std::sync::Arc;

use super::helper::NAME;
use crate::exec::Engine;
use crate::lang::{Lexeme, Source, parse, tokens};
use crate::script;

/// Up to this length, in bytes, a text is read as a whole at each Enter, and a mistake in it is told at once.
/// More is pasted, and that cost the square of its length: of a block that is open only what is new is
/// read then, for its end.
const TYPED: usize = 4 << 10;

/// A text as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// A text that ends inside a block, at the end of a line; or nothing.
    open: String,
    /// How many blocks are open at its end.
    depth: usize,
}

impl Reading {
    /// Whether a text is to be read on: it holds an open block or string, or ends with `\`. A second
    /// blank line escapes. A mistake is shown when the text is run.
    pub fn goes_on(&mut self, text: &str, engine: &Engine) -> bool {
        if text.ends_with("\n\n") {
            return false;
        }
        let rest = text.strip_prefix(&*self.open).filter(|_| self.depth > 0);
        if let Some(rest) = rest
            && let Some(depth) = depth_behind(rest, self.depth)
        {
            self.open.push_str(rest);
            self.depth = depth;
            return true;
        }
        let goes_on = is_unfinished(text, engine);
        let depth = match goes_on && text.len() > TYPED {
            true => depth_behind(text, 0),
            false => None,
        };
        *self = match depth {
            Some(depth) => Reading {
                open: text.to_string(),
                depth,
            },
            None => Reading::default(),
        };
        goes_on
    }
}

/// How many blocks are open behind a text that begins with so many. `None` where none is at any place
/// behind its beginning, or where a string or a continued line is open as well.
fn depth_behind(text: &str, mut depth: usize) -> Option<usize> {
    let line = format!("{text}\n");
    let all = tokens(&line);
    let last = all.last()?;
    if last.lexeme != Lexeme::End || last.span.end as usize != line.len() {
        return None;
    }
    for token in &all {
        match token.lexeme {
            Lexeme::Open => depth += 1,
            Lexeme::Close => depth = depth.checked_sub(1).filter(|depth| *depth > 0)?,
            _ => {}
        }
    }
    (depth > 0).then_some(depth)
}

/// Whether more belongs to a text, as it is read from its beginning.
fn is_unfinished(text: &str, engine: &Engine) -> bool {
    // A newline behind a `\` ends no statement.
    let newline = format!("{text}\n");
    let continued =
        text.ends_with('\\') && tokens(&newline).last().map(|t| &t.lexeme) != Some(&Lexeme::End);
    let source = Arc::new(Source::new(NAME, text));
    let catalog = &engine.commands.catalog;
    match parse(source, catalog, &mut engine.known(), &script::load) {
        Err(mistake) => mistake.incomplete || continued,
        Ok(_) => continued,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::commands;
    use crate::exec::Mode;
    use crate::script::options;

    fn engine() -> Engine {
        Engine::new(commands(), options(Mode::Prompt, false, None), None)
    }

    /// A block that is open, and longer than what is typed.
    fn long() -> String {
        let mut text = String::from("repeat 2 {");
        while text.len() <= TYPED {
            text.push_str("\nsem get s");
        }
        text
    }

    #[test]
    fn a_long_block_ends_where_a_reading_of_it_all_finds_its_end() {
        let engine = engine();
        for rest in [
            "repeat 2 {\necho a\n}\necho b\n}",
            "echo \"}\"\necho '}' # }\n# } {\n\necho x\"7d\"\n}",
            "!echo } a\n!echo } \\\n } a\nlet v = !echo {\n  } # done",
            "b: repeat 2 { sem get s }\nsem get s }; echo c",
            "echo \"a\n}\nb\"\necho \\\n}\n}",
            "echo \"never closed\n}\n}",
            "echo \\",
            "}}",
            "}\nrepeat 1 {\necho a\n}",
        ] {
            let mut reading = Reading::default();
            let mut text = long();
            assert!(reading.goes_on(&text, &engine));
            for line in rest.lines() {
                text.push('\n');
                text.push_str(line);
                let goes_on = reading.goes_on(&text, &engine);
                let whole = is_unfinished(&text, &engine) && !text.ends_with("\n\n");
                assert_eq!(goes_on, whole, "{:?}", &text[TYPED..]);
            }
            // Another text than the one that was read.
            assert!(!reading.goes_on(&format!("{}\n}}", long()), &engine));
            assert!(!reading.goes_on("echo a", &engine));
        }
    }

    #[test]
    fn only_what_is_new_is_read_of_a_long_block() {
        let (engine, mut reading) = (engine(), Reading::default());
        // A short one is read as a whole: its mistakes are told at once.
        assert!(reading.goes_on("repeat 2 {\nsem get s", &engine));
        assert!(!reading.goes_on("repeat 2 {\nsem get s\nbogus", &engine));
        let mut text = long();
        for line in ["", "\nbogus", "\nsem get s"] {
            text.push_str(line);
            assert!(reading.goes_on(&text, &engine), "{line}");
        }
        assert!(!reading.goes_on(&format!("{text}\n}}"), &engine));
        assert!(!reading.goes_on(&format!("{text}\n\n"), &engine));
    }
}
