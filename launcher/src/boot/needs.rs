//! What a cluster that is being booted still lacks, judged by one round of answers. Pure.
//!
//! Nothing is concluded from what was ordered before: an order that was lost, refused or undone is due
//! again in the next round. So it does not matter how far the cluster has come already, or in which way.

use std::collections::BTreeSet;

use crate::ladder::{Answers, ClusterAnswers, Observation};
use crate::plan::{NodePlan, Role};
use crate::wire::slots::SlotRanges;
use crate::wire::view::NodeLine;

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
    Follow(String),
    /// To forget the node with this id, which is none of ours.
    Forget(String),
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
        self.says.nodes.len() == 1 && self.myself.epoch == 0
    }

    fn is_master(&self) -> bool {
        self.myself.master.is_none()
    }

    /// Whether it replicates somebody although it is to be a master.
    fn is_unpromoted(&self) -> bool {
        self.plan.role == Role::Master && !self.is_master()
    }

    fn line(&self, id: &str) -> Option<&NodeLine> {
        self.says.nodes.iter().find(|line| line.id == id)
    }

    /// The slots that it is to serve and that are nobody's, as far as it knows.
    fn unserved(&self) -> Option<SlotRanges> {
        if !self.is_master() {
            return None;
        }
        let mut free = self.plan.slots.clone();
        let lines = self.says.nodes.iter();
        lines
            .flat_map(|line| &line.slots)
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
            .filter(|other| other.myself.master.as_ref() == Some(id));
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
    fn strangers_to(&self, node: &Speaker<'a>) -> impl Iterator<Item = String> {
        let ours: BTreeSet<&str> = self
            .nodes
            .iter()
            .map(|node| node.myself.id.as_str())
            .collect();
        let (complete, master) = (self.complete, node.myself.master.clone());
        let goes = move |line: &&NodeLine| {
            complete
                && !ours.contains(line.id.as_str())
                && !line.has("handshake")
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
    fn to_follow(&self, node: &Speaker<'_>) -> Option<String> {
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
            .is_some_and(|line| line.has("master") && !line.has("handshake"));
        let follows = node.myself.master.as_ref() == Some(id);
        (takes_it_for_master && !follows).then(|| id.clone())
    }

    /// How many replicas a master has, if somebody does not see one of them that has its copy.
    fn hidden_replicas(&self, node: &Speaker<'_>) -> Option<usize> {
        let id = &node.myself.id;
        let linked = self.others(node).filter(|other| {
            other.myself.master.as_ref() == Some(id) && other.says.link.as_deref() == Some("up")
        });
        let linked: Vec<&str> = linked.map(|other| other.myself.id.as_str()).collect();
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
        node.says.state == "ok" && self.others(node).all(rests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Options, Plan};
    use crate::wire::view::{SlotLine, node_lines};

    /// Two masters and two replicas, or as many as are spoken for.
    fn due(nodes: &[&str]) -> Vec<(usize, Need)> {
        due_when(nodes, |_| {}, false)
    }

    fn due_when(
        nodes: &[&str],
        change: impl Fn(&mut Vec<Observation>),
        insist: bool,
    ) -> Vec<(usize, Need)> {
        let options = Options {
            masters: 2,
            replicas: vec![1],
            ..Options::default()
        };
        let plan = Plan::new(&options, &[1, 2, 3, 4]).unwrap();
        let plans = &plan.nodes[..nodes.len()];
        let answers = |text: &str| {
            let nodes = node_lines(text).ok_or("silent")?;
            let slots = nodes.iter().flat_map(|line| {
                line.slots.iter().map(|range| SlotLine {
                    start: range.start().number(),
                    end: range.end().number(),
                    master: line.id.clone(),
                    replicas: nodes
                        .iter()
                        .filter(|replica| replica.master.as_ref() == Some(&line.id))
                        .map(|replica| replica.id.clone())
                        .collect(),
                })
            });
            Ok(Answers::Cluster(ClusterAnswers {
                slots: slots.collect(),
                state: "ok".to_owned(),
                link: Some("up".to_owned()),
                nodes,
            }))
        };
        let mut round: Vec<_> = plans
            .iter()
            .zip(nodes)
            .map(|(plan, text)| Observation {
                node: plan.name.clone(),
                port: plan.port,
                answers: answers(text).map_err(|why: &str| why.to_owned()),
            })
            .collect();
        change(&mut round);
        needs(plans, &round, insist)
    }

    /// What the node of index `own` says of the nodes with these lines, each with its id.
    fn said(own: usize, lines: &[&str]) -> String {
        let line = |(index, line): (usize, &&str)| {
            let (id, rest) = line.split_once(' ').unwrap();
            let myself = if index == own { "myself," } else { "" };
            format!("{id} 127.0.0.1:1@2 {myself}{rest}\n")
        };
        lines.iter().enumerate().map(line).collect()
    }

    /// The same lines, told by each of them.
    fn all(lines: &[&str]) -> Vec<String> {
        (0..lines.len()).map(|own| said(own, lines)).collect()
    }

    const WHOLE: [&str; 4] = [
        "n1 master - 0 1 1 connected 0-8191",
        "n2 master - 0 1 2 connected 8192-16383",
        "r1 slave n1 0 1 1 connected",
        "r2 slave n2 0 1 2 connected",
    ];

    fn due_of(lines: &[String]) -> Vec<(usize, Need)> {
        due(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn a_whole_cluster_lacks_nothing() {
        assert_eq!(due_of(&all(&WHOLE)), []);
    }

    #[test]
    fn bare_nodes_get_epochs_and_slots_before_they_meet() {
        let bare = |id| said(0, &[&format!("{id} master - 0 0 0 connected")]);
        let needs = due_of(&["n1", "n2", "r1"].map(bare));
        let slots = |text: &str| Need::Slots(text.parse().unwrap());
        assert_eq!(
            needs,
            [
                (0, Need::Epoch(2)),
                (0, slots("0-8191")),
                (1, Need::Epoch(3)),
                (1, slots("8192-16383")),
                (2, Need::Epoch(1)),
            ]
        );
        // One that has its epoch meets one that has it, too.
        let needs = due_of(&[said(0, &WHOLE[..1]), said(0, &WHOLE[1..2]), bare("r1")]);
        assert_eq!(
            needs,
            [(0, Need::Meet(1)), (1, Need::Meet(0)), (2, Need::Epoch(1)),]
        );
    }

    #[test]
    fn who_lacks_the_other_one_meets_it() {
        let mut nodes = all(&WHOLE);
        nodes[1] = said(0, &WHOLE[1..]);
        assert_eq!(due_of(&nodes), [(1, Need::Meet(0))]);
    }

    #[test]
    fn a_silent_node_is_neither_met_nor_forgotten() {
        let mut nodes = all(&WHOLE);
        nodes[0] = "nothing".to_owned();
        assert_eq!(due_of(&nodes), []);
    }

    #[test]
    fn masters_take_over_one_after_the_other_once_they_are_at_rest() {
        let reversed = [
            "n1 slave r1 0 1 1 connected",
            "n2 slave r2 0 1 2 connected",
            "r1 master - 0 1 1 connected 0-8191",
            "r2 master - 0 1 2 connected 8192-16383",
        ];
        assert_eq!(due_of(&all(&reversed)), [(0, Need::TakeOver)]);
        let busy = but(
            all(&reversed),
            2,
            "n1 127.0.0.1:1@2 slave r1 0 1",
            "n1 127.0.0.1:1@2 slave r1 7 1",
        );
        assert_eq!(due_of(&busy), [(1, Need::TakeOver)]);
        let busy: Vec<_> = busy.iter().map(String::as_str).collect();
        assert_eq!(due_when(&busy, |_| {}, true), [(0, Need::TakeOver)]);
    }

    /// The same, with other text in what one of them says.
    fn but(mut nodes: Vec<String>, index: usize, from: &str, to: &str) -> Vec<String> {
        assert!(nodes[index].contains(from), "{}", nodes[index]);
        nodes[index] = nodes[index].replace(from, to);
        nodes
    }

    #[test]
    fn phantoms_are_forgotten_once_they_own_nothing() {
        let phantom = |slots: &str| format!("p9 master - 0 0 1 connected{slots}");
        let lines = |slots: &str| {
            let mut nodes = all(&WHOLE);
            nodes[3] = said(3, &[&WHOLE[..], &[&phantom(slots)]].concat());
            nodes
        };
        assert_eq!(due_of(&lines("")), [(3, Need::Forget("p9".to_owned()))]);
        assert_eq!(due_of(&lines(" 16383")), []);
        // It may be the one that is silent.
        let mut nodes = lines("");
        nodes[0] = "nothing".to_owned();
        assert_eq!(due_of(&nodes), []);
    }

    #[test]
    fn replicas_follow_the_master_of_their_shard() {
        for other in ["r1 slave n2 0 1 2 connected", "r1 master - 0 1 0 connected"] {
            let lines = [WHOLE[0], WHOLE[1], other, WHOLE[3]];
            assert_eq!(
                due_of(&all(&lines)),
                [(2, Need::Follow("n1".to_owned()))],
                "{other}"
            );
        }
        // It would refuse while it has slots.
        let slots = "r1 master - 0 1 3 connected 0";
        assert_eq!(due_of(&all(&[WHOLE[0], WHOLE[1], slots, WHOLE[3]])), []);
    }

    #[test]
    fn a_replica_that_is_known_with_a_higher_epoch_than_its_masters_is_not_believed() {
        let before = "r1 127.0.0.1:1@2 slave n1 0 1 1";
        for (epoch, due) in [(4, true), (1, false)] {
            let after = format!("r1 127.0.0.1:1@2 master - 0 1 {epoch}");
            let needs = due_of(&but(all(&WHOLE), 3, before, &after));
            assert_eq!(needs.contains(&(0, Need::Raise)), due, "{needs:?}");
        }
    }

    #[test]
    fn a_master_that_has_lost_its_seeds_follows_who_has_its_slots() {
        let lines = [
            "n1 master - 0 1 0 connected",
            WHOLE[1],
            "r1 master - 0 1 1 connected 0-8191",
            WHOLE[3],
        ];
        assert_eq!(due_of(&all(&lines)), [(0, Need::Follow("r1".to_owned()))]);
    }

    #[test]
    fn a_master_asks_the_replicas_that_somebody_does_not_see() {
        let nodes = all(&WHOLE);
        let nodes: Vec<_> = nodes.iter().map(String::as_str).collect();
        let hide = |round: &mut Vec<Observation>| {
            if let Ok(Answers::Cluster(answers)) = &mut round[1].answers {
                answers.slots[0].replicas.clear();
            }
        };
        assert_eq!(due_when(&nodes, hide, false), [(0, Need::Acknowledge(2))]);
    }
}
