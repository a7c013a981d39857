//! The ladder of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::replication::unlinked;
use super::{Answers, ClusterAnswers, Observation, Rung};
use crate::wire::view::{ClusterState, Flag, NodeId, NodeLine, SlotLine, unowned};

/// What the nodes say of themselves: the measure for what they say of each other.
pub(super) struct ClusterTruth<'a> {
    selves: BTreeMap<&'a NodeId, (&'a str, &'a NodeLine)>,
    slots: Vec<SlotLine>,
    shared_epoch: Option<String>,
    /// Whether nobody else may be there: of a cluster that has just been started others can know nothing.
    closed: bool,
}

impl<'a> ClusterTruth<'a> {
    pub(super) fn of(round: &'a [Observation], closed: bool) -> Self {
        let speaking = round.iter().filter_map(|observation| {
            let line = observation
                .answers
                .as_ref()
                .ok()
                .and_then(Answers::myself)?;
            Some((&line.id, (observation.node.as_str(), line)))
        });
        let selves: BTreeMap<_, _> = speaking.collect();
        Self {
            slots: expected_slots(&selves),
            shared_epoch: shared_epoch(&selves),
            selves,
            closed,
        }
    }

    /// What keeps a node from rising above a rung.
    pub(super) fn obstacle(&self, rung: Rung, answers: &ClusterAnswers) -> Option<String> {
        match rung {
            Rung::Listening => self.unformed(answers),
            Rung::Formed => self.not_ok(answers),
            Rung::Ok => self.unlinked(answers),
            Rung::Replicas => self.not_shown(answers),
            Rung::Ready => None,
        }
    }

    fn is_ours(&self, id: &NodeId) -> bool {
        self.selves.contains_key(id)
    }

    fn name<'b>(&'b self, id: &'b NodeId) -> &'b str {
        self.selves.get(id).map_or(id, |(name, _)| *name)
    }

    fn unformed(&self, answers: &ClusterAnswers) -> Option<String> {
        let known: BTreeSet<_> = answers.nodes.iter().map(|line| &line.id).collect();
        if let Some((_, (name, _))) = self.selves.iter().find(|(id, _)| !known.contains(*id)) {
            return Some(format!("waiting to hear of {name}"));
        }
        answers.nodes.iter().find_map(|line| {
            let Some((name, own)) = self.selves.get(&line.id) else {
                // Somebody has added it by hand, or it is gone: ours can be whole without it.
                let (id, address) = (&line.id, &line.address);
                return if line.shakes_hands() {
                    Some(format!("waiting for the handshake with {address}"))
                } else {
                    self.closed.then(|| {
                        format!("waiting to forget a node of another cluster, {id} {address}")
                    })
                };
            };
            if line.shakes_hands() {
                Some(format!("waiting for the handshake with {name}"))
            } else if !line.connected {
                Some(format!("waiting for the cluster bus link to {name}"))
            } else if line.master != own.master {
                let role = |master: &Option<NodeId>| match master {
                    None => "a master".to_owned(),
                    Some(id) => format!("a replica of {}", self.name(id)),
                };
                Some(format!(
                    "waiting to hear that {name} is {}, not {}",
                    role(&own.master),
                    role(&line.master)
                ))
            } else {
                None
            }
        })
    }

    fn not_ok(&self, answers: &ClusterAnswers) -> Option<String> {
        let mut ours = answers.nodes.iter().filter(|line| self.is_ours(&line.id));
        if let Some(line) = ours.find(|line| line.is_suspected()) {
            let mut flags = [Flag::Failed, Flag::Suspected].into_iter();
            let flag = flags.find(|flag| line.has(*flag))?;
            let name = self.name(&line.id);
            return Some(format!("waiting for the flag `{flag}` of {name} to go"));
        }
        if answers.state != ClusterState::Ok {
            // The server's own reason for a state that is not ok.
            let unowned = unowned(&answers.nodes);
            let why = if unowned.is_empty() {
                format!("it is {}", answers.state)
            } else {
                format!("no node owns {unowned:#}")
            };
            return Some(format!("waiting for cluster_state:ok; {why}"));
        }
        self.shared_epoch.clone()
    }

    fn unlinked(&self, answers: &ClusterAnswers) -> Option<String> {
        let master = answers.myself()?.master.as_ref()?;
        unlinked(answers.link, self.name(master))
    }

    fn not_shown(&self, answers: &ClusterAnswers) -> Option<String> {
        // What it says of nodes that are not ours, nobody is there to confirm.
        let mut told = answers.slots.clone();
        told.retain(|line| self.is_ours(&line.master));
        for line in &mut told {
            line.replicas.retain(|id| self.is_ours(id));
        }
        if told == self.slots {
            return None;
        }
        let wrong = self.slots.iter().find(|line| !told.contains(line));
        let Some(wrong) = wrong else {
            return Some("waiting for CLUSTER SLOTS to drop what no node owns".to_owned());
        };
        let range = format!("{}-{}", wrong.start, wrong.end);
        let here = told
            .iter()
            .find(|line| line.start == wrong.start && line.end == wrong.end);
        Some(match here {
            None => format!("waiting for CLUSTER SLOTS to show the slots {range}"),
            Some(line) if line.master != wrong.master => {
                format!(
                    "waiting for CLUSTER SLOTS to show the slots {range} at {}, not {}",
                    self.name(&wrong.master),
                    self.name(&line.master)
                )
            }
            Some(line) => {
                let hidden: Vec<_> = wrong
                    .replicas
                    .difference(&line.replicas)
                    .map(|id| self.name(id))
                    .collect();
                format!(
                    "waiting for CLUSTER SLOTS to show the replica {} of the slots {range}",
                    hidden.join(", ")
                )
            }
        })
    }
}

