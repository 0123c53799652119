//! Actors: blocked by the kernel's word, deadlock at once, deaths, deadlines, batches.

mod harness;

use harness::{passes, run, script};
use std::process::Command;

#[test]
fn blocked_is_what_the_kernel_shows() {
    // msgrcv is 70 on x86-64, 188 on aarch64: asked of the C library, not of ipcsh.
    let text = format!(
        "msgq create jobs\nb: msgq recv jobs ...\n!grep -q '^{} ' /proc/${{b.pid}}/syscall\nmsgq send jobs 1 \"x\"\nb: ... => ok",
        libc::SYS_msgrcv
    );
    passes(&text);
}

#[test]
fn a_step_that_returns_at_once_does_not_block() {
    let ran = script("msgq create jobs\nmsgq send 1 \"x\"\nb: msgq recv jobs ...");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("it did not block"), "{}", ran.err);
}

#[test]
fn a_cycle_of_waits_is_told_at_once() {
    // Were it not, each of these would take the ten minutes of its deadline, and the test
    // would be killed.
    let cycle = "timeout step 10m
        sem create left 1
        sem create right 1
        a: sem p left
        b: sem p right
        a: sem p right ...
        expect actor.a.state == blocked
        b: sem p left";
    let ran = script(cycle);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in [
        "deadlock: b waits for left, which a holds; a waits for right, which b holds",
        "semop right -1",
    ] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    let ran = script("timeout step 10m\nsem create l 1\nsem p\nsem p");
    assert!(
        ran.err.contains("me waits for l, which it holds itself"),
        "{}",
        ran.err
    );
}

#[test]
fn what_may_still_be_woken_is_no_deadlock() {
    // A semaphore that is given back by who never took it is a signal, not a lock.
    passes(
        "sem create items 0\na: sem v items\nb: sem p items\nb: sem p items ...\na: sem v items\nb: ... => ok",
    );
    // A command in the background may do anything.
    let ran = script("sem create l 1\nsem p\n!sleep 30 &\ntimeout step 100ms\nsem p");
    assert!(
        ran.err.contains("still blocked after 100 ms"),
        "{}",
        ran.err
    );
}

#[test]
fn a_dead_actor_fails_its_step_and_the_session_goes_on() {
    passes(
        "msgq create jobs
         b: msgq recv jobs ...
         !kill -9 ${b.pid}
         b: ... => died
         b: msgq recv jobs ...
         msgq send jobs 1 \"again\"
         b: ... => \"again\"",
    );
    let ran = script("msgq create jobs\nb: msgq recv jobs ...\n!kill -TERM ${b.pid}\nb: ... => ok");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("was killed by SIGTERM"), "{}", ran.err);
}

#[test]
fn undo_gives_back_what_the_dead_took() {
    passes(
        "sem create lock 1
         a: sem p lock --undo
         b: sem p lock ...
         stop a
         b: ... => ok
         expect sem.lock.value == 0",
    );
}

#[test]
fn deadlines_are_the_steps_own() {
    let ran = script("msgq create jobs\nb@100ms: msgq recv jobs");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("after 100 ms: msgrcv jobs: jobs is empty"),
        "{}",
        ran.err
    );
    let ran = script("timeout step 50ms\nmsgq create jobs\nmsgq recv");
    assert!(ran.err.contains("still blocked after 50 ms"), "{}", ran.err);
}

#[test]
fn what_is_pending_at_the_end_is_named() {
    let ran = script("msgq create jobs\nb: msgq recv jobs ...");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("b: ..."), "{}", ran.err);
    assert!(
        ran.err
            .contains("still pending at the end of the script (msgrcv jobs"),
        "{}",
        ran.err
    );
    passes("msgq create jobs\nb: msgq recv jobs ...\ncancel b");
    passes("msgq create jobs\nb: msgq recv jobs ...\nstop b");
}

