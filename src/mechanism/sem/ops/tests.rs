use crate::data::{Lack, Object};
use std::time::{Duration, Instant};

use crate::kernel::{sem, witness};
use crate::mechanism::testing::Bench;

/// Runs a line in a thread, does something once `waiting` says that it waits, and gives
/// what it failed with.
#[track_caller]
fn while_it_waits(line: String, waiting: impl Fn() -> bool, then: impl Fn(i32)) -> String {
    let (send, tid) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        send.send(witness::thread_id()).unwrap();
        match Bench::new().run(&line) {
            Ok(outcome) => outcome.to_string(),
            Err(failure) => failure.to_string(),
        }
    });
    let tid = tid.recv().unwrap();
    let start = Instant::now();
    while !waiting() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "it does not wait"
        );
        std::thread::yield_now();
    }
    then(tid);
    thread.join().unwrap()
}

#[test]
fn a_lock_is_made_where_there_is_none() {
    let mut bench = Bench::new();
    let outcome = bench.ok("sem p");
    let id = bench.id("sem1");
    assert_eq!(
        outcome.notes(),
        [format!("created semaphore set sem1 (id {id}), value 1")]
    );
    assert_eq!(sem::value(id, 0), Ok(0));
    bench.ok("sem v");
    assert_eq!(sem::value(id, 0), Ok(1));

    let mut bench = Bench::new();
    let outcome = bench.ok("sem v");
    assert!(
        outcome.notes()[0].ends_with("value 0"),
        "{:?}",
        outcome.notes()
    );
    assert_eq!(sem::value(bench.id("sem1"), 0), Ok(1));

    for line in ["sem z", "sem op 0:+1"] {
        let failure = Bench::new().fails(line, "error");
        assert!(failure.to_string().contains("sem create"), "{failure}");
    }
}

#[test]
fn amounts_and_numbers_are_obeyed() {
    let mut bench = Bench::new();
    bench.ok("sem create set 0 count=3");
    let values = |bench: &Bench| sem::values(bench.id("set"), 3).unwrap();
    bench.ok("sem v set[2] 32767");
    bench.ok("sem p set[2] 32765");
    bench.ok("sem v set");
    assert_eq!(values(&bench), [1, 0, 2]);
    bench.ok("sem op set 0:-1 1:+5 2:-2 2:0");
    assert_eq!(values(&bench), [0, 5, 0]);
    bench.ok("sem z set[2]");
    bench.ok("let n = sem get set[1]");
    bench.ok("sem p set[1] $n");
    assert_eq!(values(&bench), [0, 0, 0]);
    bench.ok("let n = sem get set[1]");
    bench.fails("sem p set[1] $n", "error");
    bench.fails("sem p set 32768 --nowait", "EAGAIN");
}

#[test]
fn eagain_says_what_it_would_wait_for() {
    let mut bench = Bench::new();
    bench.ok("sem create lock");
    bench.ok("sem p lock");
    let failure = bench.fails("sem p lock --nowait", "EAGAIN");
    assert_eq!(
        failure.to_string(),
        "semop(lock, 0:-1n) = EAGAIN: it would wait: lock is 0. Raise it: sem v lock"
    );
    let lock = Object::Id(bench.id("lock"));
    assert_eq!(failure.lack.as_deref(), Some(&Lack::Value(lock, 0)));
    let start = Instant::now();
    let failure = bench.fails("sem p lock timeout=30ms", "EAGAIN");
    assert!(start.elapsed() >= Duration::from_millis(30));
    assert!(
        failure
            .to_string()
            .starts_with("semtimedop(lock, 0:-1, 30ms) = EAGAIN: it waited for 30ms: lock is 0"),
        "{failure}"
    );
    bench.ok("sem create set 1 count=2");
    let failure = bench.fails("sem op set 0:-1 1:-3 --nowait", "EAGAIN");
    assert!(
        failure
            .meaning
            .starts_with("it would wait: set[1] is 1, less than 3"),
        "{failure}"
    );
    let failure = bench.fails("sem op set 0:-1 1:0n", "EAGAIN");
    assert!(failure.meaning.contains("set[1] is 1, not 0"), "{failure}");
    let failure = bench.fails("sem z set timeout=1ms", "EAGAIN");
    assert!(
        failure
            .meaning
            .starts_with("it waited for 1ms: set[0] is 1")
    );
    bench.shows("sem get set", "\"1 1\"");
}

