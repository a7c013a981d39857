//! What a user may ask of a cluster, what is so otherwise, and what cannot be. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::PlanError;
use super::limits::{FIRST_PORT, LARGE, MASTER_NAME, MAX_MASTER_NAME};
use super::topology::Topology;
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::wire::slots::SlotRanges;

/// Everything that a user may ask of a cluster, in final values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Number of masters, at least 1; exactly 1 where [`Topology::has_one_master`].
    pub masters: usize,
    /// Replicas of each master: one number for all of them, or one for each.
    pub replicas: Vec<usize>,
    /// Which client ports the nodes listen on.
    pub ports: PortChoice,
    /// Which ports the nodes of a cluster talk to each other on.
    #[serde(default)]
    pub bus_port: BusPortChoice,
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
    /// Who watches the master; counts with [`Topology::Sentinel`] only.
    #[serde(default)]
    pub sentinels: Sentinels,
    /// What is odd about it on purpose; it decides some of the options above
    /// ([`Shape::prepare`]).
    #[serde(default)]
    pub shape: Option<Shape>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            masters: 3,
            replicas: vec![1],
            ports: PortChoice::From(FIRST_PORT),
            bus_port: BusPortChoice::Auto,
            slots: None,
            node_timeout: Self::usual_node_timeout(0),
            settings: Vec::new(),
            persist: true,
            password: None,
            announce: None,
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            boot: Boot::Auto,
            topology: Topology::Cluster,
            sentinels: Sentinels::default(),
            shape: None,
        }
    }
}

impl Options {
    /// The defaults of a topology: they differ in the numbers of masters and replicas.
    pub fn of(topology: Topology) -> Self {
        let (masters, replicas) = match topology {
            Topology::Cluster => (3, 1),
            Topology::Standalone => (1, 0),
            Topology::Replication | Topology::Sentinel => (1, 2),
        };
        Self {
            masters,
            replicas: vec![replicas],
            topology,
            ..Self::default()
        }
    }

    /// The node timeout of a cluster of so many nodes unless the user says otherwise. Every node pings every
    /// other one in half of it, so that a few processors do not keep up with hundreds of nodes; beyond
    /// [`LARGE`] it is the servers' own default.
    pub fn usual_node_timeout(nodes: usize) -> Duration {
        Duration::from_secs(if nodes > LARGE { 15 } else { 5 })
    }

    /// Refuses what means nothing in the topology, and what contradicts itself.
    pub(super) fn check(&self) -> Result<(), PlanError> {
        let topology = self.topology;
        let misfit = |asked, reason| {
            Err(PlanError::Misfit {
                asked,
                topology,
                reason,
            })
        };
        let other = |topology: Topology| Parameter::Topology.as_part(topology.to_string());
        if topology.has_one_master() && self.masters > 1 {
            return misfit(
                Parameter::Masters.as_part(self.masters.to_string()),
                text![
                    "it has one master; ",
                    other(Topology::Cluster),
                    " has several"
                ],
            );
        }
        if topology == Topology::Standalone && self.replicas.iter().any(|count| *count > 0) {
            return misfit(
                Parameter::Replicas.into(),
                text![
                    "its nodes are independent of each other; ",
                    other(Topology::Replication),
                    " has a master and replicas"
                ],
            );
        }
        if !topology.is_cluster() && self.slots.is_some() {
            return misfit(
                Parameter::Slots.into(),
                text![
                    "only the masters of ",
                    other(Topology::Cluster),
                    " own slots"
                ],
            );
        }
        if !topology.is_cluster() && self.bus_port != BusPortChoice::Auto {
            return misfit(
                Parameter::BusPort.into(),
                text!["only nodes of ", other(Topology::Cluster), " have a bus"],
            );
        }
        if topology == Topology::Sentinel {
            self.sentinels.check()?;
        }
        Ok(())
    }

    /// The host that nodes tell each other and their clients.
    pub fn told_host(&self) -> String {
        match &self.announce {
            Some(announce) => announce.clone(),
            None => reachable(&self.bind).to_string(),
        }
    }

    /// The address that nodes tell each other: the announced one, if that is an address.
    pub fn told_address(&self) -> IpAddr {
        let announced = self.announce.as_deref();
        announced
            .and_then(|announce| announce.parse().ok())
            .unwrap_or_else(|| reachable(&self.bind))
    }

    /// [`Options::bind`] as a server can take it: each address once, and none beside an unspecified
    /// one that includes it, since a server cannot listen twice on the same port.
    pub fn listening_addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = Vec::with_capacity(self.bind.len());
        for address in &self.bind {
            let includes = |other: &IpAddr| {
                other.is_unspecified() && other.is_ipv4() == address.is_ipv4() && other != address
            };
            if !self.bind.iter().any(includes) && !addresses.contains(address) {
                addresses.push(*address);
            }
        }
        addresses
    }
}

