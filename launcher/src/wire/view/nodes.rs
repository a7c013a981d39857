//! CLUSTER NODES and nodes.conf, taken apart. Pure.
//!
//! Formats: `clusterGenNodeDescription` and `clusterGenNodesDescription` (`cluster_legacy.c`; Redis
//! 3.0 to 8, Valkey 7.2 to 9), cluster-spec, "CLUSTER NODES".

use std::collections::BTreeSet;
use std::fmt;

use super::{Address, Epoch, NodeId};
use crate::wire::resp::Frame;
use crate::wire::slots::{Slot, SlotRange, SlotRanges};

/// The most lines of a CLUSTER NODES that are taken apart: 16384 masters can own slots, and each line costs twenty
/// times its bytes if they are few.
const MOST_LINES: usize = 20_000;

/// The most flags of a node; servers know twelve (`redisNodeFlagsTable`, `cluster_legacy.c`).
const MOST_FLAGS: usize = 32;

/// One line of CLUSTER NODES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLine {
    /// The node's id.
    pub id: NodeId,
    /// Where it is.
    pub address: Address,
    /// What it is marked as.
    pub flags: BTreeSet<Flag>,
    /// The id of the node that this one replicates.
    pub master: Option<NodeId>,
    /// When a ping was sent to it that it has not answered yet, in milliseconds of the Unix time; 0
    /// if none is under way.
    pub ping_sent: u64,
    /// When it last answered one; 0 if never.
    pub pong_received: u64,
    /// The configuration epoch: a replica's is its master's.
    pub epoch: Epoch,
    /// Whether the bus link to it is up.
    pub connected: bool,
    /// The slots it owns.
    pub slots: SlotRanges,
    /// Slots on their way, of the node that says so only.
    pub open: Vec<OpenMark>,
}

/// What a node is marked as. Servers know others (`noflags`), which tell nothing that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// It is the node that says so.
    Myself,
    /// It is a master.
    Master,
    /// It is a replica.
    Replica,
    /// It does not answer the node that says so.
    Suspected,
    /// It does not answer a majority of the masters.
    Failed,
    /// It is being got to know: id and role are not known yet.
    Handshake,
    /// Nobody knows where it is.
    NoAddress,
    /// It does not stand for election.
    NoFailover,
}

impl Flag {
    const ALL: [Self; 8] = [
        Self::Myself,
        Self::Master,
        Self::Replica,
        Self::Suspected,
        Self::Failed,
        Self::Handshake,
        Self::NoAddress,
        Self::NoFailover,
    ];

    /// As servers write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Myself => "myself",
            Self::Master => "master",
            Self::Replica => "slave",
            Self::Suspected => "fail?",
            Self::Failed => "fail",
            Self::Handshake => "handshake",
            Self::NoAddress => "noaddr",
            Self::NoFailover => "nofailover",
        }
    }

    /// The flag of this word; `None` of one that tells nothing that is needed.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.word() == word)
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A slot that the node that says so marks as on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenMark {
    /// The slot.
    pub slot: Slot,
    /// Which way.
    pub direction: Direction,
    /// The id of the node at the other end.
    pub other: NodeId,
}

impl OpenMark {
    /// Takes `[15495->-<id>]` (migrating) or `[15495-<-<id>]` (importing) apart.
    fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let migrating = inner
            .split_once("->-")
            .map(|ends| (ends, Direction::Migrating));
        let importing = || Some((inner.split_once("-<-")?, Direction::Importing));
        let ((slot, other), direction) = migrating.or_else(importing)?;
        Some(Self {
            slot: Slot::new(slot.parse().ok()?)?,
            direction,
            other: NodeId::new(other)?,
        })
    }
}

/// Which way a slot is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Away from the node, which answers ASK for keys that it has no more.
    Migrating,
    /// To the node, which serves it to clients that say ASKING.
    Importing,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Migrating => "migrating",
            Self::Importing => "importing",
        })
    }
}

impl NodeLine {
    /// Whether the line carries a flag.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// Whether it is the line of the node that says so.
    pub fn is_myself(&self) -> bool {
        self.has(Flag::Myself)
    }

    /// Whether it is a master; a node that is being got to know is nothing yet.
    pub fn is_master(&self) -> bool {
        self.has(Flag::Master)
    }

    /// Whether it is a master that owns slots.
    pub fn serves(&self) -> bool {
        self.is_master() && !self.slots.is_empty()
    }

    /// Whether it is a master that owns the slot.
    pub fn owns(&self, slot: Slot) -> bool {
        self.is_master() && self.slots.contains(slot)
    }

