//! "Did you mean": the closest known word.

/// The candidate closest to the word, if it is close enough to be meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody means a known word by something so long, and comparing takes its square.
    if word.len() > 64 {
        return None;
    }
    let limit = match word.chars().count() {
        0 => return None,
        1..=4 => 1,
        5..=6 => 2,
        _ => 3,
    };
    let lower = word.to_ascii_lowercase();
    candidates
        .into_iter()
        // Only case apart is closer than any slip of a letter.
        .map(|c| match c.to_ascii_lowercase() == lower {
            true => (0, c),
            false => (strsim::osa_distance(word, c), c),
        })
        .filter(|(distance, c)| *distance <= limit && *distance < c.chars().count())
        .min()
        .map(|(_, c)| c)
}

/// The same, as the sentence of a help line.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(word, candidates).map(|c| format!("did you mean `{c}`?"))
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not() {
        let words = ["send", "recv", "create", "peek"];
        assert_eq!(closest("sned", words), Some("send"));
        assert_eq!(closest("creat", words), Some("create"));
        assert_eq!(closest("zzzzzz", words), None);
        assert_eq!(closest("", words), None);
        assert_eq!(closest("SEND", words), Some("send"));
        assert_eq!(closest(&"s".repeat(100_000), words), None);
    }
}
