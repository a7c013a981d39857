//! The ladder of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::replication::unlinked;
use super::{Answers, ClusterAnswers, Observation, Rung};
use crate::wire::view::{NodeLine, SlotLine};

/// What the nodes say of themselves: the measure for what they say of each other.
pub(super) struct Truth<'a> {
    selves: BTreeMap<&'a str, (&'a str, &'a NodeLine)>,
    slots: Vec<SlotLine>,
    shared_epoch: Option<String>,
    /// Whether nobody else may be there: of a cluster that has just been started others can know nothing.
    closed: bool,
}

impl<'a> Truth<'a> {
    pub(super) fn of(round: &'a [Observation], closed: bool) -> Self {
        let speaking = round.iter().filter_map(|observation| {
            let line = observation
                .answers
                .as_ref()
                .ok()
                .and_then(Answers::myself)?;
            Some((line.id.as_str(), (observation.node.as_str(), line)))
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
            Rung::Ok => unlinked(answers.link.as_deref()),
            Rung::Replicas => self.not_visible(answers),
            Rung::Ready => None,
        }
    }

    fn is_ours(&self, id: &str) -> bool {
        self.selves.contains_key(id)
    }

    fn name<'b>(&'b self, id: &'b str) -> &'b str {
        self.selves.get(id).map_or(id, |(name, _)| *name)
    }

    fn unformed(&self, answers: &ClusterAnswers) -> Option<String> {
        let known: BTreeSet<_> = answers.nodes.iter().map(|line| line.id.as_str()).collect();
        if let Some((_, (name, _))) = self.selves.iter().find(|(id, _)| !known.contains(*id)) {
            return Some(format!("it does not know `{name}`"));
        }
        answers.nodes.iter().find_map(|line| {
            let Some((name, own)) = self.selves.get(line.id.as_str()) else {
                // Somebody has added it by hand, or it is gone: ours can be whole without it.
                let (id, address) = (&line.id, &line.address);
                return if line.has("handshake") {
                    Some(format!("its handshake with {address} is under way"))
                } else {
                    self.closed
                        .then(|| format!("it knows a node that is not ours, {id} {address}"))
                };
            };
            if line.has("handshake") {
                Some(format!("its handshake with `{name}` is under way"))
            } else if !line.connected {
                Some(format!("its bus link to `{name}` is not connected"))
            } else if line.master != own.master {
                let role = |master: &Option<String>| match master {
                    None => "a master".to_owned(),
                    Some(id) => format!("a replica of `{}`", self.name(id)),
                };
                Some(format!(
                    "it takes `{name}` for {}, which is {}",
                    role(&line.master),
                    role(&own.master)
                ))
            } else {
                None
            }
        })
    }

    fn not_ok(&self, answers: &ClusterAnswers) -> Option<String> {
        let mut ours = answers.nodes.iter().filter(|line| self.is_ours(&line.id));
        if let Some(line) = ours.find(|line| line.has("fail") || line.has("fail?")) {
            let what = if line.has("fail") {
                "takes for failed"
            } else {
                "suspects"
            };
            return Some(format!("it {what} `{}`", self.name(&line.id)));
        }
        if answers.state != "ok" {
            return Some(format!("cluster_state:{}", answers.state));
        }
        self.shared_epoch.clone()
    }

    fn not_visible(&self, answers: &ClusterAnswers) -> Option<String> {
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
            return Some("its CLUSTER SLOTS shows more than there is".to_owned());
        };
        let range = format!("{}-{}", wrong.start, wrong.end);
        let here = told
            .iter()
            .find(|line| line.start == wrong.start && line.end == wrong.end);
        Some(match here {
            None => format!("its CLUSTER SLOTS has no range {range}"),
            Some(line) if line.master != wrong.master => {
                format!(
                    "its CLUSTER SLOTS gives {range} to `{}`, not to `{}`",
                    self.name(&line.master),
                    self.name(&wrong.master)
                )
            }
            Some(line) => {
                let hidden: Vec<_> = wrong
                    .replicas
                    .difference(&line.replicas)
                    .map(|id| format!("`{}`", self.name(id)))
                    .collect();
                format!(
                    "its CLUSTER SLOTS shows {range} without the replica {}",
                    hidden.join(", ")
                )
            }
        })
    }
}

