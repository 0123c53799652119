use std::collections::HashMap;
use std::process::Command;

use super::*;
use crate::kernel::witness::{Guard, proc_row};
use crate::kernel::{msg, sem, shm};
use crate::lang::Env;
use crate::mechanism::testing::{again_as_nobody, handed_over};
use crate::mechanism::{ObjectKind, system_v};
use crate::session::{Binding, Names};

/// The kinds of System V objects, in the order of [`Family::SYSTEM_V`].
fn kinds() -> [&'static ObjectKind; 3] {
    Family::SYSTEM_V.map(|family| system_v(family).unwrap())
}

/// One object of each of them.
fn objects(mode: u32) -> [Guard; 3] {
    [
        Guard::new(msg::get(0, mode, true, true), msg::remove),
        Guard::new(shm::get(0, 5000, mode, true, true), shm::remove),
        Guard::new(sem::get(0, 1, mode, true, true), sem::remove),
    ]
}

const PROC: [&str; 3] = ["msg", "shm", "sem"];

#[test]
fn every_number_is_that_of_proc() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    for ((kind, object), file) in kinds().iter().zip(objects(0o640)).zip(PROC) {
        let row = proc_row(file, object.id).unwrap();
        let mut compared = 0;
        for column in (kind.fields)() {
            let Some(said) = row.get(column.name) else {
                continue;
            };
            let cell = (kind.look)(&sight, &object.id.into(), None, column.name).unwrap();
            let seen = match cell {
                Cell::Nothing => 0,
                cell => cell.as_int().unwrap(),
            };
            assert_eq!(seen, i128::from(*said), "{file} {}", column.name);
            compared += 1;
        }
        assert!(compared >= 9, "{file}: only {compared} are in {row:?}");
    }
}

#[test]
fn ipcs_lists_the_same_ids() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    for ((kind, object), flag) in kinds().iter().zip(objects(0o600)).zip(["-q", "-m", "-s"]) {
        let listing = Listing {
            columns: vec!["id".into(), "key".into()],
        };
        let table = (kind.list)(&sight, &listing).unwrap();
        let row = [Cell::from(object.id), Cell::Key(0)];
        assert!(table.rows().any(|r| r == row), "{table:?}");
        let Ok(output) = Command::new("ipcs").arg(flag).output() else {
            eprintln!("skipped: there is no ipcs");
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = object.id.to_string();
        let mut ids = text.lines().filter_map(|l| l.split_whitespace().nth(1));
        assert!(ids.any(|seen| seen == id), "{text}");
    }
}

#[test]
fn names_are_those_of_the_session() {
    let (mut names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let guards = objects(0o600);
    for (kind, object) in kinds().iter().zip(&guards) {
        let binding = Binding {
            object: object.id.into(),
            key: 0,
            entry: None,
        };
        names.bind(kind.family, "mine", binding);
    }
    let sight = Sight::new(&names, &env, &actors);
    for (kind, object) in kinds().iter().zip(&guards) {
        let look = |field| (kind.look)(&sight, &object.id.into(), None, field).unwrap();
        assert_eq!(look("name"), Cell::text("mine"));
        let me = sight.user(nix::unistd::geteuid().as_raw());
        assert_eq!(look("owner"), Cell::Text(me));
        assert!((kind.condition)(&sight, &object.id.into(), None).starts_with("mine "));
    }
}

#[test]
fn what_is_gone_is_said_to_be() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    for (kind, object) in kinds().iter().zip(objects(0o600)) {
        let id = object.id;
        drop(object);
        let failure = (kind.look)(&sight, &id.into(), None, "id").unwrap_err();
        assert_eq!(failure.symbol(), "EINVAL");
        let what = kind.family.object();
        assert_eq!(failure.meaning, format!("there is no {what} with id {id}"));
        assert!((kind.info)(&sight, &id.into()).is_err());
        let condition = (kind.condition)(&sight, &id.into(), None);
        assert_eq!(condition, format!("id:{id} was removed"));
    }
}

#[test]
fn a_column_that_is_none_names_the_closest() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    for (family, slip, meant) in [
        (Family::Msgq, "qnun", "qnum"),
        (Family::Shm, "natch", "nattch"),
        (Family::Sem, "nsem", "nsems"),
    ] {
        let listing = Listing {
            columns: vec![slip.into()],
        };
        let failure = (system_v(family).unwrap().list)(&sight, &listing).unwrap_err();
        assert_eq!(failure.symbol(), "error");
        assert_eq!(failure.help, Some(format!("Did you mean `{meant}`?")));
    }
}

#[test]
fn the_usual_columns_are_all_there() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    for (family, count) in [(Family::Msgq, 13), (Family::Shm, 12), (Family::Sem, 10)] {
        let table = (system_v(family).unwrap().list)(&sight, &Listing::default()).unwrap();
        assert_eq!(table.columns.len(), count, "{:?}", table.columns);
    }
}

#[test]
fn what_may_not_be_read_is_listed_all_the_same() {
    let Some(ids) = handed_over() else {
        let guards = objects(0);
        if !nix::unistd::geteuid().is_root() {
            return unreadable(&guards.each_ref().map(|g| g.id));
        }
        let ids: Vec<String> = guards.iter().map(|g| g.id.to_string()).collect();
        let name = "mechanism::fields::tests::what_may_not_be_read_is_listed_all_the_same";
        return again_as_nobody(name, &ids.join(" "));
    };
    let ids: Vec<i32> = ids.split(' ').map(|id| id.parse().unwrap()).collect();
    unreadable(&ids);
}

fn unreadable(ids: &[i32]) {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    for (kind, id) in kinds().iter().zip(ids) {
        let listing = Listing {
            columns: vec!["id".into(), "perms".into()],
        };
        let table = (kind.list)(&sight, &listing).unwrap();
        let row = [Cell::from(*id), Cell::Mode(0)];
        assert!(table.rows().any(|r| r == row), "{table:?}");
        assert!(!(kind.condition)(&sight, &(*id).into(), None).is_empty());
        assert!((kind.info)(&sight, &(*id).into()).is_ok());
    }
    let value = (system_v(Family::Sem).unwrap().look)(&sight, &ids[2].into(), None, "value");
    assert_eq!(value, Ok(Cell::Unknown));
    let listing = Listing {
        columns: vec!["value".into()],
    };
    let table = (system_v(Family::Sem).unwrap().list)(&sight, &listing).unwrap();
    assert!(table.unknown_of([0]).is_some(), "{table:?}");
}
