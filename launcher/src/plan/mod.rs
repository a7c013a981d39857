//! What the cluster will be, decided before anything is touched: nodes, names, ports, slots.
//! Pure: no files, no sockets, no clock.

mod error;
mod names;
mod options;

use serde::{Deserialize, Serialize};

use crate::slots::{SlotRanges, split_evenly};

pub use error::PlanError;
pub(crate) use names::{master_name, replica_name};
pub use options::{Boot, LARGE, Options, PortChoice, Sentinels, Setting, Topology, reachable};

/// The distance from a node's client port to its bus port, unless the server is told otherwise
/// (`CLUSTER_PORT_INCR`, cluster.h, all versions).
pub const BUS_OFFSET: u16 = 10_000;
/// The first client port unless the user says otherwise.
pub const FIRST_PORT: u16 = 7001;
/// The first sentinel's client port unless the user says otherwise.
pub const FIRST_SENTINEL_PORT: u16 = 27_001;
/// The name under which sentinels watch the master.
pub const MASTER_NAME: &str = "mymaster";
/// Client ports of cluster nodes end here: the bus port, [`BUS_OFFSET`] higher, must stay below the ports that the
/// kernel hands out to outgoing connections (32768 on Linux).
pub const LAST_PORT: u16 = 22_767;
/// The most nodes that a plan may have: what a gossip bus is designed for (cluster-spec, "Redis
/// Cluster goals": up to 1000 nodes).
pub const MAX_NODES: usize = 1000;
/// The most replicas of one master; their names end in one letter.
pub const MAX_REPLICAS: usize = 26;

/// What a node was born as. It may become the other; its name stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Takes writes; in a cluster it owns slots.
    Master,
    /// Copies a master.
    Replica,
    /// Watches a master and its replicas. Holds no data and never becomes anything else.
    Sentinel,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Replica => "replica",
            Self::Sentinel => "sentinel",
        })
    }
}

/// One node to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    /// `n1`, `r1`, `r1b`, `s1`, …
    pub name: String,
    /// What it is at birth.
    pub role: Role,
    /// The shard that it is born into, from 0; the shard's master is `n<shard+1>`.
    pub shard: usize,
    /// Client port.
    pub port: u16,
    /// Cluster bus port; none without cluster mode.
    pub bus_port: Option<u16>,
    /// The slots that a master of a cluster is born with; empty for all others.
    pub slots: SlotRanges,
}

/// The nodes of a cluster to be: masters in slot order, then first replicas, then second ones, …,
/// then sentinels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All nodes, in the order of their ports.
    pub nodes: Vec<NodePlan>,
}

/// How many nodes the options make, sentinels included.
///
/// # Errors
/// Numbers that make no cluster, or do not fit the topology.
pub fn node_count(options: &Options) -> Result<usize, PlanError> {
    Ok(births_of(options)?.len())
}

impl Plan {
    /// Plans the cluster on the given client ports, one for each node in the order of
    /// [`Plan::nodes`]. The ports are checked here, wherever they come from.
    ///
    /// # Errors
    /// Any [`PlanError`]; nothing has been touched.
    pub fn new(options: &Options, ports: &[u16]) -> Result<Self, PlanError> {
        let births = births_of(options)?;
        if options.bind.is_empty() {
            return Err(PlanError::NoAddress);
        }
        if ports.len() != births.len() {
            return Err(PlanError::PortCount {
                given: ports.len(),
                needed: births.len(),
                masters: options.masters,
            });
        }
        let slots = slots_of_each(options)?;
        let mut nodes = Vec::with_capacity(births.len());
        for ((name, role, shard), port) in births.into_iter().zip(ports) {
            let bus_port = bus_port(&name, options.topology, *port)?;
            let slots = match role {
                Role::Master => slots.get(shard).cloned().unwrap_or_default(),
                Role::Replica | Role::Sentinel => SlotRanges::default(),
            };
            nodes.push(NodePlan {
                name,
                role,
                shard,
                port: *port,
                bus_port,
                slots,
            });
        }
        refuse_double_ports(&nodes)?;
        Ok(Self { nodes })
    }

