//! nodes.conf files for a cluster that has never run, with every shard *reversed*: the future
//! replica is the master that owns the slots, the future master its replica. Pure.
//!
//! Why reversed: a master that starts may not turn OK within its first two seconds
//! (`CLUSTER_WRITABLE_DELAY`, guarded by `clusterNodeIsMaster(myself)` in `clusterUpdateState`,
//! `cluster_legacy.c`), but a replica may; and CLUSTER FAILOVER TAKEOVER then makes it a master
//! without leaving OK. A shard without replicas has nobody to reverse with: its future master gets
//! a *phantom* master, an id at an address where nobody listens.
//!
//! The format is that of CLUSTER NODES plus a last line `vars …` (`clusterLoadConfig`, cluster.c,
//! Redis 5 to 7; `cluster_legacy.c`, Redis 7.2 to 8 and Valkey).

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::plan::{NodePlan, Role};

/// The port of a phantom: discard, which nobody serves on a loopback address. A node without an
/// address would be loaded as failed by Valkey 9.
const PHANTOM_PORT: u16 = 9;

/// Up to so many nodes the roles are turned round: beyond, the masters' two seconds are the lesser evil.
const TURNED_ROUND: usize = 60;

/// A cluster to be, with the ids that it will have.
#[derive(Debug)]
pub(crate) struct Seed<'a> {
    nodes: &'a [NodePlan],
    /// Whether the nodes start in each other's roles.
    reversed: bool,
    /// One for each node.
    ids: Vec<String>,
    /// One for each shard.
    shards: Vec<Shard>,
    host: IpAddr,
    /// Whether the server knows shard ids; Valkey 8.1 and later insist on them.
    shard_ids: bool,
}

#[derive(Debug)]
struct Shard {
    id: String,
    /// The id of the phantom that is its master at first, if it has no replica.
    phantom: Option<String>,
}

impl<'a> Seed<'a> {
    /// Invents ids. `random_id` gives 40 hex digits that were never given before.
    pub(crate) fn new(
        nodes: &'a [NodePlan],
        host: IpAddr,
        shard_ids: bool,
        mut random_id: impl FnMut() -> String,
    ) -> Self {
        let reversed = nodes.len() <= TURNED_ROUND;
        let ids = nodes.iter().map(|_| random_id()).collect();
        let masters = nodes.iter().filter(|node| node.role == Role::Master);
        let shards = masters
            .map(|master| {
                let alone = !nodes
                    .iter()
                    .any(|node| node.role == Role::Replica && node.shard == master.shard);
                Shard {
                    id: random_id(),
                    phantom: (reversed && alone).then(&mut random_id),
                }
            })
            .collect();
        Self {
            nodes,
            reversed,
            ids,
            shards,
            host,
            shard_ids,
        }
    }

    /// Whether the nodes start in each other's roles, which are then to be turned round.
    pub(crate) fn is_reversed(&self) -> bool {
        self.reversed
    }

    /// Whether a node is to be a replica.
    pub(crate) fn is_replica(&self, index: usize) -> bool {
        self.nodes
            .get(index)
            .is_some_and(|node| node.role == Role::Replica)
    }

    /// The ids of all phantoms: to be forgotten by every node once the masters have taken over.
    pub(crate) fn phantoms(&self) -> Vec<String> {
        self.shards
            .iter()
            .filter_map(|shard| shard.phantom.clone())
            .collect()
    }

    /// The text of one node's nodes.conf.
    pub(crate) fn nodes_conf(&self, own: usize) -> String {
        if self.reversed {
            self.reversed_nodes_conf(own)
        } else {
            let epoch_of = |shard| u64::try_from(shard).unwrap_or(u64::MAX).saturating_add(1);
            self.nodes_conf_as_planned(own, epoch_of, epoch_of(self.shards.len()))
        }
    }

