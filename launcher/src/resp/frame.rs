//! One value of the wire, with the bytes that it was read from.

use bytes::Bytes;

/// One reply (or request) exactly as it stood on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The frame's own bytes, from its type byte to its last line end.
    pub raw: Bytes,
    /// What the bytes say.
    pub value: Value,
}

/// What a frame says. Every difference that the wire can express is kept: the three nulls
/// are three variants, maps keep their order and their repeated keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `+OK`
    SimpleString(Bytes),
    /// `-ERR …`
    SimpleError(Bytes),
    /// `:1`
    Integer(i64),
    /// `$3`
    BulkString(Bytes),
    /// `$-1`, RESP2's missing string
    NullBulkString,
    /// `*2`
    Array(Vec<Frame>),
    /// `*-1`, RESP2's missing array
    NullArray,
    /// `_`, RESP3's one null
    Null,
    /// `#t`, `#f`
    Boolean(bool),
    /// `,1.5`, `,inf`, `,nan`
    Double(f64),
    /// `(123…`
    BigNumber(Bytes),
    /// `!21`
    BulkError(Bytes),
    /// `=15\r\ntxt:…`
    VerbatimString {
        /// The three bytes before the colon, `txt` or `mkd` in practice.
        format: [u8; 3],
        /// What follows the colon.
        text: Bytes,
    },
    /// `%2`
    Map(Vec<(Frame, Frame)>),
    /// `~2`
    Set(Vec<Frame>),
    /// `>2`, out of band
    Push(Vec<Frame>),
    /// `|1` and the value that it precedes
    Attribute {
        /// The attributes, in wire order.
        attributes: Vec<(Frame, Frame)>,
        /// The value they belong to.
        value: Box<Frame>,
    },
    /// `$?`, a string in chunks
    StreamedString(Vec<Bytes>),
    /// `*?`, an array whose end is marked
    StreamedArray(Vec<Frame>),
    /// `~?`
    StreamedSet(Vec<Frame>),
    /// `%?`
    StreamedMap(Vec<(Frame, Frame)>),
}
