//! The commands boot: what people do by hand, in the order that costs least.
//!
//! Slots are assigned first: a master that starts without slots may not turn OK within its first
//! two seconds (`CLUSTER_WRITABLE_DELAY`, `clusterUpdateState`, `cluster_legacy.c`), and one that
//! gets them later waits again. Epochs are set before the nodes meet, so that none collide.

use std::time::Duration;

use crate::error::Error;
use crate::node::Node;
use crate::node::Orders;
use crate::plan::Role;
use crate::server::Identity;
use crate::wait::{Deadline, next_round};

/// Forms the cluster out of nodes that listen. Returns when every command has been accepted;
/// gossip is still spreading the news then.
///
/// # Errors
/// A node does not answer or refuses a command until the deadline.
pub(crate) async fn form(
    nodes: &[Node],
    server: &Identity,
    deadline: Deadline,
) -> Result<(), Error> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        all.push(Orders::open(node, deadline).await?);
    }
    let mut ids = Vec::with_capacity(nodes.len());
    for (orders, epoch) in all.iter_mut().zip(1_usize..) {
        ids.push(orders.id().await?);
        orders
            .give(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()])
            .await?;
        let slots = &orders.node().plan().slots;
        if !slots.is_empty() {
            let command = add_slots(slots, server.addslotsrange());
            orders.give(&command).await?;
        }
    }
    let mut all = all.into_iter();
    let Some(mut first) = all.next() else {
        return Ok(());
    };
    let rest: Vec<_> = all.collect();
    for orders in &rest {
        let command = orders.node().meet_command(server);
        first.give(&command).await?;
    }
    for mut orders in rest {
        let plan = orders.node().plan();
        if plan.role == Role::Replica {
            let master = nodes.iter().zip(&ids).find(|(node, _)| {
                node.plan().role == Role::Master && node.plan().shard == plan.shard
            });
            if let Some((_, id)) = master {
                replicate(&mut orders, id, deadline).await?;
            }
        }
    }
    Ok(())
}

fn add_slots(slots: &crate::slots::SlotRanges, by_range: bool) -> Vec<String> {
    let mut command = vec!["CLUSTER".to_owned()];
    if by_range {
        command.push("ADDSLOTSRANGE".to_owned());
        let bounds = slots
            .ranges()
            .iter()
            .flat_map(|range| [range.start(), range.end()]);
        command.extend(bounds.map(|slot| slot.number().to_string()));
    } else {
        command.push("ADDSLOTS".to_owned());
        command.extend(slots.slots().map(|slot| slot.number().to_string()));
    }
    command
}

/// A node replicates a master only once gossip has told it of that one.
pub(crate) async fn replicate(
    orders: &mut Orders<'_>,
    master: &str,
    deadline: Deadline,
) -> Result<(), Error> {
    loop {
        let known = orders
            .nodes()
            .await?
            .iter()
            .any(|line| line.id == master && !line.has("handshake"));
        if known || deadline.passed() {
            return orders
                .give(&["CLUSTER", "REPLICATE", master])
                .await
                .map(drop);
        }
        next_round(Duration::from_millis(5), deadline).await;
    }
}
