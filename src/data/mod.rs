//! The shared vocabulary: what a command yields and what a view shows.
//!
//! Values stay typed until the last moment. Nothing here prints, parses a script or
//! asks the kernel.

mod cell;
mod column;
mod event;
mod family;
mod graph;
mod kept;
mod object;
mod outcome;
mod reply;
mod sent;
mod table;
mod written;

pub use cell::{Cell, Took, is_invisible, quote, rough, word};
pub use column::{Column, Identity, Rate, Role};
pub use event::{Caught, Claimed, Event, Nowhere, Sink, Stand};
pub use family::Family;
pub use graph::{Edge, Graph, Node};
pub use object::Object;
pub use outcome::{Failure, FailureKind, Field, Lack, Outcome, StepResult};
pub use reply::Reply;
pub use sent::SentReply;
pub use table::Table;
pub use written::{push_int, push_outcome, push_u64};

/// So many of something: `1 message`, `2 messages`.
pub fn counted<N: std::fmt::Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    let plural = if n == N::from(1) { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_thing_is_not_many() {
        let counts = [0, 1, 2].map(|n: usize| super::counted(n, "more line"));
        assert_eq!(counts, ["0 more lines", "1 more line", "2 more lines"]);
    }
}
