//! Values as text: numbers without the detour through `fmt`, and outcomes as they may be
//! written after `=>` again.

use std::fmt::Write;

use super::{Cell, Outcome, quote};

/// Appends an integer.
pub fn push_int(out: &mut String, n: i128) {
    let Ok(small) = u64::try_from(n.unsigned_abs()) else {
        let _ = write!(out, "{n}");
        return;
    };
    if n < 0 {
        out.push('-');
    }
    push_u64(out, small);
}

/// Appends an integer that has no sign.
pub fn push_u64(out: &mut String, n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = n;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.push_str(str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// Appends an outcome as it may be claimed: what stands after `=>`.
pub fn push_outcome(out: &mut String, outcome: &Outcome) {
    if outcome.eof {
        return out.push_str("eof");
    }
    let mut gap = "";
    for field in &outcome.fields {
        out.push_str(gap);
        out.push_str(&field.name);
        out.push('=');
        match &field.value {
            Cell::Text(word) if is_word(word) => out.push_str(word),
            value => push_value(out, value),
        }
        gap = " ";
    }
    match &outcome.value {
        Some(value) => {
            out.push_str(gap);
            push_value(out, value);
        }
        None if outcome.fields.is_empty() => out.push_str("ok"),
        None => {}
    }
}

/// A value that is read as what it is: text between quotes.
fn push_value(out: &mut String, value: &Cell) {
    match value {
        Cell::Int(n) => push_int(out, *n),
        Cell::Size(n) => push_u64(out, *n),
        Cell::Text(text) => out.push_str(&quote(text.as_bytes())),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Whether a text is read back as one word, and as this word.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./+".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn numbers_are_written_whole() {
        let signed = [0, -1, 1000, i64::MIN.into(), u64::MAX.into(), i128::MIN];
        for n in signed {
            let mut text = String::new();
            push_int(&mut text, n);
            assert_eq!(text, n.to_string());
        }
    }

    #[test]
    fn an_outcome_is_written_as_it_is_read() {
        let outcome = Outcome::value(Cell::Data(b"a\x1b".to_vec()))
            .field("state", Cell::text("blocked"))
            .field("comm", Cell::text("a b\x1b=> ok"))
            .field("n", 3)
            .field("took", Cell::Elapsed(Duration::from_millis(2)));
        let mut text = String::new();
        push_outcome(&mut text, &outcome);
        let shown = r#"state=blocked comm="a b\x1b=> ok" n=3 took=2ms "a\x1b""#;
        assert_eq!(text, shown);
        // A word that is a number, or that a comment begins with, is not a word.
        for odd in ["", "1", "-", "#x", "...", "a;b", "\"", "a$b", "é"] {
            assert!(!is_word(odd), "{odd}");
        }
    }
}
