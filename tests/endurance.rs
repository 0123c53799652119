//! Descriptors that are opened and closed, a hundred megabytes that pass through actors, actors that are
//! killed wherever they wait, and nothing left of it all.

mod harness;

use std::path::Path;
use std::process::Command;

use harness::{passes, script, until};

/// `sha256sum`'s word for some bytes.
fn sum(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().next().unwrap().to_string()
}

/// A hundred megabytes of zeroes, by `sha256sum`.
const ZEROES: &str = "a993f8c574e0fea8c1cdcbcd9408d9e2e107ee6e4d120edcfa11decd53fa0cae";

/// Fails where the command `count` gives more than `$count`, and goes on doing so: what the shell has
/// open for a moment, to look at the host or to start this very command, is no leak.
fn no_more(count: &str) -> String {
    format!(
        "!for i in $(seq 500); do [ $({count}) -le $count ] && exit; sleep 0.01; done; {count}; exit 1\n"
    )
}

#[test]
fn the_shell_has_as_many_descriptors_after_a_thousand_actors_worth_of_steps() {
    let round = "a: pipe create p\nb: pipe read p ...\na: pipe write p \"x\"\nb: ... => \"x\"\n\
                 a: pipe close p\nb: pipe close p\nmkfifo $WORK/f\na: fifo open $WORK/f rw\n\
                 b: fifo write $WORK/f \"x\"\na: fifo read $WORK/f\na: fifo close $WORK/f\n\
                 b: fifo close $WORK/f\nfifo rm $WORK/f\na: sock pair stream s t\n\
                 b: sock recv s ...\na: sock send t \"x\"\nb: ... => \"x\"\na: sock close s\n\
                 a: sock close t\nb: sock close s\n!true\nstop b\n";
    let count = "ls /proc/$PPID/fd /proc/${a.pid}/fd | wc -l";
    let no_more = no_more(count);
    passes(&format!(
        "a: sig pending\nme: sig pending\n{round}let count = !{count}\nrepeat 40 {{\n{round}}}\n{no_more}"
    ));
}

