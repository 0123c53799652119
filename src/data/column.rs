//! The columns of tables, and what each is to whoever shows one.

use serde::{Deserialize, Serialize};

use super::kept;

/// One column: its name is the field's name in the language and the key in JSON.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// The kernel's own word, in lower case.
    pub name: &'static str,
    /// What it holds, with its unit.
    pub help: &'static str,
    /// What it is among the others.
    pub traits: Traits,
}

/// What a column is among the others of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Traits {
    /// Whether it says which row this is.
    pub identity: Identity,
    /// Where there is no room, the columns go that have a number here, the lowest first: what the eye
    /// misses least, and `info` shows. 0 stays.
    pub spare: u8,
    /// Whether it is told how fast it changes.
    pub rate: Rate,
    /// What it tells of the row.
    pub role: Role,
}

/// Whether a column says which row this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Identity {
    /// It does not.
    No,
    /// Where no other of the table does better.
    Weak,
    /// It does, together with the others that do.
    Strong,
}

/// Whether it is told how fast a column changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rate {
    /// It is not.
    No,
    /// It is.
    Told,
    /// It is where there is room: another one tells as much.
    Spare,
}

/// What a column tells of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Something else.
    Other,
    /// How much is in it.
    Fill,
    /// How much it holds: it is full once it has so much, and `more`.
    Room {
        /// How much more it takes.
        more: u8,
    },
    /// Who is blocked at it.
    Waits,
    /// In what it is blocked itself.
    Blocked,
    /// When something was last done with it.
    Time,
    /// Who did something with it last, or made it: a pid or a command.
    Operator,
    /// How fast another column changes: text with a sign.
    Rate,
}

impl Column {
    /// A column of which nothing else is to be known.
    pub const fn new(name: &'static str, help: &'static str) -> Column {
        Column {
            name,
            help,
            traits: Traits {
                identity: Identity::No,
                spare: 0,
                rate: Rate::No,
                role: Role::Other,
            },
        }
    }

    /// It says which row this is.
    pub const fn identity(mut self, identity: Identity) -> Column {
        self.traits.identity = identity;
        self
    }

    /// It goes where there is no room, see [`Traits::spare`].
    pub const fn spare(mut self, place: u8) -> Column {
        self.traits.spare = place;
        self
    }

    /// It is told how fast it changes.
    pub const fn rate(mut self, rate: Rate) -> Column {
        self.traits.rate = rate;
        self
    }

    /// What it tells of the row.
    pub const fn role(mut self, role: Role) -> Column {
        self.traits.role = role;
        self
    }

    /// The column that tells how fast this one changes, where that is told: `qnum/s`.
    pub fn per_second(&self) -> Option<&'static Column> {
        let spare = match self.traits.rate {
            Rate::No => return None,
            Rate::Told => 0,
            Rate::Spare => u8::MAX,
        };
        let help = "how much more a second since the last look: what came, less what went";
        let name = kept::word(format!("{}/s", self.name));
        let column = Column::new(name, help).role(Role::Rate).spare(spare);
        Some(kept::column(column))
    }
}
