//! What can be wrong with a cluster. Pure.

use std::fmt;

use super::alike::Difference;
use super::inspection::ServerProcess;
use super::remedy::Remedy;
use crate::machine::text::counted;
use crate::plan::Intent;
use crate::probe::survey::Direction;
use crate::wire::slots::SlotRanges;
use crate::wire::view::{Address, ClusterState, Epoch, Link, NodeId};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// A node does not answer.
    Silent {
        /// The node.
        node: String,
        /// Why there is no answer.
        why: String,
        /// What its server's process does.
        process: ServerProcess,
        /// The slots that other nodes say are its own.
        slots: SlotRanges,
    },
    /// Nobody says that these slots are his.
    NotCovered {
        /// The slots.
        slots: SlotRanges,
        /// Who holds keys of them, and how many.
        keys: Vec<(String, u64)>,
    },
    /// Several masters say that these slots are theirs.
    Contested {
        /// The slots.
        slots: SlotRanges,
        /// The masters.
        nodes: Vec<String>,
    },
    /// A move of slots was begun and not finished.
    Open {
        /// The slots.
        slots: SlotRanges,
        /// Who says so.
        node: String,
        /// Which way.
        direction: Direction,
        /// The node at the other end: its name, or its id if nobody has it.
        other: String,
    },
    /// A node gives slots to another owner than the one who says that they are his.
    Disagreement {
        /// The node.
        node: String,
        /// The slots.
        slots: SlotRanges,
        /// To whom it gives them; `None`: to nobody.
        says: Option<String>,
        /// Whose they are.
        owner: String,
    },
    /// A master holds keys of slots that are not its own: nobody can reach them.
    Astray {
        /// The master.
        node: String,
        /// The slots.
        slots: SlotRanges,
        /// How many keys there are in them.
        keys: u64,
    },
    /// An atomic slot migration is under way.
    Migrating {
        /// The node that is migrating slots away or getting them.
        node: String,
        /// The slots.
        slots: SlotRanges,
        /// Whether it gives them away.
        export: bool,
    },
    /// A command that moves slots was interrupted, or is at work.
    Unfinished {
        /// What was asked for.
        intent: Intent,
        /// The slots that it moves; some may have moved already.
        slots: SlotRanges,
        /// Whether a command is at work.
        at_work: bool,
    },
    /// What a command that moves slots has set out to do was written down, but cannot be read.
    Unreadable {
        /// The file and what is wrong with it.
        why: String,
    },
    /// A command that adds or deletes a node was interrupted, or is at work.
    Passing {
        /// The node.
        node: String,
        /// Whether it goes.
        leaves: bool,
        /// Whether a command is at work.
        at_work: bool,
    },
    /// A node does not know others.
    Unacquainted {
        /// The node.
        node: String,
        /// Those that it does not know.
        with: Vec<String>,
    },
    /// Nodes know one that is not of this cluster, such as one that was removed.
    Stranger {
        /// The nodes that know it.
        nodes: Vec<String>,
        /// The stranger's id.
        id: NodeId,
        /// Its address, as it stands in CLUSTER NODES.
        address: Address,
        /// The slots that they give to it.
        slots: SlotRanges,
        /// Whether the bus link to it is up, or the two are just meeting.
        alive: bool,
    },
    /// A node is wrong about whom another one copies.
    Miscast {
        /// The node.
        node: String,
        /// About whom.
        of: String,
        /// Whom that one copies, as the node says; `None`: nobody, it is a master.
        says: Option<String>,
        /// Whom it really copies.
        is: Option<String>,
    },
    /// A replica copies what is not a master of this cluster.
    Masterless {
        /// The replica.
        node: String,
        /// Whom it copies: a name, or an id if nobody has it.
        master: String,
    },
    /// Masters share a configuration epoch, so that nobody can tell whose word counts.
    SharedEpoch {
        /// The epoch.
        epoch: Epoch,
        /// The masters.
        nodes: Vec<String>,
    },
    /// A bus link is not connected.
    Unlinked {
        /// The node that says so.
        node: String,
        /// To whom.
        other: String,
    },
    /// A node takes one that answers us for failed.
    Suspected {
        /// The node.
        node: String,
        /// Whom.
        other: String,
    },
    /// A replica's link to its master is down.
    NotReplicating {
        /// The replica.
        node: String,
        /// Its `master_link_status`.
        status: Link,
    },
    /// A master was to have replicas and has none that answers.
    Unprotected {
        /// The master.
        node: String,
        /// How many there were to be.
        planned: usize,
    },
    /// A master has neither slots nor replicas, and was to be a replica in its shard.
    Idle {
        /// The node.
        node: String,
        /// The master of its shard.
        master: String,
    },
    /// Masters do not have the same functions, users or settings.
    Unlike(Difference),
    /// Nodes refuse keys.
    NotOk {
        /// The nodes.
        nodes: Vec<String>,
        /// Their `cluster_state`.
        state: ClusterState,
    },
}

