//! Seeing message queues: their fields, their table, the commands that only look.

use crate::data::{Cell, Column, Failure, Table};
use crate::mechanism::{Listing, Sight};

pub(super) fn fields() -> Vec<&'static Column> {
    Vec::new()
}

pub(super) fn look(_: &Sight, _: i32, _: Option<u32>, _: &str) -> Result<Cell, Failure> {
    Ok(Cell::Unknown)
}

pub(super) fn list(_: &Sight, _: &Listing) -> Result<Table, Failure> {
    Ok(Table::new("msgq", "Message queues", Vec::new()))
}

pub(super) fn condition(_: &Sight, _: i32, _: Option<u32>) -> String {
    String::new()
}
