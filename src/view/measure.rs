//! How fast the views are. Prints, and asserts nothing:
//! `cargo test --release view::measure -- --ignored --nocapture`.

use std::io::{self, BufWriter, Write};
use std::time::Instant;

use super::{Json, Style, Transcript, write_table};
use crate::data::{Cell, Column, Event, Outcome, Sink, Table};

const ROWS: usize = 30_000;

static COLUMN: Column = Column::new("lspid", "");

fn table() -> Table {
    let mut table = Table::new("msgq", "Message queues", vec![&COLUMN; 12]);
    for i in 0..ROWS {
        table.push([
            Cell::from(i * 32768),
            Cell::Key(i as i32 * 7),
            Cell::Mode(0o600),
            Cell::text("root"),
            Cell::Size(i as u64 * 16),
            Cell::from(i % 9),
            Cell::from(4242 + i),
            Cell::text("python3"),
            Cell::Time(1_700_000_000 + i as i64),
            Cell::Unknown,
            Cell::Nothing,
            Cell::Time(0),
        ]);
    }
    table
}

fn measure(what: &str, mut run: impl FnMut(&mut dyn Write) -> io::Result<()>) {
    let best = (0..7)
        .map(|_| {
            let mut out = BufWriter::new(io::sink());
            let begun = Instant::now();
            run(&mut out).unwrap();
            begun.elapsed()
        })
        .min();
    println!("{what}: {best:?}");
}

#[test]
#[ignore = "measures"]
fn measures() {
    let table = table();
    measure("30,000 rows of 12 cells, plain columns", |out| {
        write_table(out, &table, Style::PLAIN, Some(80), &|_, _| false)
    });
    measure("30,000 rows of 12 cells, JSON", |out| {
        Json::new(out).table(&table)
    });
    let step = Event::Step {
        actor: Some("me".into()),
        source: "msgq send jobs 1 \"hello\"".into(),
        claimed: None,
        file: "a.ipc".into(),
        line: 1,
        result: Ok(Outcome::ok()),
        after: None,
        passed: true,
    };
    measure("100,000 plain steps, transcript", |out| {
        let mut transcript = Transcript::new(out, Style::PLAIN);
        (0..100_000).try_for_each(|_| transcript.event(&step))
    });
    measure("100,000 plain steps, JSON", |out| {
        let mut json = Json::new(out);
        (0..100_000).try_for_each(|_| json.event(&step))
    });
}