impl Finding {
    /// The kind, as in JSON: a promise to scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Silent { .. } => "silent",
            Self::NotCovered { .. } => "not-covered",
            Self::Contested { .. } => "contested",
            Self::Open { .. } => "open",
            Self::Disagreement { .. } => "disagreement",
            Self::Astray { .. } => "astray",
            Self::Migrating { .. } => "migrating",
            Self::Unfinished { .. } => "unfinished",
            Self::Unreadable { .. } => "unreadable",
            Self::Passing { .. } => "passing",
            Self::Unacquainted { .. } => "unacquainted",
            Self::Stranger { .. } => "stranger",
            Self::Miscast { .. } => "miscast",
            Self::Masterless { .. } => "masterless",
            Self::SharedEpoch { .. } => "shared-epoch",
            Self::Unlinked { .. } => "unlinked",
            Self::Suspected { .. } => "suspected",
            Self::NotReplicating { .. } => "not-replicating",
            Self::Unprotected { .. } => "unprotected",
            Self::Idle { .. } => "idle",
            Self::Unlike(_) => "unlike",
            Self::NotOk { .. } => "not-ok",
        }
    }

    /// The nodes that it is about, the one that is wrong or says so first.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::Unfinished { .. } | Self::Unreadable { .. } => Vec::new(),
            Self::Unlike(difference) => difference.nodes(),
            Self::NotCovered { keys, .. } => keys.iter().map(|(node, _)| node.as_str()).collect(),
            Self::Contested { nodes, .. }
            | Self::SharedEpoch { nodes, .. }
            | Self::Stranger { nodes, .. }
            | Self::NotOk { nodes, .. } => nodes.iter().map(String::as_str).collect(),
            Self::Silent { node, .. }
            | Self::Open { node, .. }
            | Self::Disagreement { node, .. }
            | Self::Astray { node, .. }
            | Self::Migrating { node, .. }
            | Self::Passing { node, .. }
            | Self::Unacquainted { node, .. }
            | Self::Miscast { node, .. }
            | Self::Masterless { node, .. }
            | Self::Idle { node, .. }
            | Self::Unlinked { node, .. }
            | Self::Suspected { node, .. }
            | Self::NotReplicating { node, .. }
            | Self::Unprotected { node, .. } => vec![node],
        }
    }

    /// The slots that it is about.
    pub fn slots(&self) -> Option<&SlotRanges> {
        match self {
            Self::Silent { slots, .. } | Self::Stranger { slots, .. } => {
                Some(slots).filter(|slots| !slots.is_empty())
            }
            Self::NotCovered { slots, .. }
            | Self::Contested { slots, .. }
            | Self::Open { slots, .. }
            | Self::Disagreement { slots, .. }
            | Self::Astray { slots, .. }
            | Self::Unfinished { slots, .. }
            | Self::Migrating { slots, .. } => Some(slots),
            _ => None,
        }
    }

    /// What mends it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Stranger {
                alive: true,
                address,
                ..
            } => Remedy::Decide(address.client().to_owned()),
            Self::Silent { node, process, .. } => match process {
                ServerProcess::Ended => Remedy::Start(node.clone()),
                ServerProcess::Paused => Remedy::Resume(node.clone()),
                ServerProcess::Running => Remedy::Restart(node.clone()),
                ServerProcess::Unknown => Remedy::Foreign(node.clone()),
            },
            Self::Unfinished { at_work: true, .. } | Self::Passing { at_work: true, .. } => {
                Remedy::Wait
            }
            Self::Unfinished { intent, .. } => Remedy::Finish(intent.clone()),
            Self::NotCovered { .. }
            | Self::Contested { .. }
            | Self::Open { .. }
            | Self::Astray { .. }
            | Self::Unreadable { .. }
            | Self::Migrating { export: true, .. }
            | Self::Masterless { .. }
            | Self::Idle { .. }
            | Self::Stranger { .. } => Remedy::Fix,
            Self::Disagreement { .. }
            | Self::Migrating { .. }
            | Self::Unacquainted { .. }
            | Self::Miscast { .. }
            | Self::SharedEpoch { .. }
            | Self::Unlinked { .. }
            | Self::Suspected { .. }
            | Self::NotReplicating { .. } => Remedy::Time,
            Self::Unprotected { node, .. } => Remedy::AddReplica(node.clone()),
            Self::Unlike(difference) => difference.remedy(),
            Self::Passing { .. } => Remedy::Again,
            Self::NotOk { .. } => Remedy::Others,
        }
    }

    /// Whether it may be nothing but news that has not spread yet.
    pub fn may_pass(&self) -> bool {
        matches!(
            self.remedy(),
            Remedy::Time | Remedy::Others | Remedy::Restart(_)
        )
    }
}