    fn reversed_nodes_conf(&self, own: usize) -> String {
        let mut text = String::new();
        for (index, (node, id)) in self.nodes.iter().zip(&self.ids).enumerate() {
            let myself = if index == own { "myself," } else { "" };
            let first = self.first_of_shard(node.shard);
            let epoch = node.shard + 1;
            let (flags, master, slots) = match first {
                // The shard's first replica stands in for its master.
                Some(stand_in) if stand_in == index => ("master", "-", self.slots_of(node.shard)),
                Some(stand_in) => ("slave", self.id(stand_in), String::new()),
                None if index == own => ("slave", self.phantom(node.shard), String::new()),
                None => ("master", "-", String::new()),
            };
            self.line(&mut text, id, ports_of(node), node.shard);
            let _ = writeln!(
                text,
                " {myself}{flags} {master} 0 0 {epoch} connected{slots}"
            );
        }
        self.own_phantom(&mut text, own);
        // Each node starts from an epoch of its own, so that two that take over without having
        // heard of each other do not choose the same one.
        let epoch = 2 * self.shards.len() + own + 1;
        let _ = writeln!(text, "vars currentEpoch {epoch} lastVoteEpoch 0");
        text
    }

    /// The text of one node's nodes.conf for a cluster whose roles have been turned round already: for
    /// a node that must start anew. `epoch` is its own configuration epoch if it is a master; those
    /// of the others are learned from their first pings.
    pub(crate) fn settled_nodes_conf(&self, own: usize, epoch: u64) -> String {
        let own_shard = self.nodes.get(own).map(|node| node.shard);
        let master = !self.is_replica(own);
        let epoch_of = |shard| {
            if master && Some(shard) == own_shard {
                epoch
            } else {
                0
            }
        };
        self.nodes_conf_as_planned(own, epoch_of, epoch)
    }

    fn nodes_conf_as_planned(
        &self,
        own: usize,
        epoch_of: impl Fn(usize) -> u64,
        current: u64,
    ) -> String {
        let mut text = String::new();
        for (index, (node, id)) in self.nodes.iter().zip(&self.ids).enumerate() {
            let myself = if index == own { "myself," } else { "" };
            let (flags, master, slots) = if node.role == Role::Master {
                ("master", "-", self.slots_of(node.shard))
            } else {
                ("slave", self.id(node.shard), String::new())
            };
            let epoch = epoch_of(node.shard);
            self.line(&mut text, id, ports_of(node), node.shard);
            let _ = writeln!(
                text,
                " {myself}{flags} {master} 0 0 {epoch} connected{slots}"
            );
        }
        let _ = writeln!(text, "vars currentEpoch {current} lastVoteEpoch 0");
        text
    }

    fn own_phantom(&self, text: &mut String, own: usize) {
        let Some(node) = self.nodes.get(own) else {
            return;
        };
        let Some(shard) = self.shards.get(node.shard) else {
            return;
        };
        if let Some(phantom) = &shard.phantom {
            self.line(text, phantom, (PHANTOM_PORT, PHANTOM_PORT), node.shard);
            let (epoch, slots) = (node.shard + 1, self.slots_of(node.shard));
            let _ = writeln!(text, " master - 0 0 {epoch} connected{slots}");
        }
    }

    fn line(&self, text: &mut String, id: &str, (port, bus_port): (u16, u16), shard: usize) {
        let _ = write!(text, "{id} {}:{port}@{bus_port}", self.host);
        if let (true, Some(shard)) = (self.shard_ids, self.shards.get(shard)) {
            let _ = write!(text, ",,shard-id={}", shard.id);
        }
    }

    /// The index of the shard's first replica.
    fn first_of_shard(&self, shard: usize) -> Option<usize> {
        self.nodes
            .iter()
            .position(|node| node.role == Role::Replica && node.shard == shard)
    }

    fn id(&self, index: usize) -> &str {
        self.ids.get(index).map_or("-", String::as_str)
    }

    fn phantom(&self, shard: usize) -> &str {
        self.shards
            .get(shard)
            .and_then(|shard| shard.phantom.as_deref())
            .unwrap_or("-")
    }

    /// The slots of a shard as they stand at the end of a line, each range after a blank.
    fn slots_of(&self, shard: usize) -> String {
        let master = self
            .nodes
            .iter()
            .find(|node| node.role == Role::Master && node.shard == shard);
        let ranges = master.map(|node| node.slots.ranges()).unwrap_or_default();
        ranges
            .iter()
            .fold(String::new(), |text, range| format!("{text} {range}"))
    }
}

