//! Nodes that the nodes of a cluster know and the record does not: others have added them.

use serde::Serialize;
use shardlab::cluster::picture;
use shardlab::wire::view::NodeId;

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct Stranger {
    id: NodeId,
    /// Where it listens for clients.
    pub(super) address: String,
    /// Whether the first node that knows it talks to it.
    pub(super) connected: bool,
}

impl From<picture::Stranger> for Stranger {
    fn from(stranger: picture::Stranger) -> Self {
        Self {
            id: stranger.id,
            address: stranger.address.client().to_owned(),
            connected: stranger.connected,
        }
    }
}
