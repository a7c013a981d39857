//! Making every node of a large cluster hear of every replica.
//!
//! A node lists a replica in CLUSTER SLOTS once it has had a packet of the replica's own that tells an
//! offset. In a small cluster everybody pings everybody within moments. In a large one gossip brings the
//! time of a node's last PONG, which postpones the ping that was due to it (`clusterProcessGossipSection`,
//! `clusterCron`; `cluster_legacy.c`), so that two nodes may not talk for minutes. A replica whose node
//! timeout is short for a moment pings all the others by itself; whom it suspects meanwhile does not
//! matter, since only masters are believed.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::Error;
use crate::machine::wait::{Deadline, next_round};
use crate::node::{Node, Session};
use crate::plan::Role;
use crate::wire::view::{self, NodeId};

/// How many replicas are introduced at a time: each sends a packet to every node.
const AT_ONCE: usize = 20;
/// The node timeout of a replica that introduces itself, in milliseconds: it pings whom it has not heard
/// of for half of it.
const SHORT: &str = "200";
/// For how long: two turns of the cron that sends the pings (`clusterCron`, 10 times a second).
const TURN: Duration = Duration::from_millis(250);

/// Introduces the replicas that some node does not list, until all are listed or time is up. `usual` is
/// the node timeout that they have otherwise while they boot, in milliseconds.
///
/// # Errors
/// A node does not answer, or refuses a command.
pub(super) async fn introduce(
    nodes: &[Node],
    all: &mut [Session],
    usual: &str,
    deadline: Deadline,
) -> Result<(), Error> {
    loop {
        let unseen = unseen(nodes, all).await?;
        if unseen.is_empty() || deadline.passed() {
            return Ok(());
        }
        for some in unseen.chunks(AT_ONCE) {
            set_node_timeout(all, some, SHORT).await?;
            next_round(TURN, deadline).await;
            set_node_timeout(all, some, usual).await?;
        }
    }
}

/// The indices of the replicas that somebody's CLUSTER SLOTS lacks.
async fn unseen(nodes: &[Node], all: &mut [Session]) -> Result<Vec<usize>, Error> {
    let mut replicas = Vec::new();
    for (index, (orders, node)) in all.iter_mut().zip(nodes).enumerate() {
        if node.plan().role == Role::Replica {
            replicas.push((index, orders.id().await?));
        }
    }
    let mut unseen = BTreeSet::new();
    for orders in all.iter_mut() {
        let slots = orders.give(&["CLUSTER", "SLOTS"]).await?;
        let seen: BTreeSet<NodeId> = view::slots(&slots)
            .unwrap_or_default()
            .into_iter()
            .flat_map(|line| line.replicas)
            .collect();
        let lacking = replicas.iter().filter(|(_, id)| !seen.contains(id));
        unseen.extend(lacking.map(|(index, _)| *index));
    }
    Ok(unseen.into_iter().collect())
}

async fn set_node_timeout(
    all: &mut [Session],
    chosen: &[usize],
    milliseconds: &str,
) -> Result<(), Error> {
    for index in chosen {
        if let Some(orders) = all.get_mut(*index) {
            orders
                .give(&["CONFIG", "SET", "cluster-node-timeout", milliseconds])
                .await?;
        }
    }
    Ok(())
}
