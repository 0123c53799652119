//! What a failure says of the host: who could have put there what a call lacked, who removed it, who
//! fills the limit.

mod harness;
mod stranger;

use harness::script;
use stranger::Stranger;

/// What a script that fails says of its last step.
#[track_caller]
fn why(text: &str) -> String {
    let ran = script(text);
    assert_eq!(ran.code, Some(1), "{text}\n{}\n{}", ran.out, ran.err);
    ran.err
}

#[track_caller]
fn says(text: &str, said: &str) {
    let err = why(text);
    let words = regex::Regex::new(r"pid \d+").unwrap();
    assert!(words.replace_all(&err, "pid N").contains(said), "{err}");
}

#[test]
fn who_could_have_done_what_was_waited_for_is_named() {
    let full = "let page = !head -c 65536 /dev/zero\n";
    for (text, said) in [
        (
            "msgq create q\nmsgq recv q --nowait".to_string(),
            "the queue is empty; nobody has ever sent to it",
        ),
        (
            "msgq create q\nb: msgq send q 1 \"x\"\nmsgq recv q\nmsgq recv q --nowait".into(),
            "the queue is empty; last sent to by b (pid N)",
        ),
        (
            "msgq create q\nmsgq send q 2 \"x\"\nmsgq recv q 2 --except --nowait".into(),
            "the only message in the queue is of type 2",
        ),
        (
            "msgq create q\nmsgq send q 2 \"x\"\nmsgq recv q -1 --nowait".into(),
            "the only message in the queue is of no type up to 1",
        ),
        (
            "msgq create q\nmsgq set q qbytes=1\nmsgq send q 1 \"x\"\nmsgq send q 1 \"y\" --nowait"
                .into(),
            "(1 of 1 byte, 1 message); nobody has ever received from it",
        ),
        (
            "sem create s 1\nc: sem p s\nsem p s timeout=1ms".into(),
            "s is 0; last operated on by c (pid N)",
        ),
        (
            "sem create s 1 count=2\nc: sem p s[1]\nrepeat 2 { sem p s[1] --nowait }".into(),
            "s[1] is 0; last operated on by c (pid N)",
        ),
        (
            format!("{full}pipe a | b\na: pipe write $page\na: pipe write \"x\" --nowait"),
            "it is full (65536 of 65536 bytes); open for reading in b (pid N)",
        ),
        (
            "mkfifo $WORK/f\nb: fifo open $WORK/f rw\nfifo read $WORK/f --nowait".into(),
            "it is empty, and there are writers; open for writing in b (pid N)",
        ),
        (
            "sock listen $WORK/s name=l\nb: sock connect $WORK/s name=c\nsock accept l name=a\n\
             sock recv a --nowait"
                .into(),
            "nothing has come; its other side is b (pid N)",
        ),
    ] {
        says(&text, said);
    }
}

#[test]
fn a_process_that_is_gone_is_said_to_be_gone() {
    let program = "id = libc.msgget(0, 0o1600)\nsay(id)\nif os.fork() == 0:\n    send(id, 1, b'x')\n    os._exit(0)\n\
                   os.wait()\nrecv(id, 0)\nsay(0)\ntime.sleep(1000)";
    let Some(mut python) = Stranger::start(program) else {
        return;
    };
    let id = python.made("q")[0];
    assert_eq!(python.numbers(), [0]);
    says(
        &format!("msgq recv id:{id} --nowait"),
        "the queue is empty; last sent to by pid N, which is gone",
    );
}

#[test]
fn who_removed_it_is_named() {
    says(
        "sem create s 0\nb: sem p s ...\na: sem rm s\nb: ...",
        "the set was removed while this waited; a removed it",
    );
    if harness::has("ipcrm") {
        says(
            "let q = msgq create q\nb: msgq recv q ...\n!ipcrm -q $q_id >/dev/null\nb: ...",
            "the queue was removed while this waited; a process that is not of this session removed it",
        );
    }
}

#[test]
fn a_message_that_is_too_long_is_measured() {
    says(
        "msgq create q\nmsgq send q 1 \"hello\"\nmsgq recv q max=2",
        "the message has 5 bytes, the buffer has room for 2; it stays in the queue",
    );
}

/// In an IPC namespace of its own, whose limits may be lowered.
#[test]
fn who_fills_the_limit_is_named() {
    let lowered = "echo 3 > /proc/sys/kernel/msgmni && echo 3 > /proc/sys/kernel/shmmni && \
                   echo '32000 1024000000 500 3' > /proc/sys/kernel/sem || exit 9\n\
                   ipcmk -M 10 && ipcmk -M 10 && ipcmk -Q && ipcmk -Q && ipcmk -S 1 || exit 9\n";
    let program = harness::program();
    let each = |command: &str| {
        format!(
            "{} -c '{command}' -c '{command}' -c '{command}'",
            program.display()
        )
    };
    let text = format!(
        "{lowered}{}; {}; {}",
        each("shm create"),
        each("msgq create"),
        each("sem create")
    );
    let output = std::process::Command::new("unshare")
        .args(["--ipc", "sh", "-c", &text])
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(9) && !refused(&output.stderr) => output,
        _ => return eprintln!("skipped: no IPC namespace of its own, or no ipcmk"),
    };
    let err = String::from_utf8_lossy(&output.stderr);
    for said in [
        "as many segments as shmmni allows (3); 3 of 3 are root's, 2 are orphaned: see `doctor`",
        "as many queues as msgmni allows (3); 3 of 3 are root's",
        "as many sets as semmni allows (3); 3 of 3 are root's",
    ] {
        assert!(err.contains(said), "{said}\n{err}");
    }
}

fn refused(stderr: &[u8]) -> bool {
    String::from_utf8_lossy(stderr).starts_with("unshare:")
}
