//! Showing: tables, JSON, transcripts, mistakes, help. Values come in typed and leave as
//! text here and nowhere else.

mod diagnostic;
pub mod help;
mod json;
mod oneshot;
mod prompt;
mod style;
mod table;
mod transcript;

pub use diagnostic::{failure, mistake};
pub use json::Json;
pub use oneshot::OneShot;
pub use prompt::lines;
pub use style::{Choice, Style};
pub use table::{Changed, write_table};
pub use transcript::Transcript;

/// Text from anywhere with nothing in it that a terminal would obey.
pub fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(obeyed) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if obeyed(c) && (c as u32) < 0x80 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if obeyed(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.into()
}

/// Control characters, and those that turn the direction of the text around them.
fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
