//! One table on the screen: the rows that are shown of it, and nothing of the others.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use super::order::{Entry, Order};
use super::past::Past;
use super::told::Shown;
use crate::data::{Cell, Family, Object, Table, counted};
use crate::mechanism::{self, Sight};
use crate::view::{Live, Style, Tone, write_live};

/// The kernel keeps its times in seconds: what changed is told for so long.
const TOLD: Duration = Duration::from_secs(1);

/// A table, its past, and what was drawn of it.
pub(super) struct Panel {
    pub past: Past,
    /// How wide its columns were.
    widths: Vec<usize>,
    /// The times of the objects that are shown, by their ids.
    times: HashMap<i32, Times>,
    /// How many lines stood below it.
    pub below: usize,
}

struct Times {
    /// The look at which they were read.
    at: Instant,
    read: Vec<Cell>,
    changed: Vec<Option<Instant>>,
}

/// Where and how a panel is drawn.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub order: &'a Order,
    pub style: Style,
    pub width: Option<u16>,
    pub ruled: bool,
    /// Whether there are lines below the table.
    pub footer: bool,
}

impl Panel {
    pub fn new(past: Past) -> Panel {
        Panel {
            // Perhaps what is left out.
            below: 1 + usize::from(!past.table.unknown.is_empty()) + past.table.footer.len(),
            past,
            widths: Vec::new(),
            times: HashMap::new(),
        }
    }

    pub fn next(&mut self, table: Table, at: Instant) {
        let last = self.past.at;
        self.past.next(table, at);
        self.times.retain(|_, times| times.at >= last);
        if self.widths.len() != self.past.told.shown.len() {
            self.widths.clear();
        }
    }

    /// How many rows there are, with those that are gone.
    pub fn rows(&self) -> usize {
        self.past.table.len() + self.past.gone.len()
    }

    /// Lets the columns become narrower again.
    pub fn forget_widths(&mut self) {
        self.widths.clear();
    }

    /// The lines of its first rows; without any, the one that says how many there are.
    pub fn draw(&mut self, rows: usize, place: Place, sight: &Sight) -> io::Result<Vec<String>> {
        if rows == 0 && self.rows() > 0 {
            let title = place.style.strong(self.past.table.title);
            let rows = counted(self.rows(), "row");
            return Ok(vec![format!("{title}: {rows}, no room")]);
        }
        let entries = place.order.entries(&self.past, rows);
        let told = &self.past.told;
        let mut seen: Vec<Cell> = Vec::with_capacity(entries.len());
        for entry in &entries {
            let words = match entry {
                Entry::Row(row) => {
                    let mut words = self.past.seen(*row);
                    words.extend(used(&self.past, *row, &mut self.times, sight));
                    words
                }
                Entry::Gone(_) => vec!["gone".into()],
            };
            seen.push(match words.as_slice() {
                [] => Cell::Nothing,
                words => Cell::Text(words.join(", ")),
            });
        }
        let columns = told.columns(&self.past.table);
        let sorted = place.order.column.as_deref();
        let sorted = sorted.and_then(|name| columns.iter().position(|c| c.name == name));
        let sorted = sorted.map(|c| (c, place.order.descending));
        let mut table = Table::new(self.past.table.kind, self.past.table.title, columns);
        table.empty = self.past.table.empty;
        table.footer.clone_from(&self.past.table.footer);
        table.unknown = self.past.table.unknown;
        for (entry, seen) in entries.iter().zip(seen) {
            table.push(told.shown.iter().map(|shown| match (shown, entry) {
                (Shown::Seen, _) => seen.clone(),
                (Shown::Mark, Entry::Gone(_)) => Cell::text("-"),
                (Shown::Mark, Entry::Row(row)) if self.past.is_new(*row) => Cell::text("+"),
                // As wide as a mark, or the first one would move all columns.
                (Shown::Mark, _) => Cell::text(" "),
                (Shown::Cell(c), Entry::Row(row)) => cell(self.past.table.row(*row), *c),
                (Shown::Cell(c), Entry::Gone(gone)) => cell(&self.past.gone[*gone].row, *c),
                (Shown::Rate(c, _), Entry::Row(row)) => self.past.rate_cell(*row, *c),
                (Shown::Rate(..), Entry::Gone(_)) => Cell::Nothing,
            }));
        }
        let changed = |row: usize, column: usize| match (entries.get(row), told.shown.get(column)) {
            (Some(Entry::Row(row)), Some(Shown::Cell(c))) => self.past.changed(*row, *c),
            _ => false,
        };
        let tone = |row: usize| match entries.get(row) {
            Some(Entry::Gone(_)) => Tone::Gone,
            Some(Entry::Row(row)) if self.past.is_new(*row) => Tone::New,
            _ => Tone::Usual,
        };
        let more = self.rows() - entries.len();
        let remark = match more {
            0 => String::new(),
            more => format!("{} shown, {more} more", counted(entries.len(), "row")),
        };
        let live = Live {
            remark: &remark,
            changed: &changed,
            tone: &tone,
            sorted,
            widths: &mut self.widths,
            ruled: place.ruled,
            tall: false,
            footer: place.footer,
        };
        let mut frame = Vec::new();
        write_live(&mut frame, &table, place.style, place.width, live)?;
        let lines = String::from_utf8_lossy(&frame);
        Ok(lines.lines().map(String::from).collect())
    }
}

fn cell(row: &[Cell], column: usize) -> Cell {
    row.get(column).cloned().unwrap_or(Cell::Nothing)
}

/// What the kernel's times say was done with an object since the look before: `sent`.
fn used(past: &Past, row: usize, known: &mut HashMap<i32, Times>, sight: &Sight) -> Vec<String> {
    let words = past.told.times;
    let id = past
        .table
        .place("id")
        .and_then(|c| past.table.row(row).get(c));
    let id = id
        .and_then(Cell::as_int)
        .and_then(|id| i32::try_from(id).ok());
    let family = Family::from_noun(past.table.kind);
    let (Some(id), Some(Ok(kind))) = (id, family.map(mechanism::system_v)) else {
        return Vec::new();
    };
    if words.is_empty() {
        return Vec::new();
    }
    // Once a look: what is drawn again is told again.
    if known.get(&id).is_none_or(|times| times.at != past.at) {
        let object = Object::Id(id);
        let look = |field| (kind.look)(sight, &object, None, field).unwrap_or(Cell::Unknown);
        let read: Vec<Cell> = words.iter().map(|(field, _)| look(field)).collect();
        let before = known.remove(&id);
        let changed = (0..words.len()).map(|n| {
            let before = before.as_ref()?;
            match before.read.get(n) == read.get(n) {
                true => *before.changed.get(n)?,
                false => Some(past.at),
            }
        });
        let changed = changed.collect();
        let at = past.at;
        known.insert(id, Times { at, read, changed });
    }
    let Some(times) = known.get(&id) else {
        return Vec::new();
    };
    let told = |changed: &Option<Instant>| changed.is_some_and(|c| past.at - c < TOLD);
    let words = words.iter().zip(&times.changed);
    words
        .filter(|(_, changed)| told(changed))
        .map(|((_, word), _)| word.to_string())
        .collect()
}
