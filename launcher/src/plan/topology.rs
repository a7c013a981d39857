//! What nodes are to each other. Pure.

use serde::{Deserialize, Serialize};

/// What nodes are to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Masters that share the slots, with replicas.
    #[default]
    Cluster,
    /// One master, `n1`, and its replicas, without cluster mode.
    Replication,
    /// One master and its replicas, monitored by sentinels.
    Sentinel,
    /// One server, or with `--masters N` several independent ones.
    Standalone,
}

impl Topology {
    /// Whether the nodes run in cluster mode, with slots and a bus.
    pub fn is_cluster(self) -> bool {
        self == Self::Cluster
    }

    /// Whether there is one master, which the other nodes with data replicate.
    pub fn has_one_master(self) -> bool {
        matches!(self, Self::Replication | Self::Sentinel)
    }
}

impl std::fmt::Display for Topology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}
