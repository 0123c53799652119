use std::collections::HashMap;
use std::thread;

use super::*;
use crate::kernel::witness::{Guard, proc_row};
use crate::mechanism::testing::{Bench, again_as_nobody, handed_over};

/// Whether this kernel copies messages at all.
fn copies(bench: &mut Bench) -> bool {
    let symbol = bench
        .look("msgq peek")
        .err()
        .map(|f| f.symbol().to_string());
    if symbol.as_deref() == Some("ENOSYS") {
        eprintln!("skipped: the kernel has no MSG_COPY");
        return false;
    }
    true
}

#[track_caller]
fn peeked(bench: &mut Bench, line: &str, outcome: &str) {
    let reply = bench.look(line).unwrap_or_else(|f| panic!("{line}: {f}"));
    assert_eq!(reply.outcome.to_string(), outcome, "{line}");
}

#[track_caller]
fn refused(bench: &mut Bench, line: &str, symbol: &str, meaning: &str) {
    let failure = bench.look(line).unwrap_err();
    assert_eq!((failure.symbol(), &*failure.meaning), (symbol, meaning));
}

#[test]
fn looking_changes_no_field_and_takes_no_message() {
    let mut bench = Bench::new();
    bench.ok("msgq create jobs");
    if !copies(&mut bench) {
        return;
    }
    let id = bench.id("jobs");
    for line in [
        "msgq send 5 \"five\"",
        "msgq send 3 \"\"",
        "msgq send 5 x\"ff 00\"",
        // One that was received, so that lrpid and rtime say something.
        "msgq send 9 \"gone\"",
        "msgq recv 9",
    ] {
        bench.ok(line);
    }
    let row = proc_row("msg", id);
    let stat = msg::stat(id);
    peeked(&mut bench, "msgq peek", "type=5 \"five\"");
    peeked(&mut bench, "msgq peek 0", "type=5 \"five\"");
    peeked(&mut bench, "msgq peek jobs 1", "type=3 \"\"");
    peeked(&mut bench, "msgq peek jobs 2", "type=5 x\"ff 00\"");
    let reply = bench.look("msgq peek --all").unwrap();
    let [table] = reply.tables.as_slice() else {
        panic!("{reply:?}");
    };
    let rows: Vec<String> = table
        .rows()
        .map(|r| format!("{} {} {} {}", r[0], r[1], r[2], r[3]))
        .collect();
    assert_eq!(rows, ["0 5 4 \"five\"", "1 3 0 \"\"", "2 5 2 x\"ff 00\""]);
    assert!(table.footer.is_empty());
    refused(
        &mut bench,
        "msgq peek 3",
        "ENOMSG",
        "the queue holds 3 messages, at places 0 to 2, and none at 3",
    );
    assert_eq!(msg::stat(id), stat, "something changed");
    assert_eq!(proc_row("msg", id), row, "something changed");
    bench.shows("msgq recv", "type=5 \"five\"");
    bench.shows("msgq recv", "type=3 \"\"");
    bench.shows("msgq recv", "type=5 x\"ff 00\"");
    refused(&mut bench, "msgq peek", "ENOMSG", "the queue is empty");
    let reply = bench.look("msgq peek --all").unwrap();
    assert!(reply.tables[0].is_empty());
}

#[test]
fn what_cannot_be_looked_at_says_why() {
    let mut bench = Bench::new();
    refused(
        &mut bench,
        "msgq peek",
        "error",
        "there is no current message queue",
    );
    bench.ok("msgq create jobs");
    if !copies(&mut bench) {
        return;
    }
    bench.ok("msgq send 1 \"1\"");
    refused(
        &mut bench,
        "msgq peek 9223372036854775807",
        "ENOMSG",
        "the queue holds 1 message, at place 0, and none at 9223372036854775807",
    );
    let id = bench.id("jobs");
    msg::remove(id).unwrap();
    let gone = format!("there is no message queue with id {id}");
    refused(&mut bench, "msgq peek jobs", "EINVAL", &gone);
    refused(&mut bench, "msgq peek jobs --all", "EINVAL", &gone);
}

