//! Tables for people: ruled on a terminal while they are small; plain columns, which other
//! programs can cut, everywhere else.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{
    Attribute, Cell as Ruled, CellAlignment, ColumnConstraint, ContentArrangement,
    ContentLineStyle, LineStyle, Table as RuledTable, TableStyle, Width as RuledWidth,
};

use layout::{Layout, Width};

use super::wrap::{width_of, wrap};
use super::written::push_hex;
use super::{Style, escape};
use crate::data::{Cell, Role, Table, push_int, push_u64, rough};

mod layout;
#[cfg(test)]
mod tests;

/// From here on rules cost more than they help.
const LARGE: usize = 1000;

/// How far what stands below a row is moved in.
const INDENT: usize = 4;

/// Thin lines, round corners.
const RULES: TableStyle = UTF8_FULL_CONDENSED
    .header_lines(ContentLineStyle::new('│', '│', '│'))
    .header_separator(LineStyle::new('├', '─', '┼', '┤'))
    .content_lines(ContentLineStyle::new('│', '│', '│'))
    .with_rounded_corners();

/// Which cells differ from the last time a table was shown: row and column, from 0.
pub type Changed<'a> = &'a dyn Fn(usize, usize) -> bool;

/// What a row is, seen against the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it was.
    Usual,
    /// It was not there.
    New,
    /// It is not there any more.
    Gone,
}

/// How a table is drawn that is looked at again and again.
pub struct Live<'a> {
    /// Stands behind the title.
    pub remark: &'a str,
    /// The cells that changed.
    pub changed: Changed<'a>,
    /// What each row is.
    pub tone: &'a dyn Fn(usize) -> Tone,
    /// The column by which the rows are sorted, and whether the largest comes first.
    pub sorted: Option<(usize, bool)>,
    /// How wide each column was so far, so that none jumps to and fro.
    pub widths: &'a mut Vec<usize>,
    /// Whether there is room for rules.
    pub ruled: bool,
    /// Whether a row may take several lines.
    pub tall: bool,
    /// Whether there is room for lines below the table.
    pub footer: bool,
}

/// Writes a table with its title and its footer. `width` is the terminal's; without one
/// the columns are plain. A changed cell is marked with `*`, and between rules with colours it
/// is inverted too.
///
/// # Errors
/// It cannot be written.
pub fn write_table(
    out: &mut dyn Write,
    table: &Table,
    style: Style,
    width: Option<u16>,
    changed: Changed,
) -> io::Result<()> {
    let look = Look {
        table,
        style,
        changed,
        tone: &|_| Tone::Usual,
        sorted: None,
        now: now(),
    };
    let mut widths = Vec::new();
    let live = Live {
        remark: "",
        changed,
        tone: look.tone,
        sorted: None,
        widths: &mut widths,
        ruled: table.len() <= LARGE,
        tall: true,
        footer: true,
    };
    look.write(out, width, live)
}

/// Writes a table as [`write_table`] does, for a screen on which it was before.
///
/// # Errors
/// It cannot be written.
pub fn write_live(
    out: &mut dyn Write,
    table: &Table,
    style: Style,
    width: Option<u16>,
    live: Live,
) -> io::Result<()> {
    let look = Look {
        table,
        style,
        changed: live.changed,
        tone: live.tone,
        sorted: live.sorted,
        now: now(),
    };
    look.write(out, width, live)
}

/// A table and how it is shown.
struct Look<'a> {
    table: &'a Table,
    style: Style,
    changed: Changed<'a>,
    tone: &'a dyn Fn(usize) -> Tone,
    sorted: Option<(usize, bool)>,
    now: i64,
}

