//! Why a plan cannot be.

use std::fmt;

use super::limits::{MAX_MASTER_NAME, MAX_NODES, MAX_REPLICAS};
use super::node::BUS_OFFSET;
use super::topology::Topology;
use crate::machine::message::{Part, Text, text};
use crate::machine::parameter::Parameter;
use crate::machine::text::counted;

/// Why a plan cannot be.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// No master is asked for.
    NoMaster,
    /// Numbers of replicas, such as 1 and 2, that are not one for each master.
    ReplicaCount {
        /// Numbers given.
        given: usize,
        /// Masters asked for.
        masters: usize,
    },
    /// More replicas than there are names.
    TooManyReplicas(usize),
    /// More nodes than a cluster may have.
    TooManyNodes(usize),
    /// A list of ports with the wrong number of them.
    PortCount {
        /// Ports given.
        given: usize,
        /// Nodes planned.
        needed: usize,
        /// Masters among them.
        masters: usize,
    },
    /// A client port without room for the usual bus port, and no other bus port.
    NoBusPort {
        /// The node concerned.
        node: String,
        /// Its client port.
        port: u16,
    },
    /// A port that does not exist.
    NoSuchPort {
        /// The node concerned.
        node: String,
        /// The port, wider than 16 bits because it is computed.
        port: u32,
    },
    /// The same port twice.
    PortTwice {
        /// The port.
        port: u16,
        /// Its first use, as in "client port of `n1`".
        first: String,
        /// Its second use.
        second: String,
    },
    /// Slots for the wrong number of masters.
    SlotCount {
        /// Items given.
        given: usize,
        /// Masters asked for.
        masters: usize,
    },
    /// A slot that belongs to two masters.
    SlotTwice {
        /// The slot.
        slot: u16,
        /// Its first owner.
        first: String,
        /// Its second owner.
        second: String,
    },
    /// Slots that belong to nobody.
    SlotMissing {
        /// The first such slot.
        slot: u16,
    },
    /// A parameter that means nothing in the topology.
    Misfit {
        /// The parameter, with its value if that is what does not fit.
        asked: Part,
        /// The topology.
        topology: Topology,
        /// Why not, and what does.
        reason: Text,
    },
    /// No sentinel is asked for.
    NoSentinel,
    /// A quorum that can never be reached, or is always.
    Quorum {
        /// What was asked for.
        quorum: usize,
        /// How many there are.
        sentinels: usize,
    },
    /// A name for the master that Sentinel cannot keep: it writes the name between blanks into its config, and
    /// between commas into what sentinels publish (`sentinelSendHello`, sentinel.c).
    MasterName {
        /// The name, escaped.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No address to listen on.
    NoAddress,
}

impl PlanError {
    /// What is wrong.
    pub fn message(&self) -> Text {
        match self {
            Self::NoMaster => text!["a cluster needs at least 1 master; 0 were asked for"],
            Self::ReplicaCount { given, masters } => text![
                Parameter::Replicas,
                format!(
                    " gives {} for {}; give one number, or one for each master",
                    counted(*given, "number"),
                    counted(*masters, "master")
                )
            ],
            Self::TooManyReplicas(count) => text![format!(
                "{count} replicas of one master were asked for; {MAX_REPLICAS} is the most"
            )],
            Self::TooManyNodes(count) => text![format!(
                "{count} nodes were asked for; {MAX_NODES} is the most"
            )],
            Self::PortCount {
                given,
                needed,
                masters,
            } => text![
                Parameter::Ports,
                format!(
                    " names {}, but the cluster has {} ({}, then the replicas)",
                    counted(*given, "port"),
                    counted(*needed, "node"),
                    counted(*masters, "master")
                )
            ],
            Self::NoBusPort { node, port } => text![format!(
                "port {port} of node `{node}` is too high: its bus port would be {BUS_OFFSET} higher, and ports go up to 65535"
            )],
            Self::NoSuchPort { node, port } => text![format!(
                "node `{node}` cannot have port {port}: ports go from 1 to 65535"
            )],
            Self::PortTwice {
                port,
                first,
                second,
            } => text![format!(
                "port {port} would be both the {first} and the {second}"
            )],
            Self::SlotCount { given, masters } => text![
                Parameter::Slots,
                format!(
                    " gives slots to {}, but the cluster has {}; write one item for each, such as 0-5460,5461-10922,10923-16383",
                    counted(*given, "master"),
                    counted(*masters, "master")
                )
            ],
            Self::SlotTwice {
                slot,
                first,
                second,
            } => text![format!(
                "slot {slot} is given to both `{first}` and `{second}`"
            )],
            Self::SlotMissing { slot } => text![format!(
                "slot {slot} is given to no master; a cluster serves keys only when all 16384 slots are assigned"
            )],
            Self::Misfit {
                asked,
                topology,
                reason,
            } => text![
                asked.clone(),
                " does not fit ",
                Parameter::Topology.as_part(topology.to_string()),
                ": "
            ]
            .and(reason.clone()),
            Self::NoSentinel => {
                text!["a sentinel topology needs at least 1 sentinel; 0 were asked for"]
            }
            Self::Quorum { quorum, sentinels } => text![
                format!("a quorum of {quorum} cannot be had of {sentinels} sentinels; "),
                Parameter::Quorum,
                format!(" goes from 1 to {sentinels}")
            ],
            Self::MasterName { name, reason } => text![format!(
                "the sentinels cannot call the master `{name}`: {reason}; a name has 1 to {MAX_MASTER_NAME} letters, digits, `.`, `-` and `_`"
            )],
            Self::NoAddress => text![
                "a node needs at least one address to listen on; ",
                Parameter::Bind,
                " gave none"
            ],
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for PlanError {}
