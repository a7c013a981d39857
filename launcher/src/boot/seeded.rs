//! The seeded boot: the nodes start as a cluster that is whole but for its roles, which are turned
//! round by CLUSTER FAILOVER TAKEOVER. See [`super::seed`] for why.

use std::time::Duration;

use super::orders::Orders;
use crate::error::Error;
use crate::node::Node;
use crate::plan::Role;
use crate::view;
use crate::wait::{Deadline, next_round};

/// How often a node that is not ready for its take-over is asked again.
const EVERY: Duration = Duration::from_millis(4);

/// Makes masters of those that were planned to be, one after the other, then has the phantoms
/// forgotten and the replicas seen. Returns when every node has obeyed; gossip is still spreading the news then.
///
/// # Errors
/// A node does not answer or refuses a command until the deadline.
pub(crate) async fn take_over(
    nodes: &[Node],
    phantoms: &[String],
    deadline: Deadline,
) -> Result<(), Error> {
    let mut last = 0;
    for node in nodes.iter().filter(|node| node.plan().role == Role::Master) {
        let mut orders = Orders::open(node, deadline).await?;
        last = take_over_one(&mut orders, last, deadline).await?;
    }
    if !phantoms.is_empty() {
        forget(nodes, phantoms, deadline).await?;
    }
    move_offsets(nodes, deadline).await
}

/// Waits until the node is OK as a replica and has heard of the epoch of the take-over before, so
/// that no two masters choose the same one; then makes it a master. Gives its epoch.
async fn take_over_one(
    orders: &mut Orders<'_>,
    last: u64,
    deadline: Deadline,
) -> Result<u64, Error> {
    loop {
        let info = orders.give(&["CLUSTER", "INFO"]).await?;
        let number = |field| {
            view::info_field(&info, field)
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
        };
        let myself = orders
            .nodes()
            .await?
            .into_iter()
            .find(|line| line.has("myself"));
        if myself.is_some_and(|line| line.has("master") && !line.slots.is_empty()) {
            return Ok(number("cluster_my_epoch"));
        }
        let ok = view::info_field(&info, "cluster_state") == Some("ok");
        if (ok && number("cluster_current_epoch") >= last) || deadline.passed() {
            orders.give(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await?;
        } else {
            next_round(EVERY, deadline).await;
        }
    }
}

/// Moves every replica's offset off 0 as soon as it is online: replicas at 0 are hidden from CLUSTER
/// SLOTS (`isReplicaAvailable`), and the master's next ping is up to a second away. A WAIT for more
/// replicas than there are puts a REPLCONF GETACK into the stream, which no key and no client notices
/// (`replicationRequestAckFromSlaves`, replication.c, Redis 5 to 8 and Valkey).
async fn move_offsets(nodes: &[Node], deadline: Deadline) -> Result<(), Error> {
    for master in nodes.iter().filter(|node| node.plan().role == Role::Master) {
        let replicas = nodes
            .iter()
            .filter(|node| {
                node.plan().role == Role::Replica && node.plan().shard == master.plan().shard
            })
            .count();
        if replicas == 0 {
            continue;
        }
        let mut orders = Orders::open(master, deadline).await?;
        loop {
            let info = orders.give(&["INFO", "replication"]).await?;
            let online = (0..replicas)
                .filter_map(|number| view::info_field(&info, &format!("slave{number}")))
                .filter(|replica| replica.contains("state=online"))
                .count();
            if online == replicas {
                orders
                    .give(&["WAIT", &(replicas + 1).to_string(), "1"])
                    .await?;
                break;
            }
            if deadline.passed() {
                break;
            }
            next_round(EVERY, deadline).await;
        }
    }
    Ok(())
}

/// Has every node forget every phantom. A node that has not heard of one yet would learn of it by
/// gossip later, so that all are asked until nobody knows any.
async fn forget(nodes: &[Node], phantoms: &[String], deadline: Deadline) -> Result<(), Error> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        all.push(Orders::open(node, deadline).await?);
    }
    loop {
        let mut known = 0_usize;
        for orders in &mut all {
            for line in orders.nodes().await? {
                if phantoms.contains(&line.id) {
                    known += 1;
                    orders.give(&["CLUSTER", "FORGET", &line.id]).await?;
                }
            }
        }
        if known == 0 || deadline.passed() {
            return Ok(());
        }
        next_round(EVERY, deadline).await;
    }
}
