use crate::data::Cell;
use crate::kernel::shm;
use crate::mechanism::testing::{Bench, as_ordinary_user};

#[test]
fn a_first_segment_is_created_and_said() {
    let mut bench = Bench::new();
    let outcome = bench.ok("shm write \"x\"");
    let id = bench.id("shm1");
    assert_eq!(
        outcome.notes(),
        [format!("created shared memory segment shm1 (id {id})")]
    );
    bench.shows("shm read", "\"x\"");
    assert!(bench.ok("shm write \"y\"").notes().is_empty());

    let mut bench = Bench::new();
    bench.ok("shm write u64@8K 7");
    assert_eq!(shm::stat(bench.id("shm1")).unwrap().segsz, 8200);
    bench.shows("shm read u64@8K", "7");
    Bench::new().fails("shm read", "error");
}

#[test]
fn another_attachment_sees_the_bytes() {
    let mut bench = Bench::new();
    bench.ok("shm create cnt");
    bench.ok("shm write cnt @16 \"hello\"");
    bench.ok("shm write cnt u32@8 41");
    bench.ok("shm write cnt i16@1 -2");
    bench.ok("shm write cnt @0 u8:7");
    let witness = shm::attach(bench.id("cnt"), true).unwrap();
    let mut bytes = [0; 21];
    witness.read(0, &mut bytes).unwrap();
    assert_eq!(&bytes[16..], b"hello");
    assert_eq!(bytes[8..12], 41u32.to_ne_bytes());
    assert_eq!(bytes[1..3], (-2i16).to_ne_bytes());
    assert_eq!(bytes[0], 7);
    // Only the witness has it attached.
    assert_eq!(shm::stat(bench.id("cnt")).unwrap().nattch, 1);
    bench.shows("shm read cnt @16", "\"hello\"");
    bench.shows("shm read cnt @17 3", "\"ell\"");
    bench.shows("shm read cnt i16@1", "-2");
    bench.shows("shm read cnt u32@8", "41");
    bench.shows("shm read cnt @4096", "\"\"");
}

#[test]
fn numbers_keep_to_their_type() {
    let mut bench = Bench::new();
    bench.ok("shm create cnt");
    for (line, why) in [
        (
            "shm write cnt u8@0 256",
            "256 does not fit u8, which holds 0 to 255",
        ),
        (
            "shm write cnt u8@0 -1",
            "-1 does not fit u8, which holds 0 to 255",
        ),
        ("shm write cnt u32@0 \"x\"", "data is no u32"),
        ("shm write cnt u32@0 u32:1", "data is no u32"),
        ("shm write cnt $((1 + 2))", "this number has no width"),
        (
            "shm read cnt u32@0 4",
            "a u32 has a length of its own, 4 bytes",
        ),
        (
            "shm peek cnt u32@0 max=4",
            "a u32 has a length of its own, 4 bytes",
        ),
        ("shm read cnt @$((0-1))", "an offset is not negative"),
    ] {
        bench.refuses(line, why);
    }
    bench.ok("let v = shm read cnt u32@0");
    for (line, why) in [
        (
            "shm write cnt u8@0 $((v + 256))",
            "256 does not fit u8, which holds 0 to 255",
        ),
        (
            "shm read cnt @$((v - 1))",
            "the offset -1 is out of range: it is from 0 to 18446744073709551615",
        ),
    ] {
        assert_eq!(bench.fails(line, "error").meaning, why, "{line}");
    }
    bench.fails("shm write cnt $v", "error");
    bench.ok("shm write cnt u64@0 18446744073709551615");
    bench.shows("shm read cnt u64@0", "18446744073709551615");
    bench.shows("shm read cnt i64@0", "-1");
}