    /// Whether it replicates the node of this id.
    pub fn replicates(&self, master: &NodeId) -> bool {
        self.master.as_ref() == Some(master)
    }

    /// Whether it is being got to know.
    pub fn shakes_hands(&self) -> bool {
        self.has(Flag::Handshake)
    }

    /// Whether it is a node that has been met, and is somewhere.
    pub fn is_met(&self) -> bool {
        !self.shakes_hands() && !self.has(Flag::NoAddress)
    }

    /// Whether it is thought to have failed, by the node that says so or by all.
    pub fn is_suspected(&self) -> bool {
        self.has(Flag::Failed) || self.has(Flag::Suspected)
    }

    /// Whether it is alive to the node that says so: connected, and neither failing nor in a handshake.
    pub fn is_present(&self) -> bool {
        self.connected && self.is_met() && !self.is_suspected()
    }

    /// Whether the node has answered before and no ping to it is under way.
    pub fn is_at_rest(&self) -> bool {
        self.connected && self.ping_sent == 0 && self.pong_received > 0
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let id = NodeId::new(fields.next()?)?;
        let address = Address::new(fields.next()?);
        let flags = fields.next()?;
        if flags.split(',').nth(MOST_FLAGS).is_some() {
            return None;
        }
        let master = match fields.next()? {
            "-" => None,
            id => Some(NodeId::new(id)?),
        };
        let ping_sent = fields.next()?.parse().ok()?;
        let pong_received = fields.next()?.parse().ok()?;
        let epoch = Epoch(fields.next()?.parse().ok()?);
        let connected = fields.next()? == "connected";
        let (open, slots): (Vec<_>, Vec<_>) = fields.partition(|field| field.starts_with('['));
        let is_open = |field: &&str| field.ends_with(']') && field.len() >= 8;
        if !open.iter().all(is_open) {
            return None;
        }
        let slots = slots.iter().map(|range| range.parse::<SlotRange>().ok());
        Some(Self {
            id,
            address,
            flags: flags.split(',').filter_map(Flag::of).collect(),
            master,
            ping_sent,
            pong_received,
            epoch,
            connected,
            slots: slots.collect::<Option<_>>()?,
            open: open.into_iter().filter_map(OpenMark::parse).collect(),
        })
    }
}

/// Takes CLUSTER NODES apart; `None` if it is not what a server of the Redis line says.
pub fn nodes(reply: &Frame) -> Option<Vec<NodeLine>> {
    std::str::from_utf8(reply.as_text()?)
        .ok()
        .and_then(node_lines)
}

/// Takes the text of CLUSTER NODES, or of a nodes.conf without its line of epochs, apart.
pub fn node_lines(text: &str) -> Option<Vec<NodeLine>> {
    if text.lines().nth(MOST_LINES).is_some() {
        return None;
    }
    text.lines().map(NodeLine::parse).collect()
}

/// The slots that no line gives to anybody.
pub fn unowned<'a>(lines: impl IntoIterator<Item = &'a NodeLine>) -> SlotRanges {
    let mut slots = SlotRanges::from_iter([SlotRange::ALL]);
    for range in lines.into_iter().flat_map(|line| line.slots.ranges()) {
        slots.remove(*range);
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_much_more_than_its_bytes_is_not_taken_apart() {
        let line = "aa h:1@2 myself,master - 0 0 1 connected 0-99 [7->-bb]\n";
        assert!(node_lines(&line.repeat(MOST_LINES)).is_some());
        assert!(node_lines(&line.repeat(MOST_LINES + 1)).is_none());
        for (from, to) in [
            ("myself", ",".repeat(MOST_FLAGS)),
            ("[7->-bb]", "[ ".repeat(2)),
        ] {
            assert!(node_lines(&line.replace(from, &to)).is_none(), "{to}");
        }
    }

    #[test]
    fn open_slots_have_a_direction_and_another_end() {
        let line = "aa h:1@2 myself,master - 0 0 1 connected 0-99 [7->-bb] [100-<-cc] [x->-dd]";
        let marks = node_lines(line).unwrap().remove(0).open;
        let told = marks
            .iter()
            .map(|mark| format!("{} {} {}", mark.slot, mark.direction, mark.other));
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["7 migrating bb", "100 importing cc"]
        );
    }

    #[test]
    fn nofailover_is_not_fail_and_unknown_flags_are_passed_over() {
        let line = "aa h:1@2 slave,nofailover,noflags - 0 0 1 connected";
        let line = node_lines(line).unwrap().remove(0);
        assert_eq!(
            line.flags,
            BTreeSet::from([Flag::Replica, Flag::NoFailover])
        );
        assert!(line.is_present());
    }
}
