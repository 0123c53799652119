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
            "let n = 1; echo $((n >> 70))",
            "a shift is by 0 to 63 bits, and not by 70",
        ),
        (
            "let n = 1; echo $((n << -1))",
            "a shift is by 0 to 63 bits, and not by -1",
        ),
        ("let n = 1; echo $((n << 63 << 1))", "does not fit 64 bits"),
    ] {
        let ran = script(step);
        assert_eq!(ran.code, Some(1), "{step}");
        assert!(ran.err.contains(why), "{step}\n{}", ran.err);
    }
    let ran = run(&["-c", "ftok"], b"");
    assert!(ran.err.contains("key:/path,1"), "{}", ran.err);
}

/// What can never hold is found before anything runs, by the text alone.
#[test]
fn arguments_that_can_never_hold() {
    for (line, why) in [
        ("shm read x u8@0 5", "a u8 has a length of its own"),
        ("peek shm.x u8@0 all=1", "option `all=`"),
        ("peek shm.x u8@0 --all", "a u8 has a length of its own"),
        (
            "peek msgq.q @5",
            "a place is of a segment: it means nothing of a message queue",
        ),
        ("shm dump x u8@0", "bytes are shown here"),
        ("shm use x /y", "`/y` is no name of this session"),
        ("sock listen @a name=/y", "`/y` is no name of this session"),
        ("watch ipcs every 0s", "the interval is 20ms at least"),
        ("watch ipcs sort=bogus", "there is no column `bogus`"),
        ("watch msgq sort=-nattch", "there is no column `nattch`"),
        (
            "watch msgq ls -o name,id sort=qnum",
            "expected one of name,id",
        ),
        ("help bogus", "there is no help on this"),
        ("help msgq sned", "did you mean `msgq send`?"),
        ("keep id:5", "only what this session created is kept"),
        ("keep sem.s[0]", "a semaphore set is kept as a whole"),
        ("kill -USR1 foo", "`foo` is neither an actor nor a pid"),
        ("kill 2147483648", "2147483648 is out of range"),
        ("kill -l bogus", "there is no signal `bogus`"),
        ("kill -l TERM 9", "`-l` says what one signal is"),
        ("why foo", "`foo` is neither an actor nor a pid"),
        ("why 0", "0 is out of range"),
        ("sig info foo", "`foo` is neither an actor nor a pid"),
        (
            "watch graph --pid foo",
            "`foo` is neither an actor nor a pid",
        ),
        ("sig block USR1 KILL", "SIGKILL cannot be blocked"),
        ("sig wait 19", "SIGSTOP cannot be blocked"),
        ("trap USR1 --ignore --default", "not given together"),
        ("doctor --clean key=0", "the key 0 is IPC_PRIVATE"),
        ("msgq set q", "`msgq set` needs something to do"),
        ("msgq create q maxmsg=5", "`maxmsg=` is for POSIX objects"),
        ("msgq create /q --private", "IPC_PRIVATE"),
        ("msgq recv /q 3", "a POSIX message queue has none"),
        ("msgq recv id:1 timeout=1s", "`timeout=` is for POSIX"),
        ("msgq close id:1", "done to no message queue of System V"),
        ("shm create /x --private", "IPC_PRIVATE"),
        ("shm resize key:1 5", "of System V"),
        ("sem create /s count=2", "count= is for sets of semaphores"),
        ("sem p /s --undo", "--undo is SEM_UNDO of semop"),
        ("sem v /s 2", "taking or giving 2 at once"),
        ("sem z /s", "done to no POSIX semaphore"),
        ("sock pair a", "`ONE` stands only with OTHER"),
        ("sock pair a a", "this is the name of the other"),
        ("sock listen @a dgram backlog=5", "has no backlog"),
        ("sock connect tcp:localhost:1 dgram", "TCP is a stream"),
    ] {
        refused(format!("echo ran\n{line}").as_bytes(), why);
    }
    let long = format!("shm create /{}", "x".repeat(256));
    refused(long.as_bytes(), "up to 255 bytes behind its slash");
}

/// A column that only some table has is found where the table is known, and one that a flag leads to
/// is another table's.
#[test]
fn columns_that_there_are() {
    for line in [
        "watch ipcs -l sort=meaning",
        "watch ipcs sort=-CBYTES",
        "watch msgq ls -o name,QNUM sort=qnum",
        "watch limits sort=value",
        "help EAGAIN",
        "help 11",
        "kill -l 9",
    ] {
        let ran = script(line);
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
    }
}

/// A loop that doubles a text comes to an end.
#[test]
fn a_value_has_a_largest_size() {
    let ran = script("let v = \"x\"\nrepeat 40 { let v = \"${v}${v}\" }");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let why = "a value is 256 MiB at most, and this would be larger";
    assert!(ran.err.contains(why), "{}", ran.err);
}
