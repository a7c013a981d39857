//! What the cluster will be, decided before anything is touched: nodes, names, ports, slots.
//! Pure: no files, no sockets, no clock.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::slots::{SlotRanges, split_evenly};

/// The distance from a node's client port to its bus port, unless the server is told otherwise
/// (`CLUSTER_PORT_INCR`, cluster.h, all versions).
pub const BUS_OFFSET: u16 = 10_000;
/// The first client port unless the user says otherwise.
pub const FIRST_PORT: u16 = 7001;
/// Client ports end here: the bus port, [`BUS_OFFSET`] higher, must stay below the ports that the
/// kernel hands out to outgoing connections (32768 on Linux).
pub const LAST_PORT: u16 = 22_767;
/// The most nodes that a plan may have: what a gossip bus is designed for (cluster-spec, "Redis
/// Cluster goals": up to 1000 nodes).
pub const MAX_NODES: usize = 1000;
/// The most replicas of one master; their names end in one letter.
pub const MAX_REPLICAS: usize = 26;

/// Everything that a user may ask of a cluster, in final values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Number of masters, at least 1.
    pub masters: usize,
    /// Replicas of each master: one number for all of them, or one for each.
    pub replicas: Vec<usize>,
    /// Which client ports the nodes listen on.
    pub ports: PortChoice,
    /// The slots of each master, in order; evenly split if absent.
    pub slots: Option<Vec<SlotRanges>>,
    /// `cluster-node-timeout`.
    pub node_timeout: Duration,
    /// Directives for node.conf, in the user's order.
    pub settings: Vec<Setting>,
    /// Whether data survives `stop` and `start` (append-only file).
    pub persist: bool,
    /// `requirepass` and `masterauth`.
    pub password: Option<String>,
    /// The address that nodes tell clients and each other: an IP address or a host name.
    pub announce: Option<String>,
    /// Where nodes listen; the first one is how we reach them.
    pub bind: Vec<IpAddr>,
    /// How the nodes become a cluster.
    pub boot: Boot,
    /// What the nodes are to each other.
    #[serde(default)]
    pub topology: Topology,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            masters: 3,
            replicas: vec![1],
            ports: PortChoice::From(FIRST_PORT),
            slots: None,
            node_timeout: Duration::from_secs(5),
            settings: Vec::new(),
            persist: true,
            password: None,
            announce: None,
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            boot: Boot::Auto,
            topology: Topology::Cluster,
        }
    }
}

/// One directive of node.conf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The directive's name, in lower case.
    pub key: String,
    /// Its value as one writes it in a config file.
    pub value: String,
}

/// Which client ports to use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortChoice {
    /// Consecutive ports from this one on.
    From(u16),
    /// These, masters first: `n1 n2 n3 r1 r2 r3`.
    List(Vec<u16>),
    /// Any that are free.
    Auto,
}

/// How nodes become a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// Seeded where the server is known to take it, else by commands.
    Auto,
    /// By files that are written before the first start.
    Seeded,
    /// `CLUSTER ADDSLOTS`, `MEET` and `REPLICATE`, as people do by hand.
    Commands,
    /// Not at all: the nodes are left bare.
    None,
}

impl std::fmt::Display for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Seeded => "seeded",
            Self::Commands => "commands",
            Self::None => "none",
        })
    }
}

/// What nodes are to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Nodes of one cluster, formed or bare.
    #[default]
    Cluster,
    /// Nothing: servers without cluster mode. Only [`Options::masters`] counts, and they are
    /// ready when they answer PING: the ladder is for clusters.
    Standalone,
}

/// What a node was born as. It may become the other; its name stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Owns slots.
    Master,
    /// Copies a master.
    Replica,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Replica => "replica",
        })
    }
}

