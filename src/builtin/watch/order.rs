//! In which order rows stand.

use std::cmp::Ordering;
use std::time::Duration;

use super::past::Past;
use super::told::Shown;
use crate::data::{Cell, Failure, Table};
use crate::lang::closest;

/// A row of the screen: one of the table, or one that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    Row(usize),
    Gone(usize),
}

/// How rows are sorted: by a column, or as the command lists them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Order {
    pub column: Option<String>,
    /// The largest first; without a column the last first.
    pub descending: bool,
}

impl Order {
    /// From `COLUMN` or `-COLUMN`.
    pub fn written(word: &str) -> Order {
        let name = word.strip_prefix('-').unwrap_or(word);
        Order {
            column: Some(name.to_lowercase()),
            descending: name.len() < word.len(),
        }
    }

    /// How it is said: `sorted by qnum ↓`.
    pub fn words(&self) -> String {
        let sign = if self.descending { '↓' } else { '↑' };
        match &self.column {
            Some(column) => format!("sorted by {column} {sign}"),
            None if self.descending => "in reverse".into(),
            None => String::new(),
        }
    }

    /// That there is such a column. What several looks tell, such as `qnum/s`, is no column of
    /// what looks `once`.
    ///
    /// # Errors
    /// None of the tables has it.
    pub fn check(&self, text: &str, tables: &[Table], once: bool) -> Result<(), Failure> {
        let Some(wanted) = &self.column else {
            return Ok(());
        };
        let columns = tables.iter().flat_map(|table| match once {
            true => table.columns.clone(),
            false => super::told::Told::of(table).columns(table),
        });
        let mut known: Vec<&str> = Vec::new();
        for name in columns.map(|c| c.name).filter(|n| !n.is_empty()) {
            if !known.contains(&name) {
                known.push(name);
            }
        }
        if known.contains(&wanted.as_str()) {
            return Ok(());
        }
        let failure = Failure::refused(match tables {
            [] => format!("`{text}` shows no table that could be sorted"),
            _ => format!("`{text}` shows no column `{wanted}`"),
        });
        Err(match (closest(wanted, known.iter().copied()), tables) {
            (_, []) => failure,
            (Some(close), _) => failure.help(format!("Did you mean `{close}`?")),
            (None, _) => failure.help(format!("The columns are {}", known.join(", "))),
        })
    }

    /// The first `most` rows of a table on the screen, in order: no more than these are sorted.
    pub fn entries(&self, past: &Past, most: usize) -> Vec<Entry> {
        let shown = self.column.as_deref().and_then(|wanted| {
            let columns = past.told.columns(&past.table);
            let place = columns.iter().position(|c| c.name == wanted)?;
            Some(past.told.shown[place])
        });
        let rows = past.table.len() + past.gone.len();
        let Some(shown) = shown else {
            return self.as_listed(past, most.min(rows));
        };
        let mut keys: Vec<(Key, Entry)> = Vec::with_capacity(rows);
        for (n, row) in past.table.rows().enumerate() {
            let key = match shown {
                Shown::Cell(c) => Key::of(row.get(c)),
                Shown::Rate(c, _) => past.rate(n, c).map_or(Key::None, Key::Rate),
                Shown::Seen => past.lasted(n).map_or(Key::None, Key::Time),
                Shown::Mark => Key::None,
            };
            keys.push((key, Entry::Row(n)));
        }
        for (n, gone) in past.gone.iter().enumerate() {
            let key = match shown {
                Shown::Cell(c) => Key::of(gone.row.get(c)),
                _ => Key::None,
            };
            keys.push((key, Entry::Gone(n)));
        }
        let by = |a: &(Key, Entry), b: &(Key, Entry)| {
            a.0.compare(&b.0, self.descending).then(a.1.cmp(&b.1))
        };
        if most < keys.len() {
            if most > 0 {
                keys.select_nth_unstable_by(most - 1, by);
            }
            keys.truncate(most);
        }
        keys.sort_unstable_by(by);
        keys.into_iter().map(|(_, entry)| entry).collect()
    }

    /// As the command lists them, with those that are gone in their places.
    fn as_listed(&self, past: &Past, most: usize) -> Vec<Entry> {
        let mut gone = past.gone.iter().enumerate().peekable();
        let mut all = Vec::with_capacity(past.table.len() + past.gone.len());
        for row in 0..=past.table.len() {
            while let Some((n, _)) = gone.next_if(|(_, gone)| gone.before <= row) {
                all.push(Entry::Gone(n));
            }
            if row < past.table.len() {
                all.push(Entry::Row(row));
            }
            if !self.descending && all.len() >= most {
                break;
            }
        }
        if self.descending {
            all.reverse();
        }
        all.truncate(most);
        all
    }

    /// Sorts a table that is looked at once.
    pub fn sort(&self, table: &mut Table) {
        let Some(column) = self.column.as_deref().and_then(|name| table.place(name)) else {
            return;
        };
        let key = |row: &usize| Key::of(table.row(*row).get(column));
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by(|a, b| key(a).compare(&key(b), self.descending));
        table.arrange(&order);
    }
}

/// What rows are compared by.
#[derive(Debug)]
enum Key<'a> {
    Int(i128),
    Rate(f64),
    Time(Duration),
    Text(&'a str),
    Data(&'a [u8]),
    List(&'a [Cell]),
    /// It is not known, or there is none: last in either direction.
    None,
}

impl<'a> Key<'a> {
    fn of(cell: Option<&'a Cell>) -> Key<'a> {
        match cell {
            Some(Cell::Text(text)) => Key::Text(text),
            Some(Cell::Elapsed(time)) => Key::Time(*time),
            Some(Cell::Data(bytes) | Cell::Name(bytes)) => Key::Data(bytes),
            Some(Cell::List(cells)) => Key::List(cells),
            Some(cell) => cell.as_int().map_or(Key::None, Key::Int),
            None => Key::None,
        }
    }

    /// Numbers before words, where a column has both.
    fn class(&self) -> u8 {
        match self {
            Key::Int(_) | Key::Rate(_) | Key::Time(_) => 0,
            Key::List(_) => 1,
            Key::Text(_) | Key::Data(_) => 2,
            Key::None => 3,
        }
    }

    fn compare(&self, other: &Key, descending: bool) -> Ordering {
        if matches!(self, Key::None) || matches!(other, Key::None) {
            return self.class().cmp(&other.class());
        }
        let ordering = self.ordering(other);
        if descending {
            ordering.reverse()
        } else {
            ordering
        }
    }

    fn ordering(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Int(a), Key::Int(b)) => a.cmp(b),
            (Key::Rate(a), Key::Rate(b)) => a.total_cmp(b),
            (Key::Time(a), Key::Time(b)) => a.cmp(b),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Data(a), Key::Data(b)) => a.cmp(b),
            (Key::List(a), Key::List(b)) => {
                let pairs = a.iter().zip(b.iter());
                let mut pairs =
                    pairs.map(|(a, b)| Key::of(Some(a)).compare(&Key::of(Some(b)), false));
                let first = pairs.find(|o| o.is_ne());
                first.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (a, b) => a.class().cmp(&b.class()),
        }
    }
}
