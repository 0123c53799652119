//! FIFOs, held against an ordinary shell, Python and /proc.

mod harness;

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::process::Command;

use harness::{has, passes, program, run, script};

#[test]
fn a_path_with_a_blank_is_quoted_where_it_cannot_be_data() {
    harness::passes(
        "mkfifo \"${WORK}/sp ace\"\nb: fifo open \"${WORK}/sp ace\" rw\n\
         b: fifo write fifo.\"${WORK}/sp ace\" \"x\"\nb: fifo write \"y\"\n\
         peek \"${WORK}/sp ace\" => \"xy\"\nfifo info \"${WORK}/sp ace\"\n\
         graph --object \"${WORK}/sp ace\"\nb: fifo read \"${WORK}/sp ace\" => \"xy\"\n\
         b: fifo close \"${WORK}/sp ace\"\nfifo rm \"${WORK}/sp ace\"\n",
    );
}

#[test]
fn an_ordinary_shell_reads_and_writes() {
    // Both ways, and each is blocked until the other has come.
    passes(
        "mkfifo $WORK/f\nfifo read $WORK/f ...\nexpect actor.me.call ~ re\"^open \"\n\
         expect actor.me.about ~ re\"nobody has opened the other side\"\n\
         !echo hello > $WORK/f\n... => \"hello\\n\"\nfifo read => eof\nfifo close\n\
         b: fifo write $WORK/f \"to cat\" ...\n!cat $WORK/f > $WORK/got &\nb: ... => ok\n\
         b: fifo close\n!until [ -s $WORK/got ]; do sleep 0.01; done\n!grep -q '^to cat$' $WORK/got",
    );
    // Line by line, of several writers, to the end.
    passes(
        "mkfifo $WORK/f\n!(echo one; echo two; echo three) > $WORK/f &\n\
         fifo read --line => \"one\\n\"\nfifo read --line => \"two\\n\"\nfifo read --all => \"three\\n\"\n\
         fifo read => eof",
    );
}

#[test]
fn opening_waits_for_the_other_side_or_does_not() {
    passes(
        "mkfifo $WORK/f\na: fifo open $WORK/f r ...\nb: fifo open $WORK/f w\na: ... => ok\n\
         a: fifo close\nb: fifo close\nb: fifo open $WORK/f w ...\n!exec 3< $WORK/f\nb: ... => ok\n\
         b: fifo write \"x\" => EPIPE\nb: fifo close\n\
         fifo open $WORK/f w --nonblock => ENXIO\nfifo write $WORK/f \"x\" --nowait => ENXIO\n\
         fifo read $WORK/f --nowait => eof\nfifo close\nfifo open $WORK/f r --nonblock\n\
         fifo open $WORK/f w --nonblock\nfifo write \"y\"\nfifo read => \"y\"",
    );
    // With --nonblock for the opening alone, a read waits.
    passes(
        "mkfifo $WORK/f\nfifo open $WORK/f r --nonblock\nb: fifo open $WORK/f w\nfifo read ...\n\
         b: fifo write \"x\"\n... => \"x\"",
    );
}

#[test]
fn python_is_the_other_side() {
    if !has("python3") {
        return;
    }
    passes(
        "mkfifo $WORK/f\nmkfifo $WORK/g\n\
         !python3 -c 'import os; w = os.environ[\"WORK\"]; d = open(w + \"/f\", \"rb\").read(); \
         open(w + \"/g\", \"wb\").write(bytes(reversed(d)))' &\n\
         fifo write $WORK/f x\"00 ff 0a 80\"\nfifo close $WORK/f\n\
         fifo read $WORK/g --all => x\"80 0a ff 00\"",
    );
}

#[test]
fn a_full_fifo_blocks_and_says_how_full_it_is() {
    passes(
        "mkfifo $WORK/f\nlet page = !head -c 4096 /dev/zero | tr '\\0' x\nfifo open $WORK/f rw\n\
         b: repeat 17 { fifo write $WORK/f $page } ...\n\
         expect actor.b.about ~ re\"/f is full .65536 of 65536 bytes.; me .* has its read end\"\n\
         expect fifo.bytes == 65536\nexpect fifo.waits == W1\nfifo read max=4096 => $page\nb: ... => ok",
    );
}

#[test]
fn what_there_is_is_what_stat_says() {
    let dir = tempfile::tempdir().unwrap();
    let blanks = dir.path().join("a path with blanks");
    passes(&format!(
        "mkfifo \"{0}\" 0600\nexpect fifo.perms == 0600\nfifo open \"{0}\" rw\n\
         expect fifo.\"{0}\".readers == 1\n![ -p '{0}' ]",
        blanks.display()
    ));
    let kept = dir.path().join("kept");
    passes(&format!("mkfifo {0} 0642\nkeep {0}", kept.display()));
    let meta = kept.metadata().unwrap();
    assert!(meta.file_type().is_fifo());
    assert_eq!(meta.mode() & 0o7777, 0o642);
    // Without `keep`, and however it ends, it is gone.
    for end in [
        "",
        "\nquit",
        "\nfifo read --nowait => \"no\"",
        "\n!kill -9 $PPID",
    ] {
        let at = dir.path().join("f");
        script(&format!("mkfifo {}{end}", at.display()));
        harness::until("the FIFO's end", || !at.exists());
    }
    assert!(!blanks.exists());
}

