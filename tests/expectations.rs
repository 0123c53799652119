//! What `expect` compares, and what it says where it does not hold.

mod harness;

use harness::{passes, script};

#[test]
fn what_is_quoted_is_compared_with_what_is_shown() {
    passes(
        "sem create a 1 count=2\nmsgq create q\n\
         expect sem.a.value == \"1,1\"\nexpect sem.a.value == 1,1\n\
         expect sem.a.value != \"1,2\"\nexpect msgq.q.perms == \"0600\"\n\
         expect msgq.q.lscmd == \"-\"\nexpect actor.me.state == \"idle\"",
    );
    let ran = script("sem create a 1 count=2\nexpect sem.a.value != \"1,1\"");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

/// A process that is not there is 0 to the kernel.
#[test]
fn of_what_there_is_none_there_are_0() {
    passes("msgq create q\nexpect msgq.q.lspid == 0\nmsgq send 1 \"x\"\nexpect msgq.q.lspid > 0");
    let ran = script("msgq create q\nexpect msgq.q.lspid > 0");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("it does not hold: it is -"), "{}", ran.err);
}

#[test]
fn an_expectation_that_cannot_be_judged_has_no_outcome_in_the_transcript() {
    let ran = script("sem create s 0\nexpect sem.s[7].value == 0");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let line = ran.out.lines().find(|line| line.starts_with("expect"));
    let line = line.unwrap_or_default();
    assert!(
        line.starts_with("expect sem.s[7].value == 0   # failed: "),
        "{line}"
    );
}

#[test]
fn a_field_is_bound_as_it_is_seen() {
    passes(
        "msgq create q\nlet before = msgq.q.qnum\nmsgq send 1 \"x\"\n\
         expect msgq.q.qnum == $((before + 1))\nlet id = msgq.q.id\n!ipcs -q -i $id | grep -q msqid=$id\n\
         let s = actor.me.state\nexpect $s == idle\nlet most = limits.msgmax.value\n\
         sem create s 4 count=2\nlet v = sem.s[1].value\nexpect $v == 4\n\
         shm create m\nshm write m u16@2 7\nlet w = shm.m.u16@2\nexpect $w == 7\n\
         repeat 2 { let n = msgq.q.qnum; msgq send 1 \"y\" }\nexpect $n == 2",
    );
    for (text, part) in [
        ("let n = msgq.q.bogus", "`msgq` has no field `bogus`"),
        ("b: let n = msgq.q.qnum", "`let`"),
        ("let n = msgq.id:$q.qnum", "`$q` is not bound"),
    ] {
        let ran = script(text);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    let ran = script("let n = msgq.nosuch.qnum");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

#[test]
fn a_command_that_ends_otherwise_than_claimed_is_told_as_it_ended() {
    let ran = script("!exit 3 => exit=4");
    assert_eq!(ran.code, Some(1));
    for part in ["claimed  exit=4", "found    exit=3"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn what_is_for_the_prompt_is_a_mistake_in_a_script() {
    let ran = script("msgq create q\nsave x.ipc");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("`save` is for the prompt"), "{}", ran.err);
    assert_eq!(ran.out, "");
}
