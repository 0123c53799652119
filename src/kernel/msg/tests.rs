//! The witnesses: `/proc/sysvipc/msg`, `/proc/sys/kernel`, and what the kernel then refuses.

use super::*;
use crate::kernel::sysv::{IPC_PRIVATE, PermSet};
use crate::kernel::witness::{Guard, proc_row, proc_rows, sysctl};
use crate::kernel::{process, witness};

fn queue(mode: u32) -> Guard {
    Guard::new(get(IPC_PRIVATE, mode, true, true), remove)
}

const NOWAIT: Receive = Receive {
    nowait: true,
    noerror: false,
    except: false,
    copy: false,
};

#[track_caller]
fn agrees_with_proc(stat: &MsgStat) {
    let row = proc_row("msg", stat.id).expect("not in /proc/sysvipc/msg");
    assert_eq!(row["key"], i64::from(stat.perm.key));
    assert_eq!(row["perms"], i64::from(stat.perm.mode));
    assert_eq!(row["uid"], i64::from(stat.perm.uid));
    assert_eq!(row["gid"], i64::from(stat.perm.gid));
    assert_eq!(row["cuid"], i64::from(stat.perm.cuid));
    assert_eq!(row["cgid"], i64::from(stat.perm.cgid));
    assert_eq!(row["cbytes"], stat.cbytes as i64);
    assert_eq!(row["qnum"], stat.qnum as i64);
    assert_eq!(row["lspid"], i64::from(stat.lspid));
    assert_eq!(row["lrpid"], i64::from(stat.lrpid));
    assert_eq!(row["stime"], stat.stime);
    assert_eq!(row["rtime"], stat.rtime);
    assert_eq!(row["ctime"], stat.ctime);
}

#[test]
fn a_queue_is_as_proc_shows_it() {
    let q = queue(0o640);
    let new = stat(q.id).unwrap();
    agrees_with_proc(&new);
    assert_eq!(
        (new.perm.mode, new.qnum, new.lspid, new.stime),
        (0o640, 0, 0, 0)
    );
    assert_eq!(new.qbytes, sysctl("msgmnb")[0]);

    let mut mail = Mailbox::new(16);
    mail.send(q.id, 7, b"hello", true).unwrap();
    mail.send(q.id, 8, b"", true).unwrap();
    let full = stat(q.id).unwrap();
    agrees_with_proc(&full);
    assert_eq!((full.qnum, full.cbytes), (2, 5));
    assert_eq!(full.lspid, std::process::id() as i32);

    assert_eq!(
        mail.receive(q.id, 16, 0, NOWAIT),
        Ok(Message {
            mtype: 7,
            data: b"hello"
        })
    );
    assert_eq!(
        mail.receive(q.id, 0, 0, NOWAIT),
        Ok(Message {
            mtype: 8,
            data: b""
        })
    );
    assert_eq!(mail.receive(q.id, 16, 0, NOWAIT), Err(Errno::ENOMSG));
    let empty = stat(q.id).unwrap();
    agrees_with_proc(&empty);
    assert_eq!((empty.qnum, empty.lrpid), (0, std::process::id() as i32));
}

#[test]
fn the_same_queue_is_found_by_key_by_index_and_without_permission() {
    let key = 0x6b00_0000 | std::process::id() as i32;
    let q = Guard::new(get(key, 0o600, true, true), remove);
    assert_eq!(proc_row("msg", q.id).unwrap()["key"], i64::from(key));
    assert_eq!(get(key, 0, false, false), Ok(q.id));
    assert_eq!(get(key, 0o600, true, true), Err(Errno::EEXIST));

    set(
        q.id,
        &PermSet {
            mode: Some(0),
            ..PermSet::default()
        },
        None,
    )
    .unwrap();
    let highest = info().unwrap().highest_index;
    let found = (0..=highest)
        .filter_map(|index| stat_any(index).ok())
        .find(|stat| stat.id == q.id);
    let found = found.expect("not found by index");
    agrees_with_proc(&found);
    assert_eq!(stat_any_id(q.id), Ok(found));
    let permitted = if process::geteuid() == 0 {
        Ok(found)
    } else {
        Err(Errno::EACCES)
    };
    assert_eq!(stat(q.id), permitted);

    remove(q.id).unwrap();
    assert_eq!(proc_row("msg", q.id), None);
    assert!(matches!(
        stat_any_id(q.id),
        Err(Errno::EINVAL | Errno::EIDRM)
    ));
    assert_eq!(get(key, 0, false, false), Err(Errno::ENOENT));
}

