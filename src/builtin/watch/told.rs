//! What is told of a row beside its columns: how fast it changes, and for how long it has been so.

use std::time::Duration;

use crate::data::{Cell, Column, Family, Role, Table, rough};
use crate::mechanism;

/// What watching has shown.
static SEEN: Column = Column::new(
    "seen",
    "what was so at every look, and for how long; which of its times have changed",
);

/// What stands left of each row.
static MARK: Column = Column::new("", "+ new, - gone");

/// A column of the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shown {
    /// Whether the row is new or gone.
    Mark,
    /// A column of the table.
    Cell(usize),
    /// How fast a column of the table changes.
    Rate(usize, &'static Column),
    /// What watching has shown.
    Seen,
}

/// What can be told of a table's rows.
#[derive(Debug)]
pub(super) struct Told {
    /// The screen's columns.
    pub shown: Vec<Shown>,
    /// Which column holds how much is there, which how much may be, and how much more it takes.
    full: Vec<(usize, usize, u8)>,
    waits: Option<Waits>,
    /// The times that the kernel keeps of these objects, and what each says where it changes.
    pub times: &'static [(&'static str, &'static str)],
}

/// How a row tells that somebody is blocked.
#[derive(Clone, Copy, Debug)]
enum Waits {
    /// Who waits is in this cell.
    At(usize),
    /// It is one that waits itself, in this call.
    Itself(usize),
}

impl Told {
    pub fn of(table: &Table) -> Told {
        let with = |role| table.columns.iter().position(|c| c.traits.role == role);
        let mut full = Vec::new();
        for (holds, column) in table.columns.iter().enumerate() {
            let Role::Room { more } = column.traits.role else {
                continue;
            };
            let fills = table.columns.iter().enumerate();
            let fills = fills.filter(|(_, c)| c.traits.role == Role::Fill);
            full.extend(fills.map(|(has, _)| (has, holds, more)));
        }
        let itself = || with(Role::Blocked).map(Waits::Itself);
        let waits = with(Role::Waits).map(Waits::At).or_else(itself);
        let times = times(table);
        // In order of importance: what does not fit is left out from the end.
        let behind = full.iter().map(|(has, holds, _)| *has.max(holds)).max();
        let behind = behind.or(waits.map(|w| match w {
            Waits::At(c) | Waits::Itself(c) => c,
        }));
        let behind = behind.or((!times.is_empty()).then(|| table.columns.len().saturating_sub(1)));
        let mut shown = vec![Shown::Mark];
        for (c, column) in table.columns.iter().enumerate() {
            shown.push(Shown::Cell(c));
            shown.extend(column.per_second().map(|rate| Shown::Rate(c, rate)));
            if behind == Some(c) {
                shown.push(Shown::Seen);
            }
        }
        Told {
            shown,
            full,
            waits,
            times,
        }
    }

    /// The columns as the screen's table has them.
    pub fn columns(&self, table: &Table) -> Vec<&'static Column> {
        let column = |shown: &Shown| match shown {
            Shown::Mark => &MARK,
            Shown::Cell(c) => table.columns[*c],
            Shown::Rate(_, rate) => rate,
            Shown::Seen => &SEEN,
        };
        self.shown.iter().map(column).collect()
    }

    /// Whether it can be seen that nothing more fits.
    pub fn is_full(&self, row: &[Cell]) -> bool {
        let int = |c: usize| row.get(c).and_then(Cell::as_int);
        self.full.iter().any(|(has, holds, more)| {
            let pair = int(*has).zip(int(*holds));
            pair.is_some_and(|(has, holds)| has >= holds + i128::from(*more))
        })
    }

    /// Who waits there, or in what the row itself waits.
    pub fn waits<'a>(&self, row: &'a [Cell]) -> Option<&'a Cell> {
        let (Waits::At(c) | Waits::Itself(c)) = self.waits?;
        let cell = row.get(c)?;
        (!matches!(cell, Cell::Nothing | Cell::Unknown)).then_some(cell)
    }

    /// Whether another word in that cell is another wait.
    pub fn waits_itself(&self) -> bool {
        matches!(self.waits, Some(Waits::Itself(_)))
    }
}

