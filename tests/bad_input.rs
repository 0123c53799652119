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

#[test]
fn a_value_of_a_megabyte_makes_no_error_of_a_megabyte() {
    let bind = "let v = !head -c 1000000 /dev/zero | tr '\\0' x\n";
    for step in [
        "msgq create q\nmsgq send 1 \"a\"\nmsgq recv => $v",
        "shm create s 1M\nshm write @0 $v\nshm read @0 1000000 => \"b\"",
        "sem create s\nsem v s $v",
        "echo $((v + 1))",
        "sleep $v",
        "let m = msgq create q; msgq send 1 $m",
    ] {
        let ran = script(&format!("{bind}{step}\n"));
        assert_eq!(ran.code, Some(1), "{step}");
        assert!(ran.err.len() < 4000, "{step}: {} bytes", ran.err.len());
    }
}

#[test]
fn what_is_computed_has_the_bounds_of_what_is_written() {
    for (step, why) in [
        ("let n = 18446744073709551615; sleep $n", "is no duration"),
        ("let n = 18446744073709551617; sleep $n", "is no duration"),
        ("let n = 3153600001; sleep $n", "is no duration"),
        (
            "echo $((1 >> 70))",
            "a shift is by 0 to 63 bits, and not by 70",
        ),
        (
            "echo $((1 << -1))",
            "a shift is by 0 to 63 bits, and not by -1",
        ),
        ("echo $((1 << 63 << 1))", "does not fit 64 bits"),
    ] {
        let ran = script(step);
        assert_eq!(ran.code, Some(1), "{step}");
        assert!(ran.err.contains(why), "{step}\n{}", ran.err);
    }
    let ran = run(&["-c", "ftok"], b"");
    assert!(ran.err.contains("key:/path,1"), "{}", ran.err);
}

/// A loop that doubles a text comes to an end.
#[test]
fn a_value_has_a_largest_size() {
    let ran = script("let v = \"x\"\nrepeat 40 { let v = \"${v}${v}\" }");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let why = "a value is 256 MiB at most, and this would be larger";
    assert!(ran.err.contains(why), "{}", ran.err);
}
