//! What is about to be done to the set of nodes, step by step, and how it is asked for. Pure.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::goal::Attach;
use crate::machine::text::counted;
use crate::plan::Intent;
use crate::reshape::Move;
use crate::state::NodeRecord;
use crate::wire::slots::{SlotRanges, as_list};

/// A node to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addition {
    /// A node, by name or port, of the shard that it is to be a replica in; if there is none, it
    /// becomes a master without slots.
    pub replica_of: Option<String>,
    /// Its client port; if not said, the next one behind the cluster's that is free.
    pub port: Option<u16>,
    /// Where it listens, if it runs already: alone, or added to the cluster by somebody else, whose part
    /// in it then stays as it is.
    pub existing: Option<SocketAddr>,
}

/// A node to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its name or port.
    pub node: String,
    /// Also if keys are lost, or nodes that are down go on remembering it.
    pub force: bool,
}

/// One step of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// A server is started and meets the others.
    Start {
        /// Its name.
        node: String,
        /// Client port.
        port: u16,
        /// Cluster bus port.
        bus_port: u16,
    },
    /// A server that runs already meets the others.
    TakeIn {
        /// Its name from now on.
        node: String,
        /// Where it listens.
        address: SocketAddr,
        /// What it owns already, if others have made it a node of the cluster.
        #[serde(serialize_with = "as_list")]
        slots: SlotRanges,
        /// The master that it copies already.
        #[serde(skip_serializing_if = "Option::is_none")]
        master: Option<String>,
    },
    /// A node becomes a replica, or one of another master.
    Replicate {
        /// The node.
        node: String,
        /// Its master.
        master: String,
    },
    /// Slots move with their keys.
    Move {
        /// How many.
        #[serde(rename = "slot_count")]
        count: u16,
        /// Which ones.
        #[serde(serialize_with = "as_list")]
        slots: SlotRanges,
        /// The master that has them.
        from: String,
        /// The master that gets them.
        to: String,
    },
    /// All other nodes forget a node; it ends, and its folder is removed.
    Delete {
        /// The node.
        node: String,
    },
    /// All other nodes forget a node that is not ours, and it forgets them; it goes on running.
    Release {
        /// The node.
        node: String,
        /// Where it listens.
        address: SocketAddr,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start {
                node,
                port,
                bus_port,
            } => write!(f, "start `{node}` on port {port} (bus {bus_port})"),
            Self::TakeIn {
                node,
                address,
                slots,
                master,
            } => {
                write!(f, "take in the server at {address} as `{node}`")?;
                if let Some(master) = master {
                    write!(f, ", a replica of `{master}`")?;
                }
                match slots.count() {
                    0 => Ok(()),
                    1 => f.write_str(" with its slot"),
                    many => write!(f, " with its {many} slots"),
                }
            }
            Self::Replicate { node, master } => write!(f, "make `{node}` a replica of `{master}`"),
            Self::Move {
                count, from, to, ..
            } => {
                let slots = counted(*count, "slot");
                write!(f, "move {slots} from `{from}` to `{to}`")
            }
            Self::Delete { node } => {
                write!(
                    f,
                    "delete `{node}`: all nodes forget it, then it is stopped and its folder removed"
                )
            }
            Self::Release { node, address } => write!(
                f,
                "release `{node}`: all nodes forget it, then it is reset; its server at {address} keeps running"
            ),
        }
    }
}

/// A change of the set of nodes that has been worked out and not been made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Those of nodes that come, then one for each move, then all others.
    pub(super) steps: Vec<Step>,
    /// How many of the steps are of nodes that come.
    pub(super) comings: usize,
    /// Nodes to be written down. Those that are joining already are not among them.
    pub(super) newcomers: Vec<NodeRecord>,
    pub(super) moves: Vec<Move>,
    /// What changes its master when the slots have moved.
    pub(super) attach: Vec<Attach>,
    /// Replicas first.
    pub(super) leave: Vec<String>,
    /// What was asked for, if slots may move by it.
    pub(super) intent: Option<Intent>,
}

impl Change {
    /// Nodes come, and nothing else.
    pub(super) fn of_comings(steps: Vec<Step>, newcomers: Vec<NodeRecord>) -> Self {
        Self {
            comings: steps.len(),
            steps,
            newcomers,
            ..Self::default()
        }
    }

    /// The steps, in their order. There are none if all is as it is wanted.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The names of the nodes that come, those of an interrupted change included.
    pub fn coming(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Start { node, .. } | Step::TakeIn { node, .. } => Some(node.as_str()),
            _ => None,
        })
    }
}
