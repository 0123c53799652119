//! The screen of `watch`: the alternate one, left again whatever happens.

use std::io::{self, Write};
use std::time::Instant;

use super::order::Order;
use super::panel::{Panel, Place};
use super::past::Past;
use crate::data::{Failure, Reply, counted};
use crate::kernel::terminal::WindowSize;
use crate::mechanism::Sight;
use crate::view::{Style, besides, cut, printable};

/// What the keys do, and what the signs mean.
const KEYS: &str = "< > sort   r reverse   any other key ends it   + new  - gone  * changed";

/// The same where there is no table.
const NO_TABLE: &str = "any key ends it";

/// How high a terminal is for the keys to be told, and for a blank line under the heading.
const WITH_KEYS: usize = 5;
const WITH_BLANK: usize = 12;

pub(super) struct Screen {
    style: Style,
    /// What is watched, and how often.
    heading: String,
    pub order: Order,
    panels: Vec<Panel>,
    /// What was seen besides.
    text: String,
    begun: bool,
    size: Option<WindowSize>,
}

impl Screen {
    pub fn open(style: Style, heading: String, order: Order) -> Result<Screen, Failure> {
        // The alternate screen, without a cursor.
        write!(io::stdout(), "\x1b[?1049h\x1b[?25l").map_err(written)?;
        Ok(Screen {
            style,
            heading,
            order,
            panels: Vec::new(),
            text: String::new(),
            begun: false,
            size: None,
        })
    }

    /// Takes in what a look has shown.
    pub fn take(&mut self, reply: Reply, at: Instant) {
        let start = !std::mem::replace(&mut self.begun, true);
        self.text = besides(&reply);
        let mut before = std::mem::take(&mut self.panels);
        for table in reply.tables {
            let known = |p: &Panel| {
                let known = &p.past.table;
                (known.kind, known.title) == (table.kind, table.title)
            };
            let panel = match before.iter().position(known) {
                Some(place) => {
                    let mut panel = before.swap_remove(place);
                    panel.next(table, at);
                    panel
                }
                None => Panel::new(Past::new(table, at, start)),
            };
            self.panels.push(panel);
        }
    }

    /// Whether there is anything that could be sorted.
    pub fn has_tables(&self) -> bool {
        !self.panels.is_empty()
    }

    /// Sorts by the column behind the one that the rows are sorted by, or before it.
    pub fn sort_by_next(&mut self, backwards: bool) {
        let mut names: Vec<&'static str> = Vec::new();
        for panel in &self.panels {
            let columns = panel.past.told.columns(&panel.past.table);
            for name in columns.iter().map(|c| c.name).filter(|n| !n.is_empty()) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let at = self.order.column.as_deref();
        let at = at.and_then(|at| names.iter().position(|n| *n == at));
        // Past either end stands the order of the command.
        let next = match (at, backwards) {
            (None, false) => Some(0),
            (None, true) => names.len().checked_sub(1),
            (Some(at), false) => Some(at + 1),
            (Some(at), true) => at.checked_sub(1),
        };
        self.order = match next.and_then(|n| names.get(n)) {
            Some(name) => Order {
                column: Some(name.to_string()),
                descending: self.panels.iter().any(|p| p.past.is_number(name)),
            },
            None => Order::default(),
        };
    }

    /// Draws what was seen last.
    pub fn draw(&mut self, size: Option<WindowSize>, sight: &Sight) -> Result<(), Failure> {
        if self.size != size {
            self.panels.iter_mut().for_each(Panel::forget_widths);
            self.size = size;
        }
        // A terminal that does not know its size says 0.
        let known = |n: Option<u16>| n.filter(|n| *n > 0).map_or(usize::MAX, usize::from);
        let rows = known(size.map(|s| s.rows));
        // To clear the rest of a full line would clear its last letter.
        let columns = known(size.map(|s| s.columns)) - 1;
        let lines = self.frame(rows, columns, sight).map_err(written)?;
        show(&lines, columns).map_err(written)
    }

    fn frame(&mut self, rows: usize, columns: usize, sight: &Sight) -> io::Result<Vec<String>> {
        let words = self.order.words();
        let gap = if words.is_empty() { "" } else { "   " };
        let heading = printable(&self.heading).replace('\n', " ");
        let heading = format!("{heading}{gap}{words}");
        let mut lines = vec![self.style.aside(&heading)];
        if rows >= WITH_BLANK {
            lines.push(String::new());
        }
        let keys = usize::from(rows >= WITH_KEYS);
        let room = rows.saturating_sub(lines.len() + keys);
        let mut body = self.body(room, columns, sight)?;
        // No more than could be shown: a drawing may have thousands of lines.
        let mut text = self.text.lines();
        body.extend(text.by_ref().take(room.saturating_add(1)).map(String::from));
        fit(&mut body, room, text.count());
        lines.append(&mut body);
        if keys > 0 {
            let keys = if self.has_tables() { KEYS } else { NO_TABLE };
            lines.push(self.style.aside(keys));
        }
        lines.truncate(rows);
        Ok(lines)
    }

    /// The tables: with rules where there is room, plainly and cut where there is none.
    fn body(&mut self, room: usize, columns: usize, sight: &Sight) -> io::Result<Vec<String>> {
        let Screen {
            panels,
            style,
            order,
            ..
        } = self;
        let place = |ruled, footer| Place {
            order,
            style: *style,
            width: (columns < usize::MAX - 1).then(|| columns.try_into().unwrap_or(u16::MAX)),
            ruled,
            footer,
        };
        // A title, the headings, three rules.
        let ruled: usize = panels.iter().map(|p| p.rows() + 5).sum();
        if ruled <= room {
            let mut lines = Vec::new();
            for panel in panels.iter_mut() {
                lines.extend(panel.draw(panel.rows(), place(true, true), sight)?);
            }
            if lines.len() <= room {
                return Ok(lines);
            }
        }
        let wanted: Vec<usize> = panels.iter().map(Panel::rows).collect();
        let content = |given: &[usize]| {
            let pairs = given.iter().zip(&wanted);
            pairs
                .into_iter()
                .all(|(given, wanted)| *given >= FEW.min(*wanted))
        };
        // What stands below a table is known once it is drawn: then it is drawn with what is left.
        for _ in 0..3 {
            let below: usize = panels.iter().map(|p| p.below).sum();
            let given = shared(&wanted, room.saturating_sub(below));
            if !content(&given) {
                break;
            }
            let mut lines = Vec::new();
            for (panel, rows) in panels.iter_mut().zip(given) {
                let drawn = panel.draw(rows, place(false, true), sight)?;
                panel.below = drawn.len().saturating_sub(rows + heading(rows));
                lines.extend(drawn);
            }
            let stood: usize = panels.iter().map(|p| p.below).sum();
            if lines.len() <= room && stood == below {
                return Ok(lines);
            }
        }
        let mut lines = Vec::new();
        for (panel, rows) in panels.iter_mut().zip(shared(&wanted, room)) {
            lines.extend(panel.draw(rows, place(false, false), sight)?);
        }
        Ok(lines)
    }
}

/// So many rows are worth more than what stands below a table.
const FEW: usize = 3;

/// How many lines stand above so many rows: a title, and the headings where there are any.
fn heading(rows: usize) -> usize {
    1 + usize::from(rows > 0)
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write!(io::stdout(), "\x1b[?25h\x1b[?1049l");
        let _ = io::stdout().flush();
    }
}

