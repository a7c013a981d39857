//! Where the bytes departed from the protocol.

use std::fmt;

use bytes::Bytes;

use super::{Protocol, escape};

/// The bytes are not RESP, or not of the protocol that the connection speaks, or more than
/// the decoder was allowed to take. The connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: expected {expected}, found `{}`", short(.found))]
pub struct ProtocolError {
    /// Where it is: bytes from the first byte of the frame.
    pub offset: usize,
    /// What should have stood there.
    pub expected: Expected,
    /// What stands there: one byte, or all of a number that is wrong as a whole.
    pub found: Bytes,
}

/// What the protocol wants, or the decoder's [`Limits`](super::Limits) allow, at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A byte that begins a frame of that protocol.
    Type(Protocol),
    /// Any type but a push: pushes stand between replies, never inside one.
    InnerType,
    /// A chunk of a streamed string.
    Chunk,
    /// The value of a streamed map's last key; the map ended instead.
    MapValue,
    /// The line end after the part that is named.
    LineEnd(&'static str),
    /// A decimal digit.
    Digit,
    /// A number from -2^63 to 2^63 - 1.
    Integer,
    /// Digits, perhaps with a sign, of any number.
    BigNumber,
    /// `[+-]digits[.digits][e[+-]digits]`, `inf`, `-inf` or `nan`.
    Double,
    /// `t` or `f`.
    Boolean,
    /// `-1`: the one negative length there is.
    NullLength,
    /// A length of at least the four bytes of a verbatim string's format and colon.
    VerbatimLength,
    /// The colon after the format of a verbatim string.
    VerbatimColon,
    /// At most that many bytes in a string, or elements or pairs in an aggregate.
    Length {
        /// The limit.
        max: usize,
    },
    /// At most that many aggregates around a value.
    Depth {
        /// The limit.
        max: usize,
    },
    /// The end of the frame before it takes more than that many bytes of memory.
    FrameEnd {
        /// The limit.
        max: usize,
    },
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(Protocol::Resp2) => formatter.write_str("a type byte of RESP2"),
            Self::Type(Protocol::Resp3) => formatter.write_str("a type byte of RESP3"),
            Self::InnerType => formatter.write_str("no push inside another value"),
            Self::Chunk => formatter.write_str("`;` and a chunk of the streamed string"),
            Self::MapValue => formatter.write_str("a value for the last key of the streamed map"),
            Self::LineEnd(after) => write!(formatter, "`\\r\\n` after the {after}"),
            Self::Digit => formatter.write_str("a digit"),
            Self::Integer => formatter.write_str("an integer of 64 bits"),
            Self::BigNumber => formatter.write_str("the digits of a big number"),
            Self::Double => formatter.write_str("a double"),
            Self::Boolean => formatter.write_str("`t` or `f`"),
            Self::NullLength => formatter.write_str("`1`, for the null length `-1`"),
            Self::VerbatimLength => {
                formatter.write_str("a length of 4 or more for a format and its colon")
            }
            Self::VerbatimColon => {
                formatter.write_str("`:` after the format of the verbatim string")
            }
            Self::Length { max } => write!(formatter, "a length of at most {max}"),
            Self::Depth { max } => write!(formatter, "at most {max} levels of nesting"),
            Self::FrameEnd { max } => {
                write!(formatter, "the end of a frame of at most {max} bytes")
            }
        }
    }
}

/// Printable, and no longer than a terminal line has room for.
fn short(found: &[u8]) -> String {
    const MOST: usize = 24;
    match found.get(..MOST) {
        Some(start) if found.len() > MOST => format!("{}…", escape(start)),
        _ => escape(found),
    }
}