    /// The same nodes on other client ports, one for each.
    ///
    /// # Errors
    /// Another number of ports than nodes, or ports that do not serve.
    pub fn at_ports(
        mut nodes: Vec<NodePlan>,
        topology: Topology,
        ports: &[u16],
    ) -> Result<Self, PlanError> {
        if ports.len() != nodes.len() {
            let masters = nodes.iter().filter(|node| node.role == Role::Master);
            return Err(PlanError::PortCount {
                given: ports.len(),
                needed: nodes.len(),
                masters: masters.count(),
            });
        }
        for (node, port) in nodes.iter_mut().zip(ports) {
            node.bus_port = bus_port(&node.name, topology, *port)?;
            node.port = *port;
        }
        refuse_double_ports(&nodes)?;
        Ok(Self { nodes })
    }

    /// The client port of each node, where one is asked for; `None` where any will do.
    ///
    /// # Errors
    /// As [`node_count`]; a list of ports of another length; ports beyond 65535.
    pub fn wanted_ports(options: &Options) -> Result<Vec<Option<u16>>, PlanError> {
        let births = births_of(options)?;
        let with_data = births.iter().filter(|(_, role, _)| *role != Role::Sentinel);
        let needed = with_data.count();
        let (data, sentinels) = births.split_at(needed);
        let mut ports = match &options.ports {
            PortChoice::Auto => vec![None; needed],
            PortChoice::List(ports) if ports.len() == needed => {
                ports.iter().copied().map(Some).collect()
            }
            PortChoice::List(ports) => {
                return Err(PlanError::PortCount {
                    given: ports.len(),
                    needed,
                    masters: options.masters,
                });
            }
            PortChoice::From(first) => consecutive(data, *first, options.topology)?,
        };
        ports.extend(match (options.sentinels.port, &options.ports) {
            (None, PortChoice::Auto) => vec![None; sentinels.len()],
            (port, _) => {
                let first = port.unwrap_or(FIRST_SENTINEL_PORT);
                consecutive(sentinels, first, options.topology)?
            }
        });
        Ok(ports)
    }
}

/// Name, role and shard of each node, in the order of [`Plan::nodes`].
fn births_of(options: &Options) -> Result<Vec<(String, Role, usize)>, PlanError> {
    refuse_misfits(options)?;
    let replicas = replicas_of_each(options)?;
    let sentinels = match options.topology {
        Topology::Sentinel => options.sentinels.count,
        _ => 0,
    };
    let nodes = replicas
        .iter()
        .fold(options.masters, |sum, n| sum.saturating_add(*n))
        .saturating_add(sentinels);
    if nodes > MAX_NODES {
        return Err(PlanError::TooManyNodes(nodes));
    }
    let mut births = names::births(&replicas);
    births.extend(names::sentinels(sentinels).map(|name| (name, Role::Sentinel, 0)));
    Ok(births)
}

/// Refuses what means nothing in the topology.
fn refuse_misfits(options: &Options) -> Result<(), PlanError> {
    let topology = options.topology;
    let misfit = |option: String, reason| {
        Err(PlanError::Misfit {
            option,
            topology,
            reason,
        })
    };
    if topology.has_one_master() && options.masters > 1 {
        return misfit(
            format!("`--masters {}`", options.masters),
            "it has one master; `--topology cluster` has several",
        );
    }
    if topology == Topology::Standalone && options.replicas.iter().any(|count| *count > 0) {
        return misfit(
            "`--replicas`".to_owned(),
            "its nodes know nothing of each other; `--topology replication` has a master and replicas",
        );
    }
    if !topology.is_cluster() && options.slots.is_some() {
        return misfit(
            "`--slots`".to_owned(),
            "only the masters of `--topology cluster` own slots",
        );
    }
    if topology == Topology::Sentinel {
        let Sentinels { count, quorum, .. } = options.sentinels;
        if count == 0 {
            return Err(PlanError::NoSentinel);
        }
        if !(1..=count).contains(&quorum) {
            return Err(PlanError::Quorum {
                quorum,
                sentinels: count,
            });
        }
    }
    Ok(())
}