#[test]
fn the_end_of_the_segment_is_respected() {
    let mut bench = Bench::new();
    bench.ok("shm create cnt");
    let failure = bench.fails("shm write cnt @4090 \"twelve bytes\"", "EFAULT");
    assert_eq!(
        failure.to_string(),
        "EFAULT: the segment ends at 4096 bytes, 6 bytes short. \
         A segment does not grow; create a larger one: shm create NAME 4102"
    );
    bench.fails("shm write cnt u32@4094 1", "EFAULT");
    bench.fails("shm write cnt u32@4096 1", "EFAULT");
    bench.fails("shm write cnt @18446744073709551615 \"x\"", "EFAULT");
    bench.fails("shm read cnt @18446744073709551615 5", "EFAULT");
    bench.fails("shm read cnt 4097", "EFAULT");
    bench.fails("shm read cnt @4097", "EFAULT");
    bench.fails("shm read cnt u64@4089", "EFAULT");
    bench.shows("shm read cnt", "\"\"");
    bench.ok("shm write cnt u8@4095 1");
    bench.fails("shm read cnt 18446744073709551615", "EFAULT");
}

#[test]
fn a_segment_that_is_gone_is_named() {
    let mut bench = Bench::new();
    bench.ok("shm create cnt");
    let id = bench.id("cnt");
    shm::remove(id).unwrap();
    let failure = bench.fails("shm read cnt", "EINVAL");
    assert_eq!(
        failure.to_string(),
        format!(
            "shmat(cnt, SHM_RDONLY) = EINVAL: the shared memory segment cnt (id {id}) \
             was removed. `shm ls` lists those that exist"
        )
    );
    bench.fails("shm write cnt \"x\"", "EINVAL");
}

#[test]
fn the_mode_keeps_us_out() {
    if !as_ordinary_user("mechanism::shm::bytes::tests::the_mode_keeps_us_out") {
        return;
    }
    let mut bench = Bench::new();
    bench.ok("shm create cnt mode=0400");
    bench.shows("shm read cnt", "\"\"");
    let failure = bench.fails("shm write cnt \"x\"", "EACCES");
    assert!(failure.meaning.contains("its mode is 0400"), "{failure}");
    bench.ok("shm create none mode=0");
    bench.fails("shm read none", "EACCES");
    bench.fails("shm attach none", "EACCES");
    bench.fails("shm dump none", "EACCES");
}

#[test]
fn a_large_segment_is_glanced_at() {
    let mut bench = Bench::new();
    bench.ok("shm create big 2M");
    bench.ok("shm write big @1536K \"far\"");
    bench.ok("shm write big \"near\"");
    let outcome = bench.ok("shm read big");
    assert_eq!(outcome.to_string(), "\"near\"");
    assert!(
        outcome.notes()[0].starts_with("1048576 bytes behind"),
        "{:?}",
        outcome.notes()
    );
    let Some(Cell::Data(data)) = bench.ok("shm read big @1M").value else {
        panic!("no data");
    };
    assert_eq!(data.len(), (512 << 10) + 3);
    assert!(data.ends_with(b"\0far"));
}

#[test]
fn a_segment_that_one_may_only_write_says_what_it_takes() {
    let name = "mechanism::shm::bytes::tests::a_segment_that_one_may_only_write_says_what_it_takes";
    if !as_ordinary_user(name) {
        return;
    }
    let mut bench = Bench::new();
    let posix = format!("/ipcsh-wo-{}", std::process::id());
    let does_not = "the segment's mode does not let you";
    for segment in ["wo", &posix] {
        bench.ok(&format!("shm create {segment} 16 mode=0200"));
        for (line, said) in [
            (
                "write SEGMENT \"x\"",
                "both read and write, which this takes",
            ),
            ("attach SEGMENT", "both read and write, which this takes"),
            ("read SEGMENT", "read"),
            ("attach SEGMENT --ro", "read"),
        ] {
            let line = format!("shm {}", line.replace("SEGMENT", segment));
            let failure = bench.fails(&line, "EACCES");
            let meaning = failure.meaning.split(" (").next();
            assert_eq!(meaning, Some(&*format!("{does_not} {said}")), "{line}");
        }
    }
}
