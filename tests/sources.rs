//! Where a program comes from, and how that is called.

mod harness;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use harness::{Ran, program, run};

#[test]
fn a_script_and_what_it_sources_are_not_read_alike() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.ipc");
    let missing = missing.to_str().unwrap();
    assert_eq!(run(&[missing], b"").code, Some(3));
    let sourced = run(&["-c", &format!("source {missing}")], b"");
    assert_eq!(sourced.code, Some(2), "{}", sourced.err);
}

#[test]
fn one_command_of_several_is_told_by_its_number() {
    let run_second = |text: &str| run(&["-c", "sem create s 1", "-c", text], b"");
    let failed = run_second("sem get s\nsem get t");
    assert!(
        failed.err.contains("failed: -c 2:2: sem get t"),
        "{}",
        failed.err
    );
    let mistaken = run_second("sem get s\n semm");
    assert!(mistaken.err.contains("-c 2:2:2"), "{}", mistaken.err);
    let json = run(&["--json", "-c", "sem create s 1", "-c", "sem get s"], b"");
    let files = [
        "\"file\":\"-c 1\",\"line\":1",
        "\"file\":\"-c 2\",\"line\":1",
    ];
    for (line, file) in json.out.lines().zip(files) {
        assert!(line.contains(file), "{line}");
    }
    let alone = run(&["-c", "sem get t"], b"");
    assert!(
        alone.err.contains("failed: -c:1: sem get t"),
        "{}",
        alone.err
    );
}

#[test]
fn the_path_of_a_script_is_any_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let odd = directory.path().join(OsStr::from_bytes(b"odd \xff"));
    std::fs::create_dir(&odd).unwrap();
    let (outer, inner) = (odd.join("outer.ipc"), odd.join(OsStr::from_bytes(b"\xfe")));
    // What it sources is beside it, whatever the directory is called.
    std::fs::write(&outer, "source x\"fe\"\nsem get s => 2\n").unwrap();
    std::fs::write(&inner, "sem create s 1\n").unwrap();
    for checked in [&["--check"][..], &[]] {
        let output = Command::new(program()).args(checked).arg(&outer).output();
        let ran = Ran::from(output.unwrap());
        match checked.is_empty() {
            false => assert_eq!(ran.code, Some(0), "{}", ran.err),
            true => assert!(
                ran.err.contains("odd \u{fffd}/outer.ipc:2: sem get s\n"),
                "{}",
                ran.err
            ),
        }
    }
}
