//! One table over all looks: which rows are new or gone, which cells changed and how fast, and
//! since when something has been so.

use std::time::{Duration, Instant};

use super::rows::matched;
use super::told::{Told, lasting, rate_cell};
use crate::data::{Cell, Table};

/// A row that is gone is shown for so long, and at one look at least.
const GONE: Duration = Duration::from_secs(3);

/// A table, and what is remembered of it.
#[derive(Debug)]
pub(super) struct Past {
    pub table: Table,
    pub told: Told,
    /// When it was looked at.
    pub at: Instant,
    states: Vec<State>,
    last: Option<Last>,
    pub gone: Vec<Gone>,
}

/// The look before.
#[derive(Debug)]
struct Last {
    table: Table,
    at: Instant,
    /// For each row, where it was.
    was: Vec<Option<usize>>,
}

/// A row that is not there any more.
#[derive(Debug)]
pub(super) struct Gone {
    pub row: Vec<Cell>,
    /// Before which row it stands.
    pub before: usize,
    at: Instant,
}

/// Since when what can be seen of a row has been so.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    full: Option<Since>,
    waits: Option<Since>,
}

#[derive(Clone, Copy, Debug)]
struct Since {
    at: Instant,
    /// It was so at the first look, and may have been long before.
    from_start: bool,
}

impl Past {
    /// The first look at a table; `start` where nothing was looked at before.
    pub fn new(table: Table, at: Instant, start: bool) -> Past {
        let told = Told::of(&table);
        let since = Since {
            at,
            from_start: start,
        };
        let state = |row| State {
            full: told.is_full(row).then_some(since),
            waits: told.waits(row).map(|_| since),
        };
        Past {
            states: table.rows().map(state).collect(),
            told,
            table,
            at,
            last: None,
            gone: Vec::new(),
        }
    }

    /// Takes in another look.
    pub fn next(&mut self, table: Table, at: Instant) {
        if table.columns != self.table.columns {
            *self = Past::new(table, at, false);
            return;
        }
        let found = matched(&self.table, &table);
        let new = Since {
            at,
            from_start: false,
        };
        let states = table.rows().zip(&found.was).map(|(row, was)| {
            let before = was.map_or(State::default(), |b| self.states[b]);
            let waits = self.told.waits(row);
            let another = self.told.waits_itself()
                && was.is_some_and(|b| self.told.waits(self.table.row(b)) != waits);
            let waited = before.waits.filter(|_| !another);
            State {
                full: self.told.is_full(row).then(|| before.full.unwrap_or(new)),
                waits: waits.map(|_| waited.unwrap_or(new)),
            }
        });
        self.states = states.collect();
        self.gone.retain(|gone| at.duration_since(gone.at) < GONE);
        let rows = table.len();
        self.gone
            .iter_mut()
            .for_each(|g| g.before = g.before.min(rows));
        self.gone
            .extend(found.gone.iter().map(|(row, before)| Gone {
                row: self.table.row(*row).to_vec(),
                before: *before,
                at,
            }));
        self.gone.sort_by_key(|gone| gone.before);
        self.last = Some(Last {
            table: std::mem::replace(&mut self.table, table),
            at: std::mem::replace(&mut self.at, at),
            was: found.was,
        });
    }

    /// The same row at the look before, and how long ago that was.
    fn before(&self, row: usize) -> Option<(&[Cell], Duration)> {
        let last = self.last.as_ref()?;
        let was = (*last.was.get(row)?)?;
        Some((last.table.row(was), self.at - last.at))
    }

    /// Whether the row was not there at the look before.
    pub fn is_new(&self, row: usize) -> bool {
        self.last.is_some() && self.before(row).is_none()
    }

    /// Whether a cell is another than at the look before. In a row that is new none is.
    pub fn changed(&self, row: usize, column: usize) -> bool {
        let now = self.table.row(row).get(column);
        self.before(row)
            .is_some_and(|(was, _)| was.get(column) != now)
    }

    /// Whether a column of this name holds numbers, of which the largest is wanted first.
    pub fn is_number(&self, name: &str) -> bool {
        match self.table.place(name) {
            Some(c) => {
                let cells = self.table.rows().filter_map(|row| row.get(c));
                let mut known = cells.filter(|cell| !matches!(cell, Cell::Nothing | Cell::Unknown));
                known.next().is_some_and(|cell| cell.as_int().is_some())
            }
            // What is told beside them: rates, and for how long.
            None => self
                .told
                .columns(&self.table)
                .iter()
                .any(|c| c.name == name),
        }
    }

    /// How much more there is of it a second.
    pub fn rate(&self, row: usize, column: usize) -> Option<f64> {
        let (was, time) = self.before(row)?;
        let now = self.table.row(row).get(column)?.as_int()?;
        let more = now.saturating_sub(was.get(column)?.as_int()?);
        (!time.is_zero()).then(|| more as f64 / time.as_secs_f64())
    }

    pub fn rate_cell(&self, row: usize, column: usize) -> Cell {
        self.rate(row, column).map_or(Cell::Nothing, rate_cell)
    }

    /// For how long it has been full or waited at, the longer of the two.
    pub fn lasted(&self, row: usize) -> Option<Duration> {
        let state = self.states.get(row)?;
        let since = [state.full, state.waits].into_iter().flatten();
        since.map(|since| self.at - since.at).max()
    }

    /// What was seen of a row: `full ≥42 s`, `waits 3 s`.
    pub fn seen(&self, row: usize) -> Vec<String> {
        let Some(state) = self.states.get(row) else {
            return Vec::new();
        };
        let waits = if self.told.waits_itself() {
            "blocked"
        } else {
            "waits"
        };
        let words = [("full", state.full), (waits, state.waits)].into_iter();
        words
            .filter_map(|(word, since)| Some((word, since?)))
            .map(|(word, since)| format!("{word}{}", lasting(self.at - since.at, since.from_start)))
            .collect()
    }
}
