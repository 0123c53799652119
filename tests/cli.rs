//! The command line: what is printed where, and the exit codes.

mod harness;

use harness::{Ran, run, script};
use std::io::Read;
use std::process::{Command, Stdio};

fn code(ran: &Ran) -> i32 {
    ran.code.unwrap_or(-1)
}

#[test]
fn one_shot_prints_the_result_alone() {
    let ran = run(&["-c", "msgq send 1 \"hi\"", "-c", "msgq recv"], b"");
    assert_eq!(ran.out, "type=1 \"hi\"\n");
    assert!(
        ran.err.starts_with("created message queue q1 (id "),
        "{}",
        ran.err
    );
    assert_eq!(
        run(&["-c", "sem create a 3", "-c", "sem get"], b"")
            .out
            .lines()
            .last(),
        Some("3")
    );
    assert_eq!(
        run(&["-D", "n=41", "-c", "echo $((n + 1))"], b"").out,
        "42\n"
    );
}

#[test]
fn what_is_said_beside_a_result_does_not_overtake_it() {
    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
        .arg(harness::program())
        .args([
            "-c",
            "echo first",
            "-c",
            "msgq send 1 \"x\"",
            "-c",
            "msgq recv",
        ])
        .args([
            "-c",
            "b: msgq recv ...",
            "-c",
            "echo last",
            "-c",
            "msgq rm nosuch",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let begins = [
        "first",
        "created message queue q1",
        "type=1 \"x\"",
        "started b",
        "b: msgq recv ...   blocked",
        "last",
        "failed: -c 6:1: msgq rm nosuch",
    ];
    let lines: Vec<&str> = text.lines().collect();
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{text}");
    }
}

#[test]
fn what_was_done_is_shown_before_a_wait() {
    for (text, shown) in [
        ("echo first\nsleep 1h\n", 2),
        ("msgq create q\nb: msgq recv q &\nwait b\n", 3),
        ("msgq create q\nb: msgq recv q ...\nb@1h: ... => ok\n", 3),
        ("echo first\nrequire !sleep 1000\n", 2),
    ] {
        let mut running = harness::Running::start(text);
        for _ in 0..shown {
            assert!(running.line().is_some(), "{text}");
        }
        let (status, said) = running.end(libc::SIGTERM);
        assert!(!status.success());
        let begin = format!("failed: <stdin>:{}: ", text.lines().count());
        assert!(said.starts_with(&begin), "{text}: {said}");
        assert!(said.contains("SIGTERM ended the script here"), "{said}");
    }
}

#[test]
fn every_error_is_an_object_in_json() {
    for (args, input, code_of, kind, message) in [
        (
            &["--json", "/no/such/file"][..],
            &b""[..],
            3,
            "error",
            "No such file",
        ),
        (&["--json", "-"], b"a\n\xff", 2, "error", "byte 2 (line 2)"),
        (&["--json", "--nonsense"], b"", 2, "error", "--nonsense"),
        (&["-D", "1=2", "--json", "-"], b"", 2, "error", "1=2"),
        (
            &["--json", "-"],
            b"echo a\nnonsense",
            2,
            "mistake",
            "nonsense",
        ),
        (
            &["--json", "-"],
            b"source no/such/file",
            2,
            "mistake",
            "no/such/file",
        ),
        (&["--json", "-"], b"msgq recv", 1, "step", ""),
    ] {
        let ran = run(args, input);
        assert_eq!((code(&ran), ran.err.as_str()), (code_of, ""), "{args:?}");
        let first = ran.out.lines().next().unwrap_or_default();
        let object: serde_json::Value = serde_json::from_str(first).unwrap();
        assert_eq!(object["kind"], kind, "{object}");
        let found = object["message"].as_str().unwrap_or_default();
        assert!(found.contains(message), "{object}");
    }
    assert!(run(&["--json", "--version"], b"").out.starts_with("ipcsh "));
}

#[test]
fn an_output_that_cannot_be_written_is_said() {
    for args in [
        &["-c", "echo a"][..],
        &["--json", "-c", "echo a"],
        &["--completions", "bash"],
        &["-c", "repeat 20000 { echo a }"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = Command::new(harness::program())
            .args(args)
            .stdout(full.unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            said,
            "ipcsh: the output cannot be written: No space left on device (os error 28)\n"
        );
    }
}

#[test]
fn an_output_that_is_closed_is_said_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ran");
    let touch = format!("!touch {}", file.display());
    for args in [
        &["-c", "echo a"][..],
        &["--json", "-c", "echo a"],
        &["-c", &touch],
        &["--help"],
        &["--completions", "bash"],
    ] {
        let output = Command::new("sh")
            .args(["-c", "\"$0\" \"$@\" >&-"])
            .arg(harness::program())
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "ipcsh: standard output is closed\n");
    }
    assert!(!file.exists());
    // Somebody who does not want to see it may say so.
    for kept in [Stdio::null(), std::fs::File::create(&file).unwrap().into()] {
        let status = Command::new(harness::program())
            .args(["-c", "echo a"])
            .stdin(Stdio::null())
            .stdout(kept)
            .status();
        assert_eq!(status.unwrap().code(), Some(0));
    }
}

