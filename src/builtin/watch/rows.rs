//! Rows by what they are rows of: which of them was where at the look before.

use std::collections::HashMap;

use crate::data::{Cell, Identity, Table};

/// The places of the columns that together name what a row is about.
fn identity(table: &Table) -> Vec<usize> {
    let best = table.columns.iter().map(|c| c.traits.identity).max();
    match best {
        // Where nothing names a row, its first cell has to.
        None | Some(Identity::No) => vec![0],
        Some(best) => (0..table.columns.len())
            .filter(|c| table.columns[*c].traits.identity == best)
            .collect(),
    }
}

/// How the rows of two looks belong together.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Matched {
    /// For each row of now, where it was.
    pub was: Vec<Option<usize>>,
    /// The rows that are no more: where each was, and where it would stand now.
    pub gone: Vec<(usize, usize)>,
}

/// Pairs the rows of a look with those of the one before, which has the same columns. Rows keep their order from one look to
/// the next, so nearly all of them are paired by running along both; of rows alike, the first is
/// paired with the first.
pub(super) fn matched(before: &Table, now: &Table) -> Matched {
    let identity = identity(now);
    let same = |b: usize, n: usize| {
        let (b, n) = (before.row(b), now.row(n));
        identity.iter().all(|c| b.get(*c) == n.get(*c))
    };
    let (old, new) = (before.len(), now.len());
    let least = old.min(new);
    let head = (0..least).take_while(|i| same(*i, *i)).count();
    let tail = (0..least - head)
        .take_while(|i| same(old - 1 - i, new - 1 - i))
        .count();
    let mut was: Vec<Option<usize>> = (0..head).map(Some).collect();
    let mut known: HashMap<Vec<&Cell>, Vec<usize>> = HashMap::new();
    // Backwards, so that the first of those alike is the last of its list.
    for b in (head..old - tail).rev() {
        known
            .entry(name(before.row(b), &identity))
            .or_default()
            .push(b);
    }
    let middle = head..new - tail;
    was.extend(middle.map(|n| known.get_mut(&name(now.row(n), &identity))?.pop()));
    was.extend((old - tail..old).map(Some));
    let mut gone: Vec<(usize, usize)> = known.into_values().flatten().map(|b| (b, 0)).collect();
    gone.sort_unstable();
    place(&was, &mut gone);
    Matched { was, gone }
}

fn name<'a>(row: &'a [Cell], identity: &[usize]) -> Vec<&'a Cell> {
    identity.iter().filter_map(|c| row.get(*c)).collect()
}

/// A row that is gone would stand behind the one that it stood behind.
fn place(was: &[Option<usize>], gone: &mut [(usize, usize)]) {
    if gone.is_empty() {
        return;
    }
    let mut now: HashMap<usize, usize> = HashMap::new();
    for (n, b) in was.iter().enumerate() {
        if let Some(b) = b {
            now.insert(*b, n + 1);
        }
    }
    let mut before: Option<(usize, usize)> = None;
    for (b, at) in gone {
        *at = match before {
            Some((last, at)) if last + 1 == *b => at,
            _ => (0..*b)
                .rev()
                .find_map(|b| now.get(&b))
                .copied()
                .unwrap_or(0),
        };
        before = Some((*b, *at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Column;

    static ID: Column = Column::new("id", "").identity(Identity::Strong);
    static QNUM: Column = Column::new("qnum", "");

    fn table(ids: &[i32]) -> Table {
        let mut table = Table::new("msgq", "Message queues", vec![&QNUM, &ID]);
        for id in ids {
            // What is not its identity is another at every look.
            table.push([Cell::from(ids.len()), (*id).into()]);
        }
        table
    }

    #[test]
    fn rows_are_paired_by_their_identity_wherever_they_stand() {
        type Gone = &'static [(usize, usize)];
        let some = |places: &[i32]| -> Vec<Option<usize>> {
            let place = |p: &i32| usize::try_from(*p).ok();
            places.iter().map(place).collect()
        };
        for (before, now, was, gone) in [
            (&[][..], &[][..], &[][..], &[][..] as Gone),
            (&[], &[1, 2], &[-1, -1], &[]),
            (&[1, 2], &[], &[], &[(0, 0), (1, 0)]),
            (&[1, 2, 3], &[1, 2, 3], &[0, 1, 2], &[]),
            (&[1, 2, 3], &[1, 3], &[0, 2], &[(1, 1)]),
            (&[1, 2, 3, 4], &[4], &[3], &[(0, 0), (1, 0), (2, 0)]),
            (&[1, 3], &[1, 2, 3, 4], &[0, -1, 1, -1], &[]),
            (&[1, 2, 3], &[3, 2, 1], &[2, 1, 0], &[]),
            (&[1, 2, 3, 4], &[1, 4, 5, 2], &[0, 3, -1, 1], &[(2, 4)]),
            // Those alike.
            (&[7, 7, 8], &[7, 7], &[0, 1], &[(2, 2)]),
            (&[7, 7, 8], &[8, 7], &[2, 0], &[(1, 2)]),
        ] {
            let found = matched(&table(before), &table(now));
            assert_eq!(found.was, some(was), "{before:?} {now:?}");
            assert_eq!(found.gone, gone, "{before:?} {now:?}");
        }
    }
}
