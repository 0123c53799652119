//! Showing: tables, JSON, transcripts, mistakes, help. Values come in typed and leave as
//! text here and nowhere else.

mod cut;
mod diagnostic;
mod escape;
pub mod graph;
pub mod help;
mod json;
#[cfg(test)]
mod measure;
mod oneshot;
mod prompt;
mod style;
mod table;
mod transcript;
mod wrap;
mod written;

pub use cut::cut;
pub use diagnostic::{failure, mistake};
pub use escape::printable;
pub use json::Json;
pub use oneshot::OneShot;
pub use prompt::lines;
pub use style::{Choice, Style, is_dumb};
pub use table::{Changed, Live, Tone, write_live, write_table};
pub use transcript::Transcript;
pub use wrap::wrapped;
pub use written::besides;