#[test]
fn a_batch_stops_at_its_first_failure() {
    // All on one actor, so they travel together; only the first must have been done.
    let mut text = String::from(
        "msgq create jobs\ndefer expect msgq.jobs.qnum == 1\nmsgq send 1 \"x\"\nmsgq recv 9 --nowait\n",
    );
    text.push_str(&"msgq send 1 \"y\"\n".repeat(3000));
    let ran = script(&text);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.out.ends_with("expect msgq.jobs.qnum == 1\n"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("\"y\""), "{}", ran.out);
}

#[test]
fn a_blocked_step_of_a_batch_is_named() {
    let mut text = String::from("timeout step 100ms\nmsgq create jobs\n");
    text.push_str(&"msgq send 1 \"y\"\nmsgq recv\n".repeat(300));
    text.push_str("msgq recv 42\nmsgq send 1 \"never\"\n");
    let ran = script(&text);
    assert!(ran.err.contains("<stdin>:603: msgq recv 42"), "{}", ran.err);
    assert_eq!(ran.out.matches("=> type=1 \"y\"").count(), 300);
}

#[test]
fn a_loop_names_the_step_that_failed() {
    let ran =
        script("msgq create jobs\nrepeat 10 {\n  msgq send 1 \"x\"\n  msgq recv 2 --nowait\n}");
    assert!(
        ran.err.contains("line 4, `msgq recv 2 --nowait`"),
        "{}",
        ran.err
    );
}

#[test]
fn python_and_ipcsh_share_a_queue() {
    let has = Command::new("python3")
        .args(["-c", "import sysv_ipc"])
        .output();
    if !has.is_ok_and(|o| o.status.success()) {
        println!("skipped: python3 with sysv_ipc is not installed");
        return;
    }
    passes(
        "let q = msgq create key:0x4a100001
         !python3 -c \"import sysv_ipc; q=sysv_ipc.MessageQueue(0x4a100001); [q.send(b'm%d'%i, type=i) for i in (1,2,3)]\"
         expect msgq.qnum == 3
         msgq recv 2 => type=2 \"m2\"
         msgq recv -3 => type=1 \"m1\"
         msgq recv => type=3 \"m3\"
         msgq send 7 x\"00 ff\"
         let r = !python3 -c \"import sysv_ipc; q=sysv_ipc.MessageQueue(0x4a100001); print(q.receive(type=7))\"
         expect $r == \"(b'\\\\x00\\\\xff', 7)\"",
    );
}

#[test]
fn a_stopped_actor_runs_into_the_deadline_and_is_said() {
    let stopped = |step: &str| {
        let ran = script(&format!(
            "timeout step 100ms\nsem create lock 1\nspawn b\n!kill -STOP ${{b.pid}}\n{step}"
        ));
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        for part in [
            "still stopped after 100 ms: b is stopped (SIGSTOP); !kill -CONT ",
            " lets it go on",
        ] {
            assert!(ran.err.contains(part), "{}", ran.err);
        }
    };
    stopped("b: sem get lock");
    stopped("b: sem p lock ...");
    stopped("b: sem get lock &\nb: ... => ok");
    passes(
        "sem create lock 1\nspawn b\n!kill -STOP ${b.pid}\nb: sem get lock &
         expect actor.b.state == \"stopped\" within 30s\n!kill -CONT ${b.pid}\nb: ... => 1",
    );
}

#[test]
fn what_runs_is_given_its_time() {
    // Far longer than the deadline of what stands still.
    passes("timeout step 1ms\nsem create x 1\nrepeat 100000 { sem get x }");
    passes("timeout step 1ms\nsem create x 1\nb: repeat 100000 { sem get x } &\nb: ... => ok");
    // A deadline of its own is one all the same.
    let ran = script("sem create x 1\nb@100ms: repeat 1000000000 { sem get x }");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("still running after 100 ms"),
        "{}",
        ran.err
    );
}

