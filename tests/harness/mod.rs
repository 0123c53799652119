//! Running the program under test, from outside.
#![allow(dead_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program: `IPCSH_BIN`, or the one that cargo has just built.
pub fn program() -> PathBuf {
    std::env::var_os("IPCSH_BIN").map_or_else(|| env!("CARGO_BIN_EXE_ipcsh").into(), PathBuf::from)
}

/// The directory of the project.
pub fn root() -> PathBuf {
    std::env::var_os("IPCSH_ROOT").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

/// Runs it with these arguments and this standard input, for a minute at most.
pub fn run(args: &[&str], input: &[u8]) -> Ran {
    // timeout(1) is coreutils: a run that hangs must not hang the tests.
    let mut child = Command::new("timeout")
        .arg("-s")
        .arg("KILL")
        .arg("60")
        .arg(program())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.into()
}

/// Runs a script from standard input.
pub fn script(text: &str) -> Ran {
    run(&["-"], text.as_bytes())
}

/// Runs a script that must pass.
#[track_caller]
pub fn passes(text: &str) -> Ran {
    let ran = script(text);
    assert_eq!(
        ran.code,
        Some(0),
        "{text}\n--\n{}\n--\n{}",
        ran.out,
        ran.err
    );
    ran
}
