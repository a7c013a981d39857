//! How much a peer may make the decoder take.

use super::Frame;
use super::token::Token;

/// How much a peer may make the decoder take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Aggregates around a value, 128 by default. More than [`Limits::MAX_DEPTH`] counts as that.
    pub depth: usize,
    /// Bytes in a bulk string, bulk error, verbatim string or chunk; 512 MiB by default, the
    /// servers' own limit (`proto-max-bulk-len`).
    pub bulk: usize,
    /// Elements, or pairs, in an aggregate; 2^32 - 1 by default, as in hiredis
    /// (`REDIS_READER_MAX_ARRAY_ELEMENTS`).
    pub aggregate: usize,
    /// Memory that a frame may take, in bytes, 1 GiB by default: the bytes that it has, and
    /// [`Limits::VALUE`] for each value inside it. What is announced counts before it comes.
    pub frame: usize,
}

impl Limits {
    /// The deepest nesting that any decoder takes: frames are dropped, compared and printed
    /// by recursion.
    pub const MAX_DEPTH: usize = 512;

    /// What a value inside an aggregate costs besides its bytes, in bytes of memory: a token while the
    /// frame is read, and a frame that is moved once while the tree is built.
    pub const VALUE: usize = size_of::<Token>() + 2 * size_of::<Frame>();

    /// The defaults, but for the memory that a frame may take.
    pub fn of_frame(memory: usize) -> Self {
        Self {
            frame: memory,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            bulk: 512 << 20,
            aggregate: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
            frame: 1 << 30,
        }
    }
}
