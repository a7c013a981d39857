//! From bytes to frames.

use bytes::BytesMut;

use super::assemble::assemble;
use super::cursor::Stop;
use super::scan::Scan;
use super::{Frame, Limits, Protocol, ProtocolError};

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
