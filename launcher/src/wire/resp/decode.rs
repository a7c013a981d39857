//! From bytes to frames.

use bytes::BytesMut;

use super::assemble::assemble;
use super::cursor::Stop;
use super::scan::{Scan, Token};
use super::{Frame, ProtocolError};

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

/// Takes frames off the front of a connection's bytes.
#[derive(Debug)]
pub struct Decoder {
    protocol: Protocol,
    limits: Limits,
    scan: Scan,
}

impl Decoder {
    /// A decoder with the default [`Limits`].
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            limits: Limits::default(),
            scan: Scan::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Limits {
            depth: limits.depth.min(Limits::MAX_DEPTH),
            ..limits
        };
        self
    }

    /// What the connection speaks.
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Changes what the connection speaks, from the next frame on, or from the start of the
    /// one that is not complete yet.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
        self.scan = Scan::default();
    }

    /// Takes one frame off the front of the buffer; its bytes are not copied. `None` leaves the
    /// buffer as it is: the frame is right so far, but incomplete. Append to the same buffer
    /// and call again; what was read is not read again.
    ///
    /// # Errors
    ///
    /// The bytes break the protocol or a limit. The buffer is left as it is, and another call
    /// gives the same answer.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        if buffer.len() < self.scan.position() {
            // Another buffer, or one that was cleared.
            self.scan = Scan::default();
        }
        match self.scan.resume(buffer, self.protocol, &self.limits) {
            Ok(()) => {
                let scan = std::mem::take(&mut self.scan);
                let raw = buffer.split_to(scan.position()).freeze();
                Ok(assemble(&raw, scan.into_tokens()))
            }
            Err(Stop::Incomplete) => Ok(None),
            Err(Stop::Broken(error)) => {
                self.scan = Scan::default();
                Err(error)
            }
        }
    }
}
