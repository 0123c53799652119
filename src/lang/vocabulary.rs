//! Every word and sign that the parser itself knows, for the test that holds the grammar
//! to it and for completion.

use super::arith::{CHOICE, OPERATORS, UNARY};
use super::catalog::KEYWORDS;
use super::claim::OUTCOMES;
use super::number::{DURATIONS, UNITS};
use super::parser::{COMPARISONS, WORDS};
use super::program::IntType;
use super::quoted::PREFIXES;
use super::signature::Family;

/// The signs that words are cut by and made of.
const SIGNS: [&str; 33] = [
    "=>", "...", "&", "{", "}", ";", "#", "!", ":", "@", "=", ".", ",", "[", "]", "\"", "'", "\\",
    " ", "$", "${", "$((", "))", "(", ")", "-", "+", "_", "0x", "0o", "u", "n", "un",
];

/// All of them, sorted, each once.
pub fn vocabulary() -> Vec<&'static str> {
    let mut words: Vec<&str> = SIGNS.to_vec();
    words.extend([
        "nu", "id:", "key:", "pipe:[", "socket:[", "pid:", "/fd:", "tcp:", ".r", ".w",
    ]);
    words.extend(KEYWORDS);
    words.extend(WORDS);
    words.extend(OUTCOMES);
    words.extend(PREFIXES);
    words.extend(COMPARISONS.iter().map(|(sign, _)| *sign));
    words.extend(OPERATORS.iter().map(|(sign, ..)| *sign));
    words.extend(CHOICE);
    words.extend(UNARY);
    words.extend(UNITS.iter().map(|(unit, _)| *unit));
    words.extend(DURATIONS.iter().map(|(unit, _)| *unit));
    words.extend(IntType::ALL.iter().map(|t| t.name()));
    words.extend(Family::ALL.iter().map(|f| f.noun()));
    words.sort_unstable();
    words.dedup();
    words
}
