//! System V shared memory: shmget(2), shmop(2), shmctl(2).

mod table;

use super::Mechanism;
use crate::data::Family;

const FAMILY: Family = Family::Shm;

/// Everything about shared memory segments.
pub static MECHANISM: Mechanism = Mechanism {
    family: FAMILY,
    verbs: &[],
    fields: table::fields,
    look: table::look,
    list: table::list,
    condition: table::condition,
};
