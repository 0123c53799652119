use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::kernel::witness::{Guard, proc_row};
use crate::lang::{Action, Catalog, Env, Known, Source, StatementKind, Words, parse};
use crate::session::Names;

/// Runs a line of `ipcs`.
fn run(line: &str) -> Result<Reply, Failure> {
    let catalog = Catalog::new(vec![&IPCS.signature], Words::default);
    let loader = &|_: &Path, _: &Source| Err("there are no files here".to_string());
    let source = Arc::new(Source::new("test", line));
    let program = parse(source, &catalog, &mut Known::default(), loader).unwrap();
    let StatementKind::Step(step) = &program.statements[0].kind else {
        panic!("{line}");
    };
    let Action::Call(call) = &step.work.action else {
        panic!("{line}");
    };
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let args = Args {
        signature: &IPCS.signature,
        given: &call.args,
        env: &env,
        seen: true,
    };
    ipcs(&Sight::new(&names, &env, &actors), &args)
}

fn kinds(line: &str) -> Vec<&'static str> {
    run(line).unwrap().tables.iter().map(|t| t.kind).collect()
}

fn columns(table: &Table) -> Vec<&'static str> {
    table.columns.iter().map(|c| c.name).collect()
}

fn objects() -> [Guard; 3] {
    [
        Guard::new(msg::get(0, 0o600, true, true), msg::remove),
        Guard::new(shm::get(0, 64, 0o600, true, true), shm::remove),
        Guard::new(sem::get(0, 3, 0o600, true, true), sem::remove),
    ]
}

#[test]
fn flags_choose_families() {
    let all = ["msgq", "shm", "sem"];
    for (line, expected) in [
        ("ipcs", &all[..]),
        ("ipcs -a", &all),
        ("ipcs -q", &all[..1]),
        ("ipcs -m -s", &all[1..]),
        ("ipcs -q -a", &all),
        ("ipcs -q -q", &all[..1]),
        ("ipcs -q -m -s -t", &all),
        ("ipcs -o qnum", &all[..1]),
        ("ipcs -o name,value", &all[2..]),
        ("ipcs -o name,id", &all),
    ] {
        assert_eq!(kinds(line), expected, "{line}");
    }
    assert_eq!(kinds("ipcs -l"), ["limit"]);
    assert_eq!(kinds("ipcs -q -u"), ["summary"]);
}

#[test]
fn flags_choose_columns() {
    for (line, expected) in [
        ("ipcs -q -t", &["stime", "rtime", "ctime"][..]),
        ("ipcs -m -t", &["atime", "dtime", "ctime"]),
        ("ipcs -s -t", &["otime", "ctime"]),
        ("ipcs -q -p", &["lspid", "lrpid"]),
        ("ipcs -m -p", &["cpid", "lpid"]),
        ("ipcs -s -c", &["creator", "cuid", "cgid", "uid", "gid"]),
    ] {
        let reply = run(line).unwrap();
        let columns = columns(&reply.tables[0]);
        assert!(expected.iter().all(|c| columns.contains(c)), "{columns:?}");
    }
    let failure = run("ipcs -q -o qnun").unwrap_err();
    assert_eq!(failure.help.as_deref(), Some("Did you mean `qnum`?"));
    assert!(run("ipcs -o nosuch").is_err());
}

#[test]
fn every_column_of_a_flag_is_a_field() {
    for family in Family::SYSTEM_V {
        for flag in ["-t", "-p", "-c"] {
            let letter = ['q', 'm', 's'][family.index()];
            let reply = run(&format!("ipcs -{letter} {flag}")).unwrap();
            assert!(columns(&reply.tables[0]).contains(&"id"));
        }
    }
}

#[test]
fn one_object_is_shown_in_full() {
    for ((object, letter), kind) in objects()
        .iter()
        .zip(["q", "m", "s"])
        .zip(["msg", "shm", "sem"])
    {
        let reply = run(&format!("ipcs -{letter} -i {}", object.id)).unwrap();
        let row = proc_row(kind, object.id).unwrap();
        for (field, value) in ["ctime", "uid", "cgid"].map(|f| (f, row[f])) {
            let shown = reply.tables[0].rows().find(|r| r[0] == Cell::text(field));
            assert_eq!(shown.unwrap()[1].as_int(), Some(value.into()), "{field}");
        }
    }
    let gone = objects()[0].id;
    let failure = run(&format!("ipcs -q -i {gone}")).unwrap_err();
    assert_eq!(failure.symbol(), "EINVAL");
}

#[test]
fn limits_and_usage_are_those_of_the_host() {
    let objects = objects();
    let table = limits_table(|_| true);
    for row in table.rows() {
        if let (Cell::Text(name), Cell::Int(used)) = (&row[0], &row[3]) {
            let limit = row[2].as_int().unwrap();
            assert!((1..=limit).contains(used), "{name}: {used} of {limit}");
        }
    }
    let used = table.rows().filter(|r| r[3] != Cell::Nothing).count();
    assert_eq!(used, 5);
    let reply = run("ipcs -q -l").unwrap();
    assert!(reply.tables[0].rows().all(|r| r[1] == Cell::text("msgq")));
    let reply = run("ipcs -u").unwrap();
    let names = ["queues", "messages", "bytes", "used_ids", "shm_tot"];
    for (row, name) in reply.tables[0].rows().zip(names) {
        assert_eq!(row[1], Cell::text(name));
    }
    drop(objects);
}

#[test]
fn the_sums_are_those_of_proc() {
    let _objects = objects();
    // Others come and go meanwhile: some moment agrees.
    crate::kernel::witness::until("the sums agree", || {
        let count = |kind| crate::kernel::witness::proc_rows(kind).len() as u64;
        let used = ["msgmni", "shmmni", "semmni"].map(used);
        used == ["msg", "shm", "sem"].map(|kind| Some(count(kind)))
    });
}

#[test]
fn the_familiar_program_lists_the_same() {
    let objects = objects();
    let Ok(output) = Command::new("ipcs").arg("-a").output() else {
        eprintln!("skipped: there is no ipcs");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let reply = run("ipcs -o id").unwrap();
    for (table, object) in reply.tables.iter().zip(&objects) {
        assert!(table.rows().any(|r| r[0] == Cell::from(object.id)));
        let id = object.id.to_string();
        assert!(text.split_whitespace().any(|w| w == id), "{text}");
    }
}
