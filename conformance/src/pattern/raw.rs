//! Bytes as they stand on the wire.

use crate::transcript::ast::{Class, Piece, RawBytes, RawOutcome, Template};
use crate::transcript::{Span, Spanned, print_template};

use super::compile::Compiled;
use super::describe::{legend, resolved};
use super::environment::{Captures, Facts, Known};
use super::{Match, Mismatch};

/// What came on a connection that is read as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawReceived<'a> {
    /// Everything since the last step.
    Bytes(&'a [u8]),
    /// The server closed it, or it could not be opened.
    NoConnection,
}

/// Compares bytes, whole and exactly. `captures` grows only if they match. `span` is the
/// step's place.
pub fn judge_raw(
    outcome: &RawOutcome,
    span: Span,
    received: RawReceived<'_>,
    facts: &dyn Facts,
    captures: &mut Captures,
) -> Match {
    let known = Known { facts, captures };
    let (template, bytes) = match (outcome, received) {
        (RawOutcome::NoConnection, RawReceived::NoConnection) => return Match::Yes,
        (RawOutcome::NoConnection, RawReceived::Bytes(bytes)) => {
            return no(span, "no connection".to_owned(), shown(bytes), None);
        }
        (RawOutcome::Bytes(expected), RawReceived::NoConnection) => {
            let expected = print_template(&resolved(&whole(expected), known));
            let received = "no connection (refused or lost)".to_owned();
            return no(span, format!("the bytes `{expected}`"), received, None);
        }
        (RawOutcome::Bytes(expected), RawReceived::Bytes(bytes)) => (whole(expected), bytes),
    };
    let expected = format!(
        "the bytes `{}`",
        print_template(&resolved(&template, known))
    );
    match Compiled::new(&template, known) {
        Err(error) => no(span, expected, shown(bytes), Some(error.to_string())),
        Ok(compiled) => {
            if let Some(fresh) = compiled.captures(bytes) {
                captures.extend(fresh);
                return Match::Yes;
            }
            let line = departing_line(outcome, bytes, known).unwrap_or(span);
            no(line, expected, shown(bytes), legend(&template, known))
        }
    }
}

/// The first line of a frame that the bytes do not go on with.
fn departing_line(outcome: &RawOutcome, bytes: &[u8], known: Known<'_>) -> Option<Span> {
    let RawOutcome::Bytes(RawBytes::Lines { lines, no_newline }) = outcome else {
        return None;
    };
    let begins = |count: &usize| {
        let mut begin = joined(lines.get(..*count)?, *no_newline && *count == lines.len());
        let any = Piece::Wildcard(Class::Any);
        begin.pieces.push(Spanned::new(any, Span::default()));
        Compiled::new(&begin, known).ok()?.captures(bytes)
    };
    let departing = (1..=lines.len()).find(|count| begins(count).is_none())?;
    lines.get(departing - 1).map(|line| line.span)
}

fn no(span: Span, expected: String, received: String, note: Option<String>) -> Match {
    let mut mismatch = Mismatch::new(span, expected, received);
    mismatch.note = note;
    Match::No(Box::new(mismatch))
}

/// The bytes of either form as one template.
fn whole(bytes: &RawBytes) -> Template {
    match bytes {
        RawBytes::Line(template) => template.clone(),
        RawBytes::Lines { lines, no_newline } => joined(lines, *no_newline),
    }
}

/// Lines with their ends, the last one perhaps without.
fn joined(lines: &[Spanned<Template>], no_newline: bool) -> Template {
    let mut pieces = Vec::new();
    for (number, line) in (1..).zip(lines) {
        pieces.extend(line.pieces.iter().cloned());
        if !(no_newline && number == lines.len()) {
            pieces.push(Spanned::new(Piece::Literal(b"\r\n".to_vec()), line.span));
        }
    }
    Template { pieces }
}

/// The most received bytes that a picture shows.
const SHOWN: usize = 1000;

/// The bytes with escapes, as they could be written in a transcript, as far as a reader looks.
fn shown(bytes: &[u8]) -> String {
    let first = bytes.get(..SHOWN).unwrap_or(bytes);
    let template = Template {
        pieces: vec![Spanned::new(
            Piece::Literal(first.to_vec()),
            Span::default(),
        )],
    };
    let text = print_template(&template);
    match bytes.len().checked_sub(SHOWN) {
        None | Some(0) => format!("`{text}`"),
        Some(more) => format!("`{text}` and {more} bytes more"),
    }
}
