use super::*;
use crate::data::Column;
use crate::view::escape::tests::assert_tame;
use proptest::prelude::*;

const fn column(name: &'static str) -> Column {
    Column::new(name, "")
}

static COLUMNS: [Column; 6] = [
    column("id"),
    column("key").spare(1),
    column("perms").spare(2),
    column("cbytes"),
    column("stime"),
    column("lscmd"),
];

fn table() -> Table {
    let mut table = Table::new("msgq", "Message queues", COLUMNS.iter().collect());
    table.push([
        Cell::from(4),
        Cell::Key(0x1234),
        Cell::Mode(0o600),
        Cell::Size(16384),
        Cell::Time(0),
        Cell::text("a\x1b[31m\nb"),
    ]);
    table.push([
        Cell::from(32768),
        Cell::Key(-1),
        Cell::Mode(0o44),
        Cell::Unknown,
        Cell::Time(now() - 7200),
        Cell::text("漢字"),
    ]);
    table.footer.push("1 cell needs root".into());
    table
}

fn shown(table: &Table, style: Style, width: Option<u16>, changed: Changed) -> String {
    let mut out = Vec::new();
    write_table(&mut out, table, style, width, changed).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn plain_columns_stand_under_each_other() {
    assert_eq!(
        shown(&table(), Style::PLAIN, None, &|_, _| false),
        "\
Message queues
   id  key         perms  cbytes  stime    lscmd
    4  0x00001234    600   16384  Not set  a\\x1b[31m b
32768  0xffffffff    044       ?  2 h ago  漢字
1 cell needs root
"
    );
}

#[test]
fn a_small_table_on_a_terminal_is_ruled() {
    assert_eq!(
        shown(&table(), Style::PLAIN, Some(100), &|r, c| (r, c) == (0, 3)),
        "\
Message queues
╭───────┬────────────┬───────┬────────┬─────────┬─────────────╮
│    id │ key        │ perms │ cbytes │ stime   │ lscmd       │
├───────┼────────────┼───────┼────────┼─────────┼─────────────┤
│     4 │ 0x00001234 │   600 │ 16384* │ Not set │ a\\x1b[31m b │
│ 32768 │ 0xffffffff │   044 │      ? │ 2 h ago │ 漢字        │
╰───────┴────────────┴───────┴────────┴─────────┴─────────────╯
1 cell needs root
"
    );
}

#[test]
fn what_has_no_room_is_left_out_and_said_and_nothing_is_broken() {
    let narrow = |width| shown(&table(), Style::PLAIN, Some(width), &|_, _| false);
    assert_eq!(
        narrow(60),
        "\
Message queues
   id  key         perms  cbytes  stime    lscmd
    4  0x00001234    600   16384  Not set  a\\x1b[31m b
32768  0xffffffff    044       ?  2 h ago  漢字
1 cell needs root
"
    );
    assert_eq!(
        narrow(40),
        "\
Message queues
   id  cbytes  stime    lscmd
    4   16384  Not set  a\\x1b[31m b
32768       ?  2 h ago  漢字
1 cell needs root
left out for want of room: key, perms
"
    );
    assert_eq!(
        narrow(14),
        "\
Message queues
   id  cbytes
    4   16384
32768       ?
1 cell needs
root
left out for
want of room:
key, perms,
stime, lscmd
"
    );
}

#[test]
fn what_is_unknown_is_explained_where_it_is_shown() {
    static ID: Column = Column::new("id", "");
    static PEER: Column = Column::new("peer", "").spare(4);
    let mut table = Table::new("sock", "Sockets", vec![&ID, &PEER]);
    table.push([Cell::from(12345), Cell::Unknown]);
    table.unknown = "ask root";
    let narrow = |width| shown(&table, Style::PLAIN, Some(width), &|_, _| false);
    let plain = shown(&table, Style::PLAIN, None, &|_, _| false);
    assert_eq!(plain, "Sockets\n   id  peer\n12345  ?\n?: ask root\n");
    assert!(narrow(40).ends_with("\n?: ask root\n"));
    assert!(!narrow(8).contains('?'), "{}", narrow(8));
}

#[test]
fn prose_is_broken_between_its_words_and_nothing_else_is() {
    let mut table = Table::new("sig", "Signals", COLUMNS[4..].iter().collect());
    let meaning = "a name that is long enough to be broken more than once";
    table.push([Cell::text("0x00001234"), Cell::text(meaning)]);
    assert_eq!(
        shown(&table, Style::PLAIN, Some(50), &|_, _| false),
        "\
Signals
╭────────────┬───────────────────────────────────╮
│ stime      │ lscmd                             │
├────────────┼───────────────────────────────────┤
│ 0x00001234 │ a name that is long enough to be  │
│            │ broken more than once             │
╰────────────┴───────────────────────────────────╯
"
    );
}

#[test]
fn colours_are_asked_for_and_never_alone() {
    let style = Style::new(crate::view::Choice::Always, false);
    let text = shown(&table(), style, Some(100), &|r, c| (r, c) == (0, 3));
    assert!(text.contains("\x1b[7m16384*"), "{text:?}");
    assert!(!shown(&table(), Style::PLAIN, Some(100), &|_, _| true).contains('\x1b'));
}

#[test]
fn no_rows_are_one_line_and_many_rows_are_not_ruled() {
    let mut table = Table::new("msgq", "Message queues", vec![&COLUMNS[0]]);
    let plain = |table: &Table| shown(table, Style::PLAIN, Some(80), &|_, _| false);
    assert_eq!(plain(&table), "Message queues: none\n");
    for i in 0..=LARGE {
        table.push([Cell::from(i)]);
    }
    assert!(plain(&table).contains("\n   7\n"));
}

#[test]
fn an_age_is_told_in_its_largest_unit() {
    for (seconds, shown) in [
        (0, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7200, "2 h ago"),
        (172_800, "2 d ago"),
        (-5, "in 5 s"),
        (i64::MIN, "in 106751991167300 d"),
    ] {
        let mut text = String::new();
        push_age(&mut text, seconds);
        assert_eq!(text, shown);
    }
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        any::<i64>().prop_map(Cell::from),
        any::<u64>().prop_map(Cell::Size),
        any::<i32>().prop_map(Cell::Key),
        any::<u32>().prop_map(Cell::Mode),
        any::<i64>().prop_map(Cell::Time),
        "\\PC*|[\\x00-\\x{9f}]*".prop_map(Cell::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Data),
        Just(Cell::Unknown),
        Just(Cell::Nothing),
        Just(Cell::List(vec![Cell::from(1), Cell::text("\x1b\n")])),
    ]
}

proptest! {
    #[test]
    fn any_cell_is_one_tame_line(cells in proptest::collection::vec(any_cell(), 6..30), width: Option<u16>) {
        let mut table = Table::new("msgq", "Message queues", COLUMNS.iter().collect());
        for row in cells.chunks_exact(6) {
            table.push(row.iter().cloned());
        }
        let text = shown(&table, Style::PLAIN, width, &|_, _| false);
        assert_tame(&text);
        if width.is_none() {
            prop_assert_eq!(text.lines().count(), 2 + table.len());
        }
    }
}

#[test]
fn prose_that_has_no_room_stands_below_its_row() {
    static COLUMNS: [Column; 4] = [
        column("pid"),
        column("call"),
        column("about"),
        column("sure"),
    ];
    let mut table = Table::new("wait", "Waits", COLUMNS.iter().collect());
    let about = "lock is 0, last operated on by python3 (pid 4240), which is gone";
    table.push([
        4.into(),
        Cell::text("semop lock -1"),
        Cell::text(about),
        Cell::text("exact"),
    ]);
    table.push([
        5.into(),
        Cell::text("sigwait"),
        Cell::Nothing,
        Cell::Nothing,
    ]);
    assert_eq!(
        shown(&table, Style::PLAIN, Some(40), &|_, _| false),
        "\
Waits
pid  call           sure
  4  semop lock -1  exact
    about: lock is 0, last operated on
    by python3 (pid 4240), which is gone
  5  sigwait        -
"
    );
}

#[test]
fn the_process_that_a_row_is_about_is_not_left_out() {
    static COLUMNS: [Column; 4] = [
        column("cycle"),
        column("pid"),
        column("user").spare(5),
        column("call"),
    ];
    let mut table = Table::new("cycle", "Deadlocks", COLUMNS.iter().collect());
    for pid in [4240, 4241] {
        table.push([
            1.into(),
            pid.into(),
            Cell::text("somebody"),
            Cell::text("sem_wait"),
        ]);
    }
    assert_eq!(
        shown(&table, Style::PLAIN, Some(22), &|_, _| false),
        "\
Deadlocks
cycle   pid  call
    1  4240  sem_wait
    1  4241  sem_wait
left out for want of
room: user
"
    );
}

#[test]
fn the_column_that_rows_are_sorted_by_is_not_left_out() {
    static COLUMNS: [Column; 3] = [column("name"), column("key").spare(5), column("qnum")];
    let mut table = Table::new("queue", "Queues", COLUMNS.iter().collect());
    table.push([Cell::text("jobs"), 4711.into(), 1.into()]);
    let drawn = |sorted| {
        let (mut out, mut widths) = (Vec::new(), Vec::new());
        let live = Live {
            remark: "",
            changed: &|_, _| false,
            tone: &|_| Tone::Usual,
            sorted,
            widths: &mut widths,
            ruled: false,
            tall: false,
            footer: true,
        };
        write_live(&mut out, &table, Style::PLAIN, Some(13), live).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(!drawn(None).contains("4711"), "{}", drawn(None));
    let sorted = drawn(Some((1, false)));
    assert!(sorted.contains("4711"), "{sorted}");
}
