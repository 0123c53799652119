//! `!command`: how it ends, how it is ended, and what it writes.

mod harness;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use harness::{Running, passes, script, until};
use ipcsh::inspect::process::{pids, thread_stat};
use ipcsh::kernel::process::process_group;

/// The process that a command writes into a file.
fn told(file: &Path) -> i32 {
    let mut pid = None;
    until("a process id in the file", || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        // Whole once its line is.
        pid = text.strip_suffix('\n').and_then(|t| t.parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

/// Whether a process of the group runs.
fn runs(group: i32) -> bool {
    pids().any(|pid| {
        process_group(pid) == Ok(group) && thread_stat(pid, pid).is_ok_and(|s| !s.is_dead())
    })
}

#[test]
fn a_signal_ends_a_command_in_the_foreground_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    for (place, kind) in ["", "require "].into_iter().enumerate() {
        for signo in [libc::SIGTERM, libc::SIGINT] {
            let file = directory.path().join(format!("{place}-{signo}"));
            let mut running = Running::start(&format!(
                "msgq create q\n{kind}!sh -c 'echo $$ > {}; exec sleep 1000'; true\necho never\n",
                file.display()
            ));
            // Shown before the command is waited for.
            let created = running.line().unwrap();
            let id = created.split("id ").nth(1).unwrap();
            let id: i32 = id.split(',').next().unwrap().parse().unwrap();
            let sleeper = told(&file);
            let (status, _) = running.end(signo);
            assert_eq!(status.signal(), Some(signo), "{kind}: {status:?}");
            assert!(ipcsh::kernel::msg::stat_any_id(id).is_err(), "{created}");
            let is_alive = thread_stat(sleeper, sleeper).is_ok_and(|stat| !stat.is_dead());
            assert!(!is_alive, "{kind}");
            // Where it was ended, and nothing behind it.
            let rest: Vec<String> = std::iter::from_fn(|| running.line()).collect();
            let rest = rest.join("\n");
            assert!(rest.contains("ended the script here"), "{rest}");
            assert!(!rest.contains("never"), "{rest}");
        }
    }
}

#[test]
fn a_signal_while_a_command_starts_leaves_nothing_of_it() {
    let seconds = format!("1000{}", std::process::id());
    for _ in 0..30 {
        let text = format!("echo going\n!sh -c 'sleep {seconds}; true'; true\n");
        let mut running = Running::start(&text);
        running.line();
        running.end(libc::SIGTERM);
        let left = pids().find(|pid| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(&seconds)
        });
        assert_eq!(left, None);
    }
}

#[test]
fn a_command_in_the_background_ends_whole_with_the_shell_that_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("told");
    let mut running = Running::start(&format!(
        "!sleep 1000 & echo $$ > {}; sleep 1000 &\nsleep 1h\n",
        file.display()
    ));
    let group = told(&file);
    assert!(runs(group));
    assert_eq!(process_group(group), Ok(group));
    running.shell.kill().unwrap();
    running.shell.wait().unwrap();
    until("the end of the job", || !runs(group));
}

#[test]
fn a_command_in_the_foreground_ends_whole_with_the_shell_that_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    for (n, text) in [
        "!exec sleep 1000",
        "!sleep 1000",
        "!sleep 1000; true",
        "let v = !(sleep 1000; true); true",
        "require !sleep 1000; true",
        "!trap '' TERM; sleep 1000; true",
        "pipe \"sleep 1000; true\" | \"sleep 1000; true\"",
    ]
    .into_iter()
    .enumerate()
    {
        let file = directory.path().join(format!("{n}"));
        let said = format!("echo $$ > {}; ", file.display());
        let (head, tail) = text.split_once(['!', '"']).unwrap();
        let sign = &text[head.len()..=head.len()];
        let mut running = Running::start(&format!("{head}{sign}{said}{tail}\n"));
        let sh = told(&file);
        let begun_by = |parent: i32| {
            pids().filter(move |pid| thread_stat(*pid, *pid).is_ok_and(|s| s.ppid == parent))
        };
        // What it runs is there, or it is that itself.
        until("the sleeper", || {
            let is_sleep = |pid: i32| {
                let name = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
                name == b"sleep\n"
            };
            is_sleep(sh)
                || begun_by(sh).any(is_sleep)
                || begun_by(sh).flat_map(begun_by).any(is_sleep)
        });
        let shell = running.shell.id().cast_signed();
        let of_it: Vec<i32> = begun_by(shell).collect();
        let deep = of_it.iter().flat_map(|pid| begun_by(*pid));
        let deep: Vec<i32> = deep.chain(of_it.iter().copied()).collect();
        let all: Vec<i32> = deep
            .iter()
            .flat_map(|pid| begun_by(*pid))
            .chain(deep.clone())
            .collect();
        running.shell.kill().unwrap();
        running.shell.wait().unwrap();
        for pid in all {
            until(text, || thread_stat(pid, pid).map_or(true, |s| s.is_dead()));
        }
    }
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

