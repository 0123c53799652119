//! Users and groups by name: passwd(5) and group(5), and what getent(1) knows beyond them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::getent;

/// Who has which number.
struct Database {
    /// As getent(1) has it.
    name: &'static str,
    file: &'static str,
    /// What the file held, once nothing else counts.
    kept: OnceLock<Vec<Entry>>,
    /// What getent(1) has said of a number: a table that is shown again and again asks once.
    asked: Mutex<Option<HashMap<u32, Option<String>>>>,
}

static USERS: Database = Database::new("passwd", "/etc/passwd");
static GROUPS: Database = Database::new("group", "/etc/group");

/// A name and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry(String, u32);

impl Entry {
    /// Both files have the name first and the number third; so has what getent(1) says.
    fn of(line: &str) -> Option<Entry> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number = fields.nth(1)?.parse().ok()?;
        Some(Entry(name.into(), number))
    }
}

impl Database {
    const fn new(name: &'static str, file: &'static str) -> Database {
        Database {
            name,
            file,
            kept: OnceLock::new(),
            asked: Mutex::new(None),
        }
    }

    fn keep(&self) {
        self.kept.get_or_init(|| self.read());
    }

    fn read(&self) -> Vec<Entry> {
        let text = std::fs::read(self.file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().filter_map(Entry::of).collect()
    }

    fn entries(&self) -> Cow<'_, [Entry]> {
        match self.kept.get() {
            Some(kept) => kept.into(),
            None => self.read().into(),
        }
    }

    fn ask(&self, key: &str) -> Option<Entry> {
        if self.kept.get().is_some() {
            return None;
        }
        let lines = getent::lines(self.name, key).ok()?;
        lines.iter().find_map(|line| Entry::of(line))
    }

    /// A name comes before a number: useradd(8) may have been told to make a user `1000`.
    fn number_of(&self, name: &str) -> Option<u32> {
        let entries = self.entries();
        if let Some(Entry(_, number)) = entries.iter().find(|e| e.0 == name) {
            return Some(*number);
        }
        // getent(1) takes digits for a number, too.
        if let Ok(number) = name.parse() {
            return Some(number);
        }
        self.ask(name).map(|Entry(_, number)| number)
    }

    /// The first name of a number.
    fn name_of(&self, number: u32) -> Option<String> {
        let entries = self.entries();
        if let Some(Entry(name, _)) = entries.iter().find(|e| e.1 == number) {
            return Some(name.clone());
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let told = asked.get_or_insert_default().entry(number);
        told.or_insert_with(|| self.ask(&number.to_string()).map(|Entry(name, _)| name))
            .clone()
    }
}

/// From here on only the names in `/etc/passwd` and `/etc/group` are known, as they are now. To be
/// called before the root directory is another's: the files there, and the getent(1), are what its
/// owner has put there.
pub fn keep_names() {
    USERS.keep();
    GROUPS.keep();
}

/// The number of a user: of this name, or what the text is as a number. `None` where there is no such
/// user.
pub fn uid_of(user: &str) -> Option<u32> {
    USERS.number_of(user)
}

/// The number of a group, as [`uid_of`].
pub fn gid_of(group: &str) -> Option<u32> {
    GROUPS.number_of(group)
}

/// The name of a user; `None` where the number has none.
pub fn user_name(uid: u32) -> Option<String> {
    USERS.name_of(uid)
}

/// The name of a group; `None` where the number has none.
pub fn group_name(gid: u32) -> Option<String> {
    GROUPS.name_of(gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The database has what the file has, whether it asks or keeps.
    fn is_known(file: &'static str, database: fn() -> Database) {
        let text = std::fs::read_to_string(file).unwrap();
        let line = text.lines().next().unwrap();
        let fields: Vec<&str> = line.split(':').collect();
        let number: u32 = fields[2].parse().unwrap();
        let (open, kept) = (database(), database());
        kept.keep();
        for database in [open, kept] {
            assert_eq!(database.number_of(fields[0]), Some(number));
            assert_eq!(database.number_of(fields[2]), Some(number));
            assert_eq!(database.name_of(number).as_deref(), Some(fields[0]));
            assert_eq!(database.number_of("4000000000"), Some(4_000_000_000));
            assert_eq!(database.number_of("no such name"), None);
            for _ in 0..2 {
                assert_eq!(database.name_of(4_000_000_000), None);
            }
        }
    }

    #[test]
    fn names_and_numbers_are_those_of_the_files() {
        is_known("/etc/passwd", || Database::new("passwd", "/etc/passwd"));
        is_known("/etc/group", || Database::new("group", "/etc/group"));
    }

    /// A file that knows nobody stands for one that does not have them all.
    #[test]
    fn what_the_file_lacks_is_asked_for_until_names_are_kept() {
        let database = Database::new("passwd", "/dev/null");
        assert_eq!(database.number_of("root"), Some(0));
        assert_eq!(database.name_of(0).as_deref(), Some("root"));
        database.keep();
        assert_eq!(database.number_of("root"), None);
        let database = Database::new("passwd", "/dev/null");
        database.keep();
        assert_eq!(database.name_of(0), None);
    }

    #[test]
    fn lines_that_name_nobody_are_passed_over() {
        assert_eq!(Entry::of("a:x:7:8::/:"), Some(Entry("a".into(), 7)));
        for line in ["", "a", "a:x", "+::::::", "a:x:-1:0", "# a:x:z"] {
            assert_eq!(Entry::of(line), None, "{line}");
        }
    }
}
