use std::collections::HashMap;

use super::*;
use crate::kernel::witness::{Guard, proc_row};
use crate::lang::Env;
use crate::session::Names;

fn see(id: i32, field: &str) -> Cell {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    look(&Sight::new(&names, &env, &actors), &id.into(), None, field).unwrap()
}

fn condition_of(id: i32) -> String {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    condition(&Sight::new(&names, &env, &actors), &id.into(), None)
}

#[test]
fn attachments_and_their_last_process_are_those_of_proc() {
    let segment = Guard::new(shm::get(0, 5000, 0o600, true, true), shm::remove);
    let id = segment.id;
    let me = Cell::from(std::process::id());
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    assert_eq!(see(id, "size"), Cell::Size(5000));
    assert_eq!(see(id, "cpid"), me);
    assert_eq!(see(id, "cpcmd"), Cell::text(comm.trim_end()));
    assert_eq!(see(id, "lpid"), Cell::Nothing);
    assert_eq!(see(id, "lpcmd"), Cell::Nothing);
    assert_eq!(condition_of(id), format!("id:{id} is attached 0 times"));
    let attached = shm::attach(id, true).unwrap();
    let row = proc_row("shm", id).unwrap();
    assert_eq!(see(id, "nattch"), Cell::from(row["nattch"]));
    assert_eq!(see(id, "lpid"), Cell::from(row["lpid"]));
    assert_eq!(see(id, "lpcmd"), Cell::text(comm.trim_end()));
    assert_eq!(see(id, "atime"), Cell::Time(row["atime"]));
    assert_eq!(condition_of(id), format!("id:{id} is attached once"));
    assert_eq!(see(id, "status"), Cell::Nothing);
    shm::remove(id).unwrap();
    assert_eq!(see(id, "status"), Cell::text("dest"));
    drop(attached);
    assert_eq!(condition_of(id), format!("id:{id} was removed"));
}
