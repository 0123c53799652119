//! The language, as tables: an input, and what it is or where and why it is not.

use std::path::Path;
use std::sync::Arc;

use crate as ipcsh;

#[path = "../../../tests/catalog/mod.rs"]
mod catalog;
mod errors;
mod extremes;
mod forms;
mod shape;
mod state;

use super::{Catalog, Diagnostic, Known, Program, Source, parse};

fn no_files(path: &Path, _: &Source) -> Result<Source, String> {
    Err(format!("no file {} here", path.display()))
}

fn table() -> &'static Catalog {
    static TABLE: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
    TABLE.get_or_init(catalog::catalog)
}

fn read_from(text: &str, known: &mut Known) -> Result<Program, Box<Diagnostic>> {
    let source = Arc::new(Source::new("test", text));
    parse(source, table(), known, &no_files)
}

fn read(text: &str) -> Result<Program, Box<Diagnostic>> {
    read_from(text, &mut Known::default())
}

/// A mistake as it is drawn: the text with the caret's words in «», and what is said.
fn drawn(d: &Diagnostic) -> String {
    let text = &d.source.text;
    let (start, end) = (d.span.start as usize, d.span.end as usize);
    assert!(
        start <= end && end <= text.len(),
        "{start}..{end} of {text:?}"
    );
    format!("{}«{}»{}", &text[..start], &text[start..end], &text[end..])
}

/// Holds the program's printed shape against what is expected.
#[track_caller]
fn is(text: &str, expected: &str) {
    match read(text) {
        Ok(program) => assert_eq!(shape::program(&program), expected, "{text}"),
        Err(e) => panic!("{}\n{}: {}\n{:?}", drawn(&e), e.message, e.label, e.help),
    }
}

/// Holds a mistake's place and message against what is expected.
#[track_caller]
fn is_not(marked: &str, message: &str) -> Box<Diagnostic> {
    let text = marked.replace(['«', '»'], "");
    match read(&text) {
        Ok(program) => panic!("{text} is {}", shape::program(&program)),
        Err(e) => {
            assert_eq!((drawn(&e).as_str(), e.message.as_str()), (marked, message));
            e
        }
    }
}
