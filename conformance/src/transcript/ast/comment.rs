//! What is said to readers only.

/// A `#` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What follows `#`, without blanks at the end.
    pub text: String,
    /// Whether a blank line follows, so that it is a paragraph of its own.
    pub blank_after: bool,
}