#[test]
fn what_cannot_be_is_named() {
    let mut bench = Bench::new();
    bench.ok("sem create set 1 count=3");
    let failure = bench.fails("sem p set[3]", "EFBIG");
    assert_eq!(
        failure.to_string(),
        "semop(set, 3:-1) = EFBIG: set has 3 semaphores, 0 to 2, and no number 3"
    );
    for line in ["sem v set[3]", "sem z set[3]", "sem op set 9:-1 0:-1"] {
        bench.fails(line, "EFBIG");
    }
    bench.ok("sem create lock 32767");
    let failure = bench.fails("sem v lock", "ERANGE");
    assert_eq!(
        failure.meaning,
        "lock is 32767, and a semaphore holds at most 32767 (semvmx)"
    );
    bench.fails("sem op lock 0:+1", "ERANGE");
    bench.fails("sem p lock[1]", "EFBIG");
    let most = sem::limits().unwrap().semopm as usize;
    let failure = bench.fails(
        &format!("sem op lock {}", "0:-1 ".repeat(most + 1)),
        "E2BIG",
    );
    assert!(failure.meaning.contains("semopm"), "{failure}");
    bench.shows("sem get lock", "32767");
    let id = bench.id("lock");
    sem::remove(id).unwrap();
    for line in ["sem p lock", "sem v lock", "sem z lock", "sem op lock 0:-1"] {
        let failure = bench.fails(line, "EINVAL");
        assert_eq!(
            failure.meaning,
            format!("the semaphore set lock (id {id}) was removed")
        );
    }
}

#[test]
fn a_removed_set_ends_the_wait() {
    let mut bench = Bench::new();
    bench.ok("sem create lock 0");
    let id = bench.id("lock");
    for (line, waits) in [
        (format!("sem p id:{id}"), sem::ncnt as fn(i32, i32) -> _),
        (format!("sem z id:{id}"), sem::zcnt),
    ] {
        bench.ok(if line.starts_with("sem z") {
            "sem set lock 1"
        } else {
            "sem set lock 0"
        });
        let end = while_it_waits(line, || waits(id, 0) == Ok(1), witness::interrupt_thread);
        assert!(
            end.ends_with("EINTR: it was interrupted while it waited"),
            "{end}"
        );
    }
    bench.ok("sem set lock 0");
    let end = while_it_waits(
        format!("sem op id:{id} 0:-1"),
        || sem::ncnt(id, 0) == Ok(1),
        |_| sem::remove(id).unwrap(),
    );
    assert_eq!(
        end,
        format!("semop(id:{id}, 0:-1) = EIDRM: the set was removed while this waited")
    );
}

#[test]
fn a_waiter_wakes_when_it_can() {
    let mut bench = Bench::new();
    bench.ok("sem create items 0");
    let id = bench.id("items");
    let end = while_it_waits(
        format!("sem p id:{id} 2"),
        || sem::ncnt(id, 0) == Ok(1),
        |_| sem::set_value(id, 0, 3).unwrap(),
    );
    assert_eq!(end, "ok");
    bench.shows("sem get", "1");
}

#[test]
fn undo_takes_it_back_at_the_end() {
    let mut bench = Bench::new();
    bench.ok("sem create lock");
    let id = bench.id("lock");
    std::thread::spawn(move || {
        witness::own_undo_list().unwrap();
        let mut bench = Bench::new();
        bench.ok(&format!("sem p id:{id} --undo"));
        assert_eq!(sem::value(id, 0), Ok(0));
    })
    .join()
    .unwrap();
    let start = Instant::now();
    while sem::value(id, 0) != Ok(1) {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "it is not taken back"
        );
        std::thread::yield_now();
    }
}
