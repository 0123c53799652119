//! Integers, sizes, durations and modes.

use std::time::Duration;

use super::program::Term;

/// `42`, `-3`, `0x1f`, `0o17`, `64K`, `1M`: powers of 1024.
pub fn integer(word: &str) -> Option<i128> {
    let (negative, rest) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let (n, width) = digits(rest)?;
    let n = n.checked_mul(unit(&rest[width..])?)?;
    Some(if negative { -n } else { n })
}

/// A value that is a word of its own: an integer, a size or a duration.
pub fn constant(word: &str) -> Option<Term> {
    let duration = || duration(word).map(Term::Duration);
    integer(word).map(Term::Int).or_else(duration)
}

/// Whether the word is an integer that is too large for us to hold.
pub(super) fn is_huge(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.len() > 38 && digits.bytes().all(|b| b.is_ascii_digit()) && integer(word).is_none()
}

/// An unsigned number, and how wide it is: `42`, `0x1f`, `0o17`. The digits may hold `_`.
pub(super) fn digits(text: &str) -> Option<(i128, usize)> {
    let (radix, prefix) = match text.as_bytes() {
        [b'0', b'x', ..] => (16, 2),
        [b'0', b'o', ..] => (8, 2),
        _ => (10, 0),
    };
    // Nearly every number is short, and wide arithmetic is slow.
    if prefix == 0 {
        let short = text.bytes().take_while(u8::is_ascii_digit).take(18).count();
        if short > 0 && !matches!(text.as_bytes().get(short), Some(b'0'..=b'9' | b'_')) {
            let digits = text.bytes().take(short);
            let n = digits.fold(0i64, |n, b| n * 10 + i64::from(b - b'0'));
            return Some((n.into(), short));
        }
    }
    let mut n: i128 = 0;
    let mut any = false;
    let mut width = prefix;
    for b in text.bytes().skip(prefix) {
        if let Some(digit) = char::from(b).to_digit(radix) {
            n = n
                .checked_mul(i128::from(radix))?
                .checked_add(i128::from(digit))?;
            any = true;
        } else if b != b'_' || !any {
            break;
        }
        width += 1;
    }
    any.then_some((n, width))
}

/// The units of sizes, as powers of 1024.
pub(super) const UNITS: [(&str, u32); 9] = [
    ("B", 0),
    ("K", 1),
    ("KiB", 1),
    ("M", 2),
    ("MiB", 2),
    ("G", 3),
    ("GiB", 3),
    ("T", 4),
    ("TiB", 4),
];

fn unit(suffix: &str) -> Option<i128> {
    if suffix.is_empty() {
        return Some(1);
    }
    let (_, power) = UNITS.iter().find(|(unit, _)| *unit == suffix)?;
    Some(1 << (10 * power))
}

/// The units of durations, in nanoseconds.
pub(super) const DURATIONS: [(&str, f64); 6] = [
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];

/// A century is more than any step needs, and what the kernel can wait for.
const LONGEST: Duration = Duration::from_secs(3_153_600_000);

/// So many seconds; `None` where that is longer than a century.
pub fn seconds(n: i128) -> Option<Duration> {
    let duration = Duration::from_secs(u64::try_from(n).ok()?);
    (duration <= LONGEST).then_some(duration)
}

/// `50ms`, `2s`, `1m`, `1.5s`, `200us`, `7d`; `None` where it is none, or is longer than a century.
pub fn duration(word: &str) -> Option<Duration> {
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[number.len()..];
    let (_, nanoseconds) = DURATIONS.iter().find(|(unit, _)| *unit == suffix)?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, parts) = number.split_once('.').unwrap_or((number, "0"));
    if !digits(whole) || !digits(parts) {
        return None;
    }
    let n: f64 = number.parse().ok()?;
    let total = n * nanoseconds;
    (total <= LONGEST.as_nanos() as f64).then(|| Duration::from_nanos(total.round() as u64))
}

/// `0600`, `600`: octal.
pub(super) fn mode(word: &str) -> Option<i128> {
    let octal = word.strip_prefix("0o").unwrap_or(word);
    if octal.is_empty() || !octal.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    u32::from_str_radix(octal, 8)
        .ok()
        .filter(|m| *m <= 0o777)
        .map(i128::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cell;

    #[test]
    fn numbers_are_read_in_every_spelling() {
        for (word, n) in [
            ("42", Some(42)),
            ("-3", Some(-3)),
            ("0x1f", Some(31)),
            ("0o17", Some(15)),
            ("64K", Some(65536)),
            ("1M", Some(1 << 20)),
            ("1_000", Some(1000)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("9999999999999999999999999999999999999999999", None),
            ("", None),
            ("-", None),
            ("12x", None),
            ("0x", None),
            ("_1", None),
            ("0o8", None),
            ("64k", None),
        ] {
            assert_eq!(integer(word), n, "{word}");
        }
        assert_eq!(duration("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(duration("1m"), Some(Duration::from_secs(60)));
        assert_eq!(duration("7d"), Some(Duration::from_secs(604_800)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        for bad in [
            "50",
            "ms",
            "-1s",
            "1.2.3s",
            ".5s",
            "1.s",
            "1e9s",
            "99999999999h",
        ] {
            assert_eq!(duration(bad), None, "{bad}");
        }
        assert_eq!(mode("0600"), Some(0o600));
        assert_eq!(mode("666"), Some(0o666));
        assert_eq!(mode("0888"), None);
        assert_eq!(mode("07777"), None);
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for (nanoseconds, written) in [
            (0, "0s"),
            (1, "0.001us"),
            (1_500, "1.500us"),
            (200_000, "200us"),
            (100_000_000, "100ms"),
            (1_500_000_000, "1500ms"),
            (5_000_000_000, "5s"),
            (90_000_000_000, "90s"),
            (120_000_000_000, "2m"),
            (7_200_000_000_000, "2h"),
        ] {
            let took = Duration::from_nanos(nanoseconds);
            assert_eq!(Cell::Elapsed(took).to_string(), written);
            assert_eq!(duration(written), Some(took), "{written}");
        }
    }
}
