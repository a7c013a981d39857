//! What a check is made from: what all nodes say, and what they were asked besides. Pure data.

use std::collections::BTreeMap;

use crate::plan::Intent;
use crate::probe::survey::{OpenSlot, Survey};
use crate::reshape::equipment::Equipment;
use crate::wire::slots::{Slot, SlotRanges};
use crate::wire::view::{ClusterState, Link, NodeId, NodeLine};

/// A node as the launcher knows it, whether it speaks or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The node's name.
    pub node: String,
    /// Its client port, by which the other nodes' lines about it are known while it is silent.
    pub port: u16,
    /// The shard that it was born into.
    pub shard: usize,
    /// What its server's process does.
    pub process: ServerProcess,
}

/// What the process of a node's server does, as the system tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerProcess {
    /// It runs.
    Running,
    /// It stands still (SIGSTOP).
    Paused,
    /// There is none.
    Ended,
    /// The node is not ours, and nobody knows.
    Unknown,
}

/// What one node was asked besides CLUSTER NODES.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// Whether it answers for keys.
    pub state: Option<ClusterState>,
    /// The link to its master; `None` on a master.
    pub link: Option<Link>,
    /// How much of its master's data a replica has, in bytes (`slave_repl_offset` of INFO replication).
    pub offset: Option<u64>,
    /// A master's keys in each slot, owned or not; slots without keys are absent.
    pub keys: BTreeMap<Slot, u64>,
    /// A master's functions, users and settings.
    pub equipment: Option<Equipment>,
    /// Its atomic slot migrations that have not come to an end (Valkey since 9.0).
    pub migrations: Vec<Migration>,
}

/// An atomic slot migration under way (CLUSTER GETSLOTMIGRATIONS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The slots.
    pub slots: SlotRanges,
    /// Whether the node gives them away; otherwise it gets them.
    pub export: bool,
}

/// Moves of slots that have not come to their end.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// What was asked for.
    pub intent: Intent,
    /// The slots that it moves; some may have moved already.
    pub slots: SlotRanges,
}

/// What is known of a command that moves slots and has not come to its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Journaled {
    /// There is none.
    #[default]
    Nothing,
    /// This one.
    Command(Unfinished),
    /// It was written down, but the file cannot be read, with the reason.
    Unreadable(String),
}

/// A node that is about to come or to go, and owns no slots: the others need not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// The node.
    pub node: String,
    /// Whether it goes.
    pub leaves: bool,
}

/// Everything that is known of a cluster at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// What each node says of itself and of the others; without those that are [`Passing`].
    pub survey: Survey,
    /// The nodes that there are to be.
    pub seats: Vec<Seat>,
    /// By the node's name; of those that speak.
    pub details: BTreeMap<String, Detail>,
    /// The command that moves slots and has not come to its end, if there is one.
    pub unfinished: Journaled,
    /// The nodes that a command is about to add or to delete.
    pub passing: Vec<Passing>,
    /// Whether a command is at work on the cluster at this moment.
    pub at_work: bool,
}

impl Inspection {
    /// For each slot, by its number: the masters that say that it is theirs.
    pub(crate) fn claims(&self) -> Vec<Vec<&str>> {
        let mut claims = vec![Vec::new(); usize::from(Slot::COUNT)];
        for (name, line) in self.survey.masters() {
            for_each_slot(&line.slots, &mut claims, |claimants| claimants.push(name));
        }
        claims
    }

    /// For each slot, by its number: the id of the node to which this one gives it.
    pub(crate) fn reported_owners<'a>(lines: &'a [NodeLine]) -> Vec<Option<&'a NodeId>> {
        let mut owners: Vec<Option<&'a NodeId>> = vec![None; usize::from(Slot::COUNT)];
        for line in lines {
            for_each_slot(&line.slots, &mut owners, |owner| *owner = Some(&line.id));
        }
        owners
    }

    /// The open slots of the masters. A replica shows its master's (Valkey since 8.0); one that its
    /// master does not know of counts as the master's, who alone can close it.
    pub(crate) fn open_slots(&self) -> Vec<OpenSlot> {
        let mut open: Vec<_> = self
            .survey
            .open_slots()
            .into_iter()
            .map(|open| {
                let master = self.survey.master_of(&open.node).map(ToOwned::to_owned);
                OpenSlot {
                    node: master.unwrap_or(open.node),
                    ..open
                }
            })
            .collect();
        open.sort();
        open.dedup();
        open
    }

    /// How many keys of a slot a node holds.
    pub(crate) fn keys(&self, node: &str, slot: Slot) -> u64 {
        let detail = self.details.get(node);
        detail
            .and_then(|detail| detail.keys.get(&slot).copied())
            .unwrap_or(0)
    }

    /// Whom another node's line is about: a node that speaks, or a seat whose node is silent.
    pub(crate) fn name_of(&self, line: &NodeLine) -> Option<&str> {
        self.survey
            .name_of(&line.id)
            .or_else(|| self.silent_at(line.address.port()?))
    }

    /// The name behind an id that a line mentions, or the id.
    pub(crate) fn name_or_id<'a>(&'a self, id: &'a NodeId) -> &'a str {
        let silent = || {
            let mut lines = self.survey.lines();
            self.name_of(lines.find(|line| line.id == *id)?)
        };
        self.survey.name_of(id).or_else(silent).unwrap_or(id)
    }

    /// Whether the node of this name does not speak.
    pub(crate) fn is_silent(&self, node: &str) -> bool {
        self.survey.node(node).is_none()
    }

    /// Whether another node speaks at the address of a line: what was there before is no more.
    pub(crate) fn is_replaced(&self, line: &NodeLine) -> bool {
        let port = line.address.port();
        let mut seats = self.seats.iter();
        let seat = seats.find(|seat| Some(seat.port) == port);
        seat.and_then(|seat| self.survey.node(&seat.node))
            .is_some_and(|own| own.id != line.id)
    }

    /// The slots that other nodes give to the ids that no node that speaks has: nobody but the
    /// silent one can tell whether they are right.
    pub(crate) fn slots_of_silent(&self) -> SlotRanges {
        let lines = self.survey.lines();
        lines
            .filter(|line| self.survey.name_of(&line.id).is_none() && self.name_of(line).is_some())
            .flat_map(|line| line.slots.ranges().iter().copied())
            .collect()
    }

    fn silent_at(&self, port: u16) -> Option<&str> {
        self.seats
            .iter()
            .find(|seat| seat.port == port && self.is_silent(&seat.node))
            .map(|seat| seat.node.as_str())
    }
}

fn for_each_slot<T>(slots: &SlotRanges, table: &mut [T], mut act: impl FnMut(&mut T)) {
    for range in slots.ranges() {
        let places = usize::from(range.start().number())..=usize::from(range.end().number());
        table
            .get_mut(places)
            .into_iter()
            .flatten()
            .for_each(&mut act);
    }
}