/// One node to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    /// `n1`, `r1`, `r1b`, …
    pub name: String,
    /// Master or replica at birth.
    pub role: Role,
    /// The shard that it is born into, from 0; the shard's master is `n<shard+1>`.
    pub shard: usize,
    /// Client port.
    pub port: u16,
    /// Cluster bus port.
    pub bus_port: u16,
    /// The slots that a master is born with; empty for replicas.
    pub slots: SlotRanges,
}

/// The nodes of a cluster to be: masters in slot order, then first replicas, then second ones, ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All nodes, in the order of their ports.
    pub nodes: Vec<NodePlan>,
}

/// Why a plan cannot be.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// `--masters 0`
    #[error("a cluster needs at least 1 master; 0 were asked for")]
    NoMaster,
    /// `--replicas 1,2` with three masters
    #[error(
        "`--replicas` gives {given} numbers for {masters} masters; give one number, or one for each master"
    )]
    ReplicaCount {
        /// Numbers given.
        given: usize,
        /// Masters asked for.
        masters: usize,
    },
    /// More replicas than there are names.
    #[error("{0} replicas of one master were asked for; {MAX_REPLICAS} is the most")]
    TooManyReplicas(usize),
    /// More nodes than a cluster may have.
    #[error("{0} nodes were asked for; {MAX_NODES} is the most")]
    TooManyNodes(usize),
    /// `--ports` with the wrong number of ports.
    #[error(
        "`--ports` names {given} ports, but the cluster has {needed} nodes ({masters} masters, then the replicas)"
    )]
    PortCount {
        /// Ports given.
        given: usize,
        /// Nodes planned.
        needed: usize,
        /// Masters among them.
        masters: usize,
    },
    /// A port that cannot be used.
    #[error(
        "port {port} of node `{node}` does not serve: client ports go from 1 to {LAST_PORT}, so that the bus port ({BUS_OFFSET} higher) stays below the ports that the system gives to outgoing connections"
    )]
    PortRange {
        /// The node concerned.
        node: String,
        /// The port, wider than 16 bits because it is computed.
        port: u32,
    },
    /// The same port twice.
    #[error("port {port} would be both the {first} and the {second}")]
    PortTwice {
        /// The port.
        port: u16,
        /// Its first use, as in "client port of `n1`".
        first: String,
        /// Its second use.
        second: String,
    },
    /// `--slots` with the wrong number of items.
    #[error(
        "`--slots` gives slots to {given} masters, but there are {masters}; write one item for each, such as 0-5460,5461-10922,10923-16383"
    )]
    SlotCount {
        /// Items given.
        given: usize,
        /// Masters asked for.
        masters: usize,
    },
    /// A slot that belongs to two masters.
    #[error("slot {slot} is given to both `{first}` and `{second}`")]
    SlotTwice {
        /// The slot.
        slot: u16,
        /// Its first owner.
        first: String,
        /// Its second owner.
        second: String,
    },
    /// Slots that belong to nobody.
    #[error(
        "slot {slot} is given to no master; a cluster serves keys only when all 16384 slots are assigned"
    )]
    SlotMissing {
        /// The first such slot.
        slot: u16,
    },
    /// No address to listen on.
    #[error("a node needs at least one address to listen on; `--bind` gave none")]
    NoAddress,
}

/// Names and roles, before there are ports: what `ports::choose` needs to know is only their number.
///
/// # Errors
/// Numbers that make no cluster.
pub fn node_count(options: &Options) -> Result<usize, PlanError> {
    let replicas = replicas_of_each(options)?;
    let nodes = options
        .masters
        .saturating_add(replicas.iter().fold(0, |sum, n| sum.saturating_add(*n)));
    if nodes > MAX_NODES {
        Err(PlanError::TooManyNodes(nodes))
    } else {
        Ok(nodes)
    }
}