#[test]
fn what_the_kernel_does_not_show_is_said() {
    use std::os::unix::fs::PermissionsExt;
    // Of a program that may not be read, nobody may see what its processes do.
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("ipcsh");
    std::fs::copy(harness::program(), &copy).unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&copy, 0o111);
    mode(home.path(), 0o755);
    let run = |text: &str| {
        let mut command = match ipcsh::kernel::process::geteuid() {
            0 => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
                command.arg(&copy);
                command
            }
            _ => Command::new(&copy),
        };
        let ran = command.arg("-c").arg(text).output().unwrap();
        harness::Ran::from(ran)
    };
    for (step, code) in [("sem p", 1), ("sem p ...", 3)] {
        let ran = run(&format!("timeout step 100ms\nsem create lock 0\n{step}"));
        assert_eq!(ran.code, Some(code), "{}", ran.err);
        for part in [
            "whether me is blocked cannot be seen: /proc/",
            "/syscall: permission denied",
        ] {
            assert!(ran.err.contains(part), "{}", ran.err);
        }
    }
}

#[test]
fn who_dies_in_a_step_has_died_however_it_is_marked() {
    for step in [
        "b: repeat 1000000000 { sem get x }",
        "b: repeat 1000000000 { sem get x } ...",
    ] {
        // Killed once it has worked for a while.
        let ran = script(&format!(
            "sem create x 1\nspawn b
             !until [ \"$(cut -d' ' -f14 /proc/${{b.pid}}/stat)\" -gt 4 ]; do :; done; kill -9 ${{b.pid}} &
             {step}"
        ));
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("was killed by SIGKILL"), "{}", ran.err);
        assert!(!ran.err.contains("did not block"), "{}", ran.err);
    }
}

#[test]
fn who_died_between_two_steps_is_started_again() {
    const TIMES: usize = 100;
    for signal in ["KILL", "TERM"] {
        let killed = format!("!kill -{signal} ${{b.pid}}\nb: sem get x => 1\n");
        let ran = passes(&format!(
            "sem create x 1\nspawn b\n{}b: sem p x\nb: sem p x ...\nstop b",
            killed.repeat(TIMES)
        ));
        let told = format!(") was killed by SIG{signal}\n");
        assert_eq!(ran.out.matches(&told).count(), TIMES, "{}", ran.out);
        assert_eq!(ran.out.matches("started b").count(), TIMES + 1);
    }
}

