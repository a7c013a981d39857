//! What can be wrong with a node that is named in a command.

use std::net::SocketAddr;

use thiserror::Error;

use crate::machine::message::{Text, run, run_on, text};
use crate::machine::parameter::Parameter;
use crate::machine::process::Place;
use crate::plan::Name;

/// Why a node cannot be what it is named for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The beginning of more than one node's id.
    #[error("`{prefix}` is the beginning of several ids of the cluster `{cluster}`: {nodes}")]
    Ambiguous {
        /// The cluster.
        cluster: Name,
        /// What was given.
        prefix: String,
        /// The nodes, with their ids.
        nodes: String,
    },
    /// A signal for a node without a process.
    #[error("node `{node}` (port {port}) is not running")]
    NotRunning {
        /// The node.
        node: String,
        /// Its client port.
        port: u16,
    },
    /// A server that lives in the node's folder and can be neither seen nor signalled from here.
    #[error("node `{node}` (port {port}) runs {}", where_it_runs(place.as_ref()))]
    Elsewhere {
        /// The node.
        node: String,
        /// Its client port.
        port: u16,
        /// Where its pid counts, if that is known and is not here.
        place: Option<Place>,
    },
    /// A node that was running before it was added.
    #[error(
        "node `{node}` ({address}) was not started by shardlab, which neither starts, stops nor signals it"
    )]
    Foreign {
        /// The node.
        node: String,
        /// Where it listens.
        address: SocketAddr,
    },
    /// A node that must answer, and stands still.
    #[error("node `{node}` is paused")]
    Paused {
        /// The node.
        node: String,
    },
    /// A process that was signalled and does not stand still, or does not go on.
    #[error("node `{node}` (port {port}) was told to {action} and did not")]
    Unmoved {
        /// The node.
        node: String,
        /// Its client port.
        port: u16,
        /// `pause` or `resume`.
        action: &'static str,
    },
}

impl NodeError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::Ambiguous { .. } => text!["give more digits, the node's name or its port"],
            Self::NotRunning { node, .. } => {
                text![run_on("start", node), " starts it with its data"]
            }
            Self::Elsewhere { place: Some(_), .. } => text![
                "give the command there; once that container has ended, ",
                run("start"),
                " and ",
                run("down"),
                " work here. ",
                Parameter::Name.as_part("OTHER"),
                " starts another cluster here"
            ],
            Self::Elsewhere { place: None, .. } => {
                text!["mount /proc, or give the command where the server was started"]
            }
            Self::Foreign { node, .. } => text![
                "stop it where it was started; ",
                run_on("del-node", node),
                " releases it"
            ],
            Self::Paused { node } => text![run_on("resume", node), " resumes it"],
            Self::Unmoved { .. } => return None,
        })
    }
}

fn where_it_runs(place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("in another container ({place})"),
        None => "where its process cannot be seen from here".to_owned(),
    }
}
