//! One word, up to what ends it.

use super::super::quoted::prefixed;
use super::super::stop::{Lexed, Stop, stop};
use super::{Lexeme, continued, unfinished};
use crate::data::is_invisible;

/// A bare word, or what its prefix makes of the string that follows it.
pub(super) fn word(i: &str) -> Lexed<'_, Lexeme<'_>> {
    let width = bare(i)?;
    let (word, rest) = i.split_at(width);
    let lexeme = match word {
        "=>" => Lexeme::Arrow,
        "..." => Lexeme::Ellipsis,
        "&" => Lexeme::Ampersand,
        "\\" => return lone_backslash(i),
        word => {
            if let Some(b'"' | b'\'') = rest.as_bytes().first() {
                return before_string(i, word);
            }
            if !word.is_ascii() {
                visible(i, word)?;
            }
            Lexeme::Bare(word)
        }
    };
    Ok((rest, lexeme))
}

/// `data="hi"`, `type=re"2|3"`, `msgq."key:/a.b,1".qnum`: the word ends at its sign.
fn before_string<'a>(i: &'a str, word: &'a str) -> Lexed<'a, Lexeme<'a>> {
    match word.rfind(['=', '.', '~']) {
        Some(sign) => Ok((&i[sign + 1..], Lexeme::Bare(&i[..=sign]))),
        None => prefixed(i, word.len()),
    }
}

/// The width of a bare word. `$((…))` and `${…}` belong to it with what they hold.
fn bare(i: &str) -> Result<usize, nom::Err<Stop<'_>>> {
    let bytes = i.as_bytes();
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        if PLAIN[usize::from(*b)] {
            at += 1;
            continue;
        }
        match b {
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}' | b'|' | b'"' | b'\'' => break,
            b'$' => at += dollar(&i[at..])?,
            b'\\' if continued(&bytes[at..]) > 0 => break,
            0..0x20 | 0x7f => {
                return Err(Stop::new(&i[at..], "a control character stands here")
                    .label("write it in a string, such as \"\\x1b\"")
                    .failure());
            }
            _ => at += 1,
        }
    }
    Ok(at)
}

/// The bytes of a word that mean nothing more.
pub(super) const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut b = b' ' as usize + 1;
    while b < 0x80 {
        plain[b] = true;
        b += 1;
    }
    let special = b";{}|\"'$\\\x7f";
    let mut i = 0;
    while i < special.len() {
        plain[special[i] as usize] = false;
        i += 1;
    }
    plain
};

/// The width of `$((…))`, of `${…}`, or of the `$` of `$name`.
pub(in crate::lang) fn dollar(i: &str) -> Result<usize, nom::Err<Stop<'_>>> {
    if let Some(body) = i.strip_prefix("$((") {
        let mut depth = 2usize;
        for (at, b) in body.bytes().enumerate() {
            match b {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\n' => break,
                _ => {}
            }
            if depth == 0 {
                return Ok(3 + at + 1);
            }
        }
        return Err(Stop::new(i, "this `$((` is never closed")
            .width(3)
            .label("expected `))` on the same line")
            .failure());
    }
    if let Some(body) = i.strip_prefix("${") {
        let name = body
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
            .count();
        if body.as_bytes().get(name) != Some(&b'}') {
            return Err(Stop::new(i, "this `${` is never closed")
                .width(2 + name)
                .label("a variable is written ${name} or ${name.field}")
                .failure());
        }
        return Ok(2 + name + 1);
    }
    Ok(1)
}

/// A `\` that continues nothing.
fn lone_backslash(i: &str) -> Lexed<'_, Lexeme<'_>> {
    let behind = i[1..].trim_start_matches(['\r', ' ', '\t']);
    let mistake = Stop::new(i, "a `\\` continues a line only as its last character").width(1);
    Err(if i[1..].trim_end_matches('\r').is_empty() {
        unfinished(i).failure()
    } else if behind.starts_with('\n') {
        mistake.label("remove the blanks behind it").failure()
    } else {
        mistake
            .label("write a plain word, or data in quotes")
            .failure()
    })
}

/// What pastes from web pages bring along and nobody sees is no part of a word.
fn visible<'a>(i: &'a str, word: &str) -> Result<(), nom::Err<Stop<'a>>> {
    for (at, c) in word.char_indices() {
        let label = match c {
            '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' => {
                "this is a typographic quote; write a plain \""
            }
            '…' => "write three dots: ...",
            '\u{2010}'..='\u{2015}' | '\u{2212}' => "this is a typographic dash; write a plain -",
            c if c.is_whitespace() => "this is a special blank; write a plain one",
            c if is_invisible(c) => "this character is invisible; delete it",
            c if c.is_control() => "this is a control character; delete it",
            _ => continue,
        };
        return stop(&i[at..], "this character does not belong here", label);
    }
    Ok(())
}