/// The times that tell of an object's use, where the rows are System V objects by their ids.
fn times(table: &Table) -> &'static [(&'static str, &'static str)] {
    let family = Family::from_noun(table.kind).filter(|_| table.place("id").is_some());
    let kind = family.and_then(|family| mechanism::system_v(family).ok());
    kind.map_or(&[], |kind| kind.times)
}

/// A change a second: `+12`, `-0.3`, `0`.
pub(super) fn rate_cell(rate: f64) -> Cell {
    // What is rounded to nothing is still some.
    let digits = if rate.abs() < 9.95 && rate.fract() != 0.0 {
        1
    } else {
        0
    };
    match rate {
        0.0 => Cell::text("0"),
        rate => Cell::Text(format!("{rate:+.digits$}")),
    }
}

/// For how long something was so, in words behind it: ` 42 s`, ` ≥42 s` where it was so at the
/// first look.
pub(super) fn lasting(time: Duration, from_start: bool) -> String {
    let sign = if from_start { "≥" } else { "" };
    match rough(time.as_secs()) {
        (0, _) => String::new(),
        (n, unit) => format!(" {sign}{n} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_times_are_short_words() {
        for (rate, word) in [
            (0.0, "0"),
            (3.0, "+3"),
            (-3.25, "-3.2"),
            (0.04, "+0.0"),
            (9.96, "+10"),
            (12345.6, "+12346"),
            (-12.4, "-12"),
        ] {
            assert_eq!(rate_cell(rate), Cell::text(word), "{rate}");
        }
        for (seconds, from_start, words) in [
            (0.9, true, ""),
            (1.2, false, " 1 s"),
            (42.0, true, " ≥42 s"),
            (119.9, false, " 119 s"),
            (120.0, false, " 2 min"),
            (7200.0, true, " ≥2 h"),
        ] {
            assert_eq!(lasting(Duration::from_secs_f64(seconds), from_start), words);
        }
    }

    fn table(kind: &'static str, names: &[&'static str]) -> Table {
        let all = || Family::ALL.into_iter().flat_map(mechanism::fields);
        let column = |name: &&'static str| {
            let other = match (kind, *name) {
                ("why", "call") => Column::new(name, "").role(Role::Blocked),
                (_, name) => match all().find(|c| c.name == name) {
                    Some(known) => return known,
                    None => Column::new(name, ""),
                },
            };
            &*Box::leak(Box::new(other))
        };
        Table::new(kind, "", names.iter().map(column).collect())
    }

    #[test]
    fn full_is_what_holds_no_more() {
        for (names, row, full) in [
            (&["cbytes", "qbytes"][..], &[7, 8][..], false),
            (&["cbytes", "qbytes"], &[8, 8], true),
            (&["qnum", "cbytes", "qbytes"], &[8, 0, 8], true),
            (&["pending", "backlog"], &[1, 1], false),
            (&["pending", "backlog"], &[2, 1], true),
            (&["bytes", "capacity"], &[65536, 65536], true),
            (&["bytes"], &[65536], false),
        ] {
            let row: Vec<Cell> = row.iter().map(|n| Cell::from(*n)).collect();
            let told = Told::of(&table("x", names));
            assert_eq!(told.is_full(&row), full, "{names:?} {row:?}");
        }
        let told = Told::of(&table("x", &["bytes", "capacity"]));
        assert!(!told.is_full(&[Cell::Unknown, Cell::Unknown]));
    }

    #[test]
    fn what_is_told_stands_beside_what_it_is_about() {
        for (kind, names, expected) in [
            (
                "msgq",
                &["id", "qnum", "qbytes", "waits"][..],
                "|id|qnum|qnum/s|qbytes|seen|waits",
            ),
            (
                "sem",
                &["id", "value", "waits", "x"],
                "|id|value|waits|seen|x",
            ),
            ("shm", &["id", "size"], "|id|size|seen"),
            ("shm", &["name", "size"], "|name|size"),
            ("why", &["pid", "call", "wakes"], "|pid|call|seen|wakes"),
            ("who", &["pid", "call", "sure"], "|pid|call|sure"),
            ("limit", &["name", "used"], "|name|used"),
        ] {
            let table = table(kind, names);
            let columns = Told::of(&table).columns(&table);
            let columns: Vec<&str> = columns.iter().map(|c| c.name).collect();
            assert_eq!(columns.join("|"), expected);
        }
    }
}