/// Client and bus port.
fn ports_of(node: &NodePlan) -> (u16, u16) {
    (node.port, node.bus_port.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Options, Plan};

    fn plan(masters: usize, replicas: Vec<usize>) -> Plan {
        let options = Options {
            masters,
            replicas,
            ..Options::default()
        };
        let ports = Plan::wanted_ports(&options).unwrap();
        let ports: Vec<_> = ports.into_iter().flatten().collect();
        Plan::new(&options, &ports).unwrap()
    }

    fn ids() -> impl FnMut() -> String {
        let mut next = 0;
        move || {
            next += 1;
            format!("{next:040x}")
        }
    }

    fn short(text: &str) -> String {
        text.replace(&"0".repeat(39), "")
    }

    #[test]
    fn the_future_replica_owns_the_slots_at_first() {
        let plan = plan(2, vec![1]);
        let seed = Seed::new(&plan.nodes, [127, 0, 0, 1].into(), false, ids());
        assert_eq!(
            short(&seed.nodes_conf(0)),
            "1 127.0.0.1:7001@17001 myself,slave 3 0 0 1 connected\n\
             2 127.0.0.1:7002@17002 slave 4 0 0 2 connected\n\
             3 127.0.0.1:7003@17003 master - 0 0 1 connected 0-8191\n\
             4 127.0.0.1:7004@17004 master - 0 0 2 connected 8192-16383\n\
             vars currentEpoch 5 lastVoteEpoch 0\n"
        );
        assert!(seed.phantoms().is_empty());
    }

    #[test]
    fn a_second_replica_follows_the_first_one_at_first() {
        let plan = plan(1, vec![2]);
        let seed = Seed::new(&plan.nodes, [127, 0, 0, 1].into(), true, ids());
        let text = short(&seed.nodes_conf(2));
        assert!(
            text.contains("3 127.0.0.1:7003@17003,,shard-id=4 myself,slave 2 0 0 1 connected\n"),
            "{text}"
        );
    }

    #[test]
    fn a_lone_master_has_a_phantom_in_its_own_file_only() {
        let plan = plan(2, vec![0]);
        let seed = Seed::new(&plan.nodes, [127, 0, 0, 1].into(), false, ids());
        assert_eq!(
            short(&seed.nodes_conf(0)),
            "1 127.0.0.1:7001@17001 myself,slave 4 0 0 1 connected\n\
             2 127.0.0.1:7002@17002 master - 0 0 2 connected\n\
             4 127.0.0.1:9@9 master - 0 0 1 connected 0-8191\n\
             vars currentEpoch 5 lastVoteEpoch 0\n"
        );
        assert_eq!(seed.phantoms().len(), 2);
    }

    #[test]
    fn a_node_that_starts_anew_finds_the_roles_as_planned() {
        let plan = plan(2, vec![1]);
        let seed = Seed::new(&plan.nodes, [127, 0, 0, 1].into(), false, ids());
        assert_eq!(
            short(&seed.settled_nodes_conf(3, 0)),
            "1 127.0.0.1:7001@17001 master - 0 0 0 connected 0-8191\n\
             2 127.0.0.1:7002@17002 master - 0 0 0 connected 8192-16383\n\
             3 127.0.0.1:7003@17003 slave 1 0 0 0 connected\n\
             4 127.0.0.1:7004@17004 myself,slave 2 0 0 0 connected\n\
             vars currentEpoch 0 lastVoteEpoch 0\n"
        );
    }

    #[test]
    fn the_nodes_of_a_large_cluster_start_in_their_final_roles() {
        let plan = plan(31, vec![1]);
        let seed = Seed::new(&plan.nodes, [127, 0, 0, 1].into(), false, ids());
        let text = seed.nodes_conf(1);
        let line = |number: usize| text.lines().nth(number).unwrap().split_once(' ').unwrap().1;
        assert!(!seed.is_reversed());
        assert_eq!(
            line(0),
            "127.0.0.1:7001@17001 master - 0 0 1 connected 0-528"
        );
        assert_eq!(
            line(1),
            "127.0.0.1:7002@17002 myself,master - 0 0 2 connected 529-1056"
        );
        assert!(
            line(32).starts_with("127.0.0.1:7033@17033 slave 0000"),
            "{}",
            line(32)
        );
        assert_eq!(line(62), "currentEpoch 32 lastVoteEpoch 0");
    }

    #[test]
    fn every_node_starts_from_an_epoch_of_its_own() {
        let plan = plan(3, vec![1]);
        let seed = Seed::new(&plan.nodes, [127, 0, 0, 1].into(), false, ids());
        let epochs: std::collections::HashSet<_> = (0..6)
            .map(|own| seed.nodes_conf(own).lines().last().unwrap().to_owned())
            .collect();
        assert_eq!(epochs.len(), 6);
    }
}
