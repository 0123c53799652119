//! Every errno that a command says it can give is reached, and is named as it is: of System V's and
//! POSIX's objects, pipes, FIFOs and signals.

mod harness;

#[path = "errnos/cases.rs"]
mod cases;
#[path = "errnos/posix.rs"]
mod posix;
#[path = "errnos/streams.rs"]
mod streams;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use cases::{CASES, NO_MEMORY, NOT_HERE, Who};
use harness::{Ran, passes, program};
use ipcsh::commands;
use ipcsh::lang::{Family, Signature};
use nix::unistd::geteuid;

fn all() -> impl Iterator<Item = &'static (Who, &'static str, &'static str, &'static str)> {
    CASES.iter().chain(posix::CASES).chain(streams::CASES)
}

/// Whether the errnos of a command are reached here; those of sockets are in errnos.rs.
fn is_reached(signature: &Signature) -> bool {
    let others = ["mkfifo", "kill", "trap", "sig"];
    match signature.family {
        // `pipe a | b` is the shell's.
        Some(Family::Pipe) => signature.verb().is_some(),
        Some(Family::Fifo) => true,
        Some(family) => family.is_system_v(),
        None => others.contains(&signature.noun()),
    }
}

/// A key that no other run has.
fn free_key() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = (std::process::id() << 8) | (NEXT.fetch_add(1, Ordering::Relaxed) & 0xff);
    format!("{:#x}", 0x4000_0000 | (n & 0x0fff_ffff))
}

fn skipped(what: &str, reason: &str) {
    eprintln!("skipped: {what}: {reason}");
}