#[test]
fn a_message_larger_than_the_first_buffer_is_seen_whole() {
    let mut bench = Bench::new();
    bench.ok("msgq create jobs");
    if !copies(&mut bench) {
        return;
    }
    let len = msg::limits().unwrap().msgmax.min(8192) as usize;
    let id = bench.id("jobs");
    let text: Vec<u8> = (0..len).map(|i| i as u8).collect();
    bench.world.mailbox.send(id, 1, &text, true).unwrap();
    let reply = bench.look("msgq peek").unwrap();
    assert_eq!(reply.outcome.value, Some(Cell::Data(text)));
}

#[test]
fn a_mode_that_keeps_us_out_is_named() {
    let Some(id) = handed_over() else {
        let queue = Guard::new(msg::get(0, 0, true, true), msg::remove);
        if nix::unistd::geteuid().is_root() {
            let name = "mechanism::msgq::peek::tests::a_mode_that_keeps_us_out_is_named";
            return again_as_nobody(name, &queue.id.to_string());
        }
        return keeps_out(&queue.id.to_string());
    };
    keeps_out(&id);
}

fn keeps_out(id: &str) {
    let mut bench = Bench::new();
    let failure = bench.look(&format!("msgq peek id:{id}")).unwrap_err();
    if failure.symbol() == "ENOSYS" {
        return;
    }
    assert_eq!(failure.symbol(), "EACCES", "{failure}");
    assert!(failure.meaning.contains("its mode is 0000"), "{failure}");
}

#[test]
fn a_busy_queue_is_never_taken_for_a_quiet_one() {
    let queue = Guard::new(msg::get(0, 0o600, true, true), msg::remove);
    let id = queue.id;
    let busy = thread::spawn(move || {
        let mut mailbox = Mailbox::new(64);
        for i in 1_i64.. {
            // Each message has its own type and its own length.
            let text = [0; 61];
            let sent = mailbox.send(id, i, &text[..(i % 61) as usize], true);
            // It ends with the queue, also where the test fails.
            if matches!(sent, Err(Errno::EINVAL | Errno::EIDRM)) {
                break;
            }
            if i % 3 == 0 {
                let _ = mailbox.receive(
                    id,
                    64,
                    0,
                    msg::Receive {
                        nowait: true,
                        ..Default::default()
                    },
                );
            }
        }
    });
    for _ in 0..10 {
        let gone = |errno: Errno, _| Failure::refused(errno.desc());
        let Ok((messages, settled)) = all(id, || Ok(()), gone) else {
            break;
        };
        let mut seen = HashMap::new();
        for message in &messages {
            assert_eq!(message.data.len() as i64, message.mtype % 61);
            *seen.entry(message.mtype).or_insert(0) += 1;
        }
        if settled {
            assert!(seen.values().all(|n| *n == 1), "one stands there twice");
        }
    }
    drop(queue);
    busy.join().unwrap();
}

#[test]
fn who_looks_at_many_messages_can_be_stopped() {
    let queue = Guard::new(msg::get(0, 0o600, true, true), msg::remove);
    let mut mailbox = Mailbox::new(1);
    mailbox.send(queue.id, 1, b"", true).unwrap();
    mailbox.send(queue.id, 1, b"", true).unwrap();
    let gone = |errno: Errno, _| Failure::refused(errno.desc());
    let left = std::cell::Cell::new(1);
    let go_on = || match left.replace(left.get() - 1) {
        0 => Err(Failure::refused("interrupted")),
        _ => Ok(()),
    };
    let stopped = all(queue.id, go_on, gone).map(|(messages, _)| messages.len());
    assert_eq!(stopped.map_err(|f| f.meaning), Err("interrupted".into()));
}

#[test]
fn a_buffer_that_is_too_small_is_told_which_would_do() {
    let mut bench = Bench::new();
    bench.ok("msgq create jobs");
    if !copies(&mut bench) {
        return;
    }
    for (mtype, length) in [(5, 3), (2, 300), (5, 40), (2, 7)] {
        let text = "x".repeat(length);
        bench.ok(&format!("msgq send {mtype} \"{text}\""));
    }
    for (recv, length) in [
        ("", 3),
        ("5", 3),
        ("2", 300),
        ("-9", 300),
        ("5 --except", 300),
        ("2 --except", 3),
    ] {
        let failure = bench.fails(&format!("msgq recv {recv} max=0"), "E2BIG");
        let help = failure.help.unwrap();
        assert!(help.contains(&format!("(max={length})")), "{recv}: {help}");
    }
    bench.shows("msgq recv max=3", "type=5 \"xxx\"");
}
