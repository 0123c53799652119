//! Nothing is left behind, whoever is killed and whenever.

mod harness;

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipcsh::kernel::Errno;
use ipcsh::kernel::fds::Access;
use ipcsh::kernel::posix::mq;
use ipcsh::kernel::process::kill;
use nix::sched::{CloneFlags, unshare};

/// Objects of all families and of both flavours come and go, in five processes at once. The mode of
/// the POSIX queue lets nobody in, not even who looks whether it is left.
fn script() -> String {
    let posix = posix();
    format!(
        "msgq create base
        sem create lock 1
        msgq create {posix}-base
        sem create {posix}-lock
        a: repeat 5000 {{ msgq create t; msgq rm t }} &
        b: repeat 5000 {{ shm create u 4K; shm rm u }} &
        c: repeat 5000 {{ msgq create {posix} mode=0; msgq rm {posix} }} &
        d: repeat 5000 {{ shm create {posix} 4K; sem create {posix}; shm rm {posix}; sem rm {posix} }} &
        repeat 5000 {{ sem create x; sem rm x }}"
    )
}

/// A POSIX name that no other run has.
fn posix() -> String {
    format!("/ipcsh-storm-{}", std::process::id())
}

/// Our POSIX objects that are there.
fn posix_objects() -> Vec<(&'static str, String)> {
    let posix = posix();
    let files = fs::read_dir("/dev/shm").unwrap().flatten();
    let files = files.map(|file| file.file_name().to_string_lossy().into_owned());
    let ours = files.filter(|file| file.contains(&posix[1..]));
    let mut found: Vec<_> = ours.map(|file| ("/dev/shm", file)).collect();
    for queue in [posix.clone(), format!("{posix}-base")] {
        if !matches!(mq::open(&queue, Access::Read), Err(Errno::ENOENT)) {
            found.push(("queue", queue));
        }
    }
    found
}

/// Our objects on this host, by family and id: keys that ipcsh chooses, of this user; and by name.
fn objects() -> HashSet<(&'static str, String)> {
    let mut found = HashSet::from_iter(posix_objects());
    for family in ["msg", "shm", "sem"] {
        let table = fs::read_to_string(format!("/proc/sysvipc/{family}")).unwrap();
        for line in table.lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let key: i64 = words.next().unwrap().parse().unwrap();
            if (key as u32) >> 16 == 0x6970 {
                found.insert((family, words.next().unwrap().to_string()));
            }
        }
    }
    found
}

/// Every child of the shell, whatever it is.
fn children(pid: u32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_ascii_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn start() -> Child {
    let mut shell = Command::new(harness::program())
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(script().as_bytes()).unwrap();
    shell
}

/// A small generator: a failure must be repeatable from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn nothing_is_left_whoever_is_killed() {
    let kills: u64 = std::env::var("IPCSH_STORM").map_or(60, |n| n.parse().unwrap());
    let seed = u64::from(std::process::id()) << 20 | 0x9e37;
    println!("seed {seed}, {kills} kills");
    let mut random = Random(seed);
    // Where it may be had, a namespace without other sessions of ipcsh.
    if unshare(CloneFlags::CLONE_NEWIPC).is_err() {
        println!("shared with the host: an ordinary user has no IPC namespace of his own");
    }
    for n in 0..kills {
        let before = objects();
        let mut shell = start();
        std::thread::sleep(Duration::from_micros(random.next(60_000)));
        let actors = children(shell.id());
        let pid = shell.id() as i32;
        let victims: Vec<i32> = match (n % 3, actors.as_slice()) {
            (1, [_, ..]) => vec![actors[random.next(actors.len() as u64) as usize]],
            (2, [_, ..]) => actors.iter().copied().chain([pid]).collect(),
            _ => vec![pid],
        };
        for victim in victims {
            let _ = kill(victim, libc::SIGKILL);
        }
        shell.wait().unwrap();
        // The janitor sees that all are gone, and removes what is left.
        let begun = Instant::now();
        while !objects().is_subset(&before) {
            let left: Vec<_> = objects().difference(&before).cloned().collect();
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "kill {n}: left {left:?}"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
