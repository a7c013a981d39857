//! "Did you mean": the nearest word of a closed vocabulary.

use shardlab::machine::suggestion::closest;

/// More words than this are not listed.
const MAX_LIST: usize = 12;

/// A sentence that names the word of `valid` that `found` was probably meant to be, or all of
/// them when none is near and they are few.
pub(super) fn suggest(found: &str, valid: &[&str]) -> Option<String> {
    closest(found, valid.iter().copied())
        .map(|word| format!("did you mean `{word}`?"))
        .or_else(|| (valid.len() <= MAX_LIST).then(|| format!("it is one of {}", list(valid))))
}

/// "`a`, `b`"
fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named_and_without_one_all_are() {
        let suggest = |found, valid: &[&str]| suggest(found, valid).unwrap_or_default();
        assert_eq!(suggest("Musst", &["must", "may"]), "did you mean `must`?");
        assert_eq!(suggest("xyz", &["a"; 13]), "");
        assert_eq!(
            suggest("xyz", &["must", "may"]),
            "it is one of `must`, `may`"
        );
    }
}
