//! `re"…"` and `glob"…"`.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A pattern. It was compiled once, when it was parsed, so it is known to be valid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    /// Which language it is in.
    pub kind: PatternKind,
    /// Its text.
    pub text: String,
}

/// The languages of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PatternKind {
    /// A regular expression that is found anywhere in the data.
    Regex,
    /// A glob that matches the whole.
    Glob,
}

/// Compiling a longer one takes seconds.
const MOST: usize = 16 << 10;

thread_local! {
    /// Compiling costs a thousand times what matching does, and a loop matches again and again.
    static COMPILED: RefCell<HashMap<Pattern, regex::bytes::Regex>> = RefCell::new(HashMap::new());
}

impl Pattern {
    /// Checks that it compiles; the error says why it does not.
    pub fn new(kind: PatternKind, text: &str) -> Result<Pattern, String> {
        let pattern = Pattern {
            kind,
            text: text.to_string(),
        };
        pattern.compile().map(|_| pattern)
    }

    /// Whether it matches.
    pub fn matches(&self, data: &[u8]) -> bool {
        COMPILED.with_borrow_mut(|compiled| {
            if let Some(regex) = compiled.get(self) {
                return regex.is_match(data);
            }
            match self.compile() {
                Ok(regex) => {
                    let found = regex.is_match(data);
                    compiled.insert(self.clone(), regex);
                    found
                }
                Err(_) => false,
            }
        })
    }

    fn compile(&self) -> Result<regex::bytes::Regex, String> {
        if self.text.len() > MOST {
            return Err(format!("it is longer than {MOST} bytes"));
        }
        let text = match self.kind {
            PatternKind::Regex => self.text.clone(),
            PatternKind::Glob => globset::Glob::new(&self.text)
                .map_err(|e| e.kind().to_string())?
                .regex()
                .to_string(),
        };
        regex::bytes::RegexBuilder::new(&text)
            .size_limit(1 << 20)
            // In a glob a newline is a character like others.
            .dot_matches_new_line(self.kind == PatternKind::Glob)
            .build()
            .map_err(|e| match e {
                regex::Error::CompiledTooBig(_) => "it is too large".to_string(),
                // The first lines repeat the pattern with a caret of their own.
                e => e
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or("it is not valid")
                    .trim_start_matches("error: ")
                    .to_string(),
            })
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = match self.kind {
            PatternKind::Regex => "re",
            PatternKind::Glob => "glob",
        };
        write!(f, "{prefix}\"{}\"", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_bytes() {
        let re = Pattern::new(PatternKind::Regex, r"^h\w+$").unwrap();
        assert!(re.matches(b"hello") && !re.matches(b"say hello"));
        let glob = Pattern::new(PatternKind::Glob, "job-*.txt").unwrap();
        assert!(glob.matches(b"job-17.txt") && !glob.matches(b"job-17.txt.gz"));
        let lines = Pattern::new(PatternKind::Glob, "a*b?c").unwrap();
        assert!(lines.matches(b"a1\n2b\nc"));
        let line = Pattern::new(PatternKind::Regex, "a.b").unwrap();
        assert!(!line.matches(b"a\nb"));
        assert!(Pattern::new(PatternKind::Regex, "(").is_err());
        assert!(Pattern::new(PatternKind::Glob, "a[").is_err());
    }
}
