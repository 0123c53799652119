//! Users and groups by name: getpwnam(3), getpwuid(3), getgrnam(3), getgrgid(3).

use std::collections::HashMap;
use std::sync::OnceLock;

use nix::unistd::{Gid, Group, Uid, User};

/// The names of passwd(5) and group(5), by number.
struct Known {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// From here on only the names in `/etc/passwd` and `/etc/group` are known, as they are now. To be
/// called before the root directory is another's: nsswitch.conf(5) there could make the C library load
/// and run what its owner has put there.
pub fn keep_names() {
    KNOWN.get_or_init(|| Known {
        users: names("/etc/passwd"),
        groups: names("/etc/group"),
    });
}

/// The first name of each number; both files have the name first and the number third.
fn names(file: &str) -> HashMap<u32, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        let (name, number) = (fields.next(), fields.nth(1).and_then(|n| n.parse().ok()));
        if let (Some(name), Some(number)) = (name, number) {
            names.entry(number).or_insert_with(|| name.to_string());
        }
    }
    names
}

fn number_of(name: &str, names: &HashMap<u32, String>) -> Option<u32> {
    let mut named = names.iter().filter(|(_, known)| *known == name);
    named
        .next()
        .map_or_else(|| name.parse().ok(), |(number, _)| Some(*number))
}

/// The number of a user: of this name, or what the text is as a number. `None` where there is no such
/// user.
pub fn uid_of(user: &str) -> Option<u32> {
    if let Some(known) = KNOWN.get() {
        return number_of(user, &known.users);
    }
    let named = User::from_name(user).ok().flatten();
    named.map_or_else(|| user.parse().ok(), |found| Some(found.uid.as_raw()))
}

/// The number of a group, as [`uid_of`].
pub fn gid_of(group: &str) -> Option<u32> {
    if let Some(known) = KNOWN.get() {
        return number_of(group, &known.groups);
    }
    let named = Group::from_name(group).ok().flatten();
    named.map_or_else(|| group.parse().ok(), |found| Some(found.gid.as_raw()))
}

/// The name of a user; `None` where the number has none.
pub fn user_name(uid: u32) -> Option<String> {
    if let Some(known) = KNOWN.get() {
        return known.users.get(&uid).cloned();
    }
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map(|user| user.name)
}

/// The name of a group; `None` where the number has none.
pub fn group_name(gid: u32) -> Option<String> {
    if let Some(known) = KNOWN.get() {
        return known.groups.get(&gid).cloned();
    }
    let found = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    found.map(|group| group.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_those_of_etc_passwd() {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let line = passwd.lines().next().unwrap();
        let fields: Vec<&str> = line.split(':').collect();
        let uid: u32 = fields[2].parse().unwrap();
        assert_eq!(uid_of(fields[0]), Some(uid));
        assert_eq!(uid_of(fields[2]), Some(uid));
        assert_eq!(user_name(uid).as_deref(), Some(fields[0]));
        assert_eq!(uid_of("4000000000"), Some(4_000_000_000));
        assert_eq!(uid_of("no such user"), None);
        assert_eq!(user_name(4_000_000_000), None);
        let kept = names("/etc/passwd");
        assert_eq!(kept.get(&uid).map(String::as_str), Some(fields[0]));
        assert_eq!(number_of(fields[0], &kept), Some(uid));
        assert_eq!(number_of(fields[2], &kept), Some(uid));
        assert_eq!(number_of("no such user", &kept), None);
    }

    #[test]
    fn groups_are_those_of_etc_group() {
        let groups = std::fs::read_to_string("/etc/group").unwrap();
        let fields: Vec<&str> = groups.lines().next().unwrap().split(':').collect();
        let gid: u32 = fields[2].parse().unwrap();
        assert_eq!(gid_of(fields[0]), Some(gid));
        assert_eq!(group_name(gid).as_deref(), Some(fields[0]));
        assert_eq!(gid_of("no such group"), None);
    }
}