fn consecutive(
    births: &[(String, Role, usize)],
    first: u16,
    topology: Topology,
) -> Result<Vec<Option<u16>>, PlanError> {
    births
        .iter()
        .zip(u32::from(first)..)
        .map(|((name, ..), port)| match u16::try_from(port) {
            Ok(port) => Ok(Some(port)),
            Err(_) => Err(port_range(name, topology, port)),
        })
        .collect()
}

fn replicas_of_each(options: &Options) -> Result<Vec<usize>, PlanError> {
    if options.masters == 0 {
        return Err(PlanError::NoMaster);
    }
    if options.masters > MAX_NODES {
        return Err(PlanError::TooManyNodes(options.masters));
    }
    if let Some(many) = options.replicas.iter().find(|count| **count > MAX_REPLICAS) {
        return Err(PlanError::TooManyReplicas(*many));
    }
    match options.replicas.as_slice() {
        [] => Ok(vec![0; options.masters]),
        [all] => Ok(vec![*all; options.masters]),
        each if each.len() == options.masters => Ok(each.to_vec()),
        each => Err(PlanError::ReplicaCount {
            given: each.len(),
            masters: options.masters,
        }),
    }
}

/// The bus port that goes with a client port.
///
/// # Errors
/// [`PlanError::PortRange`].
pub(crate) fn bus_port(
    node: &str,
    topology: Topology,
    port: u16,
) -> Result<Option<u16>, PlanError> {
    match (topology, port) {
        (Topology::Cluster, 1..=LAST_PORT) => Ok(Some(port + BUS_OFFSET)),
        (Topology::Cluster, _) | (_, 0) => Err(port_range(node, topology, u32::from(port))),
        _ => Ok(None),
    }
}

fn port_range(node: &str, topology: Topology, port: u32) -> PlanError {
    let node = node.to_owned();
    if topology.is_cluster() {
        PlanError::PortRange { node, port }
    } else {
        PlanError::NoSuchPort { node, port }
    }
}

fn refuse_double_ports(nodes: &[NodePlan]) -> Result<(), PlanError> {
    let mut uses = std::collections::HashMap::new();
    let clients = nodes
        .iter()
        .map(|node| (node.port, format!("client port of `{}`", node.name)));
    let buses = nodes
        .iter()
        .filter_map(|node| Some((node.bus_port?, format!("bus port of `{}`", node.name))));
    for (port, second) in clients.chain(buses) {
        if let Some(first) = uses.insert(port, second.clone()) {
            return Err(PlanError::PortTwice {
                port,
                first,
                second,
            });
        }
    }
    Ok(())
}

fn slots_of_each(options: &Options) -> Result<Vec<SlotRanges>, PlanError> {
    let masters = options.masters;
    if !options.topology.is_cluster() {
        return Ok(Vec::new());
    }
    let Some(given) = &options.slots else {
        return Ok(split_evenly(masters)
            .into_iter()
            .map(|range| SlotRanges::from_iter([range]))
            .collect());
    };
    if given.len() != masters {
        return Err(PlanError::SlotCount {
            given: given.len(),
            masters,
        });
    }
    let mut owners = std::collections::BTreeMap::new();
    for (index, ranges) in given.iter().enumerate() {
        for slot in ranges.slots() {
            if let Some(first) = owners.insert(slot.number(), index) {
                let (first, second) = (format!("n{}", first + 1), format!("n{}", index + 1));
                return Err(PlanError::SlotTwice {
                    slot: slot.number(),
                    first,
                    second,
                });
            }
        }
    }
    match (0..crate::slots::Slot::COUNT).find(|slot| !owners.contains_key(slot)) {
        Some(slot) => Err(PlanError::SlotMissing { slot }),
        None => Ok(given.clone()),
    }
}

#[cfg(test)]
mod tests;
