//! A segment's bytes as `hexdump -C` shows them.

use std::fmt::Write;

use super::access::{access, spot};
use super::bytes::{GLANCE, copy};
use super::{FAMILY, SEGMENT};
use crate::data::{Outcome, StepResult, counted};
use crate::lang::{Example, Kind, Param, Runs, Signature};
use crate::mechanism::{Args, Run, Verb, World};

pub(super) static DUMP: Verb = Verb {
    signature: Signature {
        name: "shm dump",
        summary: "show a segment's bytes in hexadecimal and ASCII",
        params: &[
            SEGMENT,
            Param::optional(
                "place",
                Kind::Offset,
                "where it begins; @0 where it is left out",
            ),
            Param::optional(
                "len",
                Kind::Size,
                "how many bytes; up to the end where it is left out",
            ),
        ],
        runs: Runs::Actor,
        calls: &["shmat(2)", "shmdt(2)", "shm_open(3)"],
        errnos: &[
            ("EACCES", "the segment's mode does not let you read"),
            ("EFAULT", "the segment ends before"),
            ("EINVAL", "there is no segment with this id"),
            ("ENOENT", "no POSIX segment has this name"),
            ("ENOMEM", "there is no room to map it in this process"),
        ],
        notes: "Sixteen bytes a line behind their offset, as `hexdump -C`: a `*` stands for lines that \
                repeat the one before it, and the last line is where it ends.\n\
                Without a length at most 1M is shown. The segment is attached for the length of the call \
                unless this actor has it attached; `shm peek` changes nothing.",
        examples: &[Example {
            script: "shm create cnt\nshm write cnt @16 \"hello\"\nshm dump cnt\nshm dump cnt @16 5",
            shows: "bytes among zeros",
        }],
        ..Signature::of(FAMILY)
    },
    run: Run::Actor(dump),
};

fn dump(world: &mut World, args: &Args) -> StepResult {
    let at = spot(args)?;
    let object = world.find(FAMILY, args, "segment")?;
    let segment = access(world, args, &object, true)?;
    let (data, rest) = copy(world, args, &segment, at.offset, args.int("len")?)?;
    let outcome = Outcome::ok().showing(lines(&data, at.offset).join("\n"));
    Ok(match rest {
        0 => outcome,
        _ => outcome.note(format!(
            "{} more: shm dump {} @{}",
            counted(rest, "byte"),
            super::access::label(world, args, &object),
            at.offset + GLANCE
        )),
    })
}

/// The lines of a dump whose first byte stands at `offset`.
fn lines(data: &[u8], offset: usize) -> Vec<String> {
    const WIDTH: usize = 16;
    let mut lines: Vec<String> = Vec::new();
    let mut above: Option<&[u8]> = None;
    let mut squeezing = false;
    for (i, row) in data.chunks(WIDTH).enumerate() {
        if above == Some(row) {
            if !squeezing {
                lines.push("*".into());
            }
            squeezing = true;
            continue;
        }
        squeezing = false;
        above = Some(row);
        lines.push(line(row, offset + i * WIDTH));
    }
    lines.push(format!("{:08x}", offset + data.len()));
    lines
}

fn line(row: &[u8], offset: usize) -> String {
    let mut line = format!("{offset:08x} ");
    for i in 0..16 {
        if i == 8 {
            line.push(' ');
        }
        match row.get(i) {
            // Writing to a string cannot fail.
            Some(byte) => drop(write!(line, " {byte:02x}")),
            None => line.push_str("   "),
        }
    }
    line.push_str("  |");
    line.extend(row.iter().map(|b| match b {
        0x20..0x7f => char::from(*b),
        _ => '.',
    }));
    line.push('|');
    line
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::kernel::shm;
    use crate::mechanism::testing::Bench;

    #[test]
    fn bytes_are_shown_as_hexdump_shows_them() {
        let mut data = b"hello, \x1b[31mworld\xff".to_vec();
        data.resize(70, 0);
        assert_eq!(
            lines(&data, 0),
            [
                "00000000  68 65 6c 6c 6f 2c 20 1b  5b 33 31 6d 77 6f 72 6c  |hello, .[31mworl|",
                "00000010  64 ff 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |d...............|",
                "00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|",
                "*",
                "00000040  00 00 00 00 00 00                                 |......|",
                "00000046",
            ]
        );
        assert_eq!(lines(b"", 16), ["00000010"]);
    }

    #[test]
    fn a_segment_is_dumped() {
        let mut bench = Bench::new();
        bench.ok("shm create cnt");
        bench.ok("shm write cnt @16 \"hello\"");
        let outcome = bench.ok("shm dump cnt");
        assert_eq!(outcome.to_string(), "ok");
        assert!(outcome.notes().is_empty());
        let text = outcome.text().unwrap().to_string();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.ends_with("\n00001000"), "{text}");
        let outcome = bench.ok("shm dump @16 5");
        let text = outcome.text().unwrap();
        assert!(text.contains("|hello|"), "{text}");
        bench.refuses("shm dump u32@0", "bytes are shown here, not a u32");
        bench.fails("shm dump 4097", "EFAULT");
        bench.fails("shm dump id:2147483000", "EINVAL");
        assert_eq!(shm::stat(bench.id("cnt")).unwrap().nattch, 0);
        bench.ok("shm create big 1025K");
        let outcome = bench.ok("shm dump");
        assert_eq!(
            outcome.notes().last().unwrap(),
            "1024 bytes more: shm dump big @1048576"
        );
    }
}