#[test]
fn surroundings_that_fail_a_pending_step_are_not_its_failure() {
    let ran = script(
        "msgq create jobs
         b: repeat 1 { msgq recv jobs; msgq send jobs 1 file\"/nowhere/at-all\" } ...
         msgq send jobs 1 \"x\"
         b: ... => ok",
    );
    assert_eq!(ran.code, Some(3), "{}", ran.err);
}

#[test]
fn a_signal_ends_a_batch_in_its_midst() {
    const STEPS: usize = 400_000;
    // Once the actor has worked for a while: then the batch is on its way.
    let text = format!(
        "sem create x 1
         !until [ \"$(cut -d' ' -f14 /proc/${{me.pid}}/stat)\" -gt 4 ]; do :; done; kill -TERM $PPID &
         {}",
        "sem get x\n".repeat(STEPS)
    );
    let ran = script(&text);
    assert_ne!(ran.code, Some(0), "{}", ran.err);
    let done = ran.out.matches("sem get x").count();
    assert!(0 < done && done < STEPS, "{done} steps");
}

#[test]
fn nothing_is_called_a_deadlock_while_a_command_runs_in_the_background() {
    let ran = script("!sleep 30 &\npipe create p\na: pipe read p ...\nexpect deadlock a");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("may wake anybody"), "{}", ran.err);
}

#[test]
fn after_a_claimed_death_the_script_goes_on_in_a_new_process() {
    // The last step found nobody to do it, and was waited for without end.
    let ran = passes(
        "c: pipe create p
         c: pipe close p r
         c: trap PIPE --default
         c: pipe write p \"x\" => died
         c: msgq create q
         c: msgq send q 1 \"hi\"",
    );
    assert_eq!(ran.out.matches("started c").count(), 2, "{}", ran.out);
}

#[test]
fn who_dies_in_a_pending_step_is_replaced_only_when_it_was_said_how_it_ended() {
    let killed = "sem create lock 0\nb: sem p lock ...\n!kill -9 ${b.pid}\n\
                  expect actor.b.state == dead within 10s\n";
    let ran = script(&format!("{killed}spawn b"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("`b` died in a step that was left pending"),
        "{}",
        ran.err
    );
    passes(&format!("{killed}b: ... => died\nspawn b\nb: sem v lock"));
}

#[test]
fn what_a_background_step_claims_is_held_against_it() {
    let sent = |how: &str, end: &str| {
        script(&format!(
            "msgq create jobs\nb: msgq recv jobs & {how}\nmsgq send jobs 1 \"right\"\n\
             expect msgq.jobs.qnum == 0 within 10s\n{end}"
        ))
    };
    for end in ["", "wait b"] {
        let ran = sent("=> \"right\"", end);
        assert_eq!(ran.code, Some(0), "{end}: {}", ran.err);
        let ran = sent("=> \"wrong\"", end);
        assert_eq!(ran.code, Some(1), "{end}: {}", ran.err);
    }
    // An error that is claimed is how it is to end.
    passes("msgq create jobs\nb: msgq recv jobs --nowait & => ENOMSG\nwait b");
    // Whoever cancels it claims nothing any more.
    passes("msgq create jobs\nb: msgq recv jobs & => \"x\"\ncancel b");
}

#[test]
fn the_others_keep_their_places_when_one_is_replaced() {
    // The ends of the pipe went to the wrong one.
    passes(
        "spawn a b\nstop a\npipe b | a\nb: pipe write \"x\"\nb: pipe close\na: pipe read => \"x\"\na: pipe read => eof",
    );
}

#[test]
fn a_semaphore_that_was_there_before_may_be_given_back_by_others() {
    let made = run(
        &[
            "--keep",
            "-c",
            "let s = sem create --private x 1; echo ${s.id}",
        ],
        b"",
    );
    let id = made.out.lines().last().unwrap().trim().to_string();
    let ran = script(&format!("timeout step 300ms\nsem p id:{id}\nsem p id:{id}"));
    run(&["-c", &format!("sem rm id:{id}")], b"");
    assert!(ran.err.contains("still blocked after"), "{}", ran.err);
    assert!(!ran.err.contains("deadlock:"), "{}", ran.err);
}

#[test]
fn a_loop_that_cannot_be_counted_is_named_where_it_stands() {
    let ran = script("sem create x\nlet n = -1\necho\nb: repeat $n { sem v x }");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("<stdin>:4"), "{}", ran.err);
    assert!(!ran.err.contains("line 1"), "{}", ran.err);
}

#[test]
fn a_death_between_two_steps_is_told_before_another_takes_its_place() {
    let ran = passes(
        "spawn b\n!kill -9 ${b.pid}; while grep -qs '^State:.[^Z]' /proc/${b.pid}/status; do sleep 0.01; done\n\
         pipe me | b\n!test $(grep -l \"^PPid:.$PPID$\" /proc/[0-9]*/status 2> /dev/null | \
         xargs grep -l '^State:.Z' 2> /dev/null | wc -l) -eq 0",
    );
    assert!(ran.out.contains(") was killed by SIGKILL\n"), "{}", ran.out);
}

#[test]
fn what_was_done_before_a_long_loop_is_shown_while_it_runs() {
    let text = "msgq create q\nmsgq send q 1 \"x\"\nrepeat 1000000000 { msgq send q 1 \"y\"; msgq recv q }\n";
    let mut running = harness::Running::start(text);
    for begin in ["msgq create q", "msgq send q 1"] {
        let line = running.line().unwrap();
        assert!(line.starts_with(begin), "{line}");
    }
    running.end(libc::SIGTERM);
}
