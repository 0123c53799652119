//! Replies between two processes of this program.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::{Cell, Column, Outcome, Reply, Table};

/// A [`Reply`] as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub struct SentReply {
    outcome: Outcome,
    tables: Vec<SentTable>,
    text: Option<String>,
    failing: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SentTable {
    kind: String,
    title: String,
    columns: Vec<(String, String)>,
    empty: String,
    footer: Vec<String>,
    unknown: String,
    cells: Vec<Cell>,
}

impl From<Reply> for SentReply {
    fn from(reply: Reply) -> SentReply {
        let table = |table: Table| SentTable {
            kind: table.kind.into(),
            title: table.title.into(),
            columns: table
                .columns
                .iter()
                .map(|c| (c.name.into(), c.help.into()))
                .collect(),
            empty: table.empty.into(),
            cells: table.rows().flatten().cloned().collect(),
            unknown: table.unknown.into(),
            footer: table.footer,
        };
        SentReply {
            outcome: reply.outcome,
            tables: reply.tables.into_iter().map(table).collect(),
            text: reply.text,
            failing: reply.failing,
        }
    }
}

impl From<SentReply> for Reply {
    fn from(sent: SentReply) -> Reply {
        Reply {
            outcome: sent.outcome,
            tables: sent.tables.into_iter().map(Table::from).collect(),
            text: sent.text,
            failing: sent.failing,
        }
    }
}

impl From<SentTable> for Table {
    fn from(sent: SentTable) -> Table {
        let columns = sent.columns.into_iter();
        let columns = columns.map(|(name, help)| column(word(name), word(help)));
        let mut table = Table::new(word(sent.kind), word(sent.title), columns.collect());
        table.empty = word(sent.empty);
        table.footer = sent.footer;
        table.unknown = word(sent.unknown);
        if !table.columns.is_empty() {
            table.push(sent.cells);
        }
        table
    }
}

/// A word of a table, which lives as long as the program. They are the program's own, so they
/// are few, and each is kept once.
fn word(text: String) -> &'static str {
    static WORDS: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    kept(&WORDS, &*text, |text| Box::leak(text.into()))
}

/// A column, as [`word`].
fn column(name: &'static str, help: &'static str) -> &'static Column {
    static COLUMNS: Mutex<Option<HashSet<&'static Column>>> = Mutex::new(None);
    kept(&COLUMNS, &Column { name, help }, |column| {
        Box::leak(Box::new(Column { ..*column }))
    })
}

fn kept<T: Eq + Hash + ?Sized>(
    all: &Mutex<Option<HashSet<&'static T>>>,
    wanted: &T,
    keep: impl FnOnce(&T) -> &'static T,
) -> &'static T {
    let mut all = all
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let all = all.get_or_insert_default();
    match all.get(wanted) {
        Some(known) => known,
        None => {
            let new = keep(wanted);
            all.insert(new);
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_arrives_as_it_was_sent() {
        static ID: Column = Column {
            name: "id",
            help: "its number",
        };
        let mut table = Table::new("msgq", "Message queues", vec![&ID]);
        table.empty = "nobody";
        table.push([Cell::from(7)]);
        table.push([Cell::Unknown]);
        table.unknown = "not to be seen";
        table.footer.push("1 process may not be looked into".into());
        let sent = || Reply {
            outcome: Outcome::ok().field("findings", 2),
            tables: vec![table.clone(), Table::new("none", "None", Vec::new())],
            text: Some("text\n".into()),
            failing: Some("2 findings".into()),
        };
        let bytes = postcard::to_stdvec(&SentReply::from(sent())).unwrap();
        let arrive = || Reply::from(postcard::from_bytes::<SentReply>(&bytes).unwrap());
        let arrived = arrive();
        assert_eq!(format!("{arrived:?}"), format!("{:?}", sent()));
        let again = arrive();
        assert!(std::ptr::eq(
            arrived.tables[0].columns[0],
            again.tables[0].columns[0]
        ));
        assert!(std::ptr::eq(arrived.tables[0].title, again.tables[0].title));
    }
}