fn expected_slots(selves: &BTreeMap<&NodeId, (&str, &NodeLine)>) -> Vec<SlotLine> {
    let mut slots: Vec<_> = selves
        .values()
        .flat_map(|(_, master)| {
            let replicas: BTreeSet<_> = selves
                .values()
                .filter(|(_, line)| line.replicates(&master.id))
                .map(|(_, line)| line.id.clone())
                .collect();
            master.slots.ranges().iter().map(move |range| SlotLine {
                start: range.start().number(),
                end: range.end().number(),
                master: master.id.clone(),
                replicas: replicas.clone(),
            })
        })
        .collect();
    slots.sort();
    slots
}

fn shared_epoch(selves: &BTreeMap<&NodeId, (&str, &NodeLine)>) -> Option<String> {
    let mut epochs = BTreeMap::new();
    selves
        .values()
        .filter(|(_, line)| line.master.is_none() && !line.slots.is_empty())
        .find_map(|(name, line)| {
            let other = epochs.insert(line.epoch, *name)?;
            Some(format!(
                "waiting for {other} and {name} to have different epochs; both have {}",
                line.epoch
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::super::{Standing, common};
    use super::*;
    use crate::plan::{Role, Topology};
    use crate::wire::view::{Address, Epoch, Link};

    fn judge(round: &[Observation], roles: Option<&[Role]>) -> Vec<Standing> {
        super::super::judge(Topology::Cluster, round, roles)
    }

    /// Two masters `a`, `b` and a replica `c` of `a`, as all of them see it.
    fn whole() -> Vec<Observation> {
        let line = |id: &str, master: Option<&str>, epoch, slots: &str| NodeLine {
            id: id.into(),
            address: Address::new("127.0.0.1:7001@17001"),
            flags: BTreeSet::from([if master.is_some() {
                Flag::Replica
            } else {
                Flag::Master
            }]),
            master: master.map(Into::into),
            ping_sent: 0,
            pong_received: 1,
            epoch: Epoch(epoch),
            connected: true,
            slots: slots.parse().unwrap(),
            open: Vec::new(),
        };
        let lines = [
            line("a", None, 1, "0-99"),
            line("b", None, 2, "100-16383"),
            line("c", Some("a"), 1, ""),
        ];
        let slots = vec![
            SlotLine {
                start: 0,
                end: 99,
                master: "a".into(),
                replicas: BTreeSet::from(["c".into()]),
            },
            SlotLine {
                start: 100,
                end: 16383,
                master: "b".into(),
                replicas: BTreeSet::new(),
            },
        ];
        [("n1", 0, None), ("n2", 1, None), ("r1", 2, Some(Link::Up))]
            .map(|(node, own, link): (&str, usize, Option<Link>)| {
                let mut nodes = lines.to_vec();
                nodes[own].flags.insert(Flag::Myself);
                let answers = ClusterAnswers {
                    nodes,
                    state: ClusterState::Ok,
                    link,
                    slots: slots.clone(),
                };
                Observation {
                    node: node.to_owned(),
                    port: 0,
                    answers: Ok(Answers::Cluster(answers)),
                }
            })
            .to_vec()
    }

    fn broken(node: usize, breakage: impl FnOnce(&mut ClusterAnswers)) -> Vec<Standing> {
        let mut round = whole();
        if let Ok(Answers::Cluster(answers)) = &mut round[node].answers {
            breakage(answers);
        }
        judge(&round, None)
    }

    #[test]
    fn a_whole_cluster_is_ready() {
        let standings = judge(&whole(), None);
        assert_eq!(common(&standings), Some(Rung::Ready), "{standings:?}");
    }

    #[test]
    fn every_shortcoming_holds_the_node_on_its_rung_and_is_named() {
        type Case = (usize, fn(&mut ClusterAnswers), Rung, &'static str);
        let cases: [Case; 10] = [
            (
                0,
                |n| drop(n.nodes.pop()),
                Rung::Listening,
                "n1: waiting to hear of r1",
            ),
            (
                1,
                |n| n.nodes[0].connected = false,
                Rung::Listening,
                "n2: waiting for the cluster bus link to n1",
            ),
            (
                1,
                |n| n.nodes[0].flags.extend([Flag::Handshake]),
                Rung::Listening,
                "n2: waiting for the handshake with n1",
            ),
            (
                1,
                |n| n.nodes[2].master = None,
                Rung::Listening,
                "n2: waiting to hear that r1 is a replica of n1, not a master",
            ),
            (
                0,
                |n| n.state = ClusterState::Fail,
                Rung::Formed,
                "n1: waiting for cluster_state:ok; it is fail",
            ),
            (
                0,
                |n| n.nodes[1].flags.extend([Flag::Suspected]),
                Rung::Formed,
                "n1: waiting for the flag `fail?` of n2 to go",
            ),
            (
                2,
                |n| n.link = Some(Link::Down),
                Rung::Ok,
                "r1: waiting for the sync with the master n1; master_link_status is down",
            ),
            (
                1,
                |n| n.slots[0].replicas.clear(),
                Rung::Replicas,
                "n2: waiting for CLUSTER SLOTS to show the replica r1 of the slots 0-99",
            ),
            (
                1,
                |n| drop(n.slots.pop()),
                Rung::Replicas,
                "n2: waiting for CLUSTER SLOTS to show the slots 100-16383",
            ),
            (
                1,
                |n| n.slots.push(n.slots[0].clone()),
                Rung::Replicas,
                "n2: waiting for CLUSTER SLOTS to drop what no node owns",
            ),
        ];
        for (node, breakage, rung, words) in cases {
            let standings = broken(node, breakage);
            assert_eq!(common(&standings), Some(rung), "{words}");
            assert_eq!(standings[node].to_string(), words);
        }
    }

    #[test]
    fn slots_that_nobody_owns_are_why_the_state_is_not_ok() {
        let mut round = whole();
        for observation in &mut round {
            if let Ok(Answers::Cluster(answers)) = &mut observation.answers {
                answers.nodes[1].slots = "100-8999".parse().unwrap();
                answers.state = ClusterState::Fail;
            }
        }
        assert_eq!(
            judge(&round, None)[0].to_string(),
            "n1: waiting for cluster_state:ok; no node owns slots 9000-16383"
        );
    }

    #[test]
    fn two_masters_of_one_epoch_are_not_ok() {
        let standings = broken(1, |n| n.nodes[1].epoch = Epoch(1));
        assert_eq!(
            standings[0].to_string(),
            "n1: waiting for n1 and n2 to have different epochs; both have 1"
        );
    }

    #[test]
    fn a_node_without_its_role_holds_everybody_back() {
        let standings = judge(
            &whole(),
            Some(&[Role::Master, Role::Replica, Role::Replica]),
        );
        assert_eq!(common(&standings), Some(Rung::Listening));
        assert_eq!(
            standings[0].to_string(),
            "n1: waiting for n2 to become a replica; it is a master"
        );
    }

    /// As [`whole`], but everybody knows a node that is not ours: a master with slots of `b`, and a
    /// replica of `a` that has failed.
    fn with_strangers() -> Vec<Observation> {
        let mut round = whole();
        for observation in &mut round {
            let Ok(Answers::Cluster(answers)) = &mut observation.answers else {
                continue;
            };
            let mut master = answers.nodes[1].clone();
            master.id = "x".into();
            master.flags = BTreeSet::from([Flag::Master]);
            master.slots = "9000-16383".parse().unwrap();
            let mut replica = answers.nodes[2].clone();
            replica.id = "y".into();
            replica.flags = BTreeSet::from([Flag::Replica, Flag::Failed]);
            replica.connected = false;
            answers.nodes[1].slots = "100-8999".parse().unwrap();
            answers.nodes.extend([master, replica]);
            answers.slots[0].replicas.insert("y".into());
            answers.slots[1].end = 8999;
            answers.slots.push(SlotLine {
                start: 9000,
                end: 16383,
                master: "x".into(),
                replicas: BTreeSet::new(),
            });
        }
        round
    }

    #[test]
    fn nodes_that_others_have_added_hold_nobody_back() {
        let standings = judge(&with_strangers(), None);
        assert_eq!(common(&standings), Some(Rung::Ready), "{standings:?}");

        let mut round = with_strangers();
        if let Ok(Answers::Cluster(answers)) = &mut round[1].answers {
            answers.nodes[3].flags.insert(Flag::Handshake);
        }
        assert_eq!(
            judge(&round, None)[1].to_string(),
            "n2: waiting for the handshake with 127.0.0.1:7001@17001"
        );
    }

    #[test]
    fn a_cluster_that_has_just_been_started_knows_nobody_else() {
        let roles = [Role::Master, Role::Master, Role::Replica];
        assert_eq!(
            judge(&with_strangers(), Some(&roles))[0].to_string(),
            "n1: waiting to forget a node of another cluster, x 127.0.0.1:7001@17001"
        );
    }

    #[test]
    fn nofailover_is_not_fail() {
        let standings = broken(0, |n| n.nodes[2].flags.extend([Flag::NoFailover]));
        assert_eq!(common(&standings), Some(Rung::Ready));
    }

    #[test]
    fn a_silent_node_holds_everybody_back() {
        let mut round = whole();
        round[2].answers = Err("connection refused".to_owned());
        let standings = judge(&round, None);
        assert_eq!(common(&standings), None);
        assert_eq!(standings[0].to_string(), "n1: waiting for r1 to answer");
        assert_eq!(
            standings[2].to_string(),
            "r1 does not answer: connection refused"
        );
    }
}
