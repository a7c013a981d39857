//! What the cluster will be, decided before anything is touched: nodes, names, ports, slots.
//! Pure: no files, no sockets, no clock.

#[doc(hidden)]
pub mod shape;

mod error;
mod intent;
mod limits;
mod mode;
mod name;
mod names;
mod node;
mod options;
mod profiled;
mod topology;

use crate::wire::slots::{SlotRanges, split_evenly};

pub use error::PlanError;
#[doc(hidden)]
pub use intent::{Intent, Rebalance, Reshard, Scale, Sources};
#[doc(hidden)]
pub use limits::{
    FIRST_PORT, FIRST_SENTINEL_PORT, LARGE, MASTER_NAME, MAX_MASTER_NAME, MAX_NODES, MAX_REPLICAS,
};
pub use mode::Mode;
pub use name::{Name, NameError};
pub(crate) use names::{master_name, replica_name};
#[doc(hidden)]
pub use node::BUS_OFFSET;
pub use node::{NodePlan, Ports, Role};
#[doc(hidden)]
pub use options::reachable;
pub use options::{Boot, BusPortChoice, Options, PortChoice, Sentinels, Setting, Shape};
pub use topology::Topology;

/// The nodes of a cluster to be: masters in slot order, then first replicas, then second ones, …,
/// then sentinels.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct Plan {
    /// All nodes, in the order of their ports.
    pub nodes: Vec<NodePlan>,
}

/// How many nodes the options make, sentinels included.
///
/// # Errors
/// Numbers that make no cluster, or do not fit the topology.
#[doc(hidden)]
pub fn node_count(options: &Options) -> Result<usize, PlanError> {
    Ok(births_of(options)?.len())
}

/// The nodes' names, in the order of [`Plan::nodes`].
///
/// # Errors
/// As [`node_count`].
#[doc(hidden)]
pub fn node_names(options: &Options) -> Result<Vec<String>, PlanError> {
    let births = births_of(options)?.into_iter();
    Ok(births.map(|(name, ..)| name).collect())
}

impl Plan {
    /// Plans the cluster on the given ports, one pair for each node in the order of
    /// [`Plan::nodes`]; a client port alone stands for itself and the usual bus port. The ports are
    /// checked here, wherever they come from.
    ///
    /// # Errors
    /// Any [`PlanError`]; nothing has been touched.
    pub fn new<P: Copy + Into<Ports>>(options: &Options, ports: &[P]) -> Result<Self, PlanError> {
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
            let (port, bus_port) = checked(&name, options.topology, (*port).into())?;
            let slots = match role {
                Role::Master => slots.get(shard).cloned().unwrap_or_default(),
                Role::Replica | Role::Sentinel => SlotRanges::default(),
            };
            nodes.push(NodePlan {
                name,
                role,
                shard,
                port,
                bus_port,
                in_a_row: 1,
                slots,
            });
        }
        refuse_double_ports(&nodes)?;
        Ok(Self { nodes })
    }

    /// The same, where each node takes so many ports in a row.
    ///
    /// # Errors
    /// Two nodes would take the same port.
    pub fn with_ports_in_a_row(mut self, count: u16) -> Result<Self, PlanError> {
        for node in &mut self.nodes {
            node.in_a_row = count;
            let last = |port: u16| u32::from(port) + u32::from(count.saturating_sub(1));
            let lasts = [Some(node.port), node.bus_port]
                .into_iter()
                .flatten()
                .map(last);
            if let Some(last) = lasts.max().filter(|last| *last > u32::from(u16::MAX)) {
                return Err(no_such_port(&node.name, last));
            }
        }
        refuse_double_ports(&self.nodes)?;
        Ok(self)
    }

    /// The same nodes on other ports, one pair for each.
    ///
    /// # Errors
    /// Another number of ports than nodes, or ports that do not serve.
    pub fn at_ports(
        mut nodes: Vec<NodePlan>,
        topology: Topology,
        ports: &[Ports],
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
            (node.port, node.bus_port) = checked(&node.name, topology, *port)?;
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
            PortChoice::From(first) => consecutive(data, *first)?,
        };
        ports.extend(match (options.sentinels.port, &options.ports) {
            (None, PortChoice::Auto) => vec![None; sentinels.len()],
            (port, _) => {
                let first = port.unwrap_or(FIRST_SENTINEL_PORT);
                consecutive(sentinels, first)?
            }
        });
        Ok(ports)
    }
}

/// Name, role and shard of each node, in the order of [`Plan::nodes`].
fn births_of(options: &Options) -> Result<Vec<(String, Role, usize)>, PlanError> {
    options.check()?;
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

fn consecutive(
    births: &[(String, Role, usize)],
    first: u16,
) -> Result<Vec<Option<u16>>, PlanError> {
    births
        .iter()
        .zip(u32::from(first)..)
        .map(|((name, ..), port)| match u16::try_from(port) {
            Ok(port) => Ok(Some(port)),
            Err(_) => Err(no_such_port(name, port)),
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

/// A node's ports, if there are such ports; the bus port only in cluster mode.
pub(crate) fn checked(
    node: &str,
    topology: Topology,
    ports: Ports,
) -> Result<(u16, Option<u16>), PlanError> {
    let bus = match ports.bus.filter(|_| topology.is_cluster()) {
        None if topology.is_cluster() => {
            return Err(PlanError::NoBusPort {
                node: node.to_owned(),
                port: ports.client,
            });
        }
        bus => bus,
    };
    if ports.client == 0 || bus == Some(0) {
        return Err(no_such_port(node, 0));
    }
    Ok((ports.client, bus))
}

fn no_such_port(node: &str, port: u32) -> PlanError {
    PlanError::NoSuchPort {
        node: node.to_owned(),
        port,
    }
}

fn refuse_double_ports(nodes: &[NodePlan]) -> Result<(), PlanError> {
    let mut uses = std::collections::HashMap::new();
    let uses_of = |node: &NodePlan, first, port, what| {
        let text = if port == first {
            format!("{what} port of `{}`", node.name)
        } else {
            let (name, count) = (&node.name, node.in_a_row);
            format!("further port of `{name}`, which takes {count} in a row, says its profile,")
        };
        (port, text)
    };
    let clients = nodes.iter().flat_map(|node| {
        let ports = node.client_ports();
        ports.map(move |port| uses_of(node, node.port, port, "client"))
    });
    let buses = nodes.iter().flat_map(|node| {
        let first = node.bus_port.unwrap_or_default();
        let ports = node.bus_ports();
        ports.map(move |port| uses_of(node, first, port, "bus"))
    });
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
    match (0..crate::wire::slots::Slot::COUNT).find(|slot| !owners.contains_key(slot)) {
        Some(slot) => Err(PlanError::SlotMissing { slot }),
        None => Ok(given.clone()),
    }
}

#[cfg(test)]
mod tests;
