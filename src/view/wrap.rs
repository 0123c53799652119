//! Lines that go on below where a screen ends, broken between their words.

use unicode_width::UnicodeWidthStr;

/// How far a line goes in below one that has no columns, or no room for them.
const INDENT: usize = 4;

/// Text in lines of at most so many columns, as far as its words allow. What stands behind a gap goes on
/// below where it began: `NAME  what it\n      is`.
pub fn wrapped(text: &str, room: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        wrap(&mut out, line, (room, margin(line, room)));
        out.push('\n');
    }
    out
}

/// Appends a line; what has no room goes on below it, so far in.
pub(super) fn wrap(out: &mut String, line: &str, (room, margin): (usize, usize)) {
    wrap_behind(0, out, line, (room, margin));
}

/// The same behind what takes so many columns of the line already, and has room for a word more.
pub(super) fn wrap_behind(
    begun: usize,
    out: &mut String,
    line: &str,
    (room, margin): (usize, usize),
) {
    let (mut rest, mut left) = (line, room.saturating_sub(begun));
    while width_of(rest) > left
        && let Some((head, tail)) = parted(rest, left)
    {
        out.push_str(head);
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', margin));
        rest = tail;
        left = room.saturating_sub(margin);
    }
    out.push_str(rest);
}

/// Where a line goes on below itself.
fn margin(line: &str, room: usize) -> usize {
    let text = line.trim_start();
    let own = line.len() - text.len();
    let second = text.split_once("  ").map(|(_, behind)| {
        let behind = behind.trim_start();
        width_of(&line[..line.len() - behind.len()])
    });
    // A first column that takes most of the screen leaves nothing for the second.
    second.filter(|at| *at <= room / 2).unwrap_or(own + INDENT)
}

/// What of a line has room, up to the end of a word, and what has not; the first word always has.
fn parted(line: &str, room: usize) -> Option<(&str, &str)> {
    let begun = line.len() - line.trim_start().len();
    let blanks = line[begun..].match_indices(' ').map(|(at, _)| begun + at);
    let mut fits = blanks
        .clone()
        .take_while(|at| width_of(&line[..*at]) <= room);
    let at = match fits.by_ref().last() {
        Some(last) => last,
        None => blanks.clone().next()?,
    };
    let tail = line[at..].trim_start();
    (!tail.is_empty()).then(|| (line[..at].trim_end(), tail))
}

/// How many columns a text takes.
pub(super) fn width_of(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.width(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_below_what_it_is_about() {
        for (text, room, shown) in [
            ("", 5, ""),
            ("as it  is", 9, "as it  is"),
            ("one two three", 9, "one two\n    three"),
            ("one two three", 2, "one\n    two\n    three"),
            ("  ab  cd ef gh", 12, "  ab  cd ef\n      gh"),
            ("  ab  cd ef gh", 9, "  ab  cd\n      ef\n      gh"),
            // The second column has no room of its own.
            ("abcdef  gh ij", 10, "abcdef  gh\n    ij"),
            ("漢字  漢字 漢", 12, "漢字  漢字\n      漢"),
            ("one\ntwo three", 5, "one\ntwo\n    three"),
            ("longer", 3, "longer"),
            ("longer ", 3, "longer "),
        ] {
            let expected = match shown {
                "" => String::new(),
                shown => format!("{shown}\n"),
            };
            assert_eq!(wrapped(text, room), expected, "{text:?} {room}");
        }
    }
}
