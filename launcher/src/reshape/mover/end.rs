//! A node at one end of a move.

use crate::node::Endpoint;
use crate::wire::view::NodeId;

/// The source or the target of a move.
#[derive(Debug)]
pub(super) struct End {
    pub(super) endpoint: Endpoint,
    /// Its node id.
    pub(super) id: NodeId,
}

impl End {
    pub(super) fn name(&self) -> &str {
        &self.endpoint.name
    }
}
