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

impl Frame {
    /// What the frame says once its attributes, which a reader may ignore, are set aside. All
    /// that follow look there.
    pub fn plain(&self) -> &Value {
        let mut value = &self.value;
        while let Value::Attribute { value: inner, .. } = value {
            value = &inner.value;
        }
        value
    }

    /// The bytes of a simple, bulk or verbatim string.
    pub fn as_text(&self) -> Option<&[u8]> {
        match self.plain() {
            Value::SimpleString(text)
            | Value::BulkString(text)
            | Value::VerbatimString { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The bytes of a simple or bulk error.
    pub fn as_error(&self) -> Option<&[u8]> {
        match self.plain() {
            Value::SimpleError(text) | Value::BulkError(text) => Some(text),
            _ => None,
        }
    }

    /// The first word of an error, `MOVED` in `-MOVED 3999 127.0.0.1:6381`; `None` if it is not UTF-8.
    pub fn error_code(&self) -> Option<&str> {
        let word = self.as_error()?.split(|byte| *byte == b' ').next()?;
        std::str::from_utf8(word).ok()
    }

    /// The number of an integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self.plain() {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of an array, set or push, streamed or not.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self.plain() {
            Value::Array(frames)
            | Value::Set(frames)
            | Value::Push(frames)
            | Value::StreamedArray(frames)
            | Value::StreamedSet(frames) => Some(frames),
            _ => None,
        }
    }

    /// Whether it is one of the three nulls.
    pub fn is_null(&self) -> bool {
        matches!(
            self.plain(),
            Value::NullBulkString | Value::NullArray | Value::Null
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> Frame {
        Frame::from_value(Value::BulkString(text.into()))
    }

    fn with_attribute(frame: Frame) -> Frame {
        let attributes = vec![(text("ttl"), text("1"))];
        Frame::from_value(Value::Attribute {
            attributes,
            value: Box::new(frame),
        })
    }

    #[test]
    fn attributes_do_not_hide_what_a_frame_says() {
        assert_eq!(
            with_attribute(with_attribute(text("v"))).as_text(),
            Some(&b"v"[..])
        );
        assert_eq!(
            with_attribute(Frame::from_value(Value::Integer(7))).as_integer(),
            Some(7)
        );
        assert!(with_attribute(Frame::from_value(Value::NullArray)).is_null());
    }

    #[test]
    fn the_code_of_an_error_is_its_first_word() {
        let error =
            |text: &'static [u8]| Frame::from_value(Value::BulkError(Bytes::from_static(text)));
        assert_eq!(
            error(b"CROSSSLOT Keys in request").error_code(),
            Some("CROSSSLOT")
        );
        assert_eq!(error(b"ERR").error_code(), Some("ERR"));
        assert_eq!(error(b"ERR \xff").error_code(), Some("ERR"));
        assert_eq!(error(b"\xff ERR").error_code(), None);
        assert_eq!(text("MOVED 1 a:1").error_code(), None);
    }

    #[test]
    fn a_text_is_not_an_error_nor_an_array() {
        let text = text("OK");
        assert_eq!(
            (text.as_error(), text.as_array(), text.as_integer()),
            (None, None, None)
        );
        assert!(!text.is_null());
    }
}
