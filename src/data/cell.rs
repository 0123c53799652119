//! One typed value, and the one way each kind of value is written.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A typed value: a cell of a table, a field of an outcome, the content of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cell {
    /// A number without a unit: a count, an id, a pid, a semaphore's value. Wide enough
    /// for every `u64` and `i64`.
    Int(i128),
    /// A number of bytes.
    Size(u64),
    /// A System V key, written as `ipcs` writes it: `0x%08x`.
    Key(i32),
    /// Permission bits, written in octal.
    Mode(u32),
    /// Seconds since the epoch. Zero is the kernel's "never".
    Time(i64),
    /// A length of time.
    Elapsed(Duration),
    /// A word or a line for people.
    Text(String),
    /// What something is called, a path or an address: any bytes, which people see as the
    /// language writes a word.
    #[serde(with = "as_bytes")]
    Name(Vec<u8>),
    /// Bytes from an IPC object. They need not be UTF-8 and may hold terminal escapes.
    #[serde(with = "as_bytes")]
    Data(Vec<u8>),
    /// Several values of one field, such as the value of every semaphore of a set.
    List(Vec<Cell>),
    /// It exists and we may not see it: `?`.
    Unknown,
    /// There is nothing to show: `-`.
    Nothing,
}

/// Bytes that travel as what they are: one by one, a megabyte would be a million numbers.
mod as_bytes {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_byte_buf(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}

impl Cell {
    /// The value as an integer, where it is one: a key, a mode, a size and a time too.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Cell::Int(n) => Some(*n),
            Cell::Size(n) => Some(i128::from(*n)),
            Cell::Key(k) => Some(i128::from(*k as u32)),
            Cell::Mode(m) => Some(i128::from(*m)),
            Cell::Time(t) => Some(i128::from(*t)),
            _ => None,
        }
    }

    /// The value where a number is asked for: an integer, or text that is one in decimal digits, as a
    /// program has written it.
    pub fn as_number(&self) -> Option<i128> {
        let text = match self {
            Cell::Data(bytes) | Cell::Name(bytes) => std::str::from_utf8(bytes).ok()?,
            Cell::Text(text) => text,
            cell => return cell.as_int(),
        };
        text.parse::<i64>().ok().map(i128::from)
    }

    /// Text for a cell, from anything that can be shown.
    pub fn text(s: impl Into<String>) -> Cell {
        Cell::Text(s.into())
    }
}

macro_rules! int_cells {
    ($($t:ty)*) => {$(
        impl From<$t> for Cell {
            fn from(n: $t) -> Cell {
                Cell::Int(n as i128)
            }
        }
    )*};
}
int_cells!(i16 i32 i64 u8 u16 u32 u64 usize);

/// As a person reads it: `42`, `0600`, `"hi"`; text is bare. In an outcome, see [`super::push_outcome`].
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Int(n) => write!(f, "{n}"),
            Cell::Size(n) => write!(f, "{n}"),
            Cell::Key(k) => write!(f, "0x{k:08x}"),
            Cell::Mode(m) => write!(f, "0{m:03o}"),
            Cell::Time(t) => write!(f, "{t}"),
            Cell::Elapsed(d) => write_duration(f, *d),
            Cell::Text(s) => f.write_str(s),
            Cell::Name(bytes) => f.write_str(&word(bytes)),
            Cell::Data(bytes) => f.write_str(&quote(bytes)),
            Cell::List(cells) => {
                for (i, cell) in cells.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{cell}")?;
                }
                Ok(())
            }
            Cell::Unknown => f.write_str("?"),
            Cell::Nothing => f.write_str("-"),
        }
    }
}

/// A length of time as the language reads it, exactly: `100ms`, `5s`, `1m`.
fn write_duration(f: &mut fmt::Formatter<'_>, d: Duration) -> fmt::Result {
    const UNITS: [(u128, &str); 4] = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
    ];
    let n = d.as_nanos();
    match UNITS.iter().find(|(unit, _)| n.is_multiple_of(*unit)) {
        _ if n == 0 => f.write_str("0s"),
        Some((unit, name)) => write!(f, "{}{name}", n / unit),
        None if n.is_multiple_of(1000) => write!(f, "{}us", n / 1000),
        None => write!(f, "{}.{:03}us", n / 1000, n % 1000),
    }
}