#[test]
fn megabytes_arrive_as_they_were_sent() {
    let work = tempfile::tempdir().unwrap();
    let (chunk, whole) = (work.path().join("chunk"), work.path().join("whole"));
    // Every byte, in an order that a lost or doubled page would change.
    let mut state = 1u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(1 << 16)
    .collect();
    std::fs::write(&chunk, &bytes).unwrap();
    std::fs::write(&whole, bytes.repeat(512)).unwrap();
    let (chunk, whole) = (chunk.display().to_string(), whole.as_path());
    let ran = passes(&format!(
        "pipe a | \"sha256sum > $WORK/pipe\"
        a: repeat 512 {{ pipe write file\"{chunk}\" }}
        a: pipe close
        mkfifo $WORK/f
        !sha256sum $WORK/f > $WORK/fifo &
        b: fifo open $WORK/f w
        b: repeat 512 {{ fifo write file\"{chunk}\" }}
        b: fifo close
        c: sock listen $WORK/s name=l
        !python3 -c \"import socket, hashlib; s = socket.socket(socket.AF_UNIX); s.connect('$WORK/s'); h = hashlib.sha256(); [h.update(d) for d in iter(lambda: s.recv(1 << 16), b'')]; print(h.hexdigest())\" > $WORK/sock &
        c: sock accept l name=p
        c: repeat 512 {{ sock send p file\"{chunk}\" }}
        c: sock close p
        !until test -s $WORK/pipe -a -s $WORK/fifo -a -s $WORK/sock; do sleep 0.01; done; cat $WORK/pipe $WORK/fifo $WORK/sock"
    ));
    let expected = sum(whole);
    let found = ran.out.lines().filter(|l| l.contains(&expected)).count();
    assert_eq!(found, 3, "{expected}\n{}", ran.out);
}

#[test]
fn a_thousand_actors_leave_no_descriptor_open() {
    let count = "ls /proc/$PPID/fd | wc -l";
    let mut text = format!("a: pipe create p\nstop a\nlet count = !{count}\n");
    for round in 0..20 {
        for n in 0..25 {
            text.push_str(&format!(
                "pipe a{n} | b{n}\na{n}: pipe write \"{round}\"\nb{n}: pipe read => \"{round}\"\n"
            ));
        }
        for n in 0..25 {
            text.push_str(&format!("stop a{n} b{n}\n"));
        }
    }
    text.push_str(&no_more(count));
    passes(&text);
}

#[test]
fn a_hundred_megabytes_come_through_whole() {
    let sum =
        format!("!until [ -s $WORK/sum ]; do sleep 0.01; done; grep -q '^{ZEROES} ' $WORK/sum\n");
    let chunk = "let chunk = !head -c 100000 /dev/zero\n";
    let zeroes = "head -c 100000000 /dev/zero";
    for text in [
        // From program to program, from an actor, and through one.
        format!("pipe \"{zeroes}\" | \"sha256sum > $WORK/sum\"\n{sum}"),
        format!(
            "{chunk}pipe a | \"sha256sum > $WORK/sum\"\na: repeat 1000 {{ pipe write $chunk }}\na: pipe close\n{sum}"
        ),
        format!(
            "pipe \"{zeroes}\" | b | \"sha256sum > $WORK/sum\"\nb: let all = pipe read --all\nb: pipe write $all\nb: pipe close\n{sum}"
        ),
        format!(
            "{chunk}mkfifo $WORK/f\n!sha256sum < $WORK/f > $WORK/sum &\nrepeat 1000 {{ fifo write $WORK/f $chunk }}\nfifo close\n{sum}"
        ),
        format!(
            "mkfifo $WORK/f\nmkfifo $WORK/g\n!{zeroes} > $WORK/f &\n!sha256sum < $WORK/g > $WORK/sum &\nlet all = fifo read $WORK/f --all\nfifo write $WORK/g $all\nfifo close $WORK/g\n{sum}"
        ),
    ] {
        let ran = script(&text);
        assert_eq!(
            ran.code,
            Some(0),
            "{text}\n{}\n{}",
            &ran.out[..ran.out.len().min(2000)],
            ran.err
        );
        assert!(ran.out.len() < 100_000, "{text}: {} bytes", ran.out.len());
    }
    let ran = passes(&format!(
        "{chunk}sock pair stream a b\nc: repeat 1000 {{ sock send a $chunk }} ...\n\
         b: let all = sock recv b --all &\nc: ... => ok\nc: sock close a\nsock close a\nb: ... => ok\n\
         mkfifo $WORK/f\n!sha256sum < $WORK/f > $WORK/sum &\nb: fifo write $WORK/f $all\nb: fifo close\n{sum}"
    ));
    assert!(ran.out.len() < 100_000, "{} bytes", ran.out.len());
}

/// Every state in which an actor blocks: what is set up, and what b does.
const BLOCKED: &[(&str, &str)] = &[
    ("pipe create p", "pipe read p"),
    (
        "pipe create p\nlet page = !head -c 65536 /dev/zero\npipe write p $page",
        "pipe write p \"x\"",
    ),
    ("mkfifo $WORK/f", "fifo open $WORK/f r"),
    ("mkfifo $WORK/f", "fifo open $WORK/f w"),
    ("mkfifo $WORK/f\nfifo open $WORK/f rw", "fifo read $WORK/f"),
    (
        "mkfifo $WORK/f\nfifo open $WORK/f rw\nlet page = !head -c 65536 /dev/zero\nfifo write $page",
        "fifo write $WORK/f \"x\"",
    ),
    ("echo", "sig wait USR1"),
    ("sock listen $WORK/s name=l", "sock accept l"),
    ("sock listen $WORK/d dgram name=d", "sock recv d"),
    ("sock pair stream s t", "sock recv s"),
    (
        "sock pair stream s t\nlet page = !head -c 65536 /dev/zero",
        "repeat 1000 { sock send s $page }",
    ),
    (
        "sock listen $WORK/s backlog=0 name=l\nc: sock connect $WORK/s",
        "sock connect $WORK/s",
    ),
    ("msgq create q", "msgq recv q"),
    (
        "msgq create q\nmsgq set q qbytes=1\nmsgq send q 1 \"x\"",
        "msgq send q 1 \"x\"",
    ),
    ("sem create s 0", "sem p s"),
    ("sem create s 1", "sem z s"),
    ("sem create s 0", "sem op s 0:-1"),
    ("msgq create /NAME", "msgq recv /NAME"),
    (
        "msgq create /NAME maxmsg=1\nmsgq send /NAME 1 \"x\"",
        "msgq send /NAME 1 \"x\"",
    ),
    ("sem create /NAME 0", "sem p /NAME"),
];

#[test]
fn an_actor_that_is_killed_where_it_waits_fails_its_step_and_nothing_else() {
    let name = format!("ipcsh-killed-{}", std::process::id());
    for (setup, blocked) in BLOCKED {
        let begun = format!(
            "{setup}\nb: {blocked} ...\nexpect actor.b.state == blocked\n!kill -9 ${{b.pid}}\n"
        );
        let begun = begun.replace("NAME", &name);
        // The session goes on, with another b.
        passes(&format!(
            "{begun}b: ... => died\necho on\nb: sig pending\nexpect actor.b.state == idle"
        ));
        let ran = script(&format!("{begun}b: ..."));
        assert_eq!(ran.code, Some(1), "{blocked}: {}", ran.err);
        assert!(
            ran.err.contains("was killed by SIGKILL"),
            "{blocked}: {}",
            ran.err
        );
        // And what it was given can be told in advance: a death that nobody claims is a failure.
        let ran = script(&format!("{begun}b: ... => ok"));
        assert_eq!(ran.code, Some(1), "{blocked}: {}", ran.err);
    }
}

#[test]
fn nothing_is_left_however_it_ends() {
    let ends = [
        "",
        "quit",
        "fifo rm $WORK/none",
        "!exit 1",
        "!kill -9 $PPID",
        "!kill -TERM $PPID",
    ];
    for (n, end) in ends.iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let name = format!("ipcsh-scale-{}-{n}", std::process::id());
        let key = 0x5a00_0000 | (std::process::id() << 4) | n as u32;
        let [work, fifo, sock, dgram] = ["work", "f", "s", "d"].map(at);
        script(&format!(
            "!echo $WORK > {work}\nmkfifo {fifo}\nfifo open {fifo} rw\nsock listen {sock}\n\
             sock listen {dgram} dgram\nmsgq create key:{key}\nsem create key:{key}\n\
             shm create key:{key}\nmsgq create /{name}\nshm create /{name} 4K\nsem create /{name} 0\n\
             b: pipe create p\nb: pipe read p ...\nc: fifo read {fifo} ...\n{end}\n"
        ));
        let work = std::fs::read_to_string(work).unwrap();
        let memory = [format!("/dev/shm/{name}"), format!("/dev/shm/sem.{name}")];
        for path in [work.trim(), &fifo, &sock, &dgram, &memory[0], &memory[1]] {
            until(path, || !Path::new(path).exists());
        }
        until("the end of System V's objects", || {
            ["msg", "sem", "shm"].iter().all(|kind| {
                let list = std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap();
                let mut keys = list.lines().filter_map(|l| l.split_whitespace().next());
                !keys.any(|k| k == key.to_string())
            })
        });
        // Its name is free again.
        passes(&format!("msgq create /{name}"));
    }
}
