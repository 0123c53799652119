//! What is said where something goes wrong: true, and the way out.

mod harness;

use harness::{Ran, run, script};

/// A script that fails, and what it says.
#[track_caller]
fn says(text: &str, said: &[&str]) -> Ran {
    let ran = script(text);
    assert_ne!(ran.code, Some(0), "{text}\n{}", ran.out);
    for part in said {
        assert!(
            ran.err.contains(part),
            "{text}: no {part:?} in\n{}",
            ran.err
        );
    }
    ran
}

#[test]
fn a_message_that_can_never_fit_is_told_from_a_full_queue() {
    let small = "msgq create q\nmsgq set qbytes=10\n";
    says(
        &format!("{small}msgq send 1 \"12345678901\" --nowait"),
        &[
            "the message of 11 bytes can never fit: the queue holds 10 (qbytes)",
            "qbytes=11",
        ],
    );
    says(
        &format!("{small}timeout step 50ms\nmsgq send 1 \"12345678901\""),
        &["q holds 10 bytes (qbytes), and a message of 11 can never fit"],
    );
}

#[test]
fn there_is_no_current_object_and_the_way_to_one_exists() {
    for (step, way) in [
        (
            "pipe read",
            "`pipe create`, or one between actors with `pipe a | b`",
        ),
        ("fifo read", "`mkfifo PATH`, or write the path"),
        (
            "msgq recv",
            "`msgq create`, or take one that exists: `msgq use REF`",
        ),
    ] {
        let ran = says(step, &[way]);
        assert!(
            !ran.err.contains("pipe use") && !ran.err.contains("fifo use"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn the_key_of_ipc_private_finds_nothing_and_makes_nothing() {
    for noun in ["msgq", "shm", "sem"] {
        says(
            &format!("let none = 0\n{noun} info key:$none"),
            &["the key 0 is IPC_PRIVATE", &format!("{noun} use id:N")],
        );
    }
}

#[test]
fn one_semaphore_of_a_set_is_shown_alone() {
    let make = "sem create s 3 count=3";
    let ran = run(
        &["-c", make, "-c", "sem set s[1] 7", "-c", "sem info s[1]"],
        b"",
    );
    let rows: Vec<Vec<&str>> = ran
        .out
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert!(rows.contains(&vec!["num", "1"]), "{}", ran.out);
    assert!(rows.contains(&vec!["value", "7"]), "{}", ran.out);
    assert!(!ran.out.contains("3,7,3"), "{}", ran.out);
    says(
        "sem create s count=3\nsem info s[3]",
        &["3 semaphores, 0 to 2, and no number 3"],
    );
    harness::passes(
        "sem create s 1 count=2\nsem p s[1]\nb: sem p s[1] ...\nexpect sem.s[1].waits == \"P1\"\nsem v s[1]\nb: ... => ok",
    );
}

#[test]
fn a_place_at_the_end_of_a_segment_asks_for_one_byte_more() {
    says(
        "shm create s 64\nshm read s @100",
        &["create a larger one: shm create NAME 101"],
    );
}

#[test]
fn a_duration_stays_what_may_be_typed() {
    let shown = |args: &[&str]| run(args, b"").out;
    assert_eq!(
        shown(&["-D", "d=100ms", "-c", "!printf %s \"$d\""]),
        "100ms"
    );
    assert_eq!(shown(&["-c", "let d = 5s", "-c", "echo $d"]), "5s\n");
    assert_eq!(
        shown(&["-c", "let d = 1.5s", "-c", "echo \"<${d}>\""]),
        "<1500ms>\n"
    );
}

#[test]
fn a_claim_that_fails_shows_the_values_of_its_variables() {
    says(
        "let x = 41\nshm create s\nshm write u32@0 42\nshm read u32@0 => $x",
        &["claimed  $x   # $x is 41\n", "found    42"],
    );
    says(
        "let t = 7\nmsgq send 1 \"hi\"\nmsgq recv => type=$t \"hi\"",
        &["claimed  type=$t \"hi\"   # $t is 7\n"],
    );
}

#[test]
fn arithmetic_has_the_operators_of_c() {
    let shown = |text: &str| run(&["-D", "v=5", "-c", text], b"").out;
    assert_eq!(shown("echo $((v > 3 && !0 ? ~v & 0xff : 0))"), "250\n");
    assert_eq!(shown("echo $((v == 5)) $((v != 5 || v < 9))"), "1 1\n");
    says(
        "echo $((010))",
        &["a number cannot begin with 0 here", "octal is written 0o17"],
    );
    harness::passes("let v = 8\nshm create s\nshm write u32@$((v / 2)) 7\nshm read u32@4 => 7");
}

#[test]
fn words_of_other_programs_lead_to_ours() {
    for (line, way) in [
        ("ipcrm -q 5", "a queue is removed by `msgq rm id:N`"),
        ("ipcmk -Q", "a queue is created by `msgq create`"),
        ("man msgq", "help msgq"),
        ("cd /tmp", "ipcsh stays where it was started"),
        ("ls", "`!ls` lists files"),
        ("rm", "such as `msgq rm`"),
        ("cat f", "`!cat`"),
        ("sem wait", "did you mean `sem p`? lower a semaphore"),
        ("sem post s", "did you mean `sem v`? raise a semaphore"),
        ("msgq delete q", "did you mean `msgq rm`? remove"),
        ("shm new", "did you mean `shm create`?"),
        ("msgsnd 1", "`msgq send`"),
        ("exit now", "`exit` takes no arguments"),
        ("echo hi > f", "!echo hi > f"),
        ("expect", "`expect` needs what must hold"),
    ] {
        let ran = says(line, &[way]);
        assert_eq!(ran.code, Some(2), "{line}: {}", ran.err);
    }
}

#[test]
fn help_knows_topics_and_fields() {
    let help = |topic: &str| run(&["-c", &format!("help {topic}")], b"").out;
    for (topic, says) in [
        (
            "msgq",
            "who is blocked: R receivers, S senders, and how many",
        ),
        ("sem", "P for a larger value, Z for zero"),
        ("fields", "signals.NAME how often it has caught"),
        ("objects", "the slash makes it one"),
        ("data", "octal is written 0o10"),
        ("signals", "trap USR1"),
        ("janitor", "id, key, creator and time must fit"),
        ("steps", "it must be seen blocked"),
        ("keys", "Ctrl-R searches them"),
        ("qnum", "msgq  messages in the queue"),
        ("state", "actor"),
        ("11", "EAGAIN: "),
        ("eagain", "EAGAIN: "),
        ("", "`help janitor`"),
    ] {
        assert!(help(topic).contains(says), "{topic}: {}", help(topic));
    }
    for (topic, tells) in [
        ("me", "steps"),
        ("deadlock", "steps"),
        ("columns", "fields"),
    ] {
        let said = run(&["-c", &format!("help {topic}")], b"").err;
        assert!(
            said.contains(&format!("`help {tells}` tells of it")),
            "{said}"
        );
    }
    says(
        "spawn b\nexpect actor.b.foo == 1",
        &["call, about, signals.NAME"],
    );
}

#[test]
fn what_can_be_known_before_anything_runs_is() {
    for (line, said) in [
        ("echo ran\nmsgq ls -o nmae", "did you mean `name`?"),
        (
            "echo ran\nmsgq ls -o id,nattch",
            "there is no column `nattch`",
        ),
        ("echo ran\nipcs -o nattchh", "did you mean `nattch`?"),
        ("echo ran\nmsgq recv => typ=2", "did you mean `type`?"),
        ("echo ran\nmsgq create q => foo=2", "expected id, key"),
        ("echo ran\nspawn a b a", "`a` is named twice"),
        (
            "echo ran\nlet m = msgq recv --nowait => error\necho $m",
            "its `let` claims a failure, which binds nothing",
        ),
    ] {
        let ran = says(line, &[said]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{line}");
    }
    harness::passes("msgq create q\nlet m = msgq recv --nowait => ENOMSG\nlet m = 5\necho $m");
    harness::passes(
        "msgq ls -o ID,Name\nipcs -o name,id\npipe \"exit 2\" | \"exit 3\" => exit1=2 exit2=3",
    );
    harness::passes("let c = 'name,id'\nmsgq ls -o $c");
}

#[test]
fn what_was_just_started_is_seen_before_it_is_judged() {
    let makes = (0..4).map(|i| format!("sem create s{i}\na{i}: sem p s{i}\n"));
    let waits = (0..4).map(|i| format!("a{i}: sem p s{} &\n", (i + 1) % 4));
    let (makes, waits): (String, String) = (makes.collect(), waits.collect());
    let text = format!("{makes}{waits}expect deadlock a0 a1 a2 a3\ncancel a0 a1 a2 a3\n");
    for _ in 0..5 {
        harness::passes(&text);
    }
    // One that goes on running is not waited for.
    harness::passes(
        "sem create s\nb: repeat 3000000 { sem v s; sem p s } &\nsem create t 3\nexpect sem.t.value == 3\nstop b",
    );
}

#[test]
fn a_loop_runs_as_often_as_can_be_counted() {
    for line in [
        "repeat 99999999999999999999 { echo a }",
        "repeat -1 { echo a }",
        "let n = -5\nrepeat $n { echo a }",
        "let n = -5\nrepeat $n { sem create }",
    ] {
        let ran = says(line, &["loop"]);
        assert!(
            !ran.out.contains("=> ok") && !ran.out.contains("# a"),
            "{line}"
        );
    }
}

#[test]
fn a_mode_in_a_variable_is_written_in_octal() {
    says(
        "let m = 0600\nmsgq create q mode=$m",
        &["mode is 600, and no mode is above 0777", "let m = 0o600"],
    );
    harness::passes("let m = 0o640\nmsgq create q mode=$m\nexpect msgq.q.perms == 0640");
}

#[test]
fn a_semaphore_that_is_not_in_a_set_is_told_the_same_everywhere() {
    for verb in ["sem get s[3]", "sem info s[3]", "peek s[3]", "sem p s[3]"] {
        let ran = says(&format!("sem create s\n{verb}"), &[]);
        let said = "s has one semaphore, number 0, and no number 3";
        assert!(ran.err.contains(said), "{verb}: {}", ran.err);
    }
}

#[test]
fn what_the_kernel_would_ignore_is_refused() {
    let queue = "msgq create q\nmsgq send 1 \"one\"\nmsgq send 5 \"five\"\n";
    for (recv, kind) in [("-3", "-3"), ("0", "0")] {
        let said = format!("the kernel ignores it of {kind}");
        says(&format!("{queue}msgq recv {recv} --except"), &[&said]);
    }
    harness::passes(&format!("{queue}msgq recv 1 --except => type=5"));
}

#[test]
fn a_way_out_of_a_full_queue_is_one() {
    says(
        "msgq create q\nmsgq set qbytes=0\nmsgq send 1 \"\" --nowait",
        &["Use another queue, or raise it: msgq set q qbytes=1\n"],
    );
    says(
        "msgq create q\nmsgq set qbytes=8\nmsgq send 1 \"1234567\"\nmsgq send 1 \"12345678\" --nowait",
        &["Receive a message, or raise it: msgq set q qbytes=16\n"],
    );
    says(
        "msgq create q\nmsgq set qbytes=8\nmsgq send 1 \"1234567\"\nmsgq send 1 \"123456789\" --nowait",
        &[
            "can never fit: the queue holds 8",
            "Send less, or raise it: msgq set q qbytes=16\n",
        ],
    );
}

#[test]
fn a_key_that_is_none_is_of_no_family() {
    for look in ["peek", "who"] {
        let look = format!("let none = 0\n{look} key:$none");
        let ran = says(&look, &["it makes a new object each time, and finds none"]);
        assert!(!ran.err.contains("semaphore"), "{}", ran.err);
    }
}

/// The errno is the same, and strace shows nothing.
#[test]
fn a_call_is_named_only_where_it_was_made() {
    for step in [
        "shm peek s",
        "shm create s",
        "shm detach",
        "shm read @0 4097",
        "shm write @4096 \"x\"",
        "shm attach --ro\nshm write \"x\"",
    ] {
        let ran = says(&format!("shm create s 4096\n{step}"), &[]);
        let errno = ran.err.lines().nth(1).unwrap_or_default().trim();
        let symbol = errno.split(':').next().unwrap_or_default();
        assert!(
            ["EACCES", "EEXIST", "EINVAL", "EFAULT"].contains(&symbol),
            "{}",
            ran.err
        );
    }
}
