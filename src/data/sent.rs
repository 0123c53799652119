//! Replies between two processes of this program.

use serde::{Deserialize, Serialize};

use super::column::Traits;
use super::kept::{column, word};
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
    columns: Vec<(String, String, Traits)>,
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
                .map(|c| (c.name.into(), c.help.into(), c.traits))
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
        let columns = sent.columns.into_iter().map(|(name, help, traits)| {
            let (name, help) = (word(name), word(help));
            column(Column { name, help, traits })
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_arrives_as_it_was_sent() {
        static ID: Column = Column::new("id", "its number").spare(1);
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
