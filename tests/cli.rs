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
    ] {
        assert_eq!(code(&script(text)), expected, "{text}");
    }
    assert_eq!(code(&run(&["/no/such/file.ipc"], b"")), 3);
    assert_eq!(code(&run(&["/"], b"")), 3);
    assert_eq!(code(&run(&["--no-such-flag"], b"")), 2);
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
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(code(&ran), 0, "{}", ran.err);
    assert_eq!(code(&broken), 2);
    assert!(broken.err.contains("other.ipc:2:1"), "{}", broken.err);
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

    let ran = run(&["--keep", "-c", "sem create a"], b"");
    let id: i32 = ran.out.split([' ', ',']).nth(1).unwrap().parse().unwrap();
    ipcsh::kernel::sem::remove(id).unwrap();
}