impl fmt::Display for Finding {
    #[expect(clippy::too_many_lines, reason = "one sentence for each finding")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent {
                node, why, slots, ..
            } if slots.is_empty() => {
                write!(f, "{node} does not answer: {why}")
            }
            Self::Silent {
                node, why, slots, ..
            } => {
                write!(f, "{node}, which owns {slots:#}, does not answer: {why}")
            }
            Self::NotCovered { slots, keys } => {
                write!(f, "no node owns {slots:#}")?;
                for (node, count) in keys {
                    write!(f, "; {node} holds {}", keys_of(*count))?;
                }
                Ok(())
            }
            Self::Contested { slots, nodes } => {
                write!(f, "{} all say that they own {slots:#}", nodes.join(", "))
            }
            Self::Open {
                slots,
                node,
                direction: Direction::Migrating,
                other,
            } => write!(f, "{node} is migrating {slots:#} to {other}"),
            Self::Open {
                slots, node, other, ..
            } => write!(f, "{node} is importing {slots:#} from {other}"),
            Self::Disagreement {
                node,
                slots,
                says,
                owner,
            } => {
                let says = says.as_deref().unwrap_or("no node");
                write!(
                    f,
                    "{node} says that {says} owns {slots:#}, but {owner} owns them"
                )
            }
            Self::Astray { node, slots, keys } => {
                let keys = keys_of(*keys);
                write!(f, "{node} holds {keys} in {slots:#}, which it does not own")
            }
            Self::Migrating {
                node,
                slots,
                export,
            } => {
                let verb = if *export { "migrating" } else { "importing" };
                write!(f, "{node} is {verb} {slots:#} by atomic migration")
            }
            Self::Unfinished {
                intent,
                slots,
                at_work,
            } => {
                let is = if *at_work {
                    "is running"
                } else {
                    "was interrupted"
                };
                write!(f, "{intent} {is}; it moves {slots:#}")
            }
            Self::Unreadable { why } => write!(
                f,
                "a command that moves slots was interrupted, and its plan is lost: {why}"
            ),
            Self::Passing {
                node,
                leaves,
                at_work,
            } => {
                let end = if *leaves { "deleted" } else { "added" };
                if *at_work {
                    write!(f, "{node} is being {end}")
                } else {
                    write!(
                        f,
                        "{node} was about to be {end} when the command was interrupted"
                    )
                }
            }
            Self::Unacquainted { node, with } => {
                write!(f, "{node} does not know {}", with.join(", "))
            }
            Self::Stranger {
                nodes,
                id,
                address,
                slots,
                ..
            } => {
                let (know, give) = match nodes.len() {
                    1 => ("knows", "gives"),
                    _ => ("know", "give"),
                };
                write!(
                    f,
                    "{} {know} a node that is not of this cluster, {id} {address}",
                    nodes.join(", ")
                )?;
                if slots.is_empty() {
                    Ok(())
                } else {
                    write!(f, ", and {give} {slots:#} to it")
                }
            }
            Self::Miscast { node, of, says, is } => {
                write!(
                    f,
                    "{node} lists {of} as {}, but it is {}",
                    role(says.as_deref()),
                    role(is.as_deref())
                )
            }
            Self::Masterless { node, master } => {
                write!(
                    f,
                    "{node} replicates {master}, which is not a master of this cluster"
                )
            }
            Self::SharedEpoch { epoch, nodes } => {
                write!(f, "the masters {} share epoch {epoch}", nodes.join(", "))
            }
            Self::Unlinked { node, other } => {
                write!(f, "{node} has no bus link to {other}")
            }
            Self::Suspected { node, other } => write!(f, "{node} marks {other} as failed"),
            Self::NotReplicating { node, status } => {
                write!(
                    f,
                    "{node} is not in sync with its master: master_link_status:{status}"
                )
            }
            Self::Unprotected { node, planned } => {
                write!(f, "{node} has no replica, but should have {planned}")
            }
            Self::Idle { node, master } => write!(
                f,
                "{node} is a master without slots, but should be a replica in the shard of {master}"
            ),
            Self::Unlike(difference) => difference.fmt(f),
            Self::NotOk { nodes, state } => {
                write!(f, "cluster_state:{state} on {}", nodes.join(", "))
            }
        }
    }
}

fn role(master: Option<&str>) -> String {
    master.map_or_else(
        || "a master".to_owned(),
        |master| format!("a replica of {master}"),
    )
}

/// `1 key`, `2 keys`.
pub(crate) fn keys_of(count: u64) -> String {
    counted(count, "key")
}
