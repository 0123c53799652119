//! System V semaphore sets: semget(2), semop(2), semctl(2).

mod table;

use super::Mechanism;
use crate::data::Family;

const FAMILY: Family = Family::Sem;

/// Everything about semaphore sets.
pub static MECHANISM: Mechanism = Mechanism {
    family: FAMILY,
    verbs: &[],
    fields: table::fields,
    look: table::look,
    list: table::list,
    condition: table::condition,
};
