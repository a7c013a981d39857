//! What "ready" means: one ladder, climbed by every node. Pure: judges what has been observed.
//!
//! A cluster stands on a rung when all of its nodes do, observed in one round. Nothing is
//! concluded from log lines or from time gone by.

mod cluster;
mod replication;
mod sentinel;

use serde::Serialize;

use crate::plan::{Role, Topology};
use crate::wire::view::{NodeLine, Peer, Replication};

pub use cluster::ClusterAnswers;
pub use replication::{best_master, present_master};
pub use sentinel::SentinelAnswers;

/// A step towards a usable cluster; each includes the ones before it. What a step means depends on
/// the topology; servers that know nothing of each other ([`Topology::Standalone`]) stand on the
/// top rung as soon as they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// The node answers PING, and no longer loads its data.
    Listening,
    /// Cluster: the node lists all of our nodes, with the roles that they claim; all links to them are
    /// connected and no handshake is under way. Nodes that others have added since are not waited for. Replication: one node is the master, and everybody
    /// else replicates it. A sentinel: it names that master, and knows exactly the other sentinels
    /// and all replicas.
    Formed,
    /// Cluster: `cluster_state:ok`, and no two masters share a configuration epoch. Replication:
    /// the master knows every replica. A sentinel: CKQUORUM says OK, it takes the master for alive,
    /// and no failover is under way.
    Ok,
    /// A replica's link to its master is up. A sentinel: it has heard so from every replica.
    Replicas,
    /// Ready to use: any client that asks any node is told of the whole cluster.
    /// Cluster: CLUSTER SLOTS says of every slot what its owner says, with all replicas.
    /// Replication: INFO replication of the master shows every replica as online. A sentinel: it is
    /// connected to every replica and every other sentinel, and takes none of them for down.
    Ready,
}

impl Rung {
    /// All rungs, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Listening,
        Self::Formed,
        Self::Ok,
        Self::Replicas,
        Self::Ready,
    ];

    /// The rung's name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Formed => "formed",
            Self::Ok => "ok",
            Self::Replicas => "replicas",
            Self::Ready => "ready",
        }
    }
}

impl std::fmt::Display for Rung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What one node answered in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// A node of a cluster.
    Cluster(ClusterAnswers),
    /// A server without cluster mode: its INFO replication.
    Server(Replication),
    /// A sentinel; `None` if it watches no master.
    Sentinel(Option<SentinelAnswers>),
}

impl Answers {
    /// A cluster node's line about itself.
    pub fn myself(&self) -> Option<&NodeLine> {
        match self {
            Self::Cluster(answers) => answers.myself(),
            Self::Server(_) | Self::Sentinel(_) => None,
        }
    }

    /// What the node is now.
    pub fn role(&self) -> Option<Role> {
        let replicates = match self {
            Self::Cluster(answers) => answers.myself()?.master.is_some(),
            Self::Server(says) => says.master.is_some(),
            Self::Sentinel(_) => return Some(Role::Sentinel),
        };
        Some(if replicates {
            Role::Replica
        } else {
            Role::Master
        })
    }

    /// Whom a server without cluster mode replicates.
    pub fn replicates(&self) -> Option<&Peer> {
        match self {
            Self::Server(says) => says.master.as_ref(),
            Self::Cluster(_) | Self::Sentinel(_) => None,
        }
    }
}

/// One node in one round: its name, and its answers or why there are none.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The node's name.
    pub node: String,
    /// Its client port, by which others name it.
    pub port: u16,
    /// Its answers, or what kept it from answering.
    pub answers: Result<Answers, String>,
}

/// Where one node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The node's name.
    pub node: String,
    /// The highest rung that it stands on.
    pub rung: Option<Rung>,
    /// Why not one higher; `None` at the top.
    pub why: Option<String>,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rung {
            Some(rung) => write!(f, "{} is {rung}", self.node)?,
            None => write!(f, "{} is not listening", self.node)?,
        }
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
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
        .and_then(|roles| miscast(round, roles))
        .or_else(|| silent(round));
    let truth = match topology {
        Topology::Cluster => Truth::Cluster(cluster::Truth::of(round, roles.is_some())),
        Topology::Replication | Topology::Sentinel => {
            Truth::Replicated(replication::Truth::of(round))
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
    Cluster(cluster::Truth<'a>),
    Replicated(replication::Truth<'a>),
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

fn miscast(round: &[Observation], roles: &[Role]) -> Option<String> {
    round.iter().zip(roles).find_map(|(observation, role)| {
        let is = observation.answers.as_ref().ok()?.role()?;
        (is != *role).then(|| {
            format!(
                "`{}` is a {is}, not the {role} that it is to be",
                observation.node
            )
        })
    })
}

fn silent(round: &[Observation]) -> Option<String> {
    let silent = round
        .iter()
        .find(|observation| observation.answers.is_err())?;
    Some(format!("`{}` does not answer yet", silent.node))
}

/// Of a replica: whether its link to its master is down.
fn unlinked(link: Option<&str>) -> Option<String> {
    let link = link.filter(|link| *link != "up")?;
    Some(format!("master_link_status:{link}"))
}
