//! Pipes, held against Python, /proc and programs.

mod harness;

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use harness::{has, passes, run, script};

#[test]
fn the_end_comes_when_the_last_writer_has_closed() {
    passes(
        "pipe create p\nb: pipe write p \"last\"\nc: pipe read p => \"last\"\nc: pipe read p ...\n\
         expect pipe.p.writers == 2\npipe close p w\nexpect pipe.p.writers == 1\n\
         expect actor.c.state == blocked\nexpect actor.c.about ~ re\"^p is empty; b \"\n\
         b: pipe close p\nc: ... => eof\nc: pipe read p --nowait => eof",
    );
    // A writer that is killed has closed too.
    passes(
        "pipe create p\nb: pipe write p \"last\"\npipe close p w\npipe read p => \"last\"\n\
         pipe read p ...\n!kill -9 ${b.pid}\n... => eof",
    );
}

#[test]
fn nobody_to_read_is_epipe_or_a_deadly_signal() {
    let ran = passes(
        "pipe create p\npipe close p r\npipe write p \"x\" => EPIPE\n\
         b: trap PIPE\nb: pipe write p \"x\" => EPIPE\nexpect actor.b.signals.PIPE == 1 within 30s\n\
         c: trap PIPE --default\nc: pipe write p \"x\" => died\npipe write p \"x\" => EPIPE",
    );
    assert!(
        ran.out.contains("# b caught SIGPIPE from b "),
        "{}",
        ran.out
    );
    // A writer that was blocked is woken by it.
    passes(
        "pipe create p size=4K\nb: pipe write p \"x\"\npipe close p w\n\
         let page = !head -c 4096 /dev/zero | tr '\\0' x\nb: pipe write p $page ...\n\
         pipe close p r\nb: ... => EPIPE",
    );
}

#[test]
fn a_full_pipe_blocks_and_says_how_full_it_is() {
    let ran = passes(
        "pipe create p\nlet page = !head -c 4096 /dev/zero | tr '\\0' x\n\
         b: repeat 17 { pipe write p $page } ...\n\
         expect actor.b.about ~ re\"^p is full .65536 of 65536 bytes.; me .* has its read end\"\n\
         expect actor.b.call == \"write p\"\nexpect pipe.p.bytes == 65536\n\
         expect pipe.p.waits == W1\npipe write p \"x\" --nowait => EAGAIN\n\
         pipe read p max=4096 => $page\nb: ... => ok\nexpect pipe.p.bytes == 65536",
    );
    assert!(
        ran.out.contains("it is full (65536 of 65536 bytes)"),
        "{}",
        ran.out
    );
    // A write longer than PIPE_BUF is taken in parts; up to it, whole or not at all.
    passes(
        "pipe create p size=4K\nlet most = !head -c 4000 /dev/zero | tr '\\0' x\n\
         let much = !head -c 5000 /dev/zero | tr '\\0' y\npipe write p $most --nowait\n\
         pipe write p $most --nowait => EAGAIN\npipe read p => $most\n\
         pipe write p $much --nowait => written=4096\npipe read p => re\"^y{4096}$\"",
    );
}

#[test]
fn the_size_is_what_the_kernel_says() {
    if !has("python3") {
        return;
    }
    // F_GETPIPE_SZ is 1032.
    let ask = "import fcntl, sys; print(fcntl.fcntl(open(sys.argv[1]), 1032))";
    let size = format!(
        "!fd=$(find /proc/${{me.pid}}/fd -lname \"pipe:\\[$p_ino\\]\" | head -n 1); \
         [ $(python3 -c '{ask}' $fd) = $size ]\n"
    );
    passes(&format!(
        "let p = pipe create p\nlet size = pipe size p 5000 => 8192\nexpect pipe.p.capacity == 8192\n{size}\
         let size = pipe size p 1 => 4096\n{size}let size = pipe size p 1M => 1048576\n{size}"
    ));
}

#[test]
fn any_bytes_come_out_as_they_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<u8> = (0..=255).cycle().take(60_000).collect();
    let (sent, got) = (dir.path().join("sent"), dir.path().join("got"));
    std::fs::write(&sent, &all).unwrap();
    // Through actors, through programs, and both.
    passes(&format!(
        "pipe a | b | \"cat > {got}\"\na: pipe write file\"{sent}\"\na: pipe close\n\
         b: let all = pipe read --all\nb: pipe write $all\nb: pipe close\n\
         !until [ $(stat -c %s {got}) = 60000 ]; do sleep 0.01; done\n!cmp {sent} {got}",
        sent = sent.display(),
        got = got.display()
    ));
    // Shown, they are escaped; in JSON they are exact.
    let ran = run(
        &[
            "--json",
            "-c",
            "pipe create p",
            "-c",
            "pipe write x\"00 ff 1b 0a 80\"",
            "-c",
            "pipe read",
        ],
        b"",
    );
    assert!(ran.out.contains("_hex\":\"00ff1b0a80\""), "{}", ran.out);
    passes("pipe create p\npipe write x\"00 ff 1b 0a 80\"\npipe read => x\"00 ff 1b 0a 80\"");
    let ran = passes("pipe create p\npipe write \"\\e[2J\"\npipe read");
    assert!(!ran.out.contains('\x1b'), "{}", ran.out);
}