#[test]
fn a_variable_is_defined_as_let_would_bind_it() {
    let shown = |value: &str, text: &str| {
        let ran = run(&["-D", &format!("v={value}"), "-c", text], b"");
        assert_eq!(code(&ran), 0, "{value}: {}", ran.err);
        ran.out
    };
    for (value, sum) in [
        ("41", "42\n"),
        ("0x10", "17\n"),
        ("64K", "65537\n"),
        ("-3", "-2\n"),
    ] {
        assert_eq!(shown(value, "echo $((v + 1))"), sum);
    }
    for text in ["", "a b", "x=y", "64k"] {
        assert_eq!(shown(text, "!printf %s \"$v\""), text);
    }
    for word in ["99999999999999999999999", "0xffffffffffffffffffff", "1ms"] {
        let bound = run(&["-c", &format!("let v = {word}; echo $v")], b"");
        assert_eq!(shown(word, "echo $v"), bound.out);
    }
    shown("1ms", "sleep $v");
    for name in ["a-b", "7", "", "é"] {
        let ran = run(&["-D", &format!("{name}=1"), "-c", "echo"], b"");
        assert_eq!(code(&ran), 2, "{name}: {}", ran.out);
    }
}

#[test]
fn the_transcript_of_a_script_with_variables_runs_without_them() {
    let script = b"echo $n $t\nexpect $t == \"it's \\\"so\\\"\"\nsleep $d\n";
    let args = ["-D", "n=64K", "-D", "t=it's \"so\"", "-D", "d=1ms", "-"];
    let first = run(&args, script);
    assert_eq!(code(&first), 0, "{}{}", first.out, first.err);
    let again = run(&["-"], first.out.as_bytes());
    assert_eq!(code(&again), 0, "{}{}", first.out, again.err);
    assert!(again.out.starts_with("let n = 64K\n"), "{}", again.out);
}

#[test]
fn commands_and_files_are_not_run_together() {
    for args in [["-c", "echo c", "-"], ["-", "-c", "echo c"]] {
        let ran = run(&args, b"echo f\n");
        assert_eq!((code(&ran), ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains("cannot be used with"), "{}", ran.err);
    }
}

#[test]
fn completions_are_read_by_the_shells_they_are_for() {
    let directory = tempfile::tempdir().unwrap();
    for (shell, args, check) in [
        (
            "bash",
            &["--norc", "-c"][..],
            "source \"$0\" && COMP_WORDS=(ipcsh --col) COMP_CWORD=1 && _ipcsh ipcsh --col ipcsh && echo ${COMPREPLY[@]}",
        ),
        (
            "zsh",
            &["-fc"],
            "autoload -U compinit && compinit -u -D && source \"$0\" && [ $_comps[ipcsh] = _ipcsh ] && echo --color",
        ),
        (
            "fish",
            &["--no-config", "-c"],
            "source $argv[1]; and complete -C 'ipcsh --col' | string replace -r '\\t.*' ''",
        ),
    ] {
        let text = run(&["--completions", shell], b"");
        assert_eq!((code(&text), text.err.as_str()), (0, ""));
        let file = directory.path().join(shell);
        std::fs::write(&file, &text.out).unwrap();
        let Ok(output) = Command::new(shell)
            .args(args)
            .arg(check)
            .arg(&file)
            .output()
        else {
            eprintln!("skipped: {shell} is not here");
            continue;
        };
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "--color\n",
            "{shell}: {output:?}"
        );
    }
}

