//! Tables for people: ruled where they are small, streamed plainly where they are large.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{
    Attribute, Cell as Ruled, CellAlignment, ContentArrangement, Table as RuledTable,
};
use unicode_width::UnicodeWidthStr;

use super::{Style, printable};
use crate::data::{Cell, Table};

/// From here on rules cost more than they help.
const LARGE: usize = 1000;

/// Which cells differ from the last time a table was shown.
pub type Changed<'a> = &'a dyn Fn(usize, usize) -> bool;

/// Writes a table with its title and its footer.
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
    if table.is_empty() {
        writeln!(out, "{}: {}", style.strong(table.title), table.empty)?;
    } else if table.len() > LARGE {
        writeln!(out, "{}", style.strong(table.title))?;
        stream(out, table)?;
    } else {
        writeln!(out, "{}", style.strong(table.title))?;
        ruled(out, table, style, width, changed)?;
    }
    for line in &table.footer {
        writeln!(out, "{}", style.aside(line))?;
    }
    Ok(())
}

fn ruled(
    out: &mut dyn Write,
    table: &Table,
    style: Style,
    width: Option<u16>,
    changed: Changed,
) -> io::Result<()> {
    let now = now();
    let mut ruled = RuledTable::new();
    ruled.load_style(UTF8_FULL_CONDENSED);
    match width {
        Some(width) => {
            ruled.set_content_arrangement(ContentArrangement::Dynamic);
            ruled.set_width(width);
        }
        None => {
            ruled.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    ruled.set_header(table.columns.iter().map(|c| Ruled::new(c.name)));
    let mut text = String::new();
    for (r, row) in table.rows().enumerate() {
        let cells = row.iter().enumerate().map(|(c, cell)| {
            text.clear();
            write_cell(&mut text, cell, now);
            let mut shown = Ruled::new(&text);
            if is_number(cell) {
                shown = shown.set_alignment(CellAlignment::Right);
            }
            if style.is_coloured() && changed(r, c) {
                shown = shown.add_attribute(Attribute::Reverse);
            }
            shown
        });
        ruled.add_row(cells.collect::<Vec<_>>());
    }
    writeln!(out, "{ruled}")
}

/// Two passes: the widths, then the rows. Memory does not grow with the table.
fn stream(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    let now = now();
    let mut widths: Vec<usize> = table.columns.iter().map(|c| c.name.len()).collect();
    let mut text = String::new();
    for row in table.rows() {
        for (width, cell) in widths.iter_mut().zip(row) {
            text.clear();
            write_cell(&mut text, cell, now);
            *width = (*width).max(width_of(&text));
        }
    }
    let mut line = String::new();
    for (column, width) in table.columns.iter().zip(&widths) {
        pad(&mut line, column.name, *width, false);
    }
    writeln!(out, "{}", line.trim_end())?;
    for row in table.rows() {
        line.clear();
        for (width, cell) in widths.iter().zip(row) {
            text.clear();
            write_cell(&mut text, cell, now);
            pad(&mut line, &text, *width, is_number(cell));
        }
        let end = line.trim_end().len();
        line.truncate(end);
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn width_of(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.width(),
    }
}

fn pad(line: &mut String, text: &str, width: usize, right: bool) {
    let blanks = width.saturating_sub(width_of(text));
    let fill = |line: &mut String| line.extend(std::iter::repeat_n(' ', blanks));
    if right {
        fill(line);
        line.push_str(text);
    } else {
        line.push_str(text);
        fill(line);
    }
    line.push_str("  ");
}

fn is_number(cell: &Cell) -> bool {
    matches!(
        cell,
        Cell::Int(_) | Cell::Size(_) | Cell::Mode(_) | Cell::Elapsed(_)
    )
}

/// A cell for a person: times as an age, permissions as `ipcs` shows them.
fn write_cell(out: &mut String, cell: &Cell, now: i64) {
    use std::fmt::Write;
    let written = match cell {
        Cell::Int(n) => match i64::try_from(*n) {
            Ok(n) => return write_int(out, n),
            Err(_) => write!(out, "{n}"),
        },
        Cell::Size(n) => return write_int(out, *n as i64),
        Cell::Key(k) => return write_key(out, *k as u32),
        Cell::Mode(m) => write!(out, "{m:03o}"),
        Cell::Time(0) => write!(out, "Not set"),
        Cell::Time(t) => write!(out, "{}", age(now - t)),
        Cell::Text(text) => {
            out.push_str(&printable(text).replace(['\n', '\t'], " "));
            return;
        }
        Cell::List(cells) => {
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_cell(out, cell, now);
            }
            return;
        }
        other => write!(out, "{other}"),
    };
    // Writing into a String cannot fail.
    debug_assert!(written.is_ok());
}

fn write_int(out: &mut String, n: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push('-');
    }
    out.extend(digits[at..].iter().map(|d| char::from(*d)));
}

fn write_key(out: &mut String, key: u32) {
    out.push_str("0x");
    for shift in (0..8).rev() {
        let digit = (key >> (shift * 4)) & 0xf;
        out.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}

/// How long ago: `3 s ago`, `2 h ago`.
fn age(seconds: i64) -> String {
    match seconds {
        ..0 => "now".into(),
        s @ 0..120 => format!("{s} s ago"),
        s @ 120..7200 => format!("{} min ago", s / 60),
        s @ 7200..172_800 => format!("{} h ago", s / 3600),
        s => format!("{} d ago", s / 86400),
    }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |d| d.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Column;

    static ID: Column = Column {
        name: "id",
        help: "",
    };
    static COMMAND: Column = Column {
        name: "lscmd",
        help: "",
    };

    fn table(rows: usize) -> Table {
        let mut table = Table::new("msgq", "Message queues", vec![&ID, &COMMAND]);
        for i in 0..rows {
            table.push([Cell::from(i), Cell::text("a\x1b[31m")]);
        }
        table
    }

    fn shown(table: &Table) -> String {
        let mut out = Vec::new();
        write_table(&mut out, table, Style::PLAIN, None, &|_, _| false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn large_and_small_tables_show_the_same_and_obey_nothing() {
        assert_eq!(shown(&table(0)), "Message queues: none\n");
        for rows in [3, LARGE + 5] {
            let text = shown(&table(rows));
            assert!(!text.contains('\x1b'));
            assert_eq!(text.matches("a\\x1b[31m").count(), rows);
        }
        let text = shown(&table(LARGE + 5));
        assert!(text.contains("\n   7  a\\x1b[31m\n"), "{text}");
    }

    #[test]
    fn integers_are_written_whole() {
        for n in [0, -1, i64::MIN, i64::MAX, 1000] {
            let mut text = String::new();
            write_int(&mut text, n);
            assert_eq!(text, n.to_string());
        }
        let mut text = String::new();
        write_key(&mut text, 0x6970_0aff);
        assert_eq!(text, "0x69700aff");
    }
}
