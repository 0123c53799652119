//! Nothing is left behind, whoever is killed and whenever.

mod harness;

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipcsh::kernel::process::kill;
use nix::sched::{CloneFlags, unshare};

/// Objects of all families come and go, in three processes at once.
const SCRIPT: &str = "
msgq create base
sem create lock 1
a: repeat 5000 { msgq create t; msgq rm t } &
b: repeat 5000 { shm create u 4K; shm rm u } &
repeat 5000 { sem create x; sem rm x }
";

/// Our objects on this host, by family and id: keys that ipcsh chooses, of this user.
fn objects() -> HashSet<(&'static str, String)> {
    let mut found = HashSet::new();
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
    stdin.write_all(SCRIPT.as_bytes()).unwrap();
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
