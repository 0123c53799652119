//! The shell for inter-process communication on Linux.

pub mod actor;
pub mod builtin;
pub mod commands;
pub mod data;
pub mod exec;
pub mod inspect;
pub mod kernel;
pub mod lang;
pub mod mechanism;
pub mod script;
pub mod session;
pub mod view;
