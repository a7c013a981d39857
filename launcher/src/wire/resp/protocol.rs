//! Which RESP a connection speaks.

/// What a connection speaks. It starts with RESP2; `HELLO 3` changes it, and the answer to
/// that is RESP3 already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Five types: simple string, error, integer, bulk string, array.
    #[default]
    Resp2,
    /// Those of RESP2 and ten more.
    Resp3,
}

impl Protocol {
    /// The bytes that begin its types.
    pub(super) fn types(self) -> &'static [u8] {
        match self {
            Self::Resp2 => b"+-:$*",
            Self::Resp3 => b"+-:$*_#,(!=%~>|",
        }
    }
}