impl Look<'_> {
    fn write(&self, out: &mut dyn Write, width: Option<u16>, live: Live) -> io::Result<()> {
        let title = self.style.strong(self.table.title);
        let gap = if live.remark.is_empty() { "" } else { "   " };
        let remark = self.style.aside(live.remark);
        let mut footer = self.table.footer.clone();
        let mut unknown = self.table.unknown_of(0..self.table.columns.len());
        if self.table.is_empty() {
            writeln!(out, "{title}: {}{gap}{remark}", self.table.empty)?;
        } else {
            writeln!(out, "{title}{gap}{remark}")?;
            let widths = self.widths(live.widths);
            let layout = match width {
                Some(width) => self.layout(&widths, width.into(), (live.ruled, live.tall)),
                None => Layout::Plain {
                    shown: (0..widths.len()).collect(),
                    below: Vec::new(),
                },
            };
            match layout {
                Layout::Ruled => self.ruled(out, width.unwrap_or(u16::MAX), &widths)?,
                Layout::Plain { shown, below } => {
                    let room = width.map_or(usize::MAX, usize::from);
                    self.plain(out, (&shown, &below), &widths, room)?;
                    footer.extend(self.left_out(&shown, &below));
                    unknown = self.table.unknown_of(shown.into_iter().chain(below));
                }
            }
        }
        for line in unknown.iter().chain(&footer).filter(|_| live.footer) {
            let line = escape::one_line(line);
            let room = width.map_or(usize::MAX, usize::from);
            let mut below = String::new();
            wrap(&mut below, &line, (room, 0));
            for line in below.lines() {
                writeln!(out, "{}", self.style.aside(line))?;
            }
        }
        Ok(())
    }

    /// The heading of a column, with a sign where the rows are sorted by it.
    fn heading(&self, column: usize) -> Cow<'static, str> {
        let name = self.table.columns[column].name;
        match self.sorted {
            Some((sorted, descending)) if sorted == column => {
                format!("{name}{}", if descending { '↓' } else { '↑' }).into()
            }
            _ => name.into(),
        }
    }

    fn ruled(&self, out: &mut dyn Write, width: u16, widths: &[Width]) -> io::Result<()> {
        let mut ruled = RuledTable::new();
        ruled.load_style(RULES);
        // What the terminal is like has been asked already, and by whom it is known.
        ruled.force_no_tty();
        if self.style.is_coloured() {
            ruled.enforce_styling();
            ruled.style_text_only();
        }
        ruled.set_content_arrangement(ContentArrangement::Dynamic);
        ruled.set_width(width);
        let right = self.right();
        let align = |cell: Ruled, column: usize| match right[column] {
            true => cell.set_alignment(CellAlignment::Right),
            false => cell,
        };
        let header = self.table.columns.iter().enumerate();
        ruled.set_header(header.map(|(c, _)| {
            let cell = align(Ruled::new(self.heading(c)), c);
            cell.add_attribute(Attribute::Bold)
        }));
        let mut text = String::new();
        for (r, row) in self.table.rows().enumerate() {
            let tone = (self.tone)(r);
            let cells = row.iter().enumerate().map(|(c, cell)| {
                text.clear();
                let changed = self.push(&mut text, r, c, cell);
                let shown = align(Ruled::new(&text), c);
                match cell {
                    _ if tone == Tone::Gone => shown.add_attribute(Attribute::Dim),
                    _ if tone == Tone::New => shown.add_attribute(Attribute::Bold),
                    _ if changed => shown.add_attribute(Attribute::Reverse),
                    Cell::Unknown | Cell::Nothing => shown.add_attribute(Attribute::Dim),
                    _ => shown,
                }
            });
            ruled.add_row(cells.collect::<Vec<_>>());
        }
        for (column, width) in ruled.column_iter_mut().zip(widths) {
            if !width.prose {
                // With the blank on either side.
                let natural = u16::try_from(width.natural + 2).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::Absolute(RuledWidth::Fixed(natural)));
            }
        }
        writeln!(out, "{ruled}")
    }

    /// The second of two passes, behind that for the widths. Memory does not grow with the table.
    fn plain(
        &self,
        out: &mut dyn Write,
        (shown, below): (&[usize], &[usize]),
        widths: &[Width],
        room: usize,
    ) -> io::Result<()> {
        let right = self.right();
        let (mut text, mut line) = (String::new(), String::new());
        for &c in shown {
            pad(&mut line, &self.heading(c), widths[c].natural, right[c]);
        }
        writeln!(out, "{}", self.style.strong(line.trim_end()))?;
        // What stands in each column of the row above, where it is not marked.
        let mut drawn = vec![String::new(); widths.len()];
        let mut above: &[Cell] = &[];
        for (r, row) in self.table.rows().enumerate() {
            line.clear();
            for &c in shown {
                if !drawn[c].is_empty() && self.repeats(above, r, c, &row[c]) {
                    line.push_str(&drawn[c]);
                    continue;
                }
                text.clear();
                let marked = self.push(&mut text, r, c, &row[c]);
                drawn[c].clear();
                pad(&mut drawn[c], &text, widths[c].natural, right[c]);
                line.push_str(&drawn[c]);
                if marked {
                    drawn[c].clear();
                }
            }
            above = row;
            line.truncate(line.trim_end_matches(' ').len());
            match (self.tone)(r) {
                Tone::Usual => out.write_all(line.as_bytes())?,
                Tone::New => out.write_all(self.style.strong(&line).as_bytes())?,
                Tone::Gone => out.write_all(self.style.aside(&line).as_bytes())?,
            }
            out.write_all(b"\n")?;
            for &c in below.iter().filter(|c| row[**c] != Cell::Nothing) {
                text.clear();
                let _ = write!(text, "{}: ", self.heading(c));
                self.push(&mut text, r, c, &row[c]);
                let mut wrapped = String::new();
                wrap(&mut wrapped, &text, (room.saturating_sub(INDENT), 0));
                for line in wrapped.lines() {
                    writeln!(out, "{:INDENT$}{}", "", self.style.aside(line))?;
                }
            }
        }
        Ok(())
    }

    /// Which columns stand to the right: those of numbers.
    fn right(&self) -> Vec<bool> {
        let columns = self.table.columns.len();
        let (mut numbers, mut words) = (vec![false; columns], vec![false; columns]);
        for row in self.table.rows() {
            for (c, cell) in row.iter().enumerate() {
                match cell {
                    Cell::Int(_) | Cell::Size(_) | Cell::Mode(_) | Cell::Elapsed(_) => {
                        numbers[c] = true;
                    }
                    Cell::Unknown | Cell::Nothing => {}
                    _ => words[c] = true,
                }
            }
        }
        let right = numbers.iter().zip(words).map(|(n, w)| *n && !w);
        // A rate has a sign, and is text.
        let rate = |c: usize| self.table.columns[c].traits.role == Role::Rate;
        right.enumerate().map(|(c, n)| n || rate(c)).collect()
    }

    /// Whether a cell is shown as the one in the row above, where that is not marked.
    fn repeats(&self, above: &[Cell], r: usize, c: usize, cell: &Cell) -> bool {
        above.get(c) == Some(cell) && !(self.changed)(r, c)
    }

    /// Appends a cell; says whether it is marked as changed.
    fn push(&self, text: &mut String, r: usize, c: usize, cell: &Cell) -> bool {
        push_cell(text, cell, self.now);
        let changed = (self.changed)(r, c);
        if changed {
            text.push('*');
        }
        changed
    }
}

