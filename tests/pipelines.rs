//! Pipes between actors: once the step has ended, each has its ends.

mod harness;

use harness::{passes, script};

/// Whether an actor had its end yet was once a matter of luck.
const TRIES: usize = 10;

#[test]
fn the_ends_are_there_when_the_step_has_ended() {
    for _ in 0..TRIES {
        let ran = script("pipe a | b\npipe info p1");
        let both = ["a,", "w,", "b,"].iter().all(|end| ran.out.contains(end));
        assert!(both, "{}", ran.out);
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
