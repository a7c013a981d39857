//! The rungs of the ladder. Pure.

use serde::Serialize;

use crate::plan::Shape;

/// A step towards a usable cluster; each includes the ones before it. What a step means depends on
/// the topology; servers that know nothing of each other ([`Topology::Standalone`](crate::plan::Topology::Standalone)) stand on the
/// top rung as soon as they answer.
///
/// ```
/// use std::time::Duration;
///
/// use shardlab::{Cluster, Rung};
///
/// assert!(Rung::Listening < Rung::Ready);
/// let cluster = Cluster::builder().masters(1).replicas(0).start_blocking()?;
/// cluster.wait_for(Rung::Ready, Duration::from_secs(30))?;
/// # Ok::<(), shardlab::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// Every node answers.
    ///
    /// It answers PING, and no longer loads its data.
    Listening,
    /// All nodes know each other and are connected; without cluster mode: all follow one master.
    ///
    /// Cluster: the node lists all of our nodes, with the roles that they claim; all links to them are
    /// connected and no handshake is under way. Nodes that others have added since are not waited for.
    /// Replication: one node is the master, and everybody else replicates it. A sentinel: it names that
    /// master, and knows exactly the other sentinels and all replicas.
    Formed,
    /// `cluster_state` is ok on every node; without cluster mode: the master knows all replicas, and
    /// SENTINEL CKQUORUM is OK.
    ///
    /// Cluster: `cluster_state:ok`, and no two masters share a configuration epoch. Replication:
    /// the master knows every replica. A sentinel: CKQUORUM says OK, it takes the master for alive,
    /// and no failover is under way.
    Ok,
    /// Every replica is connected to its master.
    ///
    /// A sentinel: it has heard so from every replica.
    Replicas,
    /// CLUSTER SLOTS is complete and the same on every node; without cluster mode: all replicas are online,
    /// and every sentinel knows all nodes.
    ///
    /// Ready to use: any client that asks any node is told of the whole cluster.
    /// Cluster: CLUSTER SLOTS says of every slot what its owner says, with all replicas.
    /// Replication: INFO replication of the master shows every replica as online. A sentinel: it is
    /// connected to every replica and every other sentinel, and takes none of them for down.
    #[cfg_attr(feature = "cli", value(alias = "visible"))]
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

    /// The highest rung on which a cluster of this shape can stand.
    pub fn highest(shape: Option<Shape>) -> Self {
        match shape {
            Some(Shape::Uncovered) => Self::Formed,
            _ => Self::Ready,
        }
    }

    /// What is so of every node on it, in words that suit each topology.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Listening => "every node answers",
            Self::Formed => "the nodes form the topology that was asked for",
            Self::Ok => "no node reports a failure",
            Self::Replicas => "every replica is linked to its master",
            Self::Ready => "every node shows its clients the same",
        }
    }

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
