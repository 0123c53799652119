//! Whatever is fed in: a clear error, never a panic, nothing left behind.

mod harness;

use harness::{run, script};

fn refused(input: &[u8], why: &str) {
    let ran = run(&["-"], input);
    let shown = String::from_utf8_lossy(&input[..input.len().min(60)]).into_owned();
    assert_eq!(ran.code, Some(2), "{shown}: {}", ran.err);
    assert_eq!(ran.out, "", "{shown}");
    assert!(ran.err.contains(why), "{shown}: {}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert!(ran.err.len() < 4000, "{shown}: {} bytes", ran.err.len());
}

#[test]
fn text_that_is_no_program() {
    refused(b"msgq send 1 \"\xff\"", "not valid UTF-8");
    refused(b"msgq \0 create", "control character");
    refused(b"msgq send 1 \"never closed", "never closed");
    refused(b"repeat 3 { msgq create", "never closed");
    refused(b"}", "`}`");
    refused(b"msgq send 99999999999999999999 \"x\"", "");
    refused(b"sem p 32769", "");
    refused(b"echo $((1 +))", "");
    refused(b"sem p $nothing", "not bound");
    refused(b"b: msgq recv ...\nb: msgq recv", "pending");
    refused(b"b: ... => ok", "no pending step");
    refused(b"spawn a\nb: msgq recv", "no actor `b`");
}

#[test]
fn long_and_deep_text() {
    let million = 1_000_000;
    refused("x".repeat(million).as_bytes(), "unknown command");
    refused("{".repeat(million).as_bytes(), "");
    refused("repeat 1 {".repeat(100_000).as_bytes(), "nested");
    refused("\"".repeat(million + 1).as_bytes(), "");
    refused(format!("echo $(({}1))", "(".repeat(million)).as_bytes(), "");
    refused(
        format!("msgq send 1 {}", "é".repeat(million / 2)).as_bytes(),
        "",
    );
    // A million empty statements are a program.
    assert_eq!(script(&";".repeat(million)).code, Some(0));
    assert_eq!(
        script(&format!("# {}\necho ok\r\n", "x".repeat(million))).code,
        Some(0)
    );
}

#[test]
fn a_message_of_a_megabyte_is_the_kernels_to_refuse() {
    let text = format!(
        "msgq create a\nmsgq send 1 \"{}\" => EINVAL",
        "x".repeat(1_000_000)
    );
    let ran = script(&text);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