#[test]
fn a_script_runs_without_a_directory_a_home_or_standard_streams() {
    let directory = tempfile::tempdir().unwrap();
    let script = "msgq send 1 \"x\"\nmsgq recv => \"x\"\n!true\n!cat\nlet w = !echo $WORK\n";
    let file = directory.path().join("a.ipc");
    std::fs::write(&file, script).unwrap();
    for how in [
        "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" \"$1\"",
        "mkdir -m 500 home && HOME=$PWD/home exec \"$0\" \"$1\"",
        "unset HOME PATH TERM; exec \"$0\" \"$1\"",
        "exec \"$0\" \"$1\" <&-",
        "exec \"$0\" \"$1\" <&- 2>&-",
    ] {
        let output = Command::new("/bin/sh")
            .current_dir(directory.path())
            .args(["-c", how])
            .arg(harness::program())
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{how}: {output:?}");
    }
}

#[test]
fn quit_is_the_last_of_the_commands() {
    let ran = run(&["-c", "echo one", "-c", "quit", "-c", "echo two"], b"");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "one\n"));
}

#[test]
fn exit_codes_say_what_happened() {
    for (text, expected) in [
        ("echo fine", 0),
        ("", 0),
        ("msgq recv", 1),
        ("expect 1 == 2", 2),
        ("let v = 1\nexpect $v == 2", 1),
        ("nonsense", 2),
        ("require program no-such-program-anywhere", 77),
        ("quit\nnonsense-is-still-read", 2),
        ("quit", 0),
        ("save /tmp/never-written", 2),
        ("spawn a\nb: msgq create q", 2),
        ("spawn a\nwait b", 2),
        ("spawn a\nmsgq create q\na: msgq send q 1 \"x\"", 0),
        ("defer !false", 1),
        ("defer !false\nrequire program no-such-program-anywhere", 1),
        ("msgq create q\ndefer b: msgq recv q ...", 1),
        (
            "msgq create q\ndefer msgq rm q\nrequire msgq.q.qnum == 1",
            77,
        ),
        ("require msgq.nosuch.qnum == 1", 1),
    ] {
        assert_eq!(code(&script(text)), expected, "{text}");
    }
    assert_eq!(code(&run(&["/no/such/file.ipc"], b"")), 3);
    assert_eq!(code(&run(&["/"], b"")), 3);
    assert_eq!(code(&run(&["--no-such-flag"], b"")), 2);
    // A script that is skipped counts as passed, unless all are.
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (skipped, passed, failed) = (
        file("skipped", "require program no-such-program-anywhere\n"),
        file("passed", "echo\n"),
        file("failed", "msgq recv\n"),
    );
    for (files, expected) in [
        (&[&skipped, &skipped][..], 77),
        (&[&skipped, &passed], 0),
        (&[&skipped, &failed, &passed], 1),
    ] {
        let files: Vec<&str> = files.iter().map(|f| f.as_str()).collect();
        assert_eq!(code(&run(&files, b"")), expected, "{files:?}");
    }
}

