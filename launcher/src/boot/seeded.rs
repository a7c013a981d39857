//! The seeded boot: the nodes start as a cluster that is whole but for its roles, which are turned
//! round by CLUSTER FAILOVER TAKEOVER. See [`super::seed`] for why.

use std::convert::Infallible;
use std::time::Duration;

use super::introduce::introduce;
use crate::error::Error;
use crate::machine::wait::{Deadline, Rounds, next_round};
use crate::node::{Node, Session};
use crate::plan::Role;
use crate::wire::view::{self, ClusterState, NodeId, NodeLine};

/// How often a node that is not ready for its take-over is asked again.
const EVERY: Duration = Duration::from_millis(4);

/// Up to so many nodes, all of them are asked whether they are at rest before one takes over; beyond,
/// only those of its shard.
const FEW: usize = 16;

/// How long a node is waited for to be OK as a replica, which it is after 0.1 to 0.2 s, and at rest.
/// One that is not becomes a master all the same, and OK two seconds later.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the roles are looked at once they are as planned, and how much less often for each node.
const REST: Duration = Duration::from_millis(100);
const REST_PER_NODE: Duration = Duration::from_millis(10);

/// Makes masters of those that were planned to be, one after the other, has the phantoms forgotten
/// and the replicas seen; then sees to it that it stays so, until it is dropped: a node that was
/// silent for a while may have lost its role to its replica. A connection that breaks is made anew,
/// since a node may have been started again. The replicas of a large cluster are introduced, with the
/// node timeout given, in milliseconds, as their usual one.
///
/// # Errors
/// A node refuses a command.
pub(crate) async fn keep_roles(
    nodes: &[Node],
    phantoms: &[String],
    large: Option<u128>,
    deadline: Deadline,
) -> Result<Infallible, Error> {
    let rest = REST + REST_PER_NODE * u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    while !deadline.passed() {
        match try_take_over(nodes, phantoms, large, deadline).await {
            Ok(()) | Err(Error::Client { .. }) => next_round(rest, deadline).await,
            Err(error) => return Err(error),
        }
    }
    // Time is up: the ladder says who was late.
    std::future::pending().await
}

async fn try_take_over(
    nodes: &[Node],
    phantoms: &[String],
    large: Option<u128>,
    deadline: Deadline,
) -> Result<(), Error> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        all.push(Session::open(node, deadline).await?);
    }
    let mut last = 0;
    for index in 0..all.len() {
        if nodes
            .get(index)
            .is_some_and(|node| node.plan().role == Role::Master)
        {
            last = take_over_one(nodes, &mut all, index, last, deadline).await?;
        }
    }
    if !phantoms.is_empty() {
        forget(&mut all, phantoms, deadline).await?;
    }
    move_offsets(nodes, &mut all, deadline).await?;
    if let Some(usual) = large {
        introduce(nodes, &mut all, &usual.to_string(), deadline).await?;
    }
    Ok(())
}

/// Waits until the node is OK as a replica, has heard of the epoch of the take-over before, so that
/// no two masters choose the same one, and nobody waits for a PONG of it; then makes it a master.
/// Gives its epoch. (A PONG that arrives after the news of the take-over tells of the role before.)
async fn take_over_one(
    nodes: &[Node],
    all: &mut [Session],
    index: usize,
    last: u64,
    deadline: Deadline,
) -> Result<u64, Error> {
    let hopeless = Deadline::after(PATIENCE);
    let mut rounds = Rounds::until(deadline, EVERY);
    loop {
        let Some(orders) = all.get_mut(index) else {
            return Ok(last);
        };
        let info = orders.give(&["CLUSTER", "INFO"]).await?;
        let number = |field| {
            view::info_field(&info, field)
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
        };
        let myself = orders.nodes().await?.into_iter().find(NodeLine::is_myself);
        let Some(myself) = myself else {
            return Ok(last);
        };
        if myself.serves() {
            return Ok(number("cluster_my_epoch"));
        }
        let ok = ClusterState::in_info(&info) == Some(ClusterState::Ok);
        let heard = number("cluster_current_epoch") >= last;
        let ready =
            heard && (hopeless.passed() || (ok && at_rest(nodes, all, index, &myself.id).await?));
        if ready || !rounds.next().await {
            let Some(orders) = all.get_mut(index) else {
                return Ok(last);
            };
            orders.give(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await?;
        }
    }
}

/// Whether all others have had an answer from a node and wait for none.
async fn at_rest(
    nodes: &[Node],
    all: &mut [Session],
    index: usize,
    id: &NodeId,
) -> Result<bool, Error> {
    let few = all.len() <= FEW;
    let shard = nodes.get(index).map(|node| node.plan().shard);
    for (other, (orders, node)) in all.iter_mut().zip(nodes).enumerate() {
        if other == index || !(few || Some(node.plan().shard) == shard) {
            continue;
        }
        let lines = orders.nodes().await?;
        if !lines.iter().any(|line| line.id == *id && line.is_at_rest()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves every replica's offset off 0 as soon as it is online: replicas at 0 are hidden from CLUSTER
/// SLOTS (`isReplicaAvailable`), and the master's next ping is up to a second away. A WAIT for more
/// replicas than there are puts a REPLCONF GETACK into the stream, which no key and no client notices
/// (`replicationRequestAckFromSlaves`, replication.c, Redis 5 to 8 and Valkey).
async fn move_offsets(
    nodes: &[Node],
    all: &mut [Session],
    deadline: Deadline,
) -> Result<(), Error> {
    let replicas_of = |shard| {
        nodes
            .iter()
            .map(Node::plan)
            .filter(|plan| plan.role == Role::Replica && plan.shard == shard)
            .count()
    };
    for (orders, node) in all.iter_mut().zip(nodes) {
        let plan = node.plan();
        let replicas = replicas_of(plan.shard);
        if replicas == 0 || plan.role == Role::Replica {
            continue;
        }
        let mut rounds = Rounds::until(deadline, EVERY);
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
            if !rounds.next().await {
                break;
            }
        }
    }
    Ok(())
}

/// Has every node forget every phantom. A node that has not heard of one yet would learn of it by
/// gossip later, so that all are asked until nobody knows any.
async fn forget(all: &mut [Session], phantoms: &[String], deadline: Deadline) -> Result<(), Error> {
    let mut rounds = Rounds::until(deadline, EVERY);
    loop {
        let mut known = 0_usize;
        for orders in all.iter_mut() {
            for line in orders.nodes().await? {
                if phantoms.iter().any(|phantom| line.id == **phantom) {
                    known += 1;
                    orders.give(&["CLUSTER", "FORGET", &line.id]).await?;
                }
            }
        }
        if known == 0 || !rounds.next().await {
            return Ok(());
        }
    }
}