#[test]
fn a_program_and_actors_share_a_pipeline_and_each_status_is_told() {
    passes(
        "pipe \"printf 'a\\nb\\n'\" | b | \"tr a-z A-Z > $WORK/out\"\n\
         b: pipe read --line => \"a\\n\"\nb: pipe read --all => \"b\\n\"\nb: pipe write \"x\"\n\
         b: pipe close\n!until [ -s $WORK/out ]; do sleep 0.01; done\n!grep -q '^X$' $WORK/out",
    );
    passes(
        "pipe \"exit 3\" | \"cat; exit 4\" => exit1=3 exit2=4\npipe \"true\" | \"kill -9 $$\" => signal2=KILL",
    );
    let ran = script("pipe \"exit 3\" | \"cat\"");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("stage 1 exited with 3"), "{}", ran.err);
    // Who writes to a pipe that nobody reads any more is no failure.
    passes("pipe \"yes\" | \"head -n 1\" => ok");
}

#[test]
fn a_name_is_free_again_when_nobody_has_the_pipe() {
    passes(
        "repeat 3 { pipe create p; pipe write p \"x\"; pipe read p => \"x\"; pipe close p }\n\
         pipe create p\nb: pipe write p \"x\"\npipe close p\npipe create p => EEXIST\n\
         stop b\npipe create p\npipe peek p => EAGAIN\nexpect pipe.p.readers == 1",
    );
}

#[test]
fn what_is_looked_at_stays_and_what_is_not_there_is_said() {
    passes(
        "pipe create p\npipe peek p => EAGAIN\npipe write p x\"00 ff\"\npipe peek p => x\"00 ff\"\n\
         pipe peek p => x\"00 ff\"\nexpect pipe.p.bytes == 2\npipe read p => x\"00 ff\"\n\
         pipe close p w\npipe peek p => eof\npipe close p\npipe peek p => ENOENT\npipe info p => ENOENT\n\
         pipe info pipe:[1] => ENOENT\npeek pipe:[1] => ENOENT\npipe peek pipe:[1] => ENOENT",
    );
    let ran = run(&["-c", "pipe info pipe:[1]"], b"");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
}

#[test]
fn pythons_pipe_is_seen_with_both_ends_and_what_is_in_it() {
    if !has("python3") {
        return;
    }
    let mut python = Command::new("python3")
        .args([
            "-c",
            "import os, sys\nr, w = os.pipe(); os.write(w, b'in\\0side'); print(os.fstat(r).st_ino, r, w, flush=True)\n\
             sys.stdin.readline(); os.close(w); print(os.read(r, 100).hex(), flush=True); sys.stdin.readline()",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(python.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    let [ino, r, w]: [u64; 3] =
        std::array::from_fn(|i| line.split_whitespace().nth(i).unwrap().parse().unwrap());
    let pid = python.id();
    let ran = passes(&format!(
        "pipe peek pipe:[{ino}] => \"in\\0side\"\npipe peek pid:{pid}/fd:{r} => \"in\\0side\"\n\
         expect pipe.\"pipe:[{ino}]\".bytes == 7\nexpect pipe.\"pipe:[{ino}]\".capacity == 65536\n\
         expect pipe.\"pipe:[{ino}]\".readers == 1\npipe info pipe:[{ino}]"
    ));
    for end in [format!("{pid} python3 {r}r"), format!("{pid} python3 {w}w")] {
        assert!(ran.out.contains(&end), "{end}\n{}", ran.out);
    }
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(b"\n").unwrap();
    line.clear();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    // What was looked at is still there, and its end came when its one writer closed.
    assert_eq!(line.trim(), "696e0073696465");
    passes(&format!("pipe peek pipe:[{ino}] => eof"));
    drop(stdin);
    python.wait().unwrap();
}

#[test]
fn a_pipe_that_the_shell_was_given_is_not_its_own() {
    // Its standard input is a pipe of ours: a look at it takes nothing out of it.
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"ours").unwrap();
    let here = (std::process::id(), reader.as_raw_fd());
    passes(&format!(
        "pipe peek pid:{}/fd:{} => \"ours\"",
        here.0, here.1
    ));
    drop(writer);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"ours");
}

#[test]
fn packets_of_a_pipe_are_told_apart() {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_DIRECT).unwrap();
    for packet in ["one", "three"] {
        nix::unistd::write(&writer, packet.as_bytes()).unwrap();
    }
    let here = format!("pid:{}/fd:{}", std::process::id(), reader.as_raw_fd());
    let ran = passes(&format!("pipe peek {here} => \"onethree\""));
    assert!(ran.out.contains("2 packets, of 3, 5 bytes"), "{}", ran.out);
    let mut packet = [0; 16];
    assert_eq!(nix::unistd::read(&reader, &mut packet), Ok(3));
}

#[test]
fn an_end_of_the_current_pipe_is_closed_without_its_name() {
    passes(
        "pipe create p\npipe write \"x\"\npipe close w\npipe read => \"x\"\npipe read => eof\npipe close r\npipe read p => EBADF",
    );
}

#[test]
fn a_script_grants_what_the_prompt_would() {
    // Steps that travel together were granted what they use before the first of them was run.
    passes(
        "b: pipe create p
         b: pipe write p \"ab\"
         pipe read p max=1 => \"a\"
         pipe close p
         pipe read p => \"b\"",
    );
    passes(
        "b: pipe create
         pipe create
         pipe write \"x\"
         b: pipe close p1 w
         b: pipe read p1 => eof",
    );
}

#[test]
fn what_an_actor_dropped_with_a_failed_step_is_granted_again() {
    let many = "b: sem get x\n".repeat(600);
    let ran = script(&format!(
        "pipe create p\nsem create x 1\ndefer pipe read p => \"last\"\ndefer b: pipe write p \"last\"\n\
         b: sem get x => 2\n{many}b: pipe write p \"never\"\n"
    ));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(!ran.err.contains("EBADF"), "{}", ran.err);
    assert!(ran.out.contains("pipe read p => \"last\""), "{}", ran.out);
}
