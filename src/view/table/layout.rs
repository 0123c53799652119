//! Which columns of a table are shown, and how, in the room that there is.

use super::{Look, width_of};
use crate::data::Cell;

/// A column of prose may be broken between its words, down to this width.
const PROSE: usize = 24;

/// How wide a column is.
#[derive(Clone, Copy)]
pub(super) struct Width {
    /// With every cell on one line.
    pub natural: usize,
    /// Whether its cells are words, which may go on in the next line.
    pub prose: bool,
}

impl Width {
    fn least(self) -> usize {
        match self.prose {
            true => self.natural.min(PROSE),
            false => self.natural,
        }
    }
}

/// How a table is shown.
pub(super) enum Layout {
    /// With rules.
    Ruled,
    /// Without.
    Plain {
        /// The columns that stand side by side.
        shown: Vec<usize>,
        /// Those that stand below each row, one a line.
        below: Vec<usize>,
    },
}

impl Look<'_> {
    /// How wide the columns are; none is narrower than it was before.
    pub(super) fn widths(&self, before: &mut Vec<usize>) -> Vec<Width> {
        before.resize(self.table.columns.len(), 0);
        let mut widths: Vec<Width> = before
            .iter()
            .enumerate()
            .map(|(c, before)| Width {
                natural: width_of(&self.heading(c)).max(*before),
                prose: false,
            })
            .collect();
        let mut text = String::new();
        let mut above: &[Cell] = &[];
        for (r, row) in self.table.rows().enumerate() {
            for (c, cell) in row.iter().enumerate() {
                // Most of a long table is as in the row above.
                if self.repeats(above, r, c, cell) {
                    continue;
                }
                text.clear();
                self.push(&mut text, r, c, cell);
                let width = &mut widths[c];
                width.natural = width.natural.max(width_of(&text));
                let words = matches!(cell, Cell::Text(_) | Cell::List(_) | Cell::Data(_));
                width.prose |= words && text.len() > PROSE && text.contains(' ');
            }
            above = row;
        }
        for (before, width) in before.iter_mut().zip(&widths) {
            // Prose would keep its widest line for ever.
            *before = if width.prose { 0 } else { width.natural };
        }
        widths
    }

    /// How it fits into a terminal of this width. `tall`: a row may take several lines.
    pub(super) fn layout(
        &self,
        widths: &[Width],
        room: usize,
        (ruled, tall): (bool, bool),
    ) -> Layout {
        let rules = 3 * widths.len() + 1;
        if ruled && rules + widths.iter().map(|w| w.least()).sum::<usize>() <= room {
            return Layout::Ruled;
        }
        let mut shown: Vec<usize> = (0..widths.len()).collect();
        let taken = |shown: &[usize]| {
            let cells: usize = shown.iter().map(|c| widths[*c].natural).sum();
            cells + 2 * shown.len().saturating_sub(1)
        };
        let mut below = Vec::new();
        let mut prose: Vec<usize> = shown.clone();
        prose.retain(|c| tall && widths[*c].prose);
        prose.sort_by_key(|c| widths[*c].natural);
        while taken(&shown) > room
            && let Some(widest) = prose.pop()
        {
            shown.retain(|c| *c != widest);
            below.push(widest);
        }
        let columns = &self.table.columns;
        let mut spare: Vec<usize> = (0..widths.len()).collect();
        // What rows are sorted by is looked at.
        let sorted = self.sorted.map(|(column, _)| column);
        spare.retain(|c| columns[*c].traits.spare > 0 && Some(*c) != sorted);
        spare.sort_by_key(|c| columns[*c].traits.spare);
        for place in &spare {
            if taken(&shown) <= room {
                break;
            }
            shown.retain(|c| c != place);
        }
        // What is left stands in the order of its importance.
        while shown.len() > 2 && taken(&shown) > room {
            let last = shown.pop();
            below.extend(last.filter(|_| !below.is_empty()));
        }
        below.sort_unstable();
        // One wide column may have made room for several narrow ones.
        for place in spare.into_iter().rev() {
            if shown.contains(&place) {
                continue;
            }
            let mut more = shown.clone();
            more.insert(more.partition_point(|c| *c < place), place);
            if taken(&more) <= room {
                shown = more;
            }
        }
        Layout::Plain { shown, below }
    }

    /// What is said of the columns that are not shown.
    pub(super) fn left_out(&self, shown: &[usize], below: &[usize]) -> Option<String> {
        let names = self.table.columns.iter().enumerate();
        let names = names.filter(|(c, _)| !shown.contains(c) && !below.contains(c));
        let names: Vec<&str> = names.map(|(_, column)| column.name).collect();
        (!names.is_empty()).then(|| format!("left out for want of room: {}", names.join(", ")))
    }
}
