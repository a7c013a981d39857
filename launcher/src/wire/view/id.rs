//! Node ids and configuration epochs, as servers give them. Pure.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

/// The longest id that is taken; servers of the Redis line give 40 hex digits.
const LONGEST: usize = 128;

/// A node's id: 40 hex digits on every server of the Redis line, elsewhere whatever word the server gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeId(String);

impl NodeId {
    /// A server's word as an id; `None` if it is empty, longer than any id or not a word.
    pub fn new(word: &str) -> Option<Self> {
        let is_word = !word.is_empty() && word.len() <= LONGEST;
        let strange = |letter: char| letter.is_whitespace() || letter.is_control();
        (is_word && !word.contains(strange)).then(|| Self(word.to_owned()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// As the server writes it, for commands.
impl Deref for NodeId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for NodeId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

#[cfg(test)]
impl From<&str> for NodeId {
    fn from(word: &str) -> Self {
        Self::new(word).unwrap()
    }
}

/// A configuration epoch. Of two nodes that claim the same, the one with the higher epoch is believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// That of a node which has never had one.
    pub const NONE: Self = Self(0);

    /// The next higher one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_word_and_no_longer_than_ids_are() {
        for word in ["07c3", "node-1", &"a".repeat(LONGEST)] {
            assert_eq!(NodeId::new(word).unwrap(), *word);
        }
        for word in ["", "a b", "a\x1b[2J", &"a".repeat(LONGEST + 1)] {
            assert_eq!(NodeId::new(word), None, "{word}");
        }
    }
}