impl Plan {
    /// Plans the cluster on the given client ports, one for each node in the order of
    /// [`Plan::nodes`]. The ports are checked here, wherever they come from.
    ///
    /// # Errors
    /// Any [`PlanError`]; nothing has been touched.
    pub fn new(options: &Options, ports: &[u16]) -> Result<Self, PlanError> {
        let needed = node_count(options)?;
        if options.bind.is_empty() {
            return Err(PlanError::NoAddress);
        }
        if ports.len() != needed {
            return Err(PlanError::PortCount {
                given: ports.len(),
                needed,
                masters: options.masters,
            });
        }
        let slots = slots_of_each(options)?;
        let births = births(&replicas_of_each(options)?);
        let mut nodes = Vec::with_capacity(needed);
        for ((name, role, shard), port) in births.into_iter().zip(ports) {
            let bus_port = bus_port(&name, u32::from(*port))?;
            let slots = match role {
                Role::Master => slots.get(shard).cloned().unwrap_or_default(),
                Role::Replica => SlotRanges::default(),
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
    pub fn at_ports(mut nodes: Vec<NodePlan>, ports: &[u16]) -> Result<Self, PlanError> {
        if ports.len() != nodes.len() {
            let masters = nodes.iter().filter(|node| node.role == Role::Master);
            return Err(PlanError::PortCount {
                given: ports.len(),
                needed: nodes.len(),
                masters: masters.count(),
            });
        }
        for (node, port) in nodes.iter_mut().zip(ports) {
            node.bus_port = bus_port(&node.name, u32::from(*port))?;
            node.port = *port;
        }
        refuse_double_ports(&nodes)?;
        Ok(Self { nodes })
    }

    /// The client ports that an explicit choice means, or `None` for [`PortChoice::Auto`].
    ///
    /// # Errors
    /// Ports beyond [`LAST_PORT`].
    pub fn explicit_ports(options: &Options) -> Result<Option<Vec<u16>>, PlanError> {
        match &options.ports {
            PortChoice::Auto => Ok(None),
            PortChoice::List(ports) => Ok(Some(ports.clone())),
            PortChoice::From(first) => {
                let names = births(&replicas_of_each(options)?);
                node_count(options)?;
                names
                    .iter()
                    .zip(u32::from(*first)..)
                    .map(|((name, ..), port)| {
                        u16::try_from(port).map_err(|_| PlanError::PortRange {
                            node: name.clone(),
                            port,
                        })
                    })
                    .collect::<Result<_, _>>()
                    .map(Some)
            }
        }
    }
}

/// A node's name by birth: `n1`; `r1`, `r1b`, `r1c`.
fn births(replicas: &[usize]) -> Vec<(String, Role, usize)> {
    let masters = (0..replicas.len()).map(|shard| (format!("n{}", shard + 1), Role::Master, shard));
    let most = replicas.iter().copied().max().unwrap_or(0);
    let followers = ('a'..='z')
        .take(most)
        .enumerate()
        .flat_map(|(nth, letter)| {
            replicas
                .iter()
                .enumerate()
                .filter(move |(_, count)| nth < **count)
                .map(move |(shard, _)| {
                    let suffix = if nth == 0 {
                        String::new()
                    } else {
                        letter.to_string()
                    };
                    (format!("r{}{suffix}", shard + 1), Role::Replica, shard)
                })
        });
    masters.chain(followers).collect()
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

fn bus_port(node: &str, port: u32) -> Result<u16, PlanError> {
    match u16::try_from(port) {
        Ok(client @ 1..=LAST_PORT) => Ok(client + BUS_OFFSET),
        _ => Err(PlanError::PortRange {
            node: node.to_owned(),
            port,
        }),
    }
}

fn refuse_double_ports(nodes: &[NodePlan]) -> Result<(), PlanError> {
    let mut uses = std::collections::HashMap::new();
    let clients = nodes
        .iter()
        .map(|node| (node.port, format!("client port of `{}`", node.name)));
    let buses = nodes
        .iter()
        .map(|node| (node.bus_port, format!("bus port of `{}`", node.name)));
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
