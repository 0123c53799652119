//! A line cut to a screen's width.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// What ends all colours.
const RESET: &str = "\x1b[0m";

/// A line of ours, with colours in it or not, in at most so many columns.
pub fn cut(line: &str, columns: usize) -> Cow<'_, str> {
    let (mut at, mut coloured) = (0, false);
    // Where the line has to end if it is too long: with room for the sign.
    let mut end = 0;
    let mut chars = line.char_indices();
    while let Some((i, c)) = chars.next() {
        if c == '\x1b' {
            coloured = true;
            // `CSI … m`: the letter ends it.
            chars.by_ref().find(|(_, c)| c.is_ascii_alphabetic());
            continue;
        }
        let width = c.width().unwrap_or(0);
        if at < columns {
            end = i;
        }
        at += width;
        if at > columns {
            let reset = if coloured { RESET } else { "" };
            return format!("{}…{reset}", &line[..end]).into();
        }
    }
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_the_screen_ends() {
        for (line, columns, shown) in [
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("漢字漢", 6, "漢字漢"),
            ("漢字漢", 5, "漢字…"),
            ("漢字漢", 4, "漢…"),
            ("\x1b[31mabc\x1b[0m", 3, "\x1b[31mabc\x1b[0m"),
            ("\x1b[31mabcd\x1b[0m", 3, "\x1b[31mab…\x1b[0m"),
        ] {
            assert_eq!(cut(line, columns), shown, "{line} {columns}");
        }
    }
}
