//! Why a running cluster cannot be tested.

use std::net::SocketAddr;

use shardlab::wire::client::ClientError;
use thiserror::Error;

/// The cluster specification's upper bound.
pub(super) const MOST_NODES: usize = 1000;

/// Why a cluster cannot be tested. What the server has answered is told as it came.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Nobody is there.
    #[error("no server answers at `{address}`: {source}")]
    Nobody {
        /// Where.
        address: SocketAddr,
        /// What happened.
        source: ClientError,
    },
    /// Nothing comes that could be read.
    #[error("{0}")]
    Talk(ClientError),
    /// It wants to know who is there.
    #[error("{address} wants a password: {reply}")]
    LoginMissing {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// It does not know the user, or another password.
    #[error("{address} refuses the user or the password: {reply}")]
    LoginRefused {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// The user may not ask which nodes there are.
    #[error("{address} does not let the user ask for its nodes: {reply}")]
    Forbidden {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// Cluster mode is off.
    #[error("{address} is not a node of a cluster: {reply}")]
    NoCluster {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// Neither CLUSTER NODES, nor SHARDS, nor SLOTS is answered with nodes.
    #[error("{address} does not tell its nodes; to CLUSTER NODES it answers `{reply}`")]
    Odd {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// Nobody serves some of the slots.
    #[error("the cluster of {address} serves {served} of 16384 slots")]
    Incomplete {
        /// Who says so.
        address: SocketAddr,
        /// How many are served.
        served: usize,
    },
    /// It has more nodes than a cluster may have.
    #[error("the cluster of {address} has {nodes} nodes; the suite tests at most {MOST_NODES}")]
    TooLarge {
        /// Who says so.
        address: SocketAddr,
        /// How many there are.
        nodes: usize,
    },
    /// Looking up where its nodes are takes too long.
    #[error("the host names of the nodes that {address} tells are not found in time")]
    Unnamed {
        /// Who tells them.
        address: SocketAddr,
    },
}
