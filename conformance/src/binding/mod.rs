//! What the names of a transcript stand for on a cluster of any shape. Pure.
//!
//! `n1` is the master of the slots that the transcript lets `n1` own (`owned`), `r1` is a replica of
//! that master, and `n*` stands for each master (`expand`).

mod each;
mod expand;
mod name;
mod owned;
mod reply;

use shardlab::wire::slots::{Slot, SlotRanges, split_evenly};

use crate::transcript::ast::{NodeName, NodeRole, Topology};

pub use expand::{expand, is_of_all};
pub use name::{bind, name_by_home};
use owned::{Owned, owned};

/// A cluster as far as names depend on it: masters in the order of their slots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// In order.
    pub shards: Vec<Shard>,
}

/// A master and its replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shard {
    /// What the master owns.
    pub slots: SlotRanges,
    /// How many replicas it has.
    pub replicas: u16,
}

/// The names of a cluster's nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// In the order of the shape's.
    pub shards: Vec<NamedShard>,
}

/// The names of a master and of its replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedShard {
    /// The numbers of its names; several where one node is both `n1` and `n2`.
    pub numbers: Vec<u16>,
    /// What the master owns.
    pub slots: SlotRanges,
    /// How many replicas it has.
    pub replicas: u16,
}

/// A transcript of these steps.
#[cfg(test)]
fn transcript(topology: &str, steps: &str) -> crate::transcript::ast::Transcript {
    let header = "id: TST-01\ntitle: a test\nlevel: may\nneeds: client\ntopology: ";
    crate::transcript::parse(&format!("{header}{topology}\n\n{steps}"))
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{steps}"))
}

impl Names {
    /// The names that the nodes of a topology are born with; none where there is no cluster.
    pub fn planned(topology: Topology) -> Self {
        let Topology::Cluster {
            masters, replicas, ..
        } = topology.started()
        else {
            return Self::default();
        };
        let shard = |(number, share)| {
            let mut slots = SlotRanges::default();
            slots.insert(share);
            NamedShard {
                numbers: vec![number],
                slots,
                replicas,
            }
        };
        Self {
            shards: (1..).zip(split_evenly(masters.into())).map(shard).collect(),
        }
    }

    /// The cluster that they are names of.
    pub fn shape(&self) -> Shape {
        let shard = |shard: &NamedShard| Shard {
            slots: shard.slots.clone(),
            replicas: shard.replicas,
        };
        Shape {
            shards: self.shards.iter().map(shard).collect(),
        }
    }

    /// The shard of a name.
    fn of(&self, name: NodeName) -> Option<&NamedShard> {
        self.shards
            .iter()
            .find(|shard| shard.numbers.contains(&name.number))
    }

    /// The slots of a name's master as CLUSTER NODES tells them.
    pub(crate) fn slots(&self, name: NodeName) -> Option<String> {
        let ranges = self.of(name)?.slots.ranges().iter();
        Some(
            ranges
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    /// How many nodes there are, and how many masters own slots; none where there is no cluster.
    pub(crate) fn counts(&self) -> Option<(usize, usize)> {
        (!self.shards.is_empty()).then(|| (self.nodes(), self.masters()))
    }

    /// How many nodes there are.
    fn nodes(&self) -> usize {
        let each = self.shards.iter();
        each.map(|shard| 1 + usize::from(shard.replicas)).sum()
    }

    /// How many masters own slots.
    fn masters(&self) -> usize {
        let each = self.shards.iter();
        each.filter(|shard| !shard.slots.is_empty()).count()
    }
}

impl NamedShard {
    /// The master's name, the first if it has several.
    pub fn master(&self) -> NodeName {
        NodeName::master(self.numbers.first().copied().unwrap_or_default())
    }

    /// The replicas' names.
    pub fn replica_names(&self) -> impl Iterator<Item = NodeName> + use<> {
        let number = self.master().number;
        (0..self.replicas).map(move |copy| NodeName {
            role: NodeRole::Replica,
            number,
            copy,
        })
    }
}

impl Shape {
    /// The shard that owns a slot.
    fn owner(&self, slot: Slot) -> Option<usize> {
        self.shards
            .iter()
            .position(|shard| shard.slots.contains(slot))
    }
}
