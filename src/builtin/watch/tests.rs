use std::time::{Duration, Instant};

use super::order::{Entry, Order};
use super::past::Past;
use crate::data::{Cell, Column, Identity, Rate, Role, Table};

static ID: Column = Column::new("id", "").identity(Identity::Strong);
static QNUM: Column = Column::new("qnum", "").rate(Rate::Told).role(Role::Fill);
static QBYTES: Column = Column::new("qbytes", "").role(Role::Room { more: 0 });
static WAITS: Column = Column::new("waits", "").role(Role::Waits);
static CALL: Column = Column::new("call", "").role(Role::Blocked);
static WAKES: Column = Column::new("wakes", "");

/// Queues that hold at most 8, by id and what they hold; nobody waits where that is odd.
fn queues(rows: &[(i32, i32)]) -> Table {
    let columns = vec![&ID, &QNUM, &QBYTES, &WAITS];
    let mut table = Table::new("msgq", "Message queues", columns);
    for (id, qnum) in rows {
        let waits = match qnum % 2 {
            0 => Cell::text("S1"),
            _ => Cell::Nothing,
        };
        table.push([Cell::from(*id), (*qnum).into(), 8.into(), waits]);
    }
    table
}

/// The clock of these tests.
struct Clock(Instant);

impl Clock {
    fn at(&self, seconds: u64) -> Instant {
        self.0 + Duration::from_secs(seconds)
    }
}