pub(super) fn written(e: io::Error) -> Failure {
    Failure::environment(format!("the screen cannot be written: {e}"))
}

/// How many rows each table shows in so many lines: all that it has, or as many as the others. Each
/// takes a line for its title; where not all can have headings and a row, the first do.
fn shared(wanted: &[usize], room: usize) -> Vec<usize> {
    let mut left = room.saturating_sub(wanted.len());
    let mut open = Vec::new();
    for (i, _) in wanted.iter().enumerate().filter(|(_, rows)| **rows > 0) {
        if left >= 2 {
            left -= 2;
            open.push(i);
        }
    }
    left += open.len();
    let mut given = vec![0; wanted.len()];
    let mut hungry = open.len();
    open.sort_by_key(|i| wanted[*i]);
    for i in open {
        given[i] = wanted[i].min(left.div_ceil(hungry));
        left -= given[i];
        hungry -= 1;
    }
    given
}

/// Cuts the lines to the room, and says how many there are no more: these, and `rest`.
fn fit(lines: &mut Vec<String>, room: usize, rest: usize) {
    if lines.len() <= room {
        return;
    }
    let kept = room.saturating_sub(1);
    let more = lines.len() - kept + rest;
    lines.truncate(kept);
    if room > 0 {
        lines.push(format!("… {}", counted(more, "more line")));
    }
}

/// Writes a frame over the last one: no line is cleared before its text is there, so nothing
/// flickers, and nothing scrolls.
fn show(lines: &[String], columns: usize) -> io::Result<()> {
    let mut out = String::from("\x1b[H");
    for (i, line) in lines.iter().enumerate() {
        // Nothing follows the last line of the screen, which would scroll it.
        out.push_str(if i == 0 { "" } else { "\r\n" });
        out.push_str(&cut(line, columns));
        out.push_str("\x1b[K");
    }
    out.push_str("\x1b[J");
    let mut stdout = io::stdout().lock();
    stdout.write_all(out.as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_and_none_is_left_while_somebody_wants_it() {
        for (wanted, room, given) in [
            (&[][..], 9, &[][..]),
            (&[3, 4], 11, &[3, 4]),
            (&[10_000, 2, 3], 26, &[15, 2, 3]),
            (&[10, 0, 10], 10, &[3, 0, 2]),
            (&[10, 10, 10], 9, &[1, 1, 1]),
            (&[10, 10, 10], 8, &[2, 1, 0]),
            (&[5, 10], 3, &[0, 0]),
            (&[5, 10], 0, &[0, 0]),
        ] {
            assert_eq!(shared(wanted, room), given, "{wanted:?} {room}");
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        for (n, rest, room, last, len) in [
            (3, 0, 3, "2", 3),
            (4, 0, 3, "… 2 more lines", 3),
            (4, 5, 3, "… 7 more lines", 3),
            (4, 0, 1, "… 4 more lines", 1),
            (4, 0, 0, "", 0),
        ] {
            let mut body = lines(n);
            fit(&mut body, room, rest);
            assert_eq!(body.last().map_or("", |l| l), last);
            assert_eq!(body.len(), len);
        }
    }
}
