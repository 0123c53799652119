//! Outcomes as a person is shown them.

use std::borrow::Cow;

use super::escape;
use crate::data::{Cell, Outcome, Reply, counted, push_int, push_outcome};

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
    let outcome = outcome.with_value(Cell::Data(bytes[..shown].to_vec()));
    let said = format!("{rest} more bytes: --all shows them, max=N as many as you say");
    (Cow::Owned(outcome), Some(said))
}

/// Appends the remarks: `id 32768, key 0x6970c31f`.
pub(super) fn push_remarks(out: &mut String, outcome: &Outcome) {
    for (i, remark) in outcome.remarks().iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        out.push_str(&remark.name);
        out.push(' ');
        match &remark.value {
            Cell::Int(n) => push_int(out, *n),
            value => out.push_str(&escape::one_line(&value.to_string())),
        }
    }
}

/// What a command has given: its text, and its outcome; of one that only succeeds, what it tells of
/// itself.
pub(super) fn result(outcome: &Outcome) -> String {
    let mut text = outcome.text().unwrap_or_default().to_string();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match says_more(outcome) {
        true => push_outcome(&mut text, outcome),
        false => push_remarks(&mut text, outcome),
    }
    text
}

/// All that a look has besides its tables, with nothing in it that a terminal would obey.
pub fn besides(reply: &Reply) -> String {
    let (outcome, rest) = glanced(&reply.outcome);
    let result = result(&outcome);
    let notes = outcome.notes().iter().map(String::as_str);
    let texts = reply.text.as_deref().into_iter().chain([&*result]);
    let texts = texts.chain(notes).chain(rest.as_deref());
    let lines: Vec<_> = texts.flat_map(str::lines).map(escape::printable).collect();
    lines.join("\n")
}

/// Whether there is more to say than `ok`.
pub(super) fn says_more(outcome: &Outcome) -> bool {
    outcome.eof || outcome.value.is_some() || !outcome.fields.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_look_has_text_and_values_and_nothing_that_a_terminal_obeys() {
        let reply = Reply {
            text: Some("a\x1b]0;x\x07\nb\n".into()),
            outcome: Outcome::value(Cell::Data(b"hi\x1b".to_vec())).field("type", 2),
            ..Reply::default()
        };
        assert_eq!(besides(&reply), "a\\x1b]0;x\\x07\nb\ntype=2 \"hi\\x1b\"");
        assert_eq!(besides(&Reply::default()), "");
        let dump = Outcome::ok().showing("0000  61\n").note("all of it");
        assert_eq!(besides(&dump.into()), "0000  61\nall of it");
    }

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        let mut text = String::new();
        push_hex(&mut text, &0x6970_0affu32.to_be_bytes());
        assert_eq!(text, "69700aff");
    }
}
