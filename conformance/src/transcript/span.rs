//! Where something stands in a transcript's source, and how large that may be.

use std::fmt;
use std::ops::{Deref, Range};

/// The largest source that is read, in bytes. It bounds the memory of a tree, too: a few times
/// the source for what people write, some megabytes for the worst that fits.
pub const MAX_SOURCE: usize = 64 * 1024;

/// A range of bytes of the source. Both ends lie on character boundaries of the text that was
/// parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one; never less than `start`.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to and without `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Line and column of the first byte; `source` must be the text the span was made from.
    pub fn position(self, source: &str) -> Position {
        let start = self.start.min(source.len());
        let before = source.as_bytes().get(..start).unwrap_or_default();
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let column = source
            .get(line_start..start)
            .map_or(0, |text| text.chars().count());
        Position {
            line: before.split(|byte| *byte == b'\n').count(),
            column: column + 1,
        }
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start..span.end
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A place as an editor names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A node of the tree and its place. Two of them are equal when their values are: where a
/// thing was written does not change what it says, so `parse(print(parse(x))) == parse(x)`.
#[derive(Clone, Copy)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned::new(change(self.value), self.span)
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let source = "title: é\nn1> GET\n";
        assert_eq!(Span::new(9, 9).position(source).to_string(), "1:9");
        assert_eq!(Span::new(10, 12).position(source).to_string(), "2:1");
        assert_eq!(Span::new(99, 99).position(source).to_string(), "3:1");
    }

    #[test]
    fn the_place_does_not_make_two_nodes_differ() {
        assert_eq!(
            Spanned::new("a", Span::new(0, 1)),
            Spanned::new("a", Span::new(7, 8))
        );
    }
}
