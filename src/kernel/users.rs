//! Users and groups by name: passwd(5) and group(5), and what getent(1) knows beyond them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::{Errno, Result, getent};

/// How long a table waits for the name of a number: the number says it too.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who has which number.
struct Database {
    /// As getent(1) has it.
    name: &'static str,
    file: &'static str,
    /// What the file held, once nothing else counts.
    kept: OnceLock<Vec<Entry>>,
    asked: Mutex<Asked>,
}

/// What getent(1) has said of numbers: a table that is shown again and again asks once.
struct Asked {
    names: BTreeMap<u32, Option<String>>,
    /// It took too long for one, and is asked for no other.
    gave_up: bool,
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
            asked: Mutex::new(Asked {
                names: BTreeMap::new(),
                gave_up: false,
            }),
        }
    }

    fn keep(&self, entries: fn(&Database) -> Vec<Entry>) {
        self.kept.get_or_init(|| entries(self));
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

    fn ask(&self, key: &str, within: Option<Duration>) -> Result<Option<Entry>> {
        if self.kept.get().is_some() {
            return Ok(None);
        }
        match getent::lines(self.name, key, within) {
            Ok(lines) => Ok(lines.iter().find_map(|line| Entry::of(line))),
            // No getent(1), no name services.
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// A name comes before a number: useradd(8) may have been told to make a user `1000`.
    fn number_of(&self, name: &str) -> Result<Option<u32>> {
        let entries = self.entries();
        if let Some(Entry(_, number)) = entries.iter().find(|e| e.0 == name) {
            return Ok(Some(*number));
        }
        // getent(1) would take one for a number too, and cut off what is too large.
        if is_number(name) {
            let digits = name.bytes().all(|b| b.is_ascii_digit());
            return Ok(name.parse().ok().filter(|_| digits));
        }
        let entry = self.ask(name, None)?;
        Ok(entry.map(|Entry(_, number)| number))
    }

    /// The first name of a number.
    fn name_of(&self, number: u32) -> Option<String> {
        let entries = self.entries();
        if let Some(Entry(name, _)) = entries.iter().find(|e| e.1 == number) {
            return Some(name.clone());
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.names.get(&number) {
            return known.clone();
        }
        if asked.gave_up {
            return None;
        }
        let told = self.ask(&number.to_string(), Some(PATIENCE));
        asked.gave_up = told == Err(Errno::ETIME);
        let entry = told.ok().flatten().filter(|e| e.1 == number);
        let name = entry.map(|Entry(name, _)| name);
        asked.names.insert(number, name.clone());
        name
    }
}

/// Whether strtoul(3) reads all of a text.
fn is_number(text: &str) -> bool {
    let digits =
        text.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '+' | '-'));
    digits.bytes().all(|b| b.is_ascii_digit())
}

/// From here on only the names in `/etc/passwd` and `/etc/group` are known, as they are now. To be
/// called before the root directory is another's: the files there, and the getent(1), are what its
/// owner has put there.
pub fn keep_names() {
    USERS.keep(Database::read);
    GROUPS.keep(Database::read);
}

/// From here on no names are known: the numbers of another user namespace are not ours.
pub fn keep_none() {
    USERS.keep(|_| Vec::new());
    GROUPS.keep(|_| Vec::new());
}

/// The number of a user: of this name, or what the text is as a number. `None` where there is no such
/// user. `EINTR` where it was interrupted while name servers were asked.
pub fn uid_of(user: &str) -> Result<Option<u32>> {
    USERS.number_of(user)
}

/// The number of a group, as [`uid_of`].
pub fn gid_of(group: &str) -> Result<Option<u32>> {
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
        kept.keep(Database::read);
        for database in [open, kept] {
            assert_eq!(database.number_of(fields[0]), Ok(Some(number)));
            assert_eq!(database.number_of(fields[2]), Ok(Some(number)));
            assert_eq!(database.name_of(number).as_deref(), Some(fields[0]));
            assert_eq!(database.number_of("4000000000"), Ok(Some(4_000_000_000)));
            assert_eq!(database.number_of("no such name"), Ok(None));
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
        assert_eq!(database.number_of("root"), Ok(Some(0)));
        assert_eq!(database.name_of(0).as_deref(), Some("root"));
        database.keep(Database::read);
        assert_eq!(database.number_of("root"), Ok(None));
        let database = Database::new("passwd", "/dev/null");
        database.keep(Database::read);
        assert_eq!(database.name_of(0), None);
    }

    #[test]
    fn a_number_that_no_user_can_have_is_nobody() {
        let database = Database::new("passwd", "/dev/null");
        for text in ["4294967296", "+0", " 0", "-1", "18446744073709551616", ""] {
            assert_eq!(database.number_of(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn lines_that_name_nobody_are_passed_over() {
        assert_eq!(Entry::of("a:x:7:8::/:"), Some(Entry("a".into(), 7)));
        for line in ["", "a", "a:x", "+::::::", "a:x:-1:0", "# a:x:z"] {
            assert_eq!(Entry::of(line), None, "{line}");
        }
    }
}
