//! The shell for inter-process communication on Linux: its parts, and which may know which.
//!
//! | part | is | may use |
//! |---|---|---|
//! | [`data`] | the shared vocabulary: cells, tables, outcomes, events | nothing here |
//! | [`lang`] | text to program; knows no kernel and no terminal | data |
//! | [`kernel`] | thin safe wrappers, the only `unsafe` | nothing here |
//! | [`inspect`] | read-only observation of the host | kernel, data |
//! | [`session`] | names, the ledger of what was created, the janitor | kernel, data |
//! | [`mechanism`] | one file a mechanism: signatures, fields, run functions | lang, data, kernel, inspect, session |
//! | [`actor`] | the child process, its wire, its observed state | kernel, inspect, data, session, lang's program |
//! | [`exec`] | steps, expectations, deadlocks, the end | all of the above |
//! | [`view`] | table, JSON, transcript, mistakes, help; knows no kernel | data, lang |
//! | [`builtin`] | the commands that run in the shell | all of the above |
//! | [`commands`] | the one table of commands | all of the above |
//! | [`script`], [`repl`] | the drivers: files and `-c`, the prompt | all of the above |
//!
//! What travels between the shell and an actor is made of data's and lang's types, so they
//! can be serialised. `main.rs` is the only user of anyhow, [`repl`] the only one of
//! rustyline.

pub mod actor;
pub mod builtin;
pub mod commands;
pub mod data;
pub mod exec;
pub mod inspect;
pub mod kernel;
pub mod lang;
pub mod mechanism;
pub mod repl;
pub mod script;
pub mod session;
pub mod view;
