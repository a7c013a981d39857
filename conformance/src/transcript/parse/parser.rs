//! The parser's state, and what every part of the grammar asks of it.

use crate::transcript::ast::{Comment, EmbeddedFile, NodeName, Products};
use crate::transcript::error::{Error, ErrorKind, Vocabulary};
use crate::transcript::span::{Span, Spanned};

use super::lines::{Cursor, Line};

/// How deep blocks, values and alternatives may be nested, each by itself.
pub const MAX_DEPTH: usize = 16;

/// More errors than this in one file are not collected: the first ones tell the story.
const MAX_ERRORS: usize = 64;

/// The lines, the place of the next one, and what was wrong so far.
pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) at: usize,
    pub(super) errors: Vec<Error>,
    /// The servers of the case, once its header has been read.
    pub(super) since: Option<&'a Products>,
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<Line<'a>> {
        self.lines.get(self.at).copied()
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    pub(super) fn error(&mut self, kind: ErrorKind, span: Span) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(kind.at(span));
        }
    }

    pub(super) fn unknown(&mut self, found: Cursor<'_>, vocabulary: Vocabulary) {
        let kind = ErrorKind::Unknown {
            found: found.text.to_owned(),
            vocabulary,
        };
        self.error(kind, found.span());
    }

    /// An error for the first line above the files that is indented with a tab.
    pub(super) fn tabs(&mut self) {
        let tabbed = self
            .lines
            .iter()
            .take_while(|line| file_name(**line).is_none())
            .find(|line| line.is_tabbed());
        if let Some(line) = tabbed {
            let span = Span::new(line.start, line.content().start);
            self.error(ErrorKind::Tab, span);
        }
    }

    /// The end of the last line that was taken.
    pub(super) fn end_of_last(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|last| self.lines.get(last))
            .map_or(0, |line| line.start + line.text.len())
    }

    /// A node's name, or an error.
    pub(super) fn node_name(&mut self, word: Cursor<'_>) -> Option<Spanned<NodeName>> {
        let name = NodeName::parse(word.text);
        if name.is_none() {
            self.error(ErrorKind::NodeName(word.text.to_owned()), word.span());
        }
        name.map(|name| Spanned::new(name, word.span()))
    }

    /// Takes blank lines, and comments that are indented by at least `min`.
    pub(super) fn comments(&mut self, min: usize) -> Vec<Comment> {
        let mut comments: Vec<Comment> = Vec::new();
        while let Some(line) = self.peek() {
            if line.is_blank() {
                if let Some(last) = comments.last_mut() {
                    last.blank_after = true;
                }
            } else if let Some(text) = line.content().text.strip_prefix('#')
                && line.indent() >= min
            {
                comments.push(Comment {
                    text: text.strip_prefix(' ').unwrap_or(text).to_owned(),
                    blank_after: false,
                });
            } else {
                break;
            }
            self.advance();
        }
        comments
    }

    /// `-- n1/nodes.conf --` and what follows, up to the end.
    pub(super) fn files(&mut self) -> Vec<Spanned<EmbeddedFile>> {
        let mut files: Vec<Spanned<EmbeddedFile>> = Vec::new();
        while let Some(line) = self.peek() {
            self.advance();
            let Some(name) = file_name(line) else {
                continue;
            };
            let start = self.peek().map_or(self.source.len(), |next| next.start);
            while self.peek().is_some_and(|next| file_name(next).is_none()) {
                self.advance();
            }
            let end = self.peek().map_or(self.source.len(), |next| next.start);
            let mut content = self.source.get(start..end).unwrap_or_default().to_owned();
            if !content.is_empty() && !content.ends_with('\n') {
                content.push('\n');
            }
            let valid = name.split_once('/').is_some_and(|(node, file)| {
                NodeName::parse(node).is_some()
                    && !file.contains('/')
                    && !file.starts_with('.')
                    && !file.is_empty()
            });
            let span = line.content().span();
            if !valid {
                self.error(ErrorKind::FileName, span);
            }
            if files.iter().any(|file| file.name == name) {
                self.error(ErrorKind::RepeatedFile(name.to_owned()), span);
            }
            let file = EmbeddedFile {
                name: name.to_owned(),
                content,
            };
            files.push(Spanned::new(file, span));
        }
        files
    }
}

/// The name in `-- name --`.
pub(super) fn file_name(line: Line<'_>) -> Option<&str> {
    let name = line.text.strip_prefix("-- ")?.strip_suffix(" --")?;
    Some(name.trim())
}
