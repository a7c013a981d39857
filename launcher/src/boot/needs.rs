//! What a cluster that is being booted still lacks, judged by one round of answers. Pure.
//!
//! Nothing is concluded from what was ordered before: an order that was lost, refused or undone is due
//! again in the next round. So it does not matter how far the cluster has come already, or in which way.

use std::collections::BTreeSet;

use crate::ladder::{Answers, ClusterAnswers, Observation};
use crate::plan::{NodePlan, Role};
use crate::wire::slots::SlotRanges;
use crate::wire::view::{ClusterState, Epoch, Link, NodeId, NodeLine};

/// What one node is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// To take this configuration epoch, which it can only while it knows nobody.
    Epoch(usize),
    /// To take a configuration epoch higher than all others.
    Raise,
    /// To serve these slots, which nobody owns as far as it knows.
    Slots(SlotRanges),
    /// To meet the node of this index.
    Meet(usize),
    /// To become the master of its shard.
    TakeOver,
    /// To replicate the node with this id.
    Follow(NodeId),
    /// To forget the node with this id, which is none of ours.
    Forget(NodeId),
    /// To ask its replicas, one fewer than so many, for an acknowledgement: that moves their offset off 0,
    /// and replicas at 0 are hidden from CLUSTER SLOTS (`isReplicaAvailable`, Redis 5 to 8 and Valkey).
    Acknowledge(usize),
}

/// What is due now, for each node by its index, in the order in which a node must be told. With `insist`,
/// a node is not waited for any longer before it takes over: see `is_ready`.
pub(super) fn needs(plans: &[NodePlan], round: &[Observation], insist: bool) -> Vec<(usize, Need)> {
    let all = Speakers::of(plans, round);
    let mut needs = Vec::new();
    for node in &all.nodes {
        let mut need = |need| needs.push((node.index, need));
        if node.is_bare() {
            need(Need::Epoch(epoch(plans, node.index)));
        }
        if let Some(slots) = node.unserved() {
            need(Need::Slots(slots));
        }
        if all.is_outdated(node) {
            need(Need::Raise);
        }
        all.strangers_to(node).for_each(|id| need(Need::Forget(id)));
        all.unknown_to(node)
            .for_each(|other| need(Need::Meet(other)));
        all.to_follow(node)
            .into_iter()
            .for_each(|id| need(Need::Follow(id)));
        all.hidden_replicas(node)
            .into_iter()
            .for_each(|replicas| need(Need::Acknowledge(replicas + 1)));
    }
    // One after the other, so that no two choose the same epoch.
    let mut unpromoted = all.nodes.iter().filter(|node| node.is_unpromoted());
    let next = unpromoted.find(|node| insist || all.is_ready(node));
    needs.extend(next.map(|node| (node.index, Need::TakeOver)));
    needs
}

/// The epoch of a node at first: one that no other node has, and higher ones for masters. A replica tells its
/// master's epoch, and is not believed by whoever has known it with a higher one ("Ignore stale message",
/// `clusterProcessPacket`, `cluster_legacy.c`, Valkey 9).
fn epoch(plans: &[NodePlan], index: usize) -> usize {
    let masters = plans.iter().filter(|plan| plan.role == Role::Master);
    (index + plans.len() - masters.count()) % plans.len().max(1) + 1
}

/// A node that answered.
struct Speaker<'a> {
    index: usize,
    plan: &'a NodePlan,
    says: &'a ClusterAnswers,
    myself: &'a NodeLine,
}

impl Speaker<'_> {
    /// Whether it knows nobody and has no epoch yet. A handshake under way counts as somebody.
    fn is_bare(&self) -> bool {
        self.says.nodes.len() == 1 && self.myself.epoch == Epoch::NONE
    }

    fn is_master(&self) -> bool {
        self.myself.master.is_none()
    }

    /// Whether it replicates somebody although it is to be a master.
    fn is_unpromoted(&self) -> bool {
        self.plan.role == Role::Master && !self.is_master()
    }

    fn line(&self, id: &NodeId) -> Option<&NodeLine> {
        self.says.nodes.iter().find(|line| line.id == *id)
    }

    /// The slots that it is to serve and that are nobody's, as far as it knows.
    fn unserved(&self) -> Option<SlotRanges> {
        if !self.is_master() {
            return None;
        }
        let mut free = self.plan.slots.clone();
        let lines = self.says.nodes.iter();
        lines
            .flat_map(|line| line.slots.ranges())
            .for_each(|range| free.remove(*range));
        (!free.is_empty()).then_some(free)
    }
}

/// All nodes that answered.
struct Speakers<'a> {
    nodes: Vec<Speaker<'a>>,
    /// Whether nobody is silent.
    complete: bool,
}

