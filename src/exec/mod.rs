//! Running programs: steps in actors, what blocks, what is expected.
//!
//! The [`Engine`] lives in the shell and never makes a call that can block for long: it
//! gives orders to actors and polls. [`Interpreter`] is the other end, inside an actor.

mod deadlock;
mod engine;
mod expect;
mod finish;
mod grants;
mod host;
mod interpret;
mod shell_steps;
mod steer;
mod steps;
mod waiting;

pub use crate::data::Sink;
pub use engine::{Builtin, Commands, Engine, Flow, Mode, Options};
pub use finish::Finished;
pub use interpret::{Interpreter, Verbs};
pub use shell_steps::Interrupted;
