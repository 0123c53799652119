use super::*;
use crate::inspect::syscall::SyscallState;
use crate::inspect::wait::Observation;

fn sender(size: u64) -> Waiter {
    Waiter {
        pid: 7,
        tid: 7,
        comm: "sender".into(),
        wait: Wait::MsgSend {
            id: 0,
            size,
            mtype: None,
        },
        thing: Some(Thing::Msgq(0)),
        path: None,
        seen: Observation {
            state: 'S',
            syscall: SyscallState::Running,
            switches: 1,
        },
    }
}

const FULL: Seen = Seen {
    messages: 3,
    most: 12,
    bytes: 12,
    room: Some(12),
    received: (1000, 8),
};
const EMPTY: Seen = Seen {
    messages: 0,
    bytes: 0,
    ..FULL
};

#[test]
fn a_queue_is_stuck_where_nothing_has_changed() {
    let waits = sender(4);
    assert!(FULL.is_stuck_since(&FULL, &[&waits]));
    assert!(FULL.is_stuck_since(&FULL, &[]));
    let many = Seen {
        messages: 12,
        ..EMPTY
    };
    assert!(many.is_stuck_since(&many, &[&sender(0)]));
    // It has room, and never enough for this message.
    assert!(EMPTY.is_stuck_since(&EMPTY, &[&sender(13)]));
}

#[test]
fn a_queue_that_flows_is_not() {
    let waits = sender(4);
    for received in [(1001, 8), (1000, 9)] {
        let later = Seen { received, ..FULL };
        assert!(!later.is_stuck_since(&FULL, &[&waits]), "{later:?}");
    }
    let fewer = Seen {
        messages: 2,
        ..FULL
    };
    assert!(!fewer.is_stuck_since(&FULL, &[&waits]));
    // Who waits is about to be woken.
    assert!(!EMPTY.is_stuck_since(&EMPTY, &[&waits]));
    assert!(!EMPTY.is_stuck_since(&FULL, &[]));
}

#[test]
fn a_posix_queue_counts_messages_alone() {
    let full = Seen {
        messages: 2,
        most: 2,
        room: None,
        ..FULL
    };
    let sender = Waiter {
        wait: Wait::MqSend { fd: 3 },
        ..sender(0)
    };
    assert!(full.is_stuck_since(&full, &[&sender]));
    let used = Seen {
        received: (1001, 0),
        ..full
    };
    assert!(!used.is_stuck_since(&full, &[&sender]));
    let room = Seen {
        messages: 1,
        ..full
    };
    assert!(!room.is_stuck_since(&room, &[&sender]));
}

#[test]
fn those_who_wait_are_counted() {
    assert_eq!([wait(0), wait(1), wait(2)], ["0 wait", "1 waits", "2 wait"]);
}
