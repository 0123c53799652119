//! Values as text: numbers without the detour through `fmt`, and outcomes as they may be
//! written after `=>` again.

use std::borrow::Cow;
use std::fmt::Write;

use super::escape;
use crate::data::{Cell, Outcome, counted, quote};

/// Appends an integer.
pub(super) fn push_int(out: &mut String, n: i128) {
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
pub(super) fn push_u64(out: &mut String, n: u64) {
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

/// Appends the bytes of a number in hexadecimal, the highest first.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// How much data an outcome has, where that is too much to be shown.
pub(super) fn too_much(outcome: &Outcome) -> Option<String> {
    match &outcome.value {
        Some(Cell::Data(bytes)) if outcome.is_long() => Some(counted(bytes.len(), "byte")),
        _ => None,
    }
}

/// How much data a person is shown who did not say how much is wanted.
const GLANCE: usize = 4 << 10;

/// An outcome as a person is shown it, and what is said of the rest of its data.
pub(super) fn glanced(outcome: &Outcome) -> (Cow<'_, Outcome>, Option<String>) {
    let Some(Cell::Data(bytes)) = outcome.value.as_ref().filter(|_| outcome.glance) else {
        return (Cow::Borrowed(outcome), None);
    };
    if bytes.len() <= GLANCE {
        return (Cow::Borrowed(outcome), None);
    }
    // Text is not cut within a character: it would be none any more.
    let shown = match str::from_utf8(bytes) {
        Ok(text) => (0..=GLANCE).rev().find(|at| text.is_char_boundary(*at)),
        Err(_) => Some(GLANCE),
    };
    let shown = shown.unwrap_or(GLANCE);
    let rest = bytes.len() - shown;
    let outcome = Outcome {
        value: Some(Cell::Data(bytes[..shown].to_vec())),
        fields: outcome.fields.clone(),
        remarks: outcome.remarks.clone(),
        notes: outcome.notes.clone(),
        ..Outcome::default()
    };
    let said = format!("{rest} more bytes: --all shows them, max=N as many as you say");
    (Cow::Owned(outcome), Some(said))
}

/// Appends an outcome as it may be claimed: what stands after `=>`.
pub(super) fn push_outcome(out: &mut String, outcome: &Outcome) {
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

/// Appends the remarks: `id 32768, key 0x6970c31f`.
pub(super) fn push_remarks(out: &mut String, outcome: &Outcome) {
    for (i, remark) in outcome.remarks.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        out.push_str(&remark.name);
        out.push(' ');
        match &remark.value {
            Cell::Int(n) => push_int(out, *n),
            value => out.push_str(&escape::one_line(&value.to_string())),
        }
    }
}

/// Whether there is more to say than `ok`.
pub(super) fn says_more(outcome: &Outcome) -> bool {
    outcome.eof || outcome.value.is_some() || !outcome.fields.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_nobody_asked_for_is_shown_in_part() {
        let text = "é".repeat(GLANCE);
        let data = |glance| Outcome::value(Cell::Data(text.clone().into())).glance(glance);
        assert_eq!(glanced(&data(false)), (Cow::Owned(data(false)), None));
        let odd = Outcome::value(Cell::Data(format!("a{text}").into())).glance(true);
        let (shown, said) = glanced(&odd);
        let cut = format!("a{}", "é".repeat(GLANCE / 2 - 1));
        assert_eq!(shown.value, Some(Cell::Data(cut.into())));
        let rest = 2 * GLANCE + 1 - (GLANCE - 1);
        assert!(
            said.unwrap()
                .starts_with(&format!("{rest} more bytes: --all"))
        );
    }

    #[test]
    fn numbers_are_written_whole() {
        let signed = [0, -1, 1000, i64::MIN.into(), u64::MAX.into(), i128::MIN];
        for n in signed {
            let mut text = String::new();
            push_int(&mut text, n);
            assert_eq!(text, n.to_string());
        }
        let mut text = String::new();
        push_hex(&mut text, &0x6970_0affu32.to_be_bytes());
        assert_eq!(text, "69700aff");
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
