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
mod parser;
mod pattern;
mod plain;
mod prompt;
mod raw;
mod reply;
mod tags;
mod template;
mod text;
mod topology;
mod words;

pub use self::condition::product_range;
pub use self::parser::MAX_DEPTH;
pub(crate) use self::plain::has_prompt;
pub(super) use self::plain::{frame_line_is_plain, reads_as_simple_string};

use self::lines::Line;
use self::parser::Parser;
use super::ast::Transcript;
use super::error::{Error, ErrorKind};
use super::span::{MAX_SOURCE, Span};

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

#[cfg(test)]
mod tests;
