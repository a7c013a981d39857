//! "Did you mean …": the word of a closed vocabulary that a mistyped one stands for.

/// The word that is at most two slips of the hand away from `typed`; the nearest, and of
/// equals the first. A slip is a letter added, lost, changed, or swapped with its neighbour.
pub(crate) fn closest<'a>(
    typed: &str,
    vocabulary: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    vocabulary
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(typed, word), word))
        .filter(|(slips, word)| *slips <= 2 && *slips < word.len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn the_nearest_word_is_suggested() {
        assert_eq!(closest("valky", ["redis", "valkey"]), Some("valkey"));
        assert_eq!(closest("redsi", ["redict", "redis"]), Some("redis"));
    }

    #[test]
    fn a_word_that_is_far_from_all_gets_no_suggestion() {
        assert_eq!(closest("postgres", ["redis", "valkey"]), None);
        assert_eq!(closest("", ["ls"]), None);
    }
}
