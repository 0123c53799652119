//! Where in a program the cursor stands.

use crate::lang::{Lexeme, Token, tokens};

/// The statement that the cursor stands in, without what stands before its command: an
/// actor, `defer`, `let NAME =`.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    /// The complete words.
    pub words: Vec<Token<'a>>,
    /// The word that is being typed; empty behind a blank.
    pub partial: &'a str,
    /// The actor that is to run it.
    pub actor: Option<&'a str>,
    /// Whether anything stands before it.
    pub prefixed: bool,
    /// Whether what it gives is bound: `let NAME =`.
    pub bound: bool,
}

impl<'a> Statement<'a> {
    /// Reads the text before the cursor. `None` inside a string, a comment, or a command
    /// of the host: nothing of ours can stand there.
    pub fn before(text: &'a str) -> Option<Statement<'a>> {
        let all = tokens(text);
        let read = all.last().map_or(0, |t| t.span.end as usize);
        // Where no token could be made of it, it is neither blank nor a continued line.
        if !text[read..]
            .trim_matches([' ', '\t', '\r', '\\', '\n'])
            .is_empty()
        {
            return None;
        }
        if let Some(Lexeme::Host(_)) = all.last().map(|t| &t.lexeme) {
            return None;
        }
        let begin = all
            .iter()
            .rposition(|t| matches!(t.lexeme, Lexeme::End | Lexeme::Open | Lexeme::Close))
            .map_or(0, |i| i + 1);
        let mut statement = Statement {
            words: all[begin..].to_vec(),
            partial: "",
            actor: None,
            prefixed: false,
            bound: false,
        };
        if let Some(last) = statement.words.last()
            && last.span.end as usize == text.len()
            && let Some(word) = last.bare()
        {
            statement.partial = word;
            statement.words.pop();
        }
        statement.strip();
        Some(statement)
    }

    /// Takes away what stands before the command.
    fn strip(&mut self) {
        if let Some(name) = self.first().and_then(|w| w.strip_suffix(':')) {
            self.actor = Some(name.split('@').next().unwrap_or(name));
            self.prefixed = true;
            self.words.remove(0);
        }
        if self.first() == Some("defer") {
            self.prefixed = true;
            self.words.remove(0);
        }
        let equals = self.words.get(2).and_then(Token::bare) == Some("=");
        if self.first() == Some("let") && equals {
            self.prefixed = true;
            self.bound = true;
            self.words.drain(..3);
        }
    }

    /// The first complete word.
    pub fn first(&self) -> Option<&'a str> {
        self.words.first().and_then(Token::bare)
    }

    /// Whether one of the complete words is this sign.
    pub fn has(&self, sign: &Lexeme) -> bool {
        self.words.iter().any(|t| t.lexeme == *sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_ours_stands_in_strings_comments_and_host_commands() {
        for text in [
            "msgq send 1 \"jo",
            "msgq send 1 'jo ",
            "msgq send 1 x\"0",
            "# msgq ",
            "msgq recv # jo",
            "!ls ms",
            "!l",
            "let v = !ec",
            "!echo it; mk",
            "require !sh -c '{ ms",
            "b: defer let v = !echo a; ms",
            "!echo a \\\n ms",
            "b: msgq send $((1 + ",
        ] {
            assert!(Statement::before(text).is_none(), "{text}");
        }
        for (text, words, partial, actor) in [
            ("", 0, "", None),
            ("msgq send 1 \"x\" ", 4, "", None),
            ("b: msgq se", 1, "se", Some("b")),
            ("b@2s: msgq ", 1, "", Some("b")),
            ("defer msgq rm jo", 2, "jo", None),
            ("let v = shm re", 1, "re", None),
            ("let v ", 2, "", None),
            ("echo a; msgq \\\n se", 1, "se", None),
            ("repeat 2 { sem p\n sem ", 1, "", None),
            ("!echo it; true\n sem ", 1, "", None),
        ] {
            let found = Statement::before(text);
            let found = found.map(|s| (s.words.len(), s.partial, s.actor));
            assert_eq!(found, Some((words, partial, actor)), "{text}");
        }
    }
}
