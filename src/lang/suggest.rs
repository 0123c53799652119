//! "Did you mean": the closest known word.

/// The candidate closest to the word, if it is close enough to be meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match word.chars().count() {
        0 => return None,
        1..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|c| (strsim::osa_distance(word, c), c))
        .filter(|(distance, c)| *distance <= limit && *distance < c.chars().count())
        .min_by_key(|(distance, _)| *distance)
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
    }
}
