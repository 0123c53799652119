//! What is written out, and can never hold.

use super::{expects, helps};

#[test]
fn arithmetic_without_variables_is_done_while_it_is_read() {
    for (marked, message) in [
        ("echo $((«1 / 0»))", "division by zero"),
        (
            "let v = $((«1 << 64»))",
            "a shift is by 0 to 63 bits, and not by 64",
        ),
        (
            "echo $((«1 - (1 << 63) * 4»))",
            "the result of the arithmetic does not fit 64 bits",
        ),
    ] {
        expects(
            marked,
            message,
            "expected what comes to an integer of 64 bits",
        );
    }
    expects(
        "sem p lock «$((5-10))»",
        "$((5-10)) is out of range",
        "expected an integer from 1 to 32767",
    );
    expects(
        "shm write cnt u8@0 «$((255+1))»",
        "256 does not fit u8, which holds 0 to 255",
        "expected an integer that fits",
    );
    expects(
        "sleep «$((0-1))»",
        "this is not the argument DURATION",
        "expected a duration such as 50ms, 2s or 1m",
    );
    // 0600 is octal where a mode is written, and computed it is 600.
    expects(
        "msgq create mode=«$((600))»",
        "this is not the argument MODE",
        "expected a mode in octal up to 0777, such as 0600",
    );
}

#[test]
fn objects_that_none_can_be() {
    for (marked, message, label) in [
        (
            "msgq rm id:«2147483648»",
            "2147483648 is out of range",
            "expected an id from 0 to 2147483647",
        ),
        (
            "msgq create key:«0x100000000»",
            "0x100000000 is out of range",
            "expected a key from 0 to 0xffffffff",
        ),
        (
            "msgq rm «key:0»",
            "the key 0 is IPC_PRIVATE, which finds no object",
            "expected another key, or the object's id, such as id:32768",
        ),
        (
            "who «msgq.key:0»",
            "the key 0 is IPC_PRIVATE, which finds no object",
            "expected another key, or the object's id, such as id:32768",
        ),
        (
            "sem get «/s[1]»",
            "a POSIX semaphore has no members: POSIX has no sets",
            "expected it without the number in brackets",
        ),
        (
            "expect sem.«/s[1]».value == 1",
            "a POSIX semaphore has no members: POSIX has no sets",
            "expected it without the number in brackets",
        ),
        (
            "msgq create «/..»",
            "`/..` cannot be a message queue: it means a directory",
            "expected a message queue (NAME, id:N, key:K or /NAME)",
        ),
    ] {
        expects(marked, message, label);
    }
}

#[test]
fn comparisons_that_make_no_sense() {
    for value in ["\"abc\"", "abc", "u8:1"] {
        helps(
            &format!("expect msgq.jobs.qnum < «{value}»"),
            "only numbers can be ordered",
            "text is compared with ==, != and ~",
        );
    }
    expects(
        "expect shm.cnt.«@»8 == 1",
        "the type of the integer is missing before this",
        "expected such as u32@8",
    );
    expects(
        "let v = shm.«@»8",
        "the type of the integer is missing before this",
        "expected such as u32@8",
    );
    expects(
        "expect shm.cnt.i8@0 == «128»",
        "128 does not fit i8, which holds -128 to 127",
        "expected an integer that fits",
    );
}

#[test]
fn values_for_a_place_with_a_type() {
    for value in ["\"5\"", "u8:5", "x\"05\""] {
        helps(
            &format!("shm write cnt u8@0 «{value}»"),
            "data is no u8",
            "data is written at a place without one, such as @8",
        );
    }
}
