//! "Did you mean …": the word of a closed vocabulary that a mistyped one stands for.

/// The word that is at most two slips of the hand away from `typed`, one if it has three letters or fewer, or
/// one for every three letters if it is long; the nearest, and of equals the first. A slip is a letter added,
/// lost, changed, or swapped with its neighbour; upper and lower case are alike.
pub fn closest<'a>(typed: &str, vocabulary: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let most = match typed.chars().count() {
        0..=3 => 1,
        letters => (letters / 3).max(2),
    };
    vocabulary
        .into_iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(&typed, &word.to_lowercase()),
                word,
            )
        })
        .filter(|(slips, word)| *slips <= most && *slips < word.len())
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
        assert_eq!(closest("Musst", ["may", "must"]), Some("must"));
        assert_eq!(
            closest("replikationen", ["replication"]),
            Some("replication")
        );
    }

    #[test]
    fn a_word_that_is_far_from_all_gets_no_suggestion() {
        assert_eq!(closest("postgres", ["redis", "valkey"]), None);
        assert_eq!(closest("", ["ls"]), None);
        assert_eq!(closest("bus", ["hup", "int"]), None);
    }
}
