//! What nodes answer in one round. Pure.

use crate::plan::Role;
use crate::wire::view::{ClusterState, HostPort, Link, NodeLine, Replication, SlotLine, Watched};

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
        self.of_cluster()?.myself()
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

    /// What a node of a cluster says.
    pub fn of_cluster(&self) -> Option<&ClusterAnswers> {
        match self {
            Self::Cluster(answers) => Some(answers),
            Self::Server(_) | Self::Sentinel(_) => None,
        }
    }

    /// Whom a server without cluster mode replicates.
    pub fn replicates(&self) -> Option<&HostPort> {
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

/// What one node of a cluster answered in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterAnswers {
    /// CLUSTER NODES.
    pub nodes: Vec<NodeLine>,
    /// Whether it answers for keys.
    pub state: ClusterState,
    /// The link to its master; `None` on a master.
    pub link: Option<Link>,
    /// CLUSTER SLOTS, in slot order.
    pub slots: Vec<SlotLine>,
}

impl ClusterAnswers {
    /// The node's line about itself.
    pub fn myself(&self) -> Option<&NodeLine> {
        self.nodes.iter().find(|line| line.is_myself())
    }
}

/// What one sentinel answered in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelAnswers {
    /// SENTINEL MASTER.
    pub master: Watched,
    /// SENTINEL REPLICAS.
    pub replicas: Vec<Watched>,
    /// SENTINEL SENTINELS: the others.
    pub sentinels: Vec<Watched>,
    /// What SENTINEL CKQUORUM complains of.
    pub no_quorum: Option<String>,
}
