//! Words and columns that are made while the program runs, and live as long as it.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Mutex;

use super::Column;

/// A word of a table. They are the program's own, so they are few, and each is kept once.
pub(super) fn word(text: String) -> &'static str {
    static WORDS: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    kept(&WORDS, &*text, |text| Box::leak(text.into()))
}

/// A column, as [`word`].
pub(super) fn column(column: Column) -> &'static Column {
    static COLUMNS: Mutex<Option<HashSet<&'static Column>>> = Mutex::new(None);
    kept(&COLUMNS, &column, |column| {
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
