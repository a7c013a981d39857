//! What nodes say about the cluster: CLUSTER NODES, INFO and SLOTS, INFO replication, and what
//! sentinels say, taken apart. Pure.
//!
//! Formats: `clusterGenNodeDescription` and `clusterGenNodesDescription` (`cluster_legacy.c`; Redis
//! 3.0 to 8, Valkey 7.2 to 9), cluster-spec, "CLUSTER NODES".

mod replication;
mod sentinel;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::wire::resp::Frame;
use crate::wire::slots::SlotRange;

pub use replication::{HostPort, ReplicaLine, Replication, replication};
pub use sentinel::{Watched, all_watched, watched};

/// The most lines of a CLUSTER NODES that are taken apart: 16384 masters can own slots, and each line costs twenty
/// times its bytes if they are few.
const MOST_LINES: usize = 20_000;

/// The most flags of a node; servers know twelve (`redisNodeFlagsTable`, `cluster_legacy.c`).
const MOST_FLAGS: usize = 32;

/// One line of CLUSTER NODES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLine {
    /// The node's id, 40 hex digits on every server of the Redis line.
    pub id: String,
    /// `ip:port@cport[,hostname]`, as it stands.
    pub address: String,
    /// Split at commas: `myself`, `master`, `slave`, `fail`, `fail?`, `handshake`, `noaddr`, `nofailover`, ….
    pub flags: Vec<String>,
    /// The id of the node that this one replicates.
    pub master: Option<String>,
    /// When a ping was sent to it that it has not answered yet, in milliseconds of the Unix time; 0
    /// if none is under way.
    pub ping_sent: u64,
    /// When it last answered one; 0 if never.
    pub pong_received: u64,
    /// The configuration epoch: a replica's is its master's.
    pub epoch: u64,
    /// Whether the bus link to it is up.
    pub connected: bool,
    /// The slots it owns.
    pub slots: Vec<SlotRange>,
    /// Slots on their way, as in `[15495->-<id>]`.
    pub open: Vec<String>,
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
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// Whether it is alive to the node that says so: connected, and neither failing nor in a handshake.
    pub fn is_present(&self) -> bool {
        let absent = ["fail", "fail?", "handshake", "noaddr"];
        self.connected && !absent.iter().any(|flag| self.has(flag))
    }

    /// Whether the node has answered before and no ping to it is under way.
    pub fn is_at_rest(&self) -> bool {
        self.connected && self.ping_sent == 0 && self.pong_received > 0
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let id = fields.next()?.to_owned();
        let address = fields.next()?.to_owned();
        let flags: Vec<_> = (fields.next()?.split(','))
            .map(ToOwned::to_owned)
            .take(MOST_FLAGS + 1)
            .collect();
        let master = Some(fields.next()?)
            .filter(|master| *master != "-")
            .map(ToOwned::to_owned);
        let ping_sent = fields.next()?.parse().ok()?;
        let pong_received = fields.next()?.parse().ok()?;
        let epoch = fields.next()?.parse().ok()?;
        let connected = fields.next()? == "connected";
        let (open, slots): (Vec<_>, Vec<_>) = fields.partition(|field| field.starts_with('['));
        let is_open = |field: &&str| field.ends_with(']') && field.len() >= 8;
        if flags.len() > MOST_FLAGS || !open.iter().all(is_open) {
            return None;
        }
        Some(Self {
            id,
            address,
            flags,
            master,
            ping_sent,
            pong_received,
            epoch,
            connected,
            slots: slots
                .into_iter()
                .map(|range| range.parse().ok())
                .collect::<Option<_>>()?,
            open: open.into_iter().map(ToOwned::to_owned).collect(),
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

/// One field of a `field:value` text, such as CLUSTER INFO or INFO.
pub fn info_field<'a>(reply: &'a Frame, field: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(reply.as_text()?).ok()?;
    text.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| *key == field))
        .map(|(_, value)| value.trim())
}

/// How many keys each database holds that is not empty, as INFO keyspace tells: `db0:keys=2,…`.
pub fn keyspace(reply: &Frame) -> BTreeMap<u32, u64> {
    let text = String::from_utf8_lossy(reply.as_text().unwrap_or_default());
    let database = |line: &str| {
        let (name, fields) = line.split_once(':')?;
        let keys = fields
            .split(',')
            .find_map(|field| field.strip_prefix("keys="))?;
        let number = name.strip_prefix("db")?.parse().ok()?;
        Some((number, keys.parse().ok()?))
    };
    text.lines().filter_map(database).collect()
}

/// One range of CLUSTER SLOTS: who owns it and who copies it, by node id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotLine {
    /// The first slot.
    pub start: u16,
    /// The last slot.
    pub end: u16,
    /// The master's id.
    pub master: String,
    /// The replicas' ids.
    pub replicas: BTreeSet<String>,
}

/// Takes CLUSTER SLOTS apart, in slot order; `None` if it has another shape (node ids are there
/// since Redis 4.0).
pub fn slots(reply: &Frame) -> Option<Vec<SlotLine>> {
    let mut lines = reply
        .as_array()?
        .iter()
        .map(slot_line)
        .collect::<Option<Vec<_>>>()?;
    lines.sort();
    Some(lines)
}

fn slot_line(entry: &Frame) -> Option<SlotLine> {
    let [start, end, master, replicas @ ..] = entry.as_array()? else {
        return None;
    };
    let id = |node: &Frame| String::from_utf8(node.as_array()?.get(2)?.as_text()?.to_vec()).ok();
    Some(SlotLine {
        start: u16::try_from(start.as_integer()?).ok()?,
        end: u16::try_from(end.as_integer()?).ok()?,
        master: id(master)?,
        replicas: replicas.iter().map(id).collect::<Option<_>>()?,
    })
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
}