/// The address by which a node is reached that listens on all of `bind`.
pub fn reachable(bind: &[IpAddr]) -> IpAddr {
    match bind.first() {
        None => Ipv4Addr::LOCALHOST.into(),
        Some(IpAddr::V4(address)) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        Some(IpAddr::V6(address)) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        Some(address) => *address,
    }
}

/// The sentinels of a [`Topology::Sentinel`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentinels {
    /// How many, at least 1.
    pub count: usize,
    /// How many must find the master down before one of them may start a failover: from 1 to
    /// [`Sentinels::count`]. Electing that one always takes a majority (Sentinel's documentation,
    /// "Fundamental things to know about Sentinel").
    pub quorum: usize,
    /// The first one's client port, the others follow. If not said: [`FIRST_SENTINEL_PORT`](super::FIRST_SENTINEL_PORT), or
    /// any that are free where the other nodes' ports are chosen so.
    pub port: Option<u16>,
    /// `down-after-milliseconds`: without a valid answer for so long a server counts as down.
    pub down_after: Duration,
    /// `failover-timeout`, in whole milliseconds: a failover that has not succeeded is tried again
    /// after twice this time.
    pub failover_timeout: Duration,
    /// What the sentinels call the master: letters, digits, `.`, `-` and `_`, at most 255.
    #[serde(default = "usual_master_name")]
    pub master_name: String,
}

fn usual_master_name() -> String {
    MASTER_NAME.to_owned()
}

impl Default for Sentinels {
    fn default() -> Self {
        Self {
            count: 3,
            quorum: 2,
            port: None,
            down_after: Duration::from_secs(5),
            // A lab does not want to wait two minutes for the second attempt, which the
            // server's own default of three minutes would make six.
            failover_timeout: Duration::from_secs(10),
            master_name: usual_master_name(),
        }
    }
}

impl Sentinels {
    fn check(&self) -> Result<(), PlanError> {
        refuse_master_name(&self.master_name)?;
        let Self { count, quorum, .. } = *self;
        if count == 0 {
            return Err(PlanError::NoSentinel);
        }
        if !(1..=count).contains(&quorum) {
            return Err(PlanError::Quorum {
                quorum,
                sentinels: count,
            });
        }
        Ok(())
    }
}

fn refuse_master_name(name: &str) -> Result<(), PlanError> {
    let stray = |letter: &char| !letter.is_ascii_alphanumeric() && !".-_".contains(*letter);
    let reason = if name.is_empty() {
        "it is empty".to_owned()
    } else if name.len() > MAX_MASTER_NAME {
        format!("it has {} bytes", name.len())
    } else if let Some(letter) = name.chars().find(stray) {
        format!("it holds {letter:?}")
    } else {
        return Ok(());
    };
    Err(PlanError::MasterName {
        name: crate::wire::resp::escape(name.as_bytes()),
        reason,
    })
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

impl Setting {
    /// The value of a directive, by any of its names, if it is among the settings: the last time counts.
    pub(crate) fn value_in<'a>(settings: &'a [Self], names: &[&str]) -> Option<&'a str> {
        let mut settings = settings.iter().rev();
        let setting = settings.find(|setting| names.contains(&setting.key.as_str()))?;
        Some(&setting.value)
    }
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

/// Which bus ports to use. Servers before Redis 7.0 have theirs 10000 above the client port and nowhere
/// else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusPortChoice {
    /// 10000 above each client port, or any that is free where that one cannot be had.
    #[default]
    Auto,
    /// Consecutive ports from this one on.
    From(u16),
}

/// How nodes become a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// `seeded` if the server supports it, else `commands`.
    Auto,
    /// Write each nodes.conf before the first start; fastest.
    Seeded,
    /// Send CLUSTER ADDSLOTS, MEET and REPLICATE; without cluster mode, REPLICAOF.
    Commands,
    /// Leave the nodes separate and empty.
    None,
}

impl std::fmt::Display for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A cluster that is odd on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Two masters: if one dies, the other has no majority to fail over with.
    TwoMasters,
    /// Masters without replicas.
    NoReplicas,
    /// Three masters: one with two replicas, one with one, one with none.
    UnevenReplicas,
    /// Three masters: one with a single slot, one with many small ranges, one with all the rest.
    Uneven,
    /// A fourth master, without slots.
    EmptyMaster,
    /// Slot 15495 half migrated, with keys on both sides: ASK and TRYAGAIN.
    OpenSlot,
    /// Slots without an owner: `cluster_state:fail`.
    Uncovered,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}
