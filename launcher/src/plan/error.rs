//! Why a plan cannot be.

use thiserror::Error;

use super::limits::{MAX_MASTER_NAME, MAX_NODES, MAX_REPLICAS};
use super::node::BUS_OFFSET;
use super::topology::Topology;
use crate::machine::text::counted;

/// Why a plan cannot be.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// `--masters 0`
    #[error("a cluster needs at least 1 master; 0 were asked for")]
    NoMaster,
    /// `--replicas 1,2` with three masters
    #[error(
        "`--replicas` gives {} for {}; give one number, or one for each master",
        counted(*given, "number"), counted(*masters, "master")
    )]
    ReplicaCount {
        /// Numbers given.
        given: usize,
        /// Masters asked for.
        masters: usize,
    },
    /// More replicas than there are names.
    #[error("{0} replicas of one master were asked for; {MAX_REPLICAS} is the most")]
    TooManyReplicas(usize),
    /// More nodes than a cluster may have.
    #[error("{0} nodes were asked for; {MAX_NODES} is the most")]
    TooManyNodes(usize),
    /// `--ports` with the wrong number of ports.
    #[error(
        "`--ports` names {}, but the cluster has {} ({}, then the replicas)",
        counted(*given, "port"), counted(*needed, "node"), counted(*masters, "master")
    )]
    PortCount {
        /// Ports given.
        given: usize,
        /// Nodes planned.
        needed: usize,
        /// Masters among them.
        masters: usize,
    },
    /// A client port without room for the usual bus port, and no other bus port.
    #[error(
        "port {port} of node `{node}` is too high: its bus port would be {BUS_OFFSET} higher, and ports go up to 65535"
    )]
    NoBusPort {
        /// The node concerned.
        node: String,
        /// Its client port.
        port: u16,
    },
    /// A port that does not exist.
    #[error("node `{node}` cannot have port {port}: ports go from 1 to 65535")]
    NoSuchPort {
        /// The node concerned.
        node: String,
        /// The port, wider than 16 bits because it is computed.
        port: u32,
    },
    /// The same port twice.
    #[error("port {port} would be both the {first} and the {second}")]
    PortTwice {
        /// The port.
        port: u16,
        /// Its first use, as in "client port of `n1`".
        first: String,
        /// Its second use.
        second: String,
    },
    /// `--slots` with the wrong number of items.
    #[error(
        "`--slots` gives slots to {}, but the cluster has {}; write one item for each, such as 0-5460,5461-10922,10923-16383",
        counted(*given, "master"), counted(*masters, "master")
    )]
    SlotCount {
        /// Items given.
        given: usize,
        /// Masters asked for.
        masters: usize,
    },
    /// A slot that belongs to two masters.
    #[error("slot {slot} is given to both `{first}` and `{second}`")]
    SlotTwice {
        /// The slot.
        slot: u16,
        /// Its first owner.
        first: String,
        /// Its second owner.
        second: String,
    },
    /// Slots that belong to nobody.
    #[error(
        "slot {slot} is given to no master; a cluster serves keys only when all 16384 slots are assigned"
    )]
    SlotMissing {
        /// The first such slot.
        slot: u16,
    },
    /// An option that means nothing in the topology.
    #[error("{option} does not fit `--topology {topology}`: {reason}")]
    Misfit {
        /// The option, as it is written, in back-ticks.
        option: String,
        /// The topology.
        topology: Topology,
        /// Why not, and what does.
        reason: &'static str,
    },
    /// `--sentinels 0`
    #[error("a sentinel topology needs at least 1 sentinel; 0 were asked for")]
    NoSentinel,
    /// `--quorum` that can never be reached, or is always.
    #[error(
        "a quorum of {quorum} cannot be had of {sentinels} sentinels; `--quorum` goes from 1 to {sentinels}"
    )]
    Quorum {
        /// What was asked for.
        quorum: usize,
        /// How many there are.
        sentinels: usize,
    },
    /// `--master-name` that Sentinel cannot keep: it writes the name between blanks into its config, and
    /// between commas into what sentinels publish (`sentinelSendHello`, sentinel.c).
    #[error(
        "the sentinels cannot call the master `{name}`: {reason}; a name has 1 to {MAX_MASTER_NAME} letters, digits, `.`, `-` and `_`"
    )]
    MasterName {
        /// The name, escaped.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No address to listen on.
    #[error("a node needs at least one address to listen on; `--bind` gave none")]
    NoAddress,
}
