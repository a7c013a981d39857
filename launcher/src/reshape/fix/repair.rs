//! One step of a repair, in words. Pure.

use std::fmt;

use crate::reshape::check::keys_of;
use crate::wire::slots::SlotRanges;
use crate::wire::view::{Address, Epoch, NodeId};

/// One thing that `fix` does. They are done in the order of the variants: whose a slot is comes before
/// nodes meet, since a node that hears from another one that it has lost a slot deletes its keys; whom a
/// replica copies comes before it forgets its former master.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Repair {
    /// A node's atomic slot migrations are cancelled; nothing of them remains on either side.
    Cancel {
        /// The node that gives slots away.
        node: String,
        /// The slots that stay where they are.
        slots: SlotRanges,
    },
    /// A node no longer says that slots are on their way.
    Close {
        /// The node.
        node: String,
        /// The slots.
        slots: SlotRanges,
    },
    /// A node becomes the owner of slots that nobody has, or that others say are theirs, too.
    Take {
        /// The new owner.
        owner: String,
        /// The slots.
        slots: SlotRanges,
        /// Those who no longer say that the slots are theirs.
        released: Vec<String>,
    },
    /// A replica whose master is gone for good becomes the master of its slots.
    Promote {
        /// The replica.
        node: String,
        /// The slots.
        slots: SlotRanges,
    },
    /// A node becomes a replica of a master. It forgets nobody whom it still copies.
    Follow {
        /// The replica.
        node: String,
        /// The master.
        master: String,
    },
    /// A node forgets one that is not of this cluster.
    Forget {
        /// The node.
        node: String,
        /// The id of the one that it forgets.
        id: NodeId,
        /// The address of the one that it forgets.
        address: Address,
    },
    /// Two nodes are made known to each other.
    Meet {
        /// The node that is told.
        node: String,
        /// Whom it meets.
        with: String,
    },
    /// Masters that share an epoch get different ones.
    Separate {
        /// The masters.
        nodes: Vec<String>,
        /// The epoch.
        epoch: Epoch,
    },
    /// Keys that are not their holder's go to the owner, unless it has such keys: its own count.
    Bring {
        /// The holder.
        from: String,
        /// The owner.
        to: String,
        /// The slots.
        slots: SlotRanges,
        /// How many keys.
        keys: u64,
    },
    /// A move that was begun is brought to its end. Of a key that both have the former owner's counts.
    HandOver {
        /// The owner so far.
        from: String,
        /// The owner to be.
        to: String,
        /// The slots.
        slots: SlotRanges,
        /// How many keys are still to go.
        keys: u64,
    },
    /// A command that moves slots and was interrupted goes on to its end.
    Resume {
        /// What was asked for, in words.
        what: String,
        /// The slots that it moves; some may have moved already.
        slots: SlotRanges,
    },
    /// Nodes hear who owns slots: by gossip if they do so soon, else by a new epoch of the owner.
    Agree {
        /// The owner.
        owner: String,
        /// The slots.
        slots: SlotRanges,
        /// The nodes that say otherwise.
        nodes: Vec<String>,
    },
    /// A master is given a function library that another one has.
    Load {
        /// The master that lacks it.
        node: String,
        /// The library.
        library: String,
        /// A master that has it.
        from: String,
    },
    /// The plan of a command that was interrupted cannot be read, and is thrown away: what the nodes
    /// say is all that is known.
    Discard {
        /// The file and what is wrong with it.
        why: String,
    },
}

