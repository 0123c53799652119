use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::inspect::witness::{Witness, skip, until};

const STAT: &str = "7356 (sleep) S 7354 7354 4317 0 -1 4194304 128 0 1 0 3 4 0 0 20 0 1 0 252629 \
                    2990080 413 18446744073709551615 94734693040128\n";

fn me() -> i32 {
    std::process::id().cast_signed()
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[test]
fn fields_stand_where_the_manual_says() {
    assert_eq!(
        parse_stat(STAT.as_bytes()),
        Some(ThreadStat {
            state: 'S',
            comm: "sleep".into(),
            ppid: 7354,
            flags: 4194304,
            utime: 3,
            stime: 4,
            starttime: 252629,
        })
    );
}

#[test]
fn a_name_cannot_pass_for_fields() {
    for comm in [
        "a) S (b",
        ")",
        "(",
        "",
        ") R 1 2 3",
        "x\ny) Z",
        "a  b",
        "))))",
    ] {
        let line = STAT.replace("(sleep)", &format!("({comm})"));
        let stat = parse_stat(line.as_bytes());
        let seen = stat.map(|stat| (stat.state, stat.comm, stat.starttime));
        assert_eq!(seen, Some(('S', comm.to_string(), 252629)));
    }
    let line = [
        b"1 (\xff\xfe) S",
        &STAT.as_bytes()["7356 (sleep) S".len()..],
    ]
    .concat();
    assert_eq!(parse_stat(&line).map(|stat| stat.ppid), Some(7354));
}

#[test]
fn no_stat_makes_it_panic() {
    for at in 0..STAT.len() {
        parse_stat(&STAT.as_bytes()[..at]);
        for byte in [0, b' ', b'-', b'(', b')', b'9', 0xff] {
            let mut bytes = STAT.as_bytes().to_vec();
            bytes[at] = byte;
            parse_stat(&bytes);
        }
    }
    assert_eq!(parse_stat(b")("), None);
}

#[test]
fn status_lines() {
    let status = b"Name:\tUid:\\nUid:\nUid:\t1\t2\t3\t4\nvoluntary_ctxt_switches:\t40\n\
                   nonvoluntary_ctxt_switches:\t2\n";
    assert_eq!(parse_switches(status), Some(42));
    assert_eq!(parse_schedstat(b"2037 18 7\n"), Some(7));
    assert_eq!(parse_schedstat(b"2037 18"), None);
    assert_eq!(parse_uid(status), Some(2));
    for status in [
        &b""[..],
        b"Uid:\t1\n",
        b"Uid:\tx\t2\n",
        b"voluntary_ctxt_switches:\t1",
    ] {
        assert_eq!(parse_switches(status), None);
        assert_eq!(parse_uid(status), None);
    }
}

#[test]
fn a_real_child_with_a_nasty_name() {
    let program = r#"$0 = "a) S (b"; print "ready\n"; $| = 1; print ""; sleep 100"#;
    let Some(mut child) = Witness::start("perl", &["-e", program]) else {
        return skip("no perl");
    };
    assert_eq!(child.line().as_deref(), Some("ready"));
    let pid = child.pid();
    child.blocked();
    let stat = thread_stat(pid, pid).ok();
    let seen = stat.map(|stat| (stat.comm, stat.state, stat.ppid));
    assert_eq!(seen, Some(("a) S (b".into(), 'S', me())));
    assert_eq!(command(pid).as_deref(), Some("a) S (b"));
    assert_eq!(uid(pid), Some(nix::unistd::geteuid().as_raw()));
    assert!(pids().any(|each| each == pid));
    assert!(threads(pid).is_ok_and(|mut threads| threads.next() == Some(pid)));
    assert!(ipc_namespace(pid).is_some());
    assert_eq!(ipc_namespace(pid), ipc_namespace(me()));
}

#[test]
fn a_thread_has_its_own_name() {
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("own-name".into());
    let tid = nix::unistd::gettid().as_raw();
    let handle = thread.spawn(move || {
        let own = nix::unistd::gettid().as_raw();
        let stat = thread_stat(me(), own);
        let _ = send.send((own, stat.ok().map(|stat| (stat.comm, stat.state))));
    });
    assert!(handle.is_ok());
    let (own, seen) = receive.recv().unwrap_or((0, None));
    assert_ne!(own, tid);
    assert_eq!(seen, Some(("own-name".into(), 'R')));
}

#[test]
fn switches_grow_as_it_runs() {
    let (me, tid) = (me(), nix::unistd::gettid().as_raw());
    let before = switches(me, tid).ok();
    assert!(before.is_some());
    until("a switch", || {
        std::thread::sleep(std::time::Duration::from_millis(1));
        (switches(me, tid).ok() > before).then_some(())
    });
}

#[test]
fn a_start_is_known_to_a_second_or_two() {
    let before = now();
    let Some(child) = Witness::start("sleep", &["100"]) else {
        return skip("no sleep");
    };
    let after = now();
    let start = start_of(&thread_stat(child.pid(), child.pid()).unwrap());
    assert!(
        start.is_some_and(|start| start > before - 2.0 && start < after + 2.0),
        "{before} {start:?} {after}"
    );
    assert!(ticks_per_second() >= 1);
}

#[test]
fn whether_a_pid_still_means_the_same() {
    let Some(mut child) = Witness::start("sleep", &["100"]) else {
        return skip("no sleep");
    };
    let pid = child.pid();
    let certainty = |when| last_operator(pid, when).map(|operator| operator.certainty);
    let started = now() as i64;
    // The operation's time is cut to a second, so it may seem to be before the start.
    for when in [started - 1, started, started + 1, i64::MAX] {
        assert_eq!(certainty(when), Some(Certainty::Alive));
    }
    let boot = boot_time().unwrap() as i64;
    for when in [started - 10, boot + 1] {
        assert_eq!(certainty(when), Some(Certainty::Recycled));
    }
    // No object is older than the boot: the clock has been set since.
    for when in [boot - 10, 0, i64::MIN] {
        assert_eq!(certainty(when), Some(Certainty::Alive));
    }
    let operator = last_operator(me(), now() as i64);
    assert_eq!(operator.and_then(|operator| operator.comm), command(me()));

    assert!(child.0.kill().is_ok());
    until("zombie", || {
        thread_stat(pid, pid).ok()?.is_dead().then_some(())
    });
    assert_eq!(certainty(now() as i64), Some(Certainty::Gone));
    assert!(child.0.wait().is_ok());
    assert_eq!(certainty(now() as i64), Some(Certainty::Gone));
}

#[test]
fn nobody_has_operated_yet() {
    assert_eq!(last_operator(0, 0), None);
    assert_eq!(last_operator(-1, 0), None);
}

#[test]
fn what_is_gone_is_no_panic() {
    assert!(thread_stat(i32::MAX, i32::MAX).is_err());
    assert!(switches(i32::MAX, i32::MAX).is_err());
    assert!(threads(i32::MAX).is_err());
    assert_eq!(command(i32::MAX), None);
    assert_eq!(uid(i32::MAX), None);
    assert_eq!(ipc_namespace(i32::MAX), None);
}

#[test]
fn kernel_threads_are_told_apart() {
    let mine = thread_stat(me(), me()).map(|stat| stat.is_kernel_thread());
    assert_eq!(mine.ok(), Some(false));
    match thread_stat(2, 2) {
        Ok(stat) if stat.comm == "kthreadd" => assert!(stat.is_kernel_thread()),
        _ => skip("kthreadd is not in this pid namespace"),
    }
}