impl<'a> Speakers<'a> {
    fn of(plans: &'a [NodePlan], round: &'a [Observation]) -> Self {
        let speaker = |(index, (plan, observation)): (usize, (&'a NodePlan, &'a Observation))| {
            let Ok(Answers::Cluster(says)) = &observation.answers else {
                return None;
            };
            let myself = says.myself()?;
            Some(Speaker {
                index,
                plan,
                says,
                myself,
            })
        };
        let nodes: Vec<_> = plans
            .iter()
            .zip(round)
            .enumerate()
            .filter_map(speaker)
            .collect();
        Self {
            complete: nodes.len() == plans.len(),
            nodes,
        }
    }

    fn others(&self, node: &Speaker<'_>) -> impl Iterator<Item = &Speaker<'a>> {
        let own = node.index;
        self.nodes.iter().filter(move |other| other.index != own)
    }

    /// Whether somebody takes a replica of this node for a master of a higher epoch, and will go on so.
    fn is_outdated(&self, node: &Speaker<'_>) -> bool {
        let (id, epoch) = (&node.myself.id, node.myself.epoch);
        let replicas = self
            .nodes
            .iter()
            .filter(|other| other.myself.replicates(id));
        let mut known = replicas.flat_map(|replica| {
            let lines = self
                .nodes
                .iter()
                .map(|other| other.line(&replica.myself.id));
            lines.flatten()
        });
        node.is_master() && known.any(|line| line.master.is_none() && line.epoch > epoch)
    }

    /// The ids that a node lists and nobody has: phantoms, which go once they own nothing and are not its
    /// master, whom it could not forget.
    fn strangers_to(&self, node: &Speaker<'a>) -> impl Iterator<Item = NodeId> {
        let ours: BTreeSet<&NodeId> = self.nodes.iter().map(|node| &node.myself.id).collect();
        let (complete, master) = (self.complete, node.myself.master.clone());
        let goes = move |line: &&NodeLine| {
            complete
                && !ours.contains(&line.id)
                && !line.shakes_hands()
                && line.slots.is_empty()
                && master.as_ref() != Some(&line.id)
        };
        let strangers = node.says.nodes.iter().filter(goes);
        strangers
            .map(|line| line.id.clone())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Whom a node does not list. Neither meets anybody before it has its epoch.
    fn unknown_to(&self, node: &Speaker<'a>) -> impl Iterator<Item = usize> {
        let unknown = self.others(node).filter(|other| {
            !node.is_bare() && !other.is_bare() && node.line(&other.myself.id).is_none()
        });
        unknown
            .map(|other| other.index)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The id of the node that this one is to replicate and does not.
    fn to_follow(&self, node: &Speaker<'_>) -> Option<NodeId> {
        // It would be refused as long as it has slots; it loses them when it hears of their new owner.
        if !node.myself.slots.is_empty() {
            return None;
        }
        let mates = || {
            let shard = node.plan.shard;
            self.others(node)
                .filter(move |other| other.plan.shard == shard)
        };
        let target = match node.plan.role {
            Role::Master => mates().find(|mate| {
                node.is_master()
                    && mate.is_master()
                    && mate
                        .myself
                        .slots
                        .ranges()
                        .iter()
                        .any(|range| node.plan.slots.contains(range.start()))
            }),
            _ => mates().find(|mate| {
                mate.plan.role == Role::Master
                    && mate.is_master()
                    && mate.plan.slots.is_empty() == mate.myself.slots.is_empty()
            }),
        }?;
        let id = &target.myself.id;
        let takes_it_for_master = node
            .line(id)
            .is_some_and(|line| line.is_master() && !line.shakes_hands());
        let follows = node.myself.replicates(id);
        (takes_it_for_master && !follows).then(|| id.clone())
    }

    /// How many replicas a master has, if somebody does not see one of them that has its copy.
    fn hidden_replicas(&self, node: &Speaker<'_>) -> Option<usize> {
        let id = &node.myself.id;
        let linked = self
            .others(node)
            .filter(|other| other.myself.replicates(id) && other.says.link == Some(Link::Up));
        let linked: Vec<&NodeId> = linked.map(|other| &other.myself.id).collect();
        let hides = |speaker: &Speaker<'_>| {
            let own = speaker.says.slots.iter().filter(|line| line.master == *id);
            own.into_iter()
                .any(|line| linked.iter().any(|id| !line.replicas.contains(*id)))
        };
        self.nodes.iter().any(hides).then_some(linked.len())
    }

    /// Whether a replica can take over without a stop: it is OK, and nobody waits for a PONG of it, since
    /// one that arrives after the news of the take-over tells of its role before.
    fn is_ready(&self, node: &Speaker<'_>) -> bool {
        let rests = |other: &Speaker<'_>| {
            other
                .line(&node.myself.id)
                .is_some_and(NodeLine::is_at_rest)
        };
        node.says.state == ClusterState::Ok && self.others(node).all(rests)
    }
}

#[cfg(test)]
mod tests;