#[test]
fn a_mistake_on_the_last_line_runs_nothing() {
    let ran = script("echo first\n!touch /tmp/never\nmsgq snd 1 \"x\"\n");
    assert_eq!(code(&ran), 2);
    assert_eq!(ran.out, "");
    for part in ["<stdin>:3:6", "^^^", "did you mean `send`?"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn check_runs_nothing() {
    let ran = run(&["--check", "-"], b"echo hi\nmsgq create a");
    assert_eq!((code(&ran), ran.out.as_str()), (0, ""));
    assert_eq!(code(&run(&["--check", "-"], b"echo $v")), 2);
}

#[test]
fn json_is_one_object_a_line_with_numbers_as_numbers() {
    let ran = run(
        &["--json", "-"],
        b"msgq create jobs\nmsgq send 2 \"hi\"\nmsgq recv\nipcs -q\n",
    );
    assert_eq!(code(&ran), 0, "{}", ran.err);
    let lines: Vec<serde_json::Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let received = lines.iter().find(|l| l["step"] == "msgq recv").unwrap();
    assert_eq!(received["fields"]["type"], 2);
    assert_eq!(received["data"], "hi");
    let row = lines
        .iter()
        .find(|l| l["kind"] == "msgq" && l["name"] == "jobs")
        .unwrap();
    assert!(
        row["qnum"].is_u64() && row["id"].is_u64() && row["key"].is_u64(),
        "{row}"
    );
}

#[test]
fn nobody_reading_is_no_panic_and_leaves_nothing() {
    let mut text = String::from("msgq create jobs\n");
    text.push_str(&"msgq send 1 \"x\"\nmsgq recv\n".repeat(20_000));
    let file = std::env::temp_dir().join(format!("ipcsh-pipe-{}.ipc", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(harness::program())
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(&first, b"msgq creat");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_script_file_runs_by_itself_and_sources_its_neighbours() {
    use std::os::unix::fs::PermissionsExt;
    let directory = std::env::temp_dir().join(format!("ipcsh-source-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let main = directory.join("main.ipc");
    std::fs::write(
        &main,
        "#!/usr/bin/env -S ipcsh\nsource other.ipc\nexpect $v == 5\n",
    )
    .unwrap();
    std::fs::write(directory.join("other.ipc"), "let v = 5\n").unwrap();
    std::fs::set_permissions(&main, PermissionsExt::from_mode(0o755)).unwrap();
    let ran = run(&[main.to_str().unwrap()], b"");
    std::fs::write(directory.join("other.ipc"), "let v = 5\nbroken\n").unwrap();
    let broken = run(&[main.to_str().unwrap()], b"");
    let checked = run(&["--check", main.to_str().unwrap()], b"");
    std::fs::write(directory.join("other.ipc"), "source main.ipc\n").unwrap();
    let cycle = run(&["--check", main.to_str().unwrap()], b"");
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(code(&ran), 0, "{}", ran.err);
    assert_eq!(code(&broken), 2);
    assert!(broken.err.contains("other.ipc:2:1"), "{}", broken.err);
    for (ran, place) in [(checked, "other.ipc:2:1"), (cycle, "source each other")] {
        assert_eq!((code(&ran), ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(place), "{}", ran.err);
    }
}

#[test]
fn a_signal_ends_a_script_and_what_it_created() {
    use std::os::unix::process::ExitStatusExt;
    for signo in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        let mut child = Command::new(harness::program())
            .args([
                "-c",
                "defer echo deferred",
                "-c",
                "sem create a 0",
                "-c",
                "sem p a",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first line of output says that the set is there.
        let mut out = child.stdout.take().unwrap();
        let mut seen = Vec::new();
        while !seen.contains(&b'\n') {
            let mut byte = [0];
            out.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        let text = String::from_utf8(seen).unwrap();
        let id: i32 = text.split([' ', ',']).nth(1).unwrap().parse().unwrap();
        ipcsh::kernel::process::kill(child.id() as i32, signo).unwrap();
        let status = child.wait().unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(status.signal(), Some(signo), "{status:?}");
        assert!(rest.contains("deferred"), "{rest}");
        assert!(
            ipcsh::kernel::sem::stat_any_id(id).is_err(),
            "set {id} is left"
        );
    }
}

#[test]
fn what_is_kept_stays() {
    let ran = run(
        &["-c", "msgq create a", "-c", "msgq create b", "-c", "keep a"],
        b"",
    );
    let ids: Vec<i32> = ran
        .out
        .lines()
        .map(|line| line.split([' ', ',']).nth(1).unwrap().parse().unwrap())
        .collect();
    let exists = |id| ipcsh::kernel::msg::stat_any_id(id).is_ok();
    assert!(exists(ids[0]) && !exists(ids[1]), "{ran:?}");
    ipcsh::kernel::msg::remove(ids[0]).unwrap();

    for (args, input) in [
        (&["--keep", "-c", "sem create a"][..], &b""[..]),
        (&["--keep", "-"], b"sem create a\n"),
    ] {
        let ran = run(args, input);
        let id = ran.out.split("id ").nth(1).unwrap();
        let id: i32 = id.split(',').next().unwrap().parse().unwrap();
        ipcsh::kernel::sem::remove(id).unwrap();
    }
}

#[test]
fn an_output_that_is_closed_or_full_leaves_nothing_behind() {
    let program = harness::program();
    for (number, how) in [
        "\"$0\" --json -c \"$1\" -c ipcs -c ipcs | head -n 1",
        "\"$0\" -c \"$1\" -c ipcs > /dev/full",
        "\"$0\" -c \"$1\" -c ipcs >&-",
        "\"$0\" -c \"$1\" -c ipcs <&- | true",
        "printf '%s\\n' \"$1\" 'repeat 999 { msgq send 1 1; msgq recv }' ipcs | \"$0\" - | head -n 1",
    ]
    .into_iter()
    .enumerate()
    {
        // A key that nobody else has: this process, and which of these it is.
        let key = 0x4000_0000 | (std::process::id() << 4) | number as u32;
        let status = Command::new("sh")
            .args(["-c", how])
            .arg(&program)
            .arg(format!("msgq create key:{key}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.code().is_some(), "{how}");
        let has_key = |line: &str| line.split_whitespace().next() == Some(&key.to_string());
        // Where a signal has ended it, the janitor is a moment later.
        harness::until(how, || {
            let queues = std::fs::read_to_string("/proc/sysvipc/msg").unwrap();
            !queues.lines().any(has_key)
        });
    }
}

#[test]
fn a_dump_is_a_result_and_goes_where_results_go() {
    let dump = [
        "-c",
        "shm create s 16",
        "-c",
        "shm write s \"hi\"",
        "-c",
        "shm dump s 4",
    ];
    let line = "00000000  68 69 00 00                                       |hi..|";
    let ran = run(&dump, b"");
    assert!(ran.out.contains(line), "{}", ran.out);
    assert!(!ran.err.contains("68 69"), "{}", ran.err);
    let ran = run(&[&["--json"], &dump[..]].concat(), b"");
    assert!(
        ran.out.contains(&format!("\"text\":\"{line}")),
        "{}",
        ran.out
    );
}

#[test]
fn json_has_every_value_and_a_table_as_many_as_fit() {
    let set = [
        "-c",
        "sem create s 3 count=40",
        "-c",
        "ipcs -s -o nsems,value",
    ];
    let ran = run(&[&["--json"], &set[..]].concat(), b"");
    let rows = ran.out.lines().map(|l| serde_json::from_str(l).unwrap());
    let is_ours = |row: &serde_json::Value| row["kind"] == "sem" && row["nsems"] == 40;
    let row = rows.into_iter().find(is_ours).unwrap();
    assert_eq!(row["value"], serde_json::json!([3; 40].to_vec()));
    let ran = run(&set, b"");
    let shown = format!("{}…", "3,".repeat(16));
    assert!(ran.out.contains(&shown), "{}", ran.out);
}

#[test]
fn what_would_be_ignored_is_refused_before_anything_runs() {
    for (line, message) in [
        ("ipcs -l -u", "`-l` and `-u` are not given together"),
        ("ipcs -tp", "`-t` and `-p` are not given together"),
        ("ipcs -q -o qnum -t", "`-o` and `-t` are not given together"),
        (
            "ipcs -q -i 0 -o qnum",
            "`-i` and `-o` are not given together",
        ),
        ("ipcs -A -u", "`-A` and `-u` are not given together"),
        ("kill -9 -s TERM b", "are not given together"),
        ("sem p --nowait timeout=1s", "are not given together"),
        ("sem set 1 mode=0600", "are not given together"),
        ("shm set --lock --unlock", "are not given together"),
        ("shm set --lock mode=0600", "are not given together"),
        ("shm peek 5 max=6", "are not given together"),
        ("peek q --all max=6", "are not given together"),
        ("pipe read --line --all", "are not given together"),
        ("msgq peek 1 --all", "are not given together"),
        ("msgq recv --except", "stands only with"),
        ("ipcs -i 0", "`-i` is given with one of -q, -m, -s"),
        ("ipcs -q -m -i 0", "`-i` is given with only one of"),
        (
            "graph --pid me --object q",
            "`--pid` and `--object` are not given together",
        ),
        ("doctor --dry-run", "`--dry-run` stands only with --clean"),
        ("watch ipcs every", "`every` stands only with INTERVAL"),
        (
            "watch doctor --clean",
            "`doctor --clean` does not only look",
        ),
        ("ipcs -h", "`help ipcs` explains it"),
        ("watch ipcs 2s", "every 2s"),
    ] {
        let ran = run(&["--check", "-c", line], b"");
        assert_eq!(code(&ran), 2, "{line}");
        assert!(ran.err.contains(message), "{line}\n{}", ran.err);
    }
    for line in [
        "ipcs -q -q",
        "ipcs -aqm -t",
        "ipcs -A -o id",
        "watch doctor every 1s",
    ] {
        let ran = run(&["--check", "-c", line], b"");
        assert_eq!(code(&ran), 0, "{line}\n{}", ran.err);
    }
}

#[test]
fn a_claim_names_no_field_that_a_command_has_not() {
    for (line, field) in [
        ("doctor => finding=0", "finding"),
        ("sem v => bogus=0", "bogus"),
        ("ipcs => id=1", "id"),
        ("sock send \"x\" => written=1", "written"),
    ] {
        let ran = run(&["--check", "-c", line], b"");
        assert_eq!(code(&ran), 2, "{line}");
        let message = format!("yields no field `{field}`");
        assert!(ran.err.contains(&message), "{line}\n{}", ran.err);
    }
}

#[test]
fn what_is_no_text_is_shown_as_data() {
    let commands = ["-c", "let m = x\"61 00 ff\"", "-c", "echo \"${m}\" b"];
    assert_eq!(run(&commands, b"").out, "x\"61 00 ff\" b\n");
    let json = run(&[&["--json"], &commands[..]].concat(), b"").out;
    assert!(json.contains(r#""text":"x\"61 00 ff\" b""#), "{json}");
}

/// What whoever starts it has made of signals and limits: a child could not be waited for, a file too
/// large would end it without a word.
#[test]
fn what_is_inherited_of_signals_and_limits_does_no_harm() {
    let shell = |text: &str| -> Ran {
        let mut sh = Command::new("sh");
        let ran = sh.args(["-c", text]).arg(harness::program());
        ran.output().unwrap().into()
    };
    let ran = shell("trap '' CHLD; exec \"$0\" -c 'msgq create q' -c '!true' -c 'msgq rm q'");
    assert_eq!(code(&ran), 0, "{ran:?}");
    let ran = shell("ulimit -f 100; exec \"$0\" -c 'msgq create q'");
    assert_eq!(code(&ran), 3, "{ran:?}");
    assert!(ran.err.contains("EFBIG"), "{ran:?}");
}

#[test]
fn what_a_program_has_written_is_a_number_where_one_is_asked_for() {
    let text = "let x = !echo 5\nexpect $x == 5\nexpect $x != 6\nexpect $x > 3\nexpect $x == \"5\"\n\
                let y = $((x + 1))\nexpect $y == 6\nshm create c 8\nshm write c u32@0 $x\n\
                expect shm.c.u32@0 == 5\nlet z = !echo five\nexpect $z != 5";
    harness::passes(text);
    let ran = script("let z = !echo five\nexpect $z > 3");
    assert!(ran.err.contains("only numbers can be ordered"), "{ran:?}");
}