impl Repair {
    /// The kind, as in JSON: a promise to scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::Promote { .. } => "promote",
            Self::Forget { .. } => "forget",
            Self::Meet { .. } => "meet",
            Self::Follow { .. } => "follow",
            Self::Separate { .. } => "separate",
            Self::Close { .. } => "close",
            Self::Take { .. } => "take",
            Self::Bring { .. } => "bring",
            Self::HandOver { .. } => "hand-over",
            Self::Resume { .. } => "resume",
            Self::Agree { .. } => "agree",
            Self::Load { .. } => "load",
            Self::Discard { .. } => "discard",
        }
    }

    /// Whether what comes after it must not be done without it: whose a slot is.
    pub(super) fn comes_first(&self) -> bool {
        matches!(
            self,
            Self::Cancel { .. } | Self::Close { .. } | Self::Take { .. } | Self::Promote { .. }
        )
    }

    /// Whether another step was the same, done once more; it may have found other keys.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        let without_keys = |repair: &Self| {
            let mut repair = repair.clone();
            if let Self::Bring { keys, .. } | Self::HandOver { keys, .. } = &mut repair {
                *keys = 0;
            }
            repair
        };
        without_keys(self) == without_keys(other)
    }

    /// Takes in a step that does the same with other slots; otherwise changes nothing.
    pub(super) fn absorb(&mut self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Close { node, slots },
                Self::Close {
                    node: same,
                    slots: more,
                },
            ) if node == same => {
                slots.extend(more.ranges().iter().copied());
                true
            }
            (
                Self::Take {
                    owner,
                    slots,
                    released,
                },
                Self::Take {
                    owner: same,
                    slots: more,
                    released: others,
                },
            ) if owner == same && released == others => {
                slots.extend(more.ranges().iter().copied());
                true
            }
            (
                Self::Bring {
                    from,
                    to,
                    slots,
                    keys,
                },
                Self::Bring {
                    from: same_from,
                    to: same_to,
                    slots: more,
                    keys: more_keys,
                },
            )
            | (
                Self::HandOver {
                    from,
                    to,
                    slots,
                    keys,
                },
                Self::HandOver {
                    from: same_from,
                    to: same_to,
                    slots: more,
                    keys: more_keys,
                },
            ) if from == same_from && to == same_to => {
                slots.extend(more.ranges().iter().copied());
                *keys += more_keys;
                true
            }
            _ => false,
        }
    }

    /// The slots that it is about.
    pub fn slots(&self) -> Option<&SlotRanges> {
        match self {
            Self::Cancel { slots, .. }
            | Self::Close { slots, .. }
            | Self::Take { slots, .. }
            | Self::Promote { slots, .. }
            | Self::Bring { slots, .. }
            | Self::HandOver { slots, .. }
            | Self::Resume { slots, .. }
            | Self::Agree { slots, .. } => Some(slots),
            _ => None,
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancel { node, slots } => {
                write!(f, "cancel the migration of {slots:#} from {node}")
            }
            Self::Promote { node, slots } => {
                write!(f, "{node} becomes the master of {slots:#}")
            }
            Self::Forget { node, id, address } => write!(f, "{node} forgets {id} {address}"),
            Self::Meet { node, with } => write!(f, "{node} meets {with}"),
            Self::Follow { node, master } => write!(f, "{node} becomes a replica of {master}"),
            Self::Separate { nodes, epoch } => {
                write!(
                    f,
                    "{}, which share epoch {epoch}, get different epochs",
                    nodes.join(", ")
                )
            }
            Self::Close { node, slots } => {
                write!(f, "{node} stops migrating or importing {slots:#}")
            }
            Self::Take {
                owner,
                slots,
                released,
            } if released.is_empty() => write!(f, "{owner} takes {slots:#}"),
            Self::Take {
                owner,
                slots,
                released,
            } => write!(
                f,
                "{owner} keeps {slots:#}; {} no longer claims them",
                released.join(", ")
            ),
            Self::Bring {
                from,
                to,
                slots,
                keys,
            } => {
                let keys = keys_of(*keys);
                write!(f, "{from} moves {keys} of {slots:#} to {to}")
            }
            Self::HandOver {
                from,
                to,
                slots,
                keys,
            } => {
                let keys = keys_of(*keys);
                write!(
                    f,
                    "{from} finishes migrating {slots:#} to {to}, with {keys} left"
                )
            }
            Self::Resume { what, slots } => {
                write!(f, "finish {what}, which moves {slots:#}")
            }
            Self::Agree {
                owner,
                slots,
                nodes,
            } => write!(f, "{} learns that {owner} owns {slots:#}", nodes.join(", ")),
            Self::Load {
                node,
                library,
                from,
            } => write!(f, "{node} gets the function library {library} from {from}"),
            Self::Discard { why } => {
                write!(f, "discard the plan of the interrupted command: {why}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_finds_other_keys_is_the_same_once_more() {
        let bring = |slots: &str, keys| Repair::Bring {
            from: "n1".to_owned(),
            to: "n2".to_owned(),
            slots: slots.parse().unwrap(),
            keys,
        };
        assert!(bring("1-2", 9).repeats(&bring("1-2", 4)));
        assert!(!bring("1-2", 9).repeats(&bring("1-3", 9)));
    }
}
