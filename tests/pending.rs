//! Steps that are left pending: what they claim, and whom they may still wake.

mod harness;

use harness::{passes, program, run, script};

#[test]
fn what_a_step_that_blocks_claims_is_in_the_transcript_and_holds() {
    let ran = passes("sem create s 0\na: sem p s ... => EIDRM\nsem rm s\nwait a");
    assert!(
        ran.out.contains("a: sem p s ... => EIDRM   # blocked"),
        "{}",
        ran.out
    );
    // At the end too, where nobody waits for it.
    passes("sem create s 0\na: sem p s ... => EIDRM\nsem rm s");
    let ran = script("sem create s 0\na: sem p s ... => EIDRM\nsem v s\na: ...");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in ["claimed  EIDRM", "found    ok"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    assert!(
        ran.out.contains("a: ... => EIDRM   # failed"),
        "{}",
        ran.out
    );
}

#[test]
fn both_claims_of_a_pending_step_hold() {
    let twice = |first: &str, second: &str| {
        let text = format!(
            "msgq create q\na: msgq recv q ... => {first}\nmsgq send q 7 \"hi\"\na: ... => {second}"
        );
        script(&text)
    };
    assert_eq!(twice("type=7", "\"hi\"").code, Some(0));
    for (first, second, wrong) in [
        ("type=8", "\"hi\"", "type=8"),
        ("type=7", "\"ho\"", "\"ho\""),
        ("EIDRM", "ok", "EIDRM"),
    ] {
        let ran = twice(first, second);
        assert_eq!(ran.code, Some(1), "{first} {second}: {}", ran.err);
        let claimed = format!("claimed  {wrong}");
        assert!(ran.err.contains(&claimed), "{first} {second}: {}", ran.err);
    }
}

#[test]
fn a_claim_that_nobody_asked_for_fails_where_its_step_stands() {
    let ran = script(
        "sem create s 1\na: sem p s & => EAGAIN\nexpect sem.s.value == 0 within 10s\nsem v s",
    );
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("<stdin>:2: a: ..."), "{}", ran.err);
}

#[test]
fn a_pending_loop_names_the_step_that_failed() {
    let ran = script(
        "msgq create q\nsem create go 0\n\
         a: repeat 2 { sem p go; msgq recv q --nowait } ...\nsem v go\na: ...",
    );
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("line 3, `msgq recv q --nowait`"),
        "{}",
        ran.err
    );
}

#[test]
fn what_was_made_by_the_way_is_told_though_the_step_did_not_block() {
    let ran = run(&["-c", "msgq send 1 \"x\" ..."], b"");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("created message queue q1"), "{}", ran.err);
}

