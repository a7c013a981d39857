//! Why a node cannot come or go.

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

use crate::machine::message::{Text, run, run_on, text};
use crate::machine::parameter::Parameter;
use crate::machine::text::counted;

/// What keeps a node from being added or deleted.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberError {
    /// A replica of a node that is about to leave.
    #[error("node `{0}` is about to be deleted and takes no replica")]
    Leaving(String),
    /// A node that does not answer, although it must.
    #[error("node `{node}` does not answer: {why}")]
    Silent {
        /// The node.
        node: String,
        /// What was tried, and what came of it.
        why: String,
    },
    /// Nodes that are not one cluster.
    #[error("the nodes are not one cluster: `{node}` does not know `{stranger}`")]
    Apart {
        /// The node that was asked.
        node: String,
        /// The one that it does not know.
        stranger: String,
    },
    /// The only master.
    #[error("node `{0}` is the last master; its slots and keys would have nowhere to go")]
    LastMaster(String),
    /// A master that is down and has slots.
    #[error("node `{node}` is down and the master of {}, whose keys cannot be moved", counted(*slots, "slot"))]
    Lost {
        /// The node.
        node: String,
        /// How many slots.
        slots: usize,
    },
    /// A node that has become the master of slots since its deletion was worked out.
    #[error("node `{node}` is the master of {} by now, which only it has", counted(*slots, "slot"))]
    Promoted {
        /// The node.
        node: String,
        /// How many slots.
        slots: usize,
    },
    /// An addition that was interrupted, and another one that is asked for.
    #[error("the addition of node `{node}` as {part} was interrupted and comes first")]
    Pending {
        /// The node.
        node: String,
        /// As in "a replica of `n1`".
        part: String,
    },
    /// A number of masters or replicas that cannot be.
    #[error("{0}")]
    Shape(Text),
    /// A server that cannot be taken in.
    #[error("the server at {address} cannot be added: {reason}")]
    Unfit {
        /// Where it listens.
        address: SocketAddr,
        /// Why not.
        reason: Text,
    },
    /// The nodes did not come to terms.
    #[error("{what} took longer than {}: {last}", humantime::format_duration(*waited))]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What was seen last.
        last: String,
    },
}

impl MemberError {
    /// What is wrong.
    pub(super) fn message(&self) -> Text {
        match self {
            Self::Shape(text) => text.clone(),
            Self::Unfit { address, reason } => {
                text![format!("the server at {address} cannot be added: ")].and(reason.clone())
            }
            // These speak of no parameter.
            other => other.to_string().into(),
        }
    }

    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::Silent { node, .. } => text![
                run_on("start", node),
                " starts it; ",
                run_on("del-node", node),
                " deletes it"
            ],
            Self::Apart { .. } => text![
                run("wait").with(Parameter::For, "formed"),
                " waits until they know each other, ",
                run("fix"),
                " repairs it"
            ],
            Self::LastMaster(_) => text![run("down"), " removes the whole cluster"],
            Self::Lost { node, .. } => text![
                run_on("start", node),
                " brings it back, ",
                run_on("failover", node),
                " promotes a replica; ",
                Parameter::Force,
                " deletes it with the keys that nobody else has"
            ],
            Self::Pending { node, .. } => text![
                run("add-node"),
                " with the same options finishes it, ",
                run_on("del-node", node),
                " removes it"
            ],
            Self::Promoted { .. } => {
                text!["nothing of it was deleted; the same command again moves its slots first"]
            }
            Self::Late { .. } => text![
                "the same command again continues where this one ended; ",
                run("status"),
                " shows where the nodes stand"
            ],
            Self::Leaving(_) | Self::Shape(_) | Self::Unfit { .. } => return None,
        })
    }
}