fn ids(order: &Order, past: &Past, most: usize) -> String {
    let id = |entry: &Entry| match entry {
        Entry::Row(row) => past.table.row(*row)[0].to_string(),
        Entry::Gone(gone) => format!("-{}", past.gone[*gone].row[0]),
    };
    let entries = order.entries(past, most);
    entries.iter().map(id).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_row_is_new_once_and_gone_for_a_moment_and_in_its_place() {
    let clock = Clock(Instant::now());
    let mut past = Past::new(queues(&[(1, 1), (2, 1), (3, 1)]), clock.at(0), true);
    let listed = Order::default();
    assert!(!past.is_new(0));
    past.next(queues(&[(1, 1), (3, 1), (4, 1)]), clock.at(1));
    assert_eq!(ids(&listed, &past, 9), "1 -2 3 4");
    assert_eq!([0, 1, 2].map(|row| past.is_new(row)), [false, false, true]);
    past.next(queues(&[(1, 1), (3, 1), (4, 1)]), clock.at(2));
    assert_eq!(ids(&listed, &past, 9), "1 -2 3 4");
    assert!(!past.is_new(2));
    past.next(queues(&[(1, 1), (3, 1), (4, 1)]), clock.at(4));
    assert_eq!(ids(&listed, &past, 9), "1 3 4");
    // At a slow pace it is shown at one look all the same.
    past.next(queues(&[(1, 1)]), clock.at(1000));
    assert_eq!(ids(&listed, &past, 9), "1 -3 -4");
    past.next(queues(&[(1, 1)]), clock.at(2000));
    assert_eq!(ids(&listed, &past, 9), "1");
}

#[test]
fn rates_are_by_the_second_and_of_the_same_row() {
    let clock = Clock(Instant::now());
    let mut past = Past::new(queues(&[(1, 1), (2, 7)]), clock.at(0), true);
    assert_eq!(past.rate(0, 1), None);
    past.next(queues(&[(2, 1), (3, 5)]), clock.at(4));
    assert_eq!(past.rate(0, 1), Some(-1.5));
    assert_eq!(past.rate_cell(0, 1), Cell::text("-1.5"));
    assert_eq!(past.rate_cell(1, 1), Cell::Nothing);
    assert!(past.changed(0, 1) && !past.changed(0, 0) && !past.changed(1, 1));
}

#[test]
fn how_long_it_was_so_is_what_was_seen() {
    let clock = Clock(Instant::now());
    let mut past = Past::new(queues(&[(1, 8), (2, 7)]), clock.at(0), true);
    assert_eq!(past.seen(0), ["full", "waits"]);
    assert!(past.seen(1).is_empty());
    past.next(queues(&[(1, 8), (2, 8)]), clock.at(40));
    past.next(queues(&[(2, 9), (1, 8)]), clock.at(42));
    assert_eq!(past.seen(0), ["full 2 s"]);
    assert_eq!(past.seen(1), ["full ≥42 s", "waits ≥42 s"]);
    // Once it was not so, it begins anew; and it is another that has its id no more.
    past.next(queues(&[(1, 7)]), clock.at(43));
    assert!(past.seen(0).is_empty());
    past.next(queues(&[(1, 8), (2, 8)]), clock.at(44));
    past.next(queues(&[(1, 8), (2, 8)]), clock.at(47));
    assert_eq!(past.seen(0), ["full 3 s", "waits 3 s"]);
    assert_eq!(past.seen(1), ["full 3 s", "waits 3 s"]);
}

#[test]
fn another_call_is_another_wait() {
    let waits = |call: &str| {
        let mut table = Table::new("why", "Waits", vec![&ID, &CALL, &WAKES]);
        table.push([1.into(), Cell::text(call), Cell::Nothing]);
        table
    };
    let clock = Clock(Instant::now());
    let mut past = Past::new(waits("semop left -1"), clock.at(0), false);
    past.next(waits("semop left -1"), clock.at(5));
    assert_eq!(past.seen(0), ["blocked 5 s"]);
    past.next(waits("semop right -1"), clock.at(9));
    assert_eq!(past.seen(0), ["blocked"]);
}

#[test]
fn only_the_first_rows_are_sorted_and_they_are_the_first_of_all() {
    let clock = Clock(Instant::now());
    let rows: Vec<(i32, i32)> = (0..1000).map(|i| (i, (i * 7919) % 1000)).collect();
    let past = Past::new(queues(&rows), clock.at(0), true);
    let mut expected = rows.clone();
    expected.sort_by_key(|(_, qnum)| -qnum);
    let expected: Vec<String> = expected.iter().map(|(id, _)| id.to_string()).collect();
    for most in [0, 1, 2, 999, 1000, 5000] {
        let first = &expected[..most.min(1000)];
        let found = ids(&Order::written("-qnum"), &past, most);
        assert_eq!(found, first.join(" "), "{most}");
    }
}

#[test]
fn any_column_sorts_and_what_is_not_known_is_last() {
    let clock = Clock(Instant::now());
    let first = queues(&[(1, 1), (2, 8), (3, 3), (4, 4), (5, 1)]);
    let mut past = Past::new(first, clock.at(0), true);
    past.next(
        queues(&[(1, 3), (2, 8), (3, 1), (6, 7), (4, 4)]),
        clock.at(1),
    );
    for (word, expected) in [
        ("id", "1 2 3 4 -5 6"),
        ("-id", "6 -5 4 3 2 1"),
        ("-qnum", "2 6 4 1 3 -5"),
        ("qnum/s", "3 2 4 1 6 -5"),
        ("-qnum/s", "1 2 4 3 6 -5"),
        ("-seen", "2 4 1 3 6 -5"),
        ("waits", "2 4 1 3 6 -5"),
        ("-waits", "2 4 1 3 6 -5"),
    ] {
        assert_eq!(ids(&Order::written(word), &past, 9), expected, "{word}");
    }
    let reversed = Order {
        descending: true,
        ..Order::default()
    };
    assert_eq!(ids(&reversed, &past, 9), "-5 4 6 3 2 1");
    assert_eq!(ids(&reversed, &past, 2), "-5 4");
}

#[test]
fn a_table_is_sorted_whole_where_it_is_looked_at_once() {
    let mut table = queues(&[(1, 5), (2, 9), (3, 5)]);
    Order::written("-qnum").sort(&mut table);
    let ids: Vec<String> = table.rows().map(|row| row[0].to_string()).collect();
    assert_eq!(ids, ["2", "1", "3"]);
    Order::written("nothing").sort(&mut table);
    assert_eq!(table.row(0)[0], 2.into());
}

#[test]
fn a_column_that_is_nowhere_is_refused() {
    let check = |word: &str, tables: &[Table]| Order::written(word).check("ipcs", tables, false);
    let tables = [queues(&[])];
    for word in ["qnum", "-QNUM", "qnum/s", "seen"] {
        assert!(check(word, &tables).is_ok(), "{word}");
        // One look tells neither.
        let once = Order::written(word).check("ipcs", &tables, true);
        assert_eq!(once.is_ok(), !["qnum/s", "seen"].contains(&word), "{word}");
    }
    let failure = check("qnun", &tables).unwrap_err();
    assert_eq!(failure.meaning, "`ipcs` shows no column `qnun`");
    assert_eq!(failure.help.unwrap(), "Did you mean `qnum`?");
    let failure = check("zzz", &tables).unwrap_err();
    assert!(
        failure
            .help
            .unwrap()
            .starts_with("The columns are id, qnum, qnum/s")
    );
    assert!(check("x", &[]).unwrap_err().meaning.contains("no table"));
}
