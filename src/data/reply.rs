//! What a command that runs in the shell answers.

use super::{Outcome, Table};

/// An outcome, with what is shown beside it.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// What may be matched and bound.
    pub outcome: Outcome,
    /// Tables, in order.
    pub tables: Vec<Table>,
    /// Text of one or more lines.
    pub text: Option<String>,
    /// Why it is a failure, unless the outcome is what was claimed.
    pub failing: Option<String>,
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Reply {
        Reply {
            outcome,
            ..Reply::default()
        }
    }
}

impl From<Table> for Reply {
    fn from(table: Table) -> Reply {
        Reply {
            tables: vec![table],
            ..Reply::default()
        }
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Reply {
        Reply {
            text: Some(text),
            ..Reply::default()
        }
    }
}
