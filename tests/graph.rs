//! `graph` on processes that share pipes, sockets, segments and semaphores.

mod harness;
mod stranger;

use harness::{passes, run, until};
use stranger::{Stranger, as_nobody, rows_of};

fn graph(arguments: &str) -> String {
    let ran = run(&["-c", &format!("graph {arguments}")], b"");
    assert_eq!(ran.code, Some(0), "{arguments}\n{}\n{}", ran.out, ran.err);
    ran.out
}

#[test]
fn what_a_process_shares_is_drawn_with_who_waits() {
    let Some(mut python) = Stranger::start(
        "set, segment = semset(1, 1), libc.shmget(0, 4096, 0o1600)\n\
         say(set, segment)\n\
         libc.shmat(segment, None, 0)\n\
         r, w = os.pipe()\n\
         a, b = socket.socketpair()\n\
         say(os.fstat(r).st_ino, *sorted([os.fstat(a.fileno()).st_ino, os.fstat(b.fileno()).st_ino]))\n\
         child = os.fork()\n\
         if child == 0:\n\
         \x20   os.close(w); a.close(); semop(set, 0, -1); os.read(r, 1)\n\
         os.close(r); b.close(); os.waitpid(0, 0) if not say(child) else 0",
    ) else {
        return;
    };
    let ids = python.made("sm");
    let (inodes, child) = (python.numbers(), python.numbers()[0]);
    let (parent, pipe) = (python.pid(), format!("pipe:[{}]", inodes[0]));
    let mut text = String::new();
    until("the child reads", || {
        text = graph(&format!("--pid {child}"));
        text.contains(&format!("waits  {child} python3  read {pipe}"))
    });
    let block = |object: &str| -> Vec<String> {
        let lines = text.lines().skip_while(|line| *line != object).skip(1);
        let lines = lines.take_while(|line| line.starts_with(' '));
        lines.map(|line| line.trim().to_string()).collect()
    };
    let found = block(&pipe);
    let is = |start: &str| found.iter().any(|line| line.starts_with(start));
    assert!(is(&format!("<- {parent} python3  w fd")), "{text}");
    assert!(is(&format!("-> {child} python3  r fd")), "{text}");
    // Two connected sockets are one.
    let sockets = block(&format!("socket:[{}]", inodes[1]));
    assert_eq!(sockets.len(), 2, "{text}");
    assert!(
        block(&format!("socket:[{}]", inodes[2])).is_empty(),
        "{text}"
    );
    // Attached before the fork, and so in both.
    let mut attached = block(&format!("shm.id:{}", ids[1]));
    attached.sort();
    let mut both = [parent.into(), child].map(|pid: i64| format!("<- {pid} python3  attached rw"));
    both.sort();
    assert_eq!(attached, both, "{text}");

    for (format, start, arrow) in [
        ("mermaid", "flowchart LR\n", "-.->|\"read pipe:["),
        ("dot", "digraph ipc {\n", "style=dashed"),
        ("svg", "<svg xmlns=", "stroke-dasharray"),
    ] {
        let drawn = graph(&format!("--object {pipe} --format {format}"));
        assert!(drawn.starts_with(start) && drawn.contains(arrow), "{drawn}");
        assert!(
            drawn.contains(&pipe) && !drawn.contains("socket:["),
            "{drawn}"
        );
    }
    let ran = run(&["-c", "graph --format picture"], b"");
    assert_eq!(ran.code, Some(2), "{}", ran.out);
}

#[test]
fn who_waits_unseen_is_not_denied() {
    let Some(mut python) =
        Stranger::start("set = sure(libc.semget(0, 1, 0o1666))\nsay(set)\nsemop(set, 0, -1)")
    else {
        return;
    };
    let set = python.made("s")[0];
    until("it waits", || ipcsh::kernel::sem::ncnt(set, 0) == Ok(1));
    let unseen = "  waits  ? (1 thread that cannot be seen)  semop\n";
    for command in ["graph".to_string(), format!("graph --object sem.id:{set}")] {
        let Some(ran) = as_nobody(&command) else {
            return;
        };
        let text = rows_of(&ran, "text")[0]["text"].to_string();
        let drawn = format!("sem.id:{set}\n{unseen}");
        assert!(text.replace("\\n", "\n").contains(&drawn), "{}", ran.out);
        assert!(ran.out.contains("may not be looked into"), "{}", ran.out);
    }
    let ran = as_nobody(&format!("graph --pid {}", python.pid())).unwrap();
    assert!(
        ran.out.contains("has nothing of IPC that can be seen"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("it belongs to another user"),
        "{}",
        ran.out
    );
}

#[test]
fn a_process_that_is_not_there_has_no_graph() {
    let ran = run(&["-c", "graph --pid 2147483647"], b"");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.err.contains("there is no process 2147483647"),
        "{}",
        ran.err
    );
}

#[test]
fn an_actors_semaphore_leads_to_its_last_operator() {
    let ran = passes(
        "sem create lock 1\na: sem p lock\nb: sem p lock ...\ngraph --object lock\n\
         graph --pid b --format dot\na: sem v lock\nb: ... => ok\n",
    );
    let shown: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.starts_with("#   "))
        .collect();
    assert!(
        shown.iter().any(|l| l.contains(" b  semop lock -1")),
        "{}",
        ran.out
    );
    assert!(
        shown.iter().any(|l| l.contains(" a  last operator")),
        "{}",
        ran.out
    );
    passes(&ran.out);
}

/// Graphviz takes what is written for it.
#[test]
fn graphviz_reads_it() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let dot = Command::new("dot")
        .args(["-Tcanon"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut dot) = dot else {
        eprintln!("skipped: there is no dot");
        return;
    };
    let drawn = graph("--format dot");
    dot.stdin
        .take()
        .unwrap()
        .write_all(drawn.as_bytes())
        .unwrap();
    assert!(dot.wait().unwrap().success(), "{drawn}");
}
