//! Colour by meaning, and none where there is no terminal. Never by colour alone.

use anstyle::{AnsiColor, Style as Ansi};

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether the terminal can only write line after line: `TERM` is `dumb`, or nobody says what it is.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Whether colours are used, and which mean what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// No colours.
    pub const PLAIN: Style = Style { colour: false };

    /// What was chosen, what the output is, and what the environment says: `NO_COLOR` that
    /// is not empty, and a terminal that can do nothing.
    pub fn new(choice: Choice, is_terminal: bool) -> Style {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Style {
            colour: decide(choice, is_terminal, no_color, is_dumb()),
        }
    }

    /// Whether colours are used.
    pub fn is_coloured(self) -> bool {
        self.colour
    }

    fn paint(self, style: Ansi, text: &str) -> String {
        match self.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }

    /// What went well.
    pub fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// What went wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// What waits.
    pub fn waiting(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// What stands beside: comments, ids.
    pub fn aside(self, text: &str) -> String {
        self.paint(AnsiColor::BrightBlack.on_default(), text)
    }

    /// What stands between words: blanks, and perhaps a comment.
    pub fn aside_comment(self, text: &str) -> String {
        match text.contains('#') {
            true => self.aside(text),
            false => text.to_string(),
        }
    }

    /// A heading, or a known word.
    pub fn strong(self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }
}

/// An explicit choice stands above the environment, and that above the terminal.
fn decide(choice: Choice, is_terminal: bool, no_color: bool, dumb: bool) -> bool {
    match choice {
        Choice::Always => true,
        Choice::Never => false,
        Choice::Auto => is_terminal && !no_color && !dumb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        for (choice, is_terminal, no_color, dumb, coloured) in [
            (Choice::Auto, true, false, false, true),
            (Choice::Auto, false, false, false, false),
            (Choice::Auto, true, true, false, false),
            (Choice::Auto, true, false, true, false),
            (Choice::Always, false, true, true, true),
            (Choice::Never, true, false, false, false),
        ] {
            assert_eq!(decide(choice, is_terminal, no_color, dumb), coloured);
        }
        assert_eq!(Style::PLAIN.bad("x"), "x");
        assert_ne!(Style { colour: true }.bad("x"), "x");
    }
}
