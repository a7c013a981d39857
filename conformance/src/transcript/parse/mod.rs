//! Text to tree. A hand-written descent over lines that goes on after an error, so that all
//! errors of a file are known after one look. Nothing here panics or recurses deeper than
//! [`MAX_DEPTH`], and a source above [`MAX_SOURCE`] is refused unread.

mod action;
mod assertion;
mod block;
mod condition;
mod container;
mod header;
mod lines;
mod pattern;
mod prompt;
mod raw;
mod reply;
mod template;
mod text;
mod topology;
mod words;

pub use self::condition::product_range;
use self::lines::{Cursor, Line};
use super::ast::{Comment, EmbeddedFile, NodeName, Products, Transcript};
use super::error::{Error, ErrorKind, Vocabulary};
use super::span::{Span, Spanned};

/// The largest source that is read, in bytes. It bounds the memory of a tree, too: a few times
/// the source for what people write, some megabytes for the worst that fits.
pub const MAX_SOURCE: usize = 64 * 1024;

/// How deep blocks, values and alternatives may be nested, each by itself.
pub const MAX_DEPTH: usize = 16;

/// More errors than this in one file are not collected: the first ones tell the story.
const MAX_ERRORS: usize = 64;

/// Reads a transcript.
///
/// # Errors
/// Everything that is wrong with it, in the order of places (at most 64 errors).
pub fn parse(source: &str) -> Result<Transcript, Vec<Error>> {
    if source.len() > MAX_SOURCE {
        return Err(vec![ErrorKind::TooLarge.at(Span::default())]);
    }
    // Editors show nothing there: said as it is, not as an unknown key.
    if source.starts_with('\u{feff}') {
        return Err(vec![ErrorKind::ByteOrderMark.at(Span::default())]);
    }
    let mut parser = Parser {
        source,
        lines: Line::all(source),
        at: 0,
        errors: Vec::new(),
        since: None,
    };
    parser.tabs();
    let header = parser.header();
    parser.since = header
        .as_ref()
        .and_then(|header| header.since.as_ref())
        .map(|since| &since.value);
    let body = parser.body();
    let files = parser.files();
    let mut errors = parser.errors;
    match header {
        Some(header) if errors.is_empty() => Ok(Transcript {
            header,
            body,
            files,
        }),
        _ => {
            errors.sort_by_key(|error| (error.span.start, error.span.end));
            errors.dedup();
            Err(errors)
        }
    }
}

/// Reads a transcript from the bytes of a file.
///
/// # Errors
/// As [`parse`]; also when the bytes are not UTF-8.
pub fn parse_bytes(source: &[u8]) -> Result<Transcript, Vec<Error>> {
    match std::str::from_utf8(source) {
        Ok(source) => parse(source),
        Err(error) => {
            let valid = error.valid_up_to();
            Err(vec![ErrorKind::NotUtf8.at(Span::new(valid, valid))])
        }
    }
}

/// The lines, the place of the next one, and what was wrong so far.
struct Parser<'a> {
    source: &'a str,
    lines: Vec<Line<'a>>,
    at: usize,
    errors: Vec<Error>,
    /// The servers of the case, once its header has been read.
    since: Option<&'a Products>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Line<'a>> {
        self.lines.get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn error(&mut self, kind: ErrorKind, span: Span) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(kind.at(span));
        }
    }

    fn unknown(&mut self, found: Cursor<'_>, vocabulary: Vocabulary) {
        let kind = ErrorKind::Unknown {
            found: found.text.to_owned(),
            vocabulary,
        };
        self.error(kind, found.span());
    }

    /// An error for the first line above the files that is indented with a tab.
    fn tabs(&mut self) {
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
    fn end_of_last(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|last| self.lines.get(last))
            .map_or(0, |line| line.start + line.text.len())
    }

    /// A node's name, or an error.
    fn node_name(&mut self, word: Cursor<'_>) -> Option<Spanned<NodeName>> {
        let name = NodeName::parse(word.text);
        if name.is_none() {
            self.error(ErrorKind::NodeName(word.text.to_owned()), word.span());
        }
        name.map(|name| Spanned::new(name, word.span()))
    }

    /// Takes blank lines, and comments that are indented by at least `min`.
    fn comments(&mut self, min: usize) -> Vec<Comment> {
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
    fn files(&mut self) -> Vec<Spanned<EmbeddedFile>> {
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

/// Whether `text`, alone on a line, is read as a simple string that says just this.
pub(super) fn reads_as_simple_string(text: &str) -> bool {
    let line = Line { text, start: 0 };
    let content = line.content();
    text.starts_with(|c: char| c.is_alphabetic() || "<\\@/_%&={},;^".contains(c))
        && !matches!(text, "<any>")
        && !block::starts_step(line)
        && pattern::mistake(content).is_none()
}

/// Whether `text` can stand in a frame that is written line by line, without a margin.
pub(super) fn frame_line_is_plain(text: &str) -> bool {
    let line = Line { text, start: 0 };
    raw::is_frame_line(line, 0)
        && !text.starts_with(['|', ' '])
        && !matches!(text, "(no newline)" | "(no connection)")
}

/// The name in `-- name --`.
fn file_name(line: Line<'_>) -> Option<&str> {
    let name = line.text.strip_prefix("-- ")?.strip_suffix(" --")?;
    Some(name.trim())
}

#[cfg(test)]
mod tests;
