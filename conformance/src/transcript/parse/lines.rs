//! The source as lines, and a cursor in one of them.

use crate::transcript::span::Span;

/// A line without its end and without the blanks at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// What can be seen.
    pub(super) text: &'a str,
    /// Where it starts in the source.
    pub(super) start: usize,
}

impl<'a> Line<'a> {
    /// The lines of `source`.
    pub(super) fn all(source: &'a str) -> Vec<Self> {
        let mut start = 0;
        source
            .split_inclusive('\n')
            .map(|line| {
                let text = line.trim_end_matches([' ', '\t', '\r', '\n']);
                let this = Self { text, start };
                start += line.len();
                this
            })
            .collect()
    }

    /// How far its content is from the margin. A tab, which is an error, counts as two blanks.
    pub(super) fn indent(self) -> usize {
        self.text
            .bytes()
            .map_while(|byte| match byte {
                b' ' => Some(1),
                b'\t' => Some(2),
                _ => None,
            })
            .sum()
    }

    /// Whether a tab stands in front of its content.
    pub(super) fn is_tabbed(self) -> bool {
        self.text.trim_start_matches(' ').starts_with('\t')
    }

    /// What follows the indentation, as a cursor.
    pub(super) fn content(self) -> Cursor<'a> {
        let text = self.text.trim_start_matches([' ', '\t']);
        Cursor {
            text,
            start: self.start + self.text.len() - text.len(),
        }
    }

    pub(super) fn is_blank(self) -> bool {
        self.text.is_empty()
    }
}

/// A part of a line that has still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// The rest.
    pub(super) text: &'a str,
    /// Where it starts in the source.
    pub(super) start: usize,
}

impl<'a> Cursor<'a> {
    /// Everything that is left.
    pub(super) fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    /// From here to where `later`, a cursor further right in the same line, begins.
    pub(super) fn up_to(self, later: Self) -> Span {
        Span::new(self.start, later.start.max(self.start))
    }

    /// The text between here and `later`.
    pub(super) fn text_up_to(self, later: Self) -> &'a str {
        self.text
            .get(..later.start.saturating_sub(self.start))
            .unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn peek(self) -> Option<char> {
        self.text.chars().next()
    }

    /// Skips `bytes` bytes, which must end at a character's boundary.
    pub(super) fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.text.len());
        self.text = self.text.get(bytes..).unwrap_or_default();
        self.start += bytes;
    }

    /// Takes the next character.
    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.skip(next.len_utf8());
        Some(next)
    }

    /// Takes `prefix` if it is next.
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let found = self.text.starts_with(prefix);
        if found {
            self.skip(prefix.len());
        }
        found
    }

    /// Takes characters as long as they are `wanted`.
    pub(super) fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> Self {
        let end = self.text.find(|c| !wanted(c)).unwrap_or(self.text.len());
        let taken = self.first(end);
        self.skip(end);
        taken
    }

    pub(super) fn skip_blanks(&mut self) {
        self.eat_while(|c| c == ' ' || c == '\t');
    }

    /// The first `bytes` bytes.
    pub(super) fn first(self, bytes: usize) -> Self {
        Self {
            text: self.text.get(..bytes).unwrap_or(self.text),
            start: self.start,
        }
    }

    /// Takes the next word: what stands before a blank. None at the end.
    pub(super) fn word(&mut self) -> Option<Self> {
        self.skip_blanks();
        let word = self.eat_while(|c| c != ' ' && c != '\t');
        (!word.is_empty()).then_some(word)
    }

    /// A character at the place of the next one, or an empty span at the end.
    pub(super) fn here(self) -> Span {
        let width = self.peek().map_or(0, char::len_utf8);
        Span::new(self.start, self.start + width)
    }
}
