//! What is told of a start while it goes on.

use std::time::Duration;

use crate::error::Error;
use crate::ladder::Standing;
use crate::server::{Identity, Notice};

/// What a launcher tells while it works.
///
/// ```
/// use shardlab::{Cluster, Event};
///
/// let tell = |event: &Event<'_>| {
///     if let Event::Spawned { nodes, server } = event {
///         println!("{nodes} nodes of {server}");
///     }
/// };
/// let cluster = Cluster::builder().masters(1).replicas(0).observer(&tell).start_blocking()?;
/// # Ok::<(), shardlab::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Something takes a while that a user would not expect, such as fetching a server.
    Note(&'a Notice),
    /// The servers have been started: so many, of this kind.
    Spawned {
        /// How many nodes.
        nodes: usize,
        /// What they run.
        server: &'a Identity,
    },
    /// The servers have been removed and are started anew in another way, since they do not have a command
    /// that this way needs.
    StartsAnew {
        /// What they refused.
        why: &'a Error,
        /// The other way, as in "by commands".
        how: &'static str,
    },
    /// An archive is being unpacked.
    Unpacked {
        /// Bytes of data that have been.
        done: u64,
        /// Bytes of data that there are.
        total: u64,
    },
    /// One look at the ladder.
    Looked {
        /// Where each node stands.
        standings: &'a [Standing],
        /// Since the launcher's start.
        elapsed: Duration,
    },
}

/// Hears of events, on the thread that starts the cluster.
pub type Observer<'a> = &'a (dyn Fn(&Event<'_>) + Sync);
