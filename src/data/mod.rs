//! The shared vocabulary: what a command yields and what a view shows.
//!
//! Values stay typed until the last moment. Nothing here prints, parses a script or
//! asks the kernel.

mod cell;
mod event;
mod family;
mod graph;
mod object;
mod outcome;
mod reply;
mod sent;
mod table;

pub use cell::{Cell, Took, quote, word};
pub use event::{Caught, Event, Sink, Stand};
pub use family::Family;
pub use graph::{Edge, Graph, Node};
pub use object::Object;
pub use outcome::{Failure, FailureKind, Field, Lack, Outcome, StepResult};
pub use reply::Reply;
pub use sent::SentReply;
pub use table::{Column, Table};
