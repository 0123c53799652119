//! Rows of cells under named columns.

use super::{Cell, Column};

/// A table whose cells are laid out row after row.
#[derive(Clone, Debug)]
pub struct Table {
    /// What the rows are, in one word: `msgq`. The `"kind"` of each JSON row.
    pub kind: &'static str,
    /// The heading for people: `Message queues`.
    pub title: &'static str,
    /// The columns, in order.
    pub columns: Vec<&'static Column>,
    /// What is shown where there are no rows.
    pub empty: &'static str,
    /// Lines below the table: what could not be seen, and what would reveal it.
    pub footer: Vec<String>,
    /// Why a cell is unknown, where one is.
    pub unknown: &'static str,
    cells: Vec<Cell>,
}

impl Table {
    /// An empty table.
    pub fn new(kind: &'static str, title: &'static str, columns: Vec<&'static Column>) -> Table {
        Table {
            kind,
            title,
            columns,
            empty: "none",
            footer: Vec::new(),
            unknown: "",
            cells: Vec::new(),
        }
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, rows: usize) {
        self.cells.reserve(rows * self.columns.len());
    }

    /// Adds a row: one cell for each column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        self.cells.extend(row);
        debug_assert_eq!(self.cells.len() % self.columns.len(), 0);
    }

    /// Puts the rows into another order: each number is the place of a row, once.
    pub fn arrange(&mut self, order: &[usize]) {
        let columns = self.columns.len();
        let mut rows: Vec<Cell> = Vec::with_capacity(self.cells.len());
        for &row in order {
            let at = row * columns;
            let cells = self.cells[at..at + columns].iter_mut();
            rows.extend(cells.map(|cell| std::mem::replace(cell, Cell::Nothing)));
        }
        debug_assert_eq!(rows.len(), self.cells.len());
        self.cells = rows;
    }

    /// Why a cell of these columns is unknown, where one is.
    pub fn unknown_of(&self, columns: impl IntoIterator<Item = usize> + Clone) -> Option<String> {
        let unknown = |row: &[Cell]| {
            let mut columns = columns.clone().into_iter();
            columns.any(|c| row[c] == Cell::Unknown)
        };
        let any = !self.unknown.is_empty() && self.rows().any(unknown);
        any.then(|| format!("?: {}", self.unknown))
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> &[Cell] {
        self.rows().nth(row).unwrap_or_default()
    }

    /// The place of a column.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// The rows, each a slice with one cell for each column.
    pub fn rows(&self) -> std::slice::Chunks<'_, Cell> {
        self.cells.chunks(self.columns.len().max(1))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows().len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}