#[test]
fn what_is_in_a_fifo_is_seen_without_opening_its_path() {
    passes(
        "mkfifo $WORK/f\nfifo peek => EAGAIN\nexpect fifo.nlink == 1\n\
         fifo open $WORK/f rw\nfifo peek => EAGAIN\nfifo write x\"00 ff\"\nfifo peek => x\"00 ff\"\n\
         peek $WORK/f => x\"00 ff\"\nexpect fifo.bytes == 2\nfifo read => x\"00 ff\"",
    );
    let ran = script("mkfifo $WORK/f\nfifo peek");
    assert!(ran.err.contains("EAGAIN"), "{}", ran.err);
    // Who is blocked in opening it is not woken by a look.
    passes(
        "mkfifo $WORK/f\nb: fifo open $WORK/f r ...\nfifo info $WORK/f\nfifo ls\nfifo peek $WORK/f => EAGAIN\n\
         why b\nwho $WORK/f\nexpect actor.b.state == blocked\nfifo open $WORK/f w\nb: ... => ok",
    );
}

#[test]
fn a_fifo_that_is_removed_keeps_its_path_as_long_as_it_is_open() {
    let ran = passes(
        "mkfifo $WORK/f\nfifo open $WORK/f rw\nfifo write \"in it\"\nb: fifo open $WORK/f r\n\
         fifo rm\nfifo ls -o path,nlink,bytes\nfifo info $WORK/f\nfifo peek $WORK/f => \"in it\"\n\
         fifo read $WORK/f => \"in it\"\nb: fifo read $WORK/f ...\nexpect actor.b.call ~ re\"^read .*/f$\"\n\
         expect actor.b.about ~ re\"/f is empty; me\"\nfifo write $WORK/f \"x\"\nb: ... => \"x\"\n\
         fifo open $WORK/f r => ENOENT\nfifo rm $WORK/f => ENOENT",
    );
    assert!(!ran.out.contains("(deleted)"), "{}", ran.out);
    let row = |l: &&str| l.contains("/f ") && l.trim_end().ends_with("0      5");
    assert!(ran.out.lines().any(|l| row(&l)), "{}", ran.out);
    // It is removed from outside, under a step that waits.
    let ran = passes(
        "mkfifo $WORK/f\nfifo open $WORK/f rw\nb: fifo read $WORK/f ...\n!rm $WORK/f; mkfifo $WORK/f\n\
         expect actor.b.call ~ re\"^read .*/f$\"\nfifo write \"x\"\nb: ... => \"x\"\n!rm $WORK/f",
    );
    assert!(!ran.out.contains("(deleted)"), "{}", ran.out);
}

#[test]
fn another_kind_of_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("file");
    std::fs::write(&at, "mine").unwrap();
    let at = at.display();
    passes(&format!(
        "mkfifo {at} => EEXIST\nfifo open {at} r => EINVAL\nfifo read {at} => EINVAL\nfifo write {at} \"x\" => EINVAL\n\
         fifo peek {at} => EINVAL\nfifo info {at} => EINVAL\nfifo rm {at} => EINVAL\n!grep -q '^mine$' {at}"
    ));
    // Nor is one that others have made removed at the end.
    let theirs = dir.path().join("theirs");
    nix::unistd::mkfifo(&theirs, nix::sys::stat::Mode::S_IRWXU).unwrap();
    passes(&format!(
        "mkfifo {0} => EEXIST\nfifo open {0} rw\nfifo write \"x\"",
        theirs.display()
    ));
    assert!(theirs.exists());
}

/// The file systems on which none can be made.
#[test]
fn where_none_can_be_made_it_is_said() {
    for (setup, at, errno) in [
        ("mount -t tmpfs -o ro none /mnt", "/mnt/f", "EROFS"),
        ("mount -t sysfs none /mnt", "/mnt/f", "EPERM"),
    ] {
        let flags = if nix::unistd::geteuid().is_root() {
            "-m"
        } else {
            "-Urm"
        };
        let words = format!("{setup} && exec \"$0\" -c 'mkfifo {at} => {errno}'");
        let tried = Command::new("unshare")
            .args([flags, "sh", "-c", setup])
            .output();
        if !tried.is_ok_and(|o| o.status.success()) {
            eprintln!("skipped: {errno}: no mount namespace of its own, or no `{setup}` in it");
            continue;
        }
        let output = Command::new("unshare")
            .args([flags, "sh", "-c", &words])
            .arg(program())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errno}: {said}");
    }
}

