//! Pipes between actors: once the step has ended, each has its ends; a circle of them is told.

mod harness;

use harness::{passes, run, script};

/// Whether an actor had its end yet was once a matter of luck.
const TRIES: usize = 10;

#[test]
fn the_ends_are_there_when_the_step_has_ended() {
    for _ in 0..TRIES {
        let ran = script("pipe a | b\npipe info p1");
        let ends = ran.out.lines().find(|line| line.starts_with("# ends "));
        let ends = ends
            .unwrap_or_default()
            .replace(|c: char| c.is_ascii_digit(), "");
        assert_eq!(
            ends.trim_start_matches("# ends").trim(),
            "a w,  b r",
            "{}",
            ran.out
        );
        passes("pipe a | b\nb: pipe write \"x\" => ok\nb: pipe read => \"x\"");
    }
}

#[test]
fn an_actor_without_a_name_to_go_by_takes_the_end_that_it_has() {
    for _ in 0..TRIES {
        passes(
            "pipe a | b\npipe b | a
            b: pipe read ...
            a: pipe write \"to b\"
            b: ... => \"to b\"
            b: pipe write \"to a\"
            a: pipe read => \"to a\"",
        );
    }
}

#[test]
fn an_actor_that_is_stopped_takes_no_end() {
    let ran = script("spawn a b\nkill -STOP a\ntimeout step 200ms\npipe a | b");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("stopped"), "{}", ran.err);
}

#[test]
fn actors_that_wait_for_each_other_at_pipes_are_told_at_once() {
    // Were they not, each of these would take the ten minutes of its deadline.
    let ran = script(
        "timeout step 10m
        pipe a | b\npipe b | a
        a: pipe read ...
        b: pipe read",
    );
    let cycle = "deadlock: b waits for bytes in p1, whose write end only a has; \
                 a waits for bytes in p2, whose write end only b has";
    assert!(ran.err.contains(cycle), "{}", ran.err);

    let ran = script(
        "timeout step 10m
        pipe a | b\nsem create lock 1
        b: sem p lock
        a: sem p lock ...
        b: pipe read --all",
    );
    let cycle = "deadlock: b waits for bytes in p1, whose write end only a has; \
                 a waits for lock, which b holds";
    assert!(ran.err.contains(cycle), "{}", ran.err);

    let ran = script(
        "timeout step 10m
        a: sock listen $WORK/s name=l
        b: sock connect $WORK/s name=client
        a: sock accept name=server
        a: sock recv server ...
        b: sock recv client",
    );
    let cycle = "deadlock: b waits for bytes in client, whose other side only a has; \
                 a waits for bytes in server, whose other side only b has";
    assert!(ran.err.contains(cycle), "{}", ran.err);

    let ran = script("timeout step 10m\npipe create p\npipe read");
    let cycle = "deadlock: me waits for bytes in p, whose write end only it has itself";
    assert!(ran.err.contains(cycle), "{}", ran.err);
}

#[test]
fn who_may_yet_write_makes_no_deadlock() {
    let ran = script("timeout step 100ms\npipe create p\nb: pipe read p");
    assert!(
        ran.err.contains("still blocked after 100 ms"),
        "{}",
        ran.err
    );
    passes("pipe create p\npipe read ...\nb: pipe write p \"x\"\nme: ... => \"x\"");
}

#[test]
fn what_was_written_to_a_program_arrives_before_the_session_ends() {
    // It only reads once the script has nothing left to do.
    let ran = passes(
        "!mkfifo $WORK/go\npipe a | \"read x < $WORK/go; cat > $WORK/out; cat $WORK/out\"\n\
         a: pipe write \"hello\"\na: pipe close\n!echo > $WORK/go &\n",
    );
    assert!(ran.out.contains("# hello"), "{}", ran.out);
    // An end that nobody closes is closed with its actor.
    let ran = passes("pipe a | \"cat -n\"\na: pipe write \"hello\\n\"");
    let numbered =
        |line: &str| line.starts_with("# ") && line.contains("1") && line.ends_with("hello");
    assert!(ran.out.lines().any(numbered), "{}", ran.out);
}

#[test]
fn a_program_that_does_not_end_is_told_of() {
    let ran = script("timeout step 100ms\npipe a | \"sleep 1000\"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let said = "still ran 100ms after the end of its input";
    assert!(ran.out.contains(said), "{}\n{}", ran.out, ran.err);
}

#[test]
fn a_flood_of_output_is_stopped() {
    for text in ["!yes", "let x = !yes", "pipe \"yes\" | \"cat\""] {
        let ran = script(text);
        assert_eq!(ran.code, Some(1), "{text}");
        let said = "it had written more than 64 MiB";
        assert!(ran.err.contains(said), "{text}: {}", ran.err);
    }
}

#[test]
fn a_command_on_the_command_line_has_the_output_to_itself() {
    let bytes = r"printf 'a\\0\\377'";
    let ran = std::process::Command::new(harness::program())
        .args(["-c", &format!("pipe \"{bytes}\" | \"cat\"")])
        .output()
        .unwrap();
    assert_eq!(ran.stdout, b"a\0\xff");
    // JSON stays JSON.
    let ran = run(&["--json", "-c", "!printf abc"], b"");
    let first = ran.out.lines().next().unwrap();
    assert!(first.starts_with("{\"kind\":\"step\""), "{}", ran.out);
    // And who reads no more ends it.
    let line = format!(
        "{} -c 'pipe \"yes\" | \"cat\"' | head -1",
        harness::program().display()
    );
    let ran = std::process::Command::new("sh")
        .args(["-c", &line])
        .output()
        .unwrap();
    assert_eq!(ran.stdout, b"y\n");
}

#[test]
fn a_pipeline_that_comes_to_nothing_ends_the_programs_it_has_started() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let pid = pid.display();
    passes(&format!(
        "timeout step 300ms
         spawn b
         kill -STOP b
         pipe \"echo $$ > {pid}; exec sleep 600\" | b => error
         !test -s {pid} && kill -0 $(cat {pid}) => exit=1"
    ));
}

/// The record of a stage that has ended may be an actor's by the time the pipeline fails.
#[test]
fn a_pipeline_that_fails_forgets_nothing_of_others() {
    let name = format!("/ipcsh-stages-{}", std::process::id());
    let ran = script(&format!(
        "mkfifo $WORK/go\na: repeat 1 {{ fifo open $WORK/go r; shm create {name} 16 }} &\n\
         pipe 'echo $$ > $WORK/new; mv $WORK/new $WORK/pid' | \
         'until test -e $WORK/pid; do sleep 0.01; done; first=$(cat $WORK/pid); \
          while test -e /proc/$first; do sleep 0.01; done; : > $WORK/go; \
          until test -e /dev/shm{name}; do sleep 0.01; done; yes'"
    ));
    assert!(
        ran.err.contains("more than 64 MiB"),
        "{}\n{}",
        ran.out,
        ran.err
    );
    assert!(ran.out.contains("shm create"), "{}", ran.out);
    let left = std::path::PathBuf::from(format!("/dev/shm{name}"));
    let is_left = left.exists();
    let _ = std::fs::remove_file(left);
    assert!(!is_left, "{}", ran.out);
}
