//! What is tested: a running system of nodes. [`Target`] is all that the runner knows of it;
//! [`launched`] starts real servers, [`attached`] talks to somebody else's, and `scripted` is a
//! fake that tests the runner itself.

mod address;
pub mod attached;
mod cause;
pub mod control;
mod deeds;
mod facts;
mod found;
mod identify;
pub mod launched;
mod login;
mod members;
pub mod pool;
mod reach;
#[cfg(test)]
pub(crate) mod scripted;
pub(crate) mod stall;
mod unrest;
mod unusable;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use shardlab::machine::wait::Deadline;
use shardlab::wire::client::{ClientError, Connection};
use shardlab::wire::resp::{Frame, Protocol};

use crate::pattern::Server;

use crate::transcript::ast::{NodeName, Signal};

pub use address::{Address, AddressError, AddressMap, Credentials};
pub use cause::{Cause, command_name, missing};
pub use facts::{Endpoint, NodeFacts};
pub use identify::{choose, describe, from_identity, from_info};
pub use login::Access;
pub(crate) use login::without_words;

/// A connection to one node. Dropping it closes it.
pub trait Link: Send {
    /// Sends bytes as they are.
    fn send(
        &mut self,
        bytes: &[u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<(), ClientError>> + Send;

    /// Reads one frame. After a time-out the bytes that have come stay.
    fn read(
        &mut self,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Frame, ClientError>> + Send;

    /// Reads bytes as they come, at least one, at most `limit`.
    fn read_bytes(
        &mut self,
        limit: usize,
        deadline: Deadline,
    ) -> impl Future<Output = Result<BytesMut, ClientError>> + Send;

    /// What the replies are decoded as from now on.
    fn set_protocol(&mut self, protocol: Protocol);
}

impl Link for Connection {
    async fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), ClientError> {
        Self::send(self, bytes, deadline).await
    }

    async fn read(&mut self, deadline: Deadline) -> Result<Frame, ClientError> {
        Self::read(self, deadline).await
    }

    async fn read_bytes(
        &mut self,
        limit: usize,
        deadline: Deadline,
    ) -> Result<BytesMut, ClientError> {
        Self::read_bytes(self, limit, deadline).await
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        Self::set_protocol(self, protocol);
    }
}

/// What can be done to a node's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The signal; for one that ends a process, until it has ended.
    Kill(Signal),
    /// SIGSTOP.
    Pause,
    /// SIGCONT.
    Resume,
    /// SIGTERM, until the process has ended.
    Stop,
    /// Until the process is there, which may not listen yet.
    Start,
}

/// The whole system under test, as one case sees it.
pub trait Target: Sync {
    /// Its connections.
    type Link: Link;

    /// Product and version, if they are known.
    fn server(&self) -> Option<&Server>;

    /// `cluster-node-timeout`: what `T` means.
    fn node_timeout(&self) -> NodeTimeout;

    /// The names of all nodes.
    fn nodes(&self) -> Vec<NodeName>;

    /// What is known of a node; `None` if no node has that name.
    fn node(&self, name: NodeName) -> Option<&NodeFacts>;

    /// Opens a connection.
    fn connect(
        &self,
        node: NodeName,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Self::Link, ClientError>> + Send;

    /// Does something to a node's process. The error says why it could not be done.
    fn act(&self, deed: Deed, node: NodeName) -> impl Future<Output = Result<(), String>> + Send {
        let _ = (deed, node);
        std::future::ready(Err("its processes are not ours".to_owned()))
    }

    /// Waits until what was done to a node's process can be seen. The error says what is seen instead.
    fn settle(
        &self,
        deed: Deed,
        node: NodeName,
    ) -> impl Future<Output = Result<(), String>> + Send {
        let _ = (deed, node);
        std::future::ready(Ok(()))
    }

    /// The last lines of a node's log; none if it cannot be seen.
    fn log_tail(&self, node: NodeName, lines: usize) -> Vec<String> {
        let _ = (node, lines);
        Vec::new()
    }
}

/// How long `T` is, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeTimeout {
    /// The period.
    pub period: Duration,
    /// As in "from CONFIG GET cluster-node-timeout".
    pub origin: &'static str,
}

/// An address for errors of a connection that was never tried.
pub(crate) const NOWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
