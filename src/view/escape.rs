//! Text from anywhere, with nothing in it that a terminal would obey.

use std::borrow::Cow;
use std::fmt::Write;

use crate::data::is_invisible;

/// Text from anywhere with nothing in it that a terminal would obey. Newlines and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    push(&mut out, text);
    out.into()
}

/// The same on one line: newlines and tabs become blanks.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    match printable(text) {
        clean if clean.contains(['\n', '\t']) => clean.replace(['\n', '\t'], " ").into(),
        clean => clean,
    }
}

/// Appends text as [`printable`] makes it.
pub(super) fn push(out: &mut String, text: &str) {
    if is_plain(text) {
        return out.push_str(text);
    }
    for c in text.chars() {
        if obeyed(c) {
            push_escape(out, c);
        } else {
            out.push(c);
        }
    }
}

/// `\x1b`, `\u{202e}`: as it may be typed between double quotes.
pub(super) fn push_escape(out: &mut String, c: char) {
    let n = u32::from(c);
    // Writing into a String cannot fail.
    let _ = match n < 0x80 {
        true => write!(out, "\\x{n:02x}"),
        false => write!(out, "\\u{{{n:x}}}"),
    };
}

/// Whether a terminal obeys it: control characters but newline and tab, and what hides or
/// turns the text around it.
pub(super) fn obeyed(c: char) -> bool {
    !matches!(c, '\n' | '\t') && (c.is_control() || is_invisible(c))
}

/// Whether a terminal obeys nothing of it. Most text is printable ASCII: known at a glance.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |b: u8| matches!(b, b' '..=b'~' | b'\n' | b'\t');
    text.bytes().all(plain) || !text.chars().any(obeyed)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What no view may write: anything a terminal obeys, but newlines.
    pub(in crate::view) fn assert_tame(text: &str) {
        let wild: Vec<char> = text.chars().filter(|c| obeyed(*c)).collect();
        assert!(wild.is_empty(), "{wild:?} in {text:?}");
    }

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        for (text, shown) in [
            ("plain é 漢\n\t", "plain é 漢\n\t"),
            ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
            ("\r\0\x7f", "\\x0d\\x00\\x7f"),
        ] {
            assert_eq!(printable(text), shown);
        }
        assert_eq!(one_line("a\nb\tc"), "a b c");
    }

    proptest! {
        #[test]
        fn nothing_obeyed_is_left(text in "\\PC*|[\\x00-\\x{9f}]*|[\\u{2000}-\\u{2070}\\x1b]*") {
            assert_tame(&printable(&text));
            assert_tame(&one_line(&text));
            prop_assert!(!one_line(&text).contains('\n'));
        }

        #[test]
        fn quoted_data_is_tame(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            assert_tame(&crate::data::quote(&bytes));
            assert_tame(&crate::data::quote(String::from_utf8_lossy(&bytes).as_bytes()));
        }
    }
}
