//! Much of everything, and nothing left of it: descriptors, a hundred megabytes, actors that are killed
//! wherever they wait.

mod harness;

use std::collections::BTreeSet;
use std::path::Path;

use harness::{passes, script, until};

/// A hundred megabytes of zeroes, by `sha256sum`.
const ZEROES: &str = "a993f8c574e0fea8c1cdcbcd9408d9e2e107ee6e4d120edcfa11decd53fa0cae";

#[test]
fn the_shell_has_as_many_descriptors_after_a_thousand_actors_worth_of_steps() {
    let round = "a: pipe create p\nb: pipe read p ...\na: pipe write p \"x\"\nb: ... => \"x\"\n\
                 a: pipe close p\nb: pipe close p\nmkfifo $WORK/f\na: fifo open $WORK/f rw\n\
                 b: fifo write $WORK/f \"x\"\na: fifo read $WORK/f\na: fifo close $WORK/f\n\
                 b: fifo close $WORK/f\nfifo rm $WORK/f\na: sock pair stream s t\n\
                 b: sock recv s ...\na: sock send t \"x\"\nb: ... => \"x\"\na: sock close s\n\
                 a: sock close t\nb: sock close s\n!true\nstop b\n";
    let look = "!ls /proc/$PPID/fd | wc -l; ls /proc/${a.pid}/fd | wc -l\n";
    let text =
        format!("a: sig pending\nme: sig pending\n{round}{look}repeat 40 {{\n{round}}}\n{look}");
    let ran = passes(&text);
    let counts: Vec<&str> = ran
        .out
        .lines()
        .filter(|l| l[2..].parse::<u32>().is_ok())
        .collect();
    let [shell, actor, shell_after, actor_after] = counts[..] else {
        panic!("{counts:?}\n{}", ran.out);
    };
    assert_eq!((shell, actor), (shell_after, actor_after));
}

#[test]
fn a_thousand_actors_come_and_go_and_cost_no_descriptor() {
    let look = "!ls /proc/$PPID/fd | wc -l\n";
    // Ended by the session, by a signal, and by themselves.
    let ends = [
        "stop bN",
        "!kill -9 ${bN.pid}",
        "kill -KILL bN",
        "bN: trap TERM --default\nkill bN",
    ];
    let rounds: String = (0..1000)
        .map(|n| {
            format!(
                "bN: pipe create pN\nbN: pipe write pN \"x\"\n{}\n",
                ends[n % 4]
            )
            .replace('N', &n.to_string())
        })
        .collect();
    let gone = "expect actor.b999.state == dead within 30s\n";
    // The next step is where a death is noticed.
    let step = "sig pending\n";
    let ran = passes(&format!("{step}{look}{rounds}{gone}{step}{look}"));
    let counts: Vec<&str> = ran
        .out
        .lines()
        .filter(|l| l[2..].parse::<u32>().is_ok())
        .collect();
    assert_eq!(counts.len(), 2, "{}", counts.len());
    assert_eq!(counts[0], counts[1]);
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

/// What is left of a session, that was not there before.
fn traces() -> BTreeSet<String> {
    let names = |dir: &str| -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|e| e.path().display().to_string()).collect()
    };
    let mut found: BTreeSet<String> = names("/dev/shm").into_iter().collect();
    let ours = |name: &String| name.contains("/ipcsh-");
    found.extend(
        names(&std::env::temp_dir().display().to_string())
            .into_iter()
            .filter(ours),
    );
    for kind in ["msg", "sem", "shm"] {
        let list = std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        let ids = list
            .lines()
            .skip(1)
            .filter_map(|l| l.split_whitespace().nth(1));
        found.extend(ids.map(|id| format!("{kind} {id}")));
    }
    found
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
];

#[test]
fn an_actor_that_is_killed_where_it_waits_fails_its_step_and_nothing_else() {
    for (setup, blocked) in BLOCKED {
        let begun = format!(
            "{setup}\nb: {blocked} ...\nexpect actor.b.state == blocked\n!kill -9 ${{b.pid}}\n"
        );
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
    // Other tests of this file leave something in the meantime, so what is told apart is a key.
    for (n, end) in [
        "",
        "\nquit",
        "\nfoo",
        "\n!exit 1",
        "\n!kill -9 $PPID",
        "\n!kill -TERM $PPID",
    ]
    .iter()
    .enumerate()
    {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let name = format!("hard-{}-{n}", std::process::id());
        let key = 0x5a00_0000 | (std::process::id() << 4) | n as u32;
        let text = format!(
            "mkfifo {fifo}\nfifo open {fifo} rw\nsock listen {sock}\nsock listen {dgram} dgram\n\
             msgq create key:{key}\nsem create key:{key}\nshm create key:{key}\nmsgq create /{name}\n\
             shm create /{name} 4K\nsem create /{name} 0\nb: pipe create p\nb: pipe read p ...\n\
             c: fifo read {fifo} ...{end}\n",
            fifo = at("f"),
            sock = at("s"),
            dgram = at("d"),
        );
        script(&text);
        let gone = |path: &str| !Path::new(path).exists();
        until("the end of the files", || {
            gone(&at("f")) && gone(&at("s")) && gone(&at("d"))
        });
        let is_trace = |t: &String| t.contains(&name);
        until("the end of what is in memory", || {
            !traces().iter().any(is_trace)
        });
        let keys = || -> usize {
            let lists = ["msg", "sem", "shm"].map(|kind| {
                std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default()
            });
            lists
                .iter()
                .flat_map(|l| l.lines())
                .filter(|l| l.split_whitespace().next() == Some(&(key as i32).to_string()))
                .count()
        };
        until("the end of the objects", || keys() == 0);
    }
}
