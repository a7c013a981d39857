//! A node at one end of a move.

use crate::node::Endpoint;

/// A node that takes part in a move.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) endpoint: Endpoint,
    /// Its node id.
    pub(super) id: String,
}

impl Peer {
    pub(super) fn name(&self) -> &str {
        &self.endpoint.name
    }
}