/// Were they not told at once, each of these would take the ten minutes of its deadline.
#[test]
fn a_loop_in_a_cycle_of_waits_is_told_at_once() {
    for (text, part) in [
        (
            "sem create l 1\na: repeat 2 { sem p l }",
            "a waits for l, which it holds itself",
        ),
        (
            "sem create l 1\nsem create r 1\nb: sem p r\na: repeat 1 { sem p l; sem p r } ...\nb: sem p l",
            "b waits for l, which a holds; a waits for r, which b holds",
        ),
    ] {
        let ran = script(&format!("timeout step 10m\n{text}"));
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    passes(
        "sem create l 1\na: repeat 2 { sem p l } ...\nexpect deadlock a\ncancel a\na: ... => EINTR",
    );
}

/// Who has more to do may yet give back what others wait for.
#[test]
fn a_loop_that_goes_on_by_itself_makes_no_deadlock() {
    for how in [
        "sem p z timeout=300ms => EAGAIN",
        "sig wait USR1 timeout=300ms => EAGAIN",
    ] {
        passes(&format!(
            "sem create l 1\nsem create z 0\na: sem p l\n\
             c: repeat 1 {{ {how}; sem v l }} &\na: sem p l"
        ));
    }
    // One call that takes here and gives there is no more than a loop.
    passes(
        "sem create l 1\nsem create s 0 count=2\na: sem p l\nc: sem op s 0:-1 1:+1 ...\n\
         sem v s[0]\nc: ... => ok",
    );
    // Who only waits for something else gives nothing, and is no way out.
    for waits in [
        "msgq recv q",
        "repeat 2 { let m = msgq recv q; repeat 2 { sem p z } }",
    ] {
        let ran = script(&format!(
            "timeout step 10m\nsem create l 1\nsem create z 0\nmsgq create q\nc: {waits} ...\n\
             sem p l\nsem p l"
        ));
        assert!(ran.err.contains("which it holds itself"), "{}", ran.err);
    }
}

#[test]
fn a_semaphore_with_a_key_of_ones_choice_is_given_back_by_others_too() {
    // A key that is hardly anybody's.
    let key = format!("key:0x{:x}", 0x5a00_0000 | std::process::id());
    let ran = script(&format!(
        "timeout step 300ms\nsem create {key} 1\nsem p sem1\nsem p sem1"
    ));
    assert!(ran.err.contains("still blocked after"), "{}", ran.err);
}

#[test]
fn where_several_operations_are_made_the_one_that_waits_is_named() {
    let ran = passes(
        "sem create s 0 count=2\nsem v s[0]\nb: sem op s 0:-1 1:-1 ...\nsem v s[1]\nb: ... => ok",
    );
    assert!(ran.out.contains("# blocked: s[1] is 0"), "{}", ran.out);
}

#[test]
fn what_was_started_and_ended_by_itself_is_in_the_transcript() {
    for _ in 0..10 {
        let ran = passes("sem create s\na: sem p s &");
        assert!(ran.out.contains("\na: ... => ok"), "{}", ran.out);
    }
    // Nothing is claimed, and how it ended is told.
    let ran = passes("sem create s 0\na: sem p s --nowait &");
    assert!(ran.out.contains("a: ... => EAGAIN   # "), "{}", ran.out);
    passes(&ran.out);
    let ran =
        passes("sem create q\nsem v q &\nexpect sem.q.value == 2 within 10s\ndefer sem get q");
    passes(&ran.out);
}

#[test]
fn what_an_outsider_gave_is_no_lock() {
    // Made with 0: what is taken of it came from somewhere, and may come again.
    let ipcsh = program().display().to_string();
    let ran = script(&format!(
        "timeout step 300ms\nlet s = sem create x 0\n!{ipcsh} -c \"sem v id:$s_id\"\nb: sem p x\nb: sem p x"
    ));
    assert!(ran.err.contains("still blocked after"), "{}", ran.err);
}

#[test]
fn what_is_stopped_is_not_cancelled_and_not_killed_for_it() {
    let blocked = "sem create lock 0\nb: sem p lock ...\n!kill -STOP ${b.pid}\n";
    let ran = script(&format!("{blocked}cancel b"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in [
        "b is stopped (SIGSTOP)",
        "Let it go on with `!kill -CONT ",
        "stop b",
    ] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    passes(&format!(
        "{blocked}cancel b => error\n!kill -CONT ${{b.pid}}\ncancel b\nb: ... => EINTR"
    ));
    passes(&format!("{blocked}cancel b => error\nstop b"));
}

#[test]
fn a_step_whose_actor_is_stopped_is_the_one_that_is_named() {
    let ran = script(
        "timeout step 300ms\nmsgq create q\nmsgq send q 1 \"x\"\n\
         !(until [ -e $WORK/go ]; do :; done; kill -STOP ${me.pid}) &\n\
         repeat 1 { mkfifo $WORK/go; repeat 1000000000 { msgq send q 1 \"y\"; msgq recv q } }",
    );
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("<stdin>:5: repeat"), "{}", ran.err);
}

#[test]
fn a_transcript_says_of_every_end_what_passes_again() {
    let ran = passes("sem create s 0\na: sem p s &\nkill -9 a");
    assert!(ran.out.contains("a: ... => died   # "), "{}", ran.out);
    passes(&ran.out);
    // What is claimed inside a loop is claimed.
    let ran = script("sem create s 0\na: repeat 2 { sem v s => EAGAIN } &");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
}

#[test]
fn a_claim_that_failed_is_not_forgotten_by_whoever_ends_the_actor() {
    for end in ["cancel c", "stop c", "wait c", "quit"] {
        let ran = script(&format!(
            "sem create m 0\nc: sem p m ... => EIDRM\nsem v m\nexpect sem.m.value == 0 within 10s\n\
             expect actor.c.state == idle within 10s\n{end}"
        ));
        assert_eq!(ran.code, Some(1), "{end}: {}", ran.out);
    }
    // Whoever cancels what still waits claims nothing any more.
    passes("sem create m 0\nc: sem p m ... => EIDRM\ncancel c");
}

#[test]
fn what_an_outsider_posted_is_no_lock() {
    let ipcsh = program().display().to_string();
    let name = format!("/ipcsh-posted-{}", std::process::id());
    let ran = script(&format!(
        "timeout step 300ms\nsem create {name} 0\n!{ipcsh} -c \"sem v {name}\"\nb: sem p {name}\nb: sem p {name}"
    ));
    assert!(ran.err.contains("still blocked after"), "{}", ran.err);
}

#[test]
fn who_was_killed_is_seen_dead_at_once() {
    for _ in 0..10 {
        passes("sem create s\nc: sem get s\nkill -9 c\nexpect actor.c.state == dead");
    }
}
