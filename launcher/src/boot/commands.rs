//! The commands boot: what people do by hand, in the order that costs least.
//!
//! Slots are assigned first: a master that starts without slots may not turn OK within its first
//! two seconds (`CLUSTER_WRITABLE_DELAY`, `clusterUpdateState`, `cluster_legacy.c`), and one that
//! gets them later waits again. Epochs are set before the nodes meet, so that none collide.

use std::time::Duration;

use crate::error::Error;
use crate::node::{Node, Session};
use crate::plan::Role;
use crate::server::Identity;
use crate::wait::{Deadline, next_round};

/// After how long a node that is not known yet is met again: longer than a handshake may take.
const MEET_AGAIN: Duration = Duration::from_secs(3);

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
        all.push(Session::open(node, deadline).await?);
    }
    let mut ids = Vec::with_capacity(nodes.len());
    for ((orders, node), epoch) in all.iter_mut().zip(nodes).zip(1_usize..) {
        ids.push(orders.id().await?);
        orders
            .give(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()])
            .await?;
        let slots = &node.plan().slots;
        if !slots.is_empty() {
            let command = add_slots(slots, server.addslotsrange());
            orders.give(&command).await?;
        }
    }
    let Some(first) = all.first_mut() else {
        return Ok(());
    };
    let strangers = nodes.iter().zip(&ids).skip(1);
    meet(first, &strangers.collect::<Vec<_>>(), server, deadline).await?;
    for (orders, node) in all.iter_mut().zip(nodes).skip(1) {
        let plan = node.plan();
        if plan.role == Role::Replica {
            let master = nodes.iter().zip(&ids).find(|(node, _)| {
                node.plan().role == Role::Master && node.plan().shard == plan.shard
            });
            if let Some((_, id)) = master {
                replicate(orders, id, deadline).await?;
            }
        }
    }
    Ok(())
}

/// Has a node meet others, each with its id, until it knows them all. Whom it could not shake hands with in
/// time it forgets again (`clusterHandshakeInProgress`, `clusterCron`; after a second at least), so it is told
/// again: on a busy machine one order is not enough.
async fn meet(
    first: &mut Session,
    others: &[(&Node, &String)],
    server: &Identity,
    deadline: Deadline,
) -> Result<(), Error> {
    let mut again = Deadline::after(Duration::ZERO);
    loop {
        let lines = first.nodes().await?;
        let knows = |id: &String| {
            let mut lines = lines.iter();
            lines.any(|line| line.id == *id && !line.has("handshake"))
        };
        let strangers: Vec<_> = others.iter().filter(|(_, id)| !knows(id)).collect();
        if strangers.is_empty() || deadline.passed() {
            return Ok(());
        }
        if again.passed() {
            for (node, _) in strangers {
                first.give(&node.meet_command(server)).await?;
            }
            again = Deadline::after(MEET_AGAIN);
        }
        next_round(Duration::from_millis(5), deadline).await;
    }
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
    orders: &mut Session,
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
