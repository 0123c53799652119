//! Running programs: steps in actors, what blocks, what is expected.
//!
//! The [`Engine`] lives in the shell and never makes a call that can block for long: it
//! gives orders to actors and polls. [`Interpreter`] is the other end, inside an actor.

mod batch;
mod causes;
mod confirm;
mod deadlock;
mod engine;
mod expect;
mod finish;
mod grants;
mod host;
mod inside;
mod interpret;
mod job;
mod jobs;
mod news;
mod orders;
mod pending;
mod pipeline;
mod shell_steps;
mod show;
mod slot;
mod standing;
mod start;
mod steer;
mod upkeep;
mod waiting;

pub use crate::data::Sink;
pub use confirm::Ask;
pub use engine::{Builtin, Commands, Engine, Flow, Mode, Options};
pub use finish::Finished;
pub use inside::{ARGUMENT as INSIDE, serve as serve_inside};
pub use interpret::{Interpreter, Verbs};
pub use job::end_left;
pub use pipeline::Stage;
pub use shell_steps::Interrupted;