fn expected_slots(selves: &BTreeMap<&str, (&str, &NodeLine)>) -> Vec<SlotLine> {
    let mut slots: Vec<_> = selves
        .values()
        .flat_map(|(_, master)| {
            let replicas: BTreeSet<_> = selves
                .values()
                .filter(|(_, line)| line.master.as_deref() == Some(master.id.as_str()))
                .map(|(_, line)| line.id.clone())
                .collect();
            master.slots.iter().map(move |range| SlotLine {
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

fn shared_epoch(selves: &BTreeMap<&str, (&str, &NodeLine)>) -> Option<String> {
    let mut epochs = BTreeMap::new();
    selves
        .values()
        .filter(|(_, line)| line.master.is_none() && !line.slots.is_empty())
        .find_map(|(name, line)| {
            let other = epochs.insert(line.epoch, *name)?;
            Some(format!(
                "`{other}` and `{name}` share the configuration epoch {}",
                line.epoch
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::super::{Standing, common};
    use super::*;
    use crate::plan::{Role, Topology};

    fn judge(round: &[Observation], roles: Option<&[Role]>) -> Vec<Standing> {
        super::super::judge(Topology::Cluster, round, roles)
    }

    /// Two masters `a`, `b` and a replica `c` of `a`, as all of them see it.
    fn whole() -> Vec<Observation> {
        let line = |id: &str, master: Option<&str>, epoch, slots: &[&str]| NodeLine {
            id: id.to_owned(),
            address: "127.0.0.1:7001@17001".to_owned(),
            flags: vec![if master.is_some() { "slave" } else { "master" }.to_owned()],
            master: master.map(ToOwned::to_owned),
            ping_sent: 0,
            pong_received: 1,
            epoch,
            connected: true,
            slots: slots.iter().map(|range| range.parse().unwrap()).collect(),
            open: Vec::new(),
        };
        let lines = [
            line("a", None, 1, &["0-99"]),
            line("b", None, 2, &["100-16383"]),
            line("c", Some("a"), 1, &[]),
        ];
        let slots = vec![
            SlotLine {
                start: 0,
                end: 99,
                master: "a".to_owned(),
                replicas: BTreeSet::from(["c".to_owned()]),
            },
            SlotLine {
                start: 100,
                end: 16383,
                master: "b".to_owned(),
                replicas: BTreeSet::new(),
            },
        ];
        [("n1", 0, None), ("n2", 1, None), ("r1", 2, Some("up"))]
            .map(|(node, own, link): (&str, usize, Option<&str>)| {
                let mut nodes = lines.to_vec();
                nodes[own].flags.insert(0, "myself".to_owned());
                let answers = ClusterAnswers {
                    nodes,
                    state: "ok".to_owned(),
                    link: link.map(ToOwned::to_owned),
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
                "n1 is listening: it does not know `r1`",
            ),
            (
                1,
                |n| n.nodes[0].connected = false,
                Rung::Listening,
                "n2 is listening: its bus link to `n1` is not connected",
            ),
            (
                1,
                |n| n.nodes[0].flags.push("handshake".to_owned()),
                Rung::Listening,
                "n2 is listening: its handshake with `n1` is under way",
            ),
            (
                1,
                |n| n.nodes[2].master = None,
                Rung::Listening,
                "n2 is listening: it takes `r1` for a master, which is a replica of `n1`",
            ),
            (
                0,
                |n| n.state = "fail".to_owned(),
                Rung::Formed,
                "n1 is formed: cluster_state:fail",
            ),
            (
                0,
                |n| n.nodes[1].flags.push("fail?".to_owned()),
                Rung::Formed,
                "n1 is formed: it suspects `n2`",
            ),
            (
                2,
                |n| n.link = Some("down".to_owned()),
                Rung::Ok,
                "r1 is ok: master_link_status:down",
            ),
            (
                1,
                |n| n.slots[0].replicas.clear(),
                Rung::Replicas,
                "n2 is replicas: its CLUSTER SLOTS shows 0-99 without the replica `r1`",
            ),
            (
                1,
                |n| drop(n.slots.pop()),
                Rung::Replicas,
                "n2 is replicas: its CLUSTER SLOTS has no range 100-16383",
            ),
            (
                1,
                |n| n.slots.push(n.slots[0].clone()),
                Rung::Replicas,
                "n2 is replicas: its CLUSTER SLOTS shows more than there is",
            ),
        ];
        for (node, breakage, rung, words) in cases {
            let standings = broken(node, breakage);
            assert_eq!(common(&standings), Some(rung), "{words}");
            assert_eq!(standings[node].to_string(), words);
        }
    }

    #[test]
    fn two_masters_of_one_epoch_are_not_ok() {
        let standings = broken(1, |n| n.nodes[1].epoch = 1);
        assert_eq!(
            standings[0].to_string(),
            "n1 is formed: `n1` and `n2` share the configuration epoch 1"
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
            "n1 is listening: `n2` is a master, not the replica that it is to be"
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
            "x".clone_into(&mut master.id);
            master.flags = vec!["master".to_owned()];
            master.slots = vec!["9000-16383".parse().unwrap()];
            let mut replica = answers.nodes[2].clone();
            "y".clone_into(&mut replica.id);
            replica.flags = vec!["slave".to_owned(), "fail".to_owned()];
            replica.connected = false;
            answers.nodes[1].slots = vec!["100-8999".parse().unwrap()];
            answers.nodes.extend([master, replica]);
            answers.slots[0].replicas.insert("y".to_owned());
            answers.slots[1].end = 8999;
            answers.slots.push(SlotLine {
                start: 9000,
                end: 16383,
                master: "x".to_owned(),
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
            answers.nodes[3].flags.push("handshake".to_owned());
        }
        assert_eq!(
            judge(&round, None)[1].to_string(),
            "n2 is listening: its handshake with 127.0.0.1:7001@17001 is under way"
        );
    }

    #[test]
    fn a_cluster_that_has_just_been_started_knows_nobody_else() {
        let roles = [Role::Master, Role::Master, Role::Replica];
        assert_eq!(
            judge(&with_strangers(), Some(&roles))[0].to_string(),
            "n1 is listening: it knows a node that is not ours, x 127.0.0.1:7001@17001"
        );
    }

    #[test]
    fn nofailover_is_not_fail() {
        let standings = broken(0, |n| n.nodes[2].flags.push("nofailover".to_owned()));
        assert_eq!(common(&standings), Some(Rung::Ready));
    }

    #[test]
    fn a_silent_node_holds_everybody_back() {
        let mut round = whole();
        round[2].answers = Err("connection refused".to_owned());
        let standings = judge(&round, None);
        assert_eq!(common(&standings), None);
        assert_eq!(
            standings[0].to_string(),
            "n1 is listening: `r1` does not answer yet"
        );
        assert_eq!(
            standings[2].to_string(),
            "r1 is not listening: connection refused"
        );
    }
}