const AS_NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// The program under test as an ordinary user: where root runs the tests, as nobody.
/// `None` where that cannot be done, which is said.
fn as_ordinary_user(what: &str) -> Option<Command> {
    if !geteuid().is_root() {
        return Some(Command::new(program()));
    }
    let mut command = Command::new("setpriv");
    command.args(AS_NOBODY).current_dir("/").arg(program());
    let works = Command::new("setpriv")
        .args(AS_NOBODY)
        .arg(program())
        .arg("--version")
        .current_dir("/")
        .output();
    match works {
        Ok(output) if output.status.success() => Some(command),
        Ok(output) => {
            skipped(what, &String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(e) => {
            skipped(what, &format!("setpriv: {e}"));
            None
        }
    }
}

fn sysctl(name: &str) -> Vec<usize> {
    let text = std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap();
    text.split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect()
}

fn filled_in(script: &str) -> String {
    let mut text = script.replace("KEY", &free_key());
    // The longest name that is one, with `sem.` before it, is none.
    text = text.replace("TOOLONG", &"x".repeat(252));
    text = text.replace("FULL", &"x".repeat(4096));
    text = text.replace(
        "NOMORE",
        "b: sig pending\n!prlimit --pid ${b.pid} --nofile=$(ls /proc/${b.pid}/fd | wc -l)",
    );
    if text.contains("LONG") {
        text = text.replace(
            "LONG",
            &format!("\"{}\"", "x".repeat(sysctl("msgmax")[0] + 1)),
        );
    }
    if text.contains("MANY") {
        text = text.replace("MANY", &vec!["0:0"; sysctl("sem")[2] + 1].join(" "));
    }
    text
}

fn judge(ran: Ran, who: Who, command: &str, errno: &str, script: &str) {
    let what = format!("{who:?} {command} {errno}\n{script}");
    assert_eq!(ran.code, Some(0), "{what}\n{ran:#?}");
    // The comment names the same errno, and the call where one was made.
    let line = ran
        .out
        .lines()
        .rfind(|l| l.contains(&format!("=> {errno}")));
    let line = line.unwrap_or_else(|| panic!("{what}\n{ran:#?}"));
    let named = [format!(") = {errno}: "), format!("# {errno}: ")];
    assert!(named.iter().any(|n| line.contains(n)), "{what}\n{line}");
}

/// `sh -c 'LIMITS; exec "$@"'` before a command.
fn limited(words: &str, inner: Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{words} && exec \"$@\""), "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command.current_dir("/");
    command
}

fn with_script(mut command: Command, script: &str) -> Ran {
    use std::io::Write;
    let mut child = command
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap().into()
}

#[test]
fn every_errno_is_reached() {
    for &(who, command, errno, script) in all() {
        let script = format!("{} => {errno}", filled_in(script));
        let what = format!("{command} {errno} ({who:?})");
        if errno == "ENOMEM"
            && command == "shm create"
            && std::fs::read_to_string("/proc/sys/vm/overcommit_memory")
                .is_ok_and(|v| v.trim() == "1")
        {
            skipped(&what, "vm.overcommit_memory is 1");
            continue;
        }
        let ran = match who {
            Who::Anyone => harness::script(&script),
            Who::User => match as_ordinary_user(&what) {
                Some(program) => with_script(program, &script),
                None => continue,
            },
            Who::Limits(words) => with_script(limited(words, Command::new(program())), &script),
            Who::UserLimits(words) => match as_ordinary_user(&what) {
                Some(program) => with_script(limited(words, program), &script),
                None => continue,
            },
            Who::Stranger => {
                if !geteuid().is_root() {
                    skipped(&what, "only root can make objects for another user to try");
                    continue;
                }
                if as_ordinary_user(&what).is_none() {
                    continue;
                }
                let (ours, theirs) = script.split_once('|').unwrap();
                let theirs = theirs.replace("ID", "$o_id");
                let theirs = theirs.replace('"', "'");
                let inner = format!(
                    "let o = {ours}\n!cd / && setpriv --reuid=65534 --regid=65534 --clear-groups {} --json -c \"{theirs}\"",
                    program().display()
                );
                let ran = passes(&inner);
                assert!(
                    ran.out.contains(&format!("\"outcome\":\"{errno}\"")),
                    "{what} {ran:#?}"
                );
                continue;
            }
            Who::Namespace(setting) => {
                let flags = if geteuid().is_root() { "-i" } else { "-Uri" };
                let (name, value) = setting.split_once(' ').unwrap();
                let words = format!("echo {value} > /proc/sys/kernel/{name}");
                let mut test = Command::new("unshare");
                test.args([flags, "sh", "-c", &words]);
                if !test.output().is_ok_and(|o| o.status.success()) {
                    skipped(
                        &what,
                        "no IPC namespace of its own whose limits can be lowered",
                    );
                    continue;
                }
                let inner = limited(&words, Command::new(program()));
                let mut command = Command::new("unshare");
                command
                    .arg(flags)
                    .arg(inner.get_program())
                    .args(inner.get_args());
                with_script(command, &script)
            }
        };
        judge(ran, who, command, errno, &script);
    }
}

/// The table and the commands' own lists name the same.
#[test]
fn every_errno_that_is_listed_has_a_case_and_the_other_way_round() {
    let mut listed = BTreeSet::new();
    for signature in commands::signatures() {
        if is_reached(signature) {
            listed.extend(
                signature
                    .errnos
                    .iter()
                    .map(|(errno, _)| (signature.name, *errno)),
            );
        }
    }
    for command in NO_MEMORY {
        listed.remove(&(command, "ENOMEM"));
    }
    for unreachable in NOT_HERE.into_iter().chain(streams::NOT_HERE) {
        listed.remove(&unreachable);
    }
    let cases: BTreeSet<_> = all()
        .map(|(_, command, errno, _)| (*command, *errno))
        .collect();
    let missing: Vec<_> = listed.difference(&cases).collect();
    let unlisted: Vec<_> = cases.difference(&listed).collect();
    assert!(
        missing.is_empty() && unlisted.is_empty(),
        "no case: {missing:?}\nnot listed: {unlisted:?}"
    );
}
