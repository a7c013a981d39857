//! Pieces of templates that nobody has written.

use crate::transcript::ast::Piece;
use crate::transcript::{Span, Spanned};

/// Nothing that is received has a place in a source.
pub(super) fn here<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

/// Puts bytes that have been collected behind the pieces, as one.
pub(super) fn flush(pieces: &mut Vec<Spanned<Piece>>, plain: &mut Vec<u8>) {
    if !plain.is_empty() {
        pieces.push(here(Piece::Literal(std::mem::take(plain))));
    }
}