#[test]
fn json_has_the_fields_of_the_kernel() {
    let ran = run(
        &["--json", "-"],
        b"mkfifo $WORK/f 0600\nfifo open $WORK/f rw\nfifo write \"abc\"\nfifo ls",
    );
    let row = ran
        .out
        .lines()
        .find(|l| l.contains("\"kind\":\"fifo\"") && l.contains("\"bytes\":3"));
    let row = row.unwrap_or_else(|| panic!("{}\n{}", ran.out, ran.err));
    for part in [
        "\"nlink\":1",
        "\"capacity\":65536",
        "\"readers\":1",
        "\"writers\":1",
    ] {
        assert!(row.contains(part), "{part}: {row}");
    }
}

#[test]
fn the_current_fifo_is_the_one_that_was_used_last_in_every_verb() {
    passes(
        "mkfifo $WORK/a\nmkfifo $WORK/b\nfifo open $WORK/a rw\nfifo open $WORK/b rw\nfifo write \"x\"\n\
         fifo peek => \"x\"\nfifo write $WORK/a \"y\"\nfifo peek => \"y\"\nfifo read => \"y\"",
    );
    // Also one that the session did not make.
    passes(
        "!mkfifo $WORK/c\nfifo open $WORK/c rw\nfifo write \"z\"\nfifo peek => \"z\"\nfifo info",
    );
}

#[test]
fn names_stand_raw_in_json_and_as_they_are_typed_for_people() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let mut open = Vec::new();
    for name in [&b"sp ace"[..], b"bad\xff"] {
        let path = directory.path().join(std::ffi::OsStr::from_bytes(name));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let both = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path);
        open.push(both.unwrap());
    }
    let at = directory.path().display();
    let _socket = std::os::unix::net::UnixDatagram::bind(format!("{at}/so ck")).unwrap();
    let json = run(&["--json", "-c", "fifo ls", "-c", "sock ls"], b"");
    let hex: String = format!("{at}/bad\u{0}")
        .bytes()
        .map(|b| format!("{:02x}", if b == 0 { 0xff } else { b }))
        .collect();
    for said in [
        format!("\"path\":\"{at}/sp ace\""),
        format!("\"path_hex\":\"{hex}\""),
        format!("\"address\":\"{at}/so ck\""),
    ] {
        assert!(json.out.contains(&said), "{said}: {}", json.out);
    }
    let people = run(&["-c", "fifo ls", "-c", "sock ls"], b"");
    for said in [
        format!("\"{at}/sp ace\""),
        "62 61 64 ff\"".into(),
        format!("\"{at}/so ck\""),
    ] {
        assert!(people.out.contains(&said), "{said}: {}", people.out);
    }
}

/// What umask took away is given back through a descriptor, for which there may be no room.
#[test]
fn a_fifo_that_cannot_have_its_mode_is_not_left_behind() {
    if !has("prlimit") {
        return;
    }
    // Room for the directory alone.
    let text = "a: sig pending\nlet free = !for n in $(seq 3 99); do \
        test -e /proc/${a.pid}/fd/$n || break; done; echo $((n + 1))\n\
        !prlimit -p ${a.pid} --nofile=$free:\na: mkfifo $WORK/f 0777 => EMFILE\n!test ! -e $WORK/f\n\
        a: mkfifo $WORK/g 0700\n!test -p $WORK/g\n";
    let mut shell = std::process::Command::new("sh")
        .args(["-c", "umask 077; exec \"$0\" -"])
        .arg(harness::program())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, text.as_bytes()).unwrap();
    drop(input);
    let ran = harness::Ran::from(shell.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
}

/// Who else has the old one open goes on with it, as a program would.
#[test]
fn a_fifo_that_is_made_anew_is_the_new_one_to_who_made_it() {
    passes(
        "mkfifo $WORK/f\nfifo open $WORK/f rw\nb: fifo open $WORK/f rw\nfifo rm $WORK/f\n\
         mkfifo $WORK/f\nc: fifo open $WORK/f rw\n\
         fifo write $WORK/f \"new\"\nc: fifo read $WORK/f --nowait => \"new\"\n\
         b: fifo read $WORK/f --nowait => EAGAIN",
    );
}

/// Both look alike where what is no text is shown as such.
#[test]
fn paths_that_are_no_text_are_told_apart() {
    passes(
        r#"!mkdir "$WORK/$(printf '\376')" "$WORK/$(printf '\377')"
        let d = !printf '%s/\376' "$WORK"
        let e = !printf '%s/\377' "$WORK"
        mkfifo $d/f
        mkfifo $e/f
        fifo open $d/f rw
        fifo write "in d"
        fifo open $e/f rw
        fifo write "in e"
        fifo read $d/f => "in d"
        peek $e/f => "in e"
        fifo rm $d/f
        fifo read $e/f => "in e""#,
    );
}