#[test]
fn set_changes_only_what_it_is_given() {
    let q = queue(0o600);
    set(
        q.id,
        &PermSet {
            mode: Some(0o644),
            ..PermSet::default()
        },
        Some(3),
    )
    .unwrap();
    let after = stat(q.id).unwrap();
    agrees_with_proc(&after);
    assert_eq!(
        (after.perm.mode, after.qbytes, after.perm.uid),
        (0o644, 3, process::geteuid())
    );
    let mut mail = Mailbox::new(0);
    assert_eq!(
        mail.send(q.id, 1, b"four", true),
        Err(Errno::EAGAIN),
        "more than qbytes"
    );
    mail.send(q.id, 1, b"333", true).unwrap();
    if process::geteuid() == 0 {
        set(
            q.id,
            &PermSet {
                uid: Some(1),
                gid: Some(2),
                mode: None,
            },
            None,
        )
        .unwrap();
        let given = stat(q.id).unwrap();
        agrees_with_proc(&given);
        assert_eq!(
            (
                given.perm.uid,
                given.perm.gid,
                given.perm.mode,
                given.qbytes
            ),
            (1, 2, 0o644, 3)
        );
    }
}

#[test]
fn types_lengths_and_flags_choose_the_message() {
    let q = queue(0o600);
    let mut mail = Mailbox::new(0);
    for (mtype, text) in [(5, "five"), (3, "three"), (4, "four"), (3, "again")] {
        mail.send(q.id, mtype, text.as_bytes(), true).unwrap();
    }
    let mut next = |max, mtype, how| {
        mail.receive(q.id, max, mtype, how)
            .map(|m| (m.mtype, String::from_utf8(m.data.to_vec()).unwrap()))
    };
    let copied = next(
        99,
        1,
        Receive {
            copy: true,
            ..NOWAIT
        },
    );
    if copied != Err(Errno::ENOSYS) {
        assert_eq!(copied, Ok((3, "three".into())));
        assert_eq!(
            next(
                99,
                9,
                Receive {
                    copy: true,
                    ..NOWAIT
                }
            ),
            Err(Errno::ENOMSG)
        );
    }
    assert_eq!(
        proc_row("msg", q.id).unwrap()["qnum"],
        4,
        "copies took nothing"
    );
    assert_eq!(next(3, 4, NOWAIT), Err(Errno::E2BIG));
    assert_eq!(
        next(
            3,
            4,
            Receive {
                noerror: true,
                ..NOWAIT
            }
        ),
        Ok((4, "fou".into()))
    );
    assert_eq!(next(99, 3, NOWAIT), Ok((3, "three".into())));
    assert_eq!(
        next(
            99,
            5,
            Receive {
                except: true,
                ..NOWAIT
            }
        ),
        Ok((3, "again".into()))
    );
    assert_eq!(next(99, -9, NOWAIT), Ok((5, "five".into())));
    assert_eq!(next(usize::MAX, 0, NOWAIT), Err(Errno::EINVAL));
    assert_eq!(next(isize::MAX as usize, 0, NOWAIT), Err(Errno::ENOMSG));
    assert_eq!(mail.send(q.id, 0, b"", true), Err(Errno::EINVAL));
    assert!(
        mail.capacity() <= FIRST_BUFFER,
        "no absurd buffer for an absurd size"
    );
}

#[test]
fn a_message_longer_than_the_first_buffer_comes_whole() {
    let len = FIRST_BUFFER * 5 + 3;
    let q = queue(0o600);
    if limits().unwrap().msgmax < len as u64 {
        return eprintln!("skipped: this host's msgmax is below {len}");
    }
    let text: Vec<u8> = (0..len).map(|i| i as u8).collect();
    let mut mail = Mailbox::new(0);
    for noerror in [false, true] {
        mail.send(q.id, 1, &text, true).unwrap();
        mail = Mailbox::new(0);
        let got = mail
            .receive(q.id, len, 0, Receive { noerror, ..NOWAIT })
            .unwrap();
        assert!(got.data == text);
    }
}

#[test]
fn limits_are_those_of_proc() {
    let limits = limits().unwrap();
    assert_eq!([limits.msgmax], *sysctl("msgmax"));
    assert_eq!([limits.msgmnb], *sysctl("msgmnb"));
    assert_eq!([limits.msgmni], *sysctl("msgmni"));
}

#[test]
fn info_counts_what_proc_lists() {
    let q = queue(0o600);
    Mailbox::new(0).send(q.id, 1, b"counted", true).unwrap();
    // Others make and remove queues meanwhile.
    witness::until("info agrees with /proc", || {
        let rows = proc_rows("msg");
        let sum = |column: &str| rows.iter().map(|row| row[column] as u64).sum::<u64>();
        let info = info().unwrap();
        (info.queues, info.messages, info.bytes) == (rows.len() as u64, sum("qnum"), sum("cbytes"))
    });
}
