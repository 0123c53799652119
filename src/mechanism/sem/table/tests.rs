use std::collections::HashMap;
use std::thread;

use super::*;
use crate::kernel::sem::SemOp;
use crate::kernel::witness::{Guard, Second, until};
use crate::lang::Env;
use crate::session::Names;

fn set(nsems: i32) -> Guard {
    Guard::new(sem::get(0, nsems, 0o600, true, true), sem::remove)
}

fn see(id: i32, index: Option<u32>, field: &str) -> Result<Cell, Failure> {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    look(&Sight::new(&names, &env, &actors), &id.into(), index, field)
}

fn condition_of(id: i32, index: Option<u32>) -> String {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    condition(&Sight::new(&names, &env, &actors), &id.into(), index)
}

fn waiter(id: i32, num: u16, op: i16) {
    thread::spawn(move || {
        let op = SemOp {
            num,
            op,
            ..SemOp::default()
        };
        let _ = sem::operate(id, &[op.into()], None);
    });
}

#[test]
fn one_semaphore_stands_for_its_set() {
    let set = set(1);
    assert_eq!(see(set.id, None, "pid"), Ok(Cell::Nothing));
    sem::set_value(set.id, 0, 7).unwrap();
    for index in [None, Some(0)] {
        assert_eq!(see(set.id, index, "value"), Ok(Cell::from(7)));
        assert_eq!(see(set.id, index, "pid"), Ok(std::process::id().into()));
        assert_eq!(see(set.id, index, "ncnt"), Ok(Cell::from(0)));
        // SETVAL leaves the otime at 0: the process is known all the same.
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(
            see(set.id, index, "pidcmd"),
            Ok(Cell::text(comm.trim_end()))
        );
    }
    assert_eq!(see(set.id, None, "waits"), Ok(Cell::Nothing));
    assert_eq!(see(set.id, Some(1), "value").unwrap_err().symbol(), "error");
}

#[test]
fn a_larger_set_is_seen_whole_and_one_by_one() {
    let set = set(3);
    let id = set.id;
    sem::set_values(id, &[0, 5, 2]).unwrap();
    let list = [0, 5, 2].map(Cell::from);
    assert_eq!(see(id, None, "value"), Ok(Cell::List(list.to_vec())));
    assert_eq!(see(id, Some(2), "value"), Ok(Cell::from(2)));
    waiter(id, 0, -1);
    waiter(id, 2, -3);
    waiter(id, 1, 0);
    until("three waiters", || {
        see(id, None, "waits") == Ok(Cell::text("P2 Z1"))
    });
    assert_eq!(see(id, None, "ncnt"), Ok(Cell::from(2)));
    assert_eq!(see(id, None, "zcnt"), Ok(Cell::from(1)));
    assert_eq!(see(id, Some(2), "ncnt"), Ok(Cell::from(1)));
    assert_eq!(see(id, Some(1), "zcnt"), Ok(Cell::from(1)));
    assert_eq!(see(id, Some(1), "ncnt"), Ok(Cell::from(0)));
    assert!(condition_of(id, Some(2)).starts_with(&format!("id:{id}[2] is 2, last operated by ")));
}

#[test]
fn conditions_name_the_last_operator() {
    let set = set(1);
    let id = set.id;
    assert_eq!(
        condition_of(id, None),
        format!("id:{id} is 0, and nobody has operated on it")
    );
    let second = Second::role(&["sem", &id.to_string(), "1", "no"]);
    let pid = second.child.pid();
    second.all();
    assert_eq!(
        condition_of(id, None),
        format!("id:{id} is 1, last operated by pid {pid}, which is gone")
    );
    assert_eq!(see(id, None, "pidcmd"), Ok(Cell::text("gone")));
}