/// How long something took, for people: `850 µs`, `3.2 s`, `2 min 5 s`.
#[derive(Clone, Copy, Debug)]
pub struct Took(pub Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Took(d) = self;
        let s = d.as_secs_f64();
        if s < 0.001 {
            write!(f, "{} µs", d.as_micros())
        } else if s < 1.0 {
            write!(f, "{} ms", d.as_millis())
        } else if s < 60.0 {
            write!(f, "{s:.1} s")
        } else {
            write!(f, "{} min {} s", d.as_secs() / 60, d.as_secs() % 60)
        }
    }
}

/// A time in the one unit that says most of it: `(3, "s")`, `(2, "min")`, `(2, "h")`, `(3, "d")`.
pub fn rough(seconds: u64) -> (u64, &'static str) {
    match seconds {
        s @ 0..120 => (s, "s"),
        s @ 120..7200 => (s / 60, "min"),
        s @ 7200..172_800 => (s / 3600, "h"),
        s => (s / 86_400, "d"),
    }
}

/// Bytes as a word of the language: bare where every character of it stands for itself,
/// quoted otherwise.
pub fn word(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_bare(text) => text.to_string(),
        _ => quote(bytes),
    }
}

/// Whether a text is a word that names something, and no number, flag or sign.
fn is_bare(text: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || "/._@".contains(c);
    // `pipe:[7]`, `tcp:[::1]:80`; behind a path brackets are the number of a semaphore.
    let brackets = !text.starts_with('/') && text.contains(":[");
    let plain = |b: u8| match b {
        b'[' | b']' => brackets,
        b => b.is_ascii_alphanumeric() || b"/._-+:,@%".contains(&b),
    };
    text.starts_with(begins) && text.bytes().all(plain) && !text.ends_with("...")
}

/// Bytes as the language writes them, so that what is shown can be typed back and no
/// control byte reaches a terminal: `"hi\n"` where they are UTF-8, `x"ff 00"` otherwise.
pub fn quote(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return hex_literal(bytes);
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // A `$` that could open an interpolation is written so that it cannot.
            '$' => out.push_str("\\$"),
            c if c.is_control() && (c as u32) < 0x80 => {
                out.push_str(&format!("\\x{:02x}", c as u32));
            }
            c if c.is_control() || is_invisible(c) => {
                out.push_str(&format!("\\u{{{:x}}}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a character is not seen and changes how the text around it is: bidirectional
/// controls, zero-width marks, line separators.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn hex_literal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3 + 3);
    out.push_str("x\"");
    for (i, b) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(&format!("{b:02x}"));
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_as_it_may_be_typed() {
        for (bytes, written) in [
            (&b"hi"[..], r#""hi""#),
            (b"a\"b\\", r#""a\"b\\""#),
            (b"\x1b[31m\n\0", r#""\x1b[31m\n\x00""#),
            (b"${x}", r#""\${x}""#),
            ("\u{202e}é".as_bytes(), "\"\\u{202e}é\""),
            ("\u{61c}".as_bytes(), "\"\\u{61c}\""),
            (b"\xff\x00", r#"x"ff 00""#),
            (b"", r#""""#),
        ] {
            assert_eq!(quote(bytes), written);
        }
    }

    #[test]
    fn a_word_is_bare_where_it_is_read_as_what_it_is() {
        for bare in [
            "jobs",
            "/tmp/a.b",
            "@x",
            "pipe:[7]",
            "tcp:[::1]:80",
            "./-x",
            "_",
        ] {
            assert_eq!(word(bare.as_bytes()), bare);
        }
        for quoted in [
            "", "a b", "/a[1]", "a[1]", "42", "-x", "...", "/x...", "é", "a$b",
        ] {
            assert_eq!(word(quoted.as_bytes()), quote(quoted.as_bytes()));
        }
    }

    #[test]
    fn kinds_are_written_in_the_familiar_way() {
        assert_eq!(Cell::Key(0x1234).to_string(), "0x00001234");
        assert_eq!(Cell::Key(-1).to_string(), "0xffffffff");
        assert_eq!(Cell::Mode(0o600).to_string(), "0600");
        assert_eq!(Cell::Mode(0).to_string(), "0000");
        assert_eq!(Cell::Name(b"/tmp/x".into()).to_string(), "/tmp/x");
        assert_eq!(Cell::Name(b"/tmp/x y".into()).to_string(), "\"/tmp/x y\"");
        assert_eq!(Cell::List(vec![1u8.into(), 2u8.into()]).to_string(), "1,2");
        assert_eq!(Took(Duration::from_millis(3200)).to_string(), "3.2 s");
    }
}
