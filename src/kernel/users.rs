//! Users and groups by name: getpwnam(3), getpwuid(3), getgrnam(3), getgrgid(3).

use nix::unistd::{Gid, Group, Uid, User};

/// The number of a user: of this name, or what the text is as a number. `None` where there is no such
/// user.
pub fn uid_of(user: &str) -> Option<u32> {
    let named = User::from_name(user).ok().flatten();
    named.map_or_else(|| user.parse().ok(), |found| Some(found.uid.as_raw()))
}

/// The number of a group, as [`uid_of`].
pub fn gid_of(group: &str) -> Option<u32> {
    let named = Group::from_name(group).ok().flatten();
    named.map_or_else(|| group.parse().ok(), |found| Some(found.gid.as_raw()))
}

/// The name of a user; `None` where the number has none.
pub fn user_name(uid: u32) -> Option<String> {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map(|user| user.name)
}

/// The name of a group; `None` where the number has none.
pub fn group_name(gid: u32) -> Option<String> {
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
