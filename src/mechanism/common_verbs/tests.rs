use super::*;
use crate::kernel::witness::{Guard, proc_row};
use crate::kernel::{Errno, msg, process, sem, shm};
use crate::mechanism::testing::{Bench, again_as_nobody, handed_over};

const PROC: [&str; 3] = ["msg", "shm", "sem"];

/// An object that is not of the session.
fn theirs(family: Family, mode: u32) -> Guard {
    match family {
        Family::Msgq => Guard::new(msg::get(0, mode, true, true), msg::remove),
        Family::Shm => Guard::new(shm::get(0, 64, mode, true, true), shm::remove),
        _ => Guard::new(sem::get(0, 2, mode, true, true), sem::remove),
    }
}

#[test]
fn objects_are_listed_by_noun_alone_and_by_column() {
    let mut bench = Bench::new();
    for family in Family::SYSTEM_V {
        let noun = family.noun();
        bench.ok(&format!("{noun} create mine"));
        let id = bench.id("mine");
        for line in [noun.to_string(), format!("{noun} ls")] {
            let reply = bench.look(&line).unwrap();
            assert_eq!(reply.tables[0].kind, noun);
            let mut rows = reply.tables[0].rows();
            assert!(
                rows.any(|r| r[0] == Cell::text("mine") && r[2] == Cell::from(id)),
                "{reply:?}"
            );
        }
        let reply = bench.look(&format!("{noun} ls -o ID,name")).unwrap();
        let names: Vec<_> = reply.tables[0].columns.iter().map(|c| c.name).collect();
        assert_eq!(names, ["id", "name"]);
        bench.ok(&format!("{noun} rm mine"));
    }
}

#[test]
fn info_shows_every_field() {
    let mut bench = Bench::new();
    for family in Family::SYSTEM_V {
        let object = theirs(family, 0o600);
        let line = format!("{} info id:{}", family.noun(), object.id);
        let reply = bench.look(&line).unwrap();
        let fields = (crate::mechanism::system_v(family).unwrap().fields)();
        assert_eq!(reply.tables[0].len(), fields.len());
        for (row, field) in reply.tables[0].rows().zip(fields) {
            assert_eq!(row[0], Cell::text(field.name));
        }
        let members = reply.tables.get(1).map(|t| t.len());
        assert_eq!(members, (family == Family::Sem).then_some(2));
        let failure = bench.look(&format!("{} info", family.noun())).unwrap_err();
        assert_eq!(failure.symbol(), "error");
    }
}

#[test]
fn a_stranger_is_taken_by_id_and_not_removed_at_the_end() {
    for family in Family::SYSTEM_V {
        let object = theirs(family, 0o600);
        let noun = family.noun();
        let mut bench = Bench::new();
        bench.ok(&format!("{noun} create mine"));
        bench.ok(&format!("{noun} use id:{} yours", object.id));
        assert_eq!(bench.id("yours"), object.id);
        let current = |bench: &Bench| {
            let current = bench.world.names.current(family);
            current.map(|(name, _)| name.to_string())
        };
        assert_eq!(current(&bench).as_deref(), Some("yours"));
        bench.ok(&format!("{noun} use mine"));
        assert_eq!(current(&bench).as_deref(), Some("mine"));
        let failure = bench.fails(&format!("{noun} use id:{} mine", object.id), "error");
        assert!(failure.meaning.contains("already names"), "{failure}");
        // Without a name it is the one that it has.
        bench.ok(&format!("{noun} use id:{}", object.id));
        assert_eq!(current(&bench).as_deref(), Some("yours"));
        drop(bench);
        let kind = PROC[family.index()];
        assert!(proc_row(kind, object.id).is_some(), "{noun} was removed");
    }
}

#[test]
fn what_is_removed_is_gone_with_its_names() {
    let mut bench = Bench::new();
    for family in Family::SYSTEM_V {
        let (noun, kind) = (family.noun(), PROC[family.index()]);
        for name in ["a", "b"] {
            bench.ok(&format!("{noun} create {name}"));
        }
        let (a, b) = (bench.id("a"), bench.id("b"));
        bench.ok(&format!("{noun} rm a b"));
        for id in [a, b] {
            assert_eq!(proc_row(kind, id), None);
            let failure = bench.fails(&format!("{noun} rm id:{id}"), "EINVAL");
            let object = family.object();
            assert_eq!(
                failure.meaning,
                format!("there is no {object} with id {id}")
            );
            bench.fails(&format!("{noun} use id:{id}"), "EINVAL");
        }
        assert!(bench.world.names.current(family).is_none());
        bench.fails(&format!("{noun} rm"), "error");
        bench.fails(&format!("{noun} rm a"), "error");
        let object = theirs(family, 0o600);
        bench.ok(&format!("{noun} rm id:{}", object.id));
        assert_eq!(proc_row(kind, object.id), None);
    }
}

#[test]
fn an_id_whose_place_has_another_is_said_to_be_removed() {
    let mut bench = Bench::new();
    let old = theirs(Family::Msgq, 0o600).id;
    // The kernel gives the lowest free place: a few objects reach the old one.
    let others: Vec<Guard> = (0..64).map(|_| theirs(Family::Msgq, 0o600)).collect();
    let failure = bench.run(&format!("msgq rm id:{old}")).unwrap_err();
    if msg::stat(old) == Err(Errno::EIDRM) {
        assert_eq!(failure.symbol(), "EIDRM");
        assert!(failure.meaning.contains("was removed"), "{failure}");
    }
    assert!(others.iter().all(|o| proc_row("msg", o.id).is_some()));
}

#[test]
fn only_its_owner_removes_an_object() {
    let Some(ids) = handed_over() else {
        if process::geteuid() != 0 {
            eprintln!("skipped: only root can make objects for another user to try");
            return;
        }
        let guards = Family::SYSTEM_V.map(|family| theirs(family, 0o666));
        let ids: Vec<String> = guards.iter().map(|g| g.id.to_string()).collect();
        let name = "mechanism::common_verbs::tests::only_its_owner_removes_an_object";
        again_as_nobody(name, &ids.join(" "));
        for (guard, kind) in guards.iter().zip(PROC) {
            assert!(proc_row(kind, guard.id).is_some(), "{kind} is gone");
        }
        return;
    };
    let mut bench = Bench::new();
    for (family, id) in Family::SYSTEM_V.into_iter().zip(ids.split(' ')) {
        let failure = bench.fails(&format!("{} rm id:{id}", family.noun()), "EPERM");
        assert!(failure.meaning.starts_with("only root may"), "{failure}");
    }
}
