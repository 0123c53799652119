//! `!command`: how it ends, how it is ended, and what it writes.

mod harness;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{passes, script};
use ipcsh::inspect::process::{pids, thread_stat};
use ipcsh::kernel::process::{is_alive, kill, process_group};

/// A script that runs, and a file that its commands may tell something by.
struct Running {
    shell: Child,
    out: BufReader<ChildStdout>,
    told: PathBuf,
}

impl Running {
    /// Starts a script; `TOLD` in it is the file.
    fn start(test: &str, text: &str) -> Running {
        let told = std::env::temp_dir().join(format!("ipcsh-{test}-{}", std::process::id()));
        let text = text.replace("TOLD", &told.to_string_lossy());
        let mut shell = Command::new(harness::program())
            .args(["-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = shell.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, text.as_bytes()).unwrap();
        let out = BufReader::new(shell.stdout.take().unwrap());
        Running { shell, out, told }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// The process that a command wrote into the file.
    fn told(&self) -> i32 {
        let mut pid = None;
        until("a process id in the file", || {
            let text = std::fs::read_to_string(&self.told).unwrap_or_default();
            // Whole once its line is.
            pid = text.strip_suffix('\n').and_then(|t| t.parse().ok());
            pid.is_some()
        });
        pid.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        let _ = std::fs::remove_file(&self.told);
    }
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process of the group runs.
fn runs(group: i32) -> bool {
    pids().any(|pid| {
        process_group(pid) == Ok(group) && thread_stat(pid, pid).is_ok_and(|s| !s.is_dead())
    })
}

#[test]
fn a_signal_ends_a_command_in_the_foreground_with_all_that_it_started() {
    let command = "!sh -c 'echo $$ > TOLD; exec sleep 1000'; true";
    for statement in [command.to_string(), format!("require {command}")] {
        for signo in [libc::SIGTERM, libc::SIGINT] {
            let text = format!("msgq create q\n{statement}\necho never\n");
            let mut running = Running::start("foreground", &text);
            // Shown before the command is waited for.
            let created = running.line();
            let id = created.split("id ").nth(1).unwrap();
            let id: i32 = id.split(',').next().unwrap().parse().unwrap();
            let sleeper = running.told();
            kill(running.shell.id() as i32, signo).unwrap();
            let status = running.shell.wait().unwrap();
            assert_eq!(status.signal(), Some(signo), "{statement}: {status:?}");
            assert!(ipcsh::kernel::msg::stat_any_id(id).is_err(), "{created}");
            assert!(!is_alive(sleeper), "{statement}");
            assert_eq!(running.line(), "");
        }
    }
}

#[test]
fn a_signal_while_a_command_starts_leaves_nothing_of_it() {
    let seconds = format!("1000{}", std::process::id());
    for _ in 0..30 {
        let text = format!("echo going\n!sh -c 'sleep {seconds}; true'; true\n");
        let mut running = Running::start("start", &text);
        running.line();
        kill(running.shell.id() as i32, libc::SIGTERM).unwrap();
        running.shell.wait().unwrap();
        let left = pids().find(|pid| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(&seconds)
        });
        assert_eq!(left, None);
    }
}

#[test]
fn a_command_in_the_background_ends_whole_with_the_shell_that_is_killed() {
    let text = "!sleep 1000 & echo $$ > TOLD; sleep 1000 &\nsleep 1h\n";
    let mut running = Running::start("background", text);
    let group = running.told();
    assert!(runs(group));
    assert_eq!(process_group(group), Ok(group));
    running.shell.kill().unwrap();
    running.shell.wait().unwrap();
    until("the end of the job", || !runs(group));
}

#[test]
fn a_command_in_the_background_that_does_not_end_is_killed() {
    let ran = passes(
        "!trap '' TERM; echo on; touch $WORK/on; while :; do sleep 1; done &\n\
         !until test -e $WORK/on; do sleep 0.01; done\n",
    );
    assert_eq!(ran.out.matches("# on\n").count(), 1, "{}", ran.out);
}

#[test]
fn what_is_written_in_the_background_is_shown_once_and_to_the_last_byte() {
    let ran = passes(
        "!echo one; printf two; touch $WORK/on &\n\
         !until test -e $WORK/on; do sleep 0.01; done\n\
         echo three\n",
    );
    for line in ["# one\n", "# two\n", "# three\n"] {
        assert_eq!(ran.out.matches(line).count(), 1, "{}", ran.out);
    }
    // It is still in the background when the transcript is run.
    assert!(ran.out.contains("touch $WORK/on &\n"), "{}", ran.out);
    passes(&ran.out);
}

#[test]
fn a_variable_is_bound_to_standard_output_alone() {
    let ran = passes("let v = !echo aside >&2; echo out\nexpect $v == \"out\"\n");
    assert_eq!(ran.err, "aside\n");
}

#[test]
fn a_claim_is_held_against_how_a_command_ends() {
    passes(
        "!exit 3 => exit=3\n!kill -9 $$ => signal=KILL\n!true => ok\nlet v = !exit 4 => exit=4\n",
    );
    for text in [
        "!exit 3",
        "!exit 3 => ok",
        "!true => exit=3",
        "!kill -9 $$ => exit=9",
    ] {
        let ran = script(text);
        assert_eq!(ran.code, Some(1), "{text}\n{}", ran.out);
    }
    let skipped = script("echo before\nrequire !echo noise; exit 1\necho never\n");
    assert_eq!(skipped.code, Some(77));
    assert_eq!(
        skipped.out,
        "echo before\n# before\n# skipped: it requires !echo noise; exit 1\n"
    );
}
