//! Where a program was read from, and the places in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

/// A range of bytes in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The text under it; empty where the span is not of this text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }

    /// From the start of this to the end of the other.
    pub fn to(self, end: Span) -> Span {
        Span {
            start: self.start,
            end: end.end,
        }
    }
}

/// A piece of source: a file, a `-c` argument, what was typed at the prompt.
#[derive(Debug)]
pub struct Source {
    /// How it is called in messages: a path, `-c`, `-c 2` of several, `<stdin>`.
    pub name: Arc<str>,
    /// The file that it was read from, where it was.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// Where each line begins.
    lines: Vec<u32>,
    /// The line that was asked for last: the next is mostly the same or the one behind it.
    last: AtomicU32,
}

impl Source {
    /// Names a text.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Source {
        let text = text.into();
        let newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let mut lines = Vec::with_capacity(text.len() / 16 + 1);
        lines.push(0);
        lines.extend(newlines.map(|(i, _)| i as u32 + 1));
        Source {
            name: name.into(),
            path: None,
            text,
            lines,
            last: AtomicU32::new(0),
        }
    }

    /// A file's text. The name of a file need not be UTF-8.
    pub fn of_file(path: &Path, text: impl Into<String>) -> Source {
        Source {
            path: Some(path.to_path_buf()),
            ..Source::new(path.to_string_lossy(), text)
        }
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The line, from 1, that a byte stands on.
    pub fn line(&self, offset: u32) -> u32 {
        let last = self.last.load(Ordering::Relaxed) as usize;
        let is_at = |at: &usize| {
            let begins = |at: usize| self.lines.get(at).is_some_and(|start| *start <= offset);
            begins(*at) && !begins(at + 1)
        };
        let at = [last, last + 1].into_iter().find(is_at).unwrap_or_else(|| {
            let behind = self.lines.partition_point(|start| *start <= offset);
            behind.saturating_sub(1)
        });
        self.last.store(at as u32, Ordering::Relaxed);
        at as u32 + 1
    }
}
