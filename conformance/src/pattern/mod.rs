//! Whether what came back is what a transcript expects. Pure, and bounded in time and memory
//! by the sizes of pattern and reply.

mod assertion;
mod compile;
mod describe;
mod environment;
mod error_reply;
mod expected;
mod frame;
mod mend;
mod parts;
mod plan;
mod raw;
mod text;

pub use assertion::holds;
pub use environment::{Captures, Facts, Known, Server, Unresolved};
pub use expected::{Received, judge};
pub use mend::mend;
pub use raw::{RawReceived, judge_raw};

use std::borrow::Cow;

use shardlab::machine::text::printable;

use crate::transcript::Span;
use crate::transcript::ast::Level;

/// The verdict on one reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// It is what is expected.
    Yes,
    /// It passes, and differs in what clients should not depend on. Never empty.
    Differs(Vec<Departure>),
    /// It is something else.
    No(Box<Mismatch>),
}

/// A difference that is not held against the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Why not.
    pub strength: Strength,
    /// What differs.
    pub mismatch: Mismatch,
}

/// How much a tolerated difference weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// The line is marked `(may)`.
    May,
    /// The human text of an error, behind its code.
    Text,
    /// The line is marked `(should)`.
    Should,
}

/// A difference: the place in the transcript and both sides in words, to be read as "expected
/// …, received …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The expected line.
    pub span: Span,
    /// What it asks for, placeholders resolved.
    pub expected: String,
    /// What there was; may have several lines.
    pub received: String,
    /// What a reader should know.
    pub note: Option<String>,
    /// The level the line is marked with, when it is `(must)`; the case's counts otherwise.
    pub level: Option<Level>,
}

impl Mismatch {
    pub(crate) fn new(span: Span, expected: String, received: String) -> Self {
        Self {
            span,
            expected,
            received: match printable(&received) {
                Cow::Owned(fit) => fit,
                Cow::Borrowed(_) => received,
            },
            note: None,
            level: None,
        }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected {}, received {}", self.expected, self.received)
    }
}

#[cfg(test)]
mod tests;