fn pad(line: &mut String, text: &str, width: usize, right: bool) {
    let blanks = width.saturating_sub(width_of(text));
    if right {
        push_blanks(line, blanks);
        line.push_str(text);
        line.push_str("  ");
    } else {
        line.push_str(text);
        push_blanks(line, blanks + 2);
    }
}

fn push_blanks(line: &mut String, mut n: usize) {
    const BLANKS: &str = "                                ";
    while n > 0 {
        let some = n.min(BLANKS.len());
        line.push_str(&BLANKS[..some]);
        n -= some;
    }
}

/// How many numbers of a list are shown.
const NUMBERS: usize = 16;

/// A cell for a person: times as an age, permissions as `ipcs` shows them.
fn push_cell(out: &mut String, cell: &Cell, now: i64) {
    match cell {
        Cell::Int(n) => push_int(out, *n),
        Cell::Size(n) => push_u64(out, *n),
        Cell::Key(k) => {
            out.push_str("0x");
            push_hex(out, &k.to_be_bytes());
        }
        Cell::Mode(m) => {
            // Writing into a String cannot fail.
            let _ = write!(out, "{m:03o}");
        }
        Cell::Time(0) => out.push_str("Not set"),
        Cell::Time(t) => push_age(out, now.saturating_sub(*t)),
        Cell::Text(text) => out.push_str(&escape::one_line(text)),
        Cell::List(cells) => {
            let nested = cells.iter().any(|cell| matches!(cell, Cell::List(_)));
            let between = if nested { ", " } else { "," };
            // A set may have tens of thousands of semaphores.
            let most = match cells.first() {
                Some(Cell::Int(_)) => NUMBERS,
                _ => usize::MAX,
            };
            for (i, cell) in cells.iter().take(most).enumerate() {
                out.push_str(if i == 0 { "" } else { between });
                match cell {
                    Cell::List(inner) => push_words(out, inner, now),
                    cell => push_cell(out, cell, now),
                }
            }
            if cells.len() > most {
                out.push_str(",…");
            }
        }
        Cell::Unknown => out.push('?'),
        Cell::Nothing => out.push('-'),
        Cell::Elapsed(_) | Cell::Name(_) | Cell::Data(_) => {
            let _ = write!(out, "{cell}");
        }
    }
}

/// What is one thing together: `812 bash 3w`.
fn push_words(out: &mut String, cells: &[Cell], now: i64) {
    for (i, cell) in cells.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { " " });
        push_cell(out, cell, now);
    }
}

/// How long ago: `3 s ago`, `2 h ago`; of the future, `in 3 s`.
fn push_age(out: &mut String, seconds: i64) {
    let (n, unit) = rough(seconds.unsigned_abs());
    out.push_str(if seconds < 0 { "in " } else { "" });
    push_u64(out, n);
    out.push(' ');
    out.push_str(unit);
    out.push_str(if seconds < 0 { "" } else { " ago" });
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |d| d.as_secs() as i64)
}