#[test]
fn how_the_session_talks_to_its_actors_is_not_listed() {
    let text = "b: pipe create p\nb: sock pair stream x y\npipe ls\nsock ls\ngraph --pid b\n";
    let ran = harness::passes(text);
    let (_, pid) = ran.out.split_once("# started b (pid ").unwrap();
    let pid = pid.split(')').next().unwrap();
    for end in ["3rw", "6w", "8w"] {
        let end = format!("{pid} b {end}");
        assert!(!ran.out.contains(&end), "{end}\n{}", ran.out);
    }
    for end in ["w fd 6", "w fd 8", "rw fd 3"] {
        let end = format!("{pid} b  {end}");
        assert!(!ran.out.contains(&end), "{end}\n{}", ran.out);
    }
    let pipe = ran.out.lines().find(|line| line.starts_with("# p "));
    let ends = format!("{pid} b ");
    assert!(pipe.is_some_and(|p| p.contains(&ends)), "{}", ran.out);
}

#[test]
fn who_forks_when_the_end_comes_leaves_no_child() {
    if !harness::has("python3") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (program, begun) = (
        directory.path().join("forks.py"),
        directory.path().join("begun"),
    );
    // The more memory a process has, the longer a fork takes.
    let forks = "import os, sys, time; held = bytearray(100 << 20)\n\
                 open(sys.argv[1], 'w').write('%d\\n' % os.getpid())\n\
                 while os.fork(): time.sleep(0.01)\ntime.sleep(1000)";
    std::fs::write(&program, forks).unwrap();
    let mark = program.display().to_string();
    for _ in 0..20 {
        let mut running = Running::start(&format!("!python3 {mark} {}\n", begun.display()));
        told(&begun);
        std::fs::remove_file(&begun).unwrap();
        running.end(libc::SIGTERM);
        let left = pids().find(|pid| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(&mark)
        });
        assert_eq!(left, None);
    }
}

#[test]
fn a_variable_that_is_too_long_for_an_environment_hinders_only_who_names_it() {
    let long = "let long = !head -c 200000 /dev/zero | tr '\\0' x\n";
    passes(&format!("{long}!true\npipe \"true\" | \"cat\""));
    let ran = script(&format!("{long}!echo $long"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("`long` holds more than 128 KiB"),
        "{}",
        ran.err
    );
    // As long as one may be.
    passes("let edge = !head -c 131066 /dev/zero | tr '\\0' x\n!test ${#edge} = 131066");
}

#[test]
fn what_is_deferred_runs_though_nobody_reads_what_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, "").unwrap();
        path
    };
    let (first, second) = (file("first"), file("second"));
    let text = format!(
        "defer !rm {}\ndefer !rm {}\necho x\n",
        first.display(),
        second.display()
    );
    let mut child = std::process::Command::new(harness::program())
        .arg("-")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Nobody reads from before the first line on.
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, text.as_bytes()).unwrap();
    drop(input);
    child.wait().unwrap();
    assert!(!first.exists() && !second.exists());
}

#[test]
fn a_claim_that_cannot_be_computed_is_told_as_that() {
    let ran = script("let v = 3\n!exit 3 => exit=$v.foo");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("foo"), "{}", ran.err);
    assert!(!ran.err.contains("the command ended with"), "{}", ran.err);
}

/// As nohup(1) and a shell's `&` have it.
#[test]
fn a_signal_that_is_ignored_from_the_start_stays_so() {
    for signal in ["HUP", "INT", "TERM"] {
        let text = format!("echo begun\n!kill -{signal} $PPID\necho done");
        let run = |trap: &str| {
            let sh = format!("{trap} exec \"$0\" -c \"$1\"");
            let mut run = Command::new("sh");
            run.args(["-c", &sh]).arg(harness::program()).arg(&text);
            String::from_utf8(run.output().unwrap().stdout).unwrap()
        };
        let ignored = run(&format!("trap '' {signal};"));
        assert_eq!(ignored, "begun\ndone\n", "{signal}");
        assert_eq!(run(""), "begun\n", "{signal}");
    }
}

/// Nobody waits for what runs in the background; that it failed is told all the same.
#[test]
fn a_command_in_the_background_that_fails_is_told() {
    // Until it has ended, reaped or not.
    let ended = |name: &str| {
        format!(
            "!until [ -s $WORK/{name} ]; do sleep 0.01; done; p=$(cat $WORK/{name}); \
             while [ -e /proc/$p ] && ! grep -q '^State:.*Z' /proc/$p/status; do sleep 0.01; done\n"
        )
    };
    let begin = |name: &str, end: &str| format!("!echo $$ > $WORK/{name}; {end} &\n");
    let ran = passes(&format!(
        "{}{}{}{}{}{}",
        begin("a", "exit 4"),
        begin("b", "kill -9 $$"),
        begin("c", "exit 0"),
        ended("a"),
        ended("b"),
        ended("c")
    ));
    for told in [
        "; exit 4 & ended with exit=4",
        "; kill -9 $$ & was killed by SIGKILL",
    ] {
        assert!(ran.out.contains(told), "{}", ran.out);
    }
    assert!(!ran.out.contains("exit 0 & ended"), "{}", ran.out);
}
