//! Much of everything: bytes by the megabyte, actors by the thousand, all of them killed.

mod harness;

use std::process::Command;

use harness::passes;

/// `sha256sum`'s word for some bytes.
fn sum(path: &std::path::Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().next().unwrap().to_string()
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
        !for n in 1 2 3 4 5 6 7 8 9 10; do test -s $WORK/pipe -a -s $WORK/fifo -a -s $WORK/sock && break; sleep 0.5; done; cat $WORK/pipe $WORK/fifo $WORK/sock"
    ));
    let expected = sum(whole);
    let found = ran.out.lines().filter(|l| l.contains(&expected)).count();
    assert_eq!(found, 3, "{expected}\n{}", ran.out);
}

#[test]
fn a_thousand_actors_leave_no_descriptor_open() {
    let count = "!echo open: $(ls /proc/$PPID/fd | wc -l)\n";
    let mut text = format!("a: pipe create p\nstop a\n{count}");
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
    text.push_str(count);
    let ran = passes(&text);
    let open: Vec<&str> = ran
        .out
        .lines()
        .filter(|l| l.starts_with("# open:"))
        .collect();
    assert_eq!(open.len(), 2, "{}", ran.out);
    assert_eq!(open[0], open[1]);
}

#[test]
fn actors_are_killed_in_every_blocked_state_and_the_session_goes_on() {
    let name = format!("/ipcsh-killed-{}", std::process::id());
    let blocked = [
        "pipe read p".to_string(),
        "fifo open $WORK/g r".into(),
        "fifo read $WORK/f".into(),
        "sig wait USR1".into(),
        "sock accept l".into(),
        "sock recv y".into(),
        "msgq recv q".into(),
        "msgq send full 1 \"x\"".into(),
        "sem p s".into(),
        "sem z one".into(),
        format!("msgq recv {name}"),
        format!("sem p {name}"),
    ];
    let mut text = format!(
        "pipe create p\nmkfifo $WORK/f\nmkfifo $WORK/g\nfifo open $WORK/f rw
        msgq create q\nmsgq create full\nmsgq set full qbytes=1\nmsgq send full 1 \"x\"
        sem create s 0\nsem create one 1\nsock listen $WORK/l name=l\nsock pair stream x y
        msgq create {name}\nsem create {name} 0\n"
    );
    let each = || blocked.iter().enumerate();
    each().for_each(|(n, step)| text.push_str(&format!("k{n}: {step} ...\n")));
    text.push_str("!kill -9");
    each().for_each(|(n, _)| text.push_str(&format!(" ${{k{n}.pid}}")));
    text.push('\n');
    each().for_each(|(n, _)| text.push_str(&format!("k{n}: ... => died\n")));
    text.push_str(
        "msgq send q 1 \"still here\"\nb: msgq recv q => \"still here\"
        k0: pipe write p \"x\"\nb: pipe read p => \"x\"",
    );
    passes(&text);
}
