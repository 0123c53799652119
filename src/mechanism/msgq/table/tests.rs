use std::collections::HashMap;
use std::thread;

use super::*;
use crate::inspect::snapshot::Snapshot;
use crate::kernel::msg::{Mailbox, Receive};
use crate::kernel::witness::{Guard, until};
use crate::lang::Env;
use crate::mechanism::testing::as_ordinary_user;
use crate::session::Names;

fn queue() -> Guard {
    Guard::new(msg::get(0, 0o600, true, true), msg::remove)
}

/// What a fresh look sees of a field.
fn see(id: i32, field: &str) -> Cell {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    look(&Sight::new(&names, &env, &actors), &id.into(), None, field).unwrap()
}

fn condition_of(id: i32, blocked: Option<&Wait>) -> String {
    let (names, env) = (Names::default(), Env::default());
    let actors = HashMap::from([(std::process::id().cast_signed(), "b".to_string())]);
    let mut sight = Sight::new(&names, &env, &actors);
    sight.blocked = blocked.map(|wait| (1, wait));
    condition(&sight, &id.into(), None)
}

/// Where everything can be seen; an ordinary user sees no more than its own waiters.
fn nobody_waits(id: i32) {
    let seen = see(id, "waits");
    assert!(matches!(seen, Cell::Nothing | Cell::Unknown), "{seen:?}");
}

#[test]
fn receivers_and_senders_are_counted() {
    let queue = queue();
    nobody_waits(queue.id);
    let id = queue.id;
    for _ in 0..2 {
        thread::spawn(move || {
            let _ = Mailbox::new(16).receive(id, 16, 7, Receive::default());
        });
    }
    until("two receivers", || see(id, "waits") == Cell::text("R2"));
    assert_eq!(see(id, "rwait"), Cell::from(2));
    // Root may for a moment not look into who is about to end, and others into many.
    let senders = see(id, "swait");
    assert!(
        [Cell::from(0), Cell::Unknown].contains(&senders),
        "{senders:?}"
    );
    let qbytes = msg::stat(id).unwrap().qbytes as usize;
    // Not of the type that they wait for.
    for _ in 0..qbytes / 8 {
        Mailbox::new(8).send(id, 1, b"12345678", true).unwrap();
    }
    thread::spawn(move || {
        let _ = Mailbox::new(8).send(id, 1, b"12345678", false);
    });
    until("a sender", || see(id, "waits") == Cell::text("R2 S1"));
    // Dropping the queue wakes all of them.
}

#[test]
fn who_cannot_see_all_knows_of_those_that_it_sees() {
    let name = "mechanism::msgq::table::tests::who_cannot_see_all_knows_of_those_that_it_sees";
    if !as_ordinary_user(name) {
        return;
    }
    if Snapshot::default().waiters().unreadable == 0 {
        return eprintln!("skipped: this user may look into every process");
    }
    let queue = queue();
    let id = queue.id;
    thread::spawn(move || {
        let _ = Mailbox::new(16).receive(id, 16, 7, Receive::default());
    });
    until("a receiver", || see(id, "waits") == Cell::text("R1"));
    assert_eq!(see(id, "rwait"), Cell::from(1));
    assert_eq!(see(id, "swait"), Cell::Unknown);
}

#[test]
fn conditions_say_what_is_waited_for_and_who_was_there_last() {
    let queue = queue();
    let id = queue.id;
    let me = format!("b (pid {})", std::process::id());
    assert_eq!(condition_of(id, None), format!("id:{id} is empty"));
    Mailbox::new(8).send(id, 1, b"1", true).unwrap();
    assert_eq!(
        condition_of(id, None),
        format!("id:{id} holds 1 message, last sent to by {me}")
    );
    let receive = Wait::MsgReceive {
        id,
        mtype: 7,
        size: 8,
        flags: 0,
    };
    assert_eq!(
        condition_of(id, Some(&receive)),
        format!("id:{id} holds 1 message, which does not match, last sent to by {me}")
    );
    Mailbox::new(8).send(id, 1, b"2", true).unwrap();
    Mailbox::new(8)
        .receive(id, 8, 0, Receive::default())
        .unwrap();
    let send = Wait::MsgSend {
        id,
        size: 8,
        mtype: None,
    };
    let qbytes = msg::stat(id).unwrap().qbytes;
    assert_eq!(
        condition_of(id, Some(&send)),
        format!(
            "id:{id} has room by now (1 of {qbytes} bytes, 1 message), last received from by {me}"
        )
    );
    let send = Wait::MsgSend {
        id,
        size: qbytes,
        mtype: None,
    };
    assert_eq!(
        condition_of(id, Some(&send)),
        format!("id:{id} is full (1 of {qbytes} bytes, 1 message), last received from by {me}")
    );
    Mailbox::new(8)
        .receive(id, 8, 0, Receive::default())
        .unwrap();
    assert_eq!(
        condition_of(id, Some(&receive)),
        format!("id:{id} is empty, last sent to by {me}")
    );
}

#[test]
fn the_last_operators_are_named() {
    let queue = queue();
    assert_eq!(see(queue.id, "lspid"), Cell::Nothing);
    assert_eq!(see(queue.id, "lscmd"), Cell::Nothing);
    Mailbox::new(8).send(queue.id, 1, b"1", true).unwrap();
    assert_eq!(see(queue.id, "lspid"), Cell::from(std::process::id()));
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    assert_eq!(see(queue.id, "lscmd"), Cell::text(comm.trim_end()));
    assert_eq!(see(queue.id, "lrcmd"), Cell::Nothing);
    assert_eq!(see(queue.id, "cbytes"), Cell::Size(1));
}
