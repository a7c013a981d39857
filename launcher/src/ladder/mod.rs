//! What "ready" means: one ladder, climbed by every node. Pure: judges what has been observed.
//!
//! A cluster stands on a rung when all of its nodes do, observed in one round. Nothing is
//! concluded from log lines or from time gone by.

mod answers;
mod cluster;
mod replication;
mod rung;
mod sentinel;

use serde::Serialize;

use crate::plan::{Role, Topology};

pub use answers::{Answers, ClusterAnswers, Observation, SentinelAnswers};
pub use replication::{best_master, present_master};
pub use rung::Rung;

/// Where one node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The node's name.
    pub node: String,
    /// The highest rung that it stands on.
    pub rung: Option<Rung>,
    /// What it is waiting for before it stands one higher, or why it does not answer; `None` at the top.
    pub why: Option<String>,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Group::of(self).fmt(f)
    }
}

/// Nodes that wait for the same.
#[derive(Debug)]
pub struct Group<'a> {
    nodes: Vec<&'a str>,
    standing: &'a Standing,
}

/// Of a large group, nobody reads more names.
const NAMES_SHOWN: usize = 8;

impl<'a> Group<'a> {
    fn of(standing: &'a Standing) -> Self {
        Self {
            nodes: vec![&standing.node],
            standing,
        }
    }

    /// How many nodes it has.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    fn takes(&self, other: &Standing) -> bool {
        self.standing.rung.is_some() && other.rung.is_some() && self.standing.why == other.why
    }
}

/// The groups of a round: each node that does not answer by itself, then those that wait, then those that
/// are ready.
pub fn groups(standings: &[Standing]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for standing in standings {
        match groups.iter_mut().find(|group| group.takes(standing)) {
            Some(group) => group.nodes.push(&standing.node),
            None => groups.push(Group::of(standing)),
        }
    }
    groups.sort_by_key(|group| (group.standing.rung.is_some(), group.standing.why.is_none()));
    groups
}

impl std::fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.nodes.iter().take(NAMES_SHOWN).copied();
        f.write_str(&shown.collect::<Vec<_>>().join(", "))?;
        if let Some(more @ 1..) = self.nodes.len().checked_sub(NAMES_SHOWN) {
            write!(f, " and {more} more")?;
        }
        match (self.standing.rung, &self.standing.why) {
            (None, Some(why)) => write!(f, " does not answer: {why}"),
            (None, None) => f.write_str(" does not answer"),
            (Some(_), Some(why)) => write!(f, ": {why}"),
            (Some(_), None) => f.write_str(": ready"),
        }
    }
}

/// The rung on which all nodes stand.
pub fn common(standings: &[Standing]) -> Option<Rung> {
    standings
        .iter()
        .map(|standing| standing.rung)
        .min()
        .flatten()
}

/// Judges one round. With `roles`, one for each observation, nobody is formed until everybody has
/// the role that it is to have, and no node of a cluster knows any other one.
pub fn judge(topology: Topology, round: &[Observation], roles: Option<&[Role]>) -> Vec<Standing> {
    let unformed = roles
        .and_then(|roles| awaited_role(round, roles))
        .or_else(|| silent(round));
    let truth = match topology {
        Topology::Cluster => Truth::Cluster(cluster::ClusterTruth::of(round, roles.is_some())),
        Topology::Replication | Topology::Sentinel => {
            Truth::Replicated(replication::SetTruth::of(round))
        }
        Topology::Standalone => Truth::Standalone,
    };
    round
        .iter()
        .map(|observation| {
            let (rung, why) = match &observation.answers {
                Err(why) => (None, Some(why.clone())),
                Ok(answers) => {
                    let obstacle = |rung| match (rung, &unformed) {
                        (Rung::Listening, Some(why)) => Some(why.clone()),
                        _ => truth.obstacle(rung, &observation.node, answers),
                    };
                    let (rung, why) = climb(obstacle);
                    (Some(rung), why)
                }
            };
            Standing {
                node: observation.node.clone(),
                rung,
                why,
            }
        })
        .collect()
}

/// The first rung above which something keeps the node from rising, and what it is.
fn climb(obstacle: impl Fn(Rung) -> Option<String>) -> (Rung, Option<String>) {
    Rung::ALL
        .into_iter()
        .find_map(|rung| Some((rung, Some(obstacle(rung)?))))
        .unwrap_or((Rung::Ready, None))
}

/// What the nodes say of themselves: the measure for what they say of each other.
enum Truth<'a> {
    Cluster(cluster::ClusterTruth<'a>),
    Replicated(replication::SetTruth<'a>),
    Standalone,
}

impl Truth<'_> {
    /// What keeps a node from rising above a rung.
    fn obstacle(&self, rung: Rung, node: &str, answers: &Answers) -> Option<String> {
        match (self, answers) {
            (Self::Cluster(truth), Answers::Cluster(answers)) => truth.obstacle(rung, answers),
            (Self::Replicated(truth), Answers::Server(says)) => truth.obstacle(rung, node, says),
            (Self::Replicated(truth), Answers::Sentinel(answers)) => {
                sentinel::obstacle(truth, rung, node, answers.as_ref())
            }
            _ => None,
        }
    }
}

fn awaited_role(round: &[Observation], roles: &[Role]) -> Option<String> {
    round.iter().zip(roles).find_map(|(observation, role)| {
        let is = observation.answers.as_ref().ok()?.role()?;
        (is != *role).then(|| {
            format!(
                "waiting for {} to become a {role}; it is a {is}",
                observation.node
            )
        })
    })
}

fn silent(round: &[Observation]) -> Option<String> {
    let silent = round
        .iter()
        .find(|observation| observation.answers.is_err())?;
    Some(format!("waiting for {} to answer", silent.node))
}
