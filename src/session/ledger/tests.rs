use super::*;

const SEM: Family = Family::Sem;

fn id(id: i32) -> Object {
    Object::Id(id)
}

/// A ledger with the record of one object, which never exists.
fn with_record(id: i32) -> (Ledger, Entry) {
    let ledger = Ledger::create().unwrap();
    let entry = ledger.intend(SEM, 0, 0, 0).unwrap();
    ledger.settle(entry, SEM, id);
    (ledger, entry)
}

#[test]
fn what_is_removed_twice_is_forgotten_once() {
    let (ledger, entry) = with_record(7);
    ledger.removed(entry, SEM, &id(7));
    assert_eq!(ledger.to_sweep(), 0);
    // The record is somebody else's by now.
    assert_eq!(ledger.intend(SEM, 0, 0, 0), Some(entry));
    ledger.removed(entry, SEM, &id(7));
    assert_eq!(ledger.to_sweep(), 1, "only intended");
    ledger.settle(entry, SEM, 8);
    ledger.removed(entry, SEM, &id(7));
    ledger.removed(entry, Family::Msgq, &id(8));
    assert_eq!(ledger.to_sweep(), 1, "another object");
    ledger.removed(entry, SEM, &id(8));
    assert_eq!(ledger.to_sweep(), 0);
}

#[test]
fn only_the_object_that_is_meant_is_kept() {
    let (ledger, entry) = with_record(7);
    assert!(!ledger.keep(entry, SEM, &id(8)));
    assert_eq!(ledger.to_sweep(), 1);
    assert!(ledger.keep(entry, SEM, &id(7)) && ledger.keep(entry, SEM, &id(7)));
    assert_eq!(ledger.to_sweep(), 0);
    // What is kept may be removed all the same, and its record is free again.
    ledger.removed(entry, SEM, &id(7));
    assert!(!ledger.keep(entry, SEM, &id(7)));
    assert_eq!(ledger.intend(SEM, 0, 0, 0), Some(entry));
}

/// Ids are positive, but the record's other fields must not hang on that.
#[test]
fn a_record_holds_any_id() {
    for number in [0, 1, i32::MAX, -1] {
        let (ledger, entry) = with_record(number);
        let tag = number.cast_unsigned();
        assert_eq!(
            ledger.state(entry),
            (State::Live, Some(Kind::SystemV(SEM)), tag)
        );
    }
}
