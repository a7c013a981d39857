//! What a shape asks for beyond the plan: done to a cluster that is whole.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::{Deadline, until};
use crate::node::{Node, Session};
use crate::plan::Role;
use crate::plan::Shape;
use crate::plan::shape::{OPEN_TAG, hole};
use crate::wire::slots::{SlotRanges, key_slot};

const ROUND: Duration = Duration::from_millis(20);

/// Gives the cluster its shape.
///
/// # Errors
/// A node does not answer or refuses a command, or not all have the shape until the deadline.
pub(crate) async fn shape(
    cluster: &Cluster,
    shape: Shape,
    deadline: Deadline,
) -> Result<(), Error> {
    match shape {
        Shape::OpenSlot => open_slot(cluster, deadline).await,
        Shape::Uncovered => uncover(cluster, deadline).await,
        _ => Ok(()),
    }
}

/// A slot stops half-way from its owner to the next master, with a key on each side.
async fn open_slot(cluster: &Cluster, deadline: Deadline) -> Result<(), Error> {
    let slot = key_slot(OPEN_TAG.as_bytes());
    let masters: Vec<&Node> = cluster
        .nodes()
        .iter()
        .filter(|node| node.plan().role == Role::Master)
        .collect();
    let owner = masters
        .iter()
        .position(|node| node.plan().slots.contains(slot))
        .unwrap_or_default();
    let mut around = masters.iter().cycle().skip(owner);
    let (Some(from), Some(to)) = (around.next(), around.next()) else {
        return Ok(());
    };
    let mut source = Session::open(from, deadline).await?;
    let mut target = Session::open(to, deadline).await?;
    let (slot, source_id, target_id) = (slot.to_string(), source.id().await?, target.id().await?);
    source
        .give(&["SET", &format!("{OPEN_TAG}:here"), from.name()])
        .await?;
    target
        .give(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id])
        .await?;
    source
        .give(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id])
        .await?;
    target.give(&["ASKING"]).await?;
    target
        .give(&["SET", &format!("{OPEN_TAG}:moved"), to.name()])
        .await?;
    Ok(())
}

/// The owners let go first: the others believe every word of theirs.
async fn uncover(cluster: &Cluster, deadline: Deadline) -> Result<(), Error> {
    let hole = hole();
    let owns = |node: &&Node| hole.slots().any(|slot| node.plan().slots.contains(slot));
    let nodes = || cluster.nodes().iter();
    for node in nodes()
        .filter(owns)
        .chain(nodes().filter(|node| !owns(node)))
    {
        let told = until(deadline, ROUND, || async {
            match let_go(node, &hole, deadline).await {
                Ok(true) => ControlFlow::Break(Ok(())),
                Ok(false) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error)),
            }
        });
        // Whoever is late is told of by the ladder.
        told.await.unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// Whether a node gives none of the slots to anybody any more; it is told if it does.
async fn let_go(node: &Node, hole: &SlotRanges, deadline: Deadline) -> Result<bool, Error> {
    let mut orders = Session::open(node, deadline).await?;
    let given = orders.nodes().await?;
    let given: SlotRanges = given
        .iter()
        .flat_map(|line| line.slots.ranges().iter().copied())
        .collect();
    let mut command = vec!["CLUSTER".to_owned(), "DELSLOTS".to_owned()];
    let kept = hole.slots().filter(|slot| given.contains(*slot));
    command.extend(kept.map(|slot| slot.to_string()));
    let free = command.len() == 2;
    if !free {
        orders.give(&command).await?;
    }
    Ok(free)
}
