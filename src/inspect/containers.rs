//! Which container a process is of, by the path of its control group: cgroups(7).
//!
//! No file says that there are containers. What runs them names their groups by habits of its own,
//! and those are known here.

use super::process::read_file;

/// How many characters of an id are shown, as the runtimes' own listings do.
const SHORT: usize = 12;

/// The container of a process: `docker:3f2a9c1b8d7e`, `machine:web`. `None` where its group's name
/// tells of none, or may not be read.
pub fn of(pid: i32) -> Option<String> {
    let bytes = read_file(format!("/proc/{pid}/cgroup")).ok()?;
    in_groups(&String::from_utf8_lossy(&bytes))
}

/// The container that `/proc/PID/cgroup` tells: one line a hierarchy, `0::/PATH` for that of
/// version 2.
fn in_groups(text: &str) -> Option<String> {
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.into_iter().find_map(in_path)
}

/// What runs a container whose group is a scope of systemd's: `docker-ID.scope`.
const SCOPES: [(&str, &str); 5] = [
    ("docker-", "docker"),
    ("libpod-", "podman"),
    ("cri-containerd-", "containerd"),
    ("crio-", "cri-o"),
    ("nerdctl-", "nerdctl"),
];

/// The innermost container of a path.
fn in_path(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    (0..parts.len()).rev().find_map(|at| container(&parts, at))
}

/// The container that one part of a path names, by itself or by those before it.
fn container(parts: &[&str], at: usize) -> Option<String> {
    let part = parts[at];
    let before = |n: usize| at.checked_sub(n).map_or("", |at| parts[at]);
    if let Some(scope) = part.strip_suffix(".scope") {
        let known = SCOPES.iter().find_map(|(prefix, runtime)| {
            let id = scope.strip_prefix(prefix)?;
            is_id(id).then(|| short(runtime, id))
        });
        let machine = || {
            let name = scope.strip_prefix("machine-")?;
            Some(format!("machine:{}", unescaped(name)))
        };
        return known.or_else(machine);
    }
    if let Some(service) = part.strip_suffix(".service") {
        let name = service.strip_prefix("systemd-nspawn@")?;
        return Some(format!("machine:{}", unescaped(name)));
    }
    // Where cgroups are made without systemd.
    if let Some(name) = part.strip_prefix("lxc.payload.") {
        return Some(format!("lxc:{name}"));
    }
    if let Some(id) = part.strip_prefix("libpod-").filter(|id| is_id(id)) {
        return Some(short("podman", id));
    }
    match before(1) {
        "lxc" => return Some(format!("lxc:{part}")),
        "docker" if is_id(part) => return Some(short("docker", part)),
        "libpod_parent" if is_id(part) => return Some(short("podman", part)),
        _ => {}
    }
    let in_pod = before(1).starts_with("pod") && parts[..at].contains(&"kubepods");
    (in_pod && is_id(part)).then(|| short("kubepods", part))
}

/// Whether it is the id of a container: what else is named so, such as `libpod-conmon-ID`, is none.
fn is_id(text: &str) -> bool {
    text.len() >= SHORT && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn short(runtime: &str, id: &str) -> String {
    format!("{runtime}:{}", &id[..SHORT])
}

/// A name as it was before systemd-escape(1): `\x2d` is a dash.
fn unescaped(name: &str) -> String {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.strip_prefix(b"x").and_then(|d| d.first_chunk::<2>());
        let byte = digits
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[3..] } else { behind };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2a9c1b8d7e00112233445566778899aabbccddeeff00112233445566778899";

    #[test]
    fn containers_are_known_by_their_groups() {
        for (path, container) in [
            ("/system.slice/docker-ID.scope", Some("docker:3f2a9c1b8d7e")),
            ("/docker/ID", Some("docker:3f2a9c1b8d7e")),
            (
                "/machine.slice/libpod-ID.scope/container",
                Some("podman:3f2a9c1b8d7e"),
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
                Some("podman:3f2a9c1b8d7e"),
            ),
            ("/libpod_parent/libpod-ID", Some("podman:3f2a9c1b8d7e")),
            ("/machine.slice/libpod-conmon-ID.scope", None),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-ID.scope",
                Some("containerd:3f2a9c1b8d7e"),
            ),
            (
                "/kubepods.slice/kubepods-pod1_2.slice/crio-ID.scope",
                Some("cri-o:3f2a9c1b8d7e"),
            ),
            (
                "/kubepods/besteffort/pod8a1c/ID",
                Some("kubepods:3f2a9c1b8d7e"),
            ),
            ("/lxc/web", Some("lxc:web")),
            ("/lxc/web/system.slice/cron.service", Some("lxc:web")),
            ("/lxc.payload.web/init.scope", Some("lxc:web")),
            ("/lxc.monitor.web", None),
            (
                "/machine.slice/machine-my\\x2dweb.scope/payload",
                Some("machine:my-web"),
            ),
            (
                "/machine.slice/systemd-nspawn@deb.service/payload",
                Some("machine:deb"),
            ),
            (
                "/docker/ID/docker/00000000000000000000",
                Some("docker:000000000000"),
            ),
            ("/system.slice/docker.service", None),
            ("/system.slice/docker-ID.scope.d", None),
            ("/docker/buildkit", None),
            ("/user.slice/user-0.slice/session-1.scope", None),
            ("/", None),
        ] {
            let text = format!("0::{}\n", path.replace("ID", ID));
            assert_eq!(in_groups(&text).as_deref(), container, "{path}");
        }
    }

    #[test]
    fn any_hierarchy_may_tell_it() {
        let text = format!("12:pids:/\n9:name=systemd:/docker/{ID}\n0::/\n");
        assert_eq!(in_groups(&text).as_deref(), Some("docker:3f2a9c1b8d7e"));
        assert_eq!(in_groups("0::/a:b\n"), None);
        assert_eq!(in_groups("garbage"), None);
        assert_eq!(unescaped("a\\x2"), "a\\x2");
        assert_eq!(unescaped("\\xzz\\x41"), "\\xzzA");
    }
}
