//! Servers that hang while roles are turned round.
//!
//! A PONG that was under way when its sender took over can make a node believe that two others
//! replicate each other, and servers that walk up such a chain never come back
//! (`clusterNodeGetMaster`, `cluster_legacy.c`; seen on Redis 8.2.3 in 1 of some 300 boots on a busy
//! machine, mended in parts in Valkey 8.0). Nothing has been written yet, so such a node is simply
//! started anew, with its roles settled.

use std::convert::Infallible;
use std::fs;
use std::time::Duration;

use super::seed::Seed;
use crate::config::CLUSTER_FILE;
use crate::error::Error;
use crate::machine::wait::{Deadline, pause};
use crate::node::Node;
use crate::state::write_atomically;
use crate::wire::client::ClientError;

/// How long a node may be silent while it is alive, and how much longer for each node of the
/// cluster: on a busy machine they keep each other waiting.
const PATIENCE: Duration = Duration::from_secs(2);
const PATIENCE_PER_NODE: Duration = Duration::from_millis(50);
/// How often every node is asked.
const EVERY: Duration = Duration::from_millis(250);

/// Asks every node again and again, and starts anew those that accept a connection and do not
/// answer. Goes on until it is dropped.
///
/// # Errors
/// A node cannot be started anew.
pub(super) async fn mend(
    nodes: &[Node],
    seed: &Seed<'_>,
    arguments: &[String],
) -> Result<Infallible, Error> {
    let patience = PATIENCE + PATIENCE_PER_NODE * u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    loop {
        for (index, node) in nodes.iter().enumerate() {
            if hangs(node, Deadline::after(patience)).await {
                start_anew(node, index, seed, arguments).await?;
            }
        }
        pause(EVERY).await;
    }
}

async fn hangs(node: &Node, deadline: Deadline) -> bool {
    let answered = node.endpoint().ping(deadline).await;
    matches!(answered, Err(ClientError::Timeout { .. })) && node.process().is_some()
}

async fn start_anew(
    node: &Node,
    index: usize,
    seed: &Seed<'_>,
    arguments: &[String],
) -> Result<(), Error> {
    node.replace(arguments, || {
        let path = node.dir().join(CLUSTER_FILE);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let nodes_conf = match own_epoch(&text) {
            // It has not taken over yet: it starts as it did the first time.
            None if !seed.is_replica(index) => seed.nodes_conf(index),
            epoch => seed.settled_nodes_conf(index, epoch.unwrap_or(0)),
        };
        write_atomically(&path, nodes_conf.as_bytes())
    })
    .await
}

/// The configuration epoch of a master, in its own file.
fn own_epoch(nodes_conf: &str) -> Option<u64> {
    let myself = nodes_conf
        .lines()
        .find(|line| line.contains("myself,master"))?;
    myself.split_ascii_whitespace().nth(6)?.parse().ok()
}
