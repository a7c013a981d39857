//! One node to be: what it is born as, and its ports.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::wire::slots::SlotRanges;

/// The distance from a node's client port to its bus port, unless the server is told otherwise
/// (`CLUSTER_PORT_INCR`, cluster.h, all versions).
pub const BUS_OFFSET: u16 = 10_000;

/// What a node was born as. It may become the other; its name stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Takes writes; in a cluster it owns slots.
    Master,
    /// Copies a master.
    Replica,
    /// Watches a master and its replicas. Holds no data and never becomes anything else.
    Sentinel,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Replica => "replica",
            Self::Sentinel => "sentinel",
        })
    }
}

/// One node to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    /// `n1`, `r1`, `r1b`, `s1`, …
    pub name: String,
    /// What it is at birth.
    pub role: Role,
    /// The shard that it is born into, from 0; the shard's master is `n<shard+1>`.
    pub shard: usize,
    /// Client port.
    pub port: u16,
    /// Cluster bus port; none without cluster mode.
    pub bus_port: Option<u16>,
    /// How many ports it takes in a row, from each of these on.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub in_a_row: u16,
    /// The slots that a master of a cluster is born with; empty for all others.
    pub slots: SlotRanges,
}

fn one() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_one(count: &u16) -> bool {
    *count == 1
}

impl NodePlan {
    /// The client port, and those behind it that it takes as well.
    pub(crate) fn client_ports(&self) -> RangeInclusive<u16> {
        self.row(self.port)
    }

    /// The same of the bus port.
    pub(crate) fn bus_ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.bus_port
            .map(|port| self.row(port))
            .into_iter()
            .flatten()
    }

    /// All ports that it takes.
    pub(crate) fn all_ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.client_ports().chain(self.bus_ports())
    }

    fn row(&self, first: u16) -> RangeInclusive<u16> {
        first..=first.saturating_add(self.in_a_row.saturating_sub(1))
    }
}

/// The ports of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where it talks to clients.
    pub client: u16,
    /// Where it talks to other nodes; counts in a cluster only.
    pub bus: Option<u16>,
}

impl From<u16> for Ports {
    /// The usual pair, [`BUS_OFFSET`] apart; no bus port if there is none so high.
    fn from(client: u16) -> Self {
        Self {
            client,
            bus: client.checked_add(BUS_OFFSET),
        }
    }
}
